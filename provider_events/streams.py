# SPDX-License-Identifier: MIT
"""Tools for a stream of events: check it, collect its terminal event, replay a message as a stream."""

# Types are checked at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import TypeVar, assert_never, overload

from . import _sources
from ._checker import FAILED, Checker, difference, shown
from .builder import MessageBuilder
from .errors import StreamProtocolError
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    MessageEvent,
    ProviderEvent,
    TerminalEvent,
)
from .messages import (
    AssistantMessage,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)

__all__ = ["StreamProtocolError", "acheck", "acollect", "areplay", "check", "collect", "replay"]

E = TypeVar("E", bound=AnyProviderEvent)


# Checking


def check(events: Iterable[E]) -> Generator[E, None, None]:
    """Yield every event as it comes, and raise `StreamProtocolError` in place of the first that is not valid.

    That is an event which the grammar does not allow, whose `partial` is not the message as of this event, or which
    contradicts the events before it; a terminal event whose message does not hold what came before, or has tool
    calls without unique ids; and a missing terminal event. The source is closed with the generator.
    """
    return _check(_iterate("check", events))


def acheck(events: AsyncIterable[E]) -> AsyncGenerator[E, None]:
    """Check an asynchronous stream, as `check` does."""
    return _acheck(_aiterate("acheck", events))


def _check(events: Iterator[E]) -> Generator[E, None, None]:
    checker = Checker()
    take = checker.take
    try:
        for event in events:
            take(event)
            yield event
        checker.end()
    finally:
        _sources.close(events)


async def _acheck(events: AsyncIterator[E]) -> AsyncGenerator[E, None]:
    checker = Checker()
    take = checker.take
    try:
        async for event in events:
            take(event)
            yield event
        checker.end()
    finally:
        await _sources.aclose(events)


def _iterate(call: str, events: Iterable[E]) -> Iterator[E]:
    return _sources.iterate(call, "events", events, _hint(events))


def _aiterate(call: str, events: AsyncIterable[E]) -> AsyncIterator[E]:
    return _sources.aiterate(call, "events", events, _hint(events))


def _hint(found: object) -> str:
    if isinstance(found, ProviderEvent):
        return "pass the stream, not one event"
    return "call replay to make a stream of a message" if isinstance(found, AssistantMessage) else ""


# Collecting


@overload
def collect(events: Iterable[MessageEvent]) -> Done | Error: ...
@overload
def collect(events: Iterable[AnyProviderEvent]) -> TerminalEvent: ...
def collect(events: Iterable[AnyProviderEvent]) -> TerminalEvent:
    """Read a stream to its end and return its terminal event.

    Raise `StreamProtocolError` if there is none, or if anything follows it. To have the whole stream checked,
    call `collect(check(events))`.
    """
    collector = _Collector()
    for event in _iterate("collect", events):
        collector.take(event)
    return collector.terminal()


@overload
async def acollect(events: AsyncIterable[MessageEvent]) -> Done | Error: ...
@overload
async def acollect(events: AsyncIterable[AnyProviderEvent]) -> TerminalEvent: ...
async def acollect(events: AsyncIterable[AnyProviderEvent]) -> TerminalEvent:
    """Collect the terminal event of an asynchronous stream, as `collect` does."""
    collector = _Collector()
    async for event in _aiterate("acollect", events):
        collector.take(event)
    return collector.terminal()


class _Collector:
    """Keeps the terminal event of a stream."""

    __slots__ = ("_index", "_terminal")

    def __init__(self) -> None:
        self._index = 0
        self._terminal: TerminalEvent | None = None

    def take(self, event: AnyProviderEvent) -> None:
        if self._terminal is not None:
            raise StreamProtocolError(self._index, f" ({event.type}): expected nothing after {self._terminal.type}")
        if isinstance(event, (Done, Error, FallbackExhausted)):
            self._terminal = event
        self._index += 1

    def terminal(self) -> TerminalEvent:
        if self._terminal is None:
            missing = "done or error or fallback_exhausted"
            raise StreamProtocolError(self._index, f" (the end of the stream): expected {missing}")
        return self._terminal


# Replaying


def replay(message: AssistantMessage, *, chunk_size: int = 16) -> Iterator[MessageEvent]:
    """Return a valid stream that ends with `message`, in deltas of `chunk_size` characters.

    A delta is one longer where it would split a surrogate pair. Raise `ValueError`, at once, for a message that no
    stream can end with: for instance, it has no `stop_reason`, or a call has no id.
    """
    if not isinstance(message, AssistantMessage):
        raise TypeError(f"replay: expected an AssistantMessage, found {type(message).__name__}")
    if type(chunk_size) is not int:
        raise TypeError(f"replay: expected a chunk_size of type int, found {type(chunk_size).__name__}")
    if chunk_size < 1:
        raise ValueError(f"replay: expected a chunk_size of 1 or more, found {chunk_size}")
    if message.stop_reason is None:
        raise ValueError("replay: expected the stop_reason of a finished message, found None")
    try:
        *_, last = _replay(message, message.stop_reason, sys.maxsize)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"replay: no stream ends with this message: {error}") from error
    if (different := difference("", message, last.partial)) is not None:
        path, found, expected = different
        raise ValueError(f"replay: no stream ends with {path[1:]} {shown(found)}; it would be {shown(expected)}")
    return _replay(message, message.stop_reason, chunk_size)


def areplay(message: AssistantMessage, *, chunk_size: int = 16) -> AsyncGenerator[MessageEvent, None]:
    """Replay a message to an asynchronous consumer, as `replay` does."""
    return _later(replay(message, chunk_size=chunk_size))


async def _later(events: Iterator[MessageEvent]) -> AsyncGenerator[MessageEvent, None]:
    for event in events:
        yield event


def _replay(message: AssistantMessage, reason: StopReason, size: int) -> Iterator[MessageEvent]:
    builder = MessageBuilder(
        api=message.api, provider=message.provider, model=message.model, timestamp=message.timestamp
    )
    builder.update(response_id=message.response_id)
    yield builder.start()
    for block in message.content:
        match block:
            case TextContent(text, signature, annotations, details):
                yield builder.text_start()
                yield from map(builder.text_delta, _chunks(text, size))
                yield builder.text_end(signature=signature, annotations=annotations, provider_details=details)
            case ThinkingContent(thinking, signature, redacted, details):
                yield builder.thinking_start()
                yield from map(builder.thinking_delta, _chunks(thinking, size))
                yield builder.thinking_end(signature=signature, redacted=redacted, provider_details=details)
            case ToolCall(id, name, arguments, signature, invalid, details):
                text = json.dumps(arguments, ensure_ascii=False) if invalid is None else invalid
                start = builder.tool_call_start(id or None, name or None)
                yield start
                yield from map(builder.tool_call_delta, _chunks(text, size))
                if id or reason not in FAILED:
                    yield builder.tool_call_end(thought_signature=signature, provider_details=details)
                else:  # a message that failed may hold a call that never got its id
                    builder.update_block(start.content_index, thought_signature=signature, provider_details=details)
            case ImageContent() | UnknownContent():
                builder.add_block(block)
            case _:
                assert_never(block)
    builder.update(
        usage=message.usage, raw_stop_reason=message.raw_stop_reason, provider_details=message.provider_details
    )
    if reason in FAILED:
        yield builder.error(message.error_message or "", aborted=reason is StopReason.ABORTED)
    else:
        yield builder.done(reason)


def _chunks(text: str, size: int) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + size
        end += bool(_SPLIT_PAIR.match(text, end - 1))
        yield text[start:end]
        start = end


_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
