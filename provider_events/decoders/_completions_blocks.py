# SPDX-License-Identifier: MIT
"""The blocks of a chat completion. Its deltas have no events for where one begins or ends: their fields tell."""

from __future__ import annotations

import re
from typing import Any

from .._grammar import BlockKind
from .._json import OBJECT
from ..messages import TextContent, ThinkingContent
from ._blocks import OpenBlock, OpenUnknown
from ._bytes import joined_base64
from ._completions_calls import CUSTOM_END, CUSTOM_START, Call, Calls
from ._completions_parts import elements, image_of, signature_of, unwrapped
from ._decoder import Decoder
from ._details import Details, frozen_or_text
from ._payload import Payload, object_or_empty, text_or_none

_IMAGE_KEYS = frozenset({"type", "index", "image_url", "url", "image", "source", "b64_json", "mime_type"})
"""What of a picture does not go into `provider_details`."""


class CompletionsBlocks(Decoder):
    """Begins and ends blocks. One of text or reasoning is open at a time; tool calls stay open to the end."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._current: OpenBlock | None = None  # the open block of text or reasoning
        self._source = ""  # the field that its text comes from
        self._calls = Calls()
        self._custom_calls: dict[int, Call] = {}  # by content index
        self._executed_tools: dict[int, Details] = {}  # by index
        self._annotations: list[Any] = []  # that came before their text
        self._cited: set[Any] = set()  # the annotations of the open text: some servers repeat them in every delta
        self._once: set[str] = set()  # fields that are not read again from a whole message
        self._images: set[str] = set()
        self._signatures: set[str] = set()
        self._has_tool_calls = False
        self._has_reasoning_field = False
        self._delta_details: dict[Any, Any] = {}  # the latest ones; some are in every delta of a block, as a channel is

    def _write(self, kind: BlockKind, source: str, text: str) -> None:
        """Append to the open block if its text comes from this field; any other ends, and one with a signature does."""
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
            if self._current.kind is TextContent:
                self._cited.clear()
            self._end_block(self._current)
            self._current = None

    def _cite_latest(self, annotations: Any) -> None:
        block = self._current
        for annotation in map(frozen_or_text, elements(annotations)):
            self._once.add("annotations")
            if annotation in self._cited:
                continue
            self._cited.add(annotation)
            if block is not None and block.kind is TextContent:
                self._cite(block, annotation)
            else:
                self._annotations.append(annotation)

    def _latest_block(self) -> OpenBlock | None:
        """Return the open block that the latest content went to."""
        return self._current or (self._calls.latest.block if self._calls.latest else None)

    def _latest_details(self) -> Details:
        block = self._latest_block()
        return self._details if block is None else block.details

    def _has_known_signature(self, piece: Payload) -> bool | None:
        """Return whether a delta had the signature of a piece, None if it has none."""
        signature = text_or_none(piece.get("data")) or signature_of(piece)
        return signature in self._signatures if signature else None

    def _sign(self, block: OpenBlock, signature: str) -> None:
        if signature not in self._signatures or signature not in block.signature:  # it may be in several fields
            block.signature.append(signature)
            self._signatures.add(signature)

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
            members = {**object_or_empty(part.get("image_url")), **part}
            details = {key: members[key] for key in members if key not in _IMAGE_KEYS and members[key] is not None}
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
        audio: Any = data.get("audio")
        if data.get("type") == "audio" and isinstance(audio, OBJECT) and isinstance(audio.get("data"), str):
            audio["data"] = joined_base64(re.findall("[^=]+=*", audio["data"]))
        self._builder.update_block(unknown.index, data=self._frozen(data))

    def _flush_pending(self) -> None:
        for unknown in self._unknown.values():
            self._refresh(unknown)
        if self._executed_tools:
            self._details.merge({"executed_tools": [tool.value() for tool in self._executed_tools.values()]})
        if self._annotations:
            self._details.append({"annotations": self._annotations})
