"""The clients of the official SDKs, and a local server that answers them with the bytes a provider would send."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from .event_stream import event_stream_frame

# The clients: from the address of a server to the chunks of a response

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


def openai_chat_helper(url: str) -> Iterator[Any]:
    import openai

    with openai.OpenAI(base_url=url, **NO_RETRY) as client:
        with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
            yield from stream


def mistral(url: str) -> Iterator[Any]:
    from mistralai.client import Mistral

    with Mistral(api_key="-", server_url=url) as client:
        yield from client.chat.stream(model="m", messages=MESSAGES)


async def amistral(url: str) -> AsyncIterator[Any]:
    from mistralai.client import Mistral

    async with Mistral(api_key="-", server_url=url) as client:
        async for chunk in await client.chat.stream_async(model="m", messages=MESSAGES):
            yield chunk


def huggingface(url: str) -> Iterator[Any]:
    from huggingface_hub import InferenceClient

    client = InferenceClient(base_url=url, token="-")  # it closes the stream when it is collected
    yield from client.chat_completion(messages=MESSAGES, stream=True)


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
    """Fields of the raw payloads that the SDK drops."""
    dialect: str | None = None
    """The ending of the names of the cases that this SDK can read; by default it reads those of its format."""

    def reads(self, api: str, case: str) -> bool:
        """Return whether a case is one for this SDK."""
        dialects = ("own-mistral", "own-huggingface")
        return api == self.api and (case.endswith(self.dialect) if self.dialect else not case.endswith(dialects))


ANTHROPIC_SDK = partial(Sdk, "anthropic-messages", "anthropic")
GOOGLE_SDK = partial(Sdk, "google-generative-ai", "google.genai")
SDKS = {
    "anthropic": ANTHROPIC_SDK(anthropic_stream, anthropic_astream),
    "anthropic-beta": ANTHROPIC_SDK(partial(anthropic_stream, beta=True), partial(anthropic_astream, beta=True)),
    "anthropic-helper": ANTHROPIC_SDK(anthropic_helper, anthropic_ahelper),
    "anthropic-beta-helper": ANTHROPIC_SDK(partial(anthropic_helper, beta=True), partial(anthropic_ahelper, beta=True)),
    "openai-chat": Sdk("openai-completions", "openai", openai_chat, openai_achat),
    "openai-chat-helper": Sdk("openai-completions", "openai", openai_chat_helper),
    "mistral": Sdk("openai-completions", "mistralai", mistral, amistral, dialect="own-mistral"),
    "huggingface": Sdk("openai-completions", "huggingface_hub", huggingface, dialect="own-huggingface"),
    "openai-responses": Sdk("openai-responses", "openai", openai_responses, openai_aresponses),
    "openai-responses-helper": Sdk("openai-responses", "openai", openai_responses_helper),
    "google-vertex": GOOGLE_SDK(partial(google, vertexai=True), partial(agoogle, vertexai=True)),
    "google-gemini": GOOGLE_SDK(google, agoogle, frozenset({"createTime", "finishMessage"})),  # Vertex's only
    "bedrock": Sdk("bedrock-converse-stream", "boto3", bedrock, drops=frozenset({"serverToolUsage"})),
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
