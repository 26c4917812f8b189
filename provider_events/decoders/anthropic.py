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

# Keys that do not go into `provider_details`: what they hold has a field, carries nothing (`type`, `role`), or is the
# SDK's copy of what has streamed (`message`).
_MESSAGE_KEYS = frozenset({"type", "role", "id", "model", "content", "stop_reason"})
_MESSAGE_EVENT_KEYS = frozenset({"type", "index", "delta", "message", "stop_reason"})

_WHOLE_KEYS = frozenset({"role", "content", "stop_reason"})  # of a whole message whose type is missing


class AnthropicDecoder(AnthropicBlocks):
    """Decodes the events of a Messages stream, `message_start` to `message_stop`, or a whole message."""

    api = "anthropic-messages"
    default_provider = "anthropic"
    repetitions = frozenset({"text", "thinking", "signature", "citation", "input_json", "compaction"})

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        event_type = payload.get("type")
        if event_type == "error":
            return "error" in payload and "sequence_number" not in payload
        if event_type == "message":
            return "content" in payload
        if event_type is None:
            return payload.keys() >= _WHOLE_KEYS
        prefixes = ("message_", "content_block_")
        return isinstance(event_type, str) and (event_type == "ping" or event_type.startswith(prefixes))

    # Events; those of content blocks are read in the base class

    def _read(self, payload: Payload) -> None:
        event_type = payload.get("type")
        if event_type == "content_block_delta":
            self._read_delta(payload)
        elif event_type == "content_block_start":
            index = index_or_none(payload.get("index"))
            self._read_block_start(index, expect_object(payload.get("content_block"), "content_block"))
            self._add_event_details(index, payload)
        elif event_type == "content_block_stop":
            self._read_block_stop(index_or_none(payload.get("index")), payload)
        elif event_type == "message_start":
            self._read_message(expect_object(payload.get("message"), "message"))
        elif event_type == "message" or (event_type is None and payload.keys() >= _WHOLE_KEYS):
            self._read_message(payload)
            self._read_end_mark()
        elif event_type == "message_delta":
            self._read_message_delta(payload)
        elif event_type == "message_stop":
            if message := object_or_empty(payload.get("message")):
                self._read_message(message)
            self._read_message_delta(payload)
            if not self.ended:
                self._read_end_mark()
        elif not self._fail_if_error(payload):
            self._details.merge(payload, without=_MESSAGE_EVENT_KEYS)

    # The message

    def _read_message(self, message: Payload) -> None:
        """Take in a message: the start of one, a whole one, or a copy of it at its end."""
        id, known_id = text_or_none(message.get("id")), self._identity.get("response_id")
        if id and known_id and id != known_id:
            if self._builder.state.next_index:
                raise MalformedChunk(f"message_start: expected the end of message {known_id} first, found message {id}")
            self._identity.clear()  # a relay has retried: the message before has no content
        self._identify(model=message.get("model"), response_id=id)
        self._read_usage(message)
        self._details.merge(message, without=_MESSAGE_KEYS)
        self._start()
        content = message.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}] if content else []
        for block in array_or_empty(content)[self._builder.state.next_index :]:  # those that have not streamed
            self._read_block_start(None, expect_object(block, "message.content[]"))
            self._end_at(None)
        self._read_stop(message)

    def _read_message_delta(self, payload: Payload) -> None:
        """Take in a change of the message. Some imitators send all its fields in `delta`, or none."""
        for fields in (payload, object_or_empty(payload.get("delta"))):
            self._read_usage(fields)
            self._details.merge(fields, without=_MESSAGE_EVENT_KEYS)
            self._read_stop(fields)
        self._fail_if_error({"error": payload.get("error")})

    def _read_stop(self, fields: Payload) -> None:
        details = object_or_empty(fields.get("stop_details"))
        words = [text_or_empty(details.get("category")), text_or_empty(details.get("explanation"))]
        self._stop(fields.get("stop_reason"), ": ".join(filter(None, words)))

    def _read_usage(self, fields: Payload) -> None:
        usage = object_or_empty(fields.get("usage"))
        self._count(
            input=usage.get("input_tokens"),
            output=usage.get("output_tokens"),
            cache_read=usage.get("cache_read_input_tokens"),
            cache_write=usage.get("cache_creation_input_tokens"),
            reasoning=object_or_empty(usage.get("output_tokens_details")).get("thinking_tokens"),
        )
