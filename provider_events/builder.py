# SPDX-License-Identifier: MIT
"""`MessageBuilder`: makes the events of one message, with their snapshots."""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, TypedDict, TypeVar, Unpack, cast

from ._grammar import BLOCK_EVENTS, KIND_OF, BlockKind, StreamState
from ._json import EMPTY_OBJECT, JsonValue, parse_object
from ._lazy import lazy
from ._log import BlockLog, MessageLog, Timeline
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
    ContentBlock,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)

__all__ = ["BlockFields", "MessageBuilder", "MessageFields", "StreamStateError"]

E = TypeVar("E", TextDelta, ThinkingDelta, ToolCallDelta)


class StreamStateError(RuntimeError):
    """A call that the grammar of a stream does not allow now. The message says what was expected."""


class MessageFields(TypedDict, total=False):
    """What `MessageBuilder.update` can change: fields of `AssistantMessage`."""

    api: str
    provider: str
    model: str
    usage: Usage
    raw_stop_reason: str | None
    response_id: str | None
    timestamp: int
    provider_details: Mapping[str, Any]


class BlockFields(TypedDict, total=False):
    """What `MessageBuilder.update_block` can change: fields of the content blocks."""

    text_signature: str | None
    annotations: Iterable[JsonValue]
    thinking_signature: str | None
    redacted: bool
    id: str
    name: str
    thought_signature: str | None
    provider_details: Mapping[str, Any]
    data: Mapping[str, Any]


_OPTIONAL_STR = (str, type(None))
_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "api": (str,),
    "provider": (str,),
    "model": (str,),
    "usage": (Usage,),
    "raw_stop_reason": _OPTIONAL_STR,
    "response_id": _OPTIONAL_STR,
    "timestamp": (int,),
    "provider_details": (Mapping,),
    "text_signature": _OPTIONAL_STR,
    "annotations": (Iterable,),
    "thinking_signature": _OPTIONAL_STR,
    "redacted": (bool,),
    "id": (str,),
    "name": (str,),
    "thought_signature": _OPTIONAL_STR,
    "data": (Mapping,),
}


class MessageBuilder:
    """Makes the events of one message. Each call returns the event to yield.

    Where a call takes a `content_index` and gets none, it means the latest open block of its kind. A call out of
    order raises `StreamStateError`, an argument of a wrong type `TypeError`; both leave the builder as it was.
    """

    __slots__ = ("_log", "_step", "_open", "_call_ids", "_has_calls", "state")

    def __init__(self, *, api: str, provider: str, model: str, timestamp: int | None = None) -> None:
        """Begin a message. `timestamp` is in Unix milliseconds, by default now."""
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        fields = {"api": api, "provider": provider, "model": model, "timestamp": timestamp}
        _check_types("MessageBuilder", fields)
        self._log = MessageLog(AssistantMessage(**cast(Any, fields)))
        self._step = 0  # the number of events so far
        self._open: dict[int | None, BlockLog] = {}  # by content index
        self._call_ids: dict[str, int] = {}  # content indexes of the tool calls by id
        self._has_calls = False
        self.state = StreamState()
        """How far the stream has come. To be read, not changed."""

    @property
    def partial(self) -> AssistantMessage:
        """The message as of the latest event."""
        return lazy(AssistantMessage, self._log, self._step)

    def start(self) -> Start:
        """Begin the message."""
        self._advance(Start)
        return Start(self._next_snapshot())

    def text_start(self) -> TextStart:
        """Begin a text block at the next content index."""
        return TextStart(self._start_block(TextContent).index, self._next_snapshot())

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
        block, content = self._end_block(
            TextContent,
            content_index,
            {"text_signature": signature, "annotations": annotations, "provider_details": provider_details},
        )
        return TextEnd(block.index, content.text, self._next_snapshot())

    def thinking_start(self) -> ThinkingStart:
        """Begin a thinking block at the next content index."""
        return ThinkingStart(self._start_block(ThinkingContent).index, self._next_snapshot())

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
        block, content = self._end_block(
            ThinkingContent,
            content_index,
            {"thinking_signature": signature, "redacted": redacted, "provider_details": provider_details},
        )
        return ThinkingEnd(block.index, content.thinking, self._next_snapshot())

    def tool_call_start(self, tool_call_id: str | None = None, tool_name: str | None = None) -> ToolCallStart:
        """Begin a tool call at the next content index. Id and name may follow until its end.

        Raises `ValueError` for an id that another call of the message has.
        """
        fields = {"id": tool_call_id or None, "name": tool_name or None}
        block = self._start_block(ToolCall, fields)
        return ToolCallStart(block.index, fields["id"], fields["name"], self._next_snapshot())

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
        Raises `ValueError` for an id that another call of the message has.
        """
        fields = {
            "id": tool_call_id or None,
            "name": tool_name or None,
            "thought_signature": thought_signature,
            "provider_details": provider_details,
        }
        block, call = self._end_block(ToolCall, content_index, fields)
        return ToolCallEnd(block.index, call, self._next_snapshot())

    def done(self, reason: StopReason) -> Done:
        """Complete the message. All blocks have ended.

        `reason` is `TOOL_USE` if and only if the message has tool calls, or it is `LENGTH`.
        Raises `ValueError` for any other reason.
        """
        reason = StopReason(reason)
        if reason in (StopReason.ERROR, StopReason.ABORTED):
            raise ValueError(f"done: expected reason stop, length or toolUse, found {reason}; call error()")
        expected = StopReason.TOOL_USE if self._has_calls else StopReason.STOP
        if reason not in (expected, StopReason.LENGTH):
            having = "a message with tool calls" if self._has_calls else "a message without tool calls"
            raise ValueError(f"done: expected reason {expected} or length for {having}, found {reason}")
        self._advance(Done)
        return Done(reason, self._finish(stop_reason=reason))

    def error(self, message: str, *, aborted: bool = False) -> Error:
        """Fail the message. `message` is why; open blocks stay as they are."""
        if not isinstance(message, str):
            raise TypeError(f"error: expected a message of type str, found {type(message).__name__}")
        self._advance(Error)
        for block in self._open.values():
            self._log.blocks[block.index].set(self._step + 1, block.kind(*block.values(self._step + 1)))
        self._open.clear()
        reason = StopReason.ABORTED if aborted else StopReason.ERROR
        return Error(reason, self._finish(stop_reason=reason, error_message=message or str(reason)))

    # What has no event of its own shows from the next event on.

    def update(self, **fields: Unpack[MessageFields]) -> None:
        """Change fields of the message, from the next event on."""
        self._require_phase("update", "started", "new")
        _check_names("update", fields, MessageFields.__annotations__)
        _check_types("update", fields)
        self._log.header.set(self._step + 1, replace(self._log.header.latest, **fields))

    def add_block(self, block: ImageContent | UnknownContent) -> int:
        """Add a block that has no events, from the next event on, and return its content index."""
        self._require_phase("add_block", "started")
        if not isinstance(block, (ImageContent, UnknownContent)):
            raise TypeError(f"add_block: expected ImageContent or UnknownContent, found {type(block).__name__}")
        self._append_block(block)
        return self.state.add_block()

    def update_block(self, content_index: int, **fields: Unpack[BlockFields]) -> None:
        """Change fields of an open block, or the `data` of an `UnknownContent`, from the next event on."""
        self._require_phase("update_block", "started")
        block = self._open.get(content_index)
        if block is not None:
            _check_names("update_block", fields, BlockFields.__annotations__.keys() & block.kind.__match_args__)
            self._update_header(block, "update_block", fields)
            return
        timeline = self._log.blocks[content_index] if content_index in range(len(self._log.blocks)) else None
        if timeline is None or not isinstance(unknown := timeline.latest, UnknownContent):
            raise StreamStateError(
                f"update_block: expected the index of an open or unknown block, found {content_index!r}; {self.state}"
            )
        _check_names("update_block", fields, {"data"})
        _check_types("update_block", fields)
        timeline.set(self._step + 1, replace(unknown, **cast(Any, fields)))

    def has_call_id(self, tool_call_id: str) -> bool:
        """Return whether a tool call of this message has this id."""
        return tool_call_id in self._call_ids

    def streamed(self, content_index: int) -> str:
        """Return the deltas of an open block so far, joined. Raises `KeyError` if no block is open there."""
        return self._open[content_index].text(self._step)

    # Inside

    def _require_phase(self, call: str, *phases: str) -> None:
        if self.state.phase not in phases:
            raise StreamStateError(f"{call}: expected {self._expected()}; {self.state}")

    def _expected(self) -> str:
        return " or ".join(f"{_CALLS[event]}()" for event in self.state.expected() if event in _CALLS) or "no more calls"

    def _advance(self, event: type[ProviderEvent], content_index: int | None = None) -> None:
        if not self.state.allows(event, content_index):
            raise StreamStateError(f"{_CALLS[event]}: expected {self._expected()}; {self.state}")
        self.state.advance(event, content_index)

    def _next_snapshot(self) -> AssistantMessage:
        self._step += 1
        return lazy(AssistantMessage, self._log, self._step)

    def _finish(self, **fields: Any) -> AssistantMessage:
        self._step += 1
        self._log.header.set(self._step, replace(self._log.header.latest, **fields))
        return AssistantMessage(*self._log.values(self._step))

    def _append_block(self, block: BlockLog | ContentBlock) -> None:
        timeline: Timeline[BlockLog | ContentBlock | None] = Timeline(None)
        timeline.set(self._step + 1, block)
        self._log.blocks.append(timeline)

    def _start_block(self, kind: BlockKind, fields: Mapping[str, Any] | None = None) -> BlockLog:
        index = self.state.next_index
        block = BlockLog(kind, index, self._step + 1)
        self._check_fields(block, _CALLS[BLOCK_EVENTS[kind].start], fields or {})
        self._advance(BLOCK_EVENTS[kind].start, index)
        self._update_header(block, "", fields or {})
        self._open[index] = block
        self._append_block(block)
        self._has_calls = self._has_calls or kind is ToolCall
        return block

    def _find(self, event: type[ProviderEvent], content_index: int | None) -> BlockLog:
        kind = KIND_OF[event]
        for index, block in reversed(self._open.items()):
            if block.kind is kind and content_index in (None, index):
                return block
        where = "" if content_index is None else f" at content index {content_index!r}"
        raise StreamStateError(f"{_CALLS[event]}: expected an open {kind.__name__}{where}; {self.state}")

    def _delta(self, event: type[E], kind: BlockKind, delta: str, content_index: int | None) -> E:
        if not isinstance(delta, str):
            raise TypeError(f"{_CALLS[event]}: expected a delta of type str, found {type(delta).__name__}")
        block = self._open.get(content_index)
        if block is None or block.kind is not kind:
            block = self._find(event, content_index)
        self._step = step = self._step + 1
        block.append(delta, step)
        return event(block.index, delta, lazy(AssistantMessage, self._log, step))

    def _check_fields(self, block: BlockLog, call: str, fields: Mapping[str, Any]) -> None:
        _check_types(call, {name: value for name, value in fields.items() if value is not None})
        new_id = fields.get("id")
        if new_id and self._call_ids.get(new_id, block.index) != block.index:
            raise ValueError(f"{call}: expected an id unique in the message, found {new_id!r}, the id of another call")

    def _update_header(self, block: BlockLog, call: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a block that are not None."""
        changed = {name: value for name, value in fields.items() if value is not None}
        if not changed:
            return
        if call:
            self._check_fields(block, call, changed)
        old = block.header.latest
        block.header.set(self._step + 1, replace(old, **changed))
        if "id" in changed:
            self._call_ids.pop(old.id, None)
            self._call_ids[changed["id"]] = block.index

    def _end_block(self, kind: BlockKind, content_index: int | None, fields: Mapping[str, Any]) -> tuple[BlockLog, Any]:
        end = BLOCK_EVENTS[kind].end
        block = self._find(end, content_index)
        self._update_header(block, _CALLS[end], fields)
        self._advance(end, block.index)
        if kind is ToolCall:
            content: Any = self._finished_call(block)
        else:
            content = kind(*block.values(self._step + 1))
        self._log.blocks[block.index].set(self._step + 1, content)
        del self._open[block.index]
        return block, content

    def _finished_call(self, block: BlockLog) -> ToolCall:
        text = block.text(self._step + 1)
        arguments = parse_object(text or "{}")
        header: ToolCall = block.header.latest
        return replace(
            header,
            id=header.id or self._new_id(block.index),
            arguments=EMPTY_OBJECT if arguments is None else arguments,
            invalid_arguments=text if arguments is None else None,
        )

    def _new_id(self, index: int) -> str:
        """Return an id for a call without one. The response's id makes it differ from those of other messages."""
        response_id = self._log.header.latest.response_id
        stem = f"tool_call_{response_id[-24:]}" if response_id else "tool_call"  # some providers accept 40 at most
        new = next(id for number in count(index) if (id := f"{stem}_{number}") not in self._call_ids)
        self._call_ids[new] = index
        return new


# The method that makes each event.
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


def _check_names(call: str, fields: Iterable[str], known: Iterable[str]) -> None:
    known = sorted(known)
    for name in fields:
        if name not in known:
            raise TypeError(f"{call}: expected one of {', '.join(known)}, found the field {name!r}")


def _check_types(call: str, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        expected = _FIELD_TYPES[name]
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            names = " or ".join("None" if each is type(None) else each.__name__ for each in expected)
            raise TypeError(f"{call}: expected {name} of type {names}, found {type(value).__name__}")
