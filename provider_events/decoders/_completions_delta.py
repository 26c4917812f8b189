# SPDX-License-Identifier: MIT
"""Reading the fields of a chat completion's delta. A whole message has the same fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._json import OBJECT
from ..messages import TextContent, ThinkingContent, ToolCall
from ._completions_blocks import CompletionsBlocks
from ._completions_calls import Call, Fragment, read_fragment
from ._completions_parts import (
    REASONING_LIST_KEYS,
    REASONING_TEXT_KEYS,
    elements,
    is_thought,
    part_signature,
    reasoning_parts,
    reasoning_text,
    signature_of,
    unwrapped,
)
from ._completions_shape import CallChunkShape, ChunkShape
from ._payload import (
    Payload,
    array_or_empty,
    expect_object,
    expect_text,
    object_or_empty,
    text_or_none,
)

# What does not go into `provider_details`: it has a field of its own, or it carries nothing (`index`, `role`).
_COMMON_KEYS = frozenset({*REASONING_TEXT_KEYS, "role", "content", "refusal", "tool_calls", "function_call"})
_RARE_KEYS = frozenset({"index", "reasoning_opaque", "images", "audio", "annotations", "executed_tools"})
_DELTA_KEYS = _COMMON_KEYS | _RARE_KEYS | {*REASONING_LIST_KEYS}
_CONTENT_KEYS = _DELTA_KEYS - {"role", "index"}  # what a delta may add to the content
_PART_KEYS = frozenset(
    {"type", "text", "refusal", "thinking", "reasoning", "summary", "data", "signature", "annotations"}
)
_CALL_PART_KEYS = frozenset({"type", "name", "input"})

# The types of parts, where content is a list of them; for text, with the key that it is under.
_TEXT_PARTS = {"text": "text", "output_text": "text", "refusal": "refusal"}
_REASONING_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking"})
_IMAGE_PARTS = frozenset({"image_url", "image", "output_image"})


class CompletionsDeltas(CompletionsBlocks):
    """The part of the decoder that reads deltas, and whole messages by the same rules.

    `OpenAICompletionsDecoder` calls `_read_delta`. The order of the fields in a delta means nothing: reasoning is
    read first, then text, other content and tool calls.
    """

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._has_reasoning_field = False  # whether reasoning has come in one of REASONING_TEXT_KEYS
        self._has_calls_field = False  # whether `tool_calls` has come, of which `function_call` is a copy

    def _read_delta(self, delta: Payload) -> None:
        """Take in a delta, or a whole message."""
        has_rare_keys = not delta.keys() <= _COMMON_KEYS
        call_parts = self._read_reasoning(delta, has_rare_keys)
        if content := delta.get("content"):
            if not isinstance(content, str):
                for part in elements(content):
                    self._read_part(unwrapped(part))
            elif has_rare_keys and is_thought(delta):
                self._write(ThinkingContent, "content", content)
            else:
                self._write(TextContent, "content", content)
        if refusal := delta.get("refusal"):
            self._write(TextContent, "refusal", expect_text(refusal, "delta.refusal"))
        if has_rare_keys:
            self._read_rare_fields(delta)
        for entry in elements(delta.get("tool_calls")):
            self._has_calls_field = True
            self._read_call(expect_object(entry, "delta.tool_calls[]"))
        if (function := delta.get("function_call")) and not self._has_calls_field:
            self._read_call({"function": expect_object(function, "delta.function_call")})
        for call_id, key, part in call_parts:
            self._read_reasoning_of_call(self._calls.by_id.get(call_id), key, part)
        if has_rare_keys:
            self._read_details(delta)

    def _delta_shape(self, payload: Payload, delta: Payload) -> ChunkShape | None:
        """Return the shape of a chunk whose delta has new text for the open block or the latest call, and no more."""
        texts = [key for key, value in delta.items() if value and key in _CONTENT_KEYS]
        if len(texts) != 1:
            return None
        (key,) = texts
        if key == self._source and self._current is not None and not self._current.signature:
            return ChunkShape(payload, key, self._current) if isinstance(delta[key], str) else None
        call, entries = self._calls.latest, array_or_empty(delta[key])
        if key != "tool_calls" or call is None or call.is_custom or len(entries) != 1:
            return None
        function: Any = object_or_empty(entries[0]).get("function")
        if not isinstance(function, OBJECT) or function.get("name") or not isinstance(function.get("arguments"), str):
            return None
        return CallChunkShape(payload, key, call.block)

    def _read_rare_fields(self, delta: Payload) -> None:
        """Take in the fields that few deltas have, but for reasoning."""
        if annotations := delta.get("annotations"):
            self._cite_latest(annotations)
        for image in elements(delta.get("images")):
            self._read_image(image)
        if audio := object_or_empty(delta.get("audio")):
            self._read_audio(audio)
        for tool in elements(delta.get("executed_tools")):
            self._read_executed_tool(tool)

    def _read_details(self, delta: Payload) -> None:
        """Take in unknown fields, and a signature in them. One that is as in the delta before adds nothing."""
        latest = self._delta_details
        names = delta.keys() - _DELTA_KEYS
        details = {key: delta[key] for key in delta if key in names and delta[key] not in (None, latest.get(key))}
        if not details:
            return
        latest |= details
        self._latest_details().append(details)
        if (signature := signature_of(delta)) and (block := self._latest_block()):
            self._add_signature(block, signature)

    # Content

    def _read_part(self, part: Any) -> None:
        """Take in a part, where content is a list of them: Mistral, Databricks, and gateways to other formats."""
        if isinstance(part, str):
            self._write(TextContent, "content", part)
            return
        part = expect_object(part, "delta.content[]")
        kind = text_or_none(part.get("type")) or ("text" if isinstance(part.get("text"), str) else "")
        details = {key: part[key] for key in part if key not in _PART_KEYS and part[key] is not None}
        if kind in _TEXT_PARTS:
            key = _TEXT_PARTS[kind]
            text = expect_text(part.get(key), f"delta.content[].{key}")
            self._write(TextContent, "refusal" if key == "refusal" else "content", text)
            self._cite_latest(part.get("annotations"))
            self._latest_details().merge(details)
            if self._current is not None and (signature := signature_of(part)):
                self._add_signature(self._current, signature)
        elif kind in _REASONING_PARTS:
            if without_text := [each for each in array_or_empty(part.get("thinking")) if not reasoning_text(each)]:
                details["thinking"] = without_text
            self._read_reasoning_part(part, "content", details)
        elif kind in _IMAGE_PARTS:
            self._read_image(part)
        elif kind == "tool_use":  # Claude's
            function = {"name": part.get("name"), "arguments": part.get("input")}
            self._read_call({"function": function, **{key: part[key] for key in part if key not in _CALL_PART_KEYS}})
        else:
            self._end_current()
            self._add_unknown(part)

    # Reasoning

    def _read_reasoning(self, delta: Payload, has_rare_keys: bool) -> list[tuple[str, str, Payload]]:
        """Take in the reasoning of a delta: a field with text, lists of reasoning parts, or both.

        Return the parts that belong to tool calls, each with the call's id and the key of its list: they are read
        after the calls.
        """
        field = next((key for key in REASONING_TEXT_KEYS if delta.get(key) and reasoning_text(delta[key])), None)
        text = reasoning_text(delta[field]) if field else ""
        self._has_reasoning_field = self._has_reasoning_field or field is not None
        if not has_rare_keys:
            if field:
                self._write(ThinkingContent, field, text)
            return []
        call_parts: list[tuple[str, str, Payload]] = []
        parts = [(key, part) for key in REASONING_LIST_KEYS for part in reasoning_parts(delta, key)]
        # Text that is both in a field and in lists is read once: from the first list, beside its signatures. But the
        # field counts if it has another text, or if earlier deltas had one.
        text_key = parts[0][0] if parts else ""
        list_text = "".join(reasoning_text(part) for key, part in parts if key == text_key)
        is_list_read = list_text == text if field else not self._has_reasoning_field
        if field and not is_list_read:
            self._write(ThinkingContent, field, text)
        call_ids = {text_or_none(object_or_empty(entry).get("id")) for entry in elements(delta.get("tool_calls"))}
        for key, part in parts:
            id = text_or_none(part.get("id"))
            if id and (id in call_ids or id in self._calls.by_id):
                call_parts.append((id, key, part))
            else:
                with_text = is_list_read and key == text_key
                self._read_reasoning_part(part, field or key, {key: [part]}, with_text=with_text)
        if opaque := text_or_none(delta.get("reasoning_opaque")):  # Copilot
            self._read_reasoning_part({"data": opaque}, "reasoning_opaque", {"reasoning_opaque": opaque})
        return call_parts

    def _read_reasoning_part(
        self, part: Payload, source: str, details: Mapping[str, Any], *, with_text: bool = True
    ) -> None:
        """Take in a part of reasoning: text if it is to be read here, a signature, or encrypted data.

        Data is the signature of the open thinking, or else makes a redacted block.
        """
        if with_text:
            self._write(ThinkingContent, source, reasoning_text(part))
        block = self._current
        if block is not None and block.kind is not ThinkingContent:
            block = None
        data = text_or_none(part.get("data"))
        if data and (block is None or block.signature or part.get("type") == "redacted_thinking"):
            block = self._begin(ThinkingContent, source)
            self._builder.update_block(block.index, thinking_signature=data, redacted=True)
            self._signatures.add(data)
            block.details.append(details)
            self._end_current()
            return
        if signature := part_signature(part):
            block = block or self._begin(ThinkingContent, source)
            self._add_signature(block, signature)
        (self._details if block is None else block.details).append(details)

    def _read_reasoning_of_call(self, call: Call | None, key: str, part: Payload) -> None:
        """Take in a part of reasoning that belongs to a tool call: its signature."""
        if call is None:
            self._details.append({key: [part]})
            return
        call.block.details.append({key: [part]})
        if signature := part_signature(part):
            self._add_signature(call.block, signature)

    # Tool calls

    def _read_call(self, entry: Payload) -> None:
        """Take in an entry of `tool_calls`: a fragment of a call, or a whole one."""
        fragment = self._calls.with_repeated_name(read_fragment(entry))
        call = self._calls.find(fragment)
        is_new = call is None
        if call is None:
            if fragment.is_empty:
                return
            if fragment.is_unknown:
                self._read_unknown_call(fragment, entry)
                return
            self._end_current()
            self._delta_details = {}
            block = self._start_block(ToolCall, tool_call_id=fragment.id, tool_name=fragment.name)
            call = Call(block, fragment, self._builder.streamed)
            if fragment.is_custom:
                self._begin_custom(call)
        else:
            self._update_call(call, fragment)
        self._calls.add(call, fragment, is_new=is_new)
        self._add_call_details(call, fragment)
        self._append(call.block, call.new_text(fragment))

    def _add_call_details(self, call: Call, fragment: Fragment) -> None:
        """Add the unknown fields of a fragment, and a signature in them, to its call."""
        if fragment.details:
            call.block.details.merge(fragment.details)
            if signature := signature_of(fragment.details):
                self._add_signature(call.block, signature)

    def _update_call(self, call: Call, fragment: Fragment) -> None:
        """Take in what a call did not begin with: an id, a name or the rest of it, or that it is a custom one."""
        if fragment.id and not call.id and not self._builder.has_call_id(fragment.id):
            call.id = fragment.id
            self._builder.update_block(call.block.index, id=fragment.id)
        if fragment.name and fragment.name != call.name:
            before = call.name or ""
            call.name = fragment.name if fragment.name.startswith(before) else before + fragment.name
            self._builder.update_block(call.block.index, name=call.name)
        if fragment.is_custom and not call.is_custom and not call.block.has_arguments:
            self._begin_custom(call)

    def _begin_custom(self, call: Call) -> None:
        """Note that a call has text as its input: `_end_block` completes the JSON around it."""
        call.is_custom = True
        self._custom_calls[call.block.index] = call

    def _read_unknown_call(self, fragment: Fragment, entry: Payload) -> None:
        """Take in a call of a type that this package does not know: it is unknown content."""
        key = fragment.id or fragment.key
        unknown = self._unknown.get(key)
        if unknown is None:
            self._end_current()
            self._add_unknown(entry, key)
        else:
            unknown.data.append(entry)
