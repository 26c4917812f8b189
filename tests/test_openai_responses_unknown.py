"""OpenAI's Responses API: items and events that this package has no type for."""

from __future__ import annotations

import pytest
from support.responses import COMPLETED, Chunk, added, content, decoded, done, ended, event, final, text, text_done

from provider_events import TextContent, UnknownContent

MESSAGE = added(0, "message", id="msg_1")


def test_an_item_of_another_kind_stands_where_it_begins() -> None:
    item: Chunk = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "weather"}}
    searching = event("web_search_call.searching", 0, item_id="ws_1")
    begun = added(0, "web_search_call", id="ws_1", status="in_progress")
    chunks = begun, added(1, "message", id="msg_1"), text(1, "Rain"), searching, done(0, item)
    assert content(*chunks) == (UnknownContent(item), TextContent("Rain", provider_details={"id": "msg_1"}))
    assert decoded(*chunks)[1].partial.content[0] == UnknownContent(
        {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    )


def test_the_final_response_refreshes_an_item() -> None:
    searched: Chunk = {"type": "web_search_call", "id": "ws_1", "action": {"query": "weather"}}
    sources: Chunk = {"type": "web_search_call", "id": "ws_1", "action": {"query": "weather", "sources": ["x"]}}
    assert content(done(0, searched), ended("completed", sources)) == (UnknownContent(sources),)
    repeated = (
        added(0, "web_search_call", id="ws_1"),
        added(0, "web_search_call", id="ws_1", action={"query": "weather"}),
    )
    assert content(*repeated) == (UnknownContent(searched),)


@pytest.mark.parametrize(
    ("type", "kind", "fields"),
    [
        ("code_interpreter_call", "code_interpreter_call_code", {"code": "ab"}),
        ("mcp_call", "mcp_call_arguments", {"arguments": "ab"}),
        ("shell_call", "shell_call_command", {"command": "ab"}),
        ("future_call", "future_call_speech", {"speech": "ab"}),
    ],
)
def test_what_streams_into_an_item_is_kept(type: str, kind: str, fields: Chunk) -> None:
    begun = added(0, type, id="x")
    streamed = event(f"{kind}.delta", 0, delta="a"), event(f"{kind}.delta", 0, delta="b")
    for chunks in (streamed, (*streamed, event(f"{kind}.done", 0, **fields)), (event(f"{kind}.done", 0, **fields),)):
        assert final(begun, *chunks).content == (UnknownContent({"type": type, "id": "x", **fields}),)
        for item in ({"type": type, "id": "x", **fields}, {"type": type, "id": "x", "all": [fields]}):
            assert content(begun, *chunks, done(0, item)) == (UnknownContent(item),)
        assert content(begun, *chunks, done(0, {"type": type, "id": "x"})) == content(begun, *chunks)


def test_what_streams_into_an_item_shows_while_it_comes() -> None:
    code = [event("code_interpreter_call_code.delta", 0, delta="x") for _ in range(100)]
    begun = added(1, "message")
    events = decoded(added(0, "code_interpreter_call"), *code[:3], begun, *code, text(1, "?"))
    blocks = [each.partial.content[0] for each in events[1:]]
    assert [len(block.data.get("code", "")) for block in blocks if isinstance(block, UnknownContent)] == [3, 64, 103]


def test_the_picture_replaces_its_drafts() -> None:
    begun = added(0, "image_generation_call", id="ig_1")
    drafts = [
        event("image_generation_call.partial_image", 0, partial_image_b64=each, size="1x1") for each in ("QQ", "Qg")
    ]
    assert final(begun, *drafts).content[0] == UnknownContent(
        {"type": "image_generation_call", "id": "ig_1", "partial_image_b64": "Qg", "size": "1x1"}
    )
    item = {"type": "image_generation_call", "id": "ig_1", "result": "Qw"}
    assert content(begun, *drafts, done(0, item)) == (UnknownContent(item),)
    progress = event("future_call.progress", 0, percent="50")
    assert content(added(0, "future_call"), progress, done(0, {"type": "future_call", "id": "x"})) == (
        UnknownContent({"type": "future_call", "id": "x", "percent": "50"}),
    )
    code = event("code_interpreter_call_code.delta", 0, delta="x", language="python")
    assert final(added(0, "code_interpreter_call"), code).content == (
        UnknownContent({"type": "code_interpreter_call", "code": "x", "language": "python"}),
    )


def test_events_without_an_item_are_kept() -> None:
    message = final(
        event("audio.delta", delta="AA"),
        {"type": "keepalive", "sequence_number": 3},
        event("audio.delta", delta="BB"),
        {"type": "codex.rate_limits", "plan": "plus"},
        event("mood", mood="good"),
        COMPLETED,
    )
    assert message.content == (UnknownContent({"type": "response.audio.delta", "delta": "AABB"}),)
    assert message.provider_details == {"codex.rate_limits": {"plan": "plus"}, "response.mood": {"mood": "good"}}
    assert final({"foo": 1}, COMPLETED).provider_details == {"foo": 1}


def test_unknown_fields_of_an_event_go_to_its_block() -> None:
    chunks = MESSAGE, text(0, "Hi", mood="good"), event("mood", 0, tone="warm"), text_done(0, "Hi", pitch=1)
    (block,) = content(*chunks)
    assert block == TextContent("Hi", provider_details={"id": "msg_1", "mood": "good", "tone": "warm", "pitch": 1})
    smell = event("content_part.done", 0, part={"type": "output_smell", "smell": "roses"})
    mood = [event("mood.delta", 0, tone=each) for each in ("wa", "rm")]
    (block,) = content(MESSAGE, text(0, "H"), text(0, "i", mood="good"), smell, *mood)
    details = {"id": "msg_1", "mood": "good", "part": {"type": "output_smell", "smell": "roses"}, "tone": "warm"}
    assert block == TextContent("Hi", provider_details=details)


def test_characters_of_which_two_deltas_have_a_half_each_are_joined() -> None:
    halves = "\ud83d", "\ude00"
    code = [event("code_interpreter_call_code.delta", 0, delta=each) for each in halves]
    (block,) = content(added(0, "code_interpreter_call"), *code)
    assert block.data["code"] == "\U0001f600"
    (block,) = content(MESSAGE, *(text(0, "a", mood=each) for each in halves))
    assert block.provider_details["mood"] == "\U0001f600"
    mirrored = [event("reasoning_text.delta", 1, delta=each) for each in halves]
    (block,) = content(event("reasoning_summary_text.delta", 1, delta="S"), *mirrored)
    assert block.provider_details["content"][0]["text"] == "\U0001f600"
    same = [event("reasoning_summary_text.delta", 1, delta=each) for each in halves]
    (block,) = content(*same, *mirrored)
    assert block.thinking == "\U0001f600" and not block.provider_details


def test_annotations_of_reasoning_are_in_its_details() -> None:
    item = added(0, "reasoning", id="r")
    note = event("output_text.annotation.added", 0, item_id="r", annotation={"a": 1})
    (block,) = content(item, text(0, "Hm", item_id="r"), note)
    assert block.thinking == "Hm" and block.provider_details["annotations"] == [{"a": 1}]
    part = {"type": "output_text", "text": "Hm", "annotations": [{"a": 1}]}
    (block,) = content(done(0, {"type": "reasoning", "content": [part]}))
    assert block.thinking == "Hm" and block.provider_details["annotations"] == [{"a": 1}]


def test_what_tells_where_an_event_belongs_and_what_carries_nothing_are_no_details() -> None:
    names = "content_index", "summary_index", "annotation_index", "command_index", "partial_image_index"
    where = {"sequence_number": 1, "event_id": "e", "obfuscation": "x", "item_id": "i", **dict.fromkeys(names, 0)}
    copies = {"snapshot": "Hi", "parsed": {"a": 1}, "arguments": "", "refusal": "", "name": "f", "call_id": "c"}
    noted = event("note", 0, **where, snapshot="Hi")
    chunks = added(0, "message"), text(0, "Hi", **where, **copies), noted, text_done(0, "Hi", **where, **copies)
    message = final(*chunks, COMPLETED)
    assert (message.content, message.provider_details) == ((TextContent("Hi"),), {})


ECHOES = """
background frequency_penalty include input instructions max_output_tokens max_tool_calls metadata parallel_tool_calls
presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning
safety_identifier store stream temperature text tool_choice tools top_logprobs top_p truncation user
""".split()


def test_what_a_response_echoes_of_the_request_is_no_detail() -> None:
    message = final(ended("completed", **dict.fromkeys(ECHOES, "x"), service_tier="flex"))
    assert message.provider_details == {"service_tier": "flex"}
