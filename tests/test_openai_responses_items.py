"""OpenAI's Responses API: which item an event belongs to, whatever its ids and indexes, and what is a repetition."""

from __future__ import annotations

import pytest
from support.responses import (
    COMPLETED,
    added,
    arguments,
    arguments_done,
    call_item,
    content,
    done,
    ended,
    event,
    final,
    message_item,
    reasoning,
    reasoning_item,
    shown,
    summary,
    summary_done,
    text,
    text_done,
)

from provider_events import ToolCall, UnknownContent

MESSAGE = added(0, "message", id="msg_1")
DONE = done(0, message_item("Hi", id="msg_1"))


# Deltas


def test_an_id_wins_over_the_index() -> None:
    one, two = added(0, "message", id="msg_1"), added(1, "message", id="msg_2")
    assert shown(one, two, text(1, "a", item_id="msg_1"), text(0, "b", item_id="msg_2")) == ["a", "b"]
    assert shown(one, two, text(0, "a"), text(1, "b"), done(0, message_item("b!", id="msg_2"))) == ["a", "b!"]
    assert shown(one, two, done(0, message_item("b", id="msg_2")), text(0, "a")) == ["a", "b"]


def test_the_index_counts_where_the_id_is_unknown() -> None:
    one, two = added(0, "message", id="msg_1"), added(1, "message", id="msg_2")
    chunks = [text(index, delta, item_id=f"id_{delta}") for index, delta in [(0, "a"), (1, "b"), (0, "c"), (1, "d")]]
    assert shown(one, two, *chunks) == ["ac", "bd"]
    assert shown(one, text(0, "a"), two, text(1, "b"), done(0, message_item("a!", id="x"))) == ["a!", "b"]
    assert shown(one, two, text(0, "ab"), text(1, "cd"), done(0, message_item("zz", id="x"))) == ["ab", "cd"]
    call = added(0, "function_call", call_id="a", name="f"), added(1, "function_call", call_id="c", name="f")
    for name, count in (("f", 2), ("g", 3)):
        assert len(content(*call, arguments(0, '{"a":1}'), done(0, call_item("b", name, '{"a":1}')))) == count


def test_an_item_is_known_by_all_its_ids() -> None:
    chunks = (
        MESSAGE,
        text(0, "Hi"),
        done(0, message_item("Hi", id="new", phase="commentary")),
        text(None, "!", item_id="new"),
    )
    assert content(*chunks)[1].provider_details == {"id": "new", "phase": "commentary"}


@pytest.mark.parametrize("index", ["1", 1.0])
def test_an_index_may_be_a_text_or_a_fraction(index: object) -> None:
    assert shown(MESSAGE, added(1, "message"), {**text(0, "a"), "output_index": index}, text(0, "b")) == ["b", "a"]


def test_an_open_item_wins_over_one_that_is_done() -> None:
    assert shown(MESSAGE, text(0, "Hi"), DONE, added(1, "message", id="msg_2"), text(1, "ho", item_id="msg_1")) == [
        "Hi",
        "ho",
    ]


def test_an_item_announced_at_the_index_of_another() -> None:
    call = added(0, "function_call", id="fc_1", call_id="c", name="f")
    chunks = (
        MESSAGE,
        text(0, "H", item_id="msg_1"),
        call,
        text(0, "i"),
        arguments(0, '{"a":1}'),
        text(0, "!", item_id="msg_1"),
    )
    assert shown(*chunks) == ["Hi!", ("f", {"a": 1})]


def test_without_id_and_index_text_goes_to_the_only_open_block() -> None:
    assert shown(MESSAGE, text(None, "H"), added(1, "reasoning"), text(7, "i"), summary(None, "hm")) == ["Hi", "hm"]


def test_without_id_and_index_arguments_go_to_the_latest_call() -> None:
    calls = [added(None, "function_call", call_id=id, name="f") for id in "ab"]
    assert shown(calls[0], arguments(None, '{"a":1}'), calls[1], arguments(None, '{"b":1}')) == [
        ("f", {"a": 1}),
        ("f", {"b": 1}),
    ]


def test_text_of_no_item_begins_one() -> None:
    assert shown(text(0, "Hi", item_id="msg_1"), reasoning(1, "Hm", item_id="rs_1"), text(0, "!", item_id="msg_1")) == [
        "Hi!",
        "Hm",
    ]
    assert content(text(0, "Hi", item_id="msg_1"))[0].provider_details == {"id": "msg_1"}
    assert shown(text(None, "Hi")) == ["Hi"]


def test_a_delta_without_text_begins_nothing() -> None:
    assert shown(text(0, "", item_id="msg_1"), text(0, None, item_id="msg_1"), text_done(0, "")) == []


def test_reasoning_at_the_index_of_a_message_is_an_item_of_its_own() -> None:
    chunks = MESSAGE, reasoning(0, "Hm", item_id="a"), reasoning(0, ".", item_id="b"), text(0, "Hi", item_id="msg_1")
    assert shown(*chunks) == ["Hi", "Hm."]


def test_text_at_the_index_of_reasoning_is_an_item_of_its_own() -> None:
    thought = added(0, "reasoning", id="rs_1"), summary(0, "Hm"), done(0, reasoning_item("Hm", id="rs_1"))
    assert shown(
        *thought, text(0, "H", item_id="m"), text(0, "i", item_id="m"), done(0, message_item("Hi", id="m"))
    ) == ["Hm", "Hi"]


def test_text_under_the_id_of_an_open_reasoning_item_is_reasoning() -> None:
    chunks = MESSAGE, added(1, "reasoning", id="rs_1"), text(1, "Hm", item_id="rs_1"), text(1, "Hi", item_id="msg_1")
    assert shown(*chunks, text_done(1, "Hm.", item_id="rs_1")) == ["Hi", "Hm."]
    assert content(*chunks)[1].provider_details == {"id": "rs_1", "type": "reasoning_text"}


def test_one_id_for_all_items() -> None:
    chunks = (
        added(0, "reasoning", id="x"),
        reasoning(0, "Hm", item_id="x"),
        event("reasoning_text.done", 1, item_id="x", text="Hm"),
        done(1, reasoning_item(raw="Hm", id="other")),
        added(1, "message", id="x"),
        text(1, "Hi", item_id="x"),
        text_done(2, "Hi", item_id="x"),
        done(2, message_item("Hi", id="x")),
        added(2, "message", id="x"),
        text(2, "Ho", item_id="x"),
        done(3, message_item("Ho", id="x")),
    )
    assert shown(*chunks) == ["Hm", "Hi", "Ho"]


def test_text_behind_the_end_of_its_item_continues_in_a_block_of_its_own() -> None:
    chunks = (
        MESSAGE,
        text(0, "Hi", item_id="msg_1"),
        DONE,
        text(0, " ", item_id="msg_1"),
        text(0, "ho", item_id="msg_1"),
    )
    assert shown(*chunks) == ["Hi", " ho"]
    assert shown(*chunks, ended("completed", message_item("Hi ho!", id="msg_1"))) == ["Hi", " ho!"]
    assert [block.provider_details for block in content(*chunks)] == [{"id": "msg_1"}] * 2
    assert content(*chunks[:3], text(0, "ho"))[1].provider_details == {"id": "msg_1"}
    assert content(*chunks[:3], text(0, "ho", item_id="msg_2"))[1].provider_details == {"id": "msg_2"}


# Arguments


def test_arguments_that_nothing_announced_begin_a_call() -> None:
    chunks = arguments(0, '{"a":1}', item_id="fc_1"), arguments(1, '{"b":1}', item_id="fc_2")
    calls = call_item("c1", "f", '{"a":1}', id="fc_1"), call_item("c2", "g", '{"b":1}', id="fc_2")
    assert shown(*chunks, ended("completed", *calls)) == [("f", {"a": 1}), ("g", {"b": 1})]
    parts = (
        arguments(0, '{"a"', item_id="fc_1"),
        arguments(1, '{"b"', item_id="fc_2"),
        arguments(0, ":1}", item_id="fc_1"),
    )
    assert [each.invalid_arguments for each in content(*parts)] == [None, '{"b"']
    assert [each.arguments for each in content(arguments(None, '{"a":1}', item_id="fc_1"))] == [{"a": 1}]
    assert [each.arguments for each in content(arguments(0, '{"a":1}'))] == [{"a": 1}]


def test_arguments_that_name_no_call_begin_none() -> None:
    assert content(MESSAGE, text(0, "Hi"), arguments(0, "{}"))[0].provider_details == {"id": "msg_1", "delta": "{}"}
    assert content(arguments(None, "{"), arguments(None, "}")) == (
        UnknownContent({"type": "response.function_call_arguments.delta", "delta": "{}"}),
    )
    begun = added(0, "mcp_call", id="mcp_1")
    assert final(begun, arguments(0, "{}", item_id="mcp_1")).tool_calls == ()
    message = final(arguments_done(None, "{}"), COMPLETED)
    assert message.provider_details == {"response.function_call_arguments.done": {"arguments": "{}"}}


def test_arguments_under_another_id_belong_to_the_open_call_unless_it_is_complete() -> None:
    begun = added(0, "function_call", id="fc_1", call_id="c", name="f")
    assert shown(begun, arguments(None, '{"a"', item_id="x"), arguments(None, ":1}", item_id="y")) == [("f", {"a": 1})]
    complete = begun, arguments(0, '{"a":1}')
    assert shown(*complete, arguments(1, '{"b":1}', item_id="x", name="g")) == [("f", {"a": 1}), ("g", {"b": 1})]
    assert len(content(*complete, arguments(1, '{"b":1}', item_id="x"))) == 2
    assert len(content(*complete, arguments(None, '{"b":1}', item_id="x"))) == 2


def test_calls_in_parallel() -> None:
    calls = [added(index, "function_call", id=f"fc_{index}", call_id=f"c{index}", name="f") for index in range(2)]
    streamed = (
        arguments(1, '{"b"'),
        arguments(0, '{"a"'),
        arguments(1, ":2}"),
        done(1, call_item("c1", "f", '{"b":2}')),
        arguments(0, ":1}"),
    )
    assert shown(*calls, *streamed) == [("f", {"a": 1}), ("f", {"b": 2})]


def test_arguments_behind_the_end_of_an_item_that_had_none() -> None:
    begun = added(0, "function_call", id="fc_1", call_id="c", name="f")
    chunks = begun, done(0, call_item("c", "f", id="fc_1")), arguments(0, '{"a":1}', item_id="fc_1")
    assert shown(*chunks) == [("f", {"a": 1})]
    assert shown(*chunks[:2]) == [("f", {})]


def test_complete_arguments_take_no_more() -> None:
    begun = added(0, "function_call", id="fc_1", call_id="c", name="f")
    for more in (
        arguments_done(0, '{"a":1}{"a":1}'),
        arguments_done(0, '{ "a": 1 }'),
        arguments(0, '{"a":1}'),
        done(0, call_item("c", "f", '{ "a": 1 }')),
    ):
        call = begun, arguments(0, '{"a":1}'), more
        assert shown(*call) == shown(*call, done(0, call_item("c", "f", '{"a":1}')), more) == [("f", {"a": 1})]


# Repetitions


def test_an_item_announced_twice_is_one() -> None:
    assert shown(MESSAGE, text(0, "Hi"), MESSAGE, text(0, "!")) == ["Hi!"]
    assert len(content(MESSAGE, added(0, "message"), text(0, "Hi"))) == 1
    assert len(content(added(None, "message"), added(None, "message"), text(None, "Hi"))) == 1
    assert len(content(MESSAGE, text(0, "Hi"), DONE, MESSAGE)) == 1
    (block,) = content(MESSAGE, added(0, "message", id="msg_1", phase="commentary"), text(0, "Hi"))
    assert block.provider_details == {"id": "msg_1", "phase": "commentary"}


def test_items_that_differ_in_id_or_call_id_are_two() -> None:
    assert len(content(MESSAGE, added(0, "message", id="msg_2"), text(0, "Hi"))) == 2
    assert len(content(*[added(0, "function_call", call_id=id, name="f") for id in "ab"])) == 2
    assert len(content(added(None, "message"), text(None, "Hi"), added(None, "message"))) == 2
    assert len(content(*[done(None, {"type": "web_search_call", "query": query}) for query in "ab"])) == 2
    assert (
        shown(added(0, "function_call", call_id="a", name="f"), done(None, call_item("b", "f", "{}")))
        == [("f", {})] * 2
    )
    assert shown(MESSAGE, text(0, "Hi"), DONE, done(0, message_item("Ho", id="msg_2"))) == ["Hi", "Ho"]


def test_no_item_at_all_begins_nothing() -> None:
    assert shown(event("output_item.added", 0, item=None), text(0, "Hi"), event("output_item.done", 0, item=None)) == [
        "Hi"
    ]


def test_whole_texts_behind_the_end_of_their_item_repeat_it() -> None:
    part = event("content_part.done", 0, item_id="msg_1", part={"type": "output_text", "text": "Hi"})
    late = (
        text_done(0, "Hi", item_id="msg_1"),
        part,
        DONE,
        text_done(0, "Hi", item_id="new"),
        done(1, message_item("Hi", id="msg_1")),
    )
    for each in late:
        assert shown(MESSAGE, text(0, "Hi"), DONE, each) == ["Hi"]
    assert shown(MESSAGE, text(0, "Hi"), DONE, text_done(1, "Ho", item_id="msg_2")) == ["Hi", "Ho"]
    assert shown(MESSAGE, text(0, "Hi"), DONE, done(0, message_item("Hi", id="new"))) == ["Hi"]


def test_the_index_of_a_part_may_be_wrong() -> None:
    for index in (1, 7):
        assert shown(MESSAGE, text(0, "Hi", content_index=1), text_done(0, "Hi!", content_index=index - 1), DONE) == [
            "Hi!"
        ]
    tokens = [text(0, token, content_index=index) for index, token in enumerate(["Hel", "lo ", "you"])]
    for index in (0, 2, 3):
        assert shown(MESSAGE, *tokens, text_done(0, "Hello you", content_index=index)) == ["Hello you"]
    assert shown(MESSAGE, *tokens, text_done(0, "Hello you!", content_index=2), DONE) == ["Hello you!"]
    parts = summary(0, "One", summary_index=0), summary_done(0, "One"), summary(0, "Tw", summary_index=1)
    assert shown(*parts, summary_done(0, "Two", 2)) == ["One\n\nTwo"]
    assert shown(summary(0, "On", summary_index=0), summary_done(0, "One", 1)) == ["One"]
    begun = event("reasoning_summary_part.added", 0, summary_index=1, part={"type": "summary_text", "text": ""})
    assert shown(*parts[:2], begun, parts[2], summary_done(0, "One")) == ["One\n\nTw"]


def test_the_index_of_a_part_may_be_missing() -> None:
    assert shown(summary(0, "On"), summary(0, "e", summary_index=0), summary(0, "!")) == ["One!"]
    assert shown(summary(0, "On"), summary_done(0, "One", 1), summary_done(0, "Two", 2)) == ["One\n\nTwo"]


def test_a_part_whose_text_was_not_streamed_is_not_lost() -> None:
    chunks = MESSAGE, text(0, "Hi", content_index=0), text_done(0, "Hi", content_index=0)
    assert shown(*chunks, text_done(0, "Hi there", content_index=1)) == ["HiHi there"]
    assert shown(*chunks, text(0, " A", content_index=1), text_done(0, "Hi", content_index=0)) == ["Hi A"]
    assert shown(*chunks, text(0, "A", content_index=1), text_done(0, "Ah", content_index=0)) == ["HiA"]


def test_a_call_that_is_done_twice_is_one() -> None:
    item = call_item("c", "f", '{"a":1}', id="fc_1")
    assert shown(done(0, item), done(0, item), done(1, {**item, "id": "fc_2"}), ended("completed", item)) == [
        ("f", {"a": 1})
    ]


def test_equal_calls_with_ids_of_their_own_are_two() -> None:
    one, two = call_item("c1", "f", '{"a":1}', id="fc_1"), call_item("c2", "f", '{"a":1}', id="fc_2")
    assert shown(done(0, one), done(1, two), ended("completed", one, two)) == [("f", {"a": 1})] * 2
    assert shown(done(0, one), ended("completed", one, two)) == [("f", {"a": 1})] * 2


def test_a_call_id_given_at_the_end_of_a_call_replaces_its_first_one() -> None:
    call, whole = added(0, "function_call", id="fc_1", call_id="a", name="f"), call_item("b", "f", '{"n":1}', id="fc_1")
    for end in (done(0, whole), ended("completed", whole)):
        (block,) = content(call, arguments(0, '{"n":1}'), end)
        assert (block.id, block.arguments) == ("b", {"n": 1})
    (block,) = content(call, done(0, call_item("a", "f", '{"n":1}', id="fc_1")), ended("completed", whole))
    assert block.id == "a", "it has ended"


def test_arguments_that_an_sdk_has_parsed_are_no_details() -> None:
    item = call_item("c", "f", '{"a": 1}', parsed_arguments={"a": 1})
    assert content(done(0, item)) == (ToolCall("c", "f", {"a": 1}),)
