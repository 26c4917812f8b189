# SPDX-License-Identifier: MIT
"""The blocks that a decoder has open, and what it holds back of their deltas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._grammar import BlockKind
from .._json import parse_json, parse_object
from .._partial_json import PartialObject
from ..events import MessageEvent
from ..messages import ToolCall
from ._details import Details


class OpenBlock:
    """A block that has started and not ended.

    What a provider sends goes through `take`, which returns the delta to yield now and holds back the rest: no delta
    ends in the first half of a surrogate pair, and those of a tool call are the JSON text of one object.
    """

    __slots__ = (
        "kind", "index", "emit", "end", "is_text", "id", "key", "tool_call_id", "tool_name", "signature", "details",
        "annotations", "held", "_arguments",
    )  # fmt: skip

    def __init__(
        self,
        kind: BlockKind,
        index: int,
        emit: Callable[[str, int], MessageEvent],
        end: Callable[[int], MessageEvent],
    ) -> None:
        self.kind = kind
        self.index = index
        """The content index."""
        self.emit = emit
        """The builder's method for a delta of this kind."""
        self.end = end
        """The builder's method for the end of this kind."""
        self.is_text = kind is not ToolCall
        """Whether the deltas are text, not the JSON of arguments."""
        self.id: str | None = None
        """The provider's id of the block, if it has one."""
        self.key: int | None = None
        """The provider's index of the block, if it has one."""
        self.tool_call_id: str | None = None
        """The id of the tool call, as the provider sent it."""
        self.tool_name: str | None = None
        """The name of the called tool, if it came with the start."""
        self.signature: list[str] = []
        """The parts of the block's signature."""
        self.details = Details()
        """What goes into `provider_details`."""
        self.annotations: list[Any] = []
        self.held = ""
        """Text that waits for the next delta: half a surrogate pair, or arguments that may yet be replaced."""
        self._arguments = _Arguments() if kind is ToolCall else None

    @property
    def has_arguments(self) -> bool:
        """Whether arguments of the tool call have come."""
        return bool(self.held) or (self._arguments is not None and self._arguments.begun)

    @property
    def has_all_arguments(self) -> bool:
        """Whether the arguments of the tool call are complete: a closed object, or text that is no object."""
        arguments = self._arguments
        if arguments is not None and arguments.begun:
            return arguments.is_complete
        held = self.held.strip()
        return held == "{}" or (held.startswith('"') and _unquoted(held) != held)

    def take(self, text: str) -> str:
        """Return the delta to yield, or an empty one, when a `text` comes that is not empty."""
        if self._arguments is not None:
            return self._take_arguments(text)
        if text[-1] < "\ud800" and not self.held:
            return text
        return self._whole_characters(text)

    def take_rest(self, *, ended: bool) -> str:
        """Return the last delta, or an empty one, when no more text comes: the block has ended, or failed."""
        text, self.held = self.held, ""
        if self._arguments is None or not ended:
            return text
        if text.lstrip().startswith('"'):  # from servers that encode arguments twice
            text = _unquoted(text)
        return text if text.strip() or self._arguments.begun else "{}"

    def _whole_characters(self, text: str) -> str:
        text, self.held = _join_pair(self.held, text), ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self.held = text[:-1], text[-1]
        return text

    def _take_arguments(self, text: str) -> str:
        arguments = self._arguments
        assert arguments is not None
        if arguments.begun:
            return self._whole_characters(arguments.within_object(text))
        text, self.held = self.held + text, ""
        stripped = text.strip()
        while stripped.startswith("{}"):  # the arguments, or a placeholder before them
            rest = stripped[2:].lstrip()
            if not rest.startswith("{"):
                self.held = "{}" if rest else text
                return ""
            text = stripped = rest
        if not stripped or stripped.startswith('"'):  # nothing yet, or JSON text inside a JSON string
            self.held = text
            return ""
        arguments.begun = True
        arguments.is_object = stripped.startswith("{")
        return self._whole_characters(arguments.within_object(text))


class OpenUnknown:
    """A block of a kind that this package has no type for, still growing."""

    __slots__ = ("index", "data")

    def __init__(self, index: int) -> None:
        self.index = index
        """The content index."""
        self.data = Details()


class _Arguments:
    """Finds the end of the JSON object that is the arguments of a call."""

    __slots__ = ("begun", "is_object", "_object", "_pending")

    def __init__(self) -> None:
        self.begun = False
        self.is_object = True
        self._object = PartialObject()
        self._pending: list[str] = []

    @property
    def is_complete(self) -> bool:
        """Whether the object has ended, or there is none."""
        return self._object.is_complete or not self.is_object

    def within_object(self, text: str) -> str:
        """Return `text` without what follows the end of the object, unless that is blank."""
        if self._object.is_complete:
            return "" if text.strip() else text
        start = 0
        while end := text.find("}", start) + 1:  # the object can end only there
            self._object.feed("".join([*self._pending, text[start:end]]))
            self._pending.clear()
            if self._object.is_complete:
                return text[:end] if text[end:].strip() else text
            start = end
        self._pending.append(text[start:])
        return text


def _join_pair(first: str, second: str) -> str:
    """Join two texts; two halves of a surrogate pair between them become one character."""
    if first and "\udc00" <= second[:1] <= "\udfff":
        return (first + second[0]).encode("utf-16", "surrogatepass").decode("utf-16") + second[1:]
    return first + second


def _unquoted(text: str) -> str:
    """Return the JSON text of an object that is inside a JSON string, or else `text` itself."""
    try:
        inner = parse_json(text)
    except ValueError:
        return text
    return inner if isinstance(inner, str) and parse_object(inner) is not None else text
