"""Bedrock's Converse: how a message ends, what it keeps, and whole responses."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from support import decoding
from support.bedrock import (
    API,
    END,
    HI,
    START,
    arguments,
    begin,
    call,
    content,
    decoded,
    delta,
    end,
    final,
    metadata,
    reasoning,
    stop,
)
from support.decoding import types_by_chunk

from provider_events import (
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
from provider_events.decoders import BedrockDecoder, decode

# The end


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", StopReason.STOP),
        ("stop_sequence", StopReason.STOP),
        ("max_tokens", StopReason.LENGTH),
        ("model_context_window_exceeded", StopReason.LENGTH),
        ("tool_use", StopReason.STOP),  # without a tool call
        ("guardrail_intervened", StopReason.ERROR),
        ("content_filtered", StopReason.ERROR),
        ("malformed_tool_use", StopReason.ERROR),
        ("malformed_model_output", StopReason.ERROR),
        ("a_reason_of_the_future", StopReason.STOP),
    ],
)
def test_stop_reasons(raw: str, reason: StopReason) -> None:
    message = final(*HI, end(0), stop(raw), metadata())
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


def test_a_call_decides_that_the_message_stops_for_tools() -> None:
    assert final(call(0, "t", "f"), end(0), *END).stop_reason is StopReason.TOOL_USE
    assert final(call(0, "t", "f"), end(0), stop("max_tokens"), metadata()).stop_reason is StopReason.LENGTH


def test_blocks_without_a_stop_end_with_the_message() -> None:
    assert types_by_chunk(BedrockDecoder, [START, *HI, call(1, "t", "f"), *END])[-3:] == [
        [], ["text_end", "toolcall_delta", "toolcall_end", "done"], []
    ]  # fmt: skip
    assert content(*HI) == (TextContent("Hi"),)


def test_the_usage_comes_last_and_ends_the_message() -> None:
    usage = {
        "inputTokens": 10,
        "outputTokens": 5,
        "cacheReadInputTokens": 20,
        "cacheWriteInputTokens": 30,
        "totalTokens": 65,
    }
    message = final(*HI, end(0), stop("end_turn"), metadata(**usage), stop("max_tokens"))
    assert (message.usage, message.stop_reason) == (Usage(10, 5, 20, 30), StopReason.STOP)


def test_the_usage_may_be_missing_or_partial() -> None:
    assert final(*HI, end(0), stop("end_turn")).usage == Usage()
    assert final(
        *HI, stop("end_turn"), metadata(inputTokens=1, outputTokens=2, cacheReadInputTokens=None)
    ).usage == Usage(1, 2)


def test_counts_of_cached_tokens_have_two_names() -> None:
    counts = {"inputTokens": 1, "cacheReadInputTokenCount": 2, "cacheWriteInputTokenCount": 3}
    assert final(*HI, stop("end_turn"), metadata(**counts)).usage == Usage(1, 0, 2, 3)


def test_a_router_says_which_model_it_has_called() -> None:
    last = metadata(inputTokens=1)
    last["metadata"]["trace"] = {"promptRouter": {"invokedModelId": "arn:m"}}
    assert final(*HI, stop("end_turn"), last).model == "arn:m"


def test_metadata_without_usage_does_not_end_the_message() -> None:
    early: Any = {"metadata": {"metrics": {"latencyMs": 9}}}
    assert final(*HI, stop("end_turn"), early, metadata(inputTokens=1)).usage == Usage(1)
    assert final(*HI, metadata(inputTokens=1), stop("end_turn")).usage == Usage(1)
    assert final(*HI, stop("end_turn"), early).stop_reason is StopReason.STOP


def test_a_stop_without_a_reason_is_a_natural_end() -> None:
    message = final(*HI, {"messageStop": {}}, metadata())
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, None)


def test_without_a_stop_the_stream_was_cut_off() -> None:
    for chunks in ([*HI], [*HI, end(0)], [*HI, end(0), metadata()]):
        message = final(*chunks)
        assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")


def test_a_failure_behind_the_stop_is_no_error_and_one_before_it_is() -> None:
    for chunks, reason in (([START, *HI, stop("end_turn")], StopReason.STOP), ([START, *HI], StopReason.ERROR)):
        decoder = BedrockDecoder()
        for chunk in chunks:
            decoder.feed(chunk)
        decoder.fail(OSError("reset"))
        assert (decoder.partial.stop_reason, decoder.partial.text) == (reason, "Hi")


# Errors


@pytest.mark.parametrize("kind", ["throttlingException", "modelStreamErrorException", "somethingNewException"])
def test_an_exception_event(kind: str) -> None:
    last = decoded(*HI, {kind: {"message": "Too many requests"}}, delta(0, text=" there"))[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert kind in str(last.error.error_message) and "Too many requests" in str(last.error.error_message)


def test_an_exception_event_may_have_no_message_and_may_be_null() -> None:
    assert "validationException" in str(final({"validationException": {}}).error_message)
    assert content({"validationException": None, "messageStart": None}, *HI) == (TextContent("Hi"),)


def test_an_error_payload_without_a_name() -> None:
    (only,) = decode([{"message": "Too many tokens, please wait before trying again."}], api=API)
    assert only.is_error and "Too many tokens" in str(only.partial.error_message)


def test_an_error_of_the_stop_keeps_the_usage_and_says_what_the_guardrail_says() -> None:
    trace = {"guardrail": {"actionReason": "Guardrail blocked.", "modelOutput": ["x"]}}
    last: Any = {"metadata": {"usage": {"inputTokens": 1}, "trace": trace}}
    message = final(*HI, end(0), stop("guardrail_intervened"), last)
    assert (message.usage, message.stop_reason) == (Usage(1), StopReason.ERROR)
    assert "Guardrail blocked." in str(message.error_message)
    assert message.provider_details["trace"] == trace


# What is kept


def test_what_no_field_holds_is_in_the_details_of_the_message() -> None:
    usage = {
        "inputTokens": 1,
        "outputTokens": 2,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 9}],
        "serverToolUsage": {},
    }
    last: Any = {"metadata": {"usage": usage, "metrics": {"latencyMs": 7}, "serviceTier": {"type": "flex"}, "p": "abc"}}
    extra = {"delta": {"stop_sequence": "END"}}
    message = final(*HI, stop("stop_sequence", additionalModelResponseFields=extra, p="ab"), last)
    assert message.provider_details == {
        "additionalModelResponseFields": extra,
        "usage": usage,
        "metrics": {"latencyMs": 7},
        "serviceTier": {"type": "flex"},
    }


def test_events_of_the_future_are_details_of_the_message() -> None:
    message = final(
        {"weatherReport": {"sun": True}}, *HI, {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 4}}, *END
    )
    assert message.provider_details["weatherReport"] == {"sun": True}
    assert message.provider_details["amazon-bedrock-invocationMetrics"] == {"inputTokenCount": 4}


def test_what_stands_beside_an_event_is_no_error_and_is_kept() -> None:
    message = final({**HI[0], "message": "a note"}, HI[1], *END)
    assert (message.text, message.provider_details["message"]) == ("Hi", "a note")


def test_what_stands_beside_the_usage_is_kept_too() -> None:
    last = {**metadata(inputTokens=1), "amazon-bedrock-invocationMetrics": {"inputTokenCount": 4}}
    assert "amazon-bedrock-invocationMetrics" in final(*HI, stop("end_turn"), last).provider_details


# Tools that run at the provider, images, and blocks of the future


def test_a_server_tool_and_its_result_stand_where_they_belong() -> None:
    chunks = [
        *HI, end(0),
        call(1, "t", "nova_grounding", type="server_tool_use"), arguments(1, '{"q":'), arguments(1, '"x"}'), end(1),
        begin(2, toolResult={"toolUseId": "t", "status": "success"}), delta(2, toolResult=[{"json": {"r": 1}}]),
        delta(2, toolResult=[{"text": "ok"}]), end(2),
        delta(3, text="Paris"), end(3),
    ]  # fmt: skip
    assert content(*chunks) == (
        TextContent("Hi"),
        UnknownContent(
            {"toolUse": {"toolUseId": "t", "name": "nova_grounding", "type": "server_tool_use", "input": {"q": "x"}}}
        ),
        UnknownContent(
            {"toolResult": {"toolUseId": "t", "status": "success", "content": [{"json": {"r": 1}}, {"text": "ok"}]}}
        ),
        TextContent("Paris"),
    )


def test_arguments_of_a_server_tool_do_not_go_into_an_open_call() -> None:
    server_tool = call(0, "s", "g", type="server_tool_use")
    found = content(server_tool, call(1, "t", "f"), arguments(0, '{"q":1}'), arguments(1, '{"a":1}'), end(0), end(1))
    assert found[1] == ToolCall("t", "f", {"a": 1}) and found[0].data["toolUse"]["input"] == {"q": 1}


def test_a_server_tool_shows_from_its_start_and_grows_until_its_stop() -> None:
    events = decoded(
        call(0, "t", "g", type="server_tool_use"),
        reasoning(7, text="."),
        arguments(0, '{"q":1}'),
        end(0),
        delta(1, text="a"),
    )
    shown: list[Any] = [event.partial.content[0] for event in events[1:]]
    assert shown[0].data == {"toolUse": {"toolUseId": "t", "name": "g", "type": "server_tool_use"}}
    assert [event.type for event in events if event.partial.content[:1] == (shown[-1],)] == [
        "text_start",
        "text_delta",
        "error",
    ]
    assert shown[-1].data["toolUse"]["input"] == {"q": 1}


def test_what_came_of_an_unknown_block_is_kept_at_a_cut_and_without_a_stop() -> None:
    block = (
        begin(0, hologram={"depth": 3}),
        delta(0, hologram={"voxels": b"\x00"}),
        delta(0, hologram={"voxels": b"\x01"}),
    )
    expected = UnknownContent({"hologram": {"depth": 3, "voxels": "AA==AQ=="}})
    assert final(*block).content == (expected,)
    assert content(*block) == content(*block, end(0)) == (expected,)
    assert content(*block, begin(0, hologram={"depth": 4})) == (expected, UnknownContent({"hologram": {"depth": 4}}))
    assert content(*block, *HI) == (expected, TextContent("Hi"))
    assert content(*HI, *block, delta(0, text="!")) == (TextContent("Hi"), expected, TextContent("!"))


def test_an_image_in_parts_is_one_image_where_it_ended() -> None:
    parts = delta(0, image={"source": {"bytes": b"h"}}), delta(0, image={"source": {"bytes": b"i"}})
    image = begin(0, image={"format": "jpeg"}), *parts, end(0)
    assert content(*image, delta(1, text="Hi"), end(1)) == (ImageContent("aGk=", "image/jpeg"), TextContent("Hi"))
    assert content(*parts) == (ImageContent("aGk=", "image/png"),)
    assert final(*parts).content == decoding.final(API, parts).content == (ImageContent("aGk=", "image/png"),)


def test_an_image_that_is_not_there_is_unknown_content() -> None:
    failed = delta(0, image={"error": {"message": "blocked"}}), end(0)
    stored = begin(0, image={"format": "png", "source": {"s3Location": {"uri": "s3://x"}}}), end(0)
    assert content(*failed) == (UnknownContent({"image": {"error": {"message": "blocked"}}}),)
    assert content(*stored) == (
        UnknownContent({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://x"}}}}),
    )


# Other ways to send it


RESPONSE: Any = {
    "ResponseMetadata": {"RequestId": "r_1", "HTTPStatusCode": 200},
    "output": {
        "message": {
            "role": "assistant",
            "cachePoint": "x",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s"}}},
                {"reasoningContent": {"redactedContent": b"opaque"}},
                {"text": "A"},
                {"text": "B"},
                {
                    "citationsContent": {
                        "content": [{"text": "C"}, {"text": "D"}],
                        "citations": [{"title": "t"}],
                        "x": 1,
                    }
                },
                {"image": {"format": "png", "source": {"bytes": b"hi"}}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
                {"toolUse": {"toolUseId": "s", "name": "g", "input": {}, "type": "server_tool_use"}},
                {"hologram": {"depth": 3}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
    "metrics": {"latencyMs": 5},
}


def test_a_whole_response() -> None:
    message = decoding.final(API, [RESPONSE])
    assert message.content == (
        ThinkingContent("Hm", "s"),
        ThinkingContent("", "b3BhcXVl", redacted=True),
        TextContent("A"),
        TextContent("B"),
        TextContent("CD", annotations=({"title": "t"},), provider_details={"x": 1}),
        ImageContent("aGk=", "image/png"),
        ToolCall("t", "f", {"a": 1}),
        UnknownContent({"toolUse": {"toolUseId": "s", "name": "g", "input": {}, "type": "server_tool_use"}}),
        UnknownContent({"hologram": {"depth": 3}}),
    )
    assert (message.stop_reason, message.usage, message.response_id) == (StopReason.TOOL_USE, Usage(1, 2), "r_1")
    details = {key: RESPONSE[key] for key in ("ResponseMetadata", "usage", "metrics")}
    assert message.provider_details == {**details, "cachePoint": "x"}


def test_a_whole_response_is_complete_when_it_is_read() -> None:
    (types, rest) = types_by_chunk(BedrockDecoder, [{"output": {"message": {"content": [{"text": "Hi"}]}}}])
    assert types == ["start", "text_start", "text_delta", "text_end", "done"] and rest == []
    assert decoding.final(API, [{"output": {"message": {"content": "Hi"}}}]).stop_reason is StopReason.ERROR


def test_frames_whose_events_have_no_name() -> None:
    named = [START, *HI, call(1, "t", "f"), arguments(1, "{}"), end(1), stop("tool_use"), metadata(inputTokens=1)]
    bare = [body for event in named for body in event.values()]
    assert list(decode(bare, api=API)) == list(decode(named, api=API))
    assert list(decode(bare)) == list(decode(named))


def test_events_that_are_wrapped_twice() -> None:
    chunks = *HI, end(0), stop("end_turn"), metadata(inputTokens=1)
    twice = [{kind: {kind: event} for kind, event in chunk.items()} for chunk in chunks]
    assert decoding.final(API, twice) == decoding.final(API, list(chunks))


def test_chunks_of_invoke_model() -> None:
    named = [START, *HI, end(0), *END]
    wrapped = [{"chunk": {"bytes": json.dumps(event).encode()}} for event in named]
    as_text = [{"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abc"} for event in named]
    assert list(decode(wrapped)) == list(decode(as_text)) == list(decode(named))


@pytest.mark.parametrize(
    "first", [START, HI[0], begin(0), end(0), stop("end_turn"), {"xException": {"message": "m"}}, RESPONSE]
)
def test_the_format_is_detected(first: Any) -> None:
    events: list[Any] = list(decode([first]))
    assert isinstance(events[-1].partial, AssistantMessage) and events[-1].partial.api == API


def test_an_exception_that_is_null_is_no_sign_of_the_format() -> None:
    assert not BedrockDecoder.recognizes({"xException": None})
    assert not BedrockDecoder.recognizes({"weatherReport": {"sun": True}})


def test_only_its_start_or_a_block_starts_the_message() -> None:
    assert types_by_chunk(BedrockDecoder, [{"weatherReport": {}}, {"xException": {}}]) == [[], ["error"], []]
    assert types_by_chunk(BedrockDecoder, [{"weatherReport": {}}, *HI[:1]])[:2] == [
        [],
        ["start", "text_start", "text_delta"],
    ]


def test_many_open_blocks_and_parts_are_linear_in_shape() -> None:
    parts = [reasoning(0, redactedContent=b"x")] * 2_000
    assert content(*parts, end(0))[0].thinking_signature == b64encode(b"x" * 2_000).decode()
