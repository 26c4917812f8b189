"""Damaged streams: never an exception, always a lawful stream, and the same one each time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from laws import assert_lawful
from recordings import NAMES, api, payloads

from provider_events import StopReason
from provider_events.decoders import decode, iter_sse

TEXTS = ("He", 'l"lo', " wörld\n", "🎉")


def anthropic() -> Iterator[Any]:
    def block(index: int, begin: Any, *deltas: Any) -> Iterator[Any]:
        yield {"type": "content_block_start", "index": index, "content_block": begin}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    yield {"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}}
    yield {"type": "ping"}
    thoughts = [{"type": "thinking_delta", "thinking": text} for text in TEXTS]
    yield from block(0, {"type": "thinking", "thinking": "", "signature": ""}, *thoughts, {"type": "signature_delta", "signature": "s"})
    yield from block(1, {"type": "redacted_thinking", "data": "b3BhcXVl"})
    texts = [{"type": "text_delta", "text": text} for text in TEXTS]
    yield from block(2, {"type": "text", "text": "", "citations": []}, *texts, {"type": "citations_delta", "citation": {"url": "u"}})
    pieces = [{"type": "input_json_delta", "partial_json": text} for text in ('{"q": [1,', ' {"a": "b\\u00e9"}', "]}")]
    yield from block(3, {"type": "tool_use", "id": "t1", "name": "f", "input": {}}, *pieces)
    yield from block(4, {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}, *pieces)
    yield from block(5, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u"}]})
    yield from block(6, {"type": "tool_use", "id": "t2", "name": "g", "input": {"a": {"b": [1]}}})
    yield {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_details": None}, "usage": {"output_tokens": 9}}
    yield {"type": "message_stop"}


def completions() -> Iterator[Any]:
    def chunk(finish: str | None = None, **delta: Any) -> Any:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "c1", "model": "m", "created": 1700000000, "choices": [choice], "usage": None}

    def call(index: int, **function: Any) -> Any:
        return chunk(tool_calls=[{"index": index, "id": f"t{index}" if "name" in function else None, "function": function}])

    yield chunk(role="assistant", content="")
    yield from (chunk(reasoning_content=text) for text in TEXTS)
    yield chunk(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "So"}])
    yield from (chunk(content=text) for text in TEXTS)
    yield chunk(refusal="No.")
    yield call(0, name="f", arguments="")
    yield call(0, arguments='{"a": [1')
    yield call(1, name="g", arguments={"b": {"c": None}})
    yield call(0, arguments=', "x"]}')
    yield chunk("tool_calls")
    details = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}
    yield {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, **details}}
    yield "[DONE]"


def responses() -> Iterator[Any]:
    yield {"type": "response.created", "response": {"id": "r1", "model": "m", "created_at": 1700000000}}
    items: list[Any] = [
        {"type": "reasoning", "id": "i0", "summary": [{"type": "summary_text", "text": "".join(TEXTS)}], "encrypted_content": "s"},
        {"type": "message", "id": "i1", "content": [{"type": "output_text", "text": "".join(TEXTS), "annotations": [{"url": "u"}]}]},
        {"type": "function_call", "id": "i2", "call_id": "t1", "name": "f", "arguments": '{"a": [1, "x"]}'},
        {"type": "web_search_call", "id": "i3", "action": {"query": "q"}},
        {"type": "message", "id": "i4", "content": [{"type": "refusal", "refusal": "No."}]},
    ]
    for index, item in enumerate(items):
        place = {"output_index": index, "item_id": item["id"], "content_index": 0, "summary_index": 0}
        empty = {key: [] if isinstance(value, list) else value for key, value in item.items() if key != "arguments"}
        yield {"type": "response.output_item.added", "output_index": index, "item": empty}
        if index == 0:
            yield from ({"type": "response.reasoning_summary_text.delta", "delta": text, **place} for text in TEXTS)
        if index == 1:
            yield from ({"type": "response.output_text.delta", "delta": text, **place} for text in TEXTS)
            yield {"type": "response.output_text.done", "text": "".join(TEXTS), **place}
        if index == 2:
            yield from ({"type": "response.function_call_arguments.delta", "delta": text, **place} for text in ('{"a": [1,', ' "x"]}'))
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    usage = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5, "total_tokens": 14}
    yield {"type": "response.completed", "response": {"id": "r1", "status": "completed", "output": items, "usage": usage}}


def google() -> Iterator[Any]:
    def chunk(*parts: Any, **candidate: Any) -> Any:
        return {"candidates": [{"content": {"parts": parts}, **candidate}], "modelVersion": "m", "responseId": "g1", "createTime": "2026-01-02T03:04:05Z"}

    def partial(path: str, **value: Any) -> Any:
        return chunk({"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}})

    yield from (chunk({"text": text, "thought": True}) for text in TEXTS)
    yield from (chunk({"text": text, "thoughtSignature": "c2ln"}) for text in TEXTS)
    yield chunk({"functionCall": {"id": "t1", "name": "f", "args": {"a": [1, {"b": None}]}}, "thoughtSignature": "c2ln"})
    yield chunk({"functionCall": {"name": "g", "willContinue": True}})
    yield partial("$.a", stringValue="Bos", willContinue=True)
    yield partial("$.a", stringValue="ton")
    yield partial("$.b.c[0]", numberValue=1.0)
    yield partial("$.b.c[1].d", boolValue=True)
    yield partial("$.e", nullValue="NULL_VALUE")
    yield chunk({"functionCall": {}})
    yield chunk({"inlineData": {"mimeType": "image/png", "data": "aGk="}}, {"executableCode": {"code": "1"}})
    yield {**chunk(finishReason="STOP"), "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14}}


def bedrock() -> Iterator[Any]:
    def delta(index: int, **fields: Any) -> Any:
        return {"contentBlockDelta": {"contentBlockIndex": index, "delta": fields}}

    yield {"messageStart": {"role": "assistant"}}
    yield from (delta(0, reasoningContent={"text": text}) for text in TEXTS)
    yield delta(0, reasoningContent={"signature": "s"})
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield delta(1, reasoningContent={"redactedContent": "b3BhcXVl"})
    yield {"contentBlockStop": {"contentBlockIndex": 1}}
    yield from (delta(2, text=text) for text in TEXTS)
    yield delta(2, citation={"title": "t"})
    yield {"contentBlockStop": {"contentBlockIndex": 2}}
    yield {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}}
    yield from (delta(3, toolUse={"input": text}) for text in ('{"a": [1,', ' "x"]}'))
    yield {"contentBlockStop": {"contentBlockIndex": 3}}
    yield delta(4, image={"source": {"bytes": "aGk="}})
    yield {"contentBlockStop": {"contentBlockIndex": 4}}
    yield {"messageStop": {"stopReason": "tool_use"}}
    yield {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}}}


def as_texts(chunks: Iterator[Any]) -> list[str]:
    return [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]


HAND_MADE = {
    "anthropic-messages": as_texts(anthropic()),
    "openai-completions": as_texts(completions()),
    "openai-responses": as_texts(responses()),
    "google-generative-ai": as_texts(google()),
    "bedrock-converse-stream": as_texts(bedrock()),
}

# The damage

REMOVED = object()
JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1, 3.5, 10**30, float("inf"), "", "x", "[DONE]", "\ud800", "text", "\u2028"),
    *([], [1], [None], [[]], [{}], {}, {"a": 1}, {"type": "text"}, {"index": 0}, {"text": 1}, "$.a[0]"),
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a JSON value has fields and elements."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(value[key], (*path, key))


def changed(chunk: str, place: tuple[Any, ...], junk: Any) -> str:
    """A chunk with something else in a place, or with `REMOVED` nothing."""
    value = json.loads(chunk)
    *way, last = place
    target = value
    for key in way:
        target = target[key]
    if junk is REMOVED:
        del target[last]
    else:
        target[last] = junk
    return json.dumps(value)


def places(chunk: str) -> list[tuple[Any, ...]]:
    return list(paths(json.loads(chunk))) if chunk.startswith("{") else []


def flipped(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    if damaged:
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def damaged(rng: random.Random, chunks: Sequence[str]) -> list[Any]:
    """A few of: dropped, doubled, swapped, truncated, with a byte flipped, with a field of another type or none."""
    fields = [*chunks]
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(fields))
        if found := places(fields[at]):
            fields[at] = changed(fields[at], rng.choice(found), REMOVED if rng.random() < 0.25 else rng.choice(JUNK))
    result: list[Any] = [*fields]
    for _ in range(rng.choice((0, 0, 1, 1, 3))):
        at, other = rng.randrange(len(result)), rng.randrange(len(result))
        match rng.randrange(5):
            case 0 if len(result) > 1:
                del result[at]
            case 1:
                result.insert(other, result[at])
            case 2:
                result[at], result[other] = result[other], result[at]
            case 3:
                result[at] = result[at][: rng.randrange(len(result[at]) + 1)]
            case _:
                text = result[at]
                result[at] = flipped(rng, text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    return result


def assert_orderly(name: str, seed: int, make: Callable[[random.Random], Any], api: str | None) -> None:
    """What is made for a seed decodes to a lawful stream, and does so each time."""
    try:
        chunks = list(make(random.Random(f"{name} {seed}")))
        events = list(decode(chunks, api=api))
        assert_lawful(events)
        assert list(decode(chunks, api=api)) == events
    except Exception as error:
        raise AssertionError(f"{name}, seed {seed}: {error!r:.500}") from error


@pytest.mark.parametrize("name", HAND_MADE)
def test_the_streams_are_whole_before_they_are_damaged(name: str) -> None:
    events = list(decode(HAND_MADE[name]))
    assert_lawful(events)
    last = events[-1].partial
    assert last and (last.api, last.stop_reason) == (name, StopReason.TOOL_USE)
    assert last.text and last.thinking and last.tool_calls


@pytest.mark.parametrize("name", HAND_MADE)
def test_damaged_chunks(name: str) -> None:
    for seed in range(500):
        assert_orderly(name, seed, lambda rng: damaged(rng, HAND_MADE[name]), name)


@pytest.mark.parametrize("name", HAND_MADE)
def test_every_field_in_turn_removed_and_of_wrong_types(name: str) -> None:
    rng = random.Random(name)
    for at, chunk in enumerate(HAND_MADE[name]):
        for place in places(chunk):
            for junk in (REMOVED, *rng.sample(JUNK, 2)):
                chunks = [*HAND_MADE[name][:at], changed(chunk, place, junk), *HAND_MADE[name][at + 1 :]]
                assert_orderly(f"{name}, chunk {at}, {place} = {junk!r}", 0, lambda _: chunks, name)


@pytest.mark.parametrize("name", HAND_MADE)
def test_a_damaged_body(name: str) -> None:
    body = "".join(f"event: x\r\ndata: {text}\n\n" for text in HAND_MADE[name]).encode()

    def pieces(rng: random.Random) -> list[str]:
        lines = body.splitlines(keepends=True)
        for _ in range(rng.choice((0, 1, 3))):
            at = rng.randrange(len(lines))
            lines[at : at + 1] = rng.choice(([], [lines[at]] * 2, [lines[at][: rng.randrange(len(lines[at]))]]))
        data = b"".join(lines)
        for _ in range(rng.choice((0, 1, 10))):
            data = flipped(rng, data)
        size = rng.choice((1, 10, 1000))
        return list(iter_sse(data[at : at + size] for at in range(0, len(data), size)))

    for seed in range(100):
        assert_orderly(name, seed, pieces, name)


@pytest.mark.parametrize("name", HAND_MADE)
def test_damaged_chunks_of_a_format_to_be_detected(name: str) -> None:
    def and_one_that_tells(rng: random.Random) -> list[Any]:
        return [*damaged(rng, HAND_MADE[name]), *HAND_MADE[name][:3]]

    for seed in range(100):
        assert_orderly(name, seed, and_one_that_tells, None)


@pytest.mark.parametrize("name", HAND_MADE)
def test_one_format_taken_for_another(name: str) -> None:
    for other in HAND_MADE:
        assert_orderly(f"{name} for {other}", 0, lambda _: HAND_MADE[name], other)


@pytest.mark.parametrize("name", HAND_MADE)
def test_json_nested_too_deeply(name: str) -> None:
    for depth in (100, 5000, 200_000):
        nested = "[" * depth + "]" * depth
        for chunk in (nested, f'{{"type": {nested}}}', *(text.replace("null", nested).replace('"x"', nested) for text in HAND_MADE[name])):
            assert_orderly(name, depth, lambda _: [HAND_MADE[name][0], chunk, *HAND_MADE[name][1:]], name)


@pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
@pytest.mark.parametrize("name", NAMES or ["no recordings"])
def test_damaged_recordings(name: str) -> None:
    for seed in range(30):
        assert_orderly(name, seed, lambda rng: damaged(rng, payloads(name)), api(name))
