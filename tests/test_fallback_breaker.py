"""The breakers: what opens and closes them, and how a model is passed over."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from scripted import START, Clock, Model, collect, error, falls, finish, opened, play, router, says, states

from provider_events import FallbackExhausted, FallbackReason
from provider_events.fallback import CircuitBreaker

CIRCUIT, NETWORK = FallbackReason.CIRCUIT_BREAKER, FallbackReason.NETWORK_ERROR
DOWN = ConnectionRefusedError("nobody listens")

# Open breakers


def test_an_open_breaker_at_the_first_passes_it_over_untried() -> None:
    first = Model("answer")
    assert play(opened(router(first, Model("answer")), 0)) == [*falls(CIRCUIT), *says("m")]
    assert first.calls == 0


def test_an_open_breaker_in_the_middle_is_passed_over_by_a_fallback_of_its_own() -> None:
    provider = opened(router(Model(DOWN), Model("answer"), Model("answer")), 1)
    assert play(provider) == [*falls(NETWORK, CIRCUIT), *says("m")]


def test_an_open_breaker_at_the_last_leaves_the_last_words_of_those_tried() -> None:
    assert play(opened(router(Model(DOWN), Model("answer")), 1)) == [
        *falls(NETWORK),
        FallbackExhausted(("model-0",), "ConnectionRefusedError: nobody listens"),
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_open_breakers_at_all_try_no_model(count: int) -> None:
    models = [Model("answer") for _ in range(count)]
    assert play(opened(router(*models), *range(count))) == [
        *falls(*[CIRCUIT] * (count - 1)),
        FallbackExhausted((), "no model was tried: every circuit breaker is open"),
    ]
    assert not any(model.calls for model in models)


# How a breaker opens and closes


def test_so_many_failures_in_a_row_open_it_for_so_long() -> None:
    clock, first = Clock(), Model(DOWN)
    provider = router(first, Model("answer"), failure_threshold=3, cooldown=10.0, clock=clock)
    assert [play(provider)[0] for _ in range(5)] == [*falls(NETWORK) * 3, *falls(CIRCUIT) * 2]
    assert first.calls == 3 and states(provider) == ["open", "closed"]
    clock.now = 9.9
    assert states(provider)[0] == "open"
    clock.now = 10.0
    assert states(provider)[0] == "half_open"


def test_a_trial_that_succeeds_closes_it() -> None:
    clock = Clock()
    provider = opened(router(Model("answer"), Model("answer"), clock=clock), 0)
    clock.now = 30.0
    assert play(provider) == says("m")
    assert states(provider) == ["closed", "closed"]


def test_a_trial_that_fails_opens_it_again() -> None:
    clock, first = Clock(), Model(DOWN)
    provider = opened(router(first, Model("answer"), clock=clock), 0)
    clock.now = 30.0
    assert [play(provider)[0], play(provider)[0]] == [*falls(NETWORK), *falls(CIRCUIT)]
    clock.now = 59.9
    assert play(provider)[0] == falls(CIRCUIT)[0] and first.calls == 1


def test_a_trial_that_has_begun_to_answer_lets_others_in() -> None:
    async def main() -> None:
        clock = Clock()
        provider = opened(router(Model("answer"), clock=clock), 0)
        clock.now = 30.0
        async with aclosing(provider.stream("request")) as trial:
            assert await anext(trial) == START
            assert await collect(provider) == says("m")

    finish(main())


def test_a_trial_that_answers_and_then_breaks_opens_it_again() -> None:
    clock = Clock()
    provider = opened(router(Model(*says("m")[:3], DOWN), clock=clock), 0)
    clock.now = 30.0
    assert play(provider)[-1].is_error and states(provider) == ["open"]


def test_a_complete_message_makes_it_forget_and_half_a_message_counts() -> None:
    model = Model(*says("m")[:3], DOWN)
    provider = router(model, failure_threshold=2)
    play(provider)
    model.script, broken = list(says("m")), model.script
    play(provider)
    model.script = broken
    play(provider)
    assert states(provider) == ["closed"]
    play(provider)
    assert states(provider) == ["open"]


@pytest.mark.parametrize(
    "failure", [error("-", aborted=True), error("prompt is too long: 9 tokens > 8 maximum"), TypeError("bug")], ids=str
)
def test_what_is_not_the_models_fault_does_not_count_and_leaves_a_trial_to_the_next(failure: Any) -> None:
    clock = Clock()
    provider = router(Model(failure), clock=clock, failure_threshold=1)
    for now, state in ((0.0, "closed"), (30.0, "half_open")):
        clock.now = now
        for _ in range(3):
            if isinstance(failure, TypeError):
                with pytest.raises(TypeError):
                    play(provider)
            else:
                play(provider)
            assert states(provider) == [state]
        if state == "closed":
            clock.now = 0.0
            opened(provider, 0)


def test_a_call_from_before_it_opened_reports_in_vain() -> None:
    clock = Clock()
    breaker = CircuitBreaker(failure_threshold=1, cooldown=10.0, clock=clock)
    slow, quick = breaker.acquire(), breaker.acquire()
    breaker.failed(quick)
    clock.now = 10.0
    trial = breaker.acquire()
    for report in (breaker.succeeded, breaker.answered, breaker.failed, breaker.release):
        report(slow)
        assert (breaker.state, breaker.acquire()) == ("half_open", None), "the trial goes on"
    breaker.release(trial)
    assert breaker.acquire() is not None
