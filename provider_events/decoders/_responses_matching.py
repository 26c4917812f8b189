# SPDX-License-Identifier: MIT
"""Which output item an event of a Responses stream belongs to."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from .._grammar import BlockKind
from ..messages import TextContent, ThinkingContent, ToolCall
from ._payload import Payload, text_or_none
from ._responses_items import Group, Item, fingerprint, group_of

__all__ = ["Items"]


class Items:
    """The items of a response, and which of them an event belongs to.

    Servers get ids and indexes wrong in many ways: ids that are new in each event, one id for all items, indexes that
    are always 0, missing, or late by one. So each `find_…` method tries, in this order: an open item with the id, an
    open one at the index, a done one with the id, a done one at the index, the only open one; always of the right kind.
    """

    def __init__(self) -> None:
        self.all: list[Item] = []
        self._open: defaultdict[Group, dict[Item, None]] = defaultdict(dict)
        self._latest: dict[tuple[Group, int | str | None], Item] = {}  # by index, id and call id, never None
        self._latest_of_any: dict[int | str | None, Item] = {}  # likewise, whatever its group
        self._texts: set[str] = set()  # those of the items that are done

    def add(self, item: Item) -> None:
        """Add a new item."""
        self.all.append(item)
        self._open[item.group][item] = None
        self.register(item)

    def register(self, item: Item, id: object = None) -> None:
        """Let an item be found by its index and ids, and by another `id` that it has been given later."""
        for key in (item.index, item.id, item.call_id, text_or_none(id)):
            if key is not None:
                self._latest[item.group, key] = self._latest_of_any[key] = item

    def finish(self, item: Item) -> None:
        """Note that an item is done."""
        item.is_done = True
        self._open[item.group].pop(item, None)
        self._texts.update(each.text for each in item.texts)

    def open_items(self) -> list[Item]:
        """Return the items that are not done."""
        return [item for group in self._open.values() for item in group]

    def has_text(self, kind: BlockKind, text: str) -> bool:
        """Return whether a done item has exactly this text, or the latest open one of a kind has."""
        latest = next(reversed(self._open[kind]), None)
        return text in self._texts or (latest is not None and latest.text == text)

    def find_for_event(self, id: str | None, index: int | None) -> Item | None:
        """Return the item that an event of another kind belongs to: ids and index are trusted here."""
        return self._latest_of_any.get(id) or self._latest_of_any.get(index)

    def find_for_text(self, kind: BlockKind, id: str | None, index: int | None) -> Item | None:
        """Return the item that text of a kind belongs to."""
        by_id, by_index = self._known(kind, id), self._known(kind, index)
        if by_id is not None and not by_id.is_done and not _shares_id(by_index, by_id):
            return by_id
        if kind is TextContent and (thinking := self._known(ThinkingContent, id)) is not None and not thinking.is_done:
            return thinking  # servers that stream reasoning as the text of a reasoning item
        if by_index is not None and not by_index.is_done:
            return by_index
        if by_id is not None:
            return by_id
        if by_index is not None and id is None:
            return by_index
        if kind is ToolCall and id is None and index is None:
            return next(reversed(self._open[kind]), None)
        only = self._only_open(kind)
        return None if only is None or (kind is ToolCall and _is_other_call(only, id, index)) else only

    def find_done(self, given: Payload, index: int | None) -> Item | None:
        """Return the item that `output_item.done` has whole; None for a new one."""
        group = group_of(given)
        ids = text_or_none(given.get("id")), text_or_none(given.get("call_id"))
        by_id = [item for id in ids if (item := self._known(group, id)) is not None and item.may_be(given)]
        by_index = self._known(group, index)
        for item in by_id:
            if not item.is_done and not _shares_id(by_index, item):
                return item
        if by_index is not None and not by_index.is_done and (by_index.may_be(given) or by_index.has_content_of(given)):
            return by_index
        for item in by_id:
            if index in (None, item.index) or item.index is None or item.has_content_of(given):
                return item
        if by_index is not None and by_index.fingerprint() == fingerprint(given):
            return by_index
        only = self._only_open(group)
        return only if only is not None and only.may_be(given) else None

    def find_repeated(self, given: Payload, index: int | None) -> Item | None:
        """Return the item that `output_item.added` repeats; None for a new one, as nearly always."""
        group = group_of(given)
        id = text_or_none(given.get("id"))
        found = self._known(group, id or text_or_none(given.get("call_id")))
        if found is not None and found.may_be(given):
            is_at_index = index is not None and index == found.index
            if found.is_done:
                return found if is_at_index or found.fingerprint() == fingerprint(given) else None
            return found if is_at_index or None in (index, found.index) or not found.has_text else None
        found = self._known(group, index) if index is not None or id is not None else self._only_open(group)
        if found is None or found.is_done or not found.may_be(given) or None not in (id, found.id):
            return None
        return found if index is not None or not found.has_text else None

    def match_output(self, output: Iterable[Payload]) -> list[tuple[Payload, Item | None]]:
        """Return each item of a final response's output with the known item that it is: by id, content, or order."""
        free = dict.fromkeys(self.all)
        output = list(output)
        found: dict[int, Item] = {}

        def claim(number: int, item: Item | None) -> None:
            if item is not None and item in free and item.type == output[number].get("type"):
                del free[item]
                found[number] = item

        for number, given in enumerate(output):
            group = group_of(given)
            id, call_id = text_or_none(given.get("id")), text_or_none(given.get("call_id"))
            claim(number, self._known(group, id) or self._known(group, call_id))
        by_content: defaultdict[object, deque[Item]] = defaultdict(deque)
        for item in free:
            by_content[item.fingerprint()].append(item)
        for number, given in enumerate(output):
            if number not in found and (same_content := by_content.get(fingerprint(given))):
                claim(number, same_content.popleft())
        by_type: defaultdict[object, deque[Item]] = defaultdict(deque)
        for item in free:
            by_type[item.type].append(item)
        for number, given in enumerate(output):
            same_type = by_type.get(text_or_none(given.get("type")))
            if number not in found and same_type:
                if same_type[0].kind is not ToolCall or same_type[0].has_content_of(given):
                    claim(number, same_type.popleft())
        return [(given, found.get(number)) for number, given in enumerate(output)]

    def _known(self, group: Group, key: int | str | None) -> Item | None:
        return self._latest.get((group, key))

    def _only_open(self, group: Group) -> Item | None:
        items = self._open[group]
        return next(iter(items)) if len(items) == 1 else None


def _shares_id(by_index: Item | None, by_id: Item) -> bool:
    """Return whether two items, found by index and by id, have the same id, so that only the index decides."""
    return by_index is not None and by_index is not by_id and by_id.id is not None and by_id.id == by_index.id


def _is_other_call(item: Item, id: str | None, index: int | None) -> bool:
    """Return whether arguments with an unknown id or index are of another call than the only open one."""
    text = item.main_text
    return (text is not None and text.is_complete) or (item.name is None and id is not None and index is not None)
