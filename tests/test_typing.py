"""What type checkers promise users: right programs are clean, and mypy finds the mistake in wrong ones."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from support.checkers import OTHER_CHECKERS, SAMPLES, Complaint, check_with
from support.mistakes import BLOCKS, EXHAUSTIVE, LINE_OF_STATEMENT, STATEMENTS, VARIANTS

Complaints = dict[str, list[Complaint]]

# What the project holds beside programs with mistakes.
RIGHT = ["acme", "tiny", *[f"{sample}.py" for sample in SAMPLES]]


def test_mypy_strict_finds_nothing_in_a_vendored_copy_its_subset_and_the_samples(complaints: Complaints) -> None:
    wrong = ("wrong_", "without_")
    assert {file: found for file, found in complaints.items() if not file.startswith(wrong)} == {}


@pytest.mark.parametrize("checker", OTHER_CHECKERS)
def test_other_checkers_find_nothing_in_them_either(checker: str, project: Path) -> None:
    found = check_with(checker, project, RIGHT)
    assert not found, found


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_run(sample: str) -> None:
    runpy.run_path(str(SAMPLES[sample]), run_name="__main__")


@pytest.mark.parametrize(("sample", "name"), [(sample, name) for sample, names in EXHAUSTIVE.items() for name in names])
def test_a_match_that_forgets_a_class_is_an_error(sample: str, name: str, complaints: Complaints) -> None:
    program = SAMPLES[sample].read_text("utf-8").splitlines()
    line = next(number for number, line in enumerate(program, 1) if line.startswith(("def describe", "def show")))
    assert complaints[f"without_{name}.py"] == [Complaint(line, "Missing return statement", "return")]


@pytest.mark.parametrize("number", range(len(STATEMENTS)), ids=[*STATEMENTS])
def test_a_wrong_statement_is_an_error(number: int, complaints: Complaints) -> None:
    code, words = [*STATEMENTS.values()][number]
    found = complaints[f"wrong_{number}.py"]
    assert {(complaint.line, complaint.code) for complaint in found} == {(LINE_OF_STATEMENT, code)}, found
    assert words in found[0].words


def test_there_are_fourteen_variants_and_five_kinds_of_block() -> None:
    assert (len(VARIANTS), len(BLOCKS)) == (14, 5)
