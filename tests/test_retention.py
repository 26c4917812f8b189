"""What snapshots keep in memory, and what lets go of it."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from provider_events import AssistantMessage, MessageBuilder, StopReason

KINDS = ("text", "thinking", "tool_call")
Read = Callable[[AssistantMessage], object]


def started() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    return builder


def allocated(work: Callable[[], object]) -> int:
    """Return how many bytes what `work` returns keeps alive."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return size


@pytest.fixture(autouse=True, scope="module")
def little_to_collect() -> Iterator[None]:
    """Keep the garbage collector from looking at what the other tests have left: it takes most of the time here."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def early_snapshot(keep: Callable[[AssistantMessage], object]) -> object:
    """Keep something of an early snapshot of a stream that goes on for a megabyte."""
    builder = started()
    builder.text_start()
    builder.tool_call_start("id", "f")
    builder.text_delta("a")
    early = builder.tool_call_delta('{"a": "').partial
    for n in range(1_000):
        builder.text_delta(f"{n:1000}")
    return keep(early)


def after(*reads: Read) -> Callable[[AssistantMessage], object]:
    """Return what reads a message and keeps it."""

    def keep(message: AssistantMessage) -> object:
        for read in reads:
            read(message)
        return message

    return keep


def test_a_snapshot_that_was_not_read_keeps_the_log() -> None:
    assert allocated(lambda: early_snapshot(after())) > 1_000_000


@pytest.mark.parametrize(
    "keep",
    [
        after(hash),
        after(repr),
        after(lambda message: message == copy.deepcopy(message)),
        after(lambda message: [hash(block) for block in message.content]),
        after(lambda message: getattr(message.content[0], "text"), lambda message: message.tool_calls[0].arguments),
        lambda message: message.tool_calls[0].arguments,
        lambda message: message.text,
        lambda message: message.usage,
        copy.deepcopy,
        lambda message: pickle.loads(pickle.dumps(message)),
    ],
)
def test_reading_all_copying_and_pickling_let_go(keep: Callable[[AssistantMessage], object]) -> None:
    assert allocated(lambda: early_snapshot(keep)) < 20_000


def test_a_finished_message_keeps_its_content_and_no_log() -> None:
    def finished() -> AssistantMessage:
        builder = started()
        builder.text_start()
        for n in range(10_000):
            builder.text_delta(f"{n:5}")
        builder.text_end()
        return builder.done(StopReason.STOP).message

    assert allocated(finished) < 70_000


@pytest.mark.parametrize("kind", KINDS)
def test_keeping_all_events_takes_at_most_300_bytes_each(kind: str) -> None:
    builder = started()
    getattr(builder, f"{kind}_start")()
    delta, count = getattr(builder, f"{kind}_delta"), 20_000
    kept: list[Any] = [None] * count

    def work() -> None:
        for n in range(count):
            kept[n] = delta(f"{n:5}")

    tracemalloc.start()
    try:
        work()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / count <= 300


def test_reading_at_every_delta_keeps_one_copy_of_the_text() -> None:
    builder = started()
    builder.text_start()
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a": "')

    def work() -> MessageBuilder:
        for n in range(1_000):
            text, arguments = builder.text_delta(f"{n:100}"), builder.tool_call_delta(f"{n:100}")
            _ = text.partial.text, text.partial.content[0], arguments.partial.tool_calls[0].arguments
        return builder

    assert allocated(work) < 100_000 * 2 * 3
