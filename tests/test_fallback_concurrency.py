# SPDX-License-Identifier: MIT
"""Many requests at once, and consumers that leave: no model is tried that should not be, no stream stays open."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from support.candidates import (
    START,
    Clock,
    Loop,
    Model,
    answer,
    collect,
    fallbacks,
    finish,
    on_both_loops,
    opened,
    play,
    router,
    states,
)

from provider_events import AnyProviderEvent, Done, Error, FallbackReason

NETWORK = FallbackReason.NETWORK_ERROR
DOWN = ConnectionRefusedError("no server")

# Many at once


@on_both_loops
def test_a_hundred_at_once_are_valid_and_exactly_one_makes_the_trial(loop: str) -> None:
    run, clock, dice = Loop(loop), Clock(), random.Random(5)
    trials = Model("answer", pause=run.pause)

    async def shaky(request: object) -> Any:
        for event in answer("m"):
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
    assert [stream[0] for stream in streams].count(fallbacks(NETWORK)[0]) == 1
    assert len(streams) == 100 and {type(stream[-1]) for stream in streams} == {Done, Error}
    clock.now = 90.0
    trials.script = list(answer("m"))
    run.run(lambda: run.all([request] * 100))
    assert states(provider)[0] == "closed" and trials.calls == 2, "all began before it was answered"


def test_streams_at_once_share_the_breakers_and_nothing_else() -> None:
    async def main() -> None:
        provider = router(lambda words: Model(*answer(words))(words))
        streams = [provider.stream("one"), provider.stream("other")]
        pairs = [[await anext(stream) for stream in streams] for _ in answer("one")]
        assert pairs == [list(pair) for pair in zip(answer("one"), answer("other"), strict=True)]
        provider = router(Model(DOWN), failure_threshold=2)
        assert await collect(provider) == await collect(provider) != await collect(provider)

    finish(main())


# Consumers that leave

SCRIPTS: dict[str, list[Any]] = {
    "answers": list(answer("m")),
    "fails, then the next answers": [START, DOWN],
    "breaks": [*answer("m")[:3], DOWN],
}


@on_both_loops
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
    async def leave_by_break(stream: AsyncGenerator[AnyProviderEvent, None], count: int) -> None:
        async with aclosing(stream):
            async for _ in stream:
                count -= 1
                if count == 0:
                    break

    async def leave_by_aclose(stream: AsyncGenerator[AnyProviderEvent, None], count: int) -> None:
        for _ in range(count):
            await anext(stream, None)
        await stream.aclose()

    for leave in (leave_by_break, leave_by_aclose):
        for count in range(1, 8):
            first, second = Model(*script), Model("answer")
            finish(leave(router(first, second).stream("request"), count))
            assert (first.calls, first.closed) == (1, 1)
            assert second.calls == second.closed == (script is SCRIPTS["fails, then the next answers"] and count > 1)


@on_both_loops
def test_a_trial_that_was_cancelled_leaves_it_to_the_next(loop: str) -> None:
    run, clock = Loop(loop), Clock()
    model = Model("answer", pause=run.pause)
    provider = opened(router(model, clock=clock), 0)
    clock.now = 30.0
    run.run(lambda: run.cancelled_at(0, lambda: collect(provider), []))
    assert states(provider) == ["half_open"]
    model.pause = None
    assert play(provider) == answer("m") and states(provider) == ["closed"]
