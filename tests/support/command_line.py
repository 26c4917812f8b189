"""The command line, run in-process on streams that stand in for the standard ones."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from provider_events.__main__ import main

EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {"id": "m", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 7}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "Hm."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": ", world"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "i", "name": "f", "input": {}},
    },
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]
CHUNKS = [json.dumps(event) for event in EVENTS]
TRANSCRIPT = """\
Hm.
Hello, world
f({})
-- toolUse (tool_use); tokens: 7 input, 0 cache read, 0 cache write, 5 output
"""
TOKENS = "; tokens: 0 input, 0 cache read, 0 cache write, 0 output\n"
FORMATS = ["transcript", "events", "jsonl", "message"]


class Shown(NamedTuple):
    status: int
    out: str
    err: str


class Stream(io.StringIO):
    """A standard stream that may be a terminal, and may take its lines from a function."""

    def __init__(self, text: str = "", *, is_terminal: bool = False, line: Callable[[], str] | None = None) -> None:
        super().__init__(text)
        self._is_terminal = is_terminal
        self._line = line

    def isatty(self) -> bool:
        return self._is_terminal

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        return self._line() if self._line else super().readline(-1 if size is None else size)


def failing(error: BaseException) -> Callable[[], str]:
    def fail() -> str:
        raise error

    return fail


def run(
    *arguments: str,
    body: Any = None,
    is_terminal: bool = False,
    stdin: Any = None,
    stdout: Any = None,
    environment: dict[str, str] | None = None,
) -> Shown:
    """Run the command line on a `body` that is piped in; without it standard input is a terminal."""
    if stdin is None:
        is_text = isinstance(body, str)
        stdin = (
            io.TextIOWrapper(io.BytesIO(body)) if body and not is_text else Stream(body or "", is_terminal=not is_text)
        )
    out = Stream(is_terminal=is_terminal) if stdout is None else stdout
    err = Stream()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "200")
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", stdin)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        status = main(arguments)
    return Shown(status, out.getvalue() if isinstance(out, io.StringIO) and not out.closed else "", err.getvalue())


def sse(chunks: list[str]) -> str:
    return "".join(f"data: {chunk}\n\n" for chunk in chunks)


def error(message: str) -> str:
    return json.dumps({"type": "error", "error": {"type": "api_error", "message": message}})


def anthropic(*blocks: dict[str, Any], stop_reason: str = "end_turn") -> str:
    """A body with these blocks, each whole at its start."""
    events = list(EVENTS[:1])
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    events += [{"type": "message_delta", "delta": {"stop_reason": stop_reason}}, {"type": "message_stop"}]
    return sse([json.dumps(event) for event in events])


def saying(text: str) -> str:
    return anthropic({"type": "text", "text": text})


def closed(stream: Stream) -> Stream:
    stream.close()
    return stream
