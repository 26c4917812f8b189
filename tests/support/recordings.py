"""The recorded streams, from the folder that `PROVIDER_EVENTS_RECORDINGS` names."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from provider_events.decoders import iter_sse

FOLDER = Path(os.environ.get("PROVIDER_EVENTS_RECORDINGS", ""))
NAMES = sorted(
    path.name.removesuffix(".expected.json")
    for path in (FOLDER.glob("*.expected.json") if "PROVIDER_EVENTS_RECORDINGS" in os.environ else ())
)

each_recording = pytest.mark.parametrize("name", NAMES)
"""Run a test once for each recording; it is skipped where there is none."""


def body(name: str) -> bytes | None:
    """Return a recording as its HTTP body; None where it was recorded without framing."""
    path = FOLDER / f"{name}.sse"
    return path.read_bytes() if path.exists() else None


@cache
def payloads(name: str) -> tuple[str, ...]:
    """Return the chunks of a recording, as payload texts."""
    sse = body(name)
    if sse is None:
        return tuple((FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines())
    return tuple(iter_sse(sse.splitlines(keepends=True)))


@cache
def expected(name: str) -> dict[str, Any]:
    """Return what the final message of a recording must hold."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    return found


def api(name: str) -> str:
    """Return the stream format of a recording."""
    return name.split(".")[0]
