# SPDX-License-Identifier: MIT
"""Output items of a Responses stream that this package has no type for: server-side tools, images and others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._json import OBJECT
from ._blocks import OpenUnknown
from ._details import Details
from ._payload import Payload, array_or_empty

__all__ = ["UnknownItem"]


class UnknownItem(OpenUnknown):
    """The block of such an item: the latest form of the item, and what events have added to it since."""

    __slots__ = ("type", "_text", "_extras", "_updates")

    def __init__(self, index: int, given: Payload) -> None:
        super().__init__(index)
        self.data.merge(given)
        self.type = given.get("type")
        self._text = Details()  # text, from deltas and from the whole text after them
        self._extras = Details()  # the members of other events
        self._updates = 0

    def add(self, kind: str, members: Mapping[str, Any]) -> bool:
        """Add the members of an event of type `kind`; return whether to update the block in the message now.

        An update copies all members. After the first 8 events only each power of 2 is followed by one, so that the
        cost stays linear, and the end of the item or message brings the last one.
        """
        stem, _, verb = kind.removeprefix("response.").rpartition(".")
        key = "delta" if kind == self.type else stem.removeprefix(f"{self.type}_")
        if verb == "delta":
            self._text.append({key if name == "delta" else name: value for name, value in members.items()})
        elif verb == "done":
            known = self._text.value().get(key)
            self._text.merge({name: value for name, value in members.items() if not _is_in(value, known)})
        else:
            self._extras.merge(members)
        self._updates += 1
        return self._updates <= 8 or self._updates & (self._updates - 1) == 0

    def complete(self, given: Payload) -> None:
        """Take in the done item. It replaces the streamed text that it has too, and any drafts of its result."""
        self.data.merge(given)
        final = self.data.value()
        text, self._text = self._text.value(), Details()
        self._text.merge({key: value for key, value in text.items() if not _is_in(value, final)})
        if final.get("result"):
            self._extras = Details()

    def value(self) -> dict[str, Any]:
        """Return the item, with what events have added where the item itself has nothing."""
        final = self.data.value()
        more = self._text.value() | self._extras.value()
        return final | {key: value for key, value in more.items() if not final.get(key)}


def _is_in(value: Any, whole: Any) -> bool:
    """Return whether a value is a text that the texts inside another value contain."""
    return isinstance(value, str) and value in "".join(_texts(whole))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    members: Iterable[Any] = value.values() if isinstance(value, OBJECT) else array_or_empty(value)
    for member in members:
        yield from _texts(member)
