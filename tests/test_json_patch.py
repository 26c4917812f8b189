"""Patches of JSON: what changed between two values, as JSON."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from support.streams import changed, random_json, random_object, seeds

from provider_events import WireError
from provider_events._json import freeze
from provider_events._json_patch import apply, diff


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        (1, 1, {}),
        (1, 2, {"value": 2}),
        ("ab", "abc", {"append": "c"}),
        ("ab", "b", {"value": "b"}),
        ([1], [1, 2], {"append": [2]}),
        ([1, "a"], [1, "ab", 3], {"change": {"1": {"append": "b"}}, "append": [3]}),
        ([1, 2], [1], {"value": [1]}),
        ({"a": 1}, {"a": 1, "b": 2}, {"change": {"b": {"value": 2}}}),
        ({"a": 1, "b": 2}, {"b": 3}, {"change": {"b": {"value": 3}}, "remove": ["a"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "cd"}}, {"change": {"a": {"change": {"b": {"append": "d"}}}}}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1, "c": 3}, {"value": {"b": 2, "a": 1, "c": 3}}),
        ({"a": 1}, [1], {"value": [1]}),
        ({"value": 1, "append": 2}, {"value": 1, "append": 3}, {"change": {"append": {"value": 3}}}),
    ],
)
def test_a_patch_says_what_changed(old: Any, new: Any, patch: Any) -> None:
    assert diff(freeze(old), freeze(new)) == patch
    if patch:
        assert json.dumps(apply(freeze(old), patch)) == json.dumps(new)


def test_any_value_becomes_any_other() -> None:
    for seed in seeds(300):
        random = Random(seed)
        value = random_object(random)
        for _ in range(10):
            new = changed(random, value) if random.random() < 0.8 else random_json(random)
            patch = json.loads(json.dumps(diff(freeze(value), freeze(new))))
            if patch:
                assert apply(freeze(value), patch) == new, seed
                assert isinstance(new, dict) is False or [*apply(freeze(value), patch)] == [*new], "in the same order"
            value = new


@pytest.mark.parametrize(
    ("old", "patch", "problem"),
    [
        (1, {}, "value: expected a new value, found nothing"),
        (None, {"append": "x"}, "value: expected a new value, found nothing"),
        ("a", {"append": 1}, "append: expected a string, found 1"),
        ([], {"append": "x"}, "append: expected an array, found 'x'"),
        ([1], {"change": {"1": {"value": 2}}}, "change: expected an index below 1, found '1'"),
        ([1], {"change": {"-1": {"value": 2}}}, "change: expected an index below 1, found '-1'"),
        (
            [["a"]],
            {"change": {"0": {"change": {"0": {"append": 5}}}}},
            "change.'0'.change.'0'.append: expected a string, found 5",
        ),
        ({}, {"change": []}, "change: expected an object, found list"),
        ({}, {"remove": [1]}, "remove[0]: expected a string, found 1"),
        ({}, {"change": {"a": 5}}, "change.a: expected an object, found 5"),
        ({"a": 1}, {"change": {"a": {"value": float("nan")}}}, "change.a.value: expected a number, found nan"),
        ({}, "x", "expected an object, found 'x'"),
    ],
)
def test_what_is_no_patch_of_the_value_is_refused(old: Any, patch: Any, problem: str) -> None:
    with pytest.raises(WireError) as refused:
        apply(freeze(old), patch)
    assert str(refused.value) == problem


def test_the_old_value_is_not_changed() -> None:
    old = freeze({"a": [1, {"b": "c"}], "z": 1})
    apply(old, {"change": {"a": {"change": {"1": {"change": {"b": {"append": "d"}}}}, "append": [2]}}, "remove": ["z"]})
    assert old == {"a": [1, {"b": "c"}], "z": 1}
