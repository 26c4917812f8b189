"""One stream of each format that has all that the format offers, made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

TEXTS = ("He", 'l"lo', " wörld\n", "🎉")


def anthropic() -> Iterator[Any]:
    def block(index: int, begin: Any, *deltas: Any) -> Iterator[Any]:
        yield {"type": "content_block_start", "index": index, "content_block": begin}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    yield {
        "type": "message_start",
        "message": {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}},
    }
    yield {"type": "ping"}
    thoughts = [{"type": "thinking_delta", "thinking": text} for text in TEXTS]
    yield from block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        *thoughts,
        {"type": "signature_delta", "signature": "s"},
    )
    yield from block(1, {"type": "redacted_thinking", "data": "b3BhcXVl"})
    texts = [{"type": "text_delta", "text": text} for text in TEXTS]
    yield from block(
        2, {"type": "text", "text": "", "citations": []}, *texts, {"type": "citations_delta", "citation": {"url": "u"}}
    )
    deltas = [{"type": "input_json_delta", "partial_json": text} for text in ('{"q": [1,', ' {"a": "b\\u00e9"}', "]}")]
    yield from block(3, {"type": "tool_use", "id": "t1", "name": "f", "input": {}}, *deltas)
    yield from block(4, {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}, *deltas)
    yield from block(5, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u"}]})
    yield from block(6, {"type": "tool_use", "id": "t2", "name": "g", "input": {"a": {"b": [1]}}})
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_details": None},
        "usage": {"output_tokens": 9},
    }
    yield {"type": "message_stop"}


def completions() -> Iterator[Any]:
    def chunk(finish: str | None = None, **delta: Any) -> Any:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "c1", "model": "m", "created": 1700000000, "choices": [choice], "usage": None}

    def call(index: int, **function: Any) -> Any:
        return chunk(
            tool_calls=[{"index": index, "id": f"t{index}" if "name" in function else None, "function": function}]
        )

    yield chunk(role="assistant", content="")
    yield from (chunk(reasoning_content=text) for text in TEXTS)
    yield chunk(
        content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "So"}]
    )
    yield from (chunk(content=text) for text in TEXTS)
    yield chunk(refusal="No.")
    yield call(0, name="f", arguments="")
    yield call(0, arguments='{"a": [1')
    yield call(1, name="g", arguments={"b": {"c": None}})
    yield call(0, arguments=', "x"]}')
    yield chunk("tool_calls")
    details = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}
    yield {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, **details}}
    yield "[DONE]"


def responses() -> Iterator[Any]:
    yield {"type": "response.created", "response": {"id": "r1", "model": "m", "created_at": 1700000000}}
    items: list[Any] = [
        {
            "type": "reasoning",
            "id": "i0",
            "summary": [{"type": "summary_text", "text": "".join(TEXTS)}],
            "encrypted_content": "s",
        },
        {
            "type": "message",
            "id": "i1",
            "content": [{"type": "output_text", "text": "".join(TEXTS), "annotations": [{"url": "u"}]}],
        },
        {"type": "function_call", "id": "i2", "call_id": "t1", "name": "f", "arguments": '{"a": [1, "x"]}'},
        {"type": "web_search_call", "id": "i3", "action": {"query": "q"}},
        {"type": "message", "id": "i4", "content": [{"type": "refusal", "refusal": "No."}]},
    ]
    for index, item in enumerate(items):
        indexes = {"output_index": index, "item_id": item["id"], "content_index": 0, "summary_index": 0}
        empty = {key: [] if isinstance(value, list) else value for key, value in item.items() if key != "arguments"}
        yield {"type": "response.output_item.added", "output_index": index, "item": empty}
        if index == 0:
            yield from ({"type": "response.reasoning_summary_text.delta", "delta": text, **indexes} for text in TEXTS)
        if index == 1:
            yield from ({"type": "response.output_text.delta", "delta": text, **indexes} for text in TEXTS)
            yield {"type": "response.output_text.done", "text": "".join(TEXTS), **indexes}
        if index == 2:
            yield from (
                {"type": "response.function_call_arguments.delta", "delta": text, **indexes}
                for text in ('{"a": [1,', ' "x"]}')
            )
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    usage = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5, "total_tokens": 14}
    yield {
        "type": "response.completed",
        "response": {"id": "r1", "status": "completed", "output": items, "usage": usage},
    }


def google() -> Iterator[Any]:
    def chunk(*parts: Any, **candidate: Any) -> Any:
        return {
            "candidates": [{"content": {"parts": parts}, **candidate}],
            "modelVersion": "m",
            "responseId": "g1",
            "createTime": "2026-01-02T03:04:05Z",
        }

    def partial(path: str, **value: Any) -> Any:
        return chunk({"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}})

    yield from (chunk({"text": text, "thought": True}) for text in TEXTS)
    yield from (chunk({"text": text, "thoughtSignature": "c2ln"}) for text in TEXTS)
    yield chunk(
        {"functionCall": {"id": "t1", "name": "f", "args": {"a": [1, {"b": None}]}}, "thoughtSignature": "c2ln"}
    )
    yield chunk({"functionCall": {"name": "g", "willContinue": True}})
    yield partial("$.a", stringValue="Bos", willContinue=True)
    yield partial("$.a", stringValue="ton")
    yield partial("$.b.c[0]", numberValue=1.0)
    yield partial("$.b.c[1].d", boolValue=True)
    yield partial("$.e", nullValue="NULL_VALUE")
    yield chunk({"functionCall": {}})
    yield chunk({"inlineData": {"mimeType": "image/png", "data": "aGk="}}, {"executableCode": {"code": "1"}})
    yield {
        **chunk(finishReason="STOP"),
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14},
    }


def bedrock() -> Iterator[Any]:
    def delta(index: int, **fields: Any) -> Any:
        return {"contentBlockDelta": {"contentBlockIndex": index, "delta": fields}}

    yield {"messageStart": {"role": "assistant"}}
    yield from (delta(0, reasoningContent={"text": text}) for text in TEXTS)
    yield delta(0, reasoningContent={"signature": "s"})
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield delta(1, reasoningContent={"redactedContent": "b3BhcXVl"})
    yield {"contentBlockStop": {"contentBlockIndex": 1}}
    yield from (delta(2, text=text) for text in TEXTS)
    yield delta(2, citation={"title": "t"})
    yield {"contentBlockStop": {"contentBlockIndex": 2}}
    yield {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}}
    yield from (delta(3, toolUse={"input": text}) for text in ('{"a": [1,', ' "x"]}'))
    yield {"contentBlockStop": {"contentBlockIndex": 3}}
    yield delta(4, image={"source": {"bytes": "aGk="}})
    yield {"contentBlockStop": {"contentBlockIndex": 4}}
    yield {"messageStop": {"stopReason": "tool_use"}}
    yield {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}}}


def interactions() -> Iterator[Any]:
    def step(index: int, kind: str, *deltas: Any, **fields: Any) -> Iterator[Any]:
        yield {"event_type": "step.start", "index": index, "step": {"type": kind, **fields}}
        for delta in deltas:
            yield {"event_type": "step.delta", "index": index, "delta": delta}
        yield {"event_type": "step.stop", "index": index}

    interaction = {"id": "i1", "model": "m", "object": "interaction"}
    yield {"event_type": "interaction.created", "interaction": {**interaction, "status": "in_progress"}}
    thoughts = [{"type": "thought_summary", "content": {"type": "text", "text": text}} for text in TEXTS]
    yield from step(0, "thought", *thoughts, {"type": "thought_signature", "signature": "c2ln"})
    texts = [{"type": "text", "text": text} for text in TEXTS]
    citation = {"type": "text_annotation", "annotations": [{"type": "url_citation", "url": "u"}]}
    yield from step(1, "model_output", *texts, citation)
    arguments = [{"type": "arguments_delta", "arguments": text} for text in ('{"a": [1,', ' "x"]}')]
    yield from step(2, "function_call", *arguments, id="t1", name="f", arguments={})
    yield from step(3, "google_search_call", {"type": "google_search_call", "arguments": {"queries": ["q"]}}, id="s1")
    usage = {"total_input_tokens": 9, "total_output_tokens": 5, "total_thought_tokens": 2, "total_tokens": 16}
    yield {
        "event_type": "interaction.completed",
        "interaction": {**interaction, "status": "requires_action", "usage": usage},
    }


def cohere() -> Iterator[Any]:
    def event(kind: str, index: int | None = None, **message: Any) -> Any:
        return {"type": kind, "index": index, "delta": {"message": message}}

    yield {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": []}}}
    yield from (event("tool-plan-delta", tool_plan=text) for text in TEXTS)
    yield event("content-start", 0, content={"type": "thinking", "thinking": ""})
    yield from (event("content-delta", 0, content={"thinking": text}) for text in TEXTS)
    yield event("content-end", 0)
    yield event("content-start", 1, content={"type": "text", "text": ""})
    yield from (event("content-delta", 1, content={"text": text}) for text in TEXTS)
    yield event("citation-start", 0, citations={"start": 0, "end": 2, "text": "He", "sources": [{"id": "d1"}]})
    yield event("citation-end", 0)
    yield event("content-end", 1)
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}
    yield event("tool-call-start", 0, tool_calls=call)
    for text in ('{"a": [1,', ' "x"]}'):
        yield event("tool-call-delta", 0, tool_calls={"function": {"arguments": text}})
    yield event("tool-call-end", 0)
    usage = {"billed_units": {"input_tokens": 3}, "tokens": {"input_tokens": 9, "output_tokens": 5}}
    yield {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": usage}}


def ollama() -> Iterator[Any]:
    def chunk(done: bool = False, **fields: Any) -> Any:
        message = {"role": "assistant", "content": "", **fields.pop("message", {})}
        return {"model": "m", "created_at": "2026-01-02T03:04:05Z", "message": message, "done": done, **fields}

    yield from (chunk(message={"thinking": text}) for text in TEXTS)
    yield from (chunk(message={"content": text}) for text in TEXTS)
    yield chunk(message={"tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, "x"]}}}]})
    yield chunk(True, done_reason="stop", total_duration=9, prompt_eval_count=9, eval_count=5)


def as_texts(chunks: Iterator[Any]) -> list[str]:
    return [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]


HAND_MADE = {
    "anthropic-messages": as_texts(anthropic()),
    "openai-completions": as_texts(completions()),
    "openai-responses": as_texts(responses()),
    "google-generative-ai": as_texts(google()),
    "bedrock-converse-stream": as_texts(bedrock()),
    "google-interactions": as_texts(interactions()),
    "cohere-chat": as_texts(cohere()),
    "ollama-chat": as_texts(ollama()),
}
