"""What can be wrong with a stream: how to break it, at which event that is found, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from provider_events import (
    FallbackReason,
    FallbackStart,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
)

from .edits import CALL, FINAL, HELLO, IMAGE, SEARCH, THOUGHT, edit

STARTED = (THOUGHT, IMAGE, SEARCH, TextContent("Hel"), ToolCall("call_1", "f", {}))
OTHER_BLOCK = ToolCall("call_2", "f", {"a": 1})


def content(index: int, *blocks: Any) -> Callable[[list[Any]], None]:
    return edit(index, partial__content=blocks)


def final(**blocks: Any) -> Callable[[list[Any]], None]:
    """Change blocks of the final message: `_0` is the first."""
    changed = list(FINAL.content)
    for name, block in blocks.items():
        changed[int(name[1:])] = block
    return edit(12, partial__content=tuple(changed))


Fault = tuple[Callable[[list[Any]], object], int, str]
GRAMMAR: dict[str, Fault] = {
    "an empty stream": (lambda events: [], 0, r"\(the end of the stream\): expected fallback_start or start or error"),
    "no terminal event": (
        lambda events: events[:-1],
        12,
        r"the end of the stream\): expected text_start .* or done or error",
    ),
    "no start": (lambda events: events[1:], 0, r"\(thinking_start\): expected fallback_start or start or"),
    "two starts": (lambda events: [events[0], *events], 1, r"\(start\): expected text_start or thinking_start"),
    "two terminal events": (
        lambda events: [*events, events[-1]],
        13,
        r"\(done\): expected nothing more; the stream has ended",
    ),
    "an event after the last": (lambda events: [*events, events[2]], 13, r"\(thinking_delta\): expected nothing more"),
    "a fallback after the start": (
        lambda events: [*events[:3], FallbackStart("a", "b", FallbackReason.UNKNOWN), *events[3:]],
        3,
        r"\(fallback_start\): expected",
    ),
    "no event": (lambda events: [*events[:3], "text", *events[3:]], 3, r"\(str\): expected .*thinking_delta"),
    "a delta before its block": (
        lambda events: [events[0], *events[6:]],
        1,
        "content_index: expected that of an open TextContent, found 3",
    ),
    "a delta after its block": (
        lambda events: [*events[:4], events[2], *events[4:]],
        4,
        "content_index: expected that of an open",
    ),
    "a delta of another kind": (
        lambda events: [*events[:7], replace(events[6], content_index=4)],
        7,
        "expected that of an open TextContent, found 4; open blocks: ",
    ),
    "an end without its block": (
        lambda events: [events[0], *events[3:]],
        1,
        "expected that of an open ThinkingContent, found 0",
    ),
    "done with an open block": (
        lambda events: [*events[:11], events[12]],
        11,
        r"\(done\): expected .*; open blocks: ToolCall at content index 4",
    ),
    "a content index that is taken": (edit(4, content_index=0), 4, "content_index: expected 3, found 0"),
    "a content index too high": (edit(4, content_index=9), 4, "content_index: expected 3, found 9"),
    "a content index that is text": (edit(4, content_index="3"), 4, "content_index: expected 3, found '3'"),
    "a content index that is a list": (
        edit(2, content_index=[0]),
        2,
        r"expected that of an open ThinkingContent, found \[0\]",
    ),
    "a content index that is true": (
        edit(2, content_index=False),
        2,
        "expected that of an open ThinkingContent, found False",
    ),
}
SNAPSHOTS: dict[str, Fault] = {
    "another kind of block": (
        content(1, HELLO),
        1,
        r"partial.content\[0\]: expected ThinkingContent, found TextContent",
    ),
    "a block behind a new one": (
        content(1, ThinkingContent(""), IMAGE),
        1,
        r"partial.content\[1\]: expected nothing, found ImageContent",
    ),
    "a block before its events": (content(4, THOUGHT, HELLO, TextContent("")), 4, "content_index: expected 1, found 3"),
    "a block that is missing at a start": (
        content(5, *STARTED[:2], ToolCall("call_1", "f", {})),
        5,
        r"partial.content\[3\]: expected TextContent, found nothing",
    ),
    "a block that is missing at a delta": (
        content(6, *STARTED[:4]),
        6,
        r"partial.content\[4\]: expected ToolCall, found nothing",
    ),
    "a block that is missing at an end": (
        content(9, THOUGHT, IMAGE, SEARCH, HELLO),
        9,
        r"partial.content\[4\]: expected ToolCall, found nothing",
    ),
    "a block in excess at a delta": (
        content(6, *STARTED, HELLO),
        6,
        r"partial.content\[5\]: expected its start event first, found TextContent",
    ),
    "a partial of another type": (edit(3, partial=None), 3, "partial: expected AssistantMessage, found NoneType"),
    "a delta's partial of another type": (edit(2, partial={}), 2, "partial: expected AssistantMessage, found dict"),
    "a start without its partial": (edit(0, partial=None), 0, "partial: expected AssistantMessage, found NoneType"),
    "a start with content": (
        content(0, HELLO),
        0,
        r"partial.content\[0\]: expected its start event first, found TextContent",
    ),
    "a message that stopped before its start": (
        edit(0, partial__stop_reason=StopReason.STOP),
        0,
        "partial.stop_reason: expected None, found .*stop",
    ),
    "a message that stopped before its end": (
        edit(1, partial__stop_reason=StopReason.STOP),
        1,
        "partial.stop_reason: expected None, found .*stop",
    ),
    "one message for all events": (
        lambda events: [replace(e, partial=FINAL) if hasattr(e, "content_index") else e for e in events],
        1,
        "partial: expected .* another stream|partial.stop_reason",
    ),
    "a snapshot of before the delta": (
        edit(8, block__text="Hel"),
        8,
        r"partial.content\[3\].text: length: expected 5, found 3",
    ),
    "a snapshot with other text": (
        edit(8, block__text="Helio"),
        8,
        r"partial.content\[3\].text: end: expected 'lo', found 'io'",
    ),
    "a delta that is no text": (edit(2, delta=None), 2, "delta: expected str, found NoneType"),
    "a text that has begun at its start": (
        edit(4, block__text="H"),
        4,
        r"partial.content\[3\].text: expected '', found 'H'",
    ),
    "a call with arguments at its start": (
        edit(5, block__arguments={"a": 1}),
        5,
        r"partial.content\[4\].arguments: expected {}, found",
    ),
    "a call with another id in partial": (
        edit(5, tool_call_id="call_2"),
        5,
        r"partial.content\[4\].id: expected 'call_2', found 'call_1'",
    ),
    "a call with another name in partial": (
        edit(5, tool_name=None),
        5,
        r"partial.content\[4\].name: expected '', found 'f'",
    ),
}
ENDS: dict[str, Fault] = {
    "another text at its end": (edit(9, content="Hallo"), 9, "content: expected 'Hello', found 'Hallo'"),
    "another text in partial": (
        edit(9, block__text="Hel"),
        9,
        r"partial.content\[3\].text: expected 'Hello', found 'Hel'",
    ),
    "other arguments": (
        edit(11, tool_call=ToolCall("call_1", "f", {})),
        11,
        "tool_call.arguments: expected .*1.*, found {}",
    ),
    "invalid arguments that are valid": (
        edit(11, tool_call=replace(CALL, invalid_arguments="{")),
        11,
        "tool_call.invalid_arguments: expected None, found '{'",
    ),
    "another call in partial": (
        edit(11, tool_call=replace(CALL, name="g")),
        11,
        r"partial.content\[4\].name: expected 'g', found 'f'",
    ),
    "no call": (edit(11, tool_call=None), 11, "tool_call: expected ToolCall, found NoneType"),
}
TERMINAL: dict[str, Fault] = {
    "another reason than its message": (
        edit(12, reason=StopReason.LENGTH),
        12,
        "message.stop_reason: expected .*length.*found .*toolUse",
    ),
    "no reason in its message": (
        edit(12, partial__stop_reason=None),
        12,
        "message.stop_reason: expected .*toolUse.*found None",
    ),
    "the reason of an error": (
        edit(12, reason=StopReason.ERROR, partial__stop_reason=StopReason.ERROR),
        12,
        "reason: expected stop or length or toolUse, found error",
    ),
    "another text": (final(_3=TextContent("Hell")), 12, r"message.content\[3\].text: expected 'Hello', found 'Hell'"),
    "another signature": (
        final(_3=TextContent("Hello", "s")),
        12,
        r"message.content\[3\].text_signature: expected None, found 's'",
    ),
    "other details": (
        final(_0=ThinkingContent("Hm.", None, False, {"a": 1})),
        12,
        r"message.content\[0\].provider_details: expected {}, found",
    ),
    "another call": (final(_4=OTHER_BLOCK), 12, r"message.content\[4\].id: expected 'call_1', found 'call_2'"),
    "thinking instead of text": (
        final(_3=ThinkingContent("Hello")),
        12,
        r"message.content\[3\]: expected TextContent, found ThinkingContent",
    ),
    "another image": (
        final(_1=ImageContent("", "image/png")),
        12,
        r"message.content\[1\].data: expected 'aGk=', found ''",
    ),
    "an image instead of an unknown block": (
        final(_2=IMAGE),
        12,
        r"message.content\[2\]: expected UnknownContent, found ImageContent",
    ),
    "a missing block": (content(12, *FINAL.content[:4]), 12, r"message.content\[4\]: expected ToolCall, found nothing"),
    "a block without its events": (
        content(12, *FINAL.content, HELLO),
        12,
        r"message.content\[5\]: expected its start event first, found TextContent",
    ),
    "stop in spite of calls": (
        edit(12, reason=StopReason.STOP, partial__stop_reason=StopReason.STOP),
        12,
        "reason: expected toolUse or length for a message with tool calls, found stop",
    ),
}
FAULTS = GRAMMAR | SNAPSHOTS | ENDS | TERMINAL
"""Of `sample_stream()`."""


ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "no error message": (
        {"partial__error_message": None},
        "error.error_message: expected why the stream failed, found None",
    ),
    "another reason": (
        {"reason": StopReason.STOP, "partial__stop_reason": StopReason.STOP},
        "reason: expected error or aborted, found stop",
    ),
    "a missing open call": (
        {"partial__content": (TextContent("Hel"),)},
        r"error.content\[1\]: expected ToolCall, found nothing",
    ),
    "an open text that lost what came": (
        {"partial__content": (TextContent("He"), CALL)},
        r"error.content\[0\].text: expected 'Hel', found 'He'",
    ),
    "an open call that lost its arguments": (
        {"partial__content": (TextContent("Hel"), ToolCall("call_1", "f", {}))},
        r"error.content\[1\].arguments: expected {'a': 1}, found {}",
    ),
}
