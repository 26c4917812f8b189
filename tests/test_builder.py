"""What the builder promises: lawful streams, snapshots that stay, arguments as far as they can be read."""

import copy
import dataclasses
import itertools
import json
import pickle
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    ImageContent,
    MessageBuilder,
    StopReason,
    StreamStateError,
    TextContent,
    TextEnd,
    ThinkingContent,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    Usage,
)

KINDS = ("text", "thinking", "tool_call")


def started() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    return builder


def call(builder: MessageBuilder, name: str, *args: Any, **kwargs: Any) -> Any:
    if name == "update_model":
        return builder.update(model=args[0])
    return getattr(builder, name)(*args, **kwargs)


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
                event = call(builder, f"{kind}_start")
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
                event = call(builder, f"{kind}_delta", delta, index)
            case "end" if kind == "tool_call":
                if content[index].arguments or index in quoted:
                    closing = '"}' if index in quoted else "}"
                    yield builder.tool_call_delta(closing, index), replace(message, content=tuple(content))
                content[index] = replace(content[index], id=f"id{step}", name="f")
                event = builder.tool_call_end(index, tool_call_id=f"id{step}", tool_name="f")
                del open_blocks[index]
            case "end" if kind:
                content[index] = replace(content[index], **{f"{kind}_signature": "sig"})
                event = call(builder, f"{kind}_end", index, signature="sig")
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


WAYS: dict[str, Callable[[Any], Any]] = {
    **{f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": replace,
    "asdict": dataclasses.asdict,
    "astuple": dataclasses.astuple,
    "fields": lambda x: {field.name: getattr(x, field.name) for field in dataclasses.fields(x)},
    "hash": hash,
    "repr": repr,
    "positions": lambda x: [getattr(x, name) for name in x.__match_args__],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_snapshot_nobody_has_read_is_at_home_everywhere(way: str) -> None:
    """Each way is the first read of its snapshot, and of the blocks in it."""
    for event, expected in [*stream(1), *stream(2)]:
        assert WAYS[way](event) == WAYS[way](replace(event, **{dataclasses.fields(event)[-1].name: expected}))
    for event, expected in [*stream(3), *stream(4)]:
        assert WAYS[way](event.partial) == WAYS[way](expected)
    for event, expected in [*stream(5), *stream(6)]:
        assert event.partial is not None
        assert [WAYS[way](block) for block in event.partial.content] == [WAYS[way](block) for block in expected.content]


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


def test_eight_threads_may_read_while_the_builder_runs() -> None:
    builder = started()
    builder.text_start()
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a":"')
    kept: list[tuple[AssistantMessage, int]] = []
    wrong: list[object] = []
    finished = threading.Event()

    def read(seed: int) -> None:
        random = Random(seed)
        try:
            while not finished.is_set():
                if kept:
                    partial, n = kept[random.choice([-1, random.randrange(len(kept))])]
                    seen = partial.text if random.random() < 0.5 else getattr(partial.content[0], "text")
                    if (seen, partial.tool_calls[0].arguments) != ("t" * n, {"a": "x" * n}):
                        wrong.append((seed, n, partial))
        except Exception as error:
            wrong.append((seed, error))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for n in range(1, 1_000):
            builder.text_delta("t")
            kept.append((builder.tool_call_delta("x").partial, n))
    finally:
        finished.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert wrong == []


# What shows when


def test_the_first_partial_is_the_empty_message() -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    empty = AssistantMessage("api", "provider", "model", timestamp=1)
    assert builder.partial == builder.start().partial == empty


def test_without_a_timestamp_it_is_now_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    stamp = MessageBuilder(api="api", provider="provider", model="model").partial.timestamp
    assert before <= stamp <= time.time_ns() // 1_000_000


def test_content_index_is_the_place_in_the_content_and_silent_blocks_take_one() -> None:
    builder = started()
    picture = ImageContent("aGk=", "image/png")
    builder.add_block(picture)
    assert builder.text_start().content_index == 1
    assert builder.tool_call_start("id", "f").content_index == 2
    builder.add_block(UnknownContent({"a": 1}))
    assert builder.thinking_start().content_index == 4
    assert builder.text_delta("t").content_index == 1
    kinds = [type(block) for block in builder.partial.content]
    assert kinds == [ImageContent, TextContent, ToolCall, UnknownContent, ThinkingContent]


def test_silent_changes_show_from_the_next_event_on() -> None:
    builder = started()
    builder.text_start()
    before = builder.text_delta("a")
    builder.update(model="other", raw_stop_reason="end", response_id="r", usage=Usage(1), timestamp=2)
    builder.update_block(0, text_signature="sig", annotations=[{"url": "u"}])
    builder.add_block(ImageContent("aGk=", "image/png"))
    old = AssistantMessage("api", "provider", "model", (TextContent("a"),), timestamp=1)
    assert builder.partial == before.partial == old
    new = (TextContent("ab", "sig", ({"url": "u"},)), ImageContent("aGk=", "image/png"))
    after = builder.text_delta("b")
    assert after.partial == AssistantMessage("api", "provider", "other", new, Usage(1), None, "end", None, "r", 2)
    assert before.partial == old


def test_what_is_said_at_the_end_is_in_the_block() -> None:
    builder = started()
    builder.text_start()
    builder.text_delta("t")
    assert builder.text_end(signature="s", annotations=[{"n": 1}]).content == "t"
    builder.thinking_start()
    assert builder.thinking_end(signature="opaque", redacted=True).content == ""
    builder.tool_call_start()
    end = builder.tool_call_end(tool_call_id="id", tool_name="f", thought_signature="th")
    assert end.tool_call == ToolCall("id", "f", {}, "th")
    text, thinking = TextContent("t", "s", ({"n": 1},)), ThinkingContent("", "opaque", True)
    assert builder.done(StopReason.TOOL_USE).message.content == (text, thinking, end.tool_call)


def test_without_content_index_a_call_means_the_latest_open_block_of_its_kind() -> None:
    builder = started()
    for kind in (*KINDS, *KINDS):
        call(builder, f"{kind}_start")
    delta = {"text": "a", "thinking": "a", "tool_call": "{}"}
    for first, kind in enumerate(KINDS):
        assert call(builder, f"{kind}_delta", delta[kind]).content_index == first + 3
        assert call(builder, f"{kind}_delta", delta[kind], first).content_index == first
        assert call(builder, f"{kind}_end").content_index == first + 3
        assert call(builder, f"{kind}_delta", " ").content_index == first
        assert call(builder, f"{kind}_end").content_index == first


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


# Endings


@pytest.mark.parametrize("reason", [StopReason.STOP, StopReason.LENGTH, StopReason.TOOL_USE])
def test_done_agrees_with_its_message(reason: StopReason) -> None:
    done = started().done(reason)
    assert done == Done(reason, AssistantMessage("api", "provider", "model", stop_reason=reason, timestamp=1))


@pytest.mark.parametrize("reason", [StopReason.ERROR, StopReason.ABORTED])
def test_done_is_not_for_failures(reason: StopReason) -> None:
    builder = started()
    with pytest.raises(StreamStateError, match="expected"):
        builder.done(reason)
    assert builder.done(StopReason.STOP) == started().done(StopReason.STOP)


@pytest.mark.parametrize("aborted, reason", [(False, StopReason.ERROR), (True, StopReason.ABORTED)])
def test_an_error_keeps_open_blocks_as_they_are(aborted: bool, reason: StopReason) -> None:
    builder = started()
    builder.thinking_start()
    builder.thinking_delta("Hm")
    builder.text_start()
    builder.text_delta("Hel")
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a": "b", "c": [1, "x')
    builder.tool_call_start()
    content = (
        *(ThinkingContent("Hm"), TextContent("Hel")),
        *(ToolCall("id", "f", {"a": "b", "c": [1, "x"]}), ToolCall("", "", {})),
    )
    error = AssistantMessage("api", "provider", "model", content, Usage(), reason, None, "cut off", None, 1)
    assert builder.error("cut off", aborted=aborted) == Error(reason, error)
    assert builder.partial == error


def test_an_error_may_come_before_the_start() -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    assert builder.error("no connection").error.error_message == "no connection"


# Grammar

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **{f"{kind}_{what}": () for kind in KINDS for what in ("start", "end")},
    **{f"{kind}_delta": ("x",) for kind in KINDS},
    **{"start": (), "done": (StopReason.STOP,), "error": ("failed",)},
    **{"update_model": ("other",), "update_block": (0,), "add_block": (ImageContent("aGk=", "image/png"),)},
}


def lawful(script: list[str], name: str) -> bool:
    """The grammar in plain words: may `name` be called after the lawful calls of `script`?"""
    if "done" in script or "error" in script:
        return False
    if "start" not in script:
        return name in ("start", "error", "update_model")
    kind, _, what = name.rpartition("_")
    open_blocks = {k: script.count(f"{k}_start") - script.count(f"{k}_end") for k in KINDS}
    if name == "update_block":  # of block 0: the first that took a place, and has not ended
        kinds = [call.rpartition("_")[0] for call in script if call.endswith("_start") or call == "add_block"]
        return kinds[:1] != ["add"] and any(open_blocks[k] == kinds.count(k) for k in kinds[:1])
    if kind in KINDS and what in ("delta", "end"):
        return open_blocks[kind] > 0
    if name == "done":
        return not any(open_blocks.values())
    return name != "start"


@pytest.mark.parametrize("first", ARGUMENTS)
def test_calls_out_of_order_are_refused_and_change_nothing(first: str) -> None:
    """Every script of four calls: an untouched twin that gets the lawful ones only stays equal."""
    for rest in itertools.product(ARGUMENTS, repeat=2):
        builder, twin = started(), started()
        script: list[str] = ["start"]
        for name in (first, *rest):
            if lawful(script, name):
                script.append(name)
                assert call(builder, name, *ARGUMENTS[name]) == call(twin, name, *ARGUMENTS[name]), (script, name)
            else:
                with pytest.raises(StreamStateError) as refusal:
                    call(builder, name, *ARGUMENTS[name])
                assert str(refusal.value), (script, name)
            assert builder.partial == twin.partial, (script, name)
        for name in ARGUMENTS:  # and it goes on as its twin does
            if lawful(script, name):
                script.append(name)
                assert call(builder, name, *ARGUMENTS[name]) == call(twin, name, *ARGUMENTS[name]), (script, name)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_nothing_comes_before_the_start(name: str) -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    if not lawful([], name):
        with pytest.raises(StreamStateError, match="not started|no block is open"):
            call(builder, name, *ARGUMENTS[name])
    assert builder.start() if name not in ("start", "error") else True


@pytest.mark.parametrize(
    "script, name, args, words",
    [
        ("", "text_start", (), "text_start: .*not started.* expected .*start"),
        ("", "done", (StopReason.STOP,), "done: .*not started.* expected .*start"),
        ("start", "start", (), "start: .* expected .*text_start"),
        ("start", "text_delta", ("x",), "expected an open TextContent"),
        ("start", "thinking_end", (), "expected an open ThinkingContent"),
        ("start text_start", "tool_call_end", (), "expected an open ToolCall; .*TextContent at 0"),
        ("start text_start", "thinking_delta", ("x", 0), "expected an open ThinkingContent at 0.*TextContent at 0"),
        ("start text_start", "text_delta", ("x", 7), "expected an open TextContent at 7"),
        ("start text_start text_end", "text_delta", ("x", 0), "expected an open TextContent at 0"),
        ("start text_start", "done", (StopReason.STOP,), "done: expected the ends of all blocks.*TextContent at 0"),
        ("start error", "text_start", (), "text_start: .*ended"),
        ("start done", "error", ("x",), "error: .*ended"),
    ],
)
def test_a_refusal_says_what_was_expected(script: str, name: str, args: tuple[Any, ...], words: str) -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    for earlier in script.split():
        call(builder, earlier, *ARGUMENTS[earlier])
    with pytest.raises(StreamStateError, match=words):
        call(builder, name, *args)


@pytest.mark.parametrize(
    "name, args, kwargs",
    [
        *[(f"{kind}_delta", (delta,), {}) for kind in KINDS for delta in (b"x", None, 1)],
        ("update", (), {"content": ()}),
        ("update", (), {"stop_reason": StopReason.STOP}),
        ("update", (), {"misspelt": 1}),
        ("update_block", (0,), {"misspelt": 1}),
        ("update_block", (0,), {"text": "x"}),
        ("update_block", (0,), {"thinking_signature": "of another kind"}),
        ("update_block", (0,), {"annotations": [object()]}),
        ("text_end", (), {"annotations": [object()]}),
        ("add_block", (TextContent("a"),), {}),
        ("add_block", ({"type": "image"},), {}),
    ],
)
def test_wrong_types_and_unknown_fields_are_refused_and_change_nothing(name: str, args: Any, kwargs: Any) -> None:
    builder, twin = started(), started()
    for kind in KINDS:
        assert call(builder, f"{kind}_start") == call(twin, f"{kind}_start")
    builder.update(model="soon")  # shows from the next event on: the refusal is none
    twin.update(model="soon")
    with pytest.raises(TypeError):
        call(builder, name, *args, **kwargs)
    assert builder.partial == twin.partial
    for kind in KINDS:
        assert call(builder, f"{kind}_end") == call(twin, f"{kind}_end")
    assert builder.done(StopReason.STOP) == twin.done(StopReason.STOP)


# Tool calls


def test_id_and_name_are_empty_until_said() -> None:
    builder = started()
    start = builder.tool_call_start(None, "f")
    assert start == ToolCallStart(0, None, "f", start.partial)
    assert start.partial.tool_calls == (ToolCall("", "f", {}),)
    builder.update_block(0, id="late")
    assert builder.tool_call_delta("{}").partial.tool_calls == (ToolCall("late", "f", {}),)
    assert builder.tool_call_end().tool_call == ToolCall("late", "f", {})


@pytest.mark.parametrize("response_id", [None, "resp_1"])
def test_calls_without_an_id_get_one_unique_in_the_message_and_the_same_each_time(response_id: str | None) -> None:
    messages = []
    for _ in range(2):
        builder = started()
        builder.update(response_id=response_id)
        taken = None
        for given in (None, "mine", None, None):
            builder.tool_call_start(given, "f")
            taken = builder.tool_call_end().tool_call.id
        builder.tool_call_start(None, "f")
        builder.tool_call_end(tool_call_id=f"{taken}_")
        messages.append(builder.done(StopReason.TOOL_USE).message)
    ids = [tool_call.id for tool_call in messages[0].tool_calls]
    assert ids[1] == "mine" and all(ids) and len(set(ids)) == 5
    assert messages[0] == messages[1]


def test_a_made_up_id_is_not_one_that_another_call_of_the_message_has() -> None:
    builder = started()
    builder.tool_call_start(None, "f")
    made_up = builder.tool_call_end().tool_call.id
    for say in ("start", "update_block"):
        builder = started()
        builder.tool_call_start(None, "f")
        builder.tool_call_start(made_up if say == "start" else None, "g")
        if say == "update_block":
            builder.update_block(1, id=made_up)
        calls = builder.tool_call_end(0).partial.tool_calls
        assert calls[0].id != calls[1].id == made_up, say


def test_no_arguments_at_all_are_an_empty_object() -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    assert builder.tool_call_end().tool_call == ToolCall("id", "f", {}, None, None)


def arguments_at_end(text: str) -> ToolCall:
    builder = started()
    builder.tool_call_start("id", "f")
    for at in range(0, len(text), 1000):
        builder.tool_call_delta(text[at : at + 1000])
    return builder.tool_call_end().tool_call


@pytest.mark.parametrize(
    "text",
    [
        *("not json", "[]", '[{"a": 1}]', '"a"', "12", "null", " ", "{", '{"a": 1', '{"a": 1,}', '{"a": 1} x', "{'a': 1}"),
        *('{"a": 1}{"b": 2}', '{"a": NaN}', '{"a": [Infinity]}', '{"a": -Infinity}', "\ufeff{}", "\xa0{}", '{"a": "\n"}'),
        pytest.param('{"a": 1e999}', id="float too large"),
        pytest.param('{"a": ' + "9" * 5_000 + "}", id="int too large"),
        pytest.param('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", id="arrays too deep"),
        pytest.param('{"a": ' * 100_000 + "1" + "}" * 100_000, id="objects too deep"),
    ],
)
def test_arguments_that_are_no_json_object_are_kept_exactly(text: str) -> None:
    assert arguments_at_end(text) == ToolCall("id", "f", {}, None, text)


@pytest.mark.parametrize("text", ["{}", ' {"a" : [1, {"b": null}]}\r\n\t', '{"a": "\\ud83d\\ude00\\/"}', '{"a": 1, "a": 2}'])
def test_arguments_that_are_a_json_object_are_that_object(text: str) -> None:
    assert arguments_at_end(text) == ToolCall("id", "f", json.loads(text), None, None)


# Arguments while they come


def partial_arguments(text: str) -> list[Any]:
    """The arguments after each character of `text`, read when all have come."""
    builder = started()
    builder.tool_call_start("id", "f")
    events: list[ToolCallDelta] = [builder.tool_call_delta(character) for character in text]
    return [event.partial.tool_calls[0].arguments for event in events]


def random_json(random: Random, depth: int) -> Any:
    match random.choice(["text", "text", "number", "literal", "array", "object"] if depth else ["text", "number"]):
        case "text":
            return "".join(random.choices(["a", "é", "😀", '"', "\\", "\\ud83d", "/", "\n", "\x00", " ", "{", "]", ","], k=random.randrange(5)))
        case "number":
            return random.choice([0, -1, 12, 3.25, -0.5, 1e-7, 2.5e30, 123456789012345678901234567890])
        case "literal":
            return random.choice([True, False, None])
        case "array":
            return [random_json(random, depth - 1) for _ in range(random.randrange(4))]
        case _:
            return {str(random_json(random, 0)): random_json(random, depth - 1) for _ in range(random.randrange(4))}


def begins(partial: Any, final: Any) -> bool:
    """Whether `partial` may be what could be read of `final`: nothing invented, nothing out of order."""
    if isinstance(final, str):
        return isinstance(partial, str) and final.startswith(partial)
    if isinstance(final, dict):
        if not isinstance(partial, dict) or list(partial) != list(final)[: len(partial)]:
            return False
        return begins(list(partial.values()), list(final.values()))
    if isinstance(final, list):
        whole = isinstance(partial, list) and len(partial) <= len(final) and partial[:-1] == final[: len(partial[:-1])]
        return whole and all(begins(partial[n], final[n]) for n in range(len(partial))[-1:])
    if isinstance(final, bool) or final is None:
        return partial is final
    return type(partial) in (int, float)


@pytest.mark.parametrize("seed", range(150))
def test_partial_arguments_are_what_can_be_read_so_far(seed: int) -> None:
    random = Random(seed)
    final = {f"{n}{random_json(random, 0)}": random_json(random, 3) for n in range(random.randrange(1, 5))}
    ascii_only, space = random.random() < 0.5, random.choice(["", " ", "\n\t"])
    text, value_at, end_at = "{", {}, {}
    for n, (key, value) in enumerate(final.items()):
        text += ("," if n else "") + space + json.dumps(key, ensure_ascii=ascii_only) + space + ":" + space
        value_at[key] = len(text)
        text += json.dumps(value, ensure_ascii=ascii_only, indent=random.choice([None, 1]))
        end_at[key] = len(text)
    text += space + "}"
    for length, partial in enumerate(partial_arguments(text), 1):
        where = (seed, text[:length], partial)
        assert begins(partial, final), where
        assert all(value_at[key] < length for key in partial), where
        assert all(partial[key] == final[key] for key in final if end_at[key] <= length), where
    assert partial == final, where


@pytest.mark.parametrize(
    "text, readable",
    [
        ("", {}),
        ("{", {}),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a": ', {}),
        ('{"a": "', {"a": ""}),
        ('{"a": "x', {"a": "x"}),
        ('{"a": "x\\', {"a": "x"}),
        ('{"a": "x\\n', {"a": "x\n"}),
        ('{"a": "x\\u00', {"a": "x"}),
        ('{"a": "x\\ud83d', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude00', {"a": "x😀"}),
        ('{"a": 1, "b": "x\\\\ud83d', {"a": 1, "b": "x\\ud83d"}),
        ('{"a": "x", "b": {"c": [1, {"d": "y', {"a": "x", "b": {"c": [1, {"d": "y"}]}}),
        ('{"a": {"b": ', {"a": {}}),
        ('{"a": [', {"a": []}),
        ('{"a": [1,', {"a": [1]}),
        ('{"a": [[], {}], "b": ', {"a": [[], {}]}),
        ('{"a": true, "b": false, "c": null, "d":', {"a": True, "b": False, "c": None}),
        (' \r\n\t{"a": 1}', {"a": 1}),
        ('{"a": 1} and more', {"a": 1}),
        ('{"a": 1, b: 2}', {"a": 1}),
        ('{"a": nope', {}),
        ('{"a": 1, "b": trust', {"a": 1}),
        ("[1", {}),
        ('"a"', {}),
        ("hello", {}),
    ],
)
def test_what_can_be_read_of_broken_off_arguments(text: str, readable: dict[str, Any]) -> None:
    assert [{}, *partial_arguments(text)][-1] == readable


@pytest.mark.parametrize("seed", range(200))
def test_no_text_at_all_makes_reading_arguments_fail(seed: int) -> None:
    random = Random(seed)
    text = list('{"a": [1, "x\\u00e9\\ud83d"], "b": {"c": -1.5e3, "d": null}}')
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(text)) if random.random() < 0.7 else 0
        text[at : at + random.randrange(2)] = random.choice('{}[]:,"\\u09-.eEtfn \x00\n\xa0\x0b\u2003\ufeff\ud800\udc00😀')
    for partial in partial_arguments("".join(text)):
        assert isinstance(partial, dict), (seed, text)


@pytest.mark.parametrize("text", ['{"a": ' + "9" * 5_000, '{"a": ' + "[" * 100_000, '{"a": ' * 100_000], ids=["int", "arrays", "objects"])
def test_too_large_and_too_deep_arguments_do_not_make_reading_fail(text: str) -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    assert isinstance(builder.tool_call_delta(text).partial.tool_calls[0].arguments, dict)


# Cost


@pytest.mark.parametrize("kind", KINDS)
def test_keeping_all_events_takes_at_most_300_bytes_each(kind: str) -> None:
    builder = started()
    call(builder, f"{kind}_start")
    count = 20_000
    kept: list[Any] = [None] * count
    tracemalloc.start()
    try:
        for n in range(count):
            kept[n] = call(builder, f"{kind}_delta", f"{n:5}")
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
    call(builder, f"{kind}_start")
    call(builder, f"{kind}_delta", '{"a":"')

    def most_of_fifty() -> int:
        return max(calls_made(lambda: call(builder, f"{kind}_delta", "x")) for _ in range(50))

    early = most_of_fifty()
    kept = [call(builder, f"{kind}_delta", "x") for _ in range(20_000)]
    assert most_of_fifty() <= early
    assert kept[0].partial.content != kept[-1].partial.content


@pytest.mark.parametrize("kind", KINDS)
def test_making_an_event_does_not_read_what_has_come(kind: str) -> None:
    builder = started()
    for block in ("text", "tool_call", "thinking"):
        call(builder, f"{block}_start")
        call(builder, f"{block}_delta", '{"a":"' + "x" * 1_000_000)
    tracemalloc.start()
    try:
        kept = [call(builder, f"{kind}_delta", "x") for _ in range(100)]
        builder.update(model="other")
        builder.add_block(ImageContent("aGk=", "image/png"))
        kept.append(call(builder, f"{kind}_start"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert len(repr(kept[0].partial)) > 3_000_000
