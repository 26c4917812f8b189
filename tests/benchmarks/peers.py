"""Side by side with other libraries, which accumulate and have no snapshots. Each row needs its library installed."""

# mypy: disable-error-code="import-not-found"
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from provider_events.decoders import decode

from .decoding import stream
from .measuring import Result, Row, build, compare, deltas, drain

FEW = 2_000  # deltas, since the cost of some libraries grows with the length of the message


def pydantic_ai(kind: str) -> Result:
    from pydantic_ai._parts_manager import ModelResponsePartsManager
    from pydantic_ai.models import ModelRequestParameters

    def theirs() -> None:
        manager = ModelResponsePartsManager(model_request_parameters=ModelRequestParameters())
        if kind == "text":
            for delta in texts:
                drain(manager.handle_text_delta(vendor_part_id=0, content=delta))
        else:
            manager.handle_tool_call_delta(vendor_part_id=0, tool_name="write", args="", tool_call_id="call_1")
            for delta in texts:
                manager.handle_tool_call_delta(vendor_part_id=0, args=delta)

    texts = deltas(10_000)
    return compare(partial(build, kind, texts), theirs, len(texts))


def beside(theirs: Callable[[Iterable[Any]], None], given: str, chunks: list[Any], api: str, words: int = 1) -> Result:
    """Compare with ours, which is given the deltas, or the same chunks."""
    ours = partial(build, "text", deltas(FEW, words)) if given == "deltas" else lambda: drain(decode(chunks, api=api))
    return compare(ours, lambda: theirs(chunks), FEW)


def openai_sdk(given: str) -> Result:
    from openai.lib.streaming.chat import ChatCompletionStreamState
    from openai.types.chat import ChatCompletionChunk

    def theirs(chunks: Iterable[Any]) -> None:
        state: Any = ChatCompletionStreamState()
        for chunk in chunks:
            state.handle_chunk(ChatCompletionChunk.construct(**chunk) if given == "payloads" else chunk)

    api = "openai-completions"
    payloads = [json.loads(text) for text in stream(api, FEW)]
    chunks = payloads if given == "payloads" else [ChatCompletionChunk.construct(**chunk) for chunk in payloads]
    return beside(theirs, given, chunks, api)


def anthropic_sdk(given: str) -> Result:
    from anthropic._models import construct_type
    from anthropic.lib.streaming._messages import accumulate_event
    from anthropic.types import RawMessageStreamEvent

    def theirs(chunks: Iterable[Any]) -> None:
        message: Any = None
        buffers: dict[int, bytes] = {}
        for chunk in chunks:  # payloads it makes into objects by itself
            message = accumulate_event(event=chunk, current_snapshot=message, json_bufs=buffers)

    api = "anthropic-messages"
    payloads = [json.loads(text) for text in stream(api, FEW)]
    chunks = (
        payloads
        if given == "payloads"
        else [construct_type(type_=RawMessageStreamEvent, value=chunk) for chunk in payloads]
    )
    return beside(theirs, given, chunks, api, words=4)


def langchain() -> Result:
    from langchain_core.messages import AIMessageChunk

    def theirs(chunks: Iterable[Any]) -> None:
        message = AIMessageChunk(content="")
        for chunk in chunks:
            message = message + chunk

    return beside(theirs, "deltas", [AIMessageChunk(content=delta) for delta in deltas(FEW)], "")


ROWS = [
    Row("builder / pydantic-ai parts manager, 10,000 text deltas", 0.5, partial(pydantic_ai, "text")),
    Row("builder / pydantic-ai parts manager, 10,000 of a tool call", 0.5, partial(pydantic_ai, "tool_call")),
    Row("builder / openai SDK's state, 2,000 deltas", 0.5, partial(openai_sdk, "deltas")),
    Row("decode / openai SDK's state, 2,000 payloads", 0.5, partial(openai_sdk, "payloads")),
    Row("decode / openai SDK's state, 2,000 of its objects", 0.5, partial(openai_sdk, "objects")),
    Row("builder / anthropic SDK's accumulate, 2,000 deltas", 0.5, partial(anthropic_sdk, "deltas")),
    Row("decode / anthropic SDK's accumulate, 2,000 payloads", 0.5, partial(anthropic_sdk, "payloads")),
    Row("decode / anthropic SDK's accumulate, 2,000 of its objects", 0.5, partial(anthropic_sdk, "objects")),
    Row("builder / langchain-core's chunk + chunk, 2,000 deltas", 0.5, langchain),
]
