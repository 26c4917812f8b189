"""`python -m provider_events` as a process of its own: pipes, terminals, and what the interpreter does at exit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import CHUNKS, TRANSCRIPT, sse

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "provider_events"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and pseudo-terminals")


def shell(command: str, body: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", command, *COMMAND], input=body.encode(), capture_output=True, cwd=ROOT, timeout=60
    )


def test_what_is_piped_in_is_shown_as_it_arrives() -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, bufsize=0)
    assert process.stdin and process.stdout
    process.stdin.write("".join(f"data: {chunk}\n\n" for chunk in CHUNKS[:5]).encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"Hm.\n"  # while the input is still open
    rest, _ = process.communicate(sse(CHUNKS[5:]).encode())
    assert (b"Hm.\n" + rest).decode().replace("\r\n", "\n") == TRANSCRIPT and process.returncode == 0


@posix
@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        ('"$0" "$@" --format events | true', 0, b""),
        ('"$0" "$@" >&-', 0, b""),
        ('"$0" "$@" - <&-', 2, b"python -m provider_events: standard input is closed\n"),
        ('"$0" "$@" - 2>&- </dev/null', 2, b""),
        ('"$0" "$@" <&- >&- 2>&-', 0, b""),
    ],
)
def test_closed_pipes_and_closed_standard_streams_give_no_traceback(command: str, status: int, err: bytes) -> None:
    shown = shell(command, sse(CHUNKS))
    assert (shown.returncode, shown.stderr) == (status, err)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_one_line_on_standard_error() -> None:
    shown = shell('"$0" "$@" >/dev/full', sse(CHUNKS))
    assert (shown.returncode, len(shown.stderr.splitlines())) == (2, 1)


@posix
def test_on_a_terminal_nothing_is_piped_in_and_thinking_is_dimmed() -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    subprocess.run(
        COMMAND, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, cwd=ROOT, check=True, env=environment
    )
    os.close(theirs)
    assert b"\033[2mThey want to know" in os.read(ours, 65536)
    os.close(ours)


@posix
def test_a_copy_under_another_name_says_its_own(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(
        ROOT / "provider_events", tmp_path / "app" / "vendored", ignore=shutil.ignore_patterns("__pycache__")
    )
    shown = subprocess.run(
        [sys.executable, "-m", "app.vendored", "nofile"], capture_output=True, text=True, cwd=tmp_path
    )
    assert (shown.returncode, shown.stderr.partition(":")[0]) == (2, "python -m app.vendored")
