# SPDX-License-Identifier: MIT
"""What is kept of an error: its type, code and message, in whatever shape they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provider_events import Error
from provider_events._error_words import error_words, exception_words
from provider_events.decoders import decode
from provider_events.decoders._errors import payload_error

ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "OpenAI": (
        {"error": {"message": "Slow", "type": "requests", "param": None, "code": "rate_limit_exceeded"}},
        "requests rate_limit_exceeded: Slow",
    ),
    "Anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        "overloaded_error: Overloaded",
    ),
    "Google": ({"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}, "UNAVAILABLE 503: Busy"),
    "Google, with details": (
        {
            "error": {
                "code": 400,
                "message": "Not valid",
                "details": [{"@type": "ErrorInfo", "reason": "API_KEY_INVALID"}],
            }
        },
        "400: Not valid; API_KEY_INVALID",
    ),
    "Responses": (
        {"type": "error", "code": "server_error", "message": "Oh", "param": None, "sequence_number": 3},
        "server_error: Oh",
    ),
    "Responses, failed": (
        {"type": "response.failed", "error": {"code": "server_error", "message": "Oh"}},
        "server_error: Oh",
    ),
    "Ollama": ({"error": "model not found"}, "model not found"),
    "TGI": ({"error": "Too long", "error_type": "validation"}, "validation: Too long"),
    "DeepInfra": (
        {"id": None, "choices": None, "error_type": "BadRequestError", "error_message": "Too long"},
        "BadRequestError: Too long",
    ),
    "vLLM": (
        {"object": "error", "message": "Too long", "type": "BadRequestError", "code": 400},
        "BadRequestError 400: Too long",
    ),
    "DashScope": ({"code": "Throttling", "message": "Slow", "request_id": "r"}, "Throttling: Slow"),
    "MiniMax": (
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        "1008: insufficient balance",
    ),
    "FastAPI": ({"detail": "Model is overloaded"}, "Model is overloaded"),
    "FastAPI, validation": (
        {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required", "input": {"secret": 1}}]},
        "body.model: Field required",
    ),
    "OpenRouter": (
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": "No signature", "provider_name": "G"},
            }
        },
        "400: Provider returned error; No signature",
    ),
    "OpenRouter, JSON in a string": (
        {
            "error": {
                "message": "Provider returned error",
                "code": 529,
                "metadata": {"raw": '{"error": {"message": "Overloaded", "type": "busy"}}'},
            }
        },
        "529 busy: Provider returned error; Overloaded",
    ),
    "OpenRouter, in a chunk": (
        {
            "id": "g",
            "object": "chat.completion.chunk",
            "error": {"code": 502, "message": "Oh"},
            "choices": [{"index": 0, "delta": {}}],
        },
        "502: Oh",
    ),
    "Groq": (
        {"error": {"message": "Failed", "code": "tool_use_failed", "failed_generation": "<f>"}},
        "tool_use_failed: Failed; <f>",
    ),
    "Bedrock": (
        {"modelStreamErrorException": {"message": "Oh", "originalMessage": "why"}},
        "modelStreamErrorException: Oh; why",
    ),
    "Bedrock, HTTP": ({"message": "Too many tokens"}, "Too many tokens"),
    "Azure": (
        {"error": {"code": "content_filter", "message": "Filtered", "status": 400, "innererror": {"code": "Policy"}}},
        "400 content_filter Policy: Filtered",
    ),
    "Cloudflare": (
        {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]},
        "10000: Authentication error",
    ),
    "Alibaba Cloud": ({"Code": "InvalidKey", "Message": "No such key", "Recommend": "r"}, "InvalidKey: No such key"),
    "Apigee": ({"fault": {"faultstring": "Quota violation", "detail": {"errorcode": "Q"}}}, "Quota violation"),
    "without success": ({"success": False, "message": "No credits", "data": None}, "No credits"),
    "RFC 9457": ({"title": "Unauthorized", "status": 401, "detail": "No key"}, "401: Unauthorized; No key"),
    "a gateway": ({"status": "failed", "message": "Oh"}, "failed: Oh"),
    "a flag": ({"error": True, "message": "Oh"}, "Oh"),
    "a number": ({"error": 503}, "503"),
    "several": ({"error": [{"message": "one"}, {"message": "two"}]}, "one; two"),
    "JSON in the message": (
        {"error": {"message": '{"error": {"type": "busy", "message": "Oh"}}', "code": 529}},
        "529 busy: Oh",
    ),
    "the same twice": ({"error": {"message": "Oh", "type": "busy"}, "message": "Oh"}, "busy: Oh"),
    "of no known member": ({"error": {"odd": [1]}}, '{"error": {"odd": [1]}}'),
}


@pytest.mark.parametrize(("payload", "words"), ERRORS.values(), ids=ERRORS)
def test_an_error_payload_of_any_shape_gives_its_words(payload: dict[str, Any], words: str) -> None:
    assert payload_error(payload) == words


NO_ERRORS: list[dict[str, Any]] = [
    {},
    {"error": None},
    {"error": ""},
    {"error": {}},
    {"error": False, "message": {"content": "x"}},
    {"errors": []},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "error"}},
    {"type": "response.output_text.delta", "delta": "error", "code": None},
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": "error"}}],
        "error": None,
    },
    {"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}},
    {"choices": [], "base_resp": None},
    {"code": "", "message": "", "output": {"text": "x"}, "status_code": 200},
    {"code": 200, "message": "ok"},
    {"code": 0, "msg": "success", "data": {}},
    {"status": "completed", "message": "x", "output": []},
    {"status": "processing", "message": "x"},
    {"status": "ok", "message": "x"},
    {"success": True, "message": "x", "data": {}},
    {"message": {"role": "assistant", "content": "x"}, "done": False},
    {"message": "x", "done": False, "model": "m"},
    {"detail": "high", "choices": []},
    {"candidates": [{"content": {"parts": [{"text": "x"}]}}], "promptFeedback": {"safetyRatings": []}},
]


@pytest.mark.parametrize("payload", NO_ERRORS, ids=str)
def test_what_says_no_error_is_none(payload: dict[str, Any]) -> None:
    assert payload_error(payload) is None


def test_the_words_of_what_is_known_to_be_an_error_are_those_of_any_type() -> None:
    assert error_words("Oh\n") == "Oh"
    assert error_words(b"Oh") == "Oh"
    assert error_words('"{\\"message\\": \\"Oh\\"}"') == "Oh"
    assert error_words("<html><title>502 Bad Gateway</title></html>") == "<html><title>502 Bad Gateway</title></html>"
    assert error_words({"blockReason": "SAFETY", "blockReasonMessage": "Blocked"}) == "SAFETY; Blocked"
    assert (
        error_words({"type": "refusal", "category": "cyber", "explanation": "Declined"}) == "refusal: Declined; cyber"
    )
    assert error_words(503) == "503"
    assert error_words(None) == error_words({}) == error_words([]) == error_words("") == ""


def test_a_long_text_is_cut() -> None:
    assert error_words("<" * 1_000_000) == "<" * 2000
    assert len(error_words({"error": ["%d" % i * 1000 for i in range(1000)]})) <= 4000


def test_the_depth_of_the_stack_decides_nothing() -> None:
    for depth, words in ((8, "Oh"), (9, '{"error": {"error": {"error": '), (100_000, "")):
        nested: Any = "Oh"
        for _ in range(depth):
            nested = {"error": nested}
        assert error_words(nested).startswith(words), depth
    deep = '{"error": ' * 100_000
    assert error_words(deep) == deep[:2000]


class Failure(Exception):
    def __init__(self, *args: object, **attributes: object) -> None:
        super().__init__(*args)
        self.__dict__.update(attributes)


def test_an_exception_gives_its_class_its_status_and_its_words() -> None:
    assert exception_words(ConnectionResetError("Oh")) == "ConnectionResetError: Oh"
    assert exception_words(ConnectionResetError()) == "ConnectionResetError"
    assert exception_words(KeyError("k")) == "KeyError: 'k'"


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, "Oh"),
        ({"body": "why"}, "why"),
        ({"body": b"why"}, "why"),
        ({"body": {"error": {"type": "busy", "message": "why"}}}, "busy: why"),
        ({"body": '{"error": {"type": "busy", "message": "why"}}'}, "busy: why"),
        ({"body": None, "type": "busy", "code": "slow"}, "busy slow: Oh"),
        ({"type": "Oh", "code": "Oh"}, "Oh"),
        ({"body": {}, "message": "why"}, "Oh; why"),
        ({"message": "Oh"}, "Oh"),
        ({"details": {"error": {"message": "why"}}}, "Oh; why"),
        ({"response": {"Error": {"Code": "Busy", "Message": "why"}}}, "Busy: Oh; why"),
        ({"response": Failure(is_closed=True, text='{"detail": "why"}')}, "Oh; why"),
        ({"response": Failure(is_closed=False, text="never read")}, "Oh"),
    ],
)
def test_the_words_of_an_exception_are_found_where_its_client_keeps_them(
    attributes: dict[str, Any], words: str
) -> None:
    assert exception_words(Failure("Oh", **attributes)) == f"Failure (Exception): {words}"
    assert exception_words(Failure("Oh", **attributes, status_code=503)) == f"Failure (Exception) 503: {words}"
    assert exception_words(Failure("Oh", **attributes, status_code=200)) == f"Failure (Exception): {words}"


@pytest.mark.parametrize(
    "attributes", [{"detail": "why"}, {"error": {"message": "why"}}, {"reason": "why"}, {"response": {"error": "why"}}]
)
def test_an_exception_without_words_has_those_of_its_attributes(attributes: dict[str, Any]) -> None:
    assert exception_words(Failure(**attributes)).endswith(": why")
    assert "why" not in exception_words(Failure("Oh", **attributes))


def test_a_class_that_names_no_failure_is_shown_with_its_base() -> None:
    class Odd(Exception): ...

    class OddError(Exception): ...

    class OddReset(ConnectionResetError): ...

    assert [exception_words(cls()) for cls in (Odd, OddError, OddReset)] == [
        "Odd (Exception)",
        "OddError",
        "OddReset (ConnectionResetError)",
    ]


def test_of_a_group_the_first_is_shown() -> None:
    assert (
        exception_words(ExceptionGroup("several", [ValueError("one"), ValueError("two")]))
        == "ExceptionGroup: ValueError: one"
    )


def test_the_error_that_a_decoder_makes_of_an_exception_has_its_words() -> None:
    failure = Failure("Oh", status_code=503, body={"error": {"type": "busy", "message": "why"}})

    def chunks() -> Iterator[Any]:
        raise failure
        yield

    [*_, last] = decode(chunks(), api="anthropic-messages")
    assert isinstance(last, Error) and last.error.error_message == exception_words(failure)


def test_an_exception_that_raises_when_asked_has_the_words_that_can_be_had() -> None:
    class NoWordsError(Exception):
        status_code = 503

        def __str__(self) -> str:
            raise RuntimeError

        body = response = message = code = type = property(lambda self: 1 / 0)

    assert exception_words(NoWordsError()) == "NoWordsError 503"
