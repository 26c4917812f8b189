"""Chat completions: usage, pictures, audio, and what no field of a message holds."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from support.completions import DONE, REPORT, STOP, call, chunk, decoded, details, final, whole

from provider_events import ImageContent, TextContent, UnknownContent, Usage
from provider_events.decoders import decode

# Usage


def usage(*reports: Any) -> Usage:
    return final(chunk(content="Hi"), STOP, *({"choices": [], "usage": report} for report in reports), DONE).usage


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [], "usage": REPORT},
        {"choices": [{"index": 0, "delta": {}, "usage": REPORT}]},
        {"choices": [{"index": 0, "delta": {}}], "x_groq": {"id": "req", "usage": REPORT}},
    ],
)
def test_usage_in_three_places(last: Any) -> None:
    message = final(chunk(content="Hi"), STOP, last, DONE)
    assert message.usage == Usage(10, 5)
    assert message.provider_details["usage"] == REPORT


def test_counts_that_are_missing_are_0() -> None:
    assert usage({"completion_tokens": 5}) == Usage(0, 5)
    assert usage({"prompt_tokens": 10}) == Usage(10, 0)


def test_usage_under_other_names() -> None:
    assert usage({"input_tokens": 10, "output_tokens": 5}) == Usage(10, 5)


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 8}},
        {"input_tokens_details": {"cached_tokens": 8}},
        {"prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2},
        {"cached_tokens": 8},
        {"num_cached_tokens": 8},
        {"cache_read_input_tokens": 8, "prompt_tokens_details": {"cached_tokens": 0}},
    ],
)
def test_cached_tokens_are_no_input(cached: dict[str, Any]) -> None:
    assert usage({**REPORT, **cached}) == Usage(2, 5, cache_read_tokens=8)


@pytest.mark.parametrize(
    "written",
    [
        {"prompt_tokens_details": {name: 3}}
        for name in ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
    ]
    + [{"cache_creation_input_tokens": 3}, {"input_tokens_details": {"cache_write_tokens": 3}}],
)
def test_tokens_written_to_a_cache_are_no_input(written: dict[str, Any]) -> None:
    assert usage({**REPORT, **written}) == Usage(7, 5, cache_write_tokens=3)


def test_cached_tokens_that_the_total_counts_apart_are_not_taken_from_the_input() -> None:
    assert usage({**REPORT, "total_tokens": 23, "cache_read_input_tokens": 8}) == Usage(10, 5, cache_read_tokens=8)
    assert usage({"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 80}) == Usage(
        10, 5, cache_read_tokens=80
    )


@pytest.mark.parametrize("key", ["completion_tokens_details", "output_tokens_details", None])
def test_reasoning_is_a_part_of_the_output(key: str | None) -> None:
    reasoning: dict[str, Any] = {"reasoning_tokens": 3}
    assert usage({**REPORT, **({key: reasoning} if key else reasoning)}) == Usage(10, 5, reasoning_tokens=3)


def test_reasoning_that_is_counted_apart_is_added_to_the_output() -> None:
    apart = {"completion_tokens_details": {"reasoning_tokens": 7}}
    assert usage({**REPORT, "total_tokens": 22, **apart}) == Usage(10, 12, reasoning_tokens=7)
    cached = {"prompt_tokens_details": {"cached_tokens": 4}}
    assert usage({**REPORT, "total_tokens": 22, **apart, **cached}) == Usage(6, 12, 4, reasoning_tokens=7)
    assert usage({"prompt_tokens": 10, "completion_tokens": 5, **apart}) == Usage(10, 12, reasoning_tokens=7)


def test_reasoning_and_cached_tokens_may_both_be_counted_apart() -> None:
    apart = {"completion_tokens_details": {"reasoning_tokens": 7}, "cached_tokens": 4}
    assert usage({**REPORT, "total_tokens": 26, **apart}) == Usage(10, 12, 4, reasoning_tokens=7)


def test_reasoning_is_never_more_than_the_output() -> None:
    assert usage({**REPORT, "completion_tokens_details": {"reasoning_tokens": 7}}) == Usage(10, 5, reasoning_tokens=5)


def test_later_reports_overwrite_earlier_ones_field_by_field() -> None:
    later = {"prompt_tokens": None, "completion_tokens": 6, "total_tokens": 0, "cost": 0.5}
    message = final(
        {**chunk(content="a"), "usage": REPORT}, {**STOP, "usage": later}, {"choices": [], "usage": None}, DONE
    )
    assert message.usage == Usage(10, 6)
    assert message.provider_details["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 0,
        "cost": 0.5,
    }


# Pictures and audio

PNG = "iVBORw0KGgo="
PICTURE = ImageContent(PNG, "image/png")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}, "index": 0},
        {"type": "image_url", "image_url": f"data:image/PNG;charset=x;base64,{PNG}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "image": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "output_image", "b64_json": PNG},
    ],
)
def test_a_picture_stands_between_the_texts(part: dict[str, Any]) -> None:
    expected = (TextContent("A"), PICTURE, TextContent("B"))
    wrapped = {"raw": part, "type": "UNKNOWN"}
    assert final(chunk(content="A"), chunk(content="", images=[part]), chunk(content="B"), STOP).content == expected
    assert final(chunk(content=[{"type": "text", "text": "A"}, part, "B"]), STOP).content == expected
    assert final(chunk(content="A", images=[wrapped]), chunk(content="B"), STOP).content == expected


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": PNG}},
        {"type": "output_image", "b64_json": PNG, "mime_type": "image/jpeg"},
    ],
)
def test_the_media_type_of_a_picture_is_kept(part: dict[str, Any]) -> None:
    assert final(chunk(images=part), STOP).content == (ImageContent(PNG, "image/jpeg"),)


def test_what_else_a_picture_has_is_kept() -> None:
    image = {"url": f"data:;base64,{PNG}", "detail": "low"}
    part = {"type": "image_url", "image_url": image, "prompt": "a cat"}
    message = final(chunk(images=[part]), STOP)
    assert message.content == (ImageContent(PNG, "image/png", {"prompt": "a cat", "detail": "low"}),)
    assert message.provider_details == {}


def test_a_picture_at_an_address_is_unknown_content() -> None:
    part: Any = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    message = final(chunk(content="A"), chunk(images=[part]), chunk(content="B"), STOP)
    assert message.content == (TextContent("A"), UnknownContent(part), TextContent("B"))
    assert final(chunk(images=[part["image_url"]["url"]]), STOP).content == (
        UnknownContent({"type": "image_url", "image_url": "https://example.org/cat.png"}),
    )


def test_audio_is_unknown_content_with_its_transcript() -> None:
    halves = b64encode(b"\x01\x02").decode(), b64encode(b"\x03\x04\x05").decode()
    deltas = [
        {"id": "audio_1"},
        {"data": halves[0], "transcript": "Hel"},
        {"data": halves[1], "transcript": "lo"},
        {"expires_at": 17},
    ]
    message = final(chunk(content="A"), *(chunk(audio=delta) for delta in deltas), chunk(content="B"), STOP)
    audio: Any = {
        "id": "audio_1",
        "data": b64encode(b"\x01\x02\x03\x04\x05").decode(),
        "transcript": "Hello",
        "expires_at": 17,
    }
    assert message.content == (TextContent("A"), UnknownContent({"type": "audio", "audio": audio}), TextContent("B"))


def test_audio_that_was_cut_off_is_kept() -> None:
    message = final(chunk(audio={"id": "audio_1", "transcript": "Hel"}), chunk(audio={"transcript": "lo"}))
    assert message.content == (UnknownContent({"type": "audio", "audio": {"id": "audio_1", "transcript": "Hello"}}),)


# Annotations

CITATION: Any = {"type": "url_citation", "url_citation": {"url": "u", "start_index": 0}}


def test_annotations_belong_to_the_open_text_or_to_the_next_one() -> None:
    cited = (TextContent("Hi", annotations=(CITATION,)),)
    assert final(chunk(content="Hi", annotations=[CITATION]), STOP).content == cited
    assert final(chunk(content="Hi"), chunk(annotations=[CITATION]), STOP).content == cited
    assert final(chunk(annotations=[CITATION]), chunk(content="Hi"), STOP).content == cited
    before_the_first = chunk(annotations=[CITATION]), chunk(content="Hi"), chunk(reasoning="Hm"), chunk(content="Ho")
    assert [
        block.annotations for block in final(*before_the_first, STOP).content if isinstance(block, TextContent)
    ] == [
        (CITATION,),
        (),
    ]
    assert final(chunk(content=[{"type": "text", "text": "Hi", "annotations": [CITATION]}]), STOP).content == cited


def test_annotations_that_are_repeated_exactly_are_there_once() -> None:
    other = {**CITATION, "title": "Other"}
    chunks = chunk(content="Hi", annotations=[CITATION]), chunk(content="!", annotations=[CITATION, other])
    assert final(*chunks, STOP).content == (TextContent("Hi!", annotations=(CITATION, other)),)
    assert final(chunk(annotations=[CITATION]), *chunks, STOP).content == final(*chunks, STOP).content
    before = chunk(reasoning="Hm"), chunk(annotations=[CITATION])
    assert final(*before, *chunks, STOP).content[1:] == final(*chunks, STOP).content
    again = chunk(reasoning="Hm"), chunk(content="Ho", annotations=[CITATION])
    assert final(*chunks, *again, STOP).content[-1] == TextContent("Ho", annotations=(CITATION,))


@pytest.mark.parametrize("odd", [{"x": {1, 2}}, {"x": json.loads("[" * 200 + "]" * 200)}, 5])
def test_an_annotation_that_is_no_json_fails_no_stream(odd: object) -> None:
    *_, last = decode([chunk(content="Hi", annotations=[odd]), STOP])
    (block,) = last.partial.content
    assert isinstance(block, TextContent) and len(block.annotations) == 1


def test_annotations_without_any_text_are_details_of_the_message() -> None:
    message = final(chunk(reasoning="Hm", annotations=[CITATION]), call(0, "id1", "f"), STOP)
    assert message.provider_details == {"annotations": [CITATION]}


# What no field holds


def test_what_is_in_the_chunks_and_no_field_holds_is_in_the_details_of_the_message() -> None:
    first = {
        **chunk(content="Hi"),
        "system_fingerprint": "fp",
        "service_tier": None,
        "provider": "Acme",
        "obfuscation": "x",
    }
    last = {**STOP, "service_tier": "flex", "citations": ["a", "b"], "search_results": [{"url": "a"}]}
    message = final({**first, "citations": ["a"]}, last)
    assert message.provider_details == {
        "system_fingerprint": "fp", "service_tier": "flex", "provider": "Acme",
        "citations": ["a", "b"], "search_results": [{"url": "a"}],
    }  # fmt: skip


def test_what_is_in_a_choice_and_no_field_holds_is_in_the_details_of_the_message() -> None:
    first, last = chunk(content="Hi"), chunk()
    first["choices"][0] |= {"native_finish_reason": None, "content_filter_results": {"hate": {"filtered": False}}}
    last["choices"][0] |= {
        "finish_reason": "stop",
        "native_finish_reason": "end",
        "content_filter_results": {"violence": {"filtered": False}},
    }
    filters = {"hate": {"filtered": False}, "violence": {"filtered": False}}
    assert final(first, last).provider_details == {"native_finish_reason": "end", "content_filter_results": filters}


def test_what_is_in_a_delta_and_no_field_holds_is_in_the_details_of_its_block() -> None:
    message = final(
        chunk(role="assistant", note="first", index=0),
        chunk(reasoning="a", channel="analysis"), chunk(reasoning="b", channel="analysis"),
        chunk(content="c", channel="final"), chunk(content="d", channel="final", parts=[1]),
        chunk(content="e", parts=[2]), STOP,
    )  # fmt: skip
    assert message.provider_details == {"note": "first"}
    assert details(message) == [
        {"reasoning_field": "reasoning", "channel": "analysis"},
        {"channel": "final", "parts": [1, 2]},
    ]


def test_what_a_field_holds_is_in_no_details() -> None:
    part = {"type": "text", "text": "A", "annotations": [CITATION]}
    read = chunk(content=[part], index=0, images=[f"data:image/png;base64,{PNG}"], audio={"id": "a"}, executed_tools=[])
    message = final(read, chunk(annotations=[CITATION], content="B"), STOP)
    assert [each for each in details(message) if each] == [] and message.provider_details == {}


def test_what_else_a_part_has_is_in_the_details_of_its_block() -> None:
    parts = [{"type": "text", "text": "A", "lang": "en"}, {"type": "thinking", "thinking": "B", "id": "t1"}]
    assert details(final(chunk(content=parts), STOP)) == [{"lang": "en"}, {"reasoning_field": "content", "id": "t1"}]


@pytest.mark.parametrize("key", ["logprobs", "token_ids"])
def test_what_comes_for_each_token_is_joined_on_the_block(key: str) -> None:
    def one(value: Any, **delta: Any) -> dict[str, Any]:
        each = chunk(**delta)
        each["choices"][0][key] = value
        return each

    chunks = one({"content": [{"token": "A"}]}, content="A"), one({"content": [{"token": "B"}]}, content="B"), one(None)
    if key == "logprobs":
        assert details(final(*chunks, STOP)) == [{key: {"content": [{"token": "A"}, {"token": "B"}]}}]
    assert details(final(one([1], content="A"), one([1], content="A"), STOP)) == [{key: [1, 1]}]
    assert details(final(call(0, "id1", "f"), one([1]), STOP)) == [{key: [1]}]
    assert final(one([1]), STOP).provider_details == {key: [1]}


def test_tools_that_the_server_ran_are_kept_each_once() -> None:
    started = [{"index": 0, "type": "search", "arguments": "{}"}, {"index": 1, "type": "python", "arguments": "1"}]
    ended = [{**started[0], "output": "found"}]
    message = final(chunk(reasoning="a", executed_tools=started), chunk(reasoning="b", executed_tools=ended), STOP)
    assert message.thinking == "ab" and len(message.content) == 1
    assert message.provider_details == {"executed_tools": [*ended, started[1]]}
    both = [{"type": "search"}, {"type": "python"}]
    assert final(whole(content="Hi", executed_tools=both)).provider_details == {"executed_tools": both}


def test_details_show_at_the_start_and_at_the_latest_at_the_end_of_their_block() -> None:
    events = decoded({**chunk(content="Hi", channel="a"), "provider": "Acme"}, chunk(reasoning="Hm"), STOP)
    assert events[0].partial.provider_details == {"provider": "Acme"}
    (ended,) = [event.content for event in events if event.type == "text_end"]
    assert ended == "Hi"
    (shown,) = [event.partial.content[0] for event in events if event.type == "text_end"]
    assert isinstance(shown, TextContent) and shown.provider_details == {"channel": "a"}


def test_milliseconds_are_no_seconds() -> None:
    assert final({**chunk(content="Hi"), "created": 1700000000123}, DONE).timestamp == 1700000000123


@pytest.mark.parametrize(
    "label", ["id", "object", "format", "role", "name", "status", "model", "finish_reason", "encoding", "type"]
)
def test_a_label_that_comes_again_replaces_the_one_before(label: str) -> None:
    chunks = [chunk(content="Hi", more={label: "x", "words": "a", "count": count}) for count in (1, 2)]
    (found,) = details(final(*chunks, STOP))
    assert found["more"] == {label: "x", "words": "aa", "count": 2}
