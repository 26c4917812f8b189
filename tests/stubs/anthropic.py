"""Stands in for the SDK in the README's examples: the same calls, a canned answer."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

ANSWER: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 8}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello!"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]


class _Messages:
    def create(
        self, *, model: str, max_tokens: int, messages: list[dict[str, str]], stream: bool
    ) -> AbstractContextManager[Iterator[dict[str, Any]]]:
        return nullcontext(iter(ANSWER))


class Anthropic:
    messages = _Messages()


async def _answer() -> AsyncIterator[dict[str, Any]]:
    for chunk in ANSWER:
        yield chunk


class _AsyncMessages:
    def stream(
        self, *, model: str, max_tokens: int, messages: list[dict[str, str]]
    ) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        @asynccontextmanager
        async def manager() -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
            yield _answer()

        return manager()


class AsyncAnthropic:
    messages = _AsyncMessages()
