# SPDX-License-Identifier: MIT
"""What changes of a message now and then, other than by deltas, and what it was at each step.

Each list here holds pairs of a step and something, appended at once, so that a reader in another thread finds all
or nothing of it; see `_log.py`.
"""

# A lazy value's `_source` and `_step` are private to users, not to this file.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from ._lazy import Lazy, Source, copy_fields, set_source, with_field
from .messages import AssistantMessage, TextContent, ThinkingContent, ToolCall

V = TypeVar("V")

BY_STEP = itemgetter(0)

STREAMED: Final[dict[type[Any], str]] = {
    TextContent: "text",
    ThinkingContent: "thinking",
    ToolCall: "arguments",
    AssistantMessage: "content",
}
"""The field that streams in each kind of value. A header is a value in which it is empty."""


class Timeline(Generic[V]):
    """A value that changes now and then, and what it was at each step."""

    __slots__ = ("_entries",)

    def __init__(self, value: V) -> None:
        self._entries: list[tuple[int, V]] = [(0, value)]

    def set(self, step: int, value: V) -> None:
        """Set the value from `step` on."""
        self._entries.append((step, value))

    def at(self, step: int) -> V:
        """Return the value as of `step`."""
        since, value = self._entries[-1]
        if since > step:
            value = self._entries[bisect_right(self._entries, step, key=BY_STEP) - 1][1]
        return value

    @property
    def latest(self) -> V:
        """The newest value."""
        return self._entries[-1][1]

    def __len__(self) -> int:
        return len(self._entries)

    def forget(self, count: int) -> None:
        """Take back all but the first `count` values."""
        del self._entries[count:]


class Journal(Source):
    """Which blocks changed at which step, other than by deltas: started, ended, got a signature, grew.

    It is the identity of a stream too: snapshots of one stream share it, read or not.
    """

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: list[tuple[int, int]] = []

    def note(self, step: int, content_index: int) -> None:
        """Note that a block changes at `step`."""
        self._changes.append((step, content_index))

    def changed(self, after: int, until: float) -> set[int]:
        """Return the content indexes of the blocks that changed after one step and until another."""
        changes = self._changes
        if not changes or changes[-1][0] <= after:
            return _NONE
        first = bisect_right(changes, after, key=BY_STEP)
        return {index for _, index in changes[first : bisect_right(changes, until, first, key=BY_STEP)]}


_NONE: Final[set[int]] = set()


class Headers(Source):
    """The fields that do not stream, of a message or block, as they changed."""

    __slots__ = ("journal", "_but", "_values")

    def __init__(self, value: Any, journal: Journal) -> None:
        self.journal = journal
        self._but = STREAMED[type(value)]
        # A header, and how many of which annotations belong to it. They are kept apart, so that one more costs the
        # same however many there are; its own field is empty.
        self._values: Timeline[tuple[Any, list[Any], int]] = Timeline((value, [], 0))

    def load(self, value: Lazy, name: str, /) -> Any:
        """Set all fields that do not stream; the one that does is set already."""
        self.copy(value)
        set_source(value, self.journal)
        return object.__getattribute__(value, name)

    def copy(self, value: Lazy) -> None:
        """Set all fields that do not stream."""
        copy_fields(value, self.at(value._step), self._but)

    def at(self, step: int) -> Any:
        """Return the header as of `step`: the value without what streams."""
        value, annotations, count = self._values.at(step)
        return with_field(value, "annotations", tuple(annotations[:count])) if count else value

    @property
    def latest(self) -> Any:
        """The newest header, without its annotations."""
        return self._values.latest[0]

    def update(self, step: int, fields: Mapping[str, Any]) -> None:
        """Change fields, from `step` on."""
        value, annotations, count = self._values.latest
        value = replace(value, **fields)
        if "annotations" in fields:
            annotations, count = list(value.annotations), len(value.annotations)
            value = with_field(value, "annotations", ())
        self._values.set(step, (value, annotations, count))

    def add_annotation(self, step: int, annotation: Any) -> None:
        """Add a frozen annotation, from `step` on."""
        value, annotations, count = self._values.latest
        del annotations[count:]  # what a call that was broken off left
        annotations.append(annotation)
        self._values.set(step, (value, annotations, count + 1))

    def added_annotations(self, after: int, until: int) -> list[Any] | None:
        """Return the annotations added after one step and until another; None if anything else has changed."""
        value, annotations, count = self._values.at(after)
        new_value, new_annotations, new_count = self._values.at(until)
        if value is not new_value or annotations is not new_annotations:
            return None
        return annotations[count:new_count]

    def mark(self) -> int:
        """Return what `restore` needs to take back later changes."""
        return len(self._values)

    def restore(self, mark: int) -> None:
        """Take back the changes since `mark`, which no event has shown."""
        self._values.forget(mark)
