# SPDX-License-Identifier: MIT
"""Cohere's v2 chat.

https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._error_words import error_words
from .._grammar import BlockKind
from .._json import ARRAY, OBJECT
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock
from ._decoder import Decoder
from ._payload import (
    Payload,
    arguments_text,
    count_or_none,
    expect_object,
    expect_text,
    index_or_none,
    object_or_empty,
    text_or_none,
)

__all__ = ["CohereDecoder"]

_KINDS: dict[str, BlockKind] = {"text": TextContent, "thinking": ThinkingContent}

# Keys that do not go into `provider_details`: what they hold has a field, or carries nothing (`type`, `role`, `index`).
_EVENT_KEYS = frozenset({"type", "index", "id", "delta", "message", "finish_reason", "logprobs"})
_USUAL_KEYS = frozenset({"type", "index", "delta"})  # of nearly all events
_DELTA_KEYS = frozenset({"message"})
_MESSAGE_KEYS = frozenset({"role", "content", "tool_plan", "tool_calls", "citations"})
_CONTENT_KEYS = frozenset({"type", "text", "thinking"})
_CALL_KEYS = frozenset({"type", "id", "function"})
_FUNCTION_KEYS = frozenset({"name", "arguments"})

_PLAN = "tool_plan"  # the id of its block here, and the name of its field in the details


class CohereDecoder(Decoder):
    """Decodes the events of a v2 chat stream, `message-start` to `message-end`, or a whole response.

    Text blocks end with the message, since citations may come after their text.
    """

    api = "cohere-chat"
    default_provider = "cohere"

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        event_type = payload.get("type")
        if isinstance(event_type, str):
            return event_type.startswith(("message-", "content-", "tool-call-", "tool-plan-", "citation-"))
        return "finish_reason" in payload and "message" in payload and "choices" not in payload

    def _read(self, payload: Payload) -> None:
        event_type = payload.get("type")
        index = index_or_none(payload.get("index"))
        delta = object_or_empty(payload.get("delta"))
        message = object_or_empty(delta.get("message"))
        if event_type == "content-delta":
            self._read_content(index, message.get("content"))
        elif event_type == "tool-call-delta" or event_type == "tool-call-start":
            self._read_calls(index, message.get("tool_calls"))
        elif event_type == "tool-plan-delta":
            self._read_plan(message.get("tool_plan"))
        elif event_type == "content-start":
            self._read_content_start(index, message.get("content"))
        elif event_type == "content-end":
            self._end_content(index)
        elif event_type == "tool-call-end":
            self._end_call(index)
        elif event_type == "citation-start":
            self._read_citations(message.get("citations"))
        elif self._read_message_event(payload, delta, message) or self._fail_if_error(payload):
            return
        if not (payload.keys() <= _USUAL_KEYS and delta.keys() <= _DELTA_KEYS and message.keys() <= _MESSAGE_KEYS):
            self._add_event_details(index, payload, delta, message)

    def _read_message_event(self, payload: Payload, delta: Payload, message: Payload) -> bool:
        """Take in the start or the end of the message, or a whole response; return whether the payload is one."""
        event_type = payload.get("type")
        if event_type == "message-start":
            self._read_fields(payload)
            self._start()
            self._read_message(message)
        elif event_type == "message-end" or event_type == "stream-end":
            self._read_fields(payload)
            self._read_fields(delta)
            if self._stop_word is not None or not self._fail_if_error(delta):
                self._read_end_mark()
        elif "message" in payload and "finish_reason" in payload:
            self._read_fields(payload)
            self._read_message(expect_object(payload["message"], "message"))
            self._read_end_mark()
        else:
            return False
        return True

    # The message

    def _read_fields(self, fields: Payload) -> None:
        """Take in fields of the message: those of an event, of its `delta`, or of a whole response."""
        self._identify(response_id=fields.get("id"))
        usage = object_or_empty(fields.get("usage"))
        tokens, billed = object_or_empty(usage.get("tokens")), object_or_empty(usage.get("billed_units"))
        cached = count_or_none(usage.get("cached_tokens"))
        all_input = count_or_none(tokens.get("input_tokens"))  # including the cached tokens
        self._count(
            input=billed.get("input_tokens") if all_input is None else max(0, all_input - (cached or 0)),
            output=tokens.get("output_tokens") or billed.get("output_tokens"),
            cache_read=cached,
        )
        error = fields.get("error")
        self._stop(fields.get("finish_reason"), error_words(error) if error else None)
        self._details.merge(fields, without=_EVENT_KEYS)
        if fields.get("logprobs") is not None:  # of a whole response; those of a delta go to its block
            self._details.merge({"logprobs": fields["logprobs"]})

    def _read_message(self, message: Payload) -> None:
        """Take in a message, which is empty at the start of a stream."""
        self._details.merge(message, without=_MESSAGE_KEYS)
        self._read_plan(message.get("tool_plan"))
        for index, content in enumerate(_elements(message.get("content"))):
            self._read_content_start(index, content)
        for index, call in enumerate(_elements(message.get("tool_calls"))):
            self._read_calls(index, call)
        self._read_citations(message.get("citations"))

    def _add_event_details(self, index: int | None, payload: Payload, delta: Payload, message: Payload) -> None:
        """Add the log probabilities and unknown fields of an event to the details of its block, or of the message."""
        is_of_call = str(payload.get("type")).startswith("tool-call-")
        block = self._by_id.get(_call_key(index)) if is_of_call else self._by_key.get(index)
        details = self._details if block is None else block.details
        if (logprobs := payload.get("logprobs")) is not None:
            details.append({"logprobs": [logprobs]})
        for fields, known in ((payload, _EVENT_KEYS), (delta, _DELTA_KEYS), (message, _MESSAGE_KEYS)):
            details.append(fields, without=known)

    # Text and thinking

    def _read_content_start(self, index: int | None, content: Any) -> None:
        """Take in the start of a content block, or a whole one."""
        if isinstance(content, str):
            content = {"type": "text", "text": content}
        content = expect_object(content, "content")
        kind, block = _KINDS.get(str(content.get("type"))), self._by_key.get(index)
        if block is not None and block.kind is kind and not (content.get("text") or content.get("thinking")):
            return  # a repeated start
        self._end_plan()
        self._end_content(index)
        if kind is not None:
            self._start_block(kind, key=index)
            self._read_content(index, content)
        elif content.get("type"):
            self._unknown[index] = self._add_unknown(content)
        else:
            self._read_content(index, content)

    def _read_content(self, index: int | None, content: Any) -> None:
        """Take in a delta of text, thinking or an unknown block."""
        if isinstance(content, str):
            content = {"text": content}
        content = expect_object(content, "content")
        if (unknown := self._unknown.get(index)) is not None:
            unknown.data.append(content, without={"type"})
            return
        block = self._by_key.get(index)
        for key, kind in _KINDS.items():
            if text := expect_text(content.get(key), key):
                block = self._find_or_start(kind, index)
                self._append(block, text)
        if not content.keys() <= _CONTENT_KEYS:
            (self._details if block is None else block.details).append(content, without=_CONTENT_KEYS)

    def _find_or_start(self, kind: BlockKind, index: int | None) -> OpenBlock:
        """Return the block of text or thinking that a delta belongs to, perhaps a new one; never the tool plan."""
        block = self._by_key.get(index)
        if block is None or block.kind is not kind:
            block = self._find(kind)
        if block is None or block.id == _PLAN:
            block = self._start_block(kind, key=index)
        return block

    def _end_content(self, index: int | None) -> None:
        """End the thinking or the unknown block at an index. Text stays open for citations."""
        block = self._by_key.get(index) if index is not None else self._find(ThinkingContent)
        if block is not None and block.kind is ThinkingContent:
            self._end_block(block)
        if (unknown := self._unknown.pop(index, None)) is not None:
            self._refresh(unknown)

    def _read_plan(self, text: object) -> None:
        """Take in a delta of the tool plan, which is thinking."""
        if text := expect_text(text, "tool_plan"):
            block = self._by_id.get(_PLAN)
            if block is None:
                block = self._start_block(ThinkingContent, id=_PLAN)
                block.details.merge({"reasoning_field": _PLAN})
            self._append(block, text)

    def _end_plan(self) -> None:
        if (plan := self._by_id.get(_PLAN)) is not None:
            self._end_block(plan)

    def _read_citations(self, citations: Any) -> None:
        """Take in citations. They belong to the block at their `content_index`, else to the latest text."""
        for citation in _elements(citations):
            index = index_or_none(citation.get("content_index")) if isinstance(citation, OBJECT) else None
            block = self._by_key.get(index) or next(reversed(self._open[TextContent].values()), None)
            if block is not None and block.kind is TextContent:
                self._cite(block, citation)
            else:
                (self._details if block is None else block.details).append({"citations": [citation]})

    # Tool calls

    def _read_calls(self, index: int | None, calls: Any) -> None:
        """Take in the start or a delta of a tool call. The indexes of calls are not those of content."""
        for call in _elements(calls):
            call = expect_object(call, "tool_calls")
            function = expect_object(call.get("function"), "tool_calls.function")
            block = self._find_or_start_call(index, text_or_none(call.get("id")), text_or_none(function.get("name")))
            if block is None:
                self._add_unknown({"tool_calls": call})
                continue
            self._append(block, arguments_text(function.get("arguments")))
            block.details.append(call, without=_CALL_KEYS)
            if details := {key: value for key, value in function.items() if key not in _FUNCTION_KEYS}:
                block.details.append({"function": details})

    def _find_or_start_call(self, index: int | None, id: str | None, name: str | None) -> OpenBlock | None:
        """Return the call that a delta belongs to: a new one if it has a name or a new id, None if there is no call."""
        key = _call_key(index)
        block = self._by_id.get(key)
        if (id or name) and (block is None or id != block.tool_call_id):
            self._end_plan()
            if block is not None:
                self._end_block(block)
            return self._start_block(ToolCall, id=key, tool_call_id=id, tool_name=name)
        return self._find(ToolCall) if block is None else block

    def _end_call(self, index: int | None) -> None:
        block = self._by_id.get(_call_key(index)) or (self._find(ToolCall) if index is None else None)
        if block is not None:
            self._end_block(block)


def _call_key(index: int | None) -> str:
    """Return the id by which the call at an index is found among the open blocks."""
    return f"call {index}"


def _elements(value: Any) -> Sequence[Any]:
    """Return the elements of an array, or the one element that an event has in place of an array."""
    if isinstance(value, ARRAY):
        found: Sequence[Any] = value
        return found
    return [value] if value else []
