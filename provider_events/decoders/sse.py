# SPDX-License-Identifier: MIT
"""Server-sent events: from the lines of a `text/event-stream` body to the payloads in it.

After https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

_LINE_END = re.compile("\r\n|\r|\n")


class _Parser:
    """Takes a body in the pieces that an HTTP client hands out, and gives the payloads they complete.

    Clients hand out lines without their ends (httpx, requests), lines with them (urllib, aiohttp), or
    whatever the network brought. An empty piece tells of the first kind, for it is a blank line; a
    piece with a line end in it, of the others. Until either comes, pieces wait.
    """

    def __init__(self) -> None:
        self._waiting: list[str | bytes] = []
        self._ends_kept: bool | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []  # the pieces of a line whose end is still to come
        self._after_cr = False
        self._at_start = True
        self._data: list[str] = []

    def payloads(self, piece: str | bytes) -> list[str]:
        """The payloads that `piece` completes."""
        if not self._ends_kept:
            self._waiting.append(piece)
            if _LINE_END.search(piece if isinstance(piece, str) else piece.decode("latin-1")):
                self._ends_kept = True
            elif not piece:
                self._ends_kept = False
            elif self._ends_kept is None:
                return []
            pieces, self._waiting = self._waiting, []
        else:
            pieces = [piece]
        lines = [line for each in pieces for line in (self._split(each) if self._ends_kept else [_decoded(each)])]
        return [payload for line in lines if (payload := self._take(line)) is not None]

    def _split(self, piece: str | bytes) -> list[str]:
        """The lines that `piece` completes."""
        text = piece if isinstance(piece, str) else self._decoder.decode(piece)
        if not text:
            return []
        first, *others = _LINE_END.split(text.removeprefix("\n") if self._after_cr else text)
        self._after_cr = text.endswith("\r")  # then the rest of a CRLF may be still to come
        self._line.append(first)
        if not others:
            return []
        lines = ["".join(self._line), *others[:-1]]
        self._line = [others[-1]]
        return lines

    def _take(self, line: str) -> str | None:
        """Interpret a line; the payload, if the line ends an event that has one."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix("\ufeff")
        if not line:
            payload = "\n".join(self._data) if self._data else None
            self._data.clear()
            return payload
        field, _, value = line.partition(":")  # a comment is a field without a name
        if field == "data":
            self._data.append(value.removeprefix(" "))
        return None


def _decoded(line: str | bytes) -> str:
    return line if isinstance(line, str) else line.decode(errors="replace")


def iter_sse(lines: Iterable[str | bytes]) -> Iterator[str]:
    """The payload texts in the lines of a `text/event-stream` body, however its client cut them.

    As the standard has it, an event without the blank line that ends it is dropped, and invalid
    UTF-8 is replaced.
    """
    parser = _Parser()
    for line in lines:
        yield from parser.payloads(line)


async def aiter_sse(lines: AsyncIterable[str | bytes]) -> AsyncIterator[str]:
    """`iter_sse` for the lines of an asynchronous client."""
    parser = _Parser()
    async for line in lines:
        for payload in parser.payloads(line):
            yield payload
