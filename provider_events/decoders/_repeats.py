# SPDX-License-Identifier: MIT
"""Tool calls that come twice: proxies send them again, whole, behind their stream."""

from __future__ import annotations

from collections.abc import Iterator

from ._payload import Payload, arguments_text, json_or_text, text_or_none

__all__ = ["Repeats"]


class Repeats:
    """Holds back a call that has the id of one that has ended, until its arguments tell whether it is that one."""

    def __init__(self) -> None:
        self._names: dict[int, str | None] = {}  # by content index
        self._ended: dict[str, tuple[str | None, str]] = {}  # by id: the name and the arguments
        self._held: dict[int | None, tuple[Payload, str, str, list[str]]] = {}  # by the provider's index

    def note_start(self, content_index: int, name: str | None) -> None:
        """Note the name of a call that has begun."""
        self._names[content_index] = name

    def note_end(self, content_index: int, id: str | None, arguments: str) -> None:
        """Note the arguments of a call that has ended."""
        if id:
            self._ended[id] = self._names.get(content_index), arguments

    def hold(self, index: int | None, id: str | None, start: Payload, given: object) -> bool:
        """Hold a call back if it may be one that has ended; return whether it is held.

        `given` are arguments that came with its start; they count if no others follow.
        """
        name = text_or_none(start.get("name"))
        known = self._ended.get(id or "")
        if id is None or known is None or name not in (None, known[0]):
            return False
        self._held[index] = start, id, arguments_text(given), []
        return True

    def append(self, index: int | None, arguments: str) -> bool:
        """Append to the arguments of a call that is held; return whether there is one at this index."""
        if index not in self._held:
            return False
        self._held[index][3].append(arguments)
        return True

    def take(self, index: int | None) -> tuple[Payload, str] | None:
        """Return the start and the arguments of a call that was held, unless it is the one that has ended."""
        if index not in self._held:
            return None
        start, id, given, deltas = self._held.pop(index)
        arguments = "".join(deltas) or given
        is_empty = not (arguments or start.get("name"))
        is_same = json_or_text(arguments or "{}") == json_or_text(self._ended[id][1])
        return None if is_same or is_empty else (start, arguments or "{}")

    def __contains__(self, index: object) -> bool:
        return index in self._held

    def __iter__(self) -> Iterator[int | None]:
        return iter(list(self._held))
