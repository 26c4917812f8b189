"""Every recorded stream decodes to what is known of it, however it is given, read or cut short."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pytest
from laws import assert_lawful
from recordings import NAMES, api, body, expected, payloads

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    TextContent,
    ThinkingContent,
    ToolCall,
)
from provider_events.decoders import (
    AnthropicDecoder,
    BedrockDecoder,
    Decoder,
    GoogleDecoder,
    OpenAICompletionsDecoder,
    OpenAIResponsesDecoder,
    adecode,
    aiter_sse,
    decode,
    iter_sse,
)

pytestmark = pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
every_recording = pytest.mark.parametrize("name", NAMES or ["no recordings"])

DECODERS: dict[str, type[Decoder]] = {
    "anthropic-messages": AnthropicDecoder,
    "openai-completions": OpenAICompletionsDecoder,
    "openai-responses": OpenAIResponsesDecoder,
    "google-generative-ai": GoogleDecoder,
    "bedrock-converse-stream": BedrockDecoder,
}


def assert_expected(name: str, events: Sequence[AnyProviderEvent]) -> None:
    assert_lawful(events)
    last, known = events[-1], expected(name)
    assert isinstance(last, Done if known["terminal"] == "done" else Error)
    message = last.partial
    assert message.api == known["api"]
    assert message.stop_reason == known["stop_reason"]
    assert message.raw_stop_reason == known["raw_stop_reason"]
    assert message.model == (known["model"] or "")
    assert message.response_id == known["response_id"]
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


async def later(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def gathered(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


# However it is given


def test_there_are_recordings_of_all_five_formats() -> None:
    assert {api(name) for name in NAMES} == set(DECODERS)


@every_recording
def test_payload_texts(name: str) -> None:
    assert_expected(name, list(decode(payloads(name), api=api(name))))


@every_recording
def test_payloads_as_bytes_and_as_mappings(name: str) -> None:
    events = list(decode(payloads(name), api=api(name)))
    mappings = [text if text == "[DONE]" else json.loads(text) for text in payloads(name)]
    assert list(decode(mappings, api=api(name))) == events
    assert list(decode([text.encode() for text in payloads(name)], api=api(name))) == events


@every_recording
def test_the_format_is_detected(name: str) -> None:
    assert list(decode(payloads(name))) == list(decode(payloads(name), api=api(name)))


@every_recording
def test_adecode_gives_the_events_of_decode(name: str) -> None:
    events = asyncio.run(gathered(adecode(later(payloads(name)))))
    assert_expected(name, events)
    assert events == list(decode(payloads(name)))


@every_recording
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


@every_recording
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
    assert asyncio.run(gathered(adecode(aiter_sse(later(cut(sse)))))) == events


# Whenever it is read


@every_recording
def test_snapshots_read_at_once_and_after_the_end_are_the_same(name: str) -> None:
    at_once = [asdict(event.partial) for event in decode(payloads(name)) if event.partial]
    events = list(decode(payloads(name)))
    places = list(range(len(events)))
    random.Random(name).shuffle(places)
    for place in places:
        partial = events[place].partial
        assert partial and asdict(partial) == at_once[place]


# Cut short


def said(payload: Any) -> tuple[str, str]:
    """The text and the thinking that one payload brings, read in the plainest way."""
    match payload:
        case {"type": "content_block_delta", "delta": delta} | {"contentBlockDelta": {"delta": delta}}:
            reasoning = delta.get("reasoningContent", {}).get("text", "")
            return delta.get("text", ""), delta.get("thinking", "") + reasoning
        case {"type": "response.output_text.delta", "delta": delta}:
            return delta, ""
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


def is_end_mark(payload: Any) -> bool:
    match payload:
        case {"choices": [{"finish_reason": str()}, *_]} | {"candidates": [{"finishReason": str()}, *_]}:
            return True
        case {"type": "message_stop" | "response.completed" | "response.incomplete" | "response.failed"}:
            return True
        case {"messageStop": _}:
            return True
    return False


@every_recording
def test_cut_after_every_prefix_of_its_chunks(name: str) -> None:
    whole = list(decode(payloads(name), api=api(name)))
    refused = expected(name)["raw_stop_reason"] == "refusal"
    decoder = DECODERS[api(name)]()
    fed: list[AnyProviderEvent] = []
    text = thinking = ""
    complete = failed = False
    for count, chunk in enumerate(payloads(name)):
        events = list(decode(payloads(name)[:count], api=api(name)))
        assert_lawful(events)
        assert len(events) >= len(fed)
        assert events[: len(fed)] == fed == whole[: len(fed)]
        last = events[-1]
        assert isinstance(last, (Done, Error))
        assert isinstance(last, Error) is (failed or refused or not complete)
        assert (last.partial.text, last.partial.thinking) == (text, thinking)
        fed += decoder.feed(chunk)
        if chunk != "[DONE]":
            payload = json.loads(chunk)
            new_text, new_thinking = said(payload)
            text, thinking = text + new_text, thinking + new_thinking
            complete = complete or is_end_mark(payload)
            failed = failed or bool(payload.get("error"))


def is_part(part: Any, whole: Any) -> bool:
    """Whether a JSON value is the beginning of another."""
    if isinstance(part, dict):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return len(part) <= len(whole) and all(map(is_part, part, whole))
    return str(whole).startswith(str(part))


@every_recording
def test_a_tool_call_that_is_cut_off_keeps_what_could_be_read_of_it(name: str) -> None:
    final = list(decode(payloads(name), api=api(name)))[-1].partial
    assert final
    for count in range(len(payloads(name))):
        *events, last = decode(payloads(name)[:count], api=api(name))
        begun = [event.content_index for event in events if event.type == "toolcall_start"]
        assert last.partial and len(begun) == len(last.partial.tool_calls)
        for index in begun:
            cut, whole, before = last.partial.content[index], final.content[index], events[-1].partial
            assert isinstance(cut, ToolCall) and isinstance(whole, ToolCall) and before
            assert cut.name == whole.name and is_part(cut.arguments, whole.arguments)
            assert getattr(before.content[index], "arguments") == cut.arguments
