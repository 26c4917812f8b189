# SPDX-License-Identifier: MIT
"""The payloads in a chunk, whatever its form, and readers of a payload's fields.

To all readers, null means that a field is missing. Strict ones (`expect_…`) raise `MalformedChunk` with the path of
a field of the wrong type; lenient ones (`…_or_empty`, `…_or_none`) take such a field for missing.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol, TypeAlias

from .._json import ARRAY, MAX_NESTING, OBJECT, check_nesting, parse_json
from ._objects import is_whole


class SupportsModelDump(Protocol):
    """A chunk object of an official SDK: a pydantic model."""

    def model_dump(self) -> Any: ...


Chunk: TypeAlias = Mapping[str, Any] | Sequence[Any] | str | bytes | bytearray | SupportsModelDump
"""One chunk: a mapping, the payload text of a server-sent event, an official SDK's object, or a list of these."""

Payload: TypeAlias = Mapping[str, Any]

END_MARK = "[DONE]"


class MalformedChunk(ValueError):
    """A chunk is not what its format requires."""


# Fields of a payload


def expect_object(value: Any, path: str) -> Payload:
    """Return an object; empty if it is missing."""
    if value is None:
        return {}
    if not isinstance(value, OBJECT):
        raise _wrong_type(value, "an object", path)
    found: Payload = value
    return found


def expect_array(value: Any, path: str) -> Sequence[Any]:
    """Return an array; empty if it is missing."""
    if value is None:
        return ()
    if not isinstance(value, ARRAY):
        raise _wrong_type(value, "an array", path)
    found: Sequence[Any] = value
    return found


def expect_text(value: Any, path: str) -> str:
    """Return a string; empty if it is missing."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise _wrong_type(value, "a string", path)


def _wrong_type(value: object, expected: str, path: str) -> MalformedChunk:
    return MalformedChunk(f"{path}: expected {expected}, found {value!r:.200}")


def object_or_empty(value: Any) -> Payload:
    """Return an object, or an empty one for anything else."""
    return value if value and isinstance(value, OBJECT) else {}


def array_or_empty(value: Any) -> Sequence[Any]:
    """Return an array, or an empty one for anything else."""
    return value if isinstance(value, ARRAY) else ()


def text_or_empty(value: object) -> str:
    """Return a string, or an empty one for anything else."""
    return value if isinstance(value, str) else ""


def text_or_none(value: object) -> str | None:
    """Return a string that is not empty, such as an id or a name, or None for anything else."""
    return value if value and isinstance(value, str) else None


def id_or_none(value: object) -> str | None:
    """Return an id; some providers send a number. None for anything else."""
    return str(value) if type(value) is int else text_or_none(value)


def index_or_none(value: object) -> int | None:
    """Return an index; some providers send it as `"0"` or `0.0`. None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else None


def count_or_none(value: object) -> int | None:
    """Return a number of tokens, or None for anything else."""
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(value) if 0 <= value < 1e15 else None
    return None


def to_json(value: object) -> str:
    """Return the JSON text of arguments that came as an object."""
    return json.dumps(value, ensure_ascii=False, default=str)


def arguments_text(value: Any) -> str:
    """Return the JSON text of arguments, or of a part of them. They come as text or as an object."""
    if isinstance(value, str):
        return value
    return to_json(value) if value else ""


def json_or_text(text: Any) -> Any:
    """Return the JSON value that a text is, or the text if it is none."""
    try:
        return parse_json(text) if isinstance(text, str) else text
    except ValueError:
        return text


# Chunks


def _float_or_text(number: str) -> float | str:
    return value if isfinite(value := float(number)) else number


# What JSON has no number for becomes text: one NaN among log probabilities must not fail a stream.
# Control characters in strings are let through: some proxies do not escape them.
_JSON: Any = json.JSONDecoder(parse_float=_float_or_text, parse_constant=str, strict=False)
scan_json = _JSON.scan_once
"""Return the JSON value at a position of a text, and where it ends: `json.loads` without its search for blanks."""


def plain_payload(chunk: Any, repetitions: frozenset[str]) -> Payload | None:
    """Return the payload of a chunk in its commonest forms: a dict, the text of an object, an SDK's object.

    None means that it needs `payloads`: it has another form, or may be nested too deep, or wrapped.
    """
    payload = chunk
    if type(chunk) is str:
        if len(chunk) > MAX_NESTING and chunk.count("{") + chunk.count("[") > MAX_NESTING:
            return None
        try:
            payload, end = scan_json(chunk, 0)
        except (ValueError, StopIteration):
            return None
        if end != len(chunk):
            return None
    if type(payload) is not dict:
        attributes = getattr(chunk, "__dict__", None)
        if attributes and hasattr(chunk, "model_dump") and "type" in attributes:
            if attributes["type"] not in repetitions and attributes.keys().isdisjoint(_WRAPPERS):
                dumped: Payload = _dumped(chunk)
                return dumped if isinstance(dumped, dict) else None
        return None
    if "chunk" in payload or "bytes" in payload:
        return None
    return payload  # pyright: ignore[reportUnknownVariableType]  # a dict of what is not checked here


def payloads(chunk: Any, repetitions: frozenset[str] = frozenset()) -> Iterator[Payload | None]:
    """Yield the payloads of a chunk; None stands for an end mark.

    `repetitions` are the types of an SDK's own chunk objects that only repeat what other chunks bring.
    Raises `MalformedChunk` for what is no chunk.
    """
    if isinstance(chunk, (str, bytes, bytearray)):
        text = chunk if isinstance(chunk, str) else chunk.decode("utf-8", "replace")
        stripped = text.strip(" \t\r\n\ufeff")
        if stripped.upper() == END_MARK:
            yield None
        elif stripped:
            value = _parsed(stripped)
            if isinstance(value, str) and stripped.startswith('"'):  # JSON text inside JSON text
                yield from payloads(value, repetitions)
            else:
                yield from _unwrapped(value, repetitions)
    else:
        yield from _unwrapped(chunk, repetitions)


def _parsed(text: str) -> Any:
    try:
        check_nesting(text)
        return _JSON.decode(text)
    except ValueError as error:
        if lines := _json_lines(text):
            return lines
        is_event = text.startswith(("data:", "event:", "id:", ":"))
        hint = "; pass the body of an HTTP response through iter_sse first" if is_event else ""
        raise MalformedChunk(f"expected JSON, found {text[:2000]} ({error}{hint})") from None


def _json_lines(text: str) -> list[str]:
    """Return the lines of a text that are JSON each: a reader of server-sent events has joined `data:` lines."""
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    return lines if len(lines) > 1 and all(map(is_whole, lines)) else []


def _unwrapped(value: Any, repetitions: frozenset[str]) -> Iterator[Payload | None]:
    """Yield the payloads in a value that is no text: the value itself, what it wraps, or those of its elements."""
    if isinstance(value, OBJECT):
        wrapped = value.get("chunk", value) if len(value) <= 2 else value
        data = wrapped.get("bytes") if isinstance(wrapped, OBJECT) else None
        if data and isinstance(data, (str, bytes, bytearray)):  # Bedrock's InvokeModel
            yield from payloads(_from_base64(data) if isinstance(data, str) else data, repetitions)
        elif value:
            yield value if type(value) is dict or not isinstance(value, dict) else _with_attributes(value)
    elif isinstance(value, ARRAY):
        for element in value:
            yield from payloads(element, repetitions)
    elif hasattr(value, "model_dump"):
        attributes: dict[str, Any] = getattr(value, "__dict__", {})
        if attributes.get("type") not in repetitions:
            inner = wrapped_object(attributes)
            if inner is None:
                yield _dumped(value)
            else:
                yield from _unwrapped(inner, repetitions)
    elif value is not None:
        raise MalformedChunk(f"expected a mapping, a text or an SDK's object, found {value!r:.200}")


_WRAPPERS = ("chunk", "data", "raw")


def wrapped_object(attributes: Mapping[str, Any]) -> Any:
    """Return the payload that an SDK object wraps: `chunk` of openai, `data` of mistralai, `raw` of OpenRouter."""
    for name in _WRAPPERS:
        inner = attributes.get(name)
        if inner is not None and (hasattr(inner, "model_dump") or (name == "raw" and isinstance(inner, OBJECT))):
            return inner
    return None


def _with_attributes(value: Any) -> Any:
    """Return a dict made of its attributes: huggingface_hub keeps the fields that it does not know only there."""
    if isinstance(value, OBJECT):
        attributes: dict[str, Any] = getattr(value, "__dict__", {})
        return {key: _with_attributes(member) for key, member in attributes.items()} if attributes else value
    return [_with_attributes(element) for element in value] if isinstance(value, ARRAY) else value


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text)
    except ValueError:
        raise MalformedChunk(f"bytes: expected base64, found {text:.200}") from None


def _dumped(chunk: Any) -> Any:
    try:
        try:
            return chunk.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)
        except TypeError:  # a stand-in that takes no options
            return chunk.model_dump()
    except Exception as error:
        raise MalformedChunk(f"{type(chunk).__name__}.model_dump failed: {type(error).__name__}") from error
