"""What else a new variant, kind of block, field or format needs: a test fails for each place that lacks it.

Where the package branches on a union, mypy finds what was forgotten: `test_typing.py`. What it looks up in a table is
tested here, or beside the table's module (`test_wire.py`, `test_jsonl.py`, `test_streams.py`).
"""

from __future__ import annotations

import importlib
import typing
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest
from support.checkers import PACKAGE, TESTS

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    ContentBlock,
    MessageBuilder,
    MessageEvent,
    UnknownContent,
    builder,
    decoders,
)
from provider_events import _fields as builder_fields
from provider_events._grammar import BLOCK_EVENTS, EVENTLESS, KIND_OF, PHASES, EventlessContent, StreamedContent
from provider_events._headers import STREAMED
from provider_events._lazy import Lazy
from provider_events.builder import BlockFields, MessageFields
from provider_events.decoders import APIS, Decoder, _decoder, _driver

DECODERS = [vars(decoders)[name] for name in decoders.__all__ if name.endswith("Decoder") and name != "Decoder"]


def names(cls: Any) -> set[str]:
    return {field.name for field in fields(cls)}


# Variants


def test_every_variant_is_in_the_grammar() -> None:
    assert {event for phase in PHASES.values() for event in phase} == {*get_args(AnyProviderEvent)}


def test_every_variant_with_a_content_index_belongs_to_a_kind_of_block() -> None:
    assert {*KIND_OF} == {cls for cls in get_args(AnyProviderEvent) if "content_index" in names(cls)}


def test_the_builder_has_a_method_for_every_event_of_a_message() -> None:
    assert {*builder._CALLS} == {*get_args(MessageEvent)}
    for event, method in builder._CALLS.items():
        assert get_type_hints(getattr(MessageBuilder, method))["return"] is event


# Kinds of block


def test_every_kind_of_block_has_events_or_is_known_to_have_none() -> None:
    streamed, eventless = {*get_args(StreamedContent)}, {*get_args(EventlessContent)}
    assert not streamed & eventless
    assert streamed | eventless == {*get_args(ContentBlock)}
    assert {*BLOCK_EVENTS} == streamed
    assert {*EVENTLESS} == eventless


def test_every_kind_that_streams_is_lazy_and_names_the_field_that_streams() -> None:
    assert {*STREAMED} == {*get_args(StreamedContent), AssistantMessage}
    for cls, name in STREAMED.items():
        assert issubclass(cls, Lazy) and name in names(cls)


def test_decoders_know_the_signature_of_every_kind_that_streams() -> None:
    assert {*_decoder._SIGNATURES} == {*get_args(StreamedContent)}
    for cls, name in _decoder._SIGNATURES.items():
        assert name in names(cls)


# Fields


def test_every_field_of_a_message_can_be_updated_unless_the_stream_itself_gives_it() -> None:
    given = {"content", "stop_reason", "error_message"}
    assert {*MessageFields.__annotations__} == names(AssistantMessage) - given


def test_every_field_of_a_block_can_be_updated_unless_its_events_give_it() -> None:
    kinds = [*get_args(StreamedContent), UnknownContent]
    given = {*STREAMED.values(), "invalid_arguments"}
    assert {*BlockFields.__annotations__} == set().union(*map(names, kinds)) - given


def test_the_type_of_every_field_that_can_be_updated_is_checked() -> None:
    known = {**get_type_hints(MessageFields), **get_type_hints(BlockFields)}
    assert builder_fields._FIELD_TYPES.keys() == known.keys()
    for name, hint in known.items():
        kinds = get_args(hint) if type(None) in get_args(hint) else (hint,)
        expected = {typing.get_origin(kind) or kind for kind in kinds}
        assert {*builder_fields._FIELD_TYPES[name]} == expected, name


# Formats


def test_every_format_has_a_decoder_that_is_public() -> None:
    for path in (PACKAGE / "decoders").glob("[a-z]*.py"):
        offered = importlib.import_module(f"provider_events.decoders.{path.stem}").__all__
        assert {*offered} <= {*decoders.__all__}, path.name
    assert {kind.api: kind for kind in DECODERS} == _driver._DECODERS
    assert {*APIS} == {*_driver._DECODERS}


@pytest.mark.parametrize("kind", DECODERS, ids=lambda kind: kind.api)
def test_every_decoder_is_complete_and_documented(kind: type[Decoder]) -> None:
    assert kind.api and kind.default_provider and kind.__doc__
    assert kind.recognizes is not Decoder.recognizes
    assert kind._read is not Decoder._read
    assert f"`{kind.api}`" in (TESTS.parent / "README.md").read_text("utf-8")
