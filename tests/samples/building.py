"""A provider of one's own, made with the builder, and code that reads its stream."""

from collections.abc import Iterator

from provider_events import (
    Cost,
    Done,
    Error,
    ImageContent,
    MessageBuilder,
    MessageEvent,
    StopReason,
    StreamStateError,
    TextDelta,
    ToolCall,
    UnknownContent,
    Usage,
    check,
    collect,
    replay,
)


def stream(words: list[str]) -> Iterator[MessageEvent]:
    builder = MessageBuilder(api="fake", provider="here", model="fake-1")
    yield builder.start()
    yield builder.thinking_start()
    yield builder.thinking_delta("Which words?")
    yield builder.thinking_end(signature="opaque")
    yield builder.text_start()
    for word in words:
        yield builder.text_delta(word)
    yield builder.text_end(annotations=[{"url": "https://here.example", "span": [0, 1]}])
    yield builder.tool_call_start(tool_name="wait")
    yield builder.tool_call_delta('{"seconds": 3, "for": ["them"]}')
    yield builder.tool_call_end(tool_call_id="call_1")
    builder.add_block(ImageContent("aGk=", "image/png"))
    index = builder.add_block(UnknownContent({"type": "search", "results": ["a", None]}))
    builder.update_block(index, data={"type": "search", "results": ["a", "b"]})
    usage = Usage(input_tokens=1, cost=Cost(0.1, 0.0, 0.0, 0.0, 0.1))
    builder.update(usage=usage, response_id="r", provider_details={"service_tier": "default"})
    try:
        yield builder.done(StopReason.TOOL_USE)
    except StreamStateError as error:
        yield builder.error(str(error), aborted=False)


def wait(*, seconds: float, **others: object) -> str:
    return f"{seconds + 1:.0f} {len(others)}"


def run(call: ToolCall) -> str:
    """Arguments need no cast: they are whatever the model wrote."""
    longest: float = call.arguments["seconds"] * 2
    match call.arguments:
        case {"seconds": int(seconds), **others}:
            return f"{wait(**call.arguments)} {seconds < longest} {len(others)}"
        case _:
            return "invalid"


def final_text(events: Iterator[MessageEvent]) -> str:
    terminal: Done | Error = collect(check(events))
    return terminal.partial.text


if __name__ == "__main__":
    last = collect(stream(["Hel", "lo"]))
    assert isinstance(last, Done) and last.message.text == "Hello"
    assert [run(call) for call in last.message.tool_calls] == ["4 1 True 1"]
    assert final_text(stream(["Hel", "lo"])) == final_text(replay(last.message)) == "Hello"
    assert [event.delta for event in stream(["Hel", "lo"]) if isinstance(event, TextDelta)] == ["Hel", "lo"]
