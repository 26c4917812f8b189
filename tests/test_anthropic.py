"""Anthropic's Messages API: the mapping rules, and what it has been seen to send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from laws import assert_lawful

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Error,
    StopReason,
    TextContent,
    ThinkingContent,
    ThinkingEnd,
    ToolCall,
    ToolCallEnd,
    UnknownContent,
    Usage,
)
from provider_events.decoders import decode

STOP = {"type": "message_stop"}


def message_start(**usage: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
    return {"type": "message_start", "message": {**message, "usage": {"input_tokens": 9, "output_tokens": 1, **usage}}}


def begin(index: int, type: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": type, **fields}}


def delta(index: int, type: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": type, **fields}}


def text(index: int, text: str) -> dict[str, Any]:
    return delta(index, "text_delta", text=text)


def json_delta(index: int, partial_json: str) -> dict[str, Any]:
    return delta(index, "input_json_delta", partial_json=partial_json)


def end(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def message_delta(stop_reason: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}, **fields}


def decoded(*chunks: Any) -> list[AnyProviderEvent]:
    """The events of a stream from its start on, with as much of an end as is given."""
    events = list(decode(map(json.dumps, [message_start(), *chunks]), api="anthropic-messages"))
    assert_lawful(events)
    return events


def final(*chunks: Any) -> AssistantMessage:
    message = decoded(*chunks)[-1].partial
    assert message is not None
    return message


def content(*chunks: Any) -> tuple[Any, ...]:
    """The content of a message that is complete."""
    message = final(*chunks, message_delta("end_turn"), STOP)
    assert message.stop_reason is StopReason.STOP
    return message.content


# Blocks


def test_text() -> None:
    message = final(begin(0, "text", text=""), text(0, "Hel"), text(0, "lo"), end(0), message_delta("end_turn"), STOP)
    assert message.content == (TextContent("Hello"),)
    assert (message.api, message.model, message.response_id) == ("anthropic-messages", "claude", "msg_1")


def test_text_given_when_the_block_begins() -> None:
    assert content(begin(0, "text", text="Hel"), text(0, "lo"), end(0)) == (TextContent("Hello"),)


def test_thinking_and_its_signature() -> None:
    chunks = [
        begin(0, "thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "thinking_delta", thinking="m"),
        delta(0, "signature_delta", signature="c2ln"),
        end(0),
    ]
    assert content(*chunks) == (ThinkingContent("Hmm", "c2ln"),)
    (ended,) = [event for event in decoded(*chunks) if isinstance(event, ThinkingEnd)]
    assert ended.partial.content == (ThinkingContent("Hmm", "c2ln"),)


def test_redacted_thinking_has_a_start_and_an_end_and_no_delta() -> None:
    chunks = begin(0, "redacted_thinking", data="b3BhcXVl"), end(0)
    assert content(*chunks) == (ThinkingContent("", "b3BhcXVl", redacted=True),)
    assert [event.type for event in decoded(*chunks)] == ["start", "thinking_start", "thinking_end", "error"]


def test_citations_are_annotations() -> None:
    first: Any = {"type": "char_location", "cited_text": "…", "document_index": 0}
    second = {"type": "web_search_result_location", "url": "https://example.org"}
    citations = delta(0, "citations_delta", citation=first), delta(0, "citations_delta", citation=second)
    chunks = begin(0, "text", text="", citations=[]), citations[0], text(0, "Hi"), citations[1], end(0)
    assert content(*chunks) == (TextContent("Hi", annotations=(first, second)),)


def test_a_tool_call() -> None:
    chunks = [
        begin(0, "tool_use", id="toolu_1", name="f", input={}),
        json_delta(0, ""),
        json_delta(0, '{"city": "Par'),
        json_delta(0, 'is"}'),
        end(0),
        message_delta("tool_use"),
        STOP,
    ]
    message = final(*chunks)
    assert message.content == (ToolCall("toolu_1", "f", {"city": "Paris"}),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "tool_use")


def test_a_tool_call_without_arguments() -> None:
    chunks = begin(0, "tool_use", id="toolu_1", name="f", input={}), json_delta(0, ""), end(0)
    assert content(*chunks) == (ToolCall("toolu_1", "f", {}),)


def test_tool_input_given_whole_when_the_block_begins() -> None:
    chunks = begin(0, "tool_use", id="toolu_1", name="f", input={"a": [1]}), end(0)
    assert content(*chunks) == (ToolCall("toolu_1", "f", {"a": [1]}),)
    (ended,) = [event for event in decoded(*chunks) if isinstance(event, ToolCallEnd)]
    assert ended.tool_call == ToolCall("toolu_1", "f", {"a": [1]})


def test_deltas_take_the_place_of_tool_input_given_whole() -> None:
    chunks = begin(0, "tool_use", id="toolu_1", name="f", input={"a": 1}), json_delta(0, '{"b": 2}'), end(0)
    assert content(*chunks) == (ToolCall("toolu_1", "f", {"b": 2}),)


def test_tool_input_given_whole_is_not_lost_when_the_stream_breaks_off() -> None:
    message = final(begin(0, "tool_use", id="toolu_1", name="f", input={"a": 1}))
    assert message.content == (ToolCall("toolu_1", "f", {"a": 1}),)
    assert message.stop_reason is StopReason.ERROR


def test_tool_input_that_is_no_json() -> None:
    chunks = begin(0, "tool_use", id="toolu_1", name="f", input={}), json_delta(0, '{"a": '), end(0)
    assert content(*chunks) == (ToolCall("toolu_1", "f", {}, invalid_arguments='{"a": '),)


def test_a_server_tools_block_is_kept_with_its_streamed_input() -> None:
    fields: Any = {"id": "srvtoolu_1", "name": "web_search"}
    result: Any = {"tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "url": "https://example.org"}]}
    chunks = [
        begin(0, "server_tool_use", input={}, **fields),
        json_delta(0, ""),
        json_delta(0, '{"query": '),
        json_delta(0, '"weather"}'),
        end(0),
        begin(1, "web_search_tool_result", **result),
        end(1),
        begin(2, "text", text="Sunny"),
        end(2),
    ]
    assert content(*chunks) == (
        UnknownContent({"type": "server_tool_use", "input": {"query": "weather"}, **fields}),
        UnknownContent({"type": "web_search_tool_result", **result}),
        TextContent("Sunny"),
    )


def test_a_server_tools_block_is_not_lost_when_the_stream_breaks_off() -> None:
    message = final(begin(0, "server_tool_use", id="s", name="web_search", input={}), json_delta(0, '{"query": "x"}'))
    assert message.content == (UnknownContent({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}),)


def test_a_block_of_a_kind_to_come_is_kept() -> None:
    chunks = begin(0, "hologram", depth=3), delta(0, "hologram_delta", voxels=[1]), end(0)
    assert content(*chunks) == (UnknownContent({"type": "hologram", "depth": 3}),)


def test_two_blocks_interleaved() -> None:
    chunks = begin(0, "text", text=""), begin(1, "text", text=""), text(1, "b"), text(0, "a"), text(1, "B"), end(1), end(0)
    assert content(*chunks) == (TextContent("a"), TextContent("bB"))


def test_blocks_that_nobody_ended_end_with_the_message() -> None:
    assert content(begin(0, "text", text=""), text(0, "Hi")) == (TextContent("Hi"),)


def test_events_and_deltas_of_kinds_to_come_are_passed_over() -> None:
    chunks = {"type": "ping"}, {"type": "weather_report"}, begin(0, "text", text="Hi"), delta(0, "mood_delta", mood=1), end(0)
    assert content(*chunks) == (TextContent("Hi"),)


def test_content_given_with_the_start_of_the_message_counts() -> None:
    start = message_start()
    start["message"]["content"] = [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]
    events = list(decode([start, message_delta("tool_use"), STOP]))
    assert_lawful(events)
    assert events[-1].partial and events[-1].partial.content == (ToolCall("toolu_1", "f", {"a": 1}),)


# Endings


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", StopReason.STOP),
        ("stop_sequence", StopReason.STOP),
        ("pause_turn", StopReason.STOP),
        ("max_tokens", StopReason.LENGTH),
        ("model_context_window_exceeded", StopReason.LENGTH),
        ("tool_use", StopReason.TOOL_USE),
        ("refusal", StopReason.ERROR),
        ("a_reason_nobody_knows", StopReason.STOP),
    ],
)
def test_stop_reasons(raw: str, reason: StopReason) -> None:
    message = final(begin(0, "text", text="Hi"), end(0), message_delta(raw), STOP)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


def test_a_refusal_is_explained() -> None:
    refused = message_delta("refusal")
    refused["delta"]["stop_details"] = {"type": "refusal", "category": "cyber", "explanation": "It is against the rules."}
    assert "It is against the rules." in str(final(refused, STOP).error_message)


def test_an_error_event() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    last = decoded(begin(0, "text", text=""), text(0, "Hi"), error, text(0, " there"), STOP)[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert "overloaded_error" in str(last.error.error_message)
    assert "Overloaded" in str(last.error.error_message)


def test_an_error_event_before_anything_else() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    (only,) = decode([json.dumps(error)], api="anthropic-messages")
    assert isinstance(only, Error) and "Overloaded" in str(only.error.error_message)


def test_without_message_stop_the_stream_was_cut_off() -> None:
    message = final(begin(0, "text", text="Hi"), end(0), message_delta("end_turn"))
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (StopReason.ERROR, "end_turn", "Hi")


def test_a_delta_for_a_block_that_never_began_is_an_error() -> None:
    message = final(begin(0, "text", text="Hi"), text(1, "?"))
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


# Usage


def usage(*reports: dict[str, Any]) -> Usage:
    first, *others = reports
    chunks = [message_start(**first), *(message_delta("end_turn", usage=report) for report in others), STOP]
    (message,) = [event.partial for event in decode(chunks) if event.is_done]
    assert message is not None
    return message.usage


def test_usage_comes_at_the_start_and_is_overwritten_at_the_end() -> None:
    first = {"input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output_tokens": 1}
    assert usage(first) == Usage(10, 1, 20, 30, 61)
    assert usage(first, {"output_tokens": 7}) == Usage(10, 7, 20, 30, 67)
    assert usage(first, {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 0}) == Usage(11, 7, 0, 30, 48)


def test_null_counts_are_not_said() -> None:
    first = {"input_tokens": 10, "cache_read_input_tokens": None, "cache_creation_input_tokens": None, "output_tokens": 1}
    assert usage(first, {"input_tokens": None, "output_tokens": 2}, {}) == Usage(10, 2, 0, 0, 12)


def test_usage_shows_from_the_start_on() -> None:
    start = decoded()[0].partial
    assert start and start.usage == Usage(9, 1, 0, 0, 10)


def test_citations_may_stand_where_the_block_begins() -> None:
    citation = {"type": "web_search_result_location", "url": "u"}
    chunks = [message_start(), begin(0, "text", text="Hi", citations=[citation]), end(0), STOP]
    assert final(*chunks).content == (TextContent("Hi", None, (citation,)),)
