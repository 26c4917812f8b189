"""Stands in for the SDK in the README's examples: the same call, a canned answer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

ANSWER: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 8}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me look "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "at the forecast."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "get_forecast", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"city": "Lisbon"}'},
    },
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 42}},
    {"type": "message_stop"},
]


class _Messages:
    def create(
        self, *, model: str, max_tokens: int, messages: list[dict[str, str]], stream: bool
    ) -> AbstractContextManager[Iterator[dict[str, Any]]]:
        return nullcontext(iter(ANSWER))


class Anthropic:
    messages = _Messages()
