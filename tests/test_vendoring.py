"""What those who copy the package into their own tree rely on: any name works, and so do parts of it.

That a copy is clean to type checkers is in `test_typing.py`.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from support.checkers import PACKAGE, SUBSET, VENDORED, run

USE = f"""
from {VENDORED} import Done, MessageBuilder, StopReason, TextDelta, collect, event_from_wire, event_to_wire

builder = MessageBuilder(api="a", provider="p", model="m")
events = [builder.start(), builder.text_start(), builder.text_delta("Hel"), builder.text_delta("lo")]
events += [builder.text_end(), builder.done(StopReason.STOP)]
assert [event_from_wire(event_to_wire(event)) for event in events] == events
match collect(events):
    case Done(StopReason.STOP, message):
        assert message.text == "Hello"
    case other:
        raise AssertionError(other)
"""

USE_ALL = f"""
from {VENDORED}.decoders import decode
from {VENDORED}.fallback import MultiProvider
{USE}
chunks = [{{"choices": [{{"index": 0, "delta": {{"content": "Hello"}}, "finish_reason": "stop"}}]}}]
assert collect(decode(chunks)).partial.text == "Hello"
try:
    class Mine(TextDelta): ...
except TypeError as error:
    assert "sealed" in str(error)
"""

USE_SUBSET = """
from tiny.events import AnyProviderEvent, TextDelta
from tiny.messages import AssistantMessage, TextContent, ToolCall

message = AssistantMessage("a", "p", "m", (TextContent("Hi"), ToolCall("i", "f", {"x": [1]})))
event: AnyProviderEvent = TextDelta(0, "Hi", message)
assert event.partial.text == "Hi" and event == TextDelta(0, "Hi", message)
assert message.tool_calls[0].arguments["x"] == [1]
"""


def modules_of(folder: Path, program: str) -> set[str]:
    """Run a program in a folder, where nothing else can be imported, and return the modules that it has loaded."""
    (folder / "use.py").write_text(program)
    python = [sys.executable, "-I", "-W", "error"]
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import use; print(*sys.modules)"
    result = run([*python, "-c", code], folder)
    assert result.returncode == 0, result.stderr
    return {*result.stdout.split()}


def copy_package(folder: Path, *without: str) -> None:
    """Copy the package, without some of its files, to where it is vendored."""
    ignored = shutil.ignore_patterns("__pycache__", *without)
    shutil.copytree(PACKAGE, folder / VENDORED.replace(".", "/"), ignore=ignored)


def test_a_copy_under_another_name_works(tmp_path: Path) -> None:
    copy_package(tmp_path)
    loaded = modules_of(tmp_path, USE_ALL)
    assert {f"{VENDORED}.decoders", f"{VENDORED}.fallback"} <= loaded
    assert not [name for name in loaded if name.startswith("provider_events")]


def test_the_rest_works_without_decoders_router_and_command_line(tmp_path: Path) -> None:
    copy_package(tmp_path, "decoders", "fallback.py", "failures.py", "_error_*.py", "_failure_*.py", "__main__.py")
    modules_of(tmp_path, USE)


def test_messages_and_events_work_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    for name in SUBSET:
        shutil.copy(PACKAGE / name, tmp_path / "tiny")
    modules_of(tmp_path, USE_SUBSET)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_package_does_not_depend_on_its_name(path: Path) -> None:
    """The name may be in a docstring or a comment, and in the name of the logger."""
    code = re.sub(r'("""[\s\S]*?"""|#.*)', "", path.read_text("utf-8"))
    code = code.replace('getLogger("provider_events")', "")
    assert "provider_events" not in code


def test_a_copy_says_its_version_and_licence() -> None:
    assert re.search(r'^__version__ = "\d+\.\d+\.\d+"$', (PACKAGE / "__init__.py").read_text("utf-8"), re.M)
    assert "MIT License" in (PACKAGE / "LICENSE").read_text("utf-8")
