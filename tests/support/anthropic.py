"""Events of Anthropic's Messages API."""

from __future__ import annotations

from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "anthropic-messages"
STOP = {"type": "message_stop"}


def message_start(id: str | None = "msg_1", **fields: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
    }
    return {"type": "message_start", "message": {**message, "usage": {"input_tokens": 9, "output_tokens": 1}, **fields}}


def begin(index: int | None, type: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": type, **fields}}


def call(index: int | None, id: str | None = "toolu_1", name: str | None = "f", **fields: Any) -> dict[str, Any]:
    return begin(index, "tool_use", id=id, name=name, **{"input": {}, **fields})


def delta(index: int | None, type: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": type, **fields}}


def text(index: int | None, text: str) -> dict[str, Any]:
    return delta(index, "text_delta", text=text)


def thinking(index: int | None, text: str) -> dict[str, Any]:
    return delta(index, "thinking_delta", thinking=text)


def signature(index: int | None, text: str) -> dict[str, Any]:
    return delta(index, "signature_delta", signature=text)


def arguments(index: int | None, partial_json: str) -> dict[str, Any]:
    return delta(index, "input_json_delta", partial_json=partial_json)


def end(index: int | None, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index, **fields}


def message_delta(stop_reason: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}, **fields}


END = message_delta("end_turn"), STOP


def decoded(*chunks: Any) -> list[MessageEvent]:
    """Return the events of a stream that begins with a `message_start`."""
    return decoding.decoded(API, [message_start(), *chunks])


def final(*chunks: Any) -> AssistantMessage:
    """Return the message that a stream ends with."""
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    """Return the content of a stream that is complete, with the end that it needs."""
    return decoding.content(API, [message_start(), *chunks, *END])
