"""The layout of the package: what each file may import, how long it is, what it makes public."""

from __future__ import annotations

import ast
import importlib
import inspect
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

import provider_events

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "provider_events"

VALUES = {"_json", "_lazy", "messages", "events"}
STREAMS = {*VALUES, "_grammar", "_partial_json", "_headers", "_log", "_open_blocks", "_fields", "errors", "builder"}

# By module: the modules of the package that it may import. A folder stands for all its files.
MAY_IMPORT: dict[str, set[str]] = {
    "_json": set(),
    "_lazy": set(),
    "messages": {"_json", "_lazy"},
    "events": {"messages"},
    "errors": set(),
    "_sources": set(),
    "_grammar": {"messages", "events"},
    "_partial_json": {"_json"},
    "_headers": {"messages", "_json", "_lazy"},
    "_log": {"messages", "_json", "_lazy", "_partial_json", "_headers"},
    "_open_blocks": {"_grammar", "_log"},
    "_fields": {"messages", "_json"},
    "builder": STREAMS - {"builder"},
    "_checker": STREAMS,
    "streams": {*STREAMS, "_checker", "_sources"},
    "_forms": {"_json", "errors"},
    "wire": {*VALUES, "_forms", "errors"},
    "_json_patch": {"_json", "_forms", "errors"},
    "_stream_copy": {*STREAMS, "_forms", "_json_patch", "wire"},
    "jsonl": {*STREAMS, "_forms", "_sources", "_stream_copy", "wire"},
    "_error_words": {"_json"},
    "_error_types": set(),
    "_failure_phrases": set(),
    "failures": {"messages", "events", "_error_words", "_error_types", "_failure_phrases"},
    "fallback": {"messages", "events", "_grammar", "_error_words", "_sources", "failures"},
    "decoders": {*STREAMS, "_error_words", "_sources", "decoders"},
    "_example": set(),
    "_transcript": {*STREAMS},
    "__init__": {*STREAMS, "streams", "wire", "jsonl"},
}
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
each_file = pytest.mark.parametrize("file", FILES)


def module_name(file: str) -> str:
    return f"provider_events.{file.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


def is_public(file: str) -> bool:
    return not Path(file).name.startswith("_") or file.endswith("__init__.py")


PUBLIC = [file for file in FILES if is_public(file)]
each_public_file = pytest.mark.parametrize("file", PUBLIC)
each_public_module = pytest.mark.parametrize("module", [module_name(file) for file in PUBLIC])


def imports(file: str) -> tuple[set[str], set[str]]:
    """Return the modules of the package that a file imports, and the top names of all others."""
    own: set[str] = set()
    others: set[str] = set()
    depth = file.count("/")
    for node in ast.walk(ast.parse((PACKAGE / file).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            others.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= depth + 1, f"{file}:{node.lineno} imports from outside the package"
            if node.level == depth + 1:
                own |= {str(node.module).partition(".")[0]} if node.module else {alias.name for alias in node.names}
            else:
                own.add(file.partition("/")[0])
    return own, others


def test_the_top_level_is_as_designed() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert {name.partition("/")[0] for name in tracked.stdout.splitlines()} <= {
        ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "provider_events", "pyproject.toml", "tests"
    }  # fmt: skip


@each_file
def test_imports_run_downwards(file: str) -> None:
    module = file.partition("/")[0].removesuffix(".py")
    own, _ = imports(file)
    if module != "__main__":
        assert own - {"__init__"} <= MAY_IMPORT[module]


@each_file
def test_everything_else_is_the_standard_library(file: str) -> None:
    _, others = imports(file)
    assert others <= sys.stdlib_module_names


@each_file
def test_a_file_is_short_and_names_its_licence(file: str) -> None:
    lines = (PACKAGE / file).read_text("utf-8").splitlines()
    assert len(lines) <= (300 if file.startswith("decoders/") and is_public(file) else 400)
    assert max(map(len, lines)) <= 120 or file.startswith("_example")
    assert lines[0] == "# SPDX-License-Identifier: MIT"
    assert ast.get_docstring(ast.parse("\n".join(lines)))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_a_file_of_tests_is_short_too(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= 400
    assert max(map(len, lines), default=0) <= 120


@each_public_file
def test_a_public_module_lists_what_it_offers(file: str) -> None:
    module = importlib.import_module(module_name(file))
    assert list(module.__all__) == sorted(module.__all__)
    defined = {
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    }
    type_variables = {name for name, value in vars(module).items() if type(value).__name__ in ("TypeVar", "ParamSpec")}
    assert defined - type_variables <= {*module.__all__}


def test_the_package_offers_what_its_modules_offer() -> None:
    for name in provider_events.__all__:
        assert hasattr(provider_events, name)
    for module in ("messages", "events", "errors", "streams", "wire", "jsonl"):
        offered = importlib.import_module(f"provider_events.{module}").__all__
        assert {*offered} <= {*provider_events.__all__}, module


def test_tracebacks_and_help_name_public_modules_only() -> None:
    for name in provider_events.__all__:
        module = getattr(getattr(provider_events, name), "__module__", "")
        assert "._" not in module, name


@each_public_module
def test_every_public_name_has_a_docstring(module: str) -> None:
    public = importlib.import_module(module)
    for name in public.__all__:
        value = getattr(public, name)
        if isinstance(value, type) or inspect.isroutine(value):
            assert value.__doc__ and not value.__doc__.startswith(f"{name}("), name  # as dataclasses make it
        if isinstance(value, type):
            for method in [each for each in vars(value) if not each.startswith("_")]:
                attribute = getattr(value, method)
                if inspect.isroutine(attribute) or isinstance(attribute, property):
                    assert inspect.getdoc(attribute) or is_protocol(value), f"{name}.{method}"


@each_public_file
def test_every_public_field_and_member_has_a_docstring(file: str) -> None:
    for node in ast.parse((PACKAGE / file).read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert_documented(node)


def assert_documented(cls: ast.ClassDef) -> None:
    """Assert that the fields of a class, or the members of an enumeration, have docstrings."""
    for statement, following in zip(cls.body, [*cls.body[1:], None]):
        documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        match statement:
            case ast.AnnAssign(ast.Name(name), annotation) if "ClassVar" not in ast.unparse(annotation):
                assert documented or name.startswith("_"), f"{cls.name}.{name}"
            case ast.Assign([ast.Name(name)]) if any("Enum" in ast.unparse(base) for base in cls.bases):
                assert documented, f"{cls.name}.{name}"
            case _:
                pass


def is_protocol(cls: type[Any]) -> bool:
    return Protocol in cls.__mro__


def test_help_shows_every_public_name() -> None:
    shown = re.sub(".\x08", "", pydoc.render_doc(provider_events))  # bold is written twice
    for name in provider_events.__all__:
        assert re.search(rf"\b{name}\b", shown), name
    for module in ("decoders", "fallback", "failures", "jsonl"):
        assert module in shown


@each_file
def test_nothing_happens_at_import_but_definitions(file: str) -> None:
    definitions = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.parse((PACKAGE / file).read_text("utf-8")).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_guard = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
        assert isinstance(node, (*definitions, ast.ClassDef)) or is_text or is_guard, f"{file}:{node.lineno}"


def test_importing_writes_nothing_and_warns_of_nothing() -> None:
    modules = [module_name(file) for file in PUBLIC]
    command = [sys.executable, "-W", "error", "-c", f"import {', '.join(modules)}"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_importing_the_package_loads_neither_decoders_nor_router_nor_asyncio() -> None:
    code = "import sys, provider_events; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout.split()
    assert "provider_events.builder" in loaded
    assert not [name for name in loaded if name.startswith("provider_events.decoders")]
    assert not {"provider_events.fallback", "provider_events.failures", "asyncio"} & {*loaded}


def test_a_copy_of_the_package_brings_its_licence() -> None:
    assert (PACKAGE / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")
