# SPDX-License-Identifier: MIT
"""The message of a model: its content blocks, token usage and stop reason.

All values are immutable: frozen, slotted dataclasses, comparable by content, hashable, picklable.
This file, `_json.py` and `_lazy.py` need nothing but the standard library; with `events.py` they can be
vendored without the rest of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeAlias, final

from ._json import EMPTY_OBJECT, JsonValue, freeze, freeze_object
from ._lazy import Lazy

__all__ = [
    "AssistantMessage",
    "ContentBlock",
    "Cost",
    "ImageContent",
    "JsonValue",
    "StopReason",
    "TextContent",
    "ThinkingContent",
    "ToolCall",
    "UnknownContent",
    "Usage",
]


@final
@dataclass(frozen=True, slots=True)
class TextContent(Lazy):
    """Text for the user."""

    text: str
    """The text so far, or all of it once the block has ended."""
    text_signature: str | None = None
    """The provider's opaque token for this text, to be sent back with it."""
    annotations: tuple[JsonValue, ...] = ()
    """Citations: the provider's own objects, verbatim."""
    provider_details: Mapping[str, Any] = EMPTY_OBJECT
    """What else the provider sent about this block, under its own keys: an item id, a phase, logprobs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "annotations", tuple(map(freeze, self.annotations)))
        _freeze_field(self, "provider_details")


@final
@dataclass(frozen=True, slots=True)
class ThinkingContent(Lazy):
    """The model's reasoning, in full or as a summary."""

    thinking: str
    """The reasoning so far, or all of it once the block has ended; empty in a redacted block."""
    thinking_signature: str | None = None
    """The provider's opaque token for this reasoning, to be sent back with it."""
    redacted: bool = False
    """Whether the provider sent the reasoning only in encrypted form, as `thinking_signature`."""
    provider_details: Mapping[str, Any] = EMPTY_OBJECT
    """What else the provider sent about this block, under its own keys."""

    def __post_init__(self) -> None:
        _freeze_field(self, "provider_details")


@final
@dataclass(frozen=True, slots=True)
class ImageContent:
    """An image that the model made."""

    data: str
    """The image file as base64 text."""
    mime_type: str
    """The media type, such as `image/png`."""
    provider_details: Mapping[str, Any] = EMPTY_OBJECT
    """What else the provider sent about this block, under its own keys."""

    def __post_init__(self) -> None:
        _freeze_field(self, "provider_details")


@final
@dataclass(frozen=True, slots=True)
class ToolCall(Lazy):
    """The model's request to run a tool."""

    id: str
    """The id to answer the call with; unique in its message. Empty until the provider has sent it."""
    name: str
    """The name of the tool. Empty until the provider has sent it."""
    arguments: Mapping[str, Any]
    """The arguments, a JSON object, frozen all the way down. While the call streams: what can be read so far."""
    thought_signature: str | None = None
    """The provider's opaque token for the reasoning behind the call, to be sent back with it."""
    invalid_arguments: str | None = None
    """The model's text, verbatim, if it is no JSON object; `arguments` is then empty."""
    provider_details: Mapping[str, Any] = EMPTY_OBJECT
    """What else the provider sent about this block, under its own keys."""

    def __post_init__(self) -> None:
        _freeze_field(self, "arguments")
        _freeze_field(self, "provider_details")


@final
@dataclass(frozen=True, slots=True)
class UnknownContent:
    """A block of a kind that this package has no type for, such as a server-side tool and its result."""

    data: Mapping[str, Any]
    """The provider's own object, verbatim."""

    def __post_init__(self) -> None:
        _freeze_field(self, "data")


ContentBlock: TypeAlias = TextContent | ThinkingContent | ImageContent | ToolCall | UnknownContent
"""One part of a message. A `match` over it without `case _` is exhaustive to a type checker."""


@final
@dataclass(frozen=True, slots=True)
class Cost:
    """What a message cost, in US dollars."""

    input: float
    """For `Usage.input_tokens`."""
    output: float
    """For `Usage.output_tokens`."""
    cache_read: float
    """For `Usage.cache_read_tokens`."""
    cache_write: float
    """For `Usage.cache_write_tokens`."""
    total: float
    """For the whole message."""


@final
@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of tokens. The first four are disjoint."""

    input_tokens: int = 0
    """Tokens of the request that were neither read from a cache nor written to one."""
    output_tokens: int = 0
    """Tokens that the model generated, reasoning included."""
    cache_read_tokens: int = 0
    """Tokens of the request that were read from a cache."""
    cache_write_tokens: int = 0
    """Tokens of the request that were written to a cache."""
    reasoning_tokens: int = 0
    """The part of `output_tokens` that was spent on reasoning."""
    cost: Cost | None = None
    """What the message cost; None unless the application has computed it."""

    @property
    def total_tokens(self) -> int:
        """The sum of input, output, cache reads and cache writes."""
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens


@final
class StopReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    """A natural end, or a stop sequence."""
    LENGTH = "length"
    """A token limit, or the end of the context window."""
    TOOL_USE = "toolUse"
    """The model waits for the results of its tool calls."""
    ERROR = "error"
    """The stream failed, or the provider refused or filtered the message."""
    ABORTED = "aborted"
    """The stream was cancelled."""


@final
@dataclass(frozen=True, slots=True)
class AssistantMessage(Lazy):
    """A message from a model, finished or still streaming."""

    role: ClassVar[Literal["assistant"]] = "assistant"

    api: str
    """The stream format, such as `anthropic-messages`."""
    provider: str
    """The service that answered, such as `anthropic`."""
    model: str
    """The model that answered, as the provider names it."""
    content: tuple[ContentBlock, ...] = ()
    """The content blocks, in the order in which they began."""
    usage: Usage = Usage()
    """Counts of tokens, as far as the provider has reported them."""
    stop_reason: StopReason | None = None
    """Why the model stopped; None while the message streams."""
    raw_stop_reason: str | None = None
    """The provider's own word for the stop reason."""
    error_message: str | None = None
    """Why the message failed; None unless `stop_reason` is `ERROR` or `ABORTED`."""
    response_id: str | None = None
    """The provider's id of the response."""
    timestamp: int = 0
    """When the message was made, in Unix milliseconds; 0 if unknown."""
    provider_details: Mapping[str, Any] = EMPTY_OBJECT
    """What else the provider sent about the message, under its own keys, such as `usage` or `service_tier`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", tuple(self.content))
        _freeze_field(self, "provider_details")

    @property
    def text(self) -> str:
        """The text of all text blocks, joined."""
        source = self._source  # read once, since another thread may replace it
        if source is not None and source.is_log:
            joined: str = source.joined_text(TextContent, self._step)
            return joined
        return "".join([block.text for block in self.content if isinstance(block, TextContent)])

    @property
    def thinking(self) -> str:
        """The reasoning of all thinking blocks, joined."""
        source = self._source  # read once, since another thread may replace it
        if source is not None and source.is_log:
            joined: str = source.joined_text(ThinkingContent, self._step)
            return joined
        return "".join([block.thinking for block in self.content if isinstance(block, ThinkingContent)])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple([block for block in self.content if isinstance(block, ToolCall)])


def _freeze_field(value: object, name: str) -> None:
    """Replace a field by its frozen copy. Raise `TypeError` if it is no JSON object."""
    object.__setattr__(value, name, freeze_object(name, getattr(value, name)))
