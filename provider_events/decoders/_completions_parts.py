# SPDX-License-Identifier: MIT
"""Reading parts of a chat completion: reasoning, signatures, images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .._json import ARRAY, OBJECT
from ._payload import Payload, array_or_empty, object_or_empty, text_or_empty, text_or_none

__all__ = [
    "REASONING_LIST_KEYS",
    "REASONING_TEXT_KEYS",
    "elements",
    "image_of",
    "is_thought",
    "part_signature",
    "reasoning_parts",
    "reasoning_text",
    "signature_of",
    "unwrapped",
]

REASONING_TEXT_KEYS = ("reasoning_content", "reasoning", "reasoning_text")
"""The fields of a delta that have reasoning as text; the first that is not empty counts."""
REASONING_LIST_KEYS = ("reasoning_details", "thinking_blocks")
"""The fields of a delta that have reasoning as a list of parts with signatures: OpenRouter and MiniMax, LiteLLM."""

# The paths of objects that may have a `thought_signature`: Gemini's and Vertex AI's compatible endpoints, LiteLLM.
_SIGNATURE_PATHS = (("extra_content", "google"), ("extra_content", "vertex"), ("provider_specific_fields",))
# The keys of a reasoning part that may have its text.
_TEXT_KEYS = ("text", "thinking", "reasoning", "summary", "content")
_DATA_URL = re.compile(r"data:([^;,]*)[^,]*;base64,", re.IGNORECASE)


def elements(value: Any) -> Iterator[Any]:
    """Yield the elements of an array that are not null; of any other value that is not empty, the value itself."""
    if value:
        for element in value if isinstance(value, ARRAY) else (value,):
            if element is not None:
                yield element


def unwrapped(part: Any) -> Any:
    """Return a part without the object around it: OpenRouter's and Mistral's SDKs wrap parts of unknown types."""
    if isinstance(part, OBJECT) and "raw" in part and part.keys() <= {"raw", "type", "is_unknown"}:
        return part["raw"]
    return part


def reasoning_parts(delta: Payload, key: str) -> list[Payload]:
    """Return the parts of reasoning in the list `key`, one of `REASONING_LIST_KEYS`."""
    return [part for part in map(unwrapped, array_or_empty(delta.get(key))) if isinstance(part, OBJECT)]


def reasoning_text(value: Any) -> str:
    """Return the text of reasoning: of a string, a part, or a list of either."""
    if isinstance(value, str):
        return value
    if isinstance(value, ARRAY):
        return "".join(map(reasoning_text, value))
    if not value or not isinstance(value, OBJECT):
        return ""
    return next((text for key in _TEXT_KEYS if (member := value.get(key)) and (text := reasoning_text(member))), "")


def signature_of(holder: Payload) -> str | None:
    """Return the signature of a delta, a part or a call, under whichever key it is."""
    if signature := text_or_none(holder.get("signature")) or text_or_none(holder.get("thought_signature")):
        return signature
    for path in _SIGNATURE_PATHS:
        inner = holder
        for key in path:
            inner = object_or_empty(inner.get(key))
        if inner and (signature := text_or_none(inner.get("thought_signature"))):
            return signature
    for entry in array_or_empty(holder.get("summary")):  # Databricks
        if signature := text_or_none(object_or_empty(entry).get("signature")):
            return signature
    return None


def part_signature(part: Payload) -> str | None:
    """Return the signature of a part of reasoning: encrypted `data` is one too."""
    return text_or_none(part.get("data")) or signature_of(part)


def is_thought(delta: Payload) -> bool:
    """Return whether the content of a delta is flagged as reasoning."""
    extra = object_or_empty(delta.get("extra_content"))
    return any(object_or_empty(extra.get(vendor)).get("thought") is True for vendor in ("google", "vertex"))


def image_of(part: Payload) -> tuple[str, str] | None:
    """Return the base64 data and the media type of an image; None if it has no data, such as an address."""
    source = object_or_empty(part.get("source"))  # Claude's form
    if data := text_or_empty(source.get("data")):
        return data, text_or_none(source.get("media_type")) or "image/png"
    if data := text_or_empty(part.get("b64_json")):
        return data, text_or_none(part.get("mime_type")) or "image/png"
    image = part.get("image_url") or part.get("image")
    url = text_or_empty(object_or_empty(image).get("url")) or text_or_empty(image)
    if match := _DATA_URL.match(url):
        return url[match.end() :], match[1].lower() or "image/png"
    return None
