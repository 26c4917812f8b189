"""A provider of one's own, made with the builder, and the agent that listens to it."""

from collections.abc import Iterator, Mapping

from provider_events import (
    AnyProviderEvent,
    AssistantMessage,
    Cost,
    Done,
    Error,
    FallbackExhausted,
    ImageContent,
    JsonValue,
    MessageBuilder,
    ProviderEvent,
    StopReason,
    StreamStateError,
    TerminalEvent,
    TextDelta,
    ToolCall,
    UnknownContent,
    Usage,
)


def speak(words: list[str]) -> Iterator[AnyProviderEvent]:
    builder = MessageBuilder(api="parrot", provider="here", model="parrot-1")
    yield builder.start()
    yield builder.thinking_start()
    yield builder.thinking_delta("What did they say?")
    yield builder.thinking_end(signature="opaque")
    yield builder.text_start()
    for word in words:
        yield builder.text_delta(word)
    yield builder.text_end(annotations=[{"url": "https://here.example", "span": [0, 1]}])
    yield builder.tool_call_start(tool_name="listen")
    yield builder.tool_call_delta('{"seconds": 3, "to": ["them"]}')
    yield builder.tool_call_end(tool_call_id="call_1")
    builder.add_block(ImageContent("aGk=", "image/png"))
    builder.add_block(UnknownContent({"type": "feather", "colours": ["green", None]}))
    builder.update(usage=Usage(input_tokens=1, cost=Cost(0.1, 0.0, 0.0, 0.0, 0.1)), response_id="r")
    try:
        yield builder.done(StopReason.TOOL_USE)
    except StreamStateError as error:
        yield builder.error(str(error), aborted=False)


def seconds(call: ToolCall) -> int | None:
    """Arguments are read-only JSON: a mapping of values that must be looked at before use."""
    arguments: Mapping[str, JsonValue] = call.arguments
    match arguments:
        case {"seconds": int(value)}:
            return value
        case _:
            return None


def ending(events: Iterator[AnyProviderEvent]) -> TerminalEvent | None:
    for event in events:
        if isinstance(event, Done | Error | FallbackExhausted):
            return event
    return None


def name(event: ProviderEvent) -> str:
    """Takes the base: variants of a later version are expected, hence the `case _`."""
    match event:
        case TextDelta(index, delta):
            return f"{index}: {delta}"
        case _:
            message: AssistantMessage | None = event.partial
            return event.type if message is None else f"{event.type} {message.model}"


if __name__ == "__main__":
    last = ending(speak(["Hel", "lo"]))
    assert isinstance(last, Done) and last.message.text == "Hello"
    assert [seconds(call) for call in last.message.tool_calls] == [3]
    assert [name(event) for event in speak(["Hi"])][5] == "1: Hi"
