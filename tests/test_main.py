"""`python -m provider_events`, in-process: what it reads, what it shows, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provider_events.__main__ import main

EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {"id": "m", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 7}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "Hm."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": ", world"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "i", "name": "f", "input": {}},
    },
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]
CHUNKS = [json.dumps(event) for event in EVENTS]
TRANSCRIPT = """\
Hm.
Hello, world
f({})
-- toolUse (tool_use); tokens: 7 input, 0 cache read, 0 cache write, 5 output
"""
TOKENS = "; tokens: 0 input, 0 cache read, 0 cache write, 0 output\n"
FORMATS = ["transcript", "events", "jsonl", "message"]


class Shown(NamedTuple):
    status: int
    out: str
    err: str


class Stream(io.StringIO):
    """A standard stream that may be a terminal, and may take its lines from a function."""

    def __init__(self, text: str = "", *, is_terminal: bool = False, line: Callable[[], str] | None = None) -> None:
        super().__init__(text)
        self._is_terminal = is_terminal
        self._line = line

    def isatty(self) -> bool:
        return self._is_terminal

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        return self._line() if self._line else super().readline(-1 if size is None else size)


def failing(error: BaseException) -> Callable[[], str]:
    def fail() -> str:
        raise error

    return fail


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    yield


def run(*arguments: str, body: Any = None, is_terminal: bool = False, stdin: Any = None, stdout: Any = None) -> Shown:
    """Run the command line with `body` as standard input; without it standard input is a terminal."""
    if stdin is None:
        is_text = isinstance(body, str)
        stdin = (
            io.TextIOWrapper(io.BytesIO(body)) if body and not is_text else Stream(body or "", is_terminal=not is_text)
        )
    out = Stream(is_terminal=is_terminal) if stdout is None else stdout
    err = Stream()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        status = main(arguments)
    return Shown(status, out.getvalue() if isinstance(out, io.StringIO) and not out.closed else "", err.getvalue())


def sse(chunks: list[str]) -> str:
    return "".join(f"data: {chunk}\n\n" for chunk in chunks)


def error(message: str) -> str:
    return json.dumps({"type": "error", "error": {"type": "api_error", "message": message}})


def anthropic(*blocks: dict[str, Any], stop_reason: str = "end_turn") -> str:
    """A body with these blocks, each whole at its start."""
    events = EVENTS[:1]
    for index, block in enumerate(blocks):
        events = [*events, {"type": "content_block_start", "index": index, "content_block": block}]
        events.append({"type": "content_block_stop", "index": index})
    events += [{"type": "message_delta", "delta": {"stop_reason": stop_reason}}, {"type": "message_stop"}]
    return sse([json.dumps(event) for event in events])


def saying(text: str) -> str:
    return anthropic({"type": "text", "text": text})


# Input


def test_without_a_file_it_shows_the_example_and_says_so_on_standard_error() -> None:
    shown = run()
    assert shown.status == 0
    assert "get_forecast(" in shown.out
    assert shown.out.splitlines()[-1].startswith("-- toolUse (tool_use); tokens: 412 input")
    assert shown.err == "python -m provider_events: no FILE, and nothing piped in: this is the built-in example\n"


@pytest.mark.parametrize(
    "body",
    [
        sse(CHUNKS),
        "\n".join(CHUNKS),
        ": hello\r\n\r\n" + sse(CHUNKS).replace("\n", "\r\n"),
        "[" + ",".join(CHUNKS) + "]",
    ],
)
def test_server_sent_events_json_lines_and_arrays_are_told_apart(body: str, tmp_path: Path) -> None:
    file = tmp_path / "recording"
    file.write_bytes(body.encode())
    for shown in (run(str(file)), run("-", body=body), run("-", body=body.encode()), run(body=body)):
        assert shown == (0, TRANSCRIPT, "")


def test_an_empty_pipe_shows_the_example_but_not_where_standard_input_was_named() -> None:
    assert "get_forecast" in run(body="").out
    assert run("-", body="") == (2, "", "python -m provider_events: standard input: empty\n")


def test_standard_input_that_cannot_be_read_counts_only_if_it_was_named() -> None:
    unreadable = Stream(line=failing(OSError("reading from stdin while output is captured")))
    for stdin in (unreadable, closed(Stream())):
        assert "get_forecast" in run(stdin=stdin).out
        shown = run("-", stdin=stdin)
        assert (shown.status, shown.out, len(shown.err.splitlines())) == (2, "", 1)


def closed(stream: Stream) -> Stream:
    stream.close()
    return stream


def test_a_whole_response_is_shown() -> None:
    response = {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
    }
    for indent in (None, 2):
        assert run("-", body=json.dumps(response, indent=indent)) == (0, f"Hi\n-- stop (end_turn){TOKENS}", "")


def test_an_error_body_is_shown() -> None:
    for body in (
        '{"error": {"message": "no such model"}}',
        '{\n  "error": {\n    "message": "no such model"\n  }\n}\n',
    ):
        shown = run("-", body=body)
        assert (shown.status, shown.err) == (1, "")
        assert shown.out.startswith("-- error: no such model; tokens")


def test_an_error_event_of_a_provider_is_no_log() -> None:
    shown = run("-", body='{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}')
    assert (shown.status, shown.err) == (1, "") and "Overloaded" in shown.out


@pytest.mark.parametrize(
    "body", ["hello\n", '{"a": 1}\n', "[" * 100_000, "<html>502 Bad Gateway</html>", "\x1b[31m\n\x00", " \ufeff\n\n"]
)
def test_input_in_which_nothing_is_recognised_is_one_line_that_shows_its_beginning(body: str) -> None:
    for arguments in ([], ["--format", "jsonl"]):
        shown = run("-", *arguments, body=body)
        assert (shown.status, shown.out, len(shown.err.splitlines())) == (2, "", 1)
        beginning = body.strip("\ufeff \n").split("\n")[0][:300]
        assert shown.err.endswith(f"it begins: {beginning!r}\n" if beginning else "standard input: empty\n")


def test_a_file_that_is_no_recording_is_not_read_to_its_end() -> None:
    for line in ("a line of a text file\n", "x" * 5000, '{"a": 1}\n', '{"level": "info", "n": 1}\n'):
        endless = chain([line] * 100_000, iter(failing(AssertionError("it reads on")), ""))
        assert run("-", stdin=Stream(line=endless.__next__)).status == 2


def test_headers_before_a_body_are_passed_over() -> None:
    assert run("-", body="HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + sse(CHUNKS)).out == TRANSCRIPT


def test_a_file_that_cannot_be_read_is_one_line_on_standard_error(tmp_path: Path) -> None:
    for name, words in (
        (str(tmp_path / "no\x1bsuch\nfile"), "no\\x1bsuch\\nfile: No such file"),
        (str(tmp_path), "directory"),
    ):
        shown = run(name)
        assert (shown.status, shown.out, len(shown.err.splitlines())) == (2, "", 1)
        assert words in shown.err


def test_what_follows_the_message_in_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "recordings"
    file.write_text(sse(CHUNKS) * 2, "utf-8")
    shown = run(str(file))
    assert (shown.status, shown.out) == (0, TRANSCRIPT)
    assert shown.err.endswith("recordings: more follows the end of the message; only what comes before is shown\n")
    file.write_text(sse(CHUNKS) + ": bye\n\nevent: ping\ndata: {}\n\n", "utf-8")
    assert run(str(file)).err == ""


# Options


def test_the_version() -> None:
    from provider_events import __version__

    assert run("--version") == (0, f"provider_events {__version__}\n", "")


def test_help_names_the_package() -> None:
    assert "usage: python -m provider_events [-h]" in run("--help").out


@pytest.mark.parametrize("arguments", [["--format", "poem"], ["--api", "telepathy"], ["a", "b"], ["--colour"]])
def test_unusable_arguments_exit_with_2(arguments: list[str]) -> None:
    shown = run(*arguments)
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.splitlines()[-1].startswith("python -m provider_events: error: ")


def test_api_overrides_detection() -> None:
    for body in (sse(CHUNKS), "[" * 100_000, "hello", ""):
        shown = run("-", "--api", "bedrock-converse-stream", body=body)
        assert (shown.status, shown.out[:8]) == ((1, "-- error") if body else (2, ""))
        assert "Hello" not in shown.out


# Output


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


def test_other_characters_are_shown_as_they_are() -> None:
    text = "grüße 世界 👩‍💻 مرحبا"
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
def test_no_colours_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert "\033" not in run("-", body=sse(CHUNKS)).out, "no terminal"
    monkeypatch.setenv(name, value)
    assert "\033" not in run("-", body=sse(CHUNKS), is_terminal=True).out


# Standard streams that are closed or missing


def test_closed_and_missing_standard_streams_are_no_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("-", body=sse(CHUNKS), stdout=closed(Stream())) == (0, "", "")
    for name in ("stdin", "stdout", "stderr"):
        with monkeypatch.context() as patch:
            for other in ("stdin", "stdout", "stderr"):
                patch.setattr(sys, other, None if other == name else Stream(is_terminal=True))
            assert main([]) == 0
            assert main(["-"]) == 2


def test_a_closed_pipe_is_quiet() -> None:
    class Closed(Stream):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    assert run("-", body=sse(CHUNKS), stdout=Closed()) == (0, "", "")


def test_output_that_cannot_be_written_is_one_line_on_standard_error() -> None:
    class Full(Stream):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    shown = run("-", body=sse(CHUNKS), stdout=Full())
    assert (shown.status, shown.err) == (2, "python -m provider_events: No space left on device\n")


def test_an_interrupt_ends_it() -> None:
    assert run("-", stdin=Stream(line=failing(KeyboardInterrupt()))) == (130, "", "")


def test_each_event_is_shown_before_the_next_is_read() -> None:
    out = Stream()
    seen: list[str] = []
    lines = Stream(sse(CHUNKS))

    def line() -> str:
        seen.append(out.getvalue())
        return lines.readline()

    run("-", stdin=Stream(line=line), stdout=out)
    assert (seen[4], seen[10], seen[12]) == ("Hm.", "Hm.\nHello", "Hm.\nHello, world")


def test_a_transcript_is_linear_in_the_stream() -> None:
    """This would take minutes if an event cost as much as all events before it."""
    calls = [{"type": "tool_use", "id": f"t{n}", "name": "f", "input": {"n": n}} for n in range(3000)]
    search = {"type": "web_search_tool_result", "tool_use_id": "i", "content": []}
    shown = run("-", body=anthropic(*calls, *[search] * 3000))
    assert (shown.out.count("\nf({"), shown.out.count("[web_search")) == (2999, 3000)
