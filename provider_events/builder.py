# SPDX-License-Identifier: MIT
"""`MessageBuilder`: makes the events of one message, with their snapshots."""

# Types are checked at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false
# `_atomic` is a part of the builder:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from itertools import count
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar, Unpack, cast

from ._fields import BlockFields, MessageFields, check_names, check_types
from ._grammar import EVENTLESS, BlockDelta, BlockEnd, BlockKind, BlockStart, StreamState
from ._headers import STREAMED
from ._json import EMPTY_OBJECT, JsonValue, freeze, parse_object
from ._lazy import lazy
from ._log import BlockLog, MessageLog
from ._open_blocks import OpenBlocks, Savepoint
from .errors import StreamStateError
from .events import (
    Done,
    Error,
    ProviderEvent,
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
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)

__all__ = ["BlockFields", "MessageBuilder", "MessageFields", "StreamStateError"]

StartT = TypeVar("StartT", bound=BlockStart)
DeltaT = TypeVar("DeltaT", bound=BlockDelta)
EndT = TypeVar("EndT", bound=BlockEnd)
TerminalT = TypeVar("TerminalT", Done, Error)
P = ParamSpec("P")
T = TypeVar("T")


def _atomic(call: Callable[Concatenate[MessageBuilder, P], T]) -> Callable[Concatenate[MessageBuilder, P], T]:
    """Make a method leave the builder as it was if any exception ends it, `KeyboardInterrupt` included."""

    @wraps(call)
    def method(self: MessageBuilder, /, *args: P.args, **kwargs: P.kwargs) -> T:
        savepoint = Savepoint(self.state, self._log, self._open)
        try:
            return call(self, *args, **kwargs)
        except BaseException:
            savepoint.restore()
            raise

    return method


class MessageBuilder:
    """Makes the events of one message. Each call returns the event to yield.

    Where a call takes a `content_index` and gets none, it means the latest open block of its kind. A call out of
    order raises `StreamStateError`, an argument of a wrong type `TypeError`; both leave the builder as it was.
    """

    __slots__ = ("_log", "_open", "_call_ids", "state")

    def __init__(self, *, api: str, provider: str, model: str, timestamp: int | None = None) -> None:
        """Begin a message. `timestamp` is in Unix milliseconds; the default is the current time."""
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        fields = {"api": api, "provider": provider, "model": model, "timestamp": timestamp}
        check_types("MessageBuilder", fields)
        self._log = MessageLog(AssistantMessage(**cast(Any, fields)))
        self._open = OpenBlocks()
        self._call_ids: dict[str, int] = {}  # by id, the content index of the last call that was given it
        self.state = StreamState()
        """How far the stream has come. Read it, but do not change it."""

    @property
    def partial(self) -> AssistantMessage:
        """The message as of the latest event."""
        return lazy(AssistantMessage, self._log, self._log.step)

    @_atomic
    def start(self) -> Start:
        """Begin the message."""
        self._require(Start)
        self.state.advance(Start)
        return Start(self._next_snapshot())

    def text_start(self) -> TextStart:
        """Begin a text block at the next content index."""
        return self._start_block(TextStart, TextContent)

    def text_delta(self, delta: str, content_index: int | None = None) -> TextDelta:
        """Append to a text block."""
        return self._delta(TextDelta, TextContent, delta, content_index)

    def text_end(
        self,
        content_index: int | None = None,
        *,
        signature: str | None = None,
        annotations: Iterable[JsonValue] | None = None,
        provider_details: Mapping[str, Any] | None = None,
    ) -> TextEnd:
        """End a text block. What is None stays as `update_block` has set it."""
        fields = {"text_signature": signature, "annotations": annotations, "provider_details": provider_details}
        return self._end_block(TextEnd, TextContent, content_index, fields)

    def thinking_start(self) -> ThinkingStart:
        """Begin a thinking block at the next content index."""
        return self._start_block(ThinkingStart, ThinkingContent)

    def thinking_delta(self, delta: str, content_index: int | None = None) -> ThinkingDelta:
        """Append to a thinking block."""
        return self._delta(ThinkingDelta, ThinkingContent, delta, content_index)

    def thinking_end(
        self,
        content_index: int | None = None,
        *,
        signature: str | None = None,
        redacted: bool | None = None,
        provider_details: Mapping[str, Any] | None = None,
    ) -> ThinkingEnd:
        """End a thinking block. What is None stays as `update_block` has set it."""
        fields = {"thinking_signature": signature, "redacted": redacted, "provider_details": provider_details}
        return self._end_block(ThinkingEnd, ThinkingContent, content_index, fields)

    def tool_call_start(self, tool_call_id: str | None = None, tool_name: str | None = None) -> ToolCallStart:
        """Begin a tool call at the next content index. Id and name may follow until its end.

        Raise `ValueError` for an id that another call of the message has.
        """
        return self._start_block(ToolCallStart, ToolCall, {"id": tool_call_id or None, "name": tool_name or None})

    def tool_call_delta(self, delta: str, content_index: int | None = None) -> ToolCallDelta:
        """Append JSON text to the arguments of a tool call."""
        return self._delta(ToolCallDelta, ToolCall, delta, content_index)

    def tool_call_end(
        self,
        content_index: int | None = None,
        *,
        tool_call_id: str | None = None,
        tool_name: str | None = None,
        thought_signature: str | None = None,
        provider_details: Mapping[str, Any] | None = None,
    ) -> ToolCallEnd:
        """End a tool call. What is None stays as it is; no arguments at all are an empty object.

        A call without an id is given one: unique in the message, and the same whenever the same calls are made.
        Raise `ValueError` for an id that another call of the message has.
        """
        fields = {
            "id": tool_call_id or None,
            "name": tool_name or None,
            "thought_signature": thought_signature,
            "provider_details": provider_details,
        }
        return self._end_block(ToolCallEnd, ToolCall, content_index, fields)

    def done(self, reason: StopReason) -> Done:
        """Complete the message. All blocks must have ended.

        Raise `ValueError` unless `reason` is `TOOL_USE` for a message with tool calls, `STOP` for one without, or
        `LENGTH` for either.
        """
        if reason not in [*StopReason]:
            raise ValueError(f"done: expected one of {', '.join(StopReason)}, found {reason!r}")
        reason = StopReason(reason)
        if reason in (StopReason.ERROR, StopReason.ABORTED):
            raise ValueError(f"done: expected reason stop, length or toolUse, found {reason}; call error()")
        expected = StopReason.TOOL_USE if self._log.has_calls else StopReason.STOP
        if reason not in (expected, StopReason.LENGTH):
            having = "a message with tool calls" if self._log.has_calls else "a message without tool calls"
            raise ValueError(f"done: expected reason {expected} or length for {having}, found {reason}")
        return self._finish(Done, reason, {})

    def error(self, message: str, *, aborted: bool = False) -> Error:
        """End the stream in an error. `message` is the reason; open blocks stay as they are."""
        if not isinstance(message, str):
            raise TypeError(f"error: expected a message of type str, found {type(message).__name__}")
        reason = StopReason.ABORTED if aborted else StopReason.ERROR
        return self._finish(Error, reason, {"error_message": message or str(reason)})

    # Changes without an event of their own: the next event's snapshot is the first to have them.

    def update(self, **fields: Unpack[MessageFields]) -> None:
        """Change fields of the message, from the next event on."""
        self._require_phase("update", "started", "new")
        check_names("update", fields, MessageFields.__annotations__)
        check_types("update", fields)
        self._log.headers.update(self._log.step + 1, fields)

    @_atomic
    def add_block(self, block: ImageContent | UnknownContent) -> int:
        """Add a block that has no events, from the next event on, and return its content index."""
        self._require_phase("add_block", "started")
        if not isinstance(block, EVENTLESS):
            expected = " or ".join(kind.__name__ for kind in EVENTLESS)
            raise TypeError(f"add_block: expected {expected}, found {type(block).__name__}")
        self._log.add(self._log.step + 1, block)
        return self.state.add_block()

    def update_block(self, content_index: int, **fields: Unpack[BlockFields]) -> None:
        """Change fields of an open block, or the `data` of an `UnknownContent`, from the next event on."""
        self._require_phase("update_block", "started")
        block = self._open.by_index.get(content_index)
        unknown = self._log.latest(content_index)
        if block is None and not isinstance(unknown, UnknownContent):
            raise StreamStateError(
                f"update_block: expected the index of an open or unknown block, found {content_index!r}; {self.state}"
            )
        known = {"data"} if block is None else BlockFields.__annotations__.keys() & block.kind.__match_args__
        check_names("update_block", fields, known)
        if block is None:
            check_types("update_block", fields)
            self._log.grow(self._log.step + 1, content_index, replace(cast(Any, unknown), **fields))
        else:
            self._update_header(block, self._checked("update_block", block, fields))

    def add_annotation(self, content_index: int, annotation: JsonValue) -> None:
        """Add a citation to an open text block, from the next event on, at the same cost however many there are."""
        block = self._open.by_index.get(content_index)
        if block is None or block.kind is not TextContent:
            raise StreamStateError(
                f"add_annotation: expected the index of an open TextContent, found {content_index!r}; {self.state}"
            )
        block.add_annotation(self._log.step + 1, freeze(annotation))

    def has_call_id(self, tool_call_id: str) -> bool:
        """Return whether a tool call of this message has this id."""
        return self._call_with_id(tool_call_id) is not None

    def streamed(self, content_index: int) -> str:
        """Return the deltas of an open block so far, joined. Raise `KeyError` if no block is open there."""
        return self._open.by_index[content_index].text(self._log.step)

    # Inside

    def _require_phase(self, call: str, *phases: str) -> None:
        if self.state.phase not in phases:
            raise StreamStateError(f"{call}: expected {self._expected()}; {self.state}")

    def _expected(self) -> str:
        calls = [f"{_CALLS[event]}()" for event in self.state.expected() if event in _CALLS]
        return " or ".join(calls) or "no more calls"

    def _require(self, event: type[ProviderEvent], content_index: int | None = None) -> None:
        if not self.state.allows(event, content_index):
            raise StreamStateError(f"{_CALLS[event]}: expected {self._expected()}; {self.state}")

    def _next_snapshot(self) -> AssistantMessage:
        self._log.step += 1
        return lazy(AssistantMessage, self._log, self._log.step)

    @_atomic
    def _start_block(self, event: type[StartT], kind: BlockKind, fields: Mapping[str, Any] = EMPTY_OBJECT) -> StartT:
        index, step = self.state.next_index, self._log.step + 1
        self._require(event, index)
        block = BlockLog(kind, index, step, self._log.journal)
        self._update_header(block, self._checked(_CALLS[event], block, fields))
        self._log.add(step, block)
        self.state.advance(event, index)
        self._open.add(block)
        started: StartT = cast(Any, event)(index, *fields.values(), self._next_snapshot())
        return started

    def _delta(self, event: type[DeltaT], kind: BlockKind, delta: str, content_index: int | None) -> DeltaT:
        if not isinstance(delta, str):
            raise TypeError(f"{_CALLS[event]}: expected a delta of type str, found {type(delta).__name__}")
        block = self._open.find(kind, content_index)
        if block is None:
            self._refuse_block(event, kind, content_index)
        log = self._log
        step = log.step + 1
        made = event(block.index, delta, lazy(AssistantMessage, log, step))
        try:  # atomic without a savepoint, since this runs once per token
            block.append(delta, step)
            log.step = step
            return made
        except BaseException:
            log.step = step - 1
            block.take_back(step)
            raise

    @_atomic
    def _end_block(
        self, event: type[EndT], kind: BlockKind, content_index: int | None, fields: Mapping[str, Any]
    ) -> EndT:
        block = self._open.find(kind, content_index)
        if block is None:
            self._refuse_block(event, kind, content_index)
        step = self._log.step + 1
        changed = self._checked(_CALLS[event], block, fields)
        if kind is ToolCall and not block.headers.latest.id:
            changed.setdefault("id", self._new_id(block.index))
        content = replace(block.headers.at(step), **changed, **_final_fields(block, step))
        self._register_id(block, changed)
        block.end(step, content)
        self.state.advance(event, block.index)
        self._open.remove(block)
        shown = content if kind is ToolCall else getattr(content, STREAMED[kind])
        return event(block.index, shown, self._next_snapshot())

    @_atomic
    def _finish(self, event: type[TerminalT], reason: StopReason, fields: dict[str, Any]) -> TerminalT:
        self._require(event)
        step = self._log.step + 1
        self.state.advance(event)
        for block in self._open.by_index.values():
            block.end(step, replace(block.headers.at(step), **block.streamed(step)))
        self._log.headers.update(step, {"stop_reason": reason, **fields})
        message = self._next_snapshot()
        _ = message.content, message.model  # read, so that it lets go of the log
        self._open.clear()
        return event(reason, message)

    def _refuse_block(self, event: type[ProviderEvent], kind: BlockKind, content_index: int | None) -> NoReturn:
        where = "" if content_index is None else f" at content index {content_index!r}"
        raise StreamStateError(f"{_CALLS[event]}: expected an open {kind.__name__}{where}; {self.state}")

    def _checked(self, call: str, block: BlockLog, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are not None. Raise if one has a wrong type, or an id is another call's."""
        changed = {name: value for name, value in fields.items() if value is not None}
        check_types(call, changed)
        new_id = changed.get("id")
        if new_id and self._call_with_id(new_id) not in (None, block.index):
            raise ValueError(f"{call}: expected an id unique in the message, found {new_id!r}, the id of another call")
        return changed

    def _update_header(self, block: BlockLog, changed: dict[str, Any]) -> None:
        if changed:
            self._register_id(block, changed)
            block.update(self._log.step + 1, changed)

    def _register_id(self, block: BlockLog, changed: dict[str, Any]) -> None:
        if new_id := changed.get("id"):
            self._call_ids[new_id] = block.index

    def _call_with_id(self, tool_call_id: str) -> int | None:
        """Return the content index of the call that has an id now.

        An entry of `_call_ids` is out of date once its call has another id, or was never completed.
        """
        index = self._call_ids.get(tool_call_id)
        return index if index is not None and self._log.call_id(index) == tool_call_id else None

    def _new_id(self, index: int) -> str:
        """Return an id for a call without one. The response's id in it tells messages apart."""
        response_id = self._log.headers.latest.response_id
        stem = f"tool_call_{response_id[-24:]}" if response_id else "tool_call"  # some providers accept 40 at most
        return next(id for number in count(index) if not self.has_call_id(id := f"{stem}_{number}"))


def _final_fields(block: BlockLog, step: int) -> dict[str, Any]:
    """Return the streamed fields of a block that ends. Arguments that are no whole JSON object are invalid."""
    if block.kind is not ToolCall:
        return block.streamed(step)
    text = block.text(step)
    arguments = parse_object(text or "{}")
    return {"arguments": EMPTY_OBJECT, "invalid_arguments": text} if arguments is None else {"arguments": arguments}


# By the class of an event, the method that makes it.
_CALLS: dict[type[ProviderEvent], str] = {
    Start: "start",
    TextStart: "text_start",
    TextDelta: "text_delta",
    TextEnd: "text_end",
    ThinkingStart: "thinking_start",
    ThinkingDelta: "thinking_delta",
    ThinkingEnd: "thinking_end",
    ToolCallStart: "tool_call_start",
    ToolCallDelta: "tool_call_delta",
    ToolCallEnd: "tool_call_end",
    Done: "done",
    Error: "error",
}
