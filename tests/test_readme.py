"""The README is true: every Python block in it runs, and passes mypy --strict."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import provider_events
from provider_events.decoders import APIS

TESTS = Path(__file__).parent
ROOT = TESTS.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
SEARCHED = os.pathsep.join([str(TESTS / "stubs"), str(ROOT)])  # the stand-ins for the SDKs come first


def test_has_blocks() -> None:
    assert len(BLOCKS) > 5
    assert README.count("```python") == len(BLOCKS)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_runs(number: int) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKS[number]],
        env={**os.environ, "PYTHONPATH": SEARCHED, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert "Error(" not in run.stdout, "the stand-ins' streams are complete"


def test_blocks_type_check(tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"block_{number}.py").write_text(block, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *tmp_path.glob("*.py")],
        env={**os.environ, "MYPYPATH": SEARCHED},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_names_every_event_block_and_format() -> None:
    exceptions = {"ProviderEvents"}
    for name in set(provider_events.__all__) - exceptions:
        assert name in README or name in ("Cost", "JsonValue", "TerminalEvent"), f"{name} has no place in the README"
    for api in APIS:
        assert f"`{api}`" in README


def test_events_table_is_complete() -> None:
    """Each row's fields are the variant's, in order."""
    rows = dict(re.findall(r"^\| `(\w+)` \| `([\w, ]+)` \|", README, re.MULTILINE))
    for name in ("Start", "TextDelta", "TextEnd", "ToolCallStart", "ToolCallEnd", "Done", "Error", "FallbackStart"):
        assert tuple(rows[name].split(", ")) == getattr(provider_events, name).__match_args__
