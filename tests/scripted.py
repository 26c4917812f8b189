"""Scripted candidates for `MultiProvider`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from laws import assert_lawful_router

from provider_events import AnyProviderEvent, Error, FallbackReason, FallbackStart, MessageBuilder, StopReason
from provider_events.fallback import MultiProvider


class Model:
    """A scripted candidate: yields the events of its script, raises the exceptions, and notes what is done to it."""

    def __init__(self, *script: BaseException | AnyProviderEvent | str, name: str = "m", pause: Callable[[], Awaitable[object]] | None = None) -> None:
        self.script = [each for step in script for each in (says(name) if step == "answer" else [step])]
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
                assert not isinstance(step, str)
                yield step
        finally:
            self.closed += 1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def says(model: str, *, error: str = "", aborted: bool = False) -> list[AnyProviderEvent]:
    builder = MessageBuilder(api="scripted", provider="tests", model=model, timestamp=0)
    events = [builder.start(), builder.text_start(), builder.text_delta(f"I am {model}")]
    end = [builder.error(error, aborted=aborted)] if error or aborted else [builder.text_end(), builder.done(StopReason.STOP)]
    return [*events, *end]


def error(message: str, *, aborted: bool = False) -> Error:
    return MessageBuilder(api="scripted", provider="tests", model="m", timestamp=0).error(message, aborted=aborted)


START = says("m")[0]


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


def router(*models: Any, **options: Any) -> MultiProvider[str]:
    return MultiProvider({f"model-{place}": model for place, model in enumerate(models)}, **options)


def falls(*reasons: FallbackReason) -> list[FallbackStart]:
    """One fallback after another, from the first model on."""
    return [FallbackStart(f"model-{place}", f"model-{place + 1}", reason) for place, reason in enumerate(reasons)]


async def collect(provider: MultiProvider[str]) -> list[AnyProviderEvent]:
    async with aclosing(provider.stream("request")) as stream:
        events = [event async for event in stream]
    assert_lawful_router(events, list(provider.breakers))
    return events


def play(provider: MultiProvider[str]) -> list[AnyProviderEvent]:
    events: list[AnyProviderEvent] = finish(collect(provider))
    return events


def opened(provider: MultiProvider[str], *places: int) -> MultiProvider[str]:
    """The breakers at these places are open."""
    for place in places:
        breaker = provider.breakers[f"model-{place}"]
        while (permit := breaker.acquire()) is not None:
            breaker.failed(permit)
    return provider


def states(provider: MultiProvider[str]) -> list[str]:
    return [breaker.state for breaker in provider.breakers.values()]
