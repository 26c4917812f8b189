# SPDX-License-Identifier: MIT
"""The texts of a Responses stream's output items, part by part."""

from __future__ import annotations

from ..messages import ToolCall
from ._blocks import OpenBlock
from ._details import whole_characters
from ._payload import index_or_none

__all__ = ["Track"]

_NEW_PART = -1  # an index that no part has


class Track:
    """A text of an item: the block that it goes into, and the deltas of its parts."""

    __slots__ = (
        "stream", "block", "deltas", "part", "is_part_done", "has_logprobs", "_part_start", "_earlier", "_counted",
    )  # fmt: skip

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.block: OpenBlock | None = None
        self.deltas: list[str] = []
        self.part: int | None = None
        """The index of the current part, as the provider counts."""
        self.is_part_done = False
        self.has_logprobs = False
        """Whether log probabilities of the current part have come."""
        self._part_start = 0  # among the deltas
        self._earlier: set[int] = set()
        self._counted = (0, 0)  # deltas, and characters in them

    @property
    def has_text(self) -> bool:
        """Whether any text has come."""
        return any(self.deltas)

    @property
    def is_complete(self) -> bool:
        """Whether it is the arguments of a call, and they are complete; a placeholder is not."""
        block = self.block
        return block is not None and not block.held and block.kind is ToolCall and block.has_all_arguments

    @property
    def text(self) -> str:
        """The text so far."""
        return whole_characters("".join(self.deltas))

    @property
    def part_text(self) -> str:
        """The text of the current part so far."""
        return whole_characters("".join(self.deltas[self._part_start :]))

    def move_to(self, index: object) -> bool:
        """Move on to the part at an index; return whether the text of another part is before it."""
        part = index_or_none(index)
        if self.part == _NEW_PART:
            self.part, self.is_part_done = part, False
            return self.has_text
        if part is None or part == self.part:
            return False
        before, self.part = self.part, part
        if before is None:  # the deltas before had no index
            return False
        self._earlier.add(before)
        self.is_part_done = self.has_logprobs = False
        return self.has_text

    def expect_part(self) -> None:
        """Let the next delta begin a part, if the current one is done."""
        if self.is_part_done:
            if self.part is not None:
                self._earlier.add(self.part)
            self.part = _NEW_PART

    def begin_part(self) -> None:
        """Let what comes now be the text of the current part."""
        self._part_start = len(self.deltas)

    def compare(self, index: object, whole: str) -> tuple[bool, str]:
        """Return whether a part's whole text is that of a part of which nothing has streamed, and what it adds.

        Indexes alone do not tell: some servers count otherwise in whole texts than in deltas.
        """
        part, text = index_or_none(index), self.part_text
        if whole == text or part in self._earlier:
            return False, ""
        is_current = part is None or self.part in (None, part) or not text
        may_continue = is_current or not self.is_part_done
        if may_continue and (rest := self.rest(whole, text)):
            return False, rest
        if 2 * len(whole) >= self._length():  # so that it is linear, however many parts there are
            before = self.text
            if whole == before or (may_continue and whole.startswith(before)):
                return False, whole[len(before) :]
        return (False, "") if is_current else (True, whole)

    def _length(self) -> int:
        """Return the number of characters so far; halves of surrogate pairs count as one each."""
        counted, length = self._counted
        length += sum(map(len, self.deltas[counted:]))
        self._counted = len(self.deltas), length
        return length

    def rest(self, whole: str, before: str) -> str:
        """Return what a whole text adds to the text before it: the rest if it begins with that, else nothing."""
        if whole.startswith(before):
            return whole[len(before) :]
        return whole if self.stream == "arguments" and before.strip() == "{}" else ""  # a placeholder
