# SPDX-License-Identifier: MIT
"""The blocks that a builder has open, and how it undoes a call that an exception interrupts."""

from __future__ import annotations

from ._grammar import BLOCK_EVENTS, BlockKind, Phase, StreamState
from ._log import BlockLog, MessageLog


class OpenBlocks:
    """The blocks that have started and not ended. No call takes longer the more there are."""

    __slots__ = ("by_index", "_by_kind")

    def __init__(self) -> None:
        self.by_index: dict[int, BlockLog] = {}
        # In the order of their starts. A block that has ended stays in the list until it is the last.
        self._by_kind: dict[BlockKind, list[BlockLog]] = {kind: [] for kind in BLOCK_EVENTS}

    def find(self, kind: BlockKind, content_index: int | None) -> BlockLog | None:
        """Return the open block of a kind at an index, by default the latest."""
        if content_index is None:
            blocks = self._by_kind[kind]
            return blocks[-1] if blocks else None
        block = self.by_index.get(content_index)
        return block if block is not None and block.kind is kind else None

    def add(self, block: BlockLog) -> None:
        """Add a block that starts."""
        self.by_index[block.index] = block
        self._by_kind[block.kind].append(block)

    def remove(self, block: BlockLog) -> None:
        """Remove a block that has ended."""
        del self.by_index[block.index]
        blocks = self._by_kind[block.kind]
        while blocks and blocks[-1].index not in self.by_index:
            blocks.pop()

    def clear(self) -> None:
        """Remove all blocks: the message has ended."""
        self.by_index.clear()
        for blocks in self._by_kind.values():
            blocks.clear()

    def undo_add(self, content_index: int) -> None:
        """Undo `add`, as far as it came."""
        self.by_index.pop(content_index, None)
        for blocks in self._by_kind.values():
            if blocks and blocks[-1].index == content_index:
                blocks.pop()

    def undo_remove(self, block: BlockLog) -> None:
        """Undo `remove`, as far as it came."""
        self.by_index[block.index] = block
        blocks = self._by_kind[block.kind]
        if not blocks or blocks[-1].index < block.index:
            blocks.append(block)


class Savepoint:
    """The state of a builder before a call writes to it."""

    __slots__ = ("_state", "_log", "_open", "_phase", "_next_index", "_mark")

    def __init__(self, state: StreamState, log: MessageLog, blocks: OpenBlocks) -> None:
        self._state, self._log, self._open = state, log, blocks
        self._phase: Phase = state.phase
        self._next_index = state.next_index
        self._mark = log.mark()

    def restore(self) -> None:
        """Undo what has been written since: the step, a block that started in it, the ends of blocks."""
        state = self._state
        state.phase, state.next_index = self._phase, self._next_index
        self._open.undo_add(self._next_index)
        for block in self._log.restore(self._mark):
            block.reopen()
            self._open.undo_remove(block)
        state.open_blocks = {index: block.kind for index, block in sorted(self._open.by_index.items())}
