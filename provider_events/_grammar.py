# SPDX-License-Identifier: MIT
"""The grammar of a stream: which event may come when.

    FallbackStart* ( Start block-events (Done | Error) | Error | FallbackExhausted )

The block-events of one content index are one start, any number of deltas and one end, all of one kind. A new
block takes the next index. `Done` needs every block to have ended; `Error` does not.

Everything that affects the grammar is in this file. Builder, checker, log and router ask a `StreamState`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from .events import (
    Done,
    Error,
    FallbackExhausted,
    FallbackStart,
    ProviderEvent,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from .messages import ImageContent, TextContent, ThinkingContent, ToolCall, UnknownContent

StreamedContent: TypeAlias = TextContent | ThinkingContent | ToolCall
"""The blocks that have events of their own."""

EventlessContent: TypeAlias = ImageContent | UnknownContent
"""The blocks that have none."""

EVENTLESS: Final = (ImageContent, UnknownContent)

BlockKind: TypeAlias = type[TextContent] | type[ThinkingContent] | type[ToolCall]
"""The kind of a block is the class of its content."""

BlockStart: TypeAlias = TextStart | ThinkingStart | ToolCallStart
BlockDelta: TypeAlias = TextDelta | ThinkingDelta | ToolCallDelta
BlockEnd: TypeAlias = TextEnd | ThinkingEnd | ToolCallEnd

Phase: TypeAlias = Literal["new", "started", "ended"]


class BlockEvents(NamedTuple):
    """The events of one kind of block."""

    start: type[BlockStart]
    delta: type[BlockDelta]
    end: type[BlockEnd]


BLOCK_EVENTS: dict[BlockKind, BlockEvents] = {
    TextContent: BlockEvents(TextStart, TextDelta, TextEnd),
    ThinkingContent: BlockEvents(ThinkingStart, ThinkingDelta, ThinkingEnd),
    ToolCall: BlockEvents(ToolCallStart, ToolCallDelta, ToolCallEnd),
}

KIND_OF: dict[type[ProviderEvent], BlockKind] = {
    event: kind for kind, events in BLOCK_EVENTS.items() for event in events
}
"""By the class of a block's event: the kind of the block."""

STARTS = frozenset(events.start for events in BLOCK_EVENTS.values())
DELTAS = frozenset(events.delta for events in BLOCK_EVENTS.values())
ENDS = frozenset(events.end for events in BLOCK_EVENTS.values())

_IN_BLOCKS: dict[type[ProviderEvent], Phase] = dict.fromkeys(KIND_OF, "started")

# By the phase of the stream: which events may come, and the phase after them.
PHASES: dict[Phase, dict[type[ProviderEvent], Phase]] = {
    "new": {FallbackStart: "new", Start: "started", Error: "ended", FallbackExhausted: "ended"},
    "started": {**_IN_BLOCKS, Done: "ended", Error: "ended"},
    "ended": {},
}


class StreamState:
    """How far a stream has come, and what may come next."""

    __slots__ = ("phase", "open_blocks", "next_index")

    def __init__(self) -> None:
        self.phase: Phase = "new"
        self.open_blocks: dict[int, BlockKind] = {}
        """The blocks that have started and not ended: their kinds by content index, in order of their starts."""
        self.next_index = 0
        """The content index of the next block, which is the number of blocks so far."""

    def allows(self, event: type[ProviderEvent], content_index: int | None = None) -> bool:
        """Return whether an event may come next; `content_index` is that of a block's event."""
        if event not in PHASES[self.phase]:
            return False
        kind = KIND_OF.get(event)
        if kind is None:
            return event is not Done or not self.open_blocks
        if event in STARTS:
            return content_index == self.next_index
        return content_index is not None and self.open_blocks.get(content_index) is kind

    def advance(self, event: type[ProviderEvent], content_index: int | None = None) -> None:
        """Move on by an event, which `allows` has allowed."""
        self.phase = PHASES[self.phase][event]
        if content_index is None:
            return
        if event in STARTS:
            self.open_blocks[content_index] = KIND_OF[event]
            self.next_index = content_index + 1
        elif event in ENDS:
            del self.open_blocks[content_index]

    def add_block(self) -> int:
        """Count a block without events, which may come whenever the stream is started. Return its content index."""
        self.next_index += 1
        return self.next_index - 1

    def expected(self) -> list[type[ProviderEvent]]:
        """Return the events that may come next."""
        kinds = set(self.open_blocks.values())
        return [
            event
            for event in PHASES[self.phase]
            if not (event is Done and kinds) and (event in STARTS or KIND_OF.get(event) in {None, *kinds})
        ]

    def __str__(self) -> str:
        if self.phase == "new":
            return "the stream has not started"
        if self.phase == "ended":
            return "the stream has ended"
        blocks = [f"{kind.__name__} at content index {index}" for index, kind in self.open_blocks.items()]
        return f"open blocks: {', '.join(blocks) or 'none'}"
