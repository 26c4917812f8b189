"""Stands in for the client in the README's examples: the same call, a canned body."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openai import CHAT


class _Response:
    def iter_bytes(self) -> Iterator[bytes]:
        for chunk in (*map(json.dumps, CHAT), "[DONE]"):
            yield f"data: {chunk}\n\n".encode()


@contextmanager
def stream(method: str, url: str, *, json: Any) -> Iterator[_Response]:
    yield _Response()
