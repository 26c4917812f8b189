"""Events of Bedrock's ConverseStream."""

from __future__ import annotations

from typing import Any

from provider_events import AssistantMessage, MessageEvent

from . import decoding

API = "bedrock-converse-stream"
START = {"messageStart": {"role": "assistant"}}


def begin(index: int | None, **start: Any) -> dict[str, Any]:
    return {"contentBlockStart": {"contentBlockIndex": index, "start": start}}


def call(index: int | None, id: str | None, name: str | None, **fields: Any) -> dict[str, Any]:
    return begin(index, toolUse={"toolUseId": id, "name": name, **fields})


def delta(index: int | None, **fields: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": fields}}


def arguments(index: int | None, text: Any) -> dict[str, Any]:
    return delta(index, toolUse={"input": text})


def reasoning(index: int | None, **fields: Any) -> dict[str, Any]:
    return delta(index, reasoningContent=fields)


def end(index: int | None) -> dict[str, Any]:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def stop(reason: str | None, **fields: Any) -> dict[str, Any]:
    return {"messageStop": {"stopReason": reason, **fields}}


def metadata(**usage: Any) -> dict[str, Any]:
    return {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}


HI = delta(0, text="H"), delta(0, text="i")
END = stop("end_turn"), metadata()


def decoded(*chunks: Any) -> list[MessageEvent]:
    return decoding.decoded(API, [START, *chunks])


def final(*chunks: Any) -> AssistantMessage:
    return decoded(*chunks)[-1].partial


def content(*chunks: Any) -> tuple[Any, ...]:
    return decoding.content(API, [START, *chunks, *END])
