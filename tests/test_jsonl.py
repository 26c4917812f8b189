"""The log: a stream written without its snapshots is read with them."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from laws import assert_lawful
from recordings import NAMES, api, payloads
from wire_cases import (
    CASES,
    an_error_alone,
    begun,
    fifty_citations,
    interleaved_blocks,
    usage_that_changes_at_every_delta,
)
from wires import EVENTS, Stream, allowed_size, log_of, read_all, stream

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    Done,
    Error,
    JsonlCodec,
    MessageBuilder,
    Start,
    StopReason,
    TextContent,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingContent,
    ToolCall,
    Usage,
    WireError,
    check,
    read_jsonl,
    write_jsonl,
)
from provider_events.decoders import decode
from provider_events.messages import is_unread

with_recordings = pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
each_recording = pytest.mark.parametrize("name", NAMES or ["no recordings"])


def assert_kept(make: Callable[[], list[AnyProviderEvent]], about: object = "") -> None:
    """The log of a stream gives it back, with snapshots as cheap as before, however it is written and read."""
    log = log_of(make())
    events, error = read_all(log.splitlines(keepends=True))
    assert error == "", about
    for event in events:
        assert event.partial is None or type(event.partial) is AssistantMessage
        assert event.partial is None or event.is_terminal or is_unread(event.partial), about
    assert log_of(events) == log, f"{about}: read and written again"
    assert events == make(), about
    assert log_of(events) == log, f"{about}: written again, now that its snapshots have been read"
    assert read_all(log.encode().splitlines()) == (events, ""), f"{about}: as bytes, without line ends"


def log_size_allowed(events: list[AnyProviderEvent]) -> bool:
    try:
        return len(log_of(events)) <= allowed_size(events)
    except WireError as error:  # of a message that joins two halves its deltas said, the size is not known
        assert "the two halves of a surrogate pair" in str(error)
        return True


# Streams made at random, and recorded


def test_random_streams_are_read_as_they_were_written() -> None:
    for seed in range(400):
        try:
            list(check(stream(seed)))
            assert_kept(lambda: stream(seed))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r:.500}") from error


@with_recordings
@each_recording
def test_recorded_streams_are_read_as_they_were_written(name: str) -> None:
    assert_kept(lambda: list(decode(payloads(name), api=api(name))), name)


def test_a_log_of_a_random_stream_is_small() -> None:
    for seed in range(400):
        assert log_size_allowed(stream(seed)), f"seed {seed}"


@with_recordings
@each_recording
def test_a_log_of_a_recording_is_small(name: str) -> None:
    assert log_size_allowed(list(decode(payloads(name), api=api(name)))), name


# Each thing that can happen in a stream, by itself

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


@each_case
def test_the_log_keeps(case: Callable[[], Stream]) -> None:
    list(check(case()))
    assert_kept(lambda: list(case()))


@each_case
def test_the_log_is_small_with(case: Callable[[], Stream]) -> None:
    assert log_size_allowed(list(case()))


def test_several_logs_may_follow_one_another() -> None:
    everything = [event for case in CASES for event in case()]
    assert_kept(lambda: [event for case in CASES for event in case()])
    assert log_of(everything) == "".join([log_of(case()) for case in CASES])


# Streams that no builder made


BARE = AssistantMessage("api", "provider", "model", timestamp=1)
SAID = replace(BARE, content=(TextContent("Hi"),))
HAND_MADE: list[AnyProviderEvent] = [
    Start(BARE),
    TextStart(0, replace(BARE, content=(TextContent(""),))),
    TextDelta(0, "Hi", SAID),
    TextEnd(0, "Hi", SAID),
]
ENDINGS: list[Done | Error] = [
    Done(StopReason.STOP, replace(SAID, stop_reason=StopReason.STOP, error_message="odd")),
    Done(StopReason.STOP, replace(SAID, stop_reason=StopReason.STOP, content=(TextContent("Hi", "late signature", ({"a": 1},)),))),
    Done(StopReason.STOP, replace(SAID, stop_reason=StopReason.STOP, model="other", usage=Usage(1, cost=Cost(1, 2, 3, 4, 10)))),
    Done(StopReason.STOP, replace(SAID, stop_reason=StopReason.STOP, content=(*SAID.content, ThinkingContent("without events")))),
    Done(StopReason.STOP, replace(SAID, stop_reason=None)),
    Error(StopReason.ERROR, replace(SAID, stop_reason=StopReason.ERROR)),
    Error(StopReason.ABORTED, replace(SAID, stop_reason=StopReason.ERROR, error_message="", response_id="r")),
    Error(StopReason.ERROR, replace(SAID, stop_reason=StopReason.ERROR, content=(*SAID.content, ToolCall("", "", {"a": 1}, None, "{")))),
]


@pytest.mark.parametrize("ending", ENDINGS, ids=range(len(ENDINGS)))
def test_an_ending_that_no_builder_makes_is_kept(ending: Done | Error) -> None:
    events = [*HAND_MADE, ending, *an_error_alone()]
    assert read_all(log_of(events).splitlines()) == (events, "")


def test_an_error_without_a_start_is_kept_whatever_is_in_it() -> None:
    for ending in ENDINGS[5:]:
        assert read_all(log_of([ending]).splitlines()) == ([ending], "")


def test_a_stream_made_by_hand_is_kept_like_one_of_a_builder() -> None:
    events = [*HAND_MADE, Done(StopReason.STOP, replace(SAID, stop_reason=StopReason.STOP))]
    assert_lawful(events)
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    built: list[AnyProviderEvent] = [builder.start(), builder.text_start(), builder.text_delta("Hi"), builder.text_end()]
    built.append(builder.done(StopReason.STOP))
    assert log_of(events) == log_of(built)
    assert read_all(log_of(events).splitlines()) == (events, "")


def test_an_end_that_says_something_else_than_its_deltas_is_kept() -> None:
    events = [*HAND_MADE[:3], TextEnd(0, "Hello", SAID), Done(StopReason.STOP, replace(SAID, stop_reason=StopReason.STOP))]
    assert read_all(log_of(events).splitlines()) == (events, "")


@pytest.mark.parametrize("arguments", [{"a": 2}, {"a": 1, "b": 10**30}, {}])
def test_a_call_that_says_something_else_than_its_deltas_is_kept(arguments: Any) -> None:
    builder = begun()
    events: list[AnyProviderEvent] = [builder.start(), builder.tool_call_start("i", "f"), builder.tool_call_delta('{"a": 1}')]
    end = builder.tool_call_end()
    events += [replace(end, tool_call=replace(end.tool_call, arguments=arguments)), builder.done(StopReason.STOP)]
    assert read_all(log_of(events).splitlines()) == (events, "")


def test_an_integer_that_json_cannot_be_made_of_is_refused() -> None:
    builder = begun()
    events: list[AnyProviderEvent] = [builder.start(), builder.tool_call_start("i", "f")]
    end = builder.tool_call_end()
    with pytest.raises(WireError, match="4300 digits"):
        log_of([*events, replace(end, tool_call=ToolCall("i", "f", {"big": 10**5000}))])
    builder = begun()
    builder.update(usage=Usage(10**5000))
    with pytest.raises(WireError, match="4300 digits"):
        log_of([builder.start()])


@pytest.mark.parametrize("event", [event for event in EVENTS if event.type not in ("start", "error", "fallback_start", "fallback_exhausted")])
def test_an_event_out_of_order_cannot_be_written(event: AnyProviderEvent) -> None:
    with pytest.raises(WireError, match=f"{event.type}: "):
        log_of([event])


def test_a_snapshot_whose_open_block_is_another_cannot_be_written() -> None:
    builder = begun()
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start()]
    delta = builder.text_delta("Hi")
    with pytest.raises(WireError, match="expected TextContent where one is open, found ThinkingContent"):
        log_of([*events, replace(delta, partial=replace(delta.partial, content=(ThinkingContent("Hi"),)))])


def test_a_fallback_after_the_start_is_refused_in_both_directions() -> None:
    for fallback in EVENTS[-2:]:
        with pytest.raises(WireError, match=f"expected no fallback once the message has started, found '{fallback.type}'"):
            log_of([HAND_MADE[0], fallback])
        log = log_of(HAND_MADE[:1]) + log_of([fallback])
        events, error = read_all(log.splitlines())
        assert events == HAND_MADE[:1]
        assert error.startswith("line 2: type: expected no fallback")


# Files


def test_a_log_is_written_and_read_as_a_file_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "log"
    events = list(interleaved_blocks())
    with path.open("w") as file, path.open("rb") as growing:
        codec = JsonlCodec()
        reading = read_jsonl(growing)
        for event in events:
            file.write(codec.encode(event) + "\n")
            file.flush()
            assert next(reading) == event


def test_blank_lines_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    events = list(interleaved_blocks())
    log = log_of(events)
    for text in (log.replace("\n", "\r\n"), log.replace("\n", "\n\n  \n"), "\ufeff" + log, log.rstrip("\n")):
        assert read_all(io.StringIO(text)) == (events, "")
        assert read_all(io.BytesIO(text.encode())) == (events, "")
        (tmp_path / "log").write_bytes(text.encode())
        with (tmp_path / "log").open(encoding="utf-8") as file:
            assert read_all(file) == (events, "")


def test_a_log_is_ascii() -> None:
    assert all(log_of(case()).isascii() for case in CASES)


def test_writing_takes_memory_in_proportion_to_the_stream() -> None:
    class Nowhere:
        def write(self, text: str) -> object:
            return len(text)

    def peak(count: int) -> int:
        def events() -> Stream:
            builder = begun()
            yield from (builder.start(), builder.text_start())
            yield from (builder.text_delta("x" * 20) for _ in range(count))
            yield from (builder.text_end(), builder.done(StopReason.STOP))

        tracemalloc.start()
        try:
            write_jsonl(events(), Nowhere())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4000) <= 300 * 4000


def test_a_line_says_nothing_twice() -> None:
    lines = [json.loads(line) for line in log_of(fifty_citations()).splitlines()]
    assert [line.keys() for line in lines[5:8]] == [{"type", "contentIndex", "delta", "updateBlocks"}] * 3
    assert [line["updateBlocks"][0]["keptAnnotations"] for line in lines[5:8]] == [3, 4, 5]
    assert lines[-2:] == [{"type": "text_end", "contentIndex": 0}, {"type": "done", "reason": "stop", "update": lines[-1]["update"]}]
    usage: Any = [json.loads(line)["update"] for line in log_of(usage_that_changes_at_every_delta()).splitlines()[10:12]]
    assert log_of(HAND_MADE).splitlines()[1] == '{"type":"text_start","contentIndex":0}'
    assert usage == [{"usage": {"output": 8, "totalTokens": 102_008}}, {"usage": {"output": 9, "totalTokens": 102_009}}]


@pytest.mark.parametrize("reason", ["stop", "length", "toolUse"])
def test_an_error_for_a_reason_that_is_none_is_refused(reason: str) -> None:
    line = json.dumps({"type": "error", "reason": reason})
    assert read_all([line]) == ([], f"line 1: reason: expected error or aborted, found '{reason}'")
