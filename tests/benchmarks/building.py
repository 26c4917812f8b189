"""The builder and its events: time, memory, import."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from provider_events import AssistantMessage, StopReason, TextDelta, Usage

from .measuring import Result, Row, build, compare, deltas, growth, least, new_builder, started

ROOT = str(Path(__file__).resolve().parents[2])
SIZES = (1_000, 10_000, 100_000)


def building(kind: str) -> Result:
    texts = {size: deltas(size) for size in SIZES}
    return growth(lambda size: build(kind, texts[size]), SIZES, (20, 2, 1))


def kept_memory() -> Result:
    delta, texts = started("text"), deltas(100_000)
    tracemalloc.start()
    events = [delta(text) for text in texts]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / len(events), "bytes, without the text of the delta"


@dataclass(slots=True)
class PlainTextDelta:
    content_index: int
    delta: str
    partial: AssistantMessage


def making_an_event() -> Result:
    def make(kind: Callable[[int, str, AssistantMessage], object]) -> None:
        message = AssistantMessage("a", "p", "m")
        for _ in range(50_000):
            kind(0, "delta", message)

    return compare(partial(make, TextDelta), partial(make, PlainTextDelta), 50_000)


def importing() -> Result:
    def run(modules: str) -> None:
        command = f"import sys; sys.path.insert(0, {ROOT!r}); import {modules}"
        subprocess.run([sys.executable, "-c", command], check=True, env=environment)

    base = "dataclasses, enum, typing, json"
    with TemporaryDirectory() as cache:  # of compiled code, as an installed package has it
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        ours, theirs = least(lambda: run(f"{base}, provider_events"), lambda: run(base), clock=time.perf_counter)
    return (ours - theirs) * 1e3, f"ms: {ours * 1e3:.1f} ms over {theirs * 1e3:.1f} ms"


# Growth: at n, 2n and 4n


def open_blocks(count: int) -> None:
    builder = new_builder()
    for n in range(count):
        builder.tool_call_start(f"call_{n}", "f")
    for index in range(count):
        builder.tool_call_delta("{}", index)
    for index in range(count):
        builder.tool_call_end(index)
    builder.done(StopReason.TOOL_USE)


def without_index(count: int) -> None:
    builder = new_builder()
    builder.text_start()
    for _ in range(count):
        builder.tool_call_start(None, "f")
    for _ in range(count):
        builder.text_delta("x")
        builder.tool_call_delta("{}")
        builder.tool_call_end()


def citations(count: int) -> None:
    builder = new_builder()
    builder.text_start()
    for n in range(count):
        builder.add_annotation(0, {"url": "u", "n": n})
        builder.text_delta("x")
    builder.text_end()


def usage_reports(count: int) -> None:
    builder = new_builder()
    builder.text_start()
    for n in range(count):
        builder.update(usage=Usage(1, n))
        _ = builder.text_delta("x").partial.usage


def linear(name: str, work: Callable[[int], object], size: int) -> Row:
    return Row(f"builder, {name}: n, 2n, 4n", 1.3, lambda: growth(work, (size, 2 * size, 4 * size)))


ROWS = [
    Row("builder, text: the slowest length over the fastest", 1.2, partial(building, "text")),
    Row("builder, tool call: the slowest length over the fastest", 1.2, partial(building, "tool_call")),
    Row("kept memory per event of 100,000", 300, kept_memory),
    Row("making a TextDelta / one that is not frozen", 2.1, making_an_event),
    Row("import, ms more than dataclasses, enum, typing, json", 30, importing),
    linear("all tool calls open at once", open_blocks, 1_000),
    linear("calls without index", without_index, 1_000),
    linear("citations on one block", citations, 2_000),
    linear("usage at each delta", usage_reports, 2_000),
]
