# SPDX-License-Identifier: MIT
"""Errors in a provider's payloads: whether a payload is one, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._error_words import error_words, exception_words

__all__ = ["error_words", "exception_words", "payload_error"]

_FINE = frozenset({"", "0", "200", "ok", "success", "none", "null", "false"})
"""Codes that say that all is well, in lower case."""
_AROUND = frozenset({"message", "type", "code", "param", "status", "request_id", "requestId", "id", "object", "__type"})
"""What may stand beside the message of an error that has nothing else to know it by."""


def payload_error(payload: Mapping[str, Any]) -> str | None:
    """Return the words of a payload that is an error, None if it is none.

    For payloads that a format does not otherwise know: what could be a chunk with content is no error.
    """
    return error_words(payload) if _is_error(payload) else None


def _is_error(payload: Mapping[str, Any]) -> bool:
    get = payload.get
    message = get("message") or get("msg")
    base_resp = get("base_resp")
    return (
        _is_failure(get("error"))
        or _is_failure(get("errors"))
        or _is_text(get("error_message"))
        or _is_text(get("errorMessage"))
        or _is_text(get("error_msg"))
        or get("type") == "error"
        or get("object") == "error"  # vLLM, Mistral
        or get("event") == "error"
        or (isinstance(base_resp, Mapping) and _is_bad_code(base_resp.get("status_code")))  # MiniMax  # pyright: ignore[reportUnknownMemberType]
        or (_is_text(message) and (_is_bad_code(get("code")) or _is_status(get("status")) or _is_status(get("status_code"))))
        or (_is_text(message) and payload.keys() <= _AROUND)  # Bedrock, Cohere, API gateways
        or (_is_text(get("title")) and _is_status(get("status")))  # RFC 9457
        or (_is_failure(get("detail")) and payload.keys() <= {"detail", *_AROUND})  # FastAPI
        or any(key.endswith("Exception") and member for key, member in payload.items())  # Bedrock
    )


def _is_failure(value: object) -> bool:
    """Whether the value of an error member says something: null, false and empty ones do not."""
    return bool(value) and (value is True or isinstance(value, (str, Mapping, Sequence)))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_bad_code(value: object) -> bool:
    return value is not None and str(value).lower() not in _FINE


def _is_status(value: object) -> bool:
    """Whether this is the HTTP status of a failure, or a word for one."""
    return value in ("error", "failed", "fail") or (str(value).isdecimal() and 400 <= int(str(value)) < 600)
