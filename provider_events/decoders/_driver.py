# SPDX-License-Identifier: MIT
"""`decode` and `adecode`: drive a decoder with the chunks of a stream, and detect the format if it is not named."""

# Wrong types are refused at run time too, for callers who run no type checker:
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .. import _sources
from ..events import Error, MessageEvent
from ..messages import Usage
from ._decoder import CUT_OFF, Decoder
from ._payload import Chunk, MalformedChunk, Payload, payloads
from .anthropic import AnthropicDecoder
from .bedrock import BedrockDecoder
from .cohere import CohereDecoder
from .google import GoogleDecoder
from .google_interactions import InteractionsDecoder
from .ollama import OllamaDecoder
from .openai_completions import OpenAICompletionsDecoder
from .openai_responses import OpenAIResponsesDecoder

_LOGGER = logging.getLogger("provider_events")

# In the order in which they are asked whether a payload is theirs.
_DECODERS: dict[str, type[Decoder]] = {
    decoder.api: decoder
    for decoder in (
        AnthropicDecoder,
        OpenAIResponsesDecoder,
        OpenAICompletionsDecoder,
        InteractionsDecoder,
        GoogleDecoder,
        BedrockDecoder,
        CohereDecoder,
        OllamaDecoder,
    )
}

APIS = tuple(_DECODERS)
"""The names of the formats, as `decode` takes them."""

_PATIENCE = 1000  # chunks that may come before one by which the format is detected
_SHOWN = 2000  # characters of a stream whose format was not detected

_SINGLE: tuple[type[Any], ...] = (str, bytes, bytearray, Mapping)  # one chunk, not several

# Exceptions of the chunks' source that are most likely bugs in the caller's code.
_BUGS = (
    TypeError,
    AttributeError,
    NameError,
    AssertionError,
    NotImplementedError,
    ImportError,
    SyntaxError,
    LookupError,
)


class _Undetected(Decoder):
    """Waits for a chunk by which the format is detected, and fails for the streams that have none."""

    api = default_provider = ""

    def __init__(self, *, provider: str | None, model: str | None) -> None:
        super().__init__(provider=provider, model=model)
        self.chunks: list[Chunk] = []
        self.detected: type[Decoder] | None = None

    def _read(self, payload: Payload) -> None:
        self.detected = next((each for each in _DECODERS.values() if each.recognizes(payload)), None)
        if self.detected is None:
            self._fail_if_error(payload)

    def feed(self, chunk: Chunk) -> list[MessageEvent]:
        self.chunks.append(chunk)
        try:
            for payload in payloads(chunk):
                if payload is not None and self.detected is None and not self.ended:
                    self._read(payload)
        except MalformedChunk:
            pass  # it may be noise before the stream, or all that there is
        return self.close() if len(self.chunks) >= _PATIENCE and self.detected is None else self._take_events()

    def close(self) -> list[MessageEvent]:
        if not self.chunks:
            return super().close()
        return self.fail(f"no chunk was in a known format ({', '.join(APIS)}); {_beginning(self.chunks)}")

    def _usage(self) -> Usage:
        return Usage()


class _Driver:
    """Feeds the decoder, once the format is known."""

    def __init__(self, api: str | None, provider: str | None, model: str | None) -> None:
        if api is not None and api not in _DECODERS:
            raise ValueError(f"api: expected one of {', '.join(APIS)}, found {api!r}")
        self._names: dict[str, Any] = {"provider": provider, "model": model}
        self.decoder: Decoder = _DECODERS[api](**self._names) if api else _Undetected(**self._names)
        self._early: list[Chunk] = []  # chunks of a named format that have brought no event
        self.feed = self._begin if api else self._detect

    def _detect(self, chunk: Chunk) -> list[MessageEvent]:
        waiting = self.decoder
        assert isinstance(waiting, _Undetected)
        events = waiting.feed(chunk)
        if waiting.detected is None:
            return events
        self.decoder = waiting.detected(**self._names)
        self.feed = self.decoder.feed
        return [event for each in waiting.chunks for event in self.feed(each)]

    def _begin(self, chunk: Chunk) -> list[MessageEvent]:
        events = self.decoder.feed(chunk)
        self._early.append(chunk)
        if events or len(self._early) >= _PATIENCE:
            self._early = []
            self.feed = self.decoder.feed
        return events

    def close(self) -> list[MessageEvent]:
        events: list[MessageEvent] = self.decoder.close()
        if self._early and isinstance(event := events[0], Error) and event.error.error_message == CUT_OFF:
            words = f"no chunk was in the format {self.decoder.api}"
            other = _Undetected(**self._names)
            for chunk in self._early:
                other.feed(chunk)
            if other.detected is not None:
                words += f", but they are in {other.detected.api}"
            message = replace(event.error, error_message=f"{words}; {_beginning(self._early)}")
            return [Error(event.reason, message)]
        return events

    def fail(self, error: Exception) -> list[MessageEvent]:
        _log("the source of the chunks raised an exception", error)
        return self.decoder.fail(error)


def _beginning(chunks: list[Chunk]) -> str:
    text = "\n".join(chunk if isinstance(chunk, str) else repr(chunk) for chunk in chunks[:20])
    return f"the stream began: {text[:_SHOWN]}"


def decode(
    chunks: Iterable[Chunk], *, api: str | None = None, provider: str | None = None, model: str | None = None
) -> Generator[MessageEvent, None, None]:
    """Yield the events of one message, from the chunks of its stream.

    A chunk is a mapping, the payload text of a server-sent event, or an official SDK's object; `[response]` decodes
    a response that was not streamed. `api` is one of `APIS`; by default the format is detected. `provider` and
    `model` are used until the stream itself names them.

    It stops at the end of the message. Then, or when it is closed itself, it closes the iterator that it reads
    from, unless that is a file. An exception of the source becomes an `Error`. Raises `ValueError` for an unknown
    `api` and `TypeError` for what is no iterable of chunks, at once.
    """
    if isinstance(chunks, _SINGLE) or hasattr(chunks, "model_dump"):
        raise TypeError(f"decode: expected an iterable of chunks, found a single {type(chunks).__name__}; pass [chunk]")
    return _decode(_sources.iterate("decode", "chunks", chunks, _hint(chunks)), _Driver(api, provider, model))


def _decode(chunks: Iterator[Chunk], driver: _Driver) -> Generator[MessageEvent, None, None]:
    try:
        while not driver.decoder.ended:
            try:
                chunk = next(chunks)
            except StopIteration:
                events = driver.close()
            except Exception as error:
                events = driver.fail(error)
            else:
                events = driver.feed(chunk)
            yield from events
    finally:
        with _logged_closing():
            _sources.close(chunks)


def adecode(
    chunks: AsyncIterable[Chunk], *, api: str | None = None, provider: str | None = None, model: str | None = None
) -> AsyncGenerator[MessageEvent, None]:
    """Yield the events of one message, from the chunks of an asynchronous client. See `decode`."""
    return _adecode(_sources.aiterate("adecode", "chunks", chunks, _hint(chunks)), _Driver(api, provider, model))


async def _adecode(chunks: AsyncIterator[Chunk], driver: _Driver) -> AsyncGenerator[MessageEvent, None]:
    try:
        while not driver.decoder.ended:
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                events = driver.close()
            except Exception as error:
                events = driver.fail(error)
            else:
                events = driver.feed(chunk)
            for event in events:
                yield event
    finally:
        with _logged_closing():
            await _sources.aclose(chunks)


def _hint(found: object) -> str:
    is_response = any(hasattr(found, name) for name in ("iter_bytes", "iter_lines", "content"))
    return "pass the body of an HTTP response through iter_sse first" if is_response else ""


@contextmanager
def _logged_closing() -> Iterator[None]:
    """Log an exception instead of raising it: the message is what it is, however its source ends."""
    try:
        yield
    except Exception as error:
        _log("the source of the chunks could not be closed", error)


def _log(problem: str, error: Exception) -> None:
    _LOGGER.log(logging.WARNING if isinstance(error, _BUGS) else logging.DEBUG, problem, exc_info=error)
