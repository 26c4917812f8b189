"""The official SDKs' own objects, as their real clients yield them, decode like the raw payloads.

A local server sends the bytes that the provider would send; each client parses them in its own way,
and what it yields goes into `decode`. An SDK that is not installed is skipped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.recordings import NAMES, is_streamed, payloads
from support.recordings import api as api_of_recording
from support.sdk_payloads import OWN_PAYLOADS
from support.sdks import SDKS, Sdk, served

from provider_events import Done, Error, MessageEvent
from provider_events.decoders import adecode, decode

pytestmark = pytest.mark.filterwarnings("default")  # what the SDKs warn of is theirs to mend

CASES = {**OWN_PAYLOADS, **{name: payloads(name) for name in NAMES if is_streamed(name)}}
APIS = {name: name.split(".")[0] if name in OWN_PAYLOADS else api_of_recording(name) for name in CASES}
PAIRS = [(sdk, name) for name in CASES for sdk in SDKS if SDKS[sdk].reads(APIS[name], name)]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def error_words(payload: Any) -> str | None:
    """Return the message of an error payload, of the kinds for which the SDKs raise."""
    for kind, error in payload.items():
        if (kind == "error" or kind.endswith("Exception")) and error:
            return str(error["message"])
    return None


def raw_events(sdk: Sdk, texts: Sequence[str]) -> list[MessageEvent]:
    """Return the events of the raw payloads: of all that get through the SDK, and of the error that it raises."""

    def chunks() -> Iterator[Any]:
        for text in texts:
            if text != "[DONE]":
                payload = json.loads(
                    text, object_hook=lambda fields: {k: fields[k] for k in fields if k not in sdk.drops}
                )
                if words := error_words(payload):
                    raise RuntimeError(words)
                yield payload

    return list(decode(chunks(), api=sdk.api))


def assert_same(seen: list[MessageEvent], raw: list[MessageEvent]) -> None:
    last = raw[-1]
    words = last.error.error_message if isinstance(last, Error) else None
    if words and words.startswith("RuntimeError: "):  # each SDK puts the provider's words into its own
        assert isinstance(seen[-1], Error)
        assert words.removeprefix("RuntimeError: ") in str(seen[-1].error.error_message)
        seen = [*seen[:-1], replace(seen[-1], error=replace(seen[-1].error, error_message=words))]
    for index, (one, other) in enumerate(zip(seen, raw, strict=False)):
        assert one == other, f"event {index}"
    assert len(seen) == len(raw)


@pytest.mark.parametrize("sdk, name", PAIRS)
def test_an_sdks_objects_decode_like_the_raw_payloads(sdk: str, name: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    with served(CASES[name], SDKS[sdk].api) as url:
        seen = list(decode(SDKS[sdk].chunks(url)))
    assert_same(seen, raw_events(SDKS[sdk], CASES[name]))


@pytest.mark.parametrize("sdk, name", [pair for pair in PAIRS if SDKS[pair[0]].achunks])
def test_an_asynchronous_sdks_objects_decode_like_the_raw_payloads(sdk: str, name: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    achunks = SDKS[sdk].achunks
    assert achunks is not None

    async def events(url: str) -> list[MessageEvent]:
        return [event async for event in adecode(achunks(url), api=SDKS[sdk].api)]

    with served(CASES[name], SDKS[sdk].api) as url:
        seen = asyncio.run(events(url))
    assert_same(seen, raw_events(SDKS[sdk], CASES[name]))


@pytest.mark.parametrize("sdk", SDKS)
def test_it_is_the_sdks_own_objects_that_are_fed(sdk: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    name = f"{SDKS[sdk].api}.{SDKS[sdk].dialect or 'own'}"
    with served(CASES[name], SDKS[sdk].api) as url:
        chunks = list(SDKS[sdk].chunks(url))
    if sdk == "bedrock":
        assert any(type(chunk) is dict and b"\xfb\xff\xfe" in str_leaves(chunk) for chunk in chunks)
    else:
        assert all(type(chunk).__module__.startswith(SDKS[sdk].package) for chunk in chunks)
    assert isinstance(list(decode(chunks))[-1], Done)


def str_leaves(value: Any) -> list[Any]:
    return [leaf for member in value.values() for leaf in str_leaves(member)] if isinstance(value, dict) else [value]


@pytest.mark.parametrize("sdk", ["anthropic-helper", "anthropic-beta-helper"])
def test_the_helper_streams_repeat_what_the_raw_events_have(sdk: str) -> None:
    pytest.importorskip(SDKS[sdk].package)
    with served(CASES["anthropic-messages.own"], "anthropic-messages") as url:
        kinds = {chunk.type for chunk in SDKS[sdk].chunks(url)}
    assert kinds >= {"text", "thinking", "signature", "citation", "input_json", "content_block_delta"}


def test_the_helper_stream_of_chat_completions_repeats_what_its_chunks_have() -> None:
    pytest.importorskip("openai")
    with served(CASES["openai-completions.own"], "openai-completions") as url:
        kinds = {chunk.type for chunk in SDKS["openai-chat-helper"].chunks(url)}
    assert kinds >= {"chunk", "content.delta", "content.done", "refusal.delta", "tool_calls.function.arguments.delta"}
