"""A mistake of the caller is an error at once, which says what to do."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from provider_events import (
    AssistantMessage,
    JsonlDecoder,
    MessageBuilder,
    Start,
    StopReason,
    TextContent,
    areplay,
    collect,
    read_jsonl,
    replay,
    write_jsonl,
)
from provider_events.decoders import adecode, decode
from provider_events.failures import fallback_reason
from provider_events.fallback import MultiProvider

MESSAGE = AssistantMessage("a", "p", "m", (TextContent("Hi"),), stop_reason=StopReason.STOP)


def builder() -> MessageBuilder:
    made = MessageBuilder(api="a", provider="p", model="m")
    made.start()
    return made


async def not_awaited() -> None: ...


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: write_jsonl(areplay(MESSAGE), io.StringIO()), "use JsonlEncoder in async for"),  # type: ignore[arg-type]
    (lambda: write_jsonl(MESSAGE, io.StringIO()), "call replay on a message"),  # type: ignore[arg-type]
    (lambda: write_jsonl(Start(MESSAGE), io.StringIO()), "pass the stream"),  # type: ignore[arg-type]
    (lambda: write_jsonl(replay(MESSAGE), io.BytesIO()), "open(path, 'w')"),  # type: ignore[arg-type]
    (lambda: write_jsonl(replay(MESSAGE), "path"), "open(path, 'w')"),  # type: ignore[arg-type]
    (lambda: read_jsonl("path"), "open(path, 'rb')"),
    (lambda: read_jsonl(None), "open(path, 'rb')"),  # type: ignore[arg-type]
    (lambda: JsonlDecoder().decode({"type": "start"}), "event_from_wire reads parsed"),  # type: ignore[arg-type]
    (lambda: replay("Hi"), "expected an AssistantMessage"),  # type: ignore[arg-type]
    (lambda: replay(MESSAGE, chunk_size=2.5), "chunk_size of type int"),  # type: ignore[arg-type]
    (lambda: builder().done("end_turn"), "expected one of stop, length, toolUse"),  # type: ignore[arg-type]
    (lambda: fallback_reason("429"), "expected an exception or an Error event"),  # type: ignore[arg-type]
    (lambda: collect(not_awaited()), "await it first"),  # type: ignore[call-overload]
]


@pytest.mark.parametrize(("call", "advice"), MISTAKES, ids=[advice for _, advice in MISTAKES])
@pytest.mark.filterwarnings("error")
def test_a_mistake_says_what_to_do(call: Callable[[], Any], advice: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert advice in str(caught.value)


async def coroutine_function(request: str) -> Iterator[Any]:
    return iter(())


def synchronous(request: str) -> Iterator[Any]:
    yield from ()


@pytest.mark.parametrize("candidate", [coroutine_function, synchronous])
@pytest.mark.filterwarnings("error")
def test_a_candidate_that_is_no_asynchronous_generator(candidate: Any) -> None:
    async def run() -> list[Any]:
        events: AsyncIterator[Any] = MultiProvider({"m": candidate}).stream("Hi")
        return [event async for event in events]

    with pytest.raises(TypeError, match="candidate 'm': expected asynchronous events, found .*; a candidate is"):
        asyncio.run(run())


@pytest.mark.parametrize("name", ["iter_bytes", "iter_lines", "content"])
def test_an_http_response_is_no_iterable_of_chunks(name: str) -> None:
    response: Any = SimpleNamespace(**{name: b""})
    for function in (decode, adecode):
        with pytest.raises(TypeError, match="pass the body of an HTTP response through iter_sse first"):
            function(response)
