"""What the decoders of all formats share.

A decoder is sans-IO: chunks in, events out. It never raises on what a provider sent: what cannot be
read ends the stream with one `Error`, with all content so far.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeGuard, TypeVar

from ..builder import MessageBuilder
from ..events import AnyProviderEvent, TextStart, ThinkingStart, ToolCallStart
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


def is_object(value: object) -> TypeGuard[Payload]:
    return isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def as_object(value: object, path: str) -> Payload:
    if is_object(value):
        return value
    return _not_said(value, {}, "an object", path)


def as_array(value: object, path: str) -> Sequence[Any]:
    if is_array(value):
        return value
    return _not_said(value, (), "an array", path)


def as_text(value: object, path: str) -> str:
    if isinstance(value, str):
        return value
    return _not_said(value, "", "a string", path)


def _not_said(value: object, nothing: T, expected: str, path: str) -> T:
    if value is None:
        return nothing
    raise MalformedChunk(f"{path}: expected {expected}, found {value!r:.200}")


def as_details(value: object) -> Payload:
    """An object of minor weight: empty if it is anything else."""
    return value if is_object(value) else {}


def as_word(value: object) -> str | None:
    """An id, a name, a reason: None unless it is a string that says something."""
    return value if isinstance(value, str) and value else None


def as_count(value: object) -> int | None:
    """A number of tokens: None unless it is a number that can be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
        return None
    return int(value)


def as_payload(chunk: Chunk, repetitions: frozenset[str]) -> Payload | None:
    """The payload of a chunk in any of its forms; empty for a repetition, None for `[DONE]`."""
    if isinstance(chunk, (str, bytes, bytearray)):
        try:
            return as_object(json.loads(chunk), "chunk")
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            text = chunk if isinstance(chunk, str) else chunk.decode(errors="replace")
            if text.strip() in ("", "[DONE]"):
                return None if text.strip() else {}
            hint = "; lines of server-sent events go through iter_sse first" if text.startswith("data:") else ""
            raise MalformedChunk(f"expected JSON, found {text[:2000]} ({error}{hint})") from None
    if is_object(chunk):
        return chunk
    if hasattr(chunk, "model_dump"):
        if getattr(chunk, "type", None) in repetitions:
            return {}
        return as_object(_dumped(chunk), "chunk")
    raise MalformedChunk(f"expected a mapping, a text or an SDK's object, found {chunk!r:.200}")


def _dumped(chunk: Any) -> Any:
    try:
        return chunk.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    except TypeError:  # a stand-in that takes no options
        return chunk.model_dump()


def as_json(value: object) -> str:
    """The JSON text of arguments that came as an object."""
    return json.dumps(value, ensure_ascii=False)


def words(error: object) -> str:
    """A provider's error payload in its own words, its type or code in front."""
    if not is_object(error):
        return str(error)
    kind = error.get("type") or error.get("status") or error.get("code")
    message = error.get("message")
    if not message:
        return json.dumps(error, default=str)
    return f"{kind}: {message}" if kind else str(message)


# Decoding

Kind: TypeAlias = Literal["text", "thinking", "tool_call"]

_DELTA: dict[Kind, Callable[[MessageBuilder, str, int], AnyProviderEvent]] = {
    "text": MessageBuilder.text_delta,
    "thinking": MessageBuilder.thinking_delta,
    "tool_call": MessageBuilder.tool_call_delta,
}
_END: dict[Kind, Callable[[MessageBuilder, int], AnyProviderEvent]] = {
    "text": MessageBuilder.text_end,
    "thinking": MessageBuilder.thinking_end,
    "tool_call": MessageBuilder.tool_call_end,
}


class OpenBlock:
    """A block that has begun and not ended."""

    __slots__ = ("kind", "index", "streamed", "citations")

    def __init__(self, kind: Kind, index: int) -> None:
        self.kind: Kind = kind
        self.index = index
        self.streamed = 0  # the characters handed on so far
        self.citations: list[Any] = []


class Decoder:
    """Decodes one message: give it the chunks as they come, then say how they ended.

    `provider` and `model` name who answers, until the stream itself does. The message's timestamp is
    the stream's own, or 0 where it says none: the same chunks always give equal events.
    """

    api: ClassVar[str]
    default_provider: ClassVar[str]
    repetitions: ClassVar[frozenset[str]] = frozenset()
    """The types of an SDK's own chunk objects that only repeat what other chunks say."""

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        provider = self.default_provider if provider is None else provider
        self._builder = MessageBuilder(api=self.api, provider=provider, model=model or "", timestamp=0)
        self._events: list[AnyProviderEvent] = []
        self._emit = self._events.append
        self._open: dict[int, OpenBlock] = {}  # by content_index
        self._run: OpenBlock | None = None  # the text or thinking that goes on, where no block says its end
        self._identity: dict[str, Any] = {}
        self._counts: Counter[str] = Counter()
        self._has_calls = False
        self._started = False
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the last event has been given. What is fed after it is passed over."""
        return self._ended

    def feed(self, chunk: Chunk) -> list[AnyProviderEvent]:
        """The events of the next chunk."""
        if not self._ended:
            try:
                payload = as_payload(chunk, self.repetitions)
                if payload:
                    self._read(payload)
                elif payload is None:
                    self._read_end_mark()
            except Exception as error:  # whatever a provider sends, the stream ends in order
                self._fail(f"malformed chunk: {error or type(error).__name__}")
        return self._handed_out()

    def close(self) -> list[AnyProviderEvent]:
        """The events at the end of input: an `Error` if the message is not complete."""
        if not self._ended:
            self._read_end()
        if not self._ended:
            self._fail("the stream broke off before the message was complete")
        return self._handed_out()

    def fail(self, error: BaseException | str) -> list[AnyProviderEvent]:
        """The `Error` for input that could not be had; `error` says why."""
        if not self._ended:
            name = "" if isinstance(error, str) else type(error).__name__
            self._fail(": ".join(filter(None, [name, str(error)])))
        return self._handed_out()

    def _handed_out(self) -> list[AnyProviderEvent]:
        events = self._events.copy()
        self._events.clear()
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
    def _usage(counts: Counter[str]) -> Usage:
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
            self._builder.update(**news)

    def _report(self, **counts: object) -> None:
        """Note counts of tokens; later ones overwrite earlier ones, field by field."""
        for name, value in counts.items():
            if (number := as_count(value)) is not None:
                self._counts[name] = number
        self._builder.update(usage=self._usage(self._counts))

    def _start(self) -> None:
        """The message begins, unless it has."""
        if not self._started:
            self._started = True
            self._emit(self._builder.start())

    def _begin(self, kind: Kind, tool_call_id: str | None = None, tool_name: str | None = None) -> OpenBlock:
        started: TextStart | ThinkingStart | ToolCallStart
        if kind == "tool_call":
            self._has_calls = True
            started = self._builder.tool_call_start(tool_call_id, tool_name)
        else:
            started = self._builder.text_start() if kind == "text" else self._builder.thinking_start()
        self._emit(started)
        block = self._open[started.content_index] = OpenBlock(kind, started.content_index)
        return block

    def _append(self, block: OpenBlock, delta: str) -> None:
        if delta:
            block.streamed += len(delta)
            self._emit(_DELTA[block.kind](self._builder, delta, block.index))

    def _cite(self, block: OpenBlock, citation: Any) -> None:
        block.citations.append(citation)
        self._builder.update_block(block.index, annotations=block.citations)

    def _end(self, block: OpenBlock) -> None:
        if block.kind == "tool_call" and not block.streamed:
            self._append(block, "{}")  # so that the deltas are the JSON text of the arguments, always
        del self._open[block.index]
        self._emit(_END[block.kind](self._builder, block.index))

    def _say(self, kind: Literal["text", "thinking"], text: str) -> None:
        """More text or thinking, where a change from one to the other is the end of a block."""
        if text:
            self._append(self._running(kind), text)

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

    def _complete(self, reason: StopReason, why: str = "") -> None:
        """The message is whole; `reason` is why the model stopped, and `why` says more of a failure."""
        if reason in (StopReason.ERROR, StopReason.ABORTED):
            self._fail(why, aborted=reason is StopReason.ABORTED)
            return
        self._start()
        for block in list(self._open.values()):
            self._end(block)
        self._ended = True
        self._emit(self._builder.done(reason))

    def _fail(self, message: str, *, aborted: bool = False) -> None:
        with suppress(Exception):  # what cannot be put anywhere must not hide the failure
            self._give_up()
        self._ended = True
        self._emit(self._builder.error(message, aborted=aborted))
