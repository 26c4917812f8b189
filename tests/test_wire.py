"""The JSON form of events and messages: what it is, and that nothing is lost in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from random import Random
from typing import Any, get_args

import pytest
from support.recordings import api, each_recording, payloads
from support.streams import random_router_stream, seeds
from support.values import BARE, EVENTS, MESSAGE

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    ContentBlock,
    Cost,
    Done,
    Error,
    FallbackExhausted,
    StopReason,
    TextContent,
    TextDelta,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    UnknownContent,
    Usage,
    WireError,
    event_from_wire,
    event_to_wire,
    message_from_wire,
    message_to_wire,
)
from provider_events._forms import REQUIRED, WRITTEN
from provider_events._json import MAX_NESTING
from provider_events.decoders import decode
from provider_events.wire import BLOCK, COST, EVENT, USAGE
from provider_events.wire import MESSAGE as MESSAGE_RECORD

each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def by_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def by_orjson(value: Any) -> Any:
    orjson = pytest.importorskip("orjson")
    return orjson.loads(orjson.dumps(value))


# The form


def test_an_event_has_the_form_that_pi_gives_it() -> None:
    message = AssistantMessage("openai-completions", "openai", "gpt", (TextContent("Hel"),), timestamp=1)
    assert event_to_wire(TextDelta(0, "l", message)) == {
        "type": "text_delta",
        "contentIndex": 0,
        "delta": "l",
        "partial": {
            "role": "assistant",
            "api": "openai-completions",
            "provider": "openai",
            "model": "gpt",
            "content": [{"type": "text", "text": "Hel"}],
            "usage": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 0},
            "timestamp": 1,
        },
    }
    call = ToolCall("c1", "f", {"a": [1]}, "c2ln")
    done = event_to_wire(Done(StopReason.TOOL_USE, replace(message, content=(call,), stop_reason=StopReason.TOOL_USE)))
    assert (done["type"], done["reason"], done["message"]["stopReason"]) == ("done", "toolUse", "toolUse")
    written = {"type": "toolCall", "id": "c1", "name": "f", "arguments": {"a": [1]}, "thoughtSignature": "c2ln"}
    assert done["message"]["content"] == [written]
    assert event_to_wire(ToolCallEnd(0, call, message))["toolCall"] == written
    start = event_to_wire(ToolCallStart(0, "c1", "f", message))
    assert start | {"partial": None} == {
        "type": "toolcall_start",
        "contentIndex": 0,
        "id": "c1",
        "toolName": "f",
        "partial": None,
    }


def test_usage_has_pis_keys_and_its_total() -> None:
    assert message_to_wire(MESSAGE)["usage"] == {
        **{"input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4, "totalTokens": 10, "reasoning": 5},
        "cost": {"input": 0.25, "output": 1, "cacheRead": 0.0, "cacheWrite": 1e-9, "total": 1.5},
    }


def test_fields_that_pi_does_not_have_are_written_only_when_set() -> None:
    bare = replace(BARE, content=(TextContent(""), ToolCall("", "", {}), UnknownContent({})))
    assert message_to_wire(bare).keys() == {"role", "api", "provider", "model", "content", "usage", "timestamp"}
    assert [block.keys() for block in message_to_wire(bare)["content"]] == [
        {"type", "text"},
        {"type", "id", "name", "arguments"},
        {"type", "data"},
    ]
    full = {"stopReason", "rawStopReason", "errorMessage", "responseId", "providerDetails"}
    assert message_to_wire(MESSAGE).keys() - message_to_wire(bare).keys() == full
    assert "id" not in event_to_wire(ToolCallStart(0, None, None, bare))
    assert event_to_wire(ToolCallStart(0, "", "", bare))["id"] == "", "set, though empty"


def test_the_tables_have_a_row_for_each_field() -> None:
    records = [*EVENT.by_class.values(), *BLOCK.by_class.values(), MESSAGE_RECORD, USAGE, COST]
    assert {record.cls for record in records} == {
        *get_args(AnyProviderEvent), *get_args(ContentBlock), AssistantMessage, Usage, Cost
    }  # fmt: skip
    for record in records:
        rows = [row.name for row in record.fields if row.default is not WRITTEN]
        assert rows == [field.name for field in fields(record.cls)], record.cls
        keys = [*record.tags, *[row.key for row in record.fields]]
        assert len(set(keys)) == len(keys), record.cls


def test_what_may_be_left_out_is_what_the_dataclass_has_a_default_for() -> None:
    for record in [*BLOCK.by_class.values(), COST]:
        for row, field in zip(record.fields, fields(record.cls)):
            assert row.default == (REQUIRED if field.default is MISSING else field.default), (record.cls, row.name)


@each_event
def test_every_field_of_an_event_has_a_key(event: AnyProviderEvent) -> None:
    assert len(event_to_wire(event)) == len(fields(event)) + 1


@each_event
def test_what_is_written_is_plain(event: AnyProviderEvent) -> None:
    """Dicts, lists and scalars that are not shared, so they may be changed."""

    def parts(value: Any) -> Iterator[Any]:
        yield value
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from parts(part)

    assert {type(part) for part in parts(event_to_wire(event))} <= {dict, list, str, int, float, bool, type(None)}


# There and back


@pytest.mark.parametrize("through", [lambda wire: wire, by_json])
@each_event
def test_an_event_comes_back_as_it_was(event: AnyProviderEvent, through: Callable[[Any], Any]) -> None:
    assert event_from_wire(through(event_to_wire(event))) == event
    if event.partial is not None:
        assert message_from_wire(through(message_to_wire(event.partial))) == event.partial


def test_orjson_will_do_where_there_are_no_lone_surrogates_and_no_integers_beyond_64_bits() -> None:
    for event in EVENTS:
        plain = event_to_wire(event)
        text = (
            json.dumps(plain, ensure_ascii=False).replace("\\ud83d", "").replace("\ud83d", "").replace(str(10**30), "7")
        )
        assert event_from_wire(by_orjson(json.loads(text))) == event_from_wire(json.loads(text))


def test_every_event_of_a_random_stream_comes_back_as_it_was() -> None:
    for seed in seeds(40):
        for event in random_router_stream(Random(seed)):
            try:
                written = event_to_wire(event)
            except WireError as error:
                assert "the two halves of a surrogate pair" in str(error), seed
            else:
                assert event_from_wire(by_json(written)) == event, seed


@each_recording
def test_every_event_of_a_recording_comes_back_as_it_was(name: str) -> None:
    events = list(decode(payloads(name), api=api(name)))
    for event in events[:: 1 + len(events) // 50]:
        assert event_from_wire(by_json(event_to_wire(event))) == event


def test_what_is_read_is_of_the_types_that_are_promised() -> None:
    data = by_json(event_to_wire(EVENTS[-1]))
    assert type(event_from_wire(data).models_tried) is tuple  # type: ignore[union-attr]
    message = message_from_wire(by_json(message_to_wire(MESSAGE)))
    assert type(message) is AssistantMessage and type(message.content) is tuple
    assert type(message.stop_reason) is StopReason
    assert isinstance(hash(message), int), "frozen all the way down"


def test_what_was_read_does_not_change_with_its_source() -> None:
    data = message_to_wire(MESSAGE)
    message = message_from_wire(data)
    data["content"][3]["arguments"]["query"] = "other"
    data["content"].clear()
    assert message == MESSAGE


def test_the_total_of_a_usage_is_passed_over_when_it_is_read() -> None:
    data = message_to_wire(MESSAGE)
    data["usage"]["totalTokens"] = "unknown"
    assert message_from_wire(data) == MESSAGE
    del data["usage"]["totalTokens"]
    assert message_from_wire(data) == MESSAGE


def test_details_are_written_when_set_and_read_back_frozen() -> None:
    assert message_to_wire(MESSAGE)["providerDetails"]["service_tier"] == "default"
    assert message_to_wire(MESSAGE)["content"][2]["providerDetails"] == {"thoughtSignature": "s"}
    assert "providerDetails" not in message_to_wire(BARE)
    with pytest.raises(TypeError, match="cannot be changed"):
        message_from_wire(message_to_wire(MESSAGE)).provider_details["new"] = 1  # type: ignore[index]


def test_null_is_the_same_as_leaving_out_what_may_be_none() -> None:
    data = message_to_wire(BARE) | dict.fromkeys(("stopReason", "rawStopReason", "errorMessage", "responseId"))
    data["usage"]["cost"] = None
    assert message_from_wire(data) == BARE


# What JSON can say, and what it cannot

PATHS: list[tuple[str, Callable[[Any], AnyProviderEvent]]] = [
    ("toolCall.arguments.x", lambda value: ToolCallEnd(0, ToolCall("i", "f", {"x": value}), BARE)),
    ("toolCall.arguments.x[1].y", lambda value: ToolCallEnd(0, ToolCall("i", "f", {"x": [0, {"y": value}]}), BARE)),
    (
        "message.content[0].annotations[0]",
        lambda value: Done(StopReason.STOP, replace(BARE, content=(TextContent("", None, (value,)),))),
    ),
    (
        "error.content[0].data.d",
        lambda value: Error(StopReason.ERROR, replace(BARE, content=(UnknownContent({"d": value}),))),
    ),
]
at_each_path = pytest.mark.parametrize(("path", "event"), PATHS, ids=[path for path, _ in PATHS])


def swapped(data: Any, old: Any, new: Any) -> Any:
    if isinstance(data, dict):
        return {key: swapped(value, old, new) for key, value in data.items()}
    return [swapped(value, old, new) for value in data] if isinstance(data, list) else new if data == old else data


@pytest.mark.parametrize(
    "value", ["\ud83d", "\ude00", "\ude00\ud83d", "\0", 10**4000, -(2**64), 0.1, 1e308, "\ufeff", {"": ""}, [], {}]
)
@at_each_path
def test_odd_values_go_through_unchanged(path: str, event: Callable[[Any], AnyProviderEvent], value: Any) -> None:
    read = event_from_wire(by_json(event_to_wire(event(value))))
    assert read == event(value)
    assert repr(read) == repr(event(value)), "the types, too"


@pytest.mark.parametrize("value", [True, 1, 1.0, -0.0])
@at_each_path
def test_numbers_that_are_equal_keep_their_type_and_sign(
    path: str, event: Callable[[Any], AnyProviderEvent], value: Any
) -> None:
    read = event_from_wire(by_json(event_to_wire(event(value))))
    assert repr(read.partial) + repr(read) == repr(event(value).partial) + repr(event(value))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (float("nan"), "expected a number, found nan"),
        (float("inf"), "expected a number, found inf"),
        (float("-inf"), "expected a number, found -inf"),
        ("\ud83d\ude00", "expected characters, found the two halves of a surrogate pair side by side"),
    ],
)
@at_each_path
def test_what_json_cannot_say_is_refused_in_both_directions(
    path: str, event: Callable[[Any], AnyProviderEvent], value: Any, found: str
) -> None:
    with pytest.raises(WireError) as refused:
        event_to_wire(event(value))
    assert str(refused.value) == f"{path}: {found}"
    with pytest.raises(WireError) as refused:
        event_from_wire(swapped(event_to_wire(event("here")), "here", value))
    assert str(refused.value) == f"{path}: {found}"


def test_two_halves_side_by_side_are_refused_in_every_text_and_in_every_key() -> None:
    halves = "\ud83d\ude00"
    for event in (
        TextDelta(0, halves, BARE),
        FallbackExhausted(("m", halves), ""),
        TextDelta(0, "", replace(BARE, model=halves)),
    ):
        with pytest.raises(WireError, match="(delta|modelsTried.1.|partial.model): .* two halves"):
            event_to_wire(event)
    with pytest.raises(WireError, match="two halves"):
        event_to_wire(ToolCallEnd(0, ToolCall("", "", {halves: 1}), BARE))


def test_json_nested_beyond_the_limit_is_refused_in_both_directions() -> None:
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    deep = ToolCallEnd(0, ToolCall("", "", {"x": nested(MAX_NESTING - 1)}), BARE)
    assert event_from_wire(by_json(event_to_wire(deep))) == deep
    data = event_to_wire(deep)
    data["toolCall"]["arguments"]["x"] = nested(MAX_NESTING)
    with pytest.raises(
        WireError, match=r"toolCall.arguments.x\[0\].*: expected JSON of at most 128 levels, found more"
    ):
        event_from_wire(data)
    with pytest.raises(WireError, match="at most 128 levels"):
        event_to_wire(
            ToolCallStart(0, None, None, replace(BARE, content=(TextContent("", None, (nested(MAX_NESTING),)),)))
        )


@pytest.mark.parametrize("value", ["text", BARE, None, {}])
def test_what_is_no_event_cannot_be_written(value: Any) -> None:
    with pytest.raises(TypeError, match="event_to_wire: expected an event, found"):
        event_to_wire(value)
    with pytest.raises(TypeError, match="message_to_wire: expected a message, found"):
        message_to_wire(EVENTS[0] if value is BARE else value)  # type: ignore[arg-type]


def test_a_path_is_one_line_whatever_the_keys_of_arguments_are() -> None:
    with pytest.raises(WireError) as refused:
        event_to_wire(ToolCallEnd(0, ToolCall("", "", {"a b": {"\n": float("nan")}}), BARE))
    assert str(refused.value) == r"toolCall.arguments.'a b'.'\n': expected a number, found nan"


def test_a_number_of_tokens_may_be_of_any_size() -> None:
    message = replace(BARE, usage=Usage(10**30), timestamp=2**70)
    assert message_from_wire(by_json(message_to_wire(message))) == message
