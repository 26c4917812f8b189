# SPDX-License-Identifier: MIT
"""`MultiProvider`: one valid stream over several models, tried in order until one answers.

A model is replaced only before its first content: what the consumer has seen is never withdrawn or repeated.
Nothing here imports an event loop, so it runs under any.
"""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Generic, Literal, TypeAlias, TypeVar, final

from . import _sources
from ._error_words import exception_words
from ._grammar import KIND_OF, STARTS, StreamState
from .events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ProviderEvent,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from .failures import fallback_reason
from .messages import (
    AssistantMessage,
    ContentBlock,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)

__all__ = ["Candidate", "CircuitBreaker", "MultiProvider", "fallback_reason"]

R = TypeVar("R")

_LOGGER = logging.getLogger("provider_events")


@final
class CircuitBreaker:
    """Keeps calls away from a model that fails.

    It is closed until `failure_threshold` calls in a row have failed. Then it is open: for `cooldown` seconds it
    permits no call. After that it is half-open and permits one call, the trial. The breaker closes when the model
    answers the trial, opens again when the trial fails, and permits another trial when this one is abandoned.

    What a call reports counts only if the breaker has not opened since the call was permitted. A breaker may serve
    any number of concurrent calls in one thread.
    """

    __slots__ = ("_failure_threshold", "_cooldown", "_clock", "_failures", "_closed", "_opened_at", "_permit")

    def __init__(
        self, *, failure_threshold: int = 5, cooldown: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if type(failure_threshold) is not int:
            raise TypeError(f"failure_threshold: expected an int, found {failure_threshold!r}")
        if failure_threshold < 1:
            raise ValueError(f"failure_threshold: expected 1 or more, found {failure_threshold}")
        if not isinstance(cooldown, (int, float)) or isinstance(cooldown, bool):
            raise TypeError(f"cooldown: expected a number of seconds, found {cooldown!r}")
        if not cooldown >= 0:  # NaN included
            raise ValueError(f"cooldown: expected 0 or more seconds, found {cooldown}")
        if not callable(clock):
            raise TypeError(f"clock: expected a callable, found {clock!r}")
        self._failure_threshold = failure_threshold
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0  # since the last complete message
        self._closed = True
        self._opened_at = 0.0  # unless closed
        self._permit: object | None = object()  # the one whose reports count; None: no call is permitted

    def __repr__(self) -> str:
        return (
            f"<CircuitBreaker {self.state}, {self._failures} of {self._failure_threshold} failures,"
            f" cooldown {self._cooldown} s>"
        )

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """Whether calls are permitted: all, none, or one."""
        if self._closed:
            return "closed"
        return "open" if self._is_cooling() else "half_open"

    def _is_cooling(self) -> bool:
        now = self._clock()
        self._opened_at = min(self._opened_at, now)  # if the clock was set back, wait for one cooldown and no longer
        return now - self._opened_at < self._cooldown

    def acquire(self) -> object | None:
        """Return a permit for a call, to be passed with every report of that call, or None if none is permitted."""
        if not self._closed:
            if self._permit is not None or self._is_cooling():
                return None
            self._permit = object()  # for the trial
        return self._permit

    def answered(self, permit: object) -> None:
        """Report that the model has begun to answer."""
        if permit is self._permit:
            self._closed = True

    def succeeded(self, permit: object) -> None:
        """Report that the message is complete. Earlier failures no longer count."""
        if permit is self._permit:
            self._closed = True
            self._failures = 0

    def failed(self, permit: object) -> None:
        """Report that the call has failed."""
        if permit is self._permit:
            self._failures += 1
            if self._failures >= self._failure_threshold:
                self._closed = False
                self._permit = None
                self._opened_at = self._clock()

    def release(self, permit: object) -> None:
        """Report that the call is over. If it was a trial without a result, another is permitted."""
        if permit is self._permit and not self._closed:
            self._permit = None


Candidate: TypeAlias = Callable[[R], AsyncIterable[AnyProviderEvent]]
"""A model to try: takes the request and returns the stream of the model's answer."""

_DELTAS = (TextDelta, ThinkingDelta, ToolCallDelta)
_CUT_OFF = "the stream broke off before the message was complete"


def _has_content(block: ContentBlock) -> bool:
    """Return whether there is anything in a block."""
    match block:
        case TextContent():
            return bool(block.text)
        case ThinkingContent():
            return bool(block.thinking or block.thinking_signature)
        case ToolCall() | ImageContent() | UnknownContent():
            return True


def _shows_content(event: AnyProviderEvent) -> bool:
    """Return whether an event is the first by which a model shows that it works; none before it has been."""
    match event:
        case TextDelta() | ThinkingDelta() | ToolCallDelta():
            return bool(event.delta)
        case ToolCallEnd() | Done():
            return any(map(_has_content, event.partial.content))
        case Start() | TextStart() | TextEnd() | ThinkingStart() | ThinkingEnd() | ToolCallStart():
            # A call that has only started is no content. A block without events is, as soon as a message has it.
            return any(_has_content(block) for block in event.partial.content if not isinstance(block, ToolCall))
        case Error() | FallbackStart() | FallbackExhausted():
            return False


class _Source:
    """The stream of one candidate."""

    __slots__ = ("outcome", "cause", "_model", "_open", "_stream", "_events", "_state", "_latest")

    def __init__(self, model: str, open_stream: Callable[[], AsyncIterable[AnyProviderEvent]]) -> None:
        self.outcome: Done | Error
        """The terminal event, once `events` has ended: an `Error` for every failure."""
        self.cause: Exception | None = None
        """The exception behind the `Error`, if the candidate raised one."""
        self._model = model
        self._open = open_stream
        self._stream: AsyncIterable[AnyProviderEvent] | None = None
        self._events: AsyncIterator[AnyProviderEvent] | None = None
        self._state = StreamState()
        self._latest: AnyProviderEvent | None = None

    async def events(self) -> AsyncGenerator[AnyProviderEvent, None]:
        """Yield the events before the terminal event, and set `outcome` to that."""
        open_blocks = self._state.open_blocks
        words = _CUT_OFF
        try:
            self._stream = self._open()
            if not isinstance(self._stream, AsyncIterable):
                advice = "a candidate is an asynchronous generator function, or returns adecode(...)"
                raise _sources.misuse(f"candidate {self._model!r}: expected asynchronous events", self._stream, advice)
            self._events = aiter(self._stream)
            async for event in self._events:
                # A delta of an open block is always allowed, and does not change the state.
                if not (isinstance(event, _DELTAS) and open_blocks.get(event.content_index) is KIND_OF[type(event)]):
                    self._check(event)
                    if isinstance(event, (Done, Error)):
                        self.outcome = event
                        return
                    if isinstance(event, FallbackExhausted):  # the candidate is a router itself
                        words = event.final_error
                        break
                self._latest = event
                yield event
        except Exception as error:
            self.cause = error
            words = exception_words(error)
        message = (self._latest and self._latest.partial) or AssistantMessage("", "", self._model)
        failed = replace(message, stop_reason=StopReason.ERROR, error_message=words)
        self.outcome = Error(StopReason.ERROR, failed)

    def _check(self, event: AnyProviderEvent) -> None:
        """Raise if an event is not allowed here: the stream is valid, whatever a candidate yields."""
        kind, index = type(event), getattr(event, "content_index", None)
        state = self._state
        if kind in STARTS and index is not None and index > state.next_index:
            state.next_index = index  # the content before it has blocks without events
        if not state.allows(kind, index):
            if not isinstance(event, ProviderEvent):
                raise TypeError(f"candidate {self._model!r}: expected an event, found {kind.__name__} {event!r:.100}")
            raise ValueError(f"candidate {self._model!r}: {kind.__name__} cannot come here; {state}")
        state.advance(kind, index)

    async def close(self) -> None:
        """Close the stream. If that fails, it is logged and changes nothing."""
        self.cause = None  # its traceback refers back to this source
        for stream in (self._events, self._stream if self._stream is not self._events else None):
            try:
                await _sources.aclose(stream)
            except Exception:
                _LOGGER.debug("the stream of model %r could not be closed", self._model, exc_info=True)


@final
class MultiProvider(Generic[R]):
    """Tries models in order until one answers.

    `candidates` maps the names of models, in order of preference, to callables that take the request and
    return an asynchronous iterable of events. Each model has a circuit breaker of its own. `classify` returns
    what kind of failure an exception or an `Error` is, or None if no provider is to blame: then no other
    model is tried.

    It neither calls a model again nor waits between calls: the providers' clients do that. Nor does it limit
    the time that a candidate takes to answer or to close its stream: put a timeout of your event loop into
    the candidate.
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
        if not isinstance(candidates, Mapping):
            raise TypeError(f"candidates: expected a mapping of names to callables, found {type(candidates).__name__}")
        self._candidates = dict(candidates)
        if not self._candidates:
            raise ValueError("candidates: expected at least one model")
        for model, candidate in self._candidates.items():
            if not isinstance(model, str):
                raise TypeError(f"candidates: expected names that are str, found {model!r}")
            if not callable(candidate):
                raise TypeError(f"candidates[{model!r}]: expected a callable, found {candidate!r:.100}")
        if not callable(classify):
            raise TypeError(f"classify: expected a callable, found {classify!r}")
        self._classify = classify
        self.breakers: Mapping[str, CircuitBreaker] = {
            model: CircuitBreaker(failure_threshold=failure_threshold, cooldown=cooldown, clock=clock)
            for model in self._candidates
        }
        """The circuit breakers, by the names of the models."""

    def __repr__(self) -> str:
        models = ", ".join(f"{model} {breaker.state}" for model, breaker in self.breakers.items())
        return f"<MultiProvider {models}>"

    async def stream(self, request: R) -> AsyncGenerator[AnyProviderEvent, None]:
        """Yield the events of one valid stream. Wrap it in `contextlib.aclosing` if you may leave it early.

        The events of a candidate are held back until one of them shows content. If the candidate fails before
        that, or its breaker is open, a `FallbackStart` is yielded and the next candidate is tried. A failure
        after content ends the stream. The stream of a candidate is closed before the event that ends it is
        yielded. Only exceptions that are no provider's failure are raised.
        """
        tried: list[str] = []
        final_error = "no model was tried: every circuit breaker is open"
        models = list(self._candidates)
        for model, next_model in zip(models, [*models[1:], None]):
            breaker = self.breakers[model]
            permit = breaker.acquire()
            if permit is None:
                reason = FallbackReason.CIRCUIT_BREAKER
            else:
                tried.append(model)
                source = _Source(model, partial(self._candidates[model], request))
                events = source.events()
                held: list[AnyProviderEvent] = []
                works = False
                try:
                    async for event in events:
                        if works:
                            yield event
                            continue
                        held.append(event)
                        if _shows_content(event):
                            works = True
                            breaker.answered(permit)
                            for each in held:
                                yield each
                            held.clear()
                    works = works or _shows_content(source.outcome)
                    failure = self._report(model, source, permit, works)
                finally:
                    breaker.release(permit)
                    await events.aclose()
                    await source.close()
                if works or failure is None:
                    for each in held:
                        yield each
                    yield source.outcome
                    return
                reason, final_error = failure
            if next_model is not None:
                yield FallbackStart(model, next_model, reason)
        yield FallbackExhausted(tuple(tried), final_error)

    def _report(self, model: str, source: _Source, permit: object, works: bool) -> tuple[FallbackReason, str] | None:
        """Report the outcome of a call to its breaker. Return the reason and text of a failure, or None."""
        breaker, outcome = self.breakers[model], source.outcome
        if isinstance(outcome, Error):
            if source.cause is None and outcome.reason is StopReason.ABORTED:
                return None
            reason = self._classify(source.cause or outcome)
            if reason is None:
                if source.cause is not None:
                    raise source.cause
                return None
            words = outcome.error.error_message or ""
        elif works:
            breaker.succeeded(permit)
            return None
        else:
            reason, words = FallbackReason.MODEL_ERROR, "the model stopped without any content"
        if reason is not FallbackReason.CONTEXT_OVERFLOW:  # a request that is too long is not the model's fault
            breaker.failed(permit)
        _LOGGER.debug("model %r failed (%s): %s", model, reason, words, exc_info=source.cause)
        return reason, words
