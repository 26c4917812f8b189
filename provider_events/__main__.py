# SPDX-License-Identifier: MIT
"""`python -m provider_events [FILE]`: show what is in a recorded provider stream or in a log of events."""

from __future__ import annotations

import argparse
import io
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import chain
from typing import Any, TextIO, TypeAlias

from . import __version__
from ._example import EXAMPLE
from ._grammar import PHASES
from ._json import parse_object
from ._transcript import Output, escaped, visible, write_transcript
from .decoders import APIS, decode, iter_sse
from .decoders._errors import payload_error
from .events import AnyProviderEvent, Done, Error, Start
from .jsonl import read_jsonl, write_jsonl
from .messages import AssistantMessage
from .wire import message_to_wire

__all__ = ["main"]

_PROG = f"python -m {__package__}"
_DESCRIPTION = (
    "Show what is in a recorded provider stream (the body of a text/event-stream response, JSON chunks one a line, or a"
    " whole response) or in a log of events. The exit status is 0 after a complete message, 1 after one that failed,"
    " and 2 if there is nothing to be read."
)
_MAX_LINE = 65_536  # how much of a line is read at once
_MAX_BEFORE_PAYLOAD = 1_000_000  # characters that may come before the first payload
_MAX_SHOWN = 300  # characters of an input in which nothing is recognised
_STDIN = "standard input"

_Events: TypeAlias = Iterable[AnyProviderEvent]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line on `argv`, by default that of the process, and return its exit status."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has written help, the version or what is wrong
        return stop.code if isinstance(stop.code, int) else 2
    try:
        return _show(options)
    except BrokenPipeError:  # the reader of the output has left, as `head` does
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror or error}")
    except ValueError as error:
        return _complain(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROG, description=_DESCRIPTION)
    file_help = "the recording; - is standard input, read as it arrives (default: what is piped in, or else an example)"
    parser.add_argument("file", nargs="?", metavar="FILE", help=file_help)
    parser.add_argument("--format", choices=_WRITERS, default="transcript", help="what to write (default: %(default)s)")
    parser.add_argument("--api", choices=APIS, help="the recording's format (default: detected)")
    parser.add_argument("--version", action="version", version=f"{__package__} {__version__}")
    return parser


def _show(options: argparse.Namespace) -> int:
    """Read, write and return the exit status."""
    stdout = sys.stdout if sys.stdout and not sys.stdout.closed else io.StringIO()
    out = Output(stdout)
    with ExitStack() as stack:
        if options.file in (None, "-"):
            name, lines = _STDIN, _standard_input(options.file is None)
        else:
            name, lines = options.file, _lines(stack.enter_context(open(options.file, "rb")))
        events = _read(name, lines, options.api)
        last = _Observed(events, out)
        _WRITERS[options.format](last, out)
        out.flush()
    return 0 if isinstance(last.event, Done) else 1


class _Observed:
    """Iterates over events, flushes the output before each next one is read, and keeps the latest."""

    def __init__(self, events: _Events, out: Output) -> None:
        self._events = events
        self._out = out
        self.event: AnyProviderEvent | None = None

    def __iter__(self) -> Iterator[AnyProviderEvent]:
        for self.event in self._events:
            yield self.event
            self._out.flush()


def _complain(message: str) -> int:
    """Write a complaint to standard error and return the exit status that goes with it."""
    _note(message)
    return 2


def _note(message: str) -> None:
    """Write one line to standard error, if there is one."""
    with suppress(OSError, ValueError, AttributeError):  # it is closed or missing
        Output(sys.stderr).write(f"{_PROG}: {escaped(message)}\n")
        sys.stderr.flush()


# Reading

_Line: TypeAlias = str | bytes


def _lines(file: Any) -> Iterator[_Line]:
    """Return the lines of a file as they arrive, long ones in parts."""
    return iter(lambda: file.readline(_MAX_LINE), file.read(0))


def _standard_input(is_optional: bool) -> Iterator[_Line]:
    """Return the lines of standard input; if it is optional and nothing is piped in, those of the example."""
    stdin = sys.stdin
    if not is_optional:
        if stdin is None or stdin.closed:
            raise ValueError("standard input is closed")
        return _lines(getattr(stdin, "buffer", stdin))
    with suppress(OSError, ValueError):  # it is closed, or not open for reading
        if stdin is not None and _is_piped(stdin):
            lines = _lines(getattr(stdin, "buffer", stdin))
            for line in lines:
                return chain([line], lines)
    _note("no FILE, and nothing piped in: this is the built-in example")
    return iter(EXAMPLE.splitlines(keepends=True))


def _is_piped(stdin: TextIO) -> bool:
    """Return whether standard input is a pipe, a file or a socket: neither a terminal nor the null device."""
    try:
        mode = os.fstat(stdin.fileno()).st_mode
    except io.UnsupportedOperation:  # an object in its place that is no file
        return not stdin.isatty()
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read(name: str, lines: Iterator[_Line], api: str | None) -> Iterator[AnyProviderEvent]:
    """Return the events of a log or of a stream: the first line that is not blank decides which it is."""
    for line in lines:
        if beginning := _joined([line]).strip("\ufeff \t\r\n"):
            lines = chain([line], lines)
            if api is None and beginning.startswith("{"):
                complete = _join_lines(lines)
                first = next(complete)
                if _begins_log(first.lstrip("\ufeff")):
                    return read_jsonl(chain([first], complete))
                lines = chain([first], lines)
            return _read_stream(name, beginning, lines, api)
    raise ValueError(f"{name}: empty")


def _join_lines(lines: Iterator[_Line]) -> Iterator[str]:
    """Yield whole lines, from parts of lines."""
    parts: list[_Line] = []
    for line in lines:
        parts.append(line)
        if line[-1:] in ("\n", b"\n"):
            yield _joined(parts)
            parts.clear()
    if parts:
        yield _joined(parts)


def _joined(parts: Sequence[_Line]) -> str:
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts).decode(errors="replace")


def _begins_log(line: str) -> bool:
    data = _parse_object(line)
    if data.get("type") == "error":
        return "reason" in data  # which the `error` of a provider has not
    return data.get("type") in [event.type for event in PHASES["new"]]


def _parse_object(text: str) -> Mapping[str, Any]:
    """Return the JSON object that a text is, or an empty one."""
    return parse_object(text) or {}


def _read_stream(name: str, beginning: str, lines: Iterator[_Line], api: str | None) -> Iterator[AnyProviderEvent]:
    """Yield the events of the first message in the body of a response.

    Raises `ValueError` for a body in which nothing is recognised. One without any payload is not read to its end.
    """
    is_json = beginning.startswith(("{", "["))
    beginning = latest = ""

    def body() -> Iterator[_Line]:
        nonlocal beginning
        size = 0
        for line in lines:
            size += len(line)
            if size > _MAX_BEFORE_PAYLOAD and not latest and not is_json:
                return
            if len(beginning) < _MAX_SHOWN:
                beginning += _joined([line])
            yield line

    def payloads() -> Iterator[str]:
        nonlocal latest
        for latest in iter_sse(body()):
            yield latest

    chunks = payloads()
    for event in decode(map(str, chunks), api=api):  # `map` keeps `decode` from closing the chunks: more may follow
        if isinstance(event, Error) and not event.error.api and not _is_error(latest):
            shown = beginning.strip()[:_MAX_SHOWN]
            raise ValueError(f"{name}: no stream in a known format, no log; it begins: {shown!r}")
        yield event
    if name is not _STDIN and any(isinstance(event, Start) for event in decode(map(str, chunks), api=api)):
        _note(f"{name}: more follows the end of the message; only what comes before is shown")


def _is_error(payload: str) -> bool:
    """Return whether a payload is an error, in whatever format."""
    return payload_error(_parse_object(payload)) is not None


# Writing


def _write_events(events: _Events, out: Output) -> None:
    """Write one event a line, without its snapshot."""
    for event in events:
        out.write(f"{event!r}\n")


def _write_message(events: _Events, out: Output) -> None:
    """Write the last message as JSON, or null if there is none."""
    message: AssistantMessage | None = None
    for event in events:
        message = event.partial
    data = message and message_to_wire(message)
    text = json.dumps(data, ensure_ascii=False, indent=2)
    if visible(text) != text or not out.can_encode(text):
        text = json.dumps(data, indent=2)
    out.write(f"{text}\n")


_WRITERS: dict[str, Callable[[_Events, Output], None]] = {
    "transcript": write_transcript,
    "events": _write_events,
    "jsonl": write_jsonl,
    "message": _write_message,
}


def _run() -> int:
    """Run the command line, and keep the interpreter from failing when it flushes its streams at exit."""
    status = main()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return status


if __name__ == "__main__":
    sys.exit(_run())
