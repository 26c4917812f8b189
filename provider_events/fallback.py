# SPDX-License-Identifier: MIT
"""`MultiProvider`: one lawful stream over several models, tried in order.

Only a model that has said nothing yet can be replaced: what went out to the consumer is never taken
back and never said twice. Nothing here knows an event loop; it runs under any.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast, final

from .events import AnyProviderEvent, Done, Error, FallbackExhausted, FallbackReason, FallbackStart, Start
from .messages import AssistantMessage, StopReason

R = TypeVar("R")


# What a failure is

# Reasons by HTTP status and by words: the providers' error types, the clients' exceptions, and what
# the messages say. The first row that knows either decides. Below a status of 400 the words tell all,
# above it those that are in front of its row.
_RULES: tuple[tuple[FallbackReason, Collection[int], str], ...] = (
    (FallbackReason.RATE_LIMIT, {429}, (
        r"rate_limit\w*|RateLimit\w*|RESOURCE_EXHAUSTED|insufficient_quota|ServiceQuotaExceededException"
        r"|(?i:throttl\w*|too_?many_?requests\w*|modelNotReadyException|rate limit|too many requests)"
    )),
    (FallbackReason.CONTEXT_OVERFLOW, {413}, (
        r"request_too_large|\w*TooLargeError"
        r"|(?i:context[_ ](?:length|window|size)[_ ](?:is )?exceed\w*|(?:prompt|input) (?:is )?too long"
        r"|maximum (?:context|prompt|allowed input) length|context window exceeds limit|configured context size is"
        r"|exceeds? (?:the )?(?:model'?s? )?(?:available |maximum )?context (?:window|length|size|limit)"
        r"|(?:input|prompt) token count\b.{0,60} exceeds|(?:longer|greater) than the (?:model'?s )?context length"
        r"|reduce the length of the (?:messages|prompt|input)|exceeded model token limit|too many (?:input )?tokens"
        r"|token limit exceeded|range of input length should be)"
    )),
    (FallbackReason.SERVER_ERROR, range(500, 600), "(?!)"),
    (FallbackReason.AUTH_ERROR, {401, 402, 403}, (
        r"authentication_error|permission_error|invalid_api_key|API_KEY_INVALID|billing_error|UNAUTHENTICATED"
        r"|PERMISSION_DENIED|AccessDeniedException|UnrecognizedClientException|ExpiredTokenException"
        r"|\w*(?:Authentication|PermissionDenied|PaymentRequired|Credentials|Refresh)Error"
    )),
    (FallbackReason.NETWORK_ERROR, {408}, r"[mM]odelTimeoutException"),
    (FallbackReason.SERVER_ERROR, (), (
        r"overloaded_error|api_error|server_error|timeout_error|internal_error|UNAVAILABLE|INTERNAL|DEADLINE_EXCEEDED"
        r"|(?i:internal ?server ?(?:error|exception)|service ?unavailable(?:exception|error)?|overloaded(?:error)?"
        r"|bad gateway|gateway ?timeout(?:error)?)"
    )),
    (FallbackReason.MODEL_ERROR, range(400, 500), "(?!)"),
    (FallbackReason.NETWORK_ERROR, (), (
        r"\w*(?:Connect|Connection|Refused|Reset|Aborted|Closed|BrokenPipe|EOF|Read|Write|Network|Transport)Error"
        r"|\w*(?:Protocol|Payload|Resource|Streaming|SSL|URL|HTTPClient)Error"
        r"|\w*Timeout(?:Error|Exception)?|TooSlowError|gaierror|network_error"
        r"|(?i:timed out|broke off|connect call failed|connection (?:error|refused|reset|aborted|closed)|network is unreachable)"
    )),
    (FallbackReason.MODEL_ERROR, (), (
        r"invalid_request_error|not_found_error|model_not_found|content_filter|INVALID_ARGUMENT|FAILED_PRECONDITION|NOT_FOUND"
        r"|(?i:validationException|modelErrorException|modelStreamErrorException|resourceNotFoundException)"
    )),
)

# A status in front of a message: `400: …`, `RESOURCE_EXHAUSTED 429: …`, `Error code: 429 - …`,
# `Client error '429 Too …'`, `An error occurred (429) …`.
_STATUS = re.compile(r"(?:[\w.]+:? ){0,4}['(]?([45]\d\d)(?=:| -|$| [A-Z]| ?'|\))")

# Mistakes in the program, which another model would only hide.
_MISTAKES = (TypeError, AttributeError, NameError, AssertionError, NotImplementedError, ImportError, SyntaxError)


def fallback_reason(failure: BaseException | Error) -> FallbackReason | None:
    """What kind of failure an exception or an `Error` is; None if no provider is to blame.

    None is for cancellation, for an aborted `Error`, and for mistakes in the program (`TypeError`,
    `AttributeError` and their like). Of a group of exceptions the first decides, unless one of them
    is None. Failures that nobody knows are `model_error` where the model said so in an `Error`, and
    `unknown` where something was raised.
    """
    if isinstance(failure, Error):
        if failure.reason == StopReason.ABORTED:
            return None
        said = failure.error.error_message or ""
        return _reason(said, said) or FallbackReason.MODEL_ERROR
    if isinstance(failure, BaseExceptionGroup):
        reasons = list(map(fallback_reason, cast("BaseExceptionGroup[BaseException]", failure).exceptions))
        return None if None in reasons else reasons[0]
    names = [cls.__name__ for cls in type(failure).__mro__]
    if not isinstance(failure, Exception) or isinstance(failure, _MISTAKES) or "CancelledError" in names:
        return None
    said = str(failure)
    return _reason(said, " ".join([*names, *_words(failure), said]), next(_statuses(failure), None)) or FallbackReason.UNKNOWN


def _reason(said: str, words: str, status: int | None = None) -> FallbackReason | None:
    """The first rule that knows the status or a word. A status may also lead what was `said`."""
    if status is None and (found := _STATUS.match(said)):
        status = int(found[1])
    for reason, statuses, pattern in _RULES:
        if status in statuses or re.search(rf"\b(?:{pattern})\b", words):
            return reason
    return None


def _statuses(failure: Exception) -> Iterator[int]:
    """The HTTP status of a failure, wherever the client that raised it keeps it."""
    response = getattr(failure, "response", None)
    places = [getattr(failure, name, None) for name in ("status_code", "code", "status")]
    for place in (*places, getattr(response, "status_code", None), _at(response, "ResponseMetadata", "HTTPStatusCode")):
        status = int(place) if isinstance(place, str) and place.isdecimal() else place
        if isinstance(status, int) and 400 <= status < 600:  # 200 if it failed while it streamed
            yield status


def _words(failure: Exception) -> Iterator[str]:
    """What a failure says beside its message."""
    response = getattr(failure, "response", None)
    places = [getattr(failure, name, None) for name in ("type", "code", "status")]
    places.append(_at(response, "Error", "Code"))
    if getattr(response, "is_closed", False):  # httpx: the body is at hand, if it was ever read
        with suppress(Exception):
            places.append(getattr(response, "text"))
    return (place for place in places if isinstance(place, str))


def _at(value: Any, *keys: str) -> Any:
    """What is deep inside a mapping; None if it is not there."""
    with suppress(Exception):
        for key in keys:
            value = value[key]
        return value
    return None


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
