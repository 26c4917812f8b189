"""`decode` and `adecode`: detection, chunks in every form, failing sources, and what is the same each time."""

from __future__ import annotations

import asyncio
import json
from collections import UserDict
from collections.abc import AsyncIterator, Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
from laws import assert_lawful

from provider_events import AnyProviderEvent, AssistantMessage, Error, StopReason, TextContent, ToolCall
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

# One small stream of each format that says "Hi".
STREAMS: dict[str, list[Any]] = {
    "anthropic-messages": [
        {"type": "message_start", "message": {"id": "r", "model": "m"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ],
    "openai-completions": [
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]},
        {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
    "openai-responses": [
        {"type": "response.created", "response": {"id": "r", "model": "m"}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"},
        {"type": "response.completed", "response": {"id": "r", "status": "completed"}},
    ],
    "google-generative-ai": [
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}], "modelVersion": "m", "responseId": "r"},
        {"candidates": [{"finishReason": "STOP"}]},
    ],
    "bedrock-converse-stream": [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
    ],
}
DECODERS: list[type[Decoder]] = [AnthropicDecoder, OpenAICompletionsDecoder, OpenAIResponsesDecoder, GoogleDecoder, BedrockDecoder]
every_format = pytest.mark.parametrize("api", STREAMS)

TEXT = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


async def later(chunks: Any) -> AsyncIterator[Any]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def asynchronously(chunks: Any, **options: Any) -> list[AnyProviderEvent]:
    async def gathered() -> list[AnyProviderEvent]:
        return [event async for event in adecode(later(chunks), **options)]

    return asyncio.run(gathered())


def synchronously(chunks: Any, **options: Any) -> list[AnyProviderEvent]:
    return list(decode(chunks, **options))


both_ways = pytest.mark.parametrize("run", [synchronously, asynchronously])
Run = Callable[..., list[AnyProviderEvent]]


def final(events: list[AnyProviderEvent]) -> AssistantMessage:
    assert_lawful(events)
    message = events[-1].partial
    assert message is not None
    return message


# Detection


@every_format
@both_ways
def test_each_format_is_detected(run: Run, api: str) -> None:
    message = final(run(STREAMS[api]))
    assert (message.api, message.text, message.stop_reason) == (api, "Hi", StopReason.STOP)


@every_format
def test_detected_and_named_give_equal_events(api: str) -> None:
    assert list(decode(STREAMS[api])) == list(decode(STREAMS[api], api=api))


@every_format
@both_ways
def test_chunks_that_do_not_tell_may_come_before(run: Run, api: str) -> None:
    silent = [{}, "{}", "", b"", {"hello": 1}, {"type": "x"}, {"type": None}, UserDict({})]
    assert final(run([*silent, *STREAMS[api]])).content == (TextContent("Hi"),)


@pytest.mark.parametrize(
    ("chunk", "api"),
    [
        ({"type": "ping"}, "anthropic-messages"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, "anthropic-messages"),
        ({"id": "c", "object": "chat.completion.chunk", "choices": []}, "openai-completions"),
        ({"type": "response.in_progress", "response": {}}, "openai-responses"),
        ({"type": "error", "code": "c", "message": "m", "sequence_number": 0}, "openai-responses"),
        ({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}, "google-generative-ai"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "google-generative-ai"),
        ({"usageMetadata": {"promptTokenCount": 1}}, "google-generative-ai"),
        ({"throttlingException": {"message": "m"}}, "bedrock-converse-stream"),
    ],
)
def test_other_chunks_that_tell(chunk: dict[str, Any], api: str) -> None:
    assert final(list(decode([json.dumps(chunk)]))).api == api


@both_ways
def test_an_unknown_api_is_a_value_error_that_lists_the_names(run: Run) -> None:
    with pytest.raises(ValueError) as raised:
        run(STREAMS["openai-completions"], api="openai")
    assert "'openai'" in str(raised.value)
    assert all(name in str(raised.value) for name in STREAMS)


@both_ways
@pytest.mark.parametrize("chunks", [[], [{}], ["[DONE]"], [{"hello": 1}, "no json", 5]])
def test_no_telling_chunk_is_a_value_error_that_lists_the_names(run: Run, chunks: list[Any]) -> None:
    with pytest.raises(ValueError) as raised:
        run(chunks)
    assert all(name in str(raised.value) for name in STREAMS)


@every_format
@both_ways
def test_an_empty_stream_of_a_named_format_is_an_error(run: Run, api: str) -> None:
    (only,) = run([], api=api)
    assert isinstance(only, Error) and only.reason is StopReason.ERROR and only.error.error_message


# Sources that fail


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


# Chunks in every form


class Dumps:
    """An SDK's object, as far as a decoder knows it."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def model_dump(self, *, mode: str = "python", by_alias: bool = False, **options: Any) -> Any:
        assert (mode, by_alias) == ("json", True), "bytes and dates are wanted as JSON, names as the API has them"
        return self.data


class DumpsWithoutOptions:
    def __init__(self, data: Any) -> None:
        self.data = data

    def model_dump(self) -> Any:
        return self.data


FORMS: list[Callable[[Any], Any]] = [
    dict,
    MappingProxyType,
    UserDict,
    json.dumps,
    lambda chunk: json.dumps(chunk, indent=2) + "\r\n",
    lambda chunk: json.dumps(chunk).encode(),
    lambda chunk: bytearray(json.dumps(chunk).encode()),
    Dumps,
    DumpsWithoutOptions,
]


@every_format
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_chunk_gives_the_same_events(api: str, form: Callable[[Any], Any]) -> None:
    assert list(decode(map(form, STREAMS[api]))) == list(decode(STREAMS[api]))


@every_format
@both_ways
@pytest.mark.parametrize("thing", [5, None, object(), ["a"], "no json", b"\xff\xfe", "[1]", "5", Dumps([]), '{"a": 1} {"b": 2}'])
def test_anything_else_is_a_malformed_chunk(run: Run, api: str, thing: Any) -> None:
    count = len(STREAMS[api]) - 1
    assert final(run([*STREAMS[api][:count], thing, *STREAMS[api][count:]], api=api)).stop_reason is StopReason.ERROR
    assert final(run([*STREAMS[api][:count], thing, *STREAMS[api][count:]], api=api)).text == "Hi"


def test_what_was_no_json_is_told() -> None:
    error = final(list(decode([TEXT, "<html>502 Bad Gateway</html>"]))).error_message
    assert "502 Bad Gateway" in str(error)


def test_a_chunk_that_was_given_may_be_changed_afterwards() -> None:
    arguments = {"list": [1]}
    call = {"index": 0, "id": "id1", "function": {"name": "f", "arguments": arguments}}
    chunks = iter([{"choices": [{"delta": {"tool_calls": [call]}}]}, STOP])

    def changing() -> Iterator[Any]:
        yield next(chunks)
        arguments["list"].append(2)
        yield next(chunks)

    assert final(list(decode(changing()))).content == (ToolCall("id1", "f", {"list": [1]}),)


# Names, and what is the same each time


@every_format
def test_the_provider_is_who_it_is_said_to_be(api: str) -> None:
    assert {event.partial.provider for event in decode(STREAMS[api], provider="acme") if event.partial} == {"acme"}
    assert final(list(decode(STREAMS[api]))).provider


@every_format
def test_the_model_is_as_named_until_the_stream_says_it(api: str) -> None:
    message = final(list(decode(STREAMS[api], model="named")))
    assert message.model == ("named" if api == "bedrock-converse-stream" else "m")
    (cut_off,) = decode([], api=api, model="named")
    assert cut_off.partial and cut_off.partial.model == "named"


@every_format
@both_ways
def test_the_same_chunks_give_equal_events(run: Run, api: str) -> None:
    assert run(STREAMS[api]) == synchronously(STREAMS[api])


@every_format
def test_calls_without_ids_get_ids_that_are_unique_and_the_same_each_time(api: str) -> None:
    calls: dict[str, list[Any]] = {
        "anthropic-messages": [{"type": "content_block_start", "index": i, "content_block": {"type": "tool_use", "name": "f"}} for i in (1, 2)],
        "openai-completions": [{"choices": [{"delta": {"tool_calls": [{"index": i, "function": {"name": "f"}}]}}]} for i in (0, 1)],
        "openai-responses": [{"type": "response.output_item.added", "output_index": i, "item": {"type": "function_call", "name": "f"}} for i in (1, 2)],
        "google-generative-ai": [{"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}}]} for _ in (1, 2)],
        "bedrock-converse-stream": [{"contentBlockStart": {"contentBlockIndex": i, "start": {"toolUse": {"name": "f"}}}} for i in (1, 2)],
    }
    chunks = [*STREAMS[api][:1], *calls[api], *STREAMS[api][1:]]
    ids = [call.id for call in final(list(decode(chunks))).tool_calls]
    assert len(set(ids)) == 2 and all(ids)
    assert [call.id for call in final(list(decode(chunks))).tool_calls] == ids


def test_an_id_that_is_made_up_is_not_one_that_the_provider_gave() -> None:
    def call(index: int, **said: Any) -> Any:
        return {"choices": [{"delta": {"tool_calls": [{"index": index, "function": {"name": "f"}, **said}]}}]}

    made_up = [found.id for found in final(list(decode([call(0), call(1), STOP]))).tool_calls]
    for one, other in ((0, 1), (1, 0)):
        ids = [found.id for found in final(list(decode([call(one), call(other, id=made_up[0]), STOP]))).tool_calls]
        assert len(set(ids)) == 2
