"""What a model said: the message, its content blocks, token usage and stop reason.

All of it is immutable: frozen, slotted dataclasses, comparable by content, hashable, picklable. This
file needs nothing but the standard library and may be vendored alone or with `events.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from math import isfinite
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    NoReturn,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    final,
)

if TYPE_CHECKING:
    JsonValue: TypeAlias = "None | bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue]"
    """Any JSON value, as a type checker sees it: read-only all the way down."""
else:  # for those who resolve annotations when they run, as pydantic does: no recursion, and nothing to convert
    JsonValue = Any

D = TypeVar("D", bound="_Deferred")
V = TypeVar("V")


class Source(Protocol):
    """Where a value finds its fields when they are read: how things stood after `step` steps."""

    def values(self, step: int, /) -> tuple[Any, ...]:
        """All fields, in order."""
        ...

    def outline(self, step: int, /) -> Any:
        """The value with nothing in it that streams."""
        ...


class MessageSource(Source, Protocol):
    """Where a message finds its fields."""

    def block(self, content_index: int, step: int, /) -> ContentBlock | None:
        """The block at a place, without making the others; None if the message has no such place."""
        ...

    def joined(self, kind: type[TextContent] | type[ThinkingContent], step: int, /) -> str:
        """What all blocks of one kind say, without making the blocks."""
        ...


class _Deferred:
    """A value whose fields may be worked out when the first of them is read.

    A stream makes a snapshot with every delta, and few are read. An unread one is two words: where
    to look, and how far. Reading any field sets them all and lets go of the source.
    """

    __slots__ = ("_source", "_step")
    __match_args__: ClassVar[tuple[str, ...]] = ()

    if not TYPE_CHECKING:  # to a type checker a misspelt attribute stays an error

        def __getattr__(self, name: str) -> Any:
            if name == "_source":
                return None  # made by hand
            if name in self.__match_args__ and (source := self._source) is not None:
                for store, value in zip(_stores(type(self)), source.values(self._step), strict=True):
                    store(self, value)
                _store_source(self, None)
            return object.__getattribute__(self, name)


# Content


@final
@dataclass(frozen=True, slots=True)
class TextContent(_Deferred):
    """Text that the model wrote.

    `text_signature` is the provider's opaque token for this text, to be sent back with it.
    `annotations` are its citations: the provider's own objects, verbatim.
    """

    text: str
    text_signature: str | None = None
    annotations: tuple[JsonValue, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "annotations", tuple(map(freeze, self.annotations)))


@final
@dataclass(frozen=True, slots=True)
class ThinkingContent(_Deferred):
    """The model's reasoning.

    `thinking_signature` is the provider's opaque token for it, to be sent back with it. In a
    redacted block `thinking` is empty and the token is all there is.
    """

    thinking: str
    thinking_signature: str | None = None
    redacted: bool = False


@final
@dataclass(frozen=True, slots=True)
class ImageContent:
    """A picture that the model made: `data` is base64 text, `mime_type` such as `image/png`."""

    data: str
    mime_type: str


@final
@dataclass(frozen=True, slots=True)
class ToolCall(_Deferred):
    """The model's request to run a tool.

    `arguments` is a JSON object. If what the model wrote is no JSON object, `arguments` is empty
    and `invalid_arguments` is its text, exactly. `thought_signature` is an opaque token to be sent
    back with the call.
    """

    id: str
    name: str
    arguments: Mapping[str, JsonValue]
    thought_signature: str | None = None
    invalid_arguments: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", _frozen_object("arguments", self.arguments))


@final
@dataclass(frozen=True, slots=True)
class UnknownContent:
    """A block of a kind that this package has no type for: the provider's own object, verbatim."""

    data: Mapping[str, JsonValue]

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", _frozen_object("data", self.data))


ContentBlock: TypeAlias = TextContent | ThinkingContent | ImageContent | ToolCall | UnknownContent
"""One part of a message. A `match` over it without `case _` is exhaustive to a type checker."""


# The message


@final
@dataclass(frozen=True, slots=True)
class Cost:
    """What a message cost, in US dollars."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    total: float


@final
@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a message took.

    Input, output, cache reads and cache writes are disjoint; `reasoning_tokens` is the part of
    `output_tokens` spent on reasoning. `cost` is None unless somebody worked it out.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    total_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Cost | None = None


@final
class StopReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_USE = "toolUse"
    ERROR = "error"
    ABORTED = "aborted"


@final
@dataclass(frozen=True, slots=True)
class AssistantMessage(_Deferred):
    """A message from a model, finished or still streaming.

    `api` names the provider's stream format, `provider` who serves it. `stop_reason` is None while
    the message streams; `raw_stop_reason` is the provider's own word for it; `error_message` says
    why a message failed. `timestamp` is in Unix milliseconds, 0 if nobody said.
    """

    role: ClassVar[Literal["assistant"]] = "assistant"

    api: str
    provider: str
    model: str
    content: tuple[ContentBlock, ...] = ()
    usage: Usage = Usage()
    stop_reason: StopReason | None = None
    raw_stop_reason: str | None = None
    error_message: str | None = None
    response_id: str | None = None
    timestamp: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", tuple(self.content))

    @property
    def text(self) -> str:
        """All text blocks, joined."""
        return self._joined(TextContent)

    @property
    def thinking(self) -> str:
        """All thinking blocks, joined."""
        return self._joined(ThinkingContent)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple([block for block in self.content if isinstance(block, ToolCall)])

    def _joined(self, kind: type[TextContent] | type[ThinkingContent]) -> str:
        source: MessageSource | None = getattr(self, "_source")
        if source is not None:
            return source.joined(kind, getattr(self, "_step"))
        return "".join([getattr(block, kind.__match_args__[0]) for block in self.content if isinstance(block, kind)])


# Reading later

_store_source = _Deferred.__dict__["_source"].__set__
_store_step = _Deferred.__dict__["_step"].__set__


@cache
def _stores(cls: type[_Deferred]) -> tuple[Callable[[object, object], None], ...]:
    """The slots of `cls`, in field order, ready to be written past `frozen`."""
    return tuple(getattr(cls, name).__set__ for name in cls.__match_args__)


def deferred(cls: type[D], source: Source, step: int) -> D:
    """An instance of `cls` whose fields are `source.values(step)`, asked for at the first read."""
    value = cls.__new__(cls)
    _store_source(value, source)
    _store_step(value, step)
    return value


# What streams in each kind of value, before any of it has come.
_NOT_BEGUN: dict[type[Any], dict[str, Any]] = {
    TextContent: {"text": ""},
    ThinkingContent: {"thinking": ""},
    ToolCall: {"arguments": {}, "invalid_arguments": None},
    AssistantMessage: {"content": ()},
}


def outline(value: V) -> V:
    """A message or block with nothing in it that streams: no content, no text, no thinking, no arguments.

    Of a snapshot that nobody has read it costs the same however long the message.
    """
    if (not_begun := _NOT_BEGUN.get(type(value))) is None:
        return value  # nothing in it streams
    source: Source | None = getattr(value, "_source")
    outlined: V = replace(cast(Any, value), **not_begun) if source is None else source.outline(getattr(value, "_step"))
    return outlined


def block_at(message: AssistantMessage, content_index: int) -> ContentBlock | None:
    """`message.content[content_index]`, None if there is none, and as cheap as an `outline`."""
    source: MessageSource | None = getattr(message, "_source")
    if source is not None:
        return source.block(content_index, getattr(message, "_step"))
    return message.content[content_index] if content_index < len(message.content) else None


def is_unread(value: _Deferred) -> bool:
    """Whether the fields of a value are still to be worked out."""
    return getattr(value, "_source") is not None


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


def _frozen_object(field: str, value: Any) -> FrozenDict:
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


def read_object(text: str) -> FrozenDict:
    """What can be read of a JSON object whose text may break off, or go wrong, anywhere."""
    whole = parse_object(text)
    if whole is not None:
        return whole
    try:
        return FrozenDict(_Reader(text).value() if _is_object(text) else ())
    except (ValueError, RecursionError):
        return FrozenDict()


_MARKS = {mark: re.compile(rf"[ \t\n\r]*\{mark}") for mark in "{}[],:"}
_STRING = re.compile(r'[ \t\n\r]*("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)("?)')
_HALF_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_SCALAR = re.compile(r"[ \t\n\r]*(?:(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|([a-z]+))")
_LITERALS = {"true": True, "false": False, "null": None}
_NOTHING = object()


class _Reader:
    """Reads as much of a JSON value as is there; `broken` once it broke off or went wrong."""

    __slots__ = ("_text", "_at", "broken")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.broken = False

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return found

    def value(self) -> Any:
        if self._take(_MARKS["{"]):
            members: dict[str, Any] = {}
            while (key := self._string()) is not None and not self.broken and self._take(_MARKS[":"]):
                if (member := self.value()) is not _NOTHING:
                    members[key] = member
                if self.broken or not self._take(_MARKS[","]):
                    break
            return self._closed(members, "}")
        if self._take(_MARKS["["]):
            elements: list[Any] = []
            if self._take(_MARKS["]"]):
                return elements
            while not self.broken and (element := self.value()) is not _NOTHING:
                elements.append(element)
                if not self._take(_MARKS[","]):
                    break
            return self._closed(elements, "]")
        string = self._string()
        return self._scalar() if string is None else string

    def _closed(self, container: Any, mark: str) -> Any:
        self.broken = self.broken or not self._take(_MARKS[mark])
        return container

    def _string(self) -> str | None:
        found = self._take(_STRING)
        if found is None:
            return None
        self.broken = not found[2]
        # While the second half of a surrogate pair may be still to come, there is no character yet.
        text: str = json.loads((_HALF_PAIR.sub(r"\1", found[1]) if self.broken else found[1]) + '"')
        return text

    def _scalar(self) -> Any:
        number, word = found.groups() if (found := self._take(_SCALAR)) else (None, None)
        for literal, value in _LITERALS.items():
            if word and literal.startswith(word):
                self.broken = word != literal
                return value
        with suppress(ValueError):  # a number that Python cannot hold
            if number:
                return _JSON.decode(number)
        self.broken = True
        return _NOTHING
