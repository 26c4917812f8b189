# SPDX-License-Identifier: MIT
"""The difference between two JSON values, as JSON, so that a log need not write a growing value again and again.

A patch is an object. Its form depends on the old value:

    {"value": …}                                     anything: the new value
    {"append": "…"}                                  a string: more text
    {"append": […], "change": {"0": patch, …}}       an array: more items; patches of items, by index
    {"change": {"key": patch, …}, "remove": ["…"]}   an object: patches of members, also of new ones; keys to remove
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ._forms import JSON, JSON_ARRAY, STRING, array_of, expected, inside
from ._json import ARRAY, OBJECT
from .errors import WireError

_KEYS = array_of(STRING)


def diff(old: Any, new: Any) -> dict[str, Any]:
    """Return the patch that turns `old` into `new`; it is empty if they are equal."""
    if old == new:
        return {}
    for kind, patch_of in _PATCHES:
        if isinstance(old, kind) and isinstance(new, kind) and (patch := patch_of(old, new)):
            return {key: value for key, value in patch.items() if value}
    return {"value": JSON.write(new)}


# Each returns None if only the whole new value will do.


def _string_patch(old: str, new: str) -> dict[str, Any] | None:
    return {"append": STRING.write(new[len(old) :])} if new.startswith(old) else None


def _array_patch(old: Sequence[Any], new: Sequence[Any]) -> dict[str, Any] | None:
    if len(old) > len(new):
        return None
    pairs = enumerate(zip(old, new)) if [*old] != [*new[: len(old)]] else ()
    changed = {str(index): inside(index, diff, *pair) for index, pair in pairs if pair[0] != pair[1]}
    return {"change": changed, "append": JSON_ARRAY.write(new[len(old) :])}


def _object_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any] | None:
    kept = [key for key in old if key in new]
    if not kept or [*new][: len(kept)] != kept:  # a patch cannot reorder
        return None
    changed = [key for key in new if key not in old or old[key] != new[key]]
    return {
        "change": {STRING.write(key): inside(key, _member_patch, old, new, key) for key in changed},
        "remove": [key for key in old if key not in new],
    }


def _member_patch(old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> dict[str, Any]:
    return diff(old[key], new[key]) if key in old else {"value": JSON.write(new[key])}


_PATCHES: Final[list[tuple[Any, Callable[[Any, Any], dict[str, Any] | None]]]] = [
    (str, _string_patch),
    (OBJECT, _object_patch),
    (ARRAY, _array_patch),
]


def apply(old: Any, patch: Any) -> Any:
    """Return the value that a patch turns `old` into. Raise `WireError` if it is no patch of `old`."""
    if not isinstance(patch, OBJECT):
        raise expected("an object", patch)
    if "value" in patch:
        return inside("value", JSON.read, patch["value"])
    if isinstance(old, str):
        return old + inside("append", STRING.read, patch.get("append", ""))
    if isinstance(old, OBJECT):
        members: dict[str, Any] = dict(old)
        for key in inside("remove", _KEYS.read, patch.get("remove", [])):
            members.pop(key, None)
        inside("change", _change, members, patch.get("change", {}))
        return members
    if isinstance(old, ARRAY):
        items = [*old]
        inside("change", _change, items, patch.get("change", {}))
        return items + inside("append", JSON_ARRAY.read, patch.get("append", []))
    raise WireError("expected a new value, found nothing").inside("value")


def _change(container: dict[str, Any] | list[Any], patches: Any) -> None:
    """Apply patches to members of an object, or to items of an array."""
    if not isinstance(patches, OBJECT):
        raise expected("an object", patches)
    for key, patch in patches.items():
        if isinstance(container, dict):
            container[key] = inside(key, apply, container.get(key), patch)
        elif key.isdecimal() and len(key) < 20 and int(key) < len(container):
            container[int(key)] = inside(key, apply, container[int(key)], patch)
        else:
            raise expected(f"an index below {len(container)}", key)
