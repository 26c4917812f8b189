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
from .._error_words import MISTAKES
from ..events import Error, MessageEvent
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

# In the order in which detection asks them whether a payload is theirs.
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

_MAX_UNDETECTED = 1000  # chunks that are kept until one shows what the format is
_MAX_SHOWN = 2000  # characters of a stream in an unknown format

_SINGLE_CHUNK: tuple[type[Any], ...] = (str, bytes, bytearray, Mapping)  # one chunk, not several

# Exceptions of the source that are most likely bugs in the caller's code.
_BUGS = (*MISTAKES, LookupError)


class _Undetected(Decoder):
    """Stands in for the decoder until a chunk shows what the format is. Without one, the stream is an `Error`."""

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
            pass  # perhaps noise before the stream; `close` shows it if nothing else comes
        if self.detected is None and len(self.chunks) >= _MAX_UNDETECTED:
            return self.close()
        return self._take_events()

    def close(self) -> list[MessageEvent]:
        if not self.chunks:
            return super().close()
        return self.fail(f"no chunk was in a known format ({', '.join(APIS)}); {_beginning(self.chunks)}")


class _Driver:
    """The decoder of a stream: of the format that the caller named, or of the one that is detected."""

    def __init__(self, api: str | None, provider: str | None, model: str | None) -> None:
        if api is not None and api not in _DECODERS:
            raise ValueError(f"api: expected one of {', '.join(APIS)}, found {api!r}")
        self._options: dict[str, Any] = {"provider": provider, "model": model}
        self.decoder: Decoder = _DECODERS[api](**self._options) if api else _Undetected(**self._options)
        self._first_chunks: list[Chunk] = []  # of a named format, until one brings an event
        self.feed = self._feed_first if api else self._detect

    def _detect(self, chunk: Chunk) -> list[MessageEvent]:
        undetected = self.decoder
        assert isinstance(undetected, _Undetected)
        events = undetected.feed(chunk)
        if undetected.detected is None:
            return events
        self.decoder = undetected.detected(**self._options)
        self.feed = self.decoder.feed  # from now on without a detour
        return [event for each in undetected.chunks for event in self.feed(each)]

    def _feed_first(self, chunk: Chunk) -> list[MessageEvent]:
        events = self.decoder.feed(chunk)
        self._first_chunks.append(chunk)
        if events or len(self._first_chunks) >= _MAX_UNDETECTED:
            self._first_chunks = []
            self.feed = self.decoder.feed
        return events

    def close(self) -> list[MessageEvent]:
        events = self.decoder.close()
        if self._first_chunks:  # no chunk has brought an event
            match events:
                case [Error(reason, error)] if error.error_message == CUT_OFF:
                    return [Error(reason, replace(error, error_message=self._wrong_format()))]
                case _:
                    pass
        return events

    def _wrong_format(self) -> str:
        """Return the error message for a stream in which the format that the caller named was not found."""
        undetected = _Undetected(**self._options)
        for chunk in self._first_chunks:
            undetected.feed(chunk)
        detected = undetected.detected
        advice = f", but they are in {detected.api}" if detected else ""
        return f"no chunk was in the format {self.decoder.api}{advice}; {_beginning(self._first_chunks)}"

    def fail(self, error: Exception) -> list[MessageEvent]:
        _log("the source of the chunks raised an exception", error)
        return self.decoder.fail(error)


def _beginning(chunks: list[Chunk]) -> str:
    text = "\n".join(chunk if isinstance(chunk, str) else repr(chunk) for chunk in chunks[:20])
    return f"the stream began: {text[:_MAX_SHOWN]}"


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
    if isinstance(chunks, _SINGLE_CHUNK) or hasattr(chunks, "model_dump"):
        raise _sources.misuse("decode: expected an iterable of chunks", chunks, "pass [chunk]")
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
    """Return what to do about a caller's mistake that is likely."""
    is_response = any(hasattr(found, name) for name in ("iter_bytes", "iter_lines", "content"))
    return "pass the body of an HTTP response through iter_sse first" if is_response else ""


@contextmanager
def _logged_closing() -> Generator[None, None, None]:
    """Log an exception instead of raising it: that a source cannot be closed changes nothing in the message."""
    try:
        yield
    except Exception as error:
        _log("the source of the chunks could not be closed", error)


def _log(problem: str, error: Exception) -> None:
    _LOGGER.log(logging.WARNING if isinstance(error, _BUGS) else logging.DEBUG, problem, exc_info=error)
