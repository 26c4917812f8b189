"""Google's streamGenerateContent: how a message ends, its usage and details, and the dicts that SDKs make of it."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any

import pytest
from support.decoding import types_by_chunk
from support.gemini import API, STOP, call, chunk, decoded, final, text

from provider_events import (
    AssistantMessage,
    Done,
    Error,
    ImageContent,
    StopReason,
    TextContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import GoogleDecoder, decode


def fed(*chunks: Any) -> AssistantMessage:
    """Return the message of chunks that are dicts."""
    return [*decode(chunks, api=API)][-1].partial


# How a message ends


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", StopReason.STOP),
        ("stop", StopReason.STOP),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("CONTINUATION", StopReason.LENGTH),
        ("SAFETY", StopReason.ERROR),
        ("RECITATION", StopReason.ERROR),
        ("LANGUAGE", StopReason.ERROR),
        ("OTHER", StopReason.ERROR),
        ("MALFORMED_FUNCTION_CALL", StopReason.ERROR),
        ("UNEXPECTED_TOOL_CALL", StopReason.ERROR),
        ("A_REASON_TO_COME", StopReason.ERROR),
    ],
)
def test_finish_reasons(raw: str, reason: StopReason) -> None:
    message = final(chunk(text("Hi")), chunk(finish=raw))
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


def test_the_words_of_a_finish_reason_are_in_the_error() -> None:
    candidate = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call: f("}
    assert "Malformed function call: f(" in str(final({"candidates": [candidate]}).error_message)


def test_the_words_of_a_natural_end_are_a_detail() -> None:
    message = final(chunk(text("Hi"), finish="STOP", candidate={"finishMessage": "All done."}))
    assert message.stop_reason is StopReason.STOP
    assert message.provider_details == {"finishMessage": "All done."}


def test_without_a_finish_reason_the_stream_was_cut_off() -> None:
    message = final(chunk(text("Hi")), {"usageMetadata": {"promptTokenCount": 1}})
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert "broke off" in str(message.error_message)


@pytest.mark.parametrize("reason", ["FINISH_REASON_UNSPECIFIED", "", None, 0])
def test_an_unspecified_reason_is_none(reason: Any) -> None:
    candidate, feedback = {"finishReason": reason}, {"blockReason": reason}
    for each in (chunk(text("Hi"), candidate=candidate), {"promptFeedback": feedback}):
        message = final(each)
        assert (message.stop_reason, message.raw_stop_reason) == (StopReason.ERROR, None)


def test_text_may_follow_a_finish_reason() -> None:
    assert final(STOP, chunk(text("Hel")), STOP, chunk(text("lo"), finish="STOP")).content == (TextContent("Hello"),)


@pytest.mark.parametrize("part", [text("lo"), call("f"), {"executableCode": {"code": "1"}}])
def test_what_follows_a_finish_reason_needs_one_of_its_own(part: Any) -> None:
    message = final(chunk(text("Hel"), finish="STOP"), chunk(part))
    assert message.stop_reason is StopReason.ERROR and len(message.content)


def test_a_chunk_without_content_may_follow_a_finish_reason() -> None:
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}
    last = decoded(chunk(text("Hi"), finish="STOP"), chunk(text("")), {"usageMetadata": usage})[-1]
    assert isinstance(last, Done) and last.message.usage == Usage(1, 2)


def test_an_exception_is_an_error_even_behind_a_finish_reason() -> None:
    decoder = GoogleDecoder()
    decoder.feed(chunk(text("Hi"), finish="STOP"))
    (last,) = decoder.fail(ConnectionError("reset by peer"))
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert "reset by peer" in str(last.error.error_message)


def test_another_response_behind_a_finish_reason_ends_the_message() -> None:
    first, second = chunk(call("f"), finish="STOP", responseId="r1"), chunk(text("It is"), responseId="r2")
    assert types_by_chunk(GoogleDecoder, [first, second, STOP])[1:] == [["done"], [], []]
    assert fed(first, second, STOP).response_id == "r1"


def test_another_response_id_alone_ends_nothing() -> None:
    last = chunk(text("lo"), responseId="r2", finish="STOP")
    assert final(chunk(text("Hel"), responseId="r1"), last, chunk(responseId="r1")).text == "Hello"
    assert final(chunk(text("Hel"), finish="STOP"), last).text == "Hello", "the first that has an id"


def test_an_end_mark_ends_the_message() -> None:
    assert types_by_chunk(GoogleDecoder, [STOP, "[DONE]"])[1:] == [["done"], []]


# Which streams are Google's


@pytest.mark.parametrize("name", ["candidates", "usageMetadata", "usage_metadata", "promptFeedback", "modelVersion"])
def test_each_sign_is_enough(name: str) -> None:
    assert GoogleDecoder.recognizes({name: {}})
    assert GoogleDecoder.recognizes({"response": {name: {}}})


def test_what_has_no_sign_is_not_googles() -> None:
    assert GoogleDecoder.recognizes({"error": {"code": 503, "status": "UNAVAILABLE"}})
    others: list[Any] = [{}, {"error": "x"}, {"error": {"code": 5}}, {"response": {"usage": 1}}, {"response": 5}]
    assert not any(map(GoogleDecoder.recognizes, others))


# Candidates


def test_one_candidate_is_read_the_first_that_is_seen() -> None:
    both = chunk(text("this"))
    both["candidates"].append({"content": {"parts": [text("other")]}, "finishReason": "MAX_TOKENS", "index": 1})
    second = {"candidates": [both["candidates"][1]]}
    message = final(both, second, STOP)
    assert (message.text, message.raw_stop_reason) == ("this", "STOP")
    assert final(second, chunk(text("that"))).text == "other"


def test_a_candidate_without_an_index_is_the_first() -> None:
    chunks = [{"candidates": [{"content": {"parts": [text(each)]}, "finishReason": "STOP"}]} for each in "ab"]
    assert final(chunks[0], chunk(text("x"), candidate={"index": 1}), chunks[1]).text == "ab"


# Errors and blocked prompts


def test_an_error_payload() -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    last = decoded(chunk(text("Hi")), error, chunk(text(" there")), STOP)[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert "The model is overloaded." in str(last.error.error_message)
    assert "UNAVAILABLE" in str(last.error.error_message)


def test_an_error_beside_candidates() -> None:
    message = final(chunk(text("Hi"), error={"message": "Too late."}))
    assert "Too late." in str(message.error_message)


def test_a_prompt_that_was_blocked() -> None:
    feedback = {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "Violated a filter.", "safetyRatings": []}
    message = final({"promptFeedback": feedback, "modelVersion": "gemini"})
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.ERROR, "MODEL_ARMOR")
    assert "MODEL_ARMOR: Violated a filter." in str(message.error_message)
    assert message.provider_details == {"promptFeedback": feedback}


def test_feedback_on_a_prompt_that_was_not_blocked() -> None:
    feedback = {"safetyRatings": [{"category": "A", "probability": "LOW"}]}
    message = final(chunk(text("Hi"), promptFeedback=feedback), STOP)
    assert message.stop_reason is StopReason.STOP
    assert message.provider_details == {"promptFeedback": feedback}


@pytest.mark.parametrize(
    "payload",
    [
        {"candidates": 5},
        {"candidates": [5]},
        chunk(candidate={"content": []}),
        chunk(candidate={"content": {"parts": 5}}),
        chunk(5),
        chunk({"text": 5}),
        chunk({"functionCall": 5}),
        chunk({"functionCall": {"name": "f", "partialArgs": 5}}),
        chunk({"functionCall": {"name": "f", "partialArgs": [5]}}),
    ],
)
def test_content_of_a_wrong_type_is_an_error(payload: Any) -> None:
    message = final(chunk(text("Hi")), payload, STOP)
    assert message.text == "Hi" and "malformed chunk" in str(message.error_message)


@pytest.mark.parametrize(
    "payload",
    [
        {"candidates": {"content": {"parts": [{"text": "Hi"}]}}},
        {"candidates": [{"content": {"parts": {"text": "Hi"}}}]},
        {"candidates": [{"content": {"parts": ["Hi"]}}]},
        {"candidates": [{"content": "Hi"}]},
    ],
)
def test_an_array_left_out_and_a_text_for_a_part(payload: Any) -> None:
    assert final(payload, STOP).text == "Hi"


# Usage

COUNTS = ["promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount"]
COUNTS += ["candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"]


def usage(*counts: int | None) -> Usage:
    """Return the usage of a report of prompt, tools, cached, candidates, thoughts and total."""
    return final(chunk(text("Hi"), finish="STOP", usageMetadata=dict(zip(COUNTS, counts)))).usage


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ((10, 100, 8, 5, 3, 118), Usage(102, 8, 8, 0, 3)),
        ((10, None, 8, 5, None, None), Usage(2, 5, 8)),
        ((10, None, None, 8, 3, 18), Usage(10, 8, 0, 0, 3)),  # thoughts inside the candidates
        ((110, 100, None, 5, None, 115), Usage(110, 5)),  # the tools' tokens inside the prompt
        ((110, 100, None, 8, 3, 118), Usage(110, 8, 0, 0, 3)),
        ((10, None, 90, 5, 3, 108), Usage(10, 8, 90, 0, 3)),  # cached tokens beside the prompt
        ((10, 100, 90, 5, 3, 208), Usage(110, 8, 90, 0, 3)),
        ((10, 100, 90, 8, 3, 208), Usage(110, 8, 90, 0, 3)),
        ((10, None, None, None, 3, 30), Usage(10, 20, 0, 0, 3)),  # the rest is output
        ((10, None, None, 5, None, 40), Usage(10, 30)),
        ((10, None, 20, 5, 3, 9), Usage(0, 8, 10, 0, 3)),  # a total that is too small tells nothing
        ((0, 0, 0, 0, 0, 0), Usage()),
    ],
)
def test_usage_in_disjoint_buckets(counts: tuple[int | None, ...], found: Usage) -> None:
    assert usage(*counts) == found


def report(*counts: int | None, **more: Any) -> dict[str, Any]:
    return {"usageMetadata": dict(zip(COUNTS, counts)) | more}


def test_the_last_report_counts_as_a_whole() -> None:
    details = [{"modality": "TEXT", "tokenCount": 10}]
    chunks = report(9, None, None, 1, 5, 15), report(10, None, None, 3, None, 13, promptTokensDetails=details)
    message = final(chunk(text("Hi")), *chunks, STOP)
    assert message.usage == Usage(10, 3)
    assert message.provider_details["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 3,
        "totalTokenCount": 13,
        "promptTokensDetails": details,
    }


def test_a_report_without_a_total_adds_to_the_one_before() -> None:
    chunks = report(10, None, None, 3, None, 13), report(0, None, None, 4, trafficType="ON_DEMAND")
    message = final(chunk(text("Hi")), *chunks, STOP)
    assert message.usage == Usage(10, 4)
    assert message.provider_details["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert final(chunk(text("Hi")), *chunks, report(1, None, None, 1, None, 2), STOP).usage == Usage(1, 1)


def test_usage_shows_at_the_start_and_at_an_error() -> None:
    events = decoded(chunk(text("Hi"), **report(10, None, None, None, None, 10)), report(10, None, None, 3, None, 13))
    assert [events[0].partial.usage, events[-1].partial.usage] == [Usage(10), Usage(10, 3)]


@pytest.mark.parametrize("odd", [5, "x", [], {"promptTokenCount": "x"}, {"totalTokenCount": -3}])
def test_usage_of_a_wrong_type_is_no_error(odd: Any) -> None:
    message = final(chunk(text("Hi"), finish="STOP", usageMetadata=odd))
    assert (message.stop_reason, message.usage) == (StopReason.STOP, Usage())


def test_usage_that_is_no_json_is_no_error() -> None:
    message = fed(chunk(text("Hi")), chunk(finish="STOP", usageMetadata={"totalTokenCount": 3, "odd": object()}))
    assert (message.stop_reason, message.usage, message.provider_details) == (StopReason.STOP, Usage(0, 3), {})


# Details


def details(*candidates: dict[str, Any]) -> Any:
    return final(*(chunk(text("Hi"), candidate=candidate) for candidate in candidates), STOP).provider_details


def test_what_a_candidate_has_beside_its_content_is_in_the_details() -> None:
    grounding = {"webSearchQueries": ["gold"], "groundingChunks": [{"web": {"uri": "https://example.org"}}]}
    candidate = {"groundingMetadata": grounding, "avgLogprobs": -0.5, "tokenCount": 3, "hologram": {"depth": 1}}
    assert details(candidate) == candidate


def test_what_a_content_and_a_chunk_have_else_is_in_the_details() -> None:
    message = final(chunk(candidate={"content": {"parts": [], "mood": "fine"}}, modelStatus={"a": 1}), STOP)
    assert message.provider_details == {"mood": "fine", "modelStatus": {"a": 1}}


def test_arrays_go_on_unless_they_repeat_what_is_known() -> None:
    def found(*arrays: list[Any]) -> Any:
        metadata = [{"citationMetadata": {"citations": array}} for array in arrays]
        return details(*metadata)["citationMetadata"]["citations"]

    one, two, three = {"uri": "1"}, {"uri": "2"}, {"uri": "3"}
    assert found([one], [two], [three]) == [one, two, three]
    assert found([one], [one, two], [one, two], [one]) == [one, two]
    assert found([], [one, two], [three]) == [one, two, three]


def test_the_latest_safety_ratings_count() -> None:
    low, high = [{"category": "A", "probability": "LOW"}], [{"category": "A", "probability": "HIGH"}]
    assert details({"safetyRatings": low}, {"safetyRatings": high}) == {"safetyRatings": high}


def test_every_token_keeps_its_log_probability() -> None:
    tokens: Any = {"chosenCandidates": [{"token": "ha", "logProbability": 0}]}
    twice = {"chosenCandidates": tokens["chosenCandidates"] * 2}
    assert details({"logprobsResult": tokens}, {"logprobsResult": tokens}) == {"logprobsResult": twice}


def test_details_show_at_the_start_and_at_an_error() -> None:
    events = decoded(chunk(text("Hi"), modelStatus={"a": 1}), chunk(candidate={"avgLogprobs": -1}))
    assert events[0].partial.provider_details == {"modelStatus": {"a": 1}}
    assert events[-1].partial.provider_details == {"modelStatus": {"a": 1}, "avgLogprobs": -1}


def test_the_time_of_a_message() -> None:
    assert final(chunk(text("Hi"), createTime="2026-04-02T17:03:50.399550Z"), STOP).timestamp == 1775149430399
    assert final(chunk(text("Hi"), createTime="soon"), STOP).timestamp == 0


# Dicts that SDKs make


def test_names_in_snake_case() -> None:
    part = {"function_call": {"name": "f", "args": {"part_metadata": {"max_x": None}}}, "thought_signature": "c2ln"}
    image = {"inline_data": {"mime_type": "image/png", "data": "aGk="}}
    candidate = {"content": {"parts": [part, image]}, "finish_reason": "STOP", "grounding_metadata": {"a_b": 1}}
    counts = {"prompt_token_count": 3, "candidates_token_count": 1, "total_token_count": 4}
    names = {"model_version": "g", "response_id": "r", "parsed": None}
    whole = {"candidates": [candidate], "usage_metadata": counts, **names}
    for api in (API, None):
        message = [*decode([whole], api=api)][-1].partial
        (found, picture) = message.content
        assert isinstance(found, ToolCall) and found.thought_signature == "c2ln"
        assert found.arguments == {"part_metadata": {"max_x": None}}, "what is the caller's stays as it is"
        assert picture == ImageContent("aGk=", "image/png")
        assert (message.model, message.response_id, message.usage) == ("g", "r", Usage(3, 1))
        assert message.provider_details["groundingMetadata"] == {"a_b": 1}


def test_names_in_snake_case_at_any_level() -> None:
    partial = {"name": "f", "partial_args": [{"json_path": "$.a", "string_value": "x"}], "will_continue": True}
    chunks = chunk({"functionCall": partial}), chunk({"function_call": {}}), chunk(candidate={"finish_reason": "STOP"})
    (found,) = final(*chunks).content
    assert found == ToolCall(found.id if isinstance(found, ToolCall) else "", "f", {"a": "x"})


class Reason(str, Enum):
    STOP = "STOP"


def test_python_values_of_a_dump() -> None:
    created = datetime(2026, 4, 2, tzinfo=timezone.utc)
    parts = [{"text": "Hi", "thought": None, "thought_signature": b"\xff\xfe"}, {"executable_code": {"code": b"hi"}}]
    whole = {"candidates": [{"content": {"parts": parts}, "finish_reason": Reason.STOP}], "create_time": created}
    message = fed(whole)
    assert message.content == (TextContent("Hi", "//4="), UnknownContent({"executableCode": {"code": "aGk="}}))
    assert (type(message.raw_stop_reason), message.raw_stop_reason) == (str, "STOP")
    assert message.timestamp == created.timestamp() * 1000
    aliased = chunk(text("Hi", thoughtSignature=b"hi"), finish="STOP", createTime=created)
    assert (fed(aliased).content, fed(aliased).timestamp) == ((TextContent("Hi", "aGk="),), message.timestamp)


@pytest.mark.parametrize(("number", "word"), [(1, "STOP"), (2, "MAX_TOKENS"), (3, "SAFETY"), (99, "99")])
def test_enums_as_numbers(number: int, word: str) -> None:
    assert fed(chunk(text("Hi"), candidate={"finish_reason": number})).raw_stop_reason == word
    assert fed({"prompt_feedback": {"block_reason": 2}}).raw_stop_reason == "OTHER"


def test_what_the_sdk_adds_is_not_in_the_details() -> None:
    own = {"sdkHttpResponse": {"headers": {}}, "automaticFunctionCallingHistory": [], "parsed": {"a": 1}}
    assert final(chunk(text("Hi"), finish="STOP", **own)).provider_details == {}


def test_a_dump_that_is_nested_too_deeply_is_an_error() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert "nesting" in str(fed(chunk(candidate={"groundingMetadata": deep})).error_message)
    assert "JSON" in str(fed(chunk(text("Hi"), candidate={"groundingMetadata": {1, 2}}), STOP).error_message)
