# SPDX-License-Identifier: MIT
"""Server-sent events: the payloads in an HTTP body.

They are parsed as https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream has it, and
where providers and proxies depart from it, as follows:

- The last event counts without the blank line behind it, but not if its JSON is cut off.
- Events may lack the blank line between them: a line of complete JSON is a payload of its own. Incomplete JSON
  continues in the next line, whether that is `data:` or a line without a field name.
- A `data:` value that is itself a line of an event stream (`data: data: {}`, `data: : comment`) is read as one.
- Several payloads on one line (`{}data: {}`, `{}{}`) are separated.
- Bare JSON, without `data:`, gives a payload for each object, or each element of an array, over any number of lines;
  it may be the whole body or stand between events.
- An `error:` field is the payload `{"error": ...}`, and so is the plain text of an event whose name is that of an
  error. The plain text of an event that only keeps the connection alive or marks its end (`event: ping`,
  `event: close`) is none.
- JSON without a type is of the type that its event is named for (`event: content_block_stop`).
- A body without any payload is one payload, at most its beginning. So is an HTML page behind payloads.
"""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import Any

from .. import _sources
from .._json import OBJECT, parse_json
from ._lines import FIELD, LineSplitter
from ._objects import ObjectFinder

__all__ = ["aiter_sse", "iter_sse"]

_NESTED_FIELD = re.compile(f"(?:data: ?)*(?:{FIELD.pattern})")
_JSON_START = re.compile(r"\s*[{\[]")
_ERROR_NAME = re.compile("error|fail|exception", re.IGNORECASE)
_SIGNAL_NAME = re.compile("ping|heartbeat|keep-?_?alive|done|end|close|complete", re.IGNORECASE)
_TYPE_NAME = re.compile("(?:message|content|tool|citation|response|interaction|step)[._-].+")  # of an API's events
_MAX_SHOWN = 2000  # characters of a body that is no event stream

_WHOLE: tuple[type[Any], ...] = (str, bytes, bytearray, memoryview)
_ITEMS = "bytes or text"
_HINT = "pass what an HTTP client iterates over, such as response.iter_bytes() or response.aiter_bytes()"


class _Parser:
    """Takes a body in parts and returns the payloads that each completes."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._payloads: list[str] = []
        self._at_start = True
        self._event = ""  # the name of the event
        self._data: list[str] = []  # its data: one line that begins as JSON does, or lines of plain text
        self._json = ObjectFinder()  # JSON that continues in the next line
        self._is_bare = False  # whether that JSON began on a line without a field name
        self._beginning: list[str] | None = []  # of the body, until there is a payload
        self._has_content = False  # whether any line had more than the framing of events
        self._html: list[str] = []  # the beginning of an HTML page

    def feed(self, part: str | bytes) -> list[str]:
        """Return the payloads that the next part of the body completes."""
        for line in self._lines.feed(part):
            self._read(line)
        payloads, self._payloads = self._payloads, []
        return payloads

    def close(self) -> list[str]:
        """Return the last payloads: those that lack nothing but the blank line behind them."""
        for line in self._lines.close():
            self._read(line)
        self._end_line()
        self._json = ObjectFinder()
        self._end_event()
        payloads, self._payloads = self._payloads, []
        return payloads

    def unparsed(self) -> list[str]:
        """Return what is left as one payload: an HTML page, or the beginning of a body that had no payload."""
        lines = self._beginning if self._beginning and self._has_content else self._html
        text = "\n".join(lines)[:_MAX_SHOWN].rstrip("\n")
        return [text] if text.strip() else []

    def _read(self, line: str) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix("\ufeff")
        if self._beginning is not None:
            _keep_beginning(self._beginning, line)
        if not line:
            self._end_event()
            return
        if self._data:
            self._end_line()
        continues = self._json.is_open and not self._is_bare
        field = (FIELD if continues else _NESTED_FIELD).match(line)
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
            self._json = ObjectFinder()  # bare JSON before an event was cut off
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
        elif self._html or line.lstrip().startswith("<"):
            _keep_beginning(self._html, line)
        elif _JSON_START.match(line):
            self._end_event()
            self._is_bare = True
            self._read_json(line)

    def _read_json(self, line: str) -> None:
        """Read a line of bare JSON, which an event may follow on the same line."""
        self._emit_all(self._json.feed(line))
        event = _NESTED_FIELD.match(line, self._json.end) if self._json.end else None
        if event and event[1] == "data":
            self._read_data(line[event.end() :])

    def _end_line(self) -> None:
        """Find out, before the next line is read, whether the JSON so far is complete or continues in it."""
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
                self._beginning = None
                self._html.clear()


def _payload(event: str, text: str) -> str | None:
    """Return the payload of a named event, or None if its data is no payload."""
    if not _JSON_START.match(text):
        if _SIGNAL_NAME.fullmatch(event):
            return None
        return json.dumps({"error": text}, ensure_ascii=False) if _ERROR_NAME.search(event) else text
    is_type = _TYPE_NAME.fullmatch(event) and f'"{event}"' not in text
    if event == "error" or is_type:
        try:
            value = parse_json(text)
        except ValueError:
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
    """Yield the payload texts of a `text/event-stream` body.

    `body` is what an HTTP client iterates over, in bytes or text: lines with or without their ends, or parts cut
    anywhere. Invalid UTF-8 is replaced. A body that is no event stream is understood too: JSON is split into its
    objects, and anything else is one payload of at most 2,000 characters.

    When it ends or is closed, it closes the iterator that it reads from, unless that is a file.
    """
    if isinstance(body, _WHOLE):
        raise _sources.misuse(f"iter_sse: expected an iterable of {_ITEMS}", body, "pass [body]")
    return _iter_sse(_sources.iterate("iter_sse", _ITEMS, body, _HINT))


def _iter_sse(parts: Iterator[str | bytes]) -> Generator[str, None, None]:
    parser = _Parser()
    try:
        for part in parts:
            yield from parser.feed(part)
        yield from parser.close()
        yield from parser.unparsed()
    except Exception:
        yield from parser.close()
        raise
    finally:
        _sources.close(parts)


def aiter_sse(body: AsyncIterable[str | bytes]) -> AsyncGenerator[str, None]:
    """Yield the payload texts of an asynchronous client's body. See `iter_sse`."""
    return _aiter_sse(_sources.aiterate("aiter_sse", _ITEMS, body, _HINT))


async def _aiter_sse(parts: AsyncIterator[str | bytes]) -> AsyncGenerator[str, None]:
    parser = _Parser()
    try:
        async for part in parts:
            for payload in parser.feed(part):
                yield payload
        for payload in [*parser.close(), *parser.unparsed()]:
            yield payload
    except Exception:
        for payload in parser.close():
            yield payload
        raise
    finally:
        await _sources.aclose(parts)
