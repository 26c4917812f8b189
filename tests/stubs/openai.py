"""Stands in for the SDK in the README's examples: the same call, a canned answer."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

RESPONSE: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5", "status": "in_progress"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hello!"},
    {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}},
]


async def _answer() -> AsyncIterator[dict[str, Any]]:
    for chunk in RESPONSE:
        yield chunk


class _Responses:
    async def create(
        self, *, model: str, input: str, stream: bool
    ) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        return nullcontext(_answer())


class AsyncOpenAI:
    responses = _Responses()
