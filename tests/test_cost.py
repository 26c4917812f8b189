"""What events and reads cost: the same early and late, with few blocks and with many. Counted, not timed."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from provider_events import ImageContent, MessageBuilder, UnknownContent
from provider_events._log import block_at, changed_blocks, header, origin

KINDS = ("text", "thinking", "tool_call")


def started() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    return builder


def calls_made(work: Callable[[], object]) -> int:
    """Return how many functions, of Python or of C, run during `work`."""
    count = 0

    def profile(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def most_calls(work: Callable[[], object]) -> int:
    return max(calls_made(work) for _ in range(50))


def peak_memory(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Deltas and reads, early and late

READS: dict[str, Callable[[Any], object]] = {
    "nothing": lambda message: None,
    "text": lambda message: message.text,
    "thinking": lambda message: message.thinking,
    "text of a block": lambda message: getattr(message.content[0], "text", None),
    "arguments": lambda message: [call.arguments for call in message.tool_calls],
    "name": lambda message: [call.name for call in message.tool_calls],
    "usage": lambda message: message.usage,
    "all": hash,
    "header": lambda message: (header(message), header(block_at(message, 0))),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_delta_and_its_reading_take_as_many_calls_late_as_early(kind: str, read: str) -> None:
    builder = started()
    getattr(builder, f"{kind}_start")()
    delta, reading = getattr(builder, f"{kind}_delta"), READS[read]
    reading(delta('{"a":"').partial)
    early = most_calls(lambda: reading(delta("x").partial))
    for _ in range(10_000):
        delta("x")
    reading(delta("x").partial)
    assert most_calls(lambda: reading(delta("x").partial)) <= early


def test_reading_a_long_text_needs_one_copy_of_it() -> None:
    builder = started()
    builder.text_start()
    builder.text_delta("x" * 1_000_000)
    for read in (READS["text"], READS["text of a block"]):
        read(builder.text_delta("x").partial)
        assert peak_memory(lambda: read(builder.text_delta("x").partial)) < 1_100_000


@pytest.mark.parametrize("read", ["text", "text of a block", "arguments"])
def test_a_reader_that_lags_behind_another_pays_for_what_is_new_to_it(read: str) -> None:
    builder = started()
    builder.text_start()
    builder.tool_call_start("id", "f")
    delta: Any = builder.tool_call_delta if read == "arguments" else builder.text_delta
    kept = [delta(text).partial for text in ('{"a": "', *["x"] * 50_000)]
    READS[read](kept[-1])
    READS[read](kept[-99])
    for message in kept[-98:-90]:
        assert peak_memory(lambda: READS[read](message)) < 60_000  # the text; a list of all deltas would be 400,000
        READS[read](kept[-1])


def test_reading_long_arguments_needs_one_copy_of_the_string_that_grows() -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a": "' + "x" * 1_000_000)
    _ = builder.partial.tool_calls[0].arguments
    read = READS["arguments"]
    assert peak_memory(lambda: read(builder.tool_call_delta("x").partial)) < 1_100_000


@pytest.mark.parametrize("kind", KINDS)
def test_making_an_event_reads_nothing(kind: str) -> None:
    builder = started()
    for block in ("text", "tool_call", "thinking"):
        getattr(builder, f"{block}_start")()
        getattr(builder, f"{block}_delta")('{"a":"' + "x" * 1_000_000)
    kept: list[Any] = []

    def work() -> None:
        kept.extend([getattr(builder, f"{kind}_delta")("x") for _ in range(100)])
        builder.update(model="other")
        builder.add_block(ImageContent("aGk=", "image/png"))
        kept.append(getattr(builder, f"{kind}_start")())

    assert peak_memory(work) < 100_000
    assert len(repr(kept[0].partial)) > 3_000_000


# Few and many

MANY = 2_000


def with_open_blocks(count: int) -> MessageBuilder:
    builder = started()
    builder.text_start()
    for n in range(count):
        builder.tool_call_start(f"id{n}", "f")
    builder.thinking_start()
    return builder


WORK: dict[str, Callable[[MessageBuilder, int], object]] = {
    "delta of the latest": lambda builder, count: builder.tool_call_delta("{}"),
    "delta by index": lambda builder, count: builder.tool_call_delta(" ", count // 2),
    "delta of another kind": lambda builder, count: builder.text_delta("x"),
    "start": lambda builder, count: builder.tool_call_start(None, "g"),
    "start and end": lambda builder, count: (builder.tool_call_start(None, "g"), builder.tool_call_end()),
    "update": lambda builder, count: builder.update_block(1, name="g"),
    "add": lambda builder, count: builder.update_block(builder.add_block(UnknownContent({})), data={"a": 1}),
    "text": lambda builder, count: builder.text_delta("x").partial.text,
    "block": lambda builder, count: block_at(builder.text_delta("x").partial, count),
}


@pytest.mark.parametrize("work", WORK)
def test_a_call_costs_the_same_however_many_blocks_are_open(work: str) -> None:
    few, many = with_open_blocks(5), with_open_blocks(MANY)
    for builder in (few, many):
        WORK[work](builder, 5)
    assert most_calls(lambda: WORK[work](many, MANY)) <= most_calls(lambda: WORK[work](few, 5)) + 2


def test_ending_many_open_blocks_costs_the_same_for_each() -> None:
    for order in (1, -1):
        builder = with_open_blocks(MANY)
        counts = [calls_made(lambda: builder.tool_call_end(index)) for index in range(1, MANY + 1)[::order]]
        assert sum(counts) < 1.1 * MANY * min(counts)


def test_content_with_many_ended_blocks_costs_the_same() -> None:
    def read(builder: MessageBuilder) -> int:
        _ = builder.text_delta("x").partial.content
        return most_calls(lambda: getattr(builder.text_delta("x").partial.content[-1], "text"))

    found = []
    for count in (5, MANY):
        builder = started()
        for _ in range(count):
            builder.thinking_start()
            builder.thinking_end()
        builder.text_start()
        found.append(read(builder))
    assert found[0] == found[1]


def test_a_citation_costs_the_same_however_many_there_are() -> None:
    builder = started()
    builder.text_start()

    def cite() -> None:
        builder.add_annotation(0, {"url": "u"})
        builder.text_delta("x")

    early = most_calls(cite)
    for _ in range(MANY):
        cite()
    assert most_calls(cite) <= early
    assert peak_memory(cite) < 20_000  # the list of all grows now and then
    assert len(getattr(builder.partial.content[0], "annotations")) > MANY


def test_what_changed_costs_what_it_says() -> None:
    builder = with_open_blocks(MANY)
    found = origin(builder.text_delta("x").partial)
    assert found is not None
    builder.update_block(7, name="g")
    last = builder.text_delta("x").partial
    assert changed_blocks(last, found[1]) == [7]
    assert calls_made(lambda: changed_blocks(last, found[1])) < 100
