"""`decode` and `adecode`: detection, chunks in every form, names, and what is the same each time."""

from __future__ import annotations

import json
from collections import UserDict
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
from streams import STOP, STREAMS, TEXT, Run, both_ways, every_format, final, synchronously

from provider_events import Error, StopReason, TextContent, ToolCall
from provider_events.decoders import decode

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


@every_format
@pytest.mark.parametrize("early", [{"id": "early", "model": "early"}, "no json", "[1]"])
def test_chunks_that_came_before_the_format_was_told_are_read_all_the_same(api: str, early: Any) -> None:
    chunks = [early, *STREAMS[api]]
    assert list(decode(chunks)) == list(decode(chunks, api=api))


def test_what_a_chunk_says_before_the_format_is_told_counts() -> None:
    assert final(list(decode([{"id": "early"}, TEXT, STOP]))).response_id == "early"


@both_ways
def test_a_mapping_with_keys_that_are_no_names_is_no_reason_to_raise(run: Run) -> None:
    assert final(run([{1: 2}, *STREAMS["openai-completions"]])).api == "openai-completions"
    assert final(run([TEXT, {1: 2}, STOP])).text == "Hi"


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
