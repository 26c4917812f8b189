"""`decode` and `adecode` close what they read from, and with it the HTTP response."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from support.small_streams import STOP, TEXT, decode_synchronously, final

from provider_events import AssistantMessage, MessageEvent, StopReason
from provider_events.decoders import adecode, decode


class Connection:
    """A response whose chunks are read by a generator, as those of an HTTP client are."""

    def __init__(self, chunks: list[Any]) -> None:
        self.chunks = chunks
        self.is_open = True
        # A reference to each, without which the interpreter might close them.
        self.reader = self.read()
        self.areader = self.aread()

    def read(self) -> Iterator[Any]:
        try:
            yield from self.chunks
        finally:
            self.is_open = False

    async def aread(self) -> AsyncIterator[Any]:
        try:
            for chunk in self.chunks:
                yield chunk
        finally:
            await asyncio.sleep(0)  # closing an HTTP response takes time
            self.is_open = False


LEAVING: dict[str, tuple[int | None, list[Any]]] = {
    "at the start": (1, [TEXT, STOP]),
    "in the middle": (3, [TEXT, TEXT, STOP]),
    "at the terminal event": (None, [TEXT, STOP, "[DONE]", "more"]),
    "after an error": (None, [TEXT, "no json", "more"]),
}


@pytest.mark.parametrize("leaving", LEAVING)
def test_the_source_is_closed_when_its_reader_leaves(leaving: str) -> None:
    count, chunks = LEAVING[leaving]
    connection = Connection(chunks)
    events = decode(connection.reader)
    if count is None:
        assert [*events][-1].is_terminal
    else:
        for _ in range(count):
            next(events)
        assert connection.is_open
        events.close()
    assert not connection.is_open


@pytest.mark.parametrize("leaving", LEAVING)
def test_the_asynchronous_source_is_closed_when_its_reader_leaves(leaving: str) -> None:
    count, chunks = LEAVING[leaving]
    connection = Connection(chunks)

    async def leave() -> None:
        events = adecode(connection.areader)
        if count is None:
            assert [event async for event in events][-1].is_terminal
        else:
            for _ in range(count):
                await anext(events)
            assert connection.is_open
            await events.aclose()
        assert not connection.is_open

    asyncio.run(leave())


def test_the_source_is_closed_when_it_fails() -> None:
    closed: list[str] = []

    def source() -> Iterator[Any]:
        try:
            yield TEXT
            raise OSError("gone")
        finally:
            closed.append("source")

    chunks = source()
    assert decode_synchronously(chunks)[-1].is_error
    assert closed == ["source"]


class Reader:
    """An iterator that can be closed, and is no generator."""

    def __init__(self, *chunks: Any, closing: Exception | None = None) -> None:
        self.chunks = iter(chunks)
        self.closing = closing
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.chunks)

    def close(self) -> None:
        self.closed += 1
        if self.closing is not None:
            raise self.closing

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for chunk in self.chunks:
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.close()


def decode_reader(reader: Reader, *, asynchronous: bool) -> AssistantMessage:
    async def run() -> list[MessageEvent]:
        return [event async for event in adecode(reader)]

    return final(asyncio.run(run()) if asynchronous else decode(reader))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_iterator_that_is_no_generator_is_closed_too(asynchronous: bool) -> None:
    reader = Reader(TEXT, STOP)
    assert decode_reader(reader, asynchronous=asynchronous).text == "Hi"
    assert reader.closed == 1


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("error", "level"), [(OSError("gone"), logging.DEBUG), (TypeError("a bug"), logging.WARNING)], ids=repr
)
def test_a_source_that_cannot_be_closed_is_logged_and_changes_nothing(
    asynchronous: bool, error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "provider_events")
    message = decode_reader(Reader(TEXT, STOP, closing=error), asynchronous=asynchronous)
    assert (message.text, message.stop_reason) == ("Hi", StopReason.STOP)
    (record,) = [record for record in caplog.records if record.name == "provider_events"]
    assert record.levelno == level
    assert record.exc_info and record.exc_info[1] is error


def test_a_file_is_left_open() -> None:
    """It belongs to whoever opened it."""
    file = io.StringIO(f"{json.dumps(TEXT)}\n{json.dumps(STOP)}\n")
    assert final(decode(file)).text == "Hi"
    assert not file.closed


def test_an_iterable_is_left_open() -> None:
    """It belongs to the caller: a client's stream, for example, which has a `with` block of its own."""

    class Source:
        def __iter__(self) -> Iterator[Any]:
            return iter([TEXT, STOP])

        def close(self) -> None:
            raise AssertionError

    assert final(decode(Source())).text == "Hi"
