"""Bedrock's ConverseStream: the mapping rules, and chunks as boto3 yields them."""

from __future__ import annotations

from typing import Any

import pytest
from support.laws import assert_valid as assert_lawful

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Error,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import decode

START = {"messageStart": {"role": "assistant"}}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": fields}}


def end(index: int) -> dict[str, Any]:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def call(index: int, id: str, name: str) -> dict[str, Any]:
    return {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": name}}}}


def arguments(index: int, text: str) -> dict[str, Any]:
    return delta(index, toolUse={"input": text})


def reasoning(index: int, **fields: Any) -> dict[str, Any]:
    return delta(index, reasoningContent=fields)


def stop(reason: str) -> dict[str, Any]:
    return {"messageStop": {"stopReason": reason}}


def metadata(**usage: Any) -> dict[str, Any]:
    return {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}


HI = delta(0, text="H"), delta(0, text="i")


def decoded(*chunks: Any) -> list[AnyProviderEvent]:
    events = list(decode([START, *chunks], api="bedrock-converse-stream"))
    assert_lawful(events)
    return events


def final(*chunks: Any) -> AssistantMessage:
    message = decoded(*chunks)[-1].partial
    assert message is not None
    return message


def content(*chunks: Any) -> tuple[Any, ...]:
    """The content of a message that is complete."""
    message = final(*chunks, stop("end_turn"), metadata())
    assert message.stop_reason is StopReason.STOP
    return message.content


def test_text_which_no_block_start_announces() -> None:
    message = final(*HI, end(0), stop("end_turn"), metadata())
    assert message.content == (TextContent("Hi"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "end_turn")
    assert message.api == "bedrock-converse-stream"


def test_text_that_an_empty_block_start_announces() -> None:
    assert content({"contentBlockStart": {"contentBlockIndex": 0, "start": {}}}, *HI, end(0)) == (TextContent("Hi"),)


def test_reasoning_with_its_signature_then_text() -> None:
    chunks = reasoning(0, text="H"), reasoning(0, text="m"), reasoning(0, signature="c2ln"), end(0), delta(1, text="Hi"), end(1)
    assert content(*chunks) == (ThinkingContent("Hm", "c2ln"), TextContent("Hi"))


@pytest.mark.parametrize("payload", [b"opaque", bytearray(b"opaque"), "b3BhcXVl"])
def test_redacted_reasoning_as_bytes_or_as_base64(payload: Any) -> None:
    assert content(reasoning(0, redactedContent=payload), end(0)) == (ThinkingContent("", "b3BhcXVl", redacted=True),)


def test_tool_use() -> None:
    chunks = call(0, "tooluse_1", "f"), arguments(0, '{"a"'), arguments(0, ": 1}"), end(0), stop("tool_use"), metadata()
    message = final(*chunks)
    assert message.content == (ToolCall("tooluse_1", "f", {"a": 1}),)
    assert message.stop_reason is StopReason.TOOL_USE


def test_tool_use_without_arguments() -> None:
    assert content(call(0, "tooluse_1", "f"), end(0)) == (ToolCall("tooluse_1", "f", {}),)
    assert content(call(0, "tooluse_1", "f"), arguments(0, ""), end(0)) == (ToolCall("tooluse_1", "f", {}),)


def test_two_calls_after_text() -> None:
    one = call(1, "tooluse_1", "f"), arguments(1, "{}"), end(1)
    two = call(2, "tooluse_2", "g"), arguments(2, '{"b": 2}'), end(2)
    assert content(*HI, end(0), *one, *two) == (TextContent("Hi"), ToolCall("tooluse_1", "f", {}), ToolCall("tooluse_2", "g", {"b": 2}))


def test_tool_input_that_is_no_json() -> None:
    message = final(call(0, "tooluse_1", "f"), arguments(0, '{"a'), end(0), stop("max_tokens"))
    assert message.content == (ToolCall("tooluse_1", "f", {}, invalid_arguments='{"a'),)
    assert message.stop_reason is StopReason.LENGTH


def test_citations_are_annotations() -> None:
    citation: Any = {"title": "Paper", "location": {"documentPage": {"documentIndex": 0}}}
    assert content(*HI, delta(0, citation=citation), end(0)) == (TextContent("Hi", annotations=(citation,)),)


def test_blocks_of_kinds_to_come_are_kept() -> None:
    start = {"contentBlockStart": {"contentBlockIndex": 0, "start": {"hologram": {"depth": 3}}}}
    (unknown, text) = content(start, delta(0, hologram={"voxels": b"\x00"}), end(0), delta(1, text="Hi"), end(1))
    assert isinstance(unknown, UnknownContent) and "hologram" in repr(unknown.data) and "AA==" in repr(unknown.data)
    assert text == TextContent("Hi")


def test_a_block_of_an_unknown_kind_is_not_lost_when_the_stream_breaks_off() -> None:
    message = final(delta(0, hologram={"voxels": [1]}))
    assert message.stop_reason is StopReason.ERROR
    assert "voxels" in repr(message.content)


def test_events_of_kinds_to_come_are_passed_over() -> None:
    assert content({"weatherReport": {}}, *HI, {"weatherReport": {"sun": True}}, end(0)) == (TextContent("Hi"),)


def test_blocks_that_nobody_ended_end_with_the_message() -> None:
    assert content(*HI) == (TextContent("Hi"),)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", StopReason.STOP),
        ("stop_sequence", StopReason.STOP),
        ("max_tokens", StopReason.LENGTH),
        ("model_context_window_exceeded", StopReason.LENGTH),
        ("tool_use", StopReason.TOOL_USE),
        ("guardrail_intervened", StopReason.ERROR),
        ("content_filtered", StopReason.ERROR),
        ("malformed_tool_use", StopReason.ERROR),
        ("malformed_model_output", StopReason.ERROR),
        ("a_reason_nobody_knows", StopReason.STOP),
    ],
)
def test_stop_reasons(raw: str, reason: StopReason) -> None:
    message = final(*HI, end(0), stop(raw), metadata())
    assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, raw, "Hi")
    assert (raw in (message.error_message or "")) is (reason is StopReason.ERROR)


@pytest.mark.parametrize("kind", ["throttlingException", "modelStreamErrorException", "somethingNewException"])
def test_an_exception_event_mid_stream(kind: str) -> None:
    last = decoded(*HI, {kind: {"message": "Too many requests"}}, delta(0, text=" there"))[-1]
    assert isinstance(last, Error) and last.error.content == (TextContent("Hi"),)
    assert kind in str(last.error.error_message) and "Too many requests" in str(last.error.error_message)


def test_without_message_stop_the_stream_was_cut_off() -> None:
    assert final(*HI, end(0)).stop_reason is StopReason.ERROR
    assert final(*HI, end(0), metadata()).stop_reason is StopReason.ERROR
    assert final(*HI, end(0)).text == "Hi"


def test_metadata_comes_after_the_stop_and_counts() -> None:
    usage = {"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 30, "totalTokens": 65}
    message = final(*HI, end(0), stop("end_turn"), metadata(**usage))
    assert (message.usage, message.stop_reason) == (Usage(10, 5, 20, 30, 65), StopReason.STOP)


def test_metadata_may_be_missing_or_say_little() -> None:
    assert final(*HI, end(0), stop("end_turn")).usage == Usage()
    assert final(*HI, stop("end_turn"), metadata(inputTokens=1, outputTokens=2, cacheReadInputTokens=None)).usage == Usage(1, 2, 0, 0, 3)


def test_an_error_of_the_stop_keeps_the_usage_that_follows() -> None:
    message = final(*HI, end(0), stop("guardrail_intervened"), metadata(inputTokens=1, outputTokens=2, totalTokens=3))
    assert (message.usage, message.stop_reason) == (Usage(1, 2, 0, 0, 3), StopReason.ERROR)


def test_a_delta_of_another_kind_than_its_block_is_an_error() -> None:
    message = final(*HI, arguments(0, "{}"))
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
