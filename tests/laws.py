"""The laws of a stream, checked the slow way: every message is rebuilt by hand and compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    FallbackExhausted,
    FallbackStart,
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
)
from provider_events.messages import FrozenDict

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


def assert_lawful(events: Sequence[AnyProviderEvent]) -> None:
    """One provider's stream obeys the laws: ending, agreement, grammar, nothing lost, snapshots."""
    assert events, "a stream has at least its ending"
    assert [event.is_terminal for event in events] == [False] * (len(events) - 1) + [True]
    last = events[-1]
    assert isinstance(last, (Done, Error))
    assert last.reason == last.partial.stop_reason
    if isinstance(last, Error):
        assert last.reason in (StopReason.ERROR, StopReason.ABORTED)
        assert last.error.error_message
    else:
        assert last.reason in (StopReason.STOP, StopReason.LENGTH, StopReason.TOOL_USE)
    if len(events) > 1 or isinstance(last, Done):
        assert isinstance(events[0], Start)

    open_: dict[int, type[Any]] = {}
    texts: dict[int, str] = {}
    ended: dict[int, Any] = {}
    for event in events[1:-1]:
        assert type(event) in KINDS, f"{event!r} is no block event"
        index, kind, partial = event.content_index, KINDS[type(event)], event.partial  # type: ignore[union-attr]
        assert type(partial) is AssistantMessage
        assert partial.stop_reason is None
        match event:
            case TextStart() | ThinkingStart() | ToolCallStart():
                assert index not in open_ and index not in ended, "a block begins once"
                assert index == len(partial.content) - 1, "a new block takes the next place"
                open_[index], texts[index] = kind, ""
                if isinstance(event, ToolCallStart):
                    said = ToolCall(event.tool_call_id or "", event.tool_name or "", {})
                    assert replace(partial.tool_calls[-1], thought_signature=None) == said
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                assert open_[index] is kind
                texts[index] += event.delta
                if isinstance(event, ToolCallDelta) and (arguments := read(texts[index])) is not None:
                    assert partial.content[index].arguments == arguments  # type: ignore[union-attr]
            case TextEnd() | ThinkingEnd():
                assert open_.pop(index) is kind
                assert event.content == texts[index]
                ended[index] = partial.content[index]
            case ToolCallEnd():
                assert open_.pop(index) is kind
                assert_same_arguments(event.tool_call, texts[index])
                assert event.tool_call == partial.content[index]
                assert event.tool_call.id
                ended[index] = event.tool_call
        assert_holds(partial, open_, texts, ended)
    if isinstance(last, Done):
        assert not open_, "every block has ended"
    assert_holds(last.partial, open_, texts, ended)
    calls = [call.id for call in last.partial.tool_calls if call.id]
    given = [e.tool_call_id for e in events if isinstance(e, ToolCallStart) and e.tool_call_id]
    assert len(set(calls)) == len(calls) or len(set(given)) < len(given), "ids are unique, as far as it is up to us"


def assert_lawful_router(events: Sequence[AnyProviderEvent], models: Sequence[str]) -> None:
    """A router's stream: the fallbacks go down the list, then one model answers, or none is left."""
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
        assert_lawful(rest)


def assert_holds(message: AssistantMessage, open_: dict[int, Any], texts: dict[int, str], ended: dict[int, Any]) -> None:
    """The message is what its events said so far."""
    for index, block in enumerate(message.content):
        match block:
            case TextContent(text) | ThinkingContent(text):
                assert text == texts[index]
                assert type(block) is type(ended[index]) if index in ended else type(block) is open_[index]
            case ToolCall():
                assert index in ended or open_[index] is ToolCall
            case _:
                assert index not in texts, "blocks of other kinds have no events"
    for index, final in ended.items():
        assert message.content[index] == final
    assert message.text == "".join(b.text for b in message.content if isinstance(b, TextContent))
    assert message.thinking == "".join(b.thinking for b in message.content if isinstance(b, ThinkingContent))


def assert_same_arguments(call: ToolCall, text: str) -> None:
    """The deltas joined are the JSON text of the arguments, or are kept as they came."""
    if call.invalid_arguments is None:
        assert read(text) == call.arguments
    else:
        assert call.invalid_arguments == text
        assert call.arguments == {}
        assert read(text) is None


def read(text: str) -> FrozenDict | None:
    """The JSON object that a text is, if it is one and Python can hold it."""
    try:
        value = json.loads(text, parse_float=finite, parse_constant=finite)
        return FrozenDict(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


def finite(number: str) -> float:
    if not isfinite(value := float(number)):
        raise ValueError("no JSON number that Python can hold")
    return value
