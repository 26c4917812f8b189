"""Any number of threads read the snapshots of a stream while one builds it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from provider_events import AssistantMessage, MessageBuilder

ROUNDS = 150


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Switch threads as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def lengths(message: AssistantMessage) -> tuple[int, ...]:
    """Read a snapshot of the stream below in every way, and return how long its blocks are."""
    found = [len(message.text), len(message.thinking)]
    for block in message.content:
        assert getattr(block, "text", message.text) == message.text
        assert getattr(block, "thinking", message.thinking) == message.thinking
    found += [len(call.arguments.get("a", "")) for call in message.tool_calls]
    return tuple(found)


@pytest.mark.parametrize("readers", [1, 3])
def test_readers_see_each_snapshot_as_of_its_event(readers: int) -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    builder.text_start()
    builder.thinking_start()
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a": "')
    kept: list[tuple[AssistantMessage, tuple[int, ...]]] = []
    failures: list[object] = []
    done = threading.Event()

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    def build() -> None:
        count = [0, 0, 0]
        calls: list[Callable[[str], object]] = [builder.text_delta, builder.thinking_delta, builder.tool_call_delta]
        for step in range(ROUNDS * 4):
            index = step % 4 % 3  # blocks interleave, and go on where they were
            calls[index]("x")
            count[index] += 1
            kept.append((builder.partial, tuple(count)))
        done.set()

    def read(start: int) -> None:
        while not done.is_set() or start < len(kept):
            for message, expected in kept[start:]:
                if lengths(message) != expected:
                    failures.append((lengths(message), expected))
            for message, expected in kept[max(0, start - 5) : start]:  # some once more, and older ones
                if lengths(message) != expected:
                    failures.append((lengths(message), expected))
            start = max(start, len(kept) - readers)
            if done.is_set():
                break

    threads = [threading.Thread(target=guarded, args=(build,))]
    threads += [threading.Thread(target=guarded, args=(lambda start=number: read(start),)) for number in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [lengths(message) for message, _ in kept] == [expected for _, expected in kept]


def test_threads_that_read_one_snapshot_at_once_see_the_same() -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    builder.text_start()
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a": "')
    for _ in range(ROUNDS):
        builder.text_delta("x")
        message = builder.tool_call_delta("y").partial
        found: list[object] = []
        barrier = threading.Barrier(3)

        def read(
            message: AssistantMessage = message, barrier: threading.Barrier = barrier, found: list[object] = found
        ) -> None:
            barrier.wait()
            found.append((lengths(message), repr(message)))

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 3 and len(set(found)) == 1
