"""Writing and reading logs in tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from provider_events import AnyProviderEvent, WireError, event_to_wire, message_to_wire, read_jsonl, write_jsonl


def log_of(events: Iterable[AnyProviderEvent]) -> str:
    """Return the log of a stream."""
    file = io.StringIO()
    write_jsonl(events, file)
    return file.getvalue()


def lines_of(events: Iterable[AnyProviderEvent]) -> list[dict[str, Any]]:
    """Return the lines of a log, parsed."""
    return [json.loads(line) for line in log_of(events).splitlines()]


def read_all(lines: Iterable[str | bytes]) -> tuple[list[AnyProviderEvent], WireError | None]:
    """Return the events of a log, and the error that ended it, if one did; nothing follows it."""
    events: list[AnyProviderEvent] = []
    reading = read_jsonl(lines)
    try:
        for event in reading:
            events.append(event)
    except WireError as error:
        assert list(reading) == []
        return events, error
    return events, None


def allowed_size(events: list[AnyProviderEvent]) -> int:
    """Return what a log may take: 3 characters for each of its deltas, 160 an event, and twice its last message."""
    last = events[-1]
    terminal = event_to_wire(last) if last.partial is None else message_to_wire(last.partial)
    deltas = sum(len(getattr(event, "delta", "")) for event in events)
    return 3 * deltas + 160 * len(events) + 2 * len(json.dumps(terminal))
