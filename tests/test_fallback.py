"""What `MultiProvider` promises: one lawful stream, over models that fail in every way at every point."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import START, Model, error, finish, play, router, says

from provider_events import (
    AnyProviderEvent,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    MessageBuilder,
    StopReason,
)
from provider_events.fallback import MultiProvider

DOWN = ConnectionRefusedError("nobody listens")
NETWORK, SERVER = FallbackReason.NETWORK_ERROR, FallbackReason.SERVER_ERROR


# Which model answers


def test_the_first_that_answers_is_handed_on_as_it_is() -> None:
    first, second = Model("answer"), Model("answer")
    assert play(router(first, second)) == says("m")
    assert (first.calls, first.closed, second.calls) == (1, 1, 0)


def test_a_message_without_content_is_an_answer() -> None:
    builder = MessageBuilder(api="a", provider="p", model="m")
    events: list[AnyProviderEvent] = [builder.start(), builder.done(StopReason.STOP)]
    assert play(router(Model(*events), Model())) == events


def no_stream(request: object) -> Any:
    raise OSError("odd")


FAILURES: dict[str, tuple[Any, FallbackReason, str]] = {
    "raises before any event": (Model(DOWN), NETWORK, "ConnectionRefusedError: nobody listens"),
    "raises after Start": (Model(START, DOWN), NETWORK, "ConnectionRefusedError: nobody listens"),
    "raises when called": (no_stream, FallbackReason.UNKNOWN, "OSError: odd"),
    "yields Error alone": (Model(error("overloaded_error: busy")), SERVER, "overloaded_error: busy"),
    "yields Error after Start": (Model(START, error("429: slow down")), FallbackReason.RATE_LIMIT, "429: slow down"),
    "ends after Start": (Model(START), NETWORK, "the stream broke off before the message was complete"),
    "ends without a word": (Model(), NETWORK, "the stream broke off before the message was complete"),
    "is a router that is exhausted": (router(Model(DOWN)).stream, NETWORK, "ConnectionRefusedError: nobody listens"),
}


@pytest.mark.parametrize(("failing", "reason", "words"), FAILURES.values(), ids=FAILURES)
def test_what_fails_before_content_gives_way_to_the_next(failing: Any, reason: FallbackReason, words: str) -> None:
    last = Model("answer")
    assert play(router(failing, last)) == [FallbackStart("model-0", "model-1", reason), *says("m")]
    assert play(router(failing)) == [FallbackExhausted(("model-0",), words)]
    assert play(router(failing, Model(KeyError("k")))) == [
        FallbackStart("model-0", "model-1", reason),
        FallbackExhausted(("model-0", "model-1"), "KeyError: 'k'"),
    ]
    assert not isinstance(failing, Model) or failing.closed == failing.calls == 3


def test_an_error_after_content_is_handed_on_and_nothing_restarts() -> None:
    events, second = says("m", error="overloaded_error: busy"), Model("answer")
    assert play(router(Model(*events), second)) == events
    assert second.calls == 0


@pytest.mark.parametrize("failing", [DOWN, None], ids=["raises", "ends"])
def test_a_break_after_content_is_an_error_with_all_that_came(failing: BaseException | None) -> None:
    first, second = Model(*says("m")[:3], *([failing] if failing else [])), Model("answer")
    *before, last = play(router(first, second))
    assert before == says("m")[:3]
    assert isinstance(last, Error) and last.error.text == "I am m" and last.error.stop_reason is StopReason.ERROR
    assert last.error.error_message == (f"ConnectionRefusedError: {failing}" if failing else "the stream broke off before the message was complete")
    assert (first.closed, second.calls) == (1, 0)


def test_nothing_after_the_ending_is_handed_on() -> None:
    assert play(router(Model("answer", *says("m")))) == says("m")


def test_a_router_may_be_a_candidate() -> None:
    async def main() -> None:
        inner = MultiProvider[str]({"a": Model(DOWN), "b": Model("answer")})
        events = [event async for event in router(inner.stream).stream("request")]
        assert events == [FallbackStart("a", "b", NETWORK), *says("m")]

    finish(main())


def test_the_same_model_twice_is_two_candidates() -> None:
    model = Model(DOWN)
    provider = MultiProvider[str]({"a": model, "b": model}, failure_threshold=1)
    assert play(provider) == [FallbackStart("a", "b", NETWORK), FallbackExhausted(("a", "b"), "ConnectionRefusedError: nobody listens")]
    assert model.calls == 2 and provider.breakers["a"] is not provider.breakers["b"]


def test_no_candidate_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        MultiProvider[str]({})
    with pytest.raises(ValueError, match="1 or more"):
        router(Model(), failure_threshold=0)


def test_later_changes_to_the_candidates_change_nothing() -> None:
    candidates = {"a": Model("answer")}
    provider = MultiProvider[str](candidates)
    candidates.clear()
    assert play(provider) == says("m")


# What is no provider's failure


def test_an_exception_that_is_no_providers_failure_propagates() -> None:
    for script in ([TypeError("bug")], [START, TypeError("bug")], [*says("m")[:3], TypeError("bug")]):
        first, second = Model(*script), Model("answer")
        with pytest.raises(TypeError, match="bug"):
            play(router(first, second))
        assert (first.closed, second.calls) == (1, 0)


@pytest.mark.parametrize("start", [[], [START]])
def test_an_error_that_is_no_providers_failure_is_handed_on(start: list[AnyProviderEvent]) -> None:
    events = [*start, error("refused: as it should be")]
    second = Model("answer")
    assert play(router(Model(*events), second, classify=lambda failure: None, failure_threshold=1)) == events
    assert second.calls == 0


@pytest.mark.parametrize("events", [[error("stopped", aborted=True)], [START, error("stopped", aborted=True)], says("m", error="-", aborted=True)])
def test_aborted_never_falls_back_whatever_classify_says(events: list[AnyProviderEvent]) -> None:
    second = Model("answer")
    provider = router(Model(*events), second, classify=lambda failure: SERVER, failure_threshold=1)
    assert play(provider) == events
    assert second.calls == 0 and provider.breakers["model-0"].state == "closed"


def test_classify_sees_the_failure_itself() -> None:
    seen: list[object] = []
    failed = error("x")
    play(router(Model(DOWN), Model(failed), classify=lambda failure: seen.append(failure) or FallbackReason.UNKNOWN))
    assert seen == [DOWN, failed]


def test_a_candidate_that_cannot_be_closed_is_abandoned_all_the_same() -> None:
    class Stubborn:
        closed = False

        def __aiter__(self) -> Stubborn:
            return self

        async def __anext__(self) -> AnyProviderEvent:
            raise DOWN

        async def aclose(self) -> None:
            self.closed = True
            raise RuntimeError("cannot")

    stubborn = Stubborn()
    assert len(play(router(lambda _: stubborn, Model("answer")))) == 1 + len(says("m"))
    assert stubborn.closed


def test_a_candidate_is_closed_before_the_fallback_or_the_ending_goes_out() -> None:
    async def watch() -> None:
        first, second = Model(error("429: x")), Model("answer")
        async for event in router(first, second).stream("request"):
            assert first.closed
            assert second.closed == event.is_terminal

    finish(watch())


def test_what_the_consumer_throws_in_is_its_own() -> None:
    async def watch() -> None:
        first = Model("answer")
        stream = router(first).stream("request")
        await anext(stream)
        with pytest.raises(ConnectionError, match="mine"):
            await stream.athrow(ConnectionError("mine"))
        assert first.closed

    finish(watch())
