"""`decode` and `adecode`: detection, chunks in every form, names, misuse, and equal events for equal chunks."""

from __future__ import annotations

import json
from collections import UserDict
from collections.abc import AsyncIterator, Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
from support.small_streams import (
    HAS_MODEL,
    STOP,
    STREAMS,
    TEXT,
    Decode,
    asynchronously,
    both_ways,
    decode_synchronously,
    every_format,
    final,
)

from provider_events import Error, StopReason, TextContent, ToolCall, decoders
from provider_events.decoders import APIS, adecode, decode

DECODERS = [vars(decoders)[name] for name in decoders.__all__ if name.endswith("Decoder") and name != "Decoder"]

# Detection


def test_every_format_has_a_name_a_decoder_and_a_small_stream_in_these_tests() -> None:
    assert {*APIS} == {*STREAMS} == {kind.api for kind in DECODERS}


@every_format
@both_ways
def test_the_format_is_detected(run: Decode, api: str) -> None:
    message = final(run(STREAMS[api]))
    assert (message.api, message.text, message.stop_reason) == (api, "Hi", StopReason.STOP)


@every_format
def test_a_detected_and_a_named_format_give_equal_events(api: str) -> None:
    assert list(decode(STREAMS[api])) == list(decode(STREAMS[api], api=api))


@every_format
@both_ways
def test_chunks_without_a_format_may_come_before(run: Decode, api: str) -> None:
    noise: list[Any] = [{}, "{}", "", b"", {"type": None}, UserDict({})]
    assert final(run([*noise, *STREAMS[api]])).content == (TextContent("Hi"),)


@every_format
@pytest.mark.parametrize("early", [{"id": "early", "model": "early"}, "no json", "[1]"], ids=str)
def test_chunks_that_came_before_the_format_was_detected_are_decoded_too(api: str, early: Any) -> None:
    chunks = [early, *STREAMS[api]]
    assert list(decode(chunks)) == list(decode(chunks, api=api))


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
        ({"event_type": "interaction.status_update", "status": "in_progress"}, "google-interactions"),
        ({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "p"}}}, "cohere-chat"),
    ],
    ids=json.dumps,
)
def test_a_format_may_be_detected_by_other_chunks_than_its_first(chunk: dict[str, Any], api: str) -> None:
    assert final(decode([json.dumps(chunk)])).api == api


@both_ways
@pytest.mark.parametrize("chunks", [["[DONE]"], [{"hello": 1}, "no json", 5], ["<html>502 Bad Gateway"]], ids=repr)
def test_a_stream_of_no_known_format_is_an_error_that_lists_them_and_shows_its_beginning(
    run: Decode, chunks: list[Any]
) -> None:
    message = final(run(chunks))
    assert (message.stop_reason, message.api, message.provider) == (StopReason.ERROR, "", "")
    for words in [*APIS, chunks[0] if isinstance(chunks[0], str) else repr(chunks[0])]:
        assert words in str(message.error_message)


@both_ways
@pytest.mark.parametrize("chunks", [[], [{}], [""]], ids=repr)
def test_an_empty_stream_is_an_error(run: Decode, chunks: list[Any]) -> None:
    (only,) = run(chunks)
    assert isinstance(only, Error) and only.error.error_message


@every_format
@both_ways
def test_an_empty_stream_of_a_named_format_is_an_error(run: Decode, api: str) -> None:
    (only,) = run([], api=api)
    assert isinstance(only, Error) and only.reason is StopReason.ERROR and only.error.error_message


def test_an_error_payload_of_no_known_format_is_an_error_with_its_words_at_once() -> None:
    (event,) = decode(broken_behind([{"detail": "Sorry"}]))
    assert isinstance(event, Error) and event.error.error_message == "Sorry"


@pytest.mark.parametrize("odd", [[], {}, [1], {"a": 1}, 5, True])
def test_values_of_a_wrong_type_do_not_upset_detection(odd: Any) -> None:
    names = ("type", "object", "event_type", "error", "status", "response", "message", "output", "choices")
    for name in names:
        assert [*decode([{name: odd, other: odd} for other in names])][-1].type == "error"


def test_detection_gives_up_after_a_thousand_chunks() -> None:
    taken: list[int] = []
    chunks = ({"hello": taken.append(number)} for number in range(2000))  # type: ignore[func-returns-value]
    assert isinstance([*decode(chunks)][-1], Error)
    assert len(taken) == 1000


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


class DumpsNothing:
    def model_dump(self) -> Any:
        raise RuntimeError("broken")


FORMS: dict[str, Callable[[Any], Any]] = {
    "a dict": dict,
    "another mapping": MappingProxyType,
    "a mapping of one's own": UserDict,
    "text": json.dumps,
    "JSON text in JSON text": lambda chunk: json.dumps(json.dumps(chunk)),
    "text in lines": lambda chunk: json.dumps(chunk, indent=2) + "\r\n",
    "bytes": lambda chunk: json.dumps(chunk).encode(),
    "bytearray": lambda chunk: bytearray(json.dumps(chunk).encode()),
    "an SDK's object": Dumps,
    "an SDK's object whose model_dump has no options": DumpsWithoutOptions,
    "an array of one": lambda chunk: [chunk],
    "bytes of InvokeModel": lambda chunk: {"chunk": {"bytes": json.dumps(chunk).encode()}},
}


@every_format
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_chunk_gives_equal_events(api: str, form: str) -> None:
    assert list(decode(map(FORMS[form], STREAMS[api]))) == list(decode(STREAMS[api]))


@every_format
def test_all_chunks_may_be_in_one_array_or_in_the_lines_of_one_text(api: str) -> None:
    assert final(decode([STREAMS[api]])) == final(decode(STREAMS[api]))
    lines = "\n".join(chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in STREAMS[api])
    assert final(decode([f"{lines}\n\n[DONE]"])) == final(decode(STREAMS[api]))
    (end,) = decode([lines + "\nno json"], api=api)
    assert isinstance(end, Error)


def test_two_lines_of_one_text_are_two_chunks() -> None:
    assert list(decode([f"{json.dumps(TEXT)}\n{json.dumps(STOP)}"])) == list(decode([TEXT, STOP]))


NO_CHUNKS: list[Any] = [5, "no json", "NaN", '"-Infinity"', b"\xff\xfe", "5", '{"a": 1} {"b": 2}']


def broken_behind(chunks: list[Any]) -> Iterator[Any]:
    yield from chunks
    raise OSError


@every_format
@both_ways
@pytest.mark.parametrize("chunk", [*NO_CHUNKS, DumpsNothing()], ids=lambda chunk: repr(chunk)[:20])
def test_anything_else_ends_the_stream_as_a_broken_connection_would(run: Decode, api: str, chunk: Any) -> None:
    *chunks, last = STREAMS[api]
    is_complete = final(run(broken_behind(chunks), api=api)).stop_reason is StopReason.STOP
    message = final(run([*chunks, chunk, last], api=api))
    assert message.text == "Hi"
    assert (message.stop_reason is StopReason.STOP) is is_complete
    assert is_complete or str(message.error_message).startswith("malformed chunk: ")


@every_format
def test_control_characters_may_lack_their_escapes(api: str) -> None:
    texts = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in STREAMS[api]]
    assert final(decode([text.replace("Hi", "H\t\x01i") for text in texts], api=api)).text == "H\t\x01i"


@both_ways
def test_keys_that_are_no_strings_do_not_matter(run: Decode) -> None:
    assert final(run([{1: 2}, *STREAMS["openai-completions"]])).text == "Hi"
    assert final(run([TEXT, {1: 2}, STOP])).text == "Hi"


def test_a_chunk_that_is_nested_too_deeply_is_an_error_wherever_that_is() -> None:
    deep = "[" * 200 + "]" * 200
    message = final(decode([f'{{"choices": [], "obfuscation": {deep}}}', TEXT, STOP], api="openai-completions"))
    assert str(message.error_message).startswith("malformed chunk: ") and not message.content


def test_what_was_no_json_is_shown() -> None:
    assert "502 Bad Gateway" in str(final(decode([TEXT, "<html>502 Bad Gateway</html>"])).error_message)


def test_a_chunk_may_be_changed_once_it_was_decoded() -> None:
    arguments: dict[str, Any] = {"list": [1]}
    call = {"index": 0, "id": "id1", "function": {"name": "f", "arguments": arguments}}

    def chunks() -> Iterator[Any]:
        yield {"choices": [{"delta": {"tool_calls": [call]}}]}
        arguments["list"].append(2)
        yield STOP

    assert final(decode(chunks())).content == (ToolCall("id1", "f", {"list": [1]}),)


# Names


@every_format
def test_the_provider_is_the_one_that_the_caller_names(api: str) -> None:
    assert {event.partial.provider for event in decode(STREAMS[api], provider="acme")} == {"acme"}
    assert final(decode(STREAMS[api])).provider


@every_format
def test_the_model_is_the_one_that_the_caller_names_until_the_stream_does(api: str) -> None:
    assert final(decode(STREAMS[api], model="named")).model == ("m" if api in HAS_MODEL else "named")
    assert final(decode([], api=api, model="named")).model == "named"


# Misuse, which raises at once: before the first event is asked for


@pytest.mark.parametrize("function", [decode, adecode])
def test_an_unknown_api_is_a_value_error_that_lists_the_known(function: Any) -> None:
    chunks = STREAMS["openai-completions"]
    with pytest.raises(ValueError, match="^api: expected one of .*, found 'openai'$") as raised:
        function(chunks if function is decode else asynchronously(chunks), api="openai")
    assert all(api in str(raised.value) for api in APIS)


@pytest.mark.parametrize("chunk", ['{"choices": []}', b"{}", {"choices": []}, Dumps({})], ids=type)
def test_a_single_chunk_is_a_type_error_with_what_to_pass(chunk: Any) -> None:
    with pytest.raises(TypeError, match=rf"found {type(chunk).__name__}; pass \[chunk\]"):
        decode(chunk)


@pytest.mark.parametrize("value", [None, 5], ids=repr)
def test_what_is_not_iterable_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match=f"^decode: expected an iterable of chunks, found {type(value).__name__}"):
        decode(value)
    with pytest.raises(TypeError, match=f"^adecode: expected an asynchronous iterable .* found {type(value).__name__}"):
        adecode(value)


def test_decode_and_adecode_name_each_other() -> None:
    async def source() -> AsyncIterator[Any]:
        yield TEXT

    chunks: Any = source()
    with pytest.raises(TypeError, match="found async_generator; use adecode"):
        decode(chunks)
    synchronous: Any = [TEXT]
    with pytest.raises(TypeError, match="found list; use decode"):
        adecode(synchronous)


@pytest.mark.parametrize("function", [decode, adecode])
@pytest.mark.filterwarnings("error")  # that it was never awaited
def test_a_coroutine_that_was_not_awaited_is_a_type_error(function: Any) -> None:
    async def create() -> Any:
        return [TEXT]

    with pytest.raises(TypeError, match="found coroutine; await it first"):
        function(create())


# Equal chunks give equal events


@every_format
@both_ways
def test_equal_chunks_give_equal_events_either_way(run: Decode, api: str) -> None:
    assert run(STREAMS[api]) == decode_synchronously(STREAMS[api])


CALLS: dict[str, list[dict[str, Any]]] = {
    "anthropic-messages": [
        {"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "name": "f"}}
        for index in (1, 2)
    ],
    "openai-completions": [
        {"choices": [{"delta": {"tool_calls": [{"index": index, "function": {"name": "f"}}]}}]} for index in (0, 1)
    ],
    "openai-responses": [
        {"type": "response.output_item.added", "output_index": index, "item": {"type": "function_call", "name": "f"}}
        for index in (1, 2)
    ],
    "google-generative-ai": [
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"n": n}}}]}}]} for n in (1, 2)
    ],
    "bedrock-converse-stream": [
        {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": {"name": "f"}}}} for index in (1, 2)
    ],
    "google-interactions": [
        {"event_type": "step.start", "index": index, "step": {"type": "function_call", "name": "f"}} for index in (1, 2)
    ],
    "cohere-chat": [
        {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": {"function": {"name": "f"}}}}}
        for index in (1, 2)
    ],
    "ollama-chat": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"n": n}}}]}} for n in (1, 2)],
}


@every_format
def test_calls_without_ids_get_ids_that_are_unique_and_the_same_each_time(api: str) -> None:
    first, *rest = STREAMS[api]
    once, again = [final(decode([first, *CALLS[api], *rest], api=api)) for _ in range(2)]
    ids = [call.id for call in once.tool_calls]
    assert len(ids) == len({*ids}) == 2 and all(ids)
    assert once == again


def test_a_generated_id_is_not_one_that_the_provider_gives_another_call() -> None:
    def call(index: int, **fields: Any) -> Any:
        return {"choices": [{"delta": {"tool_calls": [{"index": index, "function": {"name": "f"}, **fields}]}}]}

    generated = [call.id for call in final(decode([call(0), call(1), STOP])).tool_calls]
    for one, other in ((0, 1), (1, 0)):
        message = final(decode([call(one), call(other, id=generated[0]), STOP]))
        assert len({call.id for call in message.tool_calls}) == 2
