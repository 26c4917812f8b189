"""What the fourteen events promise: names, fields, questions they answer, and that nothing changes them."""

import dataclasses
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

each_event = pytest.mark.parametrize("event", [event for event, _, _ in EVENTS], ids=lambda event: type(event).__name__)


# Names and fields


@pytest.mark.parametrize("event, name, fields", EVENTS)
def test_type_is_the_wire_name_and_a_constant_of_the_class(event: ProviderEvent, name: str, fields: str) -> None:
    assert event.type == type(event).type == name
    assert typing.get_type_hints(type(event))["type"] == typing.ClassVar[typing.Literal[name]]
    with pytest.raises((AttributeError, TypeError)):
        setattr(event, "type", "other")
    assert event.type == name


@pytest.mark.parametrize("event, name, fields", EVENTS)
def test_field_order_is_the_contract(event: Any, name: str, fields: str) -> None:
    assert " ".join(field.name for field in dataclasses.fields(event)) == fields
    assert " ".join(type(event).__match_args__) == fields


def test_the_union_is_the_fourteen_variants() -> None:
    assert set(typing.get_args(AnyProviderEvent)) == {type(event) for event, _, _ in EVENTS}
    assert len(typing.get_args(AnyProviderEvent)) == len(EVENTS) == 14
    defined = {cls.__name__ for cls in ProviderEvent.__subclasses__() if cls.__module__ == ProviderEvent.__module__}
    assert defined == {type(event).__name__ for event, _, _ in EVENTS}
    assert set(typing.get_args(TerminalEvent)) == {Done, Error, FallbackExhausted}


@each_event
def test_fields_may_be_given_by_name(event: Any) -> None:
    named = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    assert type(event)(**named) == event
    assert type(event)(*named.values()) == event


@each_event
def test_a_missing_or_superfluous_field_is_refused(event: Any) -> None:
    values = [getattr(event, field.name) for field in dataclasses.fields(event)]
    with pytest.raises(TypeError, match=type(event).__name__):
        type(event)(*values[:-1])
    with pytest.raises(TypeError, match=type(event).__name__):
        type(event)(*values, None)


def test_positional_patterns_follow_the_field_order() -> None:
    seen = []
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


def test_models_tried_is_a_tuple() -> None:
    models: Any = ["a", "b"]
    event = FallbackExhausted(models, "no luck")
    models.append("c")
    assert event.models_tried == ("a", "b")


# What every event can be asked


@each_event
def test_partial_is_the_message_as_of_the_event(event: ProviderEvent) -> None:
    match event:
        case Done():
            assert event.partial is event.message
        case Error():
            assert event.partial is event.error
        case FallbackStart() | FallbackExhausted():
            assert event.partial is None
        case _:
            assert event.partial is PARTIAL


@each_event
def test_the_questions_have_one_answer_each(event: ProviderEvent) -> None:
    assert event.is_done is (type(event) is Done)
    assert event.is_error is (type(event) is Error)
    assert event.is_fallback is (type(event) is FallbackStart)
    assert event.is_fallback_exhausted is (type(event) is FallbackExhausted)
    assert event.is_terminal is (type(event) in (Done, Error, FallbackExhausted))


@each_event
def test_repr_leaves_the_partial_out(event: Any) -> None:
    shown = [field.name for field in dataclasses.fields(event) if field.name != "partial"]
    said = ", ".join(f"{name}={getattr(event, name)!r}" for name in shown)
    assert repr(event) == f"{type(event).__name__}({said})"
    assert "partial=" not in repr(event)


# Immutable values


@each_event
def test_no_field_can_be_assigned_or_deleted(event: Any) -> None:
    for field in dataclasses.fields(event):
        before = getattr(event, field.name)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, field.name, before)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(event, field.name)
        assert getattr(event, field.name) is before


@each_event
def test_events_have_slots_and_nothing_can_be_added(event: Any) -> None:
    assert not hasattr(event, "__dict__")
    with pytest.raises((AttributeError, TypeError)):  # TypeError: dataclasses' own flaw with slots
        event.something_new = 1
    with pytest.raises(AttributeError, match="misspelt"):
        event.misspelt


@each_event
def test_every_field_counts_in_a_comparison(event: Any) -> None:
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        different = dataclasses.replace(value, model="x") if isinstance(value, AssistantMessage) else ("different",)
        assert dataclasses.replace(event, **{field.name: different}) != event, field.name


def test_same_fields_in_another_variant_are_another_event() -> None:
    assert TextDelta(0, "a", PARTIAL) != ThinkingDelta(0, "a", PARTIAL)
    assert TextStart(0, PARTIAL) != ThinkingStart(0, PARTIAL)


@each_event
def test_asdict_names_the_fields(event: Any) -> None:
    plain = dataclasses.asdict(event)
    assert list(plain) == [field.name for field in dataclasses.fields(event)]
    if not isinstance(event, (Done, Error, FallbackStart, FallbackExhausted)):
        assert plain["partial"] == dataclasses.asdict(PARTIAL)


# Sealed


def test_the_base_cannot_be_instantiated() -> None:
    with pytest.raises(TypeError, match="ProviderEvent"):
        ProviderEvent()


def test_the_base_cannot_be_subclassed_elsewhere() -> None:
    for module in ("another", "zoo"):
        with pytest.raises(TypeError, match="Mine .*sealed"):
            type("Mine", (ProviderEvent,), {"__module__": module})
    with pytest.raises(TypeError, match="sealed"):

        class Fifteenth(ProviderEvent):
            pass


@each_event
def test_a_variant_cannot_be_subclassed_elsewhere(event: ProviderEvent) -> None:
    with pytest.raises(TypeError, match="sealed"):
        type("Mine", (type(event),), {})


@each_event
def test_every_variant_is_a_provider_event(event: ProviderEvent) -> None:
    assert isinstance(event, ProviderEvent)
    assert type(event).__module__ == ProviderEvent.__module__
    assert type(event).__doc__


# Reasons


WORDS = "rate_limit context_overflow auth_error network_error server_error model_error circuit_breaker unknown"


def test_str_of_a_fallback_reason_is_its_word() -> None:
    assert [str(reason) for reason in FallbackReason] == WORDS.split()
    for reason in FallbackReason:
        assert str(reason) == reason == f"{reason}"
        assert FallbackReason(str(reason)) is reason
        assert reason.name == str(reason).upper()
