"""Lines as pi writes them are read: with their snapshots, without, and in between."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from support.logs import log_of, read_all

from provider_events import (
    AssistantMessage,
    Cost,
    Done,
    Error,
    StopReason,
    TextContent,
    TextEnd,
    ThinkingContent,
    ThinkingEnd,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    event_from_wire,
    event_to_wire,
)

ARGUMENTS = ['{"city": "Lis', 'bon", "days": ', "1}"]


def usage(output: int) -> dict[str, Any]:
    cost = {
        "input": 0.001236,
        "output": output * 0.000015,
        "cacheRead": 0,
        "cacheWrite": 0,
        "total": 0.001236 + output * 0.000015,
    }
    return {
        "input": 412,
        "output": output,
        "cacheRead": 1024,
        "cacheWrite": 0,
        "totalTokens": 1436 + output,
        "cost": cost,
    }


def pi_stream(streaming: str) -> list[dict[str, Any]]:
    """Thinking, text and a tool call, as pi pushes them: each with the one message that it keeps changing.

    `streaming` is its stop reason until it ends: "stop" in older versions, "pending" in newer ones.
    """
    message: dict[str, Any] = {
        **{"role": "assistant", "content": [], "api": "anthropic-messages", "provider": "anthropic", "model": "claude"},
        **{"usage": usage(1), "stopReason": streaming, "timestamp": 1760000000123},
    }
    content: list[dict[str, Any]] = message["content"]
    events: list[dict[str, Any]] = []

    def push(kind: str, index: int | None = None, **fields: Any) -> None:
        where = {} if index is None else {"contentIndex": index}
        last = {"done": "message", "error": "error"}.get(kind, "partial")
        events.append(deepcopy({"type": kind, **where, **fields, last: message}))

    push("start")
    message["responseId"] = "msg_1"
    content.append({"type": "thinking", "thinking": "", "thinkingSignature": "", "index": 0})
    push("thinking_start", 0)
    for delta in ("They want ", "the weather."):
        content[0]["thinking"] += delta
        push("thinking_delta", 0, delta=delta)
    content[0]["thinkingSignature"] = "c2ln"
    del content[0]["index"]
    push("thinking_end", 0, content="They want the weather.")
    content.append({"type": "text", "text": "", "index": 1})
    push("text_start", 1)
    for delta in ("Let me ", "look. ", "☔"):
        content[1]["text"] += delta
        push("text_delta", 1, delta=delta)
    push("text_end", 1, content="Let me look. ☔")
    content.append(
        {"type": "toolCall", "id": "toolu_1", "name": "forecast", "arguments": {}, "partialJson": "", "index": 2}
    )
    push("toolcall_start", 2)
    for delta, arguments in zip(ARGUMENTS, [{"city": "Lis"}, {"city": "Lisbon"}, {"city": "Lisbon", "days": 1}]):
        content[2] |= {"arguments": arguments, "partialJson": content[2]["partialJson"] + delta}
        push("toolcall_delta", 2, delta=delta)
    del content[2]["partialJson"], content[2]["index"]
    push("toolcall_end", 2, toolCall=content[2])
    message |= {"usage": usage(87), "stopReason": "toolUse", "rawStopReason": "tool_use"}
    push("done", reason="toolUse")
    return events


def lines(events: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]


def without_partials(events: list[dict[str, Any]], kinds: str = "") -> list[dict[str, Any]]:
    """The events of `kinds`, of all if there are none, without their snapshots."""
    left_out = kinds.split() or {event["type"] for event in events}
    return [
        {key: value for key, value in event.items() if key != "partial" or event["type"] not in left_out}
        for event in events
    ]


MESSAGE = AssistantMessage(
    api="anthropic-messages",
    provider="anthropic",
    model="claude",
    content=(
        ThinkingContent("They want the weather.", "c2ln"),
        TextContent("Let me look. ☔"),
        ToolCall("toolu_1", "forecast", {"city": "Lisbon", "days": 1}),
    ),
    usage=Usage(412, 87, 1024, 0, 0, Cost(0.001236, 87 * 0.000015, 0, 0, 0.001236 + 87 * 0.000015)),
    stop_reason=StopReason.TOOL_USE,
    raw_stop_reason="tool_use",
    response_id="msg_1",
    timestamp=1760000000123,
)
VERSIONS = {
    "with all partials, older": pi_stream("stop"),
    "with all partials, newer": pi_stream("pending"),
    "without those of text deltas": without_partials(pi_stream("stop"), "text_delta"),
    "without those of deltas": without_partials(pi_stream("pending"), "text_delta thinking_delta toolcall_delta"),
    "without those of starts and ends": without_partials(
        pi_stream("pending"), "text_start text_end toolcall_start toolcall_end"
    ),
    "without any": without_partials(pi_stream("pending")),
}
each_version = pytest.mark.parametrize("events", VERSIONS.values(), ids=VERSIONS)


@each_version
def test_a_stream_of_pi_is_read(events: list[dict[str, Any]]) -> None:
    read, error = read_all(lines(events))
    assert error is None
    assert [event.type for event in read] == [event["type"] for event in events]
    for event, written in zip(read, events):
        for name, key in (
            ("content_index", "contentIndex"),
            ("delta", "delta"),
            ("content", "content"),
            ("reason", "reason"),
        ):
            assert getattr(event, name, None) == written.get(key)
    assert read[-1] == Done(StopReason.TOOL_USE, MESSAGE)


@each_version
def test_every_snapshot_of_a_stream_of_pi_has_what_came(events: list[dict[str, Any]]) -> None:
    read, _ = read_all(lines(events))
    texts, thoughts = [], []
    for event in read:
        assert event.partial is not None
        texts.append(event.partial.text)
        thoughts.append(event.partial.thinking)
    assert thoughts[:5] == ["", "", "They want ", "They want the weather.", "They want the weather."]
    assert texts[5:11] == ["", "Let me ", "Let me look. ", "Let me look. ☔", "Let me look. ☔", "Let me look. ☔"]
    partials: list[Any] = [event.partial for event in read[10:14]]
    arguments = [partial.content[2].arguments for partial in partials]
    assert arguments == [{}, {"city": "Lis"}, {"city": "Lisbon"}, {"city": "Lisbon", "days": 1}]
    end = read[14]
    assert isinstance(end, ToolCallEnd) and end.tool_call == MESSAGE.tool_calls[0]
    assert end.partial.content[2] == MESSAGE.tool_calls[0], "late id and name are in the snapshot"


@each_version
def test_a_stream_of_pi_can_be_written_as_a_log(events: list[dict[str, Any]]) -> None:
    read, _ = read_all(lines(events))
    again, error = read_all(log_of(read).splitlines())
    assert error is None
    assert list(map(repr, again)) == list(map(repr, read)), "all but the snapshots, which may have been odd"
    assert again[-1] == read[-1]


@pytest.mark.parametrize("streaming", ["stop", "pending"])
def test_an_event_of_pi_is_read_by_itself(streaming: str) -> None:
    for written in pi_stream(streaming):
        event = event_from_wire(written)
        assert event.type == written["type"]
        assert event_from_wire(event_to_wire(event)) == event
        assert event.partial is not None
        if not event.is_terminal:
            assert event.partial.stop_reason == {"stop": StopReason.STOP, "pending": None}[streaming]


def test_a_call_that_starts_is_read_with_the_id_and_the_name_that_newer_versions_give_it() -> None:
    events = without_partials(pi_stream("pending"))
    events[10] |= {"id": "toolu_1", "toolName": "forecast"}
    start = read_all(lines(events))[0][10]
    assert isinstance(start, ToolCallStart)
    assert (start.tool_call_id, start.tool_name) == ("toolu_1", "forecast")
    assert start.partial.content[2] == ToolCall("toolu_1", "forecast", {})


def test_a_call_that_ends_is_read_with_the_signature_that_its_snapshot_would_have() -> None:
    events = without_partials(pi_stream("pending"))
    events[14]["toolCall"]["thoughtSignature"] = "c2ln"
    end = read_all(lines(events))[0][14]
    assert isinstance(end, ToolCallEnd)
    assert end.tool_call == end.partial.content[2] == replace(MESSAGE.tool_calls[0], thought_signature="c2ln")


def test_the_reasoning_tokens_of_newer_versions_are_read() -> None:
    events = pi_stream("pending")
    events[-1]["message"]["usage"]["reasoning"] = 12
    last = read_all(lines(events))[0][-1].partial
    assert last and last.usage.reasoning_tokens == 12


@pytest.mark.parametrize("keep", ["", "start"], ids=["without snapshots", "with snapshots"])
def test_an_end_may_differ_from_its_deltas(keep: str) -> None:
    """Pi's reasoning summaries end without the blank line of their last delta; its redacted reasoning has no delta."""
    events = pi_stream("pending") if keep else without_partials(pi_stream("pending"))
    events[4]["content"] = "They want the"
    events[9]["content"] = "Let me look."
    events[14]["toolCall"]["arguments"]["days"] = 10**17 + 1.0  # pi rounds large integers
    read, error = read_all(lines(events))
    assert error is None
    thought, text, call = read[4], read[9], read[14]
    assert isinstance(thought, ThinkingEnd) and thought.content == "They want the"
    assert isinstance(text, TextEnd) and text.content == "Let me look."
    assert isinstance(call, ToolCallEnd) and call.tool_call.arguments["days"] == 10**17
    assert read[-1] == Done(StopReason.TOOL_USE, MESSAGE)
    assert list(map(repr, read_all(log_of(read).splitlines())[0])) == list(map(repr, read))


@pytest.mark.parametrize("with_partials", [True, False])
@pytest.mark.parametrize("reason", [StopReason.ABORTED, StopReason.ERROR])
def test_a_stream_of_pi_that_broke_off_is_read(reason: StopReason, with_partials: bool) -> None:
    events = pi_stream("pending")[:8]
    error = {**events[-1]["partial"], "stopReason": str(reason), "errorMessage": "Request was aborted"}
    events.append({"type": "error", "reason": str(reason), "error": error})
    read, problem = read_all(lines(events if with_partials else without_partials(events)))
    assert problem is None
    assert isinstance(read[-1], Error)
    assert (read[-1].reason, read[-1].error.stop_reason, read[-1].error.error_message) == (
        reason,
        reason,
        "Request was aborted",
    )
    assert read[-1].error.text == "Let me look. "


def test_an_error_of_pi_alone_is_read() -> None:
    error = {**pi_stream("error")[0]["partial"], "errorMessage": "401 invalid x-api-key"}
    read, problem = read_all(lines([{"type": "error", "reason": "error", "error": error}]))
    assert problem is None and len(read) == 1
    assert isinstance(read[0], Error) and read[0].error.error_message == "401 invalid x-api-key"
