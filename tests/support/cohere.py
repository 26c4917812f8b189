"""Events of Cohere's v2 chat."""

from __future__ import annotations

from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "cohere-chat"
START = {
    "type": "message-start",
    "id": "c_1",
    "delta": {"message": {"role": "assistant", "content": [], "tool_plan": ""}},
}


def event(type: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    return {"type": type, "index": index, "delta": {"message": message}}


def begin(index: int | None, type: str, **fields: Any) -> dict[str, Any]:
    return event("content-start", index, content={"type": type, **fields})


def delta(index: int | None, **fields: Any) -> dict[str, Any]:
    return event("content-delta", index, content=fields)


def end(index: int | None) -> dict[str, Any]:
    return {"type": "content-end", "index": index}


def plan(text: str) -> dict[str, Any]:
    return {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}}


def call(index: int | None, id: str | None = "t", name: str | None = "f", **fields: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": "", **fields}
    return event("tool-call-start", index, tool_calls={"id": id, "type": "function", "function": function})


def arguments(index: int | None, text: Any) -> dict[str, Any]:
    return event("tool-call-delta", index, tool_calls={"function": {"arguments": text}})


def call_end(index: int | None) -> dict[str, Any]:
    return {"type": "tool-call-end", "index": index}


def citation(**fields: Any) -> dict[str, Any]:
    return event("citation-start", 0, citations={"text": "Hi", **fields})


def message_end(reason: str | None = "COMPLETE", **fields: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": reason, **fields}}


HI = begin(0, "text", text=""), delta(0, text="H"), delta(0, text="i"), end(0)
PLAN = {"reasoning_field": "tool_plan"}


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, [START, *chunks])


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    return decoding.content(API, [START, *chunks, message_end()])
