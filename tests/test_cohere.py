"""Cohere's v2 chat: what each event gives, and when; whole responses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import decoding
from support.decoding import types_by_chunk

from provider_events import (
    AssistantMessage,
    Error,
    MessageEvent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import CohereDecoder, decode

API = "cohere-chat"
START = {"type": "message-start", "id": "c_1", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": ""}}}


def event(type: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    return {"type": type, "index": index, "delta": {"message": message}}


def begin(index: int | None, type: str, **fields: Any) -> dict[str, Any]:
    return event("content-start", index, content={"type": type, **fields})


def delta(index: int | None, **fields: Any) -> dict[str, Any]:
    return event("content-delta", index, content=fields)


def end(index: int | None) -> dict[str, Any]:
    return {"type": "content-end", "index": index}


def plan(text: str) -> dict[str, Any]:
    return {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}}


def call(index: int | None, id: str | None = "t", name: str | None = "f", **fields: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": "", **fields}
    return event("tool-call-start", index, tool_calls={"id": id, "type": "function", "function": function})


def arguments(index: int | None, text: Any) -> dict[str, Any]:
    return event("tool-call-delta", index, tool_calls={"function": {"arguments": text}})


def call_end(index: int | None) -> dict[str, Any]:
    return {"type": "tool-call-end", "index": index}


def citation(**fields: Any) -> dict[str, Any]:
    return event("citation-start", 0, citations={"text": "Hi", **fields})


def message_end(reason: str | None = "COMPLETE", **fields: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": reason, **fields}}


HI = begin(0, "text", text=""), delta(0, text="H"), delta(0, text="i"), end(0)
PLAN = {"reasoning_field": "tool_plan"}


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, [START, *chunks])


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    return decoding.content(API, [START, *chunks, message_end()])


# Text and thinking


def test_thinking_then_text() -> None:
    chunks = begin(0, "thinking", thinking=""), delta(0, thinking="Hm"), end(0), begin(1, "text", text=""), delta(1, text="Hi"), end(1)
    message = final(*chunks, message_end())
    assert message.content == (ThinkingContent("Hm"), TextContent("Hi"))
    assert (message.api, message.provider, message.model, message.response_id) == (API, "cohere", "", "c_1")
    assert types_by_chunk(CohereDecoder, [START, *chunks, message_end()]) == [
        ["start"], ["thinking_start"], ["thinking_delta"], ["thinking_end"], ["text_start"], ["text_delta"], [], ["text_end", "done"], []
    ]  # fmt: skip


def test_a_start_may_have_the_whole_content() -> None:
    chunks = begin(0, "thinking", thinking="Hm"), end(0), begin(1, "text", text="H"), delta(1, text="i"), end(1)
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"))


def test_a_repeated_start_is_a_repetition_unless_it_has_content() -> None:
    assert content(*HI[:3], HI[0], delta(0, text="!")) == (TextContent("Hi!"),)
    assert content(*HI[:3], begin(0, "text", text="You")) == (TextContent("Hi"), TextContent("You"))


def test_deltas_without_a_start_begin_a_block_and_a_change_of_kind_begins_the_next() -> None:
    chunks = delta(0, thinking="Hm"), delta(0, text="H"), delta(0, text="i"), delta(0, thinking="Oh")
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"), ThinkingContent("Oh"))
    assert content(delta(None, text="H"), delta(None, text="i")) == (TextContent("Hi"),)


def test_an_empty_delta_begins_nothing() -> None:
    empty = delta(0), delta(0, text=""), delta(0, text=None), event("content-delta", 0), event("content-start", 0), {"type": "content-delta"}
    assert content(*empty, *HI[1:]) == (TextContent("Hi"),)


def test_two_texts() -> None:
    assert content(*HI, begin(1, "text"), delta(1, text="You"), end(1)) == (TextContent("Hi"), TextContent("You"))


def test_content_of_the_future_is_unknown_content_and_grows() -> None:
    chunks = begin(0, "hologram", depth=3), delta(0, note="a"), delta(0, note="b")
    expected = UnknownContent({"type": "hologram", "depth": 3, "note": "ab"})
    assert content(*chunks, end(0), begin(0, "text", text="Hi")) == (expected, TextContent("Hi"))
    assert content(*chunks) == final(*chunks).content == (expected,)


def test_log_probabilities_and_unknown_fields_are_details_of_the_block() -> None:
    one, two = {"token_ids": [1], "logprobs": [-0.5]}, {"token_ids": [2], "logprobs": [-0.25]}
    chunks = HI[0], {**HI[1], "logprobs": one}, {**HI[2], "logprobs": two, "mark": 7}, delta(0, text="!", tone="x")
    assert content(*chunks) == (TextContent("Hi!", provider_details={"logprobs": [one, two], "mark": 7, "tone": "x"}),)


# Citations


def test_citations_are_annotations_of_the_latest_text_even_behind_its_end() -> None:
    cited = {"text": "Hi", "start": 0, "sources": [{"id": "d"}]}
    end_of_citation = {"type": "citation-end", "index": 0}
    for chunks in ([*HI[:3], citation(**cited), end_of_citation, end(0)], [*HI, citation(**cited), end_of_citation]):
        assert content(*chunks) == (TextContent("Hi", annotations=(cited,)),)


def test_a_citation_belongs_to_the_content_that_it_names() -> None:
    two = *HI, begin(1, "text", text="Hi"), end(1)
    assert [len(block.annotations) for block in content(*two, citation(content_index=0), citation())] == [1, 1]


def test_a_citation_of_what_is_no_text_is_a_detail() -> None:
    thinking = begin(0, "thinking", thinking="Hm")
    (found,) = content(thinking, citation(content_index=0), end(0))
    assert found.provider_details == {"citations": [{"text": "Hi", "content_index": 0}]}
    assert final(thinking, end(0), citation(), citation(), message_end()).provider_details == {"citations": [{"text": "Hi"}] * 2}


# Tools


def test_a_tool_plan_is_thinking_and_a_call_ends_it() -> None:
    chunks = plan("I "), plan("will"), call(0), arguments(0, '{"a"'), arguments(0, ": 1}"), call_end(0)
    message = final(*chunks, message_end("TOOL_CALL"))
    assert message.content == (ThinkingContent("I will", provider_details=PLAN), ToolCall("t", "f", {"a": 1}))
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "TOOL_CALL")
    assert types_by_chunk(CohereDecoder, [START, *chunks])[1:-1] == [
        ["thinking_start", "thinking_delta"], ["thinking_delta"], ["thinking_end", "toolcall_start"],
        ["toolcall_delta"], ["toolcall_delta"], ["toolcall_end"],
    ]  # fmt: skip


def test_a_tool_plan_is_a_block_of_its_own() -> None:
    assert content(delta(0, thinking="Hm"), plan("I will"), delta(0, thinking="m")) == (
        ThinkingContent("Hmm"),
        ThinkingContent("I will", provider_details=PLAN),
    )
    assert content(plan("I will"), delta(0, thinking="Hm")) == (ThinkingContent("I will", provider_details=PLAN), ThinkingContent("Hm"))
    assert content(plan(""), plan("I will"), *HI, plan("Oh"))[1:] == (TextContent("Hi"), ThinkingContent("Oh", provider_details=PLAN))


def test_calls_are_counted_apart_from_content() -> None:
    assert content(*HI[:3], call(0), arguments(0, "{}"), delta(0, text="!"), call_end(0)) == (TextContent("Hi!"), ToolCall("t", "f", {}))


def test_two_calls_interleaved() -> None:
    chunks = call(0), call(1, "u", "g"), arguments(0, '{"a"'), arguments(1, '{"b": 2}'), arguments(0, ": 1}"), call_end(1), call_end(0)
    assert content(*chunks) == (ToolCall("t", "f", {"a": 1}), ToolCall("u", "g", {"b": 2}))


@pytest.mark.parametrize("given", ['{"a": 1}', {"a": 1}])
def test_arguments_may_come_with_the_start_or_as_an_object(given: Any) -> None:
    assert content(call(0, arguments=given), call_end(0)) == (ToolCall("t", "f", {"a": 1}),)


def test_a_call_without_arguments_and_without_an_end() -> None:
    assert content(call(0)) == (ToolCall("t", "f", {}),)


def test_another_id_at_an_index_is_another_call_and_the_same_is_a_repetition() -> None:
    assert content(call(0), arguments(0, '{"a"'), call(0), arguments(0, ": 1}")) == (ToolCall("t", "f", {"a": 1}),)
    assert content(call(0), arguments(0, "{}"), call(0, "u"), arguments(0, '{"b": 2}')) == (ToolCall("t", "f", {}), ToolCall("u", "f", {"b": 2}))


def test_calls_without_an_index_follow_one_another() -> None:
    one = call(None), arguments(None, '{"a": 1}'), call_end(None)
    two = call(None, "u"), arguments(None, '{"b": 2}')
    assert content(*one, *two, call(None, "v")) == (ToolCall("t", "f", {"a": 1}), ToolCall("u", "f", {"b": 2}), ToolCall("v", "f", {}))


def test_arguments_of_another_index_belong_to_the_only_open_call() -> None:
    assert content(call(0), arguments(3, '{"a": 1}')) == (ToolCall("t", "f", {"a": 1}),)


def test_arguments_of_no_call_are_kept_as_unknown_content() -> None:
    assert content(arguments(0, "{}")) == (UnknownContent({"tool_calls": {"function": {"arguments": "{}"}}}),)
    assert content(event("tool-call-delta", 0), event("tool-call-start", 0)) == ()


def test_unknown_fields_of_a_call_are_details_of_it() -> None:
    one = event("tool-call-start", 0, tool_calls={"id": "t", "function": {"name": "f", "strict": True}, "mark": 7})
    assert content(one) == (ToolCall("t", "f", {}, provider_details={"mark": 7, "function": {"strict": True}}),)


# The end


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("COMPLETE", StopReason.STOP),
        ("STOP_SEQUENCE", StopReason.STOP),
        ("TOOL_CALL", StopReason.STOP),  # without a tool call
        ("MAX_TOKENS", StopReason.LENGTH),
        ("ERROR", StopReason.ERROR),
        ("TIMEOUT", StopReason.ERROR),
        ("A_REASON_OF_THE_FUTURE", StopReason.STOP),
    ],
)
def test_stop_reasons(raw: str, reason: StopReason) -> None:
    message = final(*HI, message_end(raw))
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")


def test_the_end_may_say_what_failed() -> None:
    message = final(*HI, message_end("ERROR", error="out of memory"))
    assert message.error_message == "the model stopped: ERROR: out of memory"
    message = final(*HI, message_end(None, error="out of memory"))
    assert (message.error_message, message.raw_stop_reason, message.text) == ("out of memory", None, "Hi")


def test_an_end_without_a_reason_is_a_natural_end_of_content() -> None:
    assert final(*HI, message_end(None)).stop_reason is StopReason.STOP
    assert final(message_end(None)).stop_reason is StopReason.ERROR
    assert final(*HI, {"type": "message-end", "finish_reason": "MAX_TOKENS"}).stop_reason is StopReason.LENGTH
    assert final(*HI, {**message_end(), "type": "stream-end"}).stop_reason is StopReason.STOP


def test_without_its_end_the_stream_was_cut_off() -> None:
    message = final(*HI)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


@pytest.mark.parametrize("error", [{"message": "invalid api token"}, {"type": "error", "error": {"message": "invalid api token"}}])
def test_an_error_payload(error: Any) -> None:
    last = decoded(*HI, error, delta(0, text="!"))[-1]
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert "invalid api token" in str(last.error.error_message)


@pytest.mark.parametrize(
    ("chunk", "path"),
    [
        (event("content-delta", 0, content=1), "content"),
        (event("content-start", 0, content=1), "content"),
        (delta(0, text=1), "text"),
        (delta(0, thinking=1), "thinking"),
        (plan(1), "tool_plan"),  # type: ignore[arg-type]
        (event("tool-call-start", 0, tool_calls=1), "tool_calls"),
        (event("tool-call-start", 0, tool_calls={"function": 1}), "tool_calls.function"),
        ({"message": 1, "finish_reason": "COMPLETE"}, "message"),
    ],
)
def test_what_is_of_another_type_is_an_error_that_says_where_it_was(chunk: Any, path: str) -> None:
    last = decoded(*HI, chunk)[-1]
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert f"malformed chunk: {path}: expected" in str(last.error.error_message)


# Usage and details


def test_cached_tokens_are_a_part_of_the_input_tokens() -> None:
    usage = {"billed_units": {"input_tokens": 8, "output_tokens": 4}, "tokens": {"input_tokens": 100.0, "output_tokens": 5.0}, "cached_tokens": 60.0}
    message = final(*HI, message_end(usage=usage))
    assert (message.usage, message.provider_details) == (Usage(40, 5, 60), {"usage": usage})


def test_billed_units_count_where_tokens_are_missing() -> None:
    assert final(*HI, message_end(usage={"billed_units": {"input_tokens": 8, "output_tokens": 4}})).usage == Usage(8, 4)
    assert final(*HI, message_end(usage={"tokens": {"input_tokens": 8}, "cached_tokens": 9})).usage == Usage(0, 0, 9)


def test_what_no_field_holds_is_in_the_details_of_the_message() -> None:
    debug = {"type": "debug", "prompt": "<user>"}
    message = final({**citation(), "mark": 1}, debug, {**event("tool-plan-delta", mood="x"), "note": "y"}, *HI, message_end(extra=[1]))
    assert message.provider_details == {
        "citations": [{"text": "Hi"}], "mark": 1, "prompt": "<user>", "mood": "x", "note": "y", "extra": [1]
    }  # fmt: skip


# Whole responses

WHOLE: dict[str, Any] = {
    "id": "c_1",
    "message": {
        "role": "assistant",
        "tool_plan": "I will",
        "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "A"}, {"type": "text", "text": "B"}],
        "tool_calls": [
            {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "u", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        ],
        "citations": [{"text": "A", "content_index": 1}, {"text": "B"}],
        "mood": "good",
    },
    "finish_reason": "TOOL_CALL",
    "usage": {"tokens": {"input_tokens": 3, "output_tokens": 2}},
    "logprobs": [{"token_ids": [1]}],
}


def test_a_whole_response() -> None:
    message = decoding.final(API, [WHOLE])
    assert message.content == (
        ThinkingContent("I will", provider_details=PLAN),
        ThinkingContent("Hm"),
        TextContent("A", annotations=({"text": "A", "content_index": 1},)),
        TextContent("B", annotations=({"text": "B"},)),
        ToolCall("t", "f", {"a": 1}),
        ToolCall("u", "f", {"a": 1}),
    )
    assert (message.usage, message.response_id, message.stop_reason) == (Usage(3, 2), "c_1", StopReason.TOOL_USE)
    assert message.provider_details == {"usage": WHOLE["usage"], "logprobs": WHOLE["logprobs"], "mood": "good"}
    assert types_by_chunk(CohereDecoder, [WHOLE])[0][-1] == "done"


def test_content_may_be_a_text() -> None:
    whole = {"message": {"content": "Hi"}, "finish_reason": "COMPLETE"}
    assert decoding.content(API, [whole]) == content(event("content-delta", 0, content="Hi")) == (TextContent("Hi"),)


@pytest.mark.parametrize("first", [START, HI[0], HI[1], plan("I"), call(0), citation(), message_end(), WHOLE])
def test_the_format_is_detected(first: Any) -> None:
    assert CohereDecoder.recognizes(first)
    assert list(decode([first]))[-1].partial.api == API
    assert list(decode([json.dumps(first)])) == list(decode([first]))


@pytest.mark.parametrize("other", [{"type": "message_start"}, {"choices": [], "message": "", "finish_reason": ""}, {"message": ""}, {"type": 1}])
def test_other_formats_are_not(other: Any) -> None:
    assert not CohereDecoder.recognizes(other)
