# SPDX-License-Identifier: MIT
"""Scripted candidates for `MultiProvider`, and what else its tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from provider_events import AnyProviderEvent, Error, FallbackReason, FallbackStart, MessageBuilder, StopReason
from provider_events.fallback import MultiProvider

from .laws import assert_valid_router


class Model:
    """A candidate that yields the events of its script, raises the exceptions in it, and counts what is done to it."""

    def __init__(
        self,
        *script: BaseException | AnyProviderEvent | str,
        name: str = "m",
        pause: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.script = [each for step in script for each in (answer(name) if step == "answer" else [step])]
        self.pause = pause
        self.calls = self.closed = 0

    async def __call__(self, request: object) -> AsyncIterator[AnyProviderEvent]:
        self.calls += 1
        try:
            for step in self.script:
                if self.pause is not None:
                    await self.pause()
                if isinstance(step, BaseException):
                    raise step
                yield step  # type: ignore[misc]  # or what is no event
        finally:
            self.closed += 1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Loop:
    """The same few operations under asyncio and under trio."""

    def __init__(self, name: str) -> None:
        self.module: Any = asyncio if name == "asyncio" else pytest.importorskip("trio")

    def run(self, main: Callable[[], Awaitable[object]]) -> None:
        (asyncio.run(main()) if self.module is asyncio else self.module.run(main))  # type: ignore[arg-type]

    async def pause(self) -> None:
        await self.module.sleep(0)

    async def all(self, works: list[Callable[[], Awaitable[object]]]) -> None:
        if self.module is asyncio:
            await asyncio.gather(*(work() for work in works))
            return
        async with self.module.open_nursery() as nursery:
            for work in works:
                nursery.start_soon(work)

    async def cancelled_at(self, step: int, work: Callable[[], Awaitable[object]], steps: list[Any]) -> None:
        """Run `work`, and cancel it once so many `steps` are noted."""
        if self.module is asyncio:
            task = asyncio.ensure_future(work())
            while not task.done() and len(steps) < step:
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return
        async with self.module.open_nursery() as nursery:
            nursery.start_soon(work)
            while len(steps) < step and nursery.child_tasks:
                await self.module.sleep(0)
            nursery.cancel_scope.cancel()


on_both_loops = pytest.mark.parametrize("loop", ["asyncio", "trio"])


def answer(model: str, *, error: str = "", aborted: bool = False) -> list[AnyProviderEvent]:
    """The events of a short answer, or of one that fails after content."""
    builder = MessageBuilder(api="scripted", provider="tests", model=model, timestamp=0)
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start(), builder.text_delta(f"I am {model}")]
    if error or aborted:
        return [*events, builder.error(error, aborted=aborted)]
    return [*events, builder.text_end(), builder.done(StopReason.STOP)]


def error(message: str, *, aborted: bool = False) -> Error:
    return MessageBuilder(api="scripted", provider="tests", model="m", timestamp=0).error(message, aborted=aborted)


START, TEXT_START, DELTA = answer("m")[:3]


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


def router(*models: Any, **options: Any) -> MultiProvider[str]:
    return MultiProvider({f"model-{number}": model for number, model in enumerate(models)}, **options)


def fallbacks(*reasons: FallbackReason) -> list[AnyProviderEvent]:
    """The fallbacks from one model to the next, from the first model on."""
    return [FallbackStart(f"model-{number}", f"model-{number + 1}", reason) for number, reason in enumerate(reasons)]


async def collect(provider: MultiProvider[str]) -> list[AnyProviderEvent]:
    async with aclosing(provider.stream("request")) as stream:
        events = [event async for event in stream]
    assert_valid_router(events, list(provider.breakers))
    return events


def play(provider: MultiProvider[str]) -> list[AnyProviderEvent]:
    events: list[AnyProviderEvent] = finish(collect(provider))
    return events


def opened(provider: MultiProvider[str], *numbers: int) -> MultiProvider[str]:
    """The same router with the breakers of these models open."""
    for number in numbers:
        breaker = provider.breakers[f"model-{number}"]
        while (permit := breaker.acquire()) is not None:
            breaker.failed(permit)
    return provider


def states(provider: MultiProvider[str]) -> list[str]:
    return [breaker.state for breaker in provider.breakers.values()]
