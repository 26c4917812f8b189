"""`fallback_reason` on what the official clients really raise, on recorded errors, and as the README's table has it.

A local server answers with a status and the words of the provider; each client makes its own exception of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from recordings import NAMES, payloads
from test_sdks import event_stream_frame

from provider_events import AssistantMessage, Error, FallbackReason, StopReason
from provider_events.decoders import decode
from provider_events.fallback import fallback_reason

pytestmark = pytest.mark.filterwarnings("default")  # what the clients warn of is theirs to mend

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+?) \| `(rate_limit|\w+_overflow|\w+_error|unknown)` \|$", README, re.MULTILINE)
BY_STATUS = {int(status): FallbackReason(reason) for told, reason in ROWS for status in re.findall(r"\b[45]\d\d\b", told)}
BY_WORD = {word: FallbackReason(reason) for told, reason in ROWS for word in re.findall(r"`([^`]+)`", told)}

OVERFLOWS = {
    "anthropic": "prompt is too long: 205000 tokens > 200000 maximum",
    "anthropic, with max_tokens": "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "openai": "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    "openai, Responses": "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "google": "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "botocore": "Input is too long for requested model.",
    "httpx": "Please reduce the length of the messages or completion.",
    "vLLM": "The decoder prompt (length 9) is longer than the maximum model length. context length exceeded",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "LM Studio": "The number of tokens to keep from the initial prompt is greater than the context length",
    "Mistral": "Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length",
    "xAI": "This model's maximum prompt length is 131072 but the request contains 537812 tokens",
    "Together": "The input (140000 tokens) is longer than the model's context length (131072 tokens).",
    "Ollama": "prompt too long; exceeded max context length by 5 tokens",
    "Copilot": "prompt token count of 130000 exceeds the limit of 128000",
}

# The clients: from the address of a server to a request

MESSAGES: Any = [{"role": "user", "content": "?"}]
ANTHROPIC: Any = {"model": "m", "max_tokens": 1, "messages": MESSAGES, "stream": True}
OPTIONS: Any = {"api_key": "-", "max_retries": 0}


def anthropic(url: str, timeout: float) -> None:
    client = pytest.importorskip("anthropic").Anthropic(base_url=url, timeout=timeout, **OPTIONS)
    list(client.messages.create(**ANTHROPIC))


def openai(url: str, timeout: float) -> None:
    client = pytest.importorskip("openai").OpenAI(base_url=url, timeout=timeout, **OPTIONS)
    list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))


def google(url: str, timeout: float) -> None:
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="-", http_options={"base_url": url, "timeout": int(timeout * 1000)})
    list(client.models.generate_content_stream(model="m", contents="?"))


def botocore(url: str, timeout: float) -> None:
    config = pytest.importorskip("botocore.config").Config(retries={"total_max_attempts": 1}, read_timeout=timeout)
    keys = {"aws_access_key_id": "-", "aws_secret_access_key": "-", "region_name": "us-east-1"}
    client = pytest.importorskip("boto3").client("bedrock-runtime", endpoint_url=url, config=config, **keys)
    list(client.converse_stream(modelId="m", messages=[{"role": "user", "content": [{"text": "?"}]}])["stream"])


def httpx(url: str, timeout: float) -> None:
    pytest.importorskip("httpx").post(url, json={}, timeout=timeout).raise_for_status()


Client: TypeAlias = Callable[[str, float], None]
CLIENTS: list[Client] = [anthropic, openai, google, botocore, httpx]

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 413: "request_too_large",
         429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}  # fmt: skip
STATES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
SHAPES = {400: "ValidationException", 403: "AccessDeniedException", 408: "ModelTimeoutException", 429: "ThrottlingException",
          500: "InternalServerException", 503: "ServiceUnavailableException"}  # fmt: skip


def body(client: str, status: int, message: str) -> dict[str, Any]:
    """The error payload of the client's provider."""
    kind = TYPES.get(status, "error")
    return {
        "anthropic": {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"},
        "google": {"error": {"code": status, "message": message, "status": STATES.get(status, "UNKNOWN")}},
        "botocore": {"message": message},
    }.get(client, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})


@contextmanager
def served(status: int, content: bytes, delay: float = 0, **headers: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(delay)
            self.send_response(status)
            for name, value in {"content_length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            with suppress(ConnectionError):  # the client has gone
                self.wfile.write(content)

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


def raised(client: Client, url: str, timeout: float = 30) -> Exception:
    with pytest.raises(Exception) as caught:
        client(url, timeout)
    return caught.value


def refused(client: Client, status: int, message: str) -> Exception:
    content = json.dumps(body(client.__name__, status, message)).encode()
    headers = {"x_amzn_errortype": SHAPES[status]} if status in SHAPES and client is botocore else {}
    with served(status, content, content_type="application/json", **headers) as url:
        return raised(client, url)


def error(message: str, reason: StopReason = StopReason.ERROR) -> Error:
    return Error(reason, AssistantMessage("a", "p", "m", stop_reason=reason, error_message=message))


def as_decoded(failure: Exception) -> Error:
    """The `Error` that a decoder makes of an exception from its source."""

    def chunks() -> Iterator[Any]:
        raise failure
        yield

    *_, last = decode(chunks(), api="openai-completions")
    assert isinstance(last, Error)
    return last


each_client = pytest.mark.parametrize("client", CLIENTS, ids=[client.__name__ for client in CLIENTS])


@each_client
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529])
def test_a_status_in_any_client_is_told_as_the_readme_says(client: Client, status: int) -> None:
    failure = refused(client, status, "no luck")
    assert fallback_reason(failure) is BY_STATUS[status]
    assert fallback_reason(as_decoded(failure)) in (BY_STATUS[status], FallbackReason.MODEL_ERROR)


@each_client
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, 529])
def test_a_decoder_that_met_the_exception_says_enough(client: Client, status: int) -> None:
    assert fallback_reason(as_decoded(refused(client, status, "no luck"))) is BY_STATUS[status]


@each_client
def test_a_request_too_long_is_told_by_its_words(client: Client) -> None:
    failure = refused(client, 400, OVERFLOWS[client.__name__])
    assert fallback_reason(failure) is FallbackReason.CONTEXT_OVERFLOW


@each_client
def test_a_refused_connection_and_a_time_out_are_the_networks(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with served(200, b"", delay=1) as slow:
        for failure in (raised(client, url), raised(client, slow, timeout=0.2)):
            assert fallback_reason(failure) is FallbackReason.NETWORK_ERROR
            assert fallback_reason(as_decoded(failure)) is FallbackReason.NETWORK_ERROR


FRAMES = {
    anthropic: b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n',
    openai: b'data: {"error": {"message": "Oh", "type": "server_error", "code": null}}\n\n',
    botocore: event_stream_frame("internalServerException", {"message": "Oh"}),
}


@pytest.mark.parametrize("client", FRAMES, ids=lambda client: client.__name__)
def test_an_error_within_a_stream_that_began_well_is_told_by_its_type(client: Client) -> None:
    kind = "application/vnd.amazon.eventstream" if client is botocore else "text/event-stream"
    with served(200, FRAMES[client], content_type=kind) as url:
        assert fallback_reason(raised(client, url)) is FallbackReason.SERVER_ERROR


# The README's table


def test_the_table_names_every_reason_but_the_routers_own() -> None:
    assert {FallbackReason(reason) for _, reason in ROWS} == set(FallbackReason) - {FallbackReason.CIRCUIT_BREAKER}
    assert len(BY_STATUS) >= 14 and len(BY_WORD) >= 20


def test_the_table_is_true_of_error_events() -> None:
    for status, reason in BY_STATUS.items():
        assert fallback_reason(error(f"{status}: no luck")) is reason
        assert fallback_reason(error(f"some_type {status}: no luck")) is reason
        assert fallback_reason(error(f"SomeError: Error code: {status} - {{'error': 1}}")) is reason
    for word, reason in BY_WORD.items():
        if word not in ("Error", "KeyError"):
            assert fallback_reason(error(f"{word}: no luck")) is reason, word


@pytest.mark.parametrize("words", OVERFLOWS.values(), ids=OVERFLOWS)
def test_every_wording_of_an_overflow(words: str) -> None:
    assert fallback_reason(error(words)) is FallbackReason.CONTEXT_OVERFLOW
    assert fallback_reason(error(f"invalid_request_error: {words}")) is FallbackReason.CONTEXT_OVERFLOW
    assert fallback_reason(error(f"429: {words}")) is FallbackReason.RATE_LIMIT


def test_what_is_no_providers_failure() -> None:
    for mistake in (TypeError("429"), AttributeError("timed out"), NameError(), AssertionError(), NotImplementedError()):
        assert fallback_reason(mistake) is None
    for left in (asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit(), SystemExit(500)):
        assert fallback_reason(left) is None
    assert fallback_reason(error("429: too many", StopReason.ABORTED)) is None


def test_what_nobody_knows() -> None:
    for odd in (KeyError("k"), ValueError("Expecting value"), RuntimeError("boom"), Exception()):
        assert fallback_reason(odd) is FallbackReason.UNKNOWN
    assert fallback_reason(error("the model stopped: refusal")) is FallbackReason.MODEL_ERROR
    assert fallback_reason(error("")) is FallbackReason.MODEL_ERROR


def test_a_group_is_what_its_first_is_unless_one_is_no_providers() -> None:
    refusal = ConnectionRefusedError()
    assert fallback_reason(ExceptionGroup("g", [refusal, ValueError()])) is FallbackReason.NETWORK_ERROR
    assert fallback_reason(ExceptionGroup("g", [refusal, TypeError()])) is None
    assert fallback_reason(BaseExceptionGroup("g", [refusal, KeyboardInterrupt()])) is None


RECORDED = {
    "anthropic-messages.anthropic-refusal": FallbackReason.MODEL_ERROR,
    "openai-completions.groq.tool_use_failed_error_streaming.0": FallbackReason.MODEL_ERROR,
    "openai-completions.openrouter.openrouter_stream_error.0": FallbackReason.MODEL_ERROR,
    "openai-responses.openai-error.1": FallbackReason.RATE_LIMIT,
}


@pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS is not set")
def test_every_recorded_error() -> None:
    found = {name: last for name in NAMES if isinstance(last := list(decode(payloads(name)))[-1], Error)}
    assert {name: fallback_reason(last) for name, last in found.items()} == RECORDED
