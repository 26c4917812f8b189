# SPDX-License-Identifier: MIT
"""Decoders: the providers' own stream formats to provider events.

`decode` and `adecode` take the chunks of a stream as they come and yield its events; `iter_sse` and
`aiter_sse` get the chunks out of an HTTP body. For other ways of driving them, each format has one
class with `feed`, `close` and `fail`.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)

from ..events import AnyProviderEvent
from .anthropic import AnthropicDecoder
from .bedrock import BedrockDecoder
from .decoder import Chunk, Decoder, SupportsModelDump, as_payload
from .google import GoogleDecoder
from .openai_completions import OpenAICompletionsDecoder
from .openai_responses import OpenAIResponsesDecoder
from .sse import aiter_sse, iter_sse

__all__ = [
    "APIS",
    "AnthropicDecoder",
    "BedrockDecoder",
    "Chunk",
    "Decoder",
    "GoogleDecoder",
    "OpenAICompletionsDecoder",
    "OpenAIResponsesDecoder",
    "SupportsModelDump",
    "adecode",
    "aiter_sse",
    "decode",
    "iter_sse",
]

# In the order in which they are asked whether a payload is theirs.
_DECODERS: dict[str, type[Decoder]] = {
    decoder.api: decoder
    for decoder in (
        AnthropicDecoder,
        OpenAICompletionsDecoder,
        OpenAIResponsesDecoder,
        GoogleDecoder,
        BedrockDecoder,
    )
}

APIS = tuple(_DECODERS)
"""The names of the formats, as `decode` takes them."""


class _Undetected(Decoder):
    """Stands in until a chunk tells the format; all that can happen to it is to fail."""

    api = default_provider = ""


class _Detector:
    """Keeps chunks until one tells their format; from then on `feed` is the decoder's own."""

    def __init__(self, api: str | None, provider: str | None, model: str | None) -> None:
        if api is not None and api not in _DECODERS:
            raise ValueError(f"unknown api {api!r}: expected one of {', '.join(APIS)}")
        self._names = {"provider": provider, "model": model}
        self._waiting: list[Chunk] = []
        self._unread = ""  # why a chunk could not be read
        self.feed = self._detect
        self.decoder: Decoder = _Undetected(**self._names)
        if api is not None:
            self._settle(_DECODERS[api])

    def _settle(self, decoder: type[Decoder]) -> None:
        self.decoder = decoder(**self._names)
        self.feed = self.decoder.feed

    def _detect(self, chunk: Chunk) -> list[AnyProviderEvent]:
        self._waiting.append(chunk)
        try:
            payload = as_payload(chunk, frozenset()) or {}
            decoder = next((each for each in _DECODERS.values() if each.recognizes(payload)), None)
        except Exception as error:  # it cannot be read, and so tells nothing
            self._unread = self._unread or f"; the first chunk: {error}"
            return []
        if decoder is None:
            return []
        self._settle(decoder)
        return [event for chunk in self._waiting for event in self.feed(chunk)]

    def close(self) -> list[AnyProviderEvent]:
        if isinstance(self.decoder, _Undetected):
            names = ", ".join(APIS)
            raise ValueError(f"no chunk identified the format: pass api, one of {names}{self._unread}") from None
        return self.decoder.close()


def decode(
    chunks: Iterable[Chunk], *, api: str | None = None, provider: str | None = None, model: str | None = None
) -> Generator[AnyProviderEvent, None, None]:
    """The events of one message, from the chunks of its stream.

    A chunk is a mapping, the payload text of a server-sent event, or an official SDK's object. `api`
    names the format; left out, the first telling chunk decides. `provider` and `model` name who
    answers until the stream does. An exception from `chunks` becomes an `Error`.

    Raises `ValueError` for an unknown `api`, and for a stream in none of the known formats;
    `TypeError` for one chunk where chunks are expected. It stops reading at the message's end, and
    leaves it to you to close what `chunks` come from.
    """
    if isinstance(chunks, (str, bytes, bytearray, Mapping)):
        raise TypeError("expected an iterable of chunks, found a single chunk")
    return _decode(iter(chunks), _Detector(api, provider, model))


def _decode(chunks: Iterator[Chunk], detector: _Detector) -> Generator[AnyProviderEvent, None, None]:
    while not detector.decoder.ended:
        try:
            chunk = next(chunks)
        except StopIteration:
            yield from detector.close()
        except Exception as error:
            yield from detector.decoder.fail(error)
        else:
            yield from detector.feed(chunk)


def adecode(
    chunks: AsyncIterable[Chunk], *, api: str | None = None, provider: str | None = None, model: str | None = None
) -> AsyncGenerator[AnyProviderEvent, None]:
    """`decode` for the chunks of an asynchronous client."""
    return _adecode(aiter(chunks), _Detector(api, provider, model))


async def _adecode(chunks: AsyncIterator[Chunk], detector: _Detector) -> AsyncGenerator[AnyProviderEvent, None]:
    while not detector.decoder.ended:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            events = detector.close()
        except Exception as error:
            events = detector.decoder.fail(error)
        else:
            events = detector.feed(chunk)
        for event in events:
            yield event
