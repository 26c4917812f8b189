"""Where chunks come from: sources that fail, what is read of them, and driving a decoder by hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from support.small_streams import (
    STOP,
    STREAMS,
    TEXT,
    Decode,
    both_ways,
    every_format,
    final,
)

from provider_events import Error, StopReason, TextContent, decoders, event_from_wire, event_to_wire
from provider_events.decoders import Decoder, OpenAICompletionsDecoder, adecode, decode

DECODERS: list[type[Decoder]] = [
    vars(decoders)[name] for name in decoders.__all__ if name.endswith("Decoder") and name != "Decoder"
]
every_decoder = pytest.mark.parametrize("kind", DECODERS, ids=lambda kind: kind.api)

# By format: how many of the small stream's chunks come before the one by which the message is complete.
UNFINISHED = {
    "anthropic-messages": 4,
    "openai-completions": 1,
    "openai-responses": 3,
    "google-generative-ai": 1,
    "bedrock-converse-stream": 3,
    "google-interactions": 4,
    "cohere-chat": 4,
    "ollama-chat": 1,
}


def failing(chunks: list[Any], error: BaseException) -> Iterator[Any]:
    """Yield chunks, then raise."""
    yield from chunks
    raise error


# Exceptions of the source


@every_format
@both_ways
def test_an_exception_of_the_source_is_an_error_with_all_content_so_far(run: Decode, api: str) -> None:
    chunks = STREAMS[api][: UNFINISHED[api]]
    message = final(run(failing(chunks, ConnectionResetError("peer went away"))))
    assert (message.api, message.text, message.stop_reason) == (api, "Hi", StopReason.ERROR)
    assert "peer went away" in str(message.error_message)


@every_format
@both_ways
def test_an_exception_behind_the_end_of_a_message_does_not_matter(run: Decode, api: str) -> None:
    message = final(run(failing(STREAMS[api], ConnectionResetError("peer went away"))))
    # Gemini may have STOP in every chunk.
    assert message.stop_reason is (StopReason.ERROR if api == "google-generative-ai" else StopReason.STOP)


@both_ways
def test_an_exception_without_words_is_shown_by_its_name(run: Decode) -> None:
    assert "TimeoutError" in str(final(run(failing([TEXT], TimeoutError()))).error_message)


@both_ways
@pytest.mark.parametrize("options", [{"api": "openai-completions"}, {}], ids=["named", "detected"])
def test_an_exception_before_any_chunk_is_an_error(run: Decode, options: dict[str, Any]) -> None:
    (only,) = run(failing([], OSError("no route to host")), **options)
    assert isinstance(only, Error) and "no route to host" in str(only.error.error_message)


@both_ways
def test_an_exception_that_cannot_be_shown_is_an_error_with_its_name(run: Decode) -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert final(run(failing([TEXT], Unprintable()))).error_message == "Unprintable (Exception)"


@both_ways
@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, SystemExit])
def test_what_is_no_failure_of_the_source_is_raised(run: Decode, stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        run(failing([TEXT], stop()))


def test_cancellation_reaches_the_caller_of_adecode() -> None:
    seen: list[str] = []

    async def source() -> AsyncIterator[Any]:
        yield TEXT
        await asyncio.Event().wait()

    async def consume() -> None:
        async for event in adecode(source()):
            seen.append(event.type)

    async def cancel() -> None:
        task = asyncio.create_task(consume())
        while len(seen) < 3:
            await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert seen == ["start", "text_start", "text_delta"]


# The log of the application


@both_ways
@pytest.mark.parametrize(
    ("error", "level"),
    [
        (ConnectionResetError("gone"), logging.DEBUG),
        (RuntimeError("gone"), logging.DEBUG),
        (TypeError("a bug"), logging.WARNING),
        (AttributeError("a bug"), logging.WARNING),
        (NameError("a bug"), logging.WARNING),
        (KeyError("a bug"), logging.WARNING),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_exception_of_the_source_is_logged_with_its_traceback(
    run: Decode, error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "provider_events")
    run(failing([TEXT], error))
    (record,) = [record for record in caplog.records if record.name == "provider_events"]
    assert record.levelno == level
    assert record.exc_info and record.exc_info[1] is error and record.exc_info[2] is not None


def test_a_bug_of_a_decoder_is_logged_with_its_traceback_and_is_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(OpenAICompletionsDecoder, "_read", broken)
    message = final(decode([TEXT], api="openai-completions"))
    assert message.error_message == "the decoder failed: ZeroDivisionError: a bug"
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info and record.exc_info[0] is ZeroDivisionError


def test_a_malformed_chunk_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "provider_events")
    assert final(decode([TEXT, "no json"])).stop_reason is StopReason.ERROR
    assert not caplog.records


# What is read of the source


def test_events_are_yielded_as_soon_as_their_chunk_has_come() -> None:
    taken: list[Any] = []

    def source() -> Iterator[Any]:
        for chunk in (TEXT, TEXT, STOP):
            taken.append(chunk)
            yield chunk

    events = decode(source())
    assert not taken
    assert [next(events).type for _ in range(3)] == ["start", "text_start", "text_delta"]
    assert taken == [TEXT]


ENDED: dict[str, list[Any]] = {
    "anthropic-messages": STREAMS["anthropic-messages"],
    "openai-completions": [*STREAMS["openai-completions"], "[DONE]"],
    "openai-responses": STREAMS["openai-responses"],
    "bedrock-converse-stream": [*STREAMS["bedrock-converse-stream"], {"metadata": {"usage": {}}}],
    "google-interactions": STREAMS["google-interactions"],
    "cohere-chat": STREAMS["cohere-chat"],
    "ollama-chat": STREAMS["ollama-chat"],
}


@pytest.mark.parametrize("api", ENDED)
@both_ways
def test_nothing_is_read_behind_the_end_mark(run: Decode, api: str) -> None:
    taken: list[Any] = []

    def source() -> Iterator[Any]:
        for chunk in [*ENDED[api], "more"]:
            taken.append(chunk)
            yield chunk

    assert final(run(source(), api=api)).stop_reason is StopReason.STOP
    assert taken == ENDED[api]


@both_ways
def test_nothing_is_read_behind_an_error(run: Decode) -> None:
    chunks = iter([TEXT, {"error": {"message": "Sorry"}}, "more"])
    assert final(run(chunks)).error_message == "Sorry"
    assert [*chunks] == ["more"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_json_does_not_have_is_kept_as_text(number: str) -> None:
    logprobs = f'{{"content": [{{"logprob": {number}}}]}}'
    choice = f'{{"index": 0, "delta": {{"content": "Hi"}}, "logprobs": {logprobs}, "finish_reason": "stop"}}'
    text = f'{{"choices": [{choice}]}}'
    chunks: list[Any] = [text, f"{text}\n", text.encode()]
    (block,) = {final(decode([chunk], api="openai-completions")).content for chunk in chunks}
    assert block == (TextContent("Hi", provider_details={"logprobs": {"content": [{"logprob": number}]}}),)


def test_a_number_that_json_does_not_have_is_text_in_the_details_of_a_chunk_that_is_no_text() -> None:
    logprobs = {"content": [{"logprob": float("-inf")}]}
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": logprobs, "finish_reason": "stop"}
    terminal = [*decode([{"choices": [choice]}])][-1]
    assert terminal.partial.content[0] == TextContent(
        "Hi", provider_details={"logprobs": {"content": [{"logprob": "-Infinity"}]}}
    )
    assert event_from_wire(event_to_wire(terminal)) == terminal


# Driving a decoder by hand


@every_decoder
def test_feed_and_close_give_the_events_that_decode_yields(kind: type[Decoder]) -> None:
    decoder = kind()
    events = [event for chunk in STREAMS[kind.api] for event in decoder.feed(chunk)] + decoder.close()
    assert events == list(decode(STREAMS[kind.api]))
    assert decoder.ended and decoder.partial == events[-1].partial


@every_decoder
def test_a_decoder_has_nothing_more_to_give_after_the_end(kind: type[Decoder]) -> None:
    decoder = kind()
    for chunk in STREAMS[kind.api]:
        decoder.feed(chunk)
    decoder.close()
    before = decoder.partial
    more: list[Any] = [*STREAMS[kind.api], "no json", "[DONE]"]
    for chunk in more:
        assert decoder.feed(chunk) == []
    assert decoder.close() == decoder.fail("late") == []
    assert decoder.partial == before


@every_decoder
@pytest.mark.parametrize("failure", [OSError("gone"), "gone"], ids=type)
def test_a_failure_is_an_error_with_its_words(kind: type[Decoder], failure: Exception | str) -> None:
    decoder = kind()
    events = decoder.feed(STREAMS[kind.api][0]) + decoder.fail(failure)
    assert "gone" in str(final(events).error_message)
