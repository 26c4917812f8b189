"""How the benchmark measures."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from typing import Any, NamedTuple, TypeAlias

from provider_events import MessageBuilder

Result: TypeAlias = tuple[float, str]
"""What is compared with the goal, and what it is made of."""

WORDS = ("The", " capital", " of", " France", " is", " Paris", ".", " It", " lies", " on", " the", " Seine", ".", " A")


class Row(NamedTuple):
    name: str
    goal: float | None
    measure: Callable[[], Result]


class Budget:
    """How long one row may take, in seconds."""

    seconds = 1.0


def least(
    *sides: Callable[[], object], clock: Callable[[], float] = time.process_time, share: float = 1
) -> list[float]:
    """Return the least time that each side takes, in seconds, taken in turns."""
    times: list[list[float]] = [[] for _ in sides]
    gc.collect()
    gc.freeze()  # so that a collection is about what a side leaves behind
    deadline = time.perf_counter() + share * Budget.seconds
    while len(times[0]) < 5 or time.perf_counter() < deadline:
        for side, taken in zip(sides, times, strict=True):
            gc.collect()
            gc.disable()
            begin = clock()
            side()
            taken.append(clock() - begin)
            gc.enable()
    return [min(taken) for taken in times]


def compare(ours: Callable[[], object], theirs: Callable[[], object], count: int) -> Result:
    """Return the ratio of two sides, with the time of each for one of `count`."""
    one, other = least(ours, theirs)
    return one / other, f"{one / count * 1e9:,.0f} ns over {other / count * 1e9:,.0f} ns"


def growth(work: Callable[[int], object], sizes: Sequence[int], times: Sequence[int] | None = None) -> Result:
    """Return the slowest size of some work over the fastest, for each of so many; small sizes several times."""
    repeats = times or [sizes[-1] // size for size in sizes]

    def side(size: int, repeat: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(repeat):
                work(size)

        return run

    taken = least(*[side(size, repeat) for size, repeat in zip(sizes, repeats, strict=True)], share=3)
    each = [time / (size * repeat) * 1e9 for time, size, repeat in zip(taken, sizes, repeats, strict=True)]
    shown = ", ".join(f"{time:,.0f} ns at {size:,}" for time, size in zip(each, sizes, strict=True))
    return max(each) / min(each), shown


def drain(events: Iterable[object]) -> None:
    for _ in events:
        pass


def deltas(count: int, words: int = 1) -> list[str]:
    source = cycle(WORDS)
    return ["".join(islice(source, words)) for _ in range(count)]


def new_builder() -> MessageBuilder:
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    builder.start()
    return builder


def started(kind: str) -> Callable[[str], Any]:
    """Return the call that takes the deltas of a block that has started."""
    builder = new_builder()
    if kind == "text":
        builder.text_start()
        return builder.text_delta
    builder.tool_call_start("call_1", "write")
    return builder.tool_call_delta


def build(kind: str, texts: list[str]) -> None:
    delta = started(kind)
    for text in texts:
        delta(text)
