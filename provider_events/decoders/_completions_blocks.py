# SPDX-License-Identifier: MIT
"""The blocks of a chat completion. Nothing in its deltas marks their starts and ends: a change of field does."""

from __future__ import annotations

import re
from typing import Any

from .._grammar import BlockKind
from .._json import OBJECT
from ..messages import TextContent, ThinkingContent
from ._blocks import OpenBlock, OpenUnknown
from ._bytes import joined_base64
from ._completions_calls import CUSTOM_END, CUSTOM_START, Call, Calls
from ._completions_parts import elements, image_of, part_signature, unwrapped
from ._decoder import Decoder
from ._details import Details, frozen_or_text
from ._payload import Payload, index_or_none, object_or_empty

_IMAGE_KEYS = frozenset({"type", "index", "image_url", "url", "image", "source", "b64_json", "mime_type"})
"""What of an image does not go into `provider_details`."""


class CompletionsBlocks(Decoder):
    """The part of the decoder that begins blocks, appends to them and ends them. `CompletionsDeltas` calls it.

    At most one block of text or thinking is open at a time; tool calls stay open to the end of the message.
    """

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._current: OpenBlock | None = None  # the open block of text or thinking
        self._source = ""  # the field that its text comes from
        self._delta_details: dict[Any, Any] = {}  # of the latest delta of a block: some repeat them in every delta
        self._calls = Calls()
        self._custom_calls: dict[int, Call] = {}  # by content index
        self._executed_tools: dict[int, Details] = {}  # by index
        self._annotations: list[Any] = []  # those that came before their text
        self._cited: set[Any] = set()  # the annotations of the open text: some servers repeat them in every delta
        self._read_once: set[str] = set()  # fields that are not read again from a whole message after deltas
        self._image_data: set[str] = set()  # of all images so far
        self._signatures: set[str] = set()  # all so far

    def _write(self, kind: BlockKind, source: str, text: str) -> None:
        """Append text to the open block, or to a new one: if kind or field differ, or if the open one is signed."""
        if not text:
            return
        block = self._current
        if block is None or block.kind is not kind or self._source != source or block.signature:
            if block is not None and block.kind is not kind and self._source == source:
                text = text.removeprefix("</thought>")  # Gemini has it between thoughts and text in `content`
            block = self._begin(kind, source)
        self._append(block, text)

    def _begin(self, kind: BlockKind, source: str) -> OpenBlock:
        """Begin a block of text or thinking whose text comes from the field `source`."""
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
        """End the open block of text or thinking, if there is one."""
        if self._current is not None:
            if self._current.kind is TextContent:
                self._cited.clear()
            self._end_block(self._current)
            self._current = None

    def _cite_latest(self, annotations: Any) -> None:
        """Add annotations to the open text, or keep them for the next one."""
        block = self._current
        for annotation in map(frozen_or_text, elements(annotations)):
            self._read_once.add("annotations")
            if annotation in self._cited:
                continue
            self._cited.add(annotation)
            if block is not None and block.kind is TextContent:
                self._cite(block, annotation)
            else:
                self._annotations.append(annotation)

    def _latest_block(self) -> OpenBlock | None:
        """Return the open block of text or thinking, or else the latest tool call."""
        return self._current or (self._calls.latest.block if self._calls.latest else None)

    def _latest_details(self) -> Details:
        """Return the details of the latest block, or those of the message if there is none."""
        block = self._latest_block()
        return self._details if block is None else block.details

    def _has_new_signature(self, part: Payload) -> bool:
        """Return whether a part of reasoning has a signature that has not come yet."""
        signature = part_signature(part)
        return signature is not None and signature not in self._signatures

    def _add_signature(self, block: OpenBlock, signature: str) -> None:
        """Add a signature to a block, unless it has it: several fields may have the same one."""
        # The set spares a search of the list, which grows when a signature comes in many deltas.
        if signature not in self._signatures or signature not in block.signature:
            block.signature.append(signature)
            self._signatures.add(signature)

    def _end_block(self, block: OpenBlock) -> None:
        """End a block; of a custom tool call, complete the JSON around its input first."""
        if (call := self._custom_calls.pop(block.index, None)) is not None:
            self._append(block, CUSTOM_END if call.length else CUSTOM_START + CUSTOM_END)
        super()._end_block(block)

    # Images, audio, tools that the server has run

    def _read_image(self, part: Any) -> None:
        """Take in an image. One without data, such as an address, is unknown content."""
        part = unwrapped(part)
        if not isinstance(part, OBJECT):
            part = {"type": "image_url", "image_url": part}
        found = image_of(part)
        if found is None:
            self._end_current()
            self._add_unknown(part)
        elif found[0] not in self._image_data:  # the whole message repeats it
            self._image_data.add(found[0])
            self._end_current()
            members = {**object_or_empty(part.get("image_url")), **part}
            details = {key: members[key] for key in members if key not in _IMAGE_KEYS and members[key] is not None}
            self._add_image(*found, details)

    def _read_audio(self, audio: Payload) -> None:
        """Take in a delta of audio, its data and its transcript: they are unknown content."""
        self._read_once.add("audio")
        unknown = self._unknown.get("audio")
        if unknown is None:
            self._end_current()
            self._add_unknown({"type": "audio", "audio": audio}, "audio")
        else:
            unknown.data.append({"audio": audio})

    def _read_executed_tool(self, tool: Any) -> None:
        """Take in a report of a tool (Groq); the next one of the same tool repeats it and has more."""
        if isinstance(tool, OBJECT):
            index = index_or_none(tool.get("index"))
            key = len(self._executed_tools) if index is None else index
            self._executed_tools.setdefault(key, Details()).merge(tool)

    def _refresh(self, unknown: OpenUnknown) -> None:
        data = unknown.data.value()
        audio: Any = data.get("audio")
        if data.get("type") == "audio" and isinstance(audio, OBJECT) and isinstance(audio.get("data"), str):
            audio["data"] = joined_base64(re.findall("[^=]+=*", audio["data"]))  # the deltas may be padded each
        self._builder.update_block(unknown.index, data=self._frozen(data))

    def _flush_pending(self) -> None:
        super()._flush_pending()
        if self._executed_tools:
            self._details.merge({"executed_tools": [tool.value() for tool in self._executed_tools.values()]})
        if self._annotations:
            self._details.append({"annotations": self._annotations})
