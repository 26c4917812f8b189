# SPDX-License-Identifier: MIT
"""`partialArgs` of Google's function calls: values at JSON paths, turned into the JSON text of the arguments.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from ._payload import MalformedChunk, Payload, to_json

Path: TypeAlias = list[str | int]
"""The steps from the arguments to a value: names of members and indexes of elements."""

_STEP = re.compile(r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]""")
_MAX_STEPS = 100

_MISSING = object()


class PartialArgs:
    """Turns the values of one call into the text of its arguments, as they come.

    A value that can follow the text so far is appended at once. One that cannot, such as more of a string that
    another value has followed, waits for the end: there its top-level member is written once more, as a whole.
    Of two members with the same name, JSON readers take the last.
    """

    __slots__ = ("_text", "_path", "_members", "_in_string", "_late")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._path: Path = []  # of the latest value in order
        self._members: set[tuple[str | int, ...]] = set()  # the paths of all members in the text
        self._in_string = False  # whether the latest value is a string, whose closing quote is not written yet
        self._late: dict[tuple[str | int, ...], list[Any]] = {}

    def add(self, arg: Payload) -> str:
        """Return the text that a value, or the next part of a string, adds."""
        path = _parsed(arg.get("jsonPath"))
        value = _value(arg)
        if value is _MISSING:
            return ""
        is_string = isinstance(value, str)
        if is_string and self._in_string and path == self._path:
            text = to_json(value)[1:-1]
        elif self._is_in_order(path):
            text = self._lead_to(path) + to_json(value)
            self._in_string = is_string
            if is_string:
                text = text[:-1]
        else:
            self._late.setdefault(tuple(path), []).append(value)
            return ""
        self._text.append(text)
        return text

    def end(self) -> str:
        """Return the text that ends the arguments; empty if no value has come."""
        if not self._late:
            return self._close_to(0)
        found: dict[str, Any] = json.loads("".join(self._text) + self._close_to(0) or "{}")
        for path, values in self._late.items():
            _put(found, path, values)
        members = (
            f"{to_json(name)}:{to_json(found[str(name)])}" for name in dict.fromkeys(path[0] for path in self._late)
        )
        return (self._close_to(1) + "," if self._path else "{") + ",".join(members) + "}"

    def _is_in_order(self, path: Path) -> bool:
        """Return whether the value at `path` can follow the latest one in JSON text."""
        latest, shared = self._path, self._shared(path)
        if not latest:
            begun = 0
        elif shared == len(path) or shared == len(latest):
            return False
        else:
            begun, step, before = shared + 1, path[shared], latest[shared]
            if isinstance(step, int) or isinstance(before, int):
                if not (isinstance(step, int) and isinstance(before, int) and step == before + 1):
                    return False
            elif tuple(path[:begun]) in self._members:
                return False
        return not any(step for step in path[begun:] if isinstance(step, int))  # a new array begins with element 0

    def _shared(self, path: Path) -> int:
        """Return how many steps `path` has in common with the latest one."""
        pairs = enumerate(zip(self._path, path))
        return next((depth for depth, (one, other) in pairs if one != other), min(len(self._path), len(path)))

    def _lead_to(self, path: Path) -> str:
        """Return the text between the latest value and the one at `path`, which becomes the latest."""
        shared = self._shared(path)
        inside = bool(self._path)  # the first new step is in a container that is open already
        text = [self._close_to(shared + 1), ","] if inside else []
        for depth in range(shared, len(path)):
            step = path[depth]
            if not inside:
                text.append("[" if isinstance(step, int) else "{")
            if isinstance(step, str):
                self._members.add(tuple(path[: depth + 1]))
                text.append(to_json(step) + ":")
            inside = False
        self._path = path
        return "".join(text)

    def _close_to(self, depth: int) -> str:
        """Return the text that ends the string and the containers deeper than `depth`."""
        quote = '"' if self._in_string else ""
        return quote + "".join("]" if isinstance(step, int) else "}" for step in reversed(self._path[depth:]))


def _parsed(path: object) -> Path:
    """Return the steps of a JSON path such as `$.to[0].name` or `$['to']`."""
    steps: Path = []
    if isinstance(path, str) and path.startswith("$"):
        end = 1
        while len(steps) <= _MAX_STEPS and (step := _STEP.match(path, end)):
            steps.append(int(step["index"]) if step["index"] else step["name"] or step["quoted"] or "")
            end = step.end()
        if steps and end == len(path) and isinstance(steps[0], str) and len(steps) <= _MAX_STEPS:
            return steps
    raise MalformedChunk(f"partialArgs[].jsonPath: expected a path such as $.name[0], found {path!r:.200}")


def _value(arg: Payload) -> Any:
    """Return the value under `stringValue`, `numberValue`, `boolValue`, `nullValue` or the like."""
    for name, value in arg.items():
        if not name.endswith("Value") or value is None:
            continue
        if name == "nullValue":
            return None
        # Every number is a double there.
        return int(value) if isinstance(value, float) and value.is_integer() else value
    return None if "nullValue" in arg and "stringValue" not in arg else _MISSING


def _put(arguments: dict[str, Any], path: Sequence[str | int], values: Sequence[Any]) -> None:
    """Put values at a path: the last one counts, but strings continue the string there."""
    container: Any = arguments
    for depth, step in enumerate(path):
        if isinstance(step, str):
            old: Any = container.setdefault(step, None)
        else:
            if step >= len(container):
                step = len(container)
                container.append(None)
            old = container[step]
        if depth == len(path) - 1:
            is_text = all(isinstance(value, str) for value in values)
            container[step] = "".join([old if isinstance(old, str) else "", *values]) if is_text else values[-1]
        else:
            kind: type[Any] = list if isinstance(path[depth + 1], int) else dict
            if type(old) is not kind:
                old = container[step] = kind()
            container = old
