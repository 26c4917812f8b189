# SPDX-License-Identifier: MIT
"""The shape of a chunk, by which the next one is read at little cost if only its text is new.

Most chunks of a chat completion repeat the one before in all but one text. To compare a chunk with a shape costs far
less than to read its fields; a chunk of any other shape is read in full.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from operator import itemgetter
from typing import Any, Self

from .._json import ARRAY
from ._blocks import OpenBlock
from ._payload import Chunk, Payload, scan_json, wrapped_object

__all__ = ["CallChunkShape", "ChunkShape"]

_IGNORED = frozenset({"id", "object", "created", "model", "obfuscation"})
"""Members of a payload whose values do not matter, once the id and the model of the message are known."""


class ChunkShape:
    """A chunk but for its new text: the members of payload, choice and delta, and their values.

    An object has the same members if it has the same number of them, and those that are looked up.
    """

    # Of each object: the number of its members, a function that gets the values which must be the same, these values.
    __slots__ = (
        "block", "_key", "_check_ignored", "_payload_size", "_payload_of", "_payload",
        "_choice_size", "_choice_of", "_choice", "_delta_size", "_delta_of", "_delta",
    )  # fmt: skip

    def __init__(self, payload: Payload, key: str, block: OpenBlock) -> None:
        """`key` is the member of the delta that has the new text, and `block` the one that the text goes to."""
        choice = payload["choices"][0]
        delta = choice["delta"]
        ignored = _IGNORED & payload.keys()
        self.block = block
        self._key = key
        self._check_ignored = itemgetter("choices", *ignored)  # raises LookupError if one of them is missing
        self._payload_size, self._payload_of = len(payload), _all_but(payload, {"choices", *ignored})
        self._choice_size, self._choice_of = len(choice), _all_but(choice, {"delta"})
        self._delta_size, self._delta_of = len(delta), _all_but(delta, {key})
        self._payload = self._payload_of(payload)
        self._choice = self._choice_of(choice)
        self._delta = self._delta_of(delta)

    def of_object(self, chunk: Chunk) -> Self | None:
        """Return the shape of the SDK's object that the chunk was: its members include those that did not come."""
        payload = _opened(chunk)
        return type(self)(payload, self._key, self.block) if payload else None

    def text_of(self, chunk: Chunk) -> str | None:
        """Return the new text of a chunk of this shape; None for any other chunk."""
        payload: Any
        if type(chunk) is str:
            try:
                payload, end = scan_json(chunk, 0)
            except (ValueError, StopIteration, RecursionError):
                return None
            if end != len(chunk):
                return None
        else:
            payload = chunk if isinstance(chunk, dict) else _opened(chunk)
        text = self._value_of(payload)
        return text if type(text) is str else None

    def _value_of(self, payload: Payload) -> Any:
        """Return the value at the key of a payload of this shape; None for any other payload."""
        try:
            choices = payload["choices"]
            choice = choices[0]
            delta = choice["delta"]
            value = delta[self._key]
            if (
                len(delta) == self._delta_size
                and len(choice) == self._choice_size
                and len(payload) == self._payload_size
                and self._delta_of(delta) == self._delta
                and self._choice_of(choice) == self._choice
                and self._payload_of(payload) == self._payload
                and self._check_ignored(payload)
                and len(choices) == 1
            ):
                return value
        except (LookupError, TypeError):
            pass  # it has other members
        return None


class CallChunkShape(ChunkShape):
    """A chunk with one fragment of a tool call: new text of its arguments."""

    __slots__ = ("_entry_size", "_entry_of", "_entry", "_function_size", "_function_of", "_function")

    def __init__(self, payload: Payload, key: str, block: OpenBlock) -> None:
        super().__init__(payload, key, block)
        entry = payload["choices"][0]["delta"]["tool_calls"][0]
        function = entry["function"]
        self._entry_size, self._entry_of = len(entry), _all_but(entry, {"function"})
        self._function_size, self._function_of = len(function), _all_but(function, {"arguments"})
        self._entry, self._function = self._entry_of(entry), self._function_of(function)

    def _value_of(self, payload: Payload) -> Any:
        entries: Any = super()._value_of(payload)
        if not isinstance(entries, ARRAY) or len(entries) != 1:
            return None
        try:
            entry: Any = entries[0]
            function = entry["function"]
            text = function["arguments"]
            if (
                len(entry) == self._entry_size
                and len(function) == self._function_size
                and self._entry_of(entry) == self._entry
                and self._function_of(function) == self._function
            ):
                return None if text[:1] == "{" else text  # such a text may repeat all arguments so far
        except (LookupError, TypeError):
            pass
        return None


def _opened(chunk: Any) -> Payload:
    """Return the members of an SDK's object as deep as a shape goes, at a tenth of the cost of `model_dump`.

    They are empty if it is not the object of a chunk.
    """
    payload = _members(chunk)
    payload = _members(wrapped_object(payload)) or payload
    try:
        choice = _members(payload["choices"][0])
        delta = _members(choice["delta"])
        if calls := delta.get("tool_calls"):
            entry = _members(calls[0])
            delta = {**delta, "tool_calls": [{**entry, "function": _members(entry["function"])}, *calls[1:]]}
        return {**payload, "choices": [{**choice, "delta": delta}, *payload["choices"][1:]]}
    except (LookupError, TypeError):
        return {}


def _members(value: Any) -> dict[str, Any]:
    """Return the members of an object of pydantic, those included that its class does not know."""
    members = getattr(value, "__dict__", {})
    extra = getattr(value, "__pydantic_extra__", None)
    return {**members, **extra} if extra else members


def _all_but(holder: Payload, without: Set[str]) -> Callable[[Any], Any]:
    """Return a function that gets the values that an object has beside those in `without`, by key."""
    keys = [key for key in holder if key not in without]
    return itemgetter(*keys) if keys else _nothing


def _nothing(holder: object) -> None:
    return None
