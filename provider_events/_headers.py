# SPDX-License-Identifier: MIT
"""The fields of messages and blocks that do not stream, with their history.

The `_source` of a snapshot tells which of its fields are not set yet:

    MessageLog, BlockLog   the one that streams; the others may be set
    Headers                the others
    Journal                none; the journal identifies the stream
    None                   none; the value was made by its constructor

Each list here holds tuples that begin with a step. A tuple is appended at once, so that a reader in another thread
finds all or nothing of it; see `_log.py`.
"""

# `_source` and `_step` of a lazy value are private to the package, not to the class:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from ._json import freeze
from ._lazy import Lazy, Source, set_source
from .messages import AssistantMessage, TextContent, ThinkingContent, ToolCall

V = TypeVar("V")

BY_STEP = itemgetter(0)

STREAMED: Final[dict[type[Any], str]] = {
    TextContent: "text",
    ThinkingContent: "thinking",
    ToolCall: "arguments",
    AssistantMessage: "content",
}
"""By class, the field that streams. A header is an instance in which it is empty."""


class Timeline(Generic[V]):
    """A value that changes from step to step, with its history."""

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
        """Remove all but the first `count` values."""
        del self._entries[count:]


class Journal(Source):
    """Which blocks changed at which step, other than by deltas: they started, ended, or their header changed.

    It also identifies a stream: all snapshots of a stream share it, whether they have been read or not.
    """

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: list[tuple[int, int]] = []

    def note(self, step: int, content_index: int) -> None:
        """Record that a block changes at `step`."""
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
    """The header of a message or block, with its history."""

    __slots__ = ("journal", "_streamed", "_values")

    def __init__(self, value: Any, journal: Journal) -> None:
        self.journal = journal
        self._streamed = STREAMED[type(value)]
        # A header without annotations, the list of them, and how many of that list belong to the header. The list is
        # shared by headers, so that one more annotation costs the same however many there are.
        self._values: Timeline[tuple[Any, list[Any], int]] = Timeline((value, [], 0))

    def load(self, value: Lazy, name: str, /) -> Any:
        """Set the fields that do not stream. The one that does has been set."""
        self.set_fields(value)
        set_source(value, self.journal)
        return object.__getattribute__(value, name)

    def set_fields(self, value: Lazy) -> None:
        """Set the fields of a snapshot that do not stream."""
        header = self.at(value._step)
        for name in header.__match_args__:
            if name != self._streamed:
                object.__setattr__(value, name, getattr(header, name))

    def at(self, step: int) -> Any:
        """Return the header as of `step`."""
        header, annotations, count = self._values.at(step)
        if count:
            header = copy(header)  # `replace` would freeze every annotation again
            object.__setattr__(header, "annotations", tuple(annotations[:count]))
        return header

    @property
    def latest(self) -> Any:
        """The newest header, without its annotations."""
        return self._values.latest[0]

    def update(self, step: int, fields: Mapping[str, Any]) -> None:
        """Change fields, from `step` on."""
        header, annotations, count = self._values.latest
        if "annotations" in fields:
            annotations = [*map(freeze, fields["annotations"])]
            fields, count = {**fields, "annotations": ()}, len(annotations)
        self._values.set(step, (replace(header, **fields), annotations, count))

    def add_annotation(self, step: int, annotation: Any) -> None:
        """Add a frozen annotation, from `step` on."""
        header, annotations, count = self._values.latest
        del annotations[count:]  # left by a call that was interrupted
        annotations.append(annotation)
        self._values.set(step, (header, annotations, count + 1))

    def added_annotations(self, after: int, until: int) -> list[Any] | None:
        """Return the annotations added after one step and until another; None if anything else has changed."""
        header, annotations, count = self._values.at(after)
        new_header, new_annotations, new_count = self._values.at(until)
        if header is not new_header or annotations is not new_annotations:
            return None
        return annotations[count:new_count]

    def mark(self) -> int:
        """Return what `restore` needs to undo later changes."""
        return len(self._values)

    def restore(self, mark: int) -> None:
        """Undo the changes since `mark`, which no event has shown."""
        self._values.forget(mark)
