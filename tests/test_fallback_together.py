"""Many requests at once, and consumers that leave: nothing is tried that should not be, nothing stays open."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from scripted import START, Clock, Model, collect, falls, finish, opened, play, router, says, states

from provider_events import AnyProviderEvent, Done, Error, FallbackReason

NETWORK = FallbackReason.NETWORK_ERROR
DOWN = ConnectionRefusedError("nobody listens")

# Many at once


def on_both(test: Callable[[Any], None]) -> Any:
    return pytest.mark.parametrize("loop", ["asyncio", "trio"])(test)


class Loop:
    """The same few things under asyncio and trio."""

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
        """Run `work`, and cancel it when it pauses for the so-manieth time."""
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


@on_both
def test_a_hundred_at_once_keep_the_laws_and_exactly_one_makes_the_trial(loop: str) -> None:
    run, clock, dice = Loop(loop), Clock(), random.Random(5)
    trials = Model("answer", pause=run.pause)

    async def shaky(request: object) -> Any:
        for event in says("m"):
            for _ in range(dice.randrange(4)):
                await run.pause()
            if dice.random() < 0.2:
                raise DOWN
            yield event

    provider = opened(router(trials, shaky, shaky, Model("answer", pause=run.pause), clock=clock), 0)
    streams: list[list[AnyProviderEvent]] = []

    async def request() -> None:
        streams.append(await collect(provider))

    clock.now = 30.0
    trials.script = [START, DOWN]
    run.run(lambda: run.all([request] * 100))
    assert trials.calls == trials.closed == 1, "the trial, and no other"
    assert [stream[0] for stream in streams].count(falls(NETWORK)[0]) == 1
    assert len(streams) == 100 and {type(stream[-1]) for stream in streams} == {Done, Error}
    clock.now = 90.0
    trials.script = list(says("m"))
    run.run(lambda: run.all([request] * 100))
    assert states(provider)[0] == "closed" and trials.calls == 2, "all began before it was answered"


def test_two_at_once_share_breakers_and_nothing_else() -> None:
    async def main() -> None:
        provider = router(lambda words: Model(*says(words))(words))
        streams = [provider.stream("one"), provider.stream("other")]
        pairs = [[await anext(stream) for stream in streams] for _ in says("one")]
        assert pairs == [list(pair) for pair in zip(says("one"), says("other"), strict=True)]
        provider = router(Model(DOWN), failure_threshold=2)
        assert await collect(provider) == await collect(provider) != await collect(provider)

    finish(main())


# Consumers that leave

SCRIPTS: dict[str, list[Any]] = {
    "answers": list(says("m")),
    "fails, then the next answers": [START, DOWN],
    "breaks": [*says("m")[:3], DOWN],
}


@on_both
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_cancelling_at_any_step_closes_the_candidate_and_starts_no_other(loop: str, script: list[Any]) -> None:
    run = Loop(loop)
    for step in range(1, 9):
        at_pause: list[tuple[int, int]] = []

        async def pause() -> None:
            at_pause.append((first.calls, second.calls))
            await run.pause()
            await run.pause()

        clock = Clock()
        first, second = Model(*script, pause=pause), Model("answer", pause=pause)
        provider = opened(router(first, second, clock=clock), 0)
        clock.now = 30.0
        run.run(lambda: run.cancelled_at(step, lambda: collect(provider), at_pause))
        assert len(at_pause) <= step
        assert (first.calls, second.calls) == at_pause[-1], "no other is started"
        assert (first.closed, second.closed) == (first.calls, second.calls)
        breaker = provider.breakers["model-0"]
        assert breaker.state == "open" or breaker.acquire(), "the trial is over"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_leaving_at_any_event_closes_the_candidate_and_starts_no_other(script: list[Any]) -> None:
    async def leave_by_break(stream: AsyncGenerator[AnyProviderEvent, None], place: int) -> None:
        async with aclosing(stream):
            async for _ in stream:
                place -= 1
                if place == 0:
                    break

    async def leave_by_aclose(stream: AsyncGenerator[AnyProviderEvent, None], place: int) -> None:
        for _ in range(place):
            await anext(stream, None)
        await stream.aclose()

    for leave in (leave_by_break, leave_by_aclose):
        for place in range(1, 8):
            first, second = Model(*script), Model("answer")
            finish(leave(router(first, second).stream("request"), place))
            assert (first.calls, first.closed) == (1, 1)
            assert second.calls == second.closed == (script is SCRIPTS["fails, then the next answers"] and place > 1)


@on_both
def test_a_trial_that_was_cancelled_leaves_it_to_the_next(loop: str) -> None:
    run, clock = Loop(loop), Clock()
    model = Model("answer", pause=run.pause)
    provider = opened(router(model, clock=clock), 0)
    clock.now = 30.0
    run.run(lambda: run.cancelled_at(0, lambda: collect(provider), []))
    assert states(provider) == ["half_open"]
    model.pause = None
    assert play(provider) == says("m") and states(provider) == ["closed"]
