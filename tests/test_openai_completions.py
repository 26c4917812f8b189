"""Chat completions: text, the end of a message, errors, and when each event goes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import decoding
from support.completions import API, DONE, REPORT, STOP, call, choice, chunk, decoded, final, finish, types
from support.decoding import types_by_chunk

from provider_events import Error, StopReason, TextContent, ToolCall, UnknownContent, Usage
from provider_events.decoders import OpenAICompletionsDecoder, decode

# Text


def test_text() -> None:
    message = final(chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"), STOP, DONE)
    assert message.content == (TextContent("Hello"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "stop")
    assert (message.api, message.model, message.response_id) == ("openai-completions", "m", "chatcmpl-1")
    assert (message.timestamp, message.provider) == (1700000000000, "openai")


def test_each_event_goes_out_with_its_chunk_and_the_end_with_the_end_mark() -> None:
    chunks = [chunk(role="assistant"), chunk(content="A"), chunk(reasoning="B"), chunk(content="C"), STOP, DONE]
    assert types_by_chunk(OpenAICompletionsDecoder, chunks) == [
        ["start"],
        ["text_start", "text_delta"],
        ["text_end", "thinking_start", "thinking_delta"],
        ["thinking_end", "text_start", "text_delta"],
        [],
        ["text_end", "done"],
        [],
    ]


def test_text_in_parts_is_text() -> None:
    parts = chunk(content=["A", {"type": "text", "text": "B"}, {"type": "output_text", "text": "C"}, {"text": "D"}])
    assert final(parts, chunk(content={"type": "text", "text": "E"}), STOP).content == (TextContent("ABCDE"),)


def test_a_part_of_another_type_is_unknown_content_between_the_texts() -> None:
    reference: Any = {"type": "reference", "reference_ids": [1]}
    message = final(chunk(content="A"), chunk(content=[reference]), chunk(content="C"), STOP)
    assert message.content == (TextContent("A"), UnknownContent(reference), TextContent("C"))


def test_a_part_that_an_sdk_does_not_know_is_unwrapped() -> None:
    reference: Any = {"type": "dream", "of": "sheep"}
    wrapped = {"type": "UNKNOWN", "raw": reference, "is_unknown": True}
    assert final(chunk(content=[wrapped]), STOP).content == (UnknownContent(reference),)
    assert final(chunk(content=[{**wrapped, "more": 1}]), STOP).content == (UnknownContent({**wrapped, "more": 1}),)


def test_a_refusal_is_text_in_a_block_of_its_own_that_is_marked() -> None:
    refusal = TextContent("I cannot", provider_details={"type": "refusal"})
    message = final(chunk(content="Well."), chunk(refusal="I can"), chunk(refusal="not"), chunk(content="Sorry."), STOP)
    assert message.content == (TextContent("Well."), refusal, TextContent("Sorry."))
    assert message.stop_reason is StopReason.STOP
    assert final(chunk(content=[{"type": "refusal", "refusal": "I cannot"}]), STOP).content == (refusal,)


def test_halves_of_a_character_wait_for_each_other() -> None:
    assert final(chunk(content="\ud83d"), chunk(content="\ude00"), chunk(content="\ud83d"), STOP).text == "😀\ud83d"


def test_old_completions_are_text() -> None:
    chunks = [
        {"object": "text_completion", "choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in "ab"
    ]
    assert final(*chunks, {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}).content == (
        TextContent("ab"),
    )


def test_null_fields_are_missing() -> None:
    nulls = chunk(
        content=None, reasoning=None, refusal=None, tool_calls=None, function_call=None, role=None, audio=None
    )
    message = final({**nulls, "usage": None, "error": None}, chunk(content="Hi"), {"choices": None}, STOP, DONE)
    assert message.content == (TextContent("Hi"),)
    assert message.provider_details == {}


def test_a_first_chunk_without_choices_starts_nothing() -> None:
    filters = {"choices": [], "id": "", "model": "", "created": 0, "prompt_filter_results": [{"prompt_index": 0}]}
    events = decoded(filters, chunk(content="Hi"), {**STOP, "id": "chatcmpl-1"}, DONE)
    assert (events[0].partial.model, events[0].partial.response_id) == ("m", "chatcmpl-1")
    assert events[0].partial.provider_details == {"prompt_filter_results": [{"prompt_index": 0}]}


def test_events_of_other_senders_between_the_chunks_are_kept_as_details() -> None:
    message = final(
        {"tool": "terminal", "label": "running"}, chunk(content="Hi"), {"tool": "terminal", "status": "done"}, STOP
    )
    assert message.content == (TextContent("Hi"),)
    assert message.provider_details == {"tool": "terminal", "label": "running", "status": "done"}


@pytest.mark.parametrize("kind", ["chat.completion.chunk", "chat.completion", "text_completion", "error"])
def test_the_format_is_detected_by_the_kind_of_object_too(kind: str) -> None:
    first = {"object": kind, "message": "no"} if kind == "error" else {"object": kind, "usage": {}}
    assert [*decode([first, chunk(content="Hi"), STOP])][-1].partial.api == API


# Chunks of one shape take a short way


def test_a_chunk_like_the_one_before_adds_nothing_but_its_text() -> None:
    def one(text: str, **fields: Any) -> dict[str, Any]:
        return {**chunk(content=text), "system_fingerprint": "fp", "service_tier": None, **fields}

    changes = [
        one("b", error={"message": "no"}),
        one("b", service_tier="flex"),
        {**one("b"), "more": 1},
        {**one("b"), "choices": [*one("b")["choices"], *choice(1, content="c")["choices"]]},
        {**one("b"), "choices": [{**one("b")["choices"][0], "finish_reason": "length"}]},
        {**one("b"), "choices": [{"index": 1, "delta": {"content": "b"}}]},
        {**one("b"), "choices": [{"index": 0, "delta": {"content": "b", "refusal": "c"}}]},
        {**one("b"), "choices": [{"index": 0, "delta": {"reasoning": "b"}}]},
        {**one("b"), "choices": [{"index": 0, "delta": {"content": ["b"]}}]},
        {**one("b"), "choices": []},
    ]
    for change in changes:
        slow = OpenAICompletionsDecoder()
        slow._shape_of = lambda payload: None  # type: ignore[method-assign]
        chunks = [one("a"), one("a"), change, one("a"), STOP]
        assert decoding.decoded(API, chunks) == [event for each in chunks for event in slow.feed(each)] + slow.close()


@pytest.mark.parametrize("name", ["id", "model"])
def test_the_id_and_the_model_may_come_with_any_chunk(name: str) -> None:
    chunks = [{**chunk(content="a"), name: value} for value in ("", "", "late", "later")]
    message = final(*chunks, STOP)
    assert (message.response_id if name == "id" else message.model) == "late"


def test_a_chunk_that_only_begins_like_one_is_malformed() -> None:
    texts = [json.dumps(chunk(content="a"))] * 2
    for wrong in texts[0] + "{}", texts[0][:-1]:
        assert isinstance([*decode([*texts, wrong])][-1], Error)


# The end


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", StopReason.STOP),
        ("length", StopReason.LENGTH),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("content_filter", StopReason.ERROR),
        ("MALFORMED_FUNCTION_CALL", StopReason.ERROR),
        ("abort", StopReason.ABORTED),
        ("user_cancelled", StopReason.ABORTED),
        ("max-tokens", StopReason.LENGTH),
        ("maxTokens", StopReason.LENGTH),
        ("token limit reached", StopReason.LENGTH),
        ("FinishReason.SENSITIVE", StopReason.ERROR),
        ("ContentFilter", StopReason.ERROR),
        ("blocked_by_policy", StopReason.ERROR),
        ("tool_calls", StopReason.STOP),
        ("a_reason_of_the_future", StopReason.STOP),
    ],
)
def test_finish_reasons(word: str, reason: StopReason) -> None:
    message = final(chunk(content="Hi"), finish(word), DONE)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, word, "Hi")
    assert (word in (message.error_message or "")) is (reason in (StopReason.ERROR, StopReason.ABORTED))


WORDS = {
    StopReason.LENGTH: """max_output_tokens model_context_window_exceeded incomplete max_messages max_tool_calls
        continuation requires_continuation budget_exceeded""",
    StopReason.ERROR: """refusal safety recitation blocklist prohibited_content spii guardrail_intervened moderation
        timeout insufficient_system_resource upstream_failure engine_error""",
}


@pytest.mark.parametrize(("word", "reason"), [(word, reason) for reason in WORDS for word in WORDS[reason].split()])
def test_finish_reasons_under_other_apis_names(word: str, reason: StopReason) -> None:
    assert final(chunk(content="Hi"), finish(word), DONE).stop_reason is reason


def test_what_a_filter_found_is_in_the_error() -> None:
    results = {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False}, "jailbreak": None}
    filtered = {
        "choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter", "content_filter_results": results}]
    }
    assert final(chunk(content="Hi"), filtered).error_message == "the model stopped: content_filter: hate"


def test_tool_use_follows_from_the_calls() -> None:
    for word in "stop", "tool_calls", "function_call":
        assert final(call(0, "id1", "f", "{}"), finish(word), DONE).stop_reason is StopReason.TOOL_USE
    assert final(call(0, "id1", "f", "{}"), DONE).stop_reason is StopReason.TOOL_USE


def test_a_limit_within_a_call_stays_a_limit() -> None:
    message = final(call(0, "id1", "f", '{"a'), finish("length"), DONE)
    assert message.stop_reason is StopReason.LENGTH
    assert message.tool_calls[0].invalid_arguments == '{"a'


def test_an_end_mark_without_a_finish_reason_is_an_end() -> None:
    for mark in DONE, "[done]", ' "[DONE]"\n':
        message = final(chunk(content="Hi"), mark)
        assert (message.text, message.stop_reason, message.raw_stop_reason) == ("Hi", StopReason.STOP, None)


def test_a_finish_reason_without_an_end_mark_is_an_end() -> None:
    assert final(chunk(content="Hi"), STOP).stop_reason is StopReason.STOP
    decoder = OpenAICompletionsDecoder()
    for each in chunk(content="Hi"), STOP:
        decoder.feed(each)
    assert decoder.fail(ConnectionError("reset"))[-1].is_done


@pytest.mark.parametrize("word", ["", "null", "None", None, 5])
def test_a_finish_reason_that_is_none_is_no_end(word: Any) -> None:
    message = final(chunk(content="Hi"), finish(word))
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


def test_a_stream_without_either_was_cut_off() -> None:
    message = final(chunk(content="Hi"), call(0, "id1", "f", '{"a": "b'))
    assert message.stop_reason is StopReason.ERROR
    assert (message.text, message.tool_calls) == ("Hi", (ToolCall("id1", "f", {"a": "b"}),))


def test_an_end_mark_before_any_content_is_no_end() -> None:
    assert final(chunk(role="assistant", content=""), DONE).stop_reason is StopReason.ERROR
    assert final(DONE).stop_reason is StopReason.ERROR


def test_content_after_a_finish_reason_needs_another_end() -> None:
    chunks = chunk(content="Wait."), STOP, chunk(content=" It is 6.")
    assert final(*chunks).stop_reason is StopReason.ERROR
    for end in STOP, DONE:
        message = final(*chunks, end)
        assert (message.stop_reason, message.text) == (StopReason.STOP, "Wait. It is 6.")


def test_usage_after_a_finish_reason_needs_none() -> None:
    late = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}], "usage": REPORT}
    message = final(chunk(content="Hi"), STOP, late)
    assert (message.stop_reason, message.usage) == (StopReason.STOP, Usage(10, 5))


def test_what_follows_the_end_is_ignored() -> None:
    assert types(chunk(content="Hi"), STOP, STOP, DONE, chunk(content="more"), DONE).count("text_delta") == 1


# Errors


def test_an_error_mid_stream_keeps_the_content_and_the_words() -> None:
    error = {
        "error": {"message": "Overloaded, try later", "type": "server_error", "code": 503, "metadata": {"id": "e1"}}
    }
    last = decoded(chunk(content="Hi"), error, chunk(content=" there"), STOP, DONE)[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert last.error.error_message == "server_error 503: Overloaded, try later"
    assert last.error.provider_details == error


@pytest.mark.parametrize(
    "error",
    [
        {"error": "no more"},
        {"error": {"code": 400, "message": "no more"}},
        {"object": "error", "type": "server_error", "message": "no more"},
        {"choices": None, "error_type": "BadRequestError", "error_message": "no more"},
        {"code": "Throttling", "message": "no more", "request_id": "r"},
        {"detail": "no more"},
        {"base_resp": {"status_code": 1002, "status_msg": "no more"}},
    ],
)
def test_errors_of_other_shapes(error: dict[str, Any]) -> None:
    message = final(chunk(content="Hi"), error, STOP)
    assert message.text == "Hi" and "no more" in str(message.error_message)
    assert types_by_chunk(OpenAICompletionsDecoder, [error]) == [["error"], []]


@pytest.mark.parametrize("place", ["payload", "choice", "x_groq"])
def test_an_error_beside_content_comes_after_it(place: str) -> None:
    error = {"error": {"message": "upstream went away"}}
    last = chunk(content=" there")
    if place == "choice":
        last["choices"][0] |= {**error, "finish_reason": "error"}
    else:
        last |= error if place == "payload" else {"x_groq": error}
    message = final(chunk(content="Hi"), last)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi there")
    assert message.error_message == "upstream went away"


def test_an_error_that_is_empty_is_none() -> None:
    fine = {"error": {}, "errors": [], "base_resp": {"status_code": 0, "status_msg": ""}}
    assert final({**chunk(content="Hi"), **fine}, STOP).stop_reason is StopReason.STOP


@pytest.mark.parametrize(
    "delta", [{"content": 5}, {"tool_calls": [5]}, {"refusal": []}, 5, {"content": [{"type": "text", "text": 5}]}]
)
def test_content_of_a_wrong_type_is_an_error_with_its_path(delta: Any) -> None:
    if delta == {"refusal": []}:
        delta = {"refusal": [1]}
    message = final(chunk(content="Hi"), {"choices": [{"index": 0, "delta": delta}]}, STOP, DONE)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert "malformed chunk: delta" in str(message.error_message)


def test_minor_fields_of_a_wrong_type_are_no_error() -> None:
    odd = {"usage": [5], "x_groq": 5, "id": 5, "model": [], "created": "now", "service_tier": 5}
    minor = chunk(content="Hi", annotations=5, audio=5, extra_content=5, reasoning_details=5, executed_tools=5)
    odd_pieces = chunk(reasoning_details=[5, {"type": "reasoning.text", "text": 5, "summary": [5]}])
    minor["choices"][0] |= {"logprobs": 5, "usage": 5, "content_filter_results": 5}
    assert final({**minor, **odd}, odd_pieces, STOP).stop_reason is StopReason.STOP


def test_an_error_with_a_type_beside_it_is_of_another_api() -> None:
    error = {"message": "Slow down"}
    others: list[dict[str, Any]] = [
        {"type": "error", "error": error},
        {"object": "response", "error": error},
        {"error": {**error, "status": "UNAVAILABLE"}},
    ]
    assert OpenAICompletionsDecoder.recognizes({"error": error})
    assert not any(map(OpenAICompletionsDecoder.recognizes, others))
