# SPDX-License-Identifier: MIT
"""The lines of an HTTP body, however its client cut it."""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import codecs
import re

from ._objects import is_whole

__all__ = ["FIELD", "LineSplitter"]

FIELD = re.compile("(data|event|id|retry|error)(?:: ?|\\Z)|:")
"""The beginning of a line of an event stream: the name of its field, or a comment's colon."""

_NAMED_FIELD = re.compile("(?:data|event|id|retry|error):")


class LineSplitter:
    """Splits a body into lines.

    Clients hand out lines without their ends (httpx, requests), lines with them (urllib, aiohttp), or
    whatever the network brought. A line end tells of the last two. An empty piece is a blank line of
    the first kind, and so are whole lines one after another. Until something tells, pieces wait.
    """

    def __init__(self) -> None:
        self._ends_kept: bool | None = None
        self._waiting: list[str | bytes] = []
        self._only_fields = True  # whether every piece that waits begins like a line
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []  # the beginning of a line whose end has not come
        self._after_cr = False

    def feed(self, piece: str | bytes) -> list[str]:
        """Return the lines that `piece` completes."""
        if self._ends_kept:
            return self._split(piece)
        text = _decoded(piece)
        if "\n" in text or "\r" in text:
            self._ends_kept = True
            return [line for each in [*self._flush(), piece] for line in self._split(each)]
        if self._ends_kept is None and not self._is_line(text):
            if text:
                is_field = _NAMED_FIELD.match(text) or (text[0] == ":" and not self._waiting)
                self._only_fields = self._only_fields and bool(is_field)
                self._waiting.append(piece)
            return []
        return [*map(_decoded, self._flush()), text]

    def close(self) -> list[str]:
        """Return what is left at the end of the body."""
        if self._waiting and self._only_fields:
            return [*map(_decoded, self._flush())]
        lines = [line for piece in self._flush() for line in self._split(piece)]
        rest = "".join(self._line) + self._decoder.decode(b"", final=True)
        self._line = []
        return [*lines, rest] if rest else lines

    def _flush(self) -> list[str | bytes]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _is_line(self, text: str) -> bool:
        """Whether `text`, without a line end, is a line, as far as it and what waits can tell."""
        if not self._waiting:  # JSON that is whole is a line whatever follows, and tells nothing of the next
            return is_whole(text)
        if not text:
            self._ends_kept = False
        elif self._only_fields and _NAMED_FIELD.match(text):
            before = _decoded(self._waiting[-1])
            if not before.startswith("data:") or is_whole(before.removeprefix("data:").strip()):
                self._ends_kept = False
        return self._ends_kept is False

    def _split(self, piece: str | bytes) -> list[str]:
        text = self._decoder.decode(piece) if isinstance(piece, bytes) else _decoded(piece)
        if not text:
            return []
        if self._after_cr:
            text = text.removeprefix("\n")
        self._after_cr = text.endswith("\r")  # then the rest of a CRLF may follow
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *others = text.split("\n")
        self._line.append(first)
        if not others:
            return []
        first = "".join(self._line)
        self._line = [others.pop()]
        return [first, *others]


def _decoded(piece: str | bytes) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece).decode(errors="replace")
    raise TypeError(f"expected bytes or text, found {type(piece).__name__}")
