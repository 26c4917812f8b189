"""Arguments in parts, as Vertex AI streams them: values at JSON paths."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.gemini import END_OF_CALL, STOP, call, chunk, content, decoded, final, partial, text

from provider_events import Error, StopReason, TextContent, ToolCallDelta

BEGIN = call("f", willContinue=True)


def arguments(*parts: Any) -> Any:
    """Return the arguments of the one call that parts make, which the laws compare with its deltas."""
    (found,) = content(BEGIN, *parts, END_OF_CALL)
    assert found.name == "f" and found.invalid_arguments is None
    return found.arguments


def deltas(*parts: Any) -> list[str]:
    return [event.delta for event in decoded(chunk(BEGIN), *map(chunk, parts)) if isinstance(event, ToolCallDelta)]


# Values in the order of the text


def test_parts_of_a_string() -> None:
    parts = [partial("$.city", stringValue=part, willContinue=True) for part in ("New ", '"York"\n\\')]
    assert arguments(*parts, partial("$.city", stringValue="")) == {"city": 'New "York"\n\\'}


def test_a_string_goes_out_as_it_comes() -> None:
    parts = partial("$.city", stringValue="New "), partial("$.city", stringValue="York"), partial("$.n", numberValue=1)
    assert deltas(*parts, END_OF_CALL) == ['{"city":"New ', "York", '","n":1', "}"]


def test_numbers_booleans_and_null() -> None:
    values = [
        partial("$.whole", numberValue=3),
        partial("$.double", numberValue=4.0),
        partial("$.fraction", numberValue=-0.5),
        partial("$.yes", boolValue=True),
        partial("$.no", boolValue=False),
        partial("$.nothing", nullValue="NULL_VALUE"),
        partial("$.null", nullValue=None),
    ]
    found = arguments(*values)
    assert found == {"whole": 3, "double": 4, "fraction": -0.5, "yes": True, "no": False, "nothing": None, "null": None}
    assert found["yes"] is True and found["no"] is False and type(found["double"]) is int


def test_values_of_kinds_to_come() -> None:
    assert arguments(partial("$.a", listValue=[]), partial("$.b", structValue={"c": 1})) == {"a": [], "b": {"c": 1}}


def test_a_path_without_a_value_adds_nothing() -> None:
    nothing: dict[str, Any] = {"stringValue": None, "numberValue": None, "nullValue": None}
    assert arguments(partial("$.a"), partial("$.b", **nothing), partial("$.c", numberValue=1)) == {"c": 1}


def test_nested_objects() -> None:
    values = [
        partial("$.a.b.c", numberValue=1),
        partial("$.a.b.d", stringValue="x", willContinue=True),
        partial("$.a.b.d", stringValue="y"),
        partial("$.a.e", numberValue=2),
        partial("$.f.g", boolValue=True),
    ]
    assert arguments(*values) == {"a": {"b": {"c": 1, "d": "xy"}, "e": 2}, "f": {"g": True}}


def test_nested_arrays() -> None:
    values = [
        partial("$.a[0]", stringValue="x"),
        partial("$.a[1]", stringValue="y", willContinue=True),
        partial("$.a[1]", stringValue="z"),
        partial("$.b[0][0]", numberValue=1),
        partial("$.b[0][1]", numberValue=2),
        partial("$.b[1][0]", numberValue=3),
    ]
    assert arguments(*values) == {"a": ["x", "yz"], "b": [[1, 2], [3]]}
    assert deltas(*values[:2]) == ['{"a":["x', '","y']


def test_objects_in_arrays() -> None:
    values = [
        partial("$.to[0].name", stringValue="Ann"),
        partial("$.to[0].tags[0]", stringValue="x"),
        partial("$.to[1].name", stringValue="Bob"),
        partial("$.n", numberValue=2),
    ]
    assert arguments(*values) == {"to": [{"name": "Ann", "tags": ["x"]}, {"name": "Bob"}], "n": 2}


def test_names_in_brackets() -> None:
    values = partial("$['a.b']", numberValue=1), partial('$["c d"].e', numberValue=2)
    assert arguments(*values) == {"a.b": 1, "c d": {"e": 2}}


def test_several_values_in_one_part() -> None:
    args = [{"jsonPath": "$.a", "numberValue": 1}, {"jsonPath": "$.b", "stringValue": "x"}]
    assert arguments({"functionCall": {"partialArgs": args, "willContinue": True}}) == {"a": 1, "b": "x"}


def test_half_a_surrogate_pair_waits_for_the_other() -> None:
    parts = partial("$.a", stringValue="x\ud83d"), partial("$.a", stringValue="\ude00")
    assert deltas(*parts)[:2] == ['{"a":"x', "\U0001f600"]


# Values out of order wait for the end of the call


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (  # more of a string that another value has followed
            [("$.a", "x"), ("$.b", "y"), ("$.a", "z"), ("$.a", "!")],
            {"a": "xz!", "b": "y"},
        ),
        ([("$.a", 1), ("$.a", 2)], {"a": 2}),  # a value anew
        ([("$.a", "x"), ("$.a", 2), ("$.b", 3)], {"a": 2, "b": 3}),
        ([("$.a.b", 1), ("$.c", 2), ("$.a.d", 3)], {"a": {"b": 1, "d": 3}, "c": 2}),
        ([("$.a[1]", 1), ("$.a[2]", 2)], {"a": [1, 2]}),  # an element that others have not come before
        ([("$.a[0]", 0), ("$.b", 1), ("$.a[1].c", 2)], {"a": [0, {"c": 2}], "b": 1}),
        ([("$.a[0]", 0), ("$.a[2]", 2), ("$.a[1]", 1)], {"a": [0, 1, 2]}),
        ([("$.a[0]", 0), ("$.a[0]", 1)], {"a": [1]}),
        ([("$.a", 1), ("$.a.b", 2)], {"a": {"b": 2}}),  # another kind of value
        ([("$.a[0]", 1), ("$.a.b", 2)], {"a": {"b": 2}}),
        ([("$.a.b", 1), ("$.a[0]", 2)], {"a": [2]}),
        ([("$.a.b", 1), ("$.a", 2)], {"a": 2}),
        ([("$.a.b.c", 1), ("$.a.d", 2), ("$.a.b.e", 3)], {"a": {"b": {"c": 1, "e": 3}, "d": 2}}),
        ([("$.b[0][1]", 5)], {"b": [[5]]}),
    ],
)
def test_a_value_out_of_order_is_not_lost(values: list[tuple[str, Any]], found: Any) -> None:
    kinds: dict[type, str] = {str: "stringValue", int: "numberValue"}
    parts = [partial(path, **{kinds[type(value)]: value}) for path, value in values]
    assert arguments(*parts) == found
    (ended,) = content(BEGIN, *parts)  # by the end of the stream
    assert ended.arguments == found


def test_a_value_in_order_goes_out_though_another_waits() -> None:
    values = partial("$.a", numberValue=1), partial("$.a", numberValue=2), partial("$.b", numberValue=3)
    assert deltas(*values, END_OF_CALL) == ['{"a":1', ',"b":3', ',"a":2}']


# Which call a part is of


def test_a_call_with_its_name_and_first_values_in_one_part() -> None:
    (found,) = content(call("f", partialArgs=[{"jsonPath": "$.a", "numberValue": 1}]))
    assert found.arguments == {"a": 1}


def test_parallel_calls() -> None:
    first, second = partial("$.a", stringValue="x"), partial("$.a", stringValue="y")
    for parts in ([BEGIN, first, END_OF_CALL, BEGIN, second, END_OF_CALL], [BEGIN, first, BEGIN, second]):
        assert [found.arguments for found in content(*parts)] == [{"a": "x"}, {"a": "y"}]


def test_a_call_ends_with_the_part_that_does_not_go_on() -> None:
    last = chunk(partial("$.a", more=False, numberValue=1))
    types = [event.type for event in decoded(chunk(BEGIN), last, chunk(text("So")))]
    assert types[2:5] == ["toolcall_delta", "toolcall_delta", "toolcall_end"]


def named(id: str, **fields: Any) -> dict[str, Any]:
    args = [{"jsonPath": "$.a", "stringValue": id}]
    return {"functionCall": {"id": id, "partialArgs": args, "willContinue": True, **fields}}


def test_an_id_tells_which_call_a_part_is_of() -> None:
    (one,) = content(named("1", name="f"), named("1"), named("1", name="f"))
    assert (one.id, one.name, one.arguments) == ("1", "f", {"a": "111"})
    assert [found.id for found in content(named("1", name="f"), named("2", name="f"))] == ["1", "2"]
    assert len(content(named("1", name="f"), named("2"))) == 2
    assert len(content(BEGIN, named("1"))) == 1, "the id of a call may come later than its name"
    assert len(content(BEGIN, named("1", name="g"))) == 2


def test_text_among_the_parts_of_a_call() -> None:
    x, y = partial("$.a", stringValue="x"), partial("$.a", stringValue="y")
    found, between = content(BEGIN, x, text("So"), y, END_OF_CALL)
    assert (found.arguments, between) == ({"a": "xy"}, TextContent("So"))


def test_a_repeated_signature_is_one() -> None:
    signed = {**BEGIN, "thoughtSignature": "c2ln"}
    (found,) = content(signed, {**partial("$.a", numberValue=1), "thoughtSignature": "c2ln"})
    assert found.thought_signature == "c2ln"


def test_whole_arguments_behind_their_parts_are_a_repetition() -> None:
    (found,) = content(BEGIN, partial("$.a", numberValue=1), {"functionCall": {"args": {"b": 2}}})
    assert found.arguments == {"a": 1}
    (whole,) = content(call("f", args={}, willContinue=True), {"functionCall": {"args": {"b": 2}}})
    assert whole.arguments == {"b": 2}


# Arguments that are cut off


def test_arguments_are_readable_as_they_come() -> None:
    values = partial("$.a", numberValue=1), partial("$.b", stringValue="x", willContinue=True)
    last = decoded(chunk(BEGIN), *map(chunk, values))[-1]
    assert isinstance(last, Error) and last.error.tool_calls[0].arguments == {"a": 1, "b": "x"}


def test_a_call_that_has_no_end_ends_with_the_message() -> None:
    (found,) = content(BEGIN, partial("$.a", stringValue="x"))
    assert found.arguments == {"a": "x"}


def test_arguments_cut_off_by_the_token_limit_are_not_completed() -> None:
    cut = partial("$.path", stringValue="/ho", willContinue=True)
    message = final(chunk(BEGIN), chunk(cut), chunk(finish="MAX_TOKENS"))
    assert message.stop_reason is StopReason.LENGTH
    (found,) = message.tool_calls
    assert (found.arguments, found.invalid_arguments) == ({}, '{"path":"/ho')


@pytest.mark.parametrize("path", ["city", "$", "$.a[", "$..a", "$.a[x]", "$[0]", "", None, 5, "$" + ".a" * 101])
def test_a_path_that_is_none_is_an_error(path: Any) -> None:
    message = final(chunk(text("Hi")), chunk(BEGIN), chunk(partial(path, numberValue=1)), STOP)
    assert (message.stop_reason, message.text, len(message.tool_calls)) == (StopReason.ERROR, "Hi", 1)
    assert "jsonPath" in str(message.error_message)


def test_a_path_may_have_a_hundred_steps() -> None:
    found = arguments(partial("$" + ".a" * 100, numberValue=1))
    assert json.dumps(found).count('"a"') == 100
