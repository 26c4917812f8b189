"""Messages and events, lazy and made by hand, for tests of what other code does with them.

Each test makes a fresh value: a lazy snapshot, whose first reader is the code to be tested, or an equal one made by
hand.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

import pytest

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)

ARGUMENTS: dict[str, Any] = {"list": [1, 2.5, {"none": None}], "true": True, "text": "ü😀 1"}
CITATIONS: tuple[Any, ...] = ({"url": "https://a.example", "at": [0, 5]},)
DETAILS: dict[str, Any] = {"id": "msg_1", "logprobs": [{"token": "Hello"}]}
IMAGE = ImageContent("aGk=", "image/png")
UNKNOWN = UnknownContent({"type": "server_tool_use", "input": {"q": ["x"]}})
CALL = ToolCall("call_1", "search", ARGUMENTS)
CONTENT = (ThinkingContent("Hm."), TextContent("Hello, world.", None, CITATIONS, DETAILS), IMAGE, UNKNOWN, CALL)
USAGE = Usage(1, 2, 3, 4, 1, Cost(0.1, 0.2, 0.3, 0.4, 1.0))
MIDWAY = AssistantMessage("api", "provider", "model", CONTENT, USAGE, timestamp=1, provider_details={"tier": [1]})
FINISHED = dataclasses.replace(MIDWAY, stop_reason=StopReason.TOOL_USE)


def _building() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    builder.thinking_start()
    builder.thinking_delta("Hm.")
    builder.text_start()
    builder.text_delta("Hello, ")
    builder.text_delta("world.")
    builder.update_block(1, annotations=CITATIONS, provider_details=DETAILS)
    builder.add_block(IMAGE)
    builder.add_block(UNKNOWN)
    builder.update(usage=USAGE, provider_details={"tier": [1]})
    builder.tool_call_start("call_1", "search")
    builder.tool_call_delta(json.dumps(ARGUMENTS)[:-2])
    return builder


def midway() -> AssistantMessage:
    """Return a lazy snapshot in the middle of a tool call."""
    return _building().partial


def finished() -> AssistantMessage:
    """Return the lazy message at the end of the same stream."""
    builder = _building()
    builder.tool_call_delta('"}')
    for end in (builder.tool_call_end, builder.text_end, builder.thinking_end):
        end()
    builder.done(StopReason.TOOL_USE)
    return builder.partial


def event_of(variant: Any, message: AssistantMessage) -> Any:
    """Return an event of any variant, with a message if it carries one."""
    fields = {
        **dict.fromkeys(["partial", "message", "error"], message),
        **{"content_index": 1, "delta": "world.", "content": "Hello, world.", "tool_call": CALL},
        **{"tool_call_id": "call_1", "tool_name": None, "models_tried": ("a", "b"), "final_error": "no"},
        **{"from_model": "a", "to_model": "b"},
        "reason": FallbackReason.RATE_LIMIT if variant is FallbackStart else StopReason.TOOL_USE,
    }
    return variant(*[fields[name] for name in variant.__match_args__])


# What makes the value of a test, and the value made by hand that it equals.

Cases = dict[str, tuple[Any, Any]]
VARIANTS = get_args(AnyProviderEvent)
MESSAGES: Cases = {
    "lazy, midway": (midway, MIDWAY),
    "lazy, finished": (finished, FINISHED),
    "by hand, midway": (lambda: MIDWAY, MIDWAY),
    "by hand, finished": (lambda: FINISHED, FINISHED),
}
EVENTS: Cases = {
    **{f"lazy, {cls.type}": (lambda cls=cls: event_of(cls, midway()), event_of(cls, MIDWAY)) for cls in VARIANTS},
    **{f"by hand, {cls.type}": (lambda cls=cls: event_of(cls, MIDWAY), event_of(cls, MIDWAY)) for cls in VARIANTS},
}
PARTS: Cases = {
    **{f"lazy, {type(x).__name__}": (lambda n=n: midway().content[n], x) for n, x in enumerate(CONTENT)},
    **{f"by hand, {type(x).__name__}": (lambda x=x: x, x) for x in (*CONTENT, USAGE, USAGE.cost)},
}
VALUES = {**MESSAGES, **EVENTS, **PARTS}

every_message = pytest.mark.parametrize("make, equal", MESSAGES.values(), ids=MESSAGES)
every_event = pytest.mark.parametrize("make, equal", EVENTS.values(), ids=EVENTS)
every_value = pytest.mark.parametrize("make, equal", VALUES.values(), ids=VALUES)


def is_lazy(message: Any) -> bool:
    """Return whether nothing of a value has been read."""
    return getattr(message, "_source", None) is not None


def assert_same(value: Any, equal: Any) -> None:
    """Assert that two values are equal in every respect."""
    assert type(value) is type(equal)
    assert value == equal
    assert hash(value) == hash(equal)


def plain(value: Any) -> Any:
    """Return a value as JSON: its fields by name."""
    if dataclasses.is_dataclass(value):
        value = {name: getattr(value, name) for name in getattr(value, "__match_args__")}
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    return [plain(element) for element in value] if isinstance(value, (list, tuple)) else value


def as_json(value: object) -> Any:
    """Return what is left of a value that is written as JSON and read back."""
    return json.loads(json.dumps(value))


def squeezed(text: str) -> str:
    """Return text without its white space."""
    return "".join(text.split())
