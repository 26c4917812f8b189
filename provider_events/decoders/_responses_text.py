# SPDX-License-Identifier: MIT
"""The text that streams into the output items of a Responses stream."""

from __future__ import annotations

from typing import Any, TypeAlias

from .._json import OBJECT
from ..messages import TextContent, ToolCall
from ._blocks import OpenBlock
from ._payload import Payload, expect_text, object_or_empty, text_or_empty, to_json
from ._responses_blocks import TEXT_KEYS, ItemBlocks, position
from ._responses_items import KINDS, STREAMS, Item, part_text, stream_of_part
from ._responses_tracks import Track

__all__ = ["StreamedText"]

# Where the text is in an event that has it whole.
_WHOLE_KEYS = ("text", "refusal", "arguments", "input")

# What the latest delta had, if nothing of it went into details: type, item id, output index, key and value of the
# part's index, logprobs, and how many keys without padding and sequence number; and where its text went.
_Latest: TypeAlias = tuple[Any, Any, Any, str, Any, Any, int, Track, OpenBlock]


class StreamedText(ItemBlocks):
    """The part of the decoder that reads deltas, and the whole texts that repeat them."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._latest: _Latest | None = None  # None: where the next delta goes is not known

    def _read(self, payload: Payload) -> None:
        """Take in an event. A delta that goes where the latest one went, as nearly all do, takes the short way."""
        if (latest := self._latest) is not None:
            get = payload.get
            kind, id, index, part_key, part, logprobs, size, track, block = latest
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
                track.deltas.append(text)
                if text and (new := block.take(text)):
                    self._events.append(block.emit(new, block.index))
                return
            self._latest = None
        self._read_event(payload)

    def _read_event(self, payload: Payload) -> None:
        """Take in an event of any kind."""
        raise NotImplementedError

    def _read_delta(self, payload: Payload, stream: str, part_key: str) -> None:
        """Take in new text. None at all begins nothing."""
        text = _delta_text(payload)
        if not text and payload.keys() <= TEXT_KEYS:
            return
        track = self._find_track(payload, stream, part_key)
        if track is None or track.block is None:
            return
        self._stream(track, text)
        if not payload.keys() <= TEXT_KEYS or payload.get("logprobs"):
            track.block.details.append(payload, without=TEXT_KEYS - {"logprobs"})
            track.has_logprobs = bool(payload.get("logprobs")) or track.has_logprobs
        elif track.stream != "input":
            named = [payload.get(key) for key in ("type", "item_id", "output_index", part_key, "logprobs")]
            size = 1 + len(named) - named.count(None)
            if len(payload) == size + ("obfuscation" in payload) + ("sequence_number" in payload):
                kind, id, index, part, logprobs = named
                self._latest = kind, id, index, part_key, part, logprobs, size, track, track.block

    def _find_track(self, payload: Payload, stream: str, part: str) -> Track | None:
        """Return where a delta goes, with an open block; None if it has been taken in otherwise."""
        item = self._find_item(payload, stream)
        if item is None:
            self._read_other(payload, str(payload.get("type")))
            return None
        stream = item.stream(stream)
        track = item.track(stream)
        if track is None:
            item.other.setdefault(stream, []).append(_delta_text(payload))
            return None
        if item.is_done and item.kind is ToolCall:
            return None  # its arguments are complete
        self._open_block(item, track)
        if track.move_to(payload.get(part)):
            self._begin_part(item, track)
        return track

    def _find_item(self, payload: Payload, stream: str) -> Item | None:
        """Return the item that streaming text belongs to, perhaps a new one; None if it fits nowhere."""
        id, index = position(payload)
        type = STREAMS[stream][0]
        kind = KINDS[type]
        found = self._items.find_streaming(kind, id, index)
        if found is not None:
            return found
        if kind is ToolCall and not payload.get("name"):
            other = self._items.find_any(id, index)
            if (id is None and index is None) or (other is not None and id in (None, other.id)):
                return None  # arguments that name no call
        item = Item({"type": type, "id": payload.get("item_id")}, index)
        item.name_call(payload)
        self._items.add(item)
        return item

    def _read_whole(self, payload: Payload, stream: str, part: str, key: str) -> None:
        """Take in the whole text of a part."""
        value = payload.get(key)
        whole = to_json(value) if isinstance(value, OBJECT) else text_or_empty(value)
        track = self._read_part_text(payload, stream, part, whole)
        if track is not None and track.block is not None:
            self._add_logprobs(track, track.block, payload)
            if not payload.keys() <= TEXT_KEYS:
                track.block.details.merge(payload, without=TEXT_KEYS)

    def _read_part(self, payload: Payload, key: str, *, is_done: bool) -> None:
        """Take in the beginning or the end of a part."""
        part = object_or_empty(payload.get("part"))
        stream = "summary" if key == "summary_index" else stream_of_part(part)
        if stream is None:
            self._read_other(payload, str(payload.get("type")))
        elif is_done:
            track = self._read_part_text(payload, stream, key, part_text(part))
            if track is not None and track.block is not None:
                self._add_part(track, track.block, part)
        else:
            self._read_part_added(payload, stream, part)

    def _read_part_added(self, payload: Payload, stream: str, part: Payload) -> None:
        """Take in the beginning of a part: its text counts if none streams."""
        item = self._items.find_streaming(KINDS[STREAMS[stream][0]], *position(payload))
        if item is None and part_text(part):
            item = self._find_item(payload, stream)
        if item is None:
            return
        if part_text(part):
            item.announce_part(part, "summary" if stream == "summary" else "content")
        if stream == "summary" and (track := item.track(stream)) is not None:
            track.expect_part()

    def _read_part_text(self, payload: Payload, stream: str, key: str, whole: str) -> Track | None:
        """Append what the whole text of a part adds; return where it belongs."""
        kind = KINDS[STREAMS[stream][0]]
        item = self._items.find_streaming(kind, *position(payload))
        if item is None and (not whole or (not payload.get("name") and self._items.has_text(kind, whole))):
            return None  # a repetition under another id
        item = item or self._find_item(payload, stream)
        if item is None:
            self._read_other(payload, str(payload.get("type")))
            return None
        if item.kind is ToolCall:
            item.name_call(payload)
        stream = item.stream(stream)
        track = item.track(stream)
        if track is None:
            item.other.setdefault(stream, [whole])
            return None
        if item.is_done and item.kind is ToolCall:
            return None
        is_new, rest = track.compare(payload.get(key), whole)
        if (is_new or track.part is None or not track.has_text) and track.move_to(payload.get(key)):
            self._begin_part(item, track)
        self._append_to(item, track, rest)
        track.is_part_done = True
        return track

    def _begin_part(self, item: Item, track: Track) -> None:
        self._append_to(item, track, STREAMS[track.stream][1])
        track.begin_part()

    def _read_annotation(self, payload: Payload) -> None:
        item = self._items.find_streaming(TextContent, *position(payload))
        track = item.track(item.stream("text")) if item is not None else None
        if track is not None and track.block is not None:
            self._cite(track.block, payload.get("annotation"))
        else:
            self._late.append({"id": payload.get("item_id"), "annotations": [payload.get("annotation")]})


def _delta_text(payload: Payload) -> str:
    value = payload.get("delta")
    if value is None:  # some have it where the whole text would be
        value = next((payload[key] for key in _WHOLE_KEYS if payload.get(key)), None)
    if value is not None and isinstance(value, OBJECT):  # a part, as in an early draft of the format
        return expect_text(value.get("text"), "delta.text")
    return expect_text(value, "delta")
