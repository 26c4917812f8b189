"""Stands in for the SDK in the README's examples: the same call, a canned answer."""

from typing import Any

ANSWER: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello!"}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 8, "outputTokens": 3, "totalTokens": 11}}},
]


class _Client:
    def converse_stream(self, *, modelId: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
        return {"stream": iter(ANSWER)}


def client(name: str) -> _Client:
    return _Client()
