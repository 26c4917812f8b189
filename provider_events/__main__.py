"""`python -m provider_events [FILE]`: see what is in a recorded provider stream."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import TextIO

from .decoders import APIS, decode, iter_sse
from .events import AnyProviderEvent, TextDelta, ThinkingDelta, ToolCallEnd
from .messages import AssistantMessage, ImageContent, StopReason, UnknownContent
from .wire import message_to_wire

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
        description="Show what is in a recorded provider stream: the body of a text/event-stream response, or JSON"
        " with one chunk a line. The exit status is 0 after a complete message, 1 after one that failed, and 2 if"
        " there is nothing to be read.",
    )
    file_help = "the recording; - is standard input, read as it arrives (default: an example)"
    parser.add_argument("file", nargs="?", help=file_help)
    parser.add_argument("--format", choices=_WRITERS, default="transcript", help="what to write (default: %(default)s)")
    parser.add_argument("--api", choices=APIS, help="the recording's format (default: found out)")
    options = parser.parse_args()
    out = open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, errors="backslashreplace", closefd=False)
    try:
        with ExitStack() as stack:
            lines: Iterable[bytes] = _EXAMPLE.encode().splitlines(keepends=True)
            if options.file == "-":
                lines = sys.stdin.buffer
            elif options.file is not None:
                lines = stack.enter_context(open(options.file, "rb"))
            message = _WRITERS[options.format](decode(_chunks(iter(lines)), api=options.api), out)
            out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # for what is flushed at exit
        return 0
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 1 if message.stop_reason in (StopReason.ERROR, StopReason.ABORTED) else 0


def _chunks(lines: Iterator[bytes]) -> Iterable[str | bytes]:
    """The payloads of server-sent events, or lines of JSON: as the first line that is not blank tells."""
    for line in lines:
        if line.strip(b" \t\r\n\xef\xbb\xbf"):
            lines = chain([line], lines)
            return lines if line.lstrip(b" \t\xef\xbb\xbf").startswith((b"{", b"[")) else iter_sse(lines)
    return ()


def _transcript(events: Iterable[AnyProviderEvent], out: TextIO) -> AssistantMessage:
    """What is said, as it is said, thinking dimmed; last, a line with the reason to stop and the tokens."""
    colour = out.isatty() and not os.environ.get("NO_COLOR")
    dim, red, plain = ("\033[2m", "\033[31m", "\033[0m") if colour else ("", "", "")
    message = AssistantMessage("", "", "")
    shown = 0  # how many blocks of the message have begun in the transcript
    line_of: int | None = None  # the block whose line is still open

    def write(text: str, content_index: int | None = None) -> None:
        nonlocal line_of
        if line_of is not None and line_of != content_index:
            out.write("\n")
        line_of = content_index
        out.write(text)

    for event in events:
        message = event.partial or message
        for block in message.content[shown:]:
            if isinstance(block, (ImageContent, UnknownContent)):
                write(f"[{_label(block)}]\n")
        shown = len(message.content)
        match event:
            case TextDelta(index, delta):
                write(delta, index)
            case ThinkingDelta(index, delta):
                write(f"{dim}{delta}{plain}", index)
            case ToolCallEnd(_, call):
                arguments = call.invalid_arguments or json.dumps(call.arguments, ensure_ascii=False)
                write(f"{call.name}({arguments})\n")
            case _:
                pass
        out.flush()
    raw = f" ({message.raw_stop_reason})" if message.raw_stop_reason else ""
    failure = f": {red}{message.error_message}{plain}" if message.error_message else ""
    usage = message.usage
    write(
        f"-- {message.stop_reason}{raw}{failure}; tokens: {usage.input_tokens} input,"
        f" {usage.cache_read_tokens} cache read, {usage.cache_write_tokens} cache write, {usage.output_tokens} output\n"
    )
    return message


def _label(block: ImageContent | UnknownContent) -> str:
    if isinstance(block, ImageContent):
        return f"{block.mime_type}, {len(block.data)} characters of base64"
    return str(block.data.get("type") or ", ".join(block.data))


def _events(events: Iterable[AnyProviderEvent], out: TextIO) -> AssistantMessage:
    """One event a line, without its snapshot."""
    message = AssistantMessage("", "", "")
    for event in events:
        message = event.partial or message
        out.write(f"{event!r}\n")
        out.flush()
    return message


def _message(events: Iterable[AnyProviderEvent], out: TextIO) -> AssistantMessage:
    """The last message, as JSON."""
    message = AssistantMessage("", "", "")
    for event in events:
        message = event.partial or message
    out.write(json.dumps(message_to_wire(message), ensure_ascii=False, indent=2) + "\n")
    return message


_WRITERS: dict[str, Callable[[Iterable[AnyProviderEvent], TextIO], AssistantMessage]] = {
    "transcript": _transcript,
    "events": _events,
    "message": _message,
}


if __name__ == "__main__":
    sys.exit(main())
