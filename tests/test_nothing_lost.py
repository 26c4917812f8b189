"""Every value that a provider sends is in the message, or on the list of what carries nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from support.recordings import api, each_recording, payloads

from provider_events import message_to_wire
from provider_events.decoders import decode

# By format: the keys whose values are not kept, because they carry nothing once the message is put together.
TRANSPORT = {"type", "object", "role", "index"}
CARRIES_NOTHING: dict[str, set[str]] = {"bedrock-converse-stream": {"contentBlockIndex"}}
REPORTS = {"usage", "usageMetadata"}  # of which the last one counts, value by value


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the strings, numbers and booleans of a JSON value, with the keys that lead to them."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    elif isinstance(value, list):
        for element in value:
            yield from leaves(element, path)
    elif value not in (None, ""):
        yield path, value


def squeezed(text: str) -> str:
    """Return a text without white space and escapes, so that JSON text compares with JSON."""
    return re.sub(r'[\s\\]|(?<=\d)\.0(?=\D)', "", text)


def report_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the path within a report of usage, wherever in a payload the report stands."""
    start = next((at for at, key in enumerate(path) if key in REPORTS), 0)
    return path[start + 1 :] if start or path[0] in REPORTS else path


@each_recording
def test_every_value_is_kept(name: str) -> None:
    message = [*decode(payloads(name), api=api(name))][-1].partial
    wire = message_to_wire(message)
    kept = {value for _, value in leaves(wire)}
    strings = [value for value in kept if isinstance(value, str)]
    text = squeezed("\n".join(strings) + json.dumps(wire, ensure_ascii=False) + message.text + message.thinking)
    sent = [
        leaf for payload in payloads(name) if payload.startswith(("{", "[")) for leaf in leaves(json.loads(payload))
    ]
    last = {report_path(path): value for path, value in sent}
    dropped = TRANSPORT | CARRIES_NOTHING.get(api(name), set())
    lost = [
        (".".join(path), value)
        for path, value in sent
        if not dropped & {*path}
        and not (REPORTS & {*path} and value != last[report_path(path)])
        and value not in kept
        and not (isinstance(value, str) and squeezed(value) in text)
    ]
    assert not lost[:20]
