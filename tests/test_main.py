"""`python -m provider_events`, in-process: what it reads, and how it ends."""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path

import pytest
from support.command_line import (
    CHUNKS,
    TOKENS,
    TRANSCRIPT,
    Stream,
    anthropic,
    closed,
    failing,
    run,
    sse,
)

from provider_events.__main__ import main

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


def test_a_response_of_any_size_is_shown() -> None:
    text = "x" * 1_100_000
    response = json.dumps(
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}, indent=1
    )
    assert run("-", body=response).out.startswith(text)


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
        beginning = body.strip("\ufeff \n")[:300]
        assert shown.err.endswith(f"it begins: {beginning!r}\n" if beginning else "standard input: empty\n")


def test_a_file_that_is_no_recording_is_not_read_to_its_end() -> None:
    for line in ("a line of a text file\n", "x" * 5000, '{"a": 1}\n', '{"level": "info", "n": 1}\n'):
        endless = chain([line] * 100_000, iter(failing(KeyboardInterrupt()), ""))
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
    assert run("-", body=sse(CHUNKS) * 2) == (0, TRANSCRIPT, ""), "a pipe is not read on, where more may never come"
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
    assert (
        "no chunk was in the format bedrock-converse-stream, but they are in anthropic-messages"
        in run("-", "--api", "bedrock-converse-stream", body=sse(CHUNKS)).out
    )


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
