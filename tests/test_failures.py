# SPDX-License-Identifier: MIT
"""What `fallback_reason` promises: the right reason, from an exception and from an `Error` alike."""

from __future__ import annotations

import asyncio
import re
import socket
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from provider_events import AssistantMessage, Error, FallbackReason, StopReason
from provider_events._error_types import TYPES
from provider_events._error_words import exception_words
from provider_events._failure_phrases import PHRASES
from provider_events.failures import _RULES, _STATUS, _any_of, fallback_reason

RATE, OVERFLOW, AUTH = FallbackReason.RATE_LIMIT, FallbackReason.CONTEXT_OVERFLOW, FallbackReason.AUTH_ERROR
SERVER, NETWORK, MODEL = FallbackReason.SERVER_ERROR, FallbackReason.NETWORK_ERROR, FallbackReason.MODEL_ERROR

SAMPLES = (Path(__file__).parent / "samples" / "failures.tsv").read_text("utf-8").splitlines()
WORDINGS = [line.split("\t") for line in SAMPLES if not line.startswith("#")]


class Failure(Exception):
    """An exception with attributes."""

    def __init__(self, *args: object, **attributes: object) -> None:
        super().__init__(*args)
        self.__dict__.update(attributes)


def error(message: str | None, reason: StopReason = StopReason.ERROR) -> Error:
    return Error(reason, AssistantMessage("a", "p", "m", stop_reason=reason, error_message=message))


def both_roads(failure: BaseException) -> FallbackReason | None:
    """The reason of an exception, which is that of the `Error` made of its words too."""
    words = exception_words(failure)
    assert fallback_reason(error(words)) is fallback_reason(failure), words
    return fallback_reason(failure)


# Real wordings


@pytest.mark.parametrize(("reason", "status", "words"), WORDINGS)
def test_a_real_wording_has_its_reason(reason: str, status: str, words: str) -> None:
    if status == "-":
        assert fallback_reason(error(words)) == reason
        assert both_roads(Failure(words)) in (reason, FallbackReason.UNKNOWN if reason == MODEL else reason)
    else:
        assert both_roads(Failure(words, status_code=int(status))) == reason
        assert fallback_reason(error(f"{status}: {words}")) == reason
        assert fallback_reason(error(f"SomeError: Error code: {status} - {words}")) == reason


def test_there_are_many_wordings_of_every_kind() -> None:
    found = [reason for reason, _, _ in WORDINGS]
    assert len(found) > 400
    assert min(found.count(reason) for reason in (RATE, OVERFLOW, AUTH, SERVER, NETWORK, MODEL)) >= 40


# Statuses

BY_STATUS = {
    **dict.fromkeys([401, 402, 403], AUTH),
    **dict.fromkeys([400, 404, 409, 415, 422, 424, 451], MODEL),
    **dict.fromkeys([407, 408, 499], NETWORK),
    **dict.fromkeys([500, 501, 502, 503, 504, 520, 524, 529], SERVER),
    413: OVERFLOW,
    429: RATE,
}


@pytest.mark.parametrize(("status", "reason"), BY_STATUS.items())
def test_a_status_decides_wherever_it_stands(status: int, reason: FallbackReason) -> None:
    for words in (
        "{}: no luck",
        "[{}] no luck",
        "<{}> no luck",
        "HTTP {}",
        "HTTP/1.1 {} no luck",
        "HTTP Error {}: no luck",
        "Error code: {} - {{'error': {{'message': 'no luck'}}}}",
        "some_type {}: no luck",
        "SomeError: Error code: {} - no luck",
        '{} {{"error": "no luck"}}',
        "{} Client Error: no luck for url",
        "Client error '{} No Luck' for url 'https://localhost'",
        "An error occurred ({}) when calling the ConverseStream operation",
        "request failed with status code {}",
        "unexpected status {}: no luck",
        "Error: {{'code': {}, 'message': 'no luck'}}",
        "API Error ({} no luck)",
        "headers: {{}}, status_code: {}, body: no luck",
        '{{"error": {{"code": {}, "message": "no luck"}}}}',
        '{{"error": {{"code": "{}", "message": "no luck"}}}}',
    ):
        assert fallback_reason(error(words.format(status))) is reason, words


@pytest.mark.parametrize(("status", "reason"), BY_STATUS.items())
def test_a_status_is_found_wherever_a_client_keeps_it(status: int, reason: FallbackReason) -> None:
    for attributes in (
        {"status_code": status},
        {"code": status},
        {"code": str(status)},
        {"status": status},
        {"http_status": status},
        {"response": Failure(status_code=status)},
        {"response": {"ResponseMetadata": {"HTTPStatusCode": status}}},
        {"body": {"error": {"message": "no luck", "code": status}}},
    ):
        assert both_roads(Failure("no luck", **attributes)) is reason, attributes


def test_no_body_of_a_status_without_words_is_an_overflow() -> None:
    """Cerebras answers so to a prompt that is too long."""
    for words in ("400 status code (no body)", "413 status code (no body)", "Error code: 400", "Error code: 422"):
        assert fallback_reason(error(words)) is OVERFLOW
    assert both_roads(Failure("Error code: 400", status_code=400)) is OVERFLOW
    assert both_roads(Failure("Error code: 400", status_code=400, body={"message": "no luck"})) is MODEL
    assert fallback_reason(error("404 status code (no body)")) is MODEL


# Traps


def test_words_that_a_refusal_quotes_are_not_its_reason() -> None:
    for words in (
        "400: Invalid value 'rate limit exceeded'",
        "Error code: 400 - {'error': {'message': \"messages[0]: 'what does rate_limit_error mean?'\","
        " 'type': 'invalid_request_error'}}",
        "invalid_request_error: cannot parse 'HTTP 429 Too Many Requests'",
        "400: 'why is my connection reset?' is no tool name",
        "INVALID_ARGUMENT 400: unknown name 'overloaded'",
    ):
        assert fallback_reason(error(words)) is MODEL, words


def test_what_is_too_large_but_the_prompt_is_no_overflow() -> None:
    assert fallback_reason(error("429 tokens are more than this model can do")) is MODEL
    for words in (
        "400: max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens",
        "400: 'max_tokens' is too large: 100000. This model supports at most 16384 completion tokens",
        "400: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
        "400: Invalid 'user': string too long. Expected a string with maximum length 64",
        "400: Invalid 'tools': array too long. Expected an array with maximum length 128",
        "400: Range of max_tokens should be [1, 8192]",
    ):
        assert fallback_reason(error(words)) is MODEL, words


def test_tokens_per_minute_are_a_rate_whatever_the_status() -> None:
    words = "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000"
    for status in ("413: ", "429: ", ""):
        assert fallback_reason(error(status + words)) is RATE
    assert fallback_reason(error("ThrottlingException: Too many tokens, please wait before trying again.")) is RATE


def test_a_type_of_the_payload_wins_over_a_status_of_400() -> None:
    assert (
        fallback_reason(error("An error occurred (ThrottlingException) when calling it, status code 400: slow")) is RATE
    )
    assert fallback_reason(error("Error code: 400 - {'type': 'rate_limit_error', 'message': 'slow'}")) is RATE
    assert fallback_reason(error("400 throttlingException: slow")) is RATE


def test_what_a_server_that_fails_quotes_is_not_its_reason() -> None:
    for words in ("Invalid API key", "insufficient_credits", "type: rate_limit_error"):
        assert both_roads(Failure(words, status_code=500)) is SERVER
        assert fallback_reason(error(f"500: {words}")) is SERVER


# Exceptions


def test_the_providers_words_are_read_in_a_body_of_any_type() -> None:
    words = "This model's maximum prompt length is 131072 but the request contains 140000 tokens."
    for body in (
        words,
        words.encode(),
        {"error": words},
        f'{{"error": "{words}"}}',
        {"detail": [{"loc": ["a"], "msg": words}]},
    ):
        assert both_roads(Failure("Error code: 400", status_code=400, body=body)) is OVERFLOW, body


def test_classes_are_known_without_a_word() -> None:
    for failure in (
        ConnectionResetError(),
        TimeoutError(),
        BrokenPipeError(),
        socket.gaierror(),
        ConnectionRefusedError(61, "x"),
    ):
        assert both_roads(failure) is NETWORK

    class Mine(ConnectionResetError):
        pass

    assert both_roads(Mine()) is NETWORK


def test_a_failure_that_is_not_known_is_unknown() -> None:
    class Odd(Exception):
        pass

    for failure in (
        KeyError("k"),
        ValueError("Expecting value"),
        RuntimeError("boom"),
        Exception(),
        Odd("boom"),
        OSError("odd"),
    ):
        assert both_roads(failure) is FallbackReason.UNKNOWN


def test_what_a_provider_says_is_a_model_error_if_nothing_else() -> None:
    for words in ("the model stopped: refusal", "", None, "boom"):
        assert fallback_reason(error(words)) is MODEL


def test_cancellation_is_no_failure() -> None:
    class Cancelled(CancelledError):
        pass

    for left in (
        asyncio.CancelledError(),
        CancelledError(),
        Cancelled("429"),
        KeyboardInterrupt(),
        GeneratorExit(),
        SystemExit(500),
    ):
        assert fallback_reason(left) is None
    assert fallback_reason(error("429: too many", StopReason.ABORTED)) is None


def test_a_mistake_in_the_program_is_no_failure_of_a_provider() -> None:
    for mistake in (
        TypeError("x"),
        AttributeError("x"),
        NameError("x"),
        UnboundLocalError("x"),
        AssertionError(),
        ModuleNotFoundError("x"),
    ):
        assert both_roads(mistake) is None
    assert fallback_reason(TypeError("429")) is None

    class Mine(TypeError):
        pass

    assert both_roads(Mine("x")) is None


def test_of_a_group_the_first_decides_unless_one_is_no_failure() -> None:
    refusal = ConnectionRefusedError()
    assert both_roads(ExceptionGroup("g", [refusal, ValueError()])) is NETWORK
    assert both_roads(ExceptionGroup("g", [Failure("no", status_code=429)])) is RATE
    assert fallback_reason(ExceptionGroup("g", [refusal, TypeError()])) is None
    assert fallback_reason(BaseExceptionGroup("g", [refusal, KeyboardInterrupt()])) is None


class Raising:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Hostile(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    response = body = code = property(lambda self: 1 / 0)


@pytest.mark.parametrize(
    "failure",
    [
        Hostile(),
        Failure("x", response=Raising(), body=Raising()),
        Failure("x", code=10**1000, status_code=-1, status=4.29, body=object()),
        Failure("x", code="9" * 5000, status_code="²²²", status=True),
        Failure("x", response={"ResponseMetadata": []}, body={1: {2: 3}}),
        Failure("x", body='{"a":' * 100_000),
        Failure(*"xyz", body=[[]] * 10),
        Failure("\ud800" * 10),
    ],
)
def test_an_exception_that_is_absurd_is_unknown(failure: Exception) -> None:
    assert both_roads(failure) is FallbackReason.UNKNOWN


# The tables

NEAR_MISSES = [
    "exceeds ",
    "exceed context ",
    "input tokens ",
    "prompt (",
    "connection to ",
    "error code: ",
    "a (b ",
    "'type': 'rate",
    "model ",
    "x",
]


@pytest.mark.parametrize("words", NEAR_MISSES)
def test_no_pattern_takes_more_than_linear_time(words: str) -> None:
    """A quadratic one would not end on this text."""
    text = words * (30_000 // len(words))
    for pattern in (_STATUS, *(pattern for _, _, pattern in _RULES)):
        pattern.search(text)
    assert fallback_reason(error(words * 100_000 + ": prompt is too long")) is OVERFLOW


TABLES = [*TYPES.values(), *PHRASES.values()]
LINES = [line.strip() for table in TABLES for line in table.strip().splitlines()]


def test_a_long_text_is_read_at_both_ends() -> None:
    """What is between them is most often a copy of the request."""
    overflow, copy = "prompt is too long", "x " * 10_000
    assert fallback_reason(error(f"{overflow}: {copy}")) is OVERFLOW
    assert fallback_reason(error(f"{copy}: {overflow}")) is OVERFLOW
    assert fallback_reason(error(f"{copy}: {overflow}: {copy}")) is MODEL


def test_every_pattern_stands_alone_and_names_a_source() -> None:
    assert len(LINES) == len(set(LINES)) > 250
    for line in LINES:
        pattern, separator, source = line.partition("  # ")
        assert separator and source and "|" != pattern[-1:], line
        assert not re.compile(pattern).search(""), line
    assert [re.compile(_any_of(table)) for table in TABLES]


def test_phrases_are_in_lower_case() -> None:
    for name, table in PHRASES.items():
        assert not re.search(r"(?<!\\)[A-Z]", _any_of(table)), name
