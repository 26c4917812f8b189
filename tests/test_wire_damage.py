"""Bad input to the JSON form: always a `WireError` that names the path, never another exception, never a wrong event."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from recordings import NAMES, api, payloads
from wire_cases import CASES, fallbacks_and_an_answer, interleaved_blocks
from wires import EVENTS, MESSAGE, log_of, read_all

from provider_events import (
    AnyProviderEvent,
    JsonlCodec,
    MessageBuilder,
    StopReason,
    UnknownContent,
    Usage,
    WireError,
    event_from_wire,
    event_to_wire,
    message_from_wire,
    message_to_wire,
)
from provider_events.decoders import decode

WRONG: list[Any] = [None, True, False, 7, -1, 1.5, "x", [], {}]
REMOVED = object()
MAY_BE_NULL = {
    *("toolName", "textSignature", "thinkingSignature", "thoughtSignature", "invalidArguments"),
    *("stopReason", "rawStopReason", "errorMessage", "responseId", "cost"),
}
MAY_BE_MISSING = MAY_BE_NULL | {"annotations", "redacted", "reasoning"}
Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where a JSON value has members and elements."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(value[key], (*path, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def damaged(data: Any, path: Path, value: Any) -> Any:
    """A copy with another value at a path, or with `REMOVED` none."""
    data = deepcopy(data)
    if value is REMOVED:
        del at(data, path[:-1])[path[-1]]
    else:
        at(data, path[:-1])[path[-1]] = value
    return data


def named(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def is_free(path: Path) -> bool:
    """Inside JSON that is kept verbatim."""
    return not {"arguments", "annotations", "data"}.isdisjoint(path[:-1])


def may_be_null(path: Path) -> bool:
    return path == ("id",) or path[-1] in MAY_BE_NULL


def is_right(path: Path, old: Any, new: Any) -> bool:
    """Whether a value is as good as the one that stands there."""
    if is_free(path) or (new is None and may_be_null(path)):
        return True
    return kind(new) == "number" and ("cost" in path[:-1] or (kind(old) == "number" and type(new) is int and new >= 0))


def wrong_for(old: Any) -> list[Any]:
    """Values of all other JSON types, and odd numbers for a number."""
    return [value for value in WRONG if kind(value) != kind(old) or kind(old) == "number"]


each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


@each_event
def test_every_field_in_turn_of_every_other_type(event: AnyProviderEvent) -> None:
    data = event_to_wire(event)
    for path in paths(data):
        for value in wrong_for(at(data, path)):
            bad = damaged(data, path, value)
            if is_right(path, at(data, path), value):
                read = event_to_wire(event_from_wire(bad))
                assert (value is None and not is_free(path)) or at(read, path) == value, (path, value)
            else:
                with pytest.raises(WireError) as refused:
                    event_from_wire(bad)
                assert str(refused.value).startswith(f"{named(path)}: expected "), (path, value)
                assert ", found " in str(refused.value)


@each_event
def test_every_key_in_turn_removed(event: AnyProviderEvent) -> None:
    data = event_to_wire(event)
    for path in paths(data):
        bad = damaged(data, path, REMOVED)
        if type(path[-1]) is int or is_free(path) or may_be_null(path) or path[-1] in MAY_BE_MISSING:
            assert len(event_to_wire(event_from_wire(bad))) >= len(data) - 1
        else:
            with pytest.raises(WireError) as refused:
                event_from_wire(bad)
            assert str(refused.value).startswith(f"{named(path)}: expected "), path
            assert ", found no" in str(refused.value).lower()


@each_event
def test_unknown_keys_are_passed_over_but_kept_in_what_is_verbatim(event: AnyProviderEvent) -> None:
    data = event_to_wire(event)
    for path in [(), *paths(data)]:
        if isinstance(at(data, path), dict):
            read = event_from_wire(damaged(data, (*path, "unheard of"), [{"x": None}]))
            if is_free((*path, "")):
                assert at(event_to_wire(read), path)["unheard of"] == [{"x": None}]
            else:
                assert read == event, path


@pytest.mark.parametrize("value", [*WRONG, "message", [{"type": "start"}], "\ud800"])
def test_what_is_no_event_or_no_message_at_all(value: Any) -> None:
    expected = "type: expected one of start, text_start, " if isinstance(value, dict) else "the whole: expected an object, found "
    with pytest.raises(WireError) as refused:
        event_from_wire(value)
    assert str(refused.value).startswith(expected)
    with pytest.raises(WireError) as refused:
        message_from_wire(value)
    assert str(refused.value).startswith("role: expected 'assistant', found None" if isinstance(value, dict) else expected)


@pytest.mark.parametrize("name", ["video", "Start", "", "TEXT_DELTA", "message_start"])
def test_an_unknown_type_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(WireError) as refused:
        event_from_wire(event_to_wire(EVENTS[0]) | {"type": name})
    assert str(refused.value) == f"type: expected one of {', '.join([event.type for event in EVENTS])}, found {name!r}"
    with pytest.raises(WireError) as refused:
        message_from_wire(damaged(message_to_wire(MESSAGE), ("content", 0, "type"), name))
    assert str(refused.value) == f"content[0].type: expected one of text, thinking, image, toolCall, unknown, found {name!r}"


def test_a_wrong_value_is_named_with_what_was_expected() -> None:
    data = event_to_wire(EVENTS[2])
    for path, value, words in [
        (("partial", "content", 3, "name"), 5, "partial.content[3].name: expected a string, found 5"),
        (("partial", "content"), {"a": 1}, "partial.content: expected an array, found dict"),
        (("contentIndex",), -1, "contentIndex: expected a whole number from 0, found -1"),
        (("contentIndex",), 1.0, "contentIndex: expected a whole number from 0, found 1.0"),
        (("partial", "stopReason"), "tired", "partial.stopReason: expected one of stop, length, toolUse, error, aborted, found 'tired'"),
        (("delta",), REMOVED, "delta: expected a string, found nothing"),
        (("delta",), 10**400, "delta: expected a string, found int"),
        (("partial", "usage", "cost", "total"), "x" * 500, f"partial.usage.cost.total: expected a number, found 'x{'x' * 78}"),
    ]:
        with pytest.raises(WireError) as refused:
            event_from_wire(damaged(data, path, value))
        assert str(refused.value) == words


# The log's own keys


def with_every_key() -> list[AnyProviderEvent]:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=5)
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start(), builder.thinking_start(), builder.tool_call_start()]
    builder.update(api="a", provider="p", model="m", response_id="r", raw_stop_reason="w", timestamp=6)
    builder.update(usage=Usage(1, 2, 3, 4, 5, 6, MESSAGE.usage.cost))
    builder.update_block(0, text_signature="s", annotations=[{"a": [1]}])
    builder.update_block(1, thinking_signature="s", redacted=True)
    builder.update_block(2, id="i", name="f", thought_signature="s")
    builder.add_block(UnknownContent({"x": 1}))
    return [*events, builder.text_delta("Hi"), builder.text_end(0), builder.thinking_end(), builder.tool_call_end(), builder.done(StopReason.STOP)]


LOG = log_of(with_every_key()).splitlines()


def as_next_line(number: int, line: Any) -> AnyProviderEvent:
    """What a codec makes of a line after those before it."""
    codec = JsonlCodec()
    for before in LOG[:number]:
        codec.decode(before)
    return codec.decode(json.dumps(line))


def test_every_field_of_a_log_in_turn_of_every_other_type() -> None:
    for number, line in enumerate(map(json.loads, LOG)):
        for path in paths(line):
            for value in wrong_for(at(line, path)):
                bad = damaged(line, path, value)
                if path[-1] == "contentIndex" and type(value) is int and value >= 0:
                    with pytest.raises(WireError, match="contentIndex: expected|expected an open"):
                        as_next_line(number, bad)
                elif is_right(path, at(line, path), value):
                    assert as_next_line(number, bad).type == line["type"], (path, value)
                else:
                    with pytest.raises(WireError) as refused:
                        as_next_line(number, bad)
                    assert str(refused.value).startswith(f"{named(path)}: expected "), (path, value)


def test_every_key_of_a_log_in_turn_removed() -> None:
    needed = {"type", "contentIndex", "delta", "reason", "data"}
    for number, line in enumerate(map(json.loads, LOG)):
        for path in paths(line):
            bad = damaged(line, path, REMOVED)
            if (path[-1] in needed and not is_free(path)) or "cost" in path[:-1]:  # a cost is told whole the first time
                with pytest.raises(WireError) as refused:
                    as_next_line(number, bad)
                assert str(refused.value).startswith(f"{named(path)}: expected "), path
            else:
                assert as_next_line(number, bad).type == line["type"], path


def test_unknown_keys_of_a_log_are_passed_over() -> None:
    for number, line in enumerate(map(json.loads, LOG)):
        for path in [(), *paths(line)]:
            if isinstance(at(line, path), dict) and not is_free((*path, "")):
                assert as_next_line(number, damaged(line, (*path, "unheard of"), [1])) == with_every_key()[number], path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"addBlocks": [{"type": "text", "text": ""}]}, "addBlocks[0]: expected a block that has no events, found TextContent"),
        ({"updateBlocks": [{"contentIndex": 9}]}, "updateBlocks[0].contentIndex: expected that of an open block, one of [0, 1, 2], found 9"),
        ({"contentIndex": 1}, "text_delta: expected an open TextContent at 1; open blocks are "),
        ({"type": "start"}, "start: open blocks are TextContent at 0, ThinkingContent at 1, ToolCall at 2; expected "),
        ({"type": "text_start", "contentIndex": 7}, "contentIndex: expected 3, found 7"),
        ({"type": "done", "reason": "stop"}, "done: expected the ends of all blocks first; open blocks are "),
        ({"type": "fallback_start", "fromModel": "a", "toModel": "b", "reason": "unknown"}, "type: expected no fallback once "),
    ],
)
def test_a_line_that_is_not_the_next_one_is_refused(line: Any, words: str) -> None:
    with pytest.raises(WireError) as refused:
        as_next_line(4, {"type": "text_delta", "contentIndex": 0, "delta": ""} | line)
    assert str(refused.value).startswith(words)


# Logs that break off, and lines that are no JSON


def assert_whole_lines_are_given(log: str, events: list[AnyProviderEvent], cuts: Any) -> None:
    ends = [place for place, character in enumerate(log) if character == "\n"]
    for cut in cuts:
        whole = sum(end <= cut for end in ends)
        for found, error in (read_all(io.BytesIO(log[:cut].encode())), read_all(io.StringIO(log[:cut]))):
            assert found == events[:whole], cut
            assert error.startswith(f"line {whole + 1}: expected ") if whole < len(ends) else error == "", (cut, error)


@pytest.mark.parametrize("case", [fallbacks_and_an_answer, CASES[1], CASES[2]], ids=lambda case: case.__name__)
def test_a_log_cut_anywhere_gives_every_whole_line_and_then_one_error_with_the_line(case: Any) -> None:
    events = list(case())
    log = log_of(events)
    assert_whole_lines_are_given(log, events, range(0, len(log) + 1, 1 + len(log) // 2000))


@pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
def test_the_log_of_a_recording_cut_at_every_byte() -> None:
    logs = {name: log_of(decode(payloads(name), api=api(name))) for name in NAMES}
    for name in sorted(NAMES, key=lambda name: len(logs[name]))[4:7]:
        assert 500 < len(logs[name])
        assert_whole_lines_are_given(logs[name], list(decode(payloads(name), api=api(name))), range(len(logs[name]) + 1))


def test_an_empty_log_and_a_blank_one_are_cut_off_too() -> None:
    for lines in ([], [""], [b""], ["\n"], [b"\n", b" \r\n"]):
        events, error = read_all(lines)
        assert events == []
        assert error == f"line {len(lines) + 1}: expected the next event, found the end of the log"


@pytest.mark.parametrize("line", ["{", "nope", "\0", "NaN", '{"type": "start"', b"\xff", b"\xfe\xff\0{", '{"a" 1}', "'", "[", '"' * 500])
def test_a_line_that_is_no_json_is_named_with_its_number_in_one_short_line(line: Any) -> None:
    good = log_of(interleaved_blocks()).splitlines()[:2]
    events, error = read_all([*(good if isinstance(line, str) else [text.encode() for text in good]), line])
    assert events == list(interleaved_blocks())[:2]
    assert error.startswith("line 3: ") and "expected" in error and "\n" not in error
    assert len(error) < 500


def test_a_text_file_that_is_not_all_text_is_a_wire_error() -> None:
    log = log_of(interleaved_blocks()).encode()
    events, error = read_all(io.TextIOWrapper(io.BytesIO(log * 100 + b"\xff\n"), "utf-8"))
    assert events == (list(interleaved_blocks()) * 100)[: len(events)]
    assert error.startswith(f"after line {len(events)}: 'utf-8' codec can't decode byte 0xff")
    assert read_all(io.BytesIO(log + b"\xff\n"))[1].startswith(f"line {len(log.splitlines()) + 1}: expected a line of JSON")


@pytest.mark.parametrize("depth", [10_000, 200_000])
def test_nesting_without_end_is_refused(depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('[{"":', "}]")):
        deep = opening * depth + "1" + closing * depth
        for line in (
            *(deep, deep[: depth // 2], '{"type":"start","update":{"api":%s}}' % deep),
            '{"type":"start","addBlocks":[{"type":"unknown","data":{"a":%s}}]}' % deep,
            '{"type":"start","updateBlocks":%s}' % deep,
            '{"type":%s}' % deep,
            json.dumps(event_to_wire(EVENTS[9])).replace('"q"', deep, 1),
        ):
            events, error = read_all([line])
            assert events == [] and error.startswith("line 1: "), error[:200]


def test_objects_nested_without_end_are_refused() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    for path in paths(event_to_wire(EVENTS[9])):
        data = event_to_wire(EVENTS[9])
        at(data, path[:-1])[path[-1]] = deep
        with pytest.raises(WireError, match=r"nested too deeply|: expected "):
            event_from_wire(data)


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
def test_numbers_that_python_cannot_hold_are_refused(number: str) -> None:
    event = json.dumps(event_to_wire(EVENTS[9]))
    for line in [
        '{"type":"start","update":{"timestamp":%s}}',
        '{"type":"start","update":{"usage":{"input":%s}}}',
        '{"type":"start","update":{"usage":{"cost":{"input":%s,"output":0,"cacheRead":0,"cacheWrite":0,"total":0}}}}',
        event.replace('"q"', "%s", 1),
        event.replace('"x"', "%s", 1),
    ]:
        events, error = read_all([line % number])
        assert events == [] and error.startswith("line 1: "), error[:200]
