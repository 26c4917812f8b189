# SPDX-License-Identifier: MIT
"""The vocabulary in which language-model providers tell agent frameworks what streams in.

`provider_events.messages` holds the message and its parts, `provider_events.events` the fourteen
events, `provider_events.builder` the maker of lawful streams, `provider_events.streams` what checks,
collects and replays them, `provider_events.wire` their JSON form; their names are all at hand here.
`provider_events.decoders` turns the providers' own stream formats into these events.
"""

from .builder import MessageBuilder, StreamStateError
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
from .streams import StreamProtocolError, acheck, acollect, areplay, check, collect, replay
from .wire import WireError, event_from_wire, event_to_wire, message_from_wire, message_to_wire

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
