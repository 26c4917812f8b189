# SPDX-License-Identifier: MIT
"""What the decoders of all formats share.

A decoder is sans-IO: chunks in, events out. It never raises on what a provider sent: what cannot be
read ends the stream with one `Error`, with all content so far.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from ..builder import MessageBuilder
from ..events import AnyProviderEvent, TextStart, ThinkingStart, ToolCallStart
from .._json import ARRAY, OBJECT, freeze
from ..messages import ImageContent, StopReason, UnknownContent, Usage

T = TypeVar("T")


class SupportsModelDump(Protocol):
    """A chunk object of an official SDK: a pydantic model."""

    def model_dump(self) -> Any: ...


Chunk: TypeAlias = Mapping[str, Any] | str | bytes | bytearray | SupportsModelDump
"""One chunk: a mapping, the payload text of a server-sent event, or an official SDK's object."""

Payload: TypeAlias = Mapping[str, Any]


class MalformedChunk(ValueError):
    """A chunk is not what its format says it is."""


# Reading a payload: null stands for "not said", a wrong type is named with its place


def as_object(value: Any, path: str) -> Payload:
    return value if isinstance(value, OBJECT) else _not_said(value, {}, "an object", path)


def as_array(value: Any, path: str) -> Sequence[Any]:
    return value if isinstance(value, ARRAY) else _not_said(value, (), "an array", path)


def as_text(value: Any, path: str) -> str:
    return value if isinstance(value, str) else _not_said(value, "", "a string", path)


def as_index(value: Any, path: str) -> int | None:
    return value if isinstance(value, int) else _not_said(value, None, "a whole number", path)


def _not_said(value: object, nothing: T, expected: str, path: str) -> T:
    if value is None:
        return nothing
    raise MalformedChunk(f"{path}: expected {expected}, found {value!r:.200}")


def first_of(choices: object, path: str) -> Payload:
    """Of several answers in one stream the first, by its index; empty if this payload has others only."""
    for choice in as_array(choices, path):
        found = as_object(choice, path)
        if not found.get("index"):
            return found
    return {}


def as_details(value: Any) -> Payload:
    """An object of minor weight: empty if it is anything else."""
    return value if isinstance(value, OBJECT) else {}


def as_word(value: object) -> str | None:
    """An id, a name, a reason: None unless it is a string that says something."""
    return value if isinstance(value, str) and value else None


def as_count(value: object) -> int | None:
    """A number of tokens: None unless it is a number that can be one."""
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(value) if 0 <= value < 1e15 else None
    return None


_JSON = json.JSONDecoder()


def as_payload(chunk: Any, repetitions: frozenset[str]) -> Payload | None:
    """The payload of a chunk in any of its forms; empty for a repetition, None for `[DONE]`."""
    if isinstance(chunk, str):
        try:
            payload, end = _JSON.raw_decode(chunk)  # json.loads, less its search for white space
        except (ValueError, RecursionError) as error:
            return _unparsed(chunk, error)
        if end != len(chunk):
            return _unparsed(chunk, "more than one value")
        return payload if isinstance(payload, OBJECT) else as_object(payload, "chunk")
    if isinstance(chunk, OBJECT):
        return as_details(chunk)
    if isinstance(chunk, (bytes, bytearray)):
        return as_payload(chunk.decode(errors="replace"), repetitions)
    if hasattr(chunk, "model_dump"):
        return {} if getattr(chunk, "type", None) in repetitions else as_object(_dumped(chunk), "chunk")
    raise MalformedChunk(f"expected a mapping, a text or an SDK's object, found {chunk!r:.200}")


def _unparsed(text: str, error: object) -> Payload | None:
    """What a text is whose JSON does not begin at its first character and end at its last."""
    stripped = text.strip(" \t\r\n\ufeff")
    if stripped in ("", "[DONE]"):
        return None if stripped else {}
    if stripped != text:
        return as_payload(stripped, frozenset())
    is_sse = text.startswith(("data:", "event:", "id:", ":"))
    hint = "; lines of server-sent events go through iter_sse first" if is_sse else ""
    raise MalformedChunk(f"expected JSON, found {text[:2000]} ({error}{hint})") from None


def _dumped(chunk: Any) -> Any:
    try:
        return chunk.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    except TypeError:  # a stand-in that takes no options
        return chunk.model_dump()


def as_json(value: object) -> str:
    """The JSON text of arguments that came as an object."""
    return json.dumps(value, ensure_ascii=False)


def words(error: Any) -> str:
    """A provider's error payload in its own words, its type and code in front."""
    if not isinstance(error, OBJECT):
        return str(error)
    if not error.get("message"):
        return json.dumps(error, default=str)
    kinds = dict.fromkeys(str(error[key]) for key in ("type", "status", "code") if error.get(key))
    kinds.pop("error", None)  # the type of a chunk that is all error
    return ": ".join(filter(None, [" ".join(kinds), str(error["message"])]))


# Decoding

Kind: TypeAlias = Literal["text", "thinking", "tool_call"]

_END: dict[Kind, Callable[[MessageBuilder, int], AnyProviderEvent]] = {
    "text": MessageBuilder.text_end,
    "thinking": MessageBuilder.thinking_end,
    "tool_call": MessageBuilder.tool_call_end,
}


class OpenBlock:
    """A block that has begun and not ended."""

    __slots__ = ("kind", "index", "delta", "streamed", "citations")

    def __init__(self, kind: Kind, index: int, delta: Callable[[str, int], AnyProviderEvent]) -> None:
        self.kind: Kind = kind
        self.index = index
        self.delta = delta  # the builder's call for a delta of this kind
        self.streamed = 0  # the characters handed on so far
        self.citations: list[Any] = []


class Decoder:
    """Decodes one message: give it the chunks as they come, then say how they ended.

    `provider` and `model` name who answers, until the stream itself does. The message's timestamp is
    the stream's own, or 0 where it says none: the same chunks always give equal events. `ended` tells
    that the last event has been given; what is fed after it is passed over.
    """

    api: ClassVar[str]
    default_provider: ClassVar[str]
    repetitions: ClassVar[frozenset[str]] = frozenset()
    """The types of an SDK's own chunk objects that only repeat what other chunks say."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        provider = self.default_provider if provider is None else provider
        self._builder = MessageBuilder(api=self.api, provider=provider, model=model or "", timestamp=0)
        self._events: list[AnyProviderEvent] = []
        self._open: dict[int, OpenBlock] = {}  # by content_index
        self._run: OpenBlock | None = None  # the text or thinking that goes on, where no block says its end
        self._identity: dict[str, Any] = {}
        self._identified = False
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._said_usage = Usage()
        self._has_calls = False
        self._started = False
        self.ended = False

    def feed(self, chunk: Chunk) -> list[AnyProviderEvent]:
        """The events of the next chunk."""
        if not self.ended:
            try:
                payload = as_payload(chunk, self.repetitions)
                if payload:
                    self._read(payload)
                elif payload is None:
                    self._read_end_mark()
            except Exception as error:  # whatever a provider sends, the stream ends in order
                self._fail(f"malformed chunk: {error or type(error).__name__}")
        events, self._events = self._events, []
        return events

    def close(self) -> list[AnyProviderEvent]:
        """The events at the end of input: an `Error` if the message is not complete."""
        if not self.ended:
            with suppress(Exception):  # what cannot be put in order is no complete message
                self._read_end()
        if not self.ended:
            self._fail("the stream broke off before the message was complete")
        return self._taken()

    def fail(self, error: BaseException | str) -> list[AnyProviderEvent]:
        """The `Error` for input that failed to arrive; `error` says why."""
        if not self.ended:
            name = "" if isinstance(error, str) else type(error).__name__
            said = ""
            with suppress(Exception):  # even an exception that cannot be shown
                body = as_details(getattr(error, "body", None))  # where the SDKs keep the provider's words
                said = words(body.get("error") or body) if body else str(error)
            self._fail(": ".join(filter(None, [name, said])) or "the input failed")
        return self._taken()

    def _taken(self) -> list[AnyProviderEvent]:
        events, self._events = self._events, []
        return events

    # What each format says for itself

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        """Whether a payload tells that it is of this format."""
        raise NotImplementedError

    def _read(self, payload: Payload) -> None:
        """Take in a payload."""
        raise NotImplementedError

    def _read_end_mark(self) -> None:
        """Take in `[DONE]`, which ends the streams of some formats."""

    def _read_end(self) -> None:
        """Take in the end of input. If that does not complete the message, the stream has failed."""

    def _give_up(self) -> None:
        """The stream has failed: put into the message what was held back."""

    @staticmethod
    def _usage(counts: defaultdict[str, int]) -> Usage:
        """The disjoint buckets, from the counts reported so far."""
        raise NotImplementedError

    # What the formats share

    def _identify(self, *, model: object = None, response_id: object = None, created: object = None) -> None:
        """Note who answers; the first word on each counts. `created` is in Unix seconds."""
        said: dict[str, Any] = {"model": as_word(model), "response_id": as_word(response_id)}
        if isinstance(created, (int, float)) and 0 < created < 1e11:
            said["timestamp"] = int(created * 1000)
        news = {name: value for name, value in said.items() if value is not None and name not in self._identity}
        if news:
            self._identity |= news
            self._identified = self._identity.keys() >= {"model", "response_id"}
            self._builder.update(**news)

    def _report(self, **counts: object) -> None:
        """Note counts of tokens; later ones overwrite earlier ones, field by field."""
        for name, value in counts.items():
            if value is not None and (count := as_count(value)) is not None:
                self._counts[name] = count
        usage = self._usage(self._counts)
        if usage != self._said_usage:
            self._said_usage = usage
            self._builder.update(usage=usage)

    def _start(self) -> None:
        """The message begins, unless it has."""
        if not self._started:
            self._started = True
            self._events.append(self._builder.start())

    def _begin(self, kind: Kind, tool_call_id: str | None = None, tool_name: str | None = None) -> OpenBlock:
        builder = self._builder
        started: TextStart | ThinkingStart | ToolCallStart
        delta: Callable[[str, int], AnyProviderEvent]
        match kind:
            case "text":
                started, delta = builder.text_start(), builder.text_delta
            case "thinking":
                started, delta = builder.thinking_start(), builder.thinking_delta
            case "tool_call":
                started, delta = builder.tool_call_start(tool_call_id, tool_name), builder.tool_call_delta
                self._has_calls = True
        self._events.append(started)
        block = self._open[started.content_index] = OpenBlock(kind, started.content_index, delta)
        return block

    def _append(self, block: OpenBlock, delta: str) -> None:
        if delta:
            block.streamed += len(delta)
            self._events.append(block.delta(delta, block.index))

    def _cite(self, block: OpenBlock, citation: Any) -> None:
        block.citations.append(freeze(citation))  # once; the builder finds it frozen from then on
        self._builder.update_block(block.index, annotations=block.citations)

    def _end(self, block: OpenBlock) -> None:
        if block.kind == "tool_call" and not block.streamed:
            self._append(block, "{}")  # so that the deltas are the JSON text of the arguments, always
        del self._open[block.index]
        self._events.append(_END[block.kind](self._builder, block.index))

    def _say(self, kind: Literal["text", "thinking"], text: str) -> None:
        """More text or thinking, where a change from one to the other is the end of a block."""
        if text:
            run = self._run
            self._append(run if run is not None and run.kind == kind else self._running(kind), text)

    def _running(self, kind: Literal["text", "thinking"]) -> OpenBlock:
        if self._run is None or self._run.kind != kind:
            self._end_run()
            self._run = self._begin(kind)
        return self._run

    def _end_run(self) -> None:
        if self._run is not None:
            self._end(self._run)
            self._run = None

    def _place(self, block: ImageContent | UnknownContent) -> None:
        """A block without events takes the next place, behind what ran on before it."""
        self._end_run()
        self._builder.add_block(block)

    def _or_tool_use(self, reason: StopReason) -> StopReason:
        """What "stop" means over a message with tool calls, in formats that say it there."""
        return StopReason.TOOL_USE if reason is StopReason.STOP and self._has_calls else reason

    def _complete(self, reason: StopReason, why: str = "") -> None:
        """The message is whole; `reason` is why the model stopped, and `why` says more of a failure."""
        if reason in (StopReason.ERROR, StopReason.ABORTED):
            self._fail(why, aborted=reason is StopReason.ABORTED)
            return
        self._start()
        for block in list(self._open.values()):
            self._end(block)
        self.ended = True
        self._events.append(self._builder.done(reason))

    def _fail(self, message: str, *, aborted: bool = False) -> None:
        with suppress(Exception):  # what cannot be put anywhere must not hide the failure
            self._give_up()
        self.ended = True
        self._events.append(self._builder.error(message, aborted=aborted))
