"""`check`: what is yielded, what is found, at which event, and in which words."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.edits import FINAL, SEARCH, copied, edit, gather, later, read, sample_stream
from support.faults import ERRORS, FAULTS
from support.recordings import each_recording, payloads
from support.streams import new_builder

from provider_events import (
    AnyProviderEvent,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    MessageEvent,
    StopReason,
    StreamProtocolError,
    TextDelta,
    acheck,
    check,
)
from provider_events._lazy import is_lazy
from provider_events.decoders import decode

# Valid streams


@each_recording
def test_recorded_streams_are_valid(name: str) -> None:
    events = list(decode(payloads(name)))
    assert list(check(events)) == events
    assert list(check(copied(events))) == events


@pytest.mark.parametrize("made", [sample_stream, lambda: copied(sample_stream()), lambda: read(sample_stream())])
def test_a_valid_stream_is_yielded_as_it_is(made: Callable[[], list[MessageEvent]]) -> None:
    events, seen = made(), list[MessageEvent]()
    assert all(given is event for given, event in zip(check(events), events, strict=True))
    asyncio.run(gather(acheck(later(events)), seen))
    assert seen == events


def test_an_event_is_yielded_before_the_next_is_asked_for() -> None:
    asked = 0

    def asking() -> Iterator[MessageEvent]:
        nonlocal asked
        for event in sample_stream():
            asked += 1
            yield event

    for number, _ in enumerate(check(asking()), 1):
        assert asked == number


def test_no_snapshot_is_read_for_a_delta() -> None:
    events = sample_stream()
    list(check(events))
    assert all(is_lazy(event.partial) for event in events if isinstance(event, TextDelta))


def test_fallbacks_come_before_the_start_or_before_nothing() -> None:
    fall = FallbackStart("a", "b", FallbackReason.RATE_LIMIT)
    exhausted = FallbackExhausted(("a", "b"), "no")
    error = new_builder().error("no connection")
    streams: list[list[AnyProviderEvent]] = [
        [fall, fall, *sample_stream()],
        [fall, exhausted],
        [exhausted],
        [fall, error],
        [error],
    ]
    for events in streams:
        assert list(check(events)) == events


def test_calls_without_arguments_and_calls_with_invalid_ones_are_valid() -> None:
    builder = new_builder()
    events: list[MessageEvent] = [builder.start(), builder.tool_call_start(), builder.tool_call_end()]
    events += [builder.tool_call_start("i", "f"), builder.tool_call_delta("[1"), builder.tool_call_end()]
    events += [builder.tool_call_start(), builder.tool_call_delta('{"a": "b'), builder.error("cut off")]
    assert list(check(copied(events))) == list(check(events)) == events


def test_fields_of_message_and_block_may_change_until_the_end_of_each() -> None:
    builder = new_builder()
    events: list[MessageEvent] = [builder.start(), builder.text_start()]
    builder.update(model="other", provider_details={"a": 1})
    builder.update_block(0, text_signature="s", provider_details={"id": "msg"})
    builder.add_block(SEARCH)
    events += [builder.text_delta("x"), builder.text_end(0, annotations=["cited"])]
    builder.update_block(1, data={"other": True})
    builder.update(provider_details={})
    events.append(builder.done(StopReason.STOP))
    assert list(check(copied(events))) == list(check(events)) == events


def test_a_length_stop_may_come_with_calls_and_without() -> None:
    events: list[Any] = sample_stream()
    edit(12, reason=StopReason.LENGTH, partial__stop_reason=StopReason.LENGTH)(events)
    assert list(check(events)) == events
    builder = new_builder()
    events = [builder.start(), builder.done(StopReason.LENGTH)]
    assert list(check(events)) == events


def test_empty_deltas_may_be_left_out_of_a_builders_stream() -> None:
    builder = new_builder()
    events: list[Any] = [builder.start(), builder.text_start(), builder.text_delta("a"), builder.text_delta("")]
    events += [builder.text_delta("b"), builder.text_delta("c"), builder.text_end(), builder.done(StopReason.STOP)]
    for made in (events, read(events)):
        del (without := [*made])[3]
        assert list(check(without)) == without
        del (without := [*made])[2]
        with pytest.raises(StreamProtocolError, match=r"event 2 \(text_delta\): partial.content\[0\].text: length"):
            list(check(without))


# Faults


def broken(change: Callable[[list[Any]], object], events: list[Any]) -> list[Any]:
    changed = change(events)
    return changed if isinstance(changed, list) else events


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_at_its_event_and_explained(name: str) -> None:
    change, index, problem = FAULTS[name]
    for made in (copied(sample_stream()), read(sample_stream()), sample_stream()):
        events = broken(change, made)
        seen: list[AnyProviderEvent] = []
        with pytest.raises(StreamProtocolError, match=problem) as caught:
            for event in check(events):
                seen.append(event)
        assert caught.value.index == index
        assert str(caught.value).startswith(f"event {index} (")
        assert seen == events[:index], "all before it was yielded"
    seen = []
    with pytest.raises(StreamProtocolError, match=problem):
        asyncio.run(gather(acheck(later(events)), seen))
    assert seen == events[:index]


@pytest.mark.parametrize("ids", [("", "b"), ("a", ""), ("a", "a")])
def test_a_call_without_an_id_of_its_own_is_found_at_done(ids: tuple[str, str]) -> None:
    wrong = ids.index("") if "" in ids else 1
    problem = rf"message.content\[{wrong}\].id: expected an id unique in the message, found {ids[wrong]!r}"
    builder = new_builder()
    events: list[Any] = [builder.start()]
    for number in range(2):
        events += [builder.tool_call_start(f"call_{number}", "f"), builder.tool_call_end()]
    text = pickle.dumps([*events, builder.done(StopReason.TOOL_USE)], protocol=0)
    for number, id in enumerate(ids):
        text = text.replace(b"Vcall_%d\n" % number, b"V%s\n" % id.encode())
    events = pickle.loads(text)
    with pytest.raises(StreamProtocolError, match=problem) as caught:
        list(check(events))
    assert caught.value.index == 5


def test_tool_use_without_a_call_is_found() -> None:
    builder = new_builder()
    events: list[Any] = [builder.start(), builder.done(StopReason.STOP)]
    edit(1, reason=StopReason.TOOL_USE, partial__stop_reason=StopReason.TOOL_USE)(events)
    with pytest.raises(
        StreamProtocolError, match="reason: expected stop or length for a message without tool calls, found toolUse"
    ):
        list(check(events))


@pytest.mark.parametrize("name", ERRORS)
def test_a_faulty_error_is_found(name: str) -> None:
    builder = new_builder()
    events: list[Any] = [
        builder.start(),
        builder.text_start(),
        builder.text_delta("Hel"),
        builder.tool_call_start("call_1", "f"),
    ]
    events += [builder.tool_call_delta('{"a": 1}'), builder.error("cut off")]
    assert list(check(events)) == events
    fields, problem = ERRORS[name]
    edit(5, **fields)(events)
    with pytest.raises(StreamProtocolError, match=problem) as caught:
        list(check(events))
    assert caught.value.index == 5


def test_nothing_follows_an_error_with_open_blocks() -> None:
    builder = new_builder()
    events: list[Any] = [builder.start(), builder.text_start(), builder.text_delta("Hel"), builder.error("cut off")]
    with pytest.raises(
        StreamProtocolError, match=r"event 4 \(text_delta\): expected nothing more; the stream has ended"
    ):
        list(check([*events, events[2]]))


# Whose snapshot it is, and of when


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("index", [2, 3, 6, 7, 8, 9, 10, 11])
def test_an_older_snapshot_is_found_read_or_not(index: int, is_read: bool) -> None:
    events: list[Any] = sample_stream()
    for older in range(index - 1):
        broken_events = [*events]
        broken_events[index] = replace(events[index], partial=events[older].partial)
        if is_read:
            read(broken_events)
        with pytest.raises(
            StreamProtocolError, match=r"partial: expected the message as of this event, found an older snapshot"
        ) as caught:
            list(check(broken_events))
        assert caught.value.index == index


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("index", range(1, 12))
def test_a_snapshot_of_another_stream_is_found_read_or_not(index: int, is_read: bool) -> None:
    events: list[Any] = sample_stream()
    events[index] = replace(events[index], partial=sample_stream()[index].partial)
    if is_read:
        read(events)
    with pytest.raises(
        StreamProtocolError, match="partial: expected a snapshot of this stream, found one of another stream"
    ) as caught:
        list(check(events))
    assert caught.value.index == index


def test_a_terminal_message_may_be_of_any_origin() -> None:
    events = [sample_stream()[0], new_builder().error("no connection")]
    assert list(check(events)) == events
    assert list(check([*sample_stream()[:-1], sample_stream()[-1]]))


def test_a_copy_among_a_builders_snapshots_is_checked_by_its_content() -> None:
    for index in range(13):
        events: list[Any] = sample_stream()
        events[index] = copied(events)[index]
        assert list(check(events)) == events


# Closing, and misuse


def test_the_source_is_closed_with_the_generator() -> None:
    closed: list[str] = []

    def source(events: Iterable[Any]) -> Iterator[Any]:
        try:
            yield from events
        finally:
            closed.append("closed")

    async def asource() -> AsyncIterator[Any]:
        try:
            for event in sample_stream():
                yield event
        finally:
            closed.append("asynchronous")

    kept = (
        source(sample_stream()),
        source([*sample_stream()[:2], *sample_stream()]),
        asource(),
    )  # not closed by being let go
    checked = check(kept[0])
    next(checked)
    checked.close()
    assert closed == ["closed"]
    with pytest.raises(StreamProtocolError):
        list(check(kept[1]))
    assert closed == ["closed"] * 2

    async def leave() -> None:
        checked = acheck(kept[2])
        await anext(checked)
        await checked.aclose()
        assert closed[2:] == ["asynchronous"]

    asyncio.run(leave())


def test_misuse_raises_at_once() -> None:
    async def coroutine() -> list[AnyProviderEvent]:
        return []

    waiting = coroutine()
    misuses: list[tuple[Any, Any, str]] = [
        (
            check,
            sample_stream()[0],
            "check: expected an iterable of events, found Start; pass the stream, not one event",
        ),
        (
            check,
            later([]),
            "check: expected an iterable of events, found async_generator; use acheck",
        ),
        (check, waiting, "check: expected an iterable of events, found coroutine; await it first"),
        (
            check,
            FINAL,
            "check: expected an iterable of events, found AssistantMessage; call replay to make a stream of a message",
        ),
        (
            acheck,
            sample_stream(),
            "acheck: expected an asynchronous iterable of events, found list; use check",
        ),
        (acheck, waiting, "acheck: expected an asynchronous iterable of events, found coroutine; await it first"),
    ]
    for call, value, problem in misuses:
        with pytest.raises(TypeError) as refused:
            call(value)
        assert str(refused.value) == problem
    waiting.close()


def test_a_protocol_error_is_a_value_error_and_can_be_pickled() -> None:
    with pytest.raises(ValueError) as caught:
        list(check([]))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.index) == (StreamProtocolError, str(caught.value), 0)
