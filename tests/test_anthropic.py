"""Anthropic's Messages API: what each kind of block gives, and when."""

from __future__ import annotations

from typing import Any

import pytest
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

from provider_events import StopReason, TextContent, ThinkingContent, ThinkingEnd, ToolCall, ToolCallEnd, UnknownContent
from provider_events.decoders import AnthropicDecoder

# Text


def test_text() -> None:
    message = final(begin(0, "text", text=""), text(0, "Hel"), text(0, "lo"), end(0), *END)
    assert message.content == (TextContent("Hello"),)
    assert (message.api, message.provider, message.model, message.response_id) == (API, "anthropic", "claude", "msg_1")


def test_a_block_begins_at_its_start_and_ends_at_its_stop() -> None:
    chunks = [message_start(), begin(0, "text", text=""), text(0, "Hi"), text(0, ""), end(0), *END]
    assert types_by_chunk(AnthropicDecoder, chunks) == [
        ["start"], ["text_start"], ["text_delta"], [], ["text_end"], [], ["done"], []
    ]  # fmt: skip


def test_text_that_comes_with_the_start_goes_out_at_once() -> None:
    chunks = [message_start(), begin(0, "text", text="Hel"), text(0, "lo"), end(0)]
    assert types_by_chunk(AnthropicDecoder, chunks)[1] == ["text_start", "text_delta"]
    assert content(*chunks[1:]) == (TextContent("Hello"),)


def test_citations_are_annotations() -> None:
    first: Any = {"type": "char_location", "cited_text": "…", "document_index": 0}
    second: Any = {"type": "web_search_result_location", "url": "https://example.org"}
    citations = delta(0, "citations_delta", citation=first), delta(0, "citations_delta", citation=second)
    chunks = begin(0, "text", text="", citations=[]), citations[0], text(0, "Hi"), citations[1], end(0)
    assert content(*chunks) == (TextContent("Hi", annotations=(first, second)),)
    assert content(begin(0, "text", text="Hi", citations=[first]), end(0)) == (TextContent("Hi", annotations=(first,)),)


def test_halves_of_a_character_in_two_deltas_are_one() -> None:
    assert content(begin(0, "text", text=""), text(0, "a\ud83d"), text(0, "\ude00"), end(0)) == (TextContent("a😀"),)


def test_the_first_of_all_surrogates_waits_for_its_other_half_too() -> None:
    chunks = begin(0, "text", text=""), text(0, "a\ud800"), text(0, "\udc00"), end(0)
    assert content(*chunks) == (TextContent("a\U00010000"),)


# Thinking


def test_thinking_and_its_signature() -> None:
    chunks = (
        begin(0, "thinking", thinking="", signature=""),
        thinking(0, "Hm"),
        thinking(0, "m"),
        signature(0, "c2ln"),
        end(0),
    )
    assert content(*chunks) == (ThinkingContent("Hmm", "c2ln"),)
    (ended,) = [event for event in decoded(*chunks) if isinstance(event, ThinkingEnd)]
    assert ended.partial.content == (ThinkingContent("Hmm", "c2ln"),)


def test_thinking_and_signature_may_come_with_the_start() -> None:
    assert content(begin(0, "thinking", thinking="Hm", signature="s"), end(0)) == (ThinkingContent("Hm", "s"),)


def test_parts_of_a_signature_are_joined() -> None:
    start = begin(0, "thinking", thinking="Hm", signature="ab")
    assert content(start, signature(0, "cd"), signature(0, "cd"), end(0)) == (ThinkingContent("Hm", "abcdcd"),)


def test_a_signature_that_came_with_the_start_is_not_repeated() -> None:
    assert content(begin(0, "thinking", thinking="Hm", signature="ab"), signature(0, "ab"), end(0)) == (
        ThinkingContent("Hm", "ab"),
    )


def test_a_signature_that_comes_twice_counts_once() -> None:
    chunks = begin(0, "thinking", thinking="Hm", signature=""), signature(0, "s"), signature(0, "s")
    assert content(*chunks, end(0)) == (ThinkingContent("Hm", "s"),)


def test_what_came_of_a_signature_is_kept_at_a_cut() -> None:
    message = final(begin(0, "thinking", thinking="Hm"), signature(0, "ab"))
    assert (message.content, message.stop_reason) == ((ThinkingContent("Hm", "ab"),), StopReason.ERROR)


def test_redacted_thinking_has_a_start_and_an_end_and_no_delta() -> None:
    chunks = begin(0, "redacted_thinking", data="b3BhcXVl"), end(0)
    assert content(*chunks) == (ThinkingContent("", "b3BhcXVl", redacted=True),)
    assert [event.type for event in decoded(*chunks)] == ["start", "thinking_start", "thinking_end", "error"]


# Tool calls


def test_a_tool_call() -> None:
    chunks = call(0), arguments(0, ""), arguments(0, '{"city": "Par'), arguments(0, 'is"}'), end(0)
    message = final(*chunks, *END)
    assert message.content == (ToolCall("toolu_1", "f", {"city": "Paris"}),)
    assert message.stop_reason is StopReason.TOOL_USE
    assert types_by_chunk(AnthropicDecoder, [message_start(), *chunks])[1:-1] == [
        ["toolcall_start"], [], ["toolcall_delta"], ["toolcall_delta"], ["toolcall_end"]
    ]  # fmt: skip


@pytest.mark.parametrize("deltas", [[], [""], ["{}"]])
def test_a_tool_call_without_arguments(deltas: list[str]) -> None:
    assert content(call(0), *(arguments(0, each) for each in deltas), end(0)) == (ToolCall("toolu_1", "f", {}),)


def test_input_that_comes_whole_with_the_start_counts_if_no_delta_follows() -> None:
    chunks = call(0, input={"a": [1]}), end(0)
    assert content(*chunks) == (ToolCall("toolu_1", "f", {"a": [1]}),)
    (ended,) = [event for event in decoded(*chunks) if isinstance(event, ToolCallEnd)]
    assert ended.tool_call == ToolCall("toolu_1", "f", {"a": [1]})
    for given in ('{"b": 2}', "{}", '{"b": '):
        assert content(call(0, input={"a": 1}), arguments(0, given), end(0)) == content(
            call(0), arguments(0, given), end(0)
        )


def test_arguments_may_be_an_object() -> None:
    chunks = call(0), delta(0, "input_json_delta", partial_json={"a": 1}), end(0)
    assert content(*chunks) == content(call(0, input='{"a": 1}'), end(0)) == (ToolCall("toolu_1", "f", {"a": 1}),)
    assert content(call(0), delta(0, "input_json_delta", partial_json=None), end(0)) == (ToolCall("toolu_1", "f", {}),)


def test_input_that_comes_whole_is_kept_at_a_cut() -> None:
    message = final(call(0, input={"a": 1}))
    assert (message.content, message.stop_reason) == ((ToolCall("toolu_1", "f", {"a": 1}),), StopReason.ERROR)


def test_arguments_that_are_no_json_are_kept_as_they_came() -> None:
    assert content(call(0), arguments(0, '{"a": '), end(0)) == (
        ToolCall("toolu_1", "f", {}, invalid_arguments='{"a": '),
    )


def test_a_call_without_an_id_is_given_one() -> None:
    (one, two) = content(call(0, None), end(0), call(1, None), end(1))
    assert one.id and two.id and one.id != two.id


def test_two_calls_with_one_id_get_two_ids_and_the_second_keeps_its_own_as_a_detail() -> None:
    one, two = content(call(0), end(0), call(1), arguments(1, '{"a"'), arguments(1, ": 1}"), end(1))
    assert (one.id, one.provider_details) == ("toolu_1", {})
    assert two.id not in ("toolu_1", "") and (two.arguments, two.provider_details) == ({"a": 1}, {"id": "toolu_1"})


@pytest.mark.parametrize("last", [[end(1)], []])
def test_a_call_that_comes_twice_is_one(last: list[Any]) -> None:
    first = call(0), arguments(0, '{"a": 1}'), end(0)
    only = (ToolCall("toolu_1", "f", {"a": 1}),)
    assert content(*first, call(1), arguments(1, '{"a"'), arguments(1, ":1}"), *last) == only
    assert content(*first, call(1, input={"a": 1}), *last) == content(*first, call(0, input='{"a": 1}'), *last) == only
    assert len(content(*first, call(1, input={"a": 2}), *last)) == 2
    assert len(content(*first, call(1, name="g", input={"a": 1}), *last)) == 2
    assert len(content(*first, call(1, "toolu_2", input={"a": 1}), *last)) == 2
    assert len(content(*first, call(1), *last)) == 2


def test_a_call_with_a_known_id_shows_at_its_stop() -> None:
    again = call(1), arguments(1, '{"b": 2}'), end(1)
    assert types_by_chunk(AnthropicDecoder, [call(0), arguments(0, '{"a": 1}'), end(0), *again])[-4:-1] == [
        [],
        [],
        ["toolcall_start", "toolcall_delta", "toolcall_end"],
    ]


def test_arguments_of_a_call_that_comes_twice_go_to_no_other_call() -> None:
    chunks = call(0), arguments(0, '{"a": 1}'), end(0), call(2, "toolu_2", "g"), call(1), arguments(1, '{"a": 1}')
    assert content(*chunks, end(1), arguments(2, '{"b": 2}'), end(2)) == (
        ToolCall("toolu_1", "f", {"a": 1}),
        ToolCall("toolu_2", "g", {"b": 2}),
    )


def test_what_came_of_a_call_with_a_known_id_is_kept_at_a_cut() -> None:
    message = final(call(0), arguments(0, "{}"), end(0), call(1), arguments(1, '{"a": 1, "b'))
    assert (message.tool_calls[1].arguments, message.stop_reason) == ({"a": 1}, StopReason.ERROR)


def test_the_caller_of_a_call_is_a_detail_of_it() -> None:
    (found,) = content(call(0, caller={"type": "direct"}, toolset_name="browser"), end(0))
    assert found.provider_details == {"caller": {"type": "direct"}, "toolset_name": "browser"}


# Blocks of other kinds


def test_a_server_tool_and_its_result_stand_where_they_belong() -> None:
    fields: Any = {"id": "srvtoolu_1", "name": "web_search"}
    result: Any = {
        "tool_use_id": "srvtoolu_1",
        "content": [{"type": "web_search_result", "url": "https://example.org"}],
    }
    chunks = [
        begin(0, "server_tool_use", input={}, **fields), arguments(0, ""), arguments(0, '{"query": '),
        arguments(0, '"x"}'), end(0),
        begin(1, "web_search_tool_result", **result), end(1),
        begin(2, "text", text="Sunny"), end(2),
    ]  # fmt: skip
    assert content(*chunks) == (
        UnknownContent({"type": "server_tool_use", "input": {"query": "x"}, **fields}),
        UnknownContent({"type": "web_search_tool_result", **result}),
        TextContent("Sunny"),
    )


def test_a_server_tool_shows_from_its_start_and_its_input_from_its_stop() -> None:
    start = begin(0, "server_tool_use", id="s", name="web_search", input={})
    chunks = start, begin(1, "text", text="."), arguments(0, '{"query": 1}'), text(1, "."), end(0), text(1, ".")
    shown: list[Any] = [event.partial.content[0] for event in decoded(*chunks)[1:]]
    assert shown[0].data == start["content_block"]
    assert [block.data["input"] for block in shown] == [{}, {}, {}, {"query": 1}, {"query": 1}]


def test_input_of_a_server_tool_comes_whole_or_is_no_json() -> None:
    start = begin(0, "server_tool_use", name="web_search", input={"query": "x"})
    assert content(start, end(0)) == (UnknownContent(start["content_block"]),)
    (cut,) = content(start, arguments(0, '{"query'), end(0))
    assert cut.data["input"] == '{"query'


def test_what_came_of_a_server_tool_is_kept_at_a_cut_and_without_a_stop() -> None:
    chunks = begin(0, "server_tool_use", id="s", name="web_search", input={}), arguments(0, '{"query": "x"}')
    expected = (UnknownContent({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}),)
    assert final(*chunks).content == content(*chunks) == expected
    assert content(*chunks, begin(0, "text", text="Hi")) == (*expected, TextContent("Hi"))
    assert content(*chunks, begin(0, "mcp_tool_use")) == (*expected, UnknownContent({"type": "mcp_tool_use"}))


def test_a_block_of_the_future_is_kept_and_its_deltas_are_appended() -> None:
    chunks = (
        begin(0, "hologram", depth=3),
        delta(0, "hologram_delta", voxels=[1], note="a"),
        delta(0, "hologram_delta", voxels=[2], note="b"),
    )
    assert content(*chunks, end(0)) == (
        UnknownContent({"type": "hologram", "depth": 3, "voxels": [1, 2], "note": "ab"}),
    )


def test_a_delta_of_the_future_is_a_detail_of_its_block() -> None:
    chunks = begin(0, "text", text="Hi"), delta(0, "mood_delta", mood="go"), delta(0, "mood_delta", mood="od"), end(0)
    assert content(*chunks) == (TextContent("Hi", provider_details={"mood": "good"}),)


def test_a_fallback_changes_the_model_and_stays_in_the_content() -> None:
    fallback = begin(1, "fallback", **{"from": {"model": "claude"}, "to": {"model": "claude-b"}})
    message = final(begin(0, "text", text="Hi"), end(0), fallback, end(1), begin(2, "text", text="!"), end(2), *END)
    assert (message.model, message.text) == ("claude-b", "Hi!")
    assert message.content[1] == UnknownContent(fallback["content_block"])
    for other in (begin(0, "fallback"), begin(0, "hologram", to={"model": "claude-b"})):
        message = final(other, end(0), *END)
        assert (message.model, message.stop_reason) == ("claude", StopReason.STOP)


# Compactions


def compaction(*deltas: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a compaction made of these deltas."""
    start = begin(0, "compaction", content=None, encrypted_content=None)
    (block,) = content(start, *(delta(0, "compaction_delta", **each) for each in deltas), end(0))
    return dict(block.data)


def test_what_a_delta_of_a_compaction_gives_replaces_what_is_there() -> None:
    first, second = {"content": "Sum", "encrypted_content": "a"}, {"content": "Summary", "encrypted_content": "b"}
    assert compaction(first, second) == {
        "type": "compaction", "content": "Summary", "encrypted_content": "b"
    }  # fmt: skip
    assert compaction({"content": "Sum"}, {"content": None, "encrypted_content": "b"})["content"] == "Sum"
    assert (
        compaction({"encrypted_content": "b"}, {"content": "Sum", "encrypted_content": None})["encrypted_content"]
        == "b"
    )


def test_the_text_of_a_compaction_may_go_on() -> None:
    assert compaction({"content": "Sum"}, {"content": "mary"}, {"content": "."})["content"] == "Summary."
    assert compaction({"content": "Sum"}, {"content": "mary"}, {"content": "Summary!"})["content"] == "Summary!"
    assert (
        compaction({"content": "a"}, {"content": "bb"}, {"content": "ccc"}, {"content": "dddd"})["content"]
        == "abbcccdddd"
    )
