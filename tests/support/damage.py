"""JSON with one thing wrong."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

WRONG: list[Any] = [None, True, False, 7, -1, 1.5, "x", [], {}]
REMOVED = object()
NULLABLE = {
    *("toolName", "textSignature", "thinkingSignature", "thoughtSignature", "invalidArguments"),
    *("stopReason", "rawStopReason", "errorMessage", "responseId", "cost"),
}
OPTIONAL = NULLABLE | {"annotations", "redacted", "reasoning", "providerDetails", "totalTokens"}
VERBATIM = {"arguments", "annotations", "data", "providerDetails"}
Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where a JSON value has members and items."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(value[key], (*path, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def damaged(data: Any, path: Path, value: Any) -> Any:
    """Return a copy with another value at a path; `REMOVED` is none."""
    data = deepcopy(data)
    if value is REMOVED:
        del at(data, path[:-1])[path[-1]]
    else:
        at(data, path[:-1])[path[-1]] = value
    return data


def named(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def is_free(path: Path) -> bool:
    """Return whether a path leads into JSON that is kept verbatim."""
    return not VERBATIM.isdisjoint(path[:-1])


def may_be_null(path: Path) -> bool:
    return path == ("id",) or path[-1] in NULLABLE


def may_be_missing(path: Path) -> bool:
    return type(path[-1]) is int or is_free(path) or may_be_null(path) or path[-1] in OPTIONAL


def is_right(path: Path, old: Any, new: Any) -> bool:
    """Return whether a value is as good as the one that stands there."""
    if path[-1] == "totalTokens" or is_free(path) or (new is None and may_be_null(path)):
        return True
    return kind(new) == "number" and ("cost" in path[:-1] or (kind(old) == "number" and type(new) is int and new >= 0))


def wrong_for(old: Any) -> list[Any]:
    """Return values of all other JSON types, and odd numbers for a number."""
    return [value for value in WRONG if kind(value) != kind(old) or kind(old) == "number"]


def with_value(data: Any, path: Path, value: Any) -> Any:
    """Return `data` with another value at a path; what is not on the path is shared. For values too deep to copy."""
    if not path:
        return value
    step, *rest = path
    copy: Any = [*data] if isinstance(data, list) else {**data}
    copy[step] = with_value(data[step], tuple(rest), value)
    return copy
