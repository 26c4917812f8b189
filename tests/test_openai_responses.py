"""OpenAI's Responses API: the mapping rules, and what it has been seen to send."""

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
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import decode

Chunk = dict[str, Any]

CREATED: Chunk = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt", "created_at": 1700000000, "status": "in_progress"}}
COMPLETED: Chunk = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}


def added(index: int, type: str, **fields: Any) -> Chunk:
    return {"type": "response.output_item.added", "output_index": index, "item": {"type": type, **fields}}


def done(index: int, type: str, **fields: Any) -> Chunk:
    return {"type": "response.output_item.done", "output_index": index, "item": {"type": type, **fields}}


def text_delta(index: int, delta: str, part: int = 0) -> Chunk:
    return {"type": "response.output_text.delta", "output_index": index, "content_index": part, "delta": delta}


def text_done(index: int, text: str, part: int = 0) -> Chunk:
    return {"type": "response.output_text.done", "output_index": index, "content_index": part, "text": text}


def arguments_delta(index: int, delta: str) -> Chunk:
    return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": delta}


def arguments_done(index: int, arguments: str) -> Chunk:
    return {"type": "response.function_call_arguments.done", "output_index": index, "arguments": arguments}


def summary_delta(part: int, delta: str) -> Chunk:
    return {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": part, "delta": delta}


def reasoning_delta(delta: str) -> Chunk:
    return {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": delta}


def output_text(text: str, **fields: Any) -> Chunk:
    return {"type": "output_text", "text": text, **fields}


def ended(kind: str, **response: Any) -> Chunk:
    return {"type": f"response.{kind}", "response": {"id": "resp_1", "status": kind, **response}}


def decoded(*chunks: Chunk) -> list[AnyProviderEvent]:
    events = list(decode(map(json.dumps, [CREATED, *chunks]), api="openai-responses"))
    assert_lawful(events)
    return events


def final(*chunks: Chunk) -> AssistantMessage:
    message = decoded(*chunks)[-1].partial
    assert message is not None
    return message


def content(*chunks: Chunk) -> tuple[Any, ...]:
    """The content of a message that is complete."""
    message = final(*chunks, COMPLETED)
    assert message.raw_stop_reason == "completed" and message.error_message is None
    return message.content


def deltas(*chunks: Chunk) -> list[str]:
    return [event.delta for event in decoded(*chunks) if event.type in ("text_delta", "thinking_delta", "toolcall_delta")]


# Text


MESSAGE = added(0, "message", id="msg_1", role="assistant", content=[])


def test_text() -> None:
    item = done(0, "message", content=[output_text("Hello")])
    message = final(MESSAGE, text_delta(0, "Hel"), text_delta(0, "lo"), text_done(0, "Hello"), item, COMPLETED)
    assert message.content == (TextContent("Hello"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "completed")
    assert (message.api, message.model, message.response_id) == ("openai-responses", "gpt", "resp_1")
    assert message.timestamp == 1700000000000


def test_text_only_in_the_done_event_of_the_part() -> None:
    chunks = MESSAGE, text_done(0, "Hello"), done(0, "message", content=[output_text("Hello")])
    assert content(*chunks) == (TextContent("Hello"),)
    assert deltas(*chunks) == ["Hello"]


def test_text_only_in_the_done_event_of_the_item() -> None:
    chunks = MESSAGE, done(0, "message", content=[output_text("Hello")])
    assert content(*chunks) == (TextContent("Hello"),)


def test_text_of_which_the_deltas_brought_only_the_beginning() -> None:
    assert deltas(MESSAGE, text_delta(0, "Hel"), text_done(0, "Hello")) == ["Hel", "lo"]


def test_text_only_in_the_completed_response() -> None:
    whole = ended("completed", output=[{"type": "message", "content": [output_text("Hello")]}])
    assert final(whole).content == (TextContent("Hello"),)


def test_the_completed_response_repeats_nothing() -> None:
    item: Any = {"type": "message", "content": [output_text("Hello")]}
    call: Any = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    chunks = MESSAGE, text_delta(0, "Hello"), done(0, **item), added(1, **call), done(1, **call)
    message = final(*chunks, ended("completed", output=[item, call]))
    assert message.content == (TextContent("Hello"), ToolCall("call_1", "f", {}))


def test_several_message_items_are_several_blocks() -> None:
    one = MESSAGE, text_delta(0, "one"), done(0, "message", content=[output_text("one")])
    two = added(1, "message", content=[]), text_delta(1, "two"), done(1, "message", content=[output_text("two")])
    assert content(*one, *two) == (TextContent("one"), TextContent("two"))


def test_the_parts_of_one_message_item_are_one_block() -> None:
    item = done(0, "message", content=[output_text("one"), output_text("two")])
    assert content(MESSAGE, text_delta(0, "one"), text_delta(0, "two", part=1), item) == (TextContent("onetwo"),)
    assert content(MESSAGE, text_delta(0, "one"), item) == (TextContent("onetwo"),)


def test_a_refusal_is_text() -> None:
    delta = {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": "I can"}
    whole = {"type": "response.refusal.done", "output_index": 0, "content_index": 0, "refusal": "I cannot"}
    item = done(0, "message", content=[{"type": "refusal", "refusal": "I cannot"}])
    assert content(MESSAGE, delta, whole, item) == (TextContent("I cannot"),)
    assert content(MESSAGE, item) == (TextContent("I cannot"),)


def test_annotations_are_kept() -> None:
    note: Any = {"type": "url_citation", "url": "https://example.org", "start_index": 0, "end_index": 2}
    chunk = {"type": "response.output_text.annotation.added", "output_index": 0, "annotation_index": 0, "annotation": note}
    item = done(0, "message", content=[output_text("Hi", annotations=[note])])
    assert content(MESSAGE, text_delta(0, "Hi"), chunk, item) == (TextContent("Hi", annotations=(note,)),)


# Reasoning


REASONING = added(0, "reasoning", id="rs_1", summary=[])


def test_reasoning_with_summaries_joined_by_a_blank_line() -> None:
    summary = [{"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Second."}]
    item = done(0, "reasoning", summary=summary)
    streamed = summary_delta(0, "Fir"), summary_delta(0, "st."), summary_delta(1, "Sec"), summary_delta(1, "ond.")
    assert content(REASONING, *streamed, item) == (ThinkingContent("First.\n\nSecond."),)
    assert content(REASONING, item) == (ThinkingContent("First.\n\nSecond."),)


def test_reasoning_with_raw_text() -> None:
    item = done(0, "reasoning", summary=[], content=[{"type": "reasoning_text", "text": "Hmm"}])
    assert content(REASONING, reasoning_delta("H"), reasoning_delta("mm"), item) == (ThinkingContent("Hmm"),)
    assert content(REASONING, item) == (ThinkingContent("Hmm"),)


def test_raw_text_counts_only_where_there_is_no_summary() -> None:
    item = done(0, "reasoning", summary=[{"type": "summary_text", "text": "Short"}], content=[{"type": "reasoning_text", "text": "Long"}])
    assert content(REASONING, item) == (ThinkingContent("Short"),)
    assert content(REASONING, summary_delta(0, "Short"), reasoning_delta("Long"), item) == (ThinkingContent("Short"),)


def test_reasoning_with_neither() -> None:
    chunks = REASONING, done(0, "reasoning", summary=[], encrypted_content="b3BhcXVl")
    (block,) = content(*chunks)
    assert (block.thinking, block.thinking_signature) == ("", "b3BhcXVl")
    assert [event.type for event in decoded(*chunks)][1:3] == ["thinking_start", "thinking_end"]


# Function calls and other items


CALL = added(0, "function_call", id="fc_1", call_id="call_1", name="f", arguments="")


def call_done(arguments: str) -> Chunk:
    return done(0, "function_call", id="fc_1", call_id="call_1", name="f", arguments=arguments)


def test_a_function_call_goes_by_its_call_id() -> None:
    pieces = arguments_delta(0, '{"a"'), arguments_delta(0, ": 1}"), arguments_done(0, '{"a": 1}')
    message = final(CALL, *pieces, call_done('{"a": 1}'), COMPLETED)
    assert message.content == (ToolCall("call_1", "f", {"a": 1}),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "completed")


def test_arguments_only_in_the_done_events() -> None:
    assert content(CALL, arguments_done(0, '{"a": 1}'), call_done('{"a": 1}')) == (ToolCall("call_1", "f", {"a": 1}),)
    assert content(CALL, call_done('{"a": 1}')) == (ToolCall("call_1", "f", {"a": 1}),)


def test_an_item_of_a_kind_this_package_does_not_know_is_kept_as_it_is_done() -> None:
    begun = added(0, "web_search_call", id="ws_1", status="in_progress")
    search = {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"}
    item: Any = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "weather"}}
    assert content(begun, search, done(0, **item)) == (UnknownContent(item),)


def test_an_item_of_an_unknown_kind_is_not_lost_when_the_stream_breaks_off() -> None:
    item: Any = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    assert final(added(0, **item)).content == (UnknownContent(item),)


def test_interleaved_items() -> None:
    other = {"type": "function_call", "call_id": "call_2", "name": "g"}
    chunks = [
        CALL,
        added(1, **other, arguments=""),
        arguments_delta(1, '{"b"'),
        arguments_delta(0, '{"a"'),
        arguments_delta(1, ":2}"),
        done(1, **other, arguments='{"b":2}'),
        arguments_delta(0, ":1}"),
        call_done('{"a":1}'),
    ]
    assert content(*chunks) == (ToolCall("call_1", "f", {"a": 1}), ToolCall("call_2", "g", {"b": 2}))


def test_events_of_kinds_to_come_are_passed_over() -> None:
    unknown = {"type": "response.mood.delta", "output_index": 7, "delta": "x"}, {"type": "keepalive"}
    assert content(*unknown, MESSAGE, text_delta(0, "Hi"), *unknown) == (TextContent("Hi"),)


# Endings

HI = MESSAGE, text_delta(0, "Hi")


@pytest.mark.parametrize(
    ("last", "reason", "raw"),
    [
        (ended("completed"), StopReason.STOP, "completed"),
        (ended("incomplete", incomplete_details={"reason": "max_output_tokens"}), StopReason.LENGTH, "max_output_tokens"),
        (ended("incomplete", incomplete_details={"reason": "content_filter"}), StopReason.ERROR, "content_filter"),
        (ended("failed", error={"code": "server_error", "message": "Sorry"}), StopReason.ERROR, "failed"),
        (ended("cancelled"), StopReason.ABORTED, "cancelled"),
        (ended("incomplete", incomplete_details={"reason": "a_reason_nobody_knows"}), StopReason.STOP, "a_reason_nobody_knows"),
    ],
)
def test_endings(last: Chunk, reason: StopReason, raw: str) -> None:
    message = final(*HI, last)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert bool(message.error_message) is (reason in (StopReason.ERROR, StopReason.ABORTED))


def test_a_response_that_is_incomplete_over_tool_calls_stays_length() -> None:
    message = final(CALL, arguments_delta(0, '{"a'), ended("incomplete", incomplete_details={"reason": "max_output_tokens"}))
    assert message.stop_reason is StopReason.LENGTH
    assert message.content == (ToolCall("call_1", "f", {}, invalid_arguments='{"a'),)


def test_a_failed_response_says_why() -> None:
    last = decoded(*HI, ended("failed", error={"code": "server_error", "message": "Sorry"}))[-1]
    assert isinstance(last, Error)
    assert "server_error" in str(last.error.error_message) and "Sorry" in str(last.error.error_message)


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down", "param": None, "sequence_number": 3},
        {"type": "error", "error": {"type": "rate_limit_exceeded", "code": "429", "message": "Slow down"}, "sequence_number": 3},
    ],
)
def test_an_error_event(error: Chunk) -> None:
    for rest in ([], [added(1, "message")], [ended("failed", error=None)]):
        message = final(*HI, error, *rest)
        assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
        assert "Slow down" in str(message.error_message)
        assert "rate_limit_exceeded" in str(message.error_message)


def test_without_a_last_event_the_stream_was_cut_off() -> None:
    message = final(*HI, text_done(0, "Hi"), done(0, "message", content=[output_text("Hi")]))
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


def test_text_of_an_item_that_nobody_announced_is_not_lost() -> None:
    message = final(*HI, text_delta(5, "!"), COMPLETED)
    assert (message.text, message.stop_reason) == ("Hi!", StopReason.STOP)


def test_a_delta_for_an_item_of_another_type_is_an_error() -> None:
    message = final(*HI, arguments_delta(0, "{}"), COMPLETED)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


def test_usage_in_disjoint_buckets() -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 15,
    }
    assert final(*HI, ended("completed", usage=usage)).usage == Usage(2, 5, 8, 0, 15, 3)
    assert final(*HI, ended("incomplete", usage={**usage, "input_tokens_details": None})).usage == Usage(10, 5, 0, 0, 15, 3)
    assert final(*HI, ended("failed", usage=None)).usage == Usage()


def test_events_of_other_kinds_are_passed_over() -> None:
    with_others = final(CREATED, {"type": "response.of_a_new_kind", "sequence_number": 2}, COMPLETED)
    assert with_others == final(CREATED, COMPLETED)
