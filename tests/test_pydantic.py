"""Messages and events are at home in pydantic, read or unread."""

from __future__ import annotations

from typing import Any

import pytest

from provider_events import AnyProviderEvent, AssistantMessage, MessageBuilder, ToolCall


def unread() -> AssistantMessage:
    """A snapshot that nobody has read, in the middle of a tool call."""
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=1)
    builder.start()
    builder.text_start()
    builder.text_delta("Hello")
    builder.text_end(annotations=[{"url": "u"}])
    builder.tool_call_start("i", "f")
    return builder.tool_call_delta('{"a": [1, "b').partial


def test_a_message_is_validated_and_dumped() -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter: Any = pydantic.TypeAdapter(AssistantMessage)
    message = adapter.validate_json(adapter.dump_json(unread()))
    assert message == unread()
    assert type(message) is AssistantMessage
    assert adapter.validate_python(unread()) == unread()


def test_the_union_of_events_is_validated() -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter: Any = pydantic.TypeAdapter(AnyProviderEvent)
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=1)
    for event in (builder.start(), builder.text_start(), builder.text_delta("x")):
        assert adapter.validate_python(event) == event


def test_a_model_may_have_a_tool_call_for_a_field() -> None:
    pydantic = pytest.importorskip("pydantic")
    model: Any = pydantic.create_model("Turn", call=(ToolCall, ...))
    assert model(call=unread().tool_calls[0]).call.arguments == {"a": [1, "b"]}
