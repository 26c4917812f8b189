"""Streams for the tests of the log, each of one thing that can happen in a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from provider_events import (
    AnyProviderEvent,
    Cost,
    FallbackExhausted,
    FallbackReason,
    FallbackStart,
    ImageContent,
    MessageBuilder,
    StopReason,
    UnknownContent,
    Usage,
)

Stream = Iterator[AnyProviderEvent]


def new_builder() -> MessageBuilder:
    return MessageBuilder(api="api", provider="provider", model="model", timestamp=1_760_000_000_000)


def interleaved_blocks() -> Stream:
    builder = new_builder()
    yield builder.start()
    yield from (builder.text_start(), builder.tool_call_start("i", "f"), builder.thinking_start())
    for _ in range(3):
        yield from (builder.tool_call_delta("{", 1), builder.text_delta("a", 0), builder.thinking_delta("b", 2))
    yield from (
        builder.thinking_end(2),
        builder.text_end(0),
        builder.tool_call_end(1),
        builder.done(StopReason.TOOL_USE),
    )


def blocks_without_events() -> Stream:
    builder = new_builder()
    yield builder.start()
    builder.add_block(UnknownContent({"n": 1}))
    yield builder.text_start()
    builder.add_block(ImageContent("aGk=", "image/png"))
    builder.add_block(UnknownContent({"n": 2, "data": "x" * 5000}))
    yield from (builder.text_delta("a"), builder.text_end(), builder.tool_call_start("i", "f"))
    builder.add_block(UnknownContent({"n": 3}))
    yield builder.tool_call_end()
    builder.add_block(UnknownContent({"n": 4}))
    yield builder.done(StopReason.TOOL_USE)


def a_header_that_changes_in_the_middle() -> Stream:
    builder = new_builder()
    builder.update(response_id="r1", usage=Usage(1, cost=Cost(1, 1, 1, 1, 4)))
    yield builder.start()
    builder.update(model="m2", usage=Usage(1, 5, reasoning_tokens=2, cost=Cost(1, 2, 1, 1, 5)))
    yield builder.text_start()
    builder.update(response_id=None, provider="p2", api="a2", timestamp=0, usage=Usage(0, 6, cost=None))
    yield builder.text_end()
    builder.update(raw_stop_reason="stop", usage=Usage(cost=Cost(0, 0, 0, 0, 0)))
    yield builder.done(StopReason.STOP)


def usage_that_changes_at_every_delta() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.text_start())
    for count in range(300):
        builder.update(usage=Usage(90_000, count, 12_000))
        yield builder.text_delta("x")
    yield from (builder.text_end(), builder.done(StopReason.LENGTH))


def fifty_citations() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.text_start())
    citations = [{"type": "url", "url": f"https://example.com/{n}", "title": "t" * 50} for n in range(50)]
    for citation in citations:
        builder.add_annotation(0, citation)
        yield builder.text_delta("x" * 40)
    yield from (builder.text_end(), builder.done(StopReason.STOP))


def citations_that_are_replaced() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.text_start())
    replaced: list[list[Any]] = [[{"a": 1}, {"b": 2}], [{"a": 1}, {"c": 3}, 4], [], ["x"]]
    for citations in replaced:
        builder.update_block(0, annotations=citations)
        yield builder.text_delta("x")
    yield builder.text_end(annotations=[{"d": 4}])
    yield builder.done(StopReason.STOP)


def big_signatures() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.thinking_start(), builder.text_start(), builder.tool_call_start("i", "f"))
    builder.update_block(0, thinking_signature="s" * 10_000, redacted=True)
    yield from (builder.text_delta("a"), builder.thinking_end(0, signature="s" * 10_000))
    yield builder.text_end(signature="t" * 10_000)
    yield from (builder.tool_call_end(thought_signature="u" * 10_000), builder.done(StopReason.TOOL_USE))


def late_ids_and_names() -> Stream:
    builder = new_builder()
    yield from (
        builder.start(),
        builder.tool_call_start(),
        builder.tool_call_start("", ""),
        builder.tool_call_start("i"),
    )
    builder.update_block(0, name="f")
    yield builder.tool_call_delta("{}", 0)
    builder.update_block(1, id="late", name="g")
    yield builder.tool_call_delta("{}", 1)
    yield from (
        builder.tool_call_end(2, tool_name="h"),
        builder.tool_call_end(0),
        builder.tool_call_end(1, tool_call_id="later"),
    )
    yield builder.done(StopReason.TOOL_USE)


def invalid_arguments() -> Stream:
    builder = new_builder()
    yield builder.start()
    for index, text in enumerate(('{"a": ', "[1]", "nope", '{"a": NaN}', '{"a": ' + "9" * 5000 + "}", "")):
        yield from (
            builder.tool_call_start(f"i{index}", "f"),
            builder.tool_call_delta(text),
            builder.tool_call_end(index),
        )
    yield builder.done(StopReason.TOOL_USE)


def details_that_grow() -> Stream:
    builder = new_builder()
    builder.update(provider_details={"id": "r"})
    yield from (builder.start(), builder.thinking_start())
    details: list[dict[str, Any]] = [
        {"id": "rs_1"},
        {"id": "rs_1", "summary": [{"text": "One"}]},
        {"id": "rs_1", "summary": [{"text": "One two"}, {"text": "Three"}]},
        {"id": "rs_1", "summary": [{"text": "Four"}], "phase": None},
        {"phase": None, "id": "rs_1"},
        {},
    ]
    for value in details:
        builder.update_block(0, provider_details=value)
        builder.update(provider_details={"usage": value})
        yield builder.thinking_delta("x")
    yield builder.thinking_end(provider_details={"id": "rs_2"})
    builder.update(provider_details={"service_tier": "flex"})
    yield builder.done(StopReason.STOP)


def unknown_blocks_that_grow() -> Stream:
    builder = new_builder()
    yield builder.start()
    builder.add_block(UnknownContent({"type": "search", "input": ""}))
    builder.add_block(UnknownContent({}))
    yield builder.text_start()
    for count in range(20):
        builder.update_block(0, data={"type": "search", "input": '{"query": ' * count, "sources": [*range(count)]})
        yield builder.text_delta("x")
    yield builder.text_end()
    builder.update_block(1, data={"refreshed": True})
    builder.update_block(0, data={"type": "search", "sources": [1]})
    yield builder.done(StopReason.STOP)


def pairs_split_over_two_deltas() -> Stream:
    builder = new_builder()
    yield builder.start()
    yield from (builder.text_start(), builder.text_delta("\ud83d"), builder.text_delta("\ude00"), builder.text_end())
    yield from (
        builder.tool_call_start(),
        builder.tool_call_delta('{"a": "\\ud83d'),
        builder.tool_call_delta('\\ude00"}'),
    )
    yield from (
        builder.tool_call_end(),
        builder.thinking_start(),
        builder.thinking_delta("\ude00"),
        builder.thinking_end(),
    )
    yield builder.done(StopReason.TOOL_USE)


def text_that_is_not_ascii() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.text_start())
    for text in ("日本語の文章です。" * 50, "😀👍🏽" * 50, "\0\x1f\x7f\u2028\ufeff", '"\\' * 50):
        yield builder.text_delta(text)
    yield from (
        builder.text_end(),
        builder.tool_call_start("日", "本"),
        builder.tool_call_delta('{"語": "' + "語" * 500),
    )
    yield from (builder.tool_call_delta('"}'), builder.tool_call_end(), builder.done(StopReason.TOOL_USE))


def an_error_with_open_blocks() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.text_start(), builder.text_delta("Hel"), builder.tool_call_start())
    yield builder.tool_call_delta('{"a": "b')
    builder.update_block(0, text_signature="s")
    builder.add_block(UnknownContent({}))
    yield builder.error("cut off", aborted=True)


def an_error_alone() -> Stream:
    builder = new_builder()
    builder.update(raw_stop_reason="overloaded", usage=Usage(5))
    yield builder.error("overloaded")


def fallbacks_and_an_answer() -> Stream:
    yield FallbackStart("a", "b", FallbackReason.RATE_LIMIT)
    yield FallbackStart("b", "model", FallbackReason.CIRCUIT_BREAKER)
    yield from interleaved_blocks()


def fallbacks_that_exhaust_the_models() -> Stream:
    yield FallbackStart("a", "b", FallbackReason.UNKNOWN)
    yield FallbackExhausted(("a",), "no more")


def a_message_without_blocks() -> Stream:
    builder = new_builder()
    yield from (builder.start(), builder.done(StopReason.STOP))


CASES: list[Callable[[], Stream]] = [
    *(
        interleaved_blocks,
        blocks_without_events,
        a_header_that_changes_in_the_middle,
        usage_that_changes_at_every_delta,
    ),
    *(fifty_citations, citations_that_are_replaced, details_that_grow, unknown_blocks_that_grow, big_signatures),
    *(late_ids_and_names, invalid_arguments, pairs_split_over_two_deltas, text_that_is_not_ascii),
    *(an_error_with_open_blocks, an_error_alone, fallbacks_and_an_answer, fallbacks_that_exhaust_the_models),
    *(a_message_without_blocks,),
]
