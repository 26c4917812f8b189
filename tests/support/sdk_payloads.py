"""Payloads of each format for the SDKs, with what is in no recording."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any


def texts(*chunks: object) -> list[str]:
    return [json.dumps(chunk) for chunk in chunks]


def anthropic_block(index: int, block: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def chat(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 17, "model": "g", "choices": [choice], **more}


def function(name: str, arguments: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def response(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "sequence_number": 0, **fields}


def gemini(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, **candidate}], "modelVersion": "g", "responseId": "r"}


def bedrock_delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


START: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 9},
}
CITATION = {
    "type": "char_location",
    "cited_text": "c",
    "document_index": 0,
    "start_char_index": 0,
    "end_char_index": 1,
}
ANSWER: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 17.0,
    "model": "g",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "status": "in_progress",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
REASONING = {"type": "reasoning", "id": "rs_1"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look"}
TEXT_PART = {"type": "output_text", "text": "Hi", "annotations": [{"type": "file_path", "file_id": "f", "index": 0}]}
SIGNATURE = b64encode(b"\xfb\xff\xfe").decode()  # whose standard and URL-safe forms differ
OUT = {"item_id": "i", "output_index": 0, "content_index": 0}

OWN_PAYLOADS = {
    "anthropic-messages.own": texts(
        {"type": "message_start", "message": START},
        {"type": "ping"},
        *anthropic_block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm"},
            {"type": "signature_delta", "signature": "s"},
        ),
        *anthropic_block(1, {"type": "redacted_thinking", "data": "r"}),
        *anthropic_block(
            2,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "Hi"},
            {"type": "citations_delta", "citation": CITATION},
        ),
        *anthropic_block(
            3,
            {"type": "tool_use", "id": "t1", "name": "look", "input": {}},
            *({"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"at', '": [1, 2]}')),
        ),
        *anthropic_block(4, {"type": "tool_use", "id": "t2", "name": "go", "input": {}}),
        *anthropic_block(
            5,
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query": "q"}'},
        ),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 7},
        },
        {"type": "message_stop"},
    ),
    "anthropic-messages.own-error": texts(
        {"type": "message_start", "message": START},
        *anthropic_block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})[:2],
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ),
    "openai-completions.own": texts(
        chat({"role": "assistant", "content": None, "reasoning_content": "Hm"}),
        chat({"content": "Hi"}),
        chat({"refusal": "No"}),
        chat({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chat({"tool_calls": [{"index": 0, "id": "t1", "type": "function", **function("look", ": 1}")}]}),
        chat({"tool_calls": [{"index": 1, "id": "t2", "type": "function", **function("go", {"b": 2})}]}),
        chat({}, "tool_calls", x_groq={"usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}),
    )
    + ["[DONE]"],
    "openai-completions.own-mistral": texts(
        chat({"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
        chat({"content": "Hi"}),
        chat({"content": [{"type": "dream", "of": "sheep"}]}),
        chat({"tool_calls": [{"index": 0, "id": "t1", **function("look", '{"a": 1}')}]}, "tool_calls"),
    )
    + ["[DONE]"],
    "openai-completions.own-huggingface": texts(
        chat({"role": "assistant", "reasoning_content": "Hm"}),
        chat({"content": "Hi", "note": {"a": [1]}}),
        chat({"tool_calls": [{"index": 0, "id": "t1", **function("look", '{"a": 1}')}]}, "tool_calls"),
    )
    + ["[DONE]"],
    "openai-completions.own-error": texts(
        chat({"content": "Hi"}), {"error": {"message": "Too many", "type": "rate_limit_error", "code": 429}}
    ),
    "openai-responses.own": texts(
        response("response.created", response=ANSWER),
        response("response.output_item.added", output_index=0, item={**REASONING, "summary": []}),
        response("response.reasoning_text.delta", **OUT, delta="Hm"),
        response(
            "response.output_item.done",
            output_index=0,
            item={
                **REASONING,
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Hm"}],
                "encrypted_content": "e",
            },
        ),
        response("response.output_item.added", output_index=1, item={**MESSAGE, "content": []}),
        response("response.content_part.added", **{**OUT, "output_index": 1}, part={**TEXT_PART, "text": ""}),
        response("response.output_text.delta", **{**OUT, "output_index": 1}, delta="Hi", logprobs=[]),
        response("response.output_item.done", output_index=1, item={**MESSAGE, "content": [TEXT_PART]}),
        response("response.output_item.added", output_index=2, item={**CALL, "arguments": ""}),
        response("response.function_call_arguments.delta", output_index=2, item_id="fc_1", delta='{"a": 1}'),
        response("response.output_item.done", output_index=2, item={**CALL, "arguments": '{"a": 1}'}),
        response("response.output_item.added", output_index=3, item={"type": "dream", "id": "d_1"}),
        response("response.output_item.done", output_index=3, item={"type": "dream", "id": "d_1", "of": ["sheep"]}),
        response(
            "response.completed",
            response={
                **ANSWER,
                "status": "completed",
                "usage": {
                    "input_tokens": 9,
                    "input_tokens_details": {"cached_tokens": 4},
                    "output_tokens": 5,
                    "output_tokens_details": {"reasoning_tokens": 2},
                    "total_tokens": 14,
                },
            },
        ),
    ),
    "openai-responses.own-error": texts(
        response("response.created", response=ANSWER), response("error", code="server_error", message="Oh", param=None)
    ),
    "google-generative-ai.own": texts(
        gemini({"text": "Hm", "thought": True}, {"text": "Hi", "thoughtSignature": SIGNATURE}),
        gemini({"inlineData": {"mimeType": "image/png", "data": SIGNATURE}}),
        gemini(
            {
                "functionCall": {"id": "t1", "name": "look", "args": {"at": [1, {"b": None}]}},
                "thoughtSignature": SIGNATURE,
            }
        ),
        gemini({"functionCall": {"name": "go", "args": {}}}, finishReason="STOP"),
    ),
    "google-generative-ai.own-sound": texts(
        gemini(
            {"inlineData": {"mimeType": "audio/wav", "data": SIGNATURE}, "thoughtSignature": SIGNATURE},
            finishReason="STOP",
        )
    ),
    "google-generative-ai.own-blocked": texts(
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "modelVersion": "g",
            "usageMetadata": {"promptTokenCount": 5},
        }
    ),
    "google-generative-ai.own-fault": texts(
        gemini({"text": "Hi"}), gemini(finishReason="A_NEW_FAULT", finishMessage="Oh")
    ),
    "google-generative-ai.own-error": texts(
        gemini({"text": "Hi"}), {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
    ),
    "bedrock-converse-stream.own": texts(
        {"messageStart": {"role": "assistant"}},
        bedrock_delta(0, {"reasoningContent": {"text": "Hm"}}),
        bedrock_delta(0, {"reasoningContent": {"signature": "s"}}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        bedrock_delta(1, {"reasoningContent": {"redactedContent": SIGNATURE}}),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        bedrock_delta(2, {"text": "Hi"}),
        bedrock_delta(2, {"citation": {"title": "c"}}),
        {"contentBlockStop": {"contentBlockIndex": 2}},
        {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t1", "name": "look"}}}},
        bedrock_delta(3, {"toolUse": {"input": '{"a"'}}),
        bedrock_delta(3, {"toolUse": {"input": ": 1}"}}),
        {"contentBlockStop": {"contentBlockIndex": 3}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {"latencyMs": 1}}},
    ),
    "bedrock-converse-stream.own-guardrail": texts(
        {"messageStart": {"role": "assistant"}},
        bedrock_delta(0, {"text": "No"}),
        {"messageStop": {"stopReason": "guardrail_intervened"}},
        {"metadata": {"usage": {"inputTokens": 5}, "metrics": {}}},
    ),
    "bedrock-converse-stream.own-error": texts(
        {"messageStart": {"role": "assistant"}},
        bedrock_delta(0, {"text": "Hi"}),
        {"throttlingException": {"message": "Too many"}},
    ),
}
