"""Chat completions: tool calls, and which call a fragment belongs to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.completions import DONE, STOP, call, calls, chunk, decoded, details, final, finish, types, whole
from support.decoding import types_by_chunk

from provider_events import StopReason, TextContent, ToolCall, ToolCallDelta, ToolCallStart, UnknownContent
from provider_events.decoders import OpenAICompletionsDecoder

END = finish("tool_calls")

# One call


def test_a_call_starts_with_its_name_goes_on_with_its_arguments_and_ends_with_the_message() -> None:
    chunks = [call(0, "id1", "f", ""), call(0, arguments='{"a"'), call(0, arguments=": 1}"), END]
    assert types_by_chunk(OpenAICompletionsDecoder, chunks) == [
        ["start", "toolcall_start"], ["toolcall_delta"], ["toolcall_delta"], [], ["toolcall_end", "done"],
    ]  # fmt: skip
    message = final(*chunks)
    assert message.content == (ToolCall("id1", "f", {"a": 1}),)
    assert message.stop_reason is StopReason.TOOL_USE


def test_a_call_ends_open_text_and_open_reasoning() -> None:
    for delta, kind in ({"content": "So"}, "text"), ({"reasoning": "So"}, "thinking"):
        seen = types(chunk(**delta), call(0, "id1", "f", "{}"), END)
        assert seen[3:5] == [f"{kind}_end", "toolcall_start"]


def test_text_between_the_fragments_of_a_call_is_a_block_of_its_own_and_the_call_goes_on() -> None:
    chunks = call(0, "id1", "f", '{"a"'), chunk(content="\n"), call(0, arguments=":1}"), END
    assert final(*chunks).content == (ToolCall("id1", "f", {"a": 1}), TextContent("\n"))


def test_text_and_a_call_in_one_delta_are_in_this_order() -> None:
    both = call(0, "id1", "f", "{}")
    both["choices"][0]["delta"]["content"] = "So"
    assert final(both, END).content == (TextContent("So"), ToolCall("id1", "f", {}))


def test_an_id_and_a_name_may_come_after_arguments() -> None:
    events = decoded(call(0, arguments='{"a":'), call(0, arguments=" 1}"), call(0, "id1", "f"), END, DONE)
    assert isinstance(events[1], ToolCallStart) and (events[1].tool_call_id, events[1].tool_name) == (None, None)
    assert events[-1].partial.content == (ToolCall("id1", "f", {"a": 1}),)


def test_a_late_id_shows_in_later_snapshots_only() -> None:
    chunks = call(0, name="f", arguments="{"), call(0, "id1"), call(0, arguments="}"), END
    assert [event.partial.tool_calls[0].id for event in decoded(*chunks)[1:]] == ["", "", "id1", "id1", "id1"]


def test_a_name_may_come_in_parts_before_the_arguments() -> None:
    chunks = call(0, "id1", "get_"), call(0, name="weather"), call(0, name="get_weather", arguments="{}"), END
    assert calls(*chunks) == [("id1", "get_weather", {})]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    given: list[Any] = [None, "", {}, "{}"]
    for arguments in given:
        assert calls(call(0, "id1", "f", arguments), END) == [("id1", "f", {})]


def test_an_entry_without_content_begins_nothing() -> None:
    empty = (
        call(0, "", "", ""),
        call(1),
        chunk(tool_calls=[{}]),
        chunk(tool_calls=[None]),
        chunk(tool_calls={}),
        chunk(tool_calls=""),
    )
    assert final(*empty, chunk(content="Hi"), STOP).content == (TextContent("Hi"),)


def test_an_entry_may_lack_the_object_around_name_and_arguments() -> None:
    first = {"index": 0, "id": "id1", "name": "f", "extra": 2}
    message = final(chunk(tool_calls=[first]), chunk(tool_calls=[{"index": 0, "arguments": {"a": 1}}]), END)
    assert message.content == (ToolCall("id1", "f", {"a": 1}, provider_details={"extra": 2}),)


def test_tool_calls_may_be_one_object() -> None:
    first, rest = call(0, "id1", "f", '{"a"'), call(0, arguments=":1}")
    for each in first, rest:
        each["choices"][0]["delta"]["tool_calls"] = each["choices"][0]["delta"]["tool_calls"][0]
    assert calls(first, rest, END) == [("id1", "f", {"a": 1})]


@pytest.mark.parametrize("index", ["0", 0.0, -1])
def test_an_index_may_be_a_text_a_float_or_negative(index: Any) -> None:
    assert calls(call(index, "id1", "f", '{"a"'), call(index, arguments=":1}"), END) == [("id1", "f", {"a": 1})]


# Arguments


def test_arguments_may_be_an_object_and_nothing_is_added_to_it() -> None:
    chunks = call(0, "id1", "f", {"a": {"b": [1, "é"]}}), call(0, arguments={}), call(0, arguments="{}")
    assert calls(*chunks, END) == [("id1", "f", {"a": {"b": [1, "é"]}})]


def test_arguments_may_be_json_in_json() -> None:
    chunks = call(0, "id1", "f", json.dumps('{"a": 1}')[:5]), call(0, arguments=json.dumps('{"a": 1}')[5:])
    assert calls(*chunks, END) == [("id1", "f", {"a": 1})]


@pytest.mark.parametrize("placeholder", ["{}", {}, "{} {}"])
def test_an_empty_object_before_the_arguments_is_dropped(placeholder: Any) -> None:
    chunks = call(0, "id1", "f", placeholder), call(0, arguments='{"a"'), call(0, arguments=": 1}")
    assert calls(*chunks, END) == [("id1", "f", {"a": 1})]


def test_an_empty_object_before_the_arguments_is_dropped_where_id_and_name_are_repeated() -> None:
    assert calls(call(0, "id1", "f", "{}"), call(0, "id1", "f", '{"a": 1}'), END) == [("id1", "f", {"a": 1})]


def test_what_follows_complete_arguments_is_dropped_unless_it_is_blank() -> None:
    chunks = (
        call(0, "id1", "f", '{"a": 1}'),
        call(0, arguments="\n"),
        call(0, arguments='{"a": 1}'),
        call(0, arguments="}"),
        END,
    )
    assert calls(*chunks) == [("id1", "f", {"a": 1})]
    assert [event.delta for event in decoded(*chunks) if isinstance(event, ToolCallDelta)] == ['{"a": 1}', "\n"]


@pytest.mark.parametrize("text", ['{"a": 1', "[1]", "none", '{"a": NaN}', "null"])
def test_arguments_that_are_no_json_object_are_kept_as_they_came(text: str) -> None:
    message = final(call(0, "id1", "f", text[:3]), call(0, arguments=text[3:]), END, DONE)
    assert message.content == (ToolCall("id1", "f", {}, invalid_arguments=text),)
    assert message.stop_reason is StopReason.TOOL_USE


# Several calls


def test_calls_may_interleave_by_index() -> None:
    begin = call(0, "id1", "f", '{"a"'), call(1, "id2", "g", '{"b"')
    rest = call(0, arguments=":1}"), call(1, arguments=":2}")
    assert calls(*begin, *rest, END) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


def test_calls_may_interleave_by_id_at_one_index() -> None:
    begin = call(0, "id1", "f"), call(0, "id2", "f")
    rest = call(0, "id1", arguments='{"a":1}'), call(0, "id2", arguments='{"a":2}')
    assert calls(*begin, *rest, END) == [("id1", "f", {"a": 1}), ("id2", "f", {"a": 2})]


def test_one_delta_may_have_several_calls_or_several_fragments_of_one() -> None:
    both = call(0, "id1", "f", '{"a"')
    both["choices"][0]["delta"]["tool_calls"] += [
        {"index": 0, "function": {"arguments": ":1}"}},
        {"index": 1, "id": "id2", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert calls(both, END) == [("id1", "f", {"a": 1}), ("id2", "g", {})]


def test_a_known_id_wins_over_the_index() -> None:
    chunks = (
        call(0, "id1", "f", '{"a"'),
        call(1, "id2", "g", '{"b"'),
        call(1, "id1", arguments=":1}"),
        call(0, "id2", arguments=":2}"),
    )
    assert calls(*chunks, END) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


def test_a_fragment_without_a_name_never_begins_a_call_at_a_used_index() -> None:
    chunks = call(0, "id1", "f", ""), call(0, "id2", arguments='{"a"'), call(0, "id3", arguments=":1}")
    assert calls(*chunks, END) == [("id1", "f", {"a": 1})]


def test_a_fragment_without_a_name_begins_a_call_at_an_index_of_its_own() -> None:
    chunks = call(0, "id1", "f", "{}"), call(1, "id2", arguments='{"a":1}'), call(1, name="g")
    assert calls(*chunks, END) == [("id1", "f", {}), ("id2", "g", {"a": 1})]


def test_a_fragment_with_neither_id_nor_name_belongs_to_the_latest_call() -> None:
    for index in None, 7:
        chunks = (
            call(0, "id0", "f", "{}"),
            call(2, "id1", "f", ""),
            call(index, arguments='{"a"'),
            call(index, arguments=":1}"),
        )
        assert calls(*chunks, END) == [("id0", "f", {}), ("id1", "f", {"a": 1})]


def test_an_index_that_comes_after_the_id_belongs_to_the_call() -> None:
    chunks = call(None, "id1", "f", ""), call(0, "id1", arguments='{"a"'), call(0, arguments=":1}")
    assert calls(*chunks, END) == [("id1", "f", {"a": 1})]


def test_an_index_of_a_call_that_began_alone_is_not_forgotten_for_the_next() -> None:
    chunks = call(0, "id1", "f", '{"a"'), call(arguments=":1}"), call(1, "id2", "g", '{"b"'), call(arguments=":2}")
    assert calls(*chunks, END) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


def test_another_name_at_a_used_index_is_another_call() -> None:
    chunks = call(0, "id1", "f", '{"a":1}'), call(0, "id1", "g", '{"b"'), call(0, arguments=":2}")
    (id1, *first), (id2, *second) = calls(*chunks, END)
    assert (first, second) == (["f", {"a": 1}], ["g", {"b": 2}]) and id1 == "id1" != id2


def test_another_id_and_a_name_at_a_used_index_are_another_call() -> None:
    chunks = call(0, "id1", "f", '{"a":1}'), call(0, "id2", "f", '{"b"'), call(0, arguments=":2}")
    assert calls(*chunks, END) == [("id1", "f", {"a": 1}), ("id2", "f", {"b": 2})]
    whole_calls = call(0, "id1", "f", ""), call(0, "id2", "f", '{"b":2}')
    assert calls(*whole_calls, END) == [("id1", "f", {}), ("id2", "f", {"b": 2})]


def test_another_id_with_the_name_repeated_in_every_fragment_is_the_same_call() -> None:
    chunks = call(0, "id1", "f", ""), call(0, "id2", "f", '{"a"'), call(0, "id3", "f", ":1}")
    assert calls(*chunks, END) == [("id1", "f", {"a": 1})]


def test_an_id_and_a_name_repeated_in_every_fragment_are_the_same_call() -> None:
    for id in "id1", None:
        chunks = call(0, "id1", "f", '{"a"'), call(0, id, "f", ":1"), call(0, id, "f", "}")
        assert calls(*chunks, END) == [("id1", "f", {"a": 1})]


def test_ids_tell_calls_without_an_index_apart() -> None:
    chunks = (
        call(None, "id1", "f", '{"a"'),
        call(arguments=":1}"),
        call(None, "id2", "f", '{"b"'),
        call(arguments=":2}"),
    )
    assert calls(*chunks, END) == [("id1", "f", {"a": 1}), ("id2", "f", {"b": 2})]


def test_names_tell_calls_without_an_index_and_an_id_apart() -> None:
    chunks = (
        call(name="f", arguments='{"a":'),
        call(name="f", arguments="1}"),
        call(name="f", arguments='{"a":1}'),
        call(name="g"),
    )
    assert [found[1:] for found in calls(*chunks, END)] == [("f", {"a": 1}), ("f", {"a": 1}), ("g", {})]


def test_a_new_id_without_name_and_index_begins_a_call_only_behind_complete_arguments() -> None:
    open_call = call(None, "id1", "f", '{"a"'), call(None, "id2", arguments=":1}")
    assert calls(*open_call, END) == [("id1", "f", {"a": 1})]
    complete = call(None, "id1", "f", '{"a":1}'), call(None, "id2", arguments='{"b":2}'), call(None, "id2", "g")
    assert calls(*complete, END) == [("id1", "f", {"a": 1}), ("id2", "g", {"b": 2})]


# Repetitions


def test_a_call_that_comes_twice_is_one_call() -> None:
    for again in call(0, "id1", "f", '{ "a": 1 }'), call(1, "id1", "f", '{"a": 1}'), call(None, "id1", "f", {"a": 1}):
        assert calls(call(0, "id1", "f", '{"a"'), call(0, arguments=": 1}"), again, END) == [("id1", "f", {"a": 1})]


def test_a_call_that_comes_whole_after_some_of_its_deltas_gets_the_rest() -> None:
    assert calls(call(0, "id1", "f", '{"a"'), call(0, "id1", "f", '{"a": 1}'), END) == [("id1", "f", {"a": 1})]


def test_two_calls_with_equal_arguments_are_two() -> None:
    same = {"name": "f", "arguments": '{"a":1}'}
    assert len(calls(call(0, "id1", **same), call(1, "id2", **same), END)) == 2
    assert len(calls(call(0, **same), call(0, **same), END)) == 2


def test_two_different_calls_with_one_id_get_two_ids() -> None:
    chunks = [call(0, "id1", "f", {"a": number}) for number in range(3)]
    found = calls(*chunks, END)
    assert [arguments for *_, arguments in found] == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert found[0][0] == "id1" and len({id for id, *_ in found}) == 3
    assert details(final(*chunks, END))[1:] == [{"id": "id1"}] * 2


def test_fragments_after_such_a_call_are_its_own() -> None:
    chunks = call(0, "id1", "f", '{"a":1}'), call(0, "id1", "f", '{"b"'), call(0, "id1", arguments=":2}")
    assert [arguments for *_, arguments in calls(*chunks, END)] == [{"a": 1}, {"b": 2}]


def test_calls_without_ids_get_ids_that_are_the_same_each_time() -> None:
    chunks = call(0, name="f", arguments="{}"), call(1, name="g", arguments="{}"), END
    ids = [id for id, *_ in calls(*chunks)]
    assert all(ids) and len(set(ids)) == 2
    assert ids == [id for id, *_ in calls(*chunks)]


# Other kinds of calls


def test_a_function_call_is_a_call() -> None:
    chunks = chunk(function_call={"name": "f", "arguments": ""}), chunk(function_call={"arguments": '{"a":1}'})
    message = final(*chunks, finish("function_call"), DONE)
    assert [(found.name, found.arguments) for found in message.tool_calls] == [("f", {"a": 1})]
    assert message.stop_reason is StopReason.TOOL_USE


def test_a_function_call_beside_tool_calls_is_a_copy() -> None:
    both = [call(0, "id1", "f", text) for text in ('{"a"', ":1}")]
    for each, text in zip(both, ('{"a"', ":1}"), strict=True):
        each["choices"][0]["delta"]["function_call"] = {"name": "f", "arguments": text}
    later = chunk(function_call={"name": "f", "arguments": '{"a":1}'})
    assert calls(*both, later, END) == [("id1", "f", {"a": 1})]


def custom(id: str | None = None, name: str | None = None, input: Any = None, **more: Any) -> dict[str, Any]:
    tool = {key: value for key, value in {"name": name, "input": input}.items() if value is not None}
    entry = {"index": 0, "id": id, "type": "custom", "custom": tool, **more}
    return chunk(tool_calls=[{key: value for key, value in entry.items() if value is not None}])


def test_the_input_of_a_custom_tool_is_its_one_argument() -> None:
    chunks = custom("id1", "sql", ""), custom(input='select "ä'), custom(input='"\n\ud83d'), custom(input="\ude00")
    message = final(*chunks, END)
    assert message.content == (
        ToolCall("id1", "sql", {"input": 'select "ä"\n😀'}, provider_details={"type": "custom"}),
    )


def test_a_custom_tool_may_have_no_input_or_have_it_whole() -> None:
    assert calls(custom("id1", "now"), END) == [("id1", "now", {"input": ""})]
    assert calls(custom("id1", "sql", "se"), custom("id1", "sql", "select"), END) == [
        ("id1", "sql", {"input": "select"})
    ]
    assert calls(whole(tool_calls=[{"id": "id1", "type": "custom", "custom": {"name": "sql", "input": "x"}}])) == [
        ("id1", "sql", {"input": "x"})
    ]


def test_a_function_wins_over_a_custom_tool_beside_it() -> None:
    entry = {
        "index": 0,
        "id": "id1",
        "function": {"name": "f", "arguments": "{}"},
        "custom": {"name": "g", "input": "x"},
    }
    assert calls(chunk(tool_calls=[entry]), END) == [("id1", "f", {})]


def test_a_custom_tool_may_be_named_after_the_id() -> None:
    first = chunk(tool_calls=[{"index": 0, "id": "id1", "type": "custom"}])
    assert calls(first, custom(name="sql", input="se"), custom(input="lect"), END) == [
        ("id1", "sql", {"input": "select"})
    ]


def test_the_input_of_a_custom_tool_that_was_cut_off_has_no_made_up_end() -> None:
    (cut,) = final(custom("id1", "sql", "selec")).tool_calls
    assert cut.arguments == {"input": "selec"}
    assert (
        "".join(e.delta for e in decoded(custom("id1", "sql", "selec")) if isinstance(e, ToolCallDelta))
        == '{"input": "selec'
    )


def test_a_call_of_another_type_is_unknown_content_that_grows() -> None:
    first = {"index": 0, "id": "c1", "type": "code_interpreter", "code_interpreter": {"input": "1 +"}}
    rest = {"index": 0, "id": "c1", "type": "code_interpreter", "code_interpreter": {"input": " 1"}}
    message = final(chunk(content="So"), chunk(tool_calls=[first]), chunk(tool_calls=[rest]), chunk(content="Hi"), STOP)
    grown: Any = {**first, "code_interpreter": {"input": "1 + 1"}}
    assert message.content == (TextContent("So"), UnknownContent(grown), TextContent("Hi"))
    assert message.stop_reason is StopReason.STOP


def test_what_else_a_call_has_is_kept() -> None:
    first = call(0, "id1", "f", "{}", type="builtin_function", note={"a": 1})
    first["choices"][0]["delta"]["tool_calls"][0]["function"]["strict"] = True
    assert details(final(first, END)) == [{"type": "builtin_function", "note": {"a": 1}, "strict": True}]


@pytest.mark.parametrize(
    "place",
    [
        {"extra_content": {"google": {"thought_signature": "s"}}},
        {"extra_content": {"vertex": {"thought_signature": "s"}}},
        {"provider_specific_fields": {"thought_signature": "s"}},
        {"thought_signature": "s"},
    ],
)
def test_the_signature_of_a_call_is_kept_with_its_place(place: dict[str, Any]) -> None:
    signed = ToolCall("id1", "f", {}, thought_signature="s", provider_details=place)
    assert final(call(0, "id1", "f", "{}", **place), END).content == (signed,)
    assert final(call(0, "id1", "f", "{}"), call(0, **place), END).content == (signed,)
