"""Bedrock's ConverseStream: what each event gives, and when; chunks as boto3 yields them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from support.bedrock import (
    API,
    END,
    HI,
    START,
    arguments,
    begin,
    call,
    content,
    decoded,
    delta,
    end,
    final,
    metadata,
    reasoning,
    stop,
)
from support.decoding import types_by_chunk

from provider_events import (
    Error,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)
from provider_events.decoders import BedrockDecoder, decode

# Text


def test_text() -> None:
    message = final(*HI, end(0), *END)
    assert message.content == (TextContent("Hi"),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "end_turn")
    assert (message.api, message.provider, message.model, message.timestamp) == (API, "amazon-bedrock", "", 0)


def test_text_begins_with_its_first_delta_and_ends_at_its_stop() -> None:
    assert types_by_chunk(BedrockDecoder, [START, begin(0, text=""), *HI, end(0), *END]) == [
        ["start"], [], ["text_start", "text_delta"], ["text_delta"], ["text_end"], [], ["done"], []
    ]  # fmt: skip


def test_text_ends_where_a_picture_begins_at_its_index() -> None:
    picture = delta(0, image={"format": "png", "source": {"bytes": "aGk="}})
    assert types_by_chunk(BedrockDecoder, [START, *HI, picture, end(0), *END])[3:6] == [["text_end"], [], []]


@pytest.mark.parametrize(
    "start", [{}, {"text": ""}, {"reasoningContent": {}}, {"toolUse": {}}, {"text": None, "toolUse": None}]
)
def test_an_empty_start_begins_nothing(start: Any) -> None:
    assert content(begin(0, **start), *HI, end(0)) == (TextContent("Hi"),)


def test_an_empty_delta_begins_and_ends_nothing() -> None:
    empty = (
        delta(0, text=""),
        reasoning(0, text=""),
        reasoning(0, signature=""),
        arguments(0, ""),
        delta(0),
        delta(0, text=None),
    )
    assert content(*empty, *HI, *empty, end(0)) == (TextContent("Hi"),)
    assert content(delta(0, hologram={}), begin(0, hologram={}), *HI) == (TextContent("Hi"),)


def test_a_start_may_have_the_whole_text() -> None:
    assert content(begin(0, text="Hi"), end(0)) == (TextContent("Hi"),)


def test_text_behind_the_stop_at_its_index_is_another_block() -> None:
    assert content(*HI, end(0), delta(0, text="You"), end(0)) == (TextContent("Hi"), TextContent("You"))


def test_citations_are_annotations() -> None:
    first: Any = {"title": "Paper", "location": {"documentPage": {"documentIndex": 0}}}
    second: Any = {"location": {"web": {"url": "https://example.org"}}}
    chunks = delta(0, citation=first), *HI, delta(0, citation=second), end(0)
    assert content(*chunks) == (TextContent("Hi", annotations=(first, second)),)


def test_halves_of_a_character_in_two_deltas_are_one() -> None:
    assert content(delta(0, text="a\ud83d"), delta(0, text="\ude00"), end(0)) == (TextContent("a😀"),)


# Reasoning


def test_reasoning_with_its_signature_then_text() -> None:
    chunks = (
        reasoning(0, text="H"),
        reasoning(0, text="m"),
        reasoning(0, signature="c2ln"),
        end(0),
        delta(1, text="Hi"),
        end(1),
    )
    assert content(*chunks) == (ThinkingContent("Hm", "c2ln"), TextContent("Hi"))


def test_parts_of_a_signature_are_joined() -> None:
    assert content(reasoning(0, text="Hm"), reasoning(0, signature="ab"), reasoning(0, signature="cd")) == (
        ThinkingContent("Hm", "abcd"),
    )


@pytest.mark.parametrize("payload", [b"opaque", bytearray(b"opaque"), memoryview(b"opaque"), "b3BhcXVl"])
def test_redacted_reasoning_as_bytes_or_as_base64(payload: Any) -> None:
    assert content(reasoning(0, redactedContent=payload), end(0)) == (ThinkingContent("", "b3BhcXVl", redacted=True),)


@pytest.mark.parametrize("parts", [[b"o", b"paque"], ["bw==", "cGFxdWU="], ["b3B", "hcXVl"], [b"opa", "cXVl"]])
def test_parts_of_redacted_reasoning_are_joined_as_bytes(parts: list[Any]) -> None:
    chunks = [reasoning(0, redactedContent=part) for part in parts]
    assert content(*chunks, end(0)) == (ThinkingContent("", "b3BhcXVl", redacted=True),)


def test_what_came_of_redacted_reasoning_is_kept_at_a_cut() -> None:
    message = final(reasoning(0, redactedContent=b"opaque"))
    assert (message.content, message.stop_reason) == (
        (ThinkingContent("", "b3BhcXVl", redacted=True),),
        StopReason.ERROR,
    )


def test_redacted_reasoning_shows_as_redacted_at_once() -> None:
    events = decoded(reasoning(0, redactedContent=b"a"), delta(1, text="Hi"))
    assert [block for event in events[2:3] for block in event.partial.content[:1]] == [
        ThinkingContent("", redacted=True)
    ]


def test_reasoning_is_redacted_or_not_but_never_both_in_one_block() -> None:
    shown, hidden = reasoning(0, text="Hm"), reasoning(0, redactedContent=b"opaque")
    assert content(shown, hidden, end(0)) == (ThinkingContent("Hm"), ThinkingContent("", "b3BhcXVl", redacted=True))
    assert content(hidden, shown, end(0)) == (ThinkingContent("", "b3BhcXVl", redacted=True), ThinkingContent("Hm"))
    unnumbered = reasoning(None, text="Hm"), reasoning(None, redactedContent=b"opaque")
    assert types_by_chunk(BedrockDecoder, unnumbered)[1] == ["thinking_end", "thinking_start"]
    signed = reasoning(0, signature="s"), hidden
    assert content(*signed, end(0)) == (ThinkingContent("", "s"), ThinkingContent("", "b3BhcXVl", redacted=True))


def test_unknown_fields_of_reasoning_are_details_of_its_block() -> None:
    (block,) = content(reasoning(0, text="Hm"), reasoning(0, effort="hi"), reasoning(0, effort="gh"), end(0))
    assert block == ThinkingContent("Hm", provider_details={"effort": "high"})


# Tool calls


def test_a_tool_call() -> None:
    chunks = call(0, "tooluse_1", "f"), arguments(0, '{"a"'), arguments(0, ": 1}"), end(0), stop("tool_use"), metadata()
    message = final(*chunks)
    assert message.content == (ToolCall("tooluse_1", "f", {"a": 1}),)
    assert message.stop_reason is StopReason.TOOL_USE
    assert types_by_chunk(BedrockDecoder, [START, *chunks]) == [
        ["start"], ["toolcall_start"], ["toolcall_delta"], ["toolcall_delta"], ["toolcall_end"], [], ["done"], []
    ]  # fmt: skip


@pytest.mark.parametrize("deltas", [[], [""], ["{}"], [None]])
def test_a_tool_call_without_arguments(deltas: list[Any]) -> None:
    assert content(call(0, "t", "f"), *(arguments(0, text) for text in deltas), end(0)) == (ToolCall("t", "f", {}),)


@pytest.mark.parametrize("given", [{"a": 1}, '{"a": 1}'])
def test_arguments_may_be_an_object_and_may_come_with_the_start(given: Any) -> None:
    assert content(call(0, "t", "f", input=given), end(0)) == (ToolCall("t", "f", {"a": 1}),)
    assert content(call(0, "t", "f", input={}), arguments(0, given), end(0)) == (ToolCall("t", "f", {"a": 1}),)


def test_arguments_that_are_no_json_are_kept_as_they_came() -> None:
    message = final(call(0, "t", "f"), arguments(0, '{"a'), end(0), stop("max_tokens"))
    assert message.content == (ToolCall("t", "f", {}, invalid_arguments='{"a'),)
    assert message.stop_reason is StopReason.LENGTH


def test_two_calls_interleaved() -> None:
    chunks = [
        call(0, "t1", "f"),
        call(1, "t2", "g"),
        arguments(0, '{"a"'),
        arguments(1, '{"b"'),
        arguments(0, ":1}"),
        arguments(1, ":2}"),
    ]
    assert content(*chunks, end(1), end(0)) == (ToolCall("t1", "f", {"a": 1}), ToolCall("t2", "g", {"b": 2}))


@pytest.mark.parametrize("last", [[end(1)], []])
def test_a_call_that_comes_twice_is_one(last: list[Any]) -> None:
    first = call(0, "t", "f"), arguments(0, '{"a": 1}'), end(0)
    only = (ToolCall("t", "f", {"a": 1}),)
    assert content(*first, call(1, "t", "f"), arguments(1, '{"a"'), arguments(1, ":1}"), *last) == only
    assert content(*first, call(1, "t", "f", input={"a": 1}), *last) == only
    assert content(*first, *first) == only
    one, two = content(*first, call(1, "t", "f"), arguments(1, '{"a": 2}'), *last)
    assert (one, two.arguments, two.provider_details) == (*only, {"a": 2}, {"id": "t"})
    assert len(content(*first, call(1, "t", "g", input={"a": 1}), *last)) == 2
    assert len(content(*first, call(1, "u", "f", input={"a": 1}), *last)) == 2


def test_arguments_of_a_call_that_comes_twice_go_to_no_other_call() -> None:
    chunks = call(0, "t", "f"), arguments(0, '{"a": 1}'), end(0), call(2, "u", "g"), call(1, "t", "f")
    again = arguments(1, '{"a": 1}'), end(1), arguments(2, '{"b": 2}'), end(2)
    assert content(*chunks, *again) == (ToolCall("t", "f", {"a": 1}), ToolCall("u", "g", {"b": 2}))


def test_a_call_with_a_known_id_shows_at_its_stop() -> None:
    chunks = call(0, "t", "f"), arguments(0, "{}"), end(0), call(1, "t", "f"), arguments(1, '{"b": 2}'), end(1)
    assert types_by_chunk(BedrockDecoder, chunks)[-4:-1] == [
        [],
        [],
        ["toolcall_start", "toolcall_delta", "toolcall_end"],
    ]


def test_a_repeated_start_of_a_call_is_a_repetition_and_another_id_is_another_call() -> None:
    one, part, rest = call(0, "t1", "f"), arguments(0, '{"a"'), arguments(0, ":1}")
    assert content(one, part, one, rest, end(0)) == (ToolCall("t1", "f", {"a": 1}),)
    two = call(0, "t2", "f")
    assert content(one, part, rest, two, part, rest, end(0)) == (
        ToolCall("t1", "f", {"a": 1}),
        ToolCall("t2", "f", {"a": 1}),
    )


def test_a_delta_that_names_its_call_begins_it() -> None:
    named = delta(0, toolUse={"toolUseId": "t", "name": "f", "input": '{"a"'})
    assert content(named, arguments(0, ":1}"), end(0)) == (ToolCall("t", "f", {"a": 1}),)
    (call,) = content(delta(0, toolUse={"name": "f", "input": "{}"}), end(0))
    assert (call.name, call.arguments) == ("f", {}) and call.id
    assert content(delta(0, toolUse={"toolUseId": "t", "input": "{}"}), end(0)) == (ToolCall("t", "", {}),)


def test_further_fields_of_a_call_are_details_of_it() -> None:
    assert content(call(0, "t", "f", caller="x"), end(0)) == (ToolCall("t", "f", {}, provider_details={"caller": "x"}),)
    deltas = delta(0, toolUse={"input": "{", "note": "a"}), delta(0, toolUse={"input": "}", "note": "b"})
    (found,) = content(call(0, "t", "f", caller="x"), call(0, "t", "f", caller="x", mark=7), *deltas, end(0))
    assert found.provider_details == {"caller": "x", "mark": 7, "note": "ab"}


# Whose delta it is


def test_the_start_of_a_call_at_the_index_of_open_text_ends_the_text() -> None:
    assert content(*HI, call(0, "t", "f"), arguments(0, "{}"), end(0)) == (TextContent("Hi"), ToolCall("t", "f", {}))


def test_a_change_of_kind_at_an_index_ends_one_block_and_begins_the_next() -> None:
    assert content(reasoning(0, text="Hm"), *HI, reasoning(0, text="Oh"), end(0)) == (
        ThinkingContent("Hm"),
        TextContent("Hi"),
        ThinkingContent("Oh"),
    )


def test_without_stops_a_new_index_begins_a_block_where_another_block_has_begun_since() -> None:
    chunks = *HI, call(1, "t", "f"), arguments(1, "{}"), delta(2, text="Bye")
    assert content(*chunks) == (TextContent("Hi"), ToolCall("t", "f", {}), TextContent("Bye"))


def test_two_open_blocks_of_a_kind_are_told_apart_by_their_index() -> None:
    chunks = (
        reasoning(0, text="a"),
        call(1, "t", "f"),
        reasoning(2, text="b"),
        reasoning(0, text="A"),
        reasoning(2, text="B"),
    )
    assert content(*chunks) == (ThinkingContent("aA"), ToolCall("t", "f", {}), ThinkingContent("bB"))


def test_an_index_that_only_counts_deltas_does_not_split_the_text() -> None:
    assert content(delta(0, text="H"), delta(1, text="i"), delta(2, text="!")) == (TextContent("Hi!"),)


def test_without_any_index_a_stop_ends_what_is_open() -> None:
    one = call(None, "t1", "f"), arguments(None, '{"a":1}'), end(None)
    two = call(None, "t2", "g"), arguments(None, '{"b":2}'), end(None)
    text = delta(None, text="Hi"), delta(None, text="!"), end(None)
    assert content(*text, *one, *two) == (
        TextContent("Hi!"),
        ToolCall("t1", "f", {"a": 1}),
        ToolCall("t2", "g", {"b": 2}),
    )


def test_without_any_index_a_change_of_kind_ends_what_is_open() -> None:
    chunks = reasoning(None, text="Hm"), delta(None, text="Hi"), reasoning(None, text="Oh")
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"), ThinkingContent("Oh"))
    text, *_, unknown = content(delta(None, text="Hi"), begin(5, hologram={"depth": 3}), delta(None, text="!"))
    assert (text, type(unknown)) == (TextContent("Hi!"), UnknownContent)


def test_an_index_may_be_text() -> None:
    as_text: Any = "0"
    assert content(
        call(as_text, "t", "f"), call(1, "u", "g"), arguments(0, '{"a":1}'), end(as_text), delta(0, text="Hi")
    ) == (
        ToolCall("t", "f", {"a": 1}),
        ToolCall("u", "g", {}),
        TextContent("Hi"),
    )


def test_arguments_of_no_call_are_kept_as_unknown_content() -> None:
    assert content(*HI, arguments(0, "{}"), end(0)) == (
        TextContent("Hi", provider_details={"toolUse": {"input": "{}"}}),
    )
    assert content(arguments(0, '{"a"'), arguments(0, ":1}"), end(0)) == (
        UnknownContent({"toolUse": {"input": {"a": 1}}}),
    )


def test_an_unknown_field_of_an_event_is_a_detail_of_its_block_or_of_the_message() -> None:
    marked = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "!"}, "mark": 7, "p": "abc"}}
    late = {"contentBlockStop": {"contentBlockIndex": 9, "mark": 8}}
    start = {"contentBlockStart": {"contentBlockIndex": 9, "start": {"text": ""}, "note": 9}}
    message = final(start, *HI, marked, end(0), late, *END)
    assert not {"start", "delta", "p", "contentBlockIndex"} & {*message.provider_details}
    assert message.provider_details["note"] == 9
    assert message.content == (TextContent("Hi!", provider_details={"mark": 7}),)
    assert message.provider_details["mark"] == 8


# How the stream ends, and other ways to send it, are in test_bedrock_message.py.


@pytest.mark.parametrize(
    ("chunk", "path"),
    [
        (delta(0, text=1), "delta.text"),
        ({"contentBlockDelta": [1]}, "contentBlockDelta"),
        ({"contentBlockStop": 1}, "contentBlockStop"),
        ({"contentBlockDelta": {"delta": 1}}, "delta"),
        ({"contentBlockStart": {"start": 1}}, "start"),
        (delta(0, toolUse=1), "delta.toolUse"),
        (delta(0, reasoningContent=1), "delta.reasoningContent"),
        (reasoning(0, text=1), "delta.reasoningContent.text"),
        (delta(0, citationsContent={"content": [{"text": 1}]}), "citationsContent.text"),
        ({"output": 1}, "output"),
        ({"output": {"message": 1}}, "output.message"),
        ({"output": {"message": {"content": 1}}}, "output.message.content"),
        ({"output": {"message": {"content": [1]}}}, "output.message.content[]"),
    ],
)
def test_what_is_of_another_type_is_an_error_that_says_where_it_was(chunk: Any, path: str) -> None:
    last = decoded(*HI, chunk)[-1]
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert f"malformed chunk: {path}: expected" in str(last.error.error_message)


def test_the_same_as_dicts_and_as_payload_texts() -> None:
    chunks = [START, reasoning(0, redactedContent=b64encode(b"x").decode()), end(0), *HI, end(0), *END]
    assert list(decode(chunks)) == list(decode(map(json.dumps, chunks)))
