"""Chat completions: reasoning in all its fields, with what the provider wants back of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.completions import DONE, STOP, call, chunk, details, final, finish, types, whole

from provider_events import TextContent, ThinkingContent, ToolCall

FIELDS = ["reasoning_content", "reasoning", "reasoning_text"]


def thinking(text: str, signature: str | None = None, *, redacted: bool = False, **details: Any) -> ThinkingContent:
    return ThinkingContent(text, signature, redacted, details)


# Fields


@pytest.mark.parametrize("name", FIELDS)
def test_reasoning_in_a_field_is_thinking_with_the_name_of_the_field(name: str) -> None:
    message = final(chunk(**{name: "Hm"}), chunk(**{name: "m"}), chunk(content="Yes"), STOP, DONE)
    assert message.content == (thinking("Hmm", reasoning_field=name), TextContent("Yes"))


def test_of_several_fields_the_first_that_is_not_empty_counts() -> None:
    copies = chunk(reasoning_content="a", reasoning="a", reasoning_text="a")
    others = chunk(reasoning_content="", reasoning=None, reasoning_text="b")
    assert final(copies, others, STOP, DONE).thinking == "ab"


@pytest.mark.parametrize("value", [{"content": "Hm"}, [{"type": "text", "text": "H"}, {"type": "text", "text": "m"}]])
def test_reasoning_in_a_field_may_be_a_part_or_parts(value: Any) -> None:
    message = final(chunk(reasoning=value), chunk(content="Yes"), STOP, DONE)
    assert message.content == (thinking("Hm", reasoning_field="reasoning"), TextContent("Yes"))


def test_a_change_between_text_and_reasoning_starts_another_block() -> None:
    chunks = chunk(reasoning="1"), chunk(content="2"), chunk(reasoning="3"), chunk(content="4"), STOP, DONE
    blocks = [f"{kind}_{step}" for kind in ("thinking", "text") * 2 for step in ("start", "delta", "end")]
    assert types(*chunks) == ["start", *blocks, "done"]


def test_reasoning_comes_before_text_of_the_same_delta() -> None:
    message = final(chunk(content="b", reasoning="a"), STOP, DONE)
    assert message.content == (thinking("a", reasoning_field="reasoning"), TextContent("b"))


def test_empty_text_does_not_end_reasoning() -> None:
    chunks = chunk(reasoning="a", content=""), chunk(reasoning="b", content=None), chunk(content="", role="assistant")
    assert final(*chunks, STOP).content == (thinking("ab", reasoning_field="reasoning"),)


# Parts of content


def test_parts_of_type_thinking_are_thinking() -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    text = chunk(content=[{"type": "text", "text": "A"}, {"type": "text", "text": "B"}])
    closed = chunk(content=[{**part, "closed": True}])
    message = final(chunk(content=[part]), chunk(content=""), closed, text, STOP, DONE)
    assert message.content == (thinking("HmHm", reasoning_field="content", closed=True), TextContent("AB"))


def test_what_is_no_text_in_a_part_of_type_thinking_is_kept() -> None:
    reference = {"type": "tool_reference", "tool": "web_search"}
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}, reference]}
    assert details(final(chunk(content=[part]), STOP)) == [{"reasoning_field": "content", "thinking": [reference]}]


def test_parts_of_type_reasoning_are_thinking_with_their_signature() -> None:
    part = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "signature": "s"}
    message = final(chunk(content=[part]), chunk(content=[{"type": "text", "text": "A"}]), STOP)
    assert message.content == (thinking("Hm", "s", reasoning_field="content"), TextContent("A"))


@pytest.mark.parametrize("key", ["text", "thinking", "reasoning", "summary", "content"])
def test_the_text_of_a_part_of_reasoning_may_be_under_any_of_these_keys(key: str) -> None:
    values: list[Any] = ["Hm", [{"type": "text", "text": "H"}, "m"], {"text": "Hm"}]
    for value in values:
        assert final(chunk(content=[{"type": "reasoning", key: value}]), STOP).thinking == "Hm"


@pytest.mark.parametrize("vendor", ["google", "vertex"])
def test_content_that_is_flagged_as_thought_is_thinking(vendor: str) -> None:
    flag: dict[str, Any] = {"extra_content": {vendor: {"thought": True}}}
    message = final(chunk(content="<thought>A", **flag), chunk(content="B", **flag), chunk(content="</thought>C"), STOP)
    assert message.content == (thinking("<thought>AB", reasoning_field="content", **flag), TextContent("C"))


def test_a_mark_of_thought_is_text_where_no_thought_was() -> None:
    assert final(chunk(content="</thought>C"), STOP).text == "</thought>C"
    assert final(chunk(reasoning="A"), chunk(content="</thought>C"), STOP).text == "</thought>C"


# Pieces


def piece(text: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "index": 0, **({} if text is None else {"text": text}), **more}


def test_reasoning_details_are_kept_with_the_pieces_of_an_index_joined() -> None:
    chunks = [chunk(reasoning=text, reasoning_details=[piece(text, format="f")]) for text in ("Check", ".")]
    signed = chunk(reasoning_details=[piece(signature="sig"), piece(signature="", text="")])
    message = final(*chunks, signed, chunk(content="A"), STOP)
    whole_piece = piece("Check.", format="f", signature="sig")
    expected = thinking("Check.", "sig", reasoning_field="reasoning", reasoning_details=[whole_piece])
    assert message.content == (expected, TextContent("A"))


def test_reasoning_in_details_alone_is_thinking() -> None:
    first, second = ({"type": "reasoning.text", "text": text} for text in ("Hm", "m"))
    message = final(chunk(reasoning_details=[first]), chunk(reasoning_details=[second]), STOP)
    joined = [{"type": "reasoning.text", "text": "Hmm"}]
    assert message.content == (thinking("Hmm", reasoning_field="reasoning_details", reasoning_details=joined),)


def test_a_summary_in_details_is_thinking() -> None:
    part = {"type": "reasoning.summary", "summary": "Hm", "index": 0}
    assert final(chunk(reasoning_details=[part]), STOP).thinking == "Hm"


def test_reasoning_that_was_in_a_field_is_not_read_again_from_details() -> None:
    assert final(chunk(reasoning="Hm"), chunk(reasoning_details=[piece("Hm")]), STOP).thinking == "Hm"


def test_pieces_of_other_types_or_ids_at_one_index_stay_apart() -> None:
    text, data = piece("Hm"), {"type": "reasoning.encrypted", "data": "e1", "index": 0, "id": "r1"}
    pieces = [text, data, {**data, "id": "r2", "data": "e2"}]
    first, second = final(chunk(reasoning_details=pieces), STOP).content
    assert first == thinking("Hm", "e1", reasoning_field="reasoning_details", reasoning_details=pieces[:2])
    assert second == thinking(
        "", "e2", redacted=True, reasoning_field="reasoning_details", reasoning_details=pieces[2:]
    )


def test_encrypted_reasoning_with_the_id_of_a_call_is_its_signature() -> None:
    encrypted = {"type": "reasoning.encrypted", "data": "e", "id": "id1", "index": 0}
    signed = ToolCall("id1", "f", {}, thought_signature="e", provider_details={"reasoning_details": [encrypted]})
    beside = call(0, "id1", "f", "{}")
    beside["choices"][0]["delta"]["reasoning_details"] = [encrypted]
    assert final(beside, STOP).content == (signed,)
    assert final(call(0, "id1", "f", "{}"), chunk(reasoning_details=[encrypted]), STOP).content == (signed,)


def test_thinking_blocks_are_thinking_with_their_signatures() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "A", "signature": "s1"},
        {"type": "redacted_thinking", "data": "r"},
        {"type": "thinking", "thinking": "B", "signature": "s2"},
    ]
    expected = [("A", "s1", False), ("", "r", True), ("B", "s2", False)]
    streamed = [chunk(reasoning_content=block.get("thinking"), thinking_blocks=[block]) for block in blocks]
    in_one = chunk(reasoning_content="AB", thinking_blocks=blocks)
    for chunks in [*streamed, STOP], [in_one, STOP], [whole(reasoning_content="AB", thinking_blocks=blocks)]:
        found = final(*chunks).content
        assert [
            (b.thinking, b.thinking_signature, b.redacted) for b in found if isinstance(b, ThinkingContent)
        ] == expected
        assert [each["thinking_blocks"] for each in details(final(*chunks))] == [[block] for block in blocks]


def test_a_signature_may_come_in_parts_and_in_two_fields() -> None:
    chunks = [
        chunk(thinking_blocks=[{"type": "thinking", "thinking": "A"}]),
        chunk(thinking_blocks=[{"type": "thinking", "signature": "s1"}], reasoning_details=[{"signature": "s1"}]),
        chunk(thinking_blocks=[{"type": "thinking", "signature": "s2"}]),
    ]
    (block,) = final(*chunks, STOP).content
    assert isinstance(block, ThinkingContent) and block.thinking_signature == "s1s2"


def test_opaque_reasoning_is_the_signature_of_its_thinking() -> None:
    signed = chunk(content="Yes", reasoning_opaque="o")
    first, text = final(chunk(reasoning_text="Hm"), signed, STOP).content
    assert first == thinking("Hm", "o", reasoning_field="reasoning_text", reasoning_opaque="o")
    assert text == TextContent("Yes")


def test_opaque_reasoning_after_its_thinking_is_a_redacted_block() -> None:
    late = chunk(content=None, reasoning_opaque="o")
    *_, last = final(chunk(reasoning_text="Hm"), chunk(content="Yes"), late, STOP).content
    assert last == thinking("", "o", redacted=True, reasoning_field="reasoning_opaque", reasoning_opaque="o")


@pytest.mark.parametrize("vendor", ["google", "vertex"])
def test_the_signature_of_text_is_kept(vendor: str) -> None:
    signature: dict[str, Any] = {"extra_content": {vendor: {"thought_signature": "s"}}}
    signed = TextContent("Done.", "s", provider_details=signature)
    assert final(chunk(content="Done.", **signature), STOP).content == (signed,)
    assert final(chunk(content="Done."), chunk(content="", **signature), STOP).content == (signed,)


def test_text_behind_signed_text_is_a_block_of_its_own() -> None:
    signature: dict[str, Any] = {"extra_content": {"google": {"thought_signature": "s"}}}
    message = final(chunk(content="A", **signature), chunk(content="B"), chunk(content="C"), STOP)
    assert message.content == (TextContent("A", "s", provider_details=signature), TextContent("BC"))


# A conversation can go on


def test_an_assistant_turn_for_openrouter_can_be_made_from_the_message() -> None:
    """The documentation asks for `reasoning_details` as they came, in their order."""
    encrypted = {"type": "reasoning.encrypted", "data": "e", "id": "id1", "format": "google-gemini-v1", "index": 0}
    with_call = call(0, "id1", "f", '{"a": 1}')
    with_call["choices"][0]["delta"]["reasoning_details"] = [encrypted]
    plan = chunk(content="", reasoning="Plan.", reasoning_details=[piece("Plan.", format="google-gemini-v1")])
    message = final(plan, chunk(content="So."), with_call, finish("tool_calls"), DONE)
    turn = {
        "role": "assistant",
        "content": message.text,
        "tool_calls": [(found.id, found.name, found.arguments) for found in message.tool_calls],
        "reasoning_details": [each for block in details(message) for each in block.get("reasoning_details", ())],
    }
    assert turn == {
        "role": "assistant",
        "content": "So.",
        "tool_calls": [("id1", "f", {"a": 1})],
        "reasoning_details": [piece("Plan.", format="google-gemini-v1"), encrypted],
    }


def test_an_assistant_turn_for_gemini_can_be_made_from_the_message() -> None:
    """Its compatible endpoint asks for `extra_content` on the calls that had it."""
    signature = {"google": {"thought_signature": "s"}}
    message = final(call(0, "id1", "f", "{}", extra_content=signature), call(1, "id2", "g", "{}"), STOP)
    turn = [{"id": found.id, "name": found.name, **found.provider_details} for found in message.tool_calls]
    assert turn == [{"id": "id1", "name": "f", "extra_content": signature}, {"id": "id2", "name": "g"}]
