"""`MessageBuilder`: deltas in, events with snapshots out.

The builder never copies what has come so far. It writes down each piece once, and at which step, the
number of the event that brought it. A snapshot is the log and a step, and works out its fields when
it is read: what nobody reads costs one small object, however long the message.
"""

# Callers who run no type checker are told of a wrong type too:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import count
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from .events import (
    BLOCK_STAGES,
    STREAM_STAGES,
    Done,
    Error,
    ProviderEvent,
    Start,
    StreamedContent,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    what_may_come,
)
from .messages import (
    AssistantMessage,
    ContentBlock,
    FrozenDict,
    ImageContent,
    JsonValue,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
    deferred,
    parse_object,
    read_object,
)

V = TypeVar("V")
C = TypeVar("C", bound=StreamedContent)
E = TypeVar("E", TextDelta, ThinkingDelta, ToolCallDelta)


class StreamStateError(RuntimeError):
    """A call that the grammar of a stream does not allow now; it says what was expected."""


# The log

# Each kind of block that streams, before a word is said.
_EMPTY: dict[type[Any], Any] = {
    TextContent: TextContent(""),
    ThinkingContent: ThinkingContent(""),
    ToolCall: ToolCall("", "", {}),
}


class _Timeline(Generic[V]):
    """A value that changes now and then, and what it was at each step."""

    __slots__ = ("_steps", "_values")

    def __init__(self, value: V) -> None:
        self._steps = [0]
        self._values = [value]

    def set(self, step: int, value: V) -> None:
        self._values.append(value)  # first: a reader in another thread finds values by their steps
        self._steps.append(step)

    def at(self, step: int) -> V:
        return self._values[bisect_right(self._steps, step) - 1]

    @property
    def latest(self) -> V:
        return self._values[-1]


class _Block:
    """A block that streams: its pieces in the order they came, and at which steps.

    Pieces come in runs, one a step. A run is told by its origin, the step before its first piece,
    and its base, the number of pieces before it.
    """

    __slots__ = ("kind", "may_come", "index", "said", "pieces", "last", "_origins", "_bases", "_joined")

    def __init__(self, kind: type[StreamedContent], index: int, step: int) -> None:
        self.kind = kind
        self.may_come = BLOCK_STAGES[kind]
        self.index = index
        self.said: _Timeline[Any] = _Timeline(_EMPTY[kind])  # all but what streams, which stays empty here
        self.pieces: list[str] = []
        self.last = step  # the step of the last piece
        self._origins = [step]
        self._bases = [0]
        self._joined = (0, "")  # the first so many pieces as one text, as a reader left it

    def begin_run(self, step: int) -> None:
        self._bases.append(len(self.pieces))  # first: a reader in another thread goes by origins
        self._origins.append(step - 1)

    def text(self, step: int) -> str:
        """The pieces that had come by `step`, joined."""
        run = bisect_right(self._origins, step) - 1
        end = self._bases[run + 1] if run + 1 < len(self._bases) else len(self.pieces)
        count = min(self._bases[run] + step - self._origins[run], end)
        known, text = self._joined
        if count < known:
            return "".join(self.pieces[:count])
        if count > known:
            text = "".join((text, *self.pieces[known:count]))
            self._joined = (count, text)
        return text

    def outline(self, step: int) -> StreamedContent:
        """All but what streams, as it stood at `step`."""
        said: StreamedContent = self.said.at(step)
        return said

    def values(self, step: int) -> tuple[Any, ...]:
        """The fields of the block's content as they stood at `step`."""
        said: StreamedContent = self.said.at(step)
        text = self.text(step)
        if isinstance(said, TextContent):
            return text, said.text_signature, said.annotations
        if isinstance(said, ThinkingContent):
            return text, said.thinking_signature, said.redacted
        return said.id, said.name, read_object(text), said.thought_signature, None


class _Log:
    """All that has been said of a message, and at which steps. It only ever grows."""

    __slots__ = ("said", "blocks")

    def __init__(self, message: AssistantMessage) -> None:
        self.said = _Timeline(message)  # all but the content, which stays empty here
        self.blocks: list[_Timeline[_Block | ContentBlock | None]] = []  # None: not begun

    def outline(self, step: int) -> AssistantMessage:
        """All but the content, as it stood at `step`."""
        return self.said.at(step)

    def block(self, content_index: int, step: int) -> ContentBlock | None:
        """The block at a place as it stood at `step`."""
        block = self.blocks[content_index].at(step) if content_index < len(self.blocks) else None
        return deferred(block.kind, block, step) if isinstance(block, _Block) else block

    def values(self, step: int) -> tuple[Any, ...]:
        """The fields of the message as they stood at `step`."""
        said = self.said.at(step)
        blocks = [self.block(index, step) for index in range(len(self.blocks))]
        content = tuple([block for block in blocks if block is not None])
        return tuple([content if name == "content" else getattr(said, name) for name in said.__match_args__])

    def joined(self, kind: type[TextContent] | type[ThinkingContent], step: int) -> str:
        """What all blocks of one kind said, as it stood at `step`."""
        blocks = [timeline.at(step) for timeline in self.blocks]
        return "".join(
            [
                block.text(step) if isinstance(block, _Block) else getattr(block, kind.__match_args__[0])
                for block in blocks
                if (block.kind if isinstance(block, _Block) else type(block)) is kind
            ]
        )


# The builder


class MessageFields(TypedDict, total=False):
    """What `MessageBuilder.update` can change; the fields of `AssistantMessage` by these names."""

    api: str
    provider: str
    model: str
    usage: Usage
    raw_stop_reason: str | None
    response_id: str | None
    timestamp: int


class BlockFields(TypedDict, total=False):
    """What `MessageBuilder.update_block` can change; the fields of the blocks by these names."""

    text_signature: str | None
    annotations: Iterable[JsonValue]
    thinking_signature: str | None
    redacted: bool
    id: str
    name: str
    thought_signature: str | None


class MessageBuilder:
    """One message as it streams in. Each call returns the event to hand on.

    `timestamp` is in Unix milliseconds, now if left out. Where a call takes a `content_index` and
    gets none, it means the latest open block of its kind. A call out of order raises
    `StreamStateError` and changes nothing.
    """

    __slots__ = ("_log", "_step", "_stage", "_open", "_ids")

    def __init__(self, *, api: str, provider: str, model: str, timestamp: int | None = None) -> None:
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        self._log = _Log(AssistantMessage(api, provider, model, timestamp=timestamp))
        self._step = 0  # the number of events so far
        self._stage = "new"
        self._open: dict[int | None, _Block] = {}  # by content_index, in the order they began
        self._ids: set[str] = set()  # of the tool calls so far

    @property
    def partial(self) -> AssistantMessage:
        """The message as of the latest event."""
        return deferred(AssistantMessage, self._log, self._step)

    def start(self) -> Start:
        """The message begins."""
        self._stage = self._next_stage(Start)
        return Start(self._snapshot())

    def text_start(self) -> TextStart:
        """A text block begins, in the next place."""
        return TextStart(self._begin(TextStart).index, self._snapshot())

    def text_delta(self, delta: str, content_index: int | None = None) -> TextDelta:
        """More text. Raises `TypeError` if it is not a str."""
        return self._delta(TextDelta, delta, content_index)

    def text_end(
        self,
        content_index: int | None = None,
        *,
        signature: str | None = None,
        annotations: Iterable[JsonValue] | None = None,
    ) -> TextEnd:
        """A text block is complete."""
        block = self._find(TextEnd, content_index)
        self._say(block, text_signature=signature, annotations=annotations)
        content = self._settle(block, TextContent(*block.values(self._step + 1)))
        return TextEnd(block.index, content.text, self._snapshot())

    def thinking_start(self) -> ThinkingStart:
        """A block of reasoning begins, in the next place."""
        return ThinkingStart(self._begin(ThinkingStart).index, self._snapshot())

    def thinking_delta(self, delta: str, content_index: int | None = None) -> ThinkingDelta:
        """More reasoning. Raises `TypeError` if it is not a str."""
        return self._delta(ThinkingDelta, delta, content_index)

    def thinking_end(
        self, content_index: int | None = None, *, signature: str | None = None, redacted: bool = False
    ) -> ThinkingEnd:
        """A block of reasoning is complete."""
        block = self._find(ThinkingEnd, content_index)
        self._say(block, thinking_signature=signature, redacted=redacted or None)
        content = self._settle(block, ThinkingContent(*block.values(self._step + 1)))
        return ThinkingEnd(block.index, content.thinking, self._snapshot())

    def tool_call_start(self, tool_call_id: str | None = None, tool_name: str | None = None) -> ToolCallStart:
        """A tool call begins, in the next place. What is not known yet may be said at its end."""
        block = self._begin(ToolCallStart)
        self._say(block, id=tool_call_id, name=tool_name)
        return ToolCallStart(block.index, tool_call_id, tool_name, self._snapshot())

    def tool_call_delta(self, delta: str, content_index: int | None = None) -> ToolCallDelta:
        """More of the arguments, as JSON text. Raises `TypeError` if it is not a str."""
        return self._delta(ToolCallDelta, delta, content_index)

    def tool_call_end(
        self,
        content_index: int | None = None,
        *,
        tool_call_id: str | None = None,
        tool_name: str | None = None,
        thought_signature: str | None = None,
    ) -> ToolCallEnd:
        """A tool call is complete. No arguments at all are an empty object.

        A call that nobody gave an id gets one: unique in the message, the same for the same stream.
        """
        block = self._find(ToolCallEnd, content_index)
        self._say(block, id=tool_call_id, name=tool_name, thought_signature=thought_signature)
        text = block.text(self._step + 1)
        arguments = parse_object(text or "{}")
        call = replace(
            block.said.latest,
            id=block.said.latest.id or self._new_id(block.index),
            arguments=FrozenDict() if arguments is None else arguments,
            invalid_arguments=text if arguments is None else None,
        )
        return ToolCallEnd(block.index, self._settle(block, call), self._snapshot())

    def done(self, reason: StopReason) -> Done:
        """The message is complete. Every block has ended; `reason` is stop, length or tool use.

        Raises `ValueError` for a reason that is none.
        """
        stage = self._next_stage(Done)
        reason = StopReason(reason)
        if self._open:
            raise StreamStateError(f"done: expected the ends of all blocks first; {self._whereabouts()}")
        if reason in (StopReason.ERROR, StopReason.ABORTED):
            raise StreamStateError(f"done: expected reason stop, length or toolUse, not {reason}; error() says so")
        self._stage = stage
        return Done(reason, self._finish(stop_reason=reason))

    def error(self, message: str, *, aborted: bool = False) -> Error:
        """The stream failed, or was aborted, and `message` says why, or that alone. Open blocks stay as they are."""
        self._stage = self._next_stage(Error)
        for block in list(self._open.values()):
            self._settle(block, block.kind(*block.values(self._step + 1)))
        reason = StopReason.ABORTED if aborted else StopReason.ERROR
        return Error(reason, self._finish(stop_reason=reason, error_message=message or str(reason)))

    # What has no event of its own, and shows from the next event on

    def update(self, **fields: Unpack[MessageFields]) -> None:
        """Change fields of the message."""
        if self._stage == "ended":
            raise StreamStateError(f"update: {self._whereabouts()}")
        _check_names("update", fields, MessageFields.__annotations__)
        self._log.said.set(self._step + 1, replace(self._log.said.latest, **fields))

    def update_block(self, content_index: int, **fields: Unpack[BlockFields]) -> None:
        """Change fields of an open block, before its end."""
        block = self._open.get(content_index)
        if block is None:
            raise StreamStateError(f"update_block: no block is open at {content_index}; {self._whereabouts()}")
        _check_names("update_block", fields, BlockFields.__annotations__.keys() & block.kind.__match_args__)
        self._say(block, **fields)

    def add_block(self, block: ImageContent | UnknownContent) -> None:
        """Put a block that has no events in the next place."""
        if self._stage != "open":
            raise StreamStateError(f"add_block: {self._whereabouts()}")
        if not isinstance(block, (ImageContent, UnknownContent)):
            raise TypeError(f"add_block: expected ImageContent or UnknownContent, not {type(block).__name__}")
        self._place(block)

    # Inside

    def _next_stage(self, event: type[ProviderEvent]) -> str:
        stages = STREAM_STAGES[self._stage]
        if event not in stages:
            kinds = [block.kind for block in self._open.values()]
            raise StreamStateError(f"{event.type}: {self._whereabouts()}; expected {what_may_come(self._stage, kinds)}")
        return stages[event]

    def _whereabouts(self) -> str:
        if self._stage == "open":
            blocks = [f"{block.kind.__name__} at {index}" for index, block in self._open.items()]
            return f"open blocks are {', '.join(blocks)}" if blocks else "no block is open"
        return "the stream has not started" if self._stage == "new" else "the stream has ended"

    def _snapshot(self) -> AssistantMessage:
        self._step += 1
        return deferred(AssistantMessage, self._log, self._step)

    def _finish(self, **fields: Any) -> AssistantMessage:
        self._step += 1
        self._log.said.set(self._step, replace(self._log.said.latest, **fields))
        return AssistantMessage(*self._log.values(self._step))

    def _place(self, block: _Block | ContentBlock) -> None:
        timeline: _Timeline[_Block | ContentBlock | None] = _Timeline(None)
        timeline.set(self._step + 1, block)
        self._log.blocks.append(timeline)

    def _begin(self, event: type[ProviderEvent]) -> _Block:
        self._stage = self._next_stage(event)
        kind = BLOCK_STAGES[None][event]
        assert kind is not None  # what begins is open
        index = len(self._log.blocks)
        block = _Block(kind, index, self._step + 1)
        self._open[index] = block
        self._place(block)
        return block

    def _find(self, event: type[ProviderEvent], content_index: int | None) -> _Block:
        for index, block in reversed(self._open.items()):
            if event in block.may_come and content_index in (None, index):
                return block
        kind = next(kind for kind, stage in BLOCK_STAGES.items() if kind and event in stage)
        place = "" if content_index is None else f" at {content_index}"
        raise StreamStateError(f"{event.type}: expected an open {kind.__name__}{place}; {self._whereabouts()}")

    def _delta(self, event: type[E], delta: str, content_index: int | None) -> E:
        if not isinstance(delta, str):
            raise TypeError(f"expected a delta of type str, not {type(delta).__name__}")
        block = self._open.get(content_index)
        if block is None or event not in block.may_come:
            block = self._find(event, content_index)
        self._step = step = self._step + 1
        if step != block.last + 1:
            block.begin_run(step)
        block.last = step
        block.pieces.append(delta)
        return event(block.index, delta, deferred(AssistantMessage, self._log, step))

    def _say(self, block: _Block, **fields: Any) -> None:
        said = {name: value for name, value in fields.items() if value is not None}
        if said:
            block.said.set(self._step + 1, replace(block.said.latest, **said))
            self._ids.add(said.get("id", ""))

    def _settle(self, block: _Block, content: C) -> C:
        self._log.blocks[block.index].set(self._step + 1, content)
        del self._open[block.index]
        return content

    def _new_id(self, index: int) -> str:
        """An id for a call without one. The response's id makes it differ from other messages'."""
        response_id = self._log.said.latest.response_id
        stem = f"tool_call_{response_id[-24:]}" if response_id else "tool_call"  # some providers take 40 at most
        new = next(id for number in count(index) if (id := f"{stem}_{number}") not in self._ids)
        self._ids.add(new)
        return new


def _check_names(call: str, fields: Iterable[str], known: Collection[str]) -> None:
    for name in fields:
        if name not in known:
            raise TypeError(f"{call}: no field {name!r}; expected one of {', '.join(sorted(known))}")
