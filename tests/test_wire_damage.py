"""Damaged JSON: always a `WireError` that names the path, never another exception, never a wrong event."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from support.damage import (
    REMOVED,
    WRONG,
    Path,
    at,
    damaged,
    is_free,
    is_right,
    may_be_missing,
    named,
    paths,
    with_value,
    wrong_for,
)
from support.values import EVENTS, MESSAGE

from provider_events import (
    AnyProviderEvent,
    WireError,
    event_from_wire,
    event_to_wire,
    message_from_wire,
    message_to_wire,
)


def own_paths(event: AnyProviderEvent, data: Any) -> Iterator[Path]:
    """Yield the paths of an event; those in the message once for all events."""
    return (path for path in paths(data) if len(path) == 1 or path[0] != "partial" or event.type == "start")


each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


@each_event
def test_every_field_in_turn_of_every_other_type(event: AnyProviderEvent) -> None:
    data = event_to_wire(event)
    for path in own_paths(event, data):
        for value in wrong_for(at(data, path)):
            bad = damaged(data, path, value)
            if is_right(path, at(data, path), value):
                read = event_to_wire(event_from_wire(bad))
                is_kept = path[-1] != "totalTokens" and (is_free(path) or value is not None)
                assert not is_kept or at(read, path) == value, (path, value)
            else:
                with pytest.raises(WireError) as refused:
                    event_from_wire(bad)
                assert str(refused.value).startswith(f"{named(path)}: expected "), (path, value)
                assert ", found " in str(refused.value)


@each_event
def test_every_key_in_turn_removed(event: AnyProviderEvent) -> None:
    data = event_to_wire(event)
    for path in own_paths(event, data):
        bad = damaged(data, path, REMOVED)
        if may_be_missing(path):
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
            read = event_from_wire(damaged(data, (*path, "unknown key"), [{"x": None}]))
            if is_free((*path, "")):
                assert at(event_to_wire(read), path)["unknown key"] == [{"x": None}]
            else:
                assert read == event, path


@pytest.mark.parametrize("value", [*WRONG, "message", [{"type": "start"}], "\ud800"])
def test_what_is_no_event_or_no_message_at_all(value: Any) -> None:
    expected = "type: expected one of start, text_start, " if isinstance(value, dict) else "expected an object, found "
    with pytest.raises(WireError) as refused:
        event_from_wire(value)
    assert str(refused.value).startswith(expected)
    with pytest.raises(WireError) as refused:
        message_from_wire(value)
    assert str(refused.value).startswith(
        "role: expected 'assistant', found None" if isinstance(value, dict) else expected
    )


@pytest.mark.parametrize("name", ["video", "Start", "", "TEXT_DELTA", "message_start"])
def test_an_unknown_type_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(WireError) as refused:
        event_from_wire(event_to_wire(EVENTS[0]) | {"type": name})
    assert str(refused.value) == f"type: expected one of {', '.join([event.type for event in EVENTS])}, found {name!r}"
    with pytest.raises(WireError) as refused:
        message_from_wire(damaged(message_to_wire(MESSAGE), ("content", 0, "type"), name))
    assert (
        str(refused.value)
        == f"content[0].type: expected one of text, thinking, image, toolCall, unknown, found {name!r}"
    )


def test_a_wrong_value_is_named_with_what_was_expected() -> None:
    data = event_to_wire(EVENTS[2])
    for path, value, words in [
        (("partial", "content", 3, "name"), 5, "partial.content[3].name: expected a string, found 5"),
        (("partial", "content"), {"a": 1}, "partial.content: expected an array, found dict"),
        (("contentIndex",), -1, "contentIndex: expected a whole number from 0, found -1"),
        (("contentIndex",), 1.0, "contentIndex: expected a whole number from 0, found 1.0"),
        (
            ("partial", "stopReason"),
            "tired",
            "partial.stopReason: expected one of stop, length, toolUse, error, aborted, found 'tired'",
        ),
        (("delta",), REMOVED, "delta: expected a string, found nothing"),
        (("delta",), 10**400, "delta: expected a string, found int"),
        (
            ("partial", "usage", "cost", "total"),
            "x" * 500,
            f"partial.usage.cost.total: expected a number, found 'x{'x' * 78}",
        ),
    ]:
        with pytest.raises(WireError) as refused:
            event_from_wire(damaged(data, path, value))
        assert str(refused.value) == words


def test_the_path_of_an_error_is_an_attribute() -> None:
    with pytest.raises(WireError) as refused:
        event_from_wire(damaged(event_to_wire(EVENTS[2]), ("partial", "content", 1, "text"), 5))
    assert (refused.value.path, refused.value.line) == ("partial.content[1].text", None)
    assert isinstance(refused.value, ValueError)
    copy = pickle.loads(pickle.dumps(refused.value))
    assert (str(copy), copy.path) == (str(refused.value), refused.value.path)


@pytest.mark.parametrize("text", ["text", b"text", '{"type": "start"}', bytearray(b"{}")])
def test_json_text_is_to_be_parsed_first(text: Any) -> None:
    for read in (event_from_wire, message_from_wire):
        with pytest.raises(WireError, match="expected an object, found .*; parse JSON text with json.loads first"):
            read(text)


def test_objects_nested_without_end_are_refused() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    data = event_to_wire(EVENTS[9])
    for path in [path for path in paths(data) if path[-1] != "totalTokens"]:
        with pytest.raises(WireError, match=r"levels, found more|: expected "):
            event_from_wire(with_value(data, path, deep))
