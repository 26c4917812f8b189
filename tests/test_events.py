"""What the fourteen events promise: names, fields, what each can be asked, and that nothing changes them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import typing
from typing import Any

import pytest

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Done,
    Error,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    MessageEvent,
    ProviderEvent,
    Start,
    StopReason,
    TerminalEvent,
    TextContent,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)

PARTIAL = AssistantMessage("api", "provider", "model", (TextContent("the partial"),))
DONE = dataclasses.replace(PARTIAL, stop_reason=StopReason.STOP)
FAILED = dataclasses.replace(PARTIAL, stop_reason=StopReason.ERROR, error_message="overloaded")
CALL = ToolCall("call_1", "search", {"q": "x"})

# Each variant once, with its wire name and its fields in order.
EVENTS: list[tuple[ProviderEvent, str, str]] = [
    (Start(PARTIAL), "start", "partial"),
    (TextStart(0, PARTIAL), "text_start", "content_index partial"),
    (TextDelta(0, "a", PARTIAL), "text_delta", "content_index delta partial"),
    (TextEnd(0, "ab", PARTIAL), "text_end", "content_index content partial"),
    (ThinkingStart(1, PARTIAL), "thinking_start", "content_index partial"),
    (ThinkingDelta(1, "a", PARTIAL), "thinking_delta", "content_index delta partial"),
    (ThinkingEnd(1, "ab", PARTIAL), "thinking_end", "content_index content partial"),
    (ToolCallStart(2, "call_1", None, PARTIAL), "toolcall_start", "content_index tool_call_id tool_name partial"),
    (ToolCallDelta(2, "{", PARTIAL), "toolcall_delta", "content_index delta partial"),
    (ToolCallEnd(2, CALL, PARTIAL), "toolcall_end", "content_index tool_call partial"),
    (Done(StopReason.STOP, DONE), "done", "reason message"),
    (Error(StopReason.ERROR, FAILED), "error", "reason error"),
    (FallbackStart("a", "b", FallbackReason.RATE_LIMIT), "fallback_start", "from_model to_model reason"),
    (FallbackExhausted(("a", "b"), "no luck"), "fallback_exhausted", "models_tried final_error"),
]
VARIANTS = [type(event) for event, _, _ in EVENTS]
FALLBACK = {FallbackStart, FallbackExhausted}

every_event = pytest.mark.parametrize(
    "event", [event for event, _, _ in EVENTS], ids=lambda event: type(event).__name__
)
every_row = pytest.mark.parametrize("event, name, fields", EVENTS, ids=[cls.__name__ for cls in VARIANTS])


# Names and fields


@every_row
def test_the_type_is_the_wire_name_and_a_constant_of_the_class(event: ProviderEvent, name: str, fields: str) -> None:
    assert event.type == getattr(type(event), "type") == name
    assert typing.get_type_hints(type(event))["type"] == typing.ClassVar[typing.Literal[name]]
    with pytest.raises((AttributeError, TypeError)):  # TypeError: a flaw of dataclasses with slots
        setattr(event, "type", "other")
    assert event.type == name


@every_row
def test_the_fields_are_in_the_order_of_the_contract(event: Any, name: str, fields: str) -> None:
    assert " ".join(field.name for field in dataclasses.fields(event)) == fields
    assert " ".join(type(event).__match_args__) == fields


def test_any_provider_event_is_the_fourteen_variants() -> None:
    assert len(VARIANTS) == 14
    assert set(typing.get_args(AnyProviderEvent)) == {*VARIANTS}
    # A dataclass with slots replaces its class; the replaced one may still be known as a subclass.
    assert {cls.__name__ for cls in ProviderEvent.__subclasses__()} == {cls.__name__ for cls in VARIANTS}


def test_message_event_is_the_twelve_that_carry_a_message() -> None:
    assert set(typing.get_args(MessageEvent)) == {*VARIANTS} - FALLBACK
    assert len(typing.get_args(MessageEvent)) == 12


def test_terminal_event_is_the_three_that_end_a_stream() -> None:
    assert set(typing.get_args(TerminalEvent)) == {Done, Error, FallbackExhausted}


@every_event
def test_fields_may_be_given_by_position_or_by_name(event: Any) -> None:
    named = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    assert type(event)(**named) == event
    assert type(event)(*named.values()) == event


@every_event
def test_a_missing_or_extra_field_is_a_type_error(event: Any) -> None:
    values = [getattr(event, field.name) for field in dataclasses.fields(event)]
    with pytest.raises(TypeError, match=type(event).__name__):
        type(event)(*values[:-1])
    assert all(field.default is dataclasses.MISSING for field in dataclasses.fields(event))
    with pytest.raises(TypeError, match=type(event).__name__):
        type(event)(*values, None)


def test_positional_patterns_follow_the_order_of_fields() -> None:
    seen: list[tuple[object, ...]] = []
    for event, _, _ in EVENTS:
        match event:
            case TextDelta(index, delta):
                seen.append((index, delta))
            case ToolCallEnd(index, ToolCall(_, name, {"q": query})):
                seen.append((index, name, query))
            case Done(reason, AssistantMessage("api", "provider", model)):
                seen.append((reason, model))
            case FallbackStart(old, new, FallbackReason.RATE_LIMIT):
                seen.append((old, new))
            case _:
                pass
    assert seen == [(0, "a"), (2, "search", "x"), (StopReason.STOP, "model"), ("a", "b")]


def test_models_tried_becomes_a_tuple() -> None:
    models: Any = ["a", "b"]
    event = FallbackExhausted(models, "no luck")
    models.append("c")
    assert event.models_tried == ("a", "b")


# What every event can be asked


@every_event
def test_the_partial_is_the_message_as_of_the_event(event: Any) -> None:
    if isinstance(event, Done):
        assert event.partial is event.message
    elif isinstance(event, Error):
        assert event.partial is event.error
    else:
        assert event.partial is (None if type(event) in FALLBACK else PARTIAL)


@every_event
def test_each_question_is_true_of_its_variants_only(event: ProviderEvent) -> None:
    assert event.is_done is (type(event) is Done)
    assert event.is_error is (type(event) is Error)
    assert event.is_fallback is (type(event) is FallbackStart)
    assert event.is_fallback_exhausted is (type(event) is FallbackExhausted)
    assert event.is_terminal is (type(event) in typing.get_args(TerminalEvent))


@every_event
def test_repr_shows_every_field_and_abbreviates_the_partial(event: Any) -> None:
    shown = [
        f"{field.name}={'...' if field.name == 'partial' else repr(getattr(event, field.name))}"
        for field in dataclasses.fields(event)
    ]
    assert repr(event) == f"{type(event).__name__}({', '.join(shown)})"


def test_repr_of_a_delta_fits_a_line() -> None:
    assert repr(TextDelta(0, "Hello", PARTIAL)) == "TextDelta(content_index=0, delta='Hello', partial=...)"


# Immutable values


@every_event
def test_no_field_can_be_assigned_or_deleted(event: Any) -> None:
    for field in dataclasses.fields(event):
        before = getattr(event, field.name)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, field.name, before)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(event, field.name)
        assert getattr(event, field.name) is before


@every_event
def test_no_attribute_can_be_added(event: Any) -> None:
    assert not hasattr(event, "__dict__")
    with pytest.raises((AttributeError, TypeError)):  # TypeError: a flaw of dataclasses with slots
        event.something_new = 1
    with pytest.raises(AttributeError, match="misspelt"):
        event.misspelt


@every_event
def test_events_are_compared_and_hashed_by_content(event: Any) -> None:
    twin = copy.deepcopy(event)
    assert twin == event and hash(twin) == hash(event)
    assert len({event, twin}) == 1


@every_event
def test_every_field_counts_in_a_comparison(event: Any) -> None:
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        other = dataclasses.replace(value, model="x") if isinstance(value, AssistantMessage) else ("other",)
        assert dataclasses.replace(event, **{field.name: other}) != event, field.name


def test_equal_fields_of_another_variant_are_another_event() -> None:
    kinds: list[Any] = [TextDelta, ThinkingDelta, ToolCallDelta]
    assert len({kind(0, "a", PARTIAL) for kind in kinds}) == 3


@every_event
def test_events_pickle_and_copy(event: Any) -> None:
    pickled = [pickle.loads(pickle.dumps(event, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in [*pickled, copy.copy(event), copy.deepcopy(event), dataclasses.replace(event)]:
        assert other == event and type(other) is type(event)


@every_event
def test_asdict_has_the_fields(event: Any) -> None:
    plain = dataclasses.asdict(event)
    assert list(plain) == [field.name for field in dataclasses.fields(event)]
    if "partial" in plain:
        assert plain["partial"] == dataclasses.asdict(PARTIAL)


# Sealed


def test_the_base_cannot_be_instantiated() -> None:
    with pytest.raises(TypeError, match="ProviderEvent is the base class of the events; make one of its variants"):
        ProviderEvent()


@pytest.mark.parametrize("base", [ProviderEvent, *VARIANTS], ids=lambda base: base.__name__)
def test_no_event_can_be_subclassed_outside_its_module(base: type[ProviderEvent]) -> None:
    with pytest.raises(TypeError, match="Fifteenth cannot subclass a provider event: the variants are sealed"):
        type("Fifteenth", (base,), {"__module__": __name__})


@every_event
def test_every_variant_is_a_provider_event_and_final(event: ProviderEvent) -> None:
    assert isinstance(event, ProviderEvent)
    assert getattr(type(event), "__final__")


# Reasons


def test_a_fallback_reason_is_its_word() -> None:
    words = "rate_limit context_overflow auth_error network_error server_error model_error circuit_breaker unknown"
    assert [*map(str, FallbackReason)] == words.split()
    for reason in FallbackReason:
        assert FallbackReason(str(reason)) is reason
        assert f"{reason}" == reason == reason.value
        assert reason.name == str(reason).upper()
