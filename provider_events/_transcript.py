# SPDX-License-Identifier: MIT
"""The readable transcript of a stream, and text that is safe to show on a terminal."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import TextIO, assert_never

from ._grammar import EVENTLESS, EventlessContent
from ._log import block_at
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    FallbackStart,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from .messages import AssistantMessage, ImageContent, ThinkingContent, ToolCall, UnknownContent

__all__ = ["Output", "escaped", "visible", "write_transcript"]

# Characters that move the cursor, change colours or the direction of writing, and halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_DIM, _RED, _PLAIN = "\033[2m", "\033[31m", "\033[0m"


def visible(text: str) -> str:
    """Return `text` with escapes in place of control characters, but for line ends and tabs."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def escaped(text: str) -> str:
    """Return `text` as one line, with escapes in place of control characters."""
    return visible(text).replace("\n", "\\n")


class Output:
    """A text stream that takes any text: characters that its encoding lacks become escapes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self.has_colour = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def can_encode(self, text: str) -> bool:
        """Return whether `text` can be written without escapes."""
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def write(self, text: str) -> None:
        """Write `text`."""
        if not text.isascii():
            text = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


def write_transcript(events: Iterable[AnyProviderEvent], out: Output) -> None:
    """Write text, thinking and tool calls as they come, and at the end a line with stop reason and token counts.

    The output ends with a line end, even if the events break off with an exception.
    """
    transcript = _Transcript(out)
    try:
        for event in events:
            transcript.add(event)
    finally:
        transcript.end_line()


class _Transcript:
    """Writes what each event adds to what is shown already."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._open: type[AnyProviderEvent] | None = None  # the kind of delta in the line that has not ended
        self._next_index = 0  # of the first block that is not shown yet

    def add(self, event: AnyProviderEvent) -> None:
        """Write what is new with `event`."""
        if event.partial is not None:
            self._add_blocks_without_events(event.partial)
        match event:
            case TextDelta(delta=delta):
                self._add_delta(TextDelta, self._styled(delta))
            case ThinkingDelta(delta=delta):
                self._add_delta(ThinkingDelta, self._styled(delta, _DIM))
            case ToolCallEnd(tool_call=call):
                self._add_line(visible(_format_call(call)))
            case TextStart(content_index=index) | ToolCallStart(content_index=index):
                self._next_index = index + 1
            case ThinkingStart(content_index=index):
                self._next_index = index + 1
                self.end_line()
            case ThinkingEnd(content_index=index, partial=partial):
                block = block_at(partial, index)
                if isinstance(block, ThinkingContent) and block.redacted:
                    self._add_line(self._styled("[redacted thinking]", _DIM))
            case FallbackStart(from_model=from_model, to_model=to_model, reason=reason):
                self._add_line(visible(f"[{from_model}: {reason}, trying {to_model}]"))
            case FallbackExhausted(models_tried=models, final_error=failure):
                self._add_line(
                    f"-- no model left after {visible(', '.join(models) or 'none')}: {self._styled(failure, _RED)}"
                )
            case Done(message=message) | Error(error=message):
                self._add_line(self._last_line(message))
                self._next_index = 0  # another message may follow
            case Start() | TextEnd() | ToolCallDelta():
                pass
            case _:
                assert_never(event)

    def end_line(self) -> None:
        """End the line that is open, if any."""
        if self._open is not None:
            self._open = None
            self._out.write("\n")

    def _add_delta(self, kind: type[AnyProviderEvent], text: str) -> None:
        """Write a delta: behind the delta before, if that was of the same kind, or else on a new line."""
        if text:
            if self._open is not kind:
                self.end_line()
                self._open = kind
            self._out.write(text)

    def _add_line(self, text: str) -> None:
        self.end_line()
        self._out.write(f"{text}\n")

    def _add_blocks_without_events(self, message: AssistantMessage) -> None:
        while isinstance(block := block_at(message, self._next_index), EVENTLESS):
            self._next_index += 1
            self._add_line(visible(f"[{_label(block)}]"))

    def _styled(self, text: str, style: str = "") -> str:
        return f"{style}{visible(text)}{_PLAIN}" if text and style and self._out.has_colour else visible(text)

    def _last_line(self, message: AssistantMessage) -> str:
        raw = f" ({message.raw_stop_reason})" if message.raw_stop_reason else ""
        failure = f": {self._styled(message.error_message, _RED)}" if message.error_message else ""
        usage = message.usage
        return (
            f"-- {message.stop_reason}{visible(raw)}{failure}; tokens: {usage.input_tokens} input,"
            f" {usage.cache_read_tokens} cache read, {usage.cache_write_tokens} cache write,"
            f" {usage.output_tokens} output"
        )


def _format_call(call: ToolCall) -> str:
    arguments = call.invalid_arguments
    if arguments is None:
        arguments = json.dumps(call.arguments, ensure_ascii=False)
    return f"{call.name}({arguments})"


def _label(block: EventlessContent) -> str:
    """Return what to show in place of a block."""
    match block:
        case ImageContent(data, mime_type):
            return f"{mime_type}, {len(data)} characters of base64"
        case UnknownContent(data):
            return str(data.get("type") or ", ".join(data))
