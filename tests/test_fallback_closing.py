# SPDX-License-Identifier: MIT
"""Nothing stays open: the streams of candidates, and the connections behind them."""

from __future__ import annotations

import gc
import logging
import tracemalloc
import weakref
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from support.candidates import (
    START,
    Loop,
    Model,
    answer,
    collect,
    error,
    fallbacks,
    finish,
    on_both_loops,
    play,
    router,
)

from provider_events import AnyProviderEvent, Error, FallbackReason
from provider_events.decoders import adecode

DOWN = ConnectionRefusedError("no server")
NETWORK, SERVER = FallbackReason.NETWORK_ERROR, FallbackReason.SERVER_ERROR


def test_a_candidate_is_closed_before_the_fallback_or_the_terminal_event_is_yielded() -> None:
    async def watch() -> None:
        first, second = Model(error("429: x")), Model("answer")
        async for event in router(first, second).stream("request"):
            assert first.closed
            assert second.closed == event.is_terminal

    finish(watch())


class Stream:
    """A stream that is no generator."""

    def __init__(self, *script: AnyProviderEvent | Exception, closing: Exception | None = None) -> None:
        self.script = iter(script)
        self.closing = closing
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[AnyProviderEvent]:
        return self

    async def __anext__(self) -> AnyProviderEvent:
        step = next(self.script, None)
        if isinstance(step, Exception):
            raise step
        if step is None:
            raise StopAsyncIteration
        return step

    async def aclose(self) -> None:
        self.closed += 1
        if self.closing is not None:
            raise self.closing


def test_a_candidate_that_cannot_be_closed_is_left_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    stubborn = Stream(DOWN, closing=RuntimeError("cannot"))
    with caplog.at_level(logging.DEBUG, "provider_events"):
        assert play(router(lambda _: stubborn, Model("answer"))) == [*fallbacks(NETWORK), *answer("m")]
    assert stubborn.closed == 1
    assert [record.getMessage() for record in caplog.records][-1] == "the stream of model 'model-0' could not be closed"
    stubborn = Stream(*answer("m"), closing=RuntimeError("cannot"))
    assert play(router(lambda _: stubborn)) == answer("m")
    assert stubborn.closed == 1


def test_a_stream_and_the_iterator_that_it_gives_are_both_closed() -> None:
    inner = Stream(*answer("m"), closing=RuntimeError("cannot"))

    class Outer(Stream):
        def __aiter__(self) -> AsyncIterator[AnyProviderEvent]:
            return inner

    outer = Outer()
    assert play(router(lambda _: outer)) == answer("m")
    assert (inner.closed, outer.closed) == (1, 1)


def test_a_stream_without_aclose_needs_none() -> None:
    class Plain:
        __aiter__, __anext__ = Stream.__aiter__, Stream.__anext__

        def __init__(self) -> None:
            self.script = iter(answer("m"))

    assert play(router(lambda _: Plain())) == answer("m")


# The connection behind a decoder

CHUNKS: list[Any] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]
OVERLOADED: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


class Connection:
    """What a client opens with `async with`: yields its chunks, and raises the exceptions among them."""

    def __init__(self, *chunks: dict[str, Any] | Exception) -> None:
        self.chunks = chunks
        self.is_open = False

    async def __aenter__(self) -> Connection:
        self.is_open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.is_open = False

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            assert self.is_open
            yield chunk

    async def candidate(self, request: object) -> AsyncIterator[AnyProviderEvent]:
        async with self as chunks:
            async for event in adecode(chunks, api="anthropic-messages"):
                yield event


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([OVERLOADED], SERVER),
        ([*CHUNKS[:2], OVERLOADED], SERVER),
        ([*CHUNKS[:2], DOWN], NETWORK),
        (CHUNKS[:2], NETWORK),
    ],
)
def test_the_connection_is_closed_before_the_next_model_is_tried(chunks: list[Any], reason: FallbackReason) -> None:
    async def main() -> None:
        connection = Connection(*chunks)

        async def second(request: object) -> AsyncIterator[AnyProviderEvent]:
            assert not connection.is_open
            for event in answer("m"):
                yield event

        provider = router(connection.candidate, second)
        assert await collect(provider) == [*fallbacks(reason), *answer("m")]

    finish(main())


@pytest.mark.parametrize("count", range(1, 5))
def test_the_connection_is_closed_when_the_consumer_leaves(count: int) -> None:
    async def main() -> None:
        connection = Connection(*CHUNKS)
        async with aclosing(router(connection.candidate).stream("request")) as stream:
            async for event in stream:
                count_left.pop()
                if not count_left:
                    assert connection.is_open or event.is_terminal
                    break
        assert not connection.is_open

    count_left = [None] * count
    finish(main())


def test_the_connection_is_closed_at_the_end_and_after_a_break() -> None:
    async def main() -> None:
        for chunks in (CHUNKS, [*CHUNKS[:3], DOWN], CHUNKS[:3]):
            connection = Connection(*chunks)
            last = (await collect(router(connection.candidate)))[-1]
            assert isinstance(last, Error) == (chunks is not CHUNKS)
            assert not connection.is_open

    finish(main())


# Candidates that hang, and many streams


@on_both_loops
def test_a_candidate_that_hangs_can_be_cancelled(loop: str) -> None:
    run, steps = Loop(loop), list[None]()
    closed: list[bool] = []

    async def hangs(request: object) -> AsyncIterator[AnyProviderEvent]:
        try:
            yield START
            while True:
                steps.append(None)
                await run.pause()
        finally:
            closed.append(True)

    second = Model("answer")
    run.run(lambda: run.cancelled_at(3, lambda: collect(router(hangs, second)), steps))
    assert closed == [True] and second.calls == 0


@on_both_loops
def test_a_close_that_hangs_can_be_cancelled(loop: str) -> None:
    run, steps = Loop(loop), list[None]()

    async def hangs(request: object) -> AsyncIterator[AnyProviderEvent]:
        try:
            yield error("429: slow")
        finally:
            while True:
                steps.append(None)
                await run.pause()

    second = Model("answer")
    run.run(lambda: run.cancelled_at(3, lambda: collect(router(hangs, second)), steps))
    assert second.calls == 0


def test_thousands_of_streams_at_once_need_little_memory_each() -> None:
    async def main() -> None:
        events = answer("m")

        async def down(request: object) -> AsyncIterator[AnyProviderEvent]:
            yield START
            raise ConnectionRefusedError("no server")

        provider = router(down, Model(*events), failure_threshold=2001)
        before = tracemalloc.get_traced_memory()[0]
        streams = [provider.stream("request") for _ in range(2000)]
        for stream in streams:
            assert (await anext(stream)).is_fallback
            assert await anext(stream) is events[0]
        assert (tracemalloc.get_traced_memory()[0] - before) / len(streams) < 8_000
        for stream in streams:
            assert [event async for event in stream] == events[1:]
        del streams, stream
        gc.collect()
        assert (tracemalloc.get_traced_memory()[0] - before) / 2000 < 200

    tracemalloc.start()
    try:
        finish(main())
    finally:
        tracemalloc.stop()


def test_a_failure_is_let_go_without_the_garbage_collector() -> None:
    failures: list[weakref.ref[Exception]] = []

    class RefusedError(ConnectionRefusedError):
        """Unlike its base, it can be referred to weakly."""

    async def down(request: object) -> AsyncIterator[AnyProviderEvent]:
        failure = RefusedError("no server")
        failures.append(weakref.ref(failure))
        try:
            yield START
            raise failure
        finally:
            del failure

    gc.disable()
    try:
        assert play(router(down, Model("answer"))) == [*fallbacks(NETWORK), *answer("m")]
        assert [failure() for failure in failures] == [None]
    finally:
        gc.enable()
