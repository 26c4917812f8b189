"""`python -m provider_events` on a log of events."""

from __future__ import annotations

import pytest
from support.command_line import CHUNKS, FORMATS, TRANSCRIPT, Shown, run, sse

FALLBACK = '{"type": "fallback_start", "fromModel": "a\x7f", "toModel": "b", "reason": "rate_limit"}\n'
EXHAUSTED = '{"type": "fallback_exhausted", "modelsTried": ["a", "b"], "finalError": "overloaded"}\n'


def log(chunks: list[str]) -> str:
    return run("-", "--format", "jsonl", body=sse(chunks)).out


def through_a_log(shown: str, *arguments: str) -> Shown:
    """Run with the log that `jsonl` makes of a body as standard input."""
    return run("-", *arguments, body=run("-", "--format", "jsonl", body=shown).out)


def test_a_log_is_recognised_and_written_again_as_it_is() -> None:
    written = log(CHUNKS)
    assert run("-", body="\n\ufeff" + written) == (0, TRANSCRIPT, "")
    assert run("-", "--format", "jsonl", body=written) == (0, written, "")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("body", [sse(CHUNKS), "\n".join(CHUNKS[:5])], ids=["done", "cut off"])
def test_the_way_over_a_log_shows_the_same(body: str, format: str) -> None:
    assert through_a_log(body, "--format", format) == run("-", "--format", format, body=body)


@pytest.mark.parametrize("format", FORMATS)
def test_a_log_that_is_cut_off_is_shown_as_far_as_it_goes_and_exits_with_2(format: str) -> None:
    lines = log(CHUNKS).splitlines(keepends=True)
    for cut in ("".join(lines[:6]), "".join(lines[:6]) + lines[6][:9]):
        shown = run("-", "--format", format, body=cut)
        assert (shown.status, len(shown.err.splitlines())) == (2, 1)
        assert shown.err.startswith("python -m provider_events: line 7: expected")
        first = {"transcript": "Hm.\nHello\n", "jsonl": "".join(lines[:6]), "message": "", "events": "Start("}[format]
        assert shown.out.startswith(first) and "world" not in shown.out
        assert not shown.out or shown.out.endswith("\n"), "the error begins a line of its own"


def test_a_damaged_line_of_a_log_is_one_line_on_standard_error() -> None:
    lines = log(CHUNKS).splitlines()
    for bad in (
        '{"type": "text_delta"}',
        "{}",
        "nope\x1b",
        '{"type": "text_delta", "contentIndex": 5, "delta": "x"}',
        "[[[[" * 100_000,
    ):
        shown = run("-", body="\n".join([*lines[:3], bad, *lines[3:]]))
        assert (shown.status, len(shown.err.splitlines())) == (2, 1)
        assert ": line 4: " in shown.err and len(shown.err) < 600 and "\x1b" not in shown.err


def test_a_log_in_which_no_model_is_left_exits_with_1_and_shows_it() -> None:
    shown = run("-", body=FALLBACK + EXHAUSTED)
    assert shown == (1, "[a\\x7f: rate_limit, trying b]\n-- no model left after a, b: overloaded\n", "")
    assert run("-", "--format", "message", body=EXHAUSTED) == (1, "null\n", "")


def test_several_logs_are_shown_one_after_another_and_the_last_decides() -> None:
    failed = run("-", "--format", "jsonl", body="\n".join(CHUNKS[:5])).out
    for logs, status in (([log(CHUNKS), failed], 1), ([failed, log(CHUNKS)], 0)):
        shown = run("-", body="".join(logs))
        assert (shown.status, shown.out.count("\n-- ")) == (status, 2)


def test_a_line_of_a_log_may_be_long() -> None:
    long = "x" * 200_000
    chunks = [chunk.replace("Hello", long) for chunk in CHUNKS]
    assert run("-", body=log(chunks)).out == TRANSCRIPT.replace("Hello", long)
    assert run("-", body=EXHAUSTED.replace("overloaded", long)).status == 1, "its first line, too"


def test_with_an_api_a_log_is_taken_for_a_stream_of_that_provider() -> None:
    shown = run("-", "--api", "anthropic-messages", body=log(CHUNKS))
    assert shown.status == 1
    assert "no chunk was in the format anthropic-messages; the stream began: " in shown.out
