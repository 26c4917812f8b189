"""Messages and events, lazy or not, work with the libraries that agent frameworks use."""

from __future__ import annotations

import importlib
import io
import json
from typing import Annotated, Any, Union

import pytest
from support.fresh_values import (
    ARGUMENTS,
    CALL,
    VARIANTS,
    as_json,
    assert_same,
    every_event,
    every_message,
    every_value,
    plain,
    squeezed,
)

from provider_events import AnyProviderEvent, AssistantMessage, ToolCall

# The tests do not require these libraries; a test is skipped where its library is not installed.


@pytest.fixture
def pydantic() -> Any:
    return pytest.importorskip("pydantic", reason="pydantic is not installed")


@pytest.fixture
def cattrs() -> Any:
    return pytest.importorskip("cattrs", reason="cattrs is not installed")


@pytest.fixture
def orjson() -> Any:
    return pytest.importorskip("orjson", reason="orjson is not installed")


@pytest.fixture
def msgspec() -> Any:
    return pytest.importorskip("msgspec", reason="msgspec is not installed")


@pytest.fixture
def rich() -> Any:
    return pytest.importorskip("rich", reason="rich is not installed")


@pytest.fixture
def jsonschema() -> Any:
    return pytest.importorskip("jsonschema", reason="jsonschema is not installed")


@pytest.mark.filterwarnings("ignore:Default value {} is not JSON serializable")  # it is left out of the schema
@every_message
def test_pydantic_validates_and_dumps_a_message(pydantic: Any, make: Any, equal: Any) -> None:
    adapter = pydantic.TypeAdapter(AssistantMessage)
    assert adapter.validate_python(message := make()) is message
    assert json.loads(adapter.dump_json(make())) == plain(equal)
    assert_same(adapter.validate_json(adapter.dump_json(make())), equal)
    assert_same(adapter.validate_python(adapter.dump_python(make())), equal)
    assert list(adapter.json_schema()["properties"]) == list(plain(equal))


@every_message
def test_pydantic_models_have_messages_and_tool_calls_for_fields(pydantic: Any, make: Any, equal: Any) -> None:
    model = pydantic.create_model("Turn", message=AssistantMessage, call=ToolCall)
    turn = model(message=make(), call=make().content[4])
    assert_same(model.model_validate_json(turn.model_dump_json()).message, equal)
    assert_same(turn.model_copy(deep=True).call, CALL)


@every_event
def test_pydantic_takes_and_dumps_events(pydantic: Any, make: Any, equal: Any) -> None:
    adapter = pydantic.TypeAdapter(AnyProviderEvent)
    assert adapter.validate_python(event := make()) is event
    assert as_json(adapter.dump_python(make())) == plain(equal)
    assert_same(pydantic.TypeAdapter(type(equal)).validate_json(adapter.dump_json(make())), equal)


@every_event
def test_pydantic_reads_events_back_by_a_tag(pydantic: Any, make: Any, equal: Any) -> None:
    """Without one it cannot: the three deltas have the same fields, and so have two starts and two ends."""
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
def test_cattrs_unstructures_and_structures_a_message(cattrs: Any, make: Any, equal: Any) -> None:
    converter = importlib.import_module("cattrs.preconf.json").make_converter()
    assert as_json(cattrs.unstructure(make())) == plain(equal)
    assert_same(cattrs.structure(cattrs.unstructure(make()), AssistantMessage), equal)
    assert_same(converter.loads(converter.dumps(make()), AssistantMessage), equal)


@every_event
def test_cattrs_reads_events_back_by_a_tag(cattrs: Any, make: Any, equal: Any) -> None:
    converter = cattrs.Converter()
    with pytest.raises(TypeError, match="disambiguate"):
        converter.structure(converter.unstructure(make()), AnyProviderEvent)
    tag = importlib.import_module("cattrs.strategies").configure_tagged_union
    tag(AnyProviderEvent, converter, lambda variant: variant.type, "type")
    tagged = as_json(converter.unstructure(make(), AnyProviderEvent))
    assert tagged == {"type": equal.type, **plain(equal)}
    assert_same(converter.structure(tagged, AnyProviderEvent), equal)


@every_value
def test_orjson_encodes_the_fields(orjson: Any, make: Any, equal: Any) -> None:
    assert orjson.loads(orjson.dumps(make())) == plain(equal)


@every_value
def test_msgspec_encodes_the_fields(msgspec: Any, make: Any, equal: Any) -> None:
    for text in (msgspec.json.encode(make()), json.dumps(msgspec.to_builtins(make()))):
        fields = json.loads(text, object_hook=lambda x: {key: x[key] for key in x if key != "role"})  # a constant
        assert fields == plain(equal)


@every_message
def test_msgspec_reads_tool_calls_and_through_cattrs_messages(msgspec: Any, cattrs: Any, make: Any, equal: Any) -> None:
    assert_same(msgspec.json.decode(msgspec.json.encode(make().content[4]), type=ToolCall), CALL)
    with pytest.raises(TypeError, match="unions"):
        msgspec.json.decode(msgspec.json.encode(make()), type=AssistantMessage)
    converter = importlib.import_module("cattrs.preconf.msgspec").make_converter()
    assert_same(converter.loads(msgspec.json.encode(make()), AssistantMessage), equal)


@every_value
def test_rich_shows_what_repr_shows(rich: Any, make: Any, equal: Any) -> None:
    pretty = importlib.import_module("rich.pretty")
    assert pretty.pretty_repr(make(), max_width=10_000) == repr(equal)
    rich.print(make(), file=(file := io.StringIO()))
    assert squeezed(file.getvalue()) == squeezed(repr(equal))


@every_message
def test_jsonschema_validates_arguments(jsonschema: Any, make: Any, equal: Any) -> None:
    items = {"type": "array", "contains": {"type": "object", "required": ["none"]}, "uniqueItems": True}
    schema = {"type": "object", "properties": {"list": items}, "required": ["list"], "enum": [ARGUMENTS]}
    (call,) = make().tool_calls
    jsonschema.validate(call.arguments, schema)
    with pytest.raises(jsonschema.ValidationError, match="'missing' is a required property"):
        jsonschema.validate(call.arguments, {**schema, "required": ["missing"]})
