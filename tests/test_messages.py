"""What a message and its blocks promise: fields, equality, immutability, and JSON that is frozen inside."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
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
    messages,
)

PLAIN: dict[str, Any] = {"a": [1, 2.5, {"b": None}], "c": {"d": [[], {}, "x"]}, "e": True, "f": "ü"}
CITATION: dict[str, Any] = {"url": "https://a.example", "at": [0, 5]}
DETAILS: dict[str, Any] = {"id": "msg_1", "logprobs": [{"token": "Hello", "top": []}]}

MESSAGE = AssistantMessage(
    "openai-completions",
    "groq",
    "llama",
    (
        ThinkingContent("Hm. ", "sig", False, DETAILS),
        TextContent("Hello, ", "t", (CITATION,), DETAILS),
        ToolCall("call_1", "search", PLAIN, "s", None, DETAILS),
        ImageContent("aGk=", "image/png", DETAILS),
        TextContent("world."),
        ToolCall("call_2", "read", {}, None, "not json"),
        UnknownContent({"type": "server_tool_use", "input": PLAIN}),
        ThinkingContent("", "opaque", True),
        ThinkingContent("Done."),
    ),
    Usage(1, 2, 3, 4, 1, Cost(0.1, 0.2, 0.3, 0.4, 1.0)),
    StopReason.TOOL_USE,
    "tool_calls",
    None,
    "resp_1",
    1_700_000_000_000,
    {"service_tier": "default", "usage": PLAIN},
)
VALUES = [*MESSAGE.content, MESSAGE.usage, MESSAGE.usage.cost, MESSAGE]

FIELDS: dict[type[Any], str] = {
    TextContent: "text text_signature annotations provider_details",
    ThinkingContent: "thinking thinking_signature redacted provider_details",
    ImageContent: "data mime_type provider_details",
    ToolCall: "id name arguments thought_signature invalid_arguments provider_details",
    UnknownContent: "data",
    Cost: "input output cache_read cache_write total",
    Usage: "input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens cost",
    AssistantMessage: "api provider model content usage stop_reason raw_stop_reason error_message response_id"
    " timestamp provider_details",
}

# By field: how to make a value in which that field holds some JSON object.
JSON_FIELDS: dict[str, Callable[[Any], Any]] = {
    "arguments": lambda value: ToolCall("i", "n", value),
    "data": UnknownContent,
    "provider_details of a text": lambda value: TextContent("", provider_details=value),
    "provider_details of thinking": lambda value: ThinkingContent("", provider_details=value),
    "provider_details of an image": lambda value: ImageContent("", "", value),
    "provider_details of a call": lambda value: ToolCall("i", "n", {}, provider_details=value),
    "provider_details of a message": lambda value: AssistantMessage("a", "p", "m", provider_details=value),
}

every_class = pytest.mark.parametrize("cls", FIELDS, ids=lambda cls: cls.__name__)
every_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
every_json_field = pytest.mark.parametrize("field", JSON_FIELDS)


def with_object(field: str, value: Any) -> Any:
    """Return a message or block in which a field holds a JSON object."""
    return JSON_FIELDS[field](value)


def json_object(field: str, value: Any) -> Any:
    """Return a JSON object as it stands in a field."""
    return getattr(with_object(field, value), field.partition(" ")[0])


# Fields


@every_class
def test_the_fields_are_in_the_order_of_the_contract(cls: Any) -> None:
    assert " ".join(field.name for field in dataclasses.fields(cls)) == FIELDS[cls]
    assert " ".join(cls.__match_args__) == FIELDS[cls]


def test_no_dataclass_of_the_module_is_missing_here() -> None:
    defined = {value for name in messages.__all__ if dataclasses.is_dataclass(value := getattr(messages, name))}
    assert defined == {*FIELDS} == {type(value) for value in VALUES}


def test_all_but_the_first_fields_have_defaults() -> None:
    assert TextContent("a") == TextContent("a", None, (), {})
    assert ThinkingContent("a") == ThinkingContent("a", None, False, {})
    assert ImageContent("a", "b") == ImageContent("a", "b", {})
    assert ToolCall("i", "n", {}) == ToolCall("i", "n", {}, None, None, {})
    assert Usage() == Usage(0, 0, 0, 0, 0, None)
    whole = AssistantMessage("a", "p", "m", (), Usage(), None, None, None, None, 0, {})
    assert AssistantMessage("a", "p", "m") == whole


def test_there_are_five_kinds_of_block() -> None:
    kinds = {TextContent, ThinkingContent, ImageContent, ToolCall, UnknownContent}
    assert set(typing.get_args(ContentBlock)) == kinds


@every_class
def test_annotations_can_be_resolved_at_run_time(cls: Any) -> None:
    hints = typing.get_type_hints(cls)
    for name in {"arguments", "data", "provider_details"} & {*FIELDS[cls].split()}:
        assert hints[name] == (str if (cls, name) == (ImageContent, "data") else Mapping[str, Any])


def test_the_role_is_a_constant_and_no_field() -> None:
    assert AssistantMessage.role == MESSAGE.role == "assistant"
    assert "role" not in dataclasses.asdict(MESSAGE)


def test_the_total_is_the_sum_of_the_four_disjoint_counts() -> None:
    assert Usage(1, 20, 300, 4000, reasoning_tokens=7).total_tokens == 4321
    assert Usage().total_tokens == 0
    with pytest.raises(TypeError, match="total_tokens"):
        Usage(total_tokens=1)  # type: ignore[call-arg]  # that is the mistake


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


def test_a_stop_reason_is_its_word() -> None:
    assert [*map(str, StopReason)] == ["stop", "length", "toolUse", "error", "aborted"]
    for reason in StopReason:
        assert StopReason(str(reason)) is reason
        assert f"{reason}" == reason == reason.value


# Immutable values


@every_value
def test_no_field_can_be_assigned_or_deleted(value: Any) -> None:
    before = repr(value)
    for field in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(value, field.name)
    assert repr(value) == before


@every_value
def test_no_attribute_can_be_added(value: Any) -> None:
    assert not hasattr(value, "__dict__")
    with pytest.raises((AttributeError, TypeError)):  # TypeError: a flaw of dataclasses with slots
        value.something_new = 1
    with pytest.raises(AttributeError, match="misspelt"):
        value.misspelt


@every_value
def test_values_are_compared_and_hashed_by_content(value: Any) -> None:
    fields = {field.name: copy.deepcopy(getattr(value, field.name)) for field in dataclasses.fields(value)}
    twin = type(value)(**fields)
    assert twin == value and twin is not value
    assert hash(twin) == hash(value)
    assert len({value, twin}) == 1
    assert value != "something else"


@every_value
def test_every_field_counts_in_a_comparison(value: Any) -> None:
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        other: Any = {"other": 1} if isinstance(old, dict) else ("other",)
        if isinstance(old, tuple):
            other = old[1:] or ({"other": 1},)
        assert dataclasses.replace(value, **{field.name: other}) != value, field.name


@every_value
def test_values_pickle_and_copy(value: Any) -> None:
    pickled = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in [*pickled, copy.copy(value), copy.deepcopy(value), dataclasses.replace(value)]:
        assert other == value and type(other) is type(value)
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)


def test_asdict_goes_all_the_way_down() -> None:
    whole = dataclasses.asdict(MESSAGE)
    assert " ".join(whole) == FIELDS[AssistantMessage]
    assert whole["content"][2]["arguments"] == PLAIN
    assert whole["content"][1]["annotations"] == (CITATION,)
    assert whole["usage"]["cost"]["total"] == 1.0
    assert whole["provider_details"] == {"service_tier": "default", "usage": PLAIN}
    assert AssistantMessage(**{**whole, "content": MESSAGE.content, "usage": MESSAGE.usage}) == MESSAGE


def test_positional_patterns_follow_the_order_of_fields() -> None:
    match MESSAGE.content[2]:
        case ToolCall(id, name, {"a": [first, *_], **rest}, signature, None, {"id": item}):
            assert (id, name, first, signature, item) == ("call_1", "search", 1, "s", "msg_1")
            assert set(rest) == {"c", "e", "f"}
        case _:
            pytest.fail("the pattern did not match")


@every_class
def test_no_class_can_be_subclassed_to_a_type_checker(cls: Any) -> None:
    assert cls.__final__


# Frozen JSON


@every_json_field
def test_a_json_field_equals_the_plain_object_and_is_one(field: str) -> None:
    value = json_object(field, PLAIN)
    assert value == PLAIN and PLAIN == value and repr(value) == repr(PLAIN)
    assert isinstance(value, dict) and isinstance(value["a"], list) and isinstance(value["a"][2], dict)
    assert json.dumps(value, indent=1) == json.dumps(PLAIN, indent=1)
    assert {**value, "more": 1} == {**PLAIN, "more": 1}


@every_json_field
def test_a_json_field_cannot_be_changed_at_any_depth(field: str) -> None:
    whole = with_object(field, PLAIN)
    value = json_object(field, PLAIN)
    with pytest.raises(TypeError, match=r"JSON object.* change a copy: dict\("):
        value["a"] = 1
    with pytest.raises(TypeError, match=r"JSON object.* change a copy: dict\("):
        value["c"].update(d=1)
    with pytest.raises(TypeError, match=r"JSON array.* change a copy: list\("):
        value["a"].append(1)
    with pytest.raises(TypeError, match=r"JSON object.* change a copy: dict\("):
        del value["a"][2]["b"]
    assert value == PLAIN and whole == with_object(field, PLAIN)


@every_json_field
def test_what_goes_into_a_json_field_is_copied(field: str) -> None:
    inner: list[Any] = [1]
    outer: dict[str, Any] = {"inner": inner}
    whole = with_object(field, outer)
    inner.append(2)
    outer["more"] = 3
    assert whole == with_object(field, {"inner": [1]})


@every_json_field
def test_a_json_field_takes_any_mapping_and_tuples_for_arrays(field: str) -> None:
    assert json_object(field, MappingProxyType({"a": (1, (2,))})) == {"a": [1, [2]]}


@every_json_field
@pytest.mark.parametrize("value", [[], [("a", 1)], "ab", None, 5], ids=repr)
def test_what_is_no_object_is_a_type_error_that_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{field.split()[0]}: .*JSON object, found {type(value).__name__}"):
        with_object(field, value)


@every_json_field
@pytest.mark.parametrize("value", [{1, 2}, b"bytes", 1j, object()], ids=lambda value: type(value).__name__)
def test_what_json_does_not_have_is_a_type_error(field: str, value: Any) -> None:
    with pytest.raises(TypeError, match="not a JSON value: (set|bytes|complex|object)"):
        with_object(field, {"deep": [value]})
    with pytest.raises(TypeError, match="keys are str, not int: 1"):
        with_object(field, {"deep": [{1: 2}]})


def test_annotations_are_frozen_too() -> None:
    citation: dict[str, Any] = {"at": [0]}
    text: Any = TextContent("a", None, (citation,))
    citation["at"].append(1)
    assert text.annotations == ({"at": [0]},)
    with pytest.raises(TypeError, match="JSON array"):
        text.annotations[0]["at"].append(1)
    with pytest.raises(TypeError, match="not a JSON value: set"):
        TextContent("a", None, ({1},))  # type: ignore[arg-type]  # that is the mistake


def test_equal_objects_have_equal_hashes_whatever_their_order() -> None:
    backwards = dict(reversed(PLAIN.items()))
    assert ToolCall("i", "n", PLAIN) == ToolCall("i", "n", backwards)
    assert hash(ToolCall("i", "n", PLAIN)) == hash(ToolCall("i", "n", backwards))
    assert hash(UnknownContent({"a": 1})) != hash(UnknownContent({"a": 2}))
