"""What providers send beside their documentation: one test for each thing that was seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from laws import assert_lawful

from provider_events import AssistantMessage, Error, MessageBuilder, StopReason, TextContent, UnknownContent, Usage
from provider_events.decoders import decode, iter_sse


def final(api: str, *chunks: Any) -> AssistantMessage:
    events = list(decode(map(json.dumps, chunks), api=api))
    assert_lawful(events)
    message = events[-1].partial
    assert message is not None
    return message


def chat(*deltas: Any) -> AssistantMessage:
    stop = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return final("openai-completions", *[{"choices": [{"index": 0, "delta": delta}]} for delta in deltas], stop)


def called(*calls: Any) -> list[tuple[str, Any]]:
    return [(call.name, call.arguments) for call in chat(*[{"tool_calls": [call]} for call in calls]).tool_calls]


def test_gemini_behind_chat_completions_gives_parallel_calls_one_index_and_no_ids() -> None:
    paris, rome = [{"index": 0, "function": {"name": "f", "arguments": f'{{"city": "{city}"}}'}} for city in ("Paris", "Rome")]
    assert called(paris, rome) == [("f", {"city": "Paris"}), ("f", {"city": "Rome"})]


def test_a_name_repeated_with_each_piece_is_one_call() -> None:
    pieces = [{"index": 0, "function": {"name": "f", "arguments": piece}} for piece in ('{"a": ', "1", "}")]
    assert called(*pieces) == [("f", {"a": 1})]


def test_calls_with_ids_and_no_index_may_interleave() -> None:
    said = [("a", '{"x"'), ("b", '{"y"'), ("a", ": 1}"), ("b", ": 2}")]
    pieces = [{"id": id, "function": {"name": id.upper(), "arguments": piece}} for id, piece in said]
    assert called(*pieces) == [("A", {"x": 1}), ("B", {"y": 2})]


def test_geminis_thought_signature_in_chat_completions_is_kept() -> None:
    extra = {"extra_content": {"google": {"thought_signature": "s"}}}
    message = chat({"tool_calls": [{"index": 0, "id": "i", "function": {"name": "f", "arguments": "{}"}, **extra}]})
    assert message.tool_calls[0].thought_signature == "s"


def test_annotations_in_chat_completions_are_kept_on_their_text() -> None:
    message = chat({"content": "Hi"}, {"annotations": [{"type": "url_citation", "url": "u"}]})
    assert message.content == (TextContent("Hi", annotations=({"type": "url_citation", "url": "u"},)),)


@pytest.mark.parametrize("place", ["choice", "x_groq"])
def test_errors_in_odd_places_keep_their_words(place: str) -> None:
    choice: dict[str, Any] = {"index": 0, "delta": {"content": "Hi"}}
    error = {"error": {"message": "upstream went away"}}
    payload = {"choices": [choice | error]} if place == "choice" else {"choices": [choice], "x_groq": error}
    message = final("openai-completions", payload)
    assert (message.stop_reason, message.text) == (StopReason.ERROR, "Hi")
    assert "upstream went away" in (message.error_message or "")


def test_moonshot_counts_cached_tokens_beside_the_details() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "cached_tokens": 8}
    message = final("openai-completions", {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}], "usage": usage})
    assert message.usage == Usage(input_tokens=2, output_tokens=1, cache_read_tokens=8, total_tokens=11)


def test_responses_items_that_were_never_done_are_taken_from_the_end() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    message = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi"}]}
    kept = final(
        "openai-responses",
        {"type": "response.output_item.added", "output_index": 3, "item": {**search, "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 4, "item": {**message, "content": []}},
        {"type": "response.completed", "response": {"status": "completed", "output": [search, message]}},
    )
    assert sorted(map(type, kept.content), key=str) == sorted([UnknownContent, TextContent], key=str)
    assert kept.text == "Hi"
    assert UnknownContent(search) in kept.content


def test_responses_places_in_the_output_need_not_be_those_of_the_stream() -> None:
    item = {"type": "custom_tool_call", "id": "ctc_1", "input": "<main>"}
    message = final(
        "openai-responses",
        {"type": "response.output_item.added", "output_index": 1, "item": {**item, "input": ""}},
        {"type": "response.output_item.done", "output_index": 1, "item": item},
        {"type": "response.completed", "response": {"status": "completed", "output": [item]}},
    )
    assert message.content == (UnknownContent(item),)


def test_responses_items_may_be_told_by_their_ids_alone() -> None:
    message = final(
        "openai-responses",
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs_1"}},
        {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "summary_index": 0, "delta": "Hm"},
        {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "id": "msg_1"}},
        {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hi"},
        {"type": "response.completed", "response": {}},
    )
    assert (message.thinking, message.text, message.raw_stop_reason) == ("Hm", "Hi", "completed")


def test_responses_citations_that_came_before_a_cut_are_kept() -> None:
    message = final(
        "openai-responses",
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_1"}},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"},
        {"type": "response.output_text.annotation.added", "output_index": 0, "annotation": {"url": "u"}},
    )
    assert message.content == (TextContent("Hi", annotations=({"url": "u"},)),)


def test_gemini_candidates_are_told_by_their_index() -> None:
    def chunk(index: int, text: str) -> dict[str, Any]:
        return {"candidates": [{"index": index, "content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]}

    assert final("google-generative-ai", chunk(0, "A"), chunk(1, "B")).text == "A"


def test_gemini_texts_with_signatures_of_their_own_are_blocks_of_their_own() -> None:
    parts = [{"text": "A", "thoughtSignature": "s1"}, {"text": "a"}, {"text": "B", "thoughtSignature": "s2"}]
    message = final("google-generative-ai", {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    assert message.content == (TextContent("Aa", "s1"), TextContent("B", "s2"))


def test_gemini_says_that_a_call_goes_on_without_more() -> None:
    parts = [
        {"functionCall": {"name": "f", "willContinue": True}},
        {"functionCall": {"partialArgs": [{"jsonPath": "$.a[0].b", "numberValue": 1}], "willContinue": True}},
        {"functionCall": {"willContinue": True}},
        {"functionCall": {"partialArgs": [{"jsonPath": "$.a[1].b", "numberValue": 2}]}},
        {"text": ""},
    ]
    message = final("google-generative-ai", {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    assert [call.arguments for call in message.tool_calls] == [{"a": [{"b": 1}, {"b": 2}]}]


def test_anthropic_may_start_a_message_with_content() -> None:
    content = [{"type": "code_execution_tool_result"}, {"type": "tool_use", "id": "i", "name": "f", "input": {"a": 1}}]
    start = {"id": "m", "model": "c", "content": content, "stop_reason": "tool_use"}
    message = final("anthropic-messages", {"type": "message_start", "message": start}, {"type": "message_stop"})
    assert [call.arguments for call in message.tool_calls] == [{"a": 1}]
    assert message.stop_reason is StopReason.TOOL_USE


def test_an_anthropic_message_that_begins_inside_another_ends_it() -> None:
    first, second = [{"type": "message_start", "message": {"id": id, "model": "c"}} for id in ("m1", "m2")]
    message = final("anthropic-messages", first, second, {"type": "message_stop"})
    assert message.stop_reason is StopReason.ERROR
    assert "m2" in (message.error_message or "")


def test_an_empty_piece_of_a_body_ends_nothing() -> None:
    assert list(iter_sse([b"", b"data: a\n\n", b"data: b\n\n"])) == ["a", "b"]


class Broken:
    """A chunk, or an exception, that cannot even be looked at."""

    def model_dump(self) -> Any:
        raise RuntimeError("no")


class BrokenError(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


def test_chunks_that_cannot_be_looked_at_do_not_raise() -> None:
    stop = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert isinstance([*decode([Broken(), stop])][-1], Error)

    def failing() -> Any:
        yield stop
        raise BrokenError

    last = [*decode(failing())][-1]
    assert isinstance(last, Error)
    assert last.error.error_message == "BrokenError"


def test_one_chunk_for_chunks_is_a_type_error() -> None:
    for chunk in ('{"choices": []}', b"{}", {"choices": []}):
        with pytest.raises(TypeError, match="single chunk"):
            decode(chunk)  # type: ignore[arg-type]  # that is the mistake


def test_lines_of_server_sent_events_are_told_where_to_go() -> None:
    with pytest.raises(ValueError, match="iter_sse"):
        list(decode(['data: {"choices": []}', ""]))


def test_a_made_up_id_is_none_that_providers_use() -> None:
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    builder.start()
    builder.tool_call_start()
    made_up = builder.tool_call_end().tool_call.id
    builder.tool_call_start("call_0", "f")
    assert made_up != builder.tool_call_end().tool_call.id == "call_0"
