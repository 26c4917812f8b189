# SPDX-License-Identifier: MIT
"""The log of a stream: one event a line, without the snapshots. Reading makes them again.

A line is the JSON form of its event, without what follows from the lines before it: the snapshot, the text or call of
a block's end, the message of a terminal event. What only the snapshot shows is written under three further keys:

    update        fields of the message that have changed, under the keys of the JSON form
    addBlocks     new blocks that have no events: images and unknown ones
    updateBlocks  fields that have changed in other blocks, each block with its `contentIndex`

Of `usage`, only the fields that have changed are written. `annotations`, `providerDetails` and `data` are written as
patches (see `_json_patch.py`), so that a value that grows is not written again.

Writer and reader each keep a builder that makes the stream again, and the writer adds to a line what its builder would
not make of it. If a line has its snapshot, that snapshot is used, and so is the text or call of an end: pi writes such
lines.
"""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import io
import json
import os
from collections.abc import AsyncIterable, Iterable, Iterator
from typing import Protocol

from . import _sources
from ._json import MAX_NESTING, parse_json
from ._stream_copy import NOT_IN_LINES, StreamCopy
from .errors import StreamStateError, WireError
from .events import AnyProviderEvent, TextDelta, ThinkingDelta, ToolCallDelta
from .wire import EVENT, MESSAGE

__all__ = ["JsonlDecoder", "JsonlEncoder", "read_jsonl", "write_jsonl"]


class _SupportsWrite(Protocol):
    """A file that is open for text."""

    def write(self, text: str, /) -> object: ...


# Files


def write_jsonl(events: Iterable[AnyProviderEvent], file: _SupportsWrite) -> None:
    """Write a stream as a log: one event a line, each as it comes.

    `list(read_jsonl(log))` equals the events of every stream that a `MessageBuilder` made. Of other streams, the events
    are kept as they are, but all snapshots except the last become those that a builder makes of the events. Raise
    `WireError` for an event that the grammar does not allow, or that JSON cannot hold.
    """
    if not hasattr(file, "write") or isinstance(file, (io.RawIOBase, io.BufferedIOBase)):
        raise _sources.misuse("write_jsonl: expected a file open for text", file, "open(path, 'w') makes one")
    if isinstance(events, AsyncIterable):
        raise _sources.misuse("write_jsonl: expected an iterable of events", events, "use JsonlEncoder in async for")
    encoder = JsonlEncoder()
    for event in _sources.iterate("write_jsonl", "events", events, "pass the stream, or call replay on a message"):
        file.write(encoder.encode(event) + "\n")


def read_jsonl(file: Iterable[str | bytes]) -> Iterator[AnyProviderEvent]:
    """Read the events of a log, or of several one after another, from an open file or any lines.

    Raise `WireError`, with its `line`, for a line that is not an event or not the next one, and for a log that ends
    before its stream. All events before it are yielded first. A file that is open for text reads ahead, so that the
    last events before bytes that are not UTF-8 may be missing; with `open(path, "rb")` none is.
    """
    if isinstance(file, (str, bytes, bytearray, os.PathLike)) or not isinstance(file, Iterable):
        raise _sources.misuse("read_jsonl: expected an open file or lines", file, "pass open(path, 'rb')")
    return _read(iter(file))


def _read(lines: Iterator[str | bytes]) -> Iterator[AnyProviderEvent]:
    decoder = JsonlDecoder()
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield decoder.decode(line)
        number += 1
        decoder.end()
    except UnicodeDecodeError as error:  # of a file that is open for text
        raise WireError(str(error), line=number + 1) from None
    except WireError as error:
        error.line = number
        raise


# Lines


class JsonlEncoder:
    """Makes the lines of a log, one at a time and without line ends. Use one for each log, up to an error."""

    __slots__ = ("_copy",)

    def __init__(self) -> None:
        self._copy = StreamCopy()

    def encode(self, event: AnyProviderEvent) -> str:
        """Return the line of the next event, in ASCII.

        Raise `WireError` for an event that the grammar does not allow, or that JSON cannot hold.
        """
        record = EVENT.record_of(event)
        try:
            if isinstance(event, (TextDelta, ThinkingDelta, ToolCallDelta)) and self._copy.follow_delta(event):
                delta = _ENCODER.encode(event.delta)
                return f'{{"type":"{event.type}","contentIndex":{event.content_index},"delta":{delta}}}'
            line = record.write(event, NOT_IN_LINES) | self._copy.follow(event, record)
            return _ENCODER.encode(line)  # raises ValueError for an integer of too many digits
        except (StreamStateError, ValueError) as error:
            raise _as_wire_error(error) from None


class JsonlDecoder:
    """Reads the lines of a log, one at a time. Use one for each log, up to an error."""

    __slots__ = ("_copy", "_is_complete")

    def __init__(self) -> None:
        self._copy = StreamCopy()
        self._is_complete = False

    def decode(self, line: str | bytes) -> AnyProviderEvent:
        """Return the event of the next line. Raise `WireError` if it is not one, or not the next one."""
        if not isinstance(line, (str, bytes, bytearray)):
            raise _sources.misuse("decode: expected a line of text", line, "event_from_wire reads parsed JSON")
        try:
            text = line if isinstance(line, str) else line.decode("utf-8")
            data = parse_json(text.removeprefix("\ufeff"), max_nesting=_LINE_NESTING)
        except ValueError as error:
            raise WireError(f"expected a line of JSON, found {line[:80]!r} ({error})") from None
        record = EVENT.record_for(data)
        snapshot = record.fields[-1]
        try:
            if snapshot.form is not MESSAGE or snapshot.key not in data:
                event = self._copy.read(data, record)
            else:
                event = record.read(data)
                if event.is_terminal:
                    self._copy = StreamCopy()
                else:
                    self._copy.follow(event, record)  # for lines without snapshots that may come
        except (StreamStateError, ValueError) as error:
            raise _as_wire_error(error) from None
        self._is_complete = event.is_terminal
        return event

    def end(self) -> None:
        """Check that the log may end here. Raise `WireError` if its last stream has no terminal event."""
        if not self._is_complete:
            raise WireError("expected the next event, found the end of the log")


def _as_wire_error(error: StreamStateError | ValueError) -> WireError:
    return error if isinstance(error, WireError) else WireError(str(error))


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_LINE_NESTING = 2 * MAX_NESTING + 16  # a patch wraps each level of its value in one more
