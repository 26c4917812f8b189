"""A printer of messages that handles every kind of block, without `case _`."""

from provider_events import (
    AssistantMessage,
    ContentBlock,
    ImageContent,
    TextContent,
    ThinkingContent,
    ToolCall,
    UnknownContent,
)


def show(block: ContentBlock) -> str:
    match block:
        case TextContent(text):
            return text
        case ThinkingContent(thinking, redacted=redacted):
            return "(redacted)" if redacted else thinking
        case ImageContent(data, mime_type):
            return f"{mime_type}, {len(data)} characters"
        case ToolCall(_, name, arguments):
            return f"{name}({arguments})"
        case UnknownContent(data):
            return f"{data.get('type')}"


def transcript(message: AssistantMessage) -> str:
    return f"{message.role}: " + "\n".join(map(show, message.content))
