"""The official SDKs' own objects, as their real clients hand them out, decode like the raw payloads.

A local server sends the bytes that the provider would send; each client parses them in its own way,
and what it yields goes into `decode`. An SDK that is not installed is skipped.
"""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from recordings import NAMES, api, payloads
from support.event_stream import event_stream_frame

from provider_events import AnyProviderEvent, Done, Error
from provider_events.decoders import adecode, decode

pytestmark = pytest.mark.filterwarnings("default")  # what the SDKs warn of is theirs to mend

# The clients: from the address of a server to the chunks of an answer

MESSAGES: Any = [{"role": "user", "content": "?"}]
ANTHROPIC: Any = {"model": "m", "max_tokens": 1, "messages": MESSAGES}
NO_RETRY: Any = {"api_key": "-", "max_retries": 0}


def anthropic_stream(url: str, beta: bool = False) -> Iterator[Any]:
    import anthropic

    with anthropic.Anthropic(base_url=url, **NO_RETRY) as client:
        yield from (client.beta if beta else client).messages.create(stream=True, **ANTHROPIC)


async def anthropic_astream(url: str, beta: bool = False) -> AsyncIterator[Any]:
    import anthropic

    async with anthropic.AsyncAnthropic(base_url=url, **NO_RETRY) as client:
        async for chunk in await (client.beta if beta else client).messages.create(stream=True, **ANTHROPIC):
            yield chunk


def anthropic_helper(url: str, beta: bool = False) -> Iterator[Any]:
    import anthropic

    with anthropic.Anthropic(base_url=url, **NO_RETRY) as client:
        with (client.beta if beta else client).messages.stream(**ANTHROPIC) as stream:
            yield from stream


async def anthropic_ahelper(url: str, beta: bool = False) -> AsyncIterator[Any]:
    import anthropic

    async with anthropic.AsyncAnthropic(base_url=url, **NO_RETRY) as client:
        async with (client.beta if beta else client).messages.stream(**ANTHROPIC) as stream:
            async for chunk in stream:
                yield chunk


def openai_chat(url: str) -> Iterator[Any]:
    import openai

    with openai.OpenAI(base_url=url, **NO_RETRY) as client:
        yield from client.chat.completions.create(model="m", messages=MESSAGES, stream=True)


async def openai_achat(url: str) -> AsyncIterator[Any]:
    import openai

    async with openai.AsyncOpenAI(base_url=url, **NO_RETRY) as client:
        async for chunk in await client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            yield chunk


def openai_responses(url: str) -> Iterator[Any]:
    import openai

    with openai.OpenAI(base_url=url, **NO_RETRY) as client:
        yield from client.responses.create(model="m", input="?", stream=True)


async def openai_aresponses(url: str) -> AsyncIterator[Any]:
    import openai

    async with openai.AsyncOpenAI(base_url=url, **NO_RETRY) as client:
        async for chunk in await client.responses.create(model="m", input="?", stream=True):
            yield chunk


def openai_responses_helper(url: str) -> Iterator[Any]:
    import openai

    with openai.OpenAI(base_url=url, **NO_RETRY) as client, client.responses.stream(model="m", input="?") as stream:
        yield from stream


def google(url: str, vertexai: bool = False) -> Iterator[Any]:
    from google import genai

    client = genai.Client(api_key="-", vertexai=vertexai, http_options={"base_url": url})
    yield from client.models.generate_content_stream(model="m", contents="?")


async def agoogle(url: str, vertexai: bool = False) -> AsyncIterator[Any]:
    from google import genai

    client = genai.Client(api_key="-", vertexai=vertexai, http_options={"base_url": url})
    async for chunk in await client.aio.models.generate_content_stream(model="m", contents="?"):
        yield chunk


def bedrock(url: str) -> Iterator[Any]:
    import boto3

    keys = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url, **keys)
    yield from client.converse_stream(modelId="m", messages=[{"role": "user", "content": [{"text": "?"}]}])["stream"]


class Sdk(NamedTuple):
    api: str
    package: str
    chunks: Callable[[str], Iterator[Any]]
    achunks: Callable[[str], AsyncIterator[Any]] | None = None
    drops: frozenset[str] = frozenset()
    """Fields of the raw payloads that the SDK keeps to itself."""


ANTHROPIC_SDK = partial(Sdk, "anthropic-messages", "anthropic")
GOOGLE_SDK = partial(Sdk, "google-generative-ai", "google.genai")
SDKS = {
    "anthropic": ANTHROPIC_SDK(anthropic_stream, anthropic_astream),
    "anthropic-beta": ANTHROPIC_SDK(partial(anthropic_stream, beta=True), partial(anthropic_astream, beta=True)),
    "anthropic-helper": ANTHROPIC_SDK(anthropic_helper, anthropic_ahelper),
    "anthropic-beta-helper": ANTHROPIC_SDK(partial(anthropic_helper, beta=True), partial(anthropic_ahelper, beta=True)),
    "openai-chat": Sdk("openai-completions", "openai", openai_chat, openai_achat),
    "openai-responses": Sdk("openai-responses", "openai", openai_responses, openai_aresponses),
    "openai-responses-helper": Sdk("openai-responses", "openai", openai_responses_helper),
    "google-vertex": GOOGLE_SDK(partial(google, vertexai=True), partial(agoogle, vertexai=True)),
    "google-gemini": GOOGLE_SDK(google, agoogle, frozenset({"createTime", "finishMessage"})),  # Vertex's only
    "bedrock": Sdk("bedrock-converse-stream", "boto3", bedrock),
}


# The server


def server_sent_event(text: str) -> bytes:
    kind = {} if text == "[DONE]" else json.loads(text).get("type")
    return (f"event: {kind}\n" if kind else "").encode() + f"data: {text}\n\n".encode()


@contextmanager
def served(texts: Sequence[str], api: str) -> Iterator[str]:
    """The address of a server that answers any request with these payloads, framed as `api` does it."""
    if api == "bedrock-converse-stream":
        content_type = "application/vnd.amazon.eventstream"
        body = b"".join(event_stream_frame(*member) for text in texts for member in json.loads(text).items())
    else:
        content_type = "text/event-stream"
        body = b"".join(map(server_sent_event, texts))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


# Payloads of our own, for what is in no recording


def texts(*chunks: object) -> list[str]:
    return [json.dumps(chunk) for chunk in chunks]


def anthropic_block(index: int, block: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def chat(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 17, "model": "g", "choices": [choice], **more}


def response(kind: str, **said: Any) -> dict[str, Any]:
    return {"type": kind, "sequence_number": 0, **said}


def gemini(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, **candidate}], "modelVersion": "g", "responseId": "r"}


def bedrock_delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


START: dict[str, Any] = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [], "stop_reason": None,
    "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 9},
}  # fmt: skip
CITATION = {
    "type": "char_location", "cited_text": "c", "document_index": 0, "document_title": None,
    "start_char_index": 0, "end_char_index": 1, "file_id": None,
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": 17.0, "model": "g", "output": [], "parallel_tool_calls": True,
    "tool_choice": "auto", "tools": [], "status": "in_progress", "error": None, "incomplete_details": None,
    "instructions": None, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
}  # fmt: skip
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
REASONING = {"type": "reasoning", "id": "rs_1"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look"}
TEXT_PART = {"type": "output_text", "text": "Hi", "annotations": [{"type": "file_path", "file_id": "f", "index": 0}]}
SIGNATURE = b64encode(b"\xfb\xff\xfe").decode()  # whose standard and URL-safe forms differ
OUT = {"item_id": "i", "output_index": 0, "content_index": 0}

OWN = {
    "anthropic-messages.own": texts(
        {"type": "message_start", "message": START},
        {"type": "ping"},
        *anthropic_block(0, {"type": "thinking", "thinking": "", "signature": ""},
                         {"type": "thinking_delta", "thinking": "Hm"}, {"type": "signature_delta", "signature": "s"}),
        *anthropic_block(1, {"type": "redacted_thinking", "data": "r"}),
        *anthropic_block(2, {"type": "text", "text": "", "citations": []}, {"type": "text_delta", "text": "Hi"},
                         {"type": "citations_delta", "citation": CITATION}),
        *anthropic_block(3, {"type": "tool_use", "id": "t1", "name": "look", "input": {}},
                         *({"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"at', '": [1, 2]}'))),
        *anthropic_block(4, {"type": "tool_use", "id": "t2", "name": "go", "input": {}}),
        *anthropic_block(5, {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
                         {"type": "input_json_delta", "partial_json": '{"query": "q"}'}),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ),
    "anthropic-messages.own-error": texts(
        {"type": "message_start", "message": START},
        *anthropic_block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})[:2],
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ),
    "openai-completions.own": texts(
        chat({"role": "assistant", "content": None, "reasoning_content": "Hm"}),
        chat({"content": "Hi"}), chat({"refusal": "No"}),
        chat({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chat({"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "look", "arguments": ": 1}"}}]}),
        chat({"tool_calls": [{"index": 1, "id": "t2", "type": "function", "function": {"name": "go", "arguments": {"b": 2}}}]}),
        chat({}, "tool_calls", x_groq={"usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}),
    ) + ["[DONE]"],
    "openai-completions.own-error": texts(
        chat({"content": "Hi"}), {"error": {"message": "Too many", "type": "rate_limit_error", "code": 429}}
    ),
    "openai-responses.own": texts(
        response("response.created", response=ANSWER),
        response("response.output_item.added", output_index=0, item={**REASONING, "summary": []}),
        response("response.reasoning_text.delta", **OUT, delta="Hm"),
        response("response.output_item.done", output_index=0, item={
            **REASONING, "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}], "encrypted_content": "e"}),
        response("response.output_item.added", output_index=1, item={**MESSAGE, "content": []}),
        response("response.content_part.added", **{**OUT, "output_index": 1}, part={**TEXT_PART, "text": ""}),
        response("response.output_text.delta", **{**OUT, "output_index": 1}, delta="Hi", logprobs=[]),
        response("response.output_item.done", output_index=1, item={**MESSAGE, "content": [TEXT_PART]}),
        response("response.output_item.added", output_index=2, item={**CALL, "arguments": ""}),
        response("response.function_call_arguments.delta", output_index=2, item_id="fc_1", delta='{"a": 1}'),
        response("response.output_item.done", output_index=2, item={**CALL, "arguments": '{"a": 1}'}),
        response("response.output_item.added", output_index=3, item={"type": "dream", "id": "d_1"}),
        response("response.output_item.done", output_index=3, item={"type": "dream", "id": "d_1", "of": ["sheep"]}),
        response("response.completed", response={**ANSWER, "status": "completed", "usage": {
            "input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 14}}),
    ),
    "openai-responses.own-error": texts(
        response("response.created", response=ANSWER), response("error", code="server_error", message="Oh", param=None)
    ),
    "google-generative-ai.own": texts(
        gemini({"text": "Hm", "thought": True}, {"text": "Hi", "thoughtSignature": SIGNATURE}),
        gemini({"inlineData": {"mimeType": "image/png", "data": SIGNATURE}}),
        gemini({"functionCall": {"id": "t1", "name": "look", "args": {"at": [1, {"b": None}]}}, "thoughtSignature": SIGNATURE}),
        gemini({"functionCall": {"name": "go", "args": {}}}, finishReason="STOP"),
    ),
    "google-generative-ai.own-sound": texts(
        gemini({"inlineData": {"mimeType": "audio/wav", "data": SIGNATURE}, "thoughtSignature": SIGNATURE}, finishReason="STOP")
    ),
    "google-generative-ai.own-blocked": texts(
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "g", "usageMetadata": {"promptTokenCount": 5}}
    ),
    "google-generative-ai.own-fault": texts(gemini({"text": "Hi"}), gemini(finishReason="A_NEW_FAULT", finishMessage="Oh")),
    "google-generative-ai.own-error": texts(
        gemini({"text": "Hi"}), {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
    ),
    "bedrock-converse-stream.own": texts(
        {"messageStart": {"role": "assistant"}},
        bedrock_delta(0, {"reasoningContent": {"text": "Hm"}}), bedrock_delta(0, {"reasoningContent": {"signature": "s"}}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        bedrock_delta(1, {"reasoningContent": {"redactedContent": SIGNATURE}}),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        bedrock_delta(2, {"text": "Hi"}), bedrock_delta(2, {"citation": {"title": "c"}}),
        {"contentBlockStop": {"contentBlockIndex": 2}},
        {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t1", "name": "look"}}}},
        bedrock_delta(3, {"toolUse": {"input": '{"a"'}}), bedrock_delta(3, {"toolUse": {"input": ": 1}"}}),
        {"contentBlockStop": {"contentBlockIndex": 3}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {"latencyMs": 1}}},
    ),
    "bedrock-converse-stream.own-guardrail": texts(
        {"messageStart": {"role": "assistant"}}, bedrock_delta(0, {"text": "No"}),
        {"messageStop": {"stopReason": "guardrail_intervened"}}, {"metadata": {"usage": {"inputTokens": 5}, "metrics": {}}},
    ),
    "bedrock-converse-stream.own-error": texts(
        {"messageStart": {"role": "assistant"}}, bedrock_delta(0, {"text": "Hi"}), {"throttlingException": {"message": "Too many"}}
    ),
}  # fmt: skip
CASES = {**OWN, **{name: payloads(name) for name in NAMES}}
PAIRS = [(sdk, name) for name in CASES for sdk in SDKS if SDKS[sdk].api == api(name)]


# The tests


def error_words(payload: Any) -> str | None:
    """What an error payload says, of the kind that the SDKs raise instead of handing it on."""
    for kind, said in payload.items():
        if (kind == "error" or kind.endswith("Exception")) and said:
            return str(said["message"])
    return None


def raw_events(sdk: Sdk, texts: Sequence[str]) -> list[AnyProviderEvent]:
    """The events of the raw payloads: of all that get through the SDK, and of the error that it raises."""

    def chunks() -> Iterator[Any]:
        for text in texts:
            if text != "[DONE]":
                payload = json.loads(text, object_hook=lambda said: {k: said[k] for k in said if k not in sdk.drops})
                if words := error_words(payload):
                    raise RuntimeError(words)
                yield payload

    return list(decode(chunks(), api=sdk.api))


def assert_same(seen: list[AnyProviderEvent], raw: list[AnyProviderEvent]) -> None:
    last = raw[-1]
    words = last.error.error_message if isinstance(last, Error) else None
    if words and words.startswith("RuntimeError: "):  # each SDK puts the provider's words in its own
        assert isinstance(seen[-1], Error)
        assert words.removeprefix("RuntimeError: ") in str(seen[-1].error.error_message)
        seen = [*seen[:-1], replace(seen[-1], error=replace(seen[-1].error, error_message=words))]
    for place, (one, other) in enumerate(zip(seen, raw, strict=False)):
        assert one == other, f"event {place}"
    assert len(seen) == len(raw)


@pytest.mark.parametrize("sdk, name", PAIRS)
def test_an_sdks_objects_decode_like_the_raw_payloads(sdk: str, name: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    with served(CASES[name], SDKS[sdk].api) as url:
        seen = list(decode(SDKS[sdk].chunks(url)))
    assert_same(seen, raw_events(SDKS[sdk], CASES[name]))


@pytest.mark.parametrize("sdk, name", [pair for pair in PAIRS if SDKS[pair[0]].achunks])
def test_an_asynchronous_sdks_objects_decode_like_the_raw_payloads(sdk: str, name: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    achunks = SDKS[sdk].achunks
    assert achunks is not None

    async def events(url: str) -> list[AnyProviderEvent]:
        return [event async for event in adecode(achunks(url), api=SDKS[sdk].api)]

    with served(CASES[name], SDKS[sdk].api) as url:
        seen = asyncio.run(events(url))
    assert_same(seen, raw_events(SDKS[sdk], CASES[name]))


@pytest.mark.parametrize("sdk", SDKS)
def test_it_is_the_sdks_own_objects_that_are_fed(sdk: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    name = f"{SDKS[sdk].api}.own"
    with served(CASES[name], SDKS[sdk].api) as url:
        chunks = list(SDKS[sdk].chunks(url))
    if sdk == "bedrock":
        assert any(type(chunk) is dict and b"\xfb\xff\xfe" in str_leaves(chunk) for chunk in chunks)
    else:
        assert all(type(chunk).__module__.startswith(SDKS[sdk].package) for chunk in chunks)
    assert isinstance(list(decode(chunks))[-1], Done)


def str_leaves(value: Any) -> list[Any]:
    return [leaf for member in value.values() for leaf in str_leaves(member)] if isinstance(value, dict) else [value]


@pytest.mark.parametrize("sdk", ["anthropic-helper", "anthropic-beta-helper"])
def test_the_helper_streams_repeat_what_the_raw_events_said(sdk: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    with served(CASES["anthropic-messages.own"], "anthropic-messages") as url:
        kinds = {chunk.type for chunk in SDKS[sdk].chunks(url)}
    assert kinds >= {"text", "thinking", "signature", "citation", "input_json", "content_block_delta"}
