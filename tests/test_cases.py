"""Streams from public bug reports come out right, and are valid in every way of feeding them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.cases import CASES, api, assert_expected, chunks, exception
from support.laws import assert_valid

from provider_events import check
from provider_events.decoders import APIS, adecode, decode, iter_sse

each_case = pytest.mark.parametrize("name", CASES)


@each_case
def test_case(name: str, caplog: pytest.LogCaptureFixture) -> None:
    case = CASES[name]
    with caplog.at_level(logging.WARNING, "provider_events"):
        events = list(check(decode(chunks(case), api=api(case))))
    assert_valid(events)
    assert_expected(case, events[-1])
    assert not caplog.records, "neither a bug of ours nor of the source's"


@each_case
def test_case_for_an_asynchronous_client(name: str) -> None:
    case = CASES[name]

    async def source() -> AsyncIterator[Any]:
        for chunk in chunks(case):
            yield chunk

    async def collected() -> list[object]:
        return [event async for event in adecode(source(), api=api(case))]

    assert asyncio.run(collected()) == list(decode(chunks(case), api=api(case)))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "sse" not in case and "raises" not in case])
def test_case_as_mappings_and_as_a_body(name: str) -> None:
    case = CASES[name]
    texts = list(chunks(case))
    events = list(decode(texts, api=api(case)))
    if not all(isinstance(text, str) for text in texts):
        return  # bytes have no JSON form
    mappings = [json.loads(text) if text.startswith("{") else text for text in texts]
    assert list(decode(mappings, api=api(case))) == events
    if all(text.startswith("{") or text == "[DONE]" for text in texts):
        body = "".join(f"data: {text}\n\n" for text in texts).encode("utf-8", "surrogatepass")
        assert list(decode(iter_sse([body]), api=api(case))) == events


def test_there_are_cases_of_the_formats() -> None:
    assert {case["api"] for case in CASES.values()} <= set(APIS)
    assert len(CASES) > 200


def test_a_wrong_expectation_fails() -> None:
    case = CASES["chat-099-last-event-without-blank-line"]
    event = list(decode(chunks(case), api=api(case)))[-1]
    for key, value in {
        "text": "Ho",
        "ending": "error",
        "reason": "length",
        "keeps": ["absent"],
        "usage": {"input": -1},
    }.items():
        with pytest.raises(AssertionError):
            assert_expected({"expected": {key: value}}, event)


def test_exceptions_have_the_classes_that_a_case_names() -> None:
    error = exception(["A", "B"], "words", {"status_code": 400})
    assert [cls.__name__ for cls in type(error).__mro__][:2] == ["A", "B"]
    assert (str(error), getattr(error, "status_code")) == ("words", 400)
