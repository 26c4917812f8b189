"""Generated tests: what builder, checker and replay promise holds for streams that nobody thought of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from generated import Call, message, stream
from laws import assert_lawful

from provider_events import (
    AnyProviderEvent,
    ImageContent,
    MessageBuilder,
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

SEEDS = range(150)
every_seed = pytest.mark.parametrize("seed", SEEDS)


@every_seed
def test_lawful_calls_make_lawful_streams(seed: int) -> None:
    events = stream(Random(seed))
    assert list(check(events)) == events
    told = {event.content_index for event in events if isinstance(event, ToolCallDelta) and event.delta}
    if all(event.content_index in told for event in events if isinstance(event, ToolCallEnd)):
        assert_lawful(events)  # to which a call's deltas are always JSON text


@every_seed
def test_a_stream_stays_lawful_when_its_snapshots_have_been_read(seed: int) -> None:
    events = stream(Random(seed))
    for event in events[:: 1 + seed % 3]:
        assert event.partial is not None
        event.partial.content[seed % 2 :]
        if seed % 5:
            repr(event.partial)
    assert list(check(events)) == events


@every_seed
def test_unlawful_calls_raise_and_change_nothing(seed: int) -> None:
    refused = 0

    def refuse(builder: MessageBuilder, call: Call) -> None:
        nonlocal refused
        name, args, kwargs = call
        before = builder.partial
        with pytest.raises(StreamStateError):
            getattr(builder, name)(*args, **kwargs)
        assert builder.partial == before
        refused += 1

    assert stream(Random(seed), refuse) == stream(Random(seed)), "the refused calls left a trace"
    assert refused


# Mutations

STARTS, DELTAS, ENDS = (TextStart, ThinkingStart, ToolCallStart), (TextDelta, ThinkingDelta, ToolCallDelta), (TextEnd, ThinkingEnd, ToolCallEnd)


def grammatical(events: Sequence[AnyProviderEvent]) -> bool:
    """The grammar in plain words, apart from the package."""
    types = " ".join([event.type for event in events])
    if not re.fullmatch(r"(start ((text|thinking|toolcall)_(start|delta|end) )*(done|error)|error)", types):
        return False
    final = events[-1].partial
    assert final is not None
    in_blocks = [event for event in events if isinstance(event, (*STARTS, *DELTAS, *ENDS))]
    for place in {event.content_index for event in in_blocks}:
        types = " ".join([event.type for event in in_blocks if event.content_index == place])
        if not re.fullmatch(r"(\w+)_start( \1_delta)*( \1_end)" + ("" if events[-1].is_done else "?"), types):
            return False
    begun = [event.content_index for event in events if isinstance(event, STARTS)]
    silent = [place for place, block in enumerate(final.content) if isinstance(block, (ImageContent, UnknownContent))]
    return begun == sorted(begun) and sorted([*begun, *silent]) == list(range(len(final.content)))


def of_kind(event: AnyProviderEvent, kind: type[Any]) -> AnyProviderEvent:
    """The event as if it were of another kind, as far as that goes."""
    given = {field.name: getattr(event, field.name, None) for field in fields(kind)}
    made: AnyProviderEvent = kind(**given)
    return made


def mutations(random: Random, events: Sequence[AnyProviderEvent]) -> list[list[AnyProviderEvent]]:
    """One mutation of each sort, at places of chance."""
    at, to = random.randrange(len(events)), random.randrange(len(events))
    without = [*events[:at], *events[at + 1 :]]
    mutated = [without, [*events[: at + 1], *events[at:]], [*without[:to], events[at], *without[to:]]]
    if (in_block := [place for place, event in enumerate(events) if hasattr(event, "content_index")]):
        at = random.choice(in_block)
        event: Any = events[at]
        family = next(family for family in (STARTS, DELTAS, ENDS) if isinstance(event, family))
        for changed in (
            replace(event, content_index=event.content_index + random.choice([-1, 1, 2])),
            of_kind(event, random.choice(family)),
            of_kind(event, random.choice([*STARTS, *DELTAS, *ENDS])),
        ):
            mutated.append([*events[:at], changed, *events[at + 1 :]])
    return [each for each in mutated if each]


@every_seed
def test_a_mutated_stream_is_caught_unless_it_is_still_lawful(seed: int) -> None:
    random = Random(seed)
    events = stream(random)
    for _ in range(20):
        for mutated in mutations(random, events):
            try:
                list(check(mutated))
            except StreamProtocolError as error:
                assert mutated != events, error
                assert 0 <= error.index <= len(mutated)
                assert str(error).startswith(f"event {error.index}: ")
            else:
                assert grammatical(mutated), [event.type for event in mutated]


# Replay


@every_seed
def test_a_replayed_message_is_collected_as_it_was_at_any_chunk_size(seed: int) -> None:
    whole = message(Random(seed))
    for size in (1, 2, 3, 16, 1000):
        events = list(replay(whole, chunk_size=size))
        assert collect(check(events)).partial == whole
        assert_lawful(events)
        for event in events:
            if isinstance(event, DELTAS):
                assert 0 < len(event.delta) <= size + 1
                assert len(event.delta) <= size or re.search("[\ud800-\udbff][\udc00-\udfff]$", event.delta)
                assert size == 1000 or not re.search("[\ud800-\udbff]$", event.delta) or splits_nothing(events, event)


def splits_nothing(events: list[AnyProviderEvent], event: Any) -> bool:
    """The next delta of the block does not begin with the second half of a pair."""
    later = events[events.index(event) + 1]
    return not (isinstance(later, DELTAS) and re.match("[\udc00-\udfff]", later.delta))
