# SPDX-License-Identifier: MIT
"""The text of an output item of a Responses stream, which comes part by part, as deltas and again as a whole."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..messages import ToolCall
from ._blocks import OpenBlock
from ._details import whole_characters
from ._payload import index_or_none

__all__ = ["ItemText", "Source"]

Source: TypeAlias = Literal["text", "refusal", "summary", "reasoning", "arguments", "input"]
"""What a text is to its item: a message's text or refusal, a reasoning item's summary or full text, a function
call's arguments, or a custom tool call's input."""

_NEW_PART = -1
"""In place of the index of the current part, while a part is expected whose index is not known yet."""


class ItemText:
    """What has come from one source of an item, and the block that it goes into. One part is current at a time."""

    __slots__ = (
        "source", "block", "deltas", "part", "is_part_done", "has_logprobs",
        "_part_start", "_earlier_parts", "_counted",
    )  # fmt: skip

    def __init__(self, source: Source) -> None:
        self.source = source
        self.block: OpenBlock | None = None
        """Its block, while that is open."""
        self.deltas: list[str] = []
        """All new text so far, and what separates the parts."""
        self.part: int | None = None
        """The provider's index of the current part."""
        self.is_part_done = False
        """Whether the whole text of the current part has come."""
        self.has_logprobs = False
        """Whether log probabilities of the current part have come."""
        self._part_start = 0  # the number of deltas before the current part
        self._earlier_parts: set[int] = set()  # their indexes
        self._counted = (0, 0)  # how many deltas `_length` has counted, and their characters

    @property
    def has_text(self) -> bool:
        """Whether any text has come."""
        return any(self.deltas)

    @property
    def is_complete(self) -> bool:
        """Whether these are complete arguments of a call. A placeholder, which the block holds back, is not."""
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
        """Make the part at an index the current one; return whether it begins after the text of another part."""
        part = index_or_none(index)
        if self.part == _NEW_PART:
            self.part, self.is_part_done = part, False
            return self.has_text
        if part is None or part == self.part:
            return False
        before, self.part = self.part, part
        if before is None:  # the deltas so far had no index and are of this part
            return False
        self._earlier_parts.add(before)
        self.is_part_done = self.has_logprobs = False
        return self.has_text

    def expect_part(self) -> None:
        """Note that a part has begun, so that the next text is of a new part, if the current one is done."""
        if self.is_part_done:
            if self.part is not None:
                self._earlier_parts.add(self.part)
            self.part = _NEW_PART

    def begin_part(self) -> None:
        """Note that the text of the current part begins here."""
        self._part_start = len(self.deltas)

    def compare(self, index: object, whole: str) -> tuple[bool, str]:
        """Compare the whole text of a part with the deltas; return whether the part is new, and the text to append.

        The index alone does not decide: some servers count parts differently in whole texts than in deltas.
        """
        part, text = index_or_none(index), self.part_text
        if whole == text or part in self._earlier_parts:
            return False, ""
        is_current = part is None or self.part in (None, part) or not text
        may_continue = is_current or not self.is_part_done
        if may_continue and (rest := self.rest(whole, text)):
            return False, rest
        if 2 * len(whole) >= self._length():  # joining all deltas for each short part would be quadratic
            before = self.text  # some servers give the text of all parts as that of the last one
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
        """Return what a whole text has beyond the text before; nothing if it does not begin with it."""
        if whole.startswith(before):
            return whole[len(before) :]
        return whole if self.source == "arguments" and before.strip() == "{}" else ""  # a placeholder
