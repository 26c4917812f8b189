# SPDX-License-Identifier: MIT
"""Errors in a provider's payloads: whether a payload is one, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._error_words import error_words, exception_words
from .._json import OBJECT

__all__ = ["error_words", "exception_words", "payload_error"]

_FINE = frozenset({"", "0", "200", "ok", "success", "none", "null", "false"})
"""Codes of success, in lower case."""
_UNDER_WAY = frozenset({"queued", "pending", "started", "running", "processing", "in_progress", "completed", "done"})
"""Statuses of work that has not failed, in lower case."""
_AROUND = frozenset(
    {"message", "type", "code", "param", "status", "request_id", "requestId", "id", "object", "__type"}
    | {"Message", "Code", "RequestId", "HostId"}  # Alibaba Cloud, AWS
)
"""What may stand beside the message of an error that has nothing else to know it by."""


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
        bool(get("error"))
        or bool(get("errors"))
        or bool(get("fault"))  # Apigee
        or _is_text(get("error_message"))
        or _is_text(get("errorMessage"))
        or _is_text(get("error_msg"))
        or get("type") == "error"
        or get("object") == "error"  # vLLM, Mistral
        or get("event") == "error"
        or (isinstance(base_resp, OBJECT) and _is_bad_code(base_resp.get("status_code")))  # MiniMax
        or (_is_text(message) and (_is_bad_code(code) or get("success") is False))  # DashScope
        or (_is_text(message) and (_is_status(get("status")) or _is_status(get("status_code"))))
        or (_is_text(message) and payload.keys() <= _AROUND and not _is_good_code(code) and not _is_fine(get("status")))
        or (_is_text(get("title")) and _is_status(get("status")))  # RFC 9457
        or (bool(get("detail")) and payload.keys() <= {"detail", *_AROUND})  # FastAPI
        or any(str(key).endswith("Exception") and member for key, member in payload.items())  # Bedrock
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_good_code(value: object) -> bool:
    return value is not None and str(value).lower() in _FINE


def _is_fine(status: object) -> bool:
    return _is_good_code(status) or str(status).lower() in _UNDER_WAY


def _is_bad_code(value: object) -> bool:
    return value is not None and not _is_good_code(value)


def _is_status(value: object) -> bool:
    """Whether this is the HTTP status of a failure, or a word for one."""
    return value in ("error", "failed", "fail") or (str(value).isdecimal() and 400 <= int(str(value)) < 600)
