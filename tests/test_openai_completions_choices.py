"""Chat completions: several choices, and whole messages in place of deltas or after them."""

from __future__ import annotations

from typing import Any

import pytest
from support.completions import DONE, REPORT, STOP, call, choice, chunk, final, finish, whole

from provider_events import StopReason, TextContent, ThinkingContent, ToolCall, UnknownContent, Usage

# Choices


def test_the_first_choice_to_come_is_read() -> None:
    chunks = choice(1, content="this"), choice(0, content="other"), choice(1, "stop"), choice(0, "length")
    message = final(*chunks, DONE)
    assert (message.text, message.raw_stop_reason) == ("this", "stop")


def test_choices_that_come_in_turn_do_not_mix() -> None:
    chunks = choice(0, content="A"), choice(1, content="X"), choice(0, content="B"), choice(1, content="Y")
    ends = choice(0, "stop"), choice(1, "stop")
    for each in [*chunks, *ends, DONE], [*chunks, DONE], [*chunks]:
        message = final(*each)
        assert message.content == (TextContent("AB"),)
        (other,) = message.provider_details["choices"]
        assert other["delta"] == {"content": "XY"}


def test_an_index_that_counts_tokens_is_one_choice() -> None:
    chunks = [choice(index, content=text) for index, text in enumerate(["Wind", " over", " water"], 1)]
    for end in [choice(4, "length")], [choice(4, "length"), DONE]:
        message = final(*chunks, *end)
        assert (message.text, message.stop_reason) == ("Wind over water", StopReason.LENGTH)
        assert message.provider_details == {}
    assert final(*chunks).stop_reason is StopReason.ERROR
    assert final(*chunks).text == "Wind over water"


def test_a_choice_without_an_index_is_the_one_that_is_read() -> None:
    assert final(choice(0, content="A"), choice(None, content="B"), choice(0, "stop")).text == "AB"


@pytest.mark.parametrize("index", ["0", 0.0])
def test_the_index_of_a_choice_may_be_text(index: object) -> None:
    assert final(choice(0, content="A"), choice(index, content="B"), choice(index, "stop")).text == "AB"


def test_indices_that_are_text_may_count_tokens() -> None:
    counted = [choice(str(index), content=text) for index, text in enumerate("ABC")]
    assert final(*counted, choice("3", "stop"), DONE).text == "ABC"


def test_choices_that_cannot_be_read_do_not_undo_the_message() -> None:
    unreadable = {"choices": [{"index": 1, "delta": {"content": 5}}]}
    message = final(chunk(content="A"), unreadable, DONE)
    assert (message.text, message.stop_reason) == ("A", StopReason.STOP)


@pytest.mark.parametrize("word", ["tool_calls", "tool_use", "tool_call", "function_call", "TOOL_CALLS"])
def test_the_calls_in_another_choice_are_read_if_the_first_ends_for_calls_and_has_none(word: str) -> None:
    fragments = [
        {"index": 0, "id": "id1", "function": {"name": "f", "arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ":1}"}},
    ]
    other = [choice(1, tool_calls=[fragment]) for fragment in fragments]
    message = final(chunk(content="So"), *other, finish(word), DONE)
    assert message.content == (TextContent("So"), ToolCall("id1", "f", {"a": 1}))
    assert final(chunk(content="So"), *other, STOP, DONE).content == (TextContent("So"),)


# Whole messages


def test_a_whole_response_is_a_stream_of_its_parts() -> None:
    calls = [{"id": "id1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    response = whole("tool_calls", content="So", reasoning_content="Hm", tool_calls=calls)
    message = final({**response, "usage": REPORT})
    thinking = ThinkingContent("Hm", provider_details={"reasoning_field": "reasoning_content"})
    assert message.content == (thinking, TextContent("So"), ToolCall("id1", "f", {"a": 1}))
    assert (message.stop_reason, message.usage) == (StopReason.TOOL_USE, Usage(10, 5))


def test_a_whole_message_after_deltas_adds_the_rest() -> None:
    calls = [
        {"id": "id1", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"function": {"name": "g", "arguments": "{}"}},
    ]
    deltas = chunk(reasoning="H"), chunk(content="S"), call(0, "id1", "f", '{"a"')
    last = whole("tool_calls", content="So", reasoning="Hm", refusal="No", tool_calls=calls, audio={"id": "a1"})
    message = final(*deltas, last)
    assert (message.thinking, message.text) == ("Hm", "SoNo")
    assert [(found.name, found.arguments) for found in message.tool_calls] == [("f", {"a": 1}), ("g", {})]
    assert UnknownContent({"type": "audio", "audio": {"id": "a1"}}) in message.content


def test_a_whole_message_after_deltas_repeats_nothing() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
    fields: dict[str, Any] = {
        "content": "So", "refusal": "No", "images": [picture], "annotations": [{"type": "a"}], "audio": {"id": "a1"},
        "reasoning": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm", "signature": "s"}],
        "tool_calls": [{"function": {"name": "f", "arguments": '{"a":1}'}}],
    }  # fmt: skip
    once = final(chunk(**fields), DONE)
    again = final(chunk(**fields), whole(**fields))
    assert (again.content, again.provider_details) == (once.content, once.provider_details)
    both = {
        "choices": [{"index": 0, "delta": {"content": "So"}, "message": {"content": "So"}, "finish_reason": "stop"}]
    }
    assert final(both).content == (TextContent("So"),)


def test_a_whole_message_after_deltas_adds_the_signature_of_reasoning_and_not_its_text() -> None:
    piece = {"type": "reasoning.text", "text": "Hm", "signature": "s"}
    for delta in {"reasoning": "Hm"}, {"reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}:
        message = final(chunk(**delta), whole(reasoning="Hm", reasoning_details=[piece]))
        (block,) = message.content
        assert isinstance(block, ThinkingContent)
        assert (block.thinking, block.thinking_signature) == ("Hm", "s")


def test_a_whole_message_does_not_repeat_redacted_reasoning_or_a_function_call() -> None:
    fields: dict[str, Any] = {
        "thinking_blocks": [{"type": "thinking", "thinking": "A"}, {"type": "redacted_thinking", "data": "r"}],
        "function_call": {"name": "f", "arguments": "{}"},
    }
    deltas = final(chunk(**fields), DONE)
    assert len(deltas.content) == 3
    assert final(chunk(**fields), whole(**fields)).content == deltas.content


def test_a_whole_message_that_contradicts_the_deltas_does_not_change_them() -> None:
    assert final(chunk(content="in"), chunk(content=" the"), whole(content="on the")).text == "in the"
    assert final(chunk(content="in"), whole(content=[{"type": "text", "text": "in"}])).text == "in"


def test_a_message_beside_each_delta_is_read_at_the_end() -> None:
    def both(text: str, message: str) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": {"content": text}, "message": {"content": message}}]}

    assert final(both("A", "A"), both("B", "AB"), both("C", "ABCD"), DONE).text == "ABCD"
    assert final(both("A", "A"), both("B", "B"), DONE).text == "AB"


def test_messages_in_place_of_deltas_are_deltas() -> None:
    chunks = [{"choices": [{"index": 0, "message": {"content": text}}]} for text in ("Wind", " over")]
    assert final(*chunks, DONE).text == "Wind over"
    chunks = [{"choices": [{"index": 0, "message": {"content": text}}]} for text in ("Wind", "Wind over")]
    assert final(*chunks, DONE).text == "Wind over"


def test_text_and_calls_may_be_in_two_choices_of_a_whole_response() -> None:
    response = whole("tool_calls", content="So")
    response["choices"] += whole(
        "tool_calls", tool_calls=[{"id": "id1", "function": {"name": "f", "arguments": "{}"}}]
    )["choices"]
    for index in 0, 1:
        response["choices"][1]["index"] = index
        assert final(response).content == (TextContent("So"), ToolCall("id1", "f", {}))


# Calls of a whole message after deltas


def whole_calls(*entries: dict[str, Any]) -> dict[str, Any]:
    """Return a chunk with a whole message that has these calls."""
    return {"choices": [{"index": 0, "message": {"tool_calls": list(entries)}, "finish_reason": "tool_calls"}]}


def entry(id: str | None, name: str | None, arguments: str, **more: Any) -> dict[str, Any]:
    """Return a call as a whole message has it."""
    return {"id": id, "function": {"name": name, "arguments": arguments}, **more}


@pytest.mark.parametrize(
    "fragment",
    [
        call(0, "c", "f", '{"x":1}'),
        call(0, None, "f", '{"x":1}'),
        call(0, None, None, '{"x":1}'),
        call(0, "c", "f", '{"x"'),
        call(0, "c", "f", "{}"),
        call(0, "c", "f"),
    ],
)
def test_a_whole_message_adds_what_a_call_lacks(fragment: dict[str, Any]) -> None:
    signed = entry("c", "f", '{"x":1}', thought_signature="s")
    (only,) = final(fragment, whole_calls(signed)).tool_calls
    assert (only.id, only.name, only.arguments, only.thought_signature) == ("c", "f", {"x": 1}, "s")


def test_a_whole_message_with_other_arguments_does_not_change_a_call() -> None:
    for text in '{"x":1}', '{"x"':
        (only,) = final(call(0, "c", "f", text), whole_calls(entry("c", "f", '{"y":2}'))).tool_calls
        assert (only.invalid_arguments or only.arguments) == (text if text == '{"x"' else {"x": 1})


def test_a_whole_message_adds_the_calls_that_no_delta_had() -> None:
    first = call(0, "c", "f", '{"x":1}')
    for other in entry("d", "f", '{"x":2}'), entry("c", "f", '{"x":2}'), entry("d", "g", '{"x":2}'):
        message = final(first, whole_calls(entry("c", "f", '{"x": 1}'), other))
        assert [each.arguments for each in message.tool_calls] == [{"x": 1}, {"x": 2}]
    for other in entry("d", "f", '{"x":2}'), entry("d", "g", '{"x":2}'):
        assert [each.arguments for each in final(first, whole_calls(other)).tool_calls] == [{"x": 1}, {"x": 2}]


def test_the_calls_of_a_whole_message_may_be_in_another_order_or_have_other_ids() -> None:
    deltas = call(0, "c", "f", '{"x":1}'), call(1, "d", "f", '{"x"')
    for entries in (
        [entry("d", "f", '{"x":2}'), entry("c", "f", '{"x":1}')],
        [entry("other", "f", '{"x":1}'), entry("d", "f", '{"x":2}')],
    ):
        calls = final(*deltas, whole_calls(*entries)).tool_calls
        assert [(each.id, each.arguments) for each in calls] == [("c", {"x": 1}), ("d", {"x": 2})]


def test_calls_in_messages_in_place_of_deltas_are_fragments() -> None:
    messages = whole_calls(entry("c", "f", '{"x"')), whole_calls(entry("c", "f", ":1}"))
    for repeated in (), (whole_calls(entry("c", "f", '{"x":1}')),):
        (only,) = final(*messages, *repeated).tool_calls
        assert (only.id, only.arguments) == ("c", {"x": 1})


def test_a_whole_message_repeats_a_call_without_arguments_under_another_id() -> None:
    for streamed, whole in ("", ""), ("{}", ""), ("", "{}"):
        (only,) = final(call(0, "c", "f", streamed), whole_calls(entry("other", "f", whole))).tool_calls
        assert (only.id, only.arguments) == ("c", {})


def test_a_whole_message_repeats_no_audio() -> None:
    audio = {"id": "a", "data": "QUJD", "transcript": "Hey"}
    (only,) = final(chunk(audio=audio), {"choices": [{"message": {"audio": audio}, "finish_reason": "stop"}]}).content
    assert isinstance(only, UnknownContent) and only.data["audio"] == audio


def test_a_whole_message_repeats_no_custom_call() -> None:
    custom = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "f", "input": 'say "a"'}}
    rest = {**custom, "custom": {"name": "f", "input": 'say "a" and b'}}
    header = {**custom, "custom": {"name": "f"}}
    for first, last, text in (custom, custom, 'say "a"'), (custom, rest, 'say "a" and b'), (header, custom, 'say "a"'):
        (only,) = final(chunk(tool_calls=[first]), whole_calls(last)).tool_calls
        assert (only.id, only.arguments) == ("c", {"input": text})
