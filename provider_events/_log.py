# SPDX-License-Identifier: MIT
"""The log behind a stream's lazy snapshots.

The builder never copies what has come so far. It writes each change down once, with its step: the number of the
event that brought it. A snapshot is a reference to the log and a step; it looks its fields up when they are read.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Any, Generic, TypeVar

from ._json import FrozenDict
from ._lazy import lazy
from ._partial_json import PartialObject
from .messages import AssistantMessage, ContentBlock, TextContent, ThinkingContent, ToolCall

V = TypeVar("V")
B = TypeVar("B", bound=AssistantMessage | ContentBlock)

# What streams in each kind of value, before any of it has come. A header is a value with these fields empty.
_STREAMED: dict[type[Any], dict[str, Any]] = {
    TextContent: {"text": ""},
    ThinkingContent: {"thinking": ""},
    ToolCall: {"arguments": {}, "invalid_arguments": None},
    AssistantMessage: {"content": ()},
}
_EMPTY: dict[type[Any], Any] = {
    TextContent: TextContent(""),
    ThinkingContent: ThinkingContent(""),
    ToolCall: ToolCall("", "", {}),
}


class Timeline(Generic[V]):
    """A value that changes now and then, and what it was at each step."""

    __slots__ = ("_steps", "_values")

    def __init__(self, value: V) -> None:
        self._steps = [0]
        self._values = [value]

    def set(self, step: int, value: V) -> None:
        """Note a new value, from `step` on."""
        self._values.append(value)  # first: a reader in another thread finds values by their steps
        self._steps.append(step)

    def at(self, step: int) -> V:
        """Return the value as of `step`."""
        return self._values[bisect_right(self._steps, step) - 1]

    @property
    def latest(self) -> V:
        """The newest value."""
        return self._values[-1]


class BlockLog:
    """The log of a block that streams: its deltas in order, and at which step each came.

    Deltas come in runs, one a step. A run has an origin, the step before its first delta, and a base, the number
    of deltas before it.
    """

    __slots__ = ("kind", "index", "header", "deltas", "last_step", "_origins", "_bases", "_joined")

    def __init__(self, kind: type[Any], index: int, step: int) -> None:
        self.kind = kind
        self.index = index
        self.header: Timeline[Any] = Timeline(_EMPTY[kind])
        self.deltas: list[str] = []
        self.last_step = step  # of the last delta
        self._origins = [step]
        self._bases = [0]
        self._joined = (0, "")  # the first so many deltas as one text, as a reader left it

    def append(self, delta: str, step: int) -> None:
        """Note a delta."""
        if step != self.last_step + 1:
            self._bases.append(len(self.deltas))  # first: a reader in another thread goes by origins
            self._origins.append(step - 1)
        self.last_step = step
        self.deltas.append(delta)

    def text(self, step: int) -> str:
        """Return the deltas as of `step`, joined."""
        run = bisect_right(self._origins, step) - 1
        end = self._bases[run + 1] if run + 1 < len(self._bases) else len(self.deltas)
        count = min(self._bases[run] + step - self._origins[run], end)
        known, text = self._joined
        if count < known:
            return "".join(self.deltas[:count])
        if count > known:
            text = "".join((text, *self.deltas[known:count]))
            self._joined = (count, text)
        return text

    def header_at(self, step: int) -> Any:
        """Return the content as of `step`, without what streams."""
        return self.header.at(step)

    def values(self, step: int) -> tuple[Any, ...]:
        """Return the fields of the content as of `step`."""
        header, text = self.header.at(step), self.text(step)
        streamed: dict[str, Any] = {"arguments": _arguments(text)} if self.kind is ToolCall else {_text_field(self.kind): text}
        return tuple([streamed[name] if name in streamed else getattr(header, name) for name in header.__match_args__])


def _arguments(text: str) -> FrozenDict:
    reader = PartialObject()
    reader.feed(text)
    return reader.value()


def _text_field(kind: type[Any]) -> str:
    field: str = kind.__match_args__[0]
    return field


class MessageLog:
    """The log of a message."""

    __slots__ = ("header", "blocks")

    def __init__(self, message: AssistantMessage) -> None:
        self.header = Timeline(message)
        self.blocks: list[Timeline[BlockLog | ContentBlock | None]] = []  # None: not begun

    def header_at(self, step: int) -> AssistantMessage:
        """Return the message as of `step`, without its content."""
        return self.header.at(step)

    def block_at(self, content_index: int, step: int) -> ContentBlock | None:
        """Return one block as of `step`; None if it had not begun."""
        block = self.blocks[content_index].at(step) if content_index < len(self.blocks) else None
        return lazy(block.kind, block, step) if isinstance(block, BlockLog) else block

    def values(self, step: int) -> tuple[Any, ...]:
        """Return the fields of the message as of `step`."""
        header = self.header.at(step)
        blocks = [self.block_at(index, step) for index in range(len(self.blocks))]
        content = tuple([block for block in blocks if block is not None])
        return tuple([content if name == "content" else getattr(header, name) for name in header.__match_args__])

    def joined_text(self, kind: type[TextContent] | type[ThinkingContent], step: int) -> str:
        """Return the text of all blocks of one kind as of `step`, joined, without making the blocks."""
        blocks = [timeline.at(step) for timeline in self.blocks]
        return "".join(
            [
                block.text(step) if isinstance(block, BlockLog) else getattr(block, _text_field(kind))
                for block in blocks
                if (block.kind if isinstance(block, BlockLog) else type(block)) is kind
            ]
        )


def header(value: B) -> B:
    """Return a message or block without what streams in it: content, text, thinking, arguments.

    Of a lazy value this costs the same however long the message is.
    """
    streamed = _STREAMED.get(type(value))
    if streamed is None:
        return value
    source = getattr(value, "_source")
    found: B = replace(value, **streamed) if source is None else source.header_at(getattr(value, "_step"))
    return found


def block_at(message: AssistantMessage, content_index: int) -> ContentBlock | None:
    """Return `message.content[content_index]`, or None if there is none, at the cost of a `header`."""
    source: MessageLog | None = getattr(message, "_source")
    if source is not None:
        return source.block_at(content_index, getattr(message, "_step"))
    return message.content[content_index] if content_index < len(message.content) else None
