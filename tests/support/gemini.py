"""Chunks of Google's `streamGenerateContent`, and what they are decoded to."""

from __future__ import annotations

import json
from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "google-generative-ai"


def chunk(*parts: Any, finish: str | None = None, candidate: Any = None, **fields: Any) -> dict[str, Any]:
    """Return a chunk: its parts, its finish reason, further members of its candidate, and of itself."""
    about = {"finishReason": finish} if finish else {}
    content = {"content": {"role": "model", "parts": [*parts]}}
    return {"candidates": [{**content, "index": 0, **about, **(candidate or {})}], "modelVersion": "gemini", **fields}


def text(text: str | None, **fields: Any) -> dict[str, Any]:
    return {"text": text, **fields}


def thought(text: str, **fields: Any) -> dict[str, Any]:
    return {"text": text, "thought": True, **fields}


def call(name: str, **fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **fields}}


def partial(path: Any, *, more: bool = True, **value: Any) -> dict[str, Any]:
    """Return a part with one value of a call's partialArgs."""
    return {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": more}}


STOP = chunk(finish="STOP")
END_OF_CALL: dict[str, Any] = {"functionCall": {}}


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, [json.dumps(each) for each in chunks])


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*parts: Any) -> tuple[Any, ...]:
    """Return the content of a complete message whose parts came one by one."""
    return decoding.content(API, [*map(chunk, parts), STOP])
