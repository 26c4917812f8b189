"""Anthropic's imitators: deltas, starts and stops that are missing, repeated or at another index."""

from __future__ import annotations

from typing import Any

import pytest
from support import decoding
from support.anthropic import (
    API,
    END,
    arguments,
    begin,
    call,
    content,
    decoded,
    delta,
    end,
    final,
    message_start,
    signature,
    text,
    thinking,
)
from support.decoding import types_by_chunk

from provider_events import Error, StopReason, TextContent, ThinkingContent, ToolCall, UnknownContent
from provider_events.decoders import AnthropicDecoder

HI = begin(0, "text", text=""), text(0, "Hi")


# Starts and stops


def test_two_blocks_interleaved() -> None:
    chunks = (
        begin(0, "text", text=""),
        begin(1, "text", text=""),
        text(1, "b"),
        text(0, "a"),
        text(1, "B"),
        end(1),
        end(0),
    )
    assert content(*chunks) == (TextContent("a"), TextContent("bB"))


def test_blocks_without_a_stop_end_with_the_message() -> None:
    assert content(*HI) == (TextContent("Hi"),)
    assert types_by_chunk(AnthropicDecoder, [message_start(), *HI, *END])[-3:] == [[], ["text_end", "done"], []]


def test_a_second_stop_is_no_error() -> None:
    assert content(*HI, end(0), end(0), end(7)) == (TextContent("Hi"),)


def test_a_start_at_an_open_index_ends_the_block_there() -> None:
    chunks = begin(0, "thinking", thinking="Hm"), begin(0, "text", text="Hi"), call(0), arguments(0, "{}"), end(0)
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"), ToolCall("toolu_1", "f", {}))


def test_a_start_repeated_with_nothing_new_is_a_repetition() -> None:
    assert content(*HI, begin(0, "text", text="", id="x"), text(0, "!"), end(0)) == (
        TextContent("Hi!", provider_details={"id": "x"}),
    )
    think = begin(0, "thinking", thinking="")
    assert content(think, thinking(0, "H"), think, thinking(0, "m"), end(0)) == (ThinkingContent("Hm"),)
    assert content(call(0), arguments(0, '{"a"'), call(0), arguments(0, ": 1}"), end(0)) == (
        ToolCall("toolu_1", "f", {"a": 1}),
    )
    assert content(call(0), arguments(0, '{"a"'), call(0, None), arguments(0, ": 1}"), end(0)) == (
        ToolCall("toolu_1", "f", {"a": 1}),
    )


def test_the_start_of_a_call_repeated_with_its_input_gives_the_call_its_input() -> None:
    assert content(call(0), call(0, input={"a": 1}), call(0), end(0)) == (ToolCall("toolu_1", "f", {"a": 1}),)


def test_unknown_fields_of_a_repeated_start_are_details_of_the_block() -> None:
    (found,) = content(call(0, caller="x"), call(0, caller="x", mark=7), end(0))
    assert found.provider_details == {"caller": "x", "mark": 7}


def test_starts_of_calls_without_ids_are_told_apart_by_name_and_input() -> None:
    names = [block.name for block in content(call(0, None), call(0, None, None), call(0, None, "g"), call(0, None, ""))]
    assert names == ["f", "g"]
    one, two = content(call(0, None, input={"a": 1}), call(0, None, input={"a": 2}))
    assert (one.arguments, two.arguments) == ({"a": 1}, {"a": 2})


def test_a_start_with_the_id_of_an_open_call_and_no_name_goes_on_with_it() -> None:
    chunks = call(0), arguments(0, '{"a"'), call(1, "toolu_2", "g"), call(2, name=""), arguments(2, ": 1}"), end(0)
    assert content(*chunks, arguments(1, "{}"), end(2), end(1)) == (
        ToolCall("toolu_1", "f", {"a": 1}),
        ToolCall("toolu_2", "g", {}),
    )
    first, second = content(call(0), arguments(0, "{}"), call(1), end(0), end(1))
    assert (first.id, first.name, second.name) == ("toolu_1", "f", "f") and second.id != "toolu_1"
    ended = call(0), arguments(0, '{"a": 1}'), end(0), call(1, name="")
    assert content(*ended, end(1)) == content(*ended, arguments(1, '{"a":1}'), end(1)) == content(*ended[:3])
    assert len(content(*ended, arguments(1, '{"b": 2}'), end(1))) == 2


def test_a_call_that_goes_on_at_another_index_is_there_alone() -> None:
    moved = begin(1, "text", text="Hi"), call(0), arguments(0, '{"a"'), call(1, name="")
    assert types_by_chunk(AnthropicDecoder, moved)[-2] == ["text_end"]
    other = call(0, "toolu_2", "g"), arguments(1, ": 1}"), arguments(0, "{}"), end(1), arguments(1, "{}"), end(0)
    assert content(*moved, *other) == (
        TextContent("Hi"),
        ToolCall("toolu_1", "f", {"a": 1}),
        ToolCall("toolu_2", "g", {}),
    )
    assert content(call(0), call(1, name=""), end(1), arguments(1, "{}"))[1:] == (
        UnknownContent({"type": "input_json_delta", "partial_json": "{}"}),
    )


def test_a_nameless_start_without_an_index_or_with_the_id_of_no_call_goes_on_with_nothing() -> None:
    nameless = call(None, name=""), arguments(None, "{}")
    assert content(call(0), arguments(0, "{}"), *nameless) == (ToolCall("toolu_1", "f", {}),)
    found = content(begin(0, "text", text="H", id="b"), call(1, "b", ""), text(0, "i"), end(1))
    assert found == (TextContent("Hi", provider_details={"id": "b"}), ToolCall("b", "", {}))


def test_a_start_that_repeats_the_text_so_far_adds_its_signature() -> None:
    chunks = begin(0, "thinking", thinking=""), thinking(0, "Hm"), thinking(0, "m")
    copy = begin(0, "thinking", thinking="Hmm", signature="s")
    assert content(*chunks, copy, end(0)) == (ThinkingContent("Hmm", "s"),)
    other = begin(0, "thinking", thinking="Hm", signature="s")
    assert content(*chunks, other, end(0)) == (ThinkingContent("Hmm"), ThinkingContent("Hm", "s"))
    unsigned = begin(0, "thinking", thinking="Hmm")
    assert content(*chunks, unsigned, end(0)) == (ThinkingContent("Hmm"), ThinkingContent("Hmm"))


def test_a_start_repeated_with_something_new_is_another_block() -> None:
    assert content(*HI, begin(0, "text", text="You"), end(0)) == (TextContent("Hi"), TextContent("You"))
    assert content(begin(0, "thinking", thinking="a"), begin(0, "thinking", thinking="b")) == (
        ThinkingContent("a"),
        ThinkingContent("b"),
    )
    redacted = begin(0, "redacted_thinking", data="a"), begin(0, "redacted_thinking", data="b")
    assert [block.thinking_signature for block in content(*redacted)] == ["a", "b"]
    assert content(call(0), call(0, "toolu_2"), end(0)) == (ToolCall("toolu_1", "f", {}), ToolCall("toolu_2", "f", {}))


def test_an_empty_start_and_an_empty_delta_begin_nothing() -> None:
    empty: list[dict[str, Any]] = [
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_delta", "index": 0},
    ]
    assert content(*empty, text(0, "Hi"), *empty[1:], end(0)) == (TextContent("Hi"),)


# Deltas without a block of their kind at their index


def test_text_and_thinking_without_a_start_begin_a_block() -> None:
    assert content(thinking(0, "Hm"), end(0), text(1, "Hi"), end(1)) == (ThinkingContent("Hm"), TextContent("Hi"))


@pytest.mark.parametrize("type", [None, 1, {}])
def test_a_delta_without_a_type_is_known_by_its_key(type: Any) -> None:
    chunks = (
        begin(0, "text", text=""),
        delta(0, type, text="Hi"),
        end(0),
        call(1),
        delta(1, type, partial_json='{"a": 1}'),
    )
    assert content(delta(2, type, thinking="Hm"), end(2), *chunks) == (
        ThinkingContent("Hm"),
        TextContent("Hi"),
        ToolCall("toolu_1", "f", {"a": 1}),
    )


def test_types_may_lack_or_have_their_suffix() -> None:
    chunks = begin(0, "text_delta", text="H"), delta(0, "text", text="i"), end(0), delta(1, "thinking", thinking="Hm")
    assert content(*chunks) == (TextContent("Hi"), ThinkingContent("Hm"))


def test_the_text_of_a_delta_may_be_under_the_key_of_another_type() -> None:
    chunks = delta(0, "thinking_delta", text="Hm"), delta(1, "text_delta", thinking="Hi"), end(1)
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"))
    both = delta(0, "text_delta", text="Hi", thinking="Hm")
    assert content(both) == (TextContent("Hi", provider_details={"thinking": "Hm"}),)


def test_a_delta_at_another_index_belongs_to_the_only_open_block_of_its_kind() -> None:
    assert content(*HI, text(7, "!"), text(None, "!")) == (TextContent("Hi!!"),)
    assert content(call(0), arguments(7, '{"a": 1}')) == (ToolCall("toolu_1", "f", {"a": 1}),)
    assert content(begin(0, "thinking", thinking="Hm"), signature(7, "s")) == (ThinkingContent("Hm", "s"),)
    citation: Any = {"url": "u"}
    assert content(*HI, delta(7, "citations_delta", citation=citation)) == (TextContent("Hi", annotations=(citation,)),)


def test_text_of_an_ended_block_begins_another() -> None:
    assert content(*HI, end(0), text(0, "!")) == (TextContent("Hi"), TextContent("!"))


def test_text_in_thinking_and_thinking_in_text_end_one_block_and_begin_another() -> None:
    chunks = begin(0, "thinking", thinking="Hm"), text(0, "Hi"), thinking(0, "Oh"), end(0)
    assert content(*chunks) == (ThinkingContent("Hm"), TextContent("Hi"), ThinkingContent("Oh"))


def test_text_at_the_index_of_an_open_call_does_not_break_the_call() -> None:
    chunks = call(1), arguments(1, '{"a"'), text(1, "\n"), text(1, "\n"), arguments(1, ": 1}"), end(1)
    assert content(*chunks) == (ToolCall("toolu_1", "f", {"a": 1}), TextContent("\n\n"))
    assert content(*chunks, call(1, "toolu_2"), text(1, "!")) == (
        ToolCall("toolu_1", "f", {"a": 1}),
        TextContent("\n\n"),
        ToolCall("toolu_2", "f", {}),
        TextContent("!"),
    )
    assert types_by_chunk(AnthropicDecoder, [message_start(), *chunks])[-2] == ["toolcall_end", "text_end"]
    assert content(*chunks[:3], begin(None, "text", text="Hi"), end(1))[1:] == (TextContent("\n"), TextContent("Hi"))


def test_arguments_of_no_call_are_kept_as_unknown_content() -> None:
    stray = arguments(0, '{"a": 1}')
    assert content(*HI, end(0), stray) == (TextContent("Hi"), UnknownContent(stray["delta"]))


def test_input_of_a_server_tool_does_not_go_into_an_open_call() -> None:
    chunks = (
        begin(0, "server_tool_use", name="s"),
        call(1),
        arguments(0, '{"q": 1}'),
        arguments(1, '{"a": 1}'),
        end(0),
        end(1),
    )
    server_tool, found = content(*chunks)
    assert server_tool.data["input"] == {"q": 1} and found.arguments == {"a": 1}


def test_text_at_the_index_of_an_unknown_block_goes_into_it_unless_text_is_open() -> None:
    start = begin(1, "hologram")
    assert content(start, text(1, "a"), text(1, "b"), end(1)) == (UnknownContent({"type": "hologram", "text": "ab"}),)
    assert content(*HI, start, text(1, "!"), end(1)) == (TextContent("Hi!"), UnknownContent({"type": "hologram"}))


def test_a_signature_of_text_or_of_a_call_is_its_signature() -> None:
    assert content(*HI, signature(0, "s"), end(0)) == (TextContent("Hi", "s"),)
    assert content(begin(0, "text", text="Hi", signature="s"), end(0)) == (TextContent("Hi", "s"),)
    assert content(call(0, signature="s"), end(0)) == (ToolCall("toolu_1", "f", {}, "s"),)
    assert content(delta(0, "text_delta", text="Hi", signature="s")) == (TextContent("Hi", "s"),)


def test_what_belongs_to_other_blocks_is_a_detail() -> None:
    assert content(begin(0, "text", text="Hi", id="b", data="d"), end(0)) == (
        TextContent("Hi", provider_details={"id": "b", "data": "d"}),
    )


@pytest.mark.parametrize(
    "stray", [signature(3, "s"), delta(3, "citations_delta", citation={"url": "u"}), delta(3, "mood_delta", mood=1)]
)
def test_what_fits_nowhere_is_kept_as_unknown_content(stray: Any) -> None:
    assert content(begin(0, "text", text="Hi"), end(0), stray)[1:] == (UnknownContent(stray["delta"]),)


def test_a_delta_of_the_future_goes_to_no_other_index() -> None:
    stray = delta(3, "mood_delta", mood=1)
    assert content(*HI, stray) == (TextContent("Hi"), UnknownContent(stray["delta"]))


def test_a_citation_of_what_is_no_text_is_a_detail() -> None:
    chunks = begin(0, "thinking", thinking="Hm"), delta(0, "citations_delta", citation={"url": "u"}), end(0)
    assert content(*chunks) == (ThinkingContent("Hm", provider_details={"citations": [{"url": "u"}]}),)


# Indexes


def test_an_index_may_be_text() -> None:
    zero: Any = "0"
    assert content(call(zero), call(1, "u"), arguments(zero, '{"a": 1}'), arguments(1, "{}"), end(zero)) == (
        ToolCall("toolu_1", "f", {"a": 1}),
        ToolCall("u", "f", {}),
    )


def test_indexes_may_have_gaps() -> None:
    assert content(begin(3, "text", text=""), text(3, "Hi"), end(3), call(9), end(9)) == (
        TextContent("Hi"),
        ToolCall("toolu_1", "f", {}),
    )


def test_without_any_index_blocks_follow_one_another() -> None:
    chunks = [
        begin(None, "text", text=""), text(None, "Hi"), end(None),
        call(None), arguments(None, '{"a"'), arguments(None, ": 1}"),
        call(None, "toolu_2"), arguments(None, '{"b": 2}'), end(None),
        begin(None, "server_tool_use", name="s"), arguments(None, '{"q": 1}'), end(None),
    ]  # fmt: skip
    assert content(*chunks) == (
        TextContent("Hi"),
        ToolCall("toolu_1", "f", {"a": 1}),
        ToolCall("toolu_2", "f", {"b": 2}),
        UnknownContent({"type": "server_tool_use", "name": "s", "input": {"q": 1}}),
    )


# Repeated and spliced messages


def test_the_start_of_the_message_may_be_missing_or_repeated() -> None:
    assert decoding.content(API, [*HI, end(0), *END]) == (TextContent("Hi"),)
    assert content(message_start(), *HI, message_start(), text(0, "!"), end(0)) == (TextContent("Hi!"),)
    assert content(message_start(None), *HI, end(0)) == (TextContent("Hi"),)


def test_another_message_before_any_content_replaces_the_first() -> None:
    again = message_start("msg_2", model="other", usage={"input_tokens": 5})
    message = final(again, *HI, end(0), *END)
    assert (message.text, message.response_id, message.model) == ("Hi", "msg_2", "other")
    assert (message.usage.input_tokens, message.stop_reason) == (5, StopReason.STOP)


def test_another_message_behind_a_complete_one_ends_it() -> None:
    message = final(*HI, end(0), END[0], message_start("msg_2"), *HI)
    assert (message.text, message.response_id, message.stop_reason) == ("Hi", "msg_1", StopReason.STOP)


def test_another_message_within_a_message_is_an_error() -> None:
    last = decoded(*HI, message_start("msg_2"), text(0, "!"))[-1]
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert "message_start: expected the end of message msg_1 first, found message msg_2" in str(
        last.error.error_message
    )


@pytest.mark.parametrize(
    ("chunk", "path"),
    [
        (text(0, 1), "delta.text"),  # type: ignore[arg-type]
        (thinking(0, 1), "delta.thinking"),  # type: ignore[arg-type]
        ({"type": "content_block_delta", "delta": 1}, "delta"),
        ({"type": "content_block_start", "content_block": 1}, "content_block"),
        (begin(0, "text", text=1), "content_block.text"),
        (begin(0, "thinking", thinking=1), "content_block.thinking"),
        (begin(0, "redacted_thinking", data=1), "content_block.data"),
        ({"type": "message_start", "message": 1}, "message"),
    ],
)
def test_what_is_of_another_type_is_an_error_that_says_where_it_was(chunk: Any, path: str) -> None:
    last = decoded(begin(1, "text", text="Hi"), begin(2, "thinking", thinking=""), call(3), chunk)[-1]
    assert isinstance(last, Error) and last.error.text.startswith("Hi")
    assert last.reason is StopReason.ERROR
    assert f"malformed chunk: {path}: expected" in str(last.error.error_message)


def test_a_block_of_another_type_within_a_message_is_an_error() -> None:
    message = final(message_start(content=[1]))
    assert "malformed chunk: message.content[]: expected" in str(message.error_message)
