"""OpenAI's Responses API: how a message ends, errors, usage and details, and responses that were not streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import decoding
from support.decoding import types_by_chunk
from support.responses import (
    API,
    COMPLETED,
    CREATED,
    Chunk,
    added,
    call_item,
    done,
    ended,
    event,
    final,
    message_item,
    reasoning_item,
    text,
)

from provider_events import StopReason, UnknownContent, Usage
from provider_events.decoders import OpenAIResponsesDecoder, decode

HI = added(0, "message", id="msg_1"), text(0, "Hi")
SORRY = {"code": "server_error", "message": "Sorry"}


# How a message ends


@pytest.mark.parametrize(
    ("last", "reason", "raw"),
    [
        (ended("completed"), StopReason.STOP, "completed"),
        (event("completed", response={}), StopReason.STOP, "completed"),
        (event("completed"), StopReason.STOP, "completed"),
        (ended("completed", status="in_progress"), StopReason.STOP, "completed"),
        (event("done", response={"status": "completed"}), StopReason.STOP, "completed"),
        (event("done", response={"status": "failed"}), StopReason.ERROR, "failed"),
        (
            ended("incomplete", incomplete_details={"reason": "max_output_tokens"}),
            StopReason.LENGTH,
            "max_output_tokens",
        ),
        (ended("completed", status="incomplete", incomplete_details={"reason": "length"}), StopReason.LENGTH, "length"),
        (event("incomplete", response={}), StopReason.LENGTH, "incomplete"),
        (ended("incomplete", incomplete_details={"reason": "content_filter"}), StopReason.ERROR, "content_filter"),
        (ended("incomplete", incomplete_details={"reason": "max_messages"}), StopReason.LENGTH, "max_messages"),
        (ended("incomplete", incomplete_details={"reason": "a_new_reason"}), StopReason.STOP, "a_new_reason"),
        (ended("failed", error=SORRY), StopReason.ERROR, "failed"),
        (ended("failed"), StopReason.ERROR, "failed"),
        (ended("failed", status="completed"), StopReason.ERROR, "failed"),
        (ended("cancelled"), StopReason.ABORTED, "cancelled"),
        (ended("cancelled", error=SORRY), StopReason.ABORTED, "cancelled"),
    ],
)
def test_the_stop_reason(last: Chunk, reason: StopReason, raw: str) -> None:
    message = final(*HI, last)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert bool(message.error_message) is (reason in (StopReason.ERROR, StopReason.ABORTED))


def test_calls_make_the_stop_reason_tool_use_unless_the_response_is_incomplete() -> None:
    call = done(0, call_item("c", "f", "{}"))
    assert final(call, COMPLETED).stop_reason is StopReason.TOOL_USE
    assert (
        final(call, ended("incomplete", incomplete_details={"reason": "max_output_tokens"})).stop_reason
        is StopReason.LENGTH
    )
    assert final(added(0, "local_shell_call", call_id="c"), COMPLETED).stop_reason is StopReason.STOP


def test_without_a_final_event_the_stream_was_cut_off() -> None:
    for chunks in ((), HI, (*HI, done(0, message_item("Hi")))):
        assert final(*chunks).stop_reason is StopReason.ERROR
    assert final(*HI, "[DONE]").stop_reason is StopReason.ERROR
    assert final("[DONE]").stop_reason is StopReason.ERROR


def test_an_end_mark_ends_a_message_whose_items_are_done() -> None:
    assert final(*HI, done(0, message_item("Hi")), "[DONE]").stop_reason is StopReason.STOP


def test_the_message_ends_with_the_final_event() -> None:
    for last in (COMPLETED, ended("failed", error=SORRY), ended("cancelled")):
        assert len(types_by_chunk(OpenAIResponsesDecoder, [CREATED, last])[1]) == 1


# Errors


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down", "param": None, "sequence_number": 3},
        {"type": "error", "error": {"type": "rate_limit_exceeded", "message": "Slow down"}, "sequence_number": 3},
        event("error", error={"type": "rate_limit_exceeded", "message": "Slow down"}),
        event("failed", error={"code": "rate_limit_exceeded", "message": "Slow down"}),
        event("failed", code="rate_limit_exceeded", message="Slow down"),
        event(
            "failed", response={"status_details": {"error": {"code": "rate_limit_exceeded", "message": "Slow down"}}}
        ),
        ended("failed", error={"code": "rate_limit_exceeded", "message": "Slow down"}),
        {"error": {"code": "rate_limit_exceeded", "message": "Slow down"}},
        {"code": "rate_limit_exceeded", "message": "Slow down"},
        {"type": "rate_limit_exceeded", "message": "Slow down"},
    ],
)
def test_an_error_in_any_shape(error: Chunk) -> None:
    message = final(*HI, error)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert message.error_message == "rate_limit_exceeded: Slow down"
    assert [each.type for each in decode([error], api=API)][-1] == "error"


def test_an_error_event_waits_for_the_failed_response() -> None:
    error = {"type": "error", **SORRY}
    failed = ended("failed", error={**SORRY}, usage={"input_tokens": 3}, service_tier="flex")
    assert types_by_chunk(OpenAIResponsesDecoder, [CREATED, error, failed]) == [["start"], [], ["error"], []]
    message = final(error, failed)
    assert message.error_message == "server_error: Sorry"
    assert (message.usage.input_tokens, message.provider_details["service_tier"]) == (3, "flex")
    for other in (text(0, "?"), added(0, "message"), {"type": "keepalive"}, "[DONE]"):
        assert types_by_chunk(OpenAIResponsesDecoder, [CREATED, error, other])[1:] == [[], ["error"], []]


def test_a_failed_response_without_words_waits_for_the_error_event() -> None:
    error = {"type": "error", **SORRY}
    assert types_by_chunk(OpenAIResponsesDecoder, [CREATED, ended("failed"), error]) == [["start"], [], ["error"], []]
    assert final(ended("failed"), error).error_message == "server_error: Sorry"
    assert final(ended("failed")).error_message == "the model stopped: failed"


def test_an_exception_behind_an_error_event_does_not_hide_it() -> None:
    decoder = OpenAIResponsesDecoder()
    decoder.feed({"type": "error", **SORRY})
    assert decoder.fail(OSError("broken pipe"))[-1].partial.error_message == "server_error: Sorry"


def test_two_errors_are_both_shown() -> None:
    message = final({"type": "error", "message": "One"}, ended("failed", error={"message": "Two"}))
    assert message.error_message == "One; Two"
    assert str(final({"type": "error", "code": "server_error"}).error_message).startswith("{")


def test_an_error_keeps_what_streams_into_items() -> None:
    code = added(0, "code_interpreter_call", id="ci_1"), event("code_interpreter_call_code.delta", 0, delta="import")
    message = final(*code, *[event("code_interpreter_call_code.delta", 0, delta="x")] * 20, {"type": "error", **SORRY})
    assert message.content == (
        UnknownContent({"type": "code_interpreter_call", "id": "ci_1", "code": "import" + "x" * 20}),
    )


def test_a_failed_step_of_a_tool_is_no_error_of_the_response() -> None:
    step = event("mcp_call.failed", 0, item_id="mcp_1", error={"message": "No"})
    (block,) = final(added(0, "mcp_call", id="mcp_1"), step, COMPLETED).content
    assert block == UnknownContent({"type": "mcp_call", "id": "mcp_1", "error": {"message": "No"}})


def test_an_error_in_a_completed_response_is_a_detail() -> None:
    message = final(*HI, ended("completed", error={"message": "A warning"}))
    assert (message.stop_reason, message.provider_details["error"]) == (StopReason.STOP, {"message": "A warning"})


# Usage and details


def usage(**fields: Any) -> Usage:
    return final(ended("completed", usage=fields)).usage


def test_usage_in_disjoint_buckets() -> None:
    counts: Chunk = {
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    assert usage(**counts) == Usage(10, 5, 0, 0, 3)
    assert usage(**counts, input_tokens_details={"cached_tokens": 7, "cache_write_tokens": 1}) == Usage(2, 5, 7, 1, 3)
    assert usage(**counts, input_tokens_details=None) == Usage(10, 5, 0, 0, 3)
    assert final(ended("failed", usage=None)).usage == Usage()
    assert usage(input_tokens=3, input_tokens_details={"cached_tokens": 5}) == Usage(0, 0, 5)


def test_usage_under_the_names_of_chat_completions() -> None:
    details: Chunk = {
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    assert usage(prompt_tokens=10, completion_tokens=5, **details) == Usage(6, 5, 4, 0, 1)
    assert usage(input_tokens=10, cache_read_input_tokens=4, cache_creation_input_tokens=1) == Usage(5, 0, 4, 1)


def test_the_total_tells_what_is_counted_apart() -> None:
    reasoned: Chunk = {"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 3}}
    assert usage(**reasoned, total_tokens=18) == Usage(10, 8, 0, 0, 3)
    assert usage(**reasoned, total_tokens=99) == Usage(10, 5, 0, 0, 3)
    cached: Chunk = {"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4}}
    assert usage(**cached, total_tokens=19) == Usage(10, 5, 4)
    assert usage(**cached, total_tokens=99) == Usage(6, 5, 4)


def test_a_count_that_is_known_is_not_overwritten_by_0() -> None:
    first = event("in_progress", response={"usage": {"input_tokens": 7, "output_tokens": 1}})
    assert final(first, ended("completed", usage={"input_tokens": 0, "output_tokens": 2})).usage == Usage(7, 2)


def test_the_response_is_in_the_details_without_the_echo_of_the_request() -> None:
    echo = {
        "instructions": "Be kind",
        "tools": [{"name": "f"}],
        "temperature": 1,
        "metadata": {"a": "b"},
        "text": {"format": "x"},
    }
    message = final(
        ended("completed", **echo, usage={"cost": 0.1}, service_tier="flex", conversation={"id": "conv_1"}, new=1)
    )
    assert message.provider_details == {
        "usage": {"cost": 0.1}, "service_tier": "flex", "conversation": {"id": "conv_1"}, "new": 1
    }  # fmt: skip


def test_details_of_the_first_response_show_at_the_start() -> None:
    created = event("created", response={"id": "resp_1", "service_tier": "flex"}, gateway="g")
    start = decoding.decoded(API, [created, COMPLETED])[0]
    assert start.partial.provider_details == {"service_tier": "flex", "gateway": "g"}


def test_items_keep_what_the_next_request_needs() -> None:
    phase = {"id": "msg_1", "phase": "commentary", "status": "completed"}
    call = {"id": "fc_1", "namespace": "crm", "caller": {"type": "program"}}
    message = final(done(0, message_item("Hi", **phase)), done(1, call_item("c", "f", "{}", **call)), COMPLETED)
    assert [block.provider_details for block in message.content if not isinstance(block, UnknownContent)] == [
        phase,
        call,
    ]


def test_parts_and_their_fields_that_this_package_does_not_know_are_kept() -> None:
    parts = [{"type": "output_text", "text": "Hi", "mood": "good"}, {"type": "output_smell", "smell": "roses"}]
    (block,) = final(done(0, {"type": "message", "content": parts}), COMPLETED).content
    assert not isinstance(block, UnknownContent)
    assert block.provider_details == {"mood": "good", "content": parts[1:]}


# A response that was not streamed

RESPONSE: Chunk = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1700000000,
    "status": "completed",
    "model": "gpt",
    "output": [
        reasoning_item("Hm", id="rs_1", encrypted_content="sig"),
        {"type": "web_search_call", "id": "ws_1"},
        message_item("Hi", id="msg_1"),
        call_item("c", "f", '{"a":1}', id="fc_1"),
    ],
    "usage": {"input_tokens": 3, "output_tokens": 2},
    "error": None,
}


@pytest.mark.parametrize("api", [API, None])
def test_a_whole_response_is_one_chunk(api: str | None) -> None:
    streamed = decoding.final(
        API, [CREATED, *map(done, range(4), RESPONSE["output"]), event("completed", response=RESPONSE)]
    )
    assert [*decode([json.dumps(RESPONSE)], api=api)][-1].partial == streamed
    assert decoding.final(API, [RESPONSE]) == streamed


def test_a_whole_response_that_failed_or_goes_on_is_an_error() -> None:
    failed = decoding.final(API, [{**RESPONSE, "status": "failed", "error": SORRY}])
    assert (failed.error_message, failed.text) == ("server_error: Sorry", "Hi")
    pending = decoding.final(API, [{**RESPONSE, "status": "in_progress"}])
    assert (pending.stop_reason, pending.text, pending.usage.input_tokens) == (StopReason.ERROR, "Hi", 3)


def test_a_final_event_that_is_the_response_itself() -> None:
    message = final(event("completed", output=RESPONSE["output"][2:3], usage={"input_tokens": 3}))
    assert (message.text, message.usage.input_tokens) == ("Hi", 3)


@pytest.mark.parametrize(
    "chunk",
    [
        CREATED,
        text(0, "Hi"),
        {"type": "error", "message": "No"},
        {"type": "error", "error": {}, "sequence_number": 1},
        RESPONSE,
    ],
)
def test_the_format_is_detected(chunk: Chunk) -> None:
    assert [*decode([chunk])][-1].partial.api == API


@pytest.mark.parametrize(
    "chunk", [{"type": "message_start"}, {"type": "error", "error": {}}, {"choices": []}, {}, {"type": 1}]
)
def test_other_formats_are_not_taken_for_this_one(chunk: Chunk) -> None:
    assert not OpenAIResponsesDecoder.recognizes(chunk)
