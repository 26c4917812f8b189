"""A message and one event of each kind, with every field set."""

from __future__ import annotations

from typing import Any

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ImageContent,
    Start,
    StopReason,
    TextContent,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingContent,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    Usage,
)

ODD: dict[str, Any] = {
    **{"none": None, "yes": True, "no": 0, "big": 10**30, "tiny": 1e-300, "lone": "\ud83d", "nul": "\0"},
    "deep": [{"a": [[]]}],
}
CALL = ToolCall("call_1", "find", {"query": "q", **ODD}, "c2ln", None, {"id": "fc_1"})
MESSAGE = AssistantMessage(
    api="anthropic-messages",
    provider="anthropic",
    model="m-1",
    content=(
        ThinkingContent("Hm.", "c2ln", True, {"id": "rs_1"}),
        TextContent("Hé 😀 \ud83d", "dGV4dA==", ({"url": "u", **ODD}, [1], "x", None), {"id": "msg_1", "phase": ODD}),
        ImageContent("aGk=", "image/png", {"thoughtSignature": "s"}),
        CALL,
        ToolCall("", "", {}, None, '{"a": '),
        UnknownContent({"type": "server_tool_use", **ODD}),
    ),
    usage=Usage(1, 2, 3, 4, 5, Cost(0.25, 1, 0.0, 1e-9, 1.5)),
    stop_reason=StopReason.TOOL_USE,
    raw_stop_reason="tool_use",
    error_message="none",
    response_id="msg_1",
    timestamp=1_760_000_000_000,
    provider_details={"service_tier": "default", "usage": ODD},
)
BARE = AssistantMessage("api", "provider", "model")
EVENTS: list[AnyProviderEvent] = [
    Start(MESSAGE),
    TextStart(1, MESSAGE),
    TextDelta(1, "Hé", MESSAGE),
    TextEnd(1, "Hé 😀 \ud83d", MESSAGE),
    ThinkingStart(0, MESSAGE),
    ThinkingDelta(0, "Hm", MESSAGE),
    ThinkingEnd(0, "Hm.", MESSAGE),
    ToolCallStart(3, "call_1", "find", MESSAGE),
    ToolCallDelta(3, '{"query": "', MESSAGE),
    ToolCallEnd(3, CALL, MESSAGE),
    Done(StopReason.TOOL_USE, MESSAGE),
    Error(StopReason.ABORTED, MESSAGE),
    FallbackStart("m-1", "m-2", FallbackReason.RATE_LIMIT),
    FallbackExhausted(("m-1", "m-2"), "overloaded"),
]
