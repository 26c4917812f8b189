# SPDX-License-Identifier: MIT
"""The content blocks of Anthropic's Messages API: their starts, deltas and stops."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .._grammar import BlockKind
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock, OpenUnknown
from ._decoder import Decoder
from ._held_calls import HeldCalls
from ._payload import (
    Payload,
    arguments_text,
    array_or_empty,
    expect_object,
    expect_text,
    index_or_none,
    json_or_text,
    object_or_empty,
    text_or_empty,
    text_or_none,
)

# Deltas of text, thinking and arguments, by type: the kind of their block, the key of their text, its path in errors.
_TEXT_DELTAS: dict[str, tuple[BlockKind, str, str]] = {
    "text": (TextContent, "text", "delta.text"),
    "thinking": (ThinkingContent, "thinking", "delta.thinking"),
    "input_json": (ToolCall, "partial_json", "delta.partial_json"),
}
_DELTAS_BY_TYPE = {f"{type}{suffix}": entry for type, entry in _TEXT_DELTAS.items() for suffix in ("_delta", "")}
_DELTAS_BY_KEY = {key: (kind, key, path) for kind, key, path in _TEXT_DELTAS.values()}  # if the type is missing
_OTHER_DELTA_KINDS: dict[str, BlockKind] = {"signature_delta": ThinkingContent, "citations_delta": TextContent}

# Blocks by type: their kind, and the keys that do not go into `provider_details` since what they hold has a field.
_BLOCK_TYPES: dict[str, tuple[BlockKind, frozenset[str]]] = {
    "text": (TextContent, frozenset({"type", "text", "signature", "citations"})),
    "thinking": (ThinkingContent, frozenset({"type", "thinking", "signature"})),
    "redacted_thinking": (ThinkingContent, frozenset({"type", "data"})),
    "tool_use": (ToolCall, frozenset({"type", "id", "name", "input", "signature"})),
}
_OTHER_DELTA_KEYS = frozenset({"type", "signature", "citation"})
# What the events of blocks hold under these keys is read, carries nothing, or is the SDK's copy of what has streamed.
_BLOCK_EVENT_KEYS = frozenset({"type", "index", "delta", "content_block"})


class AnthropicBlocks(Decoder):
    """The half of `AnthropicDecoder` that reads the events of content blocks.

    `AnthropicDecoder` passes these events to `_read_block_start`, `_read_delta` and `_read_block_stop`, and the blocks
    of a whole message to `_read_block_start`.
    """

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._inputs: dict[int, Any] = {}  # by content index: `input` given whole
        self._held_calls = HeldCalls()
        self._compaction_lengths: defaultdict[int, int] = defaultdict(int)  # by content index
        self._misplaced: dict[int | None, OpenBlock] = {}  # by the index of an open call: the text sent there

    # Starts and stops of blocks

    def _read_block_start(self, index: int | None, start: Payload) -> None:
        """Take in the start of a block: a new one, a repeated one, or a whole block."""
        if (block_type := _block_type(start)) is None:
            self._begin_unknown(index, start)
            return
        kind, fields = block_type
        if (block := self._repeated(index, kind, start)) is not None:
            self._inputs[block.index] = start.get("input") or self._inputs.get(block.index)
            block.details.merge(start, without=fields)
            return
        self._end_at(index)
        id = text_or_none(start.get("id"))
        if kind is ToolCall and self._held_calls.hold(index, id, start, start.get("input")):
            return
        self._begin(kind, index, start, fields)

    def _begin(self, kind: BlockKind, index: int | None, start: Payload, fields: frozenset[str]) -> OpenBlock:
        """Begin a block; `fields` are the keys of its start that do not go into its details."""
        id, name = text_or_none(start.get("id")), text_or_none(start.get("name"))
        block = self._start_block(kind, id=id, key=index, tool_call_id=id, tool_name=name)
        self._inputs[block.index] = start.get("input")
        block.details.merge(start, without=fields)
        _add_signature(block, start.get("signature"))
        if kind is TextContent:
            self._cite(block, *array_or_empty(start.get("citations")))
            self._append(block, expect_text(start.get("text"), "content_block.text"))
        elif start.get("type") == "redacted_thinking":
            data = expect_text(start.get("data"), "content_block.data")
            self._builder.update_block(block.index, thinking_signature=data, redacted=True)
        elif kind is ThinkingContent:
            self._append(block, expect_text(start.get("thinking"), "content_block.thinking"))
        return block

    def _repeated(self, index: int | None, kind: BlockKind, start: Payload) -> OpenBlock | None:
        """Return the open block that a start repeats, or None if it begins a new one."""
        block = self._by_key.get(index)
        if block is not None and block.kind is not kind:
            block = None
        if kind is ToolCall:
            return self._repeated_call(block, index, start)
        if block is None:
            return None
        text = text_or_none(start.get("text")) or text_or_none(start.get("thinking"))
        if text and start.get("signature") and text == self._builder.streamed(block.index):  # a copy, now signed
            _add_signature(block, start["signature"])
            return block
        return None if text or start.get("data") else block

    def _repeated_call(self, block: OpenBlock | None, index: int | None, start: Payload) -> OpenBlock | None:
        """Return the open call that a start repeats; `block` is the one at its index."""
        id, name = text_or_none(start.get("id")), start.get("name")
        if id and not name and index is not None:
            named = self._by_id.get(id)
            if named is not None and named is not block and named.kind is ToolCall:
                return self._move(named, index)
        if block is None:
            return None
        if id:
            return block if id == block.tool_call_id else None
        return block if name in (None, "", block.tool_name) and not start.get("input") else None

    def _move(self, block: OpenBlock, index: int) -> OpenBlock:
        """Move an open block to another index of the provider, and return it."""
        self._end_at(index)
        self._by_key.pop(block.key, None)
        self._by_key[index] = block
        block.key = index
        return block

    def _read_block_stop(self, index: int | None, payload: Payload) -> None:
        """End the block at an index. The SDK puts a copy of the whole block into the event."""
        self._add_event_details(index, payload)
        whole = object_or_empty(payload.get("content_block"))
        if whole and (block := self._by_key.get(index)) is not None:
            self._inputs[block.index] = self._inputs.get(block.index) or whole.get("input")
            self._append_rest(block, text_or_empty(whole.get("text")) or text_or_empty(whole.get("thinking")))
            if not block.signature:
                _add_signature(block, whole.get("signature"))
            if block.kind is TextContent and not block.annotations:
                self._cite(block, *array_or_empty(whole.get("citations")))
            if block_type := _block_type(whole):
                block.details.merge(whole, without=block_type[1])
        self._end_at(index)

    def _end_at(self, index: int | None) -> None:
        """End what is open at an index; without an index, every block of text, thinking or a call."""
        if index is None:
            self._misplaced.clear()
            blocks = self._all_open()
        else:
            at_index = self._by_key.get(index), self._misplaced.pop(index, None)
            blocks = [block for block in at_index if block is not None]
        for block in blocks:
            self._end_block(block)
        if (unknown := self._unknown.pop(index, None)) is not None:
            self._refresh(unknown)
        if (call := self._begin_held_call(index)) is not None:
            self._end_block(call)

    def _begin_held_call(self, index: int | None) -> OpenBlock | None:
        """Begin the call that is held back at an index, unless it repeats one that has ended."""
        if (held := self._held_calls.take(index)) is None:
            return None
        start, arguments = held
        block = self._begin(ToolCall, None, start, _BLOCK_TYPES["tool_use"][1])
        self._append(block, arguments)
        return block

    # Deltas

    def _read_delta(self, payload: Payload) -> None:
        index = payload.get("index")
        if type(index) is not int:
            index = index_or_none(index)
        delta = expect_object(payload.get("delta"), "delta")
        delta_type = delta.get("type")
        if type(delta_type) is str:
            entry = _DELTAS_BY_TYPE.get(delta_type)
        else:
            entry = next((_DELTAS_BY_KEY[key] for key in delta if key in _DELTAS_BY_KEY), None)
        if entry is None:
            self._read_other_delta(index, delta)
        else:
            kind, key, path = entry
            block = self._by_key.get(index)
            if block is None or block.kind is not kind:
                block = self._find_or_start(kind, index)
            if block is None:
                self._read_unknown_delta(index, delta)
            else:
                text = delta.get(key)
                if text is None:
                    key = _key_of_text(delta, key)
                    text = delta.get(key)
                if type(text) is not str:
                    text = arguments_text(text) if kind is ToolCall else expect_text(text, path)
                self._append(block, text)
                if len(delta) > 2:
                    _add_signature(block, delta.get("signature"))
                    block.details.append(delta, without={"type", "signature", key})
        if len(payload) > 3:
            self._add_event_details(index, payload)

    def _add_event_details(self, index: int | None, payload: Payload) -> None:
        """Add the unknown fields of an event to the details of its block, or of the message."""
        block = self._by_key.get(index)
        (self._details if block is None else block.details).append(payload, without=_BLOCK_EVENT_KEYS)

    def _find_or_start(self, kind: BlockKind, index: int | None) -> OpenBlock | None:
        """Return the block of a delta that fits no open block at its index.

        That is the only open block of its kind; text and thinking begin a new one if there is none. None means that the
        delta belongs to an unknown block, to a call that is held back, or to nothing that has begun.
        """
        if kind is ToolCall:
            return None if index in self._unknown or index in self._held_calls else self._find(kind)
        block = self._find(kind)
        if block is not None or index in self._unknown:
            return block
        at_index = self._by_key.get(index)
        if at_index is None or at_index.kind is not ToolCall:
            return self._start_block(kind, key=index)
        block = self._misplaced[index] = self._start_block(kind)  # the call at the index stays open
        return block

    def _read_other_delta(self, index: int | None, delta: Payload) -> None:
        """Take in a signature, a citation, or a delta of an unknown type."""
        kind = _OTHER_DELTA_KINDS.get(text_or_empty(delta.get("type")))
        block = (self._find(kind, key=index) if kind else None) or self._by_key.get(index)
        if block is None:
            self._read_unknown_delta(index, delta)
            return
        _add_signature(block, delta.get("signature"))
        block.details.append(delta, without=_OTHER_DELTA_KEYS)
        citations = [] if delta.get("citation") is None else [delta["citation"]]
        if block.kind is TextContent:
            self._cite(block, *citations)
        elif citations:
            block.details.append({"citations": citations})

    # Blocks of other kinds

    def _begin_unknown(self, index: int | None, start: Payload) -> None:
        """Begin a block that this package has no type for; a start without anything in it begins none."""
        if not start:
            return
        self._end_at(index)
        if start.get("type") == "fallback":  # another model continues the message
            to = object_or_empty(start.get("to"))
            self._builder.update(model=text_or_none(to.get("model")) or self.partial.model)
        self._unknown[index] = self._add_unknown(start)

    def _read_unknown_delta(self, index: int | None, delta: Payload) -> None:
        """Take in a delta of an unknown block, of a call that is held back, or of nothing that has begun."""
        if "partial_json" in delta and self._held_calls.append(index, arguments_text(delta["partial_json"])):
            return
        if (unknown := self._unknown.get(index)) is None:
            if delta:
                self._add_unknown(delta)
        elif delta.get("type") == "compaction_delta":
            self._read_compaction(unknown, delta)
        else:
            unknown.data.append(delta, without={"type"})

    def _read_compaction(self, unknown: OpenUnknown, delta: Payload) -> None:
        """Take in a delta of a compaction. Its text repeats the text so far and adds to it, or else continues it."""
        text, length = text_or_empty(delta.get("content")), self._compaction_lengths[unknown.index]
        # The lengths are compared first: joining the text so far costs its length.
        if len(text) >= length and text.startswith(text_or_empty(unknown.data.value().get("content"))):
            self._compaction_lengths[unknown.index] = len(text)
            unknown.data.merge(delta, without={"type"})
        else:
            self._compaction_lengths[unknown.index] = length + len(text)
            unknown.data.append({"content": text})
            unknown.data.merge(delta, without={"type", "content"})

    # Called back by `Decoder`

    def _flush_pending(self) -> None:
        """Put calls that are held back into the message too."""
        for index in self._held_calls:
            self._begin_held_call(index)
        super()._flush_pending()

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        """Put `input` that came whole into the message too."""
        whole_input = self._inputs.pop(block.index, None)
        if whole_input and not block.held and not self._builder.streamed(block.index):  # no deltas have come
            self._append(block, arguments_text(whole_input))
        super()._flush_block(block, ended=ended)
        if block.kind is ToolCall:
            self._held_calls.note_end(block, self._builder.streamed(block.index))

    def _refresh(self, unknown: OpenUnknown) -> None:
        """Put an unknown block into the message; the deltas of its `input`, which came as JSON text, as JSON."""
        data = unknown.data.value()
        if text := data.pop("partial_json", None):
            data["input"] = json_or_text(text)
        self._builder.update_block(unknown.index, data=self._frozen(data))


def _block_type(block: Payload) -> tuple[BlockKind, frozenset[str]] | None:
    """Return the entry of a block in `_BLOCK_TYPES`. Some imitators send the type of its deltas."""
    return _BLOCK_TYPES.get(text_or_empty(block.get("type")).removesuffix("_delta"))


def _key_of_text(delta: Payload, default: str) -> str:
    """Return the key of a delta's text: some imitators send it under the key of another type."""
    return next((key for key in _DELTAS_BY_KEY if delta.get(key)), default)


def _add_signature(block: OpenBlock, signature: object) -> None:
    """Add a part of a block's signature. Some imitators send a whole one twice."""
    if (part := text_or_none(signature)) and block.signature != [part]:
        block.signature.append(part)
