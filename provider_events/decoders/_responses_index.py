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
    are always 0, missing, or late by one. So an id counts if it names an open item of the right kind, then the index,
    then a done item; then the only open item of the kind.
    """

    def __init__(self) -> None:
        self.all: list[Item] = []
        self._open: defaultdict[Group, dict[Item, None]] = defaultdict(dict)
        self._latest: dict[tuple[Group, int | str | None], Item] = {}  # by index, id and call id; none is at None
        self._latest_of_any: dict[int | str | None, Item] = {}  # none is at None
        self._texts: set[str] = set()  # of the items that are done

    def add(self, item: Item) -> None:
        """Add an item that begins."""
        self.all.append(item)
        self._open[item.group][item] = None
        self.register(item)

    def register(self, item: Item, id: object = None) -> None:
        """Note by what an item is known; `id` is one that it has got since it began."""
        for key in (item.index, item.id, item.call_id, text_or_none(id)):
            if key is not None:
                self._latest[item.group, key] = self._latest_of_any[key] = item

    def finish(self, item: Item) -> None:
        """Note that an item is done."""
        item.is_done = True
        self._open[item.group].pop(item, None)
        for track in item.tracks.values():
            self._texts.add(track.text)

    def open_items(self) -> list[Item]:
        """Return the items that are not done."""
        return [item for group in self._open.values() for item in group]

    def has_text(self, kind: BlockKind, text: str) -> bool:
        """Return whether an item that is done has just this text, or the latest open one of a kind."""
        latest = next(reversed(self._open[kind]), None)
        return text in self._texts or (latest is not None and latest.text == text)

    def find_any(self, id: str | None, index: int | None) -> Item | None:
        """Return the item that an event of any kind points to."""
        return self._latest_of_any.get(id) or self._latest_of_any.get(index)

    def find_streaming(self, kind: BlockKind, id: str | None, index: int | None) -> Item | None:
        """Return the item that text of a kind belongs to."""
        named, placed = self._known(kind, id), self._known(kind, index)
        if named is not None and not named.is_done and not _shares_id(placed, named):
            return named
        if kind is TextContent and (thinking := self._known(ThinkingContent, id)) is not None and not thinking.is_done:
            return thinking  # servers that stream reasoning as the text of a reasoning item
        if placed is not None and not placed.is_done:
            return placed
        if named is not None:
            return named
        if placed is not None and id is None:
            return placed
        if kind is ToolCall and id is None and index is None:
            return next(reversed(self._open[kind]), None)
        only = self._only_open(kind)
        return None if only is None or (kind is ToolCall and _is_other_call(only, id, index)) else only

    def find_given(self, given: Payload, index: int | None) -> Item | None:
        """Return the item that is given whole; None for one of which nothing has come."""
        group = group_of(given)
        ids = text_or_none(given.get("id")), text_or_none(given.get("call_id"))
        named = [item for id in ids if (item := self._known(group, id)) is not None and item.may_be(given)]
        placed = self._known(group, index)
        for item in named:
            if not item.is_done and not _shares_id(placed, item):
                return item
        if placed is not None and not placed.is_done and (placed.may_be(given) or placed.has_content_of(given)):
            return placed
        for item in named:
            if index in (None, item.index) or item.index is None or item.has_content_of(given):
                return item
        if placed is not None and placed.fingerprint() == fingerprint(given):
            return placed
        only = self._only_open(group)
        return only if only is not None and only.may_be(given) else None

    def find_repeated(self, given: Payload, index: int | None) -> Item | None:
        """Return the item whose beginning is repeated; None for an item that begins."""
        group = group_of(given)
        id = text_or_none(given.get("id"))
        found = self._known(group, id or text_or_none(given.get("call_id")))
        if found is not None and found.may_be(given):
            is_there = index is not None and index == found.index
            if found.is_done:
                return found if is_there or found.fingerprint() == fingerprint(given) else None
            return found if is_there or None in (index, found.index) or not found.has_text else None
        found = self._known(group, index) if index is not None or id is not None else self._only_open(group)
        if found is None or found.is_done or not found.may_be(given) or None not in (id, found.id):
            return None
        return found if index is not None or not found.has_text else None

    def match(self, output: Iterable[Payload]) -> list[tuple[Payload, Item | None]]:
        """Return the items of a final response, each with what has come of it: by id, content, or order."""
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
            if number not in found and (same := by_content.get(fingerprint(given))):
                claim(number, same.popleft())
        by_type: defaultdict[object, deque[Item]] = defaultdict(deque)
        for item in free:
            by_type[item.type].append(item)
        for number, given in enumerate(output):
            rest = by_type.get(text_or_none(given.get("type")))
            if number not in found and rest and (rest[0].kind is not ToolCall or rest[0].has_content_of(given)):
                claim(number, rest.popleft())
        return [(given, found.get(number)) for number, given in enumerate(output)]

    def _known(self, group: Group, key: int | str | None) -> Item | None:
        return self._latest.get((group, key))

    def _only_open(self, group: Group) -> Item | None:
        items = self._open[group]
        return next(iter(items)) if len(items) == 1 else None


def _shares_id(placed: Item | None, named: Item) -> bool:
    """Whether another item, the one at the index, has the same id, so that the index counts."""
    return placed is not None and placed is not named and named.id is not None and named.id == placed.id


def _is_other_call(item: Item, id: str | None, index: int | None) -> bool:
    """Whether arguments with an id or index unknown so far are another call's than those of the only open one."""
    track = item.tracks.get(False)
    return (track is not None and track.is_complete) or (item.name is None and id is not None and index is not None)
