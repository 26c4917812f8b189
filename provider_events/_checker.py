# SPDX-License-Identifier: MIT
"""The checker behind `check`: is this a valid stream, event by event?"""

# Types are checked at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false
# What runs once per delta reads `_source` and `_step` of the snapshot itself, without a function call:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any, NoReturn, assert_never

from ._grammar import (
    BLOCK_EVENTS,
    EVENTLESS,
    KIND_OF,
    PHASES,
    BlockDelta,
    BlockEnd,
    BlockKind,
    BlockStart,
    StreamState,
)
from ._headers import STREAMED
from ._json import parse_object
from ._log import block_at, header, origin
from .errors import StreamProtocolError
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
from .messages import (
    AssistantMessage,
    ContentBlock,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)

FAILED = (StopReason.ERROR, StopReason.ABORTED)
"""The reasons of an `Error`."""


class _OpenBlock:
    """A block that has started and not ended, with its deltas so far."""

    __slots__ = ("kind", "delta_event", "deltas", "append", "_counted", "_length")

    def __init__(self, kind: BlockKind) -> None:
        self.kind = kind
        self.delta_event = BLOCK_EVENTS[kind].delta
        self.deltas: list[str] = []
        self.append = self.deltas.append
        self._counted = 0  # how many deltas `_length` includes
        self._length = 0

    def length(self) -> int:
        """Return the length of all deltas. Each is counted once."""
        self._length += sum(map(len, self.deltas[self._counted :]))
        self._counted = len(self.deltas)
        return self._length


class Checker:
    """Takes the events of a stream one by one, and raises at the first that is not valid.

    The snapshots of a builder have an origin: their stream, and their step in it. If a delta's snapshot is one step
    after the one before, its content is not looked at. All other snapshots are compared: at a delta its own block, by
    length and last characters, which costs the same however long the text is; at the end of a block all of it.
    """

    __slots__ = ("_index", "_event", "_state", "_open", "_final", "_stream", "_next_step", "_source")

    def __init__(self) -> None:
        self._index = 0  # of the current event
        self._event: Any = None  # the current event
        self._state = StreamState()
        self._open: dict[int, _OpenBlock] = {}
        self._final: dict[int, ContentBlock] = {}  # the blocks that have ended or have no events
        # Of the latest snapshot that has an origin: its stream, the step after its own, and the source of its fields.
        self._stream: object = None
        self._next_step = 0
        self._source: object = object()  # not None, which a message made by its constructor has

    def take(self, event: AnyProviderEvent) -> None:
        """Check the next event."""
        match event:
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                # Most events are deltas with the next snapshot of a builder. They are checked here, without a call.
                index, delta, partial = event.content_index, event.delta, event.partial
                block = self._open.get(index) if type(index) is int else None
                if block is None or block.delta_event is not type(event):
                    self._refuse(event)
                if not isinstance(delta, str):
                    self._event = event
                    self._expect("delta", type(delta), str)
                block.append(delta)
                if (
                    type(partial) is AssistantMessage
                    and partial._source is self._source
                    and partial._step == self._next_step
                ):
                    self._next_step += 1
                else:
                    self._check_delta(event, block)
            case _ if type(event) not in PHASES[self._state.phase]:
                self._refuse(event)
            case TextStart() | ThinkingStart() | ToolCallStart():
                self._take_start(event)
            case TextEnd() | ThinkingEnd() | ToolCallEnd():
                self._take_end(event)
            case Done() | Error():
                self._take_terminal(event)
            case Start():
                self._event = event
                self._state.advance(Start)
                self._check_snapshot("partial", event.partial, None)
            case FallbackStart() | FallbackExhausted():
                self._state.advance(type(event))
            case _:
                assert_never(event)
        self._index += 1

    def end(self) -> None:
        """Check that the stream may end here."""
        if self._state.phase != "ended":
            self._refuse(None)

    def _check_delta(self, event: BlockDelta, block: _OpenBlock) -> None:
        index, delta, partial = event.content_index, event.delta, event.partial
        self._event = event
        expected = self._stream, self._next_step
        self._check_snapshot("partial", partial, None)
        if expected[0] is not None and origin(partial) == expected:
            return
        content = self._content("partial", partial, index, block.kind)
        if isinstance(content, (TextContent, ThinkingContent)):
            field = STREAMED[type(content)]
            text: str = getattr(content, field)
            path = f"partial.content[{index}].{field}"
            self._expect(f"{path}: length", len(text), block.length())
            self._expect(f"{path}: end", text[len(text) - len(delta) :], delta)

    def _take_start(self, event: BlockStart) -> None:
        self._event = event
        kind = KIND_OF[type(event)]
        index, partial = event.content_index, event.partial
        self._check_snapshot("partial", partial, None, starting=True)
        if type(index) is not int or not self._state.allows(type(event), index):
            self._expect("content_index", index, self._state.next_index)
        content = self._content("partial", partial, index, kind)
        path = f"partial.content[{index}]"
        if isinstance(event, ToolCallStart):
            assert isinstance(content, ToolCall)
            self._expect(f"{path}.id", content.id, event.tool_call_id or "")
            self._expect(f"{path}.name", content.name, event.tool_name or "")
            self._expect(f"{path}.arguments", content.arguments, {})
            self._expect(f"{path}.invalid_arguments", content.invalid_arguments, None)
        else:
            self._expect_text(path, content, "")
        self._state.advance(type(event), index)
        self._open[index] = _OpenBlock(kind)
        if (extra := block_at(partial, index + 1)) is not None:
            self._fail(f"partial.content[{index + 1}]", f"expected nothing, found {type(extra).__name__}")

    def _take_end(self, event: BlockEnd) -> None:
        self._event = event
        index, partial = event.content_index, event.partial
        if type(index) is not int or not self._state.allows(type(event), index):
            self._refuse(event)
        self._check_snapshot("partial", partial, None)
        block = self._open.pop(index)
        content = self._content("partial", partial, index, block.kind)
        text, path = "".join(block.deltas), f"partial.content[{index}]"
        if isinstance(event, ToolCallEnd):
            call, arguments = event.tool_call, parse_object(text or "{}")
            self._expect("tool_call", type(call), ToolCall)
            self._expect("tool_call.arguments", call.arguments, arguments or {})
            self._expect("tool_call.invalid_arguments", call.invalid_arguments, text if arguments is None else None)
            self._expect_same(path, content, call)
        else:
            self._expect("content", event.content, text)
            self._expect_text(path, content, text)
        self._state.advance(type(event), index)
        self._final[index] = content

    def _take_terminal(self, event: Done | Error) -> None:
        self._event = event
        kind, message = type(event), event.partial
        if not self._state.allows(kind):
            self._refuse(event)
        field = event.__match_args__[1]
        self._check_snapshot(field, message, event.reason)
        reasons = [reason for reason in StopReason if (reason in FAILED) is isinstance(event, Error)]
        if event.reason not in reasons:
            self._fail("reason", f"expected {' or '.join(reasons)}, found {event.reason}")
        if isinstance(event, Error) and not message.error_message:
            self._fail("error.error_message", f"expected why the stream failed, found {message.error_message!r}")
        for index, block in self._open.items():
            self._check_open_block(f"{field}.content[{index}]", self._content(field, message, index, block.kind), block)
        for index, final in self._final.items():
            content = self._content(field, message, index, type(final))
            if not isinstance(final, UnknownContent):
                self._expect_same(f"{field}.content[{index}]", content, final)
        if isinstance(event, Done):
            self._check_calls(event)
        self._state.advance(kind)
        self._open.clear()

    def _check_open_block(self, path: str, content: Any, block: _OpenBlock) -> None:
        text = "".join(block.deltas)
        if block.kind is not ToolCall:
            self._expect_text(path, content, text)
        elif (arguments := parse_object(text)) is not None:  # what an unfinished text yields is up to its reader
            self._expect(f"{path}.arguments", content.arguments, arguments)

    def _check_calls(self, event: Done) -> None:
        ids: set[str] = set()
        for index, call in enumerate(event.message.content):
            if isinstance(call, ToolCall):
                if not call.id or call.id in ids:
                    problem = f"expected an id unique in the message, found {call.id!r:.100}"
                    self._fail(f"message.content[{index}].id", problem)
                ids.add(call.id)
        expected = StopReason.TOOL_USE if ids else StopReason.STOP
        if event.reason not in (expected, StopReason.LENGTH):
            having = "with tool calls" if ids else "without tool calls"
            self._fail("reason", f"expected {expected} or length for a message {having}, found {event.reason}")

    # Shared by the checks above

    def _check_snapshot(
        self, path: str, message: AssistantMessage, stop_reason: StopReason | None, *, starting: bool = False
    ) -> None:
        """Check what is required of the message of any event, and take in new blocks that have no events."""
        self._expect(path, type(message), AssistantMessage)
        # A terminal message may have any origin, since all of it is compared.
        if stop_reason is None and (found := origin(message)) is not None:
            stream, step = found
            if self._stream is not None and stream is not self._stream:
                self._fail(path, "expected a snapshot of this stream, found one of another stream")
            if step < self._next_step - 1:
                self._fail(path, "expected the message as of this event, found an older snapshot")
            self._stream, self._next_step, self._source = stream, step + 1, getattr(message, "_source")
        self._expect(f"{path}.stop_reason", header(message).stop_reason, stop_reason)
        state = self._state
        if state.next_index and block_at(message, state.next_index - 1) is None:
            self._expect_block(path, state.next_index - 1, None)
        while isinstance(block := block_at(message, state.next_index), EVENTLESS):
            self._final[state.next_index] = block
            state.add_block()
        if block is not None and not starting:
            problem = f"expected its start event first, found {type(block).__name__}"
            self._fail(f"{path}.content[{state.next_index}]", problem)

    def _content(self, path: str, message: AssistantMessage, index: int, kind: type[ContentBlock]) -> Any:
        content = block_at(message, index)
        if type(content) is not kind:
            self._expect_block(path, index, content, kind)
        return content

    def _expect_block(self, path: str, index: int, found: object, kind: type[Any] | None = None) -> NoReturn:
        if kind is None:
            kind = self._open[index].kind if index in self._open else type(self._final[index])
        shown = "nothing" if found is None else type(found).__name__
        self._fail(f"{path}.content[{index}]", f"expected {kind.__name__}, found {shown}")

    def _expect_text(self, path: str, content: Any, text: str) -> None:
        field = STREAMED[type(content)]
        self._expect(f"{path}.{field}", getattr(content, field), text)

    def _expect_same(self, path: str, found: Any, expected: Any) -> None:
        if (found_at := difference(path, found, expected)) is not None:
            self._expect(*found_at)

    def _expect(self, path: str, found: object, expected: object) -> None:
        if found != expected:
            self._fail(path, f"expected {shown(expected)}, found {shown(found)}")

    def _refuse(self, event: AnyProviderEvent | None) -> NoReturn:
        """Raise the error for an event, or the end of the stream, that may not come now."""
        self._event = event
        state = self._state
        block = None if event is None else KIND_OF.get(type(event))
        if block is not None and state.phase == "started":
            found = getattr(event, "content_index", None)
            self._fail("content_index", f"expected that of an open {block.__name__}, found {found!r:.100}; {state}")
        expected = " or ".join(str(event.type) for event in state.expected()) or "nothing more"
        self._fail("", f"expected {expected}; {state}")

    def _fail(self, path: str, problem: str) -> NoReturn:
        event = self._event
        found = "the end of the stream" if event is None else getattr(event, "type", type(event).__name__)
        raise StreamProtocolError(self._index, f" ({found}): {path}{': ' if path else ''}{problem}")


def shown(value: object) -> str:
    """Return how an error message shows a value."""
    return value.__name__ if isinstance(value, type) else f"{value!r:.200}"


def difference(path: str, found: Any, expected: Any) -> tuple[str, Any, Any] | None:
    """Return the path of the first field in which two values differ, with both values; None if they are equal."""
    if found == expected:
        return None
    steps: list[tuple[str, Any, Any]] = []
    kinds: set[type[object]] = {type(found), type(expected)}
    if kinds == {tuple}:
        steps = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(found, expected))]
    elif len(kinds) == 1:
        names: tuple[str, ...] = getattr(expected, "__match_args__", ())
        steps = [(f"{path}.{name}", getattr(found, name), getattr(expected, name)) for name in names]
    return next(filter(None, (difference(*step) for step in steps)), (path, found, expected))
