"""Damaged streams: never an exception, always a valid stream, the same one each time, and no bug of ours."""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from support.hand_made import HAND_MADE
from support.laws import assert_valid
from support.recordings import api, each_recording, payloads

from provider_events import StopReason
from provider_events.decoders import decode, iter_sse

ROUNDS = int(os.environ.get("PROVIDER_EVENTS_FUZZ", "1"))


@pytest.fixture(autouse=True)
def no_bug_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.WARNING, "provider_events")
    yield
    assert not caplog.records


# The damage

REMOVED = object()
JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1, 3.5, 10**30, float("inf"), "", "x", "[DONE]", "\ud800", "text", "\u2028"),
    *([], [1], [None], [[]], [{}], {}, {"a": 1}, {"type": "text"}, {"index": 0}, {"text": 1}, "$.a[0]"),
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths to all fields and elements of a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(value[key], (*path, key))


def changed(chunk: str, path: tuple[Any, ...], junk: Any) -> str:
    """Return a chunk with another value at a path, or with `REMOVED` none."""
    value = json.loads(chunk)
    *keys, last = path
    target = value
    for key in keys:
        target = target[key]
    if junk is REMOVED:
        del target[last]
    else:
        target[last] = junk
    return json.dumps(value)


def fields_of(chunk: str) -> list[tuple[Any, ...]]:
    return list(paths(json.loads(chunk))) if chunk.startswith("{") else []


def flipped(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    if damaged:
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def damaged(rng: random.Random, chunks: Sequence[str]) -> list[Any]:
    """Return chunks some of which are dropped, doubled, swapped or truncated, or have a byte or a field changed."""
    fields = [*chunks]
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(fields))
        if found := fields_of(fields[at]):
            fields[at] = changed(fields[at], rng.choice(found), REMOVED if rng.random() < 0.25 else rng.choice(JUNK))
    result: list[Any] = [*fields]
    for _ in range(rng.choice((0, 0, 1, 1, 3))):
        at, other = rng.randrange(len(result)), rng.randrange(len(result))
        match rng.randrange(5):
            case 0 if len(result) > 1:
                del result[at]
            case 1:
                result.insert(other, result[at])
            case 2:
                result[at], result[other] = result[other], result[at]
            case 3:
                result[at] = result[at][: rng.randrange(len(result[at]) + 1)]
            case _:
                text = result[at]
                result[at] = flipped(rng, text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    return result


def assert_decodes(name: str, seed: int, make: Callable[[random.Random], Any], api: str | None) -> None:
    """Assert that the chunks made for a seed decode to a valid stream, and to the same one each time."""
    try:
        chunks = list(make(random.Random(f"{name} {seed}")))
        events = list(decode(chunks, api=api))
        assert_valid(events)
        assert list(decode(chunks, api=api)) == events
    except Exception as error:
        raise AssertionError(f"{name}, seed {seed}: {error!r:.500}") from error


@pytest.mark.parametrize("name", HAND_MADE)
def test_the_streams_are_whole_before_they_are_damaged(name: str) -> None:
    events = list(decode(HAND_MADE[name]))
    assert_valid(events)
    last = events[-1].partial
    assert last and (last.api, last.stop_reason) == (name, StopReason.TOOL_USE)
    assert last.text and last.thinking and last.tool_calls


@pytest.mark.parametrize("name", HAND_MADE)
def test_damaged_chunks(name: str) -> None:
    for seed in range(60 * ROUNDS):
        assert_decodes(name, seed, lambda rng: damaged(rng, HAND_MADE[name]), name)


@pytest.mark.parametrize("name", HAND_MADE)
def test_every_field_in_turn_removed_and_of_wrong_types(name: str) -> None:
    rng = random.Random(name)
    for at, chunk in enumerate(HAND_MADE[name]):
        for path in fields_of(chunk):
            for junk in rng.sample([REMOVED, *JUNK], min(1 + ROUNDS // 4, len(JUNK))):
                chunks = [*HAND_MADE[name][:at], changed(chunk, path, junk), *HAND_MADE[name][at + 1 :]]
                assert_decodes(f"{name}, chunk {at}, {path} = {junk!r}", 0, lambda _: chunks, name)


@pytest.mark.parametrize("name", HAND_MADE)
def test_a_damaged_body(name: str) -> None:
    body = "".join(f"event: x\r\ndata: {text}\n\n" for text in HAND_MADE[name]).encode()

    def parts(rng: random.Random) -> list[str]:
        lines = body.splitlines(keepends=True)
        for _ in range(rng.choice((0, 1, 3))):
            at = rng.randrange(len(lines))
            lines[at : at + 1] = rng.choice(([], [lines[at]] * 2, [lines[at][: rng.randrange(len(lines[at]))]]))
        data = b"".join(lines)
        for _ in range(rng.choice((0, 1, 10))):
            data = flipped(rng, data)
        size = rng.choice((1, 10, 1000))
        return list(iter_sse(data[at : at + size] for at in range(0, len(data), size)))

    for seed in range(15 * ROUNDS):
        assert_decodes(name, seed, parts, name)


@pytest.mark.parametrize("name", HAND_MADE)
def test_damaged_chunks_of_a_format_to_be_detected(name: str) -> None:
    def with_detectable_chunks(rng: random.Random) -> list[Any]:
        return [*damaged(rng, HAND_MADE[name]), *HAND_MADE[name][:3]]

    for seed in range(15 * ROUNDS):
        assert_decodes(name, seed, with_detectable_chunks, None)


@pytest.mark.parametrize("name", HAND_MADE)
def test_one_format_taken_for_another(name: str) -> None:
    for other in HAND_MADE:
        assert_decodes(f"{name} for {other}", 0, lambda _: HAND_MADE[name], other)


@pytest.mark.parametrize("name", HAND_MADE)
def test_json_nested_too_deeply(name: str) -> None:
    for depth in (100, 5000, 20_000):
        nested = "[" * depth + "]" * depth
        replaced = [text.replace("null", nested).replace('"x"', nested) for text in HAND_MADE[name]]
        for chunk in (nested, f'{{"type": {nested}}}', *[text for text in replaced if nested in text]):
            assert_decodes(name, depth, lambda _: [HAND_MADE[name][0], chunk, *HAND_MADE[name][1:]], name)


@each_recording
def test_damaged_recordings(name: str) -> None:
    for seed in range(3 * ROUNDS):
        assert_decodes(name, seed, lambda rng: damaged(rng, payloads(name)), api(name))
