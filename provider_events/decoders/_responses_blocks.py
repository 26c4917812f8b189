# SPDX-License-Identifier: MIT
"""The blocks of a Responses stream: how output items become content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..messages import TextContent, ThinkingContent, ToolCall, UnknownContent
from ._blocks import OpenBlock, OpenUnknown
from ._decoder import Decoder
from ._details import whole_characters
from ._payload import Payload, array_or_empty, index_or_none, object_or_empty, text_or_none
from ._responses_item_text import ItemText, Source
from ._responses_items import ITEM_KEYS, SEPARATORS, Item, parts
from ._responses_matching import Items
from ._responses_unknown import UnknownItem

__all__ = ["ResponsesBlocks", "TEXT_KEYS", "EVENT_KEYS", "position"]

# What does not go into `provider_details`. Of any event: where it belongs, and what carries nothing.
EVENT_KEYS = frozenset(
    {"type", "sequence_number", "event_id", "obfuscation", "item_id", "output_index", "content_index", "summary_index"}
    | {"annotation_index", "command_index", "partial_image_index"}
    | {"snapshot"}  # added by OpenAI's SDK: the text so far
)
# Of an event of text: its text, and what has a field or is kept separately.
TEXT_KEYS = EVENT_KEYS.union(
    ("delta", "text", "refusal", "arguments", "input", "name", "call_id", "logprobs", "part", "parsed")
)
# Of a part, likewise.
_PART_KEYS = frozenset({"type", "text", "refusal", "annotations", "logprobs", "parsed"})

_LATE_PART_KEYS = frozenset({"annotations", "logprobs"})  # what a part may still bring when its block has ended

_INPUT_START, _INPUT_END = '{"input": "', '"}'
"""What is around the input of a custom tool call, which is text, to make it the arguments `{"input": text}`."""

# `type` in the details of a block, by the source of its text; blocks of the usual sources have none.
_BLOCK_TYPES = {"refusal": "refusal", "reasoning": "reasoning_text", "input": "custom_tool_call"}
# The key of a reasoning item that has the parts of a source.
_REASONING_KEYS: dict[Source, str] = {"summary": "summary", "reasoning": "content"}


class ResponsesBlocks(Decoder):
    """Reads output items, for `ResponsesDeltas` and `OpenAIResponsesDecoder`, and begins and ends their blocks.

    A message, a reasoning item or a call has one block, and a message one more for a refusal; any other item is an
    unknown block that grows. An item comes up to four times: when it is added, as deltas, when it is done, and in the
    final response. Each time what is new is appended.
    """

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._items = Items()
        self._owners: dict[int, tuple[Item, ItemText]] = {}  # of each open block, by content index
        self._stand_ins: dict[str, Item] = {}  # for deltas that belong to no known item, by the event's type
        self._late: list[dict[str, Any]] = []  # what came for items whose blocks had ended

    # Items

    def _read_item_added(self, given: Payload, index: int | None) -> None:
        if not given:
            return
        item = self._items.find_repeated(given, index)
        if item is None:
            self._begin_item(Item(given, index))
        else:
            item.update(given)
            self._items.register(item)
            if item.unknown is not None:
                item.unknown.data.merge(given)

    def _begin_item(self, item: Item) -> None:
        """Add a new item, with its block."""
        self._items.add(item)
        if item.kind is None:
            self._start()
            index = self._builder.add_block(UnknownContent(self._frozen(item.first_given)))
            item.unknown = UnknownItem(index, item.first_given)
        elif (item_text := item.text_for(item.usual_source)) is not None:
            self._open_block(item, item_text)

    def _open_block(self, item: Item, item_text: ItemText) -> None:
        """Begin the block of a text, unless it is open. A refusal takes over the block of an empty text."""
        if item_text.block is not None:
            return
        assert item.kind is not None
        main = item.main_text
        if item_text.source == "refusal" and main is not None and main.block is not None and not main.has_text:
            item_text.block, main.block = main.block, None
        elif item.kind is ToolCall:
            item_text.block = self._start_block(ToolCall, tool_call_id=item.call_id, tool_name=item.name)
            if item_text.block.details:  # another call has the id, so this one was given its own
                item.details.merge({"call_id": item.call_id})
        else:
            item_text.block = self._start_block(item.kind)
        self._owners[item_text.block.index] = item, item_text

    def _read_item_done(self, given: Payload, index: int | None) -> None:
        if not given:
            return
        item = self._items.find_done(given, index)
        if item is None:
            item = Item(given, index)
            self._begin_item(item)
        self._complete_item(item, given)

    def _read_output(self, output: Iterable[Any]) -> None:
        """Take in the items of a final response."""
        for given, item in self._items.match_output(filter(None, map(object_or_empty, output))):
            if item is None:
                self._begin_item(item := Item(given, None))
            self._complete_item(item, given)

    def _complete_item(self, item: Item, given: Payload) -> None:
        """Take in an item as it is when it is done, and end its blocks."""
        if item.unknown is not None:
            item.unknown.complete(given)
            self._refresh(item.unknown)
            self._items.finish(item)
            return
        if item.is_done:
            self._keep_late(item, given)
        else:
            item.call_id = text_or_none(given.get("call_id")) or item.call_id  # the latest one counts
        item.update(given)
        self._items.register(item, given.get("id"))
        if item.is_done and item.kind is ToolCall:
            return
        self._add_content(item, given)
        if not item.text:
            self._add_content(item, item.with_added_parts())
        if item.signature and item.is_done and (item_text := item.main_text) is not None:
            self._open_block(item, item_text)  # a signature that came after the end of its block
        if item.kind is not ToolCall or item.text.strip():  # else they come yet: some servers send them after the item
            self._end_item(item)

    def _keep_late(self, item: Item, given: Payload) -> None:
        """Keep what is new in an item whose blocks have ended, for the details of the message."""
        of_parts = {
            key: value for _, _, part in parts(given) for key, value in part.items() if value and key in _LATE_PART_KEYS
        }
        members = {key: value for key, value in given.items() if key not in ITEM_KEYS and value is not None}
        known = item.details.value().keys() | item.flushed
        if new := {key: value for key, value in (members | of_parts).items() if key not in known}:
            self._late.append({"id": item.id, **new})

    def _append_to(self, item: Item, item_text: ItemText, rest: str) -> None:
        """Append the rest of a text, unless it is the arguments of a call and complete without it."""
        if rest and not item_text.is_complete:
            self._open_block(item, item_text)
            self._write(item_text, rest)

    def _write(self, item_text: ItemText, text: str) -> None:
        """Append new text to the block of an item's text."""
        assert item_text.block is not None
        if item_text.source == "input":
            self._append(item_text.block, _json_text(text) if item_text.deltas else _INPUT_START + _json_text(text))
        else:
            self._append(item_text.block, text)
        item_text.deltas.append(text)

    def _add_content(self, item: Item, given: Payload) -> None:
        """Append what a whole item has beyond its text so far, and take in what its parts have beside text."""
        found: dict[Source | None, list[tuple[str, Payload]]] = {}
        for source, text, part in parts(given):
            found.setdefault(source, []).append((text, part))
        for source, texts in found.items():
            if source is None:  # parts that this package has no block for
                item.details.merge({"content": [part for _, part in texts]})
                continue
            item_text = item.text_for(source)
            whole = SEPARATORS[source].join(text for text, _ in texts)
            if item_text is not None:
                self._append_to(item, item_text, item_text.rest(whole, item_text.text))
                if item_text.block is not None:
                    self._replace_part_details(item_text.block, [part for _, part in texts])
            is_other = item_text is None and whole not in ("", item.text)
            if is_other or (len(texts) > 1 and item.kind is ThinkingContent):
                item.details.merge({_REASONING_KEYS[source]: given.get(_REASONING_KEYS[source])})
                item.other_reasoning.pop(source, None)

    def _add_part_details(self, item_text: ItemText, block: OpenBlock, part: Payload) -> None:
        """Take in what a part has beside its text, unless that has come before."""
        if not block.annotations:
            self._cite(block, *array_or_empty(part.get("annotations")))
        self._add_logprobs(item_text, block, part)
        block.details.merge(part, without=_PART_KEYS)

    def _add_logprobs(self, item_text: ItemText, block: OpenBlock, given: Payload) -> None:
        """Add the log probabilities of a whole part, unless they have come before."""
        if (logprobs := array_or_empty(given.get("logprobs"))) and not item_text.has_logprobs:
            item_text.has_logprobs = True
            block.details.append({"logprobs": logprobs})

    def _cite(self, block: OpenBlock, *annotations: Any) -> None:
        """Add annotations to a block: to its details if it is thinking, which has no field for them."""
        if block.kind is TextContent:
            super()._cite(block, *annotations)
        elif annotations:
            block.details.append({"annotations": annotations})

    def _replace_part_details(self, block: OpenBlock, whole: list[Payload]) -> None:
        """Take in what the parts of a done item have beside their text; it replaces what came of this before."""
        annotations = [each for part in whole for each in array_or_empty(part.get("annotations"))]
        logprobs = [each for part in whole for each in array_or_empty(part.get("logprobs"))]
        if annotations:
            block.annotations.clear()
            self._cite(block, *annotations)
        if logprobs:
            block.details.merge({"logprobs": logprobs})
        for part in whole:
            block.details.merge(part, without=_PART_KEYS)

    def _end_item(self, item: Item) -> None:
        """End the blocks of an item."""
        for item_text in item.texts:
            if item_text.block is not None:
                self._end_block(item_text.block)
        self._items.finish(item)

    def _end_block(self, block: OpenBlock) -> None:
        item, item_text = self._owners[block.index]
        if item_text.source == "input":
            self._append(block, _INPUT_END if item_text.deltas else _INPUT_START + _INPUT_END)
        if item.kind is ToolCall:
            late: dict[str, Any] = {"id": self._unique(item.call_id or item.id), "name": item.name}
            self._builder.update_block(block.index, **late)
        super()._end_block(block)
        item_text.block = None
        del self._owners[block.index]

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        item, item_text = self._owners[block.index]
        block.details.merge(item.details.value())
        if item_text.source in _BLOCK_TYPES:
            block.details.merge({"type": _BLOCK_TYPES[item_text.source]})
        for source, deltas in item.other_reasoning.items():
            if (text := whole_characters("".join(deltas))) != item_text.text:
                block.details.merge({_REASONING_KEYS[source]: [{"type": f"{source}_text", "text": text}]})
        if block.annotations:
            item.flushed.add("annotations")
        if "logprobs" in block.details.value():
            item.flushed.add("logprobs")
        if item.signature:
            block.signature = [item.signature]
            item.signature = None
            item.flushed.add("encrypted_content")
        super()._flush_block(block, ended=ended)

    # Items and events of other kinds

    def _read_other(self, payload: Payload, kind: str) -> None:
        """Keep the members of any other event: with the item that it belongs to, or in the details of the message."""
        members = {key: value for key, value in payload.items() if key not in EVENT_KEYS and value not in (None, "")}
        if not members:
            return
        item = self._items.find_for_event(*position(payload)) or self._stand_ins.get(kind)
        if item is None and kind.endswith(".delta"):
            item = self._stand_ins[kind] = Item({"type": kind}, index_or_none(payload.get("output_index")))
            self._begin_item(item)
        if item is None:
            self._details.merge({kind: members} if kind else members)
        elif item.unknown is None:
            self._add_event_details(item, members, is_delta=kind.endswith(".delta"))
        elif item.unknown.add(kind, members):
            self._refresh(item.unknown)

    def _add_event_details(self, item: Item, members: Mapping[str, Any], *, is_delta: bool) -> None:
        """Add the members of an event to the block of an item, or keep them for the message if that has ended."""
        item_text = item.main_text
        if item_text is None or item_text.block is None:
            self._late.append({"id": item.id, **members})
        elif is_delta:
            item_text.block.details.append(members)
        else:
            item_text.block.details.merge(members)

    def _refresh(self, unknown: OpenUnknown) -> None:
        value = unknown.value() if isinstance(unknown, UnknownItem) else unknown.data.value()
        self._builder.update_block(unknown.index, data=self._frozen(value))

    def _flush_pending(self) -> None:
        for item in self._items.open_items():
            if item.unknown is not None:
                self._refresh(item.unknown)
            else:
                self._add_content(item, item.with_added_parts())
        if self._late:
            self._details.merge({"output": self._late})


def position(payload: Payload) -> tuple[str | None, int | None]:
    """Return the id and the index of the item that an event belongs to."""
    return text_or_none(payload.get("item_id") or payload.get("call_id")), index_or_none(payload.get("output_index"))


def _json_text(text: str) -> str:
    """Return a text as it is inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
