# SPDX-License-Identifier: MIT
"""Errors among a provider's payloads: which payloads are one, and the words of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._error_words import error_words
from .._json import OBJECT

__all__ = ["payload_error"]

_SUCCESS = frozenset({"", "0", "200", "ok", "success", "none", "null", "false"})
"""The codes of success, in lower case."""
_NO_FAILURE = frozenset({"queued", "pending", "started", "running", "processing", "in_progress", "completed", "done"})
"""The statuses of work that has not failed, in lower case."""
_ENVELOPE = frozenset(
    {"message", "type", "code", "param", "status", "request_id", "requestId", "id", "object", "__type"}
    | {"Message", "Code", "RequestId", "HostId"}  # Alibaba Cloud, AWS
)
"""A payload with a message, and with no other keys than these, is an error."""


def payload_error(payload: Mapping[str, Any]) -> str | None:
    """Return the words of a payload that is an error, None if it is none.

    For payloads that a format does not otherwise know: what could be a chunk with content is no error.
    """
    return error_words(payload) if _is_error(payload) else None


def _is_error(payload: Mapping[str, Any]) -> bool:
    get = payload.get
    message = get("message") or get("msg") or get("Message")
    code = get("code") or get("Code")
    base_resp: Any = get("base_resp")
    return (
        any(map(get, ("error", "errors", "fault")))  # `fault`: Apigee
        or any(map(_is_text, map(get, ("error_message", "errorMessage", "error_msg"))))
        or "error" in (get("type"), get("object"), get("event"))  # `object`: vLLM, Mistral
        or (isinstance(base_resp, OBJECT) and _is_bad_code(base_resp.get("status_code")))  # MiniMax
        or (_is_text(message) and (_is_bad_code(code) or get("success") is False))  # DashScope
        or (_is_text(message) and (_is_status(get("status")) or _is_status(get("status_code"))))
        or (_is_text(message) and payload.keys() <= _ENVELOPE and not (_is_good_code(code) or _is_fine(get("status"))))
        or (_is_text(get("title")) and _is_status(get("status")))  # RFC 9457
        or (bool(get("detail")) and payload.keys() <= {"detail", *_ENVELOPE})  # FastAPI
        or any(str(key).endswith("Exception") and member for key, member in payload.items())  # Bedrock
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_good_code(value: object) -> bool:
    return value is not None and str(value).lower() in _SUCCESS


def _is_fine(status: object) -> bool:
    return _is_good_code(status) or str(status).lower() in _NO_FAILURE


def _is_bad_code(value: object) -> bool:
    return value is not None and not _is_good_code(value)


def _is_status(value: object) -> bool:
    """Return whether a value is the HTTP status of a failure, or a word for failure."""
    return value in ("error", "failed", "fail") or (str(value).isdecimal() and 400 <= int(str(value)) < 600)
