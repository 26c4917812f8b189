"""Where chunks come from: sources that fail, what is read of them, and the end of a decoder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from streams import STOP, STREAMS, TEXT, Run, both_ways, every_format, final

from provider_events import Error, StopReason
from provider_events.decoders import (
    AnthropicDecoder,
    BedrockDecoder,
    Decoder,
    GoogleDecoder,
    OpenAICompletionsDecoder,
    OpenAIResponsesDecoder,
    adecode,
    decode,
)

DECODERS: list[type[Decoder]] = [AnthropicDecoder, OpenAICompletionsDecoder, OpenAIResponsesDecoder, GoogleDecoder, BedrockDecoder]

def failing(chunks: list[Any], error: BaseException) -> Iterator[Any]:
    yield from chunks
    raise error


@every_format
@both_ways
def test_an_exception_of_the_source_is_an_error_with_all_content_so_far(run: Run, api: str) -> None:
    chunks = [chunk for chunk in STREAMS[api] if "stop" not in json.dumps(chunk).lower() and "completed" not in json.dumps(chunk)]
    message = final(run(failing(chunks, ConnectionResetError("peer went away"))))
    assert (message.api, message.text, message.stop_reason) == (api, "Hi", StopReason.ERROR)
    assert "peer went away" in str(message.error_message)


@both_ways
def test_an_exception_that_says_nothing_is_told_by_its_name(run: Run) -> None:
    assert "TimeoutError" in str(final(run(failing([TEXT], TimeoutError()))).error_message)


@both_ways
def test_an_exception_before_any_chunk_is_an_error(run: Run) -> None:
    for options in ({"api": "openai-completions"}, {}):
        (only,) = run(failing([], OSError("no route to host")), **options)
        assert isinstance(only, Error) and "no route to host" in str(only.error.error_message)


@both_ways
@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, SystemExit])
def test_what_is_no_failure_of_the_source_passes_through(run: Run, stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        run(failing([TEXT], stop()))


def test_cancellation_reaches_the_caller_of_adecode() -> None:
    seen: list[str] = []

    async def endless() -> AsyncIterator[Any]:
        yield TEXT
        await asyncio.Event().wait()

    async def consume() -> None:
        async for event in adecode(endless()):
            seen.append(event.type)

    async def cancel() -> None:
        task = asyncio.create_task(consume())
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert seen == ["start", "text_start", "text_delta"]


def test_events_are_given_as_soon_as_their_chunk_is_there() -> None:
    taken: list[Any] = []
    events = decode(taken.append(chunk) or chunk for chunk in [TEXT, TEXT, STOP])  # type: ignore[func-returns-value]
    assert [next(events).type for _ in range(3)] == ["start", "text_start", "text_delta"]
    assert len(taken) == 1


# The end


ENDED: dict[str, list[Any]] = {
    "anthropic-messages": STREAMS["anthropic-messages"],
    "openai-completions": [*STREAMS["openai-completions"], "[DONE]"],
    "openai-responses": STREAMS["openai-responses"],
    "bedrock-converse-stream": [*STREAMS["bedrock-converse-stream"], {"metadata": {"usage": {}}}],
}


@pytest.mark.parametrize("api", ENDED)
@both_ways
def test_nothing_is_read_from_the_source_after_the_ending(run: Run, api: str) -> None:
    message = final(run(failing(ENDED[api], AssertionError("read on")), api=api))
    assert (message.text, message.stop_reason) == ("Hi", StopReason.STOP)


@both_ways
def test_nothing_is_read_from_the_source_after_an_error(run: Run) -> None:
    message = final(run(failing([TEXT, {"error": {"message": "Sorry"}}], AssertionError("read on"))))
    assert message.error_message == "Sorry"


@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_gives_nothing_after_the_end(kind: type[Decoder]) -> None:
    decoder = kind()
    for chunk in STREAMS[kind.api]:
        decoder.feed(chunk)
    decoder.close()
    assert decoder.ended
    for chunk in (*STREAMS[kind.api], "no json", "[DONE]"):
        assert decoder.feed(chunk) == []
    assert decoder.close() == [] == decoder.fail("late")


@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_can_be_told_of_a_failure(kind: type[Decoder]) -> None:
    for failure, words in ((OSError("gone"), "gone"), ("gone", "gone")):
        decoder = kind()
        events = decoder.feed(STREAMS[kind.api][0])
        events += decoder.fail(failure)
        assert words in str(final(events).error_message)
