"""Google's streamGenerateContent: what each part gives, and when."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.decoding import types_by_chunk
from support.gemini import STOP, call, chunk, content, decoded, final, text, thought

from provider_events import (
    Done,
    ImageContent,
    StopReason,
    TextContent,
    TextDelta,
    TextEnd,
    ThinkingContent,
    ToolCall,
    ToolCallEnd,
    UnknownContent,
)
from provider_events.decoders import GoogleDecoder, decode

PICTURE = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
CODE: Any = {"executableCode": {"language": "PYTHON", "code": "print(1)", "id": "c1"}}
RESULT: Any = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n", "id": "c1"}}


# Text and thinking


def test_text() -> None:
    message = final(chunk(text("Hel"), responseId="r_1"), chunk(text("lo"), finish="STOP"))
    assert message.content == (TextContent("Hello"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "STOP")
    assert (message.api, message.provider, message.model) == ("google-generative-ai", "google", "gemini")
    assert message.response_id == "r_1"


def test_each_event_goes_out_with_its_chunk() -> None:
    parts = thought("Hm"), text("H"), text("i", thoughtSignature="c2ln"), call("f", args={"a": 1}), text("So")
    assert types_by_chunk(GoogleDecoder, [*map(chunk, parts), STOP]) == [
        ["start", "thinking_start", "thinking_delta"],
        ["thinking_end", "text_start", "text_delta"],
        ["text_delta", "text_end"],
        ["toolcall_start", "toolcall_delta", "toolcall_end"],
        ["text_start", "text_delta"],
        [],
        ["text_end", "done"],
    ]


def test_a_call_ends_the_text_before_it() -> None:
    called = types_by_chunk(GoogleDecoder, [chunk(text("So")), chunk(call("f", args={"a": 1}))])[1]
    assert called == ["text_end", "toolcall_start", "toolcall_delta", "toolcall_end"]


def test_a_thought_may_be_the_text_itself() -> None:
    (block,) = content({"thought": "Hm"})
    assert isinstance(block, ThinkingContent) and block.thinking == "Hm"
    (block,) = content({"thought": "yes", "text": "Hm"})
    assert isinstance(block, ThinkingContent) and block.thinking == "Hm"


def test_the_index_of_a_candidate_may_be_a_text() -> None:
    last = chunk(text("i"), finish="STOP", candidate={"index": "0"})
    assert final(chunk(text("H"), candidate={"index": 0}), last).text == "Hi"


def test_thought_parts_are_thinking() -> None:
    parts = thought("H"), thought("m"), text("Yes", thought=False), thought("Wait")
    assert content(*parts) == (ThinkingContent("Hm"), TextContent("Yes"), ThinkingContent("Wait"))


@pytest.mark.parametrize("part", [{}, text(""), text(None), thought(""), {"thought": True}, {"thoughtSignature": ""}])
def test_a_part_with_nothing_in_it_begins_no_block(part: Any) -> None:
    assert content(part, text("Hi"), part, text("!"), part) == (TextContent("Hi!"),)


def test_what_else_a_part_of_text_has_is_in_the_details_of_its_block() -> None:
    part = text("Hi", partMetadata={"speaker": "a"}, videoMetadata=None)
    assert content(part, text("!")) == (TextContent("Hi!", provider_details={"partMetadata": {"speaker": "a"}}),)


def test_half_a_surrogate_pair_waits_for_the_other() -> None:
    events = decoded(chunk(text("a\ud83d")), chunk(text("\ude00b")), STOP)
    deltas = [event.delta for event in events if isinstance(event, TextDelta)]
    assert deltas == ["a", "\U0001f600b"]


# Signatures


def test_a_signature_is_kept_on_each_kind_of_block() -> None:
    assert content(thought("Hm", thoughtSignature="c2ln")) == (ThinkingContent("Hm", "c2ln"),)
    assert content(text("Hi", thoughtSignature="c2ln")) == (TextContent("Hi", "c2ln"),)
    (found,) = content({**call("f", id="id1"), "thoughtSignature": "c2ln"})
    assert found == ToolCall("id1", "f", {}, thought_signature="c2ln")


def test_text_behind_a_signed_part_begins_a_block_of_its_own() -> None:
    signed, also_signed = text("Hi", thoughtSignature="MQ=="), text("!", thoughtSignature="Mg==")
    assert content(signed, text(" you"), text(" there")) == (TextContent("Hi", "MQ=="), TextContent(" you there"))
    assert content(signed, also_signed) == (TextContent("Hi", "MQ=="), TextContent("!", "Mg=="))
    thoughts = thought("H", thoughtSignature="MQ=="), thought("m")
    assert content(*thoughts) == (ThinkingContent("H", "MQ=="), ThinkingContent("m"))


def test_text_before_a_signed_part_is_in_its_block() -> None:
    assert content(text("H"), text("i", thoughtSignature="c2ln")) == (TextContent("Hi", "c2ln"),)


@pytest.mark.parametrize("part", [text("", thoughtSignature="c2ln"), {"thoughtSignature": "c2ln"}])
def test_a_signature_without_text_belongs_to_the_block_before_it(part: Any) -> None:
    assert content(text("Hi"), part) == (TextContent("Hi", "c2ln"),)


def test_a_signature_alone_belongs_to_the_thinking_before_it() -> None:
    assert content(thought("Hm"), {"thoughtSignature": "c2ln"}) == (ThinkingContent("Hm", "c2ln"),)


@pytest.mark.parametrize("part", [text("", thoughtSignature="Mg=="), {"thoughtSignature": "Mg=="}])
def test_a_signature_with_no_open_block_before_it_has_a_block_of_its_own(part: Any) -> None:
    found = content(call("f", id="1"), part)
    assert found == (ToolCall("1", "f", {}), TextContent("", "Mg=="))
    assert content(text("Hi", thoughtSignature="MQ=="), part) == (TextContent("Hi", "MQ=="), TextContent("", "Mg=="))


def test_a_signature_shows_in_the_end_event_of_its_block() -> None:
    signed = chunk({**call("f"), "thoughtSignature": "c2ln"})
    (ended,) = [event for event in decoded(signed, STOP) if isinstance(event, ToolCallEnd)]
    assert ended.tool_call.thought_signature == "c2ln"
    (end,) = [e for e in decoded(chunk(text("Hi", thoughtSignature="c2ln")), STOP) if isinstance(e, TextEnd)]
    assert end.partial.content == (TextContent("Hi", "c2ln"),)


@pytest.mark.parametrize("odd", [5, {}, [], ""])
def test_a_signature_of_a_wrong_type_is_none(odd: Any) -> None:
    assert content(text("H", thoughtSignature=odd), text("i")) == (TextContent("Hi"),)


def test_a_signature_in_the_alphabet_for_urls_is_kept_in_the_apis() -> None:
    assert content(text("Hi", thoughtSignature="-_8=")) == (TextContent("Hi", "+/8="),)


# Pictures, code, server-side tools


def test_an_inline_picture_stands_between_the_text_around_it() -> None:
    found = content(text("Look:"), PICTURE, text("Nice"))
    assert found == (TextContent("Look:"), ImageContent("aGk=", "image/png"), TextContent("Nice"))
    assert types_by_chunk(GoogleDecoder, [chunk(text("Look:")), chunk(PICTURE)])[1] == ["text_end"]


def test_what_else_a_picture_has_is_in_its_details() -> None:
    blob = {**PICTURE["inlineData"], "displayName": "cat"}
    (found,) = content({"inlineData": blob, "thoughtSignature": "c2ln", "partMetadata": {"a": 1}})
    details = {"thoughtSignature": "c2ln", "displayName": "cat", "partMetadata": {"a": 1}}
    assert found == ImageContent("aGk=", "image/png", details)


def test_a_draft_of_a_picture_is_not_taken_for_the_answer() -> None:
    draft: Any = {**PICTURE, "thought": True}
    assert content(draft, PICTURE) == (UnknownContent(draft), ImageContent("aGk=", "image/png"))


@pytest.mark.parametrize(
    "blob", [{"mimeType": "audio/pcm", "data": "aGk="}, {"data": "aGk="}, {"mimeType": "image/png"}, {}]
)
def test_inline_data_that_is_no_picture_is_kept(blob: dict[str, Any]) -> None:
    assert content({"inlineData": blob}) == (UnknownContent({"inlineData": blob}),)


def test_text_beside_a_picture() -> None:
    found = content({**PICTURE, "text": "Look:", "thoughtSignature": "c2ln"})
    assert found == (TextContent("Look:"), ImageContent("aGk=", "image/png", {"thoughtSignature": "c2ln"}))
    sound: Any = {"inlineData": {"mimeType": "audio/pcm", "data": "aGk="}}
    assert content({**sound, "text": "Hear:"}) == (TextContent("Hear:"), UnknownContent(sound))


def test_an_empty_text_beside_a_picture_is_none() -> None:
    assert content({**PICTURE, "text": "", "thought": False}) == (ImageContent("aGk=", "image/png"),)


def test_executable_code_and_its_result_are_kept_where_they_stand() -> None:
    found = content(text("So"), CODE, {**RESULT, "thoughtSignature": "c2ln"}, text("One"))
    signed = {**RESULT, "thoughtSignature": "c2ln"}
    assert found == (TextContent("So"), UnknownContent(CODE), UnknownContent(signed), TextContent("One"))


@pytest.mark.parametrize("kind", ["toolCall", "toolResponse", "fileData", "hologram"])
def test_parts_of_other_kinds_are_kept(kind: str) -> None:
    part: Any = {kind: {"id": "1", "depth": 3}}
    assert content(part) == (UnknownContent(part),)


# Function calls


def test_a_function_call_that_arrives_whole_has_one_delta() -> None:
    events = decoded(chunk(call("f", args={"a": {"b": ["ä", 1.5, None]}}), finish="STOP"))
    assert [event.type for event in events] == ["start", "toolcall_start", "toolcall_delta", "toolcall_end", "done"]
    assert events[-1].partial.tool_calls[0].arguments == {"a": {"b": ["ä", 1.5, None]}}


@pytest.mark.parametrize(
    ("word", "reason"), [("FinishReason.STOP", StopReason.STOP), ("FinishReason.SAFETY", StopReason.ERROR)]
)
def test_a_finish_reason_with_the_name_of_its_enum(word: str, reason: StopReason) -> None:
    message = final(chunk(text("Hi"), candidate={"finishReason": word}))
    assert (message.stop_reason, message.raw_stop_reason) == (reason, word)


def test_stop_over_function_calls_is_tool_use() -> None:
    last = decoded(chunk(call("f", args={})), STOP)[-1]
    assert isinstance(last, Done) and last.reason is StopReason.TOOL_USE
    assert last.message.raw_stop_reason == "STOP"


@pytest.mark.parametrize("fields", [{}, {"args": {}}, {"args": None}, {"args": ""}])
def test_a_call_without_arguments(fields: dict[str, Any]) -> None:
    (found,) = content(call("f", **fields))
    assert (found.name, found.arguments, found.invalid_arguments) == ("f", {}, None)


def test_arguments_as_text() -> None:
    (found,) = content(call("f", args='{"a": 1}'))
    assert found.arguments == {"a": 1}


@pytest.mark.parametrize(("args", "invalid"), [([1], "[1]"), ("f(", "f("), (3, "3")])
def test_arguments_that_are_no_object_are_kept_as_text(args: Any, invalid: str) -> None:
    (found,) = content(call("f", args=args))
    assert (found.arguments, found.invalid_arguments) == ({}, invalid)


def test_parallel_calls_in_one_chunk_and_in_several() -> None:
    one, two = call("f", args={"a": 1}), call("f", args={"a": 2})
    for message in (final(chunk(one, two), STOP), final(chunk(one), chunk(two), STOP)):
        first, second = message.tool_calls
        assert (first.arguments, second.arguments) == ({"a": 1}, {"a": 2})
        assert first.id and second.id and first.id != second.id


def test_two_calls_with_equal_arguments_are_two_calls() -> None:
    assert len(content(call("f", args={"a": 1}), call("f", args={"a": 1}))) == 2


def test_an_id_is_kept() -> None:
    (found,) = content(call("f", id="id1"))
    assert found.id == "id1"


def test_two_calls_with_one_id_get_two() -> None:
    first, second = content(call("f", id="f", args={"a": 1}), call("f", id="f", args={"a": 2}))
    assert first.id == "f" != second.id
    assert second.provider_details == {"id": "f"}


def test_a_part_with_text_and_a_call_has_both() -> None:
    first, second = content({**call("f", id="1"), "text": "So", "thoughtSignature": "c2ln"})
    assert (first, second) == (TextContent("So"), ToolCall("1", "f", {}, "c2ln"))


def test_what_else_a_call_has_is_in_its_details() -> None:
    (found,) = content({"functionCall": {"name": "f", "args": {}, "priority": 2}, "partMetadata": {"a": 1}})
    assert found.provider_details == {"priority": 2, "partMetadata": {"a": 1}}


def test_a_call_with_nothing_in_it_is_none() -> None:
    assert content(text("Hi"), {"functionCall": {}}, text("!")) == (TextContent("Hi!"),)


# Lists of chunks, whole responses, other spellings


def test_a_list_of_chunks() -> None:
    chunks = [chunk(text("Hel")), chunk(text("lo"), finish="STOP")]
    given: list[Any]
    for given in ([chunks], [[chunks[0]], [chunks[1]]]):
        assert [*decode(given)][-1].partial.content == (TextContent("Hello"),)


def test_a_whole_response_is_a_valid_stream() -> None:
    whole = chunk(thought("Hm"), text("Hi"), call("f", args={"a": 1}), finish="STOP")
    parts = [chunk(part) for part in whole["candidates"][0]["content"]["parts"]]
    assert final(whole) == final(*parts, STOP)


def test_a_response_in_code_assists_wrapper() -> None:
    wrapped: list[Any] = [
        {"response": chunk(text("Hi")), "traceId": "t1"},
        {"response": STOP, "traceId": "t1", "credits": None},
    ]
    for api in ("google-generative-ai", None):
        message = [*decode(wrapped, api=api)][-1].partial
        assert (message.text, message.stop_reason, message.model) == ("Hi", StopReason.STOP, "gemini")
        assert message.provider_details == {"traceId": "t1"}


NAMES = """
automaticFunctionCallingHistory createTime modelStatus modelVersion promptFeedback responseId sdkHttpResponse
usageMetadata blockReason blockReasonMessage cacheTokensDetails cachedContentTokenCount candidatesTokenCount
candidatesTokensDetails promptTokenCount promptTokensDetails thoughtsTokenCount toolUsePromptTokenCount
toolUsePromptTokensDetails totalTokenCount trafficType tokenCount avgLogprobs citationMetadata finishMessage
finishReason groundingMetadata logprobsResult safetyRatings urlContextMetadata continuationToken codeExecutionResult
displayName executableCode fileData functionCall functionResponse inlineData mimeType partMetadata thoughtSignature
toolCall toolResponse toolType videoMetadata fileUri boolValue jsonPath nullValue numberValue partialArgs stringValue
willContinue
""".split()


def test_the_names_of_the_sdks_are_those_of_the_api() -> None:
    dumped = {re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name): 1 for name in NAMES}
    message = final(chunk(text("Hi"), candidate={"grounding_metadata": dumped}), STOP)
    assert message.provider_details["groundingMetadata"] == dict.fromkeys(NAMES, 1)


@pytest.mark.parametrize(
    "word",
    ["STOP", "END_TURN", "stop_sequence", "PAUSE_TURN", "complete", "completed", "eos", "EOS_TOKEN"]
    + ["tool_use", "TOOL_CALLS", "tool_call", "function_call", "requires_action"],
)
def test_a_natural_end_under_another_apis_name_is_no_failure(word: str) -> None:
    message = final(chunk(text("Hi"), finish=word))
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, word)
