"""Chunks that are an SDK's own objects: wrappers, dicts with attributes, models that are read without a dump."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from support.small_streams import STREAMS, every_format

from provider_events.decoders import decode


class Dumps:
    """An SDK's object, as far as a decoder knows it."""

    def __init__(self, data: Any) -> None:
        self.dumped = data

    def model_dump(self, **options: Any) -> Any:
        return self.dumped


class Wrapper(Dumps):
    """An SDK's object around a chunk. Its dump has more than the chunk and must not be needed."""

    def __init__(self, **members: Any) -> None:
        super().__init__({"unwanted": 1})
        vars(self).update(members)


class Attributes(dict[str, Any]):
    """A dict that has some members as attributes only."""


def with_attributes(value: Any) -> Any:
    if isinstance(value, dict):
        found = Attributes(dict.fromkeys(value))
        vars(found).update({key: with_attributes(member) for key, member in value.items()})
        return found
    return [with_attributes(element) for element in value] if isinstance(value, list) else value


FORMS: dict[str, Callable[[Any], Any]] = {
    "openai's stream helper": lambda chunk: Wrapper(type="chunk", chunk=Dumps(chunk), snapshot=5),
    "mistralai": lambda chunk: Wrapper(data=Dumps(chunk)),
    "OpenRouter": lambda chunk: Wrapper(raw=chunk, is_unknown=True),
    "huggingface_hub": with_attributes,
    "arrays": lambda chunk: [[json.dumps(chunk)], None],
}


@every_format
@pytest.mark.parametrize("form", FORMS)
def test_the_chunk_in_an_sdks_object_is_what_counts(api: str, form: str) -> None:
    assert list(decode(map(FORMS[form], STREAMS[api]))) == list(decode(STREAMS[api]))


@every_format
@pytest.mark.parametrize(("name", "value"), [("chunk", "QUJD"), ("data", "QUJD"), ("data", {"a": 1}), ("raw", "QUJD")])
def test_another_member_of_an_sdks_object_is_no_chunk_that_it_wraps(api: str, name: str, value: Any) -> None:
    def with_member(chunk: Any) -> Any:
        made = Dumps(chunk)
        vars(made)[name] = value
        return made

    assert list(decode(map(with_member, STREAMS[api]))) == list(decode(STREAMS[api]))


@pytest.mark.parametrize(
    "source", ["content", "refusal", "tool_calls.function.arguments", "logprobs.content", "logprobs.refusal"]
)
def test_what_openais_stream_helper_repeats_is_passed_over(source: str) -> None:
    chunks = STREAMS["openai-completions"]
    repeated = [Wrapper(type=f"{source}.{step}", delta="Hi", snapshot="Hi") for step in ("delta", "done")]
    assert list(decode([chunks[0], *repeated, chunks[1]])) == list(decode(chunks))


@every_format
@pytest.mark.parametrize("nothing", [None, "", " \r\n", "null", {}, "{}", [], b"", "\ufeff"])
def test_a_chunk_without_content_is_passed_over(api: str, nothing: Any) -> None:
    chunks = [each for chunk in STREAMS[api] for each in (nothing, chunk)]
    assert list(decode(chunks, api=api)) == list(decode(STREAMS[api], api=api))


# The objects of a pydantic model as openai has them: what is known as attributes, what is unknown apart.


class Model:
    def __init__(self, members: dict[str, Any], *known: str) -> None:
        vars(self).update({key: members.get(key) for key in known})
        self.__pydantic_extra__ = {key: value for key, value in members.items() if key not in known}

    def model_dump(self, **options: Any) -> Any:
        set_members = {
            key: value for key, value in vars(self).items() if key != "__pydantic_extra__" and value is not None
        }
        return dumped({**set_members, **self.__pydantic_extra__})


def dumped(value: Any) -> Any:
    if isinstance(value, Model):
        return value.model_dump()
    if isinstance(value, dict):
        return {key: dumped(member) for key, member in value.items()}
    return [dumped(element) for element in value] if isinstance(value, list) else value


def model(payload: dict[str, Any]) -> Any:
    choices = []
    for choice in payload["choices"]:
        delta = dict(choice["delta"])
        if "tool_calls" in delta:
            delta["tool_calls"] = [
                Model(
                    {**call, "function": Model(call["function"], "name", "arguments")},
                    "index",
                    "id",
                    "type",
                    "function",
                )
                for call in delta["tool_calls"]
            ]
        fields = {**choice, "delta": Model(delta, "content", "role", "refusal", "tool_calls")}
        choices.append(Model(fields, "index", "delta", "finish_reason", "logprobs"))
    return Model({**payload, "choices": choices}, "id", "model", "choices", "usage")


def test_an_sdks_object_is_read_the_same_where_it_is_not_dumped() -> None:
    def chunk(finish_reason: str | None = None, fields: dict[str, Any] | None = None, **delta: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {"id": "c", "model": "m", "choices": [choice], **(fields or {})}

    def arguments(text: str, **more: Any) -> dict[str, Any]:
        return chunk(tool_calls=[{"index": 0, "function": {"arguments": text, **more}}])

    payloads = [
        chunk(role="assistant"), chunk(content="A"), chunk(content="B"), chunk(content="C", fields={"note": 1}),
        chunk(content="D"), chunk(content="E", phase="x"), chunk(content="F", refusal="G"), chunk(content="H"),
        chunk(reasoning="I"), chunk(reasoning="J"), chunk(reasoning="K", content="L"),
        arguments('{"a"', name="f"), arguments(":"), arguments("[1"), arguments("]", note=2), arguments("}"),
        chunk("stop"),
    ]  # fmt: skip
    assert list(decode(map(model, payloads))) == list(decode(payloads))
    wrapped = [SimpleNamespace(type="chunk", chunk=model(payload), model_dump=None) for payload in payloads]
    assert list(decode(wrapped)) == list(decode(payloads))
