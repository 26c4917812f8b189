"""The builder: what shows when, terminal events, and the calls that the grammar refuses."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from provider_events import (
    AssistantMessage,
    Done,
    Error,
    ImageContent,
    MessageBuilder,
    StopReason,
    StreamStateError,
    TextContent,
    ThinkingContent,
    ToolCall,
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


# What shows when


def test_the_fields_of_a_new_message_are_given_by_name() -> None:
    make: Any = MessageBuilder
    with pytest.raises(TypeError):
        make("api", "provider", "model")


def test_the_first_partial_is_the_empty_message() -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    empty = AssistantMessage("api", "provider", "model", timestamp=1)
    assert builder.partial == builder.start().partial == empty


def test_without_a_timestamp_it_is_now_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    stamp = MessageBuilder(api="api", provider="provider", model="model").partial.timestamp
    assert before <= stamp <= time.time_ns() // 1_000_000


def test_each_block_takes_the_next_content_index_and_blocks_without_events_too() -> None:
    builder = started()
    assert builder.add_block(ImageContent("aGk=", "image/png")) == 0
    assert builder.text_start().content_index == 1
    assert builder.tool_call_start("id", "f").content_index == 2
    assert builder.add_block(UnknownContent({"a": 1})) == 3
    assert builder.thinking_start().content_index == 4
    assert builder.text_delta("t").content_index == 1
    kinds = [type(block) for block in builder.partial.content]
    assert kinds == [ImageContent, TextContent, ToolCall, UnknownContent, ThinkingContent]


def test_changes_without_an_event_show_from_the_next_event_on() -> None:
    builder = started()
    builder.text_start()
    before = builder.text_delta("a")
    builder.update(api="a", provider="p", model="m", raw_stop_reason="end", response_id="r", usage=Usage(1))
    builder.update(timestamp=2)
    builder.update_block(0, text_signature="sig", annotations=[{"url": "u"}])
    builder.add_block(ImageContent("aGk=", "image/png"))
    old = AssistantMessage("api", "provider", "model", (TextContent("a"),), timestamp=1)
    assert builder.partial == before.partial == old
    new = (TextContent("ab", "sig", ({"url": "u"},)), ImageContent("aGk=", "image/png"))
    after = builder.text_delta("b")
    assert after.partial == AssistantMessage("a", "p", "m", new, Usage(1), None, "end", None, "r", 2)
    assert before.partial == old


def test_a_change_before_the_start_shows_from_the_start_on() -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.update(model="other")
    assert builder.partial.model == "model"
    assert builder.start().partial.model == "other"


def test_an_unknown_block_may_grow_until_the_terminal_event() -> None:
    builder = started()
    index = builder.add_block(UnknownContent({"a": 1}))
    builder.text_start()
    before = builder.text_delta("x").partial
    builder.update_block(index, data={"a": 2})
    builder.text_end()
    builder.update_block(index, data={"a": 3})
    assert before.content[0] == UnknownContent({"a": 1})
    assert builder.done(StopReason.STOP).message.content[0] == UnknownContent({"a": 3})


def test_annotations_are_added_one_by_one_or_replaced() -> None:
    builder = started()
    builder.text_start()
    seen: list[Any] = []
    changes: list[Callable[[], None]] = [
        lambda: builder.add_annotation(0, {"n": 1}),
        lambda: builder.add_annotation(0, {"n": [2]}),
        lambda: builder.update_block(0, text_signature="s"),
        lambda: builder.update_block(0, annotations=[{"n": 3}]),
        lambda: builder.add_annotation(0, {"n": 4}),
    ]
    for change in changes:
        change()
        seen.append(builder.text_delta("x").partial)
    numbers = [[annotation["n"] for annotation in message.content[0].annotations] for message in seen]
    assert numbers == [[1], [1, [2]], [1, [2]], [3], [3, 4]]
    assert builder.text_end().partial.content == (TextContent("xxxxx", "s", ({"n": 3}, {"n": 4})),)
    with pytest.raises(StreamStateError, match="add_annotation: expected the index of an open TextContent, found 0"):
        builder.add_annotation(0, {})


def test_the_deltas_of_an_open_block_can_be_asked_for() -> None:
    builder = started()
    builder.text_start()
    builder.text_delta("a")
    builder.tool_call_start()
    builder.tool_call_delta("{")
    builder.text_delta("b", 0)
    assert (builder.streamed(0), builder.streamed(1)) == ("ab", "{")
    builder.text_end()
    with pytest.raises(KeyError):
        builder.streamed(0)


def test_fields_given_at_the_end_are_in_the_block() -> None:
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


def test_fields_may_be_given_before_the_end() -> None:
    builder = started()
    builder.thinking_start()
    builder.update_block(0, thinking_signature="opaque", redacted=True)
    builder.tool_call_start()
    builder.update_block(1, id="id", name="f", thought_signature="th")
    content = builder.tool_call_end().partial.content
    assert content == (ThinkingContent("", "opaque", True), ToolCall("id", "f", {}, "th"))


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


# Terminal events


@pytest.mark.parametrize("reason", [StopReason.STOP, StopReason.LENGTH])
def test_done_agrees_with_its_message(reason: StopReason) -> None:
    done = started().done(reason)
    assert done == Done(reason, AssistantMessage("api", "provider", "model", stop_reason=reason, timestamp=1))


@pytest.mark.parametrize("calls", [False, True])
@pytest.mark.parametrize("reason", [*StopReason, "stop", "toolUse", "nonsense"])
def test_done_is_for_tool_use_if_and_only_if_there_is_a_call_unless_it_is_length(reason: Any, calls: bool) -> None:
    builder: Any = started()
    if calls:
        builder.tool_call_start("id", "f")
        builder.tool_call_end()
    if reason in ("length", "toolUse" if calls else "stop"):
        assert builder.done(reason).reason is StopReason(reason)
    else:
        before = builder.partial
        with pytest.raises(ValueError, match=f"expected|{reason}"):
            builder.done(reason)
        assert builder.partial == before
        assert builder.done(StopReason.LENGTH)


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
    failed = AssistantMessage("api", "provider", "model", (), Usage(), StopReason.ERROR, None, "no connection", None, 1)
    assert builder.error("no connection") == Error(StopReason.ERROR, failed)
    with pytest.raises(StreamStateError, match="start: .*ended"):
        builder.start()


# The grammar

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **{f"{kind}_{what}": () for kind in KINDS for what in ("start", "end")},
    **{f"{kind}_delta": ("x",) for kind in KINDS},
    **{"start": (), "done": (StopReason.LENGTH,), "error": ("failed",)},
    **{"update_model": ("other",), "update_block": (0,), "add_block": (ImageContent("aGk=", "image/png"),)},
}


def allowed(script: list[str], name: str) -> bool:
    """The grammar once more, in other words: may `name` be called after the calls of `script`?"""
    if "done" in script or "error" in script:
        return False
    if "start" not in script:
        return name in ("start", "error", "update_model")
    kind, _, what = name.rpartition("_")
    open_blocks = {k: script.count(f"{k}_start") - script.count(f"{k}_end") for k in KINDS}
    if name == "update_block":  # of block 0: the first one, if it has not ended
        kinds = [call.rpartition("_")[0] for call in script if call.endswith("_start") or call == "add_block"]
        return kinds[:1] != ["add"] and any(open_blocks[k] == kinds.count(k) for k in kinds[:1])
    if kind in KINDS and what in ("delta", "end"):
        return open_blocks[kind] > 0
    if name == "done":
        return not any(open_blocks.values())
    return name != "start"


@pytest.mark.parametrize("first", ARGUMENTS)
def test_calls_out_of_order_are_refused_and_change_nothing(first: str) -> None:
    """For each script of three calls, a twin that gets only the allowed ones stays equal."""
    for rest in itertools.product(ARGUMENTS, repeat=2):
        builder, twin = started(), started()
        script: list[str] = ["start"]
        for name in (first, *rest):
            if allowed(script, name):
                script.append(name)
                assert call(builder, name, *ARGUMENTS[name]) == call(twin, name, *ARGUMENTS[name]), (script, name)
            else:
                with pytest.raises(StreamStateError) as refusal:
                    call(builder, name, *ARGUMENTS[name])
                assert str(refusal.value), (script, name)
            assert builder.partial == twin.partial, (script, name)
        for name in ARGUMENTS:  # and it goes on as its twin does
            if allowed(script, name):
                script.append(name)
                assert call(builder, name, *ARGUMENTS[name]) == call(twin, name, *ARGUMENTS[name]), (script, name)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_nothing_comes_before_the_start(name: str) -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    if not allowed([], name):
        with pytest.raises(StreamStateError, match="not started|open blocks: none"):
            call(builder, name, *ARGUMENTS[name])
    assert builder.start() if name not in ("start", "error") else True


@pytest.mark.parametrize(
    "script, name, args, words",
    [
        ("", "text_start", (), r"text_start: expected start\(\) .*not started"),
        ("", "done", (StopReason.STOP,), r"done: expected start\(\) or error\(\); .*not started"),
        ("", "add_block", ARGUMENTS["add_block"], "add_block: expected .*not started"),
        ("start", "start", (), r"start: expected text_start\(\)"),
        ("start", "text_delta", ("x",), "text_delta: expected an open TextContent; open blocks: none"),
        ("start", "thinking_end", (), "thinking_end: expected an open ThinkingContent"),
        ("start text_start", "tool_call_end", (), "an open ToolCall; open blocks: TextContent at content index 0"),
        ("start text_start", "thinking_delta", ("x", 0), "an open ThinkingContent at content index 0; .*TextContent"),
        ("start text_start", "text_delta", ("x", 7), "an open TextContent at content index 7"),
        ("start text_start text_end", "text_delta", ("x", 0), "an open TextContent at content index 0"),
        ("start text_start", "done", (StopReason.STOP,), r"done: .*text_end\(\).*TextContent at content index 0"),
        ("start text_start thinking_start", "done", (StopReason.STOP,), "index 0, ThinkingContent at content index 1"),
        ("start text_start", "update_block", (7,), "update_block: expected the index of an open .*block, found 7"),
        ("start error", "text_start", (), "text_start: expected no more calls; the stream has ended"),
        ("start done", "error", ("x",), "error: expected no more calls"),
        ("start done", "update_model", ("x",), "update: expected no more calls"),
    ],
)
def test_a_refusal_names_what_was_expected(script: str, name: str, args: tuple[Any, ...], words: str) -> None:
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
        ("text_end", (0, "signature"), {}),  # fields are given by name
        ("thinking_end", (1, "signature"), {}),
        ("tool_call_end", (2, "id"), {}),
        ("error", ("failed", True), {}),
    ],
)
def test_wrong_types_and_unknown_fields_are_refused_and_change_nothing(name: str, args: Any, kwargs: Any) -> None:
    builder, twin = started(), started()
    for kind in KINDS:
        assert call(builder, f"{kind}_start") == call(twin, f"{kind}_start")
    builder.update(model="soon")  # shows from the next event on, which a refusal is not
    twin.update(model="soon")
    with pytest.raises(TypeError):
        call(builder, name, *args, **kwargs)
    assert builder.partial == twin.partial
    for kind in KINDS:
        assert call(builder, f"{kind}_end") == call(twin, f"{kind}_end")
    assert builder.done(StopReason.TOOL_USE) == twin.done(StopReason.TOOL_USE)


@pytest.mark.parametrize(
    "name, args, kwargs, words",
    [
        ("text_delta", (b"x",), {}, "text_delta: expected a delta of type str, found bytes"),
        ("error", (b"x",), {}, "error: expected a message of type str, found bytes"),
        ("update", (), {"modle": "x"}, "update: expected one of .*model.*found the field 'modle'"),
        ("update", (), {"usage": {}}, "update: expected usage of type Usage, found dict"),
        ("update", (), {"timestamp": True}, "update: expected timestamp of type int, found bool"),
        ("update_block", (0,), {"signature": "x"}, "update_block: .*text_signature, found the field 'signature'"),
        ("text_end", (), {"signature": b"x"}, "text_end: expected text_signature of type str or None, found bytes"),
        ("add_block", ({"type": "image"},), {}, "add_block: expected ImageContent or UnknownContent, found dict"),
        ("add_annotation", (0, object()), {}, "not a JSON value"),
    ],
)
def test_a_wrong_type_or_field_is_named(name: str, args: Any, kwargs: Any, words: str) -> None:
    builder = started()
    builder.text_start()
    with pytest.raises(TypeError, match=words):
        call(builder, name, *args, **kwargs)


@pytest.mark.parametrize("aborted, words", [(False, "error"), (True, "aborted")])
def test_an_error_always_has_a_message(aborted: bool, words: str) -> None:
    assert started().error("", aborted=aborted).error.error_message == words
