# SPDX-License-Identifier: MIT
"""Frozen JSON, and strict parsing of a JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, final

if TYPE_CHECKING:
    JsonValue: TypeAlias = "None | bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue]"
    """Any JSON value, as a type checker sees it: read-only all the way down."""
else:  # for those who resolve annotations when they run, as pydantic does: no recursion, and nothing to convert
    JsonValue = Any

# Frozen JSON


class _Frozen:
    """What cannot change is its own copy."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        kind, plain = ("object", "dict") if isinstance(self, dict) else ("array", "list")
        raise TypeError(f"this JSON {kind} is shared and cannot be changed; change a copy: {plain}(...)")


@final
class FrozenDict(_Frozen, dict[str, JsonValue]):
    """A JSON object that cannot change. Equal to the `dict` it came from, and hashable."""

    __slots__ = ()

    def __new__(cls, items: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> Self:
        self = super().__new__(cls)
        for key, value in dict(items).items():
            if not isinstance(key, str):
                raise TypeError(f"JSON object keys are str, not {type(key).__name__}: {key!r:.100}")
            super(FrozenDict, self).__setitem__(key, freeze(value))
        return self

    # `__new__` has filled it; a second `__init__` must not.
    def __init__(self, items: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None: ...

    def __hash__(self) -> int:  # type: ignore[override]  # dict declares it None
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Self], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = _Frozen._refuse
        clear = pop = popitem = setdefault = update = _Frozen._refuse


@final
class FrozenList(_Frozen, list[JsonValue]):
    """A JSON array that cannot change. Equal to the `list` it came from, and hashable."""

    __slots__ = ()

    def __new__(cls, items: Iterable[Any] = ()) -> Self:
        self = super().__new__(cls)
        super(FrozenList, self).extend(map(freeze, items))
        return self

    # `__new__` has filled it; a second `__init__` must not.
    def __init__(self, items: Iterable[Any] = ()) -> None: ...

    def __hash__(self) -> int:  # type: ignore[override]  # list declares it None
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[Self], tuple[list[Any]]]:
        return type(self), (list(self),)

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __iadd__ = __imul__ = _Frozen._refuse
        append = clear = extend = insert = pop = remove = reverse = sort = _Frozen._refuse


def freeze(value: Any) -> Any:
    """Copy JSON into a form that nobody can change: `FrozenDict`, `FrozenList`, or a scalar.

    Tuples are taken for arrays, other mappings for objects; NaN and infinity pass, as they do in
    Python's `json`. Raises `TypeError` for a value of a type that JSON does not have,
    `RecursionError` for one nested too deeply to walk.
    """
    if value is None or isinstance(value, _FROZEN):
        return value
    if isinstance(value, OBJECT):
        return FrozenDict(value)
    if isinstance(value, ARRAY):
        return FrozenList(value)
    raise TypeError(f"not a JSON value: {type(value).__name__} {value!r:.100}")


def freeze_object(field: str, value: Any) -> FrozenDict:
    if not isinstance(value, OBJECT):
        raise TypeError(f"{field}: expected a JSON object, found {type(value).__name__}")
    return value if isinstance(value, FrozenDict) else FrozenDict(value)


_FROZEN: tuple[type[Any], ...] = (str, int, float, FrozenDict, FrozenList)
# What is taken for a JSON object, and for an array; a dict and a list are told fastest.
OBJECT: tuple[type[Any], ...] = (dict, Mapping)
ARRAY: tuple[type[Any], ...] = (list, tuple)


# JSON text


def _finite(number: str) -> float:
    """Of JSON's numbers, one that a float can hold; NaN and Infinity are Python's, not JSON's."""
    if not isfinite(value := float(number)):
        raise ValueError(f"{number} is no JSON number that Python can hold")
    return value


_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def parse_object(text: str) -> FrozenDict | None:
    """The JSON object that `text` is; None if it is none, or none that Python can hold."""
    try:
        value = _JSON.decode(text)
        return FrozenDict(value) if _is_object(text) else None
    except (ValueError, RecursionError):
        return None


def _is_object(text: str) -> bool:
    return text.lstrip(" \t\n\r").startswith("{")



EMPTY_OBJECT = FrozenDict()
