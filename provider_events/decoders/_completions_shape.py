# SPDX-License-Identifier: MIT
"""The shape of a chunk: to tell at little cost that the next one has nothing new but its text."""

from __future__ import annotations

from collections.abc import Callable, Set
from operator import itemgetter
from typing import Any, Self

from .._json import ARRAY
from ._blocks import OpenBlock
from ._payload import Chunk, Payload, scan_json, wrapped_object

__all__ = ["CallChunkShape", "ChunkShape"]

_CARRIES_NOTHING = frozenset({"id", "object", "created", "model", "obfuscation"})
"""Members of a payload that may change, once the id and the model of the message are known."""


class ChunkShape:
    """A chunk apart from its new text: the names of its members, and the values that must be the same."""

    __slots__ = (
        "block", "_key", "_has_changing", "_payload_size", "_payload_of", "_payload",
        "_choice_size", "_choice_of", "_choice", "_delta_size", "_delta_of", "_delta",
    )  # fmt: skip

    def __init__(self, payload: Payload, key: str, block: OpenBlock) -> None:
        choice = payload["choices"][0]
        delta = choice["delta"]
        changing = _CARRIES_NOTHING & payload.keys()
        self.block = block
        """The block that the text goes to."""
        self._key = key
        self._has_changing = itemgetter("choices", *changing)
        self._payload_size, self._payload_of = len(payload), _others(payload, {"choices", *changing})
        self._choice_size, self._choice_of = len(choice), _others(choice, {"delta"})
        self._delta_size, self._delta_of = len(delta), _others(delta, {key})
        self._payload = self._payload_of(payload)
        self._choice = self._choice_of(choice)
        self._delta = self._delta_of(delta)

    def of_object(self, chunk: Chunk) -> Self | None:
        """Return the same shape for an SDK's object, which has all members, also those that did not come."""
        payload = opened(chunk)
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
            payload = chunk if isinstance(chunk, dict) else opened(chunk)
        text = self._value_of(payload)
        return text if type(text) is str else None

    def _value_of(self, payload: Payload) -> Any:
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
                and self._has_changing(payload)
                and len(choices) == 1
            ):
                return value
        except (LookupError, TypeError):
            pass  # it has not the same members
        return None


class CallChunkShape(ChunkShape):
    """A chunk with one fragment of a tool call: new text of its arguments."""

    __slots__ = ("_entry_size", "_entry_of", "_entry", "_function_size", "_function_of", "_function")

    def __init__(self, payload: Payload, key: str, block: OpenBlock) -> None:
        super().__init__(payload, key, block)
        entry = payload["choices"][0]["delta"]["tool_calls"][0]
        function = entry["function"]
        self._entry_size, self._entry_of = len(entry), _others(entry, {"function"})
        self._function_size, self._function_of = len(function), _others(function, {"arguments"})
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
                return None if text[:1] == "{" else text  # it may repeat the text so far
        except (LookupError, TypeError):
            pass
        return None


def opened(chunk: Any) -> Payload:
    """Return the members of an SDK's object as far as a shape looks at them; empty for what is no such object.

    It costs a tenth of `model_dump`.
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
    members = getattr(value, "__dict__", {})
    extra = getattr(value, "__pydantic_extra__", None)
    return {**members, **extra} if extra else members


def _others(holder: Payload, without: Set[str]) -> Callable[[Any], Any]:
    """Return a function that gets all members of an object but those in `without`."""
    keys = [key for key in holder if key not in without]
    return itemgetter(*keys) if keys else _nothing


def _nothing(holder: object) -> None:
    return None
