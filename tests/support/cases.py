"""Streams rebuilt from public bug reports, in `tests/cases`, one file a format and one case a line.

A case has a `name`, its `source`, the `api` (`named` false: to be detected), the `chunks` or the text of an HTTP
body `sse`, perhaps an exception that the source `raises` after them, and what is `expected` of the final message.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Error,
    ImageContent,
    TextContent,
    ThinkingContent,
    ToolCall,
    message_to_wire,
)
from provider_events.decoders import iter_sse
from provider_events.failures import fallback_reason

Case = dict[str, Any]

CASES: dict[str, Case] = {
    case["name"]: case
    for path in sorted((Path(__file__).parent.parent / "cases").glob("*.jsonl"))
    for case in map(json.loads, path.read_text("utf-8").splitlines())
}


def api(case: Case) -> str | None:
    """Return the format to decode a case with; None if it is to be detected."""
    return case["api"] if case.get("named", True) else None


def chunks(case: Case) -> Iterator[Any]:
    """Yield the chunks of a case as payload texts, or as dicts where they hold bytes; then raise what it raises."""
    if "sse" in case:
        body = case["sse"].encode("utf-8", "surrogatepass")
        yield from iter_sse([body[at : at + 61] for at in range(0, len(body), 61)])
    else:
        has_bytes = "__bytes__" in json.dumps(case["chunks"])
        for chunk in case["chunks"]:
            yield with_bytes(chunk) if has_bytes else chunk if isinstance(chunk, str) else json.dumps(chunk)
    if "raises" in case:
        raise exception(**case["raises"])


def with_bytes(value: Any) -> Any:
    """Return a chunk with `{"__bytes__": base64}` replaced by the bytes."""
    match value:
        case {"__bytes__": str(text)}:
            return base64.b64decode(text)
        case dict():
            return {key: with_bytes(member) for key, member in value.items()}
        case list():
            return [with_bytes(element) for element in value]
        case _:
            return value


def exception(classes: list[str], message: str, attributes: dict[str, Any] | None = None) -> Exception:
    """Return an exception of classes by these names, the most derived first."""
    cls: type[Exception] = Exception
    for name in reversed(classes):
        cls = type(name, (cls,), {})
    error = cls(message)
    for name, value in (attributes or {}).items():
        setattr(error, name, value)
    return error


def assert_expected(case: Case, event: AnyProviderEvent) -> None:
    """Assert that a terminal event is what a case expects."""
    message = event.partial
    assert message is not None
    for key, value in case["expected"].items():
        CHECKS[key](event, message, value)


def _check_ending(event: AnyProviderEvent, message: AssistantMessage, expected: str) -> None:
    assert event.type == expected, message.error_message


def _check_reason(event: AnyProviderEvent, message: AssistantMessage, expected: str) -> None:
    assert message.stop_reason == expected, message.error_message


def _check_field(name: str) -> Callable[[AnyProviderEvent, AssistantMessage, Any], None]:
    def check(event: AnyProviderEvent, message: AssistantMessage, expected: Any) -> None:
        found = getattr(message, name)
        assert found in expected if isinstance(expected, list) else found == expected

    return check


def _check_calls(event: AnyProviderEvent, message: AssistantMessage, expected: list[dict[str, Any]]) -> None:
    found = [_call(call) for call in message.tool_calls]
    assert len(found) == len(expected), found
    assert [{key: call[key] for key in wanted} for call, wanted in zip(found, expected)] == expected


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments, "invalid": call.invalid_arguments}


def _check_content(event: AnyProviderEvent, message: AssistantMessage, expected: list[dict[str, Any]]) -> None:
    blocks = [block for block in message.content if not _is_empty(block)]
    assert [type(block).__name__ for block in blocks] == [wanted["kind"] for wanted in expected]
    for block, wanted in zip(blocks, expected):
        for name, value in wanted.items():
            if name == "data" and isinstance(value, dict):
                assert {key: getattr(block, name).get(key) for key in value} == value
            elif name != "kind":
                assert getattr(block, name) == (tuple(value) if isinstance(value, list) else value)


def _is_empty(block: object) -> bool:
    match block:
        case TextContent(text):
            return not text
        case ThinkingContent(thinking, signature):
            return not thinking and not signature
        case _:
            return False


def _check_usage(event: AnyProviderEvent, message: AssistantMessage, expected: dict[str, int]) -> None:
    assert {name: getattr(message.usage, f"{name}_tokens") for name in expected} == expected


def _check_error_words(event: AnyProviderEvent, message: AssistantMessage, expected: list[str]) -> None:
    for words in expected:
        assert words in (message.error_message or "")


def _check_kept(event: AnyProviderEvent, message: AssistantMessage, expected: list[str]) -> None:
    text = json.dumps(message_to_wire(message), ensure_ascii=False)
    for words in expected:
        assert words in text or json.dumps(words, ensure_ascii=False)[1:-1] in text


def _check_absent(event: AnyProviderEvent, message: AssistantMessage, expected: list[str]) -> None:
    text = json.dumps(message_to_wire(message), ensure_ascii=False)
    assert not [words for words in expected if words in text]


def _check_thinking_signature(event: AnyProviderEvent, message: AssistantMessage, expected: str) -> None:
    assert [block.thinking_signature for block in message.content if isinstance(block, ThinkingContent)][-1] == expected


def _check_text_signature(event: AnyProviderEvent, message: AssistantMessage, expected: str) -> None:
    signatures = [block.text_signature for block in message.content if isinstance(block, TextContent)]
    assert [each for each in signatures if each][-1] == expected


def _check_images(event: AnyProviderEvent, message: AssistantMessage, expected: list[str]) -> None:
    assert [block.data for block in message.content if isinstance(block, ImageContent)] == expected


def _check_distinct_ids(event: AnyProviderEvent, message: AssistantMessage, expected: bool) -> None:
    ids = [call.id for call in message.tool_calls]
    assert len(set(ids)) == len(ids)


def _check_fallback_reason(event: AnyProviderEvent, message: AssistantMessage, expected: str) -> None:
    assert isinstance(event, Error) and fallback_reason(event) == expected


CHECKS: dict[str, Callable[[AnyProviderEvent, AssistantMessage, Any], None]] = {
    "ending": _check_ending,
    "reason": _check_reason,
    "raw_stop_reason": _check_field("raw_stop_reason"),
    "model": _check_field("model"),
    "text": _check_field("text"),
    "thinking": _check_field("thinking"),
    "calls": _check_calls,
    "content": _check_content,
    "usage": _check_usage,
    "error_has": _check_error_words,
    "keeps": _check_kept,
    "lacks": _check_absent,
    "thinking_signature": _check_thinking_signature,
    "text_signature": _check_text_signature,
    "images": _check_images,
    "distinct_ids": _check_distinct_ids,
    "fallback_reason": _check_fallback_reason,
}
