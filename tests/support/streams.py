"""Random streams and messages, made of a seeded `random.Random`.

`PROVIDER_EVENTS_FUZZ` is how many times more of them than usual the tests make.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any, NamedTuple

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    ContentBlock,
    Cost,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    MessageEvent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)


def seeds(count: int) -> range:
    """Return seeds for that many random streams, or a multiple of them."""
    return range(round(count * float(os.environ.get("PROVIDER_EVENTS_FUZZ", "1"))))


def new_builder(**fields: Any) -> MessageBuilder:
    """Return a builder of a message whose fields do not matter."""
    defaults: dict[str, Any] = {"api": "api", "provider": "prövider", "model": "model", "timestamp": 1_760_000_000_000}
    return MessageBuilder(**defaults | fields)


# Values

TEXTS = (
    "",
    "a",
    "one two three ",
    'say "hi"\\\n',
    "\0\x1f",
    "日本語の文章です。",
    "😀👍🏽",
    "é\u2028",
    "\ud83d",
    "\ude00",
    "</s>",
)
JSON_TEXTS = (
    *("{", "}", "]", '"', '{"a": ', '{"a": 1}', '"b', "1}", "[2, ", ', "c": [1, ', "\\", "\\ud83d", "\\ude00"),
    *("9" * 30, "NaN", "tru", "日本", "\ud83d", "\ude00", " "),
)
SCALARS = (None, True, 0, -7, 2**70, 1.5, "", "ü😀", "\ud83d", "\x00")
STREAMED = ("text", "thinking", "tool_call")
IMAGE = ImageContent("aGk=", "image/png", {"thoughtSignature": "c2ln"})


def random_text(random: Random) -> str:
    """Return text without the two halves of a surrogate pair side by side, which JSON cannot hold."""
    return "".join(random.choices(TEXTS, k=random.randrange(6))).replace("\ud83d\ude00", "😀")


def random_json(random: Random, depth: int = 3) -> Any:
    match random.randrange(6 if depth else 4):
        case 4:
            return [random_json(random, depth - 1) for _ in range(random.randrange(3))]
        case 5:
            return random_object(random, depth - 1)
        case _:
            return random.choice(SCALARS)


def random_object(random: Random, depth: int = 2) -> dict[str, Any]:
    keys = random.choices(
        ["id", "phase", "logprobs", "日本", "a b", "\ud83d", "value", "append"], k=random.randrange(4)
    )
    return {key: random_json(random, depth) for key in keys}


def changed(random: Random, value: Any) -> Any:
    """Return a JSON value that differs a little: mostly it has grown."""
    if isinstance(value, dict) and value:
        key = random.choice([*value])
        if random.random() < 0.2:
            return {name: member for name, member in value.items() if name != key}
        return {**value, key: changed(random, value[key])}
    if isinstance(value, dict):
        return random_object(random)
    if isinstance(value, (list, tuple)):
        at = random.randrange(len(value) + 1)
        return (
            [*value[:at], changed(random, value[at]), *value[at + 1 :]]
            if at < len(value)
            else [*value, random_json(random)]
        )
    return (value + random_text(random)).replace("\ud83d\ude00", "é") if isinstance(value, str) else random_json(random)


def random_usage(random: Random) -> Usage:
    cost = random.choice([None, None, Cost(0.1, random.random(), 0, 0, 1)])
    return Usage(random.randrange(3), random.randrange(9), 0, random.choice([0, 2**70]), random.randrange(2), cost)


# Streams


class Call(NamedTuple):
    """A call of a builder."""

    name: str
    args: tuple[Any, ...] = ()
    fields: dict[str, Any] = {}

    def __call__(self, builder: MessageBuilder) -> Any:
        return getattr(builder, self.name)(*self.args, **self.fields)


class Grammar:
    """Which calls of a builder are valid: in plain words, apart from the package."""

    def __init__(self) -> None:
        self.phase = "new"
        self.kinds: list[str] = []  # of the blocks by content index
        self.open: list[int] = []  # in order of their starts
        self.ids: dict[int, str] = {}  # of the tool calls

    def target(self, kind: str, index: int | None) -> int | None:
        """Return the open block that a delta or an end means."""
        found = [each for each in self.open if self.kinds[each] == kind and index in (None, each)]
        return found[-1] if found else None

    def is_used(self, id: str | None, index: int | None = None) -> bool:
        return bool(id) and any(id == other for at, other in self.ids.items() if at != index)

    def stop_reasons(self) -> list[StopReason]:
        return [StopReason.TOOL_USE if "tool_call" in self.kinds else StopReason.STOP, StopReason.LENGTH]

    def allows(self, call: Call) -> bool:
        name, args, fields = call
        kind, _, what = name.rpartition("_")
        if name in ("start", "error"):
            return self.phase == "new" or (self.phase == "started" and name == "error")
        if name == "update":
            return self.phase != "ended"
        if self.phase != "started":
            return False
        if name == "done":
            return not self.open and args[0] in self.stop_reasons()
        if name == "update_block":
            index = args[0]
            found = index in self.open or (index < len(self.kinds) and self.kinds[index] == "unknown")
            return found and not self.is_used(fields.get("id"), index)
        if what in ("delta", "end"):
            found_at = self.target(kind, args[-1])
            return found_at is not None and not self.is_used(fields.get("tool_call_id"), found_at)
        return name == "add_block" or not self.is_used(fields.get("tool_call_id"))

    def note(self, call: Call) -> None:
        """Note a valid call."""
        name, args, fields = call
        kind, _, what = name.rpartition("_")
        if name in ("start", "done", "error"):
            self.phase = "started" if name == "start" else "ended"
        elif name == "add_block":
            self.kinds.append("image" if isinstance(args[0], ImageContent) else "unknown")
        elif name == "update_block":
            self._note_id(args[0], fields.get("id"))
        elif what == "start":
            self.open.append(len(self.kinds))
            self.kinds.append(kind)
            self._note_id(self.open[-1], fields.get("tool_call_id"))
        elif what == "end" and (index := self.target(kind, args[0])) is not None:
            self.open.remove(index)
            self._note_id(index, fields.get("tool_call_id"))

    def _note_id(self, index: int, id: str | None) -> None:
        if id:
            self.ids[index] = id


class _Calls:
    """Random calls, most of them valid."""

    def __init__(self, random: Random, grammar: Grammar) -> None:
        self.random = random
        self.grammar = grammar
        self.details: dict[int | None, Any] = {}  # by content index, None for the message
        self.annotations: dict[int, Any] = {}

    def next(self) -> Call:
        random, grammar = self.random, self.grammar
        if grammar.phase == "new" and random.random() < 0.8:
            return Call("start") if random.random() < 0.8 else Call("update", (), self.message_fields())
        what = random.choices(
            ["start", "delta", "end", "add_block", "update", "update_block", "terminal"], [2, 9, 2, 1, 1, 3, 0.3]
        )[0]
        kind, index = random.choice(STREAMED), random.choice([None, *range(len(grammar.kinds) + 1)])
        if grammar.open and random.random() < 0.8:
            index = random.choice(grammar.open)
            kind = grammar.kinds[index]
        match what:
            case "start":
                return Call(f"{kind}_start", (), self.call_fields() if kind == "tool_call" else {})
            case "delta":
                return Call(f"{kind}_delta", (random.choice(JSON_TEXTS if kind == "tool_call" else TEXTS), index))
            case "end":
                return self.end(kind, index)
            case "add_block":
                return Call("add_block", (random.choice([IMAGE, UnknownContent(random_object(random))]),))
            case "update":
                return Call("update", (), self.message_fields())
            case "update_block":
                return self.update_block(index or 0)
            case _:
                return random.choice(
                    [Call("start"), Call("error", ("why",)), Call("done", (random.choice([*StopReason]),))]
                )

    def end(self, kind: str, index: int | None) -> Call:
        random = self.random
        word = random.choice([None, "", "c2ln"])
        match kind:
            case "text":
                annotations = random.choice([None, None, [], [random_json(random)]])
                fields: dict[str, Any] = {"signature": word, "annotations": annotations}
            case "thinking":
                fields = {"signature": word, "redacted": random.choice([None, True])}
            case _:
                fields = {"thought_signature": word, **random.choice([{}, {}, self.call_fields()])}
        if random.random() < 0.3:
            fields["provider_details"] = random_object(random)
        return Call(f"{kind}_end", (index,), fields)

    def call_fields(self) -> dict[str, Any]:
        id = self.random.choice([None, "", f"call_{self.random.randrange(8)}", f"日{len(self.grammar.kinds)}"])
        return {"tool_call_id": id, "tool_name": self.random.choice([None, "", "f", "ü"])}

    def message_fields(self) -> dict[str, Any]:
        random, word = self.random, self.random.choice(["a", "b", "日本"])
        fields: list[dict[str, Any]] = [
            {"usage": random_usage(random)},
            {"response_id": random.choice([None, word]), "raw_stop_reason": word},
            {"api": word, "provider": word, "model": word, "timestamp": random.randrange(2)},
            {"provider_details": self.changed_details(None)},
        ]
        return random.choice(fields)

    def update_block(self, index: int) -> Call:
        random, kinds = self.random, self.grammar.kinds
        word = random.choice(["", "c2ln", "日本"])
        fields: list[dict[str, Any]] = [{"provider_details": self.changed_details(index)}]
        match kinds[index] if index < len(kinds) else "":
            case "text":
                annotations = changed(random, self.annotations.get(index, []))
                self.annotations[index] = annotations
                fields += [{"annotations": annotations}, {"annotations": annotations, "text_signature": word}]
            case "thinking":
                fields += [{"thinking_signature": word}, {"redacted": random.random() < 0.5}]
            case "tool_call":
                fields += [{"id": f"call_{random.randrange(8)}"}, {"name": word}, {"thought_signature": word}]
            case _:
                fields = [{"data": self.changed_details(index)}]
        return Call("update_block", (index,), random.choice(fields))

    def changed_details(self, index: int | None) -> Any:
        self.details[index] = changed(self.random, self.details.get(index, {}))
        return self.details[index]


def random_stream(random: Random, refused: Callable[[MessageBuilder, Call], None] | None = None) -> list[MessageEvent]:
    """Return a random valid stream, as a builder makes it. Calls that are not valid are passed to `refused`."""
    builder, grammar = new_builder(), Grammar()
    calls = _Calls(random, grammar)
    events: list[MessageEvent] = []

    def make(call: Call) -> None:
        if grammar.allows(call):
            event = call(builder)
            if not isinstance(event, (int, type(None))):
                events.append(event)
            grammar.note(call)
        elif refused is not None:
            refused(builder, call)

    for _ in range(random.randrange(80)):
        call = calls.next()
        if call.name not in ("done", "error") or random.random() < 0.1:
            make(call)
    make(Call("start"))
    if random.random() < 0.7:
        for index in random.sample(grammar.open, len(grammar.open)):
            make(Call(f"{grammar.kinds[index]}_end", (index,)))
        make(Call("done", (random.choice(grammar.stop_reasons()),)))
    make(Call("error", (f"no {random_text(random)}",), {"aborted": random.random() < 0.3}))
    make(Call("text_start"))  # after the terminal event
    return events


def random_router_stream(random: Random) -> list[AnyProviderEvent]:
    """Return a random valid stream of a router: fallbacks, then a message or the end of the list."""
    events: list[AnyProviderEvent] = [
        FallbackStart(f"m{number}", f"m{number + 1}", random.choice([*FallbackReason]))
        for number in range(random.choice((0, 0, 0, 1, 2)))
    ]
    match random.randrange(20):
        case 0:
            return [*events, FallbackExhausted(("m0", "m1")[: random.randrange(3)], f"no {random.choice(TEXTS)}")]
        case 1:
            return [*events, new_builder().error(f"no {random.choice(TEXTS)}", aborted=random.random() < 0.5)]
        case _:
            return [*events, *random_stream(random)]


# Messages


def random_block(random: Random, number: int) -> ContentBlock:
    signature, details = random.choice([None, "", "sig"]), random.choice([{}, random_object(random)])
    match random.randrange(6):
        case 0:
            return TextContent(
                random_text(random), signature, tuple(random_json(random) for _ in range(random.randrange(3))), details
            )
        case 1:
            return ThinkingContent(random_text(random), signature, random.random() < 0.3, details)
        case 2:
            arguments = {random_text(random): random_json(random) for _ in range(random.randrange(4))}
            return ToolCall(f"call_{number}", random.choice(["", "f"]), arguments, signature, None, details)
        case 3:
            invalid = random.choice(["city=Lisbon", "[1]", '{"a": ', " "])
            return ToolCall(f"call_{number}", "f", {}, signature, invalid, details)
        case 4:
            return ImageContent("aGk=", "image/png", details)
        case _:
            return UnknownContent(random_object(random))


def random_message(random: Random) -> AssistantMessage:
    """Return a random finished message, such as a stream can end with."""
    content = tuple(random_block(random, number) for number in range(random.randrange(6)))
    has_calls = any(isinstance(block, ToolCall) for block in content)
    complete = StopReason.TOOL_USE if has_calls else StopReason.STOP
    reason = random.choice([complete, StopReason.LENGTH, StopReason.ERROR, StopReason.ABORTED])
    return AssistantMessage(
        api="api",
        provider="provider",
        model=random.choice(["", "model"]),
        content=content,
        usage=random_usage(random),
        stop_reason=reason,
        raw_stop_reason=random.choice([None, "end_turn"]),
        error_message="it broke off" if reason in (StopReason.ERROR, StopReason.ABORTED) else None,
        response_id=random.choice([None, "response"]),
        timestamp=random.choice([0, 1_700_000_000_000]),
        provider_details=random_object(random),
    )


def deltas(events: Iterable[AnyProviderEvent]) -> Iterator[str]:
    """Yield the deltas of a stream."""
    for event in events:
        delta: str | None = getattr(event, "delta", None)
        if delta is not None:
            yield delta
