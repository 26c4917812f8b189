"""Cohere's v2 chat: what each event gives, and when."""

from __future__ import annotations

from typing import Any

import pytest
from support.cohere import (
    API,
    HI,
    PLAN,
    START,
    arguments,
    begin,
    call,
    call_end,
    citation,
    content,
    delta,
    end,
    event,
    final,
    message_end,
    plan,
)
from support.decoding import types_by_chunk

from provider_events import (
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)
from provider_events.decoders import CohereDecoder

# Text and thinking


def test_thinking_then_text() -> None:
    chunks = (
        begin(0, "thinking", thinking=""),
        delta(0, thinking="Hm"),
        end(0),
        begin(1, "text", text=""),
        delta(1, text="Hi"),
        end(1),
    )
    message = final(*chunks, message_end())
    assert message.content == (ThinkingContent("Hm"), TextContent("Hi"))
    assert (message.api, message.provider, message.model, message.response_id) == (API, "cohere", "", "c_1")
    assert types_by_chunk(CohereDecoder, [START, *chunks, message_end()]) == [
        ["start"], ["thinking_start"], ["thinking_delta"], ["thinking_end"],
        ["text_start"], ["text_delta"], [], ["text_end", "done"], []
    ]  # fmt: skip


def test_a_start_may_have_the_whole_content() -> None:
    chunks = begin(0, "thinking", thinking="Hm"), end(0), begin(1, "text", text="H"), delta(1, text="i"), end(1)
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"))


def test_a_repeated_start_is_a_repetition_unless_it_has_content() -> None:
    assert content(*HI[:3], HI[0], delta(0, text="!")) == (TextContent("Hi!"),)
    assert content(*HI[:3], begin(0, "text", text="You")) == (TextContent("Hi"), TextContent("You"))


def test_a_repeated_start_of_thinking_is_a_repetition_unless_it_has_content() -> None:
    start, thought = begin(0, "thinking", thinking=""), delta(0, thinking="Hm")
    assert content(start, thought, start, thought) == (ThinkingContent("HmHm"),)
    again = begin(0, "thinking", thinking="Oh")
    assert content(start, thought, again) == (ThinkingContent("Hm"), ThinkingContent("Oh"))


def test_deltas_without_a_start_begin_a_block_and_a_change_of_kind_begins_the_next() -> None:
    chunks = delta(0, thinking="Hm"), delta(0, text="H"), delta(0, text="i"), delta(0, thinking="Oh")
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"), ThinkingContent("Oh"))
    assert content(delta(None, text="H"), delta(None, text="i")) == (TextContent("Hi"),)


def test_an_empty_delta_begins_nothing() -> None:
    empty = (
        delta(0),
        delta(0, text=""),
        delta(0, text=None),
        event("content-delta", 0),
        event("content-start", 0),
        {"type": "content-delta"},
    )
    assert content(*empty, *HI[1:]) == (TextContent("Hi"),)


def test_two_texts() -> None:
    assert content(*HI, begin(1, "text"), delta(1, text="You"), end(1)) == (TextContent("Hi"), TextContent("You"))


def test_content_of_the_future_is_unknown_content_and_grows() -> None:
    chunks = begin(0, "hologram", depth=3), delta(0, note="a"), delta(0, note="b")
    expected = UnknownContent({"type": "hologram", "depth": 3, "note": "ab"})
    assert content(*chunks, end(0), begin(0, "text", text="Hi")) == (expected, TextContent("Hi"))
    assert content(*chunks) == final(*chunks).content == (expected,)
    assert content(*chunks, begin(0, "text"), delta(0, text="Hi")) == (expected, TextContent("Hi"))


def test_log_probabilities_and_unknown_fields_are_details_of_the_block() -> None:
    one, two = {"token_ids": [1], "logprobs": [-0.5]}, {"token_ids": [2], "logprobs": [-0.25]}
    chunks = HI[0], {**HI[1], "logprobs": one}, {**HI[2], "logprobs": two, "mark": 7}, delta(0, text="!", tone="x")
    assert content(*chunks) == (TextContent("Hi!", provider_details={"logprobs": [one, two], "mark": 7, "tone": "x"}),)


def test_a_delta_without_its_usual_fields_is_kept_in_the_details() -> None:
    chunks = {"type": "content-delta", "index": 0, "delta": {"tone": "x"}}, event("content-delta", 0, mood="y")
    assert content(*HI, *chunks) == (TextContent("Hi", provider_details={"tone": "x", "mood": "y"}),)


def test_unknown_fields_of_a_call_event_are_details_of_the_call_not_of_the_content_at_its_index() -> None:
    marked = {**call(0), "mark": 7}
    text, found = content(HI[0], HI[1], marked, arguments(0, "{}"))
    assert (text.provider_details, found.provider_details) == ({}, {"mark": 7})


# Citations


def test_citations_are_annotations_of_the_latest_text_even_behind_its_end() -> None:
    cited: Any = {"text": "Hi", "start": 0, "sources": [{"id": "d"}]}
    end_of_citation = {"type": "citation-end", "index": 0}
    for chunks in ([*HI[:3], citation(**cited), end_of_citation, end(0)], [*HI, citation(**cited), end_of_citation]):
        assert content(*chunks) == (TextContent("Hi", annotations=(cited,)),)


def test_a_citation_belongs_to_the_content_that_it_names() -> None:
    two = *HI, begin(1, "text", text="Hi"), end(1)
    assert [len(block.annotations) for block in content(*two, citation(content_index=0), citation())] == [1, 1]


def test_a_citation_of_what_is_no_text_is_a_detail() -> None:
    thinking = begin(0, "thinking", thinking="Hm")
    (found,) = content(thinking, citation(content_index=0), end(0))
    assert found.provider_details == {"citations": [{"text": "Hi", "content_index": 0}]}
    assert final(thinking, end(0), citation(), citation(), message_end()).provider_details == {
        "citations": [{"text": "Hi"}] * 2
    }


# Tools


def test_a_tool_plan_is_thinking_and_a_call_ends_it() -> None:
    chunks = plan("I "), plan("will"), call(0), arguments(0, '{"a"'), arguments(0, ": 1}"), call_end(0)
    message = final(*chunks, message_end("TOOL_CALL"))
    assert message.content == (ThinkingContent("I will", provider_details=PLAN), ToolCall("t", "f", {"a": 1}))
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "TOOL_CALL")
    assert types_by_chunk(CohereDecoder, [START, *chunks])[1:-1] == [
        ["thinking_start", "thinking_delta"], ["thinking_delta"], ["thinking_end", "toolcall_start"],
        ["toolcall_delta"], ["toolcall_delta"], ["toolcall_end"],
    ]  # fmt: skip


def test_a_tool_plan_is_a_block_of_its_own() -> None:
    assert content(delta(0, thinking="Hm"), plan("I will"), delta(0, thinking="m")) == (
        ThinkingContent("Hmm"),
        ThinkingContent("I will", provider_details=PLAN),
    )
    assert content(plan("I will"), delta(0, thinking="Hm")) == (
        ThinkingContent("I will", provider_details=PLAN),
        ThinkingContent("Hm"),
    )
    assert content(plan(""), plan("I will"), *HI, plan("Oh"))[1:] == (
        TextContent("Hi"),
        ThinkingContent("Oh", provider_details=PLAN),
    )


def test_calls_are_counted_apart_from_content() -> None:
    assert content(*HI[:3], call(0), arguments(0, "{}"), delta(0, text="!"), call_end(0)) == (
        TextContent("Hi!"),
        ToolCall("t", "f", {}),
    )


def test_two_calls_interleaved() -> None:
    chunks = (
        call(0),
        call(1, "u", "g"),
        arguments(0, '{"a"'),
        arguments(1, '{"b": 2}'),
        arguments(0, ": 1}"),
        call_end(1),
        call_end(0),
    )
    assert content(*chunks) == (ToolCall("t", "f", {"a": 1}), ToolCall("u", "g", {"b": 2}))


@pytest.mark.parametrize("given", ['{"a": 1}', {"a": 1}])
def test_arguments_may_come_with_the_start_or_as_an_object(given: Any) -> None:
    assert content(call(0, arguments=given), call_end(0)) == (ToolCall("t", "f", {"a": 1}),)


def test_a_call_without_arguments_and_without_an_end() -> None:
    assert content(call(0)) == (ToolCall("t", "f", {}),)


def test_another_id_at_an_index_is_another_call_and_the_same_is_a_repetition() -> None:
    assert content(call(0), arguments(0, '{"a"'), call(0), arguments(0, ": 1}")) == (ToolCall("t", "f", {"a": 1}),)
    assert content(call(0), arguments(0, "{}"), call(0, "u"), arguments(0, '{"b": 2}')) == (
        ToolCall("t", "f", {}),
        ToolCall("u", "f", {"b": 2}),
    )


def test_another_call_at_an_index_ends_the_one_before() -> None:
    assert types_by_chunk(CohereDecoder, [call(0), call(0, "u")])[1] == [
        "toolcall_delta",
        "toolcall_end",
        "toolcall_start",
    ]
    assert types_by_chunk(CohereDecoder, [call(0), call(1, "u")])[1] == ["toolcall_start"]


def test_ends_without_an_index_end_what_is_open() -> None:
    thinking = begin(None, "thinking", thinking="Hm"), end(None), end(None)
    assert types_by_chunk(CohereDecoder, thinking)[1:3] == [["thinking_end"], []]
    assert types_by_chunk(CohereDecoder, [begin(0, "thinking", thinking="Hm"), end(None)])[1] == ["thinking_end"]
    assert types_by_chunk(CohereDecoder, [begin(0, "thinking", thinking="Hm"), end(3)])[1] == []
    for index in (None, 0):
        assert types_by_chunk(CohereDecoder, [call(index), call_end(None), call_end(None)])[1:3] == [
            ["toolcall_delta", "toolcall_end"],
            [],
        ]
    assert types_by_chunk(CohereDecoder, [call(0), call_end(3)])[1] == []


def test_a_call_may_have_no_id_or_no_name() -> None:
    (one,) = content(call(0, None), arguments(0, '{"a": 1}'))
    assert one.id and (one.name, one.arguments) == ("f", {"a": 1})
    assert content(call(0, "t", None), arguments(0, '{"a": 1}')) == (ToolCall("t", "", {"a": 1}),)


def test_calls_without_an_index_follow_one_another() -> None:
    one = call(None), arguments(None, '{"a": 1}'), call_end(None)
    two = call(None, "u"), arguments(None, '{"b": 2}')
    assert content(*one, *two, call(None, "v")) == (
        ToolCall("t", "f", {"a": 1}),
        ToolCall("u", "f", {"b": 2}),
        ToolCall("v", "f", {}),
    )


def test_arguments_of_another_index_belong_to_the_only_open_call() -> None:
    assert content(call(0), arguments(3, '{"a": 1}')) == (ToolCall("t", "f", {"a": 1}),)


def test_arguments_of_no_call_are_kept_as_unknown_content() -> None:
    assert content(arguments(0, "{}")) == (UnknownContent({"tool_calls": {"function": {"arguments": "{}"}}}),)
    assert content(event("tool-call-delta", 0), event("tool-call-start", 0)) == ()


def test_unknown_fields_of_a_call_are_details_of_it() -> None:
    one = event("tool-call-start", 0, tool_calls={"id": "t", "function": {"name": "f", "strict": True}, "mark": 7})
    assert content(one) == (ToolCall("t", "f", {}, provider_details={"mark": 7, "function": {"strict": True}}),)
