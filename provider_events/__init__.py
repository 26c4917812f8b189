# SPDX-License-Identifier: MIT
"""The events of a streaming language-model message: typed, immutable, without dependencies.

- `messages`: `AssistantMessage`, its content blocks, `Usage`, `StopReason`
- `events`: `ProviderEvent`, its fourteen variants and their unions
- `builder`: `MessageBuilder`, to write a provider or a fake one
- `streams`: `check`, `collect` and `replay`
- `wire`: the JSON form of events and messages; `jsonl`: the log of a stream
- `errors`: the exceptions of these modules

Their names are all available here. Not loaded by this import are `provider_events.decoders`, which turns the
providers' own stream formats into events, `provider_events.failures` and the router `provider_events.fallback`.
"""

from .builder import MessageBuilder
from .errors import StreamProtocolError, StreamStateError, WireError
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    MessageEvent,
    ProviderEvent,
    Start,
    TerminalEvent,
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
from .jsonl import JsonlDecoder, JsonlEncoder, read_jsonl, write_jsonl
from .messages import (
    AssistantMessage,
    ContentBlock,
    Cost,
    ImageContent,
    JsonValue,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from .streams import acheck, acollect, areplay, check, collect, replay
from .wire import event_from_wire, event_to_wire, message_from_wire, message_to_wire

__version__ = "0.2.0"

__all__ = [
    "AnyProviderEvent",
    "AssistantMessage",
    "ContentBlock",
    "Cost",
    "Done",
    "Error",
    "FallbackExhausted",
    "FallbackReason",
    "FallbackStart",
    "ImageContent",
    "JsonValue",
    "JsonlDecoder",
    "JsonlEncoder",
    "MessageBuilder",
    "MessageEvent",
    "ProviderEvent",
    "Start",
    "StopReason",
    "StreamProtocolError",
    "StreamStateError",
    "TerminalEvent",
    "TextContent",
    "TextDelta",
    "TextEnd",
    "TextStart",
    "ThinkingContent",
    "ThinkingDelta",
    "ThinkingEnd",
    "ThinkingStart",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallEnd",
    "ToolCallStart",
    "UnknownContent",
    "Usage",
    "WireError",
    "acheck",
    "acollect",
    "areplay",
    "check",
    "collect",
    "event_from_wire",
    "event_to_wire",
    "message_from_wire",
    "message_to_wire",
    "read_jsonl",
    "replay",
    "write_jsonl",
]
