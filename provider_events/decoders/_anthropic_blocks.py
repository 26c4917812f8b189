# SPDX-License-Identifier: MIT
"""The content blocks of Anthropic's Messages API: their starts, deltas and stops."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .._grammar import BlockKind
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock, OpenUnknown
from ._decoder import Decoder
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
from ._repeats import Repeats

# The deltas that stream: the kind of block they belong to, their key, and its path. Some imitators leave out `_delta`.
_STREAMED: dict[str, tuple[BlockKind, str, str]] = {
    "text": (TextContent, "text", "delta.text"),
    "thinking": (ThinkingContent, "thinking", "delta.thinking"),
    "input_json": (ToolCall, "partial_json", "delta.partial_json"),
}
_DELTAS = {type + suffix: streamed for type, streamed in _STREAMED.items() for suffix in ("_delta", "")}
_BY_KEY = {key: (kind, key, path) for kind, key, path in _STREAMED.values()}  # for deltas without a type
_OTHER_DELTAS: dict[str, BlockKind] = {"signature_delta": ThinkingContent, "citations_delta": TextContent}

# The kind of a block, and what of it does not go into `provider_details`: it has a field.
_BLOCKS: dict[str, tuple[BlockKind, frozenset[str]]] = {
    "text": (TextContent, frozenset({"type", "text", "signature", "citations"})),
    "thinking": (ThinkingContent, frozenset({"type", "thinking", "signature"})),
    "redacted_thinking": (ThinkingContent, frozenset({"type", "data"})),
    "tool_use": (ToolCall, frozenset({"type", "id", "name", "input", "signature"})),
}
_OTHER_KEYS = frozenset({"type", "signature", "citation"})  # likewise of the other deltas
# What of an event does not: it is read, it carries nothing, or it is the SDK's copy of what has streamed.
_EVENT_KEYS = frozenset({"type", "index", "delta", "content_block"})


class AnthropicBlocks(Decoder):
    """Begins blocks, lets them grow and ends them."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._inputs: dict[int, Any] = {}  # by content index: arguments given whole
        self._repeats = Repeats()
        self._compacted: defaultdict[int, int] = defaultdict(int)  # by content index: the length of a compaction
        self._beside: dict[int | None, OpenBlock] = {}  # by the provider's index: text at the index of an open call

    # Starts and stops of blocks

    def _read_block_start(self, index: int | None, start: Payload) -> None:
        if (block_type := _block_type(start)) is None:
            self._read_unknown(index, start)
            return
        kind, fields = block_type
        if (block := self._repeated(index, kind, start)) is not None:
            self._inputs[block.index] = start.get("input") or self._inputs.get(block.index)
            return
        self._end_at(index)
        id = text_or_none(start.get("id"))
        if kind is not ToolCall or not self._repeats.hold(index, id, start, start.get("input")):
            self._begin(kind, index, start, fields)

    def _begin(self, kind: BlockKind, index: int | None, start: Payload, fields: frozenset[str]) -> OpenBlock:
        """Begin a block; `fields` are those that do not go into its details."""
        id, name = text_or_none(start.get("id")), text_or_none(start.get("name"))
        block = self._start_block(kind, id=id, key=index, tool_call_id=id, tool_name=name)
        self._inputs[block.index] = start.get("input")
        self._repeats.note_start(block.index, name)
        block.details.merge(start, without=fields)
        _sign(block, start.get("signature"))
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
        """Return the open block that this start repeats, if it begins nothing new."""
        block, id = self._by_key.get(index), text_or_none(start.get("id"))
        named = self._by_id.get(id) if id and not start.get("name") else None
        if named is not None and named is not block and named.kind is kind is ToolCall and index is not None:
            return self._move(named, index)
        if block is None or block.kind is not kind:
            return None
        if kind is not ToolCall:
            text = text_or_none(start.get("text")) or text_or_none(start.get("thinking"))
            if text and start.get("signature") and text == self._builder.streamed(block.index):  # a copy, now signed
                _sign(block, start["signature"])
                return block
            return None if text or start.get("data") else block
        if id:
            return block if id == block.tool_call_id else None
        names = None, "", getattr(self.partial.content[block.index], "name")
        return block if start.get("name") in names and not start.get("input") else None

    def _move(self, block: OpenBlock, index: int) -> OpenBlock:
        """Let an open block go on at another index."""
        self._end_at(index)
        self._by_key.pop(block.key, None)
        self._by_key[index] = block
        block.key = index
        return block

    def _read_block_stop(self, index: int | None, payload: Payload) -> None:
        """End the block at an index; the SDK adds the whole block."""
        self._keep_rest(index, payload)
        whole = object_or_empty(payload.get("content_block"))
        if whole and (block := self._by_key.get(index)) is not None:
            self._inputs[block.index] = self._inputs.get(block.index) or whole.get("input")
            self._append_rest(block, text_or_empty(whole.get("text")) or text_or_empty(whole.get("thinking")))
            if not block.signature:
                _sign(block, whole.get("signature"))
            if block.kind is TextContent and not block.annotations:
                self._cite(block, *array_or_empty(whole.get("citations")))
            if known := _block_type(whole):
                block.details.merge(whole, without=known[1])
        self._end_at(index)

    def _end_at(self, index: int | None) -> None:
        """End what is open at an index; without an index, all that has events."""
        if index is None:
            self._beside.clear()
        at_index = [self._by_key.get(index), self._beside.pop(index, None)]
        for block in self._all_open() if index is None else filter(None, at_index):
            self._end_block(block)
        if (unknown := self._unknown.pop(index, None)) is not None:
            self._refresh(unknown)
        if (call := self._show_repeat(index)) is not None:
            self._end_block(call)

    def _show_repeat(self, index: int | None) -> OpenBlock | None:
        """Begin the call that was held back at an index, if it is not one that has ended."""
        if (call := self._repeats.take(index)) is None:
            return None
        block = self._begin(ToolCall, None, call[0], _BLOCKS["tool_use"][1])
        self._append(block, call[1])
        return block

    def _flush_pending(self) -> None:
        for index in self._repeats:
            self._show_repeat(index)
        super()._flush_pending()

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        given = self._inputs.pop(block.index, None)
        if given and not block.held and not self._builder.streamed(block.index):  # no delta has brought them
            self._append(block, arguments_text(given))
        super()._flush_block(block, ended=ended)
        if block.kind is ToolCall:
            self._repeats.note_end(block.index, block.tool_call_id, self._builder.streamed(block.index))

    # Deltas

    def _read_delta(self, payload: Payload) -> None:
        index = payload.get("index")
        if type(index) is not int:
            index = index_or_none(index)
        delta = expect_object(payload.get("delta"), "delta")
        kind = delta.get("type")
        streamed = _DELTAS.get(kind) if type(kind) is str else next(filter(None, map(_BY_KEY.get, delta)), None)
        if streamed is None:
            self._read_other_delta(index, delta)
        else:
            block_kind, key, path = streamed
            block = self._by_key.get(index)
            if block is None or block.kind is not block_kind:
                block = self._find_or_start(block_kind, index)
            if block is None:
                self._read_unknown_delta(index, delta)
            else:
                text = delta.get(key)
                if text is None:  # under the key of another type
                    key = next(filter(delta.get, _BY_KEY), key)
                    text = delta.get(key)
                if type(text) is not str:
                    text = arguments_text(text) if block_kind is ToolCall else expect_text(text, path)
                self._append(block, text)
                if len(delta) > 2:
                    _sign(block, delta.get("signature"))
                    block.details.append(delta, without={"type", "signature", key})
        if len(payload) > 3:
            self._keep_rest(index, payload)

    def _keep_rest(self, index: int | None, payload: Payload) -> None:
        """Add the unknown fields of an event to the details of its block, or of the message."""
        block = self._by_key.get(index)
        (self._details if block is None else block.details).append(payload, without=_EVENT_KEYS)

    def _find_or_start(self, kind: BlockKind, index: int | None) -> OpenBlock | None:
        """Return the block that a delta without one at its index belongs to; None if that is an unknown one."""
        if kind is ToolCall:
            return None if index in self._unknown or index in self._repeats else self._find(kind)
        block = self._find(kind)
        if block is not None or index in self._unknown:
            return block
        at_index = self._by_key.get(index)
        if at_index is None or at_index.kind is not ToolCall:
            return self._start_block(kind, key=index)
        block = self._beside[index] = self._start_block(kind)  # the call is not over
        return block

    def _read_other_delta(self, index: int | None, delta: Payload) -> None:
        kind = _OTHER_DELTAS.get(text_or_empty(delta.get("type")))
        block = (self._find(kind, key=index) if kind else None) or self._by_key.get(index)
        if block is None:
            self._read_unknown_delta(index, delta)
            return
        _sign(block, delta.get("signature"))
        block.details.append(delta, without=_OTHER_KEYS)
        citations = [] if delta.get("citation") is None else [delta["citation"]]
        if block.kind is TextContent:
            self._cite(block, *citations)
        elif citations:
            block.details.append({"citations": citations})

    # Blocks of other kinds

    def _read_unknown(self, index: int | None, start: Payload) -> None:
        if not start:
            return
        self._end_at(index)
        if start.get("type") == "fallback":  # another model goes on with the message
            to = object_or_empty(start.get("to"))
            self._builder.update(model=text_or_none(to.get("model")) or self.partial.model)
        self._unknown[index] = self._add_unknown(start)

    def _read_unknown_delta(self, index: int | None, delta: Payload) -> None:
        if "partial_json" in delta and self._repeats.append(index, arguments_text(delta["partial_json"])):
            return
        if (unknown := self._unknown.get(index)) is None:
            if delta:
                self._add_unknown(delta)
        elif delta.get("type") == "compaction_delta":
            self._read_compaction(unknown, delta)
        else:
            unknown.data.append(delta, without={"type"})

    def _read_compaction(self, unknown: OpenUnknown, delta: Payload) -> None:
        """Take in a delta of a compaction. What it gives replaces what is there, unless it is text that goes on."""
        text, length = text_or_empty(delta.get("content")), self._compacted[unknown.index]
        if len(text) >= length and text.startswith(text_or_empty(unknown.data.value().get("content"))):
            length = 0
        else:
            unknown.data.append({"content": text})
            delta = {**delta, "content": None}
        self._compacted[unknown.index] = length + len(text)
        unknown.data.merge(delta, without={"type"})

    def _refresh(self, unknown: OpenUnknown) -> None:
        data = unknown.data.value()
        if text := data.pop("partial_json", None):
            data["input"] = json_or_text(text)
        self._builder.update_block(unknown.index, data=self._frozen(data))


def _block_type(block: Payload) -> tuple[BlockKind, frozenset[str]] | None:
    return _BLOCKS.get(text_or_empty(block.get("type")).removesuffix("_delta"))


def _sign(block: OpenBlock, signature: object) -> None:
    """Add a part of a block's signature. Some send a whole one at the start and again, or twice."""
    if (part := text_or_none(signature)) and block.signature != [part]:
        block.signature.append(part)
