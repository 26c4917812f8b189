"""OpenAI's Responses API: what each event gives, and when."""

from __future__ import annotations

from typing import Any

from support.decoding import types_by_chunk
from support.responses import (
    API,
    COMPLETED,
    CREATED,
    Chunk,
    added,
    arguments,
    arguments_done,
    call_item,
    content,
    decoded,
    done,
    ended,
    event,
    final,
    message_item,
    reasoning,
    reasoning_item,
    refusal,
    refusal_item,
    summary,
    summary_done,
    text,
    text_done,
)

from provider_events import (
    StopReason,
    TextContent,
    TextDelta,
    ThinkingContent,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)
from provider_events.decoders import OpenAIResponsesDecoder

MESSAGE = added(0, "message", id="msg_1", role="assistant", content=[])
REASONING = added(0, "reasoning", id="rs_1", summary=[])
CALL = added(0, "function_call", id="fc_1", call_id="call_1", name="f", arguments="")
CUSTOM = added(0, "custom_tool_call", id="ctc_1", call_id="call_1", name="shell", input="")


def types(*chunks: Any) -> list[list[str]]:
    """Return the types of the events that each chunk behind the first gives, without the end of input."""
    return types_by_chunk(OpenAIResponsesDecoder, [CREATED, *chunks])[1:-1]


def deltas(*chunks: Chunk) -> list[str]:
    return [each.delta for each in decoded(*chunks) if isinstance(each, (TextDelta, ThinkingDelta, ToolCallDelta))]


# Text


def test_text() -> None:
    message = final(
        MESSAGE, text(0, "Hel"), text(0, "lo"), text_done(0, "Hello"), done(0, message_item("Hello")), COMPLETED
    )
    assert message.text == "Hello"
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.STOP, "completed")
    assert (message.api, message.provider, message.model, message.response_id) == (API, "openai", "gpt", "resp_1")
    assert message.timestamp == 1700000000000


def test_a_block_begins_with_its_item_and_ends_with_it() -> None:
    assert types(MESSAGE, text(0, "Hi"), text_done(0, "Hi"), done(0, message_item("Hi")), COMPLETED) == [
        ["text_start"], ["text_delta"], [], ["text_end"], ["done"]
    ]  # fmt: skip
    assert types(REASONING, summary(0, "Hm"), done(0, reasoning_item("Hm")))[:3] == [
        ["thinking_start"], ["thinking_delta"], ["thinking_end"]
    ]  # fmt: skip
    item = done(0, call_item("call_1", "f", '{"a":1}'))
    assert types(CALL, arguments(0, "{}"), arguments(0, '{"a":1}'), arguments_done(0, '{"a":1}'), item) == [
        ["toolcall_start"], [], ["toolcall_delta"], [], ["toolcall_end"]
    ]  # fmt: skip


def test_the_message_starts_with_the_response() -> None:
    assert types_by_chunk(OpenAIResponsesDecoder, [event("queued", response={"id": "resp_1"}), CREATED])[:2] == [
        ["start"],
        [],
    ]


def test_what_the_deltas_lack_goes_out_with_the_whole() -> None:
    part = event("content_part.done", 0, content_index=0, part={"type": "output_text", "text": "Hello"})
    for whole in (
        text_done(0, "Hello"),
        part,
        done(0, message_item("Hello")),
        ended("completed", message_item("Hello")),
    ):
        assert deltas(MESSAGE, text(0, "Hel"), whole) == ["Hel", "lo"]
        assert deltas(MESSAGE, whole) == ["Hello"]
        assert deltas(whole) == ["Hello"]
    assert deltas(MESSAGE, text(0, "\ud83d"), text(0, "\ude00"), text_done(0, "\U0001f600!")) == ["\U0001f600", "!"]


def test_text_that_the_whole_spells_otherwise_stays() -> None:
    for whole in (
        text_done(0, "Good evening"),
        done(0, message_item("Good")),
        ended("completed", message_item("Good")),
    ):
        assert content(MESSAGE, text(0, "Good morning"), whole) == content(MESSAGE, text(0, "Good morning"))


def test_a_whole_text_of_a_wrong_type_is_passed_over() -> None:
    assert final(MESSAGE, text(0, "Hi"), text_done(0, 1), COMPLETED).text == "Hi"


def test_the_parts_of_a_message_are_one_block() -> None:
    item = done(0, message_item("one", "two"))
    streamed = text(0, "one", content_index=0), text(0, "two", content_index=1)
    for chunks in (
        streamed,
        streamed[:1],
        (text_done(0, "one", content_index=0), text_done(0, "two", content_index=1)),
        (),
    ):
        assert [block.text for block in content(MESSAGE, *chunks, item)] == ["onetwo"]


def test_several_messages_are_several_blocks() -> None:
    one = MESSAGE, text(0, "one"), done(0, message_item("one"))
    two = added(1, "message", content=[]), text(1, "two"), done(1, message_item("two"))
    assert [block.text for block in content(*one, *two)] == ["one", "two"]


def test_content_may_be_a_text() -> None:
    assert final(done(0, {"type": "message", "content": "Hi"}), COMPLETED).text == "Hi"
    assert final(done(0, {"type": "message", "content": [{"text": "Hi"}]}), COMPLETED).text == "Hi"


def test_a_refusal_is_text_with_a_mark() -> None:
    marked = (TextContent("I cannot", provider_details={"id": "msg_1", "type": "refusal"}),)
    whole = event("refusal.done", 0, content_index=0, refusal="I cannot")
    assert content(MESSAGE, refusal(0, "I can"), whole, done(0, refusal_item("I cannot"))) == marked
    assert content(MESSAGE, done(0, refusal_item("I cannot"))) == marked
    assert content(done(0, refusal_item("I cannot", id="msg_1"))) == marked


def test_a_refusal_behind_text_has_a_block_of_its_own() -> None:
    message = final(MESSAGE, text(0, "Well, ", content_index=0), refusal(0, "no", content_index=1), COMPLETED)
    assert [
        (block.text, block.provider_details.get("type")) for block in message.content if isinstance(block, TextContent)
    ] == [
        ("Well, ", None),
        ("no", "refusal"),
    ]


def test_annotations_come_one_by_one_or_with_the_item() -> None:
    note: Any = {"type": "url_citation", "url": "https://example.org", "start_index": 0, "end_index": 2}
    part: Any = {"type": "output_text", "text": "Hi", "annotations": [note]}
    chunk = event("output_text.annotation.added", 0, annotation_index=0, annotation=note)
    item = done(0, {"type": "message", "content": [part]})
    for chunks in (
        [chunk],
        [item],
        [chunk, item],
        [event("content_part.done", 0, part=part)],
        [chunk, event("content_part.done", 0, part=part)],
    ):
        (block,) = content(MESSAGE, text(0, "Hi"), *chunks)
        assert block.annotations == (note,)


def test_log_probabilities_come_with_the_deltas_or_with_the_item() -> None:
    one, two = {"token": "H", "logprob": -1}, {"token": "i", "logprob": -2}
    streamed = text(0, "H", logprobs=[one]), text(0, "i", logprobs=[two])
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi", "logprobs": [one, two]}]}
    padded = text(0, "", logprobs=[], content_index=0), text(0, "H", logprobs=[]), text(0, "i", logprobs=[one, two])
    for chunks in (streamed, padded, (text(0, "Hi", logprobs=[]), done(0, item)), (*streamed, done(0, item))):
        (block,) = content(MESSAGE, *chunks)
        assert block.provider_details["logprobs"] == [one, two]


# Reasoning


def test_summaries_are_joined_by_a_blank_line() -> None:
    item = done(0, reasoning_item("First.", "Second."))
    deltas = (
        summary(0, "Fir", summary_index=0),
        summary(0, "st.", summary_index=0),
        summary(0, "Second.", summary_index=1),
    )
    wholes = summary_done(0, "First."), summary_done(0, "Second.", 1)
    for chunks in (deltas, wholes, (*deltas, *wholes), deltas[:2], ()):
        (block,) = content(REASONING, *chunks, item)
        assert block.thinking == "First.\n\nSecond."
        assert block.provider_details["summary"] == [
            {"type": "summary_text", "text": "First."},
            {"type": "summary_text", "text": "Second."},
        ]


def test_the_beginning_of_a_part_tells_parts_apart_whose_index_is_always_0() -> None:
    begun = event("reasoning_summary_part.added", 0, summary_index=0, part={"type": "summary_text", "text": ""})
    one = begun, summary(0, "One", summary_index=0), summary_done(0, "One")
    assert final(REASONING, *one, begun, summary(0, "Two", summary_index=0), COMPLETED).thinking == "One\n\nTwo"
    assert (
        final(
            REASONING, begun, summary(0, "On", summary_index=0), begun, summary(0, "e", summary_index=0), COMPLETED
        ).thinking
        == "One"
    )
    assert final(begun, summary(0, "One", summary_index=0), COMPLETED).thinking == "One"


def test_raw_reasoning_is_thinking_where_there_is_no_summary() -> None:
    item = done(0, reasoning_item(raw="Hmm"))
    for chunks in ((reasoning(0, "H"), reasoning(0, "mm")), (event("reasoning_text.done", 0, text="Hmm"),), ()):
        assert content(REASONING, *chunks, item) == (
            ThinkingContent("Hmm", provider_details={"id": "rs_1", "type": "reasoning_text"}),
        )


def test_the_other_form_of_reasoning_is_in_the_details() -> None:
    raw = [{"type": "reasoning_text", "text": "Long"}]
    for chunks in ((summary(0, "Short"), reasoning(0, "Long")), (done(0, reasoning_item("Short", raw="Long")),)):
        (block,) = content(REASONING, *chunks)
        assert (block.thinking, block.provider_details["content"]) == ("Short", raw)
    (block,) = content(
        REASONING, reasoning(0, "Long"), summary(0, "Short"), done(0, reasoning_item("Short", raw="Long"))
    )
    assert (block.thinking, block.provider_details["summary"]) == ("Long", [{"type": "summary_text", "text": "Short"}])
    (block,) = content(REASONING, summary(0, "Short"), event("reasoning_text.done", 0, text="Long"))
    assert block.provider_details["content"] == raw
    parts = [{"type": "reasoning_text", "text": each} for each in ("L1", "L2")]
    streamed = summary(0, "S"), reasoning(0, "L1", content_index=0), reasoning(0, "L2", content_index=1)
    (block,) = content(REASONING, *streamed, done(0, {**reasoning_item("S"), "content": parts}))
    assert block.provider_details["content"] == parts


def test_the_same_reasoning_in_both_forms_is_one_text() -> None:
    (block,) = content(REASONING, reasoning(0, "Hm"), summary(0, "Hm"), done(0, reasoning_item("Hm", raw="Hm")))
    assert (block.thinking, block.provider_details) == ("Hm", {"id": "rs_1", "type": "reasoning_text"})


def test_reasoning_as_an_object() -> None:
    assert final(event("reasoning.delta", 0, delta={"text": "Hm"}), COMPLETED).thinking == "Hm"
    assert (
        final(REASONING, reasoning(0, "H"), reasoning(0, {"text": "m"}), reasoning(0, None), COMPLETED).thinking == "Hm"
    )


def test_the_encrypted_content_of_the_finished_item_counts() -> None:
    begun = added(0, "reasoning", id="rs_1", encrypted_content="draft")
    (block,) = content(begun, done(0, reasoning_item(encrypted_content="final")))
    assert (block.thinking, block.thinking_signature) == ("", "final")
    assert content(begun, done(0, reasoning_item()))[0].thinking_signature == "draft"


# Function calls


def test_a_function_call_goes_by_its_call_id() -> None:
    chunks = (
        CALL,
        arguments(0, '{"a"'),
        arguments(0, ":1}"),
        arguments_done(0, '{"a":1}'),
        done(0, call_item("call_1", "f", '{"a":1}')),
    )
    message = final(*chunks, COMPLETED)
    assert message.content == (ToolCall("call_1", "f", {"a": 1}, provider_details={"id": "fc_1"}),)
    assert (message.stop_reason, message.raw_stop_reason) == (StopReason.TOOL_USE, "completed")


def test_arguments_may_come_with_any_whole() -> None:
    item = call_item("call_1", "f", '{"a":1}')
    for chunks in (
        [arguments_done(0, '{"a":1}')],
        [arguments_done(0, {"a": 1})],
        [done(0, call_item("call_1", "f", {"a": 1}))],
        [done(0, item)],
        [ended("completed", item)],
        [arguments(0, "{}"), done(0, item)],
    ):
        assert [call.arguments for call in content(CALL, *chunks)] == [{"a": 1}]


def test_an_item_announced_with_all_its_content() -> None:
    assert content(added(0, "function_call", call_id="c", name="f", arguments='{"a":1}')) == (
        ToolCall("c", "f", {"a": 1}),
    )
    assert final(added(0, **message_item("Hi")), COMPLETED).text == "Hi"
    assert final(added(0, **message_item("Hi"))).text == "Hi"
    assert final(added(0, **message_item("Hi")), text(0, "Hi"), COMPLETED).text == "Hi"
    assert final(added(0, **message_item("Hi")), done(0, {"type": "message"}), COMPLETED).text == "Hi"


def test_the_id_and_the_name_of_a_call_may_come_late() -> None:
    for last in ([done(0, call_item("call_1", "f", "{}"))], [arguments_done(0, "{}", call_id="call_1", name="f")]):
        assert content(arguments(0, "{", item_id="fc_1"), arguments(0, "}", item_id="fc_1"), *last) == (
            ToolCall("call_1", "f", {}, provider_details={"id": "fc_1"}),
        )
    assert content(done(0, {"type": "function_call", "id": "fc_1", "name": "f", "arguments": "{}"}))[0].id == "fc_1"


def test_two_calls_with_one_id() -> None:
    calls = [done(number, call_item("c", "f", f'{{"a":{number}}}', id=f"fc_{number}")) for number in range(2)]
    one, two = content(*calls)
    assert (one.id, two.id != "c", two.provider_details["call_id"]) == ("c", True, "c")


def test_a_call_that_is_cut_off_shows_what_can_be_read() -> None:
    message = final(
        CALL, arguments(0, '{"a":1,"b'), ended("incomplete", incomplete_details={"reason": "max_output_tokens"})
    )
    assert message.stop_reason is StopReason.LENGTH
    assert message.tool_calls[0].invalid_arguments == '{"a":1,"b'


# Custom tool calls


def test_a_custom_tool_call_is_a_call_with_its_text() -> None:
    command = 'echo "}" \\\n\U0001f600'
    wholes = (
        event("custom_tool_call_input.done", 0, input=command),
        done(0, {"type": "custom_tool_call", "input": command}),
    )
    deltas = [
        event("custom_tool_call_input.delta", 0, delta=delta)
        for delta in (command[:6], command[6:11], "\ud83d", "\ude00")
    ]
    call = ToolCall("call_1", "shell", {"input": command}, provider_details={"id": "ctc_1", "type": "custom_tool_call"})
    for chunks in ((*deltas, *wholes), wholes[:1], wholes[1:], deltas):
        assert content(CUSTOM, *chunks) == (call,)
    assert content(CUSTOM)[0].arguments == {"input": ""}
    assert content(CUSTOM, arguments(0, "ls", item_id="ctc_1"))[0].arguments == {"input": "ls"}


def test_the_text_of_a_custom_tool_call_shows_as_it_comes() -> None:
    events = decoded(
        CUSTOM,
        event("custom_tool_call_input.delta", 0, delta="ls"),
        event("custom_tool_call_input.delta", 0, delta=" -l"),
    )
    assert [call.arguments for each in events[1:] for call in each.partial.tool_calls] == [
        {}, {"input": "ls"}, {"input": "ls -l"}, {"input": "ls -l"}
    ]  # fmt: skip
