"""Faults that are neither a provider's words nor its end: bugs of ours, mistakes of the caller, a stack used up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from support.small_streams import STREAMS, Decode, both_ways, every_format, final

from provider_events import Error, StopReason
from provider_events.decoders import OpenAICompletionsDecoder, decode

# Bugs of our own


class _Broken(OpenAICompletionsDecoder):
    def _read(self, payload: Mapping[str, Any]) -> None:
        raise ZeroDivisionError("a bug")

    def _is_complete(self) -> bool:
        raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("use", [lambda decoder: decoder.feed({"choices": []}), lambda decoder: decoder.close()])
def test_a_bug_in_a_decoder_is_logged_with_its_traceback(use: Any, caplog: pytest.LogCaptureFixture) -> None:
    (event,) = use(_Broken())
    assert "the decoder failed: ZeroDivisionError: a bug" in event.error.error_message
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("provider_events", "ERROR")
    assert record.exc_info and record.exc_info[0] is ZeroDivisionError


@every_format
@pytest.mark.parametrize("depth", [100, 200, 5_000])
def test_a_chunk_that_nests_too_deep_never_raises(api: str, depth: int) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = {"a": [deep]}
    for chunk in STREAMS[api]:
        for key in chunk:
            final(decode([{**chunk, key: deep}, *STREAMS[api]], api=api))
            final(decode([{**chunk, key: deep}, *STREAMS[api]]))
            final(decode([*STREAMS[api][:-1], {**STREAMS[api][-1], "new": deep}], api=api))


def test_a_stack_that_is_used_up_is_no_error_of_the_stream() -> None:
    class Deep(OpenAICompletionsDecoder):
        def _read(self, payload: Mapping[str, Any]) -> None:
            raise RecursionError

    with pytest.raises(RecursionError):
        Deep().feed({"choices": []})


# Mistakes of the caller that only the chunks show


@every_format
@both_ways
def test_a_wrong_name_of_the_format_is_an_error_that_names_the_right_one(run: Decode, api: str) -> None:
    wrong = "cohere-chat" if api != "cohere-chat" else "bedrock-converse-stream"
    message = final(run(STREAMS[api], api=wrong))
    assert (message.stop_reason, message.content) == (StopReason.ERROR, ())
    beginning = f"no chunk was in the format {wrong}, but they are in {api}; the stream began: "
    assert str(message.error_message).startswith(beginning)


def test_a_body_that_did_not_go_through_iter_sse_is_an_error_that_shows_it() -> None:
    body = ["event: x\ndata: {}\n\n"]
    assert "the stream began: event: x" in str(final(decode(body)).error_message)
    assert "through iter_sse first" in str(final(decode(body, api="openai-completions")).error_message)


def test_a_cancellation_aborts() -> None:
    (event,) = OpenAICompletionsDecoder().fail(KeyboardInterrupt())
    assert isinstance(event, Error) and event.reason is StopReason.ABORTED
