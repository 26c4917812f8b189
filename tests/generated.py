"""Random streams and messages, from a seeded `random`: what a builder may be told, and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    ContentBlock,
    Cost,
    ImageContent,
    MessageBuilder,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)

KINDS = ("text", "thinking", "tool_call")
PIECES = ("", "a", "Paris. ", "ü", "漢字", "😀", "\ud83d", "\ude00", "\x00\n", '"', "\\", '{"a": ', '"b', "1}", "[2, ", "]")
JSON: tuple[Any, ...] = (None, True, 0, -7, 2**70, 1.5, "", "ü😀", "\ud83d", "\x00", [], {}, [1, [{}]], {"a": {"b": None}})
SILENT = (ImageContent("aGk=", "image/png"), UnknownContent({"type": "search", "n": [1]}))

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
"""A builder's call: its name and its arguments."""


def new_builder() -> MessageBuilder:
    return MessageBuilder(api="api", provider="provider", model="model", timestamp=1)


def text(random: Random) -> str:
    return "".join(random.choices(PIECES, k=random.randrange(8)))


def usage(random: Random) -> Usage:
    cost = Cost(0.5, 0.25, 0, 0, 0.75) if random.random() < 0.2 else None
    return Usage(*[random.randrange(1000) for _ in range(6)], cost)


def any_call(random: Random, places: int) -> Call:
    """Any call at all, lawful now or not, on one of the `places` of the content or just beyond."""
    kind = random.choice(KINDS)
    place = random.choice([None, *range(places + 1)])
    word = random.choice([None, "", "word", "ü"])
    calls: tuple[Call, ...] = (
        (f"{kind}_start", (), {"tool_call_id": word, "tool_name": word} if kind == "tool_call" else {}),
        *[(f"{kind}_delta", (random.choice(PIECES), place), {}) for _ in range(6)],
        (f"{kind}_end", (place,), {"thought_signature" if kind == "tool_call" else "signature": word}),
        ("add_block", (random.choice(SILENT),), {}),
        ("update", (), random.choice([{"usage": usage(random)}, {"model": "m2"}, {"response_id": word}])),
        ("update_block", (random.randrange(places + 1),), {}),
        random.choice([("start", (), {}), ("done", (random.choice(list(StopReason)),), {}), ("error", ("why",), {})]),
    )
    return random.choice(calls)


class Grammar:
    """Which calls are lawful, in plain words and apart from the package."""

    def __init__(self) -> None:
        self.stage = "new"
        self.places = 0
        self.open: dict[int, str] = {}

    def allows(self, name: str, args: tuple[Any, ...]) -> bool:
        kind, _, what = name.rpartition("_")
        if name in ("start", "error"):
            return self.stage == "new" or (self.stage == "open" and name == "error")
        if name == "update":
            return self.stage != "ended"
        if name == "update_block" or what in ("delta", "end"):
            of_kind = {place for place, each in self.open.items() if name == "update_block" or each == kind}
            return bool(of_kind) if args[-1] is None else args[-1] in of_kind
        if name == "done":
            return self.stage == "open" and not self.open and args[0] not in (StopReason.ERROR, StopReason.ABORTED)
        return self.stage == "open"

    def note(self, name: str, args: tuple[Any, ...]) -> None:
        """A lawful call was made."""
        kind, _, what = name.rpartition("_")
        if name in ("start", "done", "error"):
            self.stage = "open" if name == "start" else "ended"
            if name != "start":
                self.open.clear()
        elif what == "start" or name == "add_block":
            if what == "start":
                self.open[self.places] = kind
            self.places += 1
        elif what == "end":
            place = args[0]
            if place is None:
                place = [place for place, each in self.open.items() if each == kind][-1]
            del self.open[place]


def stream(random: Random, unlawful: Callable[[MessageBuilder, Call], None] | None = None) -> list[AnyProviderEvent]:
    """A random lawful stream. Calls that are not lawful are handed to `unlawful`, or left out."""
    builder, grammar = new_builder(), Grammar()
    events: list[AnyProviderEvent] = []

    def make(call: Call) -> None:
        name, args, kwargs = call
        if grammar.allows(name, args):
            if event := getattr(builder, name)(*args, **kwargs):
                events.append(event)
            grammar.note(name, args)
        elif unlawful is not None:
            unlawful(builder, call)

    length = random.randrange(60)
    while grammar.stage != "ended" and len(events) < length:
        call = any_call(random, grammar.places)
        if call[0] not in ("done", "error") or random.random() < 0.1:
            make(call)
        if grammar.stage == "new" and random.random() < 0.9:
            make(("start", (), {}))
    make(("start", (), {}))
    if random.random() < 0.7:
        for place, kind in list(grammar.open.items()):
            make((f"{kind}_end", (place,), {}))
        make(("done", (random.choice([StopReason.STOP, StopReason.LENGTH]),), {}))
    make(("error", ("it broke off",), {"aborted": random.random() < 0.3}))
    make(("text_start", (), {}))  # after the ending
    return events


def block(random: Random, number: int) -> ContentBlock:
    signature = random.choice([None, "", "sig"])
    match random.choice(["text", "thinking", "call", "invalid", "silent"]):
        case "text":
            return TextContent(text(random), signature, tuple(random.choices(JSON, k=random.randrange(3))))
        case "thinking":
            return ThinkingContent(text(random), signature, random.random() < 0.3)
        case "call":
            arguments = {text(random): random.choice(JSON) for _ in range(random.randrange(4))}
            return ToolCall(f"call_{number}", random.choice(["", "f"]), arguments, signature)
        case "invalid":
            return ToolCall(f"call_{number}", "f", {}, signature, random.choice(["city=Lisbon", "[1]", '{"a": ', " "]))
        case _:
            return random.choice(SILENT)


def message(random: Random) -> AssistantMessage:
    """A random finished message, such as a stream can end with."""
    reason = random.choice(list(StopReason))
    failed = reason in (StopReason.ERROR, StopReason.ABORTED)
    return AssistantMessage(
        "api",
        "provider",
        random.choice(["", "model"]),
        tuple([block(random, number) for number in range(random.randrange(6))]),
        usage(random),
        reason,
        random.choice([None, "end_turn"]),
        "it broke off" if failed else None,
        random.choice([None, "response"]),
        random.choice([0, 1_700_000_000_000]),
    )
