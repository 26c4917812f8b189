"""Snapshots: what every partial is, when it is read, and what it costs."""

import dataclasses
import json
import pickle
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    ImageContent,
    MessageBuilder,
    StopReason,
    TextContent,
    TextEnd,
    ThinkingContent,
    ThinkingEnd,
    ToolCall,
    ToolCallEnd,
    UnknownContent,
    Usage,
)

KINDS = ("text", "thinking", "tool_call")


def started() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    return builder


# Snapshots


def stream(seed: int) -> Iterator[tuple[AnyProviderEvent, AssistantMessage]]:
    """A random lawful stream, each event with the message that a plain loop has built by then.

    Blocks interleave; fields, blocks without events, and what is said of a block change in between.
    """
    random = Random(seed)
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    message = AssistantMessage("api", "provider", "model", timestamp=1)
    content: list[Any] = []
    open_blocks: dict[int, str] = {}
    quoted: set[int] = set()  # calls in which a string has begun: the next delta is inside it

    yield builder.start(), message
    for step in range(random.randrange(5, 80)):
        index = random.choice([*open_blocks, 0])
        kind = open_blocks.get(index)
        match random.choice("start delta delta delta delta delta end update add_block update_block".split()):
            case "start":
                kind = random.choice(KINDS)
                open_blocks[len(content)] = kind
                new = {"text": TextContent(""), "thinking": ThinkingContent(""), "tool_call": ToolCall("", "", {})}
                content.append(new[kind])
                event = getattr(builder, f"{kind}_start")()
            case "delta" if kind == "tool_call":
                arguments = dict(content[index].arguments)
                if index in quoted:
                    delta = random.choice(["", "a", "bc "])
                    arguments[[*arguments][-1]] += delta
                    if not delta:
                        delta = '"'
                        quoted.remove(index)
                else:
                    delta = ("," if arguments else "{") + f'"{step}":"'
                    arguments[str(step)] = ""
                    quoted.add(index)
                content[index] = replace(content[index], arguments=arguments)
                event = builder.tool_call_delta(delta, index)
            case "delta" if kind:
                delta = random.choice(["", "a", "bc ", "ü😀"])
                content[index] = replace(content[index], **{kind: getattr(content[index], kind) + delta})
                event = getattr(builder, f"{kind}_delta")(delta, index)
            case "end" if kind == "tool_call":
                if content[index].arguments or index in quoted:
                    closing = '"}' if index in quoted else "}"
                    yield builder.tool_call_delta(closing, index), replace(message, content=tuple(content))
                content[index] = replace(content[index], id=f"id{step}", name="f")
                event = builder.tool_call_end(index, tool_call_id=f"id{step}", tool_name="f")
                del open_blocks[index]
            case "end" if kind:
                content[index] = replace(content[index], **{f"{kind}_signature": "sig"})
                event = getattr(builder, f"{kind}_end")(index, signature="sig")
                del open_blocks[index]
            case "update":
                changes = random.choice([{"usage": Usage(step)}, {"model": f"m{step}"}, {"response_id": f"r{step}"}])
                message = replace(message, **changes)
                builder.update(**changes)
                continue
            case "add_block":
                content.append(random.choice([ImageContent("aGk=", "image/png"), UnknownContent({"n": [step]})]))
                builder.add_block(content[-1])
                continue
            case "update_block" if kind:
                said = {"text": "text_signature", "thinking": "thinking_signature", "tool_call": "name"}[kind]
                content[index] = replace(content[index], **{said: f"s{step}"})
                builder.update_block(index, **{said: f"s{step}"})
                continue
            case _:
                continue
        yield event, replace(message, content=tuple(content))
    if open_blocks:
        message = replace(message, stop_reason=StopReason.ABORTED, error_message="enough")
        event = builder.error("enough", aborted=True)
    else:
        message = replace(message, stop_reason=StopReason.STOP)
        event = builder.done(StopReason.STOP)
    yield event, replace(message, content=tuple(content))


QUESTIONS: list[Callable[[AssistantMessage], object]] = [
    lambda message: message,
    lambda message: message.text,
    lambda message: message.thinking,
    lambda message: message.tool_calls,
    lambda message: message.content[-1:],
    lambda message: message.usage,
    hash,
    repr,
]


@pytest.mark.parametrize("seed", range(40))
def test_every_partial_is_the_message_as_of_its_event_whenever_it_is_read(seed: int) -> None:
    random = Random(seed)
    kept = list(stream(seed))
    for _ in range(3):
        for position in random.sample(range(len(kept)), len(kept)):
            event, expected = kept[position]
            ask = random.choice(QUESTIONS)
            assert event.partial is not None
            assert ask(event.partial) == ask(expected), (seed, position)
    assert [event.partial for event, _ in kept] == [expected for _, expected in kept], seed


@pytest.mark.parametrize("seed", range(40))
def test_reading_while_the_stream_runs_changes_nothing(seed: int) -> None:
    random = Random(seed)
    kept = []
    for event, expected in stream(seed):
        kept.append((event, expected))
        for position in random.choices(range(len(kept)), k=random.randrange(4)):
            event, expected = kept[position]
            assert event.partial == expected, (seed, position)
    assert [event.partial for event, _ in kept] == [expected for _, expected in kept], seed


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost(seed: int) -> None:
    """The deltas of a block joined are what its end says, and what every later message holds."""
    events = [event for event, _ in stream(seed)]
    last = events[-1].partial
    assert last is not None
    for end in events:
        if isinstance(end, (TextEnd, ThinkingEnd, ToolCallEnd)):
            index = end.content_index
            deltas = "".join([e.delta for e in events if hasattr(e, "delta") and e.content_index == index])
            if isinstance(end, ToolCallEnd):
                assert end.tool_call == last.content[index], (seed, index)
                assert end.tool_call.arguments == json.loads(deltas or "{}"), (seed, index)
            else:
                assert end.content == deltas == getattr(last.content[index], last.content[index].__match_args__[0])


def test_a_snapshot_is_a_plain_message_of_plain_blocks() -> None:
    for event, expected in stream(7):
        assert type(event.partial) is AssistantMessage
        assert [type(block) for block in event.partial.content] == [type(block) for block in expected.content]
        assert expected == event.partial and not expected != event.partial
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event.partial, "model", "x")


def test_a_pickled_snapshot_does_not_carry_the_stream_along() -> None:
    builder = started()
    builder.text_start()
    early = builder.text_delta("a").partial
    builder.text_delta("b" * 1_000_000)
    assert len(pickle.dumps(early)) < 2_000


def test_a_snapshot_that_was_read_does_not_keep_the_stream_alive() -> None:
    tracemalloc.start()
    try:
        builder = started()
        builder.text_start()
        early = builder.text_delta("a").partial
        builder.text_delta("b" * 1_000_000)
        assert early.content == (TextContent("a"),)
        del builder
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 500_000


# Cost


@pytest.mark.parametrize("kind", KINDS)
def test_keeping_all_events_takes_at_most_300_bytes_each(kind: str) -> None:
    builder = started()
    getattr(builder, f"{kind}_start")()
    count = 20_000
    kept: list[Any] = [None] * count
    tracemalloc.start()
    try:
        for n in range(count):
            kept[n] = getattr(builder, f"{kind}_delta")(f"{n:5}")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / count <= 300


def calls_made(work: Callable[[], object]) -> int:
    """How many functions, of Python or of C, run during `work`."""
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_delta_takes_as_many_steps_at_the_end_as_at_the_beginning(kind: str) -> None:
    builder = started()
    getattr(builder, f"{kind}_start")()
    getattr(builder, f"{kind}_delta")('{"a":"')

    def most_of_fifty() -> int:
        return max(calls_made(lambda: getattr(builder, f"{kind}_delta")("x")) for _ in range(50))

    early = most_of_fifty()
    kept = [getattr(builder, f"{kind}_delta")("x") for _ in range(20_000)]
    assert most_of_fifty() <= early
    assert kept[0].partial.content != kept[-1].partial.content


@pytest.mark.parametrize("kind", KINDS)
def test_making_an_event_does_not_read_what_has_come(kind: str) -> None:
    builder = started()
    for block in ("text", "tool_call", "thinking"):
        getattr(builder, f"{block}_start")()
        getattr(builder, f"{block}_delta")('{"a":"' + "x" * 1_000_000)
    tracemalloc.start()
    try:
        kept = [getattr(builder, f"{kind}_delta")("x") for _ in range(100)]
        builder.update(model="other")
        builder.add_block(ImageContent("aGk=", "image/png"))
        kept.append(getattr(builder, f"{kind}_start")())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert len(repr(kept[0].partial)) > 3_000_000
