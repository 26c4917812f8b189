"""Tool calls: their ids, and their arguments as they come and when they are complete."""

from __future__ import annotations

import json
import sys
from random import Random
from typing import Any

import pytest

from provider_events import MessageBuilder, StopReason, ToolCall, ToolCallDelta, ToolCallStart
from provider_events._json import MAX_NESTING
from provider_events._partial_json import PartialObject


def started() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    return builder


# Ids and names


def test_id_and_name_are_empty_until_the_provider_has_sent_them() -> None:
    builder = started()
    start = builder.tool_call_start(None, "f")
    assert start == ToolCallStart(0, None, "f", start.partial)
    assert start.partial.tool_calls == (ToolCall("", "f", {}),)
    builder.update_block(0, id="late")
    assert builder.tool_call_delta("{}").partial.tool_calls == (ToolCall("late", "f", {}),)
    assert builder.tool_call_end().tool_call == ToolCall("late", "f", {})


def test_a_start_has_id_and_name_as_they_were_given() -> None:
    start = started().tool_call_start("call_1", "f")
    assert start == ToolCallStart(0, "call_1", "f", start.partial)
    assert start.partial.tool_calls == (ToolCall("call_1", "f", {}),)


@pytest.mark.parametrize("response_id", [None, "resp_1"])
def test_a_call_without_an_id_gets_a_unique_one_the_same_each_time(response_id: str | None) -> None:
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


@pytest.mark.parametrize("given_at", ["start", "update_block"])
def test_a_generated_id_is_not_one_that_another_call_of_the_message_has(given_at: str) -> None:
    builder = started()
    builder.tool_call_start(None, "f")
    generated = builder.tool_call_end().tool_call.id
    builder = started()
    builder.tool_call_start(None, "f")
    builder.tool_call_start(generated if given_at == "start" else None, "g")
    if given_at == "update_block":
        builder.update_block(1, id=generated)
    calls = builder.tool_call_end(0).partial.tool_calls
    assert calls[0].id != calls[1].id == generated


def test_an_id_that_another_call_has_is_refused_and_changes_nothing() -> None:
    builder = started()
    builder.tool_call_start("taken", "f")
    builder.tool_call_start("own", "g")
    before = builder.partial
    for call in (
        lambda: builder.tool_call_start("taken", "h"),
        lambda: builder.update_block(1, id="taken"),
        lambda: builder.tool_call_end(1, tool_call_id="taken"),
    ):
        with pytest.raises(ValueError, match="unique in the message, found 'taken'"):
            call()
        assert builder.partial == before
    builder.update_block(0, id="other")
    builder.update_block(1, id="taken")  # it is free again
    assert builder.has_call_id("taken") and not builder.has_call_id("own")
    assert [call.id for call in builder.tool_call_delta("{}").partial.tool_calls] == ["other", "taken"]


def test_an_id_given_at_the_end_of_a_call_replaces_its_first_one() -> None:
    builder = started()
    builder.tool_call_start("first", "f")
    builder.tool_call_end(tool_call_id="last")
    with pytest.raises(ValueError, match="unique in the message, found 'last'"):
        builder.tool_call_start("last", "g")
    assert builder.has_call_id("last") and not builder.has_call_id("first")
    builder.tool_call_start("first", "g")
    builder.tool_call_end()
    assert [call.id for call in builder.done(StopReason.TOOL_USE).message.tool_calls] == ["last", "first"]


def test_a_generated_id_is_in_the_message_from_the_end_of_its_call_on() -> None:
    builder = started()
    builder.tool_call_start(None, "f")
    assert builder.tool_call_delta("{}").partial.tool_calls[0].id == ""
    end = builder.tool_call_end()
    assert end.tool_call.id
    assert end.partial.content == builder.done(StopReason.TOOL_USE).message.content == (end.tool_call,)


def test_a_generated_id_is_not_one_that_was_generated_before() -> None:
    def ids(first: str | None) -> list[str]:
        builder = started()
        for given in (first, None, None):
            builder.tool_call_start(given, "f")
            builder.tool_call_end()
        return [tool_call.id for tool_call in builder.partial.tool_calls]

    taken = ids(None)[1]
    assert len(set(ids(taken))) == 3


def test_generated_ids_differ_between_messages_and_have_at_most_40_characters() -> None:
    generated = []
    for last in "12":
        builder = started()
        builder.update(response_id="resp_" + "0" * 100 + last)
        builder.tool_call_start(None, "f")
        generated.append(builder.tool_call_end().tool_call.id)
    assert generated[0] != generated[1]
    assert max(map(len, generated)) <= 40


# Complete arguments


def test_no_arguments_at_all_are_an_empty_object() -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    assert builder.tool_call_end().tool_call == ToolCall("id", "f", {}, None, None)


def arguments_at_end(text: str) -> ToolCall:
    builder = started()
    builder.tool_call_start("id", "f")
    for at in range(0, len(text), 1000):
        builder.tool_call_delta(text[at : at + 1000])
    end = builder.tool_call_end()
    assert end.partial.content == (end.tool_call,)
    return end.tool_call


@pytest.mark.parametrize(
    "text",
    [
        *(
            "not JSON",
            "[]",
            '[{"a": 1}]',
            '"a"',
            "12",
            "null",
            " ",
            "{",
            '{"a": 1',
            '{"a": 1,}',
            '{"a": 1} x',
            "{'a': 1}",
        ),
        *(
            '{"a": 1}{"b": 2}',
            '{"a": NaN}',
            '{"a": [Infinity]}',
            '{"a": -Infinity}',
            "\ufeff{}",
            "\xa0{}",
            '{"a": "\n"}',
        ),
        pytest.param('{"a": 1e999}', id="float too large"),
        pytest.param('{"a": ' + "9" * 5_000 + "}", id="int too large"),
        pytest.param('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", id="arrays too deep"),
        pytest.param('{"a": ' * 100_000 + "1" + "}" * 100_000, id="objects too deep"),
        pytest.param('{"a": ' + "[" * MAX_NESTING + "]" * MAX_NESTING + "}", id="one level too deep"),
    ],
)
def test_text_that_is_no_json_object_is_kept_verbatim(text: str) -> None:
    assert arguments_at_end(text) == ToolCall("id", "f", {}, None, text)


@pytest.mark.parametrize(
    "text", ["{}", ' {"a" : [1, {"b": null}]}\r\n\t', '{"a": "\\ud83d\\ude00\\/"}', '{"a": 1, "a": 2}']
)
def test_text_that_is_a_json_object_is_that_object(text: str) -> None:
    assert arguments_at_end(text) == ToolCall("id", "f", json.loads(text), None, None)


def test_arguments_may_nest_up_to_the_limit() -> None:
    text = '{"a": ' + "[" * (MAX_NESTING - 1) + "]" * (MAX_NESTING - 1) + "}"
    assert arguments_at_end(text) == ToolCall("id", "f", json.loads(text))


@pytest.mark.parametrize("levels", [MAX_NESTING - 1, MAX_NESTING])
def test_the_depth_of_the_stack_decides_nothing(levels: int) -> None:
    text = '{"a": ' + "[" * levels + "]" * levels + "}"

    def partial_from(frames: int) -> Any:
        if frames:
            return partial_from(frames - 1)
        builder = started()
        builder.tool_call_start("id", "f")
        return builder.tool_call_delta(text[:-1]).partial.tool_calls[0].arguments

    used, frame = 0, sys._getframe()
    while frame.f_back:
        used, frame = used + 1, frame.f_back
    room = sys.getrecursionlimit() - used
    assert repr(partial_from(0)) == repr(partial_from(room - 50))


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
            return "".join(
                random.choices(
                    ["a", "é", "😀", '"', "\\", "\\ud83d", "/", "\n", "\x00", " ", "{", "]", ","], k=random.randrange(5)
                )
            )
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
    partials = partial_arguments(text)
    for length, partial in enumerate(partials, 1):
        where = (seed, text[:length], partial)
        assert begins(partial, final), where
        assert all(value_at[key] < length for key in partial), where
        assert all(partial[key] == final[key] for key in final if end_at[key] <= length), where
    assert partials[-1] == final, seed


@pytest.mark.parametrize("seed", range(50))
def test_partial_arguments_are_those_of_the_text_so_far_in_whatever_order_snapshots_are_read(seed: int) -> None:
    random = Random(seed)
    text = json.dumps({"a": random_json(random, 3), "b": [random_json(random, 2)]}, ensure_ascii=random.random() < 0.5)
    builder = started()
    builder.tool_call_start("id", "f")
    kept, end = [], 0
    while end < len(text):
        start, end = end, end + random.randrange(1, 9)
        kept.append((builder.tool_call_delta(text[start:end]).partial, text[:end]))
        builder.update_block(0, name=str(end))
        if random.random() < 0.3:
            message, read = random.choice(kept)
            assert message.tool_calls[0].arguments == arguments_of(read), seed
    for message, read in random.sample(kept, len(kept)):
        assert repr(message.tool_calls[0].arguments) == repr(arguments_of(read)), seed


def arguments_of(text: str) -> Any:
    reader = PartialObject()
    reader.feed(text)
    return reader.value()


def test_at_an_error_a_call_keeps_what_could_be_read() -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    builder.tool_call_delta('{"a": "b", "c": [1, "x')
    assert builder.error("cut off").error.tool_calls == (ToolCall("id", "f", {"a": "b", "c": [1, "x"]}),)


@pytest.mark.parametrize("seed", range(200))
def test_no_text_makes_reading_arguments_fail(seed: int) -> None:
    random = Random(seed)
    text = list('{"a": [1, "x\\u00e9\\ud83d"], "b": {"c": -1.5e3, "d": null}}')
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(text)) if random.random() < 0.7 else 0
        text[at : at + random.randrange(2)] = random.choice(
            '{}[]:,"\\u09-.eEtfn \x00\n\xa0\x0b\u2003\ufeff\ud800\udc00😀'
        )
    for partial in partial_arguments("".join(text)):
        assert isinstance(partial, dict), (seed, text)


@pytest.mark.parametrize(
    "text", ['{"a": ' + "9" * 5_000, '{"a": ' + "[" * 100_000, '{"a": ' * 100_000], ids=["int", "arrays", "objects"]
)
def test_too_large_and_too_deep_arguments_do_not_make_reading_fail(text: str) -> None:
    builder = started()
    builder.tool_call_start("id", "f")
    assert isinstance(builder.tool_call_delta(text).partial.tool_calls[0].arguments, dict)
