# SPDX-License-Identifier: MIT
"""The delta of a chat completion, or its whole message, which has the same fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._json import OBJECT
from ..messages import TextContent, ThinkingContent, ToolCall
from ._completions_blocks import CompletionsBlocks
from ._completions_calls import Call, Fragment, read_fragment
from ._completions_parts import (
    PIECES_KEYS,
    REASONING_KEYS,
    elements,
    is_thought,
    pieces_of,
    reasoning_text,
    signature_of,
    unwrapped,
)
from ._completions_shape import CallChunkShape, ChunkShape
from ._details import Details
from ._payload import (
    Payload,
    array_or_empty,
    expect_object,
    expect_text,
    index_or_none,
    object_or_empty,
    text_or_none,
)

# What does not go into `provider_details`: it has a field of its own, or it carries nothing (`index`, `role`).
_STREAMED_KEYS = frozenset({*REASONING_KEYS, "role", "content", "refusal", "tool_calls", "function_call"})
_OTHER_KEYS = frozenset({"index", "reasoning_opaque", "images", "audio", "annotations", "executed_tools"})
_KEYS = _STREAMED_KEYS | _OTHER_KEYS | {*PIECES_KEYS}
_READ_KEYS = _KEYS - {"role", "index"}
_PART_KEYS = frozenset(
    {"type", "text", "refusal", "thinking", "reasoning", "summary", "data", "signature", "annotations"}
)

_CALL_PART_KEYS = frozenset({"type", "name", "input"})

# Parts of content that is a list, and the key of their text.
_TEXT_PARTS = {"text": "text", "output_text": "text", "refusal": "refusal"}
_REASONING_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking"})
_IMAGE_PARTS = frozenset({"image_url", "image", "output_image"})


class CompletionsDeltas(CompletionsBlocks):
    """Reads deltas: in each reasoning comes first, then text, other content and tool calls."""

    def _read_delta(self, delta: Payload) -> None:
        has_more = not delta.keys() <= _STREAMED_KEYS
        call_pieces = self._read_reasoning(delta, has_more)
        if content := delta.get("content"):
            if not isinstance(content, str):
                for part in elements(content):
                    self._read_part(unwrapped(part))
            elif has_more and is_thought(delta):
                self._write(ThinkingContent, "content", content)
            else:
                self._write(TextContent, "content", content)
        if refusal := delta.get("refusal"):
            self._write(TextContent, "refusal", expect_text(refusal, "delta.refusal"))
        if has_more:
            self._read_more(delta)
        for entry in elements(delta.get("tool_calls")):
            self._has_tool_calls = True
            self._read_call(expect_object(entry, "delta.tool_calls[]"))
        if (function := delta.get("function_call")) and not self._has_tool_calls:
            self._read_call({"function": expect_object(function, "delta.function_call")})
        for call_id, key, piece in call_pieces:
            self._sign_call(self._calls.by_id.get(call_id), key, piece)
        if has_more:
            self._read_details(delta)

    def _delta_shape(self, payload: Payload, delta: Payload) -> ChunkShape | None:
        """Return the shape of a chunk, if nothing in its delta but one text would change the message once more."""
        texts = [key for key, value in delta.items() if value and key in _READ_KEYS]
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

    def _read_more(self, delta: Payload) -> None:
        """Read what few deltas have."""
        if annotations := delta.get("annotations"):
            self._cite_latest(annotations)
        for image in elements(delta.get("images")):
            self._read_image(image)
        if audio := object_or_empty(delta.get("audio")):
            self._read_audio(audio)
        for tool in elements(delta.get("executed_tools")):
            if isinstance(tool, OBJECT):  # each report of a tool repeats the one before
                index = index_or_none(tool.get("index"))
                key = len(self._executed_tools) if index is None else index
                self._executed_tools.setdefault(key, Details()).merge(tool)

    def _read_details(self, delta: Payload) -> None:
        latest = self._delta_details
        details = {key: delta[key] for key in delta if key not in _KEYS and delta[key] not in (None, latest.get(key))}
        if not details:
            return
        latest |= details
        self._latest_details().append(details)
        if (signature := signature_of(delta)) and (block := self._latest_block()):
            self._sign(block, signature)

    # Content

    def _read_part(self, part: Any) -> None:
        """Read a part of content that is a list: Mistral, Databricks, and gateways to other formats."""
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
                self._sign(self._current, signature)
        elif kind in _REASONING_PARTS:
            if others := [each for each in array_or_empty(part.get("thinking")) if not reasoning_text(each)]:
                details["thinking"] = others
            self._read_piece(part, "content", details)
        elif kind in _IMAGE_PARTS:
            self._read_image(part)
        elif kind == "tool_use":  # Claude's
            function = {"name": part.get("name"), "arguments": part.get("input")}
            self._read_call({"function": function, **{key: part[key] for key in part if key not in _CALL_PART_KEYS}})
        else:
            self._end_current()
            self._add_unknown(part)

    # Reasoning

    def _read_reasoning(self, delta: Payload, has_more: bool) -> list[tuple[str, str, Payload]]:
        """Read the reasoning of a delta. Return the pieces that belong to tool calls, with their ids and keys.

        Text that is both in a field and in pieces is read from the pieces, which have signatures too.
        """
        field = next((key for key in REASONING_KEYS if delta.get(key) and reasoning_text(delta[key])), None)
        text = reasoning_text(delta[field]) if field else ""
        self._has_reasoning_field = self._has_reasoning_field or field is not None
        if not has_more:
            if field:
                self._write(ThinkingContent, field, text)
            return []
        call_pieces: list[tuple[str, str, Payload]] = []
        pieces = [(key, piece) for key in PIECES_KEYS for piece in pieces_of(delta, key)]
        first = pieces[0][0] if pieces else ""
        whole = "".join(reasoning_text(piece) for key, piece in pieces if key == first)
        is_copy = whole == text if field else not self._has_reasoning_field
        if field and not is_copy:
            self._write(ThinkingContent, field, text)
        call_ids = {text_or_none(object_or_empty(entry).get("id")) for entry in elements(delta.get("tool_calls"))}
        for key, piece in pieces:
            id = text_or_none(piece.get("id"))
            if id and (id in call_ids or id in self._calls.by_id):
                call_pieces.append((id, key, piece))
            else:
                self._read_piece(piece, field or key, {key: [piece]}, has_text=is_copy and key == first)
        if opaque := text_or_none(delta.get("reasoning_opaque")):  # Copilot
            self._read_piece({"data": opaque}, "reasoning_opaque", {"reasoning_opaque": opaque})
        return call_pieces

    def _read_piece(self, piece: Payload, source: str, details: Mapping[str, Any], *, has_text: bool = True) -> None:
        """Read a piece of reasoning: text, its signature, or data that only the provider can read."""
        if has_text:
            self._write(ThinkingContent, source, reasoning_text(piece))
        block = self._current
        if block is not None and block.kind is not ThinkingContent:
            block = None
        data = text_or_none(piece.get("data"))
        if data and (block is None or block.signature or piece.get("type") == "redacted_thinking"):
            block = self._begin(ThinkingContent, source)
            self._builder.update_block(block.index, thinking_signature=data, redacted=True)
            self._signatures.add(data)
            block.details.append(details)
            self._end_current()
            return
        if signature := data or signature_of(piece):
            block = block or self._begin(ThinkingContent, source)
            self._sign(block, signature)
        (self._details if block is None else block.details).append(details)

    def _sign_call(self, call: Call | None, key: str, piece: Payload) -> None:
        if call is None:
            self._details.append({key: [piece]})
            return
        call.block.details.append({key: [piece]})
        if signature := text_or_none(piece.get("data")) or signature_of(piece):
            self._sign(call.block, signature)

    # Tool calls

    def _read_call(self, entry: Payload) -> None:
        fragment = self._calls.named(read_fragment(entry))
        call = self._calls.find(fragment)
        is_new = call is None
        if call is None:
            if fragment.is_empty:
                return
            if fragment.is_other:
                self._read_other_call(fragment, entry)
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
        if fragment.details:
            call.block.details.merge(fragment.details)
            if signature := signature_of(fragment.details):
                self._sign(call.block, signature)

    def _update_call(self, call: Call, fragment: Fragment) -> None:
        """Note what comes late: an id, a name or the rest of one, the kind of the tool."""
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
        call.is_custom = True
        self._custom_calls[call.block.index] = call

    def _read_other_call(self, fragment: Fragment, entry: Payload) -> None:
        key = fragment.id or fragment.key
        unknown = self._unknown.get(key)
        if unknown is None:
            self._end_current()
            self._add_unknown(entry, key)
        else:
            unknown.data.append(entry)
