# SPDX-License-Identifier: MIT
"""Tool calls of chat completions: which call a fragment belongs to, and where another call begins.

By the documentation each call has an index of its own, and its id and name come once. Servers repeat ids and names
in every fragment, change the id from one fragment to the next, use one index for all calls, or have no index.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from .._json import parse_object
from ._blocks import OpenBlock
from ._payload import Payload, id_or_none, index_or_none, object_or_empty, text_or_empty, text_or_none, to_json

__all__ = ["CUSTOM_END", "CUSTOM_START", "Call", "Calls", "Fragment", "read_fragment"]

CUSTOM_START, CUSTOM_END = '{"input": "', '"}'
"""What is around the input of a custom tool call, which is text, to make it the arguments `{"input": text}`."""

_PLACEHOLDER = "{}"
"""Arguments that some servers send before the real ones. `OpenBlock` holds them back until it is clear."""

_BEFORE_VALUES = (":", ",", "[")
"""The characters after which a value follows in JSON: an object there is a member, no repetition of the whole."""

_MISSING_IDS = frozenset({"null", "None"})
"""Texts in place of null: Mistral, SGLang."""

# What does not go into `provider_details`: it has a field, or it carries nothing (`index`).
_CALL_KEYS = frozenset({"index", "id", "type", "function", "custom"})


class Fragment(NamedTuple):
    """What one entry of `tool_calls` has of a call: the start, some arguments, or all of it."""

    id: str | None
    key: int | None
    """The provider's index of the call."""
    name: str | None
    arguments: str
    """New text of the arguments; of a custom tool call, new text of its input."""
    is_custom: bool
    details: dict[str, Any]
    """What goes into the block's details."""
    is_unknown: bool
    """Whether the call is of a type that this package does not know: it has an object of that name, no `function`."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could begin a call."""
        return not (self.id or self.name or self.arguments or self.details)


def read_fragment(entry: Payload) -> Fragment:
    """Return what an entry of `tool_calls` has; some servers leave out the object around name and arguments."""
    custom = object_or_empty(entry.get("custom"))
    flat: Payload = entry if "name" in entry or "arguments" in entry else {}
    function: Payload = object_or_empty(entry.get("function")) or custom or flat
    is_custom = function is custom and bool(custom)
    arguments_key = "input" if is_custom else "arguments"
    arguments = function.get(arguments_key)
    members = {**entry, **function}
    known = _CALL_KEYS | {"name", arguments_key} if function else _CALL_KEYS
    details = {key: value for key, value in members.items() if key not in known and value is not None}
    kind = text_or_none(entry.get("type"))
    id = id_or_none(entry.get("id")) or id_or_none(function.get("id"))
    return Fragment(
        id=None if id in _MISSING_IDS else id,
        key=index_or_none(entry.get("index")),
        name=text_or_none(function.get("name")),
        arguments=text_or_empty(arguments) if isinstance(arguments, str) or arguments is None else to_json(arguments),
        is_custom=is_custom,
        details={"type": kind, **details} if kind not in (None, "function") else details,
        is_unknown=not function and kind not in (None, "function", "custom") and kind in details,
    )


class Call:
    """A tool call. Its block is open until the message ends, and so it may get more arguments."""

    __slots__ = ("block", "id", "name", "is_custom", "length", "_streamed")

    def __init__(self, block: OpenBlock, fragment: Fragment, streamed: Callable[[int], str]) -> None:
        """`streamed` returns the text that has streamed into the block at a content index."""
        self.block = block
        self._streamed = streamed
        self.id = fragment.id
        self.name = fragment.name
        self.is_custom = False
        """Whether the arguments are the input of a custom tool."""
        self.length = 0
        """The number of characters of the arguments so far, to compare before the text itself is put together."""

    @property
    def text(self) -> str:
        """The text of the arguments so far."""
        return self._streamed(self.block.index) + self.block.held

    @property
    def has_placeholder(self) -> bool:
        """Whether the arguments so far are `{}`, which others may replace."""
        return self.block.held.strip() == _PLACEHOLDER

    def new_text(self, fragment: Fragment) -> str:
        """Return what a fragment adds to the text of the arguments, which counts as added."""
        text = self._new_text(fragment)
        self.length += len(text)
        return text

    def has_arguments_of(self, fragment: Fragment) -> bool:
        """Return whether all arguments of a fragment have come, and no others."""
        return _are_equal(fragment.arguments or "{}", self.text or "{}")

    def rest_of(self, fragment: Fragment) -> str:
        """Return what the whole arguments add to those that have come, if they begin with them."""
        whole = self._whole_text(fragment)
        before = "" if self.has_placeholder else self.text
        return whole[len(before) :] if whole.startswith(before) else ""

    def _whole_text(self, fragment: Fragment) -> str:
        """Return the text of the arguments if a fragment has them from their start."""
        return CUSTOM_START + _escaped(fragment.arguments) if self.is_custom else fragment.arguments

    def _new_text(self, fragment: Fragment) -> str:
        text = whole = self._whole_text(fragment)
        if self.is_custom:
            if not self.length:
                return whole
            text = whole[len(CUSTOM_START) :]
        elif fragment.name and self.block.has_all_arguments and not self.has_placeholder:
            return ""  # a repetition: what begins another call does not come here
        if len(whole) >= self.length > 0 and (fragment.name or text.startswith("{")):
            before = self.text
            if whole.startswith(before) and (fragment.name or before.rstrip()[-1:] not in _BEFORE_VALUES):
                return whole[len(before) :]  # the whole call after its deltas
        return text


class Calls:
    """The tool calls of a message, and which of them a fragment belongs to."""

    def __init__(self) -> None:
        self.all: list[Call] = []
        self.by_id: dict[str, Call] = {}
        self.by_index: dict[int, Call] = {}
        """By the provider's index: the latest call there."""
        self.latest: Call | None = None
        self._repeated_names: dict[int | None, Fragment] = {}  # by the provider's index: a known name, no arguments

    def with_repeated_name(self, fragment: Fragment) -> Fragment:
        """Return a fragment of arguments with the id and name that were repeated in the fragment before it.

        As in a fragment with a name, `find` then decides whether the arguments begin another call of that name.
        """
        start = self._repeated_names.get(fragment.key)
        if start is None or fragment.name or not fragment.arguments.strip() or fragment.id not in (None, start.id):
            return fragment
        return fragment._replace(id=start.id, name=start.name)

    def add(self, call: Call, fragment: Fragment, *, is_new: bool) -> None:
        """Note the id and index that a fragment has of its call, so that later fragments find it."""
        if fragment.name:
            self._repeated_names.pop(fragment.key, None)
            if not is_new and not fragment.arguments:
                self._repeated_names[fragment.key] = fragment._replace(name=call.name)
        if is_new:
            self.all.append(call)
        if fragment.id:
            self.by_id[fragment.id] = call
        if fragment.key is not None:
            self.by_index[fragment.key] = call
        self.latest = call

    def find(self, fragment: Fragment) -> Call | None:
        """Return the call that a fragment continues or repeats; None if it begins another."""
        id, key, name, latest = fragment.id, fragment.key, fragment.name, self.latest
        known = self.by_id.get(id) if id else None
        if known is None and key is not None:
            known = self.by_index.get(key)
        if known is not None:
            return None if _begins_another(known, fragment) else known
        if latest is None or (name and (id or key is not None)):
            return None  # the first call, or one with a name at a new id or index
        if name:  # and nothing else to know the call by
            return None if _begins_another(latest, fragment) else latest
        if id and (key is not None or latest.block.has_all_arguments):
            return None  # a call without a name: a new id at a new index, or after a call that is complete
        return latest  # arguments; an index or id that fits no call does not count

    def repeated(self, position: int, fragment: Fragment, *, from_deltas: bool) -> Call | None:
        """Return the call that a call of a whole message repeats: the one at the same position, if it fits.

        A call that came in deltas may lack arguments that the whole message has, if the ids do not differ.
        """
        call = self.all[position] if position < len(self.all) else None
        if call is None or call.name not in (fragment.name, None):
            return None
        ids_differ = fragment.id and call.id and fragment.id != call.id
        return call if (from_deltas and not ids_differ) or call.has_arguments_of(fragment) else None


def _escaped(text: str) -> str:
    """Return a text as it is inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _begins_another(call: Call, fragment: Fragment) -> bool:
    """Return whether a fragment that may belong to a call, by its id or index or as the next one, begins another.

    Without a name it never does, whatever its id, nor if the call has no name yet. Otherwise it does if the name is
    another, and not the rest of one that comes in deltas; or if the call has all its arguments, and the fragment has
    others or another id.
    """
    id, name, arguments = fragment.id, fragment.name, fragment.arguments.strip()
    if not name or not call.name:
        return False
    block = call.block
    if name != call.name:
        is_rest_of_name = not (arguments or block.has_arguments) and id in (None, call.id) and fragment.key is not None
        return not is_rest_of_name
    if id and call.id and id != call.id:  # some servers send a new id with every fragment of a call
        if block.has_arguments:
            return block.has_all_arguments
        return not arguments or parse_object(arguments) is not None
    if not block.has_all_arguments or not arguments.startswith("{"):
        return False  # more arguments of the call, or none
    if id and call.has_placeholder:
        return False  # these are the real arguments
    return not id or not _are_equal(arguments, call.text)


def _are_equal(arguments: str, text: str) -> bool:
    """Return whether two texts are the same arguments, however they are written."""
    value = parse_object(arguments)
    return value is not None and (arguments == text.strip() or value == parse_object(text))
