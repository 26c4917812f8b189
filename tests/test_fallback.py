# SPDX-License-Identifier: MIT
"""What `MultiProvider` promises: one valid stream, over models that fail in every way at every point."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from support.candidates import (
    DELTA,
    START,
    TEXT_START,
    Model,
    answer,
    error,
    fallbacks,
    finish,
    play,
    router,
)

from provider_events import (
    AnyProviderEvent,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    StopReason,
    UnknownContent,
)
from provider_events.fallback import MultiProvider

DOWN = ConnectionRefusedError("no server")
NETWORK, SERVER = FallbackReason.NETWORK_ERROR, FallbackReason.SERVER_ERROR
MODEL, UNKNOWN = FallbackReason.MODEL_ERROR, FallbackReason.UNKNOWN
BROKE_OFF = "the stream broke off before the message was complete"


def builder() -> MessageBuilder:
    return MessageBuilder(api="scripted", provider="tests", model="m", timestamp=0)


# Which model answers


def test_the_events_of_the_first_that_answers_are_yielded_as_they_are() -> None:
    first, second = Model("answer"), Model("answer")
    assert play(router(first, second)) == answer("m")
    assert (first.calls, first.closed, second.calls) == (1, 1, 0)


def no_stream(request: object) -> Any:
    raise OSError("odd")


def empty(reason: StopReason, *calls: str) -> list[AnyProviderEvent]:
    """The events of a message without content."""
    making = builder()
    return [making.start(), *(getattr(making, call)() for call in calls), making.done(reason)]


EMPTY = "the model stopped without any content"
FAILURES: dict[str, tuple[Any, FallbackReason, str]] = {
    "raises before any event": (Model(DOWN), NETWORK, "ConnectionRefusedError: no server"),
    "raises after Start": (Model(START, DOWN), NETWORK, "ConnectionRefusedError: no server"),
    "raises when called": (no_stream, UNKNOWN, "OSError: odd"),
    "yields Error alone": (Model(error("overloaded_error: busy")), SERVER, "overloaded_error: busy"),
    "yields Error after Start": (Model(START, error("429: slow down")), FallbackReason.RATE_LIMIT, "429: slow down"),
    "ends after Start": (Model(START), NETWORK, BROKE_OFF),
    "never yields": (Model(), NETWORK, BROKE_OFF),
    "is a router that is exhausted": (router(Model(DOWN)).stream, NETWORK, "ConnectionRefusedError: no server"),
    "starts a block and raises": (Model(START, TEXT_START, DOWN), NETWORK, "ConnectionRefusedError: no server"),
    "is done with nothing in it": (Model(*empty(StopReason.STOP)), MODEL, EMPTY),
    "is done at its limit with nothing in it": (Model(*empty(StopReason.LENGTH)), MODEL, EMPTY),
    "is done with empty blocks": (
        Model(*empty(StopReason.STOP, "thinking_start", "thinking_end", "text_start", "text_end")), MODEL, EMPTY
    ),
    "is done before it has started": (Model(answer("m")[-1]), UNKNOWN, "ValueError: candidate 'model-0': Done cannot"),
    "yields a delta first": (Model(DELTA), UNKNOWN, "ValueError: candidate 'model-0': TextDelta cannot come here"),
}  # fmt: skip


@pytest.mark.parametrize(("failing", "reason", "words"), FAILURES.values(), ids=FAILURES)
def test_a_failure_before_content_falls_back_to_the_next(failing: Any, reason: FallbackReason, words: str) -> None:
    last = Model("answer")
    assert play(router(failing, last)) == [FallbackStart("model-0", "model-1", reason), *answer("m")]
    [exhausted] = play(router(failing))
    assert isinstance(exhausted, FallbackExhausted)
    assert exhausted.models_tried == ("model-0",) and exhausted.final_error.startswith(words)
    assert play(router(failing, Model(KeyError("k")))) == [
        FallbackStart("model-0", "model-1", reason),
        FallbackExhausted(("model-0", "model-1"), "KeyError: 'k'"),
    ]
    assert not isinstance(failing, Model) or failing.closed == failing.calls == 3


def test_an_overloaded_error_behind_an_empty_text_block_falls_back() -> None:
    making = builder()
    events: list[AnyProviderEvent] = [making.start(), making.text_start(), making.text_delta(""), making.text_end()]
    events.append(making.error("overloaded_error: busy"))
    assert play(router(Model(*events), Model("answer"))) == [*fallbacks(SERVER), *answer("m")]


def content_of_every_kind() -> Iterator[tuple[str, list[AnyProviderEvent]]]:
    """The events up to the first content, of every kind of content."""
    for kind in ("text", "thinking"):
        making = builder()
        yield kind, [making.start(), getattr(making, f"{kind}_start")(), getattr(making, f"{kind}_delta")("x")]
    making = builder()
    yield "arguments", [making.start(), making.tool_call_start("id", "name"), making.tool_call_delta("{")]
    making = builder()
    yield "redacted", [making.start(), making.thinking_start(), making.thinking_end(signature="opaque", redacted=True)]
    for block in (ImageContent("", "image/png"), UnknownContent({"type": "odd"})):
        making = builder()
        start = making.start()
        making.add_block(block)
        yield type(block).__name__, [start, making.text_start()]


@pytest.mark.parametrize(("kind", "events"), [*content_of_every_kind()])
def test_what_has_shown_content_is_never_replaced(kind: str, events: list[AnyProviderEvent]) -> None:
    second = Model("answer")
    *before, last = play(router(Model(*events, DOWN), second))
    assert before == events and second.calls == 0
    assert isinstance(last, Error) and last.error.content == events[-1].partial.content  # type: ignore[union-attr]


def test_a_start_of_a_call_is_no_content_and_its_end_is() -> None:
    making = builder()
    events: list[AnyProviderEvent] = [making.start(), making.tool_call_start("id", "name")]
    events += [making.tool_call_delta("{}"), making.tool_call_end()]
    assert len(play(router(Model(*events[:2], DOWN), Model("answer")))) == 1 + len(answer("m"))
    assert play(router(Model(*events, DOWN), Model("answer")))[:-1] == events


def test_events_are_yielded_as_they_come_from_the_first_content_on() -> None:
    async def watch() -> None:
        seen: list[AnyProviderEvent] = []

        async def candidate(request: object) -> Any:
            for number, event in enumerate(answer("m")):
                assert len(seen) == (0 if number <= 2 else number)
                yield event

        async for event in router(candidate).stream("request"):
            seen.append(event)

    finish(watch())


# Failures after content


def test_an_error_after_content_is_yielded_and_nothing_restarts() -> None:
    events, second = answer("m", error="overloaded_error: busy"), Model("answer")
    assert play(router(Model(*events), second)) == events
    assert second.calls == 0


@pytest.mark.parametrize("failing", [DOWN, None], ids=["raises", "ends"])
def test_a_break_after_content_is_an_error_with_all_content(failing: BaseException | None) -> None:
    first, second = Model(*answer("m")[:3], *([failing] if failing else [])), Model("answer")
    *before, last = play(router(first, second))
    assert before == answer("m")[:3]
    assert isinstance(last, Error) and last.error.text == "I am m" and last.error.stop_reason is StopReason.ERROR
    assert last.error.error_message == (f"ConnectionRefusedError: {failing}" if failing else BROKE_OFF)
    assert (first.closed, second.calls) == (1, 0)


def test_an_event_that_cannot_come_is_an_error_after_content() -> None:
    for wrong in (START, TEXT_START, *fallbacks(SERVER)):
        *before, last = play(router(Model(*answer("m")[:3], wrong), Model("answer")))
        assert before == answer("m")[:3]
        assert isinstance(last, Error) and f"{type(wrong).__name__} cannot come here" in str(last.error.error_message)


def test_nothing_after_the_terminal_event_is_yielded() -> None:
    assert play(router(Model("answer", *answer("m")))) == answer("m")
    assert play(router(Model(error("x"), "answer"))) == [FallbackExhausted(("model-0",), "x")]


def test_what_is_no_event_is_a_mistake_of_the_program() -> None:
    scripts: list[list[Any]] = [["text"], [START, {"type": "text_delta"}], [*answer("m")[:3], None]]
    for script in scripts:
        first, second = Model(), Model("answer")
        first.script = script
        with pytest.raises(TypeError, match="candidate 'model-0': expected an event, found"):
            play(router(first, second))
        assert (first.closed, second.calls) == (1, 0)


def test_a_candidate_that_returns_no_stream_is_a_mistake_of_the_program() -> None:
    for wrong in (None, [START], iter([START])):
        with pytest.raises(TypeError, match="async"):
            play(router(lambda request: wrong, Model("answer")))


# Failures that are no provider's


def test_an_exception_that_is_no_providers_failure_propagates() -> None:
    for script in ([TypeError("bug")], [START, TypeError("bug")], [*answer("m")[:3], TypeError("bug")]):
        first, second = Model(*script), Model("answer")
        with pytest.raises(TypeError, match="bug"):
            play(router(first, second))
        assert (first.closed, second.calls) == (1, 0)


@pytest.mark.parametrize("start", [[], [START]])
def test_an_error_that_is_no_providers_failure_is_yielded(start: list[AnyProviderEvent]) -> None:
    events = [*start, error("refused: as it should be")]
    second = Model("answer")
    assert play(router(Model(*events), second, classify=lambda failure: None, failure_threshold=1)) == events
    assert second.calls == 0


ABORTED = error("stopped", aborted=True)


@pytest.mark.parametrize("events", [[ABORTED], [START, ABORTED], answer("m", error="-", aborted=True)])
def test_aborted_never_falls_back_whatever_classify_returns(events: list[AnyProviderEvent]) -> None:
    second = Model("answer")
    provider = router(Model(*events), second, classify=lambda failure: SERVER, failure_threshold=1)
    assert play(provider) == events
    assert second.calls == 0 and provider.breakers["model-0"].state == "closed"


def test_classify_is_given_the_failure_itself() -> None:
    seen: list[object] = []
    failed = error("x")

    def classify(failure: object) -> FallbackReason:
        seen.append(failure)
        return UNKNOWN

    play(router(Model(DOWN), Model(failed), classify=classify))
    assert seen == [DOWN, failed]


def test_a_candidate_that_yields_nothing_has_failed_as_that_model_of_no_known_provider() -> None:
    seen: list[Any] = []

    def classify(failure: object) -> FallbackReason:
        seen.append(failure)
        return UNKNOWN

    play(router(Model(), Model("answer"), classify=classify))
    (failed,) = seen
    assert (failed.error.api, failed.error.provider, failed.error.model) == ("", "", "model-0")


def test_what_classify_raises_propagates_and_closes_the_candidate() -> None:
    first = Model(DOWN)
    with pytest.raises(ZeroDivisionError):
        play(router(first, Model("answer"), classify=lambda failure: 1 // 0))
    assert first.closed == 1


def test_an_exception_of_the_consumer_is_its_own() -> None:
    async def watch() -> None:
        first = Model("answer")
        stream = router(first).stream("request")
        await anext(stream)
        with pytest.raises(ConnectionError, match="mine"):
            await stream.athrow(ConnectionError("mine"))
        assert first.closed

    finish(watch())


# Routers in routers, and the same model twice


def test_a_router_may_be_a_candidate() -> None:
    async def main() -> None:
        inner = MultiProvider[str]({"a": Model(DOWN), "b": Model("answer")})
        events = [event async for event in router(inner.stream).stream("request")]
        assert events == [FallbackStart("a", "b", NETWORK), *answer("m")]

    finish(main())


def test_the_same_model_twice_is_two_candidates() -> None:
    model = Model(DOWN)
    provider = MultiProvider[str]({"a": model, "b": model}, failure_threshold=1)
    exhausted = FallbackExhausted(("a", "b"), "ConnectionRefusedError: no server")
    assert play(provider) == [FallbackStart("a", "b", NETWORK), exhausted]
    assert model.calls == 2 and provider.breakers["a"] is not provider.breakers["b"]


# The log


def test_a_failed_candidate_is_logged_at_debug_level_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "provider_events"):
        play(router(Model(DOWN), Model(error("429: slow down")), Model("answer")))
    raised, yielded = caplog.records
    assert (raised.name, raised.levelno) == ("provider_events", logging.DEBUG)
    assert raised.getMessage() == "model 'model-0' failed (network_error): ConnectionRefusedError: no server"
    assert raised.exc_info and raised.exc_info[1] is DOWN and raised.exc_info[2] is not None
    assert yielded.getMessage() == "model 'model-1' failed (rate_limit): 429: slow down"
    assert not yielded.exc_info


# Arguments


def test_candidates_may_be_any_mapping_and_later_changes_change_nothing() -> None:
    candidates: dict[str, Any] = {"a": Model("answer")}
    provider = MultiProvider[str](MappingProxyType(candidates))
    candidates.clear()
    assert play(provider) == answer("m")

    class Lazy(Mapping[str, Any]):
        def __getitem__(self, name: str) -> Any:
            return Model("answer")

        def __iter__(self) -> Iterator[str]:
            return iter("ab")

        def __len__(self) -> int:
            return 2

    assert play(MultiProvider[str](Lazy())) == answer("m")


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([Model()], "candidates: expected a mapping of names to callables, found list"),
        ([("a", Model())], "candidates: expected a mapping"),
        (None, "candidates: expected a mapping"),
        ({1: Model()}, "candidates: expected names that are str, found 1"),
        ({"a": answer("m")}, r"candidates\['a'\]: expected a callable, found \["),
    ],
)
def test_candidates_of_another_type_are_a_type_error(candidates: Any, expected: str) -> None:
    with pytest.raises(TypeError, match=expected):
        MultiProvider[str](candidates)


def test_unusable_options_are_named() -> None:
    with pytest.raises(ValueError, match="candidates: expected at least one model"):
        MultiProvider[str]({})
    for options, error_type, expected in (
        ({"failure_threshold": 0}, ValueError, "failure_threshold: expected 1 or more, found 0"),
        ({"failure_threshold": 2.0}, TypeError, "failure_threshold: expected an int"),
        ({"failure_threshold": True}, TypeError, "failure_threshold: expected an int"),
        ({"cooldown": -1}, ValueError, "cooldown: expected 0 or more seconds, found -1"),
        ({"cooldown": float("nan")}, ValueError, "cooldown: expected 0 or more seconds"),
        ({"cooldown": "30"}, TypeError, "cooldown: expected a number of seconds"),
        ({"clock": 0.0}, TypeError, "clock: expected a callable"),
        ({"classify": "network_error"}, TypeError, "classify: expected a callable"),
    ):
        with pytest.raises(error_type, match=expected):
            router(Model(), **options)
