"""What the package costs: `python tests/benchmark.py [SECONDS]`, where SECONDS is about how long it may take.

Every line is a ratio of two measurements of one run, taken in turns, the least of each, so that a
busy machine is no matter. Lines about another library need it installed.
"""

from __future__ import annotations

import gc
import json
import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from provider_events import AssistantMessage, MessageBuilder, TextContent, TextDelta  # noqa: E402
from provider_events.decoders import decode  # noqa: E402

LIBRARIES = ("pydantic-ai-slim", "openai", "anthropic", "langchain-core", "pydantic")
WORDS = ("The", " capital", " of", " France", " is", " Paris", ".", "\n\n", " It", " lies", " on", " the", " Seine", ",", " and")
FEW = 2_000  # deltas, for what is quadratic elsewhere

Result: TypeAlias = tuple[float, str]
"""A measurement to be held against its goal, and what it is made of."""


# Measuring


def least(*sides: Callable[[], object]) -> list[float]:
    """The least time that each side takes, in seconds, taken in turns."""
    times: list[list[float]] = [[] for _ in sides]
    deadline = time.perf_counter() + SECONDS / len(LINES)
    while len(times[0]) < 3 or time.perf_counter() < deadline:
        for side, taken in zip(sides, times, strict=True):
            gc.collect()
            gc.disable()
            begin = time.perf_counter()
            side()
            taken.append(time.perf_counter() - begin)
            gc.enable()
    return [min(taken) for taken in times]


def compare(ours: Callable[[], object], theirs: Callable[[], object], count: int) -> Result:
    one, other = least(ours, theirs)
    return one / other, f"{one / count * 1e9:,.0f} ns over {other / count * 1e9:,.0f} ns"


def drain(events: Iterable[object]) -> None:
    for _ in events:
        pass


def pieces(count: int) -> list[str]:
    return [f"{WORDS[place % len(WORDS)]}" for place in range(count)]


def json_pieces(count: int) -> list[str]:
    """The pieces of a JSON object with one long string in it."""
    return ['{"text": "', *(word.replace("\n", "\\n") for word in pieces(count - 2)), '"}']


def builder(kind: str) -> tuple[MessageBuilder, Callable[[str], object]]:
    made = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    made.start()
    if kind == "text":
        made.text_start()
        return made, made.text_delta
    made.tool_call_start("call_1", "write")
    return made, made.tool_call_delta


def build(kind: str, deltas: list[str], times: int = 1) -> None:
    for _ in range(times):
        _, delta = builder(kind)
        for piece in deltas:
            delta(piece)


# The builder and the events


def builder_at_all_sizes(kind: str) -> Result:
    sizes = (1_000, 10_000, 100_000)
    deltas = pieces if kind == "text" else json_pieces
    times = least(*(partial(build, kind, deltas(size), sizes[-1] // size) for size in sizes))
    each = ", ".join(f"{size:,}: {taken / sizes[-1] * 1e9:,.0f} ns" for size, taken in zip(sizes, times, strict=True))
    return max(times) / min(times), each


def kept_memory() -> Result:
    _, delta = builder("text")
    deltas = pieces(100_000)
    gc.collect()
    tracemalloc.start()
    events = [delta(piece) for piece in deltas]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / len(events), "bytes"


@dataclass(slots=True)
class PlainTextDelta:
    content_index: int
    delta: str
    partial: AssistantMessage


def make(kind: Callable[[int, str, AssistantMessage], object], count: int) -> None:
    message = AssistantMessage("a", "p", "m")
    for _ in range(count):
        kind(0, "delta", message)


def making_an_event() -> Result:
    return compare(partial(make, TextDelta, 50_000), partial(make, PlainTextDelta, 50_000), 50_000)


def read_snapshots(deltas: list[str]) -> None:
    made, _ = builder("text")
    for piece in deltas:
        made.text_delta(piece).partial.text


def make_messages(deltas: list[str]) -> None:
    text = ""
    for piece in deltas:
        text = text + piece
        AssistantMessage("a", "p", "m", content=(TextContent(text),)).text


def reading_every_snapshot() -> Result:
    deltas = pieces(10_000)
    return compare(partial(read_snapshots, deltas), partial(make_messages, deltas), len(deltas))


def importing() -> Result:
    def run(modules: str) -> None:
        subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {modules}"], check=True)

    base = "dataclasses, enum, typing, json"
    ours, theirs = least(lambda: run(f"{base}, provider_events"), lambda: run(base))
    return ours / theirs, f"{ours * 1e3:.1f} ms over {theirs * 1e3:.1f} ms: {(ours - theirs) * 1e3:.1f} ms more"


# Decoding: streams as the providers send them


def completions(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-C2QD1kGWsTW5OWiqAtOSFEAOfPfQH", "object": "chat.completion.chunk", "created": 1754693439,
        "model": "gpt-4o-2024-08-06", "service_tier": "default", "system_fingerprint": "fp_07871e2ad8", "usage": None,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}], "obfuscation": "S8ct",
    }  # fmt: skip


def completions_stream(count: int) -> list[dict[str, Any]]:
    first = completions({"role": "assistant", "content": "", "refusal": None})
    return [first, *(completions({"content": piece}) for piece in pieces(count)), completions({}, "stop")]


def anthropic_stream(count: int) -> list[dict[str, Any]]:
    usage = {"input_tokens": 43, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {
        "model": "claude-sonnet-4-20250514", "id": "msg_01ALwQ87pTS7hH1PjSdC9wJD", "type": "message", "role": "assistant",
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in pieces(count)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]


def responses_stream(count: int) -> list[dict[str, Any]]:
    item = {"id": "msg_67e554a21aa88191b65876ac5e5bbe0406c52f0e511c76ed", "type": "message", "role": "assistant", "content": []}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    answer = {"id": "resp_67e554a155508191900ee113293c4c83", "created_at": 1743082657, "model": "gpt-4o-2024-08-06", "output": []}
    deltas = (
        {"type": "response.output_text.delta", "sequence_number": number, **place, "delta": piece, "logprobs": [], "obfuscation": "dV9iYz"}
        for number, piece in enumerate(pieces(count), 4)
    )
    return [
        {"type": "response.created", "sequence_number": 0, "response": answer},
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item},
        *deltas,
        {"type": "response.completed", "sequence_number": count + 4, "response": {**answer, "status": "completed"}},
    ]


def google_stream(count: int) -> list[dict[str, Any]]:
    def chunk(text: str, **more: Any) -> dict[str, Any]:
        tokens = {"promptTokenCount": 34, "totalTokenCount": 1200, "thoughtsTokenCount": 1100}
        tokens |= {"candidatesTokenCount": 66, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 34}]}
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
        said = {"modelVersion": "gemini-2.5-pro", "responseId": "beHBaJfEMIi-qtsP3769-Q8"}
        return {"candidates": [candidate], "usageMetadata": tokens, **said}

    return [*map(chunk, pieces(count)), chunk("", finishReason="STOP")]


def bedrock_stream(count: int) -> list[dict[str, Any]]:
    return [
        {"messageStart": {"role": "assistant"}},
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": piece}}} for piece in pieces(count)),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 22, "outputTokens": 55, "totalTokens": 77}, "metrics": {"latencyMs": 2040}}},
    ]


def decoding(api: str, stream: Callable[[int], list[dict[str, Any]]]) -> Result:
    texts = [json.dumps(chunk, separators=(",", ":")) for chunk in stream(5_000)]
    return compare(lambda: drain(decode(texts, api=api)), lambda: drain(map(json.loads, texts)), len(texts))


# Side by side with other libraries


def pydantic_ai_text() -> Result:
    from pydantic_ai._parts_manager import ModelResponsePartsManager
    from pydantic_ai.models import ModelRequestParameters

    def theirs() -> None:
        manager = ModelResponsePartsManager(model_request_parameters=ModelRequestParameters())
        for piece in deltas:
            drain(manager.handle_text_delta(vendor_part_id=0, content=piece))

    deltas = pieces(10_000)
    return compare(partial(build, "text", deltas), theirs, len(deltas))


def pydantic_ai_tool_call() -> Result:
    from pydantic_ai._parts_manager import ModelResponsePartsManager
    from pydantic_ai.models import ModelRequestParameters

    def theirs() -> None:
        manager = ModelResponsePartsManager(model_request_parameters=ModelRequestParameters())
        manager.handle_tool_call_delta(vendor_part_id=0, tool_name="write", args="", tool_call_id="call_1")
        for piece in deltas:
            manager.handle_tool_call_delta(vendor_part_id=0, args=piece)

    deltas = json_pieces(10_000)
    return compare(partial(build, "tool_call", deltas), theirs, len(deltas))


def beside(theirs: Callable[[Iterable[Any]], None], given: str, dicts: list[Any], objects: list[Any], api: str) -> Result:
    """Ours from deltas, from parsed payloads, or from the SDK's objects; theirs from the objects or the payloads."""
    chunks = dicts if given == "payloads" else objects
    ours = partial(build, "text", pieces(FEW)) if given == "deltas" else lambda: drain(decode(chunks, api=api))
    return compare(ours, lambda: theirs(chunks), FEW)


def openai_sdk(given: str) -> Result:
    from openai.lib.streaming.chat import ChatCompletionStreamState
    from openai.types.chat import ChatCompletionChunk

    def theirs(chunks: Iterable[Any]) -> None:
        state: Any = ChatCompletionStreamState()
        for chunk in chunks:
            state.handle_chunk(ChatCompletionChunk.construct(**chunk) if given == "payloads" else chunk)

    dicts = completions_stream(FEW)
    return beside(theirs, given, dicts, [ChatCompletionChunk.construct(**chunk) for chunk in dicts], "openai-completions")


def anthropic_sdk(given: str) -> Result:
    from anthropic._models import construct_type
    from anthropic.lib.streaming._messages import accumulate_event
    from anthropic.types import RawMessageStreamEvent

    def theirs(chunks: Iterable[Any]) -> None:
        message: Any = None
        buffers: dict[int, bytes] = {}
        for chunk in chunks:  # payloads it makes into objects by itself
            message = accumulate_event(event=chunk, current_snapshot=message, json_bufs=buffers)

    dicts = anthropic_stream(FEW)
    objects = [construct_type(type_=RawMessageStreamEvent, value=chunk) for chunk in dicts]
    return beside(theirs, given, dicts, objects, "anthropic-messages")


def langchain() -> Result:
    from langchain_core.messages import AIMessageChunk

    def theirs(chunks: Iterable[Any]) -> None:
        message = AIMessageChunk(content="")
        for chunk in chunks:
            message = message + chunk

    return beside(theirs, "deltas", [], [AIMessageChunk(content=piece) for piece in pieces(FEW)], "")


LINES: list[tuple[str, float | None, Callable[[], Result]]] = [
    ("builder: a text delta, slowest size over fastest", 1.2, partial(builder_at_all_sizes, "text")),
    ("builder: a tool call delta, slowest size over fastest", 1.2, partial(builder_at_all_sizes, "tool_call")),
    ("kept memory, per event of 100,000", 300, kept_memory),
    ("decode openai-completions / json.loads", 1.6, partial(decoding, "openai-completions", completions_stream)),
    ("decode anthropic-messages / json.loads", 2, partial(decoding, "anthropic-messages", anthropic_stream)),
    ("decode openai-responses / json.loads", 2, partial(decoding, "openai-responses", responses_stream)),
    ("decode google-generative-ai / json.loads", 2, partial(decoding, "google-generative-ai", google_stream)),
    ("decode bedrock-converse-stream / json.loads", 2, partial(decoding, "bedrock-converse-stream", bedrock_stream)),
    ("making a TextDelta / the same, not frozen", 1.3, making_an_event),
    ("partial.text at 10,000 deltas / str + delta, message", 1.0, reading_every_snapshot),
    ("import provider_events / an interpreter without", None, importing),
    ("builder / pydantic-ai parts manager, text", 0.5, pydantic_ai_text),
    ("builder / pydantic-ai parts manager, tool call", 0.5, pydantic_ai_tool_call),
    ("builder / openai SDK state, 2,000 deltas", 0.5, partial(openai_sdk, "deltas")),
    ("decode / openai SDK state, 2,000 payloads", 0.5, partial(openai_sdk, "payloads")),
    ("decode / openai SDK state, 2,000 SDK objects", 0.5, partial(openai_sdk, "objects")),
    ("builder / anthropic SDK accumulate, 2,000 deltas", 0.5, partial(anthropic_sdk, "deltas")),
    ("decode / anthropic SDK accumulate, 2,000 payloads", 0.5, partial(anthropic_sdk, "payloads")),
    ("decode / anthropic SDK accumulate, 2,000 SDK objects", 0.5, partial(anthropic_sdk, "objects")),
    ("builder / langchain-core chunk sum, 2,000 deltas", 0.5, langchain),
]


def version(library: str) -> str:
    try:
        return f"{library} {metadata.version(library)}"
    except metadata.PackageNotFoundError:
        return f"no {library}"


def main() -> None:
    print(platform.python_implementation(), platform.python_version(), platform.system(), platform.machine())
    print(", ".join(map(version, LIBRARIES)))
    print(f"\n{'':54}{'ratio':>7}{'goal':>7}")
    for name, goal, measure in LINES:
        try:
            ratio, detail = measure()
        except ImportError as error:
            print(f"{name:54}{'-':>7}{goal or '-':>7}    {error}")
            continue
        late = "  " if goal is None or ratio <= goal else " !"
        print(f"{name:54}{ratio:>7.{0 if ratio > 100 else 2}f}{goal or '-':>7}{late}  {detail}", flush=True)


SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0

if __name__ == "__main__":
    main()
