"""Google's Interactions API: how a message ends, its usage and details, whole interactions and SDK objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.decoding import types_by_chunk
from support.interactions import (
    API,
    HI,
    OUTPUT,
    call,
    decoded,
    delta,
    end,
    event,
    final,
    start,
    stop,
    summary,
    text,
)

from provider_events import (
    Done,
    Error,
    ImageContent,
    StopReason,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)
from provider_events.decoders import InteractionsDecoder, decode


# Which streams are of this API


def test_the_type_of_an_event_tells() -> None:
    kinds = "interaction.created", "step.delta", "content.stop", "error"
    assert all(InteractionsDecoder.recognizes({"event_type": kind}) for kind in kinds)
    assert InteractionsDecoder.recognizes({"object": "interaction"})
    others: list[dict[str, Any]] = [{}, {"event_type": "ping"}, {"event_type": ["error"]}, {"type": "error"}]
    assert not any(map(InteractionsDecoder.recognizes, others))


# How a message ends


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("completed", StopReason.STOP),
        ("requires_action", StopReason.STOP),
        ("incomplete", StopReason.LENGTH),
        ("requires_continuation", StopReason.LENGTH),
        ("budget_exceeded", StopReason.LENGTH),
        ("failed", StopReason.ERROR),
        ("cancelled", StopReason.ABORTED),
    ],
)
def test_statuses(status: str, reason: StopReason) -> None:
    for chunks in ([end(status)], [event("interaction.status_update", interaction_id="v1", status=status)]):
        message = final(*HI, *chunks)
        assert (message.stop_reason, message.raw_stop_reason, message.text) == (reason, status, "Hi")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("complete", StopReason.STOP), ("stop", StopReason.STOP), ("incomplete", StopReason.LENGTH)]
    + [("cancelled", StopReason.ABORTED), ("failed", StopReason.ERROR)],
)
def test_events_that_end_without_a_status(name: str, reason: StopReason) -> None:
    assert final(*HI, event(f"interaction.{name}")).stop_reason is reason


def test_a_call_is_tool_use() -> None:
    last = decoded(call(0), stop(0), end("requires_action"))[-1]
    assert isinstance(last, Done) and last.reason is StopReason.TOOL_USE


@pytest.mark.parametrize("cut", range(5))
def test_a_stream_that_is_cut_off_is_an_error(cut: int) -> None:
    running = event("interaction.status_update", status="in_progress"), event("interaction.in_progress")
    message = final(*[*running, *HI][:cut])
    assert message.stop_reason is StopReason.ERROR and "broke off" in str(message.error_message)


def test_the_words_of_a_failure() -> None:
    failure = final(*HI, end("failed", errors=[{"code": "quota", "message": "Quota exceeded."}]))
    assert "failed: quota: Quota exceeded." in str(failure.error_message)
    last = decoded(*HI, event("error", error={"code": "overloaded", "message": "Try later."}))[-1]
    assert isinstance(last, Error) and last.error.text == "Hi"
    assert last.error.error_message == "overloaded: Try later."
    assert final(event("error", message="Try later.")).error_message == "Try later."
    assert final(event("error", error="Try later.", code="busy")).error_message == "busy: Try later."
    assert final(event("error")).error_message


def test_a_step_of_a_wrong_type_is_an_error() -> None:
    wrong = event("step.start", index=0, step=5), event("step.delta", index=0, delta=5), delta(0, "text", text=5)
    assert all("malformed chunk" in str(final(each).error_message) for each in wrong)


# Usage and details

COUNTS = {"total_input_tokens": 10, "total_cached_tokens": 4, "total_tool_use_tokens": 100, "total_output_tokens": 5}
COUNTS |= {"total_thought_tokens": 3, "total_tokens": 118}


def test_usage_in_disjoint_buckets() -> None:
    message = final(*HI, end(usage={**COUNTS, "input_tokens_by_modality": []}))
    assert message.usage == Usage(106, 8, 4, 0, 3)
    assert message.provider_details == {"usage": {**COUNTS, "input_tokens_by_modality": []}}


@pytest.mark.parametrize("name", ["start", "delta", "stop", "status_update"])
def test_usage_on_the_way(name: str) -> None:
    reports: dict[str, Any] = {
        "start": {**start(1, "model_output"), "metadata": {"total_usage": COUNTS}},
        "delta": {**text(0, "!"), "metadata": {"total_usage": COUNTS}},
        "stop": stop(0, usage=COUNTS),
        "status_update": event("interaction.status_update", status="in_progress", usage=COUNTS),
    }
    assert final(OUTPUT, text(0, "Hi"), reports[name], end()).usage == Usage(106, 8, 4, 0, 3)


def test_what_else_the_end_of_an_empty_step_has_is_in_the_details() -> None:
    assert final(OUTPUT, stop(0, step_usage={"a": 1}), end()).provider_details == {"step_usage": {"a": 1}}


def test_what_else_an_interaction_has_is_in_the_details() -> None:
    fields = {"service_tier": "standard", "updated": "2026", "previous_interaction_id": "v0", "environment_id": "e"}
    message = final(*HI, event("ping", mood="fine"), end(**fields, input="?", tools=[], output_text="Hi"))
    assert message.provider_details == {**fields, "mood": "fine"}


# Whole interactions, contents in place of steps, SDK objects

STEPS: list[Any] = [
    {"type": "user_input", "content": []},
    {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "Hm"}]},
    {"type": "google_search_call", "id": "s", "arguments": {"queries": ["a"]}},
    {"type": "model_output", "content": [{"type": "text", "text": "Hi"}]},
    {"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}},
]
BLOCKS = (ThinkingContent("Hm", "c2ln"), UnknownContent(STEPS[2]), TextContent("Hi"), ToolCall("c", "f", {"a": 1}))
WHOLE = {"id": "v1", "object": "interaction", "model": "m", "status": "requires_action", "steps": STEPS}


def test_a_whole_interaction() -> None:
    for chunks in ([WHOLE], [[WHOLE]], [json.dumps(WHOLE)]):
        last = [*decode(chunks)][-1]
        assert isinstance(last, Done) and last.message.content == BLOCKS
        assert (last.reason, last.message.model, last.message.response_id) == (StopReason.TOOL_USE, "m", "v1")
    running = [*decode([{**WHOLE, "status": "in_progress"}])][-1]
    assert isinstance(running, Error) and running.error.content == BLOCKS


def test_a_whole_interaction_without_steps_begins_its_message_at_once() -> None:
    running = {"object": "interaction", "id": "v1", "status": "in_progress"}
    assert types_by_chunk(InteractionsDecoder, [running]) == [["start"], ["error"]]


def test_the_last_event_may_have_steps_that_have_not_streamed() -> None:
    thought = start(0, "thought", signature="c2ln"), summary(0, "Hm"), stop(0)
    streamed = *thought, start(1, "google_search_call", id="s"), stop(1)
    assert final(*streamed, end("requires_action", steps=STEPS)).content == BLOCKS
    again = end(steps=STEPS[3:4])
    assert final(text(None, "Hi"), again).content == (TextContent("Hi"),), "which step has streamed is not known"


def test_contents_in_place_of_steps() -> None:
    old = [
        event("interaction.start", interaction={"id": "v1", "status": "in_progress"}),
        event("content.start", index=0, content={"type": "thought"}),
        event("content.delta", index=0, delta={"type": "thought", "text": "Hm"}),
        event("content.stop", index=0),
        event("content.start", index=1, content={"type": "text", "text": "H"}),
        event("content.delta", index=1, delta={"type": "text", "text": "i"}),
        event("content.start", index=2, content={"type": "image"}),
        event("content.delta", index=2, delta={"type": "image", "data": "aGk=", "mime_type": "image/png"}),
        event("interaction.complete", interaction={"id": "v1", "status": "completed", "outputs": None}),
    ]
    message = [*decode(old)][-1].partial
    assert message.content == (ThinkingContent("Hm"), TextContent("Hi"), ImageContent("aGk=", "image/png"))
    again = event("content.start", index=1, content={"type": "text", "text": "!"})
    assert [*decode([*old[:6], again, old[-1]])][-1].partial.content[1:] == (TextContent("Hi"), TextContent("!"))
    contents = [{"type": "text", "text": "Hi"}]
    for whole in ({"object": "interaction", "outputs": contents}, {"outputs": contents}, {"steps": contents}):
        assert [*decode([{**whole, "status": "completed"}], api=API)][-1].partial.content == (TextContent("Hi"),)


class Model:
    """What an object of google-genai looks like."""

    __slots__ = ("__dict__", "__pydantic_extra__")

    def __init__(self, extra: dict[str, Any] | None = None, **fields: Any) -> None:
        self.__pydantic_extra__ = extra
        self.__dict__.update(fields)

    def model_dump(self) -> Any:
        raise NotImplementedError("it takes too long")


def test_sdk_objects() -> None:
    created = Model(event_type="interaction.created", event_id=None, interaction=Model(id="v1", status="in_progress"))
    hi = Model({"mood": "fine"}, type="text", text="Hi", annotations=[Model(url="u")])
    delta = Model(event_type="step.delta", index=0, delta=hi)
    hologram = Model(type="UNKNOWN", is_unknown=True, raw={"type": "hologram", "depth": 1})
    unknown = Model(event_type="step.delta", index=1, delta=hologram)
    done = Model(event_type="interaction.completed", interaction=Model(id="v1", status="completed"))
    message = [*decode([created, delta, unknown, [done]], api=API)][-1].partial
    assert message.content == (
        TextContent("Hi", annotations=({"url": "u"},), provider_details={"mood": "fine"}),
        UnknownContent({"type": "hologram", "depth": 1}),
    )
