# SPDX-License-Identifier: MIT
"""Google's Interactions API.

https://ai.google.dev/gemini-api/docs/interactions
"""

from __future__ import annotations

from typing import Any

from .._error_words import error_words
from .._grammar import BlockKind
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock, OpenUnknown
from ._decoder import Decoder
from ._google_json import INTERACTION_USAGE, UsageReport, plain_object, seconds_or_none
from ._payload import (
    Chunk,
    Payload,
    arguments_text,
    array_or_empty,
    expect_object,
    expect_text,
    index_or_none,
    object_or_empty,
    text_or_empty,
    text_or_none,
)

__all__ = ["InteractionsDecoder"]

# The events of a step; before steps, Google had the same events of contents.
_STARTS = ("step.start", "content.start")
_DELTAS = ("step.delta", "content.delta")
_STOPS = ("step.stop", "content.stop")
# The events that end an interaction, without "interaction.": its stop reason too, if it has no status.
_ENDS = ("completed", "complete", "stop", "incomplete", "failed", "cancelled")
_RUNNING = frozenset({"in_progress", "queued", "idle"})  # statuses that are no stop reasons

# What does not go into `provider_details`: it has a field, or it carries nothing (`object`, `index`), or is for the
# transport (`event_id`), the request's echo (`input` and what follows), or a copy by the SDK (`output_text` …).
_EVENT_KEYS = frozenset({"event_type", "type", "event_id", "index", "step", "content", "delta", "interaction", "usage"})
_INTERACTION_KEYS = _EVENT_KEYS.union(
    ("id", "interaction_id", "model", "created", "status", "steps", "outputs", "object", "role"),
    ("input", "tools", "system_instruction", "generation_config", "safety_settings", "agent_config", "webhook_config"),
    ("response_format", "response_modalities", "response_mime_type", "cached_content"),
    ("output_text", "output_image", "output_audio", "output_video"),
)
_OUTPUT_KEYS = frozenset({"type", "content"})
_THOUGHT_KEYS = frozenset({"type", "signature", "summary"})
_CALL_KEYS = frozenset({"type", "id", "name", "arguments", "signature"})
_TEXT_KEYS = frozenset({"type", "text"})
_IMAGE_KEYS = frozenset({"type", "data", "mime_type"})


class InteractionsDecoder(Decoder):
    """Decodes the events of an interaction, `interaction.created` to `interaction.completed`, or a whole one."""

    api = "google-interactions"
    default_provider = "google"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._seen: dict[int | None, OpenUnknown | None] = {}  # steps so far, by index or None, with any unknown block
        self._echoes: set[int | None] = set()  # the steps that repeat the request's input
        self._inputs: dict[int, Any] = {}  # by content index: arguments given whole at the start of a call
        self._report = UsageReport(INTERACTION_USAGE)

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        kind = payload.get("event_type")
        if isinstance(kind, str):
            return kind == "error" or kind.startswith(("interaction.", "step.", "content."))
        return payload.get("object") == "interaction"

    def _read_any(self, chunk: Chunk) -> None:
        plain = plain_object(chunk)
        if plain is not chunk and plain.__class__ is dict:
            self._read(plain)
        else:
            super()._read_any(plain)

    def _read(self, payload: Payload) -> None:
        kind = payload.get("event_type") or payload.get("type")
        index = index_or_none(payload.get("index"))
        if kind in _DELTAS:
            if not _EVENT_KEYS.issuperset(payload):
                self._read_fields(payload)
            self._read_delta(index, expect_object(payload.get("delta"), "delta"))
        elif kind in _STARTS:
            self._read_fields(payload)
            self._read_start(index, expect_object(payload.get("step") or payload.get("content"), "step"))
        elif kind in _STOPS:
            self._read_stop(index, payload)
        elif kind == "error":
            self._fail(error_words(payload))
        elif isinstance(kind, str) and kind.startswith("interaction."):
            self._read_lifecycle(payload, kind.removeprefix("interaction."))
        elif "steps" in payload or "outputs" in payload or payload.get("object") == "interaction":
            self._read_fields(payload)
            self._start()
            self._read_steps(payload)
        elif not self._fail_if_error(payload):
            self._details.merge(payload, without=_EVENT_KEYS)

    # The message

    def _read_lifecycle(self, event: Payload, word: str) -> None:
        """Take in an event of the whole interaction; `word` is its name without "interaction."."""
        interaction = object_or_empty(event.get("interaction"))
        self._read_fields(event)
        self._read_fields(interaction)
        self._start()
        if word in _ENDS:
            self._read_steps(interaction)
            self._stop(self._stop_word or word)
            self._read_end_mark()

    def _read_fields(self, fields: Payload) -> None:
        id = fields.get("id") or fields.get("interaction_id")
        self._identify(model=fields.get("model"), response_id=id, created=seconds_or_none(fields.get("created")))
        self._report.add(fields.get("usage"))
        self._report.add(object_or_empty(fields.get("metadata")).get("total_usage"))
        self._details.merge(fields, without=_INTERACTION_KEYS)
        status = text_or_none(fields.get("status"))
        if status not in _RUNNING:
            self._stop(status, error_words(fields.get("errors") or fields.get("error") or ""))

    def _update_message(self) -> None:
        details = self._details.value()
        if report := self._report.members():
            details["usage"] = report
        self._builder.update(usage=self._report.usage(), provider_details=self._frozen(details))

    def _read_steps(self, interaction: Payload) -> None:
        """Take in the steps of a whole interaction. Of those that have streamed, only unknown blocks are updated."""
        steps = array_or_empty(interaction.get("steps") or interaction.get("outputs"))
        output = [step for step in steps if object_or_empty(step).get("type") != "user_input"]
        for index, step in enumerate(output):
            if self._seen.keys().isdisjoint((index, None)):
                self._read_start(index, expect_object(step, "steps[]"))
                self._read_stop(index, {})
            elif (unknown := self._seen.get(index)) is not None:
                unknown.data.merge(object_or_empty(step))
                self._refresh(unknown)

    # Steps

    def _read_start(self, index: int | None, step: Payload) -> None:
        kind = step.get("type")
        self._seen.setdefault(index)
        if kind == "user_input":
            self._echoes.add(index)
        elif kind == "model_output":
            for content in array_or_empty(step.get("content")):
                self._end_at(index)
                self._read_content(index, expect_object(content, "step.content[]"))
            if not _OUTPUT_KEYS.issuperset(step):
                self._open_block(TextContent, index).details.merge(step, without=_OUTPUT_KEYS)
        elif kind == "thought":
            block = self._open_block(ThinkingContent, index)
            block.details.merge(step, without=_THOUGHT_KEYS)
            self._sign(block, step)
            for content in array_or_empty(step.get("summary")):
                self._read_summary(index, object_or_empty(content))
        elif kind == "function_call":
            self._read_call(index, step)
        elif kind in ("text", "image"):
            self._end_at(index)
            self._read_content(index, step)
        else:
            self._end_at(index)
            self._seen[index] = self._add_unknown(step, index)

    def _read_stop(self, index: int | None, event: Payload) -> None:
        self._report.add(event.get("usage"))
        if (block := self._by_key.get(index)) is not None:
            block.details.merge(event, without=_EVENT_KEYS)
            self._end_block(block)
        elif index is None:
            for block in self._all_open():
                self._end_block(block)
        elif (unknown := self._unknown.pop(index, None)) is not None:
            unknown.data.merge(event, without=_EVENT_KEYS)
            self._refresh(unknown)
        else:
            self._details.merge(event, without=_EVENT_KEYS)

    def _end_at(self, index: int | None) -> None:
        if (block := self._by_key.get(index)) is not None:
            self._end_block(block)

    def _open_block(self, kind: BlockKind, index: int | None) -> OpenBlock:
        """Return the open block that a delta belongs to; begin one if there is none."""
        block = self._by_key.get(index)
        if block is None or block.kind is not kind:
            found = None if index is not None and index in self._seen else self._find(kind)
            block = found or self._start_block(kind, key=index)
        return block

    # Deltas

    def _read_delta(self, index: int | None, delta: Payload) -> None:
        kind = delta.get("type")
        if index in self._echoes:
            return
        if (unknown := self._unknown.get(index)) is not None:
            unknown.data.append(delta, without=frozenset({"type"}))
            return
        if index not in self._seen:
            self._seen[None] = None
        if kind == "text":
            self._read_content(index, delta)
        elif kind == "arguments_delta":
            self._read_arguments(index, delta)
        elif kind in ("thought_summary", "thought"):
            self._read_summary(index, object_or_empty(delta.get("content")) or delta)
        elif kind == "thought_signature":
            self._sign(self._by_key.get(index) or self._open_block(ThinkingContent, index), delta)
        elif kind == "text_annotation_delta":
            self._cite(self._open_block(TextContent, index), *array_or_empty(delta.get("annotations")))
        elif kind == "function_call":
            self._read_call(index, delta)
        else:
            self._read_content(index, delta)

    def _read_content(self, index: int | None, content: Payload) -> None:
        """Take in a content of the model's output, or the next part of its text."""
        if "text" in content:
            self._read_text(TextContent, index, content)
        elif content.get("type") == "image" and (data := text_or_none(content.get("data"))):
            self._end_at(index)
            more = {name: value for name, value in content.items() if name not in _IMAGE_KEYS and value is not None}
            self._add_image(data, text_or_empty(content.get("mime_type")), more)
        elif content.keys() > {"type"}:
            self._end_at(index)
            self._add_unknown(content)

    def _read_text(self, kind: BlockKind, index: int | None, content: Payload) -> None:
        text, is_plain = expect_text(content["text"], "text"), _TEXT_KEYS.issuperset(content)
        if not text and is_plain:
            return
        block = self._open_block(kind, index)
        self._append(block, text)
        if not is_plain:
            self._cite(block, *array_or_empty(content.get("annotations")))
            block.details.append(content, without=_TEXT_KEYS | {"annotations"})

    def _read_summary(self, index: int | None, content: Payload) -> None:
        if "text" in content:
            self._read_text(ThinkingContent, index, content)
        elif content.keys() > {"type"}:
            self._add_unknown({"type": "thought_summary", "content": content})  # such as a draft image

    def _sign(self, block: OpenBlock, holder: Payload) -> None:
        signature = text_or_empty(holder.get("signature"))
        if [signature] != block.signature:  # a start and a delta may both have it whole
            block.signature.append(signature)

    # Function calls

    def _read_call(self, index: int | None, call: Payload) -> None:
        """Take in the start of a call, or a delta that has a call whole."""
        id, name = text_or_none(call.get("id")), text_or_none(call.get("name"))
        block = self._by_key.get(index)
        if block is None or block.kind is not ToolCall or (id and block.tool_call_id not in (None, id)):
            block = self._start_block(ToolCall, key=index, tool_call_id=id, tool_name=name)
        elif id or name:
            block.tool_call_id = block.tool_call_id or id
            new: Any = {"id": self._unique(id), "name": name}
            self._builder.update_block(block.index, **new)
        self._sign(block, call)
        block.details.merge(call, without=_CALL_KEYS)
        self._inputs[block.index] = call.get("arguments")

    def _read_arguments(self, index: int | None, delta: Payload) -> None:
        block = self._find(ToolCall, key=index)
        if block is not None:
            self._append(block, arguments_text(delta.get("arguments")))
            block.details.append(delta, without=_CALL_KEYS)
        elif delta.get("id") or delta.get("name"):
            self._read_call(index, delta)
        else:
            self._add_unknown(delta)

    def _end_block(self, block: OpenBlock) -> None:
        self._append_input(block)
        super()._end_block(block)

    def _append_input(self, block: OpenBlock) -> None:
        """Append the arguments given whole, if no delta has brought them."""
        given = self._inputs.pop(block.index, None)
        if given and not block.held and not self._builder.streamed(block.index):
            self._append(block, arguments_text(given))

    def _flush_pending(self) -> None:
        for block in self._all_open():
            self._append_input(block)
        super()._flush_pending()
