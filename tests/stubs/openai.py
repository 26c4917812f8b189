"""Stands in for the SDK in the README's examples: the same calls, canned answers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

CHAT: list[dict[str, Any]] = [
    {"id": "chatcmpl-1", "model": "gpt-5", "choices": [{"index": 0, "delta": {"content": "Hello!"}}]},
    {"id": "chatcmpl-1", "model": "gpt-5", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
]
RESPONSE: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5", "status": "in_progress"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hello!"},
    {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}},
]


class _Completions:
    def create(self, *, model: str, messages: list[dict[str, str]], stream: bool) -> Iterator[dict[str, Any]]:
        return iter(CHAT)


class _Chat:
    completions = _Completions()


class _Responses:
    def create(self, *, model: str, input: str, stream: bool) -> AbstractContextManager[Iterator[dict[str, Any]]]:
        return nullcontext(iter(RESPONSE))


class OpenAI:
    chat = _Chat()
    responses = _Responses()
