# SPDX-License-Identifier: MIT
"""Tool calls that may be repetitions: some proxies stream a call, and send it once more as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from ._blocks import OpenBlock
from ._payload import Payload, arguments_text, json_or_text, text_or_none

__all__ = ["HeldCalls"]


class HeldCalls:
    """Calls with the id of an earlier call, held back until their arguments show whether they repeat it."""

    def __init__(self) -> None:
        self._ended: dict[str, tuple[str | None, str]] = {}  # by id: the name and the arguments
        self._held: dict[int | None, tuple[Payload, str, str, list[str]]] = {}  # by the provider's index

    def note_end(self, block: OpenBlock, arguments: str) -> None:
        """Note a call that has ended, and its arguments."""
        if block.tool_call_id:
            self._ended[block.tool_call_id] = block.tool_name, arguments

    def hold(self, index: int | None, id: str | None, start: Payload, given: object) -> bool:
        """Hold a call back if it may repeat one that has ended; return whether it is held.

        `given` are the arguments in its start, which count if no deltas follow.
        """
        name = text_or_none(start.get("name"))
        ended = self._ended.get(id or "")
        if id is None or ended is None or name not in (None, ended[0]):
            return False
        self._held[index] = start, id, arguments_text(given), []
        return True

    def append(self, index: int | None, arguments: str) -> bool:
        """Append to the arguments of the call that is held at an index; return whether there is one."""
        if index not in self._held:
            return False
        self._held[index][3].append(arguments)
        return True

    def take(self, index: int | None) -> tuple[Payload, str] | None:
        """Remove the call that is held at an index; return its start and arguments, or None for a repetition."""
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
