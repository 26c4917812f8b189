"""What builder, checker and replay promise, on random streams."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from support.edits import copied, read
from support.laws import assert_valid
from support.streams import Call, random_message, random_stream, seeds

from provider_events import (
    AnyProviderEvent,
    ImageContent,
    MessageBuilder,
    MessageEvent,
    StreamProtocolError,
    StreamStateError,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    check,
    collect,
    replay,
)


def test_valid_calls_make_valid_streams() -> None:
    for seed in seeds(150):
        events = random_stream(Random(seed))
        assert list(check(events)) == events, seed
        assert_valid(events)


def test_a_stream_stays_valid_when_its_snapshots_are_read_or_copied() -> None:
    for seed in seeds(100):
        events = random_stream(Random(seed))
        for event in events[:: 1 + seed % 3]:
            event.partial.content[seed % 2 :]
            if seed % 5:
                repr(event.partial)
        assert list(check(events)) == events, seed
        assert list(check(copied(events))) == events, seed


def test_calls_that_are_not_valid_raise_and_change_nothing() -> None:
    refused = 0

    def refuse(builder: MessageBuilder, call: Call) -> None:
        nonlocal refused
        before = builder.partial
        with pytest.raises((StreamStateError, ValueError)):
            call(builder)
        assert builder.partial == before
        refused += 1

    for seed in seeds(100):
        assert random_stream(Random(seed), refuse) == random_stream(Random(seed)), "a refused call left a trace"
    assert refused


# Mutations

STARTS = (TextStart, ThinkingStart, ToolCallStart)
DELTAS = (TextDelta, ThinkingDelta, ToolCallDelta)
ENDS = (TextEnd, ThinkingEnd, ToolCallEnd)


def is_grammatical(events: Sequence[AnyProviderEvent]) -> bool:
    """Return whether a stream obeys the grammar: in plain words, apart from the package."""
    types = " ".join([event.type for event in events])
    if not re.fullmatch(r"(start ((text|thinking|toolcall)_(start|delta|end) )*(done|error)|error)", types):
        return False
    final = events[-1].partial
    assert final is not None
    of_blocks = [event for event in events if isinstance(event, (*STARTS, *DELTAS, *ENDS))]
    for index in {event.content_index for event in of_blocks}:
        types = " ".join([event.type for event in of_blocks if event.content_index == index])
        if not re.fullmatch(r"(\w+)_start( \1_delta)*( \1_end)" + ("" if events[-1].is_done else "?"), types):
            return False
    begun = [event.content_index for event in events if isinstance(event, STARTS)]
    others = [index for index, block in enumerate(final.content) if isinstance(block, (ImageContent, UnknownContent))]
    return begun == sorted(begun) and sorted([*begun, *others]) == list(range(len(final.content)))


def of_kind(event: AnyProviderEvent, kind: type[Any]) -> Any:
    """Return the event as if it were of another kind, as far as that goes."""
    return kind(**{field.name: getattr(event, field.name, None) for field in fields(kind)})


def mutations(random: Random, events: Sequence[MessageEvent]) -> list[list[Any]]:
    """Return one mutation of each sort, at a random event."""
    at, to = random.randrange(len(events)), random.randrange(len(events))
    without = [*events[:at], *events[at + 1 :]]
    mutated: list[list[Any]] = [without, [*events[: at + 1], *events[at:]], [*without[:to], events[at], *without[to:]]]
    if in_blocks := [index for index, event in enumerate(events) if hasattr(event, "content_index")]:
        at = random.choice(in_blocks)
        event: Any = events[at]
        family = next(family for family in (STARTS, DELTAS, ENDS) if isinstance(event, family))
        for changed in (
            replace(event, content_index=event.content_index + random.choice([-1, 1, 2])),
            of_kind(event, random.choice(family)),
            of_kind(event, random.choice([*STARTS, *DELTAS, *ENDS])),
        ):
            mutated.append([*events[:at], changed, *events[at + 1 :]])
    return [each for each in mutated if each]


def verdict(events: list[Any]) -> int | None:
    """Return the index of the event that is not valid; None if all are."""
    try:
        list(check(events))
    except StreamProtocolError as error:
        assert 0 <= error.index <= len(events)
        assert str(error).startswith(f"event {error.index} (")
        return error.index
    return None


def test_a_mutated_stream_is_found_unless_it_still_obeys_the_grammar() -> None:
    for seed in seeds(80):
        random = Random(seed)
        events = random_stream(random)
        for mutated in [each for _ in range(5) for each in mutations(random, events)]:
            found = verdict(mutated)
            assert found is not None or is_grammatical(mutated), (seed, [event.type for event in mutated])
            assert found is None or mutated != events, seed
            assert verdict(read(mutated)) == found, (seed, "the verdict changed when the snapshots were read")


# Replay


def test_a_replayed_message_is_collected_as_it_was_at_any_chunk_size() -> None:
    for seed in seeds(60):
        message = random_message(Random(seed))
        for size in (1, 2, 3, 16, 1000):
            events = list(replay(message, chunk_size=size))
            assert collect(check(events)).partial == message, seed
            assert_valid(events)
            for event, later in zip(events, events[1:]):
                if isinstance(event, DELTAS):
                    assert 0 < len(event.delta) <= size + 1
                    assert len(event.delta) <= size or re.search("[\ud800-\udbff][\udc00-\udfff]$", event.delta)
                if (
                    isinstance(event, DELTAS)
                    and isinstance(later, DELTAS)
                    and event.content_index == later.content_index
                ):
                    assert not re.search("[\ud800-\udbff][\udc00-\udfff]", event.delta[-1] + later.delta[0])
