"""Chunks of chat completions, and what they decode to."""

from __future__ import annotations

import json
from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "openai-completions"
DONE = "[DONE]"


def chunk(**delta: Any) -> dict[str, Any]:
    """Return a chunk with a delta."""
    return {"id": "chatcmpl-1", "model": "m", "created": 1700000000, "choices": [{"index": 0, "delta": delta}]}


def choice(index: object, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    """Return a chunk with a delta of another choice."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]}


def call(
    index: Any = None, id: Any = None, name: str | None = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    """Return a chunk with a fragment of a tool call, without what is None."""
    function = {key: value for key, value in {"name": name, "arguments": arguments}.items() if value is not None}
    entry = {"index": index, "id": id, "function": function}
    return chunk(tool_calls=[{key: value for key, value in entry.items() if value is not None} | more])


def finish(reason: str | None, **fields: Any) -> dict[str, Any]:
    """Return a chunk with a finish reason."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **fields}


STOP = finish("stop")


REPORT = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
"""A report of usage."""


def whole(finish_reason: str | None = "stop", **message: Any) -> dict[str, Any]:
    """Return a response that was not streamed."""
    one = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "m", "choices": [one]}


def decoded(*chunks: Any) -> list[MessageEvent]:
    """Return the events of a stream of payload texts."""
    return decoding.decoded(API, [each if isinstance(each, str) else json.dumps(each) for each in chunks])


def final(*chunks: Any) -> AssistantMessage:
    """Return the message that a stream ends with."""
    return decoded(*chunks)[-1].partial


def types(*chunks: Any) -> list[str]:
    """Return the types of the events."""
    return [event.type for event in decoded(*chunks)]


def calls(*chunks: Any) -> list[tuple[str, str, Any]]:
    """Return the id, name and arguments of each tool call."""
    return [(found.id, found.name, found.arguments) for found in final(*chunks).tool_calls]


def details(message: AssistantMessage) -> list[Any]:
    """Return the details of each block."""
    return [getattr(block, "provider_details", None) for block in message.content]
