"""Chat completions: the mapping rules, and what providers that speak it have been seen to send."""

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
    ToolCallStart,
    UnknownContent,
    Usage,
)
from provider_events.decoders import decode

STOP, DONE = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]"


def chunk(**delta: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "m", "created": 1700000000, "choices": [{"index": 0, "delta": delta}]}


def call(index: int | None = None, id: str | None = None, name: str | None = None, arguments: Any = None) -> dict[str, Any]:
    """A chunk with a piece of one tool call, without what is None."""
    function = {key: value for key, value in {"name": name, "arguments": arguments}.items() if value is not None}
    said = {"index": index, "id": id, "function": function}
    return chunk(tool_calls=[{key: value for key, value in said.items() if value is not None}])


def finish(reason: str | None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **fields}


def decoded(*chunks: Any) -> list[AnyProviderEvent]:
    events = list(decode([c if c == DONE else json.dumps(c) for c in chunks], api="openai-completions"))
    assert_lawful(events)
    return events


def final(*chunks: Any) -> AssistantMessage:
    message = decoded(*chunks)[-1].partial
    assert message is not None
    return message


def calls(*chunks: Any) -> list[tuple[str, str, Any]]:
    """Id, name and arguments of the tool calls."""
    return [(found.id, found.name, found.arguments) for found in final(*chunks).tool_calls]


# Text and reasoning


def test_text() -> None:
    message = final(chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"), STOP, DONE)
    assert message.content == (TextContent("Hello"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "stop")
    assert (message.api, message.model, message.response_id) == ("openai-completions", "m", "chatcmpl-1")
    assert message.timestamp == 1700000000000


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_in_its_three_spellings(name: str) -> None:
    message = final(chunk(**{name: "Hm"}), chunk(**{name: "m"}), chunk(content="Yes"), STOP, DONE)
    assert message.content == (ThinkingContent("Hmm"), TextContent("Yes"))


def test_of_several_spellings_the_first_that_says_something_counts() -> None:
    both = chunk(reasoning_content="a", reasoning="a", reasoning_text="a")
    others = chunk(reasoning_content="", reasoning=None, reasoning_text="b")
    assert final(both, others, STOP, DONE).thinking == "ab"


def test_a_change_between_text_and_thinking_starts_another_block() -> None:
    events = decoded(chunk(reasoning="1"), chunk(content="2"), chunk(reasoning="3"), chunk(content="4"), STOP, DONE)
    one = ["start", "delta", "end"]
    kinds = [f"{kind}_{part}" for kind in ("thinking", "text", "thinking", "text") for part in one]
    assert [event.type for event in events] == ["start", *kinds, "done"]


def test_thinking_comes_before_text_of_the_same_delta() -> None:
    message = final(chunk(content="b", reasoning="a"), STOP, DONE)
    assert message.content == (ThinkingContent("a"), TextContent("b"))


def test_mistrals_parts() -> None:
    thinking = chunk(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}])
    text = chunk(content=[{"type": "text", "text": "A"}, {"type": "text", "text": "B"}])
    reference: Any = {"type": "reference", "reference_ids": [1]}
    message = final(thinking, thinking, text, chunk(content=[reference]), chunk(content="C"), STOP, DONE)
    assert message.content == (ThinkingContent("HmHm"), TextContent("AB"), UnknownContent(reference), TextContent("C"))


def test_a_refusal_is_text() -> None:
    message = final(chunk(refusal="I can"), chunk(refusal="not"), STOP, DONE)
    assert message.content == (TextContent("I cannot"),)
    assert message.stop_reason is StopReason.STOP


def test_only_the_first_choice_counts() -> None:
    second = {"index": 1, "delta": {"content": "other"}, "finish_reason": "length"}
    first = {"index": 0, "delta": {"content": "this"}}
    message = final({"choices": [second]}, {"choices": [second, first]}, STOP, {"choices": [second]}, DONE)
    assert (message.text, message.raw_stop_reason) == ("this", "stop")


def test_azures_first_chunk_has_no_choices() -> None:
    filters = {"choices": [], "id": "", "model": "", "created": 0, "prompt_filter_results": [{"prompt_index": 0}]}
    message = final(filters, chunk(content="Hi"), {**STOP, "id": "chatcmpl-1"}, DONE)
    assert (message.text, message.model, message.response_id) == ("Hi", "m", "chatcmpl-1")


def test_null_fields_are_not_said() -> None:
    nulls = chunk(content=None, reasoning=None, refusal=None, tool_calls=None, function_call=None, role=None)
    message = final({**nulls, "usage": None, "error": None}, chunk(content="Hi"), {"choices": None}, STOP, DONE)
    assert message.content == (TextContent("Hi"),)


# Tool calls


def test_a_tool_call() -> None:
    events = decoded(call(0, "id1", "f", ""), call(0, arguments='{"a"'), call(0, arguments=": 1}"), finish("tool_calls"), DONE)
    assert [event.type for event in events][1:-1] == ["toolcall_start", "toolcall_delta", "toolcall_delta", "toolcall_end"]
    assert events[-1].partial and events[-1].partial.content == (ToolCall("id1", "f", {"a": 1}),)
    assert events[-1].partial.stop_reason is StopReason.TOOL_USE


def test_a_tool_call_ends_open_text() -> None:
    events = decoded(chunk(content="So"), call(0, "id1", "f", "{}"), finish("tool_calls"), DONE)
    types = [event.type for event in events]
    assert types.index("text_end") < types.index("toolcall_start")


def test_a_tool_call_ends_open_thinking() -> None:
    types = [event.type for event in decoded(chunk(reasoning="So"), call(0, "id1", "f", "{}"), STOP, DONE)]
    assert types.index("thinking_end") < types.index("toolcall_start")


def test_text_and_a_tool_call_in_one_delta() -> None:
    both = call(0, "id1", "f", "{}")
    both["choices"][0]["delta"]["content"] = "So"
    assert final(both, finish("tool_calls"), DONE).content == (TextContent("So"), ToolCall("id1", "f", {}))


def test_arguments_before_id_and_name() -> None:
    events = decoded(call(0, arguments='{"a":'), call(0, arguments=" 1}"), call(0, "id1", "f"), finish("tool_calls"), DONE)
    start = events[1]
    assert isinstance(start, ToolCallStart) and (start.tool_call_id, start.tool_name) == (None, None)
    assert events[-1].partial and events[-1].partial.content == (ToolCall("id1", "f", {"a": 1}),)


def test_an_id_given_late_shows_in_later_snapshots_only() -> None:
    chunks = call(0, name="f", arguments="{"), call(0, "id1"), call(0, arguments="}"), finish("tool_calls")
    ids = [event.partial.tool_calls[0].id for event in decoded(*chunks)[1:] if event.partial]
    assert ids == ["", "", "id1", "id1", "id1"]


def test_two_calls_interleaved() -> None:
    begin = call(0, "id1", "f", '{"a"'), call(1, "id2", "g", '{"b"')
    rest = call(0, arguments=":1}"), call(1, arguments=":2}")
    assert calls(*begin, *rest, finish("tool_calls")) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


def test_two_calls_in_one_delta() -> None:
    both = call(0, "id1", "f", "{}")
    both["choices"][0]["delta"]["tool_calls"].append({"index": 1, "id": "id2", "function": {"name": "g", "arguments": "{}"}})
    assert calls(both, finish("tool_calls")) == [("id1", "f", {}), ("id2", "g", {})]


def test_a_new_id_at_a_used_index_is_a_new_call() -> None:
    chunks = call(0, "id1", "f", '{"a":1}'), call(0, "id2", "f", '{"b"'), call(0, arguments=":2}")
    assert calls(*chunks, finish("tool_calls")) == [("id1", "f", {"a": 1}), ("id2", "f", {"b": 2})]


def test_an_id_repeated_in_every_delta_is_the_same_call() -> None:
    chunks = call(0, "id1", "f", '{"a"'), call(0, "id1", "f", ":1"), call(0, "id1", "", "}")
    assert calls(*chunks, finish("tool_calls")) == [("id1", "f", {"a": 1})]


def test_no_index_at_all_but_ids() -> None:
    chunks = call(None, "id1", "f", '{"a"'), call(arguments=":1}"), call(None, "id2", "g", '{"b"'), call(arguments=":2}")
    assert calls(*chunks, finish("tool_calls")) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


def test_an_index_said_only_when_the_call_begins() -> None:
    chunks = call(0, "id1", "f", '{"a"'), call(arguments=":1}"), call(1, "id2", "g", '{"b"'), call(arguments=":2}")
    assert calls(*chunks, finish("tool_calls")) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


def test_no_index_and_no_ids_but_names() -> None:
    chunks = call(name="f", arguments='{"a":'), call(arguments="1}"), call(name="f", arguments='{"b":2}')
    (id1, *first), (id2, *second) = calls(*chunks, finish("tool_calls"))
    assert (first, second) == (["f", {"a": 1}], ["f", {"b": 2}])
    assert id1 and id2 and id1 != id2


def test_calls_without_ids_get_ids() -> None:
    chunks = call(0, name="f", arguments="{}"), call(1, name="g", arguments="{}"), finish("tool_calls")
    ids = [id for id, _, _ in calls(*chunks)]
    assert all(ids) and len(set(ids)) == 2
    assert ids == [id for id, _, _ in calls(*chunks)]


def test_arguments_given_whole_as_an_object() -> None:
    chunks = call(0, "id1", "f", {"a": {"b": [1, "é"]}}), call(0, arguments={}), call(0, arguments="{}")
    assert calls(*chunks, finish("tool_calls")) == [("id1", "f", {"a": {"b": [1, "é"]}})]


def test_a_call_without_arguments() -> None:
    for arguments in (json.loads(text) for text in ("null", '""', "{}")):
        assert calls(call(0, "id1", "f", arguments), finish("tool_calls")) == [("id1", "f", {})]


@pytest.mark.parametrize("text", ['{"a": 1', "[1]", "none", '"{}"', '{"a": 1}}', '{"a": NaN}', "null"])
def test_arguments_that_are_no_json_object_are_kept_as_they_came(text: str) -> None:
    message = final(call(0, "id1", "f", text[:3]), call(0, arguments=text[3:]), finish("tool_calls"), DONE)
    assert message.content == (ToolCall("id1", "f", {}, invalid_arguments=text),)
    assert message.stop_reason is StopReason.TOOL_USE


def test_the_function_call_of_old() -> None:
    chunks = chunk(function_call={"name": "f", "arguments": ""}), chunk(function_call={"arguments": '{"a":1}'})
    message = final(*chunks, finish("function_call"), DONE)
    assert [(found.name, found.arguments) for found in message.tool_calls] == [("f", {"a": 1})]
    assert message.stop_reason is StopReason.TOOL_USE


# Endings


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", StopReason.STOP),
        ("length", StopReason.LENGTH),
        ("tool_calls", StopReason.TOOL_USE),
        ("content_filter", StopReason.ERROR),
        ("a_reason_nobody_knows", StopReason.STOP),
    ],
)
def test_finish_reasons(raw: str, reason: StopReason) -> None:
    message = final(chunk(content="Hi"), finish(raw), DONE)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


def test_stop_over_tool_calls_is_tool_use() -> None:
    message = final(call(0, "id1", "f", "{}"), STOP, DONE)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "stop")


def test_length_over_tool_calls_stays_length() -> None:
    message = final(call(0, "id1", "f", '{"a'), finish("length"), DONE)
    assert message.stop_reason is StopReason.LENGTH
    assert message.tool_calls[0].invalid_arguments == '{"a'


def test_done_without_a_finish_reason_is_an_end() -> None:
    message = final(chunk(content="Hi"), DONE)
    assert (message.text, message.stop_reason, message.raw_stop_reason) == ("Hi", StopReason.STOP, None)
    assert final(call(0, "id1", "f", "{}"), DONE).stop_reason is StopReason.TOOL_USE


def test_a_finish_reason_without_done_is_an_end() -> None:
    assert final(chunk(content="Hi"), STOP).stop_reason is StopReason.STOP


def test_neither_is_a_stream_cut_off() -> None:
    message = final(chunk(content="Hi"), call(0, "id1", "f", '{"a": "b'))
    assert message.stop_reason is StopReason.ERROR
    assert (message.text, message.tool_calls) == ("Hi", (ToolCall("id1", "f", {"a": "b"}),))


def test_done_before_any_content_is_a_stream_cut_off() -> None:
    assert final(chunk(role="assistant", content=""), DONE).stop_reason is StopReason.ERROR
    assert final(DONE).stop_reason is StopReason.ERROR


def test_an_error_payload_mid_stream() -> None:
    error = {"error": {"message": "Overloaded, try later", "type": "server_error", "code": 503}}
    events = decoded(chunk(content="Hi"), error, chunk(content=" there"), STOP, DONE)
    last = events[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert "Overloaded, try later" in str(last.error.error_message)
    assert "server_error" in str(last.error.error_message)


@pytest.mark.parametrize("error", ["no more", {"code": 400, "message": "no more"}, {"message": "no more"}, {"reason": "no more"}])
def test_error_payloads_of_other_shapes(error: Any) -> None:
    assert "no more" in str(final(chunk(content="Hi"), {"error": error}).error_message)


def test_a_chunk_that_is_all_error() -> None:
    """Mistral and vLLM send it without an `error` key."""
    message = final(chunk(content="Hi"), {"object": "error", "type": "server_error", "message": "no more"})
    assert (message.text, message.error_message) == ("Hi", "server_error: no more")


def test_openrouters_error_ends_the_chunk_that_it_comes_with() -> None:
    last = {**chunk(content=" there"), "error": {"code": "server_error", "message": "Provider disconnected"}}
    last["choices"][0]["finish_reason"] = "error"
    message = final(chunk(content="Hi"), last)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (StopReason.ERROR, "error", "Hi there")
    assert "Provider disconnected" in str(message.error_message)


def test_a_chunk_of_a_wrong_type_is_an_error() -> None:
    message = final(chunk(content="Hi"), {"choices": [{"index": 0, "delta": {"content": 5}}]}, STOP, DONE)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert "content" in str(message.error_message)


# Usage

REPORT = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [], "usage": REPORT},
        {"choices": [{"index": 0, "delta": {}, "usage": REPORT}]},
        {"choices": [{"index": 0, "delta": {}}], "x_groq": {"id": "req", "usage": REPORT}},
        {"choices": [], "usage": {**REPORT, "prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": None}}},
    ],
)
def test_usage_in_three_places(last: Any) -> None:
    assert final(chunk(content="Hi"), STOP, last, DONE).usage == Usage(10, 5, 0, 0, 15)


def test_cached_tokens_are_no_input_and_reasoning_is_part_of_the_output() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 3}}
    assert final(STOP, {"choices": [], "usage": {**REPORT, **details}}, DONE).usage == Usage(2, 5, 8, 0, 15, 3)


def test_reasoning_that_the_total_counts_apart_is_added_to_the_output() -> None:
    """xAI reports it so."""
    usage = {**REPORT, "total_tokens": 22, "completion_tokens_details": {"reasoning_tokens": 7}}
    assert final(STOP, {"choices": [], "usage": usage}, DONE).usage == Usage(10, 12, 0, 0, 22, 7)


def test_later_reports_overwrite_earlier_ones_field_by_field() -> None:
    later = {"prompt_tokens": None, "completion_tokens": 6, "total_tokens": 16}
    usage = final({**chunk(content="a"), "usage": REPORT}, {**STOP, "usage": later}, {"choices": [], "usage": None}, DONE).usage
    assert usage == Usage(10, 6, 0, 0, 16)
