"""OpenAI's Responses API: what the final response adds to the events before it, and what it repeats."""

from __future__ import annotations

from support.responses import (
    COMPLETED,
    Chunk,
    added,
    arguments,
    call_item,
    content,
    decoded,
    done,
    ended,
    event,
    final,
    message_item,
    reasoning_item,
    shown,
    text,
    text_done,
)

from provider_events import UnknownContent

MESSAGE = added(0, "message", id="msg_1")
DONE = done(0, message_item("Hi", id="msg_1"))


def test_the_final_response_repeats_nothing() -> None:
    thought, answer, call = (
        reasoning_item("Hm", id="rs_1"),
        message_item("Hi", id="msg_1"),
        call_item("c", "f", "{}", id="fc_1"),
    )
    chunks = done(0, thought), done(1, answer), done(2, call)
    for output in (
        (thought, answer, call),
        (call, thought, answer),
        (call,),
        (),
        ({**thought, "id": "x"}, {**answer, "id": "y"}, {**call, "id": "z"}),
        ({**call, "id": "z", "call_id": "w"}, {**answer, "id": None}),
    ):
        assert shown(*chunks, ended("completed", *output)) == ["Hm", "Hi", ("f", {})]
    calls = [call_item(f"c{name}", name, '{"a":1}', id=f"fc_{name}") for name in "fg"]
    renamed = [{**call, "id": None, "call_id": f"new_{call['name']}", "arguments": '{ "a": 1 }'} for call in calls]
    assert shown(*map(done, range(2), calls), ended("completed", *reversed(renamed))) == [
        ("f", {"a": 1}),
        ("g", {"a": 1}),
    ]


def test_what_only_the_final_response_has_is_taken_from_it() -> None:
    answer, call = message_item("Hi", id="msg_1"), call_item("c", "f", "{}", id="fc_1")
    search: Chunk = {"type": "web_search_call", "id": "ws_1"}
    assert shown(done(0, answer), ended("completed", answer, call)) == ["Hi", ("f", {})]
    assert shown(ended("completed", reasoning_item("Hm"), answer)) == ["Hm", "Hi"]
    assert content(done(0, search), ended("completed", search, {**search, "id": "ws_2"})) == (
        UnknownContent(search),
        UnknownContent({**search, "id": "ws_2"}),
    )
    assert shown(done(0, answer), ended("completed", answer, message_item("Ho", id="msg_2"))) == ["Hi", "Ho"]
    messages = [message_item(each, id=f"msg_{each}") for each in "ab"]
    whole = [message_item(f"{each}!", id=f"msg_{each}") for each in "ba"]
    assert shown(*map(done, range(2), messages), ended("completed", *whole)) == ["a", "b", "!", "!"]
    assert len(content(done(0, call_item("c1", "f", "x{")), ended("completed", call_item("c2", "f", "y{")))) == 2


def test_a_message_of_another_id_and_text_is_the_next_that_streamed() -> None:
    answer = MESSAGE, text(0, "Hello"), done(0, message_item("Hello", id="msg_1"))
    assert shown(*answer, ended("completed", message_item("lo", id="x"))) == ["Hello"]
    assert shown(*answer, ended("completed", message_item("lo", id="x"), message_item("Ho", id="y"))) == ["Hello", "Ho"]


def test_items_that_are_never_done_end_with_the_response() -> None:
    call = added(1, "function_call", id="fc_1", call_id="c", name="f"), arguments(1, '{"a":1')
    chunks = MESSAGE, text(0, "Hi"), *call
    assert shown(*chunks, ended("completed", call_item("c", "f", '{"a":1}', id="fc_9"))) == ["Hi", ("f", {"a": 1})]
    assert [each.type for each in decoded(*chunks, COMPLETED)][-3:] == ["text_end", "toolcall_end", "done"]


def test_a_signature_that_comes_behind_the_end_of_its_block_is_in_one_of_its_own() -> None:
    thought = reasoning_item("Hm", id="rs_1")
    chunks = done(0, thought), done(1, message_item("Hi"))
    blocks = content(*chunks, ended("completed", {**thought, "encrypted_content": "sig"}))
    assert [(block.thinking, block.thinking_signature) for block in (blocks[0], blocks[2])] == [
        ("Hm", None),
        ("", "sig"),
    ]
    assert blocks[2].provider_details == {"id": "rs_1"}
    signed = {**thought, "encrypted_content": "sig"}
    assert len(content(done(0, signed), ended("completed", {**thought, "encrypted_content": "other"}))) == 1


def test_details_that_come_behind_the_end_of_a_block_are_in_those_of_the_message() -> None:
    note = {"type": "url_citation"}
    cited = {
        "type": "message",
        "id": "msg_1",
        "phase": "final_answer",
        "content": [{"type": "output_text", "text": "Hi", "annotations": [note]}],
    }
    message = final(done(0, message_item("Hi", id="msg_1")), ended("completed", cited))
    assert message.provider_details["output"] == [{"id": "msg_1", "phase": "final_answer", "annotations": [note]}]
    assert "output" not in final(done(0, cited), ended("completed", cited)).provider_details
    late = event("output_text.annotation.added", 0, item_id="msg_1", annotation=note)
    assert final(DONE, late, COMPLETED).provider_details["output"] == [{"id": "msg_1", "annotations": [note]}]
    logprobs = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi", "logprobs": [1]}]}
    assert final(DONE, ended("completed", logprobs)).provider_details["output"] == [{"id": "msg_1", "logprobs": [1]}]
    assert "output" not in final(done(0, logprobs), ended("completed", logprobs)).provider_details
    mood = event("mood", 0, item_id="msg_1", tone="warm")
    assert final(DONE, mood, COMPLETED).provider_details["output"] == [{"id": "msg_1", "tone": "warm"}]


def test_a_stream_resumed_in_the_middle() -> None:
    chunks = (
        text(0, "llo", item_id="msg_1"),
        text_done(0, "Hello", item_id="msg_1"),
        done(0, message_item("Hello", id="msg_1")),
    )
    assert shown(*chunks, ended("completed", message_item("Hello", id="msg_1"))) == ["llo"]
