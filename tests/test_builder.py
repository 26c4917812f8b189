"""The builder: what shows when, endings, and the calls that the grammar refuses."""

import itertools
import time
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


def test_what_a_builder_is_for_is_said_by_name() -> None:
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
    builder.update(api="a", provider="p", model="m", raw_stop_reason="end", response_id="r", usage=Usage(1), timestamp=2)
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


def test_what_is_said_at_the_end_may_be_said_before() -> None:
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


def test_done_takes_the_word_of_a_reason_and_no_other_word() -> None:
    builder = started()
    with pytest.raises(ValueError, match="nonsense"):
        call(builder, "done", "nonsense")
    assert call(builder, "done", "toolUse").reason is StopReason.TOOL_USE


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
        ("start", "text_delta", ("x",), "expected an open TextContent; no block is open"),
        ("start", "thinking_end", (), "expected an open ThinkingContent"),
        ("start text_start", "tool_call_end", (), "expected an open ToolCall; .*TextContent at 0"),
        ("start text_start", "thinking_delta", ("x", 0), "expected an open ThinkingContent at 0.*TextContent at 0"),
        ("start text_start", "text_delta", ("x", 7), "expected an open TextContent at 7"),
        ("start text_start text_end", "text_delta", ("x", 0), "expected an open TextContent at 0"),
        ("start text_start", "done", (StopReason.STOP,), "done: expected the ends of all blocks.*TextContent at 0"),
        ("start text_start thinking_start", "done", (StopReason.STOP,), "TextContent at 0, ThinkingContent at 1"),
        ("start error", "text_start", (), "text_start: .*ended.* expected no more"),
        ("start done", "error", ("x",), "error: .*ended"),
        ("start done", "update_model", ("x",), "update: .*ended"),
        ("start text_start", "update_block", (7,), "update_block: .*open at 7; .*TextContent at 0"),
        ("start", "done", (StopReason.ERROR,), "done: .*expected .*stop.*, not error"),
        ("", "add_block", ARGUMENTS["add_block"], "add_block: .*not started"),
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
        ("text_end", (0, "signature"), {}),  # what is said at the end is said by name
        ("thinking_end", (1, "signature"), {}),
        ("tool_call_end", (2, "id"), {}),
        ("error", ("failed", True), {}),
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


@pytest.mark.parametrize(
    "name, args, kwargs, words",
    [
        ("text_delta", (b"x",), {}, "str, not bytes"),
        ("update", (), {"modle": "x"}, "update: .*'modle'.*expected .*model"),
        ("update_block", (0,), {"signature": "x"}, "update_block: .*'signature'.*expected .*text_signature"),
        ("add_block", ({"type": "image"},), {}, "add_block: expected ImageContent.*not dict"),
    ],
)
def test_a_wrong_type_or_field_is_named(name: str, args: Any, kwargs: Any, words: str) -> None:
    builder = started()
    builder.text_start()
    with pytest.raises(TypeError, match=words):
        call(builder, name, *args, **kwargs)


@pytest.mark.parametrize("aborted, words", [(False, "error"), (True, "aborted")])
def test_an_error_always_says_something(aborted: bool, words: str) -> None:
    assert started().error("", aborted=aborted).error.error_message == words
