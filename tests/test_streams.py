"""`collect` and `replay`: a stream's terminal event, and a stream from a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any, assert_type

import pytest
from support.edits import CALL, HELLO, IMAGE, later, sample_stream
from support.recordings import each_recording, payloads
from support.streams import deltas, new_builder

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    FallbackExhausted,
    ImageContent,
    Start,
    StopReason,
    StreamProtocolError,
    TerminalEvent,
    TextContent,
    ThinkingContent,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    Usage,
    acollect,
    areplay,
    check,
    collect,
    replay,
)
from provider_events.decoders import decode

# Collecting


def test_collect_returns_the_terminal_event() -> None:
    terminals: list[Any] = [sample_stream()[-1], new_builder().error("no"), FallbackExhausted(("a",), "no")]
    for terminal in terminals:
        events = [*(sample_stream()[:-1] if isinstance(terminal, Done) else []), terminal]
        assert collect(events) is terminal
        assert asyncio.run(acollect(later(events))) is terminal


def test_what_is_collected_has_the_type_of_what_goes_in() -> None:
    def routed() -> list[AnyProviderEvent]:
        return [FallbackExhausted((), "no")]

    assert_type(collect(replay(finished())), Done | Error)
    assert_type(collect(check(replay(finished()))), Done | Error)
    assert_type(collect(routed()), TerminalEvent)


@pytest.mark.parametrize(
    "events, index, problem",
    [
        (sample_stream()[:-1], 12, r"\(the end of the stream\): expected done or error or fallback_exhausted"),
        ([], 0, "the end of the stream"),
        ([*sample_stream(), sample_stream()[-1]], 13, r"\(done\): expected nothing after done"),
    ],
)
def test_a_stream_without_one_terminal_event_is_not_collected(
    events: list[AnyProviderEvent], index: int, problem: str
) -> None:
    with pytest.raises(StreamProtocolError, match=problem) as caught:
        collect(events)
    assert caught.value.index == index
    with pytest.raises(StreamProtocolError, match=problem):
        asyncio.run(acollect(later(events)))


def test_misuse_of_collect_raises() -> None:
    event: Any = sample_stream()[0]
    with pytest.raises(
        TypeError, match="collect: expected an iterable of events, found Start; pass the stream, not one event"
    ):
        collect(event)
    with pytest.raises(
        TypeError, match="acollect: expected an asynchronous iterable of events, found list; use collect"
    ):
        asyncio.run(acollect([event]))  # type: ignore[call-overload]


# Replaying


def finished(*content: Any, **fields: Any) -> AssistantMessage:
    has_calls = any(isinstance(block, ToolCall) for block in content)
    reason = fields.pop("stop_reason", StopReason.TOOL_USE if has_calls else StopReason.STOP)
    return AssistantMessage("api", "provider", "model", content, stop_reason=reason, **fields)


@each_recording
def test_recorded_messages_are_replayed(name: str) -> None:
    message = collect(decode(payloads(name))).partial
    assert collect(check(replay(message))).partial == message


def test_every_field_is_replayed() -> None:
    details = {"id": "x", "list": [1, {"a": None}]}
    message = finished(
        ThinkingContent("Hm.", "sig", False, details),
        ThinkingContent("", "opaque", True),
        TextContent("Hello", "sig", ({"url": "u"},), details),
        ImageContent("aGk=", "image/png", details),
        ToolCall("i", "f", {"a": 1}, "sig", None, details),
        ToolCall("j", "f", {}, None, "[1"),
        UnknownContent(details),
        usage=Usage(1, 2, 3, 4, 5),
        raw_stop_reason="tool_calls",
        response_id="r",
        timestamp=5,
        provider_details=details,
    )
    assert collect(check(replay(message))).partial == message
    values: list[Any] = [message, *message.content]
    for value in values:
        others = [other for other in values if type(other) is type(value)]
        for field in fields(value):
            is_set = any(getattr(other, field.name) != field.default for other in others)
            assert is_set or field.name == "error_message", f"no {field.name} in this test"


def test_replayed_fields_come_when_a_provider_would_send_them() -> None:
    message = finished(HELLO, CALL, response_id="r", raw_stop_reason="end", provider_details={"tier": "flex"})
    events = list(replay(message, chunk_size=3))
    assert list(deltas(events)) == ["Hel", "lo", '{"a', '": ', "1}"]
    assert [type(event) for event in events[-2:]] == [ToolCallEnd, Done]
    assert isinstance(events[0], Start) and events[0].partial.response_id == "r"
    assert [event.partial.raw_stop_reason for event in events] == [None] * (len(events) - 1) + ["end"]
    assert [event.tool_call_id for event in events if isinstance(event, ToolCallStart)] == ["call_1"]


def test_an_empty_block_has_no_deltas_and_an_image_no_events() -> None:
    message = finished(TextContent(""), IMAGE, ThinkingContent("", "opaque", True), UnknownContent({"type": "x"}))
    types = [event.type for event in replay(message)]
    assert types == ["start", "text_start", "text_end", "thinking_start", "thinking_end", "done"]


def test_a_call_that_never_got_its_id_stays_open_in_a_message_that_failed() -> None:
    call = ToolCall("", "f", {"a": "b"}, "sig", None, {"item": 1})
    message = finished(call, stop_reason=StopReason.ABORTED, error_message="stopped by hand")
    events = list(check(replay(message)))
    assert events[-1].partial == message
    assert not any(isinstance(event, ToolCallEnd) for event in events)


def test_a_surrogate_pair_is_not_split() -> None:
    assert list(deltas(replay(finished(TextContent("a\ud83d\ude00b\ud83d")), chunk_size=2))) == [
        "a\ud83d\ude00",
        "b\ud83d",
    ]


def test_deltas_have_sixteen_characters_by_default() -> None:
    assert list(map(len, deltas(replay(finished(TextContent("x" * 40)))))) == [16, 16, 8]


def test_arguments_are_replayed_to_the_character() -> None:
    message = finished(ToolCall("i", "f", {"a": "ü\ud83d\ude00\x00", "n": 2**70, "f": 1.0}))
    assert repr(collect(replay(message, chunk_size=1)).partial) == repr(message)


def test_a_message_is_replayed_to_an_asynchronous_consumer() -> None:
    async def gather(events: AsyncIterator[Any]) -> list[Any]:
        return [event async for event in events]

    message = finished(HELLO, CALL)
    assert asyncio.run(gather(areplay(message, chunk_size=2))) == list(replay(message, chunk_size=2))
    with pytest.raises(ValueError, match="stop_reason"):
        areplay(finished(stop_reason=None))


def test_no_more_events_are_made_than_are_asked_for() -> None:
    first = next(iter(replay(finished(TextContent("x" * 10_000_000)), chunk_size=1)))
    assert isinstance(first, Start)


@pytest.mark.parametrize(
    "message, problem",
    [
        (finished(stop_reason=None), "expected the stop_reason of a finished message, found None"),
        (finished(stop_reason=StopReason.ERROR), "no stream ends with error_message None; it would be 'error'"),
        (finished(error_message="but why"), "no stream ends with error_message 'but why'; it would be None"),
        (finished(ToolCall("", "f", {})), r"no stream ends with content\[0\].id ''; it would be 'tool_call_0'"),
        (finished(ToolCall("i", "f", {}), ToolCall("i", "g", {})), "expected an id unique in the message, found 'i'"),
        (
            finished(ToolCall("i", "f", {"a": float("nan")})),
            r"no stream ends with content\[0\].arguments {'a': nan}; it would be {}",
        ),
        (
            finished(ToolCall("i", "f", {}, None, '{"a": 1}')),
            r"no stream ends with content\[0\].arguments {}; it would be {'a': 1}",
        ),
        (
            finished(ToolCall("i", "f", {"a": 1}, None, "[")),
            r"no stream ends with content\[0\].arguments {'a': 1}; it would be {}",
        ),
        (
            finished(HELLO, stop_reason=StopReason.TOOL_USE),
            "expected reason stop or length for a message without tool calls",
        ),
        (
            finished(CALL, stop_reason=StopReason.STOP),
            "expected reason toolUse or length for a message with tool calls",
        ),
    ],
)
def test_a_message_that_no_stream_ends_with_is_refused_at_once(message: AssistantMessage, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^replay: .*{problem}"):
        replay(message)


def test_wrong_arguments_are_refused_at_once() -> None:
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"replay: expected a chunk_size of 1 or more, found {size}"):
            replay(finished(), chunk_size=size)
    with pytest.raises(TypeError):
        replay(finished(), 3)  # type: ignore[call-arg]  # by its name only
    with pytest.raises(TypeError, match="replay: expected an AssistantMessage, found Done"):
        replay(sample_stream()[-1])  # type: ignore[arg-type]
