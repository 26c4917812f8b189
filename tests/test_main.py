"""`python -m provider_events`: what it shows, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from recordings import NAMES, api, payloads

from provider_events import FallbackExhausted, FallbackReason, FallbackStart, JsonlCodec, read_jsonl
from provider_events.decoders import decode

ROOT = Path(__file__).parent.parent
CHUNKS = [
    '{"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}}]}',
    '{"choices": [{"index": 0, "delta": {"content": "Hello"}}]}',
    '{"choices": [{"index": 0, "delta": {"content": ", world"}}]}',
    '{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "i", "function": {"name": "f"}}]}}]}',
    '{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}]}',
    '{"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}],'
    ' "usage": {"prompt_tokens": 7, "completion_tokens": 5}}',
]
TRANSCRIPT = """\
Hm.
Hello, world
f({})
-- toolUse (tool_calls); tokens: 7 input, 0 cache read, 0 cache write, 5 output
"""


def run(*arguments: str, body: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "provider_events", *arguments],
        input=body,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
    )


def sse(chunks: list[str]) -> str:
    return "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"])


def test_shows_the_example_without_a_file() -> None:
    shown = run()
    assert shown.returncode == 0
    assert "get_forecast(" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("-- toolUse (tool_use); tokens: 412 input")
    assert shown.stderr == ""


@pytest.mark.parametrize("body", [sse(CHUNKS), "\n".join(CHUNKS), ": hello\r\n\r\n" + sse(CHUNKS).replace("\n", "\r\n")])
def test_tells_server_sent_events_from_lines_of_json(body: str, tmp_path: Path) -> None:
    file = tmp_path / "recording"
    file.write_bytes(body.encode())
    for shown in (run(str(file)), run("-", body=body)):
        assert (shown.returncode, shown.stdout, shown.stderr) == (0, TRANSCRIPT, "")


def test_events_are_one_a_line_without_snapshots() -> None:
    lines = run("-", "--format", "events", body=sse(CHUNKS)).stdout.splitlines()
    assert lines[0] == "Start()"
    assert "TextDelta(content_index=1, delta='Hello')" in lines
    assert lines[-1].startswith("Done(reason=")


def test_message_is_the_last_message_as_json() -> None:
    message = json.loads(run("-", "--format", "message", body=sse(CHUNKS)).stdout)
    assert message["stopReason"] == "toolUse"
    assert message["content"][0] == {"type": "thinking", "thinking": "Hm."}
    assert message["content"][2] == {"type": "toolCall", "id": "i", "name": "f", "arguments": {}}
    assert message["usage"]["input"] == 7


def test_a_failed_stream_is_shown_and_exits_with_1() -> None:
    shown = run("-", body=sse(CHUNKS[:2] + ['{"error": {"message": "overloaded", "type": "server_error"}}']))
    assert shown.returncode == 1
    assert shown.stdout.startswith("Hm.\nHello\n-- error: server_error: overloaded; tokens: ")
    assert run("-", body="\n".join(CHUNKS[:2])).returncode == 1, "cut off"


@pytest.mark.parametrize(
    ("arguments", "body"),
    [(["no such file"], ""), (["-"], ""), (["-"], "hello\n"), ([str(ROOT)], ""), (["-"], '{"a": 1}\n')],
)
def test_unreadable_input_is_one_line_and_exit_2(arguments: list[str], body: str) -> None:
    shown = run(*arguments, body=body)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert len(shown.stderr.splitlines()) == 1


def test_unusable_arguments_exit_with_2_and_no_traceback() -> None:
    for arguments in (["--format", "poem"], ["--api", "telepathy"], ["a", "b"]):
        shown = run(*arguments)
        assert shown.returncode == 2
        assert "Traceback" not in shown.stderr


def test_api_overrides_detection() -> None:
    shown = run("-", "--api", "anthropic-messages", body=sse(CHUNKS))
    assert shown.returncode == 1
    assert "broke off" in shown.stdout


def test_no_colours_off_a_terminal() -> None:
    assert "\033" not in run("-", body=sse(CHUNKS)).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_unless_no_color(no_color: str, coloured: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "provider_events"],
        stdout=theirs,
        cwd=ROOT,
        check=True,
        env={**os.environ, "NO_COLOR": no_color},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert (b"\033[2m" in shown) is coloured


def test_quiet_on_a_closed_pipe() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "provider_events", "-", "--format", "events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin and process.stdout and process.stderr
    process.stdout.close()
    process.stdin.write(sse(CHUNKS).encode())
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_standard_input_is_shown_as_it_arrives() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "provider_events", "-", "--format", "events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin and process.stdout
    process.stdin.write(f"data: {CHUNKS[1]}\n\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"Start()\n"  # while the input is still open
    process.communicate()


def test_half_a_surrogate_pair_can_be_shown() -> None:
    chunk = '{"choices": [{"index": 0, "delta": {"content": "\\ud83d"}, "finish_reason": "stop"}]}'
    shown = run("-", body=sse([chunk]))
    assert shown.returncode == 0
    assert "\\ud83d" in shown.stdout


# Logs


def log(chunks: list[str]) -> str:
    return run("-", "--format", "jsonl", body=sse(chunks)).stdout


def test_jsonl_is_a_log_of_the_events() -> None:
    shown = run("-", "--format", "jsonl", body=sse(CHUNKS))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert list(read_jsonl(shown.stdout.splitlines())) == list(decode(CHUNKS))


def test_a_log_is_recognised_and_written_again_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("\n\ufeff" + log(CHUNKS), "utf-8")
    shown = run(str(file))
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, TRANSCRIPT, "")
    assert run(str(file), "--format", "jsonl").stdout == file.read_text("utf-8").lstrip("\n\ufeff")
    for form in ("events", "message"):
        assert run(str(file), "--format", form).stdout == run("-", "--format", form, body=log(CHUNKS)).stdout


@pytest.mark.parametrize("body", [sse(CHUNKS), "\n".join(CHUNKS[:2]), ""], ids=["done", "cut off", "example"])
def test_the_way_over_a_log_shows_the_same(body: str) -> None:
    file = ["-"] if body else []
    directly = run(*file, body=body)
    over_a_log = run("-", body=run(*file, "--format", "jsonl", body=body).stdout)
    assert (over_a_log.returncode, over_a_log.stdout) == (directly.returncode, directly.stdout)


@pytest.mark.skipif(not NAMES, reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
@pytest.mark.parametrize("name", NAMES[::6] or ["no recordings"])
def test_the_way_over_a_log_shows_the_same_of_a_recording(name: str) -> None:
    body = "\n".join(payloads(name))
    directly = run("-", "--api", api(name), body=body)
    over_a_log = run("-", body=run("-", "--api", api(name), "--format", "jsonl", body=body).stdout)
    assert directly.stdout
    assert (over_a_log.returncode, over_a_log.stdout, over_a_log.stderr) == (directly.returncode, directly.stdout, "")


@pytest.mark.parametrize("format", ["transcript", "events", "jsonl", "message"])
def test_a_log_that_is_cut_off_is_shown_as_far_as_it_goes_and_exits_with_2(format: str) -> None:
    lines = log(CHUNKS).splitlines(keepends=True)
    for cut in ("".join(lines[:6]), "".join(lines[:6]) + lines[6][:9]):
        shown = run("-", "--format", format, body=cut)
        assert shown.returncode == 2
        assert [line[:42] for line in shown.stderr.splitlines()] == ["python -m provider_events: line 7: expecte"]
        first = {"transcript": "Hm.\nHello", "jsonl": "".join(lines[:6]), "message": "", "events": "Start()\n"}[format]
        assert shown.stdout.startswith(first) and "world" not in shown.stdout


def test_a_damaged_line_of_a_log_is_one_line_on_standard_error() -> None:
    lines = log(CHUNKS).splitlines()
    for bad in ('{"type": "text_delta"}', "{}", "nope", '{"type": "text_delta", "contentIndex": 5, "delta": "x"}', "[[[[" * 100_000):
        shown = run("-", body="\n".join([*lines[:3], bad, *lines[3:]]))
        assert shown.returncode == 2
        assert len(shown.stderr.splitlines()) == 1 and ": line 4: " in shown.stderr and len(shown.stderr) < 600


def test_a_log_in_which_no_model_is_left_exits_with_1_and_shows_it() -> None:
    codec = JsonlCodec()
    lines = [codec.encode(FallbackStart("a", "b", FallbackReason.RATE_LIMIT)), codec.encode(FallbackExhausted(("a", "b"), "overloaded"))]
    shown = run("-", body="\n".join(lines))
    assert (shown.returncode, shown.stderr) == (1, "")
    assert shown.stdout == "[a: rate_limit, trying b]\n-- no model left after a, b: overloaded\n"
    assert run("-", "--format", "message", body=lines[1]).stdout == "null\n"


def test_several_logs_are_shown_one_after_another_and_the_last_decides() -> None:
    failed = run("-", "--format", "jsonl", body="\n".join(CHUNKS[:2])).stdout
    for logs, status in (([log(CHUNKS), failed], 1), ([failed, log(CHUNKS)], 0)):
        shown = run("-", body="".join(logs))
        assert (shown.returncode, shown.stdout.count("\n-- ")) == (status, 2)


def test_with_an_api_a_log_is_taken_for_a_stream_of_that_provider() -> None:
    shown = run("-", "--api", "openai-completions", body=log(CHUNKS))
    assert shown.returncode == 1
    assert "Hello" not in shown.stdout


def test_a_first_line_nested_too_deeply_is_no_log() -> None:
    shown = run("-", "--api", "openai-completions", body="[" * 100_000)
    assert (shown.returncode, "Traceback" in shown.stderr) == (1, False)
    shown = run("-", body="[" * 100_000)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (2, 1)


def test_an_error_event_of_a_provider_is_no_log() -> None:
    overloaded = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    shown = run("-", body=overloaded)
    assert (shown.returncode, shown.stderr) == (1, "")
    assert "Overloaded" in shown.stdout
