"""Google's streamGenerateContent: the mapping rules, and what Gemini and Vertex AI have been seen to send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from laws import assert_lawful

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Error,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import decode


def chunk(*parts: Any, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **({"finishReason": finish} if finish else {})}
    return {"candidates": [candidate], "modelVersion": "gemini", "responseId": "r_1", **fields}


def text(text: str, **fields: Any) -> dict[str, Any]:
    return {"text": text, **fields}


def call(name: str, **fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **fields}}


def partial(path: str, *, more: bool = True, **value: Any) -> dict[str, Any]:
    """A part with one value of a call's partialArgs."""
    return {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": more}}


STOP = chunk(finish="STOP")
END_OF_CALL: dict[str, Any] = {"functionCall": {}}


def decoded(*chunks: Any) -> list[AnyProviderEvent]:
    events = list(decode(map(json.dumps, chunks), api="google-generative-ai"))
    assert_lawful(events)
    return events


def final(*chunks: Any) -> AssistantMessage:
    message = decoded(*chunks)[-1].partial
    assert message is not None
    return message


def content(*parts: Any) -> tuple[Any, ...]:
    """The content of a complete message whose parts came one by one."""
    message = final(*map(chunk, parts), STOP)
    assert message.raw_stop_reason == "STOP" and message.error_message is None
    return message.content


def arguments(*parts: Any) -> Any:
    """The arguments of the one call that parts make, which the laws compare with its deltas."""
    (found,) = content(call("f", willContinue=True), *parts, END_OF_CALL)
    assert found.name == "f" and found.invalid_arguments is None
    return found.arguments


# Text, thinking, and other parts


def test_text() -> None:
    message = final(chunk(text("Hel")), chunk(text("lo"), finish="STOP"))
    assert message.content == (TextContent("Hello"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "STOP")
    assert (message.api, message.model, message.response_id) == ("google-generative-ai", "gemini", "r_1")


def test_thought_parts_are_thinking() -> None:
    parts = text("H", thought=True), text("m", thought=True), text("Yes"), text("Wait", thought=True)
    assert content(*parts) == (ThinkingContent("Hm"), TextContent("Yes"), ThinkingContent("Wait"))


def test_only_the_first_candidate_counts() -> None:
    both = chunk(text("this"))
    both["candidates"].append({"content": {"parts": [text("other")]}, "finishReason": "MAX_TOKENS", "index": 1})
    message = final(both, STOP)
    assert (message.text, message.raw_stop_reason) == ("this", "STOP")


def test_a_signature_is_kept_on_each_kind_of_block() -> None:
    thinking = text("Hm", thought=True, thoughtSignature="c2ln")
    assert content(thinking) == (ThinkingContent("Hm", "c2ln"),)
    assert content(text("Hi", thoughtSignature="c2ln")) == (TextContent("Hi", "c2ln"),)
    (found,) = content({**call("f", id="id1"), "thoughtSignature": "c2ln"})
    assert found == ToolCall("id1", "f", {}, thought_signature="c2ln")


def test_a_signature_on_an_empty_part_belongs_to_the_block_before_it() -> None:
    assert content(text("Hi"), text("", thoughtSignature="c2ln")) == (TextContent("Hi", "c2ln"),)


def test_a_signature_shows_in_the_end_event_of_its_call() -> None:
    (ended,) = [e for e in decoded(chunk({**call("f"), "thoughtSignature": "c2ln"}), STOP) if e.type == "toolcall_end"]
    assert ended.tool_call.thought_signature == "c2ln"


def test_an_inline_picture() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    assert content(text("Look:"), picture, text("Nice")) == (
        TextContent("Look:"),
        ImageContent("aGk=", "image/png"),
        TextContent("Nice"),
    )


def test_executable_code_and_its_result_are_kept() -> None:
    code: Any = {"executableCode": {"language": "PYTHON", "code": "print(1)"}}
    result: Any = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}
    assert content(code, result, text("One")) == (UnknownContent(code), UnknownContent(result), TextContent("One"))


def test_parts_of_kinds_to_come_are_kept() -> None:
    assert content({"hologram": {"depth": 3}}) == (UnknownContent({"hologram": {"depth": 3}}),)


# Function calls


def test_a_function_call_that_arrives_whole_has_one_delta() -> None:
    events = decoded(chunk(call("f", args={"a": {"b": ["ä", 1.5, None]}}), finish="STOP"))
    assert [event.type for event in events] == ["start", "toolcall_start", "toolcall_delta", "toolcall_end", "done"]
    message = events[-1].partial
    assert message and message.tool_calls[0].arguments == {"a": {"b": ["ä", 1.5, None]}}


def test_stop_over_function_calls_is_tool_use() -> None:
    message = final(chunk(call("f", args={})), STOP)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "STOP")


@pytest.mark.parametrize("fields", [{}, {"args": {}}, {"args": None}])
def test_a_call_without_arguments(fields: dict[str, Any]) -> None:
    (found,) = content(call("f", **fields))
    assert (found.name, found.arguments, found.invalid_arguments) == ("f", {}, None)


def test_parallel_calls_in_one_chunk_and_in_several() -> None:
    one, two = call("f", args={"a": 1}), call("f", args={"a": 2})
    for message in (final(chunk(one, two), STOP), final(chunk(one), chunk(two), STOP)):
        first, second = message.tool_calls
        assert (first.arguments, second.arguments) == ({"a": 1}, {"a": 2})
        assert first.id and second.id and first.id != second.id


def test_an_id_is_kept() -> None:
    (found,) = content(call("f", id="id1"))
    assert found.id == "id1"


def test_a_call_ends_the_text_before_it() -> None:
    types = [event.type for event in decoded(chunk(text("So")), chunk(call("f")), STOP)]
    assert types.index("text_end") < types.index("toolcall_start")


# Arguments in pieces


def test_pieces_of_a_string() -> None:
    pieces = partial("$.city", stringValue="New ", willContinue=True), partial("$.city", stringValue='"York"\n\\', willContinue=True)
    assert arguments(*pieces, partial("$.city", stringValue="")) == {"city": 'New "York"\n\\'}


def test_numbers_booleans_and_null() -> None:
    values = [
        partial("$.whole", numberValue=3),
        partial("$.double", numberValue=4.0),
        partial("$.fraction", numberValue=-0.5),
        partial("$.yes", boolValue=True),
        partial("$.no", boolValue=False),
        partial("$.nothing", nullValue="NULL_VALUE"),
    ]
    found = arguments(*values)
    assert found == {"whole": 3, "double": 4, "fraction": -0.5, "yes": True, "no": False, "nothing": None}
    assert found["yes"] is True and found["no"] is False and type(found["double"]) is int


def test_nested_objects() -> None:
    values = [
        partial("$.a.b.c", numberValue=1),
        partial("$.a.b.d", stringValue="x", willContinue=True),
        partial("$.a.b.d", stringValue="y"),
        partial("$.a.e", numberValue=2),
        partial("$.f.g", boolValue=True),
    ]
    assert arguments(*values) == {"a": {"b": {"c": 1, "d": "xy"}, "e": 2}, "f": {"g": True}}


def test_nested_arrays() -> None:
    values = [
        partial("$.a[0]", stringValue="x"),
        partial("$.a[1]", stringValue="y", willContinue=True),
        partial("$.a[1]", stringValue="z"),
        partial("$.b[0][0]", numberValue=1),
        partial("$.b[0][1]", numberValue=2),
        partial("$.b[1][0]", numberValue=3),
    ]
    assert arguments(*values) == {"a": ["x", "yz"], "b": [[1, 2], [3]]}


def test_objects_in_arrays() -> None:
    values = [
        partial("$.to[0].name", stringValue="Ann"),
        partial("$.to[0].tags[0]", stringValue="x"),
        partial("$.to[1].name", stringValue="Bob"),
        partial("$.n", numberValue=2),
    ]
    assert arguments(*values) == {"to": [{"name": "Ann", "tags": ["x"]}, {"name": "Bob"}], "n": 2}


def test_names_in_brackets() -> None:
    assert arguments(partial("$['a.b']", numberValue=1), partial('$["c d"].e', numberValue=2)) == {"a.b": 1, "c d": {"e": 2}}


def test_several_values_in_one_part() -> None:
    args = [{"jsonPath": "$.a", "numberValue": 1}, {"jsonPath": "$.b", "stringValue": "x"}]
    assert arguments({"functionCall": {"partialArgs": args, "willContinue": True}}) == {"a": 1, "b": "x"}


def test_a_call_that_says_its_name_and_first_values_at_once_and_does_not_go_on() -> None:
    (found,) = content(call("f", partialArgs=[{"jsonPath": "$.a", "numberValue": 1}]))
    assert found.arguments == {"a": 1}


def test_parallel_calls_in_pieces() -> None:
    begin, first, second = call("f", willContinue=True), partial("$.a", stringValue="x"), partial("$.a", stringValue="y")
    calls = content(begin, first, END_OF_CALL, begin, second, END_OF_CALL)
    assert [found.arguments for found in calls] == [{"a": "x"}, {"a": "y"}]
    assert [found.arguments for found in content(begin, first, begin, second)] == [{"a": "x"}, {"a": "y"}]


def test_arguments_in_pieces_are_readable_as_they_come() -> None:
    chunks = chunk(call("f", willContinue=True)), chunk(partial("$.a", numberValue=1)), chunk(partial("$.b", stringValue="x", willContinue=True))
    last = decoded(*chunks)[-1]
    assert isinstance(last, Error) and last.error.tool_calls[0].arguments == {"a": 1, "b": "x"}


@pytest.mark.parametrize("path", ["city", "$", "$.a[", "$..a", "$.a[x]", "", None, 5])
def test_a_path_that_is_none_is_an_error(path: Any) -> None:
    message = final(chunk(text("Hi")), chunk(call("f", willContinue=True)), chunk(partial(path, numberValue=1)), STOP)
    assert (message.stop_reason, message.text, len(message.tool_calls)) == (StopReason.ERROR, "Hi", 1)


# Endings


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", StopReason.STOP),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("SAFETY", StopReason.ERROR),
        ("RECITATION", StopReason.ERROR),
        ("MALFORMED_FUNCTION_CALL", StopReason.ERROR),
        ("A_REASON_NOBODY_KNOWS", StopReason.ERROR),
    ],
)
def test_finish_reasons(raw: str, reason: StopReason) -> None:
    message = final(chunk(text("Hi")), chunk(finish=raw))
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


def test_a_stop_without_content_is_told_in_googles_words() -> None:
    candidate = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call: f(", "index": 0}
    assert "Malformed function call: f(" in str(final({"candidates": [candidate]}).error_message)


def test_a_prompt_that_was_blocked() -> None:
    message = final({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "gemini"})
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.ERROR, "PROHIBITED_CONTENT")
    assert "PROHIBITED_CONTENT" in str(message.error_message)


def test_an_error_payload() -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    last = decoded(chunk(text("Hi")), error, chunk(text(" there")), STOP)[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert "The model is overloaded." in str(last.error.error_message)
    assert "UNAVAILABLE" in str(last.error.error_message)


def test_without_a_finish_reason_the_stream_was_cut_off() -> None:
    message = final(chunk(text("Hi")), {"usageMetadata": {"promptTokenCount": 1}})
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


# Usage


def test_usage_in_disjoint_buckets() -> None:
    counts = {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 8,
        "toolUsePromptTokenCount": 100,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 118,
    }
    assert final(chunk(text("Hi"), finish="STOP", usageMetadata=counts)).usage == Usage(102, 8, 8, 0, 118, 3)


def test_later_reports_overwrite_earlier_ones_field_by_field() -> None:
    first = chunk(text("Hi"), usageMetadata={"promptTokenCount": 10, "candidatesTokenCount": 1})
    last = chunk(finish="STOP", usageMetadata={"promptTokenCount": None, "candidatesTokenCount": 5})
    assert final(first, last).usage == Usage(10, 5, 0, 0, 15)
