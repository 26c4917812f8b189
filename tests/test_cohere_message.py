"""Cohere's v2 chat: how a message ends, what it keeps, and whole responses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import decoding
from support.cohere import (
    API,
    HI,
    PLAN,
    START,
    call,
    citation,
    content,
    decoded,
    delta,
    event,
    final,
    message_end,
    plan,
)
from support.decoding import types_by_chunk

from provider_events import (
    Error,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    Usage,
)
from provider_events.decoders import CohereDecoder, decode

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


@pytest.mark.parametrize(
    "error", [{"message": "invalid api token"}, {"type": "error", "error": {"message": "invalid api token"}}]
)
def test_an_error_payload(error: Any) -> None:
    last = decoded(*HI, error, delta(0, text="!"))[-1]
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert last.error.error_message == "invalid api token"


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
    usage = {
        "billed_units": {"input_tokens": 8, "output_tokens": 4},
        "tokens": {"input_tokens": 100.0, "output_tokens": 5.0},
        "cached_tokens": 60.0,
    }
    message = final(*HI, message_end(usage=usage))
    assert (message.usage, message.provider_details) == (Usage(40, 5, 60), {"usage": usage})


def test_billed_units_count_where_tokens_are_missing() -> None:
    assert final(*HI, message_end(usage={"billed_units": {"input_tokens": 8, "output_tokens": 4}})).usage == Usage(8, 4)
    assert final(*HI, message_end(usage={"tokens": {"input_tokens": 8}, "cached_tokens": 9})).usage == Usage(0, 0, 9)


def test_unknown_fields_of_a_delta_are_details_of_its_block() -> None:
    marked = delta(0, text="!")
    marked["delta"]["tone"] = "x"
    named = delta(0, text="!")
    named["delta"]["message"]["mood"] = "y"
    (found,) = final(*HI, marked, named, message_end()).content
    assert found == TextContent("Hi!!", provider_details={"tone": "x", "mood": "y"})


def test_unknown_fields_without_a_block_are_details_of_the_message_and_kept_once() -> None:
    start = {"type": "message-start", "note": "x", "delta": {"message": {"mood": "y"}}}
    events = decoding.decoded(API, [start, delta(0, tone="z"), *HI, message_end()])
    assert events[-1].partial.provider_details == {"note": "x", "mood": "y", "tone": "z"}


def test_what_no_field_holds_is_in_the_details_of_the_message() -> None:
    debug = {"type": "debug", "prompt": "<user>"}
    message = final(
        {**citation(), "mark": 1},
        debug,
        {**event("tool-plan-delta", mood="x"), "note": "y"},
        *HI,
        message_end(extra=[1]),
    )
    assert message.provider_details == {
        "citations": [{"text": "Hi"}], "mark": 1, "prompt": "<user>", "mood": "x", "note": "y", "extra": [1]
    }  # fmt: skip


# Whole responses

WHOLE: dict[str, Any] = {
    "id": "c_1",
    "message": {
        "role": "assistant",
        "tool_plan": "I will",
        "content": [
            {"type": "thinking", "thinking": "Hm"},
            {"type": "text", "text": "A"},
            {"type": "text", "text": "B"},
        ],
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


@pytest.mark.parametrize(
    "other",
    [{"type": "message_start"}, {"choices": [], "message": "", "finish_reason": ""}, {"message": ""}, {"type": 1}],
)
def test_other_formats_are_not(other: Any) -> None:
    assert not CohereDecoder.recognizes(other)
