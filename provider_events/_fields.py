# SPDX-License-Identifier: MIT
"""The fields that `MessageBuilder` can change, and their types at run time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from ._json import JsonValue
from .messages import Usage


class MessageFields(TypedDict, total=False):
    """What `MessageBuilder.update` can change: fields of `AssistantMessage`."""

    api: str
    provider: str
    model: str
    usage: Usage
    raw_stop_reason: str | None
    response_id: str | None
    timestamp: int
    provider_details: Mapping[str, Any]


class BlockFields(TypedDict, total=False):
    """What `MessageBuilder.update_block` can change: fields of the content blocks."""

    text_signature: str | None
    annotations: Iterable[JsonValue]
    thinking_signature: str | None
    redacted: bool
    id: str
    name: str
    thought_signature: str | None
    provider_details: Mapping[str, Any]
    data: Mapping[str, Any]


_STR_OR_NONE = (str, type(None))
_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "api": (str,),
    "provider": (str,),
    "model": (str,),
    "usage": (Usage,),
    "raw_stop_reason": _STR_OR_NONE,
    "response_id": _STR_OR_NONE,
    "timestamp": (int,),
    "provider_details": (Mapping,),
    "text_signature": _STR_OR_NONE,
    "annotations": (Iterable,),
    "thinking_signature": _STR_OR_NONE,
    "redacted": (bool,),
    "id": (str,),
    "name": (str,),
    "thought_signature": _STR_OR_NONE,
    "data": (Mapping,),
}


def check_names(call: str, fields: Iterable[str], known: Iterable[str]) -> None:
    """Raise `TypeError` for a field that is not known."""
    known = sorted(known)
    for name in fields:
        if name not in known:
            raise TypeError(f"{call}: expected one of {', '.join(known)}, found the field {name!r}")


def check_types(call: str, fields: Mapping[str, Any]) -> None:
    """Raise `TypeError` for a field of a wrong type."""
    for name, value in fields.items():
        expected = _FIELD_TYPES[name]
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            names = " or ".join("None" if each is type(None) else each.__name__ for each in expected)
            raise TypeError(f"{call}: expected {name} of type {names}, found {type(value).__name__}")
