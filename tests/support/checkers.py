"""A project that vendors the package, and what the type checkers find in it.

All tests share one project and one run of each checker. It holds the package under another name, the subset of four
files, the samples, and programs with a mistake each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

TESTS = Path(__file__).parent.parent
PACKAGE = TESTS.parent / "provider_events"
SAMPLES = {path.stem: path for path in sorted((TESTS / "samples").glob("*.py"))}

VENDORED = "acme._vendor.pe"
SUBSET = ("_json.py", "_lazy.py", "messages.py", "events.py")

# What a user of each checker sets to have it strict.
PYPROJECT = """\
[project]
name = "acme"
version = "1"
requires-python = ">=3.11"

[tool.mypy]
strict = true

[tool.pyright]
typeCheckingMode = "strict"

[tool.pyrefly]
python-version = "3.11"
"""
OTHER_CHECKERS = {
    "pyright": ["pyright"],
    "ty": ["ty", "check"],
    "pyrefly": ["pyrefly", "check"],
}


class Complaint(NamedTuple):
    """What mypy finds wrong with a line."""

    line: int
    words: str
    code: str


def vendored(program: str) -> str:
    """Return a program that uses the vendored copy in place of the package."""
    return re.sub(
        r"^(import|from) provider_events\b(?! as)",
        rf"\1 {VENDORED}",
        program.replace("import provider_events as pe", "from acme._vendor import pe"),
        flags=re.M,
    )


def make_project(folder: Path, files: Mapping[str, str]) -> None:
    """Make the project, with some files beside the copies and the samples."""
    shutil.copytree(PACKAGE, folder / VENDORED.replace(".", "/"), ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "acme/__init__.py").touch()
    (folder / "acme/_vendor/__init__.py").touch()
    (folder / "tiny").mkdir()
    (folder / "tiny/__init__.py").touch()
    for name in SUBSET:
        shutil.copy(PACKAGE / name, folder / "tiny")
    for name, path in SAMPLES.items():
        (folder / f"{name}.py").write_text(vendored(path.read_text("utf-8")), "utf-8")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def mypy(folder: Path) -> dict[str, list[Complaint]]:
    """Return what mypy finds in a project, by file."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    result = run([sys.executable, "-m", "mypy", "--cache-dir=.cache", "--no-error-summary", "."], folder)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    found: dict[str, list[Complaint]] = {}
    for line in result.stdout.splitlines():
        match = re.fullmatch(r"(.+?):(\d+): error: (.*)  \[([\w-]+)\]", line)
        if match is None:
            assert ": note: " in line, line
            continue
        file, number, words, code = match.groups()
        found.setdefault(file.replace(os.sep, "/"), []).append(Complaint(int(number), words, code))
    return found


def check_with(checker: str, folder: Path, files: Iterable[str]) -> str:
    """Return what another checker finds, or nothing. Skip the test where it is not installed."""
    command, *arguments = OTHER_CHECKERS[checker]
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    program = shutil.which(command, path=path)
    if program is None or run([program, "--version"], folder).returncode:
        pytest.skip(f"{checker} is not installed")
    result = run([program, *arguments, *files], folder)
    return result.stdout + result.stderr if result.returncode else ""


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does: in the project's folder, with no settings but the project's."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
