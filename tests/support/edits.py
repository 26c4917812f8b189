"""A stream with a block of each kind, and how to break it."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

from provider_events import (
    Done,
    Error,
    ImageContent,
    MessageEvent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)

from .streams import new_builder

IMAGE = ImageContent("aGk=", "image/png")
SEARCH = UnknownContent({"type": "search"})
FOUND = UnknownContent({"type": "search", "found": [1]})
THOUGHT, HELLO, CALL = ThinkingContent("Hm."), TextContent("Hello"), ToolCall("call_1", "f", {"a": 1})


def sample_stream() -> list[MessageEvent]:
    """Return a stream with a block of each kind, whose snapshots have not been read."""
    builder = new_builder()
    events: list[MessageEvent] = [
        builder.start(),
        builder.thinking_start(),
        builder.thinking_delta("Hm."),
        builder.thinking_end(),
    ]
    builder.add_block(IMAGE)
    builder.add_block(SEARCH)
    events += [builder.text_start(), builder.tool_call_start("call_1", "f"), builder.text_delta("Hel")]
    events += [builder.tool_call_delta('{"a":')]
    builder.update_block(2, data=FOUND.data)
    events += [builder.text_delta("lo"), builder.text_end(), builder.tool_call_delta(" 1}"), builder.tool_call_end()]
    return [*events, builder.done(StopReason.TOOL_USE)]


FINAL = sample_stream()[-1].partial


def copied(events: Iterable[MessageEvent]) -> list[MessageEvent]:
    """Return the same events as somebody makes them who has no builder."""
    made: list[MessageEvent] = pickle.loads(pickle.dumps(list(events)))
    return made


def read(events: list[MessageEvent]) -> list[MessageEvent]:
    """Read every snapshot."""
    for event in events:
        repr(event.partial)
    return events


def edit(index: int, **fields: Any) -> Callable[[list[Any]], None]:
    """Change fields of one event; `partial__…` is a field of its message, `block__…` of its block."""

    def change(events: list[Any]) -> None:
        event = events[index]
        holder = {Done: "message", Error: "error"}.get(type(event), "partial")
        message = getattr(event, holder)
        of_block = {name.removeprefix("block__"): value for name, value in fields.items() if name.startswith("block__")}
        of_message = {
            name.removeprefix("partial__"): value for name, value in fields.items() if name.startswith("partial__")
        }
        of_event = {name: value for name, value in fields.items() if "__" not in name}
        if of_block:
            at, content = event.content_index, list(message.content)
            content[at] = replace(content[at], **of_block)
            of_message["content"] = tuple(content)
        if of_message:
            of_event[holder] = replace(message, **of_message)
        events[index] = replace(event, **of_event)

    return change


async def later(events: Iterable[Any]) -> AsyncIterator[Any]:
    for event in events:
        await asyncio.sleep(0)
        yield event


async def gather(events: AsyncIterator[Any], into: list[Any]) -> None:
    async for event in events:
        into.append(event)
