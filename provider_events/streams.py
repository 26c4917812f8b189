# SPDX-License-Identifier: MIT
"""What to do with a stream of events: check that it is lawful, collect its ending, replay a message as one.

What may come when stands in `events.STREAM_STAGES` and `events.BLOCK_STAGES`; here it is looked up.
"""

# Callers who run no type checker are told of a wrong type too:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator
from typing import NoReturn, cast

from ._grammar import BLOCK_EVENTS, KIND_OF, PHASES, STARTS, StreamedContent, StreamState
from ._json import parse_object
from ._lazy import is_lazy
from ._log import block_at, header
from .builder import MessageBuilder
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    Start,
    TerminalEvent,
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
from .messages import (
    AssistantMessage,
    ContentBlock,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)

_FAILED = (StopReason.ERROR, StopReason.ABORTED)


class StreamProtocolError(ValueError):
    """A stream is not lawful: at which event, what was found, and what was expected.

    `index` is the event's number in the stream, from 0; of an event that is missing, the number it should have.
    """

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(index, problem)
        self.index = index

    def __str__(self) -> str:
        return f"event {self.index}: {self.args[1]}"


# Checking


def check(events: Iterable[AnyProviderEvent]) -> Generator[AnyProviderEvent, None, None]:
    """Hand every event on, as it comes, until one is not lawful.

    Raises `StreamProtocolError` in place of the first event that the grammar does not allow, whose own
    block is another in its `partial`, or whose end says something else than its deltas; in place of an
    ending whose message does not hold what came before; and for a missing ending.
    """
    checker = _Checker()
    for event in events:
        checker.take(event)
        yield event
    checker.close()


async def acheck(events: AsyncIterable[AnyProviderEvent]) -> AsyncGenerator[AnyProviderEvent, None]:
    """`check` for an asynchronous stream."""
    checker = _Checker()
    async for event in events:
        checker.take(event)
        yield event
    checker.close()


class _OpenBlock:
    """A block that has begun and not ended, and what its deltas have said."""

    __slots__ = ("kind", "may_come", "deltas", "length")

    def __init__(self, kind: type[StreamedContent]) -> None:
        self.kind = kind
        self.may_come = BLOCK_EVENTS[kind]
        self.deltas: list[str] = []
        self.length = 0  # of all deltas together


class _Checker:
    """Takes the events of a stream one by one, and raises at the first that is not lawful."""

    __slots__ = ("_index", "_event", "_stage", "_places", "_open", "_kept")

    def __init__(self) -> None:
        self._index = 0  # of the event at hand
        self._event: AnyProviderEvent | None = None
        self._stage = "new"
        self._places = 0  # taken in the content
        self._open: dict[int, _OpenBlock] = {}
        self._kept: dict[int, tuple[type[ContentBlock], object]] = {}  # what is in a block that changes no more

    def take(self, event: AnyProviderEvent) -> None:
        self._event = event
        stage = PHASES[self._stage].get(type(event))
        if stage is None:
            self._refuse()
        match event:
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                self._take_delta(event)
            case TextStart() | ThinkingStart() | ToolCallStart():
                self._take_start(event)
            case TextEnd() | ThinkingEnd() | ToolCallEnd():
                self._take_end(event)
            case Done() | Error():
                self._take_ending(event)
            case Start():
                self._check_partial(event.partial, None)
                self._expect("partial.content[0]", block_at(event.partial, 0), None)
            case _:
                pass  # a fallback has no message
        self._stage = stage
        self._index += 1

    def close(self) -> None:
        """The stream is over."""
        if self._stage != "ended":
            self._event = None
            self._refuse()

    def _take_delta(self, event: TextDelta | ThinkingDelta | ToolCallDelta) -> None:
        block = self._find(event)
        if not isinstance(event.delta, str):
            self._expect("delta", type(event.delta), str)
        block.deltas.append(event.delta)
        block.length += len(event.delta)
        if type(event.partial) is AssistantMessage and is_lazy(event.partial):
            return  # a builder's own snapshot, which is what the builder was told
        self._check_partial(event.partial, None)
        content = self._content(event.partial, event.content_index, block.kind)
        if not is_lazy(content) and isinstance(text := _said(content), str):
            self._expect("length of its text in partial", len(text), block.length)
            self._expect("end of its text in partial", text[len(text) - len(event.delta) :], event.delta)

    def _take_start(self, event: TextStart | ThinkingStart | ToolCallStart) -> None:
        self._check_partial(event.partial, None)
        place, kind = event.content_index, KIND_OF[type(event)]
        self._expect("content_index", type(place), int)
        if place < self._places:
            self._fail(f"content_index: expected the next place, {self._places}")
        self._check_silent(event.partial, place)
        content = self._content(event.partial, place, kind)
        said = _said(content)
        if isinstance(event, ToolCallStart) and isinstance(said, ToolCall):
            begun = ToolCall(event.tool_call_id or "", event.tool_name or "", {}, said.thought_signature)
            self._expect("its tool call in partial", said, begun)
        else:
            self._expect("its text in partial", said, "")
        self._expect(f"partial.content[{place + 1}]", block_at(event.partial, place + 1), None)
        self._open[place] = _OpenBlock(type(content))
        self._places = place + 1

    def _take_end(self, event: TextEnd | ThinkingEnd | ToolCallEnd) -> None:
        self._check_partial(event.partial, None)
        place, block = event.content_index, self._find(event)
        content = self._content(event.partial, place, block.kind)
        text = "".join(block.deltas)
        if isinstance(event, ToolCallEnd):
            said: object = event.tool_call
            arguments = parse_object(text or "{}")
            self._expect("tool_call", type(said), ToolCall)
            self._expect("tool_call.arguments", event.tool_call.arguments, arguments or {})
            self._expect("tool_call.invalid_arguments", event.tool_call.invalid_arguments, text if arguments is None else None)
        else:
            said = event.content
            self._expect("content", said, text)
        self._expect("the same in partial", _said(content), said)
        self._kept[place] = block.kind, said
        del self._open[place]

    def _take_ending(self, event: Done | Error) -> None:
        message = event.partial
        self._check_partial(message, event.reason)
        reasons = [reason for reason in StopReason if (reason in _FAILED) is isinstance(event, Error)]
        if event.reason not in reasons:
            self._fail(f"reason: expected {' or '.join(reasons)}, found {event.reason}")
        if isinstance(event, Error) and not message.error_message:
            self._fail(f"error_message: expected to be told why, found {message.error_message!r}")
        if isinstance(event, Done) and self._open:
            self._refuse()
        self._check_silent(message, len(message.content))
        for place, block in self._open.items():
            content = self._content(message, place, block.kind)
            if block.kind is not ToolCall:  # what can be read of its arguments is a matter of effort
                self._expect(f"content[{place}]", _said(content), "".join(block.deltas))
        for place, (kind, said) in self._kept.items():
            self._expect(f"content[{place}]", _said(self._content(message, place, kind)), said)

    # What they share

    def _find(self, event: TextDelta | ThinkingDelta | ToolCallDelta | TextEnd | ThinkingEnd | ToolCallEnd) -> _OpenBlock:
        if type(event.content_index) is not int:  # asked in place: this is walked once per delta
            self._expect("content_index", type(event.content_index), int)
        block = self._open.get(event.content_index)
        if block is None or type(event) not in block.may_come:
            self._refuse()
        return block

    def _check_partial(self, partial: AssistantMessage, stop_reason: StopReason | None) -> None:
        self._expect("partial", type(partial), AssistantMessage)
        self._expect("stop_reason", header(partial).stop_reason, stop_reason)

    def _content(self, partial: AssistantMessage, place: int, kind: type[ContentBlock] | None) -> StreamedContent:
        content = block_at(partial, place)
        self._expect(f"content[{place}]", type(content), kind)
        return cast(StreamedContent, content)

    def _check_silent(self, message: AssistantMessage, end: int) -> None:
        """New blocks before the place `end` are of the kinds that have no events; they stay as they are."""
        for place in range(self._places, end):
            if not isinstance(block := block_at(message, place), (ImageContent, UnknownContent)):
                self._fail(f"content[{place}]: expected its events first, or a block without events, found {block!r:.100}")
            self._kept[place] = type(block), block

    def _expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            shown = [each.__name__ if isinstance(each, type) else f"{each!r:.200}" for each in (expected, found)]
            self._fail(f"{what}: expected {shown[0]}, found {shown[1]}")

    def _refuse(self) -> NoReturn:
        """The event at hand may not come now."""
        blocks = ", ".join(f"{block.kind.__name__} at {place}" for place, block in self._open.items())
        state = StreamState()
        state.phase = self._stage
        state.open_blocks = {place: block.kind for place, block in self._open.items()}
        expected = " or ".join(str(event.type) for event in state.expected()) or "no more"
        self._fail(f"expected {expected}" + (f"; open blocks are {blocks}" if blocks else ""))

    def _fail(self, problem: str) -> NoReturn:
        event = self._event
        found = "the end of the stream" if event is None else getattr(event, "type", type(event).__name__)
        place = getattr(event, "content_index", None)
        raise StreamProtocolError(self._index, f"{found}{'' if place is None else f' at {place}'}: {problem}")


def _said(block: ContentBlock) -> object:
    """What the events of a block say: its text; of other blocks all that is in them."""
    match block:
        case TextContent(said) | ThinkingContent(said):
            return said
        case _:
            return block


# Collecting


def collect(events: Iterable[AnyProviderEvent]) -> TerminalEvent:
    """Read a stream to its end and return its ending.

    Raises `StreamProtocolError` if there is none, or if anything follows it; `collect(check(events))`
    raises for what `check` finds, too.
    """
    collector = _Collector()
    for event in events:
        collector.take(event)
    return collector.close()


async def acollect(events: AsyncIterable[AnyProviderEvent]) -> TerminalEvent:
    """`collect` for an asynchronous stream."""
    collector = _Collector()
    async for event in events:
        collector.take(event)
    return collector.close()


class _Collector:
    """Keeps the ending of a stream."""

    __slots__ = ("_index", "_ending")

    def __init__(self) -> None:
        self._index = 0
        self._ending: TerminalEvent | None = None

    def take(self, event: AnyProviderEvent) -> None:
        if self._ending is not None:
            raise StreamProtocolError(self._index, f"{event.type}: expected nothing after {self._ending.type}")
        if isinstance(event, (Done, Error, FallbackExhausted)):
            self._ending = event
        self._index += 1

    def close(self) -> TerminalEvent:
        if self._ending is None:
            raise StreamProtocolError(self._index, "the end of the stream: expected done, error or fallback_exhausted first")
        return self._ending


# Replaying


def replay(message: AssistantMessage, *, chunk_size: int = 16) -> Iterator[AnyProviderEvent]:
    """A lawful stream that ends with `message`, in deltas of `chunk_size` characters.

    A delta is longer by one where it would split a surrogate pair. Raises `ValueError`, at once, for a
    message that no stream ends with: say, it has no `stop_reason`, it failed and does not say why, a call
    has no id, or arguments that JSON text cannot say.
    """
    if chunk_size < 1:
        raise ValueError(f"chunk_size: expected 1 or more, found {chunk_size}")
    if message.stop_reason is None:
        raise ValueError("stop_reason: expected that of a finished message, found None")
    events = list(_replayed(message, message.stop_reason, chunk_size))
    ending = events[-1].partial
    for name in message.__match_args__:
        if (replayed := getattr(ending, name)) != (given := getattr(message, name)):
            raise ValueError(f"{name}: no stream can end with {given!r:.500}; it would be {replayed!r:.500}")
    return iter(events)


def _replayed(message: AssistantMessage, reason: StopReason, size: int) -> Iterator[AnyProviderEvent]:
    builder = MessageBuilder(
        api=message.api, provider=message.provider, model=message.model, timestamp=message.timestamp
    )
    builder.update(response_id=message.response_id)
    yield builder.start()
    for block in message.content:
        match block:
            case TextContent(text, signature, annotations):
                yield builder.text_start()
                yield from map(builder.text_delta, _pieces(text, size))
                yield builder.text_end(signature=signature, annotations=annotations)
            case ThinkingContent(thinking, signature, redacted):
                yield builder.thinking_start()
                yield from map(builder.thinking_delta, _pieces(thinking, size))
                yield builder.thinking_end(signature=signature, redacted=redacted)
            case ToolCall(id, name, arguments, signature, invalid):
                text = json.dumps(arguments, ensure_ascii=False) if invalid is None else invalid
                started = builder.tool_call_start(id or None, name or None)
                yield started
                yield from map(builder.tool_call_delta, _pieces(text, size))
                if id or reason not in _FAILED:
                    yield builder.tool_call_end(thought_signature=signature)
                else:  # a message that failed may hold a call that never got its id
                    builder.update_block(started.content_index, thought_signature=signature)
            case ImageContent() | UnknownContent():
                builder.add_block(block)
    builder.update(usage=message.usage, raw_stop_reason=message.raw_stop_reason)
    if reason in _FAILED:
        yield builder.error(message.error_message or "", aborted=reason is StopReason.ABORTED)
    else:
        yield builder.done(reason)


def _pieces(text: str, size: int) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + size
        end += bool(_SPLIT_PAIR.match(text, end - 1))
        yield text[start:end]
        start = end


_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
