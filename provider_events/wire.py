# SPDX-License-Identifier: MIT
"""The JSON form of events and messages.

It follows pi (`@mariozechner/pi-ai`, `AssistantMessageEvent`): keys are in camelCase, and `type` names the kind of an
event or content block. Fields that pi does not have are further keys, written only when set. The tables below define
the form, one row a field.

Lone surrogates (as escapes), NUL and integers of any size that Python's `json` reads are kept. What JSON cannot hold
raises `WireError`, in both directions: NaN, infinities, the two halves of a surrogate pair side by side in one
string, which every reader would take for one character, and nesting beyond a limit.
"""

# Types are checked at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._forms import (
    BOOLEAN,
    COUNT,
    JSON_ARRAY,
    JSON_OBJECT,
    NUMBER,
    STRING,
    WRITTEN,
    Converter,
    Field,
    Record,
    Union,
    array_of,
    expected,
    nullable,
    one_of,
)
from ._json import EMPTY_OBJECT
from .errors import WireError
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ProviderEvent,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from .messages import (
    AssistantMessage,
    Cost,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)

__all__ = ["WireError", "event_from_wire", "event_to_wire", "message_from_wire", "message_to_wire"]


def event_to_wire(event: AnyProviderEvent) -> dict[str, Any]:
    """Return an event as plain JSON values, snapshot included. Raise `WireError` for what JSON cannot hold."""
    if not isinstance(event, ProviderEvent):
        raise TypeError(f"event_to_wire: expected an event, found {type(event).__name__}")
    return EVENT.write(event)


def event_from_wire(data: Mapping[str, Any]) -> AnyProviderEvent:
    """Return the event whose JSON form is `data`. Ignore unknown keys. Raise `WireError` if there is none."""
    _require_object(data)
    event: AnyProviderEvent = EVENT.read(data)
    return event


def message_to_wire(message: AssistantMessage) -> dict[str, Any]:
    """Return a message as plain JSON values. Raise `WireError` for what JSON cannot hold."""
    if not isinstance(message, AssistantMessage):
        raise TypeError(f"message_to_wire: expected a message, found {type(message).__name__}")
    return MESSAGE.write(message)


def message_from_wire(data: Mapping[str, Any]) -> AssistantMessage:
    """Return the message whose JSON form is `data`. Ignore unknown keys. Raise `WireError` if there is none."""
    _require_object(data)
    message: AssistantMessage = MESSAGE.read(data)
    return message


def _require_object(data: object) -> None:
    if isinstance(data, (str, bytes, bytearray)):
        raise WireError(f"{expected('an object', data)}; parse JSON text with json.loads first")


# Content blocks

_DETAILS = Field("provider_details", "providerDetails", JSON_OBJECT, EMPTY_OBJECT)
_OPTIONAL_STRING = nullable(STRING)

TEXT_CONTENT = Record(
    TextContent,
    {"type": "text"},
    Field("text", "text", STRING),
    Field("text_signature", "textSignature", _OPTIONAL_STRING, None),
    Field("annotations", "annotations", JSON_ARRAY, ()),
    _DETAILS,
)
THINKING_CONTENT = Record(
    ThinkingContent,
    {"type": "thinking"},
    Field("thinking", "thinking", STRING),
    Field("thinking_signature", "thinkingSignature", _OPTIONAL_STRING, None),
    Field("redacted", "redacted", BOOLEAN, False),
    _DETAILS,
)
IMAGE_CONTENT = Record(
    ImageContent,
    {"type": "image"},
    Field("data", "data", STRING),
    Field("mime_type", "mimeType", STRING),
    _DETAILS,
)
TOOL_CALL = Record(
    ToolCall,
    {"type": "toolCall"},
    Field("id", "id", STRING),
    Field("name", "name", STRING),
    Field("arguments", "arguments", JSON_OBJECT),
    Field("thought_signature", "thoughtSignature", _OPTIONAL_STRING, None),
    Field("invalid_arguments", "invalidArguments", _OPTIONAL_STRING, None),
    _DETAILS,
)
UNKNOWN_CONTENT = Record(
    UnknownContent,
    {"type": "unknown"},
    Field("data", "data", JSON_OBJECT),
)
BLOCK = Union(TEXT_CONTENT, THINKING_CONTENT, IMAGE_CONTENT, TOOL_CALL, UNKNOWN_CONTENT)

# The message

COST = Record(
    Cost,
    {},
    Field("input", "input", NUMBER),
    Field("output", "output", NUMBER),
    Field("cache_read", "cacheRead", NUMBER),
    Field("cache_write", "cacheWrite", NUMBER),
    Field("total", "total", NUMBER),
)
USAGE = Record(
    Usage,
    {},
    Field("input_tokens", "input", COUNT),
    Field("output_tokens", "output", COUNT),
    Field("cache_read_tokens", "cacheRead", COUNT),
    Field("cache_write_tokens", "cacheWrite", COUNT),
    Field("total_tokens", "totalTokens", COUNT, WRITTEN),
    Field("reasoning_tokens", "reasoning", COUNT, 0),
    Field("cost", "cost", nullable(COST), None),
)


def _read_stop_reason(value: Any) -> StopReason | None:
    # pi calls a message that is still streaming "pending"
    reason: StopReason | None = None if value in (None, "pending") else _STOP_REASON.read(value)
    return reason


_STOP_REASON = one_of(StopReason)

MESSAGE = Record(
    AssistantMessage,
    {"role": "assistant"},
    Field("api", "api", STRING),
    Field("provider", "provider", STRING),
    Field("model", "model", STRING),
    Field("content", "content", array_of(BLOCK)),
    Field("usage", "usage", USAGE),
    Field("stop_reason", "stopReason", Converter(_STOP_REASON.expected, _STOP_REASON.write, _read_stop_reason), None),
    Field("raw_stop_reason", "rawStopReason", _OPTIONAL_STRING, None),
    Field("error_message", "errorMessage", _OPTIONAL_STRING, None),
    Field("response_id", "responseId", _OPTIONAL_STRING, None),
    Field("timestamp", "timestamp", COUNT),
    _DETAILS,
)

# The events

_INDEX = Field("content_index", "contentIndex", COUNT)
_DELTA = Field("delta", "delta", STRING)
_CONTENT = Field("content", "content", STRING)
_PARTIAL = Field("partial", "partial", MESSAGE)
_REASON = Field("reason", "reason", _STOP_REASON)

EVENT = Union(
    Record(Start, {"type": Start.type}, _PARTIAL),
    Record(TextStart, {"type": TextStart.type}, _INDEX, _PARTIAL),
    Record(TextDelta, {"type": TextDelta.type}, _INDEX, _DELTA, _PARTIAL),
    Record(TextEnd, {"type": TextEnd.type}, _INDEX, _CONTENT, _PARTIAL),
    Record(ThinkingStart, {"type": ThinkingStart.type}, _INDEX, _PARTIAL),
    Record(ThinkingDelta, {"type": ThinkingDelta.type}, _INDEX, _DELTA, _PARTIAL),
    Record(ThinkingEnd, {"type": ThinkingEnd.type}, _INDEX, _CONTENT, _PARTIAL),
    Record(
        ToolCallStart,
        {"type": ToolCallStart.type},
        _INDEX,
        Field("tool_call_id", "id", _OPTIONAL_STRING, None),
        Field("tool_name", "toolName", _OPTIONAL_STRING, None),
        _PARTIAL,
    ),
    Record(ToolCallDelta, {"type": ToolCallDelta.type}, _INDEX, _DELTA, _PARTIAL),
    Record(ToolCallEnd, {"type": ToolCallEnd.type}, _INDEX, Field("tool_call", "toolCall", TOOL_CALL), _PARTIAL),
    Record(Done, {"type": Done.type}, _REASON, Field("message", "message", MESSAGE)),
    Record(Error, {"type": Error.type}, _REASON, Field("error", "error", MESSAGE)),
    Record(
        FallbackStart,
        {"type": FallbackStart.type},
        Field("from_model", "fromModel", STRING),
        Field("to_model", "toModel", STRING),
        Field("reason", "reason", one_of(FallbackReason)),
    ),
    Record(
        FallbackExhausted,
        {"type": FallbackExhausted.type},
        Field("models_tried", "modelsTried", array_of(STRING)),
        Field("final_error", "finalError", STRING),
    ),
)
