"""The README is true: every Python block runs, prints what is shown under it, and type-checks."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import provider_events
from provider_events.decoders import APIS

TESTS = Path(__file__).parent
ROOT = TESTS.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", README, re.DOTALL | re.MULTILINE)
STUBS = TESTS / "stubs"
STUBBED = ("anthropic", "boto3", "google", "httpx", "openai")


def test_it_is_short_and_has_examples() -> None:
    assert len(README.splitlines()) <= 350
    assert README.count("```python") == len(BLOCKS) > 5
    assert README.count("```text") == len([shown for _, shown in BLOCKS if shown])


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_prints_what_is_shown(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in STUBBED]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(STUBS))
    code, shown = BLOCKS[number]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"README block {number}", "exec"), {"__name__": "__main__"})
    for name in [name for name in sys.modules if name.partition(".")[0] in STUBBED]:
        del sys.modules[name]
    assert "Error(" not in printed.getvalue()
    assert not shown or printed.getvalue() == shown


def test_blocks_type_check(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    for number, (code, _) in enumerate(BLOCKS):
        (tmp_path / f"block_{number}.py").write_text(code, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, tmp_path.glob("*.py"))],
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(STUBS), str(ROOT)])},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_blocks_are_clean_under_pyright(tmp_path: Path) -> None:
    if shutil.which("pyright") is None:
        pytest.skip("pyright is not installed")
    for number, (code, _) in enumerate(BLOCKS):
        (tmp_path / f"block_{number}.py").write_text(code, "utf-8")
    settings = {"include": ["."], "extraPaths": [str(STUBS), str(ROOT)], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    run = subprocess.run(["pyright"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_every_public_name_and_format_is_mentioned() -> None:
    minor = {"Cost", "JsonValue", "TerminalEvent", "ContentBlock"}
    missing = [name for name in provider_events.__all__ if name not in README and name not in minor]
    assert not missing
    assert not [api for api in APIS if f"`{api}`" not in README]


def test_the_table_of_events_is_complete() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| `([\w, ]+)` \|", README, re.MULTILINE)
    fields = {name: row[1] for row in rows for name in re.findall(r"\w+", row[0])}
    for event in provider_events.ProviderEvent.__subclasses__():
        assert fields[event.__name__] == ", ".join(event.__match_args__)


def test_it_states_the_version() -> None:
    assert f"version {provider_events.__version__}" in README
    assert f"## {provider_events.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
