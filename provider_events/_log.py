# SPDX-License-Identifier: MIT
"""The log behind a stream's lazy snapshots.

The builder never copies what has come so far. It records each change once, with its step: the number of the event
that brought it. A snapshot is a reference to the log and a step; its fields are looked up when they are read.

Retention. A snapshot that has not been read takes 150 bytes, and keeps the log of its stream alive: for each delta
its text and 50 bytes, for each block 1 KB, for each other change 300 bytes, and, once text has been read, a copy of
it. Reading `content` releases the log of the message; reading the text or the arguments of a block releases the log of
the block. What remains is small: earlier values of the other fields, until one of them is read, and the `Journal`,
100 bytes for each start, end or update of a block. Deep copies, pickled snapshots and the messages of `Done` and
`Error` keep no log; a shallow copy shares the blocks, read or not.

Threads. One thread builds; any number read, without locks. Why that is right:

- Every list here only grows, and a reader depends on its entries for the steps up to its own, never on its length.
  The builder yields a step, with its event, after everything of that step has been written.
- Entries are found by their steps. A pair is one tuple, appended at once; a delta is appended before its step, so
  that a reader that finds the step finds the delta. What is appended meanwhile has a later step, and is not found.
- A cache is one attribute, replaced at once by a tuple that is complete and has the step as of which it is right. It
  is right for later steps too, as far as the lists have nothing newer. If two readers replace it, either tuple will do.
- A `PartialObject` serves one thread at a time: a reader first takes it out of the list, which only one can.
"""

# `_source` and `_step` of a lazy value are private to the package, not to the class:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from math import inf
from typing import Any, Final, TypeVar, cast

from ._headers import BY_STEP, STREAMED, Headers, Journal, Timeline
from ._json import FrozenDict
from ._lazy import Lazy, Source, lazy, set_source, setter
from ._partial_json import PartialObject
from .messages import AssistantMessage, ContentBlock, TextContent, ThinkingContent, ToolCall

B = TypeVar("B", bound=AssistantMessage | ContentBlock | None)

# By class, the fields that make a header of a value.
_NOT_IN_HEADER: Final[dict[type[Any], dict[str, Any]]] = {
    TextContent: {"text": ""},
    ThinkingContent: {"thinking": ""},
    ToolCall: {"arguments": {}, "invalid_arguments": None},
    AssistantMessage: {"content": ()},
}
_EMPTY: Final[dict[type[Any], Any]] = {
    TextContent: TextContent(""),
    ThinkingContent: ThinkingContent(""),
    ToolCall: ToolCall("", "", {}),
}
_NO_DELTAS: Final = (0, 0, "")
_MAX_READERS: Final = 4


class BlockLog(Source):
    """The log of a block that streams: its deltas in order, and at which step each came."""

    __slots__ = (
        "kind", "index", "start_step", "end_step", "final", "headers", "_journal",
        "_deltas", "_steps", "_field", "_set_field", "_text", "_older_text", "_readers",
    )  # fmt: skip

    is_log = True

    def __init__(self, kind: type[Any], index: int, step: int, journal: Journal) -> None:
        self.kind = kind
        self.index = index
        self.start_step = step
        self.end_step: float = inf
        self.final: Any = None
        """The content, once the block has ended."""
        self.headers = Headers(_EMPTY[kind], journal)
        self._journal = journal
        self._deltas: list[str] = []
        self._steps: list[int] = []  # of the deltas
        self._field = STREAMED[kind]
        self._set_field = setter(kind, self._field)
        # Caches: a step, how many deltas had come, and these joined. The second is for readers that lag behind.
        self._text = self._older_text = _NO_DELTAS
        self._readers: list[tuple[int, PartialObject]] = []  # of arguments, with how many deltas each has read

    # What the builder writes

    def append(self, delta: str, step: int) -> None:
        """Record a delta."""
        self._deltas.append(delta)
        self._steps.append(step)  # last, since readers look for it

    def take_back(self, step: int) -> None:
        """Undo `append`, as far as it came."""
        if self._steps and self._steps[-1] == step:
            self._steps.pop()
        del self._deltas[len(self._steps) :]

    def update(self, step: int, fields: dict[str, Any]) -> None:
        """Change fields of the header, from `step` on."""
        self._journal.note(step, self.index)
        self.headers.update(step, fields)

    def add_annotation(self, step: int, annotation: Any) -> None:
        """Add a frozen annotation, from `step` on."""
        self._journal.note(step, self.index)
        self.headers.add_annotation(step, annotation)

    def end(self, step: int, final: Any) -> None:
        """Set the final content, from `step` on."""
        self._journal.note(step, self.index)
        self.final = final
        self.end_step = step  # last, since readers compare it
        self._text = self._older_text = _NO_DELTAS
        self._readers.clear()

    def reopen(self) -> None:
        """Undo `end`."""
        self.end_step = inf
        self.final = None

    # What snapshots read

    def load(self, value: Lazy, name: str, /) -> Any:
        """Set the field that streams, or all others."""
        step = value._step
        if name != self._field:
            self.headers.set_fields(value)
            return object.__getattribute__(value, name)
        streamed = self._arguments(step) if self.kind is ToolCall else self.text(step)
        self._set_field(value, streamed)
        set_source(value, self.headers)
        return streamed

    def snapshot(self, step: int, earlier: Lazy) -> Lazy:
        """Return the content as of `step`.

        If the text of an `earlier` snapshot has been read, that of this one probably will be. It is set at once: that
        is cheaper than `__getattr__`.
        """
        value: Lazy = lazy(self.kind, self, step)
        if earlier._source is not self and self.kind is not ToolCall:
            self._set_field(value, self.text(step))
            set_source(value, self.headers)
        return value

    def streamed(self, step: int) -> dict[str, Any]:
        """Return the field that streams, by name, as of `step`."""
        return {self._field: self._arguments(step) if self.kind is ToolCall else self.text(step)}

    def text(self, step: int) -> str:
        """Return the deltas as of `step`, joined."""
        since, known, text = self._text
        if step < since:
            older = self._older_text  # read once, since another reader may replace it
            _, known, text = older if step >= older[0] else _NO_DELTAS
            count = bisect_right(self._steps, step, known)
            text = "".join((text, *self._deltas[known:count]))
            self._older_text = (step, count, text)
            return text
        count = bisect_right(self._steps, step, known)
        if count == known:
            return text
        text = text + self._deltas[known] if count == known + 1 else "".join((text, *self._deltas[known:count]))
        self._text = (step, count, text)
        return text

    def _arguments(self, step: int) -> FrozenDict:
        """Return what can be read of the deltas as of `step` as a JSON object."""
        count = bisect_right(self._steps, step)
        known, reader = self._take_reader(count)
        if count > known:
            reader.feed("".join(self._deltas[known:count]))
        value = reader.value()
        self._readers.append((count, reader))
        return value

    def _take_reader(self, count: int) -> tuple[int, PartialObject]:
        """Take out the reader that has come nearest to `count` deltas, or make a new one."""
        readers = self._readers
        furthest_first = sorted(readers, key=BY_STEP, reverse=True) if len(readers) > 1 else readers[:]
        for entry in furthest_first:
            if entry[0] <= count:
                try:
                    readers.remove(entry)
                except ValueError:  # another thread has taken it
                    continue
                return entry
        del readers[: 1 - _MAX_READERS]  # keep one for each consumer, up to a limit
        return 0, PartialObject()


class MessageLog(Source):
    """The log of a message."""

    __slots__ = ("step", "journal", "headers", "blocks", "_starts", "_streamed", "_content", "_texts")

    is_log = True

    def __init__(self, message: AssistantMessage) -> None:
        self.step = 0
        """The number of events so far."""
        self.journal = Journal()
        self.headers = Headers(message, self.journal)
        self.blocks: list[BlockLog | Timeline[ContentBlock]] = []
        """By content index; those that do not stream as timelines."""
        self._starts: list[int] = []  # at which step each block began
        self._streamed: dict[type[Any], list[BlockLog]] = {kind: [] for kind in _EMPTY}
        # Caches: a step, the content, and which blocks of it were open;
        self._content: tuple[int, list[Any], list[int]] = _NO_CONTENT
        # for each kind a step, how many of its blocks had ended, one after the other, and their joined text.
        self._texts: dict[type[Any], tuple[float, int, str]] = {}

    # What the builder writes

    def add(self, step: int, block: BlockLog | ContentBlock) -> None:
        """Add a block at the next content index, from `step` on."""
        self.journal.note(step, len(self.blocks))
        if isinstance(block, BlockLog):
            self._streamed[block.kind].append(block)
            self.blocks.append(block)
        else:
            self.blocks.append(Timeline(block))
        self._starts.append(step)  # last, since readers look for it

    def grow(self, step: int, content_index: int, block: ContentBlock) -> None:
        """Replace a block that does not stream, from `step` on."""
        timeline = self.blocks[content_index]
        assert isinstance(timeline, Timeline)
        self.journal.note(step, content_index)
        timeline.set(step, block)

    def latest(self, content_index: int) -> ContentBlock | None:
        """Return the newest state of a block that does not stream; None if there is none at this index."""
        block = self.blocks[content_index] if content_index in range(len(self.blocks)) else None
        return block.latest if isinstance(block, Timeline) else None

    @property
    def has_calls(self) -> bool:
        """Whether there is a tool call."""
        return bool(self._streamed[ToolCall])

    def call_id(self, content_index: int) -> str | None:
        """Return the newest id of the tool call at an index; None if there is none."""
        block = self.blocks[content_index] if content_index < len(self.blocks) else None
        if not isinstance(block, BlockLog) or block.kind is not ToolCall:
            return None
        call: ToolCall = block.final or block.headers.latest
        return call.id

    def mark(self) -> tuple[int, int, int]:
        """Return what `restore` needs to undo later changes."""
        return self.step, self.headers.mark(), len(self._starts)

    def restore(self, mark: tuple[int, int, int]) -> list[BlockLog]:
        """Undo the step, headers and new blocks since `mark`. Return the older blocks that changed since."""
        self.step, headers, index = mark
        self.headers.restore(headers)
        del self._starts[index:]
        del self.blocks[index:]
        for blocks in self._streamed.values():
            if blocks and blocks[-1].index >= index:
                blocks.pop()
        self._content = _NO_CONTENT  # another thread may have read the step
        indexes = sorted(self.journal.changed(self.step, inf))
        changed = [self.blocks[index] for index in indexes if index < len(self.blocks)]
        return [block for block in changed if isinstance(block, BlockLog)]

    # What snapshots read

    def load(self, value: Lazy, name: str, /) -> Any:
        """Set the content, or all other fields."""
        step = value._step
        if name != "content":
            self.headers.set_fields(value)
            return object.__getattribute__(value, name)
        content = self.content(step)
        _set_content(value, content)
        set_source(value, self.headers)
        return content

    def block(self, content_index: int, step: int) -> ContentBlock | None:
        """Return one block as of `step`; None if it had not begun."""
        return self._begun_block(content_index, step) if content_index < bisect_right(self._starts, step) else None

    def content(self, step: int) -> tuple[ContentBlock, ...]:
        """Return all blocks as of `step`. Those that have ended are shared between snapshots."""
        since, known, open_indexes = self._content
        if since > step:
            since, known, open_indexes = _NO_CONTENT
        content = known.copy()
        changed = self.journal.changed(since, step)
        if not changed:  # the open blocks are the same, and have at most new deltas
            for index in open_indexes:
                block: Any = self.blocks[index]
                content[index] = block.snapshot(step, content[index])
            self._content = (step, content, open_indexes)
            return tuple(content)
        count = bisect_right(self._starts, step)
        still_open: list[int] = []
        content += [None] * (count - len(content))
        for index in changed.union(open_indexes):
            if index < count:
                content[index] = found = self._begun_block(index, step)
                if getattr(found, "_source", None) is self.blocks[index]:
                    still_open.append(index)
        self._content = (step, content, still_open)
        return tuple(content)

    def _begun_block(self, content_index: int, step: int) -> Any:
        block = self.blocks[content_index]
        if isinstance(block, Timeline):
            return block.at(step)
        return block.final if step >= block.end_step else lazy(block.kind, block, step)

    def joined_text(self, kind: type[TextContent] | type[ThinkingContent], step: int) -> str:
        """Return the text of all blocks of one kind as of `step`, joined, without making the blocks."""
        blocks = self._streamed[kind]
        since, count, text = self._texts.get(kind, _NO_TEXT)
        if since > step:
            since, count, text = _NO_TEXT
        if count < len(blocks) and blocks[count].end_step <= step:
            ended = [text]
            while count < len(blocks) and blocks[count].end_step <= step:
                ended.append(getattr(blocks[count].final, STREAMED[kind]))
                since, count = max(since, blocks[count].end_step), count + 1
            text = "".join(ended)
            self._texts[kind] = (since, count, text)
        rest = [block.text(step) for block in blocks[count:] if block.start_step <= step]
        if not rest:
            return text
        return rest[0] if len(rest) == 1 and not text else "".join((text, *rest))


_set_content = setter(AssistantMessage, "content")
_NO_CONTENT: Final[tuple[int, list[Any], list[int]]] = (0, [], [])
_NO_TEXT: Final[tuple[float, int, str]] = (0, 0, "")


# What can be asked of a snapshot without reading it; any other message or block has an answer, too


def header(value: B) -> B:
    """Return a message or block without the field that streams: content, text, thinking, arguments.

    For a snapshot, this costs the same however long the message is.
    """
    if not isinstance(value, Lazy):
        return value
    source = value._source
    headers = source if isinstance(source, Headers) else getattr(source, "headers", None)
    fields = _NOT_IN_HEADER[type(value)]
    found: B = replace(cast(Any, value), **fields) if headers is None else headers.at(value._step)
    return found


def block_at(message: AssistantMessage, content_index: int) -> ContentBlock | None:
    """Return `message.content[content_index]`, or None if there is none, at the cost of a `header`."""
    if isinstance(source := message._source, MessageLog):
        return source.block(content_index, message._step)
    return message.content[content_index] if content_index < len(message.content) else None


def origin(message: AssistantMessage) -> tuple[object, int] | None:
    """Return which stream a snapshot is of, as an identity, and as of which step: the number of its event.

    Whether it has been read makes no difference. None for a message that is no snapshot, or a copy of one.
    """
    journal = _journal(message)
    return None if journal is None else (journal, message._step)


def changed_blocks(message: AssistantMessage, since_step: int) -> list[int] | None:
    """Return the content indexes of the blocks that changed after `since_step`, other than by deltas.

    They started, ended or grew, or their header changed; some may not have changed after all. The cost is that of
    the changes. None for a message that is no snapshot, or a copy of one.
    """
    journal = _journal(message)
    return None if journal is None else sorted(journal.changed(since_step, message._step))


def added_annotations(message: AssistantMessage, content_index: int, since_step: int) -> list[Any] | None:
    """Return the annotations that an open block got after `since_step`.

    None if anything else in its header has changed, or if `message` has been read or is no snapshot.
    """
    source = message._source
    block = source.blocks[content_index] if isinstance(source, MessageLog) else None
    if not isinstance(block, BlockLog) or message._step >= block.end_step:
        return None
    return block.headers.added_annotations(since_step, message._step)


def _journal(message: AssistantMessage) -> Journal | None:
    source = message._source
    journal: Journal | None = source if source is None or isinstance(source, Journal) else source.journal
    return journal
