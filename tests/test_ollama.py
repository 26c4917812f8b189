"""Ollama's native chat: one JSON object a line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import decoding
from support.decoding import types_by_chunk

from provider_events import (
    AssistantMessage,
    Error,
    ImageContent,
    MessageEvent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import OllamaDecoder, decode

API = "ollama-chat"
TIME = "2023-08-04T08:52:19.385406455-07:00"


def line(content: Any = "", **fields: Any) -> dict[str, Any]:
    return {
        "model": "llama3.2",
        "created_at": TIME,
        "message": {"role": "assistant", "content": content, **fields},
        "done": False,
    }


def call(name: str | None = "f", arguments: Any = None, **fields: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": {} if arguments is None else arguments}, **fields}


def last(reason: str | None = "stop", content: str = "", **fields: Any) -> dict[str, Any]:
    return {**line(content), "done": True, **({"done_reason": reason} if reason else {}), **fields}


HI = line("H"), line("i")


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, chunks)


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    return decoding.content(API, [*chunks, last()])


# Text and thinking


def test_text() -> None:
    message = final(*HI, last())
    assert message.content == (TextContent("Hi"),)
    assert (message.api, message.provider, message.model, message.response_id) == (API, "ollama", "llama3.2", None)
    assert types_by_chunk(OllamaDecoder, [line(), *HI, last(), line("more")]) == [
        ["start"], ["text_start", "text_delta"], ["text_delta"], ["text_end", "done"], [], []
    ]  # fmt: skip


def test_the_last_line_may_have_text() -> None:
    assert final(line("H"), last(content="i")).content == (TextContent("Hi"),)


def test_thinking_and_text_may_share_a_line_and_a_change_of_kind_begins_a_block() -> None:
    chunks = line("", thinking="H"), line("Hi", thinking="m"), line("!"), line("", thinking="Oh")
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi!"), ThinkingContent("Oh"))
    assert types_by_chunk(OllamaDecoder, chunks)[1] == ["thinking_delta", "thinking_end", "text_start", "text_delta"]


def test_halves_of_a_character_in_two_lines_are_one() -> None:
    assert content(line("a\ud83d"), line("\ude00")) == (TextContent("a😀"),)


def test_text_may_be_null_and_thinking_may_be_no_text() -> None:
    assert content(line(None, thinking=True), line("Hi")) == (TextContent("Hi"),)


# Tool calls


def test_a_tool_call_is_whole() -> None:
    chunks = line("Hi"), line(tool_calls=[call("f", {"city": "Paris"})])
    found = content(*chunks)
    assert found[0] == TextContent("Hi")
    assert (found[1].name, found[1].arguments) == ("f", {"city": "Paris"}) and found[1].id
    assert types_by_chunk(OllamaDecoder, chunks)[1] == ["text_end", "toolcall_start", "toolcall_delta", "toolcall_end"]
    assert final(*chunks, last()).stop_reason is StopReason.TOOL_USE


def test_calls_keep_their_ids_and_those_without_are_given_different_ones() -> None:
    one, two, three = content(line(tool_calls=[call(id="call_1"), call()]), line(tool_calls=[call()]))
    assert one == ToolCall("call_1", "f", {})
    assert len({one.id, two.id, three.id}) == 3


def test_two_calls_with_equal_arguments_are_two_and_one_repeated_with_its_id_is_one() -> None:
    same = call("f", {"a": 1}, id="call_1")
    assert content(line(tool_calls=[same]), line(tool_calls=[same, same])) == (ToolCall("call_1", "f", {"a": 1}),)
    assert len(content(line(tool_calls=[call("f", {"a": 1})] * 2))) == 2
    one, two = content(line(tool_calls=[same, call("f", {"a": 2}, id="call_1")]))
    assert (one.id, two.arguments) == ("call_1", {"a": 2}) and two.id != "call_1"
    one, two = content(line(tool_calls=[same, call("g", {"a": 1}, id="call_1")]))
    assert (one.name, two.name) == ("f", "g")


def test_a_call_may_come_without_the_array_around_it() -> None:
    assert content(line(tool_calls=call("f", {"a": 1}, id="call_1"))) == (ToolCall("call_1", "f", {"a": 1}),)


def test_calls_may_come_with_the_last_line() -> None:
    end = last("stop")
    end["message"]["tool_calls"] = [call(id="call_1")]
    message = final(line("Hi"), end)
    assert (message.content, message.stop_reason) == (
        (TextContent("Hi"), ToolCall("call_1", "f", {})),
        StopReason.TOOL_USE,
    )


def test_arguments_may_be_text() -> None:
    assert content(line(tool_calls=[call("f", '{"a": 1}', id="call_1")])) == (ToolCall("call_1", "f", {"a": 1}),)
    assert content(line(tool_calls=[call("f", '{"a', id="call_1")])) == (
        ToolCall("call_1", "f", {}, invalid_arguments='{"a'),
    )


def test_text_behind_a_call_is_another_block() -> None:
    assert content(*HI, line(tool_calls=[call(id="call_1")]), line("!")) == (
        TextContent("Hi"),
        ToolCall("call_1", "f", {}),
        TextContent("!"),
    )


def test_a_call_may_have_an_id_alone_and_no_text_beside_it() -> None:
    one = {"message": {"tool_calls": [call(None, id="call_1")]}, "done": False}
    assert content(one) == (ToolCall("call_1", "", {}),)


def test_a_call_without_id_and_name_is_unknown_content() -> None:
    stray = call(None, {"a": 1})
    assert content(line(tool_calls=[stray, {}])) == (
        UnknownContent({"tool_calls": {"function": {"arguments": {"a": 1}, "name": None}}}),
    )


def test_unknown_fields_of_a_call_are_details_of_it() -> None:
    one = {
        "id": "call_1",
        "type": "function",
        "function": {"index": 0, "name": "f", "arguments": {}, "strict": True},
        "mark": 7,
    }
    assert content(line(tool_calls=[one])) == (
        ToolCall("call_1", "f", {}, provider_details={"mark": 7, "function": {"strict": True}}),
    )


# Images


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("iVBORw0K", "image/png"),
        ("/9j/4AAQ", "image/jpeg"),
        ("R0lGODlh", "image/gif"),
        ("UklGRiQA", "image/webp"),
        ("aGk=", "image/png"),
    ],
)
def test_images(data: str, kind: str) -> None:
    assert content(*HI, line(images=[data, None]), line("!")) == (
        TextContent("Hi"),
        ImageContent(data, kind),
        TextContent("!"),
    )


# The end


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", StopReason.STOP),
        ("load", StopReason.STOP),
        ("unload", StopReason.STOP),
        ("tool_calls", StopReason.STOP),  # without a tool call
        ("length", StopReason.LENGTH),
        (None, StopReason.STOP),
    ],
)
def test_stop_reasons(raw: str | None, reason: StopReason) -> None:
    message = final(*HI, last(raw))
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")


def test_a_reason_without_done_does_not_end_the_message() -> None:
    early = {**line("H"), "done_reason": "tool_calls"}
    message = final(early, line("i"), last("stop"))
    assert (message.text, message.raw_stop_reason) == ("Hi", "stop")


def test_a_reason_without_done_completes_the_message_at_the_end_of_input() -> None:
    message = final(line("H"), {**line("i"), "done_reason": "stop"})
    assert (message.text, message.stop_reason) == ("Hi", StopReason.STOP)


def test_done_may_be_a_text() -> None:
    assert final({**line("H"), "done": "false"}, {**last(content="i"), "done": "true"}, line("!")).text == "Hi"


def test_loading_a_model_is_an_empty_message() -> None:
    message = final(last("load"))
    assert (message.content, message.stop_reason) == ((), StopReason.STOP)


def test_without_done_the_stream_was_cut_off() -> None:
    message = final(*HI)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert final(line(tool_calls=[call()])).stop_reason is StopReason.ERROR


def test_an_error_line() -> None:
    error = {"error": "an error was encountered while running the model"}
    end = decoded(*HI, error, line("!"))[-1]
    assert isinstance(end, Error) and end.error.text == "Hi"
    assert end.error.error_message == error["error"]
    assert final(error).error_message == error["error"]
    assert final({**line("x"), **error}).error_message == error["error"]
    assert final({**line("Hi"), "error": None}, last()).text == "Hi"


def test_an_error_whose_name_says_more() -> None:
    end = decoded(*HI, {"error parsing tool call": "raw='{' err=unexpected end of JSON input"})[-1]
    assert isinstance(end, Error) and end.error.text == "Hi"
    assert end.error.error_message == "error parsing tool call: raw='{' err=unexpected end of JSON input"


@pytest.mark.parametrize(
    ("chunk", "path"),
    [
        ({**line(), "message": 1}, "message"),
        (line(1), "message.content"),
        (line(tool_calls=1), "message.tool_calls"),
        (line(tool_calls=[1]), "message.tool_calls[]"),
    ],
)
def test_what_is_of_another_type_is_an_error_that_says_where_it_was(chunk: Any, path: str) -> None:
    end = decoded(*HI, chunk)[-1]
    assert isinstance(end, Error) and end.error.text == "Hi"
    assert f"malformed chunk: {path}: expected" in str(end.error.error_message)


# Usage, time and details


def test_usage() -> None:
    assert final(*HI, last(prompt_eval_count=26, eval_count=298)).usage == Usage(26, 298)
    assert final(last(prompt_eval_count=26)).usage == Usage(26)


@pytest.mark.parametrize(
    ("created_at", "timestamp"),
    [
        (TIME, 1_691_164_339_385),
        ("2023-08-04T19:22:45.499127Z", 1_691_176_965_499),
        ("2023-08-04T19:22:45", 1_691_176_965_000),
        ("yesterday", 0),
        ("", 0),
        (None, 0),
        (7, 0),
    ],
)
def test_the_time_of_the_first_line_is_that_of_the_message(created_at: Any, timestamp: int) -> None:
    message = final({**line("Hi"), "created_at": created_at}, {**last(), "created_at": "2024-01-01T00:00:00Z"})
    assert message.timestamp == timestamp


def test_what_no_field_holds_is_in_the_details_of_the_message() -> None:
    message = final(*HI, {**line(tool_name="f"), "remote_model": "big"}, last(total_duration=5, prompt_eval_count=1))
    assert message.provider_details == {
        "tool_name": "f",
        "remote_model": "big",
        "total_duration": 5,
        "prompt_eval_count": 1,
    }


def test_log_probabilities_are_details_of_the_block_that_they_came_with() -> None:
    one, two = {"token": "H", "logprob": -0.5}, {"token": "i", "logprob": -0.25}
    found = final({**HI[0], "logprobs": [one]}, {**HI[1], "logprobs": [two]}, last())
    assert found.content == (TextContent("Hi", provider_details={"logprobs": [one, two]}),)
    assert final({**line(), "logprobs": [one]}, last()).provider_details == {"logprobs": [one]}


# Other ways to send it


def test_a_whole_response() -> None:
    whole = last(total_duration=5, eval_count=2)
    whole["message"] |= {"content": "Hi", "thinking": "Hm", "tool_calls": [call(id="call_1")]}
    message = final(whole)
    assert message.content == (ThinkingContent("Hm"), TextContent("Hi"), ToolCall("call_1", "f", {}))
    assert (message.usage, message.provider_details) == (Usage(0, 2), {"total_duration": 5, "eval_count": 2})
    assert decoded(whole)[0].partial.usage == Usage(0, 2)


def test_lines_of_generate() -> None:
    def generated(response: str, **fields: Any) -> dict[str, Any]:
        return {"model": "m", "created_at": TIME, "response": response, "done": False, **fields}

    end = generated("", done=True, done_reason="stop", context=[1, 2], image="iVBORw0K")
    message = final(generated("", thinking="Hm"), generated("H"), generated("i"), end)
    assert message.content == (ThinkingContent("Hm"), TextContent("Hi"), ImageContent("iVBORw0K", "image/png"))
    assert message.provider_details == {"context": [1, 2]}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (line("Hi"), True),
        (last(), True),
        ({"message": {}, "done": True}, True),
        ({"response": "", "done": False}, True),
        ({"model": "m", "created_at": TIME, "message": {}}, True),
        ({"model": "m", "message": {}}, False),
        ({"model": "m", "done": True}, False),
        ({"message": "an error"}, False),
    ],
)
def test_the_format_is_detected(payload: Any, expected: bool) -> None:
    assert OllamaDecoder.recognizes(payload) is expected
    if expected:
        assert list(decode([payload]))[-1].partial.api == API
        assert list(decode([json.dumps(payload)])) == list(decode([payload]))
