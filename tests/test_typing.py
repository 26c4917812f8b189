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

# Wrong statements about an event, a message and its blocks, by what mypy must say of them.
WRONG = {
    ("misc", "is read-only"): [
        "event.content_index = 1",
        "event.delta = 'x'",
        "event.partial = message",
        "message.model = 'x'",
        "message.content = ()",
        "message.usage.input_tokens = 1",
        "text.text = 'x'",
        "thinking.redacted = True",
        "image.data = 'x'",
        "call.arguments = {}",
        "unknown.data = {}",
    ],
    ("misc", "Cannot assign to class variable"): ["event.type = 'text_delta'", "message.role = 'assistant'"],
    ("attr-defined", "has no attribute"): [
        "event.contentindex",
        "event.deltas",
        "message.txt",
        "message.toolcalls",
        "message.usage.tokens",
        "text.txt",
        "thinking.text",
        "image.mimetype",
        "call.args",
        "unknown.date",
        "FallbackReason.TIRED",
        "del call.arguments['x']",
        "call.arguments.update({})",
    ],
    ("misc", "Cannot inherit from final class"): [
        *[f"class Mine({variant.__name__}): ..." for variant in typing.get_args(AnyProviderEvent)],
        *[f"class Mine({block.__name__}): ..." for block in typing.get_args(ContentBlock)],
        "class Mine(AssistantMessage): ...",
        "class Mine(Usage): ...",
    ],
    ("index", "Unsupported target for indexed assignment"): [
        "call.arguments['x'] = 1",
        "unknown.data['x'] = 1",
        "text.annotations[0] = 1",
        "message.content[0] = text",
    ],
    ("arg-type", "incompatible type"): [
        "TextDelta(0, 1, message)",
        "ToolCall('id', 'name', [])",
        "builder.done('stop')",
        "builder.text_delta(b'x')",
        "builder.add_block(text)",
    ],
    ("dict-item", "incompatible type"): ["ToolCall('id', 'name', {'x': {1, 2}})"],
    ("call-arg", "Missing positional argument"): ["TextDelta(0, 'x')"],
    ("call-arg", "Unexpected keyword argument"): ["builder.update(modle='x')", "builder.update(content=())"],
}
STATEMENTS = [(statement, code, words) for (code, words), group in WRONG.items() for statement in group]

WRONG_STATEMENT = """\
from provider_events import *

def wrong(
    event: TextDelta, message: AssistantMessage, builder: MessageBuilder,
    text: TextContent, thinking: ThinkingContent, image: ImageContent, call: ToolCall, unknown: UnknownContent,
) -> None:
    {}
"""

Complaints: typing.TypeAlias = dict[str, list[tuple[int, str, str]]]

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
def complaints(cache: Path) -> Complaints:
    """Each wrong program's errors (line, code, words) by the program's name: all from one run."""
    programs = {f"wrong_{n}": WRONG_STATEMENT.format(wrong) for n, (wrong, _, _) in enumerate(STATEMENTS)}
    for sample, names in (("every_event.py", VARIANTS), ("every_block.py", BLOCKS)):
        for name in names:
            programs[f"without_{name}"] = without_case((TESTS / "samples" / sample).read_text(), name)
    for name, program in programs.items():
        (cache / f"{name}.py").write_text(program)
    found: Complaints = {name: [] for name in programs}
    said = mypy(cache, *[f"{name}.py" for name in programs])
    for name, line, words, code in re.findall(r"^(\w+)\.py:(\d+): error: (.*)  \[([\w-]+)\]$", said, re.M):
        found[name].append((int(line), code, words))
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
def test_a_match_that_forgets_a_variant_is_an_error(name: str, complaints: Complaints) -> None:
    line = line_of((TESTS / "samples" / "every_event.py").read_text(), "def describe")
    assert complaints[f"without_{name}"] == [(line, "return", "Missing return statement")]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_match_that_forgets_a_kind_of_block_is_an_error(name: str, complaints: Complaints) -> None:
    line = line_of((TESTS / "samples" / "every_block.py").read_text(), "def show")
    assert complaints[f"without_{name}"] == [(line, "return", "Missing return statement")]


@pytest.mark.parametrize("number", range(len(STATEMENTS)), ids=lambda number: STATEMENTS[number][0])
def test_a_wrong_statement_is_an_error(number: int, complaints: Complaints) -> None:
    statement, code, words = STATEMENTS[number]
    line = line_of(WRONG_STATEMENT.format(statement), "    " + statement)
    found = complaints[f"wrong_{number}"]
    assert {error[:2] for error in found} == {(line, code)}, found
    assert words in found[0][2]


def test_there_are_fourteen_variants_and_five_kinds_of_block() -> None:
    assert (len(VARIANTS), len(BLOCKS)) == (14, 5)
