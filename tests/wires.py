"""Events, streams and logs for the tests of the JSON form: with every field set, and made at random."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    Start,
    StopReason,
    TextContent,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingContent,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    Usage,
    WireError,
    event_to_wire,
    message_to_wire,
    read_jsonl,
    write_jsonl,
)

# With every field set

ODD: dict[str, Any] = {"none": None, "yes": True, "no": 0, "big": 10**30, "tiny": 1e-300, "lone": "\ud83d", "nul": "\0", "deep": [{"a": [[]]}]}
CALL = ToolCall("call_1", "find", {"query": "q", **ODD}, "c2ln")
MESSAGE = AssistantMessage(
    api="anthropic-messages",
    provider="anthropic",
    model="m-1",
    content=(
        ThinkingContent("Hm.", "c2ln", True),
        TextContent("Hé 😀 \ud83d", "dGV4dA==", ({"url": "u", **ODD}, [1], "x", None)),
        ImageContent("aGk=", "image/png"),
        CALL,
        ToolCall("", "", {}, None, '{"a": '),
        UnknownContent({"type": "server_tool_use", **ODD}),
    ),
    usage=Usage(1, 2, 3, 4, 10, 5, Cost(0.25, 1, 0.0, 1e-9, 1.5)),
    stop_reason=StopReason.TOOL_USE,
    raw_stop_reason="tool_use",
    error_message="none",
    response_id="msg_1",
    timestamp=1_760_000_000_000,
)
BARE = AssistantMessage("api", "provider", "model")
EVENTS: list[AnyProviderEvent] = [
    Start(MESSAGE),
    TextStart(1, MESSAGE),
    TextDelta(1, "Hé", MESSAGE),
    TextEnd(1, "Hé 😀 \ud83d", MESSAGE),
    ThinkingStart(0, MESSAGE),
    ThinkingDelta(0, "Hm", MESSAGE),
    ThinkingEnd(0, "Hm.", MESSAGE),
    ToolCallStart(3, "call_1", "find", MESSAGE),
    ToolCallDelta(3, '{"query": "', MESSAGE),
    ToolCallEnd(3, CALL, MESSAGE),
    Done(StopReason.TOOL_USE, MESSAGE),
    Error(StopReason.ABORTED, MESSAGE),
    FallbackStart("m-1", "m-2", FallbackReason.RATE_LIMIT),
    FallbackExhausted(("m-1", "m-2"), "overloaded"),
]

Stream = Iterator[AnyProviderEvent]

# Logs


def log_of(events: Iterable[AnyProviderEvent]) -> str:
    file = io.StringIO()
    write_jsonl(events, file)
    return file.getvalue()


def read_all(lines: Iterable[str | bytes]) -> tuple[list[AnyProviderEvent], str]:
    """The events of a log, and the words of the `WireError` that ended it, if one did; nothing follows it."""
    events: list[AnyProviderEvent] = []
    reading = read_jsonl(lines)
    try:
        for event in reading:
            events.append(event)
    except WireError as error:
        assert list(reading) == []
        return events, str(error)
    return events, ""


def allowed_size(events: list[AnyProviderEvent]) -> int:
    """What a log may take: 3 characters for each of its deltas, 120 an event, and its last message."""
    last = events[-1]
    ending = event_to_wire(last) if last.partial is None else message_to_wire(last.partial)
    return 3 * sum(len(getattr(event, "delta", "")) for event in events) + 120 * len(events) + len(json.dumps(ending))


# Streams made at random

TEXTS = ["", "a", "one two three four ", 'say "hi"\\\n', "\0\x1f", "日本語の文章です。", "😀👍🏽", "é", "\u2028", "\ud83d", "\ude00", "</s>"]
PIECES = ["{", "}", '{"a": 1}', '"', '{"a": "', "b", "\\", "\\ud83d", "\\ude00", ", ", '"c": [1, ', "9" * 30, "NaN", "日本", "\ud83d", "\ude00"]
OBJECTS: list[Any] = [{"url": "u" * 30, "at": [0, 5]}, {"n": 10**25, "x": None}, {"s": "\ud83d", "t": "日本"}, {"f": 0.1, "b": True}]


def stream(seed: int) -> list[AnyProviderEvent]:
    """A random stream as a router with builders makes them: blocks interleave, and whatever can change does."""
    random = Random(seed)
    falls: list[AnyProviderEvent] = [
        FallbackStart(f"m{n}", f"m{n + 1}", random.choice([*FallbackReason])) for n in range(random.choice((0, 0, 0, 1, 2)))
    ]
    builder = MessageBuilder(api="api", provider="prövider", model="m", timestamp=random.choice((0, 1_760_000_000_000)))
    match random.randrange(20):
        case 0:
            return [*falls, FallbackExhausted(("m0", "m1")[: random.randrange(3)], f"no {random.choice(TEXTS)}")]
        case 1:
            return [*falls, builder.error(f"no {random.choice(TEXTS)}", aborted=random.random() < 0.5)]
        case _:
            return [*falls, *_message(random, builder)]


def _message(random: Random, builder: MessageBuilder) -> Stream:
    open_: dict[int, str] = {}
    places = 0
    cited: dict[int, list[Any]] = {}
    if random.random() < 0.5:
        builder.update(usage=_usage(random), response_id="r", raw_stop_reason=None)
    yield builder.start()
    for _ in range(random.randrange(60)):
        place = random.choice([*open_, 0])
        kind = open_.get(place, "")
        match random.choice("begin delta delta delta delta end header block add".split()):
            case "begin" if len(open_) < 4:
                open_[places] = random.choice(("text", "thinking", "tool_call"))
                named = random.choice(((), ("id",), (None, "f"), (f"id{places}", "f"), ("", "")))
                yield getattr(builder, f"{open_[places]}_start")(*(named if open_[places] == "tool_call" else ()))
                places += 1
            case "delta" if kind == "tool_call":
                yield builder.tool_call_delta(random.choice(PIECES), place)
            case "delta" if kind:
                yield getattr(builder, f"{kind}_delta")(random.choice(TEXTS), place)
            case "end" if kind:
                yield _end(random, builder, place, kind)
                del open_[place]
            case "header":
                builder.update(**random.choice(_headers(random)))
            case "block" if kind == "text":
                change = random.choice(("add", "replace", "sign"))
                if change == "sign":
                    builder.update_block(place, text_signature=random.choice(TEXTS))
                else:
                    kept = cited.get(place, []) if change == "add" else cited.get(place, [])[:1]
                    cited[place] = [*kept, random.choice(OBJECTS)]
                    builder.update_block(place, annotations=cited[place])
            case "block" if kind == "thinking":
                builder.update_block(place, thinking_signature=random.choice(TEXTS), redacted=random.random() < 0.5)
            case "block" if kind:
                said: Any = random.choice(({"id": f"late{place}"}, {"name": "g"}, {"thought_signature": "c2ln"}))
                builder.update_block(place, **said)
            case "add":
                builder.add_block(random.choice((ImageContent("aGk=", "image/png"), UnknownContent(random.choice(OBJECTS)))))
                places += 1
            case _:
                pass
    if random.random() < 0.3:
        yield builder.error(f"no {random.choice(TEXTS)}", aborted=random.random() < 0.5)
        return
    for place, kind in random.sample([*open_.items()], len(open_)):
        yield _end(random, builder, place, kind)
    yield builder.done(random.choice((StopReason.STOP, StopReason.LENGTH, StopReason.TOOL_USE)))


def _end(random: Random, builder: MessageBuilder, place: int, kind: str) -> AnyProviderEvent:
    signature = random.choice((None, "", "c2ln"))
    match kind:
        case "text":
            return builder.text_end(place, signature=signature, annotations=random.choice((None, [], OBJECTS)))
        case "thinking":
            return builder.thinking_end(place, signature=signature, redacted=random.random() < 0.2)
        case _:
            said = random.choice(((None, None), (f"end{place}", None), (None, "h")))
            return builder.tool_call_end(place, tool_call_id=said[0], tool_name=said[1], thought_signature=signature)


def _headers(random: Random) -> list[Any]:
    usage, word = _usage(random), random.choice(("a", "b", "日本"))
    return [{"usage": usage}, {"model": word}, {"response_id": word}, {"provider": word, "timestamp": 5}, {"raw_stop_reason": word}]


def _usage(random: Random) -> Usage:
    cost = random.choice((None, Cost(0.1, 0.2, 0, 0, random.random()), Cost(0.1, random.random(), 0, 0, 1)))
    return Usage(random.randrange(3), random.randrange(9), 0, 0, random.randrange(99), random.randrange(2), cost)
