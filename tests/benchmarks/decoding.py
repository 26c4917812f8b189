"""Decoders, over what only parses the same payloads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from provider_events.decoders import decode

from .measuring import Result, Row, compare, deltas, drain

# Streams as the providers send them: words in a delta, the chunks before, that of a delta, those after

CHAT = (
    '{"id":"chatcmpl-C2QD1kGWsTW5OWiqAtOSFEAOfPfQH","object":"chat.completion.chunk","created":1754693439,'
    '"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_07871e2ad8","usage":null,'
    '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"obfuscation":"S8ct"}'
)
MESSAGE = (
    '{"type":"message_start","message":{"model":"claude-sonnet-4-20250514",'
    '"id":"msg_01ALwQ87pTS7hH1PjSdC9wJD","type":"message",'
    '"role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":43,'
    '"output_tokens":1}}}'
)
RESPONSE = (
    '{"type":"response.%s","response":{"id":"resp_67e554a1","created_at":1743082657,"model":"gpt-4o",'
    '"status":"%s","output":[]}}'
)
GEMINI = (
    '{"candidates": [{"content": {"parts": [{"text": "%s"}],"role": "model"},%s"index": 0}],"usageMetadata": {'
    '"promptTokenCount": 34,"candidatesTokenCount": #,"totalTokenCount": 1266,'
    '"promptTokensDetails": [{"modality": "TEXT",'
    '"tokenCount": 34}],"thoughtsTokenCount": 1166},"modelVersion": "gemini-2.5-pro",'
    '"responseId": "beHBaJfEMIi-qtsP3769-Q8"}'
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
            (
                '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
                '"usage":{"output_tokens":9}}'
            ),
            '{"type":"message_stop"}',
        ],
    ),
    "openai-responses": (
        1,
        [
            RESPONSE % ("created", "in_progress"),
            (
                '{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message",'
                '"content":[]}}'
            ),
        ],
        '{"type":"response.output_text.delta","content_index":0,"delta":"%s",'
        '"item_id":"msg_05ed6c8b322854d8006a024b554efc'
        '8196a02e55b0a7352160","logprobs":[],"obfuscation":"5vr3uqNIoly8uwd","output_index":0,"sequence_number":#}',
        [RESPONSE % ("completed", "completed")],
    ),
    "google-generative-ai": (15, [], GEMINI % ("%s", ""), [GEMINI % ("", '"finishReason": "STOP",')]),
    "bedrock-converse-stream": (
        4,
        ['{"messageStart":{"role":"assistant"}}'],
        '{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"%s"}}}',
        [
            '{"contentBlockStop":{"contentBlockIndex":0}}',
            '{"messageStop":{"stopReason":"end_turn"}}',
            '{"metadata":{"usage":{}}}',
        ],
    ),
}


def stream(api: str, count: int) -> list[str]:
    words, before, chunk, after = STREAMS[api]
    texts = [*before, *(chunk % text for text in deltas(count, words)), *after]
    return [text.replace("#", str(place)) for place, text in enumerate(texts)]


def decoding(api: str) -> Result:
    texts = stream(api, 5_000)
    return compare(lambda: drain(decode(texts, api=api)), lambda: drain(map(json.loads, texts)), len(texts))


def openai_object(payload: Any) -> Any:
    from openai.types.chat import ChatCompletionChunk  # type: ignore[import-not-found, unused-ignore]

    return ChatCompletionChunk.construct(**payload)


def anthropic_object(payload: Any) -> Any:
    from anthropic._models import construct_type  # type: ignore[import-not-found, unused-ignore]
    from anthropic.types import RawMessageStreamEvent  # type: ignore[import-not-found, unused-ignore]

    return construct_type(type_=RawMessageStreamEvent, value=payload)


def google_object(payload: Any) -> Any:
    from google.genai.types import GenerateContentResponse  # type: ignore[import-not-found, unused-ignore]

    return GenerateContentResponse.model_validate(payload)


def decoding_objects(api: str, make: Callable[[Any], Any]) -> Result:
    payloads = [json.loads(text) for text in stream(api, 2_000)]
    objects = [make(payload) for payload in payloads]

    def run(chunks: Iterable[Any]) -> None:
        drain(decode(chunks, api=api))

    return compare(partial(run, objects), partial(run, payloads), len(payloads))


GOALS = {"openai-completions": 1.6, **dict.fromkeys(list(STREAMS)[1:], 2.0)}
ROWS = [
    *[Row(f"decode {api} / json.loads", goal, partial(decoding, api)) for api, goal in GOALS.items()],
    Row("decode, openai's objects / dicts", 2, partial(decoding_objects, "openai-completions", openai_object)),
    Row("decode, anthropic's objects / dicts", 2, partial(decoding_objects, "anthropic-messages", anthropic_object)),
    Row("decode, google-genai's objects / dicts", 3, partial(decoding_objects, "google-generative-ai", google_object)),
]
