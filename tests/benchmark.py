"""What the package costs: `python tests/benchmark.py [SECONDS]`, where SECONDS is about how long it may take.

Every line is a ratio of two measurements of one run, taken in turns, the least of each, so that a
busy machine matters little. Lines about another library need it installed.
"""

from __future__ import annotations

import gc
import io
import json
import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeAlias

ROOT = str(Path(__file__).resolve().parents[1])
sys.path.insert(0, ROOT)

from provider_events import (  # noqa: E402
    AnyProviderEvent,
    AssistantMessage,
    MessageBuilder,
    StopReason,
    TextContent,
    TextDelta,
    check,
    event_to_wire,
    message_to_wire,
    read_jsonl,
    write_jsonl,
)
from provider_events.decoders import decode  # noqa: E402
from provider_events.fallback import MultiProvider  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 70.0
WORDS = ("The", " capital", " of", " France", " is", " Paris", ".", " It", " lies", " on", " the", " Seine", ",", " and")
FEW = 2_000  # deltas, where another library's cost grows with the length of the message

Result: TypeAlias = tuple[float, str]
"""What is held against the goal, and what it is made of."""


# Measuring


def least(*sides: Callable[[], object], clock: Callable[[], float] = time.process_time, share: float = 1) -> list[float]:
    """The least time that each side takes, in seconds, taken in turns."""
    times: list[list[float]] = [[] for _ in sides]
    gc.collect()
    gc.freeze()  # so that a collection is about what a side leaves behind
    deadline = time.perf_counter() + share * SECONDS / (len(LINES) + 4)
    while len(times[0]) < 5 or time.perf_counter() < deadline:
        for side, taken in zip(sides, times, strict=True):
            gc.collect()
            gc.disable()
            begin = clock()
            side()
            taken.append(clock() - begin)
            gc.enable()
    return [min(taken) for taken in times]


def compare(ours: Callable[[], object], theirs: Callable[[], object], count: int) -> Result:
    one, other = least(ours, theirs)
    return one / other, f"{one / count * 1e9:,.0f} ns over {other / count * 1e9:,.0f} ns"


def drain(events: Iterable[object]) -> None:
    for _ in events:
        pass


def pieces(count: int, words: int = 1) -> list[str]:
    source = cycle(WORDS)
    return ["".join(islice(source, words)) for _ in range(count)]


# The builder and its events


def begun(kind: str) -> Callable[[str], Any]:
    """The call that takes the deltas of a block that has begun."""
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    builder.start()
    if kind == "text":
        builder.text_start()
        return builder.text_delta
    builder.tool_call_start("call_1", "write")
    return builder.tool_call_delta


def build(kind: str, deltas: list[str], times: int = 1) -> None:
    for _ in range(times):
        delta = begun(kind)
        for piece in deltas:
            delta(piece)


COUNTS = {1_000: 20, 10_000: 2, 100_000: 1}  # deltas of a message: how many messages at once


def at_all_sizes(sides: Iterable[Callable[[], object]]) -> Result:
    """The slowest length of a message over the fastest, for what is done to as many of each as `COUNTS` says."""
    times = least(*sides, share=3)
    each = {size: taken / (size * count) * 1e9 for (size, count), taken in zip(COUNTS.items(), times, strict=True)}
    return max(each.values()) / min(each.values()), ", ".join(f"{taken:,.0f} ns at {size:,}" for size, taken in each.items())


def builder_at_all_sizes(kind: str) -> Result:
    return at_all_sizes(partial(build, kind, pieces(size), count) for size, count in COUNTS.items())


def kept_memory() -> Result:
    delta, deltas = begun("text"), pieces(100_000)
    tracemalloc.start()
    events = [delta(piece) for piece in deltas]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / len(events), "bytes, without the delta itself"


@dataclass(slots=True)
class PlainTextDelta:
    content_index: int
    delta: str
    partial: AssistantMessage


def make(kind: Callable[[int, str, AssistantMessage], object]) -> None:
    message = AssistantMessage("a", "p", "m")
    for _ in range(50_000):
        kind(0, "delta", message)


def making_an_event() -> Result:
    return compare(partial(make, TextDelta), partial(make, PlainTextDelta), 50_000)


def reading_every_snapshot() -> Result:
    def ours() -> None:
        delta = begun("text")
        for piece in deltas:
            delta(piece).partial.text

    def plain() -> None:
        text = ""
        for piece in deltas:
            text = text + piece
            AssistantMessage("a", "p", "m", content=(TextContent(text),)).text

    deltas = pieces(10_000)
    return compare(ours, plain, len(deltas))


def importing() -> Result:
    def run(modules: str) -> None:
        subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {ROOT!r}); import {modules}"], check=True)

    base = "dataclasses, enum, typing, json"
    ours, theirs = least(lambda: run(f"{base}, provider_events"), lambda: run(base), clock=time.perf_counter)
    return ours / theirs, f"{ours * 1e3:.1f} ms over {theirs * 1e3:.1f} ms: {(ours - theirs) * 1e3:.1f} ms more"


# Decoding. Streams as the providers send them: the words of a delta, the chunks before, that of a delta, those after

CHAT = (
    '{"id":"chatcmpl-C2QD1kGWsTW5OWiqAtOSFEAOfPfQH","object":"chat.completion.chunk","created":1754693439,'
    '"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_07871e2ad8","usage":null,'
    '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"obfuscation":"S8ct"}'
)
MESSAGE = (
    '{"type":"message_start","message":{"model":"claude-sonnet-4-20250514","id":"msg_01ALwQ87pTS7hH1PjSdC9wJD","type":"message",'
    '"role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":43,"output_tokens":1}}}'
)
RESPONSE = '{"type":"response.%s","response":{"id":"resp_67e554a1","created_at":1743082657,"model":"gpt-4o","status":"%s","output":[]}}'
GEMINI = (
    '{"candidates": [{"content": {"parts": [{"text": "%s"}],"role": "model"},%s"index": 0}],"usageMetadata": {'
    '"promptTokenCount": 34,"candidatesTokenCount": #,"totalTokenCount": 1266,"promptTokensDetails": [{"modality": "TEXT",'
    '"tokenCount": 34}],"thoughtsTokenCount": 1166},"modelVersion": "gemini-2.5-pro","responseId": "beHBaJfEMIi-qtsP3769-Q8"}'
)
STREAMS: dict[str, tuple[int, list[str], str, list[str]]] = {
    "openai-completions": (
        1,
        [CHAT % ('{"role":"assistant","content":"","refusal":null}', "null")],
        CHAT % ('{"content":"%s"}', "null"),
        [CHAT % ("{}", '"stop"')],
    ),
    "anthropic-messages": (
        4,
        [MESSAGE, '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}   }'],
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}       }',
        [
            '{"type":"content_block_stop","index":0}',
            '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}',
            '{"type":"message_stop"}',
        ],
    ),
    "openai-responses": (
        1,
        [
            RESPONSE % ("created", "in_progress"),
            '{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","content":[]}}',
        ],
        '{"type":"response.output_text.delta","content_index":0,"delta":"%s","item_id":"msg_05ed6c8b322854d8006a024b554efc'
        '8196a02e55b0a7352160","logprobs":[],"obfuscation":"5vr3uqNIoly8uwd","output_index":0,"sequence_number":#}',
        [RESPONSE % ("completed", "completed")],
    ),
    "google-generative-ai": (15, [], GEMINI % ("%s", ""), [GEMINI % ("", '"finishReason": "STOP",')]),
    "bedrock-converse-stream": (
        4,
        ['{"messageStart":{"role":"assistant"}}'],
        '{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"%s"}}}',
        ['{"contentBlockStop":{"contentBlockIndex":0}}', '{"messageStop":{"stopReason":"end_turn"}}', '{"metadata":{"usage":{}}}'],
    ),
}


def stream(api: str, count: int) -> list[str]:
    words, before, chunk, after = STREAMS[api]
    texts = [*before, *(chunk % piece for piece in pieces(count, words)), *after]
    return [text.replace("#", str(place)) for place, text in enumerate(texts)]


def decoding(api: str) -> Result:
    texts = stream(api, 5_000)
    return compare(lambda: drain(decode(texts, api=api)), lambda: drain(map(json.loads, texts)), len(texts))


# Routing


def routing() -> Result:
    """Handing events on, against a generator that does nothing else."""
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    events: list[AnyProviderEvent] = [builder.start(), builder.text_start(), *map(builder.text_delta, pieces(20_000))]
    events += [builder.text_end(), builder.done(StopReason.STOP)]

    async def candidate(request: object) -> AsyncIterator[AnyProviderEvent]:
        for event in events:
            yield event

    async def bare(request: object) -> AsyncIterator[AnyProviderEvent]:
        async for event in candidate(request):
            yield event

    async def drain_all(stream: AsyncIterable[object]) -> None:
        async for _ in stream:
            pass

    def run(stream: Callable[[object], AsyncIterable[object]]) -> None:
        try:
            drain_all(stream(None)).send(None)  # nothing waits, so no event loop is needed
        except StopIteration:
            return
        raise AssertionError("it waits")

    provider: MultiProvider[object] = MultiProvider({"m": candidate})
    return compare(lambda: run(provider.stream), lambda: run(bare), len(events))


# Checking and keeping


def speak(count: int) -> Iterable[AnyProviderEvent]:
    """A stream as it is made."""
    builder = MessageBuilder(api="a", provider="p", model="m", timestamp=0)
    yield builder.start()
    yield builder.text_start()
    yield from map(builder.text_delta, pieces(count))
    yield builder.text_end()
    yield builder.done(StopReason.STOP)


def bare(events: Iterable[AnyProviderEvent]) -> Iterable[AnyProviderEvent]:
    for event in events:
        yield event


def checking(source: Callable[[int], Iterable[AnyProviderEvent]]) -> Result:
    """The worst ratio of all lengths, with the time of the longest."""
    results = []
    for count in COUNTS:
        ours, theirs = least(lambda: drain(check(source(count))), lambda: drain(bare(source(count))))
        results.append((ours / theirs, f"{ours / count * 1e9:,.0f} ns over {theirs / count * 1e9:,.0f} ns"))
    ratios = ", ".join(f"{ratio:.2f} at {count:,}" for count, (ratio, _) in zip(COUNTS, results, strict=True))
    return max(results)[0], f"{ratios}; {results[-1][1]}"


def kept_in_a_list() -> Result:
    kept = {count: list(speak(count)) for count in COUNTS}
    return checking(kept.__getitem__)


def logged(count: int) -> str:
    file = io.StringIO()
    write_jsonl(speak(count), file)
    return file.getvalue()


def writing_a_log() -> Result:
    def write(events: list[AnyProviderEvent], times: int) -> None:
        for _ in range(times):
            write_jsonl(events, io.StringIO())

    return at_all_sizes(partial(write, list(speak(size)), count) for size, count in COUNTS.items())


def reading_a_log() -> Result:
    def read(lines: list[str], times: int) -> None:
        for _ in range(times):
            drain(read_jsonl(lines))

    return at_all_sizes(partial(read, logged(size).splitlines(), count) for size, count in COUNTS.items())


def size_of_a_log() -> Result:
    """Bytes of a log against what it may have; beside them the JSON form that carries the snapshots."""
    events, log = list(speak(1_000)), len(logged(1_000))
    last = events[-1].partial
    assert last is not None
    characters = sum(len(event.delta) for event in events if isinstance(event, TextDelta))
    bound = 3 * characters + 120 * len(events) + len(json.dumps(message_to_wire(last)))
    whole = sum(len(json.dumps(event_to_wire(event))) + 1 for event in events)
    longer = len(logged(10_000))
    return log / bound, f"{log:,} bytes at 1,000 deltas, {longer:,} at 10,000; with snapshots {whole:,} at 1,000"


# Side by side with other libraries, which only accumulate


def pydantic_ai(kind: str) -> Result:
    from pydantic_ai._parts_manager import ModelResponsePartsManager
    from pydantic_ai.models import ModelRequestParameters

    def theirs() -> None:
        manager = ModelResponsePartsManager(model_request_parameters=ModelRequestParameters())
        if kind == "text":
            for piece in deltas:
                drain(manager.handle_text_delta(vendor_part_id=0, content=piece))
        else:
            manager.handle_tool_call_delta(vendor_part_id=0, tool_name="write", args="", tool_call_id="call_1")
            for piece in deltas:
                manager.handle_tool_call_delta(vendor_part_id=0, args=piece)

    deltas = pieces(10_000)
    return compare(partial(build, kind, deltas), theirs, len(deltas))


def beside(theirs: Callable[[Iterable[Any]], None], given: str, chunks: list[Any], api: str, words: int = 1) -> Result:
    """Ours is given deltas, or the chunks that theirs are given."""
    ours = partial(build, "text", pieces(FEW, words)) if given == "deltas" else lambda: drain(decode(chunks, api=api))
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
    chunks = payloads if given == "payloads" else [construct_type(type_=RawMessageStreamEvent, value=chunk) for chunk in payloads]
    return beside(theirs, given, chunks, api, words=4)


def langchain() -> Result:
    from langchain_core.messages import AIMessageChunk

    def theirs(chunks: Iterable[Any]) -> None:
        message = AIMessageChunk(content="")
        for chunk in chunks:
            message = message + chunk

    return beside(theirs, "deltas", [AIMessageChunk(content=piece) for piece in pieces(FEW)], "")


GOALS = {"openai-completions": 1.6, "anthropic-messages": 2, "openai-responses": 2, "google-generative-ai": 2, "bedrock-converse-stream": 2}
LINES: list[tuple[str, float | None, Callable[[], Result]]] = [
    ("builder, text: the slowest length over the fastest", 1.2, partial(builder_at_all_sizes, "text")),
    ("builder, tool call: the slowest length over the fastest", 1.2, partial(builder_at_all_sizes, "tool_call")),
    ("kept memory per event of 100,000", 300, kept_memory),
    *((f"decode {api} / json.loads", goal, partial(decoding, api)) for api, goal in GOALS.items()),
    ("MultiProvider / async for, yield", 1.5, routing),
    ("check / for, yield, over a builder's stream", 2, partial(checking, speak)),
    ("check / for, yield, over a list", 2, kept_in_a_list),
    ("write_jsonl: the slowest length over the fastest", 1.2, writing_a_log),
    ("read_jsonl: the slowest length over the fastest", 1.2, reading_a_log),
    ("size of a log / 3 a character, 120 an event, a message", 1, size_of_a_log),
    ("making a TextDelta / the same, not frozen", 1.3, making_an_event),
    ("partial.text at 10,000 deltas / str + delta, message", 1.0, reading_every_snapshot),
    ("import provider_events / dataclasses, enum, typing, json", None, importing),
    ("builder / pydantic-ai parts manager, 10,000 text deltas", 0.5, partial(pydantic_ai, "text")),
    ("builder / pydantic-ai parts manager, 10,000 of a tool call", 0.5, partial(pydantic_ai, "tool_call")),
    ("builder / openai SDK's state, 2,000 deltas", 0.5, partial(openai_sdk, "deltas")),
    ("decode / openai SDK's state, 2,000 payloads", 0.5, partial(openai_sdk, "payloads")),
    ("decode / openai SDK's state, 2,000 of its objects", 0.5, partial(openai_sdk, "objects")),
    ("builder / anthropic SDK's accumulate, 2,000 deltas", 0.5, partial(anthropic_sdk, "deltas")),
    ("decode / anthropic SDK's accumulate, 2,000 payloads", 0.5, partial(anthropic_sdk, "payloads")),
    ("decode / anthropic SDK's accumulate, 2,000 of its objects", 0.5, partial(anthropic_sdk, "objects")),
    ("builder / langchain-core's chunk + chunk, 2,000 deltas", 0.5, langchain),
]


def version(library: str) -> str:
    try:
        return f"{library} {metadata.version(library)}"
    except metadata.PackageNotFoundError:
        return f"no {library}"


def main() -> None:
    print(platform.python_implementation(), platform.python_version(), platform.system(), platform.machine())
    print(", ".join(map(version, ("pydantic-ai-slim", "openai", "anthropic", "langchain-core", "pydantic"))))
    print(f"\n{'':60}{'ratio':>6}{'goal':>6}")
    for name, goal, measure in LINES:
        try:
            ratio, detail = measure()
        except ImportError as error:
            print(f"{name:60}{'-':>6}{goal or '-':>6}    {error}")
            continue
        mark = "!" if goal is not None and ratio > goal else " "
        print(f"{name:60}{ratio:>6.{0 if ratio > 100 else 2}f}{goal or '-':>6} {mark}  {detail}", flush=True)


if __name__ == "__main__":
    main()
