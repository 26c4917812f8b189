# SPDX-License-Identifier: MIT
"""The lines of an HTTP body, in whatever parts its client hands it out."""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import codecs
import re

from ._objects import is_whole

__all__ = ["FIELD", "LineSplitter"]

FIELD = re.compile("(data|event|id|retry|error)(?:: ?|\\Z)|:")
"""The beginning of a line of an event stream: the name of a field, or the colon of a comment."""

_NAMED_FIELD = re.compile("(?:data|event|id|retry|error):")


class LineSplitter:
    """Splits a body into lines.

    HTTP clients iterate over lines without their ends (httpx, requests), over lines with them (urllib,
    aiohttp), or over parts cut anywhere. Which of these a body is must be found out: a line end excludes
    the first; an empty part, which is a blank line, or complete lines one after another exclude the
    others. Parts that come before that is known are held back.
    """

    def __init__(self) -> None:
        self._has_line_ends: bool | None = None  # None until it is known
        self._held: list[str | bytes] = []  # parts that came before that
        self._only_fields = True  # whether each of them begins as a line does
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []  # the beginning of a line whose end has not come
        self._after_cr = False

    def feed(self, part: str | bytes) -> list[str]:
        """Return the lines that the next part of the body completes."""
        if self._has_line_ends:
            return self._split(part)
        text = _decoded(part)
        if "\n" in text or "\r" in text:
            self._has_line_ends = True
            return [line for held in [*self._flush(), part] for line in self._split(held)]
        if self._has_line_ends is None and not self._is_line(text):
            if text:
                is_field = _NAMED_FIELD.match(text) or (text[0] == ":" and not self._held)
                self._only_fields = self._only_fields and bool(is_field)
                self._held.append(part)
            return []
        return [*map(_decoded, self._flush()), text]

    def close(self) -> list[str]:
        """Return the lines that are left at the end of the body."""
        if self._held and self._only_fields:
            return [*map(_decoded, self._flush())]
        lines = [line for part in self._flush() for line in self._split(part)]
        rest = "".join(self._line) + self._decoder.decode(b"", final=True)
        self._line = []
        return [*lines, rest] if rest else lines

    def _flush(self) -> list[str | bytes]:
        held, self._held = self._held, []
        return held

    def _is_line(self, text: str) -> bool:
        """Return whether a part without a line end is known to be a line."""
        if not self._held:  # complete JSON is a line whatever follows, but does not show what the next part is
            return is_whole(text)
        if not text:
            self._has_line_ends = False
        elif self._only_fields and _NAMED_FIELD.match(text):
            before = _decoded(self._held[-1])
            if not before.startswith("data:") or is_whole(before.removeprefix("data:").strip()):
                self._has_line_ends = False
        return self._has_line_ends is False

    def _split(self, part: str | bytes) -> list[str]:
        text = self._decoder.decode(part) if isinstance(part, bytes) else _decoded(part)
        if not text:
            return []
        if self._after_cr:
            text = text.removeprefix("\n")
        self._after_cr = text.endswith("\r")  # the second half of a CRLF may follow
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *others = text.split("\n")
        self._line.append(first)
        if not others:
            return []
        first = "".join(self._line)
        self._line = [others.pop()]
        return [first, *others]


def _decoded(part: str | bytes) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(part).decode(errors="replace")
    raise TypeError(f"expected bytes or text, found {type(part).__name__}")
