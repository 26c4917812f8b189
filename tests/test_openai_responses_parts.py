"""OpenAI's Responses API: where the text and the log probabilities of a part are, and where a part begins."""

from __future__ import annotations

from typing import Any

import pytest
from support.responses import (
    COMPLETED,
    Chunk,
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
    shown,
    summary,
    text,
    text_done,
)

A, B = [{"token": "a", "logprob": -0.5}], [{"token": "b", "logprob": -0.25}]
MESSAGE, REASONING = added(0, "message"), added(0, "reasoning")


def part(verb: str, text: str, kind: str = "content_part", type: str = "output_text", **fields: Any) -> dict[str, Any]:
    return event(f"{kind}.{verb}", 0, part={"type": type, "text": text}, **fields)


# Text


def test_the_text_of_a_part_that_begins_with_it_counts_if_none_streams() -> None:
    assert shown(MESSAGE, part("added", "Hi")) == ["Hi"]
    assert shown(part("added", "Hi")) == ["Hi"]
    assert shown(MESSAGE, part("added", "a"), part("added", "b")) == ["ab"]
    assert shown(added(0, **message_item("a")), part("added", "b")) == ["ab"]
    assert shown(REASONING, part("added", "Hm", "reasoning_summary_part", "summary_text")) == ["Hm"]
    assert shown(MESSAGE, part("added", "Hi"), text(0, "Hi"), done(0, message_item("Hi"))) == ["Hi"]
    assert shown(MESSAGE, part("added", "Hi"), done(0, message_item("Ho"))) == ["Ho"]
    assert content(part("added", "")) == ()


def test_parts_of_reasoning_have_events_of_their_own() -> None:
    kind = "reasoning_part", "reasoning_text"
    (block,) = content(REASONING, part("added", "", *kind), reasoning(0, "Hm"), part("done", "Hm", *kind))
    assert block.thinking == "Hm" and block.provider_details == {"type": "reasoning_text"}
    assert shown(REASONING, part("added", "", *kind), part("done", "Hm", *kind)) == ["Hm"]


def test_parts_without_indexes_are_told_apart_by_their_beginnings() -> None:
    begin, end = (part(verb, "", "reasoning_summary_part", "summary_text") for verb in ("added", "done"))
    assert shown(REASONING, begin, summary(0, "a"), end, begin, summary(0, "b"), end) == ["a\n\nb"]
    assert shown(REASONING, begin, summary(0, "a"), begin, summary(0, "b")) == ["ab"]
    assert shown(REASONING, begin, summary(0, "a"), end, summary(0, "b")) == ["ab"]
    assert shown(REASONING, begin, summary(0, "a"), end, begin) == ["a"]
    three = begin, summary(0, "a"), end, begin, summary(0, "b"), begin, summary(0, "c")
    assert shown(REASONING, *three) == ["a\n\nbc"], "the second part is not done"


def test_a_delta_may_be_where_the_whole_text_would_be() -> None:
    assert shown(event("output_text.delta", 0, text="H"), event("output_text.delta", 0, text="i")) == ["Hi"]
    call = added(0, "function_call", call_id="c", name="f")
    assert shown(call, event("function_call_arguments.delta", 0, arguments='{"a":1}')) == [("f", {"a": 1})]
    assert shown(text(0, "Hi", text="no")) == ["Hi"]
    assert content(event("output_text.delta", 0, text=None)) == ()


def test_an_object_or_a_text_may_be_in_place_of_an_array_of_parts() -> None:
    assert shown(done(0, {"type": "reasoning", "summary": {"text": "Hm"}})) == ["Hm"]
    assert shown(done(0, {"type": "message", "content": {"text": "Hi"}})) == ["Hi"]
    assert shown(done(0, {"type": "message", "content": "Hi"})) == ["Hi"]


def test_the_output_text_of_a_response_counts_if_there_is_no_item() -> None:
    last = ended("completed", output_text="ab")
    assert shown(last) == ["ab"]
    assert shown(added(0, "message"), text(0, "a"), added(1, "message"), text(1, "b"), last) == ["a", "b"]
    assert shown(ended("completed", message_item("a"), message_item("b"), output_text="ab")) == ["a", "b"]


# Log probabilities


def test_log_probabilities_of_a_whole_part_count_if_none_streamed() -> None:
    one, two = text_done(0, "a", content_index=0, logprobs=A), text_done(0, "b", content_index=1, logprobs=B)
    (block,) = content(one, two)
    assert block.provider_details["logprobs"] == [*A, *B]
    (block,) = content(text(0, "a", content_index=0, logprobs=A), one, two)
    assert block.provider_details["logprobs"] == [*A, *B]
    (block,) = content(text(0, "a"), event("content_part.done", 0, part={"text": "a", "logprobs": A}))
    assert block.provider_details["logprobs"] == A
    (block,) = content(one, event("content_part.done", 0, content_index=0, part={"text": "a", "logprobs": A}))
    assert block.provider_details["logprobs"] == A
    (block,) = content(one, done(0, {"type": "message", "content": [{"text": "a", "logprobs": B}]}))
    assert block.provider_details["logprobs"] == B


# Which item


@pytest.mark.parametrize("last", [COMPLETED, ended("completed", message_item("ab", id="1"), message_item("c", id="2"))])
def test_the_index_counts_where_items_share_an_id(last: dict[str, Any]) -> None:
    one, two = added(0, "message", id="m"), added(1, "message", id="m")
    assert shown(one, text(0, "a", item_id="m"), two, text(1, "c", item_id="m"), text(0, "b", item_id="m"), last) == [
        "ab",
        "c",
    ]
    calls = [added(index, "function_call", id="i", call_id=id, name="f") for index, id in enumerate("ab")]
    deltas = [arguments(index, f'{{"n":{index}}}', item_id="i") for index in (1, 0)]
    assert shown(*calls, *deltas) == [("f", {"n": 0}), ("f", {"n": 1})]
    whole = [done(index, call_item(None, "f", f'{{"n":{index}}}', id="i")) for index in (0, 1)]
    assert shown(*calls, *whole) == shown(*calls, *reversed(whole)) == [("f", {"n": 0}), ("f", {"n": 1})]


def test_items_without_an_id_share_none() -> None:
    calls = [added(index, "function_call", call_id=id, name="f") for index, id in enumerate("ab")]
    deltas = [arguments(0, f'{{"n":{number}}}', item_id=id) for number, id in enumerate("ab")]
    assert shown(*calls, *deltas) == [("f", {"n": 0}), ("f", {"n": 1})]


def test_an_open_item_counts_before_a_done_one_with_its_id() -> None:
    one, two = added(0, "message", id="m"), added(1, "message", id="m")
    given = one, text(0, "a"), done(0, message_item("a", id="m")), two
    assert shown(*given, text(0, "b", item_id="m"), text(1, "c")) == ["a", "bc"]
    assert shown(*given, done(0, message_item("b", id="m"))) == ["a", "b"]


def test_an_item_that_is_begun_again_with_the_same_id_is_the_same() -> None:
    one = added(0, "message", id="m")
    assert shown(one, text(0, "a"), one, text(0, "b")) == ["ab"]
    assert len(content(one, added(1, "message", id="m"), text(1, "a"))) == 1, "it has no text yet"
    again = {"type": "message", "id": "m", **message_item("a")}
    for late in (event("output_item.added", item=again), event("output_item.added", 1, item=again)):
        assert shown(one, text(0, "a"), done(0, again), late) == ["a"]
    next_one, last = added(None, "message", id="m"), ended("completed", message_item("a", id="x"), message_item("b"))
    assert shown(one, text(0, "a"), next_one, text(None, "b", item_id="m")) == ["ab"]
    assert shown(one, text(0, "a"), done(0, again), next_one, text(None, "b", item_id="m"), last) == ["a", "b"]


def test_whole_arguments_of_no_known_call_may_repeat_those_of_the_open_one() -> None:
    call = added(None, "function_call", call_id="c", name="f")
    given = call, arguments(None, '{"a":1}', item_id="x")
    assert shown(*given, arguments_done(None, '{"a":1}', item_id="y")) == [("f", {"a": 1})]
    assert len(content(*given, arguments_done(None, '{"a":1}', item_id="y", name="f"))) == 2
    assert len(content(*given, arguments_done(None, '{"a":2}', item_id="y"))) == 2


def test_usage_beside_the_response() -> None:
    last = {**COMPLETED, "usage": {"input_tokens": 3, "output_tokens": 2}}
    message = final(text(0, "Hi"), last)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 2)


PARTS: dict[str, tuple[str, str, str, str]] = {
    "output_text": ("message", "content_index", "text", "A. B. C."),
    "refusal": ("message", "content_index", "refusal", "A. B. C."),
    "reasoning_text": ("reasoning", "content_index", "text", "A. B. C."),
    "reasoning": ("reasoning", "content_index", "text", "A. B. C."),
    "reasoning_summary_text": ("reasoning", "summary_index", "text", "A. \n\nB. C."),
    "reasoning_summary": ("reasoning", "summary_index", "text", "A. \n\nB. C."),
}


@pytest.mark.parametrize("kind", PARTS)
def test_a_whole_text_is_of_the_part_that_its_index_names(kind: str) -> None:
    type, key, name, expected = PARTS[kind]

    def delta(part: int, text: str) -> Chunk:
        return event(f"{kind}.delta", 0, delta=text, **{key: part})

    def whole(part: int, text: str) -> Chunk:
        return event(f"{kind}.done", 0, **{key: part, name: text})

    assert shown(added(0, type), whole(0, "A. "), whole(1, "B. C.")) == [expected], "parts that have not streamed"
    assert shown(added(0, type), delta(0, "A. "), delta(1, "B. "), whole(1, "B. C.")) == [expected], "a longer whole"
