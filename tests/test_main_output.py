"""`python -m provider_events`, in-process: what it shows."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from support.command_line import (
    CHUNKS,
    FORMATS,
    anthropic,
    error,
    run,
    saying,
    sse,
)


def test_events_are_one_a_line_without_snapshots() -> None:
    lines = run("-", "--format", "events", body=sse(CHUNKS)).out.splitlines()
    assert lines[0] == "Start(partial=...)"
    assert "TextDelta(content_index=1, delta='Hello', partial=...)" in lines
    assert lines[-1].startswith("Done(reason=")


def test_message_is_the_last_message_as_json() -> None:
    message = json.loads(run("-", "--format", "message", body=sse(CHUNKS)).out)
    assert message["stopReason"] == "toolUse"
    assert message["content"][0]["thinking"] == "Hm."
    assert message["content"][2]["name"] == "f" and message["content"][2]["arguments"] == {}
    assert message["usage"]["input"] == 7


def test_a_failed_stream_is_shown_and_exits_with_1() -> None:
    shown = run("-", body=sse([*CHUNKS[:5], error("overloaded")]))
    assert shown.status == 1
    assert shown.out.startswith("Hm.\nHello\n-- error: api_error: overloaded; tokens: ")
    assert run("-", body="\n".join(CHUNKS[:5])).status == 1, "cut off"


def test_neighbouring_text_blocks_are_one_text_and_all_else_begins_a_line() -> None:
    text, thinking = {"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b", "signature": "s"}
    search = {"type": "server_tool_use", "id": "i", "name": "web_search", "input": {}}
    redacted = {"type": "redacted_thinking", "data": "xyz"}
    shown = run("-", body=anthropic(text, text, thinking, thinking, text, search, search, text, redacted, text))
    assert shown.out.startswith(
        "aa\nb\nb\na\n[server_tool_use]\n[server_tool_use]\na\n[redacted thinking]\na\n-- stop (end_turn)"
    )


@pytest.mark.parametrize("type", ["text", "thinking", "tool_use"])
def test_a_block_without_events_is_shown_behind_a_block_of_any_kind(type: str) -> None:
    block = {"type": type, "text": "a", "thinking": "a", "id": "a", "name": "a"}
    for blocks in ([block], [block, block]):
        assert "\n[server_tool_use]\n-- " in run("-", body=anthropic(*blocks, {"type": "server_tool_use"})).out


def test_a_picture_is_shown_by_its_type_and_size() -> None:
    body = json.dumps(
        {
            "candidates": [
                {
                    "content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
                    "finishReason": "STOP",
                }
            ]
        }
    )
    assert run("-", body=body).out.startswith("[image/png, 4 characters of base64]\n-- stop (STOP)")


def test_arguments_that_are_no_json_are_shown_as_they_are() -> None:
    delta = {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": "{oops\x1b"},
    }
    assert "\nf({oops\\x1b)\n" in run("-", body=sse([*CHUNKS[:8], json.dumps(delta), *CHUNKS[8:]])).out


# Control characters and encodings

UNSAFE = "".join(map(chr, [*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029, 0x202E, 0x2066, 0xD83D]))


@pytest.mark.parametrize("format", FORMATS)
def test_control_characters_are_visible_and_never_raw(format: str) -> None:
    call = {"type": "tool_use", "id": UNSAFE, "name": UNSAFE, "input": {UNSAFE: UNSAFE}}
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": UNSAFE},
        {"type": "thinking", "thinking": UNSAFE},
        call,
        {"type": UNSAFE, "x": UNSAFE},
    ]
    for body in (
        anthropic(*blocks, stop_reason=UNSAFE),
        sse([*CHUNKS[:5], error(UNSAFE)]),
        sse([error(UNSAFE)]),
        UNSAFE,
    ):
        shown = run("-", "--format", format, body=body, is_terminal=True)
        for style in ("\033[2m", "\033[31m", "\033[0m"):
            shown = shown._replace(out=shown.out.replace(style, ""))
        assert not set(shown.out + shown.err) & set(UNSAFE), shown


def test_a_control_character_is_shown_as_its_escape() -> None:
    assert run("-", body=saying("a\x1b[31mb\rc\x85d\u202ee\x00\n\tf")).out.startswith(
        "a\\x1b[31mb\\rc\\x85d\\u202ee\\x00\n\tf\n--"
    )


def test_a_control_character_in_a_message_is_the_escape_of_json() -> None:
    shown = run("-", "--format", "message", body=saying("\x85\u202e"))
    assert '"\\u0085\\u202e"' in shown.out


def test_other_characters_are_shown_as_they_are() -> None:
    text = "grüße 世界 👩‍💻 مرحبا"
    call = {"type": "tool_use", "id": "i", "name": "f", "input": {"a": text}}
    assert run("-", body=anthropic(call)).out.startswith(f'f({{"a": "{text}"}})\n')
    assert run("-", body=saying(text)).out.startswith(f"{text}\n")
    assert text in run("-", "--format", "message", body=saying(text)).out


@pytest.mark.parametrize("format", FORMATS)
def test_half_a_surrogate_pair_can_be_shown(format: str) -> None:
    shown = run("-", "--format", format, body=saying("\ud83d"))
    assert shown.status == 0 and "\\ud83d" in shown.out


@pytest.mark.parametrize("format", FORMATS)
def test_what_the_output_cannot_encode_is_escaped(format: str) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), "ascii")
    assert run("-", "--format", format, body=saying("é世"), stdout=stdout).status == 0
    stdout.seek(0)
    written = stdout.read()
    assert "\\u4e16" in written
    if format == "message":
        assert json.loads(written)["content"][0]["text"] == "é世"


# Colours


def test_thinking_is_dimmed_and_a_failure_red_on_a_terminal() -> None:
    shown = run("-", body=sse([*CHUNKS[:5], error("no")]), is_terminal=True)
    assert shown.out.startswith("\033[2mHm.\033[0m\nHello\n-- error: \033[31mapi_error: no\033[0m; tokens")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(name: str, value: str) -> None:
    assert "\033" not in run("-", body=sse(CHUNKS)).out, "no terminal"
    shown = run("-", body=sse(CHUNKS), is_terminal=True, environment={name: value})
    assert "\033" not in shown.out
