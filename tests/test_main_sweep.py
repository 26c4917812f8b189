"""`python -m provider_events` on every case and every recording: no exception, no raw control character."""

from __future__ import annotations

import json
import os
import re

import pytest
from support.cases import CASES
from support.command_line import FORMATS, Shown, run, sse
from support.recordings import NAMES, api, body, each_recording, payloads

STYLE = re.compile("\033\\[(2|31|0)m")
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def assert_fine(text: str, *arguments: str) -> None:
    """Show a body in every format on a terminal; the log that is made of it shows the same."""
    shown: dict[str, Shown] = {}
    for format in FORMATS:
        shown[format] = run("-", "--format", format, *arguments, body=text, is_terminal=True)
        assert shown[format].status in (0, 1, 2) and bool(shown[format].err) == (shown[format].status == 2)
        assert not UNSAFE.search(STYLE.sub("", shown[format].out + shown[format].err)), format
    assert len({each.status for each in shown.values()}) == 1
    if log := shown["jsonl"].out:
        for format in FORMATS:
            assert run("-", "--format", format, body=log, is_terminal=True) == shown[format], format


# All of them only where more than the default is asked for.
SOME_CASES = [*CASES][:: 1 if int(os.environ.get("PROVIDER_EVENTS_FUZZ", "1")) > 1 else 4]


@pytest.mark.parametrize("name", SOME_CASES)
def test_every_case_as_a_body(name: str) -> None:
    case = CASES[name]
    if "sse" in case:
        assert_fine(case["sse"])
    else:
        chunks = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in case["chunks"]]
        assert_fine("\n".join(chunks))
        if not any("__bytes__" in chunk for chunk in chunks):  # of boto3, which has no such body
            assert run("-", body=sse(chunks)) == run("-", body="\n".join(chunks))


@each_recording
def test_every_recording(name: str) -> None:
    recorded = body(name)
    assert_fine(recorded.decode("utf-8", "replace") if recorded else "\n".join(payloads(name)), "--api", api(name))


def test_every_whole_recording_is_detected() -> None:
    for name in NAMES:
        text = "\n".join(payloads(name))
        assert run("-", body=text) == run("-", "--api", api(name), body=text), name
