# SPDX-License-Identifier: MIT
"""`MultiProvider`: one lawful stream over several models, tried in order.

Only a model that has said nothing yet can be replaced: what went out to the consumer is never taken
back and never said twice. Nothing here knows an event loop; it runs under any.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Generic, Literal, TypeAlias, TypeVar, final

from .events import AnyProviderEvent, Done, Error, FallbackExhausted, FallbackReason, FallbackStart, Start
from .failures import fallback_reason
from .messages import AssistantMessage, StopReason

R = TypeVar("R")


# The breaker


@final
class CircuitBreaker:
    """Keeps calls away from a model that fails.

    It is closed until `failure_threshold` calls have failed with no complete message between them.
    Then it is open for `cooldown` seconds: no call is let in. After that it is half-open and lets in
    one call, the trial. A trial that is answered closes it, one that fails opens it again, and one
    that ends in neither way leaves the trial to the next call.

    What a call reports counts only if the breaker has not opened since it was let in. A breaker may
    serve any number of calls at once in one thread.
    """

    __slots__ = ("_failure_threshold", "_cooldown", "_clock", "_failures", "_closed", "_until", "_period")

    def __init__(
        self, *, failure_threshold: int = 5, cooldown: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if failure_threshold < 1:
            raise ValueError(f"failure_threshold: expected 1 or more, not {failure_threshold}")
        self._failure_threshold = failure_threshold
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0  # since the last complete message
        self._closed = True
        self._until = 0.0  # when the cooldown ends, unless closed
        self._period: object | None = object()  # the permit whose reports count; None: nobody is let in

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """Whether calls are let in: all, none, or one."""
        if self._closed:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    def acquire(self) -> object | None:
        """Ask to make a call: a permit, to be handed back with every report, or None for no."""
        if not self._closed:
            if self._period is not None or self._clock() < self._until:
                return None
            self._period = object()  # the trial's
        return self._period

    def answered(self, permit: object) -> None:
        """The model has begun to answer."""
        if permit is self._period:
            self._closed = True

    def succeeded(self, permit: object) -> None:
        """The message is complete: earlier failures are forgotten."""
        if permit is self._period:
            self._closed = True
            self._failures = 0

    def failed(self, permit: object) -> None:
        """The call has failed."""
        if permit is self._period:
            self._failures += 1
            if self._failures >= self._failure_threshold:
                self._closed = False
                self._period = None
                self._until = self._clock() + self._cooldown

    def release(self, permit: object) -> None:
        """The call is over. If it was a trial that came to nothing, another may be made."""
        if permit is self._period and not self._closed:
            self._period = None


# The router

Candidate: TypeAlias = Callable[[R], AsyncIterable[AnyProviderEvent]]
"""What is tried: it takes the request and returns the stream of a model's answer."""

_BROKE_OFF = "the stream broke off before the message was complete"
_HELD = frozenset({Start, FallbackStart})  # they do not show yet that a model works
_ENDINGS = frozenset({Done, Error, FallbackExhausted})


class _Source:
    """The stream of one candidate. It fails by an `Error`, never by an `Exception`."""

    __slots__ = ("events", "held", "cause", "_stream", "_blank")

    def __init__(self, model: str) -> None:
        self.events: AsyncIterator[AnyProviderEvent]
        self.held: list[AnyProviderEvent] = []  # what came before `first`
        self.cause: Exception | None = None  # what was raised, where that is behind the `Error`
        self._stream: object = None
        self._blank = AssistantMessage("", "", model)

    async def first(self, candidate: Candidate[R], request: R) -> AnyProviderEvent:
        """The first event that shows whether the candidate works."""
        try:
            stream = self._stream = candidate(request)
            self.events = aiter(stream)
            async for event in self.events:
                if type(event) not in _HELD:
                    return event
                self.held.append(event)
        except Exception as error:
            return self.failed(error, *self.held[-1:])
        return self.failed(_BROKE_OFF, *self.held[-1:])

    def failed(self, why: Exception | str, latest: AnyProviderEvent | None = None) -> Error:
        """An `Error` with all that had come by the `latest` event."""
        if isinstance(why, Exception):
            self.cause = why
            why = ": ".join(filter(None, [type(why).__name__, str(why)]))
        partial = latest and latest.partial or self._blank
        return Error(StopReason.ERROR, replace(partial, stop_reason=StopReason.ERROR, error_message=why))

    async def close(self) -> None:
        """Close the stream. That it cannot be closed properly is no news to the consumer."""
        for each in (getattr(self, "events", None), self._stream):
            if (aclose := getattr(each, "aclose", None)) is not None:
                with suppress(Exception):
                    await aclose()
                return


@final
class MultiProvider(Generic[R]):
    """Tries models in order until one answers.

    `candidates` maps model names, in order of preference, to callables that take the request and
    return an async iterable of events. Each name is a candidate with a breaker of its own, even if
    two names share one callable. `classify` says what kind a failure is, or None if it is not a
    provider's: then no other model is tried.
    """

    def __init__(
        self,
        candidates: Mapping[str, Candidate[R]],
        *,
        classify: Callable[[BaseException | Error], FallbackReason | None] = fallback_reason,
        failure_threshold: int = 5,
        cooldown: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not candidates:
            raise ValueError("candidates: expected at least one model")
        self._candidates = dict(candidates)
        self._classify = classify
        self.breakers: Mapping[str, CircuitBreaker] = {
            model: CircuitBreaker(failure_threshold=failure_threshold, cooldown=cooldown, clock=clock) for model in candidates
        }

    async def stream(self, request: R) -> AsyncGenerator[AnyProviderEvent, None]:
        """One lawful stream. Close it, by `contextlib.aclosing`, where you may leave it early.

        Each candidate but the last that fails or is passed over gives one `FallbackStart` to the next
        in line, which may be passed over in its turn. A candidate's stream is closed before the event
        goes out that ends it. What is raised here is never a provider's failure.
        """
        tried: list[str] = []
        final_error = "no model was tried: every circuit breaker is open"
        models = list(self._candidates)
        for model, next_model in zip(models, [*models[1:], None], strict=True):
            breaker = self.breakers[model]
            permit = breaker.acquire()
            if permit is None:
                reason = FallbackReason.CIRCUIT_BREAKER
            else:
                tried.append(model)
                source = _Source(model)
                try:
                    event = latest = await source.first(self._candidates[model], request)
                    works = type(event) not in _ENDINGS
                    if works:
                        breaker.answered(permit)
                        for held in source.held:
                            yield held
                        source.held.clear()
                    while type(event) not in _ENDINGS:
                        yield event
                        latest = event
                        # One event at a time: what the consumer throws in at the yield is no failure of the model.
                        try:
                            async for event in source.events:
                                break
                            else:
                                event = source.failed(_BROKE_OFF, latest)
                        except Exception as error:
                            event = source.failed(error, latest)
                    if isinstance(event, FallbackExhausted):  # the candidate is a router itself
                        event = source.failed(event.final_error, latest)
                    failure = self._settle(event, source.cause, breaker, permit)
                finally:
                    breaker.release(permit)
                    await source.close()
                if works or failure is None:
                    for held in source.held:
                        yield held
                    yield event
                    return
                reason, final_error = failure, (event.partial and event.partial.error_message) or ""
            if next_model is not None:
                yield FallbackStart(model, next_model, reason)
        yield FallbackExhausted(tuple(tried), final_error)

    def _settle(
        self, event: AnyProviderEvent, cause: Exception | None, breaker: CircuitBreaker, permit: object
    ) -> FallbackReason | None:
        """Tell the breaker how a call ended, and say why it failed: None if no provider failed."""
        if not isinstance(event, Error):
            breaker.succeeded(permit)
            return None
        if cause is None and event.reason == StopReason.ABORTED:
            return None
        reason = self._classify(event if cause is None else cause)
        if reason is None and cause is not None:
            raise cause
        if reason not in (None, FallbackReason.CONTEXT_OVERFLOW):  # too long a request is not the model's fault
            breaker.failed(permit)
        return reason
