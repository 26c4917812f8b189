# SPDX-License-Identifier: MIT
"""The events of a stream: `ProviderEvent` and its fourteen variants.

A valid stream is any number of `FallbackStart`, then `Start`, then the starts, deltas and ends of content
blocks, then one terminal event: `Done`, `Error` or `FallbackExhausted`. Blocks may interleave;
`content_index` is the index of the event's block in `partial.content`.

Handle `AnyProviderEvent` with `match`: without a `case _`, a type checker proves that no variant is
forgotten. Annotate with `ProviderEvent` to accept variants of later versions too.
"""

# `partial: AssistantMessage = field()` is a required field. Without `field()`, `dataclass` would take the base's
# property of that name for its default.

# The variants override read-only properties of the base with frozen fields and class constants. That is sound, and
# mypy and ty accept it; pyright and pyrefly do not:
# pyright: reportIncompatibleMethodOverride=false
# pyrefly: ignore-errors[bad-override]

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias, TypeVar, final

from .messages import AssistantMessage, StopReason, ToolCall

__all__ = [
    "AnyProviderEvent",
    "Done",
    "Error",
    "FallbackExhausted",
    "FallbackReason",
    "FallbackStart",
    "MessageEvent",
    "ProviderEvent",
    "Start",
    "TerminalEvent",
    "TextDelta",
    "TextEnd",
    "TextStart",
    "ThinkingDelta",
    "ThinkingEnd",
    "ThinkingStart",
    "ToolCallDelta",
    "ToolCallEnd",
    "ToolCallStart",
]

E = TypeVar("E", bound="ProviderEvent")


@final
class FallbackReason(StrEnum):
    """Why a stream moved on to another model."""

    RATE_LIMIT = "rate_limit"
    """Too many requests or tokens, or a quota used up (HTTP 429)."""
    CONTEXT_OVERFLOW = "context_overflow"
    """The request does not fit the model's context window."""
    AUTH_ERROR = "auth_error"
    """Bad credentials, missing permission or missing credit (HTTP 401, 402, 403)."""
    NETWORK_ERROR = "network_error"
    """The connection could not be made, broke or timed out."""
    SERVER_ERROR = "server_error"
    """The provider failed or is overloaded (HTTP 5xx)."""
    MODEL_ERROR = "model_error"
    """The model refused the request or failed on it."""
    CIRCUIT_BREAKER = "circuit_breaker"
    """The model has failed too often of late, and was not called."""
    UNKNOWN = "unknown"
    """None of the above."""


class ProviderEvent:
    """The base of all events. Sealed: its subclasses are the fourteen variants below and no others."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        raise TypeError("ProviderEvent is the base class of the events; make one of its variants")

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise TypeError(f"{cls.__qualname__} cannot subclass a provider event: the variants are sealed")

    def __repr__(self) -> str:
        shown = [f"{name}={'...' if name == 'partial' else repr(getattr(self, name))}" for name in self.__match_args__]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    @property
    def type(self) -> str:
        """The event's name in its JSON form, such as `text_delta`: a constant of each variant."""
        raise NotImplementedError

    @property
    def partial(self) -> AssistantMessage | None:
        """The message as of this event; None on the two fallback events."""
        return None

    @property
    def is_done(self) -> bool:
        """Whether the message is complete."""
        return isinstance(self, Done)

    @property
    def is_error(self) -> bool:
        """Whether the stream failed or was aborted."""
        return isinstance(self, Error)

    @property
    def is_fallback(self) -> bool:
        """Whether the stream moves on to another model."""
        return isinstance(self, FallbackStart)

    @property
    def is_fallback_exhausted(self) -> bool:
        """Whether every model has failed."""
        return isinstance(self, FallbackExhausted)

    @property
    def is_terminal(self) -> bool:
        """Whether this is the last event of its stream."""
        return isinstance(self, (Done, Error, FallbackExhausted))


def _with_fast_init(cls: type[E]) -> type[E]:
    """Give a delta event an `__init__` that looks its slots up once, not at each call: it runs once per token."""
    set_index, set_delta, set_partial = [getattr(cls, name).__set__ for name in ("content_index", "delta", "partial")]

    def __init__(self: E, content_index: int, delta: str, partial: AssistantMessage) -> None:
        set_index(self, content_index)
        set_delta(self, delta)
        set_partial(self, partial)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    setattr(cls, "__init__", __init__)
    return cls


@final
@dataclass(frozen=True, slots=True, repr=False)
class Start(ProviderEvent):
    """The message begins."""

    type: ClassVar[Literal["start"]] = "start"

    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class TextStart(ProviderEvent):
    """A text block begins."""

    type: ClassVar[Literal["text_start"]] = "text_start"

    content_index: int
    """Index of the block in `partial.content`."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@_with_fast_init
@dataclass(frozen=True, slots=True, repr=False)
class TextDelta(ProviderEvent):
    """A text block grows."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"

    content_index: int
    """Index of the block in `partial.content`."""
    delta: str
    """The new text."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class TextEnd(ProviderEvent):
    """A text block is complete."""

    type: ClassVar[Literal["text_end"]] = "text_end"

    content_index: int
    """Index of the block in `partial.content`."""
    content: str
    """The whole text: the deltas joined."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class ThinkingStart(ProviderEvent):
    """A thinking block begins."""

    type: ClassVar[Literal["thinking_start"]] = "thinking_start"

    content_index: int
    """Index of the block in `partial.content`."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@_with_fast_init
@dataclass(frozen=True, slots=True, repr=False)
class ThinkingDelta(ProviderEvent):
    """A thinking block grows."""

    type: ClassVar[Literal["thinking_delta"]] = "thinking_delta"

    content_index: int
    """Index of the block in `partial.content`."""
    delta: str
    """The new reasoning."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class ThinkingEnd(ProviderEvent):
    """A thinking block is complete."""

    type: ClassVar[Literal["thinking_end"]] = "thinking_end"

    content_index: int
    """Index of the block in `partial.content`."""
    content: str
    """The whole reasoning: the deltas joined."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class ToolCallStart(ProviderEvent):
    """A tool call begins."""

    type: ClassVar[Literal["toolcall_start"]] = "toolcall_start"

    content_index: int
    """Index of the block in `partial.content`."""
    tool_call_id: str | None
    """The id of the call; None if the provider sends it later."""
    tool_name: str | None
    """The name of the tool; None if the provider sends it later."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@_with_fast_init
@dataclass(frozen=True, slots=True, repr=False)
class ToolCallDelta(ProviderEvent):
    """The arguments of a tool call grow."""

    type: ClassVar[Literal["toolcall_delta"]] = "toolcall_delta"

    content_index: int
    """Index of the block in `partial.content`."""
    delta: str
    """New JSON text; the deltas joined are the JSON text of the arguments."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class ToolCallEnd(ProviderEvent):
    """A tool call is complete. Run it once the message is `Done`."""

    type: ClassVar[Literal["toolcall_end"]] = "toolcall_end"

    content_index: int
    """Index of the block in `partial.content`."""
    tool_call: ToolCall
    """The whole call."""
    partial: AssistantMessage = field()
    """The message as of this event."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class Done(ProviderEvent):
    """The message is complete."""

    type: ClassVar[Literal["done"]] = "done"

    reason: StopReason
    """The `stop_reason` of the message: `STOP`, `LENGTH` or `TOOL_USE`."""
    message: AssistantMessage
    """The finished message."""

    @property
    def partial(self) -> AssistantMessage:
        """The finished message."""
        return self.message


@final
@dataclass(frozen=True, slots=True, repr=False)
class Error(ProviderEvent):
    """The stream failed or was aborted."""

    type: ClassVar[Literal["error"]] = "error"

    reason: StopReason
    """The `stop_reason` of the message: `ERROR` or `ABORTED`."""
    error: AssistantMessage
    """All that had arrived; its `error_message` is why the stream failed."""

    @property
    def partial(self) -> AssistantMessage:
        """The message as far as it came."""
        return self.error


@final
@dataclass(frozen=True, slots=True, repr=False)
class FallbackStart(ProviderEvent):
    """A model failed before it sent any content, and the next one is tried."""

    type: ClassVar[Literal["fallback_start"]] = "fallback_start"

    from_model: str
    """The model that failed."""
    to_model: str
    """The model that is tried next."""
    reason: FallbackReason
    """Why the model failed."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class FallbackExhausted(ProviderEvent):
    """Every model failed."""

    type: ClassVar[Literal["fallback_exhausted"]] = "fallback_exhausted"

    models_tried: tuple[str, ...]
    """The models that were called, in order."""
    final_error: str
    """The error message of the last failure."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "models_tried", tuple(self.models_tried))


TerminalEvent: TypeAlias = Done | Error | FallbackExhausted
"""The events that end a stream."""

MessageEvent: TypeAlias = (
    Start
    | TextStart
    | TextDelta
    | TextEnd
    | ThinkingStart
    | ThinkingDelta
    | ThinkingEnd
    | ToolCallStart
    | ToolCallDelta
    | ToolCallEnd
    | Done
    | Error
)
"""The events that carry a message: what one model's stream consists of."""

AnyProviderEvent: TypeAlias = MessageEvent | FallbackStart | FallbackExhausted
"""Any event: the type to `match` on, exhaustively."""
