# SPDX-License-Identifier: MIT
"""Collecting `provider_details`: what a provider sends and no field of a message or block holds."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from .._json import ARRAY, OBJECT, FrozenDict, freeze

# Strings under these keys name or classify; they are never continued by the next delta.
_LABELS = frozenset({"type", "id", "object", "format", "role", "name", "status", "model", "finish_reason", "encoding"})

_SHOWN = 2000  # characters of what is no JSON


class _Text(list[str]):
    """A string that is still growing: its deltas."""


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

        Elements of an array that have an `index` continue the element with that index.
        """
        _add(self._members, members, without, append=True)

    def frozen(self) -> FrozenDict:
        """Return what has been collected, frozen. What is no JSON is shown as text: a detail never fails a stream."""
        return FrozenDict({str(key): _frozen(value) for key, value in self._members.items()})

    def value(self) -> dict[str, Any]:
        """Return what has been collected, as plain JSON."""
        return {key: _plain(value) for key, value in self._members.items()}


def _frozen(value: Any) -> Any:
    try:
        return freeze(_plain(value))
    except (TypeError, ValueError):
        return repr(value)[:_SHOWN]


def _add(into: dict[str, Any], members: Mapping[str, Any], without: Set[str], *, append: bool) -> None:
    for key, new in members.items():
        if new is None or key in without:
            continue
        old = into.get(key)
        if isinstance(new, OBJECT):
            member: dict[str, Any] = old if type(old) is dict else {}
            into[key] = member
            _add(member, new, frozenset(), append=append)
        elif isinstance(new, ARRAY):
            elements: list[Any] = old if append and type(old) is list else []
            into[key] = elements
            _extend(elements, new)
        elif append and isinstance(new, str) and key not in _LABELS:
            if type(old) is _Text:
                old.append(new)
            else:
                into[key] = _Text([old, new] if isinstance(old, str) else [new])
        else:
            into[key] = new


def _extend(into: list[Any], elements: Any) -> None:
    for element in elements:
        if not isinstance(element, OBJECT):
            into.append(element)
            continue
        index = element.get("index")
        # The element to continue is mostly the last one.
        same = next((each for each in reversed(into) if type(each) is dict and each.get("index") == index), None)
        if index is None or same is None:
            same = {}
            into.append(same)
        _add(same, element, frozenset(), append=True)


def _plain(value: Any) -> Any:
    if type(value) is _Text:
        return "".join(value)
    if isinstance(value, OBJECT):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(element) for element in value] if isinstance(value, ARRAY) else value
