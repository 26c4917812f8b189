"""Damaged logs: always a `WireError` with line and path, after every event that is whole."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support.damage import REMOVED, at, damaged, is_free, is_right, named, paths, wrong_for
from support.log_cases import (
    Stream,
    blocks_without_events,
    details_that_grow,
    fallbacks_and_an_answer,
    interleaved_blocks,
)
from support.logs import log_of, read_all
from support.recordings import NAMES, api, payloads
from support.streams import new_builder, seeds
from support.values import EVENTS, MESSAGE

from provider_events import (
    AnyProviderEvent,
    JsonlDecoder,
    StopReason,
    TextContent,
    UnknownContent,
    Usage,
    WireError,
    event_to_wire,
)
from provider_events.decoders import decode


def with_every_key() -> list[AnyProviderEvent]:
    builder = new_builder()
    events: list[AnyProviderEvent] = [
        builder.start(),
        builder.text_start(),
        builder.thinking_start(),
        builder.tool_call_start(),
    ]
    builder.update(api="a", provider="p", model="m", response_id="r", raw_stop_reason="w", timestamp=6)
    builder.update(usage=Usage(1, 2, 3, 4, 5, MESSAGE.usage.cost), provider_details={"tier": "flex"})
    builder.update_block(
        0, text_signature="s", annotations=[{"a": [1]}], provider_details={"id": "msg", "list": [1], "old": 1}
    )
    builder.update_block(1, thinking_signature="s", redacted=True)
    builder.update_block(2, id="i", name="f", thought_signature="s")
    builder.add_block(UnknownContent({"x": "1"}))
    events.append(builder.text_delta("Hi"))
    builder.update_block(3, data={"x": "12", "y": 2})
    builder.update_block(0, provider_details={"id": "msg", "list": [2, 1]})
    builder.add_annotation(0, "b")
    events += [builder.text_end(0), builder.thinking_end(), builder.tool_call_end(), builder.done(StopReason.TOOL_USE)]
    return events


LOG = log_of(with_every_key()).splitlines()


def as_next_line(number: int, line: Any) -> AnyProviderEvent:
    """Return what a decoder makes of a line after those before it."""
    decoder = JsonlDecoder()
    for before in LOG[:number]:
        decoder.decode(before)
    return decoder.decode(json.dumps(line))


def is_patch(path: tuple[str | int, ...]) -> bool:
    """Return whether a path leads into a patch, which is free in what it holds."""
    return not {"annotations", "data", "providerDetails"}.isdisjoint(path[:-1]) or path[-1] in (
        "update",
        "updateBlocks",
    )


# Every key, in turn


def test_every_field_of_every_other_type() -> None:
    for number, line in enumerate(map(json.loads, LOG)):
        for path in paths(line):
            for value in wrong_for(at(line, path)):
                bad = damaged(line, path, value)
                if is_patch(path) or (path[-1] == "contentIndex" and type(value) is int and value >= 0):
                    try:
                        as_next_line(number, bad)
                    except WireError:
                        pass
                elif is_right(path, at(line, path), value):
                    assert as_next_line(number, bad).type == line["type"], (path, value)
                else:
                    with pytest.raises(WireError) as refused:
                        as_next_line(number, bad)
                    assert str(refused.value).startswith(f"{named(path)}: expected "), (path, value)
                    assert refused.value.path == named(path)


def test_every_key_removed() -> None:
    needed = {"type", "contentIndex", "delta", "reason"}
    for number, line in enumerate(map(json.loads, LOG)):
        for path in paths(line):
            bad = damaged(line, path, REMOVED)
            if path[-1] in needed or "cost" in path[:-1] or path[-1] in ("value", "data", "change"):
                try:
                    as_next_line(number, bad)
                except WireError as error:
                    assert ": expected " in str(error)
                else:
                    assert is_patch(path) or path[-1] == "data", path
            else:
                assert as_next_line(number, bad).type == line["type"], path


def test_unknown_keys_are_ignored() -> None:
    for number, line in enumerate(map(json.loads, LOG)):
        for path in [(), *paths(line)]:
            if isinstance(at(line, path), dict) and not is_free((*path, "")):
                assert as_next_line(number, damaged(line, (*path, "unknown key"), [1])) == with_every_key()[number], (
                    path
                )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            {"addBlocks": [{"type": "text", "text": ""}]},
            "addBlocks[0]: expected a block that has no events, found TextContent",
        ),
        (
            {"updateBlocks": [{"contentIndex": 9}]},
            "updateBlocks[0].contentIndex: expected the index of an open or unknown block, found 9",
        ),
        (
            {"updateBlocks": [{"contentIndex": 0, "annotations": {"append": "x"}}]},
            "updateBlocks[0].annotations.append: expected an array",
        ),
        (
            {"updateBlocks": [{"contentIndex": 0, "annotations": {"value": {}}}]},
            "updateBlocks[0].annotations.value: expected an array, found dict",
        ),
        (
            {"update": {"providerDetails": {"value": []}}},
            "update.providerDetails.value: expected an object, found list",
        ),
        ({"contentIndex": 1}, "text_delta: expected an open TextContent at content index 1; open blocks: "),
        ({"type": "start"}, "start: expected text_start() or "),
        ({"type": "text_start", "contentIndex": 7}, "contentIndex: expected 3, found 7"),
        ({"type": "done", "reason": "stop"}, "done: expected "),
        ({"type": "toolcall_start", "id": "i"}, "contentIndex: expected 3, found 0"),
        (
            {"type": "fallback_start", "fromModel": "a", "toModel": "b", "reason": "unknown"},
            "type: expected no fallback once ",
        ),
    ],
)
def test_a_line_that_is_not_the_next_one_is_refused(line: Any, problem: str) -> None:
    with pytest.raises(WireError) as refused:
        as_next_line(4, {"type": "text_delta", "contentIndex": 0, "delta": ""} | line)
    assert str(refused.value).startswith(problem)


# Logs that are cut off


def assert_whole_lines_are_read(log: str, events: list[AnyProviderEvent], cuts: Iterable[int]) -> None:
    ends = [index for index, character in enumerate(log) if character == "\n"]
    for cut in cuts:
        whole = sum(end <= cut for end in ends)
        for found, error in (read_all(io.BytesIO(log[:cut].encode())), read_all(io.StringIO(log[:cut]))):
            assert found == events[:whole], cut
            assert (error.line if error else len(ends) + 1) == whole + 1, cut
            assert error is None or str(error).startswith(f"line {whole + 1}: expected ")


@pytest.mark.parametrize(
    "case", [fallbacks_and_an_answer, blocks_without_events, details_that_grow], ids=lambda case: case.__name__
)
def test_a_log_cut_anywhere_gives_every_whole_line_and_then_an_error(case: Callable[[], Stream]) -> None:
    events = list(case())
    log = log_of(events)
    step = max(1, len(log) // len(seeds(150)))
    ends = [index + 1 for index, character in enumerate(log) if character == "\n"]
    assert_whole_lines_are_read(log, events, sorted({*range(0, len(log), step), *ends}))


@pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
def test_the_log_of_a_recording_cut_anywhere() -> None:
    for name in NAMES[:: 1 + len(NAMES) // len(seeds(4))]:
        events: list[AnyProviderEvent] = list(decode(payloads(name), api=api(name)))
        log = log_of(events)
        assert_whole_lines_are_read(log, events, range(1, len(log), 1 + len(log) // 10))


def test_an_empty_log_and_a_blank_one_are_cut_off_too() -> None:
    for lines in ([], [""], [b""], ["\n"], [b"\n", b" \r\n"]):
        events, error = read_all(lines)
        assert events == []
        assert str(error) == f"line {len(lines) + 1}: expected the next event, found the end of the log"


# Lines that are not JSON, or not of this form


@pytest.mark.parametrize(
    "line",
    ["{", "nope", "\0", "NaN", '{"type": "start"', b"\xff", b"\xfe\xff\0{", '{"a" 1}', "'", "[", '"' * 500, "[]", "1"],
)
def test_a_line_that_is_not_an_object_is_named_in_one_short_line(line: Any) -> None:
    good = log_of(interleaved_blocks()).splitlines()[:2]
    events, error = read_all([*(good if isinstance(line, str) else [text.encode() for text in good]), line])
    assert events == list(interleaved_blocks())[:2]
    assert error and error.line == 3
    assert str(error).startswith("line 3: expected ") and "\n" not in str(error)
    assert len(str(error)) < 500


def test_bytes_that_are_not_utf_8_are_a_wire_error() -> None:
    log = log_of(interleaved_blocks()).encode()
    events, error = read_all(io.TextIOWrapper(io.BytesIO(log * 100 + b"\xff\n"), "utf-8"))
    assert events == (list(interleaved_blocks()) * 100)[: len(events)]
    assert error and error.line == len(events) + 1 and "can't decode byte 0xff" in str(error)
    error = read_all(io.BytesIO(log + b"\xff\n"))[1]
    assert error and error.line == len(log.splitlines()) + 1 and "expected a line of JSON" in str(error)


@pytest.mark.parametrize("depth", [500, 20_000])
@pytest.mark.parametrize(("opening", "closing"), ["[]", ('{"a":', "}"), ('[{"":', "}]")])
def test_nesting_without_end_is_refused(depth: int, opening: str, closing: str) -> None:
    deep = opening * depth + "1" + closing * depth
    for line in (
        *(deep, deep[: depth // 2], '{"type":"start","update":{"api":%s}}' % deep),
        '{"type":"start","update":{"providerDetails":{"value":{"x":%s}}}}' % deep,
        '{"type":"start","addBlocks":[{"type":"unknown","data":{"a":%s}}]}' % deep,
        '{"type":"start","updateBlocks":%s}' % deep,
        '{"type":%s}' % deep,
        json.dumps(event_to_wire(EVENTS[9])).replace('"q"', deep, 1),
    ):
        events, error = read_all([line])
        assert events == [] and error and error.line == 1


def test_a_patch_cannot_nest_a_value_beyond_the_limit() -> None:
    lines = ['{"type":"start"}']
    path = ""
    for _ in range(40):  # each line nests the value four levels deeper
        patch = '{"change":{"a":%s}}'
        change = '{"value":{"a":{"a":{"a":{"a":{}}}}}}'
        for _ in range(len(path)):
            change = patch % change
        path += "aaaa"
        lines.append(
            '{"type":"text_start","contentIndex":%d,"update":{"providerDetails":%s}}' % (len(lines) - 1, change)
        )
    events, error = read_all(lines)
    assert error and 30 < len(events) < 40 and "128 levels" in str(error)


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
def test_numbers_that_python_cannot_hold_are_refused(number: str) -> None:
    event = json.dumps(event_to_wire(EVENTS[9]))
    for line in [
        '{"type":"start","update":{"timestamp":%s}}',
        '{"type":"start","update":{"usage":{"input":%s}}}',
        '{"type":"start","update":{"usage":{"cost":{"input":%s,"output":0,"cacheRead":0,"cacheWrite":0,"total":0}}}}',
        '{"type":"start","update":{"providerDetails":{"value":{"x":%s}}}}',
        event.replace('"q"', "%s", 1),
    ]:
        events, error = read_all([line % number])
        assert events == [] and error and error.line == 1


def test_an_open_block_of_another_kind_is_refused() -> None:
    line = {"type": "text_delta", "contentIndex": 0, "delta": "", "partial": event_to_wire(EVENTS[0])["partial"]}
    with pytest.raises(
        WireError, match=rf"partial.content\[0\]: expected {TextContent.__name__}, found ThinkingContent"
    ):
        as_next_line(4, line)
