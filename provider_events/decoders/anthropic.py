# SPDX-License-Identifier: MIT
"""Anthropic's Messages API and its imitators.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .._grammar import BlockKind
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock, OpenUnknown
from ._decoder import Decoder
from ._payload import (
    MalformedChunk,
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

__all__ = ["AnthropicDecoder"]

# The deltas that stream: the kind of block they belong to, their key, and its path.
_DELTAS: dict[str, tuple[BlockKind, str, str]] = {
    "text_delta": (TextContent, "text", "delta.text"),
    "thinking_delta": (ThinkingContent, "thinking", "delta.thinking"),
    "input_json_delta": (ToolCall, "partial_json", "delta.partial_json"),
}
_BY_KEY = {key: (kind, key, path) for kind, key, path in _DELTAS.values()}  # for deltas without a type
_OTHER_DELTAS: dict[str, BlockKind] = {"signature_delta": ThinkingContent, "citations_delta": TextContent}
_KINDS: dict[str, BlockKind] = {
    "text": TextContent,
    "thinking": ThinkingContent,
    "redacted_thinking": ThinkingContent,
    "tool_use": ToolCall,
}

# What does not go into `provider_details`: it has a field, it carries nothing (`type`, `role`, `index`), or it is the
# SDK's copy of what has streamed (`message`, `content_block`).
_MESSAGE_KEYS = frozenset({"type", "role", "id", "model", "content", "stop_reason"})
_EVENT_KEYS = frozenset({"type", "index", "delta", "message", "content_block", "stop_reason"})
_DELTA_KEYS = frozenset({"type", "text", "thinking", "partial_json", "signature", "citation"})
_BLOCK_KEYS = frozenset({"type", "text", "thinking", "signature", "citations", "data", "id", "name", "input"})


class AnthropicDecoder(Decoder):
    """Decodes the events of a Messages stream, `message_start` to `message_stop`, or a whole message."""

    api = "anthropic-messages"
    default_provider = "anthropic"
    repetitions = frozenset({"text", "thinking", "signature", "citation", "input_json", "compaction"})

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._inputs: dict[int, Any] = {}  # by content index: arguments given whole
        self._compacted: defaultdict[int, int] = defaultdict(int)  # by content index: the length of a compaction
        self._beside: dict[int | None, OpenBlock] = {}  # by the provider's index: text at the index of an open call

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        kind = payload.get("type")
        if kind == "error":
            return "error" in payload and "sequence_number" not in payload
        if kind == "message":
            return "content" in payload
        return isinstance(kind, str) and (kind == "ping" or kind.startswith(("message_", "content_block_")))

    def _read(self, payload: Payload) -> None:
        kind = payload.get("type")
        if kind == "content_block_delta":
            self._read_delta(payload)
        elif kind == "content_block_start":
            index = index_or_none(payload.get("index"))
            self._read_block_start(index, expect_object(payload.get("content_block"), "content_block"))
            self._keep_rest(index, payload)
        elif kind == "content_block_stop":
            self._read_block_stop(index_or_none(payload.get("index")), payload)
        elif kind == "message_start":
            self._read_message(expect_object(payload.get("message"), "message"))
        elif kind == "message":
            self._read_message(payload)
            self._read_end_mark()
        elif kind == "message_delta":
            self._read_message_delta(payload)
        elif kind == "message_stop":
            if message := object_or_empty(payload.get("message")):
                self._read_message(message)
            self._read_message_delta(payload)
            self._read_end_mark()
        elif not self._fail_if_error(payload):
            self._details.merge(payload, without=_EVENT_KEYS)

    # The message

    def _read_message(self, message: Payload) -> None:
        """Take in a message: at its start, whole, or repeated."""
        id, known = text_or_none(message.get("id")), self._identity.get("response_id")
        if id and known and id != known:
            raise MalformedChunk(f"message_start: expected the end of message {known} first, found message {id}")
        self._identify(model=message.get("model"), response_id=id)
        self._read_usage(message)
        self._details.merge(message, without=_MESSAGE_KEYS)
        self._start()
        if not self._builder.state.next_index:
            for block in array_or_empty(message.get("content")):
                self._read_block_start(None, expect_object(block, "message.content[]"))
                self._end_at(None)
        self._read_stop(message)

    def _read_message_delta(self, payload: Payload) -> None:
        for fields in (payload, object_or_empty(payload.get("delta"))):
            self._read_usage(fields)
            self._details.merge(fields, without=_EVENT_KEYS)
            self._read_stop(fields)

    def _read_stop(self, delta: Payload) -> None:
        details = object_or_empty(delta.get("stop_details"))
        words = [text_or_empty(details.get("category")), text_or_empty(details.get("explanation"))]
        self._stop(delta.get("stop_reason"), ": ".join(filter(None, words)))

    def _read_usage(self, payload: Payload) -> None:
        usage = object_or_empty(payload.get("usage"))
        self._count(
            input=usage.get("input_tokens"),
            output=usage.get("output_tokens"),
            cache_read=usage.get("cache_read_input_tokens"),
            cache_write=usage.get("cache_creation_input_tokens"),
            reasoning=object_or_empty(usage.get("output_tokens_details")).get("thinking_tokens"),
        )

    # Starts and stops of blocks

    def _read_block_start(self, index: int | None, start: Payload) -> None:
        kind = _KINDS.get(text_or_empty(start.get("type")))
        if kind is None:
            self._read_unknown(index, start)
            return
        if (block := self._repeated(index, kind, start)) is not None:
            self._inputs[block.index] = start.get("input") or self._inputs.get(block.index)
            return
        self._end_at(index)
        id, name = text_or_none(start.get("id")), text_or_none(start.get("name"))
        block = self._start_block(kind, key=index, tool_call_id=id, tool_name=name)
        self._inputs[block.index] = start.get("input")
        block.details.merge(start, without=_BLOCK_KEYS)
        if kind is TextContent:
            self._cite(block, *array_or_empty(start.get("citations")))
            self._append(block, expect_text(start.get("text"), "content_block.text"))
        elif start.get("type") == "redacted_thinking":
            data = expect_text(start.get("data"), "content_block.data")
            self._builder.update_block(block.index, thinking_signature=data, redacted=True)
        elif kind is ThinkingContent:
            block.signature.append(text_or_empty(start.get("signature")))
            self._append(block, expect_text(start.get("thinking"), "content_block.thinking"))

    def _repeated(self, index: int | None, kind: BlockKind, start: Payload) -> OpenBlock | None:
        """Return the open block at an index if this start repeats its start and begins nothing new."""
        block = self._by_key.get(index)
        if block is None or block.kind is not kind:
            return None
        if kind is not ToolCall:
            return None if any(map(start.get, ("text", "thinking", "data"))) else block
        if id := text_or_none(start.get("id")):
            return block if id == block.tool_call_id else None
        names = None, "", getattr(self.partial.content[block.index], "name")
        return block if start.get("name") in names and not start.get("input") else None

    def _read_block_stop(self, index: int | None, payload: Payload) -> None:
        """End the block at an index; the SDK adds the whole block."""
        self._keep_rest(index, payload)
        whole = object_or_empty(payload.get("content_block"))
        if whole and (block := self._by_key.get(index)) is not None:
            self._inputs[block.index] = self._inputs.get(block.index) or whole.get("input")
            self._append_rest(block, text_or_empty(whole.get("text")) or text_or_empty(whole.get("thinking")))
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

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        given = self._inputs.pop(block.index, None)
        if given and not block.held and not self._builder.streamed(block.index):  # no delta has brought them
            self._append(block, arguments_text(given))
        super()._flush_block(block, ended=ended)

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
                if type(text) is not str:
                    text = arguments_text(text) if block_kind is ToolCall else expect_text(text, path)
                self._append(block, text)
                if len(delta) > 2:
                    block.details.append(delta, without=_DELTA_KEYS)
        if len(payload) > 3:
            self._keep_rest(index, payload)

    def _keep_rest(self, index: int | None, payload: Payload) -> None:
        """Add the unknown fields of an event to the details of its block, or of the message."""
        block = self._by_key.get(index)
        (self._details if block is None else block.details).append(payload, without=_EVENT_KEYS)

    def _find_or_start(self, kind: BlockKind, index: int | None) -> OpenBlock | None:
        """Return the block that a delta without one at its index belongs to; None if that is an unknown one."""
        if kind is ToolCall:
            return None if index in self._unknown else self._find(kind)
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
        signature = text_or_empty(delta.get("signature"))
        if block.signature != [signature]:  # some send what came whole at the start again
            block.signature.append(signature)
        block.details.append(delta, without=_DELTA_KEYS)
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
