"""Stands in for the client in the README's examples: the same calls, a canned body."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Response:
    is_error = False

    def read(self) -> bytes:
        return b""

    def raise_for_status(self) -> None:
        pass

    def iter_bytes(self) -> Iterator[bytes]:
        yield b'data: {"id": "c", "model": "llama", "choices": [{"index": 0, "delta": {"content": "Hello!"}}]}\n\n'
        yield b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@contextmanager
def stream(method: str, url: str, *, json: Any) -> Iterator[_Response]:
    yield _Response()
