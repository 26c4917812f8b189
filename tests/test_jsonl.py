"""The log: a stream written without its snapshots is read with them."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from support.laws import assert_valid
from support.log_cases import CASES, Stream, fifty_citations, interleaved_blocks, usage_that_changes_at_every_delta
from support.logs import allowed_size, lines_of, log_of, read_all
from support.recordings import api, each_recording, payloads
from support.streams import new_builder, random_router_stream, seeds
from support.values import EVENTS

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    Done,
    Error,
    JsonlDecoder,
    JsonlEncoder,
    MessageEvent,
    Start,
    StopReason,
    TextContent,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
    WireError,
    _stream_copy,
    event_to_wire,
    read_jsonl,
    write_jsonl,
)
from provider_events._grammar import BLOCK_EVENTS
from provider_events._lazy import is_lazy
from provider_events.decoders import decode


def assert_kept(events: list[AnyProviderEvent]) -> None:
    """Assert that the log of a stream gives it back, with lazy snapshots, however it is written and read."""
    log = log_of(events)
    read, error = read_all(log.splitlines(keepends=True))
    assert error is None
    for event in read:
        assert event.partial is None or type(event.partial) is AssistantMessage
        assert event.partial is None or event.is_terminal or is_lazy(event.partial)
    assert log_of(read) == log, "read and written again"
    assert read == events
    assert log_of(read) == log, "written again, now that the snapshots have been read"
    assert log_of(pickle.loads(pickle.dumps(events))) == log, "written from copies"
    assert read_all(log.encode().splitlines()) == (read, None), "read as bytes, without line ends"


# Builders' streams come back as they were

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


@each_case
def test_the_log_keeps(case: Callable[[], Stream]) -> None:
    assert_kept(list(case()))


def test_the_log_keeps_random_streams() -> None:
    for seed in seeds(120):
        try:
            assert_kept(random_router_stream(Random(seed)))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r:.500}") from error


@each_recording
def test_the_log_keeps_recorded_streams(name: str) -> None:
    assert_kept(list(decode(payloads(name), api=api(name))))


def test_several_logs_may_follow_one_another() -> None:
    assert_kept([event for case in CASES for event in case()])
    assert log_of([event for case in CASES for event in case()]) == "".join([log_of(case()) for case in CASES])


def test_no_event_and_no_field_is_forgotten() -> None:
    assert {*_stream_copy._CALLS} == {*get_args(MessageEvent)}
    streamed = {"text", "thinking", "arguments", "invalid_arguments"}
    for kind in BLOCK_EVENTS:
        names = {field.name for field in _stream_copy._BLOCK_FIELDS[kind]}
        assert names == {field.name for field in fields(kind)} - streamed, kind
    of_message = {field.name for field in _stream_copy._MESSAGE_FIELDS}
    assert of_message == {field.name for field in fields(AssistantMessage)} - {
        "content",
        "stop_reason",
        "error_message",
    }
    assert [field.name for field in _stream_copy._USAGE_FIELDS] == [field.name for field in fields(Usage)]


# Size


@each_case
def test_a_log_is_small_with(case: Callable[[], Stream]) -> None:
    events = list(case())
    if case.__name__ != "pairs_split_over_two_deltas":  # whose message has no JSON form
        assert len(log_of(events)) <= allowed_size(events)


@each_recording
def test_a_log_of_a_recording_is_small(name: str) -> None:
    events: list[AnyProviderEvent] = list(decode(payloads(name), api=api(name)))
    assert len(log_of(events)) <= allowed_size(events)


def test_a_line_repeats_nothing() -> None:
    lines = lines_of(fifty_citations())
    assert lines[3] == {
        **{"type": "text_delta", "contentIndex": 0, "delta": "x" * 40},
        "updateBlocks": [
            {
                "contentIndex": 0,
                "annotations": {"append": [{"type": "url", "url": "https://example.com/1", "title": "t" * 50}]},
            }
        ],
    }
    assert lines[-2:] == [{"type": "text_end", "contentIndex": 0}, {"type": "done", "reason": "stop"}]
    assert lines_of(interleaved_blocks())[1:3] == [
        {"type": "text_start", "contentIndex": 0},
        {"type": "toolcall_start", "contentIndex": 1, "id": "i", "toolName": "f"},
    ]
    updates: list[Any] = [line["update"] for line in lines_of(usage_that_changes_at_every_delta())[10:12]]
    assert updates == [{"usage": {"output": 8}}, {"usage": {"output": 9}}]


def test_a_delta_is_the_json_form_without_its_snapshot() -> None:
    for event, line in zip(interleaved_blocks(), lines_of(interleaved_blocks())):
        if isinstance(event, TextDelta):
            assert line == {key: value for key, value in event_to_wire(event).items() if key != "partial"}


@pytest.mark.parametrize("grow", ["details", "unknown", "citations"])
def test_what_grows_is_written_once(grow: str) -> None:
    def size(count: int) -> int:
        builder = new_builder()
        events: list[AnyProviderEvent] = [builder.start(), builder.text_start()]
        index = builder.add_block(UnknownContent({"input": ""}))
        for number in range(count):
            if grow == "citations":
                builder.add_annotation(0, {"number": number})
            elif grow == "details":
                builder.update_block(0, provider_details={"id": "i", "logprobs": [{"token": "x"}] * number})
            else:
                builder.update_block(index, data={"input": "0123456789" * number})
            events.append(builder.text_delta("x", 0))
        events += [builder.text_end(0), builder.done(StopReason.STOP)]
        return len(log_of(events))

    assert size(400) - size(200) < 1.2 * (size(200) - size(0))


def test_a_log_is_ascii() -> None:
    assert all(log_of(case()).isascii() for case in CASES)


def test_writing_takes_memory_in_proportion_to_the_stream() -> None:
    class Nowhere:
        def write(self, text: str) -> object:
            return len(text)

    def events(count: int) -> Stream:
        builder = new_builder()
        yield from (builder.start(), builder.text_start())
        yield from (builder.text_delta("x" * 20) for _ in range(count))
        yield from (builder.text_end(), builder.done(StopReason.STOP))

    tracemalloc.start()
    try:
        write_jsonl(events(4000), Nowhere())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 400 * 4000


# Streams that no builder made: the events come back as they were

BARE = AssistantMessage("api", "provider", "model", timestamp=1)
WITH_TEXT = replace(BARE, content=(TextContent("Hi"),))
HAND_MADE: list[AnyProviderEvent] = [
    Start(BARE),
    TextStart(0, replace(BARE, content=(TextContent(""),))),
    TextDelta(0, "Hi", WITH_TEXT),
    TextEnd(0, "Hi", WITH_TEXT),
]
STOPPED = replace(WITH_TEXT, stop_reason=StopReason.STOP)
FAILED = replace(WITH_TEXT, stop_reason=StopReason.ERROR)
TERMINAL: list[Done | Error] = [
    Done(StopReason.STOP, replace(STOPPED, error_message="odd")),
    Done(StopReason.STOP, replace(STOPPED, content=(TextContent("Hi", "late signature", ({"a": 1},)),))),
    Done(StopReason.STOP, replace(STOPPED, model="other", usage=Usage(1, cost=Cost(1, 2, 3, 4, 10)))),
    Done(StopReason.STOP, replace(STOPPED, provider_details={"late": True})),
    Done(StopReason.STOP, replace(STOPPED, content=(*WITH_TEXT.content, ThinkingContent("without events")))),
    Done(StopReason.STOP, replace(STOPPED, stop_reason=None)),
    Done(StopReason.TOOL_USE, replace(STOPPED, stop_reason=StopReason.TOOL_USE)),
    Error(StopReason.ERROR, FAILED),
    Error(StopReason.ABORTED, replace(FAILED, error_message="", response_id="r")),
    Error(StopReason.ERROR, replace(FAILED, content=(*WITH_TEXT.content, ToolCall("", "", {"a": 1}, None, "{")))),
]


@pytest.mark.parametrize("event", TERMINAL, ids=range(len(TERMINAL)))
def test_a_terminal_event_that_no_builder_makes_is_kept(event: Done | Error) -> None:
    events = [*HAND_MADE, event, new_builder().error("another stream")]
    assert read_all(log_of(events).splitlines()) == (events, None)
    if isinstance(event, Error):
        assert read_all(log_of([event]).splitlines()) == ([event], None), "without a start"


def test_a_stream_made_by_hand_is_kept_like_one_of_a_builder() -> None:
    events = [*HAND_MADE, Done(StopReason.STOP, STOPPED)]
    assert_valid(events)
    builder = new_builder(provider="provider", timestamp=1)
    built: list[AnyProviderEvent] = [
        builder.start(),
        builder.text_start(),
        builder.text_delta("Hi"),
        builder.text_end(),
        builder.done(StopReason.STOP),
    ]
    assert log_of(events) == log_of(built)
    assert read_all(log_of(events).splitlines()) == (events, None)


def test_an_end_with_another_text_than_its_deltas_is_kept() -> None:
    events = [*HAND_MADE[:3], TextEnd(0, "Hello", WITH_TEXT), Done(StopReason.STOP, STOPPED)]
    assert read_all(log_of(events).splitlines()) == (events, None)


@pytest.mark.parametrize("fields", [{"arguments": {"a": 2}}, {"arguments": {}}, {"id": "other"}, {"name": ""}])
def test_an_end_with_another_call_than_its_deltas_is_kept(fields: Any) -> None:
    builder = new_builder()
    events: list[AnyProviderEvent] = [
        builder.start(),
        builder.tool_call_start("i", "f"),
        builder.tool_call_delta('{"a": 1}'),
    ]
    end = builder.tool_call_end()
    events += [replace(end, tool_call=replace(end.tool_call, **fields)), builder.done(StopReason.TOOL_USE)]
    assert read_all(log_of(events).splitlines()) == (events, None)


def test_an_end_that_is_the_first_with_an_id_is_kept() -> None:
    builder = new_builder()
    events: list[AnyProviderEvent] = [builder.start(), builder.tool_call_start(None, "f")]
    end = builder.tool_call_end()
    without_id = replace(end.partial, content=(replace(end.tool_call, id=""),))
    events += [
        replace(end, tool_call=replace(end.tool_call, id="x"), partial=without_id),
        builder.done(StopReason.TOOL_USE),
    ]
    read, error = read_all(log_of(events).splitlines())
    assert (error, list(map(repr, read)), read[-1]) == (None, list(map(repr, events)), events[-1])


# What cannot be written


def test_an_integer_of_too_many_digits_for_json_is_refused() -> None:
    builder = new_builder()
    events: list[AnyProviderEvent] = [builder.start(), builder.tool_call_start("i", "f")]
    end = builder.tool_call_end()
    with pytest.raises(WireError, match="4300 digits"):
        log_of([*events, replace(end, tool_call=ToolCall("i", "f", {"big": 10**5000}))])
    builder = new_builder()
    builder.update(usage=Usage(10**5000))
    with pytest.raises(WireError, match="4300 digits"):
        log_of([builder.start()])


@pytest.mark.parametrize(
    "event", [event for event in EVENTS if event.type not in ("start", "error", "fallback_start", "fallback_exhausted")]
)
def test_an_event_out_of_order_is_refused(event: AnyProviderEvent) -> None:
    with pytest.raises(WireError, match="expected .*; the stream has not started"):
        log_of([event])


def test_a_snapshot_with_another_block_in_place_of_an_open_one_is_refused() -> None:
    builder = new_builder()
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start()]
    delta = builder.text_delta("Hi")
    with pytest.raises(WireError, match=r"partial.content\[0\]: expected TextContent, found ThinkingContent"):
        log_of([*events, replace(delta, partial=replace(delta.partial, content=(ThinkingContent("Hi"),)))])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda builder: builder.update(provider_details={"a": [float("nan")]}), "providerDetails.a[0]"),
        (lambda builder: builder.update_block(0, provider_details={"a": float("nan")}), "content[0].providerDetails.a"),
        (lambda builder: builder.add_annotation(0, {"a": float("nan")}), "content[0].annotations[0].a"),
        (lambda builder: builder.add_block(UnknownContent({"a": float("nan")})), "content[1].data.a"),
    ],
)
def test_a_value_that_json_cannot_hold_is_refused_with_its_path(change: Callable[[Any], object], path: str) -> None:
    builder = new_builder()
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start()]
    change(builder)
    for event in (delta := builder.text_delta("x"), pickle.loads(pickle.dumps(delta))):
        with pytest.raises(WireError) as caught:
            log_of([*events, event])
        assert str(caught.value) == f"partial.{path}: expected a number, found nan"
        assert caught.value.path == f"partial.{path}"


def test_a_snapshot_that_is_no_message_is_refused() -> None:
    snapshots: list[Any] = [None, {}, TextContent("Hi")]
    for snapshot in snapshots:
        for event in HAND_MADE:
            with pytest.raises(WireError, match="partial: expected an AssistantMessage, found"):
                log_of([*HAND_MADE[: HAND_MADE.index(event)], replace(event, partial=snapshot)])


def test_a_fallback_after_the_start_is_refused_in_both_directions() -> None:
    for fallback in EVENTS[-2:]:
        with pytest.raises(WireError, match="type: expected no fallback once the message has started"):
            log_of([HAND_MADE[0], fallback])
        events, error = read_all((log_of(HAND_MADE[:1]) + log_of([fallback])).splitlines())
        assert events == HAND_MADE[:1]
        assert error and (error.line, error.path) == (2, "type")


# Files


def test_a_log_is_read_as_it_grows(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file, (tmp_path / "log").open("rb") as growing:
        encoder, reading = JsonlEncoder(), read_jsonl(growing)
        for event in interleaved_blocks():
            file.write(encoder.encode(event) + "\n")
            file.flush()
            assert next(reading) == event


def test_lines_are_read_one_at_a_time() -> None:
    decoder = JsonlDecoder()
    events = list(interleaved_blocks())
    for event, line in zip(events, log_of(events).splitlines()):
        with pytest.raises(WireError, match="expected the next event, found the end of the log"):
            decoder.end()
        assert decoder.decode(line) == event
    decoder.end()


def test_blank_lines_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    events = list(interleaved_blocks())
    log = log_of(events)
    for text in (log.replace("\n", "\r\n"), log.replace("\n", "\n\n  \n"), "\ufeff" + log, log.rstrip("\n")):
        assert read_all(io.StringIO(text)) == (events, None)
        assert read_all(io.BytesIO(text.encode())) == (events, None)
        (tmp_path / "log").write_bytes(text.encode())
        with (tmp_path / "log").open(encoding="utf-8") as file:
            assert read_all(file) == (events, None)


def test_a_path_instead_of_a_file_raises_at_once(tmp_path: Path) -> None:
    for path in ("log", b"log", tmp_path):
        with pytest.raises(TypeError, match=r"read_jsonl: expected an open file or lines, found \w+; pass open"):
            read_jsonl(path)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="write_jsonl: expected a file open for text, found"):
            write_jsonl([], path)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", ["stop", "length", "toolUse"])
def test_an_error_for_a_reason_that_is_none_is_refused(reason: str) -> None:
    events, error = read_all([json.dumps({"type": "error", "reason": reason})])
    assert (events, str(error)) == ([], f"line 1: reason: expected error or aborted, found '{reason}'")
