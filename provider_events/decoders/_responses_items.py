# SPDX-License-Identifier: MIT
"""The output items of a Responses stream: what has come of each, and how a whole item is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from .._grammar import BlockKind
from .._json import OBJECT, freeze, parse_object
from ..messages import TextContent, ThinkingContent, ToolCall
from ._details import Details
from ._payload import Payload, array_or_empty, object_or_empty, text_or_empty, text_or_none, to_json
from ._responses_tracks import Track
from ._responses_unknown import UnknownItem

__all__ = [
    "ITEM_KEYS",
    "KINDS",
    "STREAMS",
    "Group",
    "Item",
    "fingerprint",
    "group_of",
    "part_text",
    "parts",
    "stream_of_part",
]

KINDS: dict[str, BlockKind] = {
    "message": TextContent,
    "reasoning": ThinkingContent,
    "function_call": ToolCall,
    "custom_tool_call": ToolCall,
}
"""The kind of block of an item, by its type; other items are `UnknownContent`."""

STREAMS: dict[str, tuple[str, str]] = {
    "text": ("message", ""),
    "refusal": ("message", ""),
    "summary": ("reasoning", "\n\n"),
    "reasoning": ("reasoning", ""),
    "arguments": ("function_call", ""),
    "input": ("custom_tool_call", ""),
}
"""What streams into items: the type of item, and what stands between its parts."""

_PART_STREAMS = {
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
    "summary_text": "summary",
    "reasoning_text": "reasoning",
}
_CALL_STREAMS = {"function_call": "arguments", "custom_tool_call": "input"}

# What of an item does not go into `provider_details`: it has a field, or it carries nothing (`type`, `role`).
ITEM_KEYS = frozenset(
    {"type", "role", "content", "summary", "encrypted_content", "arguments", "input", "call_id", "name"}
    | {"parsed_arguments"}  # added by OpenAI's SDK
)

Group: TypeAlias = BlockKind | str | None
"""Items of one kind of block, or else of one type."""


class Item:
    """An output item: what the provider has sent of it, and its blocks."""

    __slots__ = (
        "type", "kind", "group", "id", "call_id", "name", "index", "announced", "details", "signature", "shown",
        "is_done", "tracks", "other", "unknown", "_begun",
    )  # fmt: skip

    def __init__(self, given: Payload, index: int | None) -> None:
        self.type = text_or_none(given.get("type"))
        self.kind = KINDS.get(self.type or "")
        self.group = group_of(given)
        self.id: str | None = None
        self.call_id: str | None = None
        self.name: str | None = None
        self.index = index
        """The provider's index of the item."""
        self.details = Details()
        """What goes into `provider_details` of each of its blocks."""
        self.signature: str | None = None
        """Its encrypted content, until that is in a block."""
        self.shown: set[str] = set()
        """What of it is in blocks already, beside text and details: annotations, logprobs, encrypted content."""
        self.is_done = False
        self.tracks: dict[bool, Track] = {}
        """Its refusal (True), and whatever else streams (False)."""
        self.other: dict[str, list[str]] = {}
        """Reasoning in another form than that which streams: its deltas, by stream."""
        self.unknown: UnknownItem | None = None
        """The block of an item that this package has no type for."""
        self.announced = given
        """The item as it was first given."""
        self._begun: dict[str, list[Payload]] = {}  # its parts that began with text
        self.update(given)

    @property
    def text(self) -> str:
        """All that has streamed."""
        return "".join(track.text for track in self.tracks.values())

    @property
    def has_text(self) -> bool:
        """Whether any text has streamed."""
        return any(track.has_text for track in self.tracks.values())

    def update(self, given: Payload) -> None:
        """Take in what an event gives of the item."""
        self.id = self.id or text_or_none(given.get("id"))
        self.call_id = self.call_id or text_or_none(given.get("call_id"))
        self.name = self.name or text_or_none(given.get("name"))
        if "encrypted_content" not in self.shown:
            self.signature = text_or_none(given.get("encrypted_content")) or self.signature
        if self.kind is not None:
            self.details.merge(given, without=ITEM_KEYS)

    def announce_part(self, part: Payload, key: str) -> None:
        """Note a part that begins with text: it counts if none streams."""
        self._begun.setdefault(key, []).append(part)

    def beginning(self) -> Payload:
        """Return the item as it was first given, with the parts that were announced."""
        begun = {key: [*array_or_empty(self.announced.get(key)), *found] for key, found in self._begun.items()}
        return {**self.announced, **begun}

    def name_call(self, payload: Payload) -> None:
        """Take in the id and name of a call, wherever an event has them."""
        self.call_id = self.call_id or text_or_none(payload.get("call_id"))
        self.name = self.name or text_or_none(payload.get("name"))

    def track(self, stream: str) -> Track | None:
        """Return where a stream goes; None if the same reasoning streams already in another form."""
        is_refusal = stream == "refusal"
        track = self.tracks.get(is_refusal)
        if track is None:
            track = self.tracks[is_refusal] = Track(stream)
        elif track.stream != stream:
            if track.has_text:
                return None
            track.stream = stream
        return track

    @property
    def first_stream(self) -> str:
        """What streams into the item unless an event tells otherwise."""
        return next(stream for stream, (type, _) in STREAMS.items() if type == self.type)

    def stream(self, stream: str) -> str:
        """Return as what an event's text streams into this item."""
        if self.kind is ToolCall:
            return _CALL_STREAMS[self.type or ""]
        return "reasoning" if stream == "text" and self.kind is ThinkingContent else stream

    def may_be(self, given: Payload) -> bool:
        """Return whether an item may be this one, by its type and call id."""
        call_id = text_or_none(given.get("call_id"))
        return given.get("type") == self.type and (None in (call_id, self.call_id) or call_id == self.call_id)

    def has_content_of(self, given: Payload) -> bool:
        """Return whether an item has type and name of this one, and its text with perhaps more behind it."""
        name = text_or_none(given.get("name"))
        is_like = given.get("type") == self.type and (None in (name, self.name) or name == self.name)
        return is_like and (_text(given).startswith(self.text) or self.fingerprint() == fingerprint(given))

    def fingerprint(self) -> object:
        """Return what tells the item from others where ids do not: type, name, and text or arguments."""
        return self.type, self.name, _arguments(self.text) if self.kind is ToolCall else self.text


def group_of(given: Payload) -> Group:
    """Return what an item is one of."""
    type = text_or_none(given.get("type"))
    return KINDS.get(type or "", type)


def fingerprint(given: Payload) -> object:
    """Return what tells an item from others where ids do not: type, name, and text or arguments."""
    text = _text(given)
    is_call = group_of(given) is ToolCall
    return text_or_none(given.get("type")), text_or_none(given.get("name")), _arguments(text) if is_call else text


def parts(given: Payload) -> Iterator[tuple[str | None, str, Payload]]:
    """Yield what each part of a whole item streams as, None if this package has no block for it; its text; the part."""
    kind = text_or_empty(given.get("type"))
    if (stream := _CALL_STREAMS.get(kind)) is not None:
        value = given.get(stream)
        yield stream, to_json(value) if isinstance(value, OBJECT) else text_or_empty(value), {}
    elif kind == "reasoning":
        for part in _elements(given.get("summary")):
            yield "summary", part_text(part), part
        for part in _elements(given.get("content")):
            yield "reasoning", part_text(part), part
    elif kind == "message":
        for part in _elements(given.get("content")):
            stream = stream_of_part(part)
            yield stream if stream in ("text", "refusal") else None, part_text(part), part


def stream_of_part(part: Payload) -> str | None:
    """Return what a part streams as; None if this package has no block for it."""
    return _PART_STREAMS.get(text_or_none(part.get("type")) or "text")


def part_text(part: Payload) -> str:
    """Return the text of a part."""
    return text_or_empty(part.get("text")) or text_or_empty(part.get("refusal"))


def _elements(value: Any) -> Iterator[Payload]:
    for element in [value] if isinstance(value, (str, *OBJECT)) else array_or_empty(value):
        yield {"type": "output_text", "text": element} if isinstance(element, str) else object_or_empty(element)


def _text(given: Payload) -> str:
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for stream, text, _ in parts(given):
        texts[stream or ""].append(text)
    return "".join(joint.join(texts[stream]) for stream, (_, joint) in STREAMS.items())


def _arguments(text: str) -> object:
    arguments = parse_object(text or "{}")
    return text if arguments is None else freeze(arguments)
