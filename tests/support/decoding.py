"""Decoding a few chunks, under the laws of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provider_events import AssistantMessage, MessageEvent, StopReason
from provider_events.decoders import Decoder, decode

from .laws import assert_valid, assert_whole_characters


def decoded(api: str, chunks: Sequence[Any]) -> list[MessageEvent]:
    """Return the events of a stream, which is valid."""
    events = list(decode(chunks, api=api))
    assert_valid(events)
    assert_whole_characters(events)
    return events


def final(api: str, chunks: Sequence[Any]) -> AssistantMessage:
    """Return the message that a stream ends with."""
    return decoded(api, chunks)[-1].partial


def content(api: str, chunks: Sequence[Any]) -> tuple[Any, ...]:
    """Return the content of a message that is complete."""
    message = final(api, chunks)
    assert message.stop_reason in (StopReason.STOP, StopReason.TOOL_USE), message.error_message
    return message.content


def types_by_chunk(kind: type[Decoder], chunks: Sequence[Any]) -> list[list[str]]:
    """Return the types of the events that each chunk gives, and the end of input after them."""
    decoder = kind()
    by_chunk: list[list[str]] = [[event.type for event in decoder.feed(chunk)] for chunk in chunks]
    return [*by_chunk, [event.type for event in decoder.close()]]
