"""Frozen JSON, and strict parsing of JSON text."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections.abc import Callable
from random import Random
from types import MappingProxyType
from typing import Any

import pytest

from provider_events._json import (
    EMPTY_OBJECT,
    MAX_NESTING,
    FrozenDict,
    FrozenList,
    freeze,
    freeze_object,
    parse_json,
    parse_object,
)

PLAIN: dict[str, Any] = {"a": [1, 2.5, True, None, "x", [], {}], "b": {"c": [{"d": "e"}]}}


def nested(levels: int) -> Any:
    """Arrays and objects in each other, `levels` deep."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def from_depth(frames: int, work: Callable[[], object]) -> object:
    return from_depth(frames - 1, work) if frames else work()


# Frozen values


def test_frozen_json_equals_the_plain_values_it_was_made_from() -> None:
    frozen = freeze(PLAIN)
    assert frozen == PLAIN and json.dumps(frozen) == json.dumps(PLAIN) and repr(frozen) == repr(PLAIN)
    assert isinstance(frozen, dict) and isinstance(frozen["a"], list)
    match frozen:
        case {"a": [1, *_], "b": {"c": [{"d": found}]}}:
            assert found == "e"
        case _:
            raise AssertionError


def test_frozen_json_is_hashable_by_content_whatever_the_order_of_keys() -> None:
    assert hash(freeze(PLAIN)) == hash(freeze(dict(reversed(PLAIN.items()))))
    assert len({freeze(PLAIN), freeze(PLAIN), freeze({"a": 1})}) == 2


def test_frozen_json_is_its_own_copy_and_pickles() -> None:
    frozen = freeze(PLAIN)
    assert copy.copy(frozen) is copy.deepcopy(frozen) is freeze(frozen) is freeze_object("data", frozen) is frozen
    again = pickle.loads(pickle.dumps(frozen))
    assert again == frozen and type(again) is FrozenDict and type(again["a"]) is FrozenList


def test_what_is_frozen_is_a_copy_all_the_way_down() -> None:
    plain = copy.deepcopy(PLAIN)
    frozen = freeze(plain)
    plain["b"]["c"][0]["d"] = "changed"
    plain["a"].append(1)
    assert frozen == PLAIN


CHANGES: list[Callable[[Any], object]] = [
    lambda value: value["a"].append(1),
    lambda value: value["a"].__setitem__(0, 1),
    lambda value: value["a"].__delitem__(0),
    lambda value: value["a"].__iadd__([1]),
    lambda value: value["a"].__imul__(2),
    lambda value: value["a"].clear(),
    lambda value: value["a"].extend([1]),
    lambda value: value["a"].insert(0, 1),
    lambda value: value["a"].pop(),
    lambda value: value["a"].remove(1),
    lambda value: value["a"].reverse(),
    lambda value: value["a"].sort(),
    lambda value: value["a"].__init__([1]),
    lambda value: value.__setitem__("a", 1),
    lambda value: value.__delitem__("a"),
    lambda value: value.__ior__({"a": 1}),
    lambda value: value.clear(),
    lambda value: value.pop("a"),
    lambda value: value.popitem(),
    lambda value: value.setdefault("z", 1),
    lambda value: value.update(z=1),
    lambda value: value.__init__({"z": 1}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_no_method_changes_frozen_json(change: Callable[[Any], object]) -> None:
    frozen = freeze(PLAIN)
    try:
        change(frozen)
    except TypeError as error:
        assert "cannot be changed" in str(error)
    assert frozen == PLAIN


def test_every_method_that_changes_a_dict_or_a_list_is_closed() -> None:
    for frozen, plain in ((FrozenDict, dict), (FrozenList, list)):
        changing = {"__setitem__", "__delitem__", "__ior__", "__iadd__", "__imul__", "__init__"}
        changing |= set(vars(plain)) & {"append", "clear", "extend", "insert", "pop", "popitem", "remove"}
        changing |= set(vars(plain)) & {"reverse", "setdefault", "sort", "update"}
        for name in changing & set(vars(plain)):
            assert getattr(frozen, name) is not getattr(plain, name), name


def test_tuples_are_arrays_and_mappings_objects() -> None:
    frozen = freeze({"a": (1, (2,)), "b": MappingProxyType({"c": ()})})
    assert frozen == {"a": [1, [2]], "b": {"c": []}}
    assert type(frozen["a"][1]) is FrozenList and type(frozen["b"]) is FrozenDict


@pytest.mark.parametrize("value", [{1}, b"", object(), [{"a": b""}], {1: 2}, {"a": {None: 1}}])
def test_what_is_not_json_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="JSON"):
        freeze(value)


@pytest.mark.parametrize("value", [None, 1, "a", [], [["a", 1]]])
def test_what_is_not_an_object_is_a_type_error_that_names_the_field(value: object) -> None:
    with pytest.raises(TypeError, match="data: expected a JSON object, found"):
        freeze_object("data", value)


def test_the_empty_object() -> None:
    assert EMPTY_OBJECT == {} == freeze({}) and type(EMPTY_OBJECT) is FrozenDict


# Nesting


def test_values_nest_up_to_the_limit() -> None:
    deepest = nested(MAX_NESTING)
    assert freeze(deepest) == deepest and FrozenList([nested(MAX_NESTING - 1)]) == [nested(MAX_NESTING - 1)]
    assert pickle.loads(pickle.dumps(freeze(deepest))) == copy.deepcopy(freeze(deepest)) == deepest
    assert hash(freeze(deepest)) == hash(freeze(nested(MAX_NESTING)))


def test_deeper_values_are_a_value_error() -> None:
    deeper: list[Callable[[], object]] = [
        lambda: freeze(nested(MAX_NESTING + 1)),
        lambda: freeze(nested(500)),
        lambda: FrozenDict({"a": nested(MAX_NESTING)}),
        lambda: FrozenList([nested(MAX_NESTING)]),
        lambda: freeze_object("data", {"a": [nested(MAX_NESTING)]}),
    ]
    for work in deeper:
        with pytest.raises(ValueError, match=f"deeper than {MAX_NESTING}"):
            work()


def test_frozen_values_in_new_ones_count() -> None:
    frozen = freeze(nested(MAX_NESTING - 1))
    assert freeze([frozen]) == [frozen]
    with pytest.raises(ValueError, match="deeper"):
        freeze([[frozen]])
    value = freeze([])
    with pytest.raises(ValueError, match="deeper"):
        for _ in range(MAX_NESTING):
            value = FrozenList([1, value])
    assert str(value).count("[") == MAX_NESTING


def test_freezing_needs_no_stack_for_nesting() -> None:
    used, frame = 0, sys._getframe()
    while frame.f_back:
        used, frame = used + 1, frame.f_back
    deepest = nested(MAX_NESTING)
    frames = sys.getrecursionlimit() - used - 40
    assert repr(from_depth(frames, lambda: freeze(deepest))) == repr(deepest)
    with pytest.raises(ValueError, match="deeper"):
        from_depth(frames, lambda: freeze([freeze(deepest)]))


def test_a_value_that_contains_itself_is_a_value_error() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="deeper"):
        freeze(circle)


@pytest.mark.parametrize("opening, closing", ["[]", ('{"a":', "}")])
def test_text_nests_up_to_the_limit(opening: str, closing: str) -> None:
    def text(levels: int) -> str:
        return f'{{"k":{opening * levels}1{closing * levels}, "s": "{"[{" * 200}"}}'

    value = parse_json(text(MAX_NESTING - 1))
    assert json.dumps(value).count(opening[0]) - 200 == MAX_NESTING - (opening == "[")
    assert parse_object(text(MAX_NESTING - 1)) == value
    for levels in (MAX_NESTING, 100_000):
        assert parse_object(text(levels)) is None
        assert parse_object(text(levels)[: levels * len(opening)]) is None
        with pytest.raises(ValueError, match=f"deeper than {MAX_NESTING}"):
            parse_json(text(levels))
    assert parse_json(text(MAX_NESTING + 4), max_nesting=MAX_NESTING + 5)
    with pytest.raises(ValueError, match=f"deeper than {MAX_NESTING + 4}"):
        parse_json(text(MAX_NESTING + 4), max_nesting=MAX_NESTING + 4)


def test_many_brackets_are_not_deep() -> None:
    flat = '{"a": [' + "[[]]," * 1_000 + '{"b": "\\"[["}]}'
    assert parse_object(flat) == json.loads(flat)


def test_a_full_stack_is_never_taken_for_a_wrong_value() -> None:
    text = json.dumps(nested(MAX_NESTING - 1))
    results: set[object] = set()
    for frames in range(sys.getrecursionlimit() - 300, sys.getrecursionlimit()):
        try:
            results.add(from_depth(frames, lambda: parse_object(text)) == nested(MAX_NESTING - 1))
        except RecursionError:
            results.add("RecursionError")
    assert results <= {True, "RecursionError"} and "RecursionError" in results


# Text


@pytest.mark.parametrize(
    "text",
    ["{}", ' {"a" : [1, {"b": null}]}\r\n\t', '{"a": "\\ud83d\\ude00\\/"}', '{"a": 1, "a": 2}', '{"a": "\\ud83d"}'],
)
def test_the_text_of_an_object_is_that_object(text: str) -> None:
    assert parse_object(text) == parse_json(text) == json.loads(text)
    assert type(parse_object(text)) is FrozenDict


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "not json",
            "{",
            '{"a": 1',
            '{"a": 1,}',
            '{"a": 1} x',
            "{'a': 1}",
            '{"a": 1}{"b": 2}',
            "\ufeff{}",
            "\xa0{}",
        ),
        *('{"a": NaN}', '{"a": [Infinity]}', '{"a": -Infinity}', '{"a": "\n"}', '{"a": 1e999}', '{"a": -1e999}'),
        pytest.param('{"a": ' + "9" * 5_000 + "}", id="integer too large"),
    ],
)
def test_what_is_not_strict_json_is_a_value_error_and_no_object(text: str) -> None:
    assert parse_object(text) is None
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize("text", ["[]", '[{"a": 1}]', '"a"', "12", "null"])
def test_other_json_is_no_object(text: str) -> None:
    assert parse_json(text) == json.loads(text)
    assert parse_object(text) is None


@pytest.mark.parametrize("seed", range(20))
def test_the_count_of_levels_is_exact_for_valid_text_and_never_lets_a_deep_one_through(seed: int) -> None:
    random = Random(seed)
    for _ in range(50):
        text = json.dumps([nested(random.randrange(1, 8)), "".join(random.choices('[]{}"\\a', k=9))])
        for _ in range(random.randrange(3)):
            at = random.randrange(len(text))
            text = text[:at] + random.choice('[]{}"\\') + text[at + random.randrange(2) :]
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        for limit in range(1, 10):
            try:
                assert parse_json(text, max_nesting=limit) == value and levels(value) <= limit, text
            except ValueError:
                assert value is None or levels(value) > limit, text


def levels(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(levels, children), default=0)
