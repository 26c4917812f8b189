"""Where the pieces of a body come from: sources that fail, that must be closed, and that are none."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from provider_events.decoders import aiter_sse, iter_sse


class Connection:
    """A fake response: yields pieces, fails if told to, and knows whether it was closed."""

    def __init__(self, *pieces: str, error: Exception | None = None) -> None:
        self._pieces = iter(pieces)
        self._error = error
        self.closed = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for piece in self._pieces:
            return piece
        raise self._error or StopIteration

    def close(self) -> None:
        self.closed += 1


class AsyncConnection(Connection):
    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(0)
        for piece in self._pieces:
            return piece
        raise self._error or StopAsyncIteration

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.close()


def read(connection: Connection, limit: int = 100) -> list[str]:
    payloads = iter_sse(connection)
    taken = [payload for payload, _ in zip(payloads, range(limit))]
    payloads.close()
    return taken


def aread(connection: AsyncConnection, limit: int = 100) -> list[str]:
    async def run() -> list[str]:
        taken: list[str] = []
        payloads = aiter_sse(connection)
        async for payload in payloads:
            taken.append(payload)
            if len(taken) == limit:
                break
        await payloads.aclose()
        return taken

    return asyncio.run(run())


WAYS = pytest.mark.parametrize(
    ("connect", "read"), [(Connection, read), (AsyncConnection, aread)], ids=["sync", "async"]
)


@WAYS
def test_the_source_is_closed_at_the_end(connect: Any, read: Any) -> None:
    connection = connect("data: a\n\n", "data: b")
    assert (read(connection), connection.closed) == (["a", "b"], 1)


@WAYS
def test_the_source_is_closed_when_the_consumer_leaves(connect: Any, read: Any) -> None:
    connection = connect("data: a\n\n", "data: b\n\n")
    assert (read(connection, limit=1), connection.closed) == (["a"], 1)


@WAYS
def test_the_source_is_closed_when_it_fails(connect: Any, read: Any) -> None:
    connection = connect("data: a\n\n", error=OSError("connection reset"))
    with pytest.raises(OSError, match="connection reset"):
        read(connection)
    assert connection.closed == 1


def test_a_source_without_close_is_fine() -> None:
    assert list(iter_sse(["data: a\n\n"])) == ["a"]


def test_a_file_is_left_open() -> None:
    file = io.BytesIO(b"data: a\n\ndata: b\n\n")
    assert list(iter_sse(file)) == ["a", "b"]
    assert not file.closed


def test_a_generator_behind_is_closed() -> None:
    closed: list[str] = []

    def pieces() -> Iterator[str]:
        try:
            yield "data: a\n\n"
            yield "data: b\n\n"
        finally:
            closed.append("sync")

    async def apieces() -> AsyncIterator[str]:
        try:
            yield "data: a\n\n"
            yield "data: b\n\n"
        finally:
            closed.append("async")

    async def leave() -> None:
        payloads = aiter_sse(apieces())
        assert await anext(payloads) == "a"
        await payloads.aclose()
        assert closed == ["sync", "async"]

    payloads = iter_sse(pieces())
    assert next(payloads) == "a"
    payloads.close()
    assert closed == ["sync"]
    asyncio.run(leave())


@pytest.mark.parametrize("connect", [Connection, AsyncConnection])
def test_an_event_is_whole_without_its_blank_line_however_the_connection_ends(connect: Any) -> None:
    found: list[str] = []

    async def run() -> None:
        async for payload in aiter_sse(connect('data: {"a": 1}\n', error=OSError("reset"))):
            found.append(payload)

    with pytest.raises(OSError, match="reset"):
        if connect is AsyncConnection:
            asyncio.run(run())
        else:
            for payload in iter_sse(connect('data: {"a": 1}\n', error=OSError("reset"))):
                found.append(payload)
    assert found == ['{"a": 1}']


def test_an_exception_of_the_consumer_gives_no_payload_twice() -> None:
    payloads = iter_sse(["\ndata: a"])
    assert next(payloads) == "a"
    with pytest.raises(ValueError, match="enough"):
        payloads.throw(ValueError("enough"))


def test_a_body_that_is_no_event_stream_is_not_shown_before_the_exception_that_broke_it_off() -> None:
    with pytest.raises(OSError, match="reset"):
        list(iter_sse(Connection("<html>", error=OSError("reset"))))


async def body() -> list[bytes]:
    return []


@pytest.mark.parametrize("whole", [b"data: a\n\n", "data: a\n\n", bytearray(b"data: a\n\n")], ids=type)
def test_a_whole_body_is_a_type_error_at_once_that_says_what_to_pass(whole: Any) -> None:
    with pytest.raises(TypeError) as caught:
        iter_sse(whole)
    kind = type(whole).__name__
    assert str(caught.value) == f"iter_sse: expected an iterable of bytes or text, found {kind}; pass [body]"


def test_what_is_no_body_is_a_type_error_at_once_that_says_what_to_pass() -> None:
    nothing: Any = None
    words = "found NoneType; pass what an HTTP client iterates over, such as response.iter_bytes()"
    with pytest.raises(TypeError) as caught:
        iter_sse(nothing)
    assert str(caught.value).startswith(f"iter_sse: expected an iterable of bytes or text, {words}")
    with pytest.raises(TypeError) as caught:
        aiter_sse(nothing)
    assert str(caught.value).startswith(f"aiter_sse: expected an asynchronous iterable of bytes or text, {words}")


@pytest.mark.parametrize("function", [iter_sse, aiter_sse])
@pytest.mark.filterwarnings("error")  # that it was never awaited
def test_a_coroutine_that_was_not_awaited_is_a_type_error_at_once(function: Any) -> None:
    with pytest.raises(TypeError, match="found coroutine; await it first"):
        function(body())


def test_the_wrong_one_of_the_two_is_a_type_error_that_names_the_other() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    with pytest.raises(TypeError, match="found async_generator; use aiter_sse"):
        iter_sse(pieces())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="found list; use iter_sse"):
        aiter_sse([b""])  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", [{"a": 1}, 7, None])
def test_pieces_that_are_neither_bytes_nor_text_are_a_type_error(piece: Any) -> None:
    for pieces in ([piece], ["data: a\n\n", piece]):
        with pytest.raises(TypeError, match=f"expected bytes or text, found {type(piece).__name__}"):
            list(iter_sse(pieces))


def test_bytes_of_any_type() -> None:
    pieces: list[Any] = [bytearray(b"data: a\n"), memoryview(b"\n"), b"data: b\n\n"]
    assert list(iter_sse(pieces)) == ["a", "b"]


def test_long_lines_in_single_bytes_are_read_in_linear_time() -> None:
    """Each would take minutes if a byte cost as much as the line so far."""
    text = '"' + 'x\\"' * 25_000 + '"'
    for body, payloads in (
        (f"data: {{{text}: {text}}}\n\n", 1),
        (f"{{{text}: {text}}}", 1),
        (f"{{{text[:-1]}", 1),
        ("data: {\n" + "data: [\n" * 25_000, 1),
        ("[" * 100_000, 1),
        ("<" + "p" * 100_000, 1),
        ("data: x\n" * 25_000, 1),
        ('{"a": 1}' * 15_000, 15_000),
    ):
        assert len(list(iter_sse(body[at : at + 1] for at in range(len(body))))) == payloads
