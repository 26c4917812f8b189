"""The vocabulary in which language-model providers tell agent frameworks what streams in.

`provider_events.messages` holds the message and its parts, `provider_events.events` the fourteen
events, `provider_events.builder` the maker of lawful streams; their names are all at hand here.
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
    "MessageBuilder",
    "ProviderEvent",
    "Start",
    "StopReason",
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
]
