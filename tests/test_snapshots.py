"""Snapshots: what each is, whenever and in whatever order it is read."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from provider_events import (
    AssistantMessage,
    ImageContent,
    MessageBuilder,
    MessageEvent,
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
from provider_events._lazy import is_lazy
from provider_events._log import block_at, changed_blocks, header, origin
from provider_events._partial_json import PartialObject

KINDS = ("text", "thinking", "tool_call")


def started() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    return builder


# What a snapshot is


def stream(seed: int) -> Iterator[tuple[MessageEvent, AssistantMessage]]:
    """Yield the events of a random valid stream, each with the message that a plain loop has built by then.

    Blocks interleave; fields of the message and of blocks, and blocks without events, change in between.
    """
    random = Random(seed)
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    message = AssistantMessage("api", "provider", "model", timestamp=1)
    content: list[Any] = []
    open_blocks: dict[int, str] = {}
    in_string: set[int] = set()  # calls in whose arguments a string has begun: the next delta is inside it

    yield builder.start(), message
    for step in range(random.randrange(5, 80)):
        index = random.choice([*open_blocks, 0])
        kind = open_blocks.get(index)
        unknown = [index for index, block in enumerate(content) if isinstance(block, UnknownContent)]
        event: MessageEvent
        match random.choice(
            "start delta delta delta delta delta end update add_block update_block annotate grow".split()
        ):
            case "start":
                kind = random.choice(KINDS)
                open_blocks[len(content)] = kind
                new = {"text": TextContent(""), "thinking": ThinkingContent(""), "tool_call": ToolCall("", "", {})}
                content.append(new[kind])
                event = getattr(builder, f"{kind}_start")()
            case "delta" if kind == "tool_call":
                arguments = dict(content[index].arguments)
                if index in in_string:
                    delta = random.choice(["", "a", "bc "])
                    arguments[[*arguments][-1]] += delta
                    if not delta:
                        delta = '"'
                        in_string.remove(index)
                else:
                    delta = ("," if arguments else "{") + f'"{step}":"'
                    arguments[str(step)] = ""
                    in_string.add(index)
                content[index] = replace(content[index], arguments=arguments)
                event = builder.tool_call_delta(delta, index)
            case "delta" if kind:
                delta = random.choice(["", "a", "bc ", "ü😀"])
                content[index] = replace(content[index], **{kind: getattr(content[index], kind) + delta})
                event = getattr(builder, f"{kind}_delta")(delta, index)
            case "end" if kind == "tool_call":
                if content[index].arguments or index in in_string:
                    closing = '"}' if index in in_string else "}"
                    yield builder.tool_call_delta(closing, index), replace(message, content=tuple(content))
                content[index] = replace(content[index], id=f"id{step}", name="f")
                event = builder.tool_call_end(index, tool_call_id=f"id{step}", tool_name="f")
                del open_blocks[index]
            case "end" if kind:
                content[index] = replace(content[index], **{f"{kind}_signature": "sig"})
                event = getattr(builder, f"{kind}_end")(index, signature="sig")
                del open_blocks[index]
            case "update":
                changes: dict[str, Any] = random.choice(
                    [
                        {"usage": Usage(step)},
                        {"model": f"m{step}"},
                        {"response_id": f"r{step}"},
                        {"provider_details": {"n": step}},
                    ]
                )
                message = replace(message, **changes)
                builder.update(**changes)
                continue
            case "add_block":
                content.append(random.choice([ImageContent("aGk=", "image/png"), UnknownContent({"n": [step]})]))
                assert builder.add_block(content[-1]) == len(content) - 1
                continue
            case "update_block" if kind:
                field = {"text": "text_signature", "thinking": "thinking_signature", "tool_call": "name"}[kind]
                changes = random.choice([{field: f"s{step}"}, {"provider_details": {"n": step}}])
                if kind == "text" and random.random() < 0.3:
                    changes = {"annotations": [{"replaced": step}]}
                content[index] = replace(content[index], **changes)
                builder.update_block(index, **changes)
                continue
            case "annotate" if kind == "text":
                content[index] = replace(content[index], annotations=(*content[index].annotations, {"n": [step]}))
                builder.add_annotation(index, {"n": [step]})
                continue
            case "grow" if unknown:
                content[unknown[0]] = UnknownContent({"n": step})
                builder.update_block(unknown[0], data={"n": step})
                continue
            case _:
                continue
        yield event, replace(message, content=tuple(content))
    if open_blocks:
        message = replace(message, stop_reason=StopReason.ABORTED, error_message="enough")
        event = builder.error("enough", aborted=True)
    else:
        has_calls = any(isinstance(block, ToolCall) for block in content)
        reason = StopReason.TOOL_USE if has_calls else StopReason.STOP
        message = replace(message, stop_reason=reason)
        event = builder.done(reason)
    yield event, replace(message, content=tuple(content))


READS: list[Callable[[AssistantMessage], object]] = [
    lambda message: message,
    lambda message: message.text,
    lambda message: message.thinking,
    lambda message: message.tool_calls,
    lambda message: message.content[-1:],
    lambda message: [getattr(block, "text", None) for block in message.content],
    lambda message: [call.name for call in message.tool_calls],
    lambda message: message.usage,
    hash,
    repr,
    header,
    lambda message: [block_at(message, index) for index in range(9)],
    lambda message: [header(block) for block in message.content],
]


@pytest.mark.parametrize("seed", range(60))
def test_each_snapshot_is_the_message_as_of_its_event_whenever_it_is_read(seed: int) -> None:
    random = Random(seed)
    kept = list(stream(seed))
    for _ in range(3):
        for position in random.sample(range(len(kept)), len(kept)):
            event, expected = kept[position]
            read = random.choice(READS)
            assert read(event.partial) == read(expected), (seed, position)
    assert [event.partial for event, _ in kept] == [expected for _, expected in kept], seed


@pytest.mark.parametrize("seed", range(60))
def test_reading_while_the_stream_runs_changes_nothing(seed: int) -> None:
    random = Random(seed)
    kept: list[tuple[MessageEvent, AssistantMessage]] = []
    for event, expected in stream(seed):
        kept.append((event, expected))
        for position in random.choices(range(len(kept)), k=random.randrange(4)):
            event, expected = kept[position]
            read = random.choice(READS)
            assert read(event.partial) == read(expected), (seed, position)
    assert [event.partial for event, _ in kept] == [expected for _, expected in kept], seed


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost(seed: int) -> None:
    """The deltas of a block joined are the content of its end, and of every later snapshot."""
    events: list[Any] = [event for event, _ in stream(seed)]
    last = events[-1].partial
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
        for missing in ("modle", "_missing"):
            assert not hasattr(event.partial, missing) and not hasattr(event.partial.content, missing)
        with pytest.raises(AttributeError, match="modle"):
            getattr(event.partial, "modle")


def test_a_misspelt_attribute_of_a_snapshot_is_the_usual_error() -> None:
    builder = started()
    builder.text_start()
    fresh = builder.text_delta("a").partial
    with pytest.raises(AttributeError, match="'AssistantMessage' object has no attribute 'modle'"):
        getattr(fresh, "modle")
    with pytest.raises(AttributeError, match="'TextContent' object has no attribute 'txet'"):
        getattr(fresh.content[0], "txet")


# Laziness


def test_reading_other_fields_of_a_call_parses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    builder.update_block(0, thought_signature="s", provider_details={"k": 1})
    partial = builder.tool_call_delta('{"a": 1').partial

    def refuse(self: PartialObject, text: str) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(PartialObject, "feed", refuse)
    (call,) = partial.tool_calls
    assert (call.id, call.name, call.thought_signature, call.invalid_arguments) == ("id", "f", "s", None)
    assert call.provider_details == {"k": 1}
    assert header(call) == ToolCall("id", "f", {}, "s", None, {"k": 1})
    assert is_lazy(call)
    with pytest.raises(AssertionError, match="parsed"):
        _ = call.arguments
    monkeypatch.undo()
    assert call.arguments == {"a": 1} and not is_lazy(call)


def test_blocks_that_have_ended_are_shared_between_snapshots() -> None:
    builder = started()
    builder.text_start()
    builder.text_delta("a")
    ended = builder.text_end().partial.content[0]
    builder.add_block(UnknownContent({"a": 1}))
    builder.text_start()
    for _ in range(3):
        assert builder.text_delta("x").partial.content[0] is ended


def test_the_finished_arguments_of_a_call_are_shared_between_snapshots() -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    early = builder.tool_call_delta('{"a": {"b": 1}, "c": "').partial.tool_calls[0].arguments
    later = builder.tool_call_delta("x").partial.tool_calls[0].arguments
    assert (early, later) == ({"a": {"b": 1}, "c": ""}, {"a": {"b": 1}, "c": "x"})
    assert later["a"] is early["a"]


# Identity: of which stream, as of which event

COPIES: list[Callable[[AssistantMessage], AssistantMessage]] = [
    copy.copy,
    copy.deepcopy,
    replace,
    lambda message: pickle.loads(pickle.dumps(message)),
    lambda message: AssistantMessage(*[getattr(message, name) for name in message.__match_args__]),
]


@pytest.mark.parametrize("read", [lambda message: None, *READS])
def test_a_snapshot_knows_its_stream_and_its_event_read_or_not(read: Callable[[AssistantMessage], object]) -> None:
    events = [event for event, _ in stream(3)]
    for event in events:
        read(event.partial)
    origins = [origin(event.partial) for event in events]
    streams = {id(found[0]) for found in origins if found is not None}
    assert None not in origins and len(streams) == 1
    assert [found[1] for found in origins if found is not None] == list(range(1, len(events) + 1))
    other = origin(started().partial)
    assert other is not None and id(other[0]) not in streams


@pytest.mark.parametrize("make", COPIES)
def test_a_copy_has_no_stream(make: Callable[[AssistantMessage], AssistantMessage]) -> None:
    message = [event for event, _ in stream(3)][-2].partial
    assert origin(make(message)) is None and changed_blocks(make(message), 0) is None
    assert make(message) == message


@pytest.mark.parametrize("seed", range(40))
def test_the_blocks_that_changed_between_two_snapshots_are_known_read_or_not(seed: int) -> None:
    random = Random(seed)
    kept = [(event.partial, expected) for event, expected in stream(seed)]
    for _ in range(30):
        old, new = sorted(random.choices(range(len(kept)), k=2))
        if random.random() < 0.5:
            hash(kept[new][0])
        before, after = ([header(block) for block in kept[position][1].content] for position in (old, new))
        different = [index for index, block in enumerate(after) if index >= len(before) or block != before[index]]
        found = changed_blocks(kept[new][0], old + 1)
        assert found is not None and set(different) <= set(found), (seed, old, new)
        assert found == sorted(set(found)) and len(after) > max(found, default=-1), (seed, old, new)


def test_deltas_are_not_changes() -> None:
    builder = started()
    builder.text_start()
    early = origin(builder.text_delta("a").partial)
    assert early is not None
    assert changed_blocks(builder.text_delta("b").partial, early[1]) == []
    builder.add_annotation(0, {"url": "u"})
    assert changed_blocks(builder.text_delta("c").partial, early[1]) == [0]


# Letting go


def test_a_pickled_snapshot_does_not_carry_the_stream_along() -> None:
    builder = started()
    builder.text_start()
    early = builder.text_delta("a").partial
    builder.text_delta("b" * 1_000_000)
    assert len(pickle.dumps(early)) < 2_000
