"""Messages and events, lazy or not, work with the standard library's tools for values."""

from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
import pprint
import sys
import weakref
from typing import Any

import pytest
from support.fresh_values import (
    EVENTS,
    MIDWAY,
    as_json,
    assert_same,
    every_event,
    every_message,
    every_value,
    finished,
    is_lazy,
    midway,
    plain,
    squeezed,
)

from provider_events import ProviderEvent, TerminalEvent, TextDelta


def test_the_lazy_values_of_these_tests_are_lazy() -> None:
    assert is_lazy(midway()) and is_lazy(finished()) and not is_lazy(MIDWAY)
    partials = [make().partial for make, _ in EVENTS.values()]
    assert [*map(is_lazy, partials)] == [True] * 12 + [False] * 16


# The standard library


@every_value
def test_pickle_in_every_protocol(make: Any, equal: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert_same(pickle.loads(pickle.dumps(make(), protocol)), equal)


@every_value
def test_copy_and_deepcopy(make: Any, equal: Any) -> None:
    assert_same(copy.copy(make()), equal)
    assert_same(copy.deepcopy(make()), equal)


@every_value
def test_comparing_hashing_and_printing(make: Any, equal: Any) -> None:
    assert make() == equal and equal == make() and not make() != equal
    assert hash(make()) == hash(equal)
    assert repr(make()) == repr(equal)


@every_value
def test_dataclasses_fields_asdict_and_astuple(make: Any, equal: Any) -> None:
    value = make()
    assert_same(type(value)(**{field.name: getattr(value, field.name) for field in dataclasses.fields(value)}), equal)
    assert as_json(dataclasses.asdict(make())) == plain(equal)
    assert dataclasses.astuple(make()) == dataclasses.astuple(equal)


@every_value
def test_replace_changes_a_copy(make: Any, equal: Any) -> None:
    name = equal.__match_args__[0]
    for replace in filter(None, [dataclasses.replace, getattr(copy, "replace", None)]):  # the latter since Python 3.13
        value: Any = make()
        other = replace(value, **{name: {"different": 1}})
        assert other != value == equal
        assert_same(replace(other, **{name: getattr(equal, name)}), equal)


@every_event
def test_functools_singledispatch(make: Any, equal: Any) -> None:
    kind = functools.singledispatch(lambda event: "no event")
    kind.register(ProviderEvent, lambda event: "event")
    kind.register(TextDelta, lambda event: "text")
    kind.register(TerminalEvent, lambda event: "terminal")
    terminals = dict.fromkeys(["done", "error", "fallback_exhausted"], "terminal")
    assert kind(make()) == {"text_delta": "text", **terminals}.get(equal.type, "event")


@every_value
def test_pprint_shows_what_repr_shows(make: Any, equal: Any) -> None:
    assert squeezed(pprint.pformat(make(), sort_dicts=False)) == squeezed(repr(equal))


@every_message
def test_pprint_breaks_a_message_into_lines(make: Any, equal: Any) -> None:
    assert len(pprint.pformat(make()).splitlines()) > 10


@every_message
def test_getsizeof_is_the_same_whether_or_not_it_was_read(make: Any, equal: Any) -> None:
    message, size = make(), sys.getsizeof(equal)
    assert sys.getsizeof(message) == size
    assert message == equal and sys.getsizeof(message) == size


@every_value
def test_weak_references_need_a_holder(make: Any, equal: Any) -> None:
    """A slot for them would be paid for with every delta."""

    @dataclasses.dataclass(frozen=True, slots=True, weakref_slot=True)
    class Holder:
        value: Any

    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(make())
    holder = Holder(make())
    assert weakref.ref(holder)() is holder and holder.value == equal
