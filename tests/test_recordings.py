"""Every recorded stream and response decodes to what is known of it, however it is fed, read or cut short."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pytest
from support.laws import assert_valid
from support.recordings import NAMES, api, body, each_recording, each_stream, expected, payloads

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    TextContent,
    ThinkingContent,
    ToolCall,
)
from provider_events import decoders
from provider_events.decoders import Decoder, adecode, aiter_sse, decode, iter_sse

DECODERS: dict[str, type[Decoder]] = {
    decoder.api: decoder
    for name in decoders.__all__
    if isinstance(decoder := getattr(decoders, name), type) and issubclass(decoder, Decoder) and decoder is not Decoder
}


# Where the expectations are older than a rule of the package: the rule, and what it changes.
NEWER: dict[str, dict[str, Any]] = {
    # A custom tool call is a `ToolCall`.
    "responses/openai-responses.openai-custom-tool.1": {"stop_reason": "toolUse", "blocks": None},
    # Text behind a signed part begins a block of its own.
    "recordings/google-generative-ai.googleapis.google_model_thinking_part_iter.0": {"blocks": None},
}


def assert_expected(name: str, events: Sequence[AnyProviderEvent]) -> None:
    assert_valid(events)
    last, known = events[-1], expected(name) | NEWER.get(name, {})
    assert isinstance(last, Done if known["terminal"] == "done" else Error)
    message = last.partial
    assert message.api == known["api"]
    assert message.stop_reason == known["stop_reason"]
    assert message.raw_stop_reason == known["raw_stop_reason"]
    assert message.model == (known["model"] or "")
    assert message.response_id == known["response_id"]
    if known["blocks"] is not None:
        assert blocks(message, known["blocks"]) == known["blocks"]
    usage = message.usage
    buckets = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    assert buckets == tuple(known["usage"][name] for name in ("input", "output", "cache_read", "cache_write"))


def blocks(message: AssistantMessage, known: Sequence[Any]) -> list[list[Any]]:
    """The content as the expectations write it; where they know no id, any id will do."""
    found: list[list[Any]] = []
    for block in message.content:
        match block:
            case TextContent(text) if text:
                found.append(["text", text])
            case ThinkingContent(thinking) if thinking:
                found.append(["thinking", thinking])
            case ToolCall(id, name, arguments):
                assert id
                unknown_id = len(found) < len(known) and known[len(found)][:2] == ["tool_call", None]
                found.append(["tool_call", None if unknown_id else id, name, arguments])
    return found


async def asynchronous(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


# However it is given


@pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
def test_there_are_recordings_of_the_formats() -> None:
    assert {api(name) for name in NAMES} | {"ollama-chat"} == set(DECODERS)


@each_recording
def test_a_recording_is_recognised_as_one_format_only(name: str) -> None:
    chunks = [json.loads(chunk) for chunk in payloads(name) if chunk != "[DONE]"]
    found = {each for chunk in chunks for each, decoder in DECODERS.items() if chunk and decoder.recognizes(chunk)}
    assert found == {api(name)}


@each_recording
def test_payload_texts(name: str) -> None:
    assert_expected(name, list(decode(payloads(name), api=api(name))))


@each_recording
def test_payloads_as_bytes_and_as_mappings(name: str) -> None:
    events = list(decode(payloads(name), api=api(name)))
    mappings = [text if text == "[DONE]" else json.loads(text) for text in payloads(name)]
    assert list(decode(mappings, api=api(name))) == events
    assert list(decode([text.encode() for text in payloads(name)], api=api(name))) == events


@each_recording
def test_the_format_is_detected(name: str) -> None:
    assert list(decode(payloads(name))) == list(decode(payloads(name), api=api(name)))


@each_recording
def test_adecode_gives_the_events_of_decode(name: str) -> None:
    events = asyncio.run(collected(adecode(asynchronous(payloads(name)))))
    assert_expected(name, events)
    assert events == list(decode(payloads(name)))


@each_recording
def test_feed_and_close(name: str) -> None:
    decoder = DECODERS[api(name)]()
    events = [event for text in payloads(name) for event in decoder.feed(text)]
    events += decoder.close()
    assert_expected(name, events)


# As an HTTP client hands it out


def lines_with_ends(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def lines_without_ends(data: bytes) -> list[bytes]:
    return data.splitlines()


def text_lines_with_ends(data: bytes) -> list[str]:
    return re.findall(r".*?(?:\r\n|\r|\n)|.+\Z", data.decode(), re.DOTALL)


def text_lines_without_ends(data: bytes) -> list[str]:
    return [line.rstrip("\r\n") for line in text_lines_with_ends(data)]


def raw_blocks(data: bytes) -> Iterator[bytes]:
    rng = random.Random(len(data))
    while data:
        size = rng.choice((1, 2, 7, 100, 1000, 5000))
        yield data[:size]
        data = data[size:]


@each_recording
@pytest.mark.parametrize(
    "cut", [lines_with_ends, lines_without_ends, text_lines_with_ends, text_lines_without_ends, raw_blocks]
)
def test_the_body_cut_by_an_http_client(name: str, cut: Callable[[bytes], Iterable[bytes | str]]) -> None:
    sse = body(name)
    if sse is None:
        pytest.skip("recorded without its framing")
    decoder = DECODERS[api(name)]()
    events = [event for text in iter_sse(cut(sse)) for event in decoder.feed(text)]
    events += decoder.close()
    assert_expected(name, events)
    assert asyncio.run(collected(adecode(aiter_sse(asynchronous(cut(sse)))))) == events


# Whenever it is read


@each_recording
def test_snapshots_read_at_once_and_after_the_end_are_the_same(name: str) -> None:
    at_once = [asdict(event.partial) for event in decode(payloads(name)) if event.partial]
    events = list(decode(payloads(name)))
    places = list(range(len(events)))
    random.Random(name).shuffle(places)
    for place in places:
        partial = events[place].partial
        assert partial and asdict(partial) == at_once[place]


# Cut short


def new_text(payload: Any) -> tuple[str, str]:
    """Return the text and the reasoning that a payload of a stream brings, read in the plainest way."""
    match payload:
        case {"type": "content_block_delta", "delta": delta} | {"contentBlockDelta": {"delta": delta}}:
            reasoning = delta.get("reasoningContent", {}).get("text", "")
            return delta.get("text", ""), delta.get("thinking", "") + reasoning
        case {"type": "response.output_text.delta", "delta": delta}:
            return delta, ""
        case {"type": "content-delta", "delta": {"message": {"content": content}}}:
            return content.get("text", ""), content.get("thinking", "")
        case {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": plan}}}:
            return "", plan
        case {"event_type": "step.delta", "delta": {"type": "text", "text": text}}:
            return text, ""
        case {"event_type": "step.delta", "delta": {"type": "thought_summary", "content": {"text": text}}}:
            return "", text
        case {"choices": [{"delta": delta}, *_]}:
            content = delta.get("content") or ""
            if isinstance(content, str):
                return content, delta.get("reasoning") or ""
            return (
                "".join(part["text"] for part in content if part["type"] == "text"),
                "".join(piece["text"] for part in content for piece in part.get("thinking", ())),
            )
        case {"candidates": [{"content": {"parts": parts}}, *_]}:
            return (
                "".join(part.get("text", "") for part in parts if not part.get("thought")),
                "".join(part.get("text", "") for part in parts if part.get("thought")),
            )
    return "", ""


def completes(payload: Any) -> bool:
    """Return whether a payload brings the stop reason, or an end mark."""
    match payload:
        case {"choices": [{"finish_reason": str()}, *_]} | {"candidates": [{"finishReason": str()}, *_]}:
            return True
        case {
            "type": "message_stop" | "message-end" | "response.completed" | "response.incomplete" | "response.failed"
        }:
            return True
        case {"type": "message_delta", "delta": {"stop_reason": str()}} | {"messageStop": _}:
            return True
        case {"event_type": "interaction.completed"}:
            return True
    return False


@each_stream
def test_cut_between_two_chunks(name: str) -> None:
    chunks = payloads(name)
    whole = list(decode(chunks, api=api(name)))
    refused = expected(name)["raw_stop_reason"] == "refusal"
    cuts = {
        *random.Random(name).sample(range(len(chunks)), min(30, len(chunks))),
        *range(max(0, len(chunks) - 4), len(chunks)),
    }
    decoder = DECODERS[api(name)]()
    fed: list[AnyProviderEvent] = []
    text = thinking = ""
    complete = failed = False
    for count, chunk in enumerate(chunks):
        if count in cuts:
            events = list(decode(chunks[:count], api=api(name)))
            assert_valid(events)
            assert events[: len(fed)] == fed == whole[: len(fed)]
            last = events[-1]
            assert isinstance(last, (Done, Error))
            assert isinstance(last, Error) is (failed or refused or not complete)
            assert (last.partial.text, last.partial.thinking) == (text, thinking)
        fed += decoder.feed(chunk)
        if chunk != "[DONE]":
            payload = json.loads(chunk)
            text, thinking = (before + new for before, new in zip((text, thinking), new_text(payload)))
            complete = complete or completes(payload)
            failed = failed or bool(payload.get("error"))


def is_part(part: Any, whole: Any) -> bool:
    """Whether a JSON value is the beginning of another."""
    if isinstance(part, dict):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return len(part) <= len(whole) and all(map(is_part, part, whole))
    return str(whole).startswith(str(part))


@each_recording
def test_a_tool_call_that_is_cut_off_keeps_what_could_be_read_of_it(name: str) -> None:
    final = list(decode(payloads(name), api=api(name)))[-1].partial
    assert final
    for count in random.Random(name).sample(range(len(payloads(name))), min(20, len(payloads(name)))):
        *events, last = decode(payloads(name)[:count], api=api(name))
        begun = [event.content_index for event in events if event.type == "toolcall_start"]
        assert last.partial and len(begun) == len(last.partial.tool_calls)
        for index in begun:
            cut, whole, before = last.partial.content[index], final.content[index], events[-1].partial
            assert isinstance(cut, ToolCall) and isinstance(whole, ToolCall) and before
            assert cut.name == whole.name and is_part(cut.arguments, whole.arguments)
            assert getattr(before.content[index], "arguments") == cut.arguments
