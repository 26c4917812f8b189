# SPDX-License-Identifier: MIT
"""The content blocks of Bedrock's `ConverseStream`: their starts, deltas and stops."""

from __future__ import annotations

from typing import Any

from .._grammar import BlockKind
from .._json import ARRAY
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock, OpenUnknown
from ._bytes import joined_base64, plain_json
from ._decoder import Decoder
from ._details import Details
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
    text_or_none,
)

# Keys that do not go into `provider_details`: what they hold has a field, or carries nothing (`p` is padding).
_BLOCK_EVENT_KEYS = frozenset({"contentBlockIndex", "start", "delta", "p"})
# The members of a start, a delta or a whole block that are read here. Each is a union: it has one of them, by its kind.
_KNOWN_MEMBERS = frozenset({"type", "text", "toolUse", "reasoningContent", "citation", "citationsContent", "image"})
_CALL_KEYS = frozenset({"toolUseId", "name", "input"})
_REASONING_KEYS = frozenset({"text", "signature", "redactedContent", "reasoningText"})


class BedrockBlocks(Decoder):
    """The half of `BedrockDecoder` that reads the events of content blocks.

    `BedrockDecoder` passes these events to `_read_block_event`, and the blocks of a whole response to `_read_start`.
    """

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._redacted: dict[int, list[Any]] = {}  # by content index: redacted reasoning, in parts
        self._held_calls = HeldCalls()
        self._images: dict[int | None, tuple[list[Any], Details]] = {}  # by the provider's index: data parts, the rest

    # Events

    def _read_block_event(self, kind: str, event: Payload) -> None:
        """Take in the start, a delta or the stop of a block; `kind` is its key in the payload."""
        if kind in event:  # some wrap it twice
            event = expect_object(event[kind], kind)
        index = event.get("contentBlockIndex")
        if type(index) is not int:
            index = index_or_none(index)
        if kind == "contentBlockDelta":
            self._read_delta(index, expect_object(event.get("delta"), "delta"))
        elif kind == "contentBlockStart":
            self._read_start(index, expect_object(event.get("start"), "start"))
        else:
            self._end_at(index)
        if (len(event) > 2 or kind == "contentBlockStop") and not event.keys() <= _BLOCK_EVENT_KEYS:
            block = self._by_key.get(index)
            (self._details if block is None else block.details).append(event, without=_BLOCK_EVENT_KEYS)

    def _end_at(self, index: int | None) -> None:
        """End what is open at an index; without an index, every block of text, thinking or a call."""
        if index is None:
            for block in self._all_open():
                self._end_block(block)
        elif (at_index := self._by_key.get(index)) is not None:
            self._end_block(at_index)
        if (image := self._images.pop(index, None)) is not None:
            self._end_image(*image)
        if (unknown := self._unknown.pop(index, None)) is not None:
            self._refresh(unknown)
        if (call := self._begin_held_call(index)) is not None:
            self._end_block(call)

    def _read_start(self, index: int | None, start: Payload) -> None:
        """Take in the start of a block, or a whole block."""
        call = object_or_empty(start.get("toolUse"))
        if call.get("type") == "server_tool_use" or _unknown_members(start):
            self._end_at(index)
            self._unknown[index] = self._add_unknown(start)
        elif call:
            self._read_call_start(index, call)
        else:  # text or reasoning: empty in a stream, the members of a delta in a whole response
            self._read_delta(index, start)

    def _read_call_start(self, index: int | None, call: Payload) -> None:
        """Take in the start of a call, a repeated one, or a whole call."""
        id = text_or_none(call.get("toolUseId"))
        block = self._by_key.get(index)
        if block is None or block.kind is not ToolCall or id not in (None, block.tool_call_id):  # not a repeated start
            self._end_at(index)
            if self._held_calls.hold(index, id, call, call.get("input")):
                return
            block = self._begin_call(index, call)
        block.details.merge(call, without=_CALL_KEYS)
        self._append(block, arguments_text(call.get("input")))

    def _begin_call(self, index: int | None, call: Payload) -> OpenBlock:
        """Begin the block of a call, without its arguments and details."""
        id, name = text_or_none(call.get("toolUseId")), text_or_none(call.get("name"))
        return self._start_block(ToolCall, id=id, key=index, tool_call_id=id, tool_name=name)

    def _begin_held_call(self, index: int | None) -> OpenBlock | None:
        """Begin the call that is held back at an index, unless it repeats one that has ended."""
        if (held := self._held_calls.take(index)) is None:
            return None
        call, arguments = held
        block = self._begin_call(None, call)
        block.details.merge(call, without=_CALL_KEYS)
        self._append(block, arguments)
        return block

    def _read_delta(self, index: int | None, delta: Payload) -> None:
        """Take in a delta. Empty members are ignored: they do not even show the kind of the block."""
        if text := delta.get("text"):
            self._append(self._find_or_start(TextContent, index), expect_text(text, "delta.text"))
            if len(delta) == 1:
                return
        if reasoning := expect_object(delta.get("reasoningContent"), "delta.reasoningContent"):
            self._read_reasoning(index, reasoning)
        if call := expect_object(delta.get("toolUse"), "delta.toolUse"):
            self._read_call_delta(index, call)
        if citation := delta.get("citation"):
            self._cite(self._find_or_start(TextContent, index), citation)
        if cited := object_or_empty(delta.get("citationsContent")):
            self._read_cited_text(index, cited)
        if image := object_or_empty(delta.get("image")):
            self._read_image(index, image)
        if unknown := _unknown_members(delta):
            self._read_unknown_delta(index, unknown)

    def _find_or_start(self, kind: BlockKind, index: int | None) -> OpenBlock:
        """Return the block of text or thinking that a delta belongs to; its first delta begins it.

        A new index begins a block too, unless the only open block of this kind is the latest block of the message.
        """
        if index is not None and (block := self._by_key.get(index)) is not None and block.kind is kind:
            return block
        block = self._find(kind)
        if block is not None and (index is None or block.index == self._builder.state.next_index - 1):
            return block
        self._end_at(index)
        return self._start_block(kind, key=index)

    def _read_cited_text(self, index: int | None, cited: Payload) -> None:
        """Take in text with its citations, as a whole response has it."""
        block = self._find_or_start(TextContent, index)
        for content in array_or_empty(cited.get("content")):
            self._append(block, expect_text(object_or_empty(content).get("text"), "citationsContent.text"))
        self._cite(block, *array_or_empty(cited.get("citations")))
        block.details.merge(cited, without={"content", "citations"})

    def _read_reasoning(self, index: int | None, reasoning: Payload) -> None:
        """Take in reasoning: a delta, or a whole one, whose text and signature are in `reasoningText`."""
        if whole := object_or_empty(reasoning.get("reasoningText")):
            reasoning = {**reasoning, **whole}
        if text := expect_text(reasoning.get("text"), "delta.reasoningContent.text"):
            self._append(self._find_or_start_thinking(index, redacted=False), text)
        if signature := text_or_none(reasoning.get("signature")):
            self._find_or_start_thinking(index, redacted=False).signature.append(signature)
        if redacted := reasoning.get("redactedContent"):
            block = self._find_or_start_thinking(index, redacted=True)
            self._redacted[block.index].append(redacted)
        if not reasoning.keys() <= _REASONING_KEYS:
            self._find_or_start(ThinkingContent, index).details.append(plain_json(reasoning), without=_REASONING_KEYS)

    def _find_or_start_thinking(self, index: int | None, *, redacted: bool) -> OpenBlock:
        """Return the block that a delta of reasoning belongs to. A block is either redacted or not."""
        block = self._find_or_start(ThinkingContent, index)
        if redacted is (block.index in self._redacted):
            return block
        if not redacted or block.signature or block.held or self._builder.streamed(block.index):
            self._end_block(block)
            block = self._start_block(ThinkingContent, key=index)
        if redacted:
            self._redacted[block.index] = []
            self._builder.update_block(block.index, redacted=True)
        return block

    def _read_call_delta(self, index: int | None, call: Payload) -> None:
        """Take in a delta of a call; one that fits no call, but names one, begins it."""
        id = text_or_none(call.get("toolUseId"))
        if index in self._unknown:
            self._read_unknown_delta(index, {"toolUse": call})
        elif self._held_calls.append(index, arguments_text(call.get("input"))):
            return
        elif (block := self._find(ToolCall, id=id, key=index)) is not None:
            self._append(block, arguments_text(call.get("input")))
            if not call.keys() <= _CALL_KEYS:
                block.details.append(call, without=_CALL_KEYS)
        elif id or call.get("name"):
            self._read_call_start(index, call)
        elif any(call.values()):
            self._read_unknown_delta(index, {"toolUse": call})

    # Blocks without events

    def _read_image(self, index: int | None, image: Payload) -> None:
        """Take in a part of an image, which goes into the message as a whole when it ends."""
        self._start()
        if index not in self._images:
            self._end_at(index)
            self._images[index] = [], Details()
        parts, details = self._images[index]
        source = dict(object_or_empty(image.get("source")))
        if data := source.pop("bytes", None):
            parts.append(data)
        details.merge({**image, "source": source or None})

    def _end_image(self, parts: list[Any], details: Details) -> None:
        """Add an image; one without data, which is stored elsewhere or has failed, is an unknown block."""
        image = details.value()
        if parts:
            self._add_image(joined_base64(parts), f"image/{image.pop('format', 'png')}", image)
        else:
            self._add_unknown({"image": image})

    def _read_unknown_delta(self, index: int | None, delta: Payload) -> None:
        """Take in a delta of an unknown block.

        Tool results begin as objects, but their deltas are arrays: elements of the object's `content`.
        """
        delta = {key: {"content": each} if isinstance(each, ARRAY) else each for key, each in plain_json(delta).items()}
        if (unknown := self._unknown.get(index)) is not None:
            unknown.data.append(delta)
        elif (block := self._by_key.get(index)) is not None:
            block.details.append(delta)
        else:
            self._add_unknown(delta, index)

    # Called back by `Decoder`

    def _flush_pending(self) -> None:
        """Put images whose end is missing, and calls that are held back, into the message too."""
        for image in self._images.values():
            self._end_image(*image)
        for index in self._held_calls:
            self._begin_held_call(index)
        super()._flush_pending()

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        """Put the parts of redacted reasoning into the message too, joined."""
        if (parts := self._redacted.pop(block.index, None)) is not None:
            block.signature.append(joined_base64(parts))
        super()._flush_block(block, ended=ended)
        if block.kind is ToolCall:
            self._held_calls.note_end(block, self._builder.streamed(block.index))

    def _refresh(self, unknown: OpenUnknown) -> None:
        """Put an unknown block into the message; `input` of a server-side tool, which came as JSON text, as JSON."""
        data = unknown.data.value()
        call = object_or_empty(data.get("toolUse"))
        if "input" in call:
            data["toolUse"] = {**call, "input": json_or_text(call["input"])}
        self._builder.update_block(unknown.index, data=self._frozen(data))

    def _frozen(self, value: Any) -> Any:
        """Freeze a value, with base64 text in place of bytes."""
        return super()._frozen(plain_json(value))


def _unknown_members(union: Payload) -> Payload:
    """Return the members of a union that this package has no type for."""
    return {kind: each for kind, each in union.items() if each and kind not in _KNOWN_MEMBERS}
