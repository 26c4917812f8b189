# SPDX-License-Identifier: MIT
"""Collecting `provider_details`: what a provider sends and no field of a message or block holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from math import isfinite
from typing import Any

from .._json import ARRAY, OBJECT, FrozenDict, freeze

# Strings under these keys name or classify: the next delta replaces them, and does not continue them.
_LABELS = frozenset({"type", "id", "object", "format", "role", "name", "status", "model", "finish_reason", "encoding"})
# Arrays under these keys hold deltas: an element without an `index` continues the last one.
_DELTA_ARRAYS = frozenset({"reasoning_details", "thinking_blocks"})

_MAX_SHOWN = 2000  # characters of a value that is no JSON


class _Text(list[str]):
    """A string that is still growing, as the list of its deltas."""


class Details:
    """An object that several payloads contribute to. Null counts as missing."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._members)

    def merge(self, members: Mapping[str, Any], *, without: Set[str] = frozenset()) -> None:
        """Add members by key. Objects are merged; any other value replaces the one before."""
        _add(self._members, members, without, append=False)

    def append(self, members: Mapping[str, Any], *, without: Set[str] = frozenset()) -> None:
        """Add members of a delta. Strings and arrays continue those before, and objects are merged.

        An element of an array that has an `index` continues the element with that index, unless their types or
        ids differ.
        """
        _add(self._members, members, without, append=True)

    def frozen(self) -> FrozenDict:
        """Return what has been collected, frozen. What is no JSON is shown as text: a detail never fails a stream."""
        return FrozenDict({str(key): frozen_or_text(value) for key, value in self._members.items()})

    def value(self) -> dict[str, Any]:
        """Return what has been collected, as plain JSON."""
        return {key: _plain(value) for key, value in self._members.items()}


def frozen_or_text(value: Any) -> Any:
    """Return a value frozen, or as text if it is no JSON: what is of minor weight never fails a stream."""
    try:
        return freeze(_plain(value))
    except (TypeError, ValueError):
        return repr(value)[:_MAX_SHOWN]


def _add(into: dict[str, Any], members: Mapping[str, Any], without: Set[str], *, append: bool) -> None:
    for key, new in members.items():
        if new is None or key in without:
            continue
        old = into.get(key)
        if isinstance(new, str):
            if not append or key in _LABELS:
                into[key] = new
            elif type(old) is _Text:
                old.append(new)
            else:
                into[key] = _Text([old, new] if isinstance(old, str) else [new])
        elif isinstance(new, OBJECT):
            member: Any = old if isinstance(old, OBJECT) else {}
            into[key] = member
            _add(member, new, frozenset(), append=append)
        elif isinstance(new, ARRAY):
            elements = old if append and type(old) is _Elements else _Elements()
            into[key] = elements
            elements.add(new, are_deltas=key in _DELTA_ARRAYS)
        else:
            into[key] = new


class _Elements(list[Any]):
    """An array that is still growing."""

    __slots__ = ("by_index",)

    def __init__(self) -> None:
        self.by_index: dict[int | str, dict[str, Any]] = {}

    def add(self, elements: Iterable[Any], *, are_deltas: bool) -> None:
        for element in elements:
            if not isinstance(element, OBJECT):
                self.append(element)
                continue
            index = element.get("index")
            same: dict[str, Any] | None = None
            if isinstance(index, (int, str)):
                same = self.by_index.get(index)
            elif are_deltas and self and type(self[-1]) is dict and not self[-1].get("signature"):
                same = self[-1]
            if same is None or _differ(same, element):
                same = {}
                self.append(same)
                if isinstance(index, (int, str)):
                    self.by_index[index] = same
            _add(same, element, frozenset(), append=True)


def _differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether the types or the ids of two elements contradict each other."""
    return any(one.get(key) != other[key] and one.get(key) for key in ("type", "id") if other.get(key))


def whole_characters(text: str) -> str:
    """Join the halves of surrogate pairs that deltas brought apart."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _plain(value: Any) -> Any:
    if type(value) is _Text:
        return whole_characters("".join(value))
    if isinstance(value, OBJECT):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, ARRAY):
        return [_plain(element) for element in value]
    return json.dumps(value) if isinstance(value, float) and not isfinite(value) else value  # JSON has no NaN
