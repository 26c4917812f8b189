# SPDX-License-Identifier: MIT
"""OpenAI's Responses API, and Azure's.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections import Counter, defaultdict
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
    as_object,
    as_text,
    as_word,
    words,
)

# By a response's `incomplete_details.reason`, or else its status.
_STOP_REASONS = {
    "completed": StopReason.STOP,
    "max_output_tokens": StopReason.LENGTH,
    "incomplete": StopReason.LENGTH,
    "content_filter": StopReason.ERROR,
    "failed": StopReason.ERROR,
    "cancelled": StopReason.ABORTED,
}
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})

# What streams into an item's block: its kind of block, and what stands between its parts.
_STREAMS: dict[str, tuple[Kind, str]] = {
    "text": ("text", ""),
    "summary": ("thinking", "\n\n"),
    "reasoning": ("thinking", ""),
    "arguments": ("tool_call", ""),
}
_TYPES = {"text": "message", "summary": "reasoning", "reasoning": "reasoning", "arguments": "function_call"}

# The events that bring it: into which stream, by which index of the part, and under which key. What
# is not a delta is the part's whole text.
_STREAMED = {
    "response.output_text.delta": ("text", "content_index", "delta"),
    "response.output_text.done": ("text", "content_index", "text"),
    "response.refusal.delta": ("text", "content_index", "delta"),
    "response.refusal.done": ("text", "content_index", "refusal"),
    "response.reasoning_summary_text.delta": ("summary", "summary_index", "delta"),
    "response.reasoning_summary_text.done": ("summary", "summary_index", "text"),
    "response.reasoning_text.delta": ("reasoning", "content_index", "delta"),
    "response.reasoning_text.done": ("reasoning", "content_index", "text"),
    "response.function_call_arguments.delta": ("arguments", "content_index", "delta"),
    "response.function_call_arguments.done": ("arguments", "content_index", "arguments"),
}


class _Item:
    """An output item that goes on: its block, or without one what was said of it."""

    __slots__ = ("said", "block", "stream", "streamed")

    def __init__(self, said: Payload, block: OpenBlock | None) -> None:
        self.said = said
        self.block = block
        self.stream: str | None = None  # what streams into the block
        self.streamed: Counter[int] = Counter()  # characters, by part


class OpenAIResponsesDecoder(Decoder):
    """Decodes the events of a Responses stream, `response.created` to `response.completed`."""

    api = "openai-responses"
    default_provider = "openai"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._items: dict[Any, _Item | None] = {}  # by output_index, or else by id; None: done
        self._keys: dict[Any, Any] = {}  # of the items, by their ids
        self._error: str | None = None

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        kind = payload.get("type")
        if kind == "error":
            return "error" not in payload or "sequence_number" in payload
        return isinstance(kind, str) and kind.startswith("response.")

    def _read(self, payload: Payload) -> None:
        kind = as_text(payload.get("type"), "type")
        if self._error is not None and kind not in _ENDS:
            self._fail(self._error)
        elif kind in _STREAMED:
            stream, part, field = _STREAMED[kind]
            key = self._key(payload, payload.get("item_id"))
            item = self._items[key] if key in self._items else self._begin_item(key, {"type": _TYPES[stream]})
            text = as_text(payload.get(field), field)
            self._stream(item, stream, as_index(payload.get(part), part) or 0, text, whole=field != "delta")
        elif kind in _ENDS:
            self._read_response_end(kind, as_object(payload.get("response"), "response"))
        elif kind == "error":
            self._error = words(payload.get("error") or payload)  # most often `response.failed` follows
        elif kind == "response.output_item.added":
            said = as_object(payload.get("item"), "item")
            self._begin_item(self._key(payload, said.get("id")), said)
        elif kind == "response.output_item.done":
            said = as_object(payload.get("item"), "item")
            self._end_item(self._key(payload, said.get("id")), said)
        elif kind == "response.output_text.annotation.added":
            item = self._items.get(self._key(payload, payload.get("item_id")))
            if item is not None and item.block is not None:
                self._cite(item.block, payload.get("annotation"))
        elif "response" in payload:
            self._read_response(as_object(payload.get("response"), "response"))
            self._start()

    # Items

    def _key(self, payload: Payload, id: object) -> object:
        """What tells an item from the others: its place in the output or, where nobody says it, its id."""
        index = as_index(payload.get("output_index"), "output_index")
        return self._keys.get(as_word(id), as_word(id)) if index is None else index

    def _begin_item(self, key: object, said: Payload) -> _Item:
        self._start()
        block = None
        match said.get("type"):
            case "message":
                block = self._begin("text")
            case "reasoning":
                block = self._begin("thinking")
            case "function_call":
                block = self._begin("tool_call", as_word(said.get("call_id")), as_word(said.get("name")))
            case _:
                pass  # placed when it is done
        self._keys[as_word(said.get("id"))] = key
        item = self._items[key] = _Item(said, block)
        return item

    def _stream(self, item: _Item | None, stream: str, part: int, text: str, *, whole: bool = False) -> None:
        """More of an item's block, or a part's whole text, of which only the rest is news."""
        kind, joint = _STREAMS[stream]
        if item is None or item.block is None or item.block.kind != kind:
            raise MalformedChunk(f"output_index: expected an item that goes on, of type {_TYPES[stream]}")
        item.stream = item.stream or stream
        if item.stream != stream:
            return  # the same reasoning in another form
        news = text[item.streamed[part] :] if whole else text
        if news and item.block.streamed and not item.streamed[part]:
            self._append(item.block, joint)
        item.streamed[part] += len(news)
        self._append(item.block, news)

    def _end_item(self, key: object, said: Payload) -> None:
        if key in self._items and self._items[key] is None:
            return
        item = self._items.get(key) or self._begin_item(key, said)
        self._items[key] = None
        if item.block is None:
            self._place(UnknownContent(said))
            return
        content = [as_object(part, "item.content[]") for part in as_array(said.get("content"), "item.content")]
        if item.block.kind == "tool_call":
            self._stream(item, "arguments", 0, as_text(said.get("arguments"), "item.arguments"), whole=True)
        elif item.block.kind == "thinking":
            for part, summary in enumerate(as_array(said.get("summary"), "item.summary")):
                text = as_text(as_object(summary, "item.summary[]").get("text"), "item.summary[].text")
                self._stream(item, "summary", part, text, whole=True)
            for part, reasoning in enumerate(content):
                text = as_text(reasoning.get("text"), "item.content[].text")
                self._stream(item, "reasoning", part, text, whole=True)
            if signature := as_word(said.get("encrypted_content")):
                self._builder.update_block(item.block.index, thinking_signature=signature)
        else:
            for part, written in enumerate(content):
                text = as_text(written.get("text") or written.get("refusal"), "item.content[].text")
                self._stream(item, "text", part, text, whole=True)
            citations = [note for part in content for note in as_array(part.get("annotations"), "annotations")]
            if citations:
                self._builder.update_block(item.block.index, annotations=citations)
        self._end(item.block)

    def _give_up(self) -> None:
        for key, item in self._items.items():
            if item is not None and item.block is None:
                self._items[key] = None
                self._place(UnknownContent(item.said))

    # The response

    def _read_response(self, response: Payload) -> None:
        self._identify(
            model=response.get("model"), response_id=response.get("id"), created=response.get("created_at")
        )
        usage = as_details(response.get("usage"))
        if usage:
            details = as_details(usage.get("input_tokens_details"))
            self._report(
                input=usage.get("input_tokens"),
                output=usage.get("output_tokens"),
                total=usage.get("total_tokens"),
                cache_read=details.get("cached_tokens"),
                cache_write=details.get("cache_write_tokens"),
                reasoning=as_details(usage.get("output_tokens_details")).get("reasoning_tokens"),
            )

    @staticmethod
    def _usage(counts: defaultdict[str, int]) -> Usage:
        return Usage(
            input_tokens=max(0, counts["input"] - counts["cache_read"] - counts["cache_write"]),
            output_tokens=counts["output"],
            cache_read_tokens=counts["cache_read"],
            cache_write_tokens=counts["cache_write"],
            reasoning_tokens=counts["reasoning"],
        )

    def _read_response_end(self, kind: str, response: Payload) -> None:
        self._read_response(response)
        self._start()
        output = [as_object(said, "response.output[]") for said in as_array(response.get("output"), "response.output")]
        if not self._items:  # nothing was streamed
            for index, said in enumerate(output):
                self._end_item(index, said)
        for said in output:  # what was begun, but not done; the places in `output` need not be those of the stream
            key = self._keys.get(as_word(said.get("id")))
            if self._items.get(key) is not None:
                self._end_item(key, said)
        self._give_up()
        incomplete = as_word(as_details(response.get("incomplete_details")).get("reason"))
        status = incomplete or as_word(response.get("status")) or kind.removeprefix("response.")
        self._builder.update(raw_stop_reason=status)
        reason = _STOP_REASONS.get(status, StopReason.STOP)
        error = response.get("error")
        self._complete(self._or_tool_use(reason), words(error) if error else self._error or f"the model stopped: {status}")

    def _read_end(self) -> None:
        if self._error is not None:
            self._fail(self._error)
