"""What those who copy the package into their own tree rely on: any name works, and parts work alone."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "provider_events"

# What each file may import, after the table in the design; __init__ hands names on.
GROUND = {"messages", "events", "builder"}
MAY_IMPORT: dict[str, set[str]] = {
    "messages": set(),
    "events": {"messages"},
    "builder": {"messages", "events"},
    "streams": GROUND,
    "wire": GROUND,
    "fallback": {"messages", "events"},
    "decoders": {*GROUND, "decoders"},
    "__main__": {*GROUND, "streams", "wire", "fallback", "decoders"},
    "__init__": {*GROUND, "streams", "wire"},
}

FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

USE = """
from {name} import AnyProviderEvent, Done, MessageBuilder, StopReason, TextDelta
{imports}

def speak() -> list[AnyProviderEvent]:
    builder = MessageBuilder(api="a", provider="p", model="m")
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start()]
    events += [builder.text_delta("Hel"), builder.text_delta("lo"), builder.text_end()]
    return [*events, builder.done(StopReason.STOP)]

def read(events: list[AnyProviderEvent]) -> str:
    match events[-1]:
        case Done(StopReason.STOP, message):
            return message.text
        case other:
            raise AssertionError(other)

assert read(speak()) == "Hello"
assert [event.delta for event in speak() if isinstance(event, TextDelta)] == ["Hel", "lo"]
"""

DECODE = """
chunks = [
    {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}]},
    {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "lo"}}]},
    {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
]
assert read(list(decode(chunks))) == "Hello"
"""

USE_VALUES = """
from tiny.events import AnyProviderEvent, TextDelta
from tiny.messages import AssistantMessage, TextContent

message = AssistantMessage("a", "p", "m", (TextContent("Hi"),))
event = TextDelta(0, "Hi", message)
events: list[AnyProviderEvent] = [event]
assert event.partial.text == "Hi" and event == TextDelta(0, "Hi", message)
"""


def python(folder: Path, *arguments: str) -> str:
    """What Python prints, run in `folder`, which comes first on its path."""
    run = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def mypy(folder: Path, *files: str) -> None:
    said = python(folder, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", *files)
    assert said.startswith("Success: no issues found"), said


# Copies


def test_a_copy_under_another_name_works_and_is_clean(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "acme/_vendor/pe", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "acme/__init__.py").touch()
    (tmp_path / "acme/_vendor/__init__.py").touch()
    use = USE.format(name="acme._vendor.pe", imports="from acme._vendor.pe.decoders import decode") + DECODE
    (tmp_path / "use.py").write_text(use)
    loaded = python(tmp_path, "-c", "import sys, use; print(*sys.modules)").split()
    assert "acme._vendor.pe.decoders" in loaded
    assert not [name for name in loaded if name.startswith("provider_events")]
    mypy(tmp_path, "acme", "use.py")


def test_without_decoders_and_the_command_the_rest_works_and_is_clean(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "__main__.py", "decoders", "fallback.py")
    shutil.copytree(PACKAGE, tmp_path / "pe", ignore=ignored)
    (tmp_path / "use.py").write_text(USE.format(name="pe", imports=""))
    python(tmp_path, "-c", "import use")
    mypy(tmp_path, "pe", "use.py")


def test_messages_and_events_alone_work_and_are_clean(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/__init__.py").touch()
    for name in ("messages.py", "events.py"):
        shutil.copy(PACKAGE / name, tmp_path / "tiny")
    (tmp_path / "use.py").write_text(USE_VALUES)
    python(tmp_path, "-c", "import use")
    mypy(tmp_path, "tiny", "use.py")
    shutil.copy(PACKAGE / "fallback.py", tmp_path / "tiny")  # needs no more than these
    (tmp_path / "use.py").write_text("from tiny.fallback import MultiProvider\n" + USE_VALUES)
    python(tmp_path, "-c", "import use")
    mypy(tmp_path, "tiny", "use.py")


# Imports


def imports(file: str) -> tuple[set[str], set[str]]:
    """The package's own modules that `file` imports, and the others by their top names."""
    own, others = set(), set()
    inside = file.count("/")  # how many folders deep in the package
    for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            others.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= inside + 1, f"{file}:{node.lineno} reaches out of the package"
            named = [node.module] if node.module else [alias.name for alias in node.names]
            within = file.split("/")[:-1][: inside + 1 - node.level]
            own |= {within[0]} if within else {name.partition(".")[0] for name in named}
    return own, others


@pytest.mark.parametrize("file", FILES)
def test_imports_run_downwards_only(file: str) -> None:
    module = file.partition("/")[0].removesuffix(".py")
    assert module in MAY_IMPORT, "a file that the design does not know"
    own, _ = imports(file)
    assert own <= MAY_IMPORT[module]


@pytest.mark.parametrize("file", FILES)
def test_everything_from_elsewhere_is_the_standard_library(file: str) -> None:
    """An import of the package's own modules by its name would also be found here."""
    _, others = imports(file)
    assert others <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("file", FILES)
def test_nothing_happens_at_import_but_definitions(file: str) -> None:
    definitions = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.parse((PACKAGE / file).read_text(encoding="utf-8")).body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        guard = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
        assert isinstance(node, (*definitions, ast.ClassDef)) or text or guard, f"{file}:{node.lineno}"


def test_the_face_defines_nothing() -> None:
    docstring, *rest = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    *handed_on, names = rest
    assert all(isinstance(node, ast.ImportFrom) and node.level == 1 for node in handed_on)
    assert isinstance(names, ast.Assign) and ast.unparse(names.targets[0]) == "__all__"
    imported = {alias.name for node in handed_on if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(ast.literal_eval(names.value)) == imported


def test_the_face_imports_neither_decoders_nor_fallback_nor_an_event_loop() -> None:
    loaded = python(PACKAGE.parent, "-c", "import sys, provider_events; print(*sys.modules)").split()
    assert "provider_events.builder" in loaded
    unwanted = ("provider_events.decoders", "provider_events.fallback", "asyncio", "anyio", "trio")
    assert not [name for name in loaded if name.startswith(unwanted)]


def test_importing_says_nothing() -> None:
    assert python(PACKAGE.parent, "-W", "error", "-c", "import provider_events") == ""
