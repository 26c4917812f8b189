"""What a provider says while a message streams in: `ProviderEvent` and its fourteen variants.

A stream is any number of `FallbackStart`, then `Start`, then the starts, deltas and ends of content
blocks, then exactly one of `Done`, `Error` and `FallbackExhausted`. Blocks may interleave;
`content_index` tells them apart and is the block's place in `partial.content`.

Handle `AnyProviderEvent` with `match`: without a `case _`, a type checker proves that no variant is
forgotten. Take `ProviderEvent` where variants of a later version are to be expected.
"""

# The variants give a frozen field or a class constant for a read-only property of the base. That is
# sound; mypy and ty accept it, these two must be told:
# pyright: reportIncompatibleMethodOverride=false
# pyrefly: ignore-errors[bad-override]

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias, TypeVar, final

from .messages import AssistantMessage, StopReason, TextContent, ThinkingContent, ToolCall

E = TypeVar("E", bound="ProviderEvent")

StreamedContent: TypeAlias = TextContent | ThinkingContent | ToolCall
"""The blocks that have events of their own."""


@final
class FallbackReason(StrEnum):
    """Why a stream moved on to another model."""

    RATE_LIMIT = "rate_limit"
    """HTTP 429."""
    CONTEXT_OVERFLOW = "context_overflow"
    """The request does not fit the model's context window."""
    AUTH_ERROR = "auth_error"
    """HTTP 401 or 403."""
    NETWORK_ERROR = "network_error"
    """No connection, or one that broke or timed out."""
    SERVER_ERROR = "server_error"
    """HTTP 5xx."""
    MODEL_ERROR = "model_error"
    """The model answered with an error."""
    CIRCUIT_BREAKER = "circuit_breaker"
    """The model failed too often of late, and was not tried."""
    UNKNOWN = "unknown"


class ProviderEvent:
    """What all events have in common. Sealed: there are the fourteen variants below and no others."""

    __slots__ = ()

    def __init__(self) -> None:
        raise TypeError("ProviderEvent is the base of the events; make one of its variants")

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise TypeError(f"{cls.__qualname__} cannot subclass a provider event: the variants are sealed")

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
        """Whether no model was left to try."""
        return isinstance(self, FallbackExhausted)

    @property
    def is_terminal(self) -> bool:
        """Whether this is the last event of its stream."""
        return isinstance(self, (Done, Error, FallbackExhausted))


def _filled_directly(cls: type[E]) -> type[E]:
    """Let a delta fill its slots without looking each up by name: it is made once per token."""
    set_index, set_delta, set_partial = [getattr(cls, name).__set__ for name in ("content_index", "delta", "partial")]

    def __init__(self: E, content_index: int, delta: str, partial: AssistantMessage) -> None:
        set_index(self, content_index)
        set_delta(self, delta)
        set_partial(self, partial)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    setattr(cls, "__init__", __init__)
    return cls


@final
@dataclass(frozen=True, slots=True)
class Start(ProviderEvent):
    """The message begins."""

    type: ClassVar[Literal["start"]] = "start"

    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class TextStart(ProviderEvent):
    """A text block begins."""

    type: ClassVar[Literal["text_start"]] = "text_start"

    content_index: int
    partial: AssistantMessage = field(repr=False)


@final
@_filled_directly
@dataclass(frozen=True, slots=True)
class TextDelta(ProviderEvent):
    """More text for a block."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"

    content_index: int
    delta: str
    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class TextEnd(ProviderEvent):
    """A text block is complete; `content` is all its text."""

    type: ClassVar[Literal["text_end"]] = "text_end"

    content_index: int
    content: str
    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class ThinkingStart(ProviderEvent):
    """A block of reasoning begins."""

    type: ClassVar[Literal["thinking_start"]] = "thinking_start"

    content_index: int
    partial: AssistantMessage = field(repr=False)


@final
@_filled_directly
@dataclass(frozen=True, slots=True)
class ThinkingDelta(ProviderEvent):
    """More reasoning for a block."""

    type: ClassVar[Literal["thinking_delta"]] = "thinking_delta"

    content_index: int
    delta: str
    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class ThinkingEnd(ProviderEvent):
    """A block of reasoning is complete; `content` is all of it."""

    type: ClassVar[Literal["thinking_end"]] = "thinking_end"

    content_index: int
    content: str
    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class ToolCallStart(ProviderEvent):
    """A tool call begins. Its id and name are None if the provider says them only later."""

    type: ClassVar[Literal["toolcall_start"]] = "toolcall_start"

    content_index: int
    tool_call_id: str | None
    tool_name: str | None
    partial: AssistantMessage = field(repr=False)


@final
@_filled_directly
@dataclass(frozen=True, slots=True)
class ToolCallDelta(ProviderEvent):
    """More of a tool call's arguments, as JSON text."""

    type: ClassVar[Literal["toolcall_delta"]] = "toolcall_delta"

    content_index: int
    delta: str
    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class ToolCallEnd(ProviderEvent):
    """A tool call is complete and can be run."""

    type: ClassVar[Literal["toolcall_end"]] = "toolcall_end"

    content_index: int
    tool_call: ToolCall
    partial: AssistantMessage = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class Done(ProviderEvent):
    """The message is complete. `reason` is its `stop_reason`: stop, length or tool use."""

    type: ClassVar[Literal["done"]] = "done"

    reason: StopReason
    message: AssistantMessage

    @property
    def partial(self) -> AssistantMessage:
        """The finished message."""
        return self.message


@final
@dataclass(frozen=True, slots=True)
class Error(ProviderEvent):
    """The stream failed. `error` holds all that had arrived, and says why in `error_message`.

    `reason` is its `stop_reason`: error or aborted.
    """

    type: ClassVar[Literal["error"]] = "error"

    reason: StopReason
    error: AssistantMessage

    @property
    def partial(self) -> AssistantMessage:
        """The message as far as it came."""
        return self.error


@final
@dataclass(frozen=True, slots=True)
class FallbackStart(ProviderEvent):
    """One model failed before it said anything; the next is tried."""

    type: ClassVar[Literal["fallback_start"]] = "fallback_start"

    from_model: str
    to_model: str
    reason: FallbackReason


@final
@dataclass(frozen=True, slots=True)
class FallbackExhausted(ProviderEvent):
    """Every model failed. `models_tried` are those that were called, in order."""

    type: ClassVar[Literal["fallback_exhausted"]] = "fallback_exhausted"

    models_tried: tuple[str, ...]
    final_error: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "models_tried", tuple(self.models_tried))


# The grammar of a stream, for those who make streams and those who check them. A block goes from stage
# to stage, and so does the stream itself; an event that its stage does not list may not come.

BLOCK_STAGES: dict[type[StreamedContent] | None, dict[type[ProviderEvent], type[StreamedContent] | None]] = {
    None: {TextStart: TextContent, ThinkingStart: ThinkingContent, ToolCallStart: ToolCall},
    TextContent: {TextDelta: TextContent, TextEnd: None},
    ThinkingContent: {ThinkingDelta: ThinkingContent, ThinkingEnd: None},
    ToolCall: {ToolCallDelta: ToolCall, ToolCallEnd: None},
}
"""By the kind of a block that is open, None for one that is not: what may come, and what the block is then.

A block begins in the next place of the content and never again after its end.
"""

STREAM_STAGES: dict[str, dict[type[ProviderEvent], str]] = {
    "new": {Start: "open", Error: "ended", FallbackStart: "new", FallbackExhausted: "ended"},
    "open": {
        **{event: "open" for stage in BLOCK_STAGES.values() for event in stage},
        Done: "ended",  # once no block is open
        Error: "ended",
    },
    "ended": {},
}
"""By the stage of the stream: what may come, and the stage after it."""


def what_may_come(stage: str, open_blocks: Iterable[type[StreamedContent]]) -> str:
    """The events of a stage in words, given the kinds of the blocks that are open."""
    kinds = set(open_blocks)
    blocked = {event for kind, events in BLOCK_STAGES.items() if kind and kind not in kinds for event in events}
    names = [str(event.type) for event in STREAM_STAGES[stage] if event not in blocked and not (event is Done and kinds)]
    return " or ".join(names) or "no more"


TerminalEvent: TypeAlias = Done | Error | FallbackExhausted
"""The events that end a stream."""

AnyProviderEvent: TypeAlias = (
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
    | FallbackStart
    | FallbackExhausted
)
"""Any one event: the type to `match` on, exhaustively."""
