"""Recorded streams and whole responses, from the folders that `PROVIDER_EVENTS_RECORDINGS` names.

A recording is the body of a response (`.sse`), its chunks one a line (`.jsonl`), or a response that was not streamed
(`.json`), beside what its message must hold (`.expected.json`).
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from provider_events.decoders import iter_sse

FOLDERS = [Path(folder) for folder in os.environ.get("PROVIDER_EVENTS_RECORDINGS", "").split(os.pathsep) if folder]

_PATHS = {
    f"{folder.name}/{path.name.removesuffix('.expected.json')}": folder / path.name.removesuffix(".expected.json")
    for folder in FOLDERS
    for path in sorted(folder.glob("*.expected.json"))
}
NAMES = list(_PATHS)


def _each(names: list[str]) -> pytest.MarkDecorator:
    missing = pytest.mark.skip(reason="PROVIDER_EVENTS_RECORDINGS names no folder of recordings")
    return pytest.mark.parametrize("name", names or [pytest.param("", marks=missing)])


each_recording = _each(NAMES)
"""Run a test once for each recording; it is skipped where there is none."""

each_stream = _each([name for name in NAMES if not (_PATHS[name].parent / f"{_PATHS[name].name}.json").exists()])
"""Run a test once for each recording that was streamed."""


def _file(name: str, suffix: str) -> Path:
    return _PATHS[name].parent / f"{_PATHS[name].name}{suffix}"


def body(name: str) -> bytes | None:
    """Return a recording as its HTTP body; None where it was recorded without framing."""
    for suffix in (".sse", ".json"):
        if (path := _file(name, suffix)).exists():
            return path.read_bytes()
    return None


def is_streamed(name: str) -> bool:
    """Return whether a recording is a stream, not a whole response."""
    return not _file(name, ".json").exists()


@cache
def payloads(name: str) -> tuple[str, ...]:
    """Return the chunks of a recording, as payload texts."""
    if not is_streamed(name):
        return (_file(name, ".json").read_text("utf-8"),)
    sse = body(name)
    if sse is None:
        return tuple(_file(name, ".jsonl").read_text("utf-8").splitlines())
    return tuple(iter_sse(sse.splitlines(keepends=True)))


@cache
def expected(name: str) -> dict[str, Any]:
    """Return what the final message of a recording must hold."""
    found: dict[str, Any] = json.loads(_file(name, ".expected.json").read_text("utf-8"))
    return found


def api(name: str) -> str:
    """Return the stream format of a recording."""
    return _PATHS[name].name.split(".")[0]
