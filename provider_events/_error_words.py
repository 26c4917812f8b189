# SPDX-License-Identifier: MIT
"""The text of an error, `type code: message`, from any shape in which providers and clients give it.

`fallback_reason` and the decoders read failures through this module alone, so that an exception and the `Error`
made of it have the same text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from ._json import ARRAY, OBJECT, parse_json

MISTAKES = (TypeError, AttributeError, NameError, AssertionError, NotImplementedError, ImportError, SyntaxError)
"""The exceptions that are mistakes in the program, not failures of a provider or a connection."""

_MAX_TEXT = 2000
"""The characters kept of one text: enough for a message, but not for a page of HTML."""
_MAX_DEPTH = 8
_MAX_ITEMS = 20

# The members of an error payload, in the order in which they are shown.
_KINDS = ("type", "error_type", "__type", "status", "code", "Code", "error_code", "errorCode", "status_code")
_MESSAGES = (
    "message",
    "Message",
    "msg",
    "error_message",
    "errorMessage",
    "error_msg",
    "status_msg",  # MiniMax, in `base_resp`
    "title",  # RFC 9457
    "detail",  # FastAPI
    "details",  # Google
    "description",  # Google, in `details`
    "reason",  # Google, in `details`
    "violations",  # Google, in `details`
    "explanation",  # Anthropic, in `stop_details`
    "category",  # Anthropic, in `stop_details`
    "blockReason",  # Gemini
    "blockReasonMessage",  # Vertex AI
    "originalMessage",  # Bedrock
    "failed_generation",  # Groq
    "error_description",  # OAuth
    "faultstring",  # Apigee
)
_NESTED = ("error", "Error", "errors", "base_resp", "metadata", "raw", "innererror", "promptFeedback", "fault")
_LAST_PLACES = ("detail", "error", "reason", "response")
"""The attributes of an exception that are looked at if it has no words elsewhere."""
_MEANINGLESS = frozenset({"", "error", "None", "null"})


def error_words(value: Any) -> str:
    """Return the words of a value that is known to be an error, whatever its type."""
    kinds, messages = _collected(value)
    if not messages and not isinstance(value, (str, bytes, bytearray)) and value:
        with suppress(Exception):  # what cannot be shown has no words
            messages = [json.dumps(value, ensure_ascii=False, default=str)[:_MAX_TEXT]]
            kinds = []
    return _joined(kinds, messages)


def exception_words(error: BaseException) -> str:
    """Return the class, the status and the words of an exception, even if its attributes raise."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return f"{type(group).__name__}: {exception_words(group.exceptions[0])}"
    status = exception_status(error)
    kinds, messages = _collected(_attribute(error, "body"))  # where the SDKs keep the provider's payload
    if not messages:
        with suppress(Exception):  # a `response` may raise at any access
            for value in _words_of(error):
                more_kinds, more = _collected(value)
                kinds += more_kinds
                messages += [text for text in more if not any(text in known for known in messages)]
    for name in _LAST_PLACES:
        if not messages:
            messages = _collected(_attribute(error, name))[1]
    kinds += [kind for name in ("type", "code", "status") if isinstance(kind := _attribute(error, name), str)]
    shown = "; ".join(messages)
    kinds = [kind for kind in dict.fromkeys(kinds) if kind != str(status) and kind not in shown]
    head = _class_name(error) if status is None else f"{_class_name(error)} {status}"
    return ": ".join(filter(None, [head, _joined(kinds, messages)]))


def exception_status(error: BaseException) -> int | None:
    """Return the HTTP status of a failure that an exception carries, wherever its client keeps it, or None."""
    response = _attribute(error, "response")
    values = [_attribute(error, name) for name in ("status_code", "code", "status", "http_status")]
    values += [_attribute(response, "status_code"), _attribute(response, "status")]
    values.append(_member(response, "ResponseMetadata", "HTTPStatusCode"))  # botocore
    for value in values:
        with suppress(Exception):
            if isinstance(value, (int, str)) and re.fullmatch("[45][0-9][0-9]", text := str(int(value))):
                return int(text)  # not 200, which the response had if the failure came within the stream
    return None


def _collected(value: Any) -> tuple[list[str], list[str]]:
    kinds: dict[str, None] = {}
    messages: list[str] = []
    with suppress(Exception):  # a mapping of the caller's may raise
        _collect(value, kinds, messages, 0)
    return list(kinds), messages


def _collect(value: Any, kinds: dict[str, None], messages: list[str], depth: int) -> None:
    """Add the kinds and messages of a value to those found before."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, (bytes, bytearray)):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        parsed = _parsed(value)
        if parsed is not None:
            _collect(parsed, kinds, messages, depth + 1)
        else:
            text = value.strip()[:_MAX_TEXT]
            if text not in _MEANINGLESS and not any(text in message for message in messages):
                messages.append(text)
    elif isinstance(value, OBJECT):
        _collect_members(value, kinds, messages, depth)
    elif isinstance(value, ARRAY):
        for item in value[:_MAX_ITEMS]:
            _collect(item, kinds, messages, depth + 1)
    elif isinstance(value, int) and value and value is not True:
        messages.append(str(value))


def _collect_members(payload: Mapping[str, Any], kinds: dict[str, None], messages: list[str], depth: int) -> None:
    location: Any = payload.get("loc")
    if isinstance(location, ARRAY):  # FastAPI's validation errors; their `input` is the caller's own
        messages.append(f"{'.'.join(map(str, location))}: {payload.get('msg')}"[:_MAX_TEXT])
        return
    for key in _KINDS:
        kind = payload.get(key)
        if isinstance(kind, OBJECT):  # Bedrock and others have objects under these names
            continue
        if kind and str(kind) not in _MEANINGLESS and not str(kind).startswith("response."):
            kinds.setdefault(str(kind)[:_MAX_TEXT])
    for key in (*_MESSAGES, *_NESTED):
        if key in payload:
            _collect(payload[key], kinds, messages, depth + 1)
    for key, member in payload.items():
        if str(key).endswith("Exception"):  # Bedrock: {"throttlingException": {"message": ...}}
            kinds.setdefault(key)
            _collect(member, kinds, messages, depth + 1)


def _joined(kinds: list[str], messages: list[str]) -> str:
    return ": ".join(filter(None, [" ".join(kinds), "; ".join(messages)]))[: 2 * _MAX_TEXT]


def _parsed(text: str) -> Any:
    """Return the object, array or string whose JSON a text is, or None."""
    text = text.strip()
    if not text.startswith(("{", "[", '"')):
        return None
    with suppress(ValueError):
        parsed = parse_json(text)
        return parsed if isinstance(parsed, (*OBJECT, *ARRAY, str)) else None
    return None


def _words_of(error: BaseException) -> Iterator[object]:
    """Yield what may hold words of an exception, other than its `body`."""
    with suppress(Exception):
        yield str(error)
    message = _attribute(error, "message")
    if isinstance(message, str):
        yield message
    details = _attribute(error, "details")  # google-genai: the whole payload
    if isinstance(details, (*OBJECT, *ARRAY)):
        yield details
    response = _attribute(error, "response")
    if isinstance(response, OBJECT):  # botocore
        yield _member(response, "Error")
    elif _attribute(response, "is_closed") is True or _attribute(response, "_content_consumed") is True:
        text = _attribute(response, "text")  # httpx, requests: only if it was read, or this would wait for the network
        if isinstance(text, str):
            yield text


def _class_name(error: BaseException) -> str:
    """Return the name of a class, with its nearest base from another package if the name alone shows no failure."""
    cls = type(error)
    package = cls.__module__.partition(".")[0]
    for base in cls.__mro__[1:]:
        if base.__module__.partition(".")[0] != package and base.__name__ != cls.__name__:
            if base not in (Exception, BaseException) or not cls.__name__.endswith(("Error", "Exception", "Timeout")):
                return f"{cls.__name__} ({base.__name__})"
            break
    return cls.__name__


def _attribute(value: object, name: str) -> Any:
    with suppress(Exception):  # a property may raise
        return getattr(value, name, None)
    return None


def _member(value: Any, *keys: str) -> Any:
    with suppress(Exception):
        for key in keys:
            value = value[key]
        return value
    return None
