# SPDX-License-Identifier: MIT
"""What the writer and the reader of a log share: a builder that makes the stream again, and how changes are written.

The lines of a log are described in `jsonl.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ._forms import COUNT, JSON_ARRAY, JSON_OBJECT, STRING, WRITTEN, Field, Form, Record, expected, for_each, inside
from ._grammar import DELTAS, EVENTLESS, BlockDelta, EventlessContent
from ._json import OBJECT
from ._json_patch import apply, diff
from ._log import added_annotations, block_at, changed_blocks, header, origin
from .builder import BlockFields, MessageBuilder, MessageFields
from .errors import WireError
from .events import (
    AnyProviderEvent,
    Done,
    Error,
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
from .messages import AssistantMessage, ContentBlock, StopReason, TextContent, ToolCall, UnknownContent
from .wire import BLOCK, MESSAGE, USAGE

NOT_IN_LINES: Final = frozenset({"partial", "message", "error", "content", "tool_call"})
"""Fields that a line leaves out if they follow from the lines before it."""

_OF_ENDS: Final = ("content", "tool_call")

# What may change in a message, and in a block that is open or unknown.
_MESSAGE_FIELDS: Final = [field for field in MESSAGE.fields if field.name in MessageFields.__annotations__]
_ERROR_MESSAGE: Final = MESSAGE.by_name["error_message"]
_BLOCK_FIELDS: Final = {
    record.cls: [field for field in record.fields if field.name in BlockFields.__annotations__]
    for record in BLOCK.by_class.values()
}
_ANNOTATIONS: Final = BLOCK.by_class[TextContent].by_name["annotations"]
_USAGE_FIELDS: Final = [field for field in USAGE.fields if field.default is not WRITTEN]
_PATCHED: Final = (JSON_OBJECT, JSON_ARRAY)


def _end_call(builder: MessageBuilder, index: int, call: ToolCall | None) -> ToolCallEnd:
    known = block_at(builder.partial, index)
    if call is None or not isinstance(known, ToolCall):
        return builder.tool_call_end(index)
    return builder.tool_call_end(  # in pi's lines, this one may be the first with id, name and signature
        index,
        tool_call_id=call.id if not known.id else None,
        tool_name=call.name if not known.name else None,
        thought_signature=call.thought_signature if known.thought_signature is None else None,
        provider_details=call.provider_details if not known.provider_details else None,
    )


def _fail(builder: MessageBuilder, reason: StopReason, error_message: str | None) -> Error:
    return builder.error(error_message or "", aborted=reason is StopReason.ABORTED)


# By the class of an event: the method that makes it again, and which of its fields are the arguments.
_CALLS: Final[Mapping[type[Any], tuple[Callable[..., Any], tuple[str, ...]]]] = {
    Start: (MessageBuilder.start, ()),
    TextStart: (MessageBuilder.text_start, ()),
    TextDelta: (MessageBuilder.text_delta, ("delta", "content_index")),
    TextEnd: (MessageBuilder.text_end, ("content_index",)),
    ThinkingStart: (MessageBuilder.thinking_start, ()),
    ThinkingDelta: (MessageBuilder.thinking_delta, ("delta", "content_index")),
    ThinkingEnd: (MessageBuilder.thinking_end, ("content_index",)),
    ToolCallStart: (MessageBuilder.tool_call_start, ("tool_call_id", "tool_name")),
    ToolCallDelta: (MessageBuilder.tool_call_delta, ("delta", "content_index")),
    ToolCallEnd: (_end_call, ("content_index", "tool_call")),
    Done: (MessageBuilder.done, ("reason",)),
    Error: (_fail, ("reason", "error_message")),
}


class StreamCopy:
    """A builder that makes a stream again, from its events or from their lines."""

    __slots__ = ("_builder", "_unknown", "_header", "_stream", "_step", "_is_exact")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._builder = MessageBuilder(api="", provider="", model="", timestamp=0)
        self._unknown: dict[int, UnknownContent] = {}  # by content index
        # Of the latest snapshot, so that it is quick to see that nothing has changed since:
        self._header: AssistantMessage | None = None
        self._stream: object = None
        self._step = 0
        self._is_exact = True  # until an end has another text or call than its deltas

    def _make(self, cls: type[Any], values: Mapping[str, Any]) -> Any:
        """Make the next event."""
        if cls not in _CALLS:
            if self._builder.state.phase != "new":
                raise WireError("expected no fallback once the message has started").inside("type")
            return cls(**values)
        call, names = _CALLS[cls]
        event = call(self._builder, *map(values.get, names))
        if (index := values.get("content_index")) is not None and event.content_index != index:
            raise expected(str(event.content_index), index).inside("contentIndex")
        return event

    # From events

    def follow_delta(self, event: BlockDelta) -> bool:
        """Make a delta again, unless anything else has changed. Return whether it was made.

        This is a short cut past `follow`, for most events of most streams.
        """
        partial, index = event.partial, event.content_index
        found = origin(partial) if type(partial) is AssistantMessage else None
        if found is None or found[0] is not self._stream or header(partial) is not self._header:
            return False
        step = found[1]
        if step < self._step or changed_blocks(partial, self._step) or type(index) is not int:
            return False
        _CALLS[type(event)][0](self._builder, inside("delta", STRING.write, event.delta), index)
        self._step = step
        return True

    def follow(self, event: AnyProviderEvent, record: Record) -> dict[str, Any]:
        """Make the next event of the stream again. Return what its line needs besides the event's own fields."""
        values = {name: getattr(event, name) for name in record.by_name if name not in NOT_IN_LINES}
        if isinstance(event, (Done, Error)):
            line = self._follow_terminal(event, record, values)
        elif record.cls not in _CALLS:
            line = {}
            self._make(record.cls, values)
        elif not isinstance(event.partial, AssistantMessage):
            raise expected("an AssistantMessage", event.partial).inside("partial")
        else:
            line = self._catch_up(event.partial)
            made = self._make(record.cls, values)
            for name in _OF_ENDS:
                if (field := record.by_name.get(name)) and getattr(made, name) != (value := getattr(event, name)):
                    line[field.key] = inside(field.key, field.form.write, value)
                    self._is_exact = False
        if event.is_terminal:
            self._reset()
        return line

    def _follow_terminal(self, event: Done | Error, record: Record, values: dict[str, Any]) -> dict[str, Any]:
        message, state = event.partial, self._builder.state
        if not state.allows(record.cls):
            types = [str(each.type) for each in state.expected()]
            raise WireError(f"expected {' or '.join(types) or 'nothing more'}; {state}").inside("type")
        try:
            line = self._catch_up(message)
            if isinstance(event, Error) and message.error_message:
                values["error_message"] = message.error_message
                line.setdefault("update", {})[_ERROR_MESSAGE.key] = STRING.write(message.error_message)
            if self._make(record.cls, values) == event and self._is_exact:
                return line
        except ValueError:  # no builder makes it
            pass
        return {record.fields[-1].key: inside(record.fields[-1].key, MESSAGE.write, message)}

    def _catch_up(self, partial: AssistantMessage) -> dict[str, Any]:
        """Bring the builder up to a snapshot. Return what has changed without an event of its own, for the line."""
        line: dict[str, Any] = {}
        if (new := header(partial)) is not self._header:
            self._header = new
            if changes := inside("partial", _changes, _MESSAGE_FIELDS, header(self._builder.partial), new):
                self._builder.update(**{field.name: getattr(new, field.name) for field, _ in changes})
                line["update"] = {field.key: change for field, change in changes}
        if self._builder.state.phase != "started":
            return line
        candidates, since = self._candidates(partial)
        updates = [self._catch_up_block(index, partial, since) for index in candidates]
        if any(updates):
            line["updateBlocks"] = [update for update in updates if update]
        added: list[Any] = []
        while isinstance(block := block_at(partial, self._builder.state.next_index), EVENTLESS):
            added.append(_in_block(self._builder.state.next_index, BLOCK.write, block))
            self._add(block)
        if added:
            line["addBlocks"] = added
        return line

    def _candidates(self, partial: AssistantMessage) -> tuple[list[int], int | None]:
        """Return the blocks that may have changed since the latest snapshot, and its step if it is of this stream."""
        stream, step = origin(partial) or (None, 0)
        since = self._step if stream is not None and stream is self._stream and step >= self._step else None
        self._stream, self._step = stream, step
        changed = None if since is None else changed_blocks(partial, since)
        return sorted([*self._builder.state.open_blocks, *self._unknown]) if changed is None else changed, since

    def _catch_up_block(self, index: int, partial: AssistantMessage, since: int | None) -> dict[str, Any]:
        kind = self._kind(index)
        if kind is None:
            return {}
        if kind is TextContent and since is not None and (added := added_annotations(partial, index, since)):
            # Citations may be many and come one by one, so the earlier ones are not compared again.
            for annotation in added:
                self._builder.add_annotation(index, annotation)
            written = _in_block(index, inside, _ANNOTATIONS.key, JSON_ARRAY.write, added)
            return {"contentIndex": index, _ANNOTATIONS.key: {"append": written}}
        new = block_at(partial, index)
        if type(new) is not kind:
            raise expected(kind.__name__, new).inside(index).inside("content").inside("partial")
        old, new = self._known(index), header(new)
        changes = _in_block(index, _changes, _BLOCK_FIELDS[kind], old, new)
        if not changes:
            return {}
        self._update_block(index, old, {field.name: getattr(new, field.name) for field, _ in changes})
        return {"contentIndex": index, **{field.key: change for field, change in changes}}

    # From lines

    def read(self, data: Mapping[str, Any], record: Record) -> AnyProviderEvent:
        """Make the next event from its line."""
        event: AnyProviderEvent
        if record.cls in DELTAS and len(data) == 3:  # most lines of most logs have nothing but the delta
            index, delta = data.get("contentIndex"), data.get("delta")
            if type(index) is int and isinstance(delta, str):
                event = _CALLS[record.cls][0](self._builder, inside("delta", STRING.read, delta), index)
                return event
        values = record.read_fields(data, optional=NOT_IN_LINES)
        event = self._make(record.cls, self._read_changes(data) | values)
        if isinstance(event, Error) and event.reason is not values["reason"]:
            raise expected("error or aborted", str(values["reason"])).inside("reason")
        if of_end := {name: values[name] for name in _OF_ENDS if name in values}:
            event = replace(event, **of_end)
        if event.is_terminal:
            self._reset()
        return event

    def _read_changes(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Give the builder what a line has besides its event. Return the changed fields of the message."""
        values: dict[str, Any] = {}
        if "update" in data:
            fields = [*_MESSAGE_FIELDS, _ERROR_MESSAGE]
            values = inside("update", _read_fields, fields, header(self._builder.partial), data["update"])
            self._builder.update(**{name: value for name, value in values.items() if name != _ERROR_MESSAGE.name})
        if "addBlocks" in data:
            inside("addBlocks", for_each, self._read_added, data["addBlocks"])
        if "updateBlocks" in data:
            inside("updateBlocks", for_each, self._read_block, data["updateBlocks"])
        return values

    def _read_added(self, data: Any) -> None:
        block = BLOCK.read(data)
        if not isinstance(block, EVENTLESS):
            raise WireError(f"expected a block that has no events, found {type(block).__name__}")
        self._add(block)

    def _read_block(self, data: Any) -> None:
        if not isinstance(data, OBJECT):
            raise expected("an object", data)
        index = inside("contentIndex", COUNT.read, data.get("contentIndex"))
        kind = self._kind(index)
        if kind is None:
            raise expected("the index of an open or unknown block", index).inside("contentIndex")
        if kind is TextContent and data.keys() == {"contentIndex", _ANNOTATIONS.key}:
            patch = data[_ANNOTATIONS.key]
            if isinstance(patch, OBJECT) and patch.keys() == {"append"}:
                for annotation in inside(_ANNOTATIONS.key, apply, [], patch):
                    self._builder.add_annotation(index, annotation)
                return
        old = self._known(index)
        self._update_block(index, old, _read_fields(_BLOCK_FIELDS[kind], old, data))

    # From both

    def _kind(self, index: int) -> type[ContentBlock] | None:
        """Return the kind of a block that may change; None of any other."""
        return UnknownContent if index in self._unknown else self._builder.state.open_blocks.get(index)

    def _known(self, index: int) -> ContentBlock:
        """Return an unknown block, or the header of an open one, as of now."""
        block = self._unknown.get(index) or block_at(self._builder.partial, index)
        assert block is not None
        return header(block)

    def _add(self, block: EventlessContent) -> None:
        index = self._builder.add_block(block)
        if isinstance(block, UnknownContent):
            self._unknown[index] = block

    def _update_block(self, index: int, old: ContentBlock, fields: dict[str, Any]) -> None:
        if isinstance(old, UnknownContent):
            self._unknown[index] = replace(old, **fields)
        elif isinstance(old, TextContent) and "annotations" in fields:
            known, annotations = old.annotations, fields["annotations"]
            if tuple(annotations[: len(known)]) == known:
                del fields["annotations"]
                for annotation in annotations[len(known) :]:
                    self._builder.add_annotation(index, annotation)
        self._builder.update_block(index, **fields)


# Changes of fields, in the keys of the JSON form


def _changes(fields: Iterable[Field], old: Any, new: Any) -> list[tuple[Field, Any]]:
    """Return the fields that have changed, and how."""
    changes: list[tuple[Field, Any]] = []
    for field in fields:
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            changes.append((field, inside(field.key, _write_change, field.form, before, after)))
    return changes


def _write_change(form: Form, old: Any, new: Any) -> Any:
    if form is USAGE:
        return {field.key: change for field, change in _changes(_USAGE_FIELDS, old, new)}
    return diff(old, new) if form in _PATCHED else form.write(new)


def _read_fields(fields: Iterable[Field], old: Any, data: Any) -> dict[str, Any]:
    """Return the values of the fields that `data` changes."""
    if not isinstance(data, OBJECT):
        raise expected("an object", data)
    return {
        field.name: inside(field.key, _read_change, field.form, getattr(old, field.name), data[field.key])
        for field in fields
        if field.key in data
    }


def _read_change(form: Form, old: Any, data: Any) -> Any:
    if form is USAGE:
        return replace(old, **_read_fields(_USAGE_FIELDS, old, data))
    if form not in _PATCHED:
        return form.read(data)
    value = apply(old, data)
    if isinstance(value, OBJECT) is not (form is JSON_OBJECT) or isinstance(value, str):
        raise expected(form.expected, value).inside("value")
    return value


def _in_block(index: int, convert: Callable[..., Any], *values: Any) -> Any:
    return inside("partial", inside, "content", inside, index, convert, *values)
