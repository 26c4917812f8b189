# SPDX-License-Identifier: MIT
"""`fallback_reason` on what the official clients really raise, and on the words that are kept of it.

A local server answers with a status and the words of the provider; each client makes its own exception of it.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import pytest
from support.event_stream import event_stream_frame

from provider_events import AssistantMessage, Error, FallbackReason, StopReason
from provider_events._error_words import exception_words
from provider_events.failures import fallback_reason

pytestmark = pytest.mark.filterwarnings("default")  # the clients' own warnings

BY_STATUS = {
    **dict.fromkeys([400, 404, 422], FallbackReason.MODEL_ERROR),
    **dict.fromkeys([401, 402, 403], FallbackReason.AUTH_ERROR),
    408: FallbackReason.NETWORK_ERROR,
    413: FallbackReason.CONTEXT_OVERFLOW,
    429: FallbackReason.RATE_LIMIT,
    **dict.fromkeys([500, 502, 503, 504, 529], FallbackReason.SERVER_ERROR),
}

OVERFLOWS = {
    "anthropic": "prompt is too long: 205000 tokens > 200000 maximum",
    "openai": "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    "google": "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "botocore": "Input is too long for requested model.",
    "httpx": "Please reduce the length of the messages or completion.",
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
STATES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
SHAPES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def body(client: str, status: int, message: str) -> dict[str, Any]:
    """The error payload of the client's provider."""
    kind = TYPES.get(status, "error")
    bodies: dict[str, dict[str, Any]] = {
        "anthropic": {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"},
        "google": {"error": {"code": status, "message": message, "status": STATES.get(status, "UNKNOWN")}},
        "botocore": {"message": message},
    }
    openai = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    return bodies.get(client, openai)


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
    headers: dict[str, Any] = {"x_amzn_errortype": SHAPES[status]} if status in SHAPES and client is botocore else {}
    with served(status, content, content_type="application/json", **headers) as url:
        return raised(client, url)


def reason_by_both_roads(failure: Exception) -> FallbackReason | None:
    """The reason of an exception, which is that of the `Error` made of its words too."""
    words = exception_words(failure)
    message = AssistantMessage("a", "p", "m", stop_reason=StopReason.ERROR, error_message=words)
    assert fallback_reason(Error(StopReason.ERROR, message)) is fallback_reason(failure), words
    return fallback_reason(failure)


each_client = pytest.mark.parametrize("client", CLIENTS, ids=[client.__name__ for client in CLIENTS])


@each_client
@pytest.mark.parametrize("status", BY_STATUS)
def test_a_status_tells_the_reason_in_any_client(client: Client, status: int) -> None:
    assert reason_by_both_roads(refused(client, status, "no luck")) is BY_STATUS[status]


@each_client
@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_an_overflow_in_words_wins_over_the_status(client: Client, status: int) -> None:
    failure = refused(client, status, OVERFLOWS[client.__name__])
    assert reason_by_both_roads(failure) is FallbackReason.CONTEXT_OVERFLOW


@each_client
def test_the_words_of_the_provider_are_kept(client: Client) -> None:
    assert "no luck" in exception_words(refused(client, 400, "no luck"))


@each_client
def test_a_refused_connection_and_a_timeout_are_network_errors(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with served(200, b"", delay=1) as slow:
        for failure in (raised(client, url), raised(client, slow, timeout=0.2)):
            assert reason_by_both_roads(failure) is FallbackReason.NETWORK_ERROR


FRAMES: dict[Client, bytes] = {
    anthropic: b"event: error\n"
    b'data: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n',
    openai: b'data: {"error": {"message": "Oh", "type": "server_error", "code": null}}\n\n',
    botocore: event_stream_frame("internalServerException", {"message": "Oh"}),
}


@pytest.mark.parametrize("client", FRAMES, ids=lambda client: client.__name__)
def test_an_error_within_a_stream_is_known_by_its_type(client: Client) -> None:
    kind = "application/vnd.amazon.eventstream" if client is botocore else "text/event-stream"
    with served(200, FRAMES[client], content_type=kind) as url:
        assert reason_by_both_roads(raised(client, url)) is FallbackReason.SERVER_ERROR
