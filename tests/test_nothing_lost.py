"""Every value that a provider sends is in the message, or on the list of what carries nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from support.recordings import api, each_recording, payloads

from provider_events import message_to_wire
from provider_events.decoders import decode

TRANSPORT = {"type", "object", "role", "index"}  # keys that carry nothing once a message is put together
REPORTS = {"usage", "usageMetadata"}  # of which the last one counts, value by value

# What the Responses API repeats of the request.
_ECHO = (
    "instructions", "parallel_tool_calls", "prompt_cache_retention", "reasoning.context", "reasoning.effort",
    "reasoning.mode", "store", "temperature", "text.verbosity", "tool_choice", "tools", "top_p", "truncation",
)  # fmt: skip
# By format: the paths of what is not kept.
NOT_KEPT: dict[str, set[str]] = {
    "bedrock-converse-stream": {
        "contentBlockDelta.contentBlockIndex",  # transport
        "contentBlockStop.contentBlockIndex",
    },
    "openai-completions": {
        "id",  # the first one is kept
        "created",
        "obfuscation",  # padding
    },
    "openai-responses": {
        "sequence_number",  # transport
        "output_index",
        "obfuscation",  # padding
        "response.status",  # the last one is kept
        "response.service_tier",
        "response.output.encrypted_content",  # encrypted anew, that of the done item is kept
        "item.encrypted_content",
        "item.status",
        *_ECHO,
        *(f"response.{path}" for path in _ECHO),
    },
    "google-generative-ai": {
        "createTime",  # the timestamp
        "candidates.content.parts.thought",  # the kind of the block
        "candidates.content.parts.functionCall.willContinue",  # transport
        "candidates.content.parts.functionCall.partialArgs.jsonPath",
        "candidates.content.parts.functionCall.partialArgs.willContinue",
    },
    "google-interactions": {
        "event_type",  # transport
        "status",  # the last one is kept
        "interaction.status",
    },
}


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
    return re.sub(r"[\s\\]|(?<=\d)\.0(?=\D)", "", text)


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
    sent = [leaf for payload in payloads(name) if payload != "[DONE]" for leaf in leaves(json.loads(payload))]
    last = {report_path(path): value for path, value in sent}
    not_kept = NOT_KEPT.get(api(name), set())
    lost = [
        (".".join(path), value)
        for path, value in sent
        if not TRANSPORT & {*path}
        and not any(f"{'.'.join(path)}.".startswith(f"{each}.") for each in not_kept)
        and not (REPORTS & {*path} and value != last[report_path(path)])
        and value not in kept
        and not (isinstance(value, (int, float)) and value * 1000 in kept)  # a timestamp
        and not (isinstance(value, str) and squeezed(value) in text)
    ]
    assert not lost[:20]
