# SPDX-License-Identifier: MIT
"""Amazon Bedrock's `ConverseStream`, as boto3 yields it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from typing import Any

from ..messages import StopReason, UnknownContent, Usage
from .decoder import (
    Decoder,
    Kind,
    MalformedChunk,
    OpenBlock,
    Payload,
    as_details,
    as_index,
    as_object,
    as_text,
    as_word,
)

_STOP_REASONS = {
    "end_turn": StopReason.STOP,
    "stop_sequence": StopReason.STOP,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "tool_use": StopReason.TOOL_USE,
    "content_filtered": StopReason.ERROR,
    "guardrail_intervened": StopReason.ERROR,
    "malformed_model_output": StopReason.ERROR,
    "malformed_tool_use": StopReason.ERROR,
}

_READERS = {
    "messageStart": "_read_message_start",
    "contentBlockStart": "_read_block_start",
    "contentBlockDelta": "_read_delta",
    "contentBlockStop": "_read_block_stop",
    "messageStop": "_read_message_stop",
    "metadata": "_read_metadata",
}


class BedrockDecoder(Decoder):
    """Decodes the events of `converse_stream`, `messageStart` to `metadata`."""

    api = "bedrock-converse-stream"
    default_provider = "amazon-bedrock"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._blocks: dict[int | None, OpenBlock] = {}  # by contentBlockIndex
        self._unknown: dict[int | None, list[Any]] = {}  # by contentBlockIndex: all that was said of the block
        self._stop_reason: str | None = None

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        return any(kind in _READERS or str(kind).endswith("Exception") for kind in payload)

    def _read(self, payload: Payload) -> None:
        for kind, said in payload.items():
            if kind == "contentBlockDelta":
                self._read_delta(as_object(said, kind))
            elif kind in _READERS:
                getattr(self, _READERS[kind])(as_object(said, kind))
            elif kind.endswith("Exception"):
                message = as_word(as_details(said).get("message"))
                return self._fail(f"{kind}: {message}" if message else kind)

    def _read_message_start(self, said: Payload) -> None:
        self._start()

    def _read_block_start(self, said: Payload) -> None:
        self._start()
        index = as_index(said.get("contentBlockIndex"), "contentBlockIndex")
        start = as_object(said.get("start"), "start")
        call = as_object(start.get("toolUse"), "start.toolUse")
        if call and call.get("type") != "server_tool_use":  # that one runs at the provider's
            self._blocks[index] = self._begin("tool_call", as_word(call.get("toolUseId")), as_word(call.get("name")))
        elif start:
            self._unknown[index] = [start]

    def _read_delta(self, said: Payload) -> None:
        index = as_index(said.get("contentBlockIndex"), "contentBlockIndex")
        delta = as_object(said.get("delta"), "delta")
        if "text" in delta:
            self._append(self._block(index, "text"), as_text(delta["text"], "delta.text"))
        elif "toolUse" in delta and index not in self._unknown:
            call = as_object(delta["toolUse"], "delta.toolUse")
            self._append(self._block(index, "tool_call"), as_text(call.get("input"), "delta.toolUse.input"))
        elif "reasoningContent" in delta:
            self._read_reasoning(self._block(index, "thinking"), as_object(delta["reasoningContent"], "delta"))
        elif "citation" in delta:
            self._cite(self._block(index, "text"), delta["citation"])
        else:
            self._unknown.setdefault(index, []).append(delta)

    def _block(self, index: int | None, kind: Kind) -> OpenBlock:
        """The block that a delta is for; only that of a tool call is sure to be announced."""
        block = self._blocks.get(index)
        if block is None:
            self._start()
            block = self._blocks[index] = self._begin(kind)
        if block.kind != kind:
            raise MalformedChunk(f"delta: expected a piece of {block.kind}, found one of {kind}")
        return block

    def _read_reasoning(self, block: OpenBlock, said: Payload) -> None:
        self._append(block, as_text(said.get("text"), "delta.reasoningContent.text"))
        if signature := as_word(said.get("signature")):
            self._builder.update_block(block.index, thinking_signature=signature)
        if redacted := said.get("redactedContent"):
            payload = redacted if isinstance(redacted, str) else _base64(redacted)
            self._builder.update_block(block.index, thinking_signature=payload, redacted=True)

    def _read_block_stop(self, said: Payload) -> None:
        index = as_index(said.get("contentBlockIndex"), "contentBlockIndex")
        if block := self._blocks.pop(index, None):
            self._end(block)
        elif unknown := self._unknown.pop(index, None):
            self._place_unknown(unknown)

    def _place_unknown(self, said: list[Any]) -> None:
        self._start()
        self._place(UnknownContent(json.loads(json.dumps({"contentBlock": said}, default=_base64))))

    def _give_up(self) -> None:
        while self._unknown:
            self._place_unknown(self._unknown.pop(next(iter(self._unknown))))

    def _read_message_stop(self, said: Payload) -> None:
        self._start()
        self._stop_reason = as_word(said.get("stopReason")) or "end_turn"
        self._builder.update(raw_stop_reason=as_word(said.get("stopReason")))

    def _read_metadata(self, said: Payload) -> None:
        usage = as_details(said.get("usage"))
        self._report(
            input=usage.get("inputTokens"),
            output=usage.get("outputTokens"),
            total=usage.get("totalTokens"),
            cache_read=usage.get("cacheReadInputTokens"),
            cache_write=usage.get("cacheWriteInputTokens"),
        )
        self._read_end()  # nothing comes after it

    @staticmethod
    def _usage(counts: defaultdict[str, int]) -> Usage:
        buckets = counts["input"] + counts["output"] + counts["cache_read"] + counts["cache_write"]
        return Usage(
            input_tokens=counts["input"],
            output_tokens=counts["output"],
            cache_read_tokens=counts["cache_read"],
            cache_write_tokens=counts["cache_write"],
        )

    def _read_end(self) -> None:
        if self._stop_reason:
            for unknown in self._unknown.values():
                self._place_unknown(unknown)
            reason = _STOP_REASONS.get(self._stop_reason, StopReason.STOP)
            self._complete(reason, f"the model stopped: {self._stop_reason}")


_BYTES: tuple[type[Any], ...] = (bytes, bytearray, memoryview)


def _base64(data: Any) -> str:
    """Bytes as boto3 gives them, where JSON has base64."""
    return b64encode(data).decode() if isinstance(data, _BYTES) else str(data)
