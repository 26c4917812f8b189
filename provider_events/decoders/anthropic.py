# SPDX-License-Identifier: MIT
"""Anthropic's Messages API.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from ..messages import StopReason, UnknownContent, Usage
from .decoder import (
    Decoder,
    Kind,
    MalformedChunk,
    OpenBlock,
    Payload,
    as_array,
    as_details,
    as_index,
    as_json,
    as_object,
    as_text,
    as_word,
    words,
)

_STOP_REASONS = {
    "end_turn": StopReason.STOP,
    "stop_sequence": StopReason.STOP,
    "pause_turn": StopReason.STOP,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "tool_use": StopReason.TOOL_USE,
    "refusal": StopReason.ERROR,
}

# What each delta that streams is for, and under which key it stands.
_DELTAS: dict[str, tuple[Kind, str]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("tool_call", "partial_json"),
}


class _Unknown:
    """A block of a kind that has no type here, held back until it is complete."""

    __slots__ = ("data", "pieces")

    def __init__(self, data: Payload) -> None:
        self.data = dict(data)
        self.pieces: dict[str, list[str]] = {}

    def add(self, delta: Payload) -> None:
        for key, value in delta.items():
            if key != "type" and isinstance(value, str):
                self.pieces.setdefault(key, []).append(value)

    def content(self) -> UnknownContent:
        for key, pieces in self.pieces.items():
            text = "".join(pieces)
            if key != "partial_json":
                self.data[key] = (as_word(self.data.get(key)) or "") + text
            elif text:
                try:
                    self.data["input"] = json.loads(text)
                except (ValueError, RecursionError):
                    self.data["input"] = text
        return UnknownContent(self.data)


class AnthropicDecoder(Decoder):
    """Decodes the events of a Messages stream, `message_start` to `message_stop`."""

    api = "anthropic-messages"
    default_provider = "anthropic"
    repetitions = frozenset({"text", "thinking", "signature", "citation", "input_json"})

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._blocks: dict[int | None, OpenBlock | _Unknown] = {}  # by the provider's index
        self._inputs: dict[int, Any] = {}  # by content_index: arguments given whole when the call began
        self._stop_reason: str | None = None
        self._explanation: str | None = None

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        kind = payload.get("type")
        if kind == "error":
            return "error" in payload and "sequence_number" not in payload
        return isinstance(kind, str) and (kind == "ping" or kind.startswith(("message_", "content_block_")))

    def _read(self, payload: Payload) -> None:
        kind = payload.get("type")
        if kind == "content_block_delta":
            self._read_delta(payload.get("index"), as_object(payload.get("delta"), "delta"))
        elif kind == "content_block_start":
            self._start()
            block = as_object(payload.get("content_block"), "content_block")
            self._read_block(as_index(payload.get("index"), "index"), block)
        elif kind == "content_block_stop":
            self._end_block(self._blocks.pop(as_index(payload.get("index"), "index"), None))
        elif kind == "message_start":
            self._read_message(as_object(payload.get("message"), "message"))
        elif kind == "message_delta":
            self._read_usage(as_details(payload.get("usage")))
            self._read_stop(as_object(payload.get("delta"), "delta"))
        elif kind == "message_stop":
            for unended in list(self._blocks.values()):
                self._end_block(unended)
            why = [f"the model stopped: {self._stop_reason}", self._explanation]
            reason = _STOP_REASONS.get(self._stop_reason or "end_turn", StopReason.STOP)
            self._complete(reason, ": ".join(filter(None, why)))
        elif kind == "error":
            self._fail(words(payload.get("error") or payload))

    def _read_message(self, message: Payload) -> None:
        id, known = as_word(message.get("id")), self._identity.get("response_id")
        if id and known and id != known:
            raise MalformedChunk(f"message_start: expected the end of message {known} first, found message {id}")
        self._identify(model=message.get("model"), response_id=id)
        self._read_usage(as_details(message.get("usage")))
        if self._started:
            return
        self._start()
        for block in as_array(message.get("content"), "message.content"):  # what earlier turns left running
            self._read_block(None, as_object(block, "message.content[]"))
            self._end_block(self._blocks.pop(None, None))
        self._read_stop(message)

    def _read_delta(self, index: object, delta: Payload) -> None:
        block = self._blocks.get(index if isinstance(index, int) else None)
        kind = delta.get("type")
        if isinstance(block, _Unknown):
            block.add(delta)
        elif block is None:
            raise MalformedChunk(f"index: expected a block that has begun, found {index!r:.200}")
        elif isinstance(kind, str) and kind in _DELTAS:
            expected, key = _DELTAS[kind]
            if block.kind != expected:
                raise MalformedChunk(f"delta.type: expected a delta of {block.kind}, found {kind}")
            self._append(block, as_text(delta.get(key), key))
        elif kind == "signature_delta":
            signature = as_text(delta.get("signature"), "signature")
            self._builder.update_block(block.index, thinking_signature=signature)
        elif kind == "citations_delta":
            self._cite(block, delta.get("citation"))

    def _read_block(self, index: int | None, said: Payload) -> None:
        self._end_block(self._blocks.pop(index, None))
        kind = said.get("type")
        if kind == "text":
            block = self._blocks[index] = self._begin("text")
            for citation in as_array(said.get("citations"), "content_block.citations"):
                self._cite(block, citation)
            self._append(block, as_text(said.get("text"), "content_block.text"))
        elif kind == "thinking":
            block = self._blocks[index] = self._begin("thinking")
            if signature := as_word(said.get("signature")):
                self._builder.update_block(block.index, thinking_signature=signature)
            self._append(block, as_text(said.get("thinking"), "content_block.thinking"))
        elif kind == "redacted_thinking":
            block = self._begin("thinking")
            payload = as_text(said.get("data"), "content_block.data")
            self._builder.update_block(block.index, thinking_signature=payload, redacted=True)
            self._end(block)
        elif kind == "tool_use":
            block = self._blocks[index] = self._begin("tool_call", as_word(said.get("id")), as_word(said.get("name")))
            self._inputs[block.index] = said.get("input")
        else:
            self._blocks[index] = _Unknown(said)

    def _hand_in(self, block: OpenBlock | _Unknown | None) -> None:
        """Put what a block holds back into the message: all of an unknown one, or a call's whole input."""
        if isinstance(block, _Unknown):
            self._place(block.content())
        elif block is not None and not block.streamed and (given := self._inputs.get(block.index)):
            self._append(block, as_json(given))

    def _end_block(self, block: OpenBlock | _Unknown | None) -> None:
        self._hand_in(block)
        if isinstance(block, OpenBlock):
            self._end(block)

    def _give_up(self) -> None:
        while self._blocks:
            self._hand_in(self._blocks.pop(next(iter(self._blocks))))

    def _read_stop(self, delta: Payload) -> None:
        if reason := as_word(delta.get("stop_reason")):
            self._stop_reason = reason
            self._builder.update(raw_stop_reason=reason)
        self._explanation = as_word(as_details(delta.get("stop_details")).get("explanation")) or self._explanation

    def _read_usage(self, usage: Payload) -> None:
        self._report(
            input=usage.get("input_tokens"),
            output=usage.get("output_tokens"),
            cache_read=usage.get("cache_read_input_tokens"),
            cache_write=usage.get("cache_creation_input_tokens"),
            reasoning=as_details(usage.get("output_tokens_details")).get("thinking_tokens"),
        )

    @staticmethod
    def _usage(counts: defaultdict[str, int]) -> Usage:
        return Usage(
            input_tokens=counts["input"],
            output_tokens=counts["output"],
            cache_read_tokens=counts["cache_read"],
            cache_write_tokens=counts["cache_write"],
            reasoning_tokens=counts["reasoning"],
        )
