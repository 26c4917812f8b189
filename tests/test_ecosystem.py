"""Messages and events are at home among the tools that agent frameworks use, read or unread.

Each test begins with a fresh value: a snapshot whose first reader is the tool, or an equal one made by hand.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import io
import json
import pickle
import pprint
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Union, get_args

import pytest

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    ProviderEvent,
    StopReason,
    TerminalEvent,
    TextContent,
    TextDelta,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)

ARGUMENTS: dict[str, Any] = {"list": [1, 2.5, {"none": None}], "true": True, "text": "ü😀 1"}
CONTENT = (
    ThinkingContent("Hm."),
    TextContent("Hello, world.", None, ({"url": "https://a.example", "at": [0, 5]},)),
    ImageContent("aGk=", "image/png"),
    UnknownContent({"type": "server_tool_use", "input": {"q": ["x"]}}),
    ToolCall("call_1", "search", ARGUMENTS),
)
USAGE = Usage(1, 2, 3, 4, 10, 1, Cost(0.1, 0.2, 0.3, 0.4, 1.0))
MIDWAY = AssistantMessage("api", "provider", "model", CONTENT, USAGE, timestamp=1)
FINISHED = dataclasses.replace(MIDWAY, stop_reason=StopReason.TOOL_USE)


def building() -> MessageBuilder:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    builder.thinking_start()
    builder.thinking_delta("Hm.")
    builder.text_start()
    builder.text_delta("Hello, ")
    builder.text_delta("world.")
    builder.update_block(1, annotations=CONTENT[1].annotations)
    builder.add_block(CONTENT[2])
    builder.add_block(CONTENT[3])
    builder.update(usage=USAGE)
    builder.tool_call_start("call_1", "search")
    builder.tool_call_delta(json.dumps(ARGUMENTS)[:-2])
    return builder


def midway() -> AssistantMessage:
    """A snapshot in the middle of a tool call."""
    return building().partial


def finished() -> AssistantMessage:
    builder = building()
    builder.tool_call_delta('"}')
    for end in (builder.tool_call_end, builder.text_end, builder.thinking_end):
        end()
    builder.done(StopReason.TOOL_USE)
    return builder.partial


def an_event(variant: Any, message: AssistantMessage) -> Any:
    """An event of any variant, around a message where it has one."""
    fields = {
        **dict.fromkeys(["partial", "message", "error"], message),
        **{"content_index": 1, "delta": "world.", "content": "Hello, world.", "tool_call": CONTENT[4]},
        **{"tool_call_id": "call_1", "tool_name": None, "models_tried": ("a", "b"), "final_error": "no"},
        **{"from_model": "a", "to_model": "b"},
        "reason": FallbackReason.RATE_LIMIT if variant is FallbackStart else StopReason.TOOL_USE,
    }
    return variant(*[fields[name] for name in variant.__match_args__])


# What makes the value of a test, and the value made by hand that it equals.

Cases = dict[str, tuple[Any, Any]]
VARIANTS = get_args(AnyProviderEvent)
MESSAGES: Cases = {
    "unread, midway": (midway, MIDWAY),
    "unread, finished": (finished, FINISHED),
    "by hand, midway": (lambda: MIDWAY, MIDWAY),
    "by hand, finished": (lambda: FINISHED, FINISHED),
}
EVENTS: Cases = {
    **{f"unread, {cls.type}": (lambda cls=cls: an_event(cls, midway()), an_event(cls, MIDWAY)) for cls in VARIANTS},
    **{f"by hand, {cls.type}": (lambda cls=cls: an_event(cls, MIDWAY), an_event(cls, MIDWAY)) for cls in VARIANTS},
}
PARTS: Cases = {
    **{f"unread, {type(x).__name__}": (lambda n=n: midway().content[n], x) for n, x in enumerate(CONTENT)},
    **{f"by hand, {type(x).__name__}": (lambda x=x: x, x) for x in (*CONTENT, USAGE, USAGE.cost)},
}
VALUES = {**MESSAGES, **EVENTS, **PARTS}

every_message = pytest.mark.parametrize("make, equal", MESSAGES.values(), ids=MESSAGES)
every_event = pytest.mark.parametrize("make, equal", EVENTS.values(), ids=EVENTS)
every_value = pytest.mark.parametrize("make, equal", VALUES.values(), ids=VALUES)


def is_unread(message: Any) -> bool:
    return getattr(message, "_source", None) is not None


def assert_same(value: Any, equal: Any) -> None:
    assert type(value) is type(equal)
    assert value == equal
    assert hash(value) == hash(equal)


def plain(value: Any) -> Any:
    """A value as its JSON has it: the fields by name."""
    if dataclasses.is_dataclass(value):
        value = {name: getattr(value, name) for name in getattr(value, "__match_args__")}
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    return [plain(element) for element in value] if isinstance(value, (list, tuple)) else value


def as_json(value: object) -> Any:
    return json.loads(json.dumps(value))


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_what_is_called_unread_here_is_unread() -> None:
    assert is_unread(midway()) and is_unread(finished()) and not is_unread(MIDWAY)
    partials = [make().partial for make, _ in EVENTS.values()]
    assert [*map(is_unread, partials)] == [True] * 12 + [False] * 16


# The standard library


@every_value
def test_pickle_in_every_protocol(make: Any, equal: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert_same(pickle.loads(pickle.dumps(make(), protocol)), equal)


@every_value
def test_copy_and_deepcopy(make: Any, equal: Any) -> None:
    assert_same(copy.copy(make()), equal)
    assert_same(copy.deepcopy(make()), equal)


@every_value
def test_comparing_hashing_and_printing(make: Any, equal: Any) -> None:
    assert make() == equal and equal == make() and not make() != equal
    assert hash(make()) == hash(equal)
    assert repr(make()) == repr(equal)


@every_value
def test_dataclasses_fields_asdict_and_astuple(make: Any, equal: Any) -> None:
    value = make()
    assert_same(type(value)(**{field.name: getattr(value, field.name) for field in dataclasses.fields(value)}), equal)
    assert as_json(dataclasses.asdict(make())) == plain(equal)
    assert dataclasses.astuple(make()) == dataclasses.astuple(equal)


@every_value
@pytest.mark.parametrize("module", [dataclasses, copy], ids=["dataclasses", "copy"])
def test_replace_changes_a_copy(module: Any, make: Any, equal: Any) -> None:
    if not hasattr(module, "replace"):
        pytest.skip("copy.replace came with Python 3.13")
    value, name = make(), equal.__match_args__[0]
    other = module.replace(value, **{name: {"different": 1}})
    assert other != value == equal
    assert_same(module.replace(other, **{name: getattr(equal, name)}), equal)


@every_event
def test_functools_singledispatch(make: Any, equal: Any) -> None:
    kind = functools.singledispatch(lambda event: "no event")
    kind.register(ProviderEvent, lambda event: "event")
    kind.register(TextDelta, lambda event: "text")
    kind.register(TerminalEvent, lambda event: "ending")
    endings = dict.fromkeys(["done", "error", "fallback_exhausted"], "ending")
    assert kind(make()) == {"text_delta": "text", **endings}.get(equal.type, "event")


@every_value
def test_pprint_shows_what_repr_shows(make: Any, equal: Any) -> None:
    shown = pprint.pformat(make(), sort_dicts=False)
    assert squeezed(shown) == squeezed(repr(equal))
    assert ("\n" in shown) == (len(repr(equal)) > 80)


@every_message
def test_getsizeof_is_the_same_read_or_unread(make: Any, equal: Any) -> None:
    message, size = make(), sys.getsizeof(equal)
    assert sys.getsizeof(message) == size
    assert message == equal and sys.getsizeof(message) == size


@every_value
def test_weak_references_need_a_holder(make: Any, equal: Any) -> None:
    """A slot for them would be paid for with every delta."""

    @dataclasses.dataclass(frozen=True, slots=True, weakref_slot=True)
    class Holder:
        value: Any

    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(make())
    holder = Holder(make())
    assert weakref.ref(holder)() is holder and holder.value == equal


# Threads


@pytest.fixture
def eight_threads() -> Iterator[ThreadPoolExecutor]:
    """Eight threads that take turns all the time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            yield pool
    finally:
        sys.setswitchinterval(interval)


def test_eight_threads_may_read_while_the_builder_goes_on(eight_threads: ThreadPoolExecutor) -> None:
    builder = MessageBuilder(api="api", provider="provider", model="model", timestamp=1)
    builder.start()
    builder.text_start()
    builder.tool_call_start("id", "f")
    kept = [builder.tool_call_delta('{"a":"').partial]
    over = threading.Event()

    def read() -> None:
        for n in range(1_001):
            while n == len(kept) and not over.is_set():
                pass
            content = (TextContent("t" * n), ToolCall("id", "f", {"a": "x" * n}))
            assert kept[n].text == "t" * n
            assert kept[n] == AssistantMessage("api", "provider", "model", content, timestamp=1)

    readers = [eight_threads.submit(read) for _ in range(8)]
    try:
        for _ in range(1_000):
            builder.text_delta("t")
            kept.append(builder.tool_call_delta("x").partial)
    finally:
        over.set()
    assert [reader.exception() for reader in readers] == [None] * 8


def test_eight_threads_may_be_the_first_to_read_one_snapshot(eight_threads: ThreadPoolExecutor) -> None:
    def read(message: AssistantMessage, together: threading.Barrier) -> AssistantMessage:
        together.wait()
        return dataclasses.replace(message)

    for make, equal in [(midway, MIDWAY), (finished, FINISHED)] * 50:
        readers = [eight_threads.submit(read, *first) for first in [(make(), threading.Barrier(8))] * 8]
        assert [reader.result() for reader in readers] == [equal] * 8


# Other libraries


@every_message
def test_pydantic_validates_and_dumps_a_message(make: Any, equal: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(AssistantMessage)
    assert adapter.validate_python(message := make()) is message
    assert json.loads(adapter.dump_json(make())) == plain(equal)
    assert_same(adapter.validate_json(adapter.dump_json(make())), equal)
    assert_same(adapter.validate_python(adapter.dump_python(make())), equal)
    assert list(adapter.json_schema()["properties"]) == list(plain(equal))


@every_message
def test_pydantic_models_have_messages_and_tool_calls_for_fields(make: Any, equal: Any) -> None:
    model = pytest.importorskip("pydantic").create_model("Turn", message=AssistantMessage, call=ToolCall)
    turn = model(message=make(), call=make().content[4])
    assert_same(model.model_validate_json(turn.model_dump_json()).message, equal)
    assert_same(turn.model_copy(deep=True).call, equal.content[4])


@every_event
def test_pydantic_takes_and_dumps_events(make: Any, equal: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(AnyProviderEvent)
    assert adapter.validate_python(event := make()) is event
    assert as_json(adapter.dump_python(make())) == plain(equal)
    assert_same(pydantic.TypeAdapter(type(equal)).validate_json(adapter.dump_json(make())), equal)


@every_event
def test_pydantic_reads_events_back_by_a_tag(make: Any, equal: Any) -> None:
    """Without one it cannot: the three deltas have the same fields, and so have two starts and two ends."""
    pydantic = pytest.importorskip("pydantic")
    untagged = pydantic.TypeAdapter(AnyProviderEvent)
    guess = untagged.validate_json(untagged.dump_json(make())).type
    assert guess == equal.type.replace("thinking", "text").replace("toolcall_delta", "text_delta")

    tag = pydantic.Discriminator(lambda event: event["type"] if isinstance(event, dict) else event.type)
    dump = pydantic.WrapSerializer(lambda event, fields: {"type": event.type, **fields(event)})
    variants: Any = Union[tuple(Annotated[cls, pydantic.Tag(cls.type)] for cls in VARIANTS)]
    tagged = pydantic.TypeAdapter(Annotated[variants, tag, dump])
    assert json.loads(tagged.dump_json(make())) == {"type": equal.type, **plain(equal)}
    assert_same(tagged.validate_json(tagged.dump_json(make())), equal)


@every_message
def test_cattrs_unstructures_and_structures_a_message(make: Any, equal: Any) -> None:
    cattrs = pytest.importorskip("cattrs")
    converter = pytest.importorskip("cattrs.preconf.json").make_converter()
    assert as_json(cattrs.unstructure(make())) == plain(equal)
    assert_same(cattrs.structure(cattrs.unstructure(make()), AssistantMessage), equal)
    assert_same(converter.loads(converter.dumps(make()), AssistantMessage), equal)


@every_event
def test_cattrs_reads_events_back_by_a_tag(make: Any, equal: Any) -> None:
    converter = pytest.importorskip("cattrs").Converter()
    with pytest.raises(TypeError, match="disambiguate"):
        converter.structure(converter.unstructure(make()), AnyProviderEvent)
    tag = pytest.importorskip("cattrs.strategies").configure_tagged_union
    tag(AnyProviderEvent, converter, lambda variant: variant.type, "type")
    tagged = as_json(converter.unstructure(make(), AnyProviderEvent))
    assert tagged == {"type": equal.type, **plain(equal)}
    assert_same(converter.structure(tagged, AnyProviderEvent), equal)


@every_value
def test_orjson_encodes_the_fields(make: Any, equal: Any) -> None:
    orjson = pytest.importorskip("orjson")
    assert orjson.loads(orjson.dumps(make())) == plain(equal)


@every_value
def test_msgspec_encodes_the_fields(make: Any, equal: Any) -> None:
    msgspec = pytest.importorskip("msgspec")
    for text in (msgspec.json.encode(make()), json.dumps(msgspec.to_builtins(make()))):
        fields = json.loads(text, object_hook=lambda x: {key: x[key] for key in x if key != "role"})  # a constant
        assert fields == plain(equal)


@every_message
def test_msgspec_reads_tool_calls_and_through_cattrs_messages(make: Any, equal: Any) -> None:
    msgspec = pytest.importorskip("msgspec")
    assert_same(msgspec.json.decode(msgspec.json.encode(make().content[4]), type=ToolCall), equal.content[4])
    with pytest.raises(TypeError, match="unions"):
        msgspec.json.decode(msgspec.json.encode(make()), type=AssistantMessage)
    converter = pytest.importorskip("cattrs.preconf.msgspec").make_converter()
    assert_same(converter.loads(msgspec.json.encode(make()), AssistantMessage), equal)


@every_value
def test_rich_shows_what_repr_shows(make: Any, equal: Any) -> None:
    rich = pytest.importorskip("rich")
    pretty = pytest.importorskip("rich.pretty")
    assert pretty.pretty_repr(make(), max_width=10_000) == repr(equal)
    rich.print(make(), file=(file := io.StringIO()))
    assert squeezed(file.getvalue()) == squeezed(repr(equal))


@every_message
def test_jsonschema_takes_arguments_for_objects_and_arrays(make: Any, equal: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    items = {"type": "array", "contains": {"type": "object", "required": ["none"]}, "uniqueItems": True}
    schema = {"type": "object", "properties": {"list": items}, "required": ["list"], "enum": [ARGUMENTS]}
    (call,) = make().tool_calls
    jsonschema.validate(call.arguments, schema)
    with pytest.raises(jsonschema.ValidationError, match="'missing' is a required property"):
        jsonschema.validate(call.arguments, {**schema, "required": ["missing"]})
