"""What a type checker promises users: `mypy --strict` is clean on right code and says what is wrong with wrong code."""

import os
import re
import runpy
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from provider_events import AnyProviderEvent, ContentBlock

TESTS = Path(__file__).parent
SAMPLES = sorted((TESTS / "samples").glob("*.py"))

# Wrong statements about an event, a message and its blocks, and mypy's code for each.
WRONG = [
    ("event.content_index = 1", "misc"),
    ("event.delta = 'x'", "misc"),
    ("event.partial = message", "misc"),
    ("event.type = 'text_delta'", "misc"),
    ("message.model = 'x'", "misc"),
    ("message.content = ()", "misc"),
    ("message.usage.input_tokens = 1", "misc"),
    ("text.text = 'x'", "misc"),
    ("call.arguments = {}", "misc"),
    ("event.contentindex", "attr-defined"),
    ("event.deltas", "attr-defined"),
    ("message.txt", "attr-defined"),
    ("message.toolcalls", "attr-defined"),
    ("message.usage.tokens", "attr-defined"),
    ("text.txt", "attr-defined"),
    ("thinking.text", "attr-defined"),
    ("image.mimetype", "attr-defined"),
    ("call.args", "attr-defined"),
    ("unknown.date", "attr-defined"),
    ("FallbackReason.TIRED", "attr-defined"),
    ("class Mine(TextDelta): ...", "misc"),
    ("class Mine(AssistantMessage): ...", "misc"),
    ("class Mine(ToolCall): ...", "misc"),
    ("call.arguments['x'] = 1", "index"),
    ("del call.arguments['x']", "attr-defined"),
    ("call.arguments.update({})", "attr-defined"),
    ("unknown.data['x'] = 1", "index"),
    ("text.annotations[0] = 1", "index"),
    ("message.content[0] = text", "index"),
    ("TextDelta(0, 1, message)", "arg-type"),
    ("TextDelta(0, 'x')", "call-arg"),
    ("ToolCall('id', 'name', [])", "arg-type"),
    ("ToolCall('id', 'name', {'x': {1, 2}})", "dict-item"),
    ("builder.done('stop')", "arg-type"),
    ("builder.update(modle='x')", "call-arg"),
    ("builder.text_delta(b'x')", "arg-type"),
    ("builder.add_block(text)", "arg-type"),
]

WRONG_STATEMENT = """\
from provider_events import *

def wrong(
    event: TextDelta, message: AssistantMessage, builder: MessageBuilder,
    text: TextContent, thinking: ThinkingContent, image: ImageContent, call: ToolCall, unknown: UnknownContent,
) -> None:
    {}
"""

VARIANTS = [cls.__name__ for cls in typing.get_args(AnyProviderEvent)]
BLOCKS = [cls.__name__ for cls in typing.get_args(ContentBlock)]


def mypy(cache: Path, *arguments: str) -> str:
    """What `mypy --strict` says, with the package found beside the tests and no settings but these."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", *arguments]
    environment = {**os.environ, "MYPYPATH": str(TESTS.parent)}
    run = subprocess.run(command, capture_output=True, text=True, cwd=cache, env=environment)
    assert run.returncode in (0, 1), run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture(scope="module")
def complaints(cache: Path) -> dict[str, list[tuple[int, str]]]:
    """Each wrong program's errors, line and code, by the program's name: all from one run."""
    programs = {f"wrong_{n}": WRONG_STATEMENT.format(wrong) for n, (wrong, _) in enumerate(WRONG)}
    for sample, names in (("every_event.py", VARIANTS), ("every_block.py", BLOCKS)):
        for name in names:
            programs[f"without_{name}"] = without_case((TESTS / "samples" / sample).read_text(), name)
    for name, program in programs.items():
        (cache / f"{name}.py").write_text(program)
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in programs}
    said = mypy(cache, *[f"{name}.py" for name in programs])
    print(said)
    for name, line, code in re.findall(r"^(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$", said, re.M):
        found[name].append((int(line), code))
    return found


def without_case(program: str, name: str) -> str:
    """The program with the two lines of one case taken out."""
    shorter, count = re.subn(rf"^ +case {name}\(.*\n.*\n", "", program, flags=re.M)
    assert count == 1, name
    return shorter


def line_of(program: str, start: str) -> int:
    return next(number for number, line in enumerate(program.splitlines(), 1) if line.startswith(start))


def test_the_package_and_the_samples_are_clean(cache: Path) -> None:
    said = mypy(cache, str(TESTS.parent / "provider_events"), *map(str, SAMPLES))
    assert said.startswith("Success: no issues found"), said


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_the_samples_run(sample: Path) -> None:
    runpy.run_path(str(sample), run_name="__main__")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_match_that_forgets_a_variant_is_an_error(name: str, complaints: dict[str, list[tuple[int, str]]]) -> None:
    line = line_of((TESTS / "samples" / "every_event.py").read_text(), "def describe")
    assert complaints[f"without_{name}"] == [(line, "return")]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_match_that_forgets_a_kind_of_block_is_an_error(
    name: str, complaints: dict[str, list[tuple[int, str]]]
) -> None:
    line = line_of((TESTS / "samples" / "every_block.py").read_text(), "def show")
    assert complaints[f"without_{name}"] == [(line, "return")]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda number: WRONG[number][0])
def test_a_wrong_statement_is_an_error(number: int, complaints: dict[str, list[tuple[int, str]]]) -> None:
    wrong, code = WRONG[number]
    line = line_of(WRONG_STATEMENT.format(wrong), "    " + wrong)
    assert complaints[f"wrong_{number}"] == [(line, code)]


def test_there_are_fourteen_variants_and_five_kinds_of_block() -> None:
    assert (len(VARIANTS), len(BLOCKS)) == (14, 5)
