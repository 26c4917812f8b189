"""What several files of tests share."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest

# Assertions in `support` explain themselves when they fail, as those in the tests do.
pytest.register_assert_rewrite("support")

from support import checkers, mistakes  # noqa: E402


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that vendors the package, with the programs that have a mistake."""
    folder = tmp_path_factory.mktemp("project")
    checkers.make_project(folder, mistakes.programs())
    return folder


@pytest.fixture(scope="session")
def complaints(project: Path) -> dict[str, list[checkers.Complaint]]:
    """What `mypy --strict` finds in the project, by file: all from one run."""
    return checkers.mypy(project)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report skipped tests by their reason only, so that `-rs` shows each reason once."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = re.sub(r"could not import '(.*?)':.*", r"\1 is not installed", report.longrepr[2])
        report.longrepr = ("tests", None, reason)  # type: ignore[assignment]  # no line
    return report
