# SPDX-License-Identifier: MIT
"""The delta of a chat completion, or its whole message, which has the same fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._grammar import BlockKind
from .._json import OBJECT
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock
from ._bytes import joined_base64
from ._completions_calls import CUSTOM_END, CUSTOM_START, Call, Calls, Fragment, read_fragment
from ._completions_parts import (
    PIECES_KEYS,
    REASONING_KEYS,
    elements,
    image_of,
    is_thought,
    pieces_of,
    reasoning_text,
    signature_of,
    unwrapped,
)
from ._completions_shape import CallChunkShape, ChunkShape
from ._decoder import Decoder, OpenUnknown
from ._details import Details
from ._payload import Payload, array_or_empty, expect_object, expect_text, text_or_none

# What does not go into `provider_details`: it has a field of its own, or it carries nothing (`index`, `role`).
_STREAMED_KEYS = frozenset({*REASONING_KEYS, "role", "content", "refusal", "tool_calls", "function_call"})
_KEYS = _STREAMED_KEYS | {*PIECES_KEYS, "index", "reasoning_opaque", "images", "audio", "annotations", "executed_tools"}
_READ_KEYS = _KEYS - {"role", "index"}
_PART_KEYS = frozenset({"type", "text", "refusal", "thinking", "reasoning", "summary", "data", "signature", "annotations"})
_IMAGE_KEYS = frozenset({"type", "index", "image_url", "image", "source", "b64_json", "mime_type"})

# Parts of content that is a list, and the key of their text.
_TEXT_PARTS = {"text": "text", "output_text": "text", "refusal": "refusal"}
_REASONING_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking"})
_IMAGE_PARTS = frozenset({"image_url", "image", "output_image"})


class CompletionsDeltaDecoder(Decoder):
    """Reads deltas. One block of text or reasoning is open at a time; tool calls stay open to the end."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._current: OpenBlock | None = None  # the open block of text or reasoning
        self._source = ""  # the field that its text comes from
        self._calls = Calls()
        self._custom_calls: dict[int, Call] = {}  # by content index
        self._executed_tools: dict[object, Details] = {}  # by index
        self._annotations: list[Any] = []  # that came before their text
        self._once: set[str] = set()  # fields that are not read again from a whole message
        self._images: set[str] = set()
        self._signatures: set[str] = set()
        self._has_tool_calls = False
        self._has_reasoning_field = False
        self._delta_details: dict[Any, Any] = {}  # those of the latest delta that had any

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
            self._read_call({"index": 0, "function": expect_object(function, "delta.function_call")})
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
        call = self._calls.latest
        if key != "tool_calls" or call is None or call.is_custom or not isinstance(delta[key], list) or len(delta[key]) != 1:
            return None
        function = delta[key][0].get("function")
        if not isinstance(function, dict) or function.get("name") or not isinstance(function.get("arguments"), str):
            return None
        return CallChunkShape(payload, call.block)

    def _read_more(self, delta: Payload) -> None:
        """Read what few deltas have."""
        self._cite_latest(delta.get("annotations"))
        for image in elements(delta.get("images")):
            self._read_image(image)
        if isinstance(audio := delta.get("audio"), OBJECT):
            self._read_audio(audio)
        for tool in elements(delta.get("executed_tools")):
            if isinstance(tool, OBJECT):  # each report of a tool repeats the one before
                self._executed_tools.setdefault(tool.get("index"), Details()).merge(tool)

    def _read_details(self, delta: Payload) -> None:
        details = {key: delta[key] for key in delta if key not in _KEYS and delta[key] is not None}
        if not details or details == self._delta_details:
            return  # in every delta of a block, such as the channel
        self._delta_details = details
        self._latest_details().append(details)
        if (signature := signature_of(delta)) and (block := self._latest_block()):
            self._sign(block, signature)

    def _latest_block(self) -> OpenBlock | None:
        """Return the open block that the latest content went to."""
        return self._current or (self._calls.latest.block if self._calls.latest else None)

    def _latest_details(self) -> Details:
        block = self._latest_block()
        return self._details if block is None else block.details

    # Text and reasoning

    def _write(self, kind: BlockKind, source: str, text: str) -> None:
        """Append to the open block whose text comes from this field; another one ends, and so does one with a signature."""
        if not text:
            return
        block = self._current
        if block is None or block.kind is not kind or self._source != source or block.signature:
            if block is not None and block.kind is not kind and self._source == source:
                text = text.removeprefix("</thought>")  # Gemini's mark between flagged reasoning and text
            block = self._begin(kind, source)
        self._append(block, text)

    def _begin(self, kind: BlockKind, source: str) -> OpenBlock:
        self._end_current()
        block = self._start_block(kind)
        self._current, self._source, self._delta_details = block, source, {}
        if kind is ThinkingContent:
            block.details.merge({"reasoning_field": source})
        else:
            self._cite(block, *self._annotations)
            self._annotations.clear()
            if source == "refusal":
                block.details.merge({"type": "refusal"})
        return block

    def _end_current(self) -> None:
        if self._current is not None:
            self._end_block(self._current)
            self._current = None

    def _cite_latest(self, annotations: Any) -> None:
        block = self._current
        for annotation in elements(annotations):
            self._once.add("annotations")
            if block is not None and block.kind is TextContent:
                self._cite(block, annotation)
            else:
                self._annotations.append(annotation)

    def _read_part(self, part: Any) -> None:
        """Read a part of content that is a list: Mistral, Databricks, and gateways to other formats."""
        if isinstance(part, str):
            self._write(TextContent, "content", part)
            return
        part = expect_object(part, "delta.content[]")
        kind = part.get("type")
        if kind in _TEXT_PARTS:
            key = _TEXT_PARTS[kind]
            text = expect_text(part.get(key), f"delta.content[].{key}")
            self._write(TextContent, "refusal" if key == "refusal" else "content", text)
            self._cite_latest(part.get("annotations"))
            if self._current is not None and (signature := signature_of(part)):
                self._sign(self._current, signature)
        elif kind in _REASONING_PARTS:
            self._read_piece(part, "content", {})
        elif kind in _IMAGE_PARTS:
            self._read_image(part)
            return
        else:
            self._end_current()
            self._add_unknown(part)
            return
        if self._current is not None and not part.keys() <= _PART_KEYS:
            self._current.details.merge(part, without=_PART_KEYS)

    # Reasoning

    def _read_reasoning(self, delta: Payload, has_more: bool) -> list[tuple[str, str, Payload]]:
        """Read the reasoning of a delta. Return the pieces that belong to tool calls, with their ids and keys.

        Text that is both in a field and in pieces is read from the pieces, which have signatures too.
        """
        field = next((key for key in REASONING_KEYS if delta.get(key) and isinstance(delta[key], str)), None)
        text: str = delta[field] if field else ""
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
        call_ids = {entry.get("id") for entry in elements(delta.get("tool_calls")) if isinstance(entry, OBJECT)}
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
        block = self._current if self._current and self._current.kind is ThinkingContent else None
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

    def _is_new(self, piece: Payload) -> bool:
        """Return whether a piece of a whole message has a signature that no delta had."""
        signature = text_or_none(piece.get("data")) or signature_of(piece)
        return signature not in self._signatures if signature else not self.partial.thinking

    def _sign(self, block: OpenBlock, signature: str) -> None:
        if signature not in block.signature:  # the same may be in several fields
            block.signature.append(signature)
            self._signatures.add(signature)

    def _sign_call(self, call: Call | None, key: str, piece: Payload) -> None:
        if call is None:
            self._details.append({key: [piece]})
            return
        call.block.details.append({key: [piece]})
        if signature := text_or_none(piece.get("data")) or signature_of(piece):
            self._sign(call.block, signature)

    # Tool calls

    def _read_call(self, entry: Payload) -> None:
        fragment = read_fragment(entry)
        call = self._calls.find(fragment)
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
            if call.is_custom:
                self._custom_calls[block.index] = call
        else:
            self._update_call(call, fragment)
        self._calls.add(call, fragment)
        if fragment.details:
            call.block.details.merge(fragment.details)
            if signature := signature_of(fragment.details):
                self._sign(call.block, signature)
        self._append(call.block, call.new_text(fragment))

    def _update_call(self, call: Call, fragment: Fragment) -> None:
        """Note an id or a name that comes late, or the rest of a name."""
        if fragment.id and not call.id and not self._builder.has_call_id(fragment.id):
            call.id = fragment.id
            self._builder.update_block(call.block.index, id=fragment.id)
        if fragment.name and fragment.name != call.name:
            call.name = fragment.name if not call.name or fragment.name.startswith(call.name) else call.name + fragment.name
            self._builder.update_block(call.block.index, name=call.name)

    def _read_other_call(self, fragment: Fragment, entry: Payload) -> None:
        key = fragment.id or fragment.key
        unknown = self._unknown.get(key)
        if unknown is None:
            self._end_current()
            self._add_unknown(entry, key)
        else:
            unknown.data.append(entry)

    def _end_block(self, block: OpenBlock) -> None:
        if (call := self._custom_calls.pop(block.index, None)) is not None:
            self._append(block, CUSTOM_END if call.length else CUSTOM_START + CUSTOM_END)
        super()._end_block(block)

    # Blocks of other kinds

    def _read_image(self, part: Any) -> None:
        part = unwrapped(part)
        if not isinstance(part, OBJECT):
            part = {"type": "image_url", "image_url": part}
        found = image_of(part)
        if found is None:
            self._end_current()
            self._add_unknown(part)
        elif found[0] not in self._images:  # the whole message repeats it
            self._images.add(found[0])
            self._end_current()
            details = {key: part[key] for key in part if key not in _IMAGE_KEYS and part[key] is not None}
            self._add_image(*found, details)

    def _read_audio(self, audio: Payload) -> None:
        """Read audio: its data and its transcript come in deltas."""
        self._once.add("audio")
        unknown = self._unknown.get("audio")
        if unknown is None:
            self._end_current()
            self._add_unknown({"type": "audio", "audio": audio}, "audio")
        else:
            unknown.data.append({"audio": audio})

    def _refresh(self, unknown: OpenUnknown) -> None:
        data = unknown.data.value()
        audio = data.get("audio")
        if isinstance(audio, dict) and isinstance(text := audio.get("data"), str):
            audio["data"] = joined_base64(re.findall("[^=]+=*", text))
        self._builder.update_block(unknown.index, data=self._frozen(data))

    def _flush_pending(self) -> None:
        for unknown in self._unknown.values():
            self._refresh(unknown)
        if self._executed_tools:
            self._details.merge({"executed_tools": [tool.value() for tool in self._executed_tools.values()]})
        if self._annotations:
            self._details.append({"annotations": self._annotations})
