"""A small stream of each format, and the two ways to decode it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, TypeAlias

import pytest

from provider_events import AssistantMessage, MessageEvent
from provider_events.decoders import adecode, decode

from .laws import assert_valid

# By format: a stream whose text is "Hi".
STREAMS: dict[str, list[dict[str, Any]]] = {
    "anthropic-messages": [
        {"type": "message_start", "message": {"id": "r", "model": "m"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ],
    "openai-completions": [
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]},
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
    "openai-responses": [
        {"type": "response.created", "response": {"id": "r", "model": "m"}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"},
        {"type": "response.completed", "response": {"id": "r", "status": "completed"}},
    ],
    "google-generative-ai": [
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}], "modelVersion": "m", "responseId": "r"},
        {"candidates": [{"finishReason": "STOP"}]},
    ],
    "bedrock-converse-stream": [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
    ],
    "google-interactions": [
        {"event_type": "interaction.created", "interaction": {"id": "r", "model": "m", "status": "in_progress"}},
        {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Hi"}},
        {"event_type": "step.stop", "index": 0},
        {"event_type": "interaction.completed", "interaction": {"id": "r", "status": "completed"}},
    ],
    "cohere-chat": [
        {"type": "message-start", "id": "r", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}},
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
    ],
    "ollama-chat": [
        {"model": "m", "created_at": "2023-08-04T08:52:19Z", "message": {"content": "Hi"}, "done": False},
        {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop"},
    ],
}
HAS_MODEL = {*STREAMS} - {"bedrock-converse-stream", "cohere-chat"}
"""The formats whose streams name the model."""

TEXT, STOP = STREAMS["openai-completions"]

every_format = pytest.mark.parametrize("api", STREAMS)


async def asynchronously(chunks: Iterable[Any]) -> AsyncIterator[Any]:
    """Yield chunks as an asynchronous client does."""
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def decode_asynchronously(chunks: Iterable[Any], **options: Any) -> list[MessageEvent]:
    """Return the events that `adecode` yields."""

    async def gather() -> list[MessageEvent]:
        return [event async for event in adecode(asynchronously(chunks), **options)]

    return asyncio.run(gather())


def decode_synchronously(chunks: Iterable[Any], **options: Any) -> list[MessageEvent]:
    """Return the events that `decode` yields."""
    return list(decode(chunks, **options))


Decode: TypeAlias = Callable[..., list[MessageEvent]]
both_ways = pytest.mark.parametrize("run", [decode_synchronously, decode_asynchronously], ids=["decode", "adecode"])


def final(events: Iterable[MessageEvent]) -> AssistantMessage:
    """Return the message that a valid stream ends with."""
    events = list(events)
    assert_valid(events)
    return events[-1].partial
