"""Anthropic's Messages API: how a message ends, its usage and details, whole messages, and the SDK's objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import decoding
from support.anthropic import (
    API,
    END,
    STOP,
    arguments,
    begin,
    call,
    decoded,
    delta,
    end,
    final,
    message_delta,
    message_start,
    text,
)
from support.decoding import types_by_chunk

from provider_events import Error, StopReason, TextContent, ThinkingContent, ToolCall, UnknownContent, Usage
from provider_events.decoders import AnthropicDecoder, decode

HI = begin(0, "text", text=""), text(0, "Hi"), end(0)


# The end


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", StopReason.STOP),
        ("stop_sequence", StopReason.STOP),
        ("pause_turn", StopReason.STOP),
        ("max_tokens", StopReason.LENGTH),
        ("model_context_window_exceeded", StopReason.LENGTH),
        ("tool_use", StopReason.STOP),  # without a tool call
        ("refusal", StopReason.ERROR),
        ("a_reason_of_the_future", StopReason.STOP),
    ],
)
def test_stop_reasons(raw: str, reason: StopReason) -> None:
    message = final(*HI, message_delta(raw), STOP)
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


def test_a_call_decides_that_the_message_stops_for_tools() -> None:
    assert final(call(0), end(0), message_delta("end_turn"), STOP).stop_reason is StopReason.TOOL_USE
    assert final(call(0), end(0), message_delta("max_tokens"), STOP).stop_reason is StopReason.LENGTH


def test_a_refusal_is_explained() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "It is against the rules."}
    refused = message_delta("refusal")
    refused["delta"]["stop_details"] = details
    message = final(*HI, refused, STOP)
    assert message.error_message == "the model stopped: refusal: cyber: It is against the rules."
    assert (message.provider_details["stop_details"], message.text) == (details, "Hi")


def test_message_stop_ends_the_message_at_once() -> None:
    assert types_by_chunk(AnthropicDecoder, [message_start(), *HI, *END, text(0, "more")])[-4:] == [
        [],
        ["done"],
        [],
        [],
    ]


def test_without_message_stop_a_stop_reason_is_enough_if_every_block_has_ended() -> None:
    assert final(*HI, message_delta("end_turn")).stop_reason is StopReason.STOP
    assert final(*HI[:2], message_delta("end_turn")).stop_reason is StopReason.ERROR


def test_message_stop_without_a_stop_reason_is_a_natural_end_of_content() -> None:
    message = final(*HI, STOP)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, None)
    assert final(STOP).stop_reason is StopReason.ERROR


def test_without_a_stop_reason_the_stream_was_cut_off() -> None:
    message = final(*HI)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert "broke off" in str(message.error_message)


# Errors


def test_an_error_event() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    last = decoded(*HI[:2], error, text(0, " there"), STOP)[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert last.error.error_message == "overloaded_error: Overloaded"
    (only,) = decode([json.dumps(error)])
    assert isinstance(only, Error) and only.error.error_message == "overloaded_error: Overloaded"


def test_an_error_beside_the_stop_reason() -> None:
    for event in message_delta("error", error={"message": "no"}), {**STOP, "error": {"message": "no"}}:
        last = decoded(*HI, event, STOP)[-1]
        assert isinstance(last, Error) and last.error.error_message == "no"


def test_an_error_without_a_type() -> None:
    assert "Overloaded" in str(final(*HI, {"error": {"message": "Overloaded"}}).error_message)


# Usage


def usage(*reports: dict[str, Any]) -> Usage:
    first, *others = reports
    chunks = [message_start(usage=first), *(message_delta("end_turn", usage=report) for report in others), STOP]
    return decoding.final(API, chunks).usage


def test_usage_comes_at_the_start_and_is_overwritten_at_the_end() -> None:
    first = {"input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output_tokens": 1}
    assert usage(first, {}) == Usage(10, 1, 20, 30)
    assert usage(first, {"output_tokens": 7}) == Usage(10, 7, 20, 30)
    later = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 21, "cache_creation_input_tokens": 31}
    assert usage(first, {**later, "output_tokens_details": {"thinking_tokens": 5}}) == Usage(11, 7, 21, 31, 5)


@pytest.mark.parametrize("nothing", [0, None, "many", -1])
def test_a_count_is_not_overwritten_by_nothing(nothing: Any) -> None:
    first = {"input_tokens": 10, "cache_read_input_tokens": 20, "output_tokens": 1}
    assert usage(first, dict.fromkeys(first, nothing)) == Usage(10, 1, 20)


def test_usage_shows_from_the_start_on() -> None:
    assert decoded()[0].partial.usage == Usage(9, 1)


def test_usage_and_stop_reason_may_be_elsewhere_in_the_last_events() -> None:
    assert final(*HI, message_delta("end_turn"), {**STOP, "usage": {"output_tokens": 7}}).usage == Usage(9, 7)
    inside = {"type": "message_delta", "delta": {"usage": {"output_tokens": 7}}, "stop_reason": "max_tokens"}
    message = final(*HI, inside, STOP)
    assert (message.usage, message.stop_reason) == (Usage(9, 7), StopReason.LENGTH)
    assert message.provider_details == {"usage": {"input_tokens": 9, "output_tokens": 7}}


# Details


def test_what_no_field_holds_is_in_the_details_of_the_message() -> None:
    start = message_start(service_tier="standard", container={"id": "c"}, usage={"input_tokens": 9, "iterations": [1]})
    delta = message_delta("stop_sequence", usage={"output_tokens": 2}, context_management={"applied_edits": []})
    delta["delta"] |= {"stop_sequence": "END", "container": {"expires_at": "t"}}
    message = decoding.final(
        API, [start, {"type": "ping", "cost": "0.1"}, delta, {**STOP, "amazon-bedrock-invocationMetrics": {"n": 1}}]
    )
    assert message.provider_details == {
        "service_tier": "standard",
        "container": {"id": "c", "expires_at": "t"},
        "usage": {"input_tokens": 9, "iterations": [1], "output_tokens": 2},
        "cost": "0.1",
        "context_management": {"applied_edits": []},
        "stop_sequence": "END",
        "amazon-bedrock-invocationMetrics": {"n": 1},
    }


def test_details_show_from_the_start_on() -> None:
    events = decoding.decoded(API, [message_start(service_tier="standard"), *HI, *END])
    assert {event.partial.provider_details["service_tier"] for event in events} == {"standard"}


def test_unknown_fields_of_a_delta_are_details_of_its_block() -> None:
    thought = delta(0, "thinking_delta", thinking="Hm", estimated_tokens=50)
    marked = {**delta(1, "text_delta", text="Hi", tone="x"), "mark": 7}
    chunks = (
        begin(0, "thinking", thinking=""),
        thought,
        end(0),
        begin(1, "text", text="", phase="final"),
        marked,
        end(1),
    )
    assert final(*chunks, *END).content == (
        ThinkingContent("Hm", provider_details={"estimated_tokens": 50}),
        TextContent("Hi", provider_details={"phase": "final", "tone": "x", "mark": 7}),
    )


def test_unknown_fields_of_a_start_and_a_stop_are_details_of_their_block() -> None:
    message = final({**begin(0, "text", text="Hi"), "mark": 7}, end(0, note="x"), end(0, note="y"), *END)
    assert message.content == (TextContent("Hi", provider_details={"mark": 7, "note": "x"}),)
    assert message.provider_details["note"] == "y"


def test_unknown_fields_of_a_delta_that_has_no_block_are_details_of_the_message() -> None:
    message = final(begin(0, "hologram"), {**delta(0, "hologram_delta", depth=3), "mark": 7}, end(0), *END)
    assert message.content == (UnknownContent({"type": "hologram", "depth": 3}),)
    assert message.provider_details["mark"] == 7


# Whole messages


WHOLE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "A", "citations": [{"url": "u"}]},
        {"type": "text", "text": "B"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "u", "name": "g", "input": {}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
CONTENT = (
    ThinkingContent("Hm", "s"),
    ThinkingContent("", "b3BhcXVl", redacted=True),
    TextContent("A", annotations=({"url": "u"},)),
    TextContent("B"),
    UnknownContent({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}),
    ToolCall("t", "f", {"a": 1}),
    ToolCall("u", "g", {}),
)


def test_a_whole_message() -> None:
    message = decoding.final(API, [WHOLE])
    assert (message.content, message.usage) == (CONTENT, Usage(1, 2))
    assert (message.stop_reason, message.response_id, message.model) == (StopReason.TOOL_USE, "msg_1", "claude")
    assert list(decode([WHOLE])) == list(decode([json.dumps(WHOLE)]))


def test_a_whole_message_is_complete_when_it_is_read() -> None:
    types, rest = types_by_chunk(AnthropicDecoder, [WHOLE])
    assert types[0] == "start" and types[-1] == "done" and rest == []
    assert types[1:4] == ["thinking_start", "thinking_delta", "thinking_end"]


def test_content_that_comes_with_the_start_of_the_message_counts() -> None:
    start = {"type": "message_start", "message": {**WHOLE, "stop_reason": None}}
    assert decoding.final(API, [start, message_delta("tool_use"), STOP]).content == CONTENT
    assert types_by_chunk(AnthropicDecoder, [start])[0][-1] == "toolcall_end"


def test_a_whole_message_behind_its_stream_adds_what_it_alone_has() -> None:
    whole = {**WHOLE, "content": [{"type": "text", "text": "Hi"}], "service_tier": "batch"}
    message = final(*HI, whole)
    assert message.content == (TextContent("Hi"),)
    assert (message.raw_stop_reason, message.usage, message.provider_details["service_tier"]) == (
        "tool_use",
        Usage(1, 2),
        "batch",
    )
    assert final({**WHOLE, "content": []}).content == ()
    assert final(WHOLE).content == CONTENT
    more = [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t", "name": "f", "input": {}}]
    assert final(*HI, {**WHOLE, "content": more}).content == (TextContent("Hi"), ToolCall("t", "f", {}))


def test_a_whole_message_may_lack_its_type_and_its_content_may_be_a_text() -> None:
    whole = {key: value for key, value in WHOLE.items() if key != "type"} | {"content": "Hi"}
    assert [event.type for event in decode([whole])][-1] == "done"
    assert decoding.final(API, [whole]).content == (TextContent("Hi"),)
    assert decoding.final(API, [{**whole, "content": ""}]).content == ()


# The SDK's own events


def test_the_copies_of_the_sdk_are_no_details() -> None:
    copy = {**WHOLE, "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    chunks = (
        *HI[:2],
        end(0, content_block={"type": "text", "text": "Hi"}),
        message_delta("end_turn"),
        {**STOP, "message": copy},
    )
    message = final(*chunks)
    assert message.content == (TextContent("Hi"),)
    assert message.provider_details == {"usage": {"input_tokens": 1, "output_tokens": 2}}


def test_what_only_the_copies_have_is_taken_from_them() -> None:
    whole_call = end(1, content_block={"type": "tool_use", "input": {"a": 1}})
    chunks = *HI[:2], end(0, content_block={"type": "text", "text": "Hi!"}), call(1), whole_call
    message = final(*chunks, {**STOP, "message": {**WHOLE, "content": []}})
    assert message.content == (TextContent("Hi!"), ToolCall("toolu_1", "f", {"a": 1}))
    assert (message.raw_stop_reason, message.usage) == ("tool_use", Usage(1, 2))


def test_input_that_came_whole_stands_against_a_copy_that_differs() -> None:
    chunks = call(0, input={"a": 1}), end(0, content_block={"type": "tool_use", "input": {"b": 2}})
    assert final(*chunks, *END).content == (ToolCall("toolu_1", "f", {"a": 1}),)


def test_a_copy_adds_what_is_missing() -> None:
    copy = {"type": "thinking", "thinking": "Hmm", "signature": "s"}
    assert final(begin(0, "thinking", thinking="Hm"), end(0, content_block=copy), *END).content == (
        ThinkingContent("Hmm", "s"),
    )
    chunks = begin(0, "thinking", thinking="Hm", signature="t"), end(0, content_block=copy)
    assert final(*chunks, *END).content == (ThinkingContent("Hmm", "t"),)
    cited = {"type": "text", "text": "Hi", "citations": [{"url": "u"}], "id": "b"}
    assert final(*HI[:2], end(0, content_block=cited), *END).content == (
        TextContent("Hi", annotations=({"url": "u"},), provider_details={"id": "b"}),
    )
    known = *HI[:2], delta(0, "citations_delta", citation={"url": "u"}), end(0, content_block=cited)
    assert final(*known, *END).content == final(*HI[:2], end(0, content_block=cited), *END).content


class SdkEvent:
    """Stands in for an event object of the SDK."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__ |= fields

    def model_dump(self) -> dict[str, Any]:
        return vars(self)


@pytest.mark.parametrize("type", ["text", "thinking", "signature", "citation", "input_json", "compaction"])
def test_events_that_the_sdk_adds_carry_nothing(type: str) -> None:
    chunks = *HI[:2], SdkEvent(type=type, snapshot="Hi"), SdkEvent(**text(0, "!")), *HI[2:], *END
    assert decoding.final(API, [message_start(usage=None), *chunks]).provider_details == {}
    assert final(*chunks).text == "Hi!"


def test_deltas_stand_against_copies_that_differ() -> None:
    whole_call = end(1, content_block={"type": "tool_use", "input": {"b": 2}})
    chunks = (
        *HI[:2],
        end(0, content_block={"type": "text", "text": "Ho"}),
        call(1),
        arguments(1, '{"a": 1}'),
        whole_call,
    )
    assert final(*chunks, *END).content == (TextContent("Hi"), ToolCall("toolu_1", "f", {"a": 1}))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (message_start(), True),
        (begin(0, "text"), True),
        (STOP, True),
        ({"type": "ping"}, True),
        (WHOLE, True),
        ({"type": "error", "error": {}}, True),
        ({"type": "error", "error": {}, "sequence_number": 1}, False),
        ({"type": "error"}, False),
        ({"type": "message"}, False),
        ({"type": "response.created"}, False),
        ({"type": 1}, False),
        ({"type": "message-start"}, False),
    ],
)
def test_the_format_is_detected(payload: Any, expected: bool) -> None:
    assert AnthropicDecoder.recognizes(payload) is expected


# The next request


def as_sent_back(block: Any) -> dict[str, Any]:
    """Return a block as the next request has it."""
    match block:
        case TextContent():
            citations = {"citations": [*block.annotations]} if block.annotations else {}
            return {"type": "text", "text": block.text, **citations, **block.provider_details}
        case ThinkingContent(redacted=True):
            return {"type": "redacted_thinking", "data": block.thinking_signature}
        case ThinkingContent():
            return {"type": "thinking", "thinking": block.thinking, "signature": block.thinking_signature}
        case ToolCall():
            fields = {"id": block.id, "name": block.name, "input": block.arguments}
            return {"type": "tool_use", **fields, **block.provider_details}
        case _:
            return dict(block.data)


def test_a_message_is_enough_to_continue_the_conversation_with() -> None:
    caller: dict[str, Any] = {"type": "tool_use", "id": "v", "name": "f", "input": {}, "caller": {"type": "direct"}}
    whole = {**WHOLE, "content": [*WHOLE["content"], caller]}
    assert [as_sent_back(block) for block in decoding.content(API, [whole])] == whole["content"]
