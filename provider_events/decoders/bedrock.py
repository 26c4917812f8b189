# SPDX-License-Identifier: MIT
"""Amazon Bedrock's `ConverseStream`, as boto3 yields it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from typing import Any

from .._error_words import error_words
from ._bedrock_blocks import BedrockBlocks
from ._payload import Payload, expect_array, expect_object, object_or_empty

__all__ = ["BedrockDecoder"]

_MESSAGE_EVENTS = frozenset({"messageStart", "messageStop", "metadata"})
_BLOCK_EVENTS = frozenset({"contentBlockStart", "contentBlockDelta", "contentBlockStop"})

# Keys that do not go into `provider_details`: what they hold has a field, or carries nothing (`p` is padding).
_MESSAGE_KEYS = frozenset({"role", "p", "stopReason", "output"})


class BedrockDecoder(BedrockBlocks):
    """Decodes the events of `converse_stream`, `messageStart` to `metadata`, or a whole response of `converse`."""

    api = "bedrock-converse-stream"
    default_provider = "amazon-bedrock"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._stopped = self._has_usage = False  # with both the message is complete; the usage comes last

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        return (
            not payload.keys().isdisjoint({*_BLOCK_EVENTS, "contentBlockIndex", "messageStart", "messageStop"})
            or "message" in object_or_empty(payload.get("output"))
            or any(str(key).endswith("Exception") and payload[key] for key in payload)
        )

    # Events; those of content blocks are read in the base class

    def _read(self, payload: Payload) -> None:
        if len(payload) == 1 and (delta := payload.get("contentBlockDelta")):
            self._read_block_event("contentBlockDelta", expect_object(delta, "contentBlockDelta"))
            return
        if "contentBlockIndex" in payload:  # the name of the event is missing: in a frame it is in the headers
            suffix = "Start" if "start" in payload else "Delta" if "delta" in payload else "Stop"
            payload = {f"contentBlock{suffix}": payload}
        rest: dict[str, Any] = {}
        for kind, event in payload.items():
            if event is None:
                continue
            if kind in _BLOCK_EVENTS:
                self._read_block_event(kind, expect_object(event, kind))
            elif kind in _MESSAGE_EVENTS:
                event = expect_object(event, kind)
                self._read_fields(object_or_empty(event.get(kind)) or event)  # some wrap it twice
            elif str(kind).endswith("Exception"):
                self._fail(error_words({kind: event}))
                return
            else:
                rest[kind] = event
        if rest == payload and self._fail_if_error(rest):  # only a payload without events can be an error
            return
        self._read_fields(rest)
        if "messageStart" in payload:
            self._start()
        self._stopped = self._stopped or self._stop_word is not None or "messageStop" in payload
        if self._stopped and self._has_usage:
            self._finish()

    # The message

    def _read_fields(self, fields: Payload) -> None:
        """Take in fields of the message, from an event or from a whole response."""
        usage = object_or_empty(fields.get("usage"))
        self._has_usage = self._has_usage or fields.get("usage") is not None
        self._count(
            input=usage.get("inputTokens"),
            output=usage.get("outputTokens"),
            cache_read=usage.get("cacheReadInputTokens") or usage.get("cacheReadInputTokenCount"),
            cache_write=usage.get("cacheWriteInputTokens") or usage.get("cacheWriteInputTokenCount"),
        )
        trace = object_or_empty(fields.get("trace"))
        guardrail, router = object_or_empty(trace.get("guardrail")), object_or_empty(trace.get("promptRouter"))
        request_id = object_or_empty(fields.get("ResponseMetadata")).get("RequestId")
        self._identify(model=router.get("invokedModelId"), response_id=request_id)
        self._stop(fields.get("stopReason"), guardrail.get("actionReason"))
        self._details.merge(fields, without=_MESSAGE_KEYS)
        if (output := fields.get("output")) is not None:
            self._read_response(expect_object(output, "output"))

    def _read_response(self, output: Payload) -> None:
        """Take in the message of a whole response."""
        message = expect_object(output.get("message"), "output.message")
        self._details.merge(message, without=_MESSAGE_KEYS | {"content"})
        for block in expect_array(message.get("content"), "output.message.content"):
            self._read_start(None, expect_object(block, "output.message.content[]"))
            self._end_at(None)
        self._stopped = self._has_usage = True

    def _is_complete(self) -> bool:
        return self._stopped  # even if the usage is missing
