# SPDX-License-Identifier: MIT
"""Frozen JSON, and strict parsing of JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, final

if TYPE_CHECKING:
    JsonValue: TypeAlias = "None | bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue]"
    """Any JSON value, read-only all the way down."""
else:  # libraries that resolve annotations at run time, as pydantic does, cannot resolve a recursive alias
    JsonValue = Any

MAX_NESTING = 128
"""How many arrays and objects may contain each other.

A fixed limit, so that the meaning of a text does not depend on how much of the interpreter's stack is free."""


# Frozen values

# Every method that would change a frozen value raises. Code in C can still write to the storage of a dict or list
# behind the back of a subclass: `dict.__setitem__(value, ...)`, `heapq.heappush(value, ...)`, `exec(code, value)`,
# `namespace.__dict__ = value`. Only a class that is no dict or list could prevent that, and `json.dumps` needs one.


class _Frozen:
    """What `FrozenDict` and `FrozenList` share."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        kind, plain = ("object", "dict") if isinstance(self, dict) else ("array", "list")
        raise TypeError(f"this JSON {kind} is shared and cannot be changed; change a copy: {plain}(...)")


@final
class FrozenDict(_Frozen, dict[str, Any]):
    """A JSON object that cannot change. Equal to the `dict` it was made from, and hashable."""

    __slots__ = ("_nesting",)

    _nesting: int

    def __new__(cls, items: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> Self:
        self = super().__new__(cls)
        _fill([(self, dict(items), MAX_NESTING)])
        return self

    # `__new__` has filled it. The inherited `__init__` would fill it again.
    def __init__(self, items: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None: ...

    def __hash__(self) -> int:  # type: ignore[override]  # dict declares it None
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Self], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = _Frozen._refuse
        clear = pop = popitem = setdefault = update = _Frozen._refuse


@final
class FrozenList(_Frozen, list[Any]):
    """A JSON array that cannot change. Equal to the `list` it was made from, and hashable."""

    __slots__ = ("_nesting",)

    _nesting: int

    def __new__(cls, items: Iterable[Any] = ()) -> Self:
        self = super().__new__(cls)
        _fill([(self, items, MAX_NESTING)])
        return self

    # `__new__` has filled it. The inherited `__init__` would fill it again.
    def __init__(self, items: Iterable[Any] = ()) -> None: ...

    def __hash__(self) -> int:  # type: ignore[override]  # list declares it None
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[Self], tuple[list[Any]]]:
        return type(self), (list(self),)

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __iadd__ = __imul__ = _Frozen._refuse
        append = clear = extend = insert = pop = remove = reverse = sort = _Frozen._refuse


OBJECT: tuple[type[Any], ...] = (dict, Mapping)
"""What counts as a JSON object; `dict` comes first because it is checked fastest."""

ARRAY: tuple[type[Any], ...] = (list, tuple)
"""What counts as a JSON array."""

# These make frozen values and fill them, before anything else refers to them.
new_object: Callable[[], FrozenDict] = partial(dict[str, Any].__new__, FrozenDict)
new_array: Callable[[], FrozenList] = partial(list[Any].__new__, FrozenList)
set_member: Callable[[FrozenDict, str, Any], None] = dict[str, Any].__setitem__
append_item: Callable[[FrozenList, Any], None] = list[Any].append
extend_array: Callable[[FrozenList, Iterable[Any]], None] = list[Any].extend
update_object: Callable[[FrozenDict, Mapping[str, Any]], None] = dict[str, Any].update

EMPTY_OBJECT = new_object()

_SCALARS = frozenset({type(None), bool, int, float, str})


def freeze(value: Any) -> Any:
    """Copy a JSON value into immutable form: `FrozenDict`, `FrozenList`, or a scalar.

    Tuples become arrays, other mappings objects; NaN and infinity pass, as in Python's `json`. Raise
    `TypeError` for a type that JSON does not have, `ValueError` for nesting beyond `MAX_NESTING`.
    """
    work: list[_Work] = []
    frozen = _begin(value, MAX_NESTING, work)
    _fill(work)
    return frozen


def freeze_object(field: str, value: Any) -> FrozenDict:
    """Freeze a JSON object; `field` is named in the `TypeError` for anything else."""
    if isinstance(value, FrozenDict):
        return value
    if not isinstance(value, OBJECT):
        raise TypeError(f"{field}: expected a JSON object, found {type(value).__name__}")
    frozen = new_object()
    _fill([(frozen, value, MAX_NESTING)])
    return frozen


# A new container, still empty; the value to fill it from; and how many levels it may nest. A list of these replaces
# recursion, which the interpreter's stack would limit.
_Work: TypeAlias = "tuple[FrozenDict | FrozenList, Any, int]"


def _begin(value: Any, room: int, work: list[_Work]) -> Any:
    """Freeze one value. A container is returned empty, and appended to `work`."""
    if type(value) in _SCALARS:
        return value
    frozen: FrozenDict | FrozenList
    if isinstance(value, (FrozenDict, FrozenList)):
        if _nesting(value) > room:
            raise ValueError(TOO_DEEP)
        return value
    if isinstance(value, OBJECT):
        frozen = new_object()
    elif isinstance(value, ARRAY):
        frozen = new_array()
    elif isinstance(value, (str, int, float)):
        return value
    else:
        raise TypeError(f"not a JSON value: {type(value).__name__} {value!r:.100}")
    if not room:
        raise ValueError(TOO_DEEP)
    work.append((frozen, value, room))
    return frozen


def _fill(work: list[_Work]) -> None:
    """Fill containers, and all containers in them."""
    while work:
        frozen, value, room = work.pop()
        if isinstance(frozen, FrozenDict):
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"JSON object keys are str, not {type(key).__name__}: {key!r:.100}")
                set_member(frozen, key, item if type(item) in _SCALARS else _begin(item, room - 1, work))
        else:
            extend_array(frozen, [item if type(item) in _SCALARS else _begin(item, room - 1, work) for item in value])


def _nesting(value: Any) -> int:
    """Return how many levels a frozen value nests. A container remembers it."""
    if not isinstance(value, (FrozenDict, FrozenList)):
        return 0
    nesting: int = getattr(value, "_nesting", 0)
    if not nesting:
        level: list[Any] = [value]
        while level:
            nesting += 1
            inner = [item for each in level for item in (each.values() if isinstance(each, FrozenDict) else each)]
            level = [item for item in inner if isinstance(item, (FrozenDict, FrozenList))]
        value._nesting = nesting  # pyright: ignore[reportPrivateUsage]
    return nesting


TOO_DEEP = f"JSON nested deeper than {MAX_NESTING} levels"


def nests_too_deep(value: Any) -> bool:
    """Return whether a JSON value nests deeper than `MAX_NESTING` levels, without recursion."""
    level: dict[int, Any] = {0: [value]}  # the values of one level, each once
    for _ in range(MAX_NESTING + 2):
        members = (each.values() if isinstance(each, OBJECT) else each for each in level.values())
        level = {id(each): each for inner in members for each in inner if isinstance(each, (*OBJECT, *ARRAY))}
    return bool(level)


# Parsing


def _finite(number: str) -> float:
    """Parse a number that a float can hold; NaN and Infinity are Python's, not JSON's."""
    if not isfinite(value := float(number)):
        raise ValueError(f"{number:.100} is not a JSON number that Python can hold")
    return value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(r"[][{}]")
_STEP = {"{": 1, "[": 1, "}": -1, "]": -1}


def parse_json(text: str, *, max_nesting: int = MAX_NESTING) -> Any:
    """Parse strict JSON whose numbers are finite. Raise `ValueError` for anything else.

    `max_nesting` is for text that wraps JSON of full depth in levels of its own.
    """
    check_nesting(text, max_nesting)
    return _DECODER.decode(text)


def check_nesting(text: str, max_nesting: int = MAX_NESTING) -> None:
    """Raise `ValueError` for JSON text that nests too deep.

    Call it before a parser, which is limited by how much of the interpreter's stack is free.
    """
    if text.count("{") + text.count("[") > max_nesting:  # few texts need the exact count
        brackets = _BRACKET.findall(_STRING.sub("", text))
        if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > max_nesting:
            raise ValueError(f"JSON nested deeper than {max_nesting} levels")


def parse_string(characters: str) -> str:
    """Parse the characters between the quotes of a JSON string, which must be valid."""
    text: str = _DECODER.raw_decode(f'"{characters}"')[0]
    return text


def parse_object(text: str) -> FrozenDict | None:
    """Parse the text of a JSON object. Return None if it is anything else, or nested beyond `MAX_NESTING`."""
    if not text.lstrip(" \t\n\r").startswith("{"):
        return None
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return FrozenDict(value)
