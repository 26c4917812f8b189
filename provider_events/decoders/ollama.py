# SPDX-License-Identifier: MIT
"""Ollama's native `/api/chat` and `/api/generate`: each line of the body is a JSON object.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from .._error_words import error_words
from .._grammar import BlockKind
from .._json import OBJECT
from ..messages import TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock
from ._decoder import Decoder
from ._payload import (
    Payload,
    arguments_text,
    array_or_empty,
    expect_array,
    expect_object,
    expect_text,
    object_or_empty,
    text_or_empty,
    text_or_none,
)

__all__ = ["OllamaDecoder"]

# Keys that do not go into `provider_details`: what they hold has a field, or carries nothing (`role`, `done`).
_LINE_KEYS = frozenset({"model", "created_at", "message", "done"})
_FIELD_KEYS = _LINE_KEYS | {"done_reason", "response", "thinking", "image", "logprobs"}
_TEXT_KEYS = frozenset({"role", "content", "thinking"})
_MESSAGE_KEYS = _TEXT_KEYS | {"tool_calls", "images"}
_CALL_KEYS = frozenset({"id", "type", "function"})
_FUNCTION_KEYS = frozenset({"index", "name", "arguments"})

# The MIME types of images, by the beginning of their base64 text; all others are taken for PNG.
_IMAGE_TYPES = {"/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}


class OllamaDecoder(Decoder):
    """Decodes the lines of a stream, up to the one with `done`, or a whole response."""

    api = "ollama-chat"
    default_provider = "ollama"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._calls: dict[str, tuple[str | None, str]] = {}  # by id: the name and the arguments

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        keys = payload.keys()
        return (
            keys >= {"message", "done"}
            or keys >= {"response", "done"}
            or (keys >= {"model", "created_at"} and not keys.isdisjoint({"message", "done"}))
        )

    def _read(self, payload: Payload) -> None:
        message = payload.get("message")
        if message is None or payload.get("error"):
            if self._fail_if_error(payload) or self._fail_if_misnamed_error(payload):
                return
            message = _generated(payload)
        message = expect_object(message, "message")
        if not self._started:
            self._identify(model=payload.get("model"), created=_seconds(payload.get("created_at")))
        if not payload.keys() <= _LINE_KEYS:
            self._read_fields(payload)
        self._start()
        if thinking := text_or_empty(message.get("thinking")):
            self._append(self._find_or_start(ThinkingContent), thinking)
        if content := expect_text(message.get("content"), "message.content"):
            self._append(self._find_or_start(TextContent), content)
        if logprobs := array_or_empty(payload.get("logprobs")):
            self._add_logprobs(logprobs)
        if not message.keys() <= _TEXT_KEYS:
            self._read_calls_and_images(message)
        if payload.get("done") in (True, "true"):
            self._finish()

    def _is_complete(self) -> bool:
        return self._stop_word is not None  # blocks have no ends of their own

    def _fail_if_misnamed_error(self, payload: Payload) -> bool:
        """End the stream at `{"error parsing tool call": ...}`, which Ollama 0.11 sends; return whether this is one."""
        for key, value in payload.items():
            if str(key).startswith("error "):
                self._fail(f"{key}: {error_words(value)}")
                return True
        return False

    def _read_fields(self, payload: Payload) -> None:
        """Take in the fields of a line that are not in its message: most come with the last line."""
        self._count(input=payload.get("prompt_eval_count"), output=payload.get("eval_count"))
        self._stop(payload.get("done_reason"))
        self._details.merge(payload, without=_FIELD_KEYS)

    def _find_or_start(self, kind: BlockKind) -> OpenBlock:
        """Return the open block of a kind; a change of kind begins a new one."""
        block = self._find(kind)
        if block is None:
            self._end_open()
            block = self._start_block(kind)
        return block

    def _end_open(self) -> None:
        """End the open block, if there is one."""
        for block in self._all_open():
            self._end_block(block)

    def _add_logprobs(self, logprobs: Sequence[Any]) -> None:
        """Add log probabilities to the block of their line, which is the only open one, or else to the message."""
        details = next((block.details for block in self._all_open()), self._details)
        details.append({"logprobs": logprobs})

    def _read_calls_and_images(self, message: Payload) -> None:
        """Take in what a message has beside text and thinking."""
        calls = message.get("tool_calls")
        for call in [calls] if isinstance(calls, OBJECT) else expect_array(calls, "message.tool_calls"):
            self._read_call(expect_object(call, "message.tool_calls[]"))
        for image in array_or_empty(message.get("images")):
            if data := text_or_empty(image):
                self._end_open()
                types = (mime_type for start, mime_type in _IMAGE_TYPES.items() if data.startswith(start))
                self._add_image(data, next(types, "image/png"))
        self._details.merge(message, without=_MESSAGE_KEYS)

    def _read_call(self, call: Payload) -> None:
        """Take in a tool call, which is always whole. One that comes again with the same id is ignored."""
        function = object_or_empty(call.get("function"))
        id, name = text_or_none(call.get("id")), text_or_none(function.get("name"))
        arguments = arguments_text(function.get("arguments"))
        if not (id or name):
            if call:
                self._add_unknown({"tool_calls": call})
            return
        if id is not None:
            if self._calls.get(id) == (name, arguments):
                return
            self._calls.setdefault(id, (name, arguments))
        self._end_open()
        block = self._start_block(ToolCall, tool_call_id=id, tool_name=name)
        block.details.merge(call, without=_CALL_KEYS)
        if details := {key: value for key, value in function.items() if key not in _FUNCTION_KEYS}:
            block.details.merge({"function": details})
        self._append(block, arguments)
        self._end_block(block)


def _generated(payload: Payload) -> Payload:
    """Return the message of a line of `/api/generate`, in the form that `/api/chat` gives it."""
    return {
        "content": payload.get("response"),
        "thinking": payload.get("thinking"),
        "images": [payload.get("image")],
    }


def _seconds(created_at: object) -> float | None:
    """Return the Unix time of an ISO 8601 text."""
    with suppress(ValueError, OverflowError):
        time = datetime.fromisoformat(text_or_empty(created_at))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return None
