# SPDX-License-Identifier: MIT
"""Bytes as base64 text: boto3 has bytes where the provider's JSON has base64."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from .._json import ARRAY, OBJECT

__all__ = ["joined_base64", "plain_json"]

_BYTES: tuple[type[Any], ...] = (bytes, bytearray, memoryview)


def plain_json(value: Any) -> Any:
    """Return a copy of a value with base64 text in place of bytes."""
    if isinstance(value, _BYTES):
        return _base64(value)
    if isinstance(value, OBJECT):
        return {key: plain_json(member) for key, member in value.items()}
    return [plain_json(element) for element in value] if isinstance(value, ARRAY) else value


def joined_base64(parts: Iterable[Any]) -> str:
    """Return the base64 text of data that came in parts: bytes, or base64 texts."""
    parts = list(parts)
    try:
        return _base64(b"".join(b64decode(part, validate=True) if isinstance(part, str) else part for part in parts))
    except (TypeError, ValueError):  # not base64 each: one text, cut anywhere
        return "".join(map(_base64, parts))


def _base64(data: Any) -> str:
    return b64encode(data).decode() if isinstance(data, _BYTES) else str(data)
