# SPDX-License-Identifier: MIT
"""Reading JSON text that is still coming."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from ._json import _JSON, FrozenDict, _is_object, parse_object


def read_object(text: str) -> FrozenDict:
    """What can be read of a JSON object whose text may break off, or go wrong, anywhere."""
    whole = parse_object(text)
    if whole is not None:
        return whole
    try:
        return FrozenDict(_Reader(text).value() if _is_object(text) else ())
    except (ValueError, RecursionError):
        return FrozenDict()


_MARKS = {mark: re.compile(rf"[ \t\n\r]*\{mark}") for mark in "{}[],:"}
_STRING = re.compile(r'[ \t\n\r]*("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)("?)')
_HALF_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_SCALAR = re.compile(r"[ \t\n\r]*(?:(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|([a-z]+))")
_LITERALS = {"true": True, "false": False, "null": None}
_NOTHING = object()


class _Reader:
    """Reads as much of a JSON value as is there; `broken` once it broke off or went wrong."""

    __slots__ = ("_text", "_at", "broken")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.broken = False

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return found

    def value(self) -> Any:
        if self._take(_MARKS["{"]):
            members: dict[str, Any] = {}
            while (key := self._string()) is not None and not self.broken and self._take(_MARKS[":"]):
                if (member := self.value()) is not _NOTHING:
                    members[key] = member
                if self.broken or not self._take(_MARKS[","]):
                    break
            return self._closed(members, "}")
        if self._take(_MARKS["["]):
            elements: list[Any] = []
            if self._take(_MARKS["]"]):
                return elements
            while not self.broken and (element := self.value()) is not _NOTHING:
                elements.append(element)
                if not self._take(_MARKS[","]):
                    break
            return self._closed(elements, "]")
        string = self._string()
        return self._scalar() if string is None else string

    def _closed(self, container: Any, mark: str) -> Any:
        self.broken = self.broken or not self._take(_MARKS[mark])
        return container

    def _string(self) -> str | None:
        found = self._take(_STRING)
        if found is None:
            return None
        self.broken = not found[2]
        # While the second half of a surrogate pair may be still to come, there is no character yet.
        text: str = json.loads((_HALF_PAIR.sub(r"\1", found[1]) if self.broken else found[1]) + '"')
        return text

    def _scalar(self) -> Any:
        number, word = found.groups() if (found := self._take(_SCALAR)) else (None, None)
        for literal, value in _LITERALS.items():
            if word and literal.startswith(word):
                self.broken = word != literal
                return value
        with suppress(ValueError):  # a number that Python cannot hold
            if number:
                return _JSON.decode(number)
        self.broken = True
        return _NOTHING
