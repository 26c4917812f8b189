"""The JSON form of messages: that of pi (`@mariozechner/pi-ai`), camelCase keys and all.

Fields that pi does not have are further keys, written only when they are set.
"""

from __future__ import annotations

from typing import Any

from .messages import (
    AssistantMessage,
    ContentBlock,
    ImageContent,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
    Usage,
)


def message_to_wire(message: AssistantMessage) -> dict[str, Any]:
    """A message as plain JSON values, ready for `json.dumps`."""
    return {
        "role": message.role,
        "content": [_block_to_wire(block) for block in message.content],
        "api": message.api,
        "provider": message.provider,
        "model": message.model,
        "usage": _usage_to_wire(message.usage),
        "timestamp": message.timestamp,
        **_when_set(
            stopReason=message.stop_reason and str(message.stop_reason),
            rawStopReason=message.raw_stop_reason,
            errorMessage=message.error_message,
            responseId=message.response_id,
        ),
    }


def _block_to_wire(block: ContentBlock) -> dict[str, Any]:
    match block:
        case TextContent(text, signature, annotations):
            rest = _when_set(textSignature=signature, annotations=list(annotations) or None)
            return {"type": "text", "text": text, **rest}
        case ThinkingContent(thinking, signature, redacted):
            rest = _when_set(thinkingSignature=signature, redacted=redacted or None)
            return {"type": "thinking", "thinking": thinking, **rest}
        case ImageContent(data, mime_type):
            return {"type": "image", "data": data, "mimeType": mime_type}
        case ToolCall(id, name, arguments, signature, invalid):
            rest = _when_set(thoughtSignature=signature, invalidArguments=invalid)
            return {"type": "toolCall", "id": id, "name": name, "arguments": arguments, **rest}
        case UnknownContent(data):
            return {"type": "unknown", "data": data}


def _usage_to_wire(usage: Usage) -> dict[str, Any]:
    cost = usage.cost and {
        "input": usage.cost.input,
        "output": usage.cost.output,
        "cacheRead": usage.cost.cache_read,
        "cacheWrite": usage.cost.cache_write,
        "total": usage.cost.total,
    }
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cacheRead": usage.cache_read_tokens,
        "cacheWrite": usage.cache_write_tokens,
        "totalTokens": usage.total_tokens,
        **_when_set(reasoningTokens=usage.reasoning_tokens or None, cost=cost),
    }


def _when_set(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
