# SPDX-License-Identifier: MIT
"""Anthropic's Messages API and its imitators.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from typing import Any

from .._grammar import BlockKind
from .._json import parse_json
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock
from ._decoder import Decoder, OpenUnknown
from ._payload import (
    MalformedChunk,
    Payload,
    array_or_empty,
    expect_object,
    expect_text,
    index_or_none,
    object_or_empty,
    text_or_empty,
    text_or_none,
    to_json,
)

__all__ = ["AnthropicDecoder"]

# The deltas that stream: the kind of block they belong to, and their key.
_DELTAS: dict[object, tuple[BlockKind, str]] = {
    "text_delta": (TextContent, "text"),
    "thinking_delta": (ThinkingContent, "thinking"),
    "input_json_delta": (ToolCall, "partial_json"),
}
_KINDS: dict[object, BlockKind] = {
    "text": TextContent,
    "thinking": ThinkingContent,
    "redacted_thinking": ThinkingContent,
    "tool_use": ToolCall,
}

# What does not go into `provider_details`: it has a field, or it carries nothing (`type`, `role`, `index`).
_MESSAGE_KEYS = frozenset({"type", "role", "id", "model", "content", "stop_reason"})
_EVENT_KEYS = frozenset({"type", "index", "delta"})
_BLOCK_KEYS = frozenset({"type", "text", "thinking", "signature", "citations", "data", "id", "name", "input"})


class AnthropicDecoder(Decoder):
    """Decodes the events of a Messages stream, `message_start` to `message_stop`, or a whole message."""

    api = "anthropic-messages"
    default_provider = "anthropic"
    repetitions = frozenset({"text", "thinking", "signature", "citation", "input_json"})

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._inputs: dict[int, Any] = {}  # by content index: arguments given whole at the start of a call

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
            self._read_delta(index_or_none(payload.get("index")), expect_object(payload.get("delta"), "delta"))
        elif kind == "content_block_start":
            block = expect_object(payload.get("content_block"), "content_block")
            self._read_block_start(index_or_none(payload.get("index")), block)
        elif kind == "content_block_stop":
            self._read_block_stop(index_or_none(payload.get("index")))
        elif kind == "message_start":
            self._read_message(expect_object(payload.get("message"), "message"))
        elif kind == "message":
            self._read_message(payload)
        elif kind == "message_delta":
            self._read_message_delta(payload)
        elif kind == "message_stop":
            self._details.merge(payload, without=_EVENT_KEYS)
            self._read_end_mark()
        elif not self._fail_if_error(payload):
            self._details.merge(payload, without=_EVENT_KEYS)

    # The message

    def _read_message(self, message: Payload) -> None:
        id, known = text_or_none(message.get("id")), self._identity.get("response_id")
        if id and known and id != known:
            raise MalformedChunk(f"message_start: expected the end of message {known} first, found message {id}")
        self._identify(model=message.get("model"), response_id=id)
        self._read_usage(message)
        self._details.merge(message, without=_MESSAGE_KEYS)
        if self._started:
            return  # a repetition
        self._start()
        for block in array_or_empty(message.get("content")):
            self._read_block_start(None, expect_object(block, "message.content[]"))
            self._read_block_stop(None)
        self._read_stop(message)

    def _read_message_delta(self, payload: Payload) -> None:
        delta = object_or_empty(payload.get("delta"))
        self._read_usage(payload)
        self._details.merge(payload, without=_EVENT_KEYS)
        self._details.merge(delta, without=_MESSAGE_KEYS)
        self._read_stop(delta)

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

    # Blocks

    def _read_block_start(self, index: int | None, start: Payload) -> None:
        kind = _KINDS.get(start.get("type"))
        if kind is None:
            self._read_unknown(index, start)
            return
        if self._is_repetition(index, kind, start):
            return
        if kind is ToolCall:
            id, name = text_or_none(start.get("id")), text_or_none(start.get("name"))
            block = self._start_block(kind, key=index, tool_call_id=id, tool_name=name)
            self._inputs[block.index] = start.get("input")
        else:
            block = self._start_block(kind, key=index)
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
        if index is None:
            self._end_block(block)

    def _is_repetition(self, index: int | None, kind: BlockKind, start: Payload) -> bool:
        """Return whether a start repeats that of the open block at its index and brings nothing new."""
        block = self._by_key.get(index)
        if block is None or block.kind is not kind:
            return False
        if kind is ToolCall:
            return text_or_none(start.get("id")) in (None, block.tool_call_id)
        return not (start.get("text") or start.get("thinking") or start.get("data"))

    def _read_delta(self, index: int | None, delta: Payload) -> None:
        kind = delta.get("type")
        streamed = _DELTAS.get(kind)
        if streamed is not None:
            block_kind, key = streamed
            block = self._find(block_kind, key=index)
            if block is None and index not in self._unknown and block_kind is not ToolCall:
                block = self._start_block(block_kind, key=index)
            if block is not None:
                self._append(block, expect_text(delta.get(key), f"delta.{key}"))
                return
        elif kind == "signature_delta":
            if (signed := self._find(ThinkingContent, key=index) or self._by_key.get(index)) is not None:
                signed.signature.append(text_or_empty(delta.get("signature")))
                return
        elif kind == "citations_delta":
            if (cited := self._find(TextContent, key=index)) is not None:
                self._cite(cited, delta.get("citation"))
                return
        elif (block := self._by_key.get(index)) is not None:
            block.details.append(delta, without=_EVENT_KEYS)
            return
        self._read_unknown_delta(index, delta)

    def _read_block_stop(self, index: int | None) -> None:
        if (block := self._by_key.get(index)) is not None:
            self._end_block(block)
        elif (unknown := self._unknown.pop(index, None)) is not None:
            self._refresh(unknown)

    def _end_block(self, block: OpenBlock) -> None:
        self._append_input(block)
        super()._end_block(block)

    def _append_input(self, block: OpenBlock) -> None:
        """Append the arguments given at the start of a call, if no delta has followed."""
        given = self._inputs.pop(block.index, None)
        if given and not block.held and not self._builder.streamed(block.index):
            self._append(block, to_json(given))

    # Blocks of other kinds

    def _read_unknown(self, index: int | None, start: Payload) -> None:
        if (block := self._by_key.get(index)) is not None:
            self._end_block(block)
        if start.get("type") == "fallback":  # another model goes on with the message
            to = object_or_empty(start.get("to"))
            self._builder.update(model=text_or_none(to.get("model")) or self.partial.model)
        self._add_unknown(start, index)

    def _read_unknown_delta(self, index: int | None, delta: Payload) -> None:
        unknown = self._unknown.get(index)
        if unknown is None:
            self._add_unknown(delta)
        elif delta.get("type") == "compaction_delta":
            unknown.data.merge(delta, without=_EVENT_KEYS)
        else:
            unknown.data.append(delta, without=_EVENT_KEYS)

    def _refresh(self, unknown: OpenUnknown) -> None:
        data = unknown.data.value()
        text = data.pop("partial_json", None)
        if text:
            try:
                data["input"] = parse_json(text)
            except ValueError:
                data["input"] = text
        self._builder.update_block(unknown.index, data=self._frozen(data))

    def _flush_pending(self) -> None:
        for block in self._all_open():
            self._append_input(block)
        for unknown in self._unknown.values():
            self._refresh(unknown)
