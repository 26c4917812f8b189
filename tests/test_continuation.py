"""A message is enough to continue the conversation with: the assistant's turn of the next request follows from it.

Each test builds that turn from a decoded message alone, as a framework would, and compares it with the turn that the
provider's documentation asks for.
"""

from __future__ import annotations

import json
from typing import Any, assert_never

from provider_events import (
    AssistantMessage,
    Done,
    ImageContent,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)
from provider_events.decoders import decode


def decoded(*chunks: Any) -> AssistantMessage:
    *_, last = decode(chunks)
    assert isinstance(last, Done)
    return last.message


# https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking#preserving-thinking-blocks


def anthropic_turn(message: AssistantMessage) -> list[Any]:
    """Return the content of the assistant's turn for Anthropic."""
    turn: list[Any] = []
    for block in message.content:
        match block:
            case TextContent(text=text, annotations=citations):
                turn.append({"type": "text", "text": text, **({"citations": [*citations]} if citations else {})})
            case ThinkingContent(thinking_signature=data, redacted=True):
                turn.append({"type": "redacted_thinking", "data": data})
            case ThinkingContent(thinking=thinking, thinking_signature=signature):
                turn.append({"type": "thinking", "thinking": thinking, "signature": signature})
            case ToolCall(id=id, name=name, arguments=arguments, provider_details=details):
                turn.append({"type": "tool_use", "id": id, "name": name, "input": arguments, **details})
            case UnknownContent(data=data):
                turn.append(data)
            case ImageContent():
                raise AssertionError("Anthropic sends no images")
            case _:
                assert_never(block)
    return turn


def test_anthropic() -> None:
    def block(index: int, start: Any, *deltas: Any) -> list[Any]:
        return [
            {"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "e"}]}
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_2"}
    message = decoded(
        {"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": []}},
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Look it "},
            {"type": "thinking_delta", "thinking": "up."},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        *block(1, {"type": "redacted_thinking", "data": "b3BhcXVl"}),
        *block(
            2,
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query": "rain"}'},
        ),
        *block(3, result),
        *block(
            4,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "It rains."},
            {"type": "citations_delta", "citation": {"type": "web_search_result_location", "url": "u"}},
        ),
        *block(5, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}, "caller": caller}),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    )
    assert anthropic_turn(message) == [
        {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "rain"}},
        result,
        {"type": "text", "text": "It rains.", "citations": [{"type": "web_search_result_location", "url": "u"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}, "caller": caller},
    ]


# https://platform.openai.com/docs/guides/reasoning#keeping-reasoning-items-in-context


def responses_turn(message: AssistantMessage) -> list[Any]:
    """Return the input items of the assistant's turn for the Responses API."""
    turn: list[Any] = []
    for block in message.content:
        match block:
            case TextContent(text=text, annotations=annotations, provider_details=details):
                part = {"type": "output_text", "text": text, "annotations": [*annotations]}
                turn.append({"type": "message", "role": "assistant", "content": [part], **details})
            case ThinkingContent(thinking_signature=signature, provider_details=details):
                turn.append({"type": "reasoning", "encrypted_content": signature, **details})
            case ToolCall(id=id, name=name, arguments=arguments, provider_details=details):
                text = json.dumps(arguments, separators=(",", ":"))
                turn.append({"type": "function_call", "call_id": id, "name": name, "arguments": text, **details})
            case UnknownContent(data=data):
                turn.append(data)
            case ImageContent():
                raise AssertionError("the Responses API sends images as items of its own")
            case _:
                assert_never(block)
    return turn


def begun(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress"} if "status" in item else item


def test_openai_responses() -> None:
    reasoning = {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Look"}, {"type": "summary_text", "text": "up"}],
        "encrypted_content": "ZW5j",
    }
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"query": "rain"}}
    part = {"type": "output_text", "text": "I will look.", "annotations": []}
    commentary = {
        "id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "phase": "commentary",
        "content": [part],
    }  # fmt: skip
    call = {
        "id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "f",
        "arguments": '{"a":1}', "namespace": "crm",
    }  # fmt: skip
    items: list[dict[str, Any]] = [reasoning, search, commentary, call]
    message = decoded(
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}},
        *[
            event
            for index, item in enumerate(items)
            for event in (
                {"type": "response.output_item.added", "output_index": index, "item": begun(item)},
                {"type": "response.output_item.done", "output_index": index, "item": item},
            )
        ],
        {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": items}},
    )
    assert responses_turn(message) == items


# https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks
# https://ai.google.dev/gemini-api/docs/thought-signatures#openai


def chat_turn(message: AssistantMessage) -> dict[str, Any]:
    """Return the assistant's turn for chat completions."""
    turn: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    reasoning = [
        detail
        for block in message.content
        if isinstance(block, (ThinkingContent, ToolCall))
        for detail in block.provider_details.get("reasoning_details", ())
    ]
    if reasoning:
        turn["reasoning_details"] = reasoning
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
                **{key: call.provider_details[key] for key in ("extra_content",) if key in call.provider_details},
            }
            for call in message.tool_calls
        ]
    return turn


def chat_chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


def test_openrouter() -> None:
    def detail(index: int, **fields: Any) -> dict[str, Any]:
        return {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": index, **fields}

    encrypted = {"type": "reasoning.encrypted", "data": "ZW5j", "format": "x", "id": "call_1", "index": 1}
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = decoded(
        chat_chunk(reasoning="Look it ", reasoning_details=[detail(0, text="Look it ")]),
        chat_chunk(reasoning="up.", reasoning_details=[detail(0, text="up.")]),
        chat_chunk(reasoning_details=[detail(0, signature="c2ln")]),
        chat_chunk(content="I will look."),
        chat_chunk(tool_calls=[call], reasoning_details=[encrypted]),
        chat_chunk("tool_calls"),
    )
    assert chat_turn(message) == {
        "role": "assistant",
        "content": "I will look.",
        "reasoning_details": [detail(0, text="Look it up.", signature="c2ln"), encrypted],
        "tool_calls": [{"id": "call_1", "type": "function", "function": call["function"]}],
    }


def test_gemini_behind_chat_completions() -> None:
    extra = {"google": {"thought_signature": "c2ln"}}
    function = {"name": "f", "arguments": '{"a": 1}'}
    message = decoded(
        chat_chunk(
            tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": function, "extra_content": extra}]
        ),
        chat_chunk("tool_calls"),
    )
    assert message.tool_calls[0].thought_signature == "c2ln"
    assert chat_turn(message)["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": function, "extra_content": extra}
    ]


# https://ai.google.dev/gemini-api/docs/thought-signatures


def gemini_turn(message: AssistantMessage) -> list[Any]:
    """Return the parts of the model's turn for Gemini."""
    turn: list[Any] = []
    for block in message.content:
        match block:
            case TextContent(text=text, text_signature=signature):
                part: dict[str, Any] = {"text": text}
            case ThinkingContent(thinking=text, thinking_signature=signature):
                part = {"text": text, "thought": True}
            case ToolCall(id=id, name=name, arguments=arguments, thought_signature=signature):
                part = {"functionCall": {"id": id, "name": name, "args": arguments}}
            case ImageContent(data=data, mime_type=mime_type, provider_details=details):
                part, signature = {"inlineData": {"mimeType": mime_type, "data": data}, **details}, None
            case UnknownContent(data=data):
                part, signature = dict(data), None
            case _:
                assert_never(block)
        turn.append(part | ({"thoughtSignature": signature} if signature else {}))
    return turn


def test_gemini() -> None:
    parts: list[dict[str, Any]] = [
        {"text": "Look it up.", "thought": True},
        {"text": "I will look.", "thoughtSignature": "c2lnMQ=="},
        {"text": "Or draw."},
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "c2lnMg=="},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2lnMw=="},
        {"functionCall": {"id": "c2", "name": "g", "args": {}}},
    ]
    message = decoded(
        *({"candidates": [{"content": {"role": "model", "parts": [part]}}], "responseId": "r"} for part in parts),
        {"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]},
    )
    assert gemini_turn(message) == parts
