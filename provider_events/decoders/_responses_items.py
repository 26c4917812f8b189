# SPDX-License-Identifier: MIT
"""The output items of a Responses stream: what has come of each so far, and the parts of a whole one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from .._grammar import BlockKind
from .._json import OBJECT, freeze, parse_object
from ..messages import TextContent, ThinkingContent, ToolCall
from ._details import Details
from ._payload import Payload, array_or_empty, object_or_empty, text_or_empty, text_or_none, to_json
from ._responses_item_text import ItemText, Source
from ._responses_unknown import UnknownItem

__all__ = [
    "ITEM_KEYS",
    "ITEM_TYPES",
    "SEPARATORS",
    "SOURCE_KINDS",
    "Group",
    "Item",
    "Source",
    "fingerprint",
    "group_of",
    "part_source",
    "part_text",
    "parts",
]

_KINDS: dict[str, BlockKind] = {
    "message": TextContent,
    "reasoning": ThinkingContent,
    "function_call": ToolCall,
    "custom_tool_call": ToolCall,
}
"""The kind of block of an item, by its type; other items are `UnknownContent`."""

ITEM_TYPES: dict[Source, str] = {
    "text": "message",
    "refusal": "message",
    "summary": "reasoning",
    "reasoning": "reasoning",
    "arguments": "function_call",
    "input": "custom_tool_call",
}
"""The type of the items that have a source."""
SOURCE_KINDS = {source: _KINDS[type] for source, type in ITEM_TYPES.items()}
SEPARATORS = {source: "\n\n" if source == "summary" else "" for source in ITEM_TYPES}
"""What is put between the parts of a source."""

_PART_SOURCES: dict[str, Source] = {
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
    "summary_text": "summary",
    "reasoning_text": "reasoning",
}
_CALL_SOURCES: dict[str, Source] = {"function_call": "arguments", "custom_tool_call": "input"}

# What of an item does not go into `provider_details`: it has a field, or it carries nothing (`type`, `role`).
ITEM_KEYS = frozenset(
    {"type", "role", "content", "summary", "encrypted_content", "arguments", "input", "call_id", "name"}
    | {"parsed_arguments"}  # added by OpenAI's SDK
)

Group: TypeAlias = BlockKind | str | None
"""Only items of one group can be the same item: those of one kind of block, or of one type without such a kind."""


class Item:
    """An output item: what the provider has sent of it so far, and its blocks."""

    __slots__ = (
        "type", "kind", "group", "id", "call_id", "name", "index", "first_given", "details", "signature", "flushed",
        "is_done", "texts", "other_reasoning", "unknown", "_added_parts",
    )  # fmt: skip

    def __init__(self, given: Payload, index: int | None) -> None:
        self.type = text_or_none(given.get("type"))
        self.kind = _KINDS.get(self.type or "")
        self.group = group_of(given)
        self.id: str | None = None
        self.call_id: str | None = None
        self.name: str | None = None
        self.index = index
        """The provider's index of the item."""
        self.details = Details()
        """What goes into `provider_details` of each of its blocks."""
        self.signature: str | None = None
        """Its `encrypted_content`, until that is in a block."""
        self.flushed: set[str] = set()
        """Which of `annotations`, `logprobs` and `encrypted_content` are in a block already."""
        self.is_done = False
        self.texts: list[ItemText] = []
        """Its main text and its refusal, those that have come, in the order in which they came."""
        self.other_reasoning: dict[Source, list[str]] = {}
        """The deltas of reasoning from another source than the one in the block: most often a copy."""
        self.unknown: UnknownItem | None = None
        """The block of the item if this package has no type for it."""
        self.first_given = given
        """The item as it was first given."""
        self._added_parts: dict[str, list[Payload]] = {}  # those that had text when they began, by key of the item
        self.update(given)

    @property
    def main_text(self) -> ItemText | None:
        """Its text, reasoning, arguments or input: all but a refusal."""
        return next((each for each in self.texts if each.source != "refusal"), None)

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(each.text for each in self.texts)

    @property
    def has_text(self) -> bool:
        """Whether any text has come."""
        return any(each.has_text for each in self.texts)

    def update(self, given: Payload) -> None:
        """Take in the item as an event has it."""
        self.id = self.id or text_or_none(given.get("id"))
        self.call_id = self.call_id or text_or_none(given.get("call_id"))
        self.name = self.name or text_or_none(given.get("name"))
        if "encrypted_content" not in self.flushed:
            self.signature = text_or_none(given.get("encrypted_content")) or self.signature
        if self.kind is not None:
            self.details.merge(given, without=ITEM_KEYS)

    def add_part(self, part: Payload, key: str) -> None:
        """Note a part that has text already when it begins: this counts if no other text comes."""
        self._added_parts.setdefault(key, []).append(part)

    def with_added_parts(self) -> Payload:
        """Return the item as it was first given, with the parts that had text when they began."""
        added = {key: [*array_or_empty(self.first_given.get(key)), *found] for key, found in self._added_parts.items()}
        return {**self.first_given, **added}

    def identify_call(self, payload: Payload) -> None:
        """Take in the id and name of a call, which some servers have in other events than the first."""
        self.call_id = self.call_id or text_or_none(payload.get("call_id"))
        self.name = self.name or text_or_none(payload.get("name"))

    def text_for(self, source: Source) -> ItemText | None:
        """Return the text that a source goes into; None if reasoning from another source is there already."""
        is_refusal = source == "refusal"
        found = next((each for each in self.texts if (each.source == "refusal") is is_refusal), None)
        if found is None:
            found = ItemText(source)
            self.texts.append(found)
        elif found.source != source:
            if found.has_text:
                return None
            found.source = source
        return found

    @property
    def usual_source(self) -> Source:
        """The source of the block that begins with the item."""
        return next(source for source, type in ITEM_TYPES.items() if type == self.type)

    def actual_source(self, source: Source) -> Source:
        """Return the source that an event has here: some servers use another type's events."""
        if self.kind is ToolCall:
            return _CALL_SOURCES[self.type or ""]
        return "reasoning" if source == "text" and self.kind is ThinkingContent else source

    def may_be(self, given: Payload) -> bool:
        """Return whether a given item may be this one: type and call id do not contradict it."""
        call_id = text_or_none(given.get("call_id"))
        return given.get("type") == self.type and (None in (call_id, self.call_id) or call_id == self.call_id)

    def has_content_of(self, given: Payload) -> bool:
        """Return whether a given item has the type and name of this one, and a text that begins with its text."""
        name = text_or_none(given.get("name"))
        is_like = given.get("type") == self.type and (None in (name, self.name) or name == self.name)
        return is_like and (_text(given).startswith(self.text) or self.fingerprint() == fingerprint(given))

    def fingerprint(self) -> object:
        """Return what identifies the item where ids do not: type, name, and text or arguments."""
        return self.type, self.name, _arguments(self.text) if self.kind is ToolCall else self.text


def group_of(given: Payload) -> Group:
    """Return the group of a given item."""
    type = text_or_none(given.get("type"))
    return _KINDS.get(type or "", type)


def fingerprint(given: Payload) -> object:
    """Return what `Item.fingerprint` would of a given item."""
    text = _text(given)
    is_call = group_of(given) is ToolCall
    return text_or_none(given.get("type")), text_or_none(given.get("name")), _arguments(text) if is_call else text


def parts(given: Payload) -> Iterator[tuple[Source | None, str, Payload]]:
    """Yield source, text and payload of each part of a whole item; no source if this package has no block for it."""
    kind = text_or_empty(given.get("type"))
    if (source := _CALL_SOURCES.get(kind)) is not None:
        value = given.get(source)
        yield source, to_json(value) if isinstance(value, OBJECT) else text_or_empty(value), {}
    elif kind == "reasoning":
        for part in _elements(given.get("summary")):
            yield "summary", part_text(part), part
        for part in _elements(given.get("content")):
            yield "reasoning", part_text(part), part
    elif kind == "message":
        for part in _elements(given.get("content")):
            source = part_source(part)
            yield source if source in ("text", "refusal") else None, part_text(part), part


def part_source(part: Payload) -> Source | None:
    """Return the source of the text of a part; None if this package has no block for it."""
    return _PART_SOURCES.get(text_or_none(part.get("type")) or "text")


def part_text(part: Payload) -> str:
    """Return the text of a part."""
    return text_or_empty(part.get("text")) or text_or_empty(part.get("refusal"))


def _elements(value: Any) -> Iterator[Payload]:
    for element in [value] if isinstance(value, (str, *OBJECT)) else array_or_empty(value):
        yield {"type": "output_text", "text": element} if isinstance(element, str) else object_or_empty(element)


def _text(given: Payload) -> str:
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for source, text, _ in parts(given):
        texts[source or ""].append(text)
    return "".join(separator.join(texts[source]) for source, separator in SEPARATORS.items())


def _arguments(text: str) -> object:
    arguments = parse_object(text or "{}")
    return text if arguments is None else freeze(arguments)
