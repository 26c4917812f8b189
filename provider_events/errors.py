# SPDX-License-Identifier: MIT
"""The exceptions that building, checking and reading a stream raise."""

from __future__ import annotations

__all__ = ["StreamProtocolError", "StreamStateError", "WireError"]


class StreamStateError(RuntimeError):
    """A call of a `MessageBuilder` that the grammar does not allow now. The message lists the calls that it does."""


class StreamProtocolError(ValueError):
    """A stream is not valid. The message has the event, what was found in it and what was expected."""

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(index, problem)
        self.index = index
        """The number of the event in its stream, from 0; of a missing event, the number it should have."""

    def __str__(self) -> str:
        return f"event {self.index}{self.args[1]}"


class WireError(ValueError):
    """Data that is not of the JSON form, or a value that has no JSON form."""

    def __init__(self, problem: str, path: str = "", line: int | None = None) -> None:
        super().__init__(problem)
        self.path = path
        """Where the problem is, such as `partial.content[2].text`. Empty for the whole value."""
        self.line = line
        """The line of the log, from 1; None if no log was read."""

    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line is not None else []
        return ": ".join([*where, *filter(None, [self.path]), super().__str__()])

    def inside(self, key: str | int) -> WireError:
        """Put the key or index of the enclosing value in front of the path, and return the error itself."""
        if isinstance(key, int):
            step = f"[{key}]"
        else:
            step = key if key.isidentifier() else f"{key!r:.80}"  # the keys of a tool's arguments may be anything
        dot = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{step}{dot}{self.path}"[:200]
        return self
