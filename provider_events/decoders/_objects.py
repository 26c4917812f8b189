# SPDX-License-Identifier: MIT
"""Where the JSON objects in a text begin and end, found by their brackets alone."""

from __future__ import annotations

import re

__all__ = ["ObjectFinder", "is_whole"]

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


class ObjectFinder:
    """Finds the objects in JSON text that comes line by line: each object, or each element of an array.

    The cost is linear in the text.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []  # the object that is open, so far
        self._depth = 0  # brackets open in it
        self._arrays = 0  # arrays open around it
        self.end = 0
        """Where in the latest line the latest object ended."""

    @property
    def is_open(self) -> bool:
        """Whether an object or an array has begun and not ended."""
        return self._depth > 0 or self._arrays > 0

    @property
    def rest(self) -> str:
        """The text of the object that is open, so far."""
        return "\n".join(self._lines)

    def feed(self, line: str) -> list[str]:
        """Return the objects that `line` completes."""
        found: list[str] = []
        begin = self.end = 0
        for token in _TOKEN.finditer(line):
            match token[0]:
                case "{" | "[" if self._depth:
                    self._depth += 1
                case "{":
                    self._depth, begin = 1, token.start()
                case "[":
                    self._arrays += 1
                case "}" | "]" if self._depth:
                    self._depth -= 1
                    if not self._depth:
                        self.end = token.end()
                        found.append("\n".join([*self._lines, line[begin : self.end]]))
                        self._lines.clear()
                case "]":
                    self._arrays = max(self._arrays - 1, 0)
                case _:  # a string, or a bracket too many
                    pass
        if self._depth:
            self._lines.append(line[begin:])
        return found


def is_whole(text: str) -> bool:
    """Return whether a text is complete JSON or `[DONE]`, by its brackets."""
    if not text.startswith(("{", "[")) or not text.endswith(("}", "]")):
        return False
    finder = ObjectFinder()
    finder.feed(text)
    return not finder.is_open
