# SPDX-License-Identifier: MIT
"""Events and messages as JSON: each by itself, with its snapshot, or as the lines of a log, without.

The form is that of pi (`@mariozechner/pi-ai`, `AssistantMessageEvent`): camelCase keys, `type` tells the
events and the content blocks apart. Fields that pi does not have are further keys, written only when set.

JSON takes lone surrogates (as escapes), NUL, and integers of any size that Python's `json` reads. What it
cannot say is refused with a `WireError`, in both directions: NaN, infinities, and the two halves of a
surrogate pair side by side in one string, which every reader would take for one character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, replace
from dataclasses import fields as fields_of
from enum import StrEnum
from functools import cached_property, partial
from itertools import takewhile
from math import inf
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, get_args

from ._json import ARRAY, OBJECT
from ._log import block_at, header
from .builder import BlockFields, MessageBuilder, MessageFields, StreamStateError
from .events import (
    AnyProviderEvent, Done, Error, FallbackReason, Start, TextDelta, TextEnd, TextStart,
    ThinkingDelta, ThinkingEnd, ThinkingStart, ToolCallDelta, ToolCallEnd, ToolCallStart,
)  # fmt: skip
from .messages import (
    AssistantMessage, ContentBlock, Cost, ImageContent, StopReason, TextContent, ThinkingContent,
    ToolCall, UnknownContent, Usage,
)  # fmt: skip


T = TypeVar("T")


class SupportsWrite(Protocol):
    """A file that is open for text."""

    def write(self, text: str, /) -> object: ...


class WireError(ValueError):
    """What was to be read, or written, is not right: at which path, what was found, and what was expected."""


def event_to_wire(event: AnyProviderEvent) -> dict[str, Any]:
    """An event as plain JSON values, snapshot included. Raises `WireError` for what JSON cannot say."""
    return _whole(_EVENT.write, event)


def event_from_wire(data: Any) -> AnyProviderEvent:
    """The event in the JSON form `data`. Unknown keys are passed over. Raises `WireError` if it is none."""
    event: AnyProviderEvent = _whole(_EVENT.read, data)
    return event


def message_to_wire(message: AssistantMessage) -> dict[str, Any]:
    """A message as plain JSON values. Raises `WireError` for what JSON cannot say."""
    return _whole(_MESSAGE.write, message)


def message_from_wire(data: Any) -> AssistantMessage:
    """The message in the JSON form `data`. Unknown keys are passed over. Raises `WireError` if it is none."""
    message: AssistantMessage = _whole(_MESSAGE.read, data)
    return message


def _whole(convert: Callable[[Any, str], T], value: Any) -> T:
    try:
        return convert(value, "")
    except RecursionError:
        raise WireError("nested too deeply") from None


# Forms: how the values of a type are written and read

_Convert: TypeAlias = Callable[[Any, str], Any]
"""Takes a value, and its path for errors."""


class _Form(NamedTuple):
    expected: str
    write: _Convert
    read: _Convert


def _wrong(path: str, expected: str, found: object) -> WireError:
    is_short = found is None or isinstance(found, (str, float)) or (isinstance(found, int) and abs(found) < 1 << 64)
    return WireError(
        f"{path or 'the whole'}: expected {expected}, found {f'{found!r:.80}' if is_short else type(found).__name__}"
    )


def _at(path: str, key: str) -> str:
    step = key if key.isidentifier() else f"{key!r:.80}"  # keys of arguments may be anything
    return f"{path}.{step}" if path else step


def _same(expected: str, is_right: Callable[[Any], object]) -> _Form:
    """Of values that are the same in JSON."""

    def checked(value: Any, path: str) -> Any:
        if not is_right(value):
            raise _wrong(path, expected, value)
        return value

    return _Form(expected, checked, checked)


def _text(value: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise _wrong(path, "a string", value)
    if not value.isascii() and _SPLIT_PAIR.search(value):
        raise WireError(f"{path}: expected characters, found the two halves of a surrogate pair side by side")
    return value


def _expect_object(value: Any, path: str) -> None:
    if not isinstance(value, OBJECT):
        raise _wrong(path, "an object", value)


def _json(value: Any, path: str) -> Any:
    """A plain copy of any JSON."""
    if isinstance(value, OBJECT):
        return {_text(key, path): _json(member, _at(path, key)) for key, member in value.items()}
    if isinstance(value, ARRAY):
        return [_json(element, f"{path}[{place}]") for place, element in enumerate(value)]
    if isinstance(value, str):
        return _text(value, path)
    return value if value is None or isinstance(value, bool) else _NUMBER.read(value, path)


def _json_object(value: Any, path: str) -> Any:
    _expect_object(value, path)
    return _json(value, path)


def _word(words: type[StrEnum]) -> _Form:
    def read(value: Any, path: str) -> StrEnum:
        try:
            return words(value)
        except ValueError:
            raise _wrong(path, expected, value) from None

    def write(value: Any, path: str) -> str:
        return str(read(value, path))

    expected = f"one of {', '.join(words)}"
    return _Form(expected, write, read)


def _array(write: _Convert, read: _Convert) -> _Form:
    def converted(convert: _Convert, values: Any, path: str) -> list[Any]:
        if not isinstance(values, ARRAY):
            raise _wrong(path, "an array", values)
        return [convert(value, f"{path}[{place}]") for place, value in enumerate(values)]

    return _Form("an array", partial(converted, write), partial(converted, read))


def _optional(form: _Form | _Object) -> _Form:
    def converted(convert: _Convert, value: Any, path: str) -> Any:
        return None if value is None else convert(value, path)

    return _Form(f"{form.expected} or null", partial(converted, form.write), partial(converted, form.read))


class _Object:
    """Of a dataclass: an object with a key for each field, beside a mark that tells what it is."""

    expected = "an object"

    def __init__(self, cls: type[Any], key: str = "", mark: str = "") -> None:
        self.cls = cls
        self.mark = {key: mark} if key else {}

    @cached_property
    def fields(self) -> list[tuple[str, str, _Form | _Object, Any]]:
        """Of each field its name, its key, its form, and the value that it has where it is left out."""
        found: list[tuple[str, str, _Form | _Object, Any]] = []
        for field in fields_of(self.cls):
            kind = str(field.type)
            left_out = MISSING if field.name in _PI_WRITES else None if "None" in kind else field.default
            found.append((field.name, _key(field.name), _FORMS[kind], left_out))
        return found

    def write(self, value: Any, path: str, without: Collection[str] = ()) -> dict[str, Any]:
        """The fields of `value`, but not those `without`."""
        written: dict[str, Any] = dict(self.mark)
        for name, key, form, left_out in self.fields:
            if name not in without and (field := getattr(value, name)) != left_out:
                written[key] = form.write(field, _at(path, key))
        return written

    def write_all(self, value: Any, path: str) -> dict[str, Any]:
        """All fields of `value`, at their defaults or not."""
        written: dict[str, Any] = {}
        for name, key, form, _ in self.fields:
            write = form.write_all if isinstance(form, _Object) else form.write
            written[key] = write(getattr(value, name), _at(path, key))
        return written

    def read(self, data: Any, path: str) -> Any:
        return self.cls(**self.read_fields(data, path))

    def read_fields(self, data: Any, path: str, without: Collection[str] = ()) -> dict[str, Any]:
        """The fields that are there. None may be missing but those `without` and those that are left out at times."""
        _expect_object(data, path)
        for key, mark in self.mark.items():
            if data.get(key) != mark:
                raise _wrong(_at(path, key), repr(mark), data.get(key))
        for name, key, form, left_out in self.fields:
            if key not in data and left_out is MISSING and name not in without:
                raise WireError(f"{_at(path, key)}: expected {form.expected}, found nothing")
        optional = {name: None for name, _, _, left_out in self.fields if left_out is None}
        return optional | {name: form.read(data[key], _at(path, key)) for name, key, form, _ in self.fields if key in data}


class _Union:
    """Of several dataclasses: objects whose `type` tells which."""

    expected = "an object"

    def __init__(self, types: Mapping[str, type[Any]]) -> None:
        self._by_type = {kind: _Object(cls, "type", kind) for kind, cls in types.items()}
        self._by_class = {form.cls: form for form in self._by_type.values()}

    def of(self, value: Any) -> _Object:
        if type(value) not in self._by_class:
            raise _wrong("", f"one of {', '.join(cls.__name__ for cls in self._by_class)}", value)
        return self._by_class[type(value)]

    def told_by(self, data: Any, path: str) -> _Object:
        _expect_object(data, path)
        kind = data.get("type")
        if not isinstance(kind, str) or kind not in self._by_type:
            raise _wrong(_at(path, "type"), f"one of {', '.join(self._by_type)}", kind)
        return self._by_type[kind]

    def write(self, value: Any, path: str) -> dict[str, Any]:
        return self.of(value).write(value, path)

    def read(self, data: Any, path: str) -> Any:
        return self.told_by(data, path).read(data, path)


# pi writes these whatever they are; other fields are left out where they are at their defaults.
_PI_WRITES = {"content", "usage", "timestamp"} | {
    f"{name}_tokens" for name in ("input", "output", "cache_read", "cache_write")
}
# Where pi's key is not the field's name in camelCase.
_KEYS = {
    "tool_call_id": "id",
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cacheRead",
    "cache_write_tokens": "cacheWrite",
    "reasoning_tokens": "reasoning",
}


def _key(name: str) -> str:
    first, *rest = name.split("_")
    return _KEYS.get(name) or first + "".join(map(str.capitalize, rest))


def _stop_reason(value: Any, path: str) -> Any:
    return None if value == "pending" else _STOP.read(value, path)  # as pi says while a message streams


_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_NUMBER = _same("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and -inf < value < inf)
_INTEGER = _same("a whole number from 0", lambda value: type(value) is int and value >= 0)
_TEXT = _Form("a string", _text, _text)
_STOP = _optional(_word(StopReason))

_BLOCK = _Union(
    {"text": TextContent, "thinking": ThinkingContent, "image": ImageContent, "toolCall": ToolCall, "unknown": UnknownContent}
)
_CONTENT = _array(_BLOCK.write, _BLOCK.read)
_ANNOTATIONS = _array(_json, _json)
_MESSAGE = _Object(AssistantMessage, "role", "assistant")
_EVENT = _Union({cls.type: cls for cls in get_args(AnyProviderEvent)})

# By the annotations of the fields.
_FORMS: dict[str, _Form | _Object] = {
    "str": _TEXT,
    "str | None": _optional(_TEXT),
    "bool": _same("true or false", lambda value: isinstance(value, bool)),
    "int": _INTEGER,
    "float": _NUMBER,
    "tuple[str, ...]": _array(_text, _text),
    "Mapping[str, Any]": _Form("an object", _json_object, _json_object),
    "tuple[JsonValue, ...]": _ANNOTATIONS,
    "StopReason": _word(StopReason),
    "StopReason | None": _STOP._replace(read=_stop_reason),
    "FallbackReason": _word(FallbackReason),
    "Cost | None": _optional(_Object(Cost)),
    "Usage": _Object(Usage),
    "ToolCall": _Object(ToolCall, "type", "toolCall"),
    "tuple[ContentBlock, ...]": _CONTENT,
    "AssistantMessage": _MESSAGE,
}


# The log


class JsonlCodec:
    """Writes or reads the lines of a log, one at a time and without their ends: use one for one log, up to an error.

    A line has its event's JSON form, less the snapshot and what the lines before have told: the end of a block
    does not repeat its text or its call, the last event not its message, unless they differ from what a builder
    makes of the lines before. What the snapshot says of its own stands under three further keys: `update` has the
    fields of the message that have changed, `updateBlocks` those of open blocks, and `addBlocks` the new blocks
    that have no events.

    A line that does carry its snapshot is taken at its word, as is an end that does carry its text or its call: in
    pi, an end may say something else than its deltas. Older versions of pi carry the snapshots, newer ones the ends.
    """

    __slots__ = ("_builder", "_started", "_places", "_open")

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._builder = MessageBuilder(api="", provider="", model="", timestamp=0)  # told what the lines tell
        self._started = False
        self._places = 0  # taken in the content
        self._open: list[int] = []

    def encode(self, event: AnyProviderEvent) -> str:
        """The line of the next event, in ASCII.

        Raises `WireError` for an event that the grammar of a stream does not allow, or that says what JSON cannot.
        """
        return _whole(self._encoded, event)

    def _encoded(self, event: AnyProviderEvent, path: str) -> str:
        line = self._line(event)
        read = self._read(line)
        if any(getattr(read, name) != getattr(event, name) for name in event.__match_args__ if name != "partial"):
            line |= _EVENT.of(event).write(event, path, without={"partial"})  # it was not made by a builder
        try:
            return _ENCODER.encode(line)
        except ValueError as error:  # an integer of too many digits
            raise WireError(str(error)) from None

    def decode(self, line: str | bytes) -> AnyProviderEvent:
        """The event of the next line. Raises `WireError` if it is none, or not the next one."""
        try:
            data = json.loads(line.lstrip("\ufeff") if isinstance(line, str) else line)
        except (ValueError, RecursionError) as error:
            raise WireError(f"expected a line of JSON, found {line[:80]!r} ({error})") from None
        return _whole(self._decoded, data)

    def _decoded(self, data: Any, path: str) -> AnyProviderEvent:
        form = _EVENT.told_by(data, path)
        if not data.keys() & {name for name, *_ in form.fields} & _SNAPSHOTS:
            return self._read(data)
        event: AnyProviderEvent = form.read(data, path)
        if event.is_terminal:
            self._begin()
        else:
            self._read(self._line(event))  # for lines without a snapshot that may follow
        return event

    def _line(self, event: AnyProviderEvent) -> dict[str, Any]:
        """What is to be told of the next event."""
        line = _EVENT.of(event).write(event, "", without=_TOLD)
        if event.partial is None:
            return line
        known, news = self._builder.partial, event.partial
        silent: list[ContentBlock] = []
        while isinstance(block := block_at(news, self._places + len(silent)), (ImageContent, UnknownContent)):
            silent.append(block)
        told: dict[str, Any] = {
            "update": _changes(_MESSAGE, header(known), header(news)),
            "addBlocks": _CONTENT.write(silent, "addBlocks"),
            "updateBlocks": [
                {"contentIndex": place, **changes}
                for place in self._open
                if (changes := _block_changes(header(block_at(known, place)), header(block_at(news, place))))
            ],
        }
        return line | {key: value for key, value in told.items() if value}

    def _read(self, line: Mapping[str, Any]) -> AnyProviderEvent:
        """The next event, from what is told of it."""
        form = _EVENT.told_by(line, "")
        told = form.read_fields(line, "", without=_TOLD)
        call = _CALLS.get(form.cls)
        if call is None:
            if self._started:
                raise WireError(f"type: expected no fallback once the message has started, found {form.cls.type!r}")
            event: AnyProviderEvent = form.cls(**told)
        else:
            try:
                event = call(self._builder, self._update(line) | told)
            except StreamStateError as error:
                raise WireError(str(error)) from None
            if isinstance(event, Error) and event.reason != told["reason"]:
                raise _wrong("reason", "error or aborted", str(told["reason"]))
            if (place := getattr(event, "content_index", None)) != told.get("content_index"):
                raise _wrong("contentIndex", str(place), told["content_index"])
            if claims := {name: told[name] for name in told.keys() & {"content", "tool_call"}}:
                event = replace(event, **claims)
        match event:
            case Start():
                self._started = True
            case TextStart(place) | ThinkingStart(place) | ToolCallStart(place):
                self._open.append(place)
                self._places = place + 1
            case TextEnd(place) | ThinkingEnd(place) | ToolCallEnd(place):
                self._open.remove(place)
            case _ if event.is_terminal:
                self._begin()
            case _:
                pass
        return event

    def _update(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Tell the builder what has no event of its own; the fields of the message, if any are told."""
        fields: dict[str, Any] = {}
        if "update" in line:
            fields = _changed(_MESSAGE, header(self._builder.partial), line["update"], "update")
            self._builder.update(**{name: fields[name] for name in MessageFields.__annotations__})
        for number, block in enumerate(_CONTENT.read(line.get("addBlocks", []), "addBlocks")):
            if not isinstance(block, (ImageContent, UnknownContent)):
                raise WireError(f"addBlocks[{number}]: expected a block that has no events, found {type(block).__name__}")
            self._builder.add_block(block)
            self._places += 1
        for number, changes in enumerate(_ANNOTATIONS.read(line.get("updateBlocks", []), "updateBlocks")):
            self._update_block(changes, f"updateBlocks[{number}]")
        return fields

    def _update_block(self, changes: Any, path: str) -> None:
        _expect_object(changes, path)
        place = _INTEGER.read(changes.get("contentIndex"), f"{path}.contentIndex")
        if place not in self._open:
            raise WireError(f"{path}.contentIndex: expected that of an open block, one of {self._open}, found {place}")
        old = header(block_at(self._builder.partial, place))
        if isinstance(old, TextContent) and "annotations" in changes:
            kept = old.annotations[: _INTEGER.read(changes.get("keptAnnotations", 0), f"{path}.keptAnnotations")]
            added = _ANNOTATIONS.read(changes["annotations"], f"{path}.annotations")
            self._builder.update_block(place, annotations=(*kept, *added))
            old = replace(old, annotations=())
        fields = _changed(_BLOCK.of(old), old, {**changes, "annotations": []}, path)
        self._builder.update_block(place, **{name: fields[name] for name in fields.keys() & _BLOCK_FIELDS})


# Changes of what has no events, in the keys of the JSON form


def _changes(form: _Object, old: Any, new: Any) -> dict[str, Any]:
    """The fields of `new` that are not as in `old`, and of the usage, too, only those."""
    changes: dict[str, Any] = {} if new == old else _differing(form.write_all(old, ""), form.write_all(new, ""))
    return changes


def _differing(old: Any, new: Any) -> Any:
    if not isinstance(old, OBJECT) or not isinstance(new, OBJECT):
        return new
    return {key: _differing(old[key], after) for key, after in new.items() if old[key] != after}


def _block_changes(old: ContentBlock | None, new: ContentBlock | None) -> dict[str, Any]:
    if type(new) is not type(old):
        raise WireError(f"partial: expected {type(old).__name__} where one is open, found {type(new).__name__}")
    added: dict[str, Any] = {}
    if isinstance(old, TextContent) and isinstance(new, TextContent) and old.annotations != new.annotations:
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old.annotations, new.annotations)))
        added = {"keptAnnotations": kept, "annotations": _ANNOTATIONS.write(new.annotations[kept:], "annotations")}
        old, new = replace(old, annotations=()), replace(new, annotations=())
    return _changes(_BLOCK.of(old), old, new) | added


def _changed(form: _Object, old: Any, changes: Any, path: str) -> dict[str, Any]:
    """The fields of `old` after the changes."""
    _expect_object(changes, path)
    return form.read_fields({**_merged(form.write_all(old, ""), changes), **form.mark}, path)


def _merged(old: Any, changes: Any) -> Any:
    if not isinstance(old, OBJECT) or not isinstance(changes, OBJECT):
        return changes
    return {key: _merged(value, changes[key]) if key in changes else value for key, value in old.items()}


def write_jsonl(events: Iterable[AnyProviderEvent], file: SupportsWrite) -> None:
    """Write a stream as a log: an event a line, each as it comes.

    `list(read_jsonl(log))` equals the events of every stream that a `MessageBuilder` made, be it in a decoder, a
    router, or your own code. Of other streams the events are kept as they are, and the snapshots before the last
    become what their events say. Raises `WireError` as `JsonlCodec.encode` does.
    """
    codec = JsonlCodec()
    for event in events:
        file.write(codec.encode(event) + "\n")


def read_jsonl(file: Iterable[str | bytes]) -> Iterator[AnyProviderEvent]:
    """The events of a log, or of several one after another: of an open file, or of any lines.

    Raises `WireError` with the number of the first line that is no event or not the next one, and where the
    log ends before its stream. Every event before has been given by then; of a file that is open for text, and
    is not all text, perhaps not the last ones, since its decoding runs ahead.
    """
    codec = JsonlCodec()
    number, ended = 0, False
    try:
        for number, line in enumerate(file, 1):
            if line.strip():
                event = codec.decode(line)
                ended = event.is_terminal
                yield event
    except UnicodeDecodeError as error:  # from a file open for text
        raise WireError(f"after line {number}: {error}") from None
    except WireError as error:
        raise WireError(f"line {number}: {error}") from None
    if not ended:
        raise WireError(f"line {number + 1}: expected the next event, found the end of the log")


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

_BLOCK_FIELDS = {*BlockFields.__annotations__} - {"annotations"}
_SNAPSHOTS = {"partial", "message", "error"}
_TOLD = _SNAPSHOTS | {"content", "tool_call"}  # what a line leaves out, since other lines tell it


def _end_call(builder: MessageBuilder, told: dict[str, Any]) -> ToolCallEnd:
    call = told.get("tool_call", ToolCall("", "", {}))
    return builder.tool_call_end(
        told["content_index"],
        tool_call_id=call.id or None,
        tool_name=call.name or None,
        thought_signature=call.thought_signature,
    )


# By which call a builder makes each event.
_CALLS: dict[type[Any], Callable[[MessageBuilder, dict[str, Any]], AnyProviderEvent]] = {
    Start: lambda builder, told: builder.start(),
    TextStart: lambda builder, told: builder.text_start(),
    TextDelta: lambda builder, told: builder.text_delta(told["delta"], told["content_index"]),
    TextEnd: lambda builder, told: builder.text_end(told["content_index"]),
    ThinkingStart: lambda builder, told: builder.thinking_start(),
    ThinkingDelta: lambda builder, told: builder.thinking_delta(told["delta"], told["content_index"]),
    ThinkingEnd: lambda builder, told: builder.thinking_end(told["content_index"]),
    ToolCallStart: lambda builder, told: builder.tool_call_start(told["tool_call_id"], told["tool_name"]),
    ToolCallDelta: lambda builder, told: builder.tool_call_delta(told["delta"], told["content_index"]),
    ToolCallEnd: _end_call,
    Done: lambda builder, told: builder.done(told["reason"]),
    Error: lambda builder, told: builder.error(told.get("error_message") or "", aborted=told["reason"] is StopReason.ABORTED),
}
