"""The laws of a stream, checked the slow way: every message is rebuilt by hand and compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    FallbackExhausted,
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
)

KINDS: dict[type[Any], type[Any]] = {
    TextStart: TextContent,
    TextDelta: TextContent,
    TextEnd: TextContent,
    ThinkingStart: ThinkingContent,
    ThinkingDelta: ThinkingContent,
    ThinkingEnd: ThinkingContent,
    ToolCallStart: ToolCall,
    ToolCallDelta: ToolCall,
    ToolCallEnd: ToolCall,
}
FAILED = (StopReason.ERROR, StopReason.ABORTED)


def assert_valid(events: Sequence[AnyProviderEvent]) -> None:
    """Assert that one model's stream obeys the laws of section "The laws" of the contract."""
    assert events, "a stream has a terminal event at least"
    assert [event.is_terminal for event in events] == [False] * (len(events) - 1) + [True]
    last = events[-1]
    assert isinstance(last, (Done, Error))
    if len(events) > 1 or isinstance(last, Done):
        assert isinstance(events[0], Start)
        assert not any(type(block) in KINDS.values() for block in events[0].partial.content)

    blocks = _Blocks()
    for event in events[:-1]:
        assert type(event.partial) is AssistantMessage
        assert event.partial.stop_reason is None
    for event in events[1:-1]:
        assert type(event) in KINDS, f"{event!r} is not an event of a block"
        blocks.take(event)
    if isinstance(last, Done):
        assert not blocks.open, "every block has ended"
    blocks.assert_in(last.partial)
    assert_terminal(last)


def assert_terminal(event: Done | Error) -> None:
    """Assert that a terminal event agrees with its message, and the laws of calls."""
    message = event.partial
    assert event.reason == message.stop_reason
    calls = message.tool_calls
    given = [call.id for call in calls if call.id]
    assert len(set(given)) == len(given), "ids are unique"
    if isinstance(event, Error):
        assert event.reason in FAILED
        assert event.error.error_message
    else:
        assert event.reason in ((StopReason.TOOL_USE if calls else StopReason.STOP), StopReason.LENGTH)
        assert len(given) == len(calls), "every call has an id"


class _Blocks:
    """What the events have given so far."""

    def __init__(self) -> None:
        self.open: dict[int, type[Any]] = {}
        self.texts: dict[int, str] = {}
        self.ended: dict[int, Any] = {}
        self.without_events: dict[int, Any] = {}

    def take(self, event: Any) -> None:
        index, kind, partial = event.content_index, KINDS[type(event)], event.partial
        match event:
            case TextStart() | ThinkingStart() | ToolCallStart():
                assert index not in self.open and index not in self.ended, "a block starts once"
                assert index == len(partial.content) - 1, "a new block takes the next index"
                self.open[index], self.texts[index] = kind, ""
                if isinstance(event, ToolCallStart):
                    call = partial.content[index]
                    assert (call.id, call.name) == (event.tool_call_id or "", event.tool_name or "")
                    assert call.arguments == {} and call.invalid_arguments is None
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                assert self.open[index] is kind
                self.texts[index] += event.delta
                if isinstance(event, ToolCallDelta) and (arguments := read_object(self.texts[index])) is not None:
                    assert partial.content[index].arguments == arguments
            case TextEnd() | ThinkingEnd():
                assert self.open.pop(index) is kind
                assert event.content == self.texts[index]
                self.ended[index] = partial.content[index]
            case ToolCallEnd():
                assert self.open.pop(index) is kind
                assert_arguments(event.tool_call, self.texts[index])
                assert event.tool_call == partial.content[index]
                assert event.tool_call.id
                self.ended[index] = event.tool_call
        self.assert_in(partial)

    def assert_in(self, message: AssistantMessage) -> None:
        """Assert that a message is what the events have given so far."""
        for index, block in enumerate(message.content):
            match block:
                case TextContent(text) | ThinkingContent(text):
                    assert text == self.texts[index]
                    assert type(block) is self.open.get(index, type(self.ended.get(index)))
                case ToolCall():
                    assert index in self.ended or self.open[index] is ToolCall
                case ImageContent():
                    assert self.without_events.setdefault(index, block) == block, "an image stays as it is"
                case UnknownContent():
                    assert type(self.without_events.setdefault(index, block)) is UnknownContent
        assert {*self.texts, *self.without_events} == {*range(len(message.content))}, "no block is missing"
        for index, final in self.ended.items():
            assert message.content[index] == final
        assert message.text == "".join(b.text for b in message.content if isinstance(b, TextContent))
        assert message.thinking == "".join(b.thinking for b in message.content if isinstance(b, ThinkingContent))


def assert_valid_router(events: Sequence[AnyProviderEvent], models: Sequence[str]) -> None:
    """Assert of a router's stream that fallbacks go down the list, then one model answers or none is left."""
    falls = [event for event in events if isinstance(event, FallbackStart)]
    assert list(events[: len(falls)]) == falls, "fallbacks come first"
    assert [(event.from_model, event.to_model) for event in falls] == list(zip(models, models[1:]))[: len(falls)]
    last, rest = events[-1], events[len(falls) :]
    if isinstance(last, FallbackExhausted):
        assert list(rest) == [last]
        assert len(falls) == len(models) - 1, "every model had its turn"
        assert [model for model in models if model in last.models_tried] == list(last.models_tried)
        assert last.final_error
    else:
        assert_valid(rest)


def assert_whole_characters(events: Sequence[AnyProviderEvent]) -> None:
    """Assert of a decoder's stream that no delta ends between the halves of a surrogate pair."""
    ends: dict[int, str] = {}
    for event in events:
        if isinstance(event, (TextDelta, ThinkingDelta, ToolCallDelta)) and event.delta:
            cut = "\ud800" <= ends.get(event.content_index, "") <= "\udbff" and "\udc00" <= event.delta[0] <= "\udfff"
            assert not cut, f"{event!r} begins with the second half of a character"
            ends[event.content_index] = event.delta[-1]


def assert_arguments(call: ToolCall, text: str) -> None:
    """Assert that the deltas of a call, joined, are the JSON text of its arguments, or kept as they came."""
    if call.invalid_arguments is None:
        assert read_object(text or "{}") == call.arguments
    else:
        assert call.invalid_arguments == text
        assert call.arguments == {}
        assert read_object(text) is None


def read_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None if it is not one, or one that Python or the package cannot hold."""
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _depth(value) <= 128 else None


def _depth(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(_depth, children), default=0)


def _finite(number: str) -> float:
    if not isfinite(value := float(number)):
        raise ValueError("no JSON number that Python can hold")
    return value
