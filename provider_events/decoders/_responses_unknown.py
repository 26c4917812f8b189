# SPDX-License-Identifier: MIT
"""Output items of a Responses stream that this package has no type for: server-side tools, images and more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._json import OBJECT
from ._blocks import OpenUnknown
from ._details import Details
from ._payload import Payload, array_or_empty

__all__ = ["UnknownItem"]


class UnknownItem(OpenUnknown):
    """The block of an item of another type: the item as it was given last, and what has streamed into it."""

    __slots__ = ("type", "_streamed", "_beside", "_updates")

    def __init__(self, index: int, given: Payload) -> None:
        super().__init__(index)
        self.data.merge(given)
        self.type = given.get("type")
        self._streamed = Details()  # text: deltas, and what whole texts add
        self._beside = Details()  # what other events bring
        self._updates = 0

    def grow(self, kind: str, members: Mapping[str, Any]) -> bool:
        """Take in what an event of type `kind` brings; return whether to show it now.

        That is seldom once there are many, so that showing costs no more than reading, however many come.
        """
        stem, _, verb = kind.removeprefix("response.").rpartition(".")
        key = "delta" if kind == self.type else stem.removeprefix(f"{self.type}_")
        if verb == "delta":
            self._streamed.append({key if name == "delta" else name: value for name, value in members.items()})
        elif verb == "done":
            known = self._streamed.value().get(key)
            self._streamed.merge({name: value for name, value in members.items() if not _is_in(value, known)})
        else:
            self._beside.merge(members)
        self._updates += 1
        return self._updates <= 8 or self._updates & (self._updates - 1) == 0

    def complete(self, given: Payload) -> None:
        """Take in the item as it is when it is done. It replaces text that streamed, and drafts of its result."""
        self.data.merge(given)
        final = self.data.value()
        streamed, self._streamed = self._streamed.value(), Details()
        self._streamed.merge({key: value for key, value in streamed.items() if not _is_in(value, final)})
        if final.get("result"):
            self._beside = Details()

    def value(self) -> dict[str, Any]:
        """Return the item, with what has streamed into it where the item itself has nothing."""
        final = self.data.value()
        more = self._streamed.value() | self._beside.value()
        return final | {key: value for key, value in more.items() if not final.get(key)}


def _is_in(value: Any, whole: Any) -> bool:
    """Return whether a value is a text, and in the texts of another value."""
    return isinstance(value, str) and value in "".join(_texts(whole))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    members: Iterable[Any] = value.values() if isinstance(value, OBJECT) else array_or_empty(value)
    for member in members:
        yield from _texts(member)
