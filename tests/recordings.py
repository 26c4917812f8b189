"""The recorded streams, from the folder that `PROVIDER_EVENTS_RECORDINGS` names."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from provider_events.decoders import iter_sse

FOLDER = Path(os.environ.get("PROVIDER_EVENTS_RECORDINGS", ""))
NAMES = sorted(
    path.name.removesuffix(".expected.json")
    for path in (FOLDER.glob("*.expected.json") if "PROVIDER_EVENTS_RECORDINGS" in os.environ else ())
)


def body(name: str) -> bytes | None:
    """A recording as its HTTP body; None where it was recorded without framing."""
    path = FOLDER / f"{name}.sse"
    return path.read_bytes() if path.exists() else None


@cache
def payloads(name: str) -> tuple[str, ...]:
    """The chunks of a recording, as payload texts."""
    sse = body(name)
    if sse is None:
        return tuple((FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines())
    return tuple(iter_sse(sse.splitlines(keepends=True)))


@cache
def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    return found


def api(name: str) -> str:
    return name.split(".")[0]
