"""Google's Interactions API: what each event of a step gives, and when."""

from __future__ import annotations

from typing import Any

import pytest
from support.decoding import types_by_chunk
from support.interactions import (
    API,
    CREATED,
    HI,
    OUTPUT,
    arguments,
    call,
    content,
    delta,
    end,
    event,
    final,
    start,
    stop,
    summary,
    text,
)

from provider_events import ImageContent, StopReason, TextContent, ThinkingContent, ToolCall, UnknownContent
from provider_events.decoders import InteractionsDecoder


# Text


def test_text() -> None:
    message = final(OUTPUT, text(0, "Hel"), text(0, "lo"), stop(0), end(created="2026-05-15T18:51:57Z"))
    assert message.content == (TextContent("Hello"),)
    assert (message.api, message.provider, message.model) == (API, "google", "m")
    assert (message.response_id, message.timestamp) == ("v1", 1778871117000)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "completed")


def test_each_event_goes_out_with_its_chunk() -> None:
    call = start(2, "function_call", id="c", name="f", arguments={}), arguments(2, '{"a": 1}'), stop(2)
    thought = start(0, "thought"), summary(0, "Hm"), stop(0)
    output = start(1, "model_output"), text(1, "Hi"), stop(1)
    chunks = [CREATED, *thought, *output, *call, end("requires_action"), text(3, "late")]
    assert types_by_chunk(InteractionsDecoder, chunks) == [
        ["start"],
        ["thinking_start"],
        ["thinking_delta"],
        ["thinking_end"],
        [],
        ["text_start", "text_delta"],
        ["text_end"],
        ["toolcall_start"],
        ["toolcall_delta"],
        ["toolcall_end"],
        ["done"],
        [],
        [],
    ]


def test_text_given_with_the_start_of_its_step() -> None:
    given = start(0, "model_output", content=[{"type": "text", "text": "Once"}])
    assert content(given, text(0, " upon"), stop(0)) == (TextContent("Once upon"),)


def test_each_content_of_a_start_is_a_block_of_its_own() -> None:
    given = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "text", "text": ""}]
    assert content(start(0, "model_output", content=given), stop(0)) == (TextContent("a"), TextContent("b"))


def test_an_empty_text_begins_no_block() -> None:
    assert content(OUTPUT, text(0, ""), stop(0)) == ()


def test_annotations() -> None:
    one: Any = {"type": "url_citation", "url": "https://example.org", "start_index": 0}
    two: Any = {"type": "url_citation", "url": "https://example.com"}
    chunks = [OUTPUT, text(0, "Hi", annotations=[one]), delta(0, "text_annotation_delta", annotations=[two]), stop(0)]
    assert content(*chunks) == (TextContent("Hi", annotations=(one, two)),)


def test_what_else_a_text_has_is_in_the_details_of_its_block() -> None:
    texts = text(0, "H", mood="fi"), text(0, "i", mood="ne")
    chunks = [start(0, "model_output", id="s0"), *texts, stop(0, step_usage={"a": 1})]
    details = {"id": "s0", "mood": "fine", "step_usage": {"a": 1}}
    assert content(*chunks) == (TextContent("Hi", provider_details=details),)


# Thinking


def test_a_thought_with_its_summary_and_signature() -> None:
    signature = delta(0, "thought_signature", signature="c2ln")
    chunks = [start(0, "thought", id="t0"), summary(0, "H"), summary(0, "m"), signature, stop(0)]
    assert content(*chunks) == (ThinkingContent("Hm", "c2ln", provider_details={"id": "t0"}),)


def test_a_thought_without_a_summary_keeps_its_signature() -> None:
    chunks = [start(0, "thought", signature=""), delta(0, "thought_signature", signature="c2ln"), stop(0)]
    assert content(*chunks) == (ThinkingContent("", "c2ln"),)


def test_parts_of_a_signature_are_joined_a_repeated_one_is_not() -> None:
    begin = start(0, "thought", signature="ab")
    assert content(begin, delta(0, "thought_signature", signature="cd"), stop(0)) == (ThinkingContent("", "abcd"),)
    assert content(begin, delta(0, "thought_signature", signature="ab"), stop(0)) == (ThinkingContent("", "ab"),)


def test_a_summary_given_with_the_start_of_its_step() -> None:
    given = [{"type": "text", "text": "H"}, {"type": "text", "text": "m"}]
    assert content(start(0, "thought", summary=given), stop(0)) == (ThinkingContent("Hm"),)


def test_a_picture_in_a_summary_is_not_taken_for_the_answer() -> None:
    draft = {"type": "image", "data": "aGk="}
    _, found = content(start(0, "thought"), delta(0, "thought_summary", content=draft), stop(0))
    assert found == UnknownContent({"type": "thought_summary", "content": draft})


# Function calls


def test_a_call_with_its_signature() -> None:
    chunks = [call(0, arguments={}, signature="c2ln"), arguments(0, '{"a": '), arguments(0, "1}"), stop(0)]
    assert content(*chunks) == (ToolCall("c", "f", {"a": 1}, "c2ln"),)
    signed = [call(0), delta(0, "thought_signature", signature="c2ln"), stop(0)]
    assert content(*signed) == (ToolCall("c", "f", {}, "c2ln"),)


def test_arguments_given_with_the_start_count_if_no_delta_follows() -> None:
    assert content(call(0, arguments={"a": 1}), stop(0)) == (ToolCall("c", "f", {"a": 1}),)
    assert content(call(0, arguments={"a": 1}), arguments(0, '{"b": 2}'), stop(0)) == (ToolCall("c", "f", {"b": 2}),)
    broken = final(call(0, arguments={"a": 1}))
    assert (broken.stop_reason, broken.tool_calls[0].arguments) == (StopReason.ERROR, {"a": 1})
    assert final(call(0, arguments={"a": 1}), arguments(0, '{"b": [2')).tool_calls[0].arguments == {"b": [2]}


def test_parallel_calls_may_interleave() -> None:
    chunks = [call(0, id="c0"), call(1, id="c1"), arguments(1, '{"b": 1}'), arguments(0, '{"a": 0}'), stop(1), stop(0)]
    assert content(*chunks) == (ToolCall("c0", "f", {"a": 0}), ToolCall("c1", "f", {"b": 1}))


def test_another_call_at_an_open_index_is_another_call() -> None:
    assert [found.id for found in content(call(0), call(0, id="d"), stop(0))] == ["c", "d"]
    assert [found.id for found in content(call(0), call(0), stop(0))] == ["c"]


def test_id_and_name_may_come_with_a_delta() -> None:
    late = delta(0, "function_call", id="c", name="f", arguments={"a": 1})
    assert content(start(0, "function_call"), late, stop(0)) == (ToolCall("c", "f", {"a": 1}),)
    apart = delta(0, "function_call", id="c"), delta(0, "function_call", name="f")
    assert content(start(0, "function_call"), *apart, stop(0)) == (ToolCall("c", "f", {}),)
    assert [found.id for found in content(start(0, "function_call"), late, call(0, id="d"), stop(0))] == ["c", "d"]


@pytest.mark.parametrize("names", [{"id": "c", "name": "f"}, {"id": "c"}, {"name": "f"}])
def test_arguments_that_name_their_call_begin_it(names: dict[str, str]) -> None:
    (found,) = content(arguments(0, '{"a": 1}', **names), stop(0))
    assert (found.name, found.arguments) == (names.get("name", ""), {"a": 1})


def test_arguments_of_no_call_are_kept() -> None:
    lost: Any = {"type": "arguments_delta", "arguments": "{}"}
    assert content(arguments(0, "{}")) == (UnknownContent(lost),)


def test_what_else_a_call_has_is_in_its_details() -> None:
    (found,) = content(call(0, priority=1), arguments(0, "{}", mood="fine"), stop(0, step_usage={"a": 1}))
    assert found.provider_details == {"priority": 1, "mood": "fine", "step_usage": {"a": 1}}


# Pictures and other contents, server-side tools


def test_a_picture_stands_between_the_text_around_it() -> None:
    picture = delta(0, "image", data="aGk=", mime_type="image/png", resolution="low")
    found = content(OUTPUT, text(0, "Look:"), picture, text(0, "Nice"), stop(0))
    details = {"resolution": "low"}
    assert found == (TextContent("Look:"), ImageContent("aGk=", "image/png", details), TextContent("Nice"))


def test_a_picture_may_be_the_first_to_come() -> None:
    picture = delta(0, "image", data="aGk=", mime_type="image/png")
    assert types_by_chunk(InteractionsDecoder, [picture, end()]) == [["start"], ["done"], []]


@pytest.mark.parametrize(
    "given",
    [{"type": "image", "uri": "gs://x"}, {"type": "audio", "data": "aGk="}, {"type": "hologram", "depth": 3}],
)
def test_other_contents_are_kept(given: dict[str, Any]) -> None:
    found = content(OUTPUT, text(0, "a"), delta(0, **given), text(0, "b"))
    assert found == (TextContent("a"), UnknownContent(given), TextContent("b"))


def test_a_content_with_nothing_in_it_is_none() -> None:
    assert content(OUTPUT, delta(0, "image"), delta(0, "thought_summary"), event("step.delta", index=0)) == ()


def test_a_server_side_tool_grows_where_it_stands() -> None:
    search = [
        start(0, "google_search_call", id="s", signature=""),
        delta(0, "google_search_call", arguments={"queries": ["a"]}, signature="c2"),
        delta(0, "google_search_call", arguments={"queries": ["b"]}, signature="ln"),
        stop(0, step_usage={"a": 1}),
    ]
    grown = {"type": "google_search_call", "id": "s", "signature": "c2ln", "arguments": {"queries": ["a", "b"]}}
    found = content(*search, start(1, "model_output"), text(1, "Hi"), stop(1))
    assert found == (UnknownContent({**grown, "step_usage": {"a": 1}}), TextContent("Hi"))
    broken = final(*search[:3])
    assert broken.stop_reason is StopReason.ERROR and broken.content == (UnknownContent(grown),)


def test_another_step_at_an_open_index_ends_the_one_before() -> None:
    chunks = [CREATED, OUTPUT, text(0, "Hi"), start(0, "google_search_call", id="s")]
    assert types_by_chunk(InteractionsDecoder, chunks)[3] == ["text_end"]


def test_text_of_a_server_side_tool_is_not_the_answer() -> None:
    tool = start(0, "function_result", call_id="s"), text(0, "42"), stop(0)
    found = content(*tool, start(1, "model_output"), text(1, "Hi"))
    assert found == (UnknownContent({"type": "function_result", "call_id": "s", "text": "42"}), TextContent("Hi"))


# Which block a delta belongs to


def test_steps_without_indexes() -> None:
    chunks = [start(None, "thought"), delta(None, "thought_signature", signature="c2ln"), stop(None)]
    chunks += [start(None, "model_output"), text(None, "H"), text(None, "i"), stop(None)]
    chunks += [start(None, "model_output"), text(None, "!")]
    assert content(*chunks) == (ThinkingContent("", "c2ln"), TextContent("Hi"), TextContent("!"))


def test_deltas_without_a_start() -> None:
    assert content(text(0, "H"), text(0, "i")) == (TextContent("Hi"),)
    assert content(summary(0, "Hm"), text(1, "Hi")) == (ThinkingContent("Hm"), TextContent("Hi"))
    assert content(OUTPUT, text(0, "H"), text(7, "i")) == (TextContent("Hi"),), "to the only open block of its kind"


def test_deltas_of_a_step_that_has_started_never_go_to_another() -> None:
    assert content(OUTPUT, text(0, "a"), start(1, "model_output"), text(1, "b")) == (TextContent("a"), TextContent("b"))


def test_deltas_behind_the_end_of_their_step() -> None:
    assert content(*HI, text(0, "!")) == (TextContent("Hi"), TextContent("!"))


def test_the_requests_input_is_no_output() -> None:
    question = start(0, "user_input"), text(0, "?"), stop(0)
    assert content(*question, start(1, "model_output"), text(1, "Hi")) == (TextContent("Hi"),)
