# SPDX-License-Identifier: MIT
"""What `check`, `decode`, `iter_sse` and their like read from: how it is opened, and how it is closed."""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TypeVar

__all__ = ["aclose", "aiterate", "close", "iterate", "misuse"]

T = TypeVar("T")


def iterate(call: str, items: str, source: Iterable[T], hint: str = "") -> Iterator[T]:
    """Return the iterator of `source`. Raise `TypeError` if it has none.

    The error names the `call` and the `items` that it expects, and gives advice: `hint`, if there is no better.
    """
    if isinstance(source, Iterable):
        return iter(source)
    raise misuse(f"{call}: expected an iterable of {items}", source, _advice(source, f"a{call}", hint))


def aiterate(call: str, items: str, source: AsyncIterable[T], hint: str = "") -> AsyncIterator[T]:
    """Return the iterator of an asynchronous `source`, as `iterate` does of others."""
    if isinstance(source, AsyncIterable):
        return aiter(source)
    advice = _advice(source, call.removeprefix("a"), hint)
    raise misuse(f"{call}: expected an asynchronous iterable of {items}", source, advice)


def misuse(expected: str, found: object, advice: str) -> TypeError:
    """Return the error for an argument of a wrong type, with what to do about it."""
    if inspect.iscoroutine(found):
        found.close()  # without this, Python would warn that it was never awaited
    return TypeError("; ".join(filter(None, [f"{expected}, found {type(found).__name__}", advice])))


def _advice(found: object, other_call: str, hint: str) -> str:
    if inspect.isawaitable(found):
        return "await it first"
    return f"use {other_call}" if isinstance(found, (Iterable, AsyncIterable)) else hint


def close(source: object) -> None:
    """Close an iterator that is read no further, and with it the HTTP response behind a generator.

    A file is left open: it belongs to whoever opened it.
    """
    if not isinstance(source, io.IOBase) and (method := getattr(source, "close", None)) is not None:
        method()


async def aclose(source: object) -> None:
    """Close an asynchronous iterator, as `close` does others."""
    if (method := getattr(source, "aclose", None)) is not None:
        await method()
