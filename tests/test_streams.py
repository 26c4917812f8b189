"""`check`, `collect` and `replay`: what is handed on, what is caught and at which event, what is given back."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
import recordings

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    Start,
    StopReason,
    StreamProtocolError,
    TextContent,
    TextDelta,
    ThinkingContent,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    acheck,
    acollect,
    check,
    collect,
    replay,
)
from provider_events.decoders import decode
from provider_events.messages import is_unread

PICTURE = ImageContent("aGk=", "image/png")


def builder() -> MessageBuilder:
    return MessageBuilder(api="api", provider="provider", model="model", timestamp=1)


def spoken() -> list[AnyProviderEvent]:
    """A stream with a block of each kind, its snapshots unread."""
    b = builder()
    events: list[AnyProviderEvent] = [b.start(), b.thinking_start(), b.thinking_delta("Hm."), b.thinking_end()]
    b.add_block(PICTURE)
    events += [b.text_start(), b.tool_call_start("call_1", "f"), b.text_delta("Hel"), b.tool_call_delta('{"a":')]
    events += [b.text_delta("lo"), b.text_end(), b.tool_call_delta(" 1}"), b.tool_call_end()]
    return [*events, b.done(StopReason.TOOL_USE)]


def by_hand(events: Iterable[AnyProviderEvent]) -> list[AnyProviderEvent]:
    """The same events as somebody makes them who has no builder: no snapshot has anything to be worked out."""
    made: list[AnyProviderEvent] = pickle.loads(pickle.dumps(list(events)))
    return made


async def later(events: Iterable[AnyProviderEvent]) -> AsyncIterator[AnyProviderEvent]:
    for event in events:
        await asyncio.sleep(0)
        yield event


async def gathered(events: AsyncIterator[AnyProviderEvent], into: list[AnyProviderEvent]) -> None:
    async for event in events:
        into.append(event)


# Checking


@pytest.mark.parametrize("name", recordings.NAMES)
def test_recorded_streams_are_lawful_read_or_unread(name: str) -> None:
    events = list(decode(recordings.payloads(name)))
    assert list(check(events)) == events
    assert list(check(by_hand(events))) == events


@pytest.mark.parametrize("made", [spoken, lambda: by_hand(spoken())])
def test_a_lawful_stream_is_handed_on_as_it_is(made: Callable[[], list[AnyProviderEvent]]) -> None:
    events, seen = made(), list[AnyProviderEvent]()
    assert all(given is event for given, event in zip(check(events), events, strict=True))
    asyncio.run(gathered(acheck(later(events)), seen))
    assert seen == events


def test_an_event_is_handed_on_before_the_next_is_asked_for() -> None:
    asked = 0

    def asking() -> Iterable[AnyProviderEvent]:
        nonlocal asked
        for event in spoken():
            asked += 1
            yield event

    for number, _ in enumerate(check(asking()), 1):
        assert asked == number


def test_no_snapshot_is_worked_out_for_a_delta() -> None:
    events = spoken()
    list(check(events))
    assert all(is_unread(event.partial) for event in events if isinstance(event, TextDelta))


def test_fallbacks_come_before_the_start_or_before_nothing() -> None:
    fall = FallbackStart("a", "b", FallbackReason.RATE_LIMIT)
    exhausted = FallbackExhausted(("a", "b"), "no")
    error = builder().error("no connection")
    for events in ([fall, fall, *spoken()], [fall, exhausted], [exhausted], [fall, error], [error]):
        assert list(check(events)) == events


def test_calls_without_arguments_and_calls_with_bad_ones_are_lawful() -> None:
    b = builder()
    events = [b.start(), b.tool_call_start(), b.tool_call_end(), b.tool_call_start("i", "f"), b.tool_call_delta("[1")]
    events += [b.tool_call_end(), b.tool_call_start(), b.tool_call_delta('{"a": "b'), b.error("cut off")]
    assert list(check(by_hand(events))) == list(check(events)) == events


def test_a_calls_signature_may_come_with_its_start() -> None:
    events: list[Any] = by_hand(spoken())
    edit(5, partial__content=(*events[5].partial.content[:3], ToolCall("call_1", "f", {}, "sig")))(events)
    assert list(check(events)) == events


def faulty(change: Callable[[list[Any]], object]) -> list[AnyProviderEvent]:
    events = by_hand(spoken())
    changed = change(events)
    return changed if isinstance(changed, list) else events


def edit(place: int, **fields: Any) -> Callable[[list[Any]], None]:
    """Change fields of one event; `partial__…` is a field of its message."""

    def change(events: list[Any]) -> None:
        event = events[place]
        holder = {Done: "message", Error: "error"}.get(type(event), "partial")
        of_message = {name.removeprefix("partial__"): value for name, value in fields.items() if "__" in name}
        of_event = {name: value for name, value in fields.items() if "__" not in name}
        if of_message:
            of_event[holder] = replace(getattr(event, holder), **of_message)
        events[place] = replace(event, **of_event)

    return change


THOUGHT, HELLO, CALL = ThinkingContent("Hm."), TextContent("Hello"), ToolCall("call_1", "f", {"a": 1})
FINAL = spoken()[-1].partial

FAULTS: dict[str, tuple[Callable[[list[Any]], object], int, str]] = {
    # the grammar
    "an empty stream": (lambda events: [], 0, "the end of the stream: expected start or error or fallback_start"),
    "no ending": (lambda events: events[:-1], 12, "the end of the stream: .*text_start.* or done or error"),
    "no start": (lambda events: events[1:], 0, "thinking_start at 0: expected start"),
    "two starts": (lambda events: [events[0], *events], 1, "start: expected text_start or thinking_start"),
    "two endings": (lambda events: [*events, events[-1]], 13, "done: expected no more"),
    "an event after the ending": (lambda events: [*events, events[2]], 13, "thinking_delta at 0: expected no more"),
    "a fallback after the start": (
        lambda events: [*events[:3], FallbackStart("a", "b", FallbackReason.UNKNOWN), *events[3:]], 3, "fallback_start: ",
    ),
    "no event": (lambda events: [*events[:3], "text", *events[3:]], 3, "str: expected .*thinking_delta"),
    "a delta before its block": (lambda events: [events[0], *events[6:]], 1, "text_delta at 2: expected text_start"),
    "a delta after its block": (lambda events: [*events[:4], events[2], *events[4:]], 4, "thinking_delta at 0: "),
    "a delta of another kind": (lambda events: [*events[:7], replace(events[6], content_index=3), *events[7:]], 7, "text_delta at 3: .*ToolCall at 3"),
    "an end without its block": (lambda events: [*events[:1], *events[3:]], 1, "thinking_end at 0: "),
    "done while a block is open": (lambda events: [*events[:11], events[12]], 11, "done: expected .*toolcall_end.*open blocks are ToolCall at 3"),
    # places
    "a place that is taken": (edit(4, content_index=0), 4, "text_start at 0: content_index: expected the next place, 1"),
    "a place that is not there": (edit(4, content_index=9), 4, r"text_start at 9: content\[2\]: expected its events first"),
    "a place with another block": (edit(1, partial__content=(HELLO,)), 1, r"thinking_start at 0: content\[0\]: expected ThinkingContent, found TextContent"),
    "a block behind the new one": (edit(1, partial__content=(ThinkingContent(""), PICTURE)), 1, r"partial.content\[1\]: expected None, found ImageContent"),
    "a block without its events": (edit(4, partial__content=(THOUGHT, HELLO, TextContent(""))), 4, r"text_start at 2: content\[1\]: expected its events first"),
    "a block without its events at the ending": (edit(12, partial__content=(*FINAL.content, HELLO)), 12, r"done: content\[4\]: expected its events first"),
    # contradictions
    "a partial of another type": (edit(3, partial=None), 3, "thinking_end at 0: partial: expected AssistantMessage, found NoneType"),
    "a delta's partial of another type": (edit(2, partial={}), 2, "thinking_delta at 0: partial: expected AssistantMessage, found dict"),
    "a delta of another type": (edit(2, delta=None), 2, "thinking_delta at 0: delta: expected str, found NoneType"),
    "a start without its partial": (edit(0, partial=None), 0, "start: partial: expected AssistantMessage, found NoneType"),
    "a message that stopped before the start": (edit(0, partial__stop_reason=StopReason.STOP), 0, "start: stop_reason: expected None, found .*stop"),
    "a message that stopped before the end": (edit(1, partial__stop_reason=StopReason.STOP), 1, "thinking_start at 0: stop_reason: expected None, found .*stop"),
    "one message shared by all": (lambda events: [replace(e, partial=FINAL) if hasattr(e, "content_index") else e for e in events], 1, "stop_reason"),
    "a snapshot of before the delta": (edit(8, partial__content=(THOUGHT, PICTURE, TextContent("Hel"), ToolCall("call_1", "f", {}))), 8, "text_delta at 2: length of its text in partial: expected 5, found 3"),
    "a snapshot with other words": (edit(8, partial__content=(THOUGHT, PICTURE, TextContent("Helio"), ToolCall("call_1", "f", {}))), 8, "text_delta at 2: end of its text in partial: expected 'lo', found 'io'"),
    "a text that has begun at its start": (edit(4, partial__content=(THOUGHT, PICTURE, TextContent("H"))), 4, "text_start at 2: its text in partial: expected '', found 'H'"),
    "a call whose id is another in partial": (edit(5, tool_call_id="call_2"), 5, "toolcall_start at 3: .*expected .*'call_2'.*found .*'call_1'"),
    "a call whose name is another in partial": (edit(5, tool_name=None), 5, "toolcall_start at 3: .*expected .*name=''.*found .*name='f'"),
    "an end with other text": (edit(9, content="Hallo"), 9, "text_end at 2: content: expected 'Hello', found 'Hallo'"),
    "an end with other text in partial": (edit(9, partial__content=(THOUGHT, PICTURE, TextContent("Hel"), CALL)), 9, "text_end at 2: the same in partial: expected 'Hello', found 'Hel'"),
    "a call with other arguments": (edit(11, tool_call=ToolCall("call_1", "f", {})), 11, "toolcall_end at 3: tool_call.arguments: expected .*1.*, found {}"),
    "a call with invalid arguments that are not": (edit(11, tool_call=replace(CALL, invalid_arguments="{")), 11, "tool_call.invalid_arguments: expected None, found '{'"),
    "a call that is another in partial": (edit(11, tool_call=replace(CALL, name="g")), 11, "toolcall_end at 3: .*expected .*name='g'.*found .*name='f'"),
    "no call at its end": (edit(11, tool_call=None), 11, "toolcall_end at 3: tool_call: expected ToolCall, found NoneType"),
    # the ending
    "done for another reason than its message": (edit(12, reason=StopReason.STOP), 12, "done: stop_reason: expected .*'stop'.*found .*toolUse"),
    "done without a reason in its message": (edit(12, partial__stop_reason=None), 12, "done: stop_reason: expected .*toolUse.*found None"),
    "done for an error": (edit(12, reason=StopReason.ERROR, partial__stop_reason=StopReason.ERROR), 12, "done: reason: expected stop or length or toolUse, found error"),
    "a text that is another at the end": (edit(12, partial__content=(THOUGHT, PICTURE, TextContent("Hell"), CALL)), 12, r"done: content\[2\]: expected 'Hello', found 'Hell'"),
    "a call that is another at the end": (edit(12, partial__content=(THOUGHT, PICTURE, HELLO, replace(CALL, id="x"))), 12, r"done: content\[3\]: expected .*'call_1'.*found .*'x'"),
    "a text that is thinking at the end": (edit(12, partial__content=(THOUGHT, PICTURE, ThinkingContent("Hello"), CALL)), 12, r"done: content\[2\]: expected TextContent, found ThinkingContent"),
    "a picture that is another at the end": (edit(12, partial__content=(THOUGHT, ImageContent("", "image/png"), HELLO, CALL)), 12, r"done: content\[1\]: expected ImageContent.*aGk.*found ImageContent"),
    "a start that has content": (edit(0, partial__content=(HELLO,)), 0, r"start: partial.content\[0\]: expected None, found TextContent"),
    "a place that is no number": (edit(4, content_index="2"), 4, "text_start at 2: content_index: expected int, found str"),
    "a delta's place that is no number": (edit(2, content_index=[0]), 2, "content_index: expected int, found list"),
    "a block that is gone at the end": (edit(12, partial__content=(THOUGHT, PICTURE, HELLO)), 12, r"done: content\[3\]: expected ToolCall, found NoneType"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_at_its_event_and_explained(name: str) -> None:
    change, index, words = FAULTS[name]
    events = faulty(change)
    handed_on: list[AnyProviderEvent] = []
    with pytest.raises(StreamProtocolError, match=words) as caught:
        for event in check(events):
            handed_on.append(event)
    assert caught.value.index == index
    assert handed_on == events[:index], "all before it was handed on"
    seen: list[AnyProviderEvent] = []
    with pytest.raises(StreamProtocolError, match=words):
        asyncio.run(gathered(acheck(later(events)), seen))
    assert seen == handed_on


ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "an error that does not say why": ({"partial__error_message": None}, "error: error_message: expected to be told why, found None"),
    "an error for another reason": ({"reason": StopReason.STOP, "partial__stop_reason": StopReason.STOP}, "error: reason: expected error or aborted, found stop"),
    "an open call that is gone": ({"partial__content": (TextContent("Hel"),)}, r"error: content\[1\]: expected ToolCall, found NoneType"),
    "an open text that lost what came": ({"partial__content": (TextContent("He"), CALL)}, r"error: content\[0\]: expected 'Hel', found 'He'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_faulty_error_is_caught(name: str) -> None:
    b = builder()
    events: list[Any] = [b.start(), b.text_start(), b.text_delta("Hel"), b.tool_call_start("call_1", "f"), b.error("cut off")]
    assert list(check(events)) == events
    fields, words = ERRORS[name]
    edit(4, **fields)(events)
    with pytest.raises(StreamProtocolError, match=words) as caught:
        list(check(events))
    assert caught.value.index == 4


def test_a_protocol_error_is_a_value_error_and_travels() -> None:
    with pytest.raises(ValueError) as caught:
        list(check([]))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.index) == (StreamProtocolError, str(caught.value), 0)
    assert str(copy).startswith("event 0: the end of the stream: expected start")


# Collecting


def test_collect_gives_the_ending() -> None:
    endings = [spoken()[-1], builder().error("no"), FallbackExhausted(("a",), "no")]
    for ending in endings:
        before = spoken()[:-1] if isinstance(ending, Done) else []
        assert collect([*before, ending]) is ending
        assert asyncio.run(acollect(later([*before, ending]))) is ending


@pytest.mark.parametrize(
    "events, index, words",
    [
        (spoken()[:-1], 12, "the end of the stream: expected done, error or fallback_exhausted"),
        ([], 0, "the end of the stream"),
        ([*spoken(), spoken()[-1]], 13, "done: expected nothing after done"),
    ],
)
def test_what_has_not_one_ending_is_not_collected(events: list[AnyProviderEvent], index: int, words: str) -> None:
    with pytest.raises(StreamProtocolError, match=words) as caught:
        collect(events)
    assert caught.value.index == index
    with pytest.raises(StreamProtocolError, match=words):
        asyncio.run(acollect(later(events)))


# Replaying


def finished(*content: Any, **fields: Any) -> AssistantMessage:
    return AssistantMessage("api", "provider", "model", content, stop_reason=fields.pop("stop_reason", StopReason.STOP), **fields)


@pytest.mark.parametrize("name", recordings.NAMES)
def test_recorded_messages_are_replayed(name: str) -> None:
    message = collect(decode(recordings.payloads(name))).partial  # type: ignore[union-attr]  # no router made it
    assert message is not None
    assert collect(check(replay(message))).partial == message  # type: ignore[union-attr]  # nor this


def test_a_replay_says_what_a_provider_would_when_it_would() -> None:
    message = finished(HELLO, CALL, response_id="r", raw_stop_reason="end", usage=builder().partial.usage)
    events = list(replay(message, chunk_size=3))
    said = [event.delta for event in events if isinstance(event, TextDelta)]
    assert said == ["Hel", "lo"]
    assert [type(event) for event in events[-2:]] == [ToolCallEnd, Done]
    assert isinstance(events[0], Start) and events[0].partial.response_id == "r"
    assert [event.partial.raw_stop_reason for event in events if event.partial] == [None] * (len(events) - 1) + ["end"]
    assert [event.tool_call_id for event in events if isinstance(event, ToolCallStart)] == ["call_1"]


def test_an_empty_block_has_no_deltas_and_a_silent_one_no_events() -> None:
    message = finished(TextContent(""), PICTURE, ThinkingContent("", "opaque", True), UnknownContent({"type": "x"}))
    types = [event.type for event in replay(message)]
    assert types == ["start", "text_start", "text_end", "thinking_start", "thinking_end", "done"]


def test_a_call_that_never_got_its_id_stays_open_in_a_message_that_failed() -> None:
    message = finished(ToolCall("", "f", {"a": "b"}, "sig"), stop_reason=StopReason.ABORTED, error_message="stopped by hand")
    events = list(check(replay(message)))
    assert events[-1].partial == message
    assert not any(isinstance(event, ToolCallEnd) for event in events)


def test_a_surrogate_pair_is_not_split() -> None:
    halves = "a\ud83d\ude00b\ud83d"
    deltas = [event.delta for event in replay(finished(TextContent(halves)), chunk_size=2) if isinstance(event, TextDelta)]
    assert deltas == ["a\ud83d\ude00", "b\ud83d"]


def test_deltas_have_sixteen_characters_unless_told_otherwise() -> None:
    sizes = [len(event.delta) for event in replay(finished(TextContent("x" * 40))) if isinstance(event, TextDelta)]
    assert sizes == [16, 16, 8]


def test_arguments_are_replayed_to_the_character() -> None:
    message = finished(ToolCall("i", "f", {"a": "ü\ud83d\ude00\x00", "n": 2**70}))
    assert collect(replay(message, chunk_size=1)).partial == message  # type: ignore[union-attr]  # no router made it


@pytest.mark.parametrize(
    "message, words",
    [
        (finished(stop_reason=None), "stop_reason: expected that of a finished message, found None"),
        (finished(stop_reason=StopReason.ERROR), "error_message: no stream can end with None"),
        (finished(error_message="but why"), "error_message: no stream can end with 'but why'"),
        (finished(ToolCall("", "f", {})), "content: no stream can end with .*id=''"),
        (finished(ToolCall("i", "f", {"a": float("nan")})), "content: no stream can end with .*nan"),
        (finished(ToolCall("i", "f", {}, None, '{"a": 1}')), "content: no stream can end with"),
        (finished(ToolCall("i", "f", {"a": 1}, None, "[")), "content: no stream can end with"),
    ],
)
def test_what_no_stream_ends_with_is_refused_at_once(message: AssistantMessage, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replay(message)


@pytest.mark.parametrize("size", [0, -1])
def test_a_chunk_has_at_least_one_character(size: int) -> None:
    with pytest.raises(ValueError, match=f"chunk_size: expected 1 or more, found {size}"):
        replay(finished(), chunk_size=size)
    with pytest.raises(TypeError):
        replay(finished(), 3)  # type: ignore[misc]  # by its name only
