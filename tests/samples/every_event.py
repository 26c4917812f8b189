"""A handler of every event: it has no `case _`, and a type checker proves that no variant is missing."""

from provider_events import (
    AnyProviderEvent,
    Done,
    Error,
    FallbackExhausted,
    FallbackStart,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)


def describe(event: AnyProviderEvent) -> str:
    match event:
        case Start(partial):
            return f"{partial.provider} {partial.model}"
        case TextStart(content_index):
            return f"text at {content_index}"
        case TextDelta(_, delta):
            return delta
        case TextEnd(content=content):
            return content.upper()
        case ThinkingStart():
            return f"thinking at {event.content_index}"
        case ThinkingDelta(delta=delta):
            return delta
        case ThinkingEnd(_, content, _):
            return content
        case ToolCallStart(_, tool_call_id, tool_name):
            return f"{tool_name or 'a tool'} {tool_call_id or ''}"
        case ToolCallDelta():
            return event.delta
        case ToolCallEnd(tool_call=call):
            return f"{call.name}({', '.join(call.arguments)})"
        case Done(reason, message):
            return f"{reason}: {message.text}"
        case Error(_, error):
            return error.error_message or "no reason given"
        case FallbackStart(old, new, reason):
            return f"{old} -> {new}: {reason}"
        case FallbackExhausted(models, final_error):
            return f"{', '.join(models)}: {final_error}"
