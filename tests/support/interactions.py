"""Events of Google's Interactions API, and what they are decoded to."""

from __future__ import annotations

import json
from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "google-interactions"


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"event_type": kind, **fields}


def start(index: int | None, type: str, **step: Any) -> dict[str, Any]:
    return event("step.start", index=index, step={"type": type, **step})


def delta(index: int | None, type: str, **fields: Any) -> dict[str, Any]:
    return event("step.delta", index=index, delta={"type": type, **fields})


def text(index: int | None, text: str, **fields: Any) -> dict[str, Any]:
    return delta(index, "text", text=text, **fields)


def summary(index: int, text: str) -> dict[str, Any]:
    return delta(index, "thought_summary", content={"type": "text", "text": text})


def arguments(index: int | None, text: Any, **fields: Any) -> dict[str, Any]:
    return delta(index, "arguments_delta", arguments=text, **fields)


def call(index: int | None, **fields: Any) -> dict[str, Any]:
    return start(index, "function_call", **{"id": "c", "name": "f", **fields})


def stop(index: int | None, **fields: Any) -> dict[str, Any]:
    return event("step.stop", index=index, **fields)


def end(status: str | None = "completed", **fields: Any) -> dict[str, Any]:
    return event("interaction.completed", interaction={"id": "v1", "status": status, **fields})


NEW = {"id": "v1", "status": "in_progress", "object": "interaction", "model": "m"}
CREATED = event("interaction.created", interaction=NEW)
OUTPUT = start(0, "model_output")
HI = [OUTPUT, text(0, "Hi"), stop(0)]


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, [json.dumps(each) for each in (CREATED, *chunks)])


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    """Return the content of a message that is complete."""
    return decoding.content(API, [CREATED, *chunks, end()])
