"""Chat completions: arguments that come twice, in part or as a whole, and ids that are not unique."""

from __future__ import annotations

from typing import Any

import pytest
from support.completions import STOP, call, calls, chunk, final, finish

from provider_events import ToolCall
from provider_events.decoders import OpenAICompletionsDecoder

END = finish("tool_calls")


@pytest.mark.parametrize("text", [" ", "\n\n", ""])
def test_blank_arguments_are_no_arguments(text: str) -> None:
    assert final(call(0, "id1", "f", text), END).content == (ToolCall("id1", "f", {}),)


def test_an_id_that_is_a_number_is_kept_as_text() -> None:
    assert calls(call(0, 7, "f", "{}"), call(1, 8, "g", "{}"), END) == [("7", "f", {}), ("8", "g", {})]


def test_what_follows_an_empty_object_and_is_no_object_is_no_arguments() -> None:
    assert calls(call(0, "id1", "f", "{}"), call(0, arguments="x"), call(0, arguments="y"), END) == [("id1", "f", {})]
    assert calls(call(0, "id1", "f", "{} x"), call(0, arguments='{"a": 1}'), END) == [("id1", "f", {"a": 1})]


@pytest.mark.parametrize("id", ["null", "None"])
def test_a_text_in_place_of_null_is_no_id(id: str) -> None:
    chunks = call(0, "a", "f", ""), call(1, id, "g", ""), call(0, id, "", '{"x":1}'), call(1, id, "", '{"y":2}')
    first, second = final(*chunks, END).tool_calls
    assert (first.id, first.arguments, second.arguments) == ("a", {"x": 1}, {"y": 2})
    assert second.id not in (id, "", "a")


@pytest.mark.parametrize(
    "fragments",
    [
        ("{", '{"city": "Rome"}'),
        ('{"city"', '{"city": "Ro', '{"city": "Rome"}'),
        ('{"city": "Ro', 'me"', '{"city": "Rome"}'),
        ('{"city": "Rome"', '{"city": "Rome"}', '{"city": "Rome"}'),
    ],
)
def test_a_fragment_that_begins_with_all_the_arguments_so_far_adds_its_rest(fragments: tuple[str, ...]) -> None:
    chunks = [call(0, arguments=text) for text in fragments]
    assert calls(call(0, "id1", "f", ""), *chunks, END) == [("id1", "f", {"city": "Rome"})]


@pytest.mark.parametrize(
    ("fragments", "arguments"),
    [
        (('{"a":', '{"a":1}', "}"), {"a": {"a": 1}}),
        (('{"a": ', '{"a": 1}', "}"), {"a": {"a": 1}}),
        (('{"a":[', '{"a":[1]}', "]}"), {"a": [{"a": [1]}]}),
        (('{"a":[{}, ', '{"a":[{}, 1]}', "]}"), {"a": [{}, {"a": [{}, 1]}]}),
    ],
)
def test_an_object_in_an_object_is_no_repetition_of_the_outer_one(fragments: tuple[str, ...], arguments: Any) -> None:
    chunks = [call(0, arguments=text) for text in fragments]
    assert calls(call(0, "id1", "f", ""), *chunks, END) == [("id1", "f", arguments)]


@pytest.mark.parametrize("index", [0, 1, None])
@pytest.mark.parametrize("id", ["c", None])
def test_arguments_behind_a_repeated_name_are_those_of_another_call(index: int | None, id: str | None) -> None:
    fragments = call(index, id, "f", ""), call(index, arguments=" "), call(index, arguments='{"x"')
    chunks = call(0, id, "f", '{"x":1}'), *fragments, call(index, arguments=":2}")
    first, second = final(*chunks, END).tool_calls
    assert (first.name, first.arguments) == ("f", {"x": 1}) and first.id == (id or first.id)
    assert (second.name, second.arguments) == ("f", {"x": 2}) and second.id not in (first.id, "")


def test_a_repeated_name_without_arguments_or_with_the_same_is_one_call() -> None:
    again = call(1, "c", "f", "")
    for rest in (), (call(1, arguments=" "),), (call(1, arguments='{"x":1}'),), (again,):
        assert calls(call(0, "c", "f", '{"x":1}'), again, *rest, END) == [("c", "f", {"x": 1})]


def test_arguments_behind_a_repeated_name_complete_the_call_that_lacks_them() -> None:
    again = call(0, "c", "f", "")
    chunks = again, again, call(0, arguments='{"x"'), again, call(0, arguments=":1}")
    assert calls(*chunks, END) == [("c", "f", {"x": 1})]


def test_a_repeated_name_is_forgotten_where_another_call_begins() -> None:
    header, other = call(0, "c", "f", ""), call(0, "d", "g", "")
    whole = call(0, "d", "g", '{"y":2}')
    elsewhere = call(1, "d", "g", ""), call(0, "d", None, '{"y":2}')
    for fragments in (other, call(0, arguments='{"y":2}')), (whole,), elsewhere:
        chunks = call(0, "c", "f", '{"x":1}'), header, *fragments
        assert calls(*chunks, END) == [("c", "f", {"x": 1}), ("d", "g", {"y": 2})]


def test_a_repeated_name_is_not_that_of_a_call_with_a_name_of_its_own() -> None:
    chunks = call(0, None, "f", '{"x":1}'), call(0, None, "f", ""), call(0, None, "g", '{"y":2}')
    assert [(name, arguments) for _, name, arguments in calls(*chunks, END)] == [("f", {"x": 1}), ("g", {"y": 2})]


def test_all_arguments_once_more_behind_named_fragments_are_a_repetition() -> None:
    chunks = call(0, None, "f", '{"x"'), call(0, None, "f", ":1}"), call(0, arguments='{"x":1}')
    assert len(calls(*chunks, END)) == 1


def test_a_part_of_type_tool_use_is_a_call() -> None:
    part = {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}, "caller": "me"}
    message = final(chunk(content=[{"type": "text", "text": "So"}, part]), STOP)
    assert message.content[1:] == (ToolCall("c", "f", {"x": 1}, provider_details={"caller": "me"}),)


def test_deltas_of_arguments_come_once() -> None:
    decoder = OpenAICompletionsDecoder()
    chunks = [call(0, "c", "f", ""), *(call(0, arguments=text) for text in ('{"x"', '{"x":1', '{"x":1}')), END]
    deltas = [event.delta for each in chunks for event in decoder.feed(each) if event.type == "toolcall_delta"]
    assert deltas == ['{"x"', ":1", "}"]


def test_an_id_may_be_in_the_function() -> None:
    entry = {"index": 0, "function": {"id": "c", "name": "f", "arguments": "{}"}}
    assert final(chunk(tool_calls=[entry]), END).content == (ToolCall("c", "f", {}),)
