# SPDX-License-Identifier: MIT
"""The circuit breakers: what opens and closes them, and how a model is passed over."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from support.candidates import (
    START,
    Clock,
    Model,
    answer,
    collect,
    error,
    fallbacks,
    finish,
    opened,
    play,
    router,
    states,
)

from provider_events import FallbackExhausted, FallbackReason, MessageBuilder, StopReason
from provider_events.fallback import CircuitBreaker

CIRCUIT, NETWORK = FallbackReason.CIRCUIT_BREAKER, FallbackReason.NETWORK_ERROR
DOWN = ConnectionRefusedError("no server")

# Open breakers


def test_an_open_breaker_at_the_first_passes_it_over_untried() -> None:
    first = Model("answer")
    assert play(opened(router(first, Model("answer")), 0)) == [*fallbacks(CIRCUIT), *answer("m")]
    assert first.calls == 0


def test_an_open_breaker_in_the_middle_is_passed_over_by_a_fallback_of_its_own() -> None:
    provider = opened(router(Model(DOWN), Model("answer"), Model("answer")), 1)
    assert play(provider) == [*fallbacks(NETWORK, CIRCUIT), *answer("m")]


def test_an_open_breaker_at_the_last_leaves_the_last_error_of_those_tried() -> None:
    assert play(opened(router(Model(DOWN), Model("answer")), 1)) == [
        *fallbacks(NETWORK),
        FallbackExhausted(("model-0",), "ConnectionRefusedError: no server"),
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_no_model_is_tried_if_all_breakers_are_open(count: int) -> None:
    models = [Model("answer") for _ in range(count)]
    assert play(opened(router(*models), *range(count))) == [
        *fallbacks(*[CIRCUIT] * (count - 1)),
        FallbackExhausted((), "no model was tried: every circuit breaker is open"),
    ]
    assert not any(model.calls for model in models)


# How a breaker opens and closes


def test_a_number_of_failures_in_a_row_opens_it_for_the_cooldown() -> None:
    clock, first = Clock(), Model(DOWN)
    provider = router(first, Model("answer"), failure_threshold=3, cooldown=10.0, clock=clock)
    assert [play(provider)[0] for _ in range(5)] == [*fallbacks(NETWORK) * 3, *fallbacks(CIRCUIT) * 2]
    assert first.calls == 3 and states(provider) == ["open", "closed"]
    clock.now = 9.9
    assert states(provider)[0] == "open"
    clock.now = 10.0
    assert states(provider)[0] == "half_open"


def test_a_trial_that_succeeds_closes_it() -> None:
    clock = Clock()
    provider = opened(router(Model("answer"), Model("answer"), clock=clock), 0)
    clock.now = 30.0
    assert play(provider) == answer("m")
    assert states(provider) == ["closed", "closed"]


def test_a_trial_that_fails_opens_it_again() -> None:
    clock, first = Clock(), Model(DOWN)
    provider = opened(router(first, Model("answer"), clock=clock), 0)
    clock.now = 30.0
    assert [play(provider)[0], play(provider)[0]] == [*fallbacks(NETWORK), *fallbacks(CIRCUIT)]
    clock.now = 59.9
    assert play(provider)[0] == fallbacks(CIRCUIT)[0] and first.calls == 1


def test_a_trial_that_has_begun_to_answer_lets_others_in() -> None:
    async def main() -> None:
        clock = Clock()
        provider = opened(router(Model("answer"), clock=clock), 0)
        clock.now = 30.0
        async with aclosing(provider.stream("request")) as trial:
            assert await anext(trial) == START
            assert await collect(provider) == answer("m")

    finish(main())


def test_a_trial_that_answers_and_then_breaks_opens_it_again() -> None:
    clock = Clock()
    provider = opened(router(Model(*answer("m")[:3], DOWN), clock=clock), 0)
    clock.now = 30.0
    assert play(provider)[-1].is_error and states(provider) == ["open"]


def test_a_complete_message_resets_the_count_and_half_a_message_is_a_failure() -> None:
    model = Model(*answer("m")[:3], DOWN)
    provider = router(model, failure_threshold=2)
    play(provider)
    model.script, broken = list(answer("m")), model.script
    play(provider)
    model.script = broken
    play(provider)
    assert states(provider) == ["closed"]
    play(provider)
    assert states(provider) == ["open"]


@pytest.mark.parametrize(
    "failure", [error("-", aborted=True), error("prompt is too long: 9 tokens > 8 maximum"), TypeError("bug")], ids=str
)
def test_what_is_not_the_models_fault_is_not_counted_and_leaves_a_trial_to_the_next(failure: Any) -> None:
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


def test_the_reports_of_a_call_from_before_it_opened_are_ignored() -> None:
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


def test_an_empty_answer_is_a_failure() -> None:
    making = MessageBuilder(api="a", provider="p", model="m")
    provider = router(Model(making.start(), making.done(StopReason.STOP)), failure_threshold=1)
    play(provider)
    assert states(provider) == ["open"]


def test_a_clock_that_goes_backwards_delays_a_trial_by_one_cooldown_at_most() -> None:
    clock = Clock()
    clock.now = 1000.0
    provider = opened(router(Model("answer"), clock=clock, cooldown=10.0), 0)
    for clock.now, state in (
        (0.0, "open"),
        (9.9, "open"),
        (10.0, "half_open"),
        (5.0, "open"),
        (-5.0, "open"),
        (5.0, "half_open"),
    ):
        assert states(provider) == [state], clock.now
    assert play(provider) == answer("m") and states(provider) == ["closed"]


def test_a_cooldown_of_nothing_lets_in_one_trial_after_another() -> None:
    provider = router(Model(DOWN), failure_threshold=1, cooldown=0)
    for _ in range(3):
        assert isinstance(play(provider)[-1], FallbackExhausted) and states(provider) == ["half_open"]


def test_an_endless_cooldown_never_ends() -> None:
    clock = Clock()
    provider = opened(router(Model("answer"), clock=clock, cooldown=float("inf")), 0)
    clock.now = 1e300
    assert states(provider) == ["open"]


def test_the_representations_show_the_state() -> None:
    clock = Clock()
    provider = opened(router(Model("answer"), Model("answer"), failure_threshold=2, clock=clock), 1)
    assert repr(provider) == "<MultiProvider model-0 closed, model-1 open>"
    assert repr(provider.breakers["model-1"]) == "<CircuitBreaker open, 2 of 2 failures, cooldown 30.0 s>"
    clock.now = 30.0
    assert repr(provider) == "<MultiProvider model-0 closed, model-1 half_open>"
