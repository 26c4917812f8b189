# SPDX-License-Identifier: MIT
"""`python -m provider_events [FILE]`: see what is in a recorded provider stream, or in a log of events."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from typing import TextIO

from .decoders import APIS, decode, iter_sse
from ._grammar import PHASES
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    FallbackStart,
    TextDelta,
    ThinkingDelta,
    ToolCallEnd,
)
from .messages import AssistantMessage, ImageContent, UnknownContent
from .wire import message_to_wire, read_jsonl, write_jsonl

# A first look, as Anthropic would stream it: thinking, text and a tool call.
_EXAMPLE = """\
event: message_start
data: {"type":"message_start","message":{"id":"msg_example","type":"message","role":"assistant","model":"claude-example","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":412,"cache_creation_input_tokens":0,"cache_read_input_tokens":1024,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"They want to know whether to take an umbrella. "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"I need today's forecast for Lisbon."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnbmF0dXJl"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Let me look at "}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"the forecast for Lisbon."}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_example","name":"get_forecast","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\": \\"Lis"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"bon\\", \\"days\\": 1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":87}}

event: message_stop
data: {"type":"message_stop"}

"""


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m provider_events",
        description="Show what is in a recorded provider stream (the body of a text/event-stream response, or JSON"
        " with one chunk a line) or in a log of events. The exit status is 0 after a complete message, 1 after one"
        " that failed, and 2 if there is nothing to be read.",
    )
    file_help = "the recording; - is standard input, read as it arrives (default: an example)"
    parser.add_argument("file", nargs="?", help=file_help)
    parser.add_argument("--format", choices=_WRITERS, default="transcript", help="what to write (default: %(default)s)")
    parser.add_argument("--api", choices=APIS, help="the recording's format (default: found out)")
    options = parser.parse_args()
    out = open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, errors="backslashreplace", closefd=False)
    latest: deque[AnyProviderEvent] = deque(maxlen=1)

    def live() -> Iterator[AnyProviderEvent]:
        """Each event is seen before the next is read."""
        for event in events:
            latest.append(event)
            yield event
            out.flush()

    try:
        with ExitStack() as stack:
            lines: Iterable[bytes] = _EXAMPLE.encode().splitlines(keepends=True)
            if options.file == "-":
                lines = sys.stdin.buffer
            elif options.file is not None:
                lines = stack.enter_context(open(options.file, "rb"))
            events = _read(iter(lines), options.api)
            _WRITERS[options.format](live(), out)
            out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # for what is flushed at exit
        return 0
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0 if isinstance(latest.pop(), Done) else 1


def _read(lines: Iterator[bytes], api: str | None) -> Iterator[AnyProviderEvent]:
    """The events of server-sent events, of lines of JSON, or of a log: as the first line that is not blank tells."""
    for line in lines:
        if text := line.strip(b" \t\r\n\xef\xbb\xbf"):
            lines = chain([line], lines)
            if not text.startswith((b"{", b"[")):
                return decode(iter_sse(lines), api=api)
            return read_jsonl(lines) if api is None and _begins_a_log(text) else decode(lines, api=api)
    return decode((), api=api)


def _begins_a_log(line: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        match json.loads(line):
            case {"type": "error"} as data:  # of a provider it has no reason
                return "reason" in data
            case {"type": str(kind)}:
                return kind in [str(event.type) for event in PHASES["new"]]
            case _:
                pass
    return False


def _transcript(events: Iterable[AnyProviderEvent], out: TextIO) -> None:
    """What is said, as it is said, thinking dimmed; last, a line with the reason to stop and the tokens."""
    colour = out.isatty() and not os.environ.get("NO_COLOR")
    dim, red, plain = ("\033[2m", "\033[31m", "\033[0m") if colour else ("", "", "")
    shown = 0  # how many blocks of the message have begun in the transcript
    line_of: int | None = None  # the block whose line is still open

    def write(text: str, content_index: int | None = None) -> None:
        nonlocal line_of
        if line_of is not None and line_of != content_index:
            out.write("\n")
        line_of = content_index
        out.write(text)

    for event in events:
        content = event.partial.content if event.partial else ()
        for block in content[shown:]:
            if isinstance(block, (ImageContent, UnknownContent)):
                write(f"[{_label(block)}]\n")
        shown = 0 if event.is_terminal else len(content)
        match event:
            case TextDelta(index, delta):
                write(delta, index)
            case ThinkingDelta(index, delta):
                write(f"{dim}{delta}{plain}", index)
            case ToolCallEnd(_, call):
                arguments = call.invalid_arguments or json.dumps(call.arguments, ensure_ascii=False)
                write(f"{call.name}({arguments})\n")
            case FallbackStart(from_model, to_model, reason):
                write(f"[{from_model}: {reason}, trying {to_model}]\n")
            case FallbackExhausted(models_tried, final_error):
                write(f"-- no model left after {', '.join(models_tried) or 'none'}: {red}{final_error}{plain}\n")
            case Done(message=message) | Error(error=message):
                write(f"{_ending(message, red, plain)}\n")
            case _:
                pass


def _ending(message: AssistantMessage, red: str, plain: str) -> str:
    raw = f" ({message.raw_stop_reason})" if message.raw_stop_reason else ""
    failure = f": {red}{message.error_message}{plain}" if message.error_message else ""
    usage = message.usage
    return (
        f"-- {message.stop_reason}{raw}{failure}; tokens: {usage.input_tokens} input,"
        f" {usage.cache_read_tokens} cache read, {usage.cache_write_tokens} cache write, {usage.output_tokens} output"
    )


def _label(block: ImageContent | UnknownContent) -> str:
    if isinstance(block, ImageContent):
        return f"{block.mime_type}, {len(block.data)} characters of base64"
    return str(block.data.get("type") or ", ".join(block.data))


def _events(events: Iterable[AnyProviderEvent], out: TextIO) -> None:
    """One event a line, without its snapshot."""
    for event in events:
        out.write(f"{event!r}\n")


def _message(events: Iterable[AnyProviderEvent], out: TextIO) -> None:
    """The last message, as JSON; null where no model had one."""
    message: AssistantMessage | None = None
    for event in events:
        message = event.partial
    out.write(json.dumps(message and message_to_wire(message), ensure_ascii=False, indent=2) + "\n")


_WRITERS: dict[str, Callable[[Iterable[AnyProviderEvent], TextIO], None]] = {
    "transcript": _transcript,
    "events": _events,
    "jsonl": write_jsonl,
    "message": _message,
}


if __name__ == "__main__":
    sys.exit(main())
