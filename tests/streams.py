"""A small stream of each format, and the ways to decode it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from laws import assert_lawful

from provider_events import AnyProviderEvent, AssistantMessage
from provider_events.decoders import adecode, decode

# One small stream of each format that says "Hi".
STREAMS: dict[str, list[Any]] = {
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
}
every_format = pytest.mark.parametrize("api", STREAMS)

TEXT = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


async def later(chunks: Any) -> AsyncIterator[Any]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def asynchronously(chunks: Any, **options: Any) -> list[AnyProviderEvent]:
    async def gathered() -> list[AnyProviderEvent]:
        return [event async for event in adecode(later(chunks), **options)]

    return asyncio.run(gathered())


def synchronously(chunks: Any, **options: Any) -> list[AnyProviderEvent]:
    return list(decode(chunks, **options))


both_ways = pytest.mark.parametrize("run", [synchronously, asynchronously])
Run = Callable[..., list[AnyProviderEvent]]


def final(events: list[AnyProviderEvent]) -> AssistantMessage:
    assert_lawful(events)
    message = events[-1].partial
    assert message is not None
    return message
