"""What the message and its blocks promise: immutable values, comparable, picklable, JSON frozen inside."""

import copy
import dataclasses
import json
import pickle
import re
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from provider_events import (
    AssistantMessage,
    ContentBlock,
    Cost,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.messages import block_at, outline

PLAIN = {"a": [1, 2.5, {"b": None}], "c": {"d": [[], {}, "x"]}, "e": True, "f": "ü"}

MESSAGE = AssistantMessage(
    "openai-completions",
    "groq",
    "llama",
    (
        ThinkingContent("Hm. ", "sig"),
        TextContent("Hello, ", "t", ({"url": "https://a.example", "at": [0, 5]},)),
        ToolCall("call_1", "search", PLAIN, "s"),
        ImageContent("aGk=", "image/png"),
        TextContent("world."),
        ToolCall("call_2", "read", {}, None, "not json"),
        UnknownContent({"type": "server_tool_use", "input": PLAIN}),
        ThinkingContent("", "opaque", True),
        ThinkingContent("Done."),
    ),
    Usage(1, 2, 3, 4, 10, 1, Cost(0.1, 0.2, 0.3, 0.4, 1.0)),
    StopReason.TOOL_USE,
    "tool_calls",
    None,
    "resp_1",
    1_700_000_000_000,
)

VALUES = [*MESSAGE.content, MESSAGE.usage, MESSAGE.usage.cost, MESSAGE]

FIELDS = {
    TextContent: "text text_signature annotations",
    ThinkingContent: "thinking thinking_signature redacted",
    ImageContent: "data mime_type",
    ToolCall: "id name arguments thought_signature invalid_arguments",
    UnknownContent: "data",
    Cost: "input output cache_read cache_write total",
    Usage: "input_tokens output_tokens cache_read_tokens cache_write_tokens total_tokens reasoning_tokens cost",
    AssistantMessage: "api provider model content usage stop_reason raw_stop_reason error_message response_id timestamp",
}


def frozen(value: Any) -> Any:
    """The JSON value as it stands in a message."""
    return UnknownContent({"value": value}).data["value"]


# Fields


@pytest.mark.parametrize("cls", FIELDS, ids=lambda cls: cls.__name__)
def test_field_order_is_the_contract(cls: Any) -> None:
    assert " ".join(field.name for field in dataclasses.fields(cls)) == FIELDS[cls]
    assert " ".join(cls.__match_args__) == FIELDS[cls]


def test_defaults() -> None:
    assert TextContent("a") == TextContent("a", None, ())
    assert ThinkingContent("a") == ThinkingContent("a", None, False)
    assert ToolCall("i", "n", {}) == ToolCall("i", "n", {}, None, None)
    assert Usage() == Usage(0, 0, 0, 0, 0, 0, None)
    assert AssistantMessage("a", "p", "m") == AssistantMessage("a", "p", "m", (), Usage(), None, None, None, None, 0)


def test_there_are_five_kinds_of_block() -> None:
    kinds = {TextContent, ThinkingContent, ImageContent, ToolCall, UnknownContent}
    assert set(typing.get_args(ContentBlock)) == kinds


def test_annotations_can_be_resolved_at_run_time() -> None:
    assert typing.get_type_hints(UnknownContent) == {"data": Mapping[str, Any]}
    assert typing.get_type_hints(AssistantMessage)["content"] == tuple[ContentBlock, ...]


def test_role_is_a_constant_and_no_field() -> None:
    assert AssistantMessage.role == MESSAGE.role == "assistant"
    assert "role" not in dataclasses.asdict(MESSAGE)


def test_text_thinking_and_tool_calls_are_read_off_the_content() -> None:
    assert MESSAGE.text == "Hello, world."
    assert MESSAGE.thinking == "Hm. Done."
    assert MESSAGE.tool_calls == (MESSAGE.content[2], MESSAGE.content[5])
    empty = AssistantMessage("a", "p", "m")
    assert (empty.text, empty.thinking, empty.tool_calls) == ("", "", ())


def test_sequences_become_tuples() -> None:
    blocks: Any = [TextContent("a")]
    message = AssistantMessage("a", "p", "m", blocks)
    blocks.append(TextContent("b"))
    assert message.content == (TextContent("a"),)
    annotations: Any = [{"n": 1}]
    assert TextContent("a", None, annotations).annotations == ({"n": 1},)


@pytest.mark.parametrize(
    "reason, word",
    [
        (StopReason.STOP, "stop"),
        (StopReason.LENGTH, "length"),
        (StopReason.TOOL_USE, "toolUse"),
        (StopReason.ERROR, "error"),
        (StopReason.ABORTED, "aborted"),
    ],
)
def test_str_of_a_stop_reason_is_its_word(reason: StopReason, word: str) -> None:
    assert str(reason) == reason == f"{reason}" == word
    assert StopReason(word) is reason
    assert len(StopReason) == 5


# Immutable values


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_field_can_be_assigned_or_deleted(value: Any) -> None:
    before = repr(value)
    for field in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(value, field.name)
    assert repr(value) == before


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_have_slots_and_nothing_can_be_added(value: Any) -> None:
    assert not hasattr(value, "__dict__")
    with pytest.raises((AttributeError, TypeError)):  # TypeError: dataclasses' own flaw with slots
        value.something_new = 1
    with pytest.raises(AttributeError, match="misspelt"):
        value.misspelt


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_compared_and_hashed_by_content(value: Any) -> None:
    names = [field.name for field in dataclasses.fields(value)]
    twin = type(value)(*[copy.deepcopy(getattr(value, name)) for name in names])
    assert twin == value and twin is not value
    assert hash(twin) == hash(value)
    assert value != "something else"
    assert len({value, twin}) == 1


def test_asdict_goes_all_the_way_down() -> None:
    whole = dataclasses.asdict(MESSAGE)
    assert whole["content"][2]["arguments"] == PLAIN
    assert whole["content"][1]["annotations"] == ({"url": "https://a.example", "at": [0, 5]},)
    assert whole["usage"]["cost"]["total"] == 1.0
    assert AssistantMessage(**{**whole, "content": MESSAGE.content, "usage": MESSAGE.usage}) == MESSAGE


def test_positional_patterns_follow_the_field_order() -> None:
    match MESSAGE.content[2]:
        case ToolCall(id, name, {"a": [first, *_], **rest}, signature, None):
            assert (id, name, first, signature) == ("call_1", "search", 1, "s")
            assert set(rest) == {"c", "e", "f"}
        case _:
            pytest.fail("the pattern did not match")


# Frozen JSON


def test_frozen_json_equals_the_plain_json_it_came_from() -> None:
    assert frozen(PLAIN) == PLAIN and PLAIN == frozen(PLAIN)
    assert frozen(PLAIN) != {**PLAIN, "e": False}
    assert frozen([1, [2]]) == [1, [2]]
    assert ToolCall("i", "n", PLAIN).arguments == PLAIN
    assert TextContent("", None, (PLAIN,)).annotations == (PLAIN,)


def test_frozen_json_is_dict_and_list_and_dumps_as_such() -> None:
    value = frozen(PLAIN)
    assert isinstance(value, dict) and isinstance(value["a"], list) and isinstance(value["a"][2], dict)
    assert json.dumps(value) == json.dumps(PLAIN)
    assert json.dumps(value, indent=1, sort_keys=True) == json.dumps(PLAIN, indent=1, sort_keys=True)
    assert repr(value) == repr(PLAIN)
    assert list(value) == list(PLAIN)


def test_frozen_json_fits_mapping_and_sequence_patterns() -> None:
    match frozen(PLAIN):
        case {"a": [1, float(half), {"b": None}], "c": {"d": [[], {}, str(last)]}}:
            assert (half, last) == (2.5, "x")
        case _:
            pytest.fail("the pattern did not match")


def test_equal_frozen_json_has_equal_hashes() -> None:
    backwards = dict(reversed(PLAIN.items()))
    assert frozen(PLAIN) == frozen(backwards)
    assert hash(frozen(PLAIN)) == hash(frozen(backwards))
    assert hash(frozen([1, {"a": [2]}])) == hash(frozen([1.0, {"a": [2.0]}]))
    assert hash(frozen([1, 2])) != hash(frozen([2, 1]))
    assert hash(frozen({"a": 1})) != hash(frozen({"a": 2}))


@pytest.mark.parametrize("value", [frozen(PLAIN), frozen([PLAIN, [1]])], ids=["object", "array"])
def test_frozen_json_stays_frozen_through_pickle_and_copy(value: Any) -> None:
    others = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in [*others, copy.copy(value), copy.deepcopy(value)]:
        assert other == value
        assert type(other) is type(value)
        assert hash(other) == hash(value)


OBJECT_CHANGES: dict[str, Callable[[Any], object]] = {
    "setitem": lambda x: x.__setitem__("a", 1),
    "delitem": lambda x: x.__delitem__("a"),
    "ior": lambda x: x.__ior__({"a": 1}),
    "clear": lambda x: x.clear(),
    "pop": lambda x: x.pop("a"),
    "pop default": lambda x: x.pop("zz", None),
    "popitem": lambda x: x.popitem(),
    "setdefault": lambda x: x.setdefault("zz", 1),
    "update": lambda x: x.update({"a": 1}),
    "update keywords": lambda x: x.update(a=1),
}

ARRAY_CHANGES: dict[str, Callable[[Any], object]] = {
    "setitem": lambda x: x.__setitem__(0, 1),
    "set slice": lambda x: x.__setitem__(slice(0, 1), []),
    "delitem": lambda x: x.__delitem__(0),
    "iadd": lambda x: x.__iadd__([1]),
    "imul": lambda x: x.__imul__(2),
    "append": lambda x: x.append(1),
    "clear": lambda x: x.clear(),
    "extend": lambda x: x.extend([1]),
    "insert": lambda x: x.insert(0, 1),
    "pop": lambda x: x.pop(),
    "remove": lambda x: x.remove(3),
    "reverse": lambda x: x.reverse(),
    "sort": lambda x: x.sort(),
}


@pytest.mark.parametrize("change", OBJECT_CHANGES)
def test_an_object_refuses_every_change(change: str) -> None:
    value = frozen({"outer": {"a": 3, "b": [1]}})["outer"]
    with pytest.raises(TypeError, match=r"JSON object.* copy: dict\("):
        OBJECT_CHANGES[change](value)
    assert value == {"a": 3, "b": [1]}


@pytest.mark.parametrize("change", ARRAY_CHANGES)
def test_an_array_refuses_every_change(change: str) -> None:
    value = frozen([[3, 1, 2]])[0]
    with pytest.raises(TypeError, match=r"JSON array.* copy: list\("):
        ARRAY_CHANGES[change](value)
    assert value == [3, 1, 2]


@pytest.mark.parametrize("value", [frozen({}), frozen([])], ids=["object", "array"])
def test_no_attribute_can_be_added_to_frozen_json(value: Any) -> None:
    with pytest.raises(AttributeError):
        value.something_new = 1


def test_calling_init_again_changes_nothing() -> None:
    value = frozen({"a": [1]})
    value.__init__({"b": 2})
    value["a"].__init__([2])
    assert value == {"a": [1]}


def test_no_method_that_changes_a_dict_or_list_was_forgotten() -> None:
    """Of all that dict and list can do, what is not overridden is known not to change them."""
    harmless = {*dir(object), *"__class_getitem__ __contains__ __getitem__ __iter__ __len__ __reversed__".split()}
    harmless |= set("__add__ __mul__ __rmul__ __or__ __ror__ copy count fromkeys get index items keys values".split())
    for value in (frozen({}), frozen([])):
        kind = type(value)
        left = {name for name in dir(kind.__base__) if getattr(kind, name) is getattr(kind.__base__, name, None)}
        assert left - harmless == set()


def test_results_of_harmless_methods_are_plain_and_free() -> None:
    value = frozen({"a": [1]})
    assert {**value, "b": 2} == value | {"b": 2} == {"a": [1], "b": 2}
    change_me = value.copy()
    change_me["b"] = 2
    assert value == {"a": [1]}
    assert [*value["a"], 2] == value["a"] + [2] == [1, 2]


def test_input_is_copied_all_the_way_down() -> None:
    inner: list[Any] = [1]
    outer: dict[str, Any] = {"inner": inner}
    call, unknown, text = ToolCall("i", "n", outer), UnknownContent(outer), TextContent("", None, (outer,))
    inner.append(2)
    outer["more"] = 3
    assert call.arguments == unknown.data == text.annotations[0] == {"inner": [1]}


def test_tuples_are_arrays_and_other_mappings_are_objects() -> None:
    assert frozen((1, (2,))) == [1, [2]]
    assert frozen(MappingProxyType({"a": ()})) == {"a": []}


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", 1j, object(), range(3), {"deep": [{1}]}])
def test_what_json_does_not_have_is_refused_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match="not a JSON value: (set|bytes|complex|object|range)"):
        UnknownContent({"value": value})
    with pytest.raises(TypeError, match="not a JSON value"):
        ToolCall("i", "n", {"value": value})
    with pytest.raises(TypeError, match="not a JSON value"):
        TextContent("", None, (value,))


@pytest.mark.parametrize("key", [1, None, b"a", (1,)], ids=repr)
def test_object_keys_must_be_text(key: Any) -> None:
    with pytest.raises(TypeError, match=rf"keys are str, not {type(key).__name__}: {re.escape(repr(key))}"):
        ToolCall("i", "n", {"deep": [{key: 1}]})


@pytest.mark.parametrize("value", [[], [("a", 1)], "ab", None, 5], ids=repr)
def test_arguments_that_are_no_object_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=f"^arguments: .*JSON object, found {type(value).__name__}"):
        ToolCall("i", "n", value)
    with pytest.raises(TypeError, match=f"^data: .*JSON object, found {type(value).__name__}"):
        UnknownContent(value)


def test_an_outline_has_nothing_in_it_that_streams() -> None:
    call = ToolCall("i", "f", {"a": 1}, "sig", None)
    picture = ImageContent("aGk=", "image/png")
    message = AssistantMessage("a", "p", "m", (TextContent("Hi", "sig"), call, picture))
    assert outline(message) == AssistantMessage("a", "p", "m")
    outlines = (TextContent("", "sig"), ToolCall("i", "f", {}, "sig"), picture, None)
    assert tuple(outline(block_at(message, place)) for place in range(4)) == outlines
