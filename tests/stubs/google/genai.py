"""Stands in for the SDK in the README's examples: the same call, a canned answer."""

from collections.abc import Iterator
from typing import Any

ANSWER: list[dict[str, Any]] = [
    {"candidates": [{"content": {"parts": [{"text": "Hello"}]}}], "modelVersion": "gemini-2.5-flash"},
    {"candidates": [{"content": {"parts": [{"text": "!"}]}, "finishReason": "STOP"}]},
]


class _Models:
    def generate_content_stream(self, *, model: str, contents: str) -> Iterator[dict[str, Any]]:
        return iter(ANSWER)


class Client:
    models = _Models()
