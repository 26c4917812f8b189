"""Routing, checking and logging, over streams as they are made."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from functools import partial

from provider_events import MessageBuilder, MessageEvent, StopReason, TextDelta, check, event_to_wire, message_to_wire

from .measuring import Result, Row, compare, deltas, drain, growth, least

SIZES = (1_000, 10_000, 100_000)


def made(count: int) -> Iterable[MessageEvent]:
    """Yield a stream as it is made."""
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    yield builder.start()
    yield builder.text_start()
    yield from map(builder.text_delta, deltas(count))
    yield builder.text_end()
    yield builder.done(StopReason.STOP)


def bare(events: Iterable[MessageEvent]) -> Iterable[MessageEvent]:
    for event in events:
        yield event


def routing() -> Result:
    """Compare the router with a generator that does nothing else."""
    from provider_events.fallback import MultiProvider

    events = list(made(20_000))

    async def candidate(request: object) -> AsyncIterator[MessageEvent]:
        for event in events:
            yield event

    async def bare_candidate(request: object) -> AsyncIterator[MessageEvent]:
        async for event in candidate(request):
            yield event

    async def drain_all(stream: AsyncIterable[object]) -> None:
        async for _ in stream:
            pass

    def run(stream: Callable[[object], AsyncIterable[object]]) -> None:
        try:
            drain_all(stream(None)).send(None)  # nothing waits, so no event loop is needed
        except StopIteration:
            return
        raise AssertionError("it waits")

    provider: MultiProvider[object] = MultiProvider({"m": candidate})
    return compare(lambda: run(provider.stream), lambda: run(bare_candidate), len(events))


def checking(source: Callable[[int], Iterable[MessageEvent]]) -> Result:
    """Return the worst ratio of all lengths, with the times of the longest."""
    results = []
    for count in SIZES:
        ours, theirs = least(lambda: drain(check(source(count))), lambda: drain(bare(source(count))))
        results.append((ours / theirs, f"{ours / count * 1e9:,.0f} ns over {theirs / count * 1e9:,.0f} ns"))
    ratios = ", ".join(f"{ratio:.2f} at {count:,}" for count, (ratio, _) in zip(SIZES, results, strict=True))
    return max(results)[0], f"{ratios}; {results[-1][1]}"


def checking_a_list() -> Result:
    kept = {count: list(made(count)) for count in SIZES}
    return checking(kept.__getitem__)


def logged(count: int) -> str:
    from provider_events.jsonl import write_jsonl

    file = io.StringIO()
    write_jsonl(made(count), file)
    return file.getvalue()


def writing() -> Result:
    from provider_events.jsonl import write_jsonl

    return compare(lambda: write_jsonl(made(20_000), io.StringIO()), lambda: drain(made(20_000)), 20_000)


def reading() -> Result:
    from provider_events.jsonl import read_jsonl

    lines = logged(20_000).splitlines()
    return compare(lambda: drain(read_jsonl(lines)), lambda: drain(made(20_000)), len(lines))


def writing_at_all_sizes() -> Result:
    from provider_events.jsonl import write_jsonl

    events = {size: list(made(size)) for size in SIZES}
    return growth(lambda size: write_jsonl(events[size], io.StringIO()), SIZES, (20, 2, 1))


def writing_open_blocks() -> Result:
    """Write the log of tool calls that are all open at once."""
    from provider_events.jsonl import write_jsonl

    def events(count: int) -> Iterable[MessageEvent]:
        builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
        yield builder.start()
        for n in range(count):
            yield builder.tool_call_start(f"call_{n}", "f")
        for index in range(count):
            yield builder.tool_call_delta("{}", index)
        for index in range(count):
            yield builder.tool_call_end(index)
        yield builder.done(StopReason.TOOL_USE)

    return growth(lambda count: write_jsonl(events(count), io.StringIO()), (250, 500, 1_000))


def size_of_a_log() -> Result:
    """Compare the bytes of a log with what they may be; beside them the JSON form that carries the snapshots."""
    events, log = list(made(1_000)), len(logged(1_000))
    characters = sum(len(event.delta) for event in events if isinstance(event, TextDelta))
    bound = 3 * characters + 120 * len(events) + len(json.dumps(message_to_wire(events[-1].partial)))
    whole = sum(len(json.dumps(event_to_wire(event))) + 1 for event in events)
    longer = len(logged(10_000))
    return log / bound, f"{log:,} bytes at 1,000 deltas, {longer:,} at 10,000; with snapshots {whole:,} at 1,000"


ROWS = [
    Row("MultiProvider / async for, yield", 1.5, routing),
    Row("check / for, yield, over a builder's stream", 1.6, partial(checking, made)),
    Row("check / for, yield, over a list", None, checking_a_list),
    Row("write_jsonl / building the events", 8, writing),
    Row("read_jsonl / building the events", 6, reading),
    Row("write_jsonl: the slowest length over the fastest", 1.3, writing_at_all_sizes),
    Row("write_jsonl, all tool calls open at once: n, 2n, 4n", 1.5, writing_open_blocks),
    Row("size of a log / 3 a character, 120 an event, a message", 1, size_of_a_log),
]
