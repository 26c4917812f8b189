# SPDX-License-Identifier: MIT
"""Anthropic's Messages API and its imitators.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from ._anthropic_blocks import AnthropicBlocks
from ._payload import (
    MalformedChunk,
    Payload,
    array_or_empty,
    expect_object,
    index_or_none,
    object_or_empty,
    text_or_empty,
    text_or_none,
)

__all__ = ["AnthropicDecoder"]

# What does not go into `provider_details`: it has a field, it carries nothing (`type`, `role`), or it is the SDK's
# copy of what has streamed (`message`).
_MESSAGE_KEYS = frozenset({"type", "role", "id", "model", "content", "stop_reason"})
_EVENT_KEYS = frozenset({"type", "index", "delta", "message", "stop_reason"})

_WHOLE_KEYS = frozenset({"role", "content", "stop_reason"})  # of a whole message that has no type


class AnthropicDecoder(AnthropicBlocks):
    """Decodes the events of a Messages stream, `message_start` to `message_stop`, or a whole message."""

    api = "anthropic-messages"
    default_provider = "anthropic"
    repetitions = frozenset({"text", "thinking", "signature", "citation", "input_json", "compaction"})

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        kind = payload.get("type")
        if kind == "error":
            return "error" in payload and "sequence_number" not in payload
        if kind == "message":
            return "content" in payload
        if kind is None:
            return payload.keys() >= _WHOLE_KEYS
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
        elif kind == "message" or (kind is None and payload.keys() >= _WHOLE_KEYS):
            self._read_message(payload)
            self._read_end_mark()
        elif kind == "message_delta":
            self._read_message_delta(payload)
        elif kind == "message_stop":
            if message := object_or_empty(payload.get("message")):
                self._read_message(message)
            self._read_message_delta(payload)
            if not self.ended:
                self._read_end_mark()
        elif not self._fail_if_error(payload):
            self._details.merge(payload, without=_EVENT_KEYS)

    # The message

    def _read_message(self, message: Payload) -> None:
        """Take in a message: at its start, whole, or repeated."""
        id, known = text_or_none(message.get("id")), self._identity.get("response_id")
        if id and known and id != known:
            if self._builder.state.next_index:
                raise MalformedChunk(f"message_start: expected the end of message {known} first, found message {id}")
            self._identity.clear()  # nothing has come of that one: a relay tries again
        self._identify(model=message.get("model"), response_id=id)
        self._read_usage(message)
        self._details.merge(message, without=_MESSAGE_KEYS)
        self._start()
        content = message.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}] if content else []
        for block in array_or_empty(content)[self._builder.state.next_index :]:  # beyond what has streamed
            self._read_block_start(None, expect_object(block, "message.content[]"))
            self._end_at(None)
        self._read_stop(message)

    def _read_message_delta(self, payload: Payload) -> None:
        for fields in (payload, object_or_empty(payload.get("delta"))):
            self._read_usage(fields)
            self._details.merge(fields, without=_EVENT_KEYS)
            self._read_stop(fields)
        self._fail_if_error({"error": payload.get("error")})

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
