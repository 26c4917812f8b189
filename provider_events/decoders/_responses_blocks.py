# SPDX-License-Identifier: MIT
"""The content of a Responses stream: from events of output items to blocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..messages import TextContent, ThinkingContent, ToolCall, UnknownContent
from ._blocks import OpenBlock, OpenUnknown
from ._decoder import Decoder
from ._details import whole_characters
from ._payload import Payload, array_or_empty, index_or_none, object_or_empty, text_or_none
from ._responses_index import Items
from ._responses_items import ITEM_KEYS, STREAMS, Item, parts
from ._responses_tracks import Track
from ._responses_unknown import UnknownItem

__all__ = ["ItemBlocks", "TEXT_KEYS", "WHERE", "position"]

# What of an event does not go into details: where it belongs, and what carries nothing.
WHERE = frozenset(
    {"type", "sequence_number", "event_id", "obfuscation", "item_id", "output_index", "content_index", "summary_index"}
    | {"annotation_index", "command_index", "partial_image_index"}
    | {"snapshot"}  # added by OpenAI's SDK: the text so far
)
TEXT_KEYS = WHERE | {"delta", "text", "refusal", "arguments", "input", "name", "call_id", "logprobs", "part", "parsed"}
_PART_KEYS = frozenset({"type", "text", "refusal", "annotations", "logprobs", "parsed"})

_LATE_KEYS = frozenset({"annotations", "logprobs"})

_INPUT = '{"input": "'
# What `type` in the details of a block tells of it: what it is if not the usual thing of its kind.
_MARKS = {"refusal": "refusal", "reasoning": "reasoning_text", "input": "custom_tool_call"}
_REASONING_KEYS = {"summary": "summary", "reasoning": "content"}


class ItemBlocks(Decoder):
    """The part of the decoder that makes blocks of output items."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._items = Items()
        self._owners: dict[int, tuple[Item, Track]] = {}  # by content index
        self._strays: dict[str, Item] = {}  # deltas of items of which nothing is known, by the event's type
        self._late: list[dict[str, Any]] = []  # what came of items whose blocks had ended

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
        self._items.add(item)
        if item.kind is None:
            self._start()
            index = self._builder.add_block(UnknownContent(self._frozen(item.announced)))
            item.unknown = UnknownItem(index, item.announced)
        elif (track := item.track(item.first_stream)) is not None:
            self._open_block(item, track)

    def _open_block(self, item: Item, track: Track) -> None:
        """Begin the block of a track, unless it is open. A refusal takes over the text's block if that is empty."""
        if track.block is not None:
            return
        assert item.kind is not None
        text = item.tracks.get(False)
        if track.stream == "refusal" and text is not None and text.block is not None and not text.has_text:
            track.block, text.block = text.block, None
        elif item.kind is ToolCall:
            track.block = self._start_block(ToolCall, tool_call_id=item.call_id, tool_name=item.name)
            if track.block.details:  # the id is that of another call
                item.details.merge({"call_id": item.call_id})
        else:
            track.block = self._start_block(item.kind)
        self._owners[track.block.index] = item, track

    def _read_item_done(self, given: Payload, index: int | None) -> None:
        if not given:
            return
        item = self._items.find_given(given, index)
        if item is None:
            item = Item(given, index)
            self._begin_item(item)
        self._complete_item(item, given)

    def _read_output(self, output: Iterable[Any]) -> None:
        """Take in the items of a final response."""
        for given, item in self._items.match(filter(None, map(object_or_empty, output))):
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
            self._note_late(item, given)
        else:
            item.call_id = text_or_none(given.get("call_id")) or item.call_id  # the last one counts
        item.update(given)
        self._items.register(item, given.get("id"))
        if item.is_done and item.kind is ToolCall:
            return
        self._add_content(item, given)
        if not item.text:
            self._add_content(item, item.beginning())
        if item.signature and item.is_done and (track := item.tracks.get(False)) is not None:
            self._open_block(item, track)  # a signature that came after the end of its block
        if item.kind is not ToolCall or item.text.strip():  # some servers send arguments after the item
            self._end_item(item)

    def _note_late(self, item: Item, given: Payload) -> None:
        """Keep what is new of an item whose blocks have ended, in the details of the message."""
        beside = {key: each for _, _, part in parts(given) for key, each in part.items() if each and key in _LATE_KEYS}
        members = {key: value for key, value in given.items() if key not in ITEM_KEYS and value is not None}
        known = item.details.value().keys() | item.shown
        if new := {key: value for key, value in (members | beside).items() if key not in known}:
            self._late.append({"id": item.id, **new})

    def _append_to(self, item: Item, track: Track, rest: str) -> None:
        """Append what a whole text adds, unless the arguments of a call are complete without it."""
        if rest and not track.is_complete:
            self._open_block(item, track)
            self._stream(track, rest)

    def _stream(self, track: Track, text: str) -> None:
        """Append new text to the open block of a track."""
        assert track.block is not None
        if track.stream == "input":  # free text, as the JSON text of {"input": text}
            self._append(track.block, _json_text(text) if track.deltas else _INPUT + _json_text(text))
        else:
            self._append(track.block, text)
        track.deltas.append(text)

    def _add_content(self, item: Item, given: Payload) -> None:
        """Append what the whole of an item adds to what has streamed."""
        found: dict[str, list[tuple[str, Payload]]] = {}
        for stream, text, part in parts(given):
            found.setdefault(stream or "", []).append((text, part))
        for stream, texts in found.items():
            if not stream:  # parts of other kinds
                item.details.merge({"content": [part for _, part in texts]})
                continue
            track = item.track(stream)
            whole = STREAMS[stream][1].join(text for text, _ in texts)
            if track is not None:
                self._append_to(item, track, track.rest(whole, track.text))
                if track.block is not None:
                    self._add_parts(track.block, [part for _, part in texts])
            if (track is None and whole not in ("", item.text)) or (len(texts) > 1 and item.kind is ThinkingContent):
                item.details.merge({_REASONING_KEYS[stream]: given.get(_REASONING_KEYS[stream])})
                item.other.pop(stream, None)

    def _add_part(self, track: Track, block: OpenBlock, part: Payload) -> None:
        """Add what a part has beside its text, unless it has come before."""
        if not block.annotations:
            self._cite(block, *array_or_empty(part.get("annotations")))
        self._add_logprobs(track, block, part)
        block.details.merge(part, without=_PART_KEYS)

    def _add_logprobs(self, track: Track, block: OpenBlock, given: Payload) -> None:
        """Add the log probabilities of a whole part, unless they have come before."""
        if (logprobs := array_or_empty(given.get("logprobs"))) and not track.has_logprobs:
            track.has_logprobs = True
            block.details.append({"logprobs": logprobs})

    def _cite(self, block: OpenBlock, *annotations: Any) -> None:
        """Add annotations to a block of text. Reasoning has none; what is given of it goes into its details."""
        if block.kind is TextContent:
            super()._cite(block, *annotations)
        elif annotations:
            block.details.append({"annotations": annotations})

    def _add_parts(self, block: OpenBlock, found: list[Payload]) -> None:
        """Add what the parts of a finished item have beside their text; it replaces what streamed of it."""
        annotations = [each for part in found for each in array_or_empty(part.get("annotations"))]
        logprobs = [each for part in found for each in array_or_empty(part.get("logprobs"))]
        if annotations:
            block.annotations.clear()
            self._cite(block, *annotations)
        if logprobs:
            block.details.merge({"logprobs": logprobs})
        for part in found:
            block.details.merge(part, without=_PART_KEYS)

    def _end_item(self, item: Item) -> None:
        for track in item.tracks.values():
            if track.block is not None:
                self._end_block(track.block)
        self._items.finish(item)

    def _end_block(self, block: OpenBlock) -> None:
        item, track = self._owners[block.index]
        if track.stream == "input":
            self._append(block, '"}' if track.deltas else _INPUT + '"}')
        if item.kind is ToolCall:
            late: dict[str, Any] = {"id": self._unique(item.call_id or item.id), "name": item.name}
            self._builder.update_block(block.index, **late)
        super()._end_block(block)
        track.block = None
        del self._owners[block.index]

    def _flush_block(self, block: OpenBlock, *, ended: bool) -> None:
        item, track = self._owners[block.index]
        block.details.merge(item.details.value())
        if track.stream in _MARKS:
            block.details.merge({"type": _MARKS[track.stream]})
        for stream, deltas in item.other.items():
            if (text := whole_characters("".join(deltas))) != track.text:
                block.details.merge({_REASONING_KEYS[stream]: [{"type": f"{stream}_text", "text": text}]})
        if block.annotations:
            item.shown.add("annotations")
        if "logprobs" in block.details.value():
            item.shown.add("logprobs")
        if item.signature:
            block.signature = [item.signature]
            item.signature = None
            item.shown.add("encrypted_content")
        super()._flush_block(block, ended=ended)

    # Items and events of other kinds

    def _read_other(self, payload: Payload, kind: str) -> None:
        """Keep what an event brings that this package has no field for, with the item that it points to."""
        members = {key: value for key, value in payload.items() if key not in WHERE and value not in (None, "")}
        if not members:
            return
        item = self._items.find_any(*position(payload)) or self._strays.get(kind)
        if item is None and kind.endswith(".delta"):
            item = self._strays[kind] = Item({"type": kind}, index_or_none(payload.get("output_index")))
            self._begin_item(item)
        if item is None:
            self._details.merge({kind: members} if kind else members)
        elif item.unknown is None:
            self._add_details(item, members, is_delta=kind.endswith(".delta"))
        elif item.unknown.grow(kind, members):
            self._refresh(item.unknown)

    def _add_details(self, item: Item, members: Mapping[str, Any], *, is_delta: bool) -> None:
        track = item.tracks.get(False)
        if track is None or track.block is None:
            self._late.append({"id": item.id, **members})
        elif is_delta:
            track.block.details.append(members)
        else:
            track.block.details.merge(members)

    def _refresh(self, unknown: OpenUnknown) -> None:
        value = unknown.value() if isinstance(unknown, UnknownItem) else unknown.data.value()
        self._builder.update_block(unknown.index, data=self._frozen(value))

    def _flush_pending(self) -> None:
        for item in self._items.open_items():
            if item.unknown is not None:
                self._refresh(item.unknown)
            else:
                self._add_content(item, item.beginning())
        if self._late:
            self._details.merge({"output": self._late})


def position(payload: Payload) -> tuple[str | None, int | None]:
    """Return the id and the index of the item that an event points to."""
    return text_or_none(payload.get("item_id") or payload.get("call_id")), index_or_none(payload.get("output_index"))


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
