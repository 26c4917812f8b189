"""Handlers of events in the styles that a type checker understands."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, assert_never

import provider_events as pe
from provider_events.decoders import Chunk, adecode, decode
from provider_events.fallback import MultiProvider


def handle(event: pe.AnyProviderEvent) -> None:
    """Without a result there is no missing `return` to find, so `assert_never` proves that no variant is missing."""
    match event:
        case pe.TextDelta(delta=delta) | pe.ThinkingDelta(delta=delta):
            print(delta)
        case pe.ToolCallEnd(tool_call=pe.ToolCall(name=name, invalid_arguments=None)):
            print(name)
        case pe.Done(message=message):
            print(message.usage.total_tokens)
        case pe.Error(error=message):
            print(message.error_message)
        case pe.FallbackStart() | pe.FallbackExhausted():
            print(event.type)
        case pe.Start() | pe.TextStart() | pe.TextEnd() | pe.ThinkingStart() | pe.ThinkingEnd():
            pass
        case pe.ToolCallStart() | pe.ToolCallDelta() | pe.ToolCallEnd():
            pass
        case _:
            assert_never(event)


def name(event: pe.ProviderEvent) -> str:
    """A handler of the base class: variants of a later version are expected, hence the `case _`."""
    match event:
        case pe.TextDelta(index, delta):
            return f"{index}: {delta}"
        case _:
            message: pe.AssistantMessage | None = event.partial
            return event.type if message is None else f"{event.type} {message.model}"


def texts(chunks: Iterable[Chunk]) -> Iterator[str]:
    """What `decode` yields always has a message."""
    for event in decode(chunks, provider="acme"):
        yield event.partial.text


async def answer(router: MultiProvider[str], prompt: str) -> pe.TerminalEvent:
    return await pe.acollect(pe.acheck(router.stream(prompt)))


async def candidate(chunks: AsyncIterator[Mapping[str, Any]]) -> pe.Done | pe.Error:
    return await pe.acollect(adecode(chunks))


def logged(event: pe.AnyProviderEvent) -> dict[str, Any]:
    return pe.event_to_wire(event)


if __name__ == "__main__":
    hello = {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert [*texts([hello])] == ["", "", "Hello", "Hello", "Hello"]
    events = [*decode([hello])]
    assert [name(event) for event in events][2] == "0: Hello"
    assert logged(events[-1])["reason"] == "stop"
