"""Events of OpenAI's Responses API, to write streams with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "openai-responses"
Chunk = dict[str, Any]

CREATED: Chunk = {
    "type": "response.created",
    "response": {"id": "resp_1", "model": "gpt", "created_at": 1700000000, "status": "in_progress"},
}
COMPLETED: Chunk = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}


def event(kind: str, index: int | None = None, **fields: Any) -> Chunk:
    """Return an event about the item at an index."""
    return {"type": f"response.{kind}", **({} if index is None else {"output_index": index}), **fields}


def added(index: int | None, type: str, **fields: Any) -> Chunk:
    return event("output_item.added", index, item={"type": type, **fields})


def done(index: int | None, item: Mapping[str, Any]) -> Chunk:
    return event("output_item.done", index, item=item)


def text(index: int | None, delta: str | None, **fields: Any) -> Chunk:
    return event("output_text.delta", index, delta=delta, **fields)


def text_done(index: int | None, text: Any, **fields: Any) -> Chunk:
    return event("output_text.done", index, text=text, **fields)


def refusal(index: int, delta: str, **fields: Any) -> Chunk:
    return event("refusal.delta", index, delta=delta, **fields)


def summary(index: int | None, delta: Any, **fields: Any) -> Chunk:
    return event("reasoning_summary_text.delta", index, delta=delta, **fields)


def summary_done(index: int, text: str, part: int = 0) -> Chunk:
    return event("reasoning_summary_text.done", index, text=text, summary_index=part)


def reasoning(index: int | None, delta: Any, **fields: Any) -> Chunk:
    return event("reasoning_text.delta", index, delta=delta, **fields)


def arguments(index: int | None, delta: Any, **fields: Any) -> Chunk:
    return event("function_call_arguments.delta", index, delta=delta, **fields)


def arguments_done(index: int | None, arguments: Any, **fields: Any) -> Chunk:
    return event("function_call_arguments.done", index, arguments=arguments, **fields)


def message_item(*texts: str, **fields: Any) -> Chunk:
    """Return a message item with a part for each text."""
    return {"type": "message", "content": [{"type": "output_text", "text": each} for each in texts], **fields}


def refusal_item(text: str, **fields: Any) -> Chunk:
    return {"type": "message", "content": [{"type": "refusal", "refusal": text}], **fields}


def reasoning_item(*texts: str, raw: str = "", **fields: Any) -> Chunk:
    """Return a reasoning item with a summary of a part for each text."""
    content = [{"type": "reasoning_text", "text": raw}] if raw else []
    return {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": each} for each in texts],
        "content": content,
        **fields,
    }


def call_item(call_id: str | None, name: str | None, arguments: Any = "", **fields: Any) -> Chunk:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, **fields}


def ended(kind: str, *output: Any, **fields: Any) -> Chunk:
    """Return the final event, whose response has these items."""
    return event(kind, response={"id": "resp_1", "status": kind, "output": list(output), **fields})


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, [CREATED, *chunks])


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    """Return the content of a message that is complete."""
    end = () if chunks[-1].get("response") else (COMPLETED,)
    return decoding.content(API, [CREATED, *chunks, *end])


def shown(*chunks: Any) -> list[Any]:
    """Return what of the content of a complete message a reader sees: texts, and names and arguments of calls."""
    return [
        (block.name, dict(block.arguments))
        if hasattr(block, "arguments")
        else getattr(block, "text", None) or block.thinking
        for block in content(*chunks)
    ]
