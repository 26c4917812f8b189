# SPDX-License-Identifier: MIT
"""Server-sent events: from an HTTP body to the payloads in it.

After https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, with what
providers and proxies make of it:

- The last event counts without the blank line behind it, but not if its JSON is cut off.
- Events may lack the blank line between them: JSON that is whole is a payload of its own. JSON that is
  not goes on in the next line, be it `data:` or a line without a field name.
- A `data:` value that is itself a line of an event stream (`data: data: {}`, `data: : comment`) is read as one.
- Payloads on one line (`{}data: {}`, `{}{}`) are told apart.
- Lines of bare JSON, in a body that is nothing else or between events, are payloads: each object, and
  each element of an array, over as many lines as it takes.
- An `error:` field is a payload, `{"error": ...}`, and so is the plain text of an event named for an error.
  The plain text of an event named for a sign of life or for the end (`event: ping`, `event: close`) is not.
- JSON without a type is of the type that its event is named for (`event: content_block_stop`).
- Of a body without any payload the beginning is one, and of an HTML page behind payloads.
"""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import Any

from .. import _sources
from .._json import OBJECT
from ._lines import FIELD, LineSplitter
from ._objects import ObjectFinder

__all__ = ["aiter_sse", "iter_sse"]

_NESTED_FIELD = re.compile(f"(?:data: ?)*(?:{FIELD.pattern})")
_JSON_START = re.compile(r"\s*[{\[]")
_ERROR_NAME = re.compile("error|fail|exception", re.IGNORECASE)
_SIGN_OF_LIFE = re.compile("ping|heartbeat|keep-?_?alive|done|end|close|complete", re.IGNORECASE)
_TYPE_NAME = re.compile("(?:message|content|tool|citation|response|interaction|step)[._-].+")  # of an API's events
_MAX_SHOWN = 2000  # characters of a body that is no event stream

_WHOLE: tuple[type[Any], ...] = (str, bytes, bytearray, memoryview)
_ITEMS = "bytes or text"
_HINT = "pass what an HTTP client iterates over, such as response.iter_bytes() or response.aiter_bytes()"


class _Parser:
    """Takes a body in pieces and returns the payloads that they complete."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._payloads: list[str] = []
        self._at_start = True
        self._event = ""  # the name of the event
        self._data: list[str] = []  # its data: a line that begins with JSON, or lines of plain text
        self._json = ObjectFinder()  # JSON that goes on in the next line
        self._is_bare = False  # whether that JSON began on a line without a field name
        self._body: list[str] | None = []  # the beginning of the body, until there is a payload
        self._has_content = False
        self._page: list[str] = []  # the beginning of an HTML page

    def feed(self, piece: str | bytes) -> list[str]:
        """Return the payloads that `piece` completes."""
        for line in self._lines.feed(piece):
            self._read(line)
        payloads, self._payloads = self._payloads, []
        return payloads

    def finish(self) -> list[str]:
        """Return the last payload, if it is whole but for the blank line behind it."""
        for line in self._lines.close():
            self._read(line)
        self._end_line()
        self._json = ObjectFinder()
        self._end_event()
        payloads, self._payloads = self._payloads, []
        return payloads

    def unframed(self) -> list[str]:
        """Return what came in no frame: an HTML page, or the body if it had no payload."""
        lines = self._body if self._body and self._has_content else self._page
        text = "\n".join(lines)[:_MAX_SHOWN].rstrip("\n")
        return [text] if text.strip() else []

    def _read(self, line: str) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix("\ufeff")
        if self._body is not None:
            _keep_beginning(self._body, line)
        if not line:
            self._end_event()
            return
        if self._data:
            self._end_line()
        goes_on = self._json.is_open and not self._is_bare
        field = (FIELD if goes_on else _NESTED_FIELD).match(line)
        name = field[1] if field else ""
        if field is None:
            self._read_bare(line)
        elif name == "data":
            self._read_data(line[field.end() :])
        elif name == "event":
            self._event = line[field.end() :]
        elif name == "error":
            self._end_event()
            self._event = name
            self._read_data(line[field.end() :])

    def _read_data(self, value: str) -> None:
        self._has_content = True
        if self._is_bare:
            self._is_bare = False
            self._json = ObjectFinder()  # what does not go on was broken off
        if self._json.is_open:
            self._emit_all(self._json.feed(value))
        else:
            if self._data and _JSON_START.match(value):
                self._emit_data()
            self._data.append(value)

    def _read_bare(self, line: str) -> None:
        """Read a line without a field name."""
        self._has_content = True
        if self._json.is_open:
            self._read_json(line)
        elif line == "[DONE]":
            self._read_data(line)
        elif self._page or line.lstrip().startswith("<"):
            _keep_beginning(self._page, line)
        elif _JSON_START.match(line):
            self._end_event()
            self._is_bare = True
            self._read_json(line)

    def _read_json(self, line: str) -> None:
        """Read a line of bare JSON, which may have an event behind it."""
        self._emit_all(self._json.feed(line))
        event = _NESTED_FIELD.match(line, self._json.end) if self._json.end else None
        if event and event[1] == "data":
            self._read_data(line[event.end() :])

    def _end_line(self) -> None:
        """Decide, before another line, whether the JSON so far is a payload or goes on."""
        if self._data and _JSON_START.match(self._data[0]):
            objects = self._json.feed(self._data[0])
            if self._json.is_open:
                self._data.clear()
                self._emit_all(objects)
            else:
                self._emit_data()

    def _end_event(self) -> None:
        if self._data:
            self._emit_data()
        elif self._json.is_open and not self._is_bare:
            rest = self._json.rest
            self._json = ObjectFinder()
            self._emit_all([rest] if rest else [])
        self._event = ""

    def _emit_data(self) -> None:
        text = "\n".join(self._data)
        self._data.clear()
        if "}data:" in text or "}{" in text:
            finder = ObjectFinder()
            objects = finder.feed(text)
            rest = _NESTED_FIELD.match(text, finder.end)
            if rest or len(objects) > 1:
                self._emit_all([*objects, text[rest.end() :]] if rest else objects)
                return
        self._emit_all([text])

    def _emit_all(self, texts: list[str]) -> None:
        for text in texts:
            payload = _payload(self._event, text) if self._event else text
            if payload is not None:
                self._payloads.append(payload)
                self._event = ""
                self._body = None
                self._page.clear()


def _payload(event: str, text: str) -> str | None:
    """Return the payload of a named event, or None if its data is no payload."""
    if not _JSON_START.match(text):
        if _SIGN_OF_LIFE.fullmatch(event):
            return None
        return json.dumps({"error": text}, ensure_ascii=False) if _ERROR_NAME.search(event) else text
    is_type = _TYPE_NAME.fullmatch(event) and f'"{event}"' not in text
    if event == "error" or is_type:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if isinstance(value, OBJECT):
            if is_type and "type" not in value:
                return json.dumps({"type": event, **value}, ensure_ascii=False)
            if not is_type and value.get("type") != "error" and not value.keys() & {"error", "response"}:
                return json.dumps({"error": value}, ensure_ascii=False)
    return text


def _keep_beginning(lines: list[str], line: str) -> None:
    if len(lines) < _MAX_SHOWN and (lines or line):
        lines.append(line[:_MAX_SHOWN])


def iter_sse(body: Iterable[str | bytes]) -> Generator[str, None, None]:
    """Yield the payload texts of a `text/event-stream` body, however its client cut it.

    `body` yields bytes or text: lines with or without their ends, or pieces cut anywhere. Invalid
    UTF-8 is replaced. A body that is no event stream is understood too: JSON in lines or as a whole
    is split into its objects, and of anything else the first 2,000 characters are the one payload.

    When it ends or is closed, it closes the iterator that it reads from, unless that is a file.
    """
    if isinstance(body, _WHOLE):
        raise _sources.misuse(f"iter_sse: expected an iterable of {_ITEMS}", body, "pass [body]")
    return _iter_sse(_sources.iterate("iter_sse", _ITEMS, body, _HINT))


def _iter_sse(pieces: Iterator[str | bytes]) -> Generator[str, None, None]:
    parser = _Parser()
    try:
        for piece in pieces:
            yield from parser.feed(piece)
        yield from parser.finish()
        yield from parser.unframed()
    except Exception:
        yield from parser.finish()
        raise
    finally:
        _sources.close(pieces)


def aiter_sse(body: AsyncIterable[str | bytes]) -> AsyncGenerator[str, None]:
    """Yield the payload texts of an asynchronous client's body. See `iter_sse`."""
    return _aiter_sse(_sources.aiterate("aiter_sse", _ITEMS, body, _HINT))


async def _aiter_sse(pieces: AsyncIterator[str | bytes]) -> AsyncGenerator[str, None]:
    parser = _Parser()
    try:
        async for piece in pieces:
            for payload in parser.feed(piece):
                yield payload
        for payload in [*parser.finish(), *parser.unframed()]:
            yield payload
    except Exception:
        for payload in parser.finish():
            yield payload
        raise
    finally:
        await _sources.aclose(pieces)
