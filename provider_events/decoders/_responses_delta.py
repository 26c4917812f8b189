# SPDX-License-Identifier: MIT
"""The events of text in a Responses stream: deltas, the whole text of a part, parts themselves, annotations."""

from __future__ import annotations

from typing import Any, TypeAlias

from .._json import OBJECT
from ..messages import TextContent, ToolCall
from ._blocks import OpenBlock
from ._payload import Payload, expect_text, object_or_empty, text_or_empty, to_json
from ._responses_blocks import TEXT_KEYS, ResponsesBlocks, position
from ._responses_item_text import ItemText, Source
from ._responses_items import ITEM_TYPES, SEPARATORS, SOURCE_KINDS, Item, part_source, part_text

__all__ = ["ResponsesDeltas"]

# The keys of a whole text, one for each kind of event.
_WHOLE_KEYS = ("text", "refusal", "arguments", "input")

# A delta but for its new text, and where this went; the next delta of this shape goes there too. A plain tuple is
# the fastest to unpack.
_DeltaShape: TypeAlias = tuple[
    Any,  # its `type`
    Any,  # `item_id`
    Any,  # `output_index`
    str,  # the key of the part's index
    Any,  # the part's index
    Any,  # its `logprobs`: none, or an empty array
    int,  # the number of its members without padding and sequence number, which not every delta has
    ItemText,
    OpenBlock,
]


class ResponsesDeltas(ResponsesBlocks):
    """Reads the events of text, for `OpenAIResponsesDecoder`, and has `ResponsesBlocks` append what is new in them.

    The text of a part comes as deltas, then as a whole in one or two events, whose item and part are not always those
    of the deltas. Servers leave out any of these events.
    """

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._shape: _DeltaShape | None = None  # of the latest event, if the next one may be read by it

    def _read(self, payload: Payload) -> None:
        """Take in an event. Most are deltas of the same shape as the one before: this is written for speed."""
        if (shape := self._shape) is not None:
            get = payload.get
            kind, id, index, part_key, part, logprobs, size, item_text, block = shape
            text = get("delta")
            if (
                get("type") == kind
                and get("item_id") == id
                and get("output_index") == index
                and get(part_key) == part
                and get("logprobs") == logprobs
                and len(payload) == size + ("obfuscation" in payload) + ("sequence_number" in payload)
                and type(text) is str
            ):
                item_text.deltas.append(text)
                if text and (new := block.take(text)):
                    self._events.append(block.emit(new, block.index))
                return
            self._shape = None
        self._read_event(payload)

    def _read_event(self, payload: Payload) -> None:
        """Take in an event that `_read` has not, of any kind."""
        raise NotImplementedError

    def _read_delta(self, payload: Payload, source: Source, part_key: str) -> None:
        """Take in new text. An empty delta begins no block."""
        text = _delta_text(payload)
        if not text and payload.keys() <= TEXT_KEYS:
            return
        item_text = self._find_item_text(payload, source, part_key)
        if item_text is None or item_text.block is None:
            return
        self._write(item_text, text)
        if not payload.keys() <= TEXT_KEYS or payload.get("logprobs"):
            item_text.block.details.append(payload, without=TEXT_KEYS - {"logprobs"})
            item_text.has_logprobs = bool(payload.get("logprobs")) or item_text.has_logprobs
        elif item_text.source != "input":
            values = [payload.get(key) for key in ("type", "item_id", "output_index", part_key, "logprobs")]
            size = 1 + len(values) - values.count(None)
            if len(payload) == size + ("obfuscation" in payload) + ("sequence_number" in payload):
                kind, id, index, part, logprobs = values
                block = item_text.block
                self._shape = kind, id, index, part_key, part, logprobs, size, item_text, block

    def _find_item_text(self, payload: Payload, source: Source, part: str) -> ItemText | None:
        """Return the text that a delta continues, with its block open; None if the delta has been taken in already."""
        item = self._find_item(payload, source)
        if item is None:
            self._read_other(payload, str(payload.get("type")))
            return None
        source = item.actual_source(source)
        item_text = item.text_for(source)
        if item_text is None:
            item.other_reasoning.setdefault(source, []).append(_delta_text(payload))
            return None
        if item.is_done and item.kind is ToolCall:
            return None  # its arguments are complete
        self._open_block(item, item_text)
        if item_text.move_to(payload.get(part)):
            self._begin_part(item, item_text)
        return item_text

    def _find_item(self, payload: Payload, source: Source) -> Item | None:
        """Return the item that an event of text belongs to, perhaps a new one; None if it fits nowhere."""
        id, index = position(payload)
        kind = SOURCE_KINDS[source]
        found = self._items.find_for_text(kind, id, index)
        if found is not None:
            return found
        if kind is ToolCall and not payload.get("name"):
            other = self._items.find_for_event(id, index)
            if (id is None and index is None) or (other is not None and id in (None, other.id)):
                return None  # arguments of no known call, and without the name of a new one
        item = Item({"type": ITEM_TYPES[source], "id": payload.get("item_id")}, index)
        item.identify_call(payload)
        self._items.add(item)
        return item

    def _read_whole(self, payload: Payload, source: Source, part: str, key: str) -> None:
        """Take in an event with the whole text of a part."""
        value = payload.get(key)
        whole = to_json(value) if isinstance(value, OBJECT) else text_or_empty(value)
        item_text = self._read_part_text(payload, source, part, whole)
        if item_text is not None and item_text.block is not None:
            self._add_logprobs(item_text, item_text.block, payload)
            if not payload.keys() <= TEXT_KEYS:
                item_text.block.details.merge(payload, without=TEXT_KEYS)

    def _read_part(self, payload: Payload, key: str, *, is_done: bool) -> None:
        """Take in an event with a part: it has begun or is done."""
        part = object_or_empty(payload.get("part"))
        source = "summary" if key == "summary_index" else part_source(part)
        if source is None:
            self._read_other(payload, str(payload.get("type")))
        elif is_done:
            item_text = self._read_part_text(payload, source, key, part_text(part))
            if item_text is not None and item_text.block is not None:
                self._add_part_details(item_text, item_text.block, part)
        else:
            self._read_part_added(payload, source, part)

    def _read_part_added(self, payload: Payload, source: Source, part: Payload) -> None:
        """Take in a part that has begun. If it has text, this counts unless other text comes."""
        item = self._items.find_for_text(SOURCE_KINDS[source], *position(payload))
        if item is None and part_text(part):
            item = self._find_item(payload, source)
        if item is None:
            return
        if part_text(part):
            item.add_part(part, "summary" if source == "summary" else "content")
        if source == "summary" and (item_text := item.text_for(source)) is not None:
            item_text.expect_part()

    def _read_part_text(self, payload: Payload, source: Source, key: str, whole: str) -> ItemText | None:
        """Append what the whole text of a part has beyond the deltas; return the text of the item that it is in."""
        kind = SOURCE_KINDS[source]
        item = self._items.find_for_text(kind, *position(payload))
        if item is None and (not whole or (not payload.get("name") and self._items.has_text(kind, whole))):
            return None  # nothing, or a repetition under another id
        item = item or self._find_item(payload, source)
        if item is None:
            self._read_other(payload, str(payload.get("type")))
            return None
        if item.kind is ToolCall:
            item.identify_call(payload)
        source = item.actual_source(source)
        item_text = item.text_for(source)
        if item_text is None:
            item.other_reasoning.setdefault(source, [whole])
            return None
        if item.is_done and item.kind is ToolCall:
            return None
        is_new, rest = item_text.compare(payload.get(key), whole)
        if (is_new or item_text.part is None or not item_text.has_text) and item_text.move_to(payload.get(key)):
            self._begin_part(item, item_text)
        self._append_to(item, item_text, rest)
        item_text.is_part_done = True
        return item_text

    def _begin_part(self, item: Item, item_text: ItemText) -> None:
        """Separate the current part from the text of the part before."""
        self._append_to(item, item_text, SEPARATORS[item_text.source])
        item_text.begin_part()

    def _read_annotation(self, payload: Payload) -> None:
        item = self._items.find_for_text(TextContent, *position(payload))
        item_text = item.text_for(item.actual_source("text")) if item is not None else None
        if item_text is not None and item_text.block is not None:
            self._cite(item_text.block, payload.get("annotation"))
        else:
            self._late.append({"id": payload.get("item_id"), "annotations": [payload.get("annotation")]})


def _delta_text(payload: Payload) -> str:
    """Return the new text of a delta."""
    value = payload.get("delta")
    if value is None:  # some servers have it where the whole text would be
        value = next((payload[key] for key in _WHOLE_KEYS if payload.get(key)), None)
    if value is not None and isinstance(value, OBJECT):  # a part, as in an early draft of the format
        return expect_text(value.get("text"), "delta.text")
    return expect_text(value, "delta")
