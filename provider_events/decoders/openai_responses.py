# SPDX-License-Identifier: MIT
"""OpenAI's Responses API and its imitators.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._error_words import error_words
from .._json import OBJECT
from ..messages import StopReason, Usage
from ._payload import Payload, array_or_empty, index_or_none, object_or_empty, text_or_none
from ._responses_delta import ResponsesDeltas
from ._responses_item_text import Source
from ._stop_reasons import stop_reason

__all__ = ["OpenAIResponsesDecoder"]

# The events of text, by their names without "response." and ".delta" or ".done": the source of the text, the key of
# its part's index, and the key of the text where it is whole.
_TEXTS: dict[str, tuple[Source, str, str]] = {
    "output_text": ("text", "content_index", "text"),
    "refusal": ("refusal", "content_index", "refusal"),
    "reasoning_summary_text": ("summary", "summary_index", "text"),
    "reasoning_summary": ("summary", "summary_index", "text"),
    "reasoning_text": ("reasoning", "content_index", "text"),
    "reasoning": ("reasoning", "content_index", "text"),
    "function_call_arguments": ("arguments", "content_index", "arguments"),
    "custom_tool_call_input": ("input", "content_index", "input"),
}
_DELTAS: dict[object, tuple[Source, str]] = {f"response.{name}.delta": text[:2] for name, text in _TEXTS.items()}
_WHOLES: dict[object, tuple[Source, str, str]] = {f"response.{name}.done": text for name, text in _TEXTS.items()}
# The events of parts: the key of the part's index.
_PARTS: dict[object, str] = {
    "response.content_part.added": "content_index",
    "response.content_part.done": "content_index",
    "response.reasoning_part.added": "content_index",  # vLLM
    "response.reasoning_part.done": "content_index",
    "response.reasoning_summary_part.added": "summary_index",
    "response.reasoning_summary_part.done": "summary_index",
}
# The events that end a response: the status that they stand for.
_ENDS: dict[object, str] = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
    "response.done": "completed",
}
_ERRORS = frozenset({"error", "response.error"})

_UNFINISHED = frozenset({"queued", "in_progress"})  # the statuses of a response that has not ended

# What does not go into `provider_details`. Of a response: what has a field, repeats the content, or is the request's.
_RESPONSE_KEYS = frozenset(
    {"type", "sequence_number", "object", "id", "created_at", "model", "status", "error", "output", "output_text"}
    | {"background", "frequency_penalty", "include", "input", "instructions", "max_output_tokens", "max_tool_calls"}
    | {"metadata", "parallel_tool_calls", "presence_penalty", "previous_response_id", "prompt", "prompt_cache_key"}
    | {"prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier", "store", "stream"}
    | {"temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"}
)
# Of the event around it: what carries nothing, or is read separately.
_EVENT_KEYS = frozenset({"type", "sequence_number", "event_id", "obfuscation", "response", "error", "code", "message"})


class OpenAIResponsesDecoder(ResponsesDeltas):
    """Decodes the events of a Responses stream, `response.created` to `response.completed`, or a whole response.

    The decoder is in three classes, each on top of the next. This one reads the response itself, decides when the
    message is complete, and dispatches all other events: those of text to `ResponsesDeltas`, those of whole items to
    `ResponsesBlocks`, which begins and ends the blocks. `Items` finds the item that an event belongs to; an `Item` and
    its `ItemText`s hold what has come so far.
    """

    api = "openai-responses"
    default_provider = "openai"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._errors: list[Any] = []  # payloads of errors that have come

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        kind = payload.get("type")
        if kind == "error":
            return "error" not in payload or "sequence_number" in payload
        return (isinstance(kind, str) and kind.startswith("response.")) or payload.get("object") == "response"

    def _read_event(self, payload: Payload) -> None:
        kind = payload.get("type")
        if not isinstance(kind, str):
            self._read_untyped(payload)
        elif self._errors and kind not in _ENDS and kind not in _ERRORS:  # not followed by `response.failed`
            self._finish()
        elif (delta := _DELTAS.get(kind)) is not None:
            self._read_delta(payload, *delta)
        elif (whole := _WHOLES.get(kind)) is not None:
            self._read_whole(payload, *whole)
        elif kind == "response.output_item.added":
            self._read_item_added(object_or_empty(payload.get("item")), index_or_none(payload.get("output_index")))
        elif kind == "response.output_item.done":
            self._read_item_done(object_or_empty(payload.get("item")), index_or_none(payload.get("output_index")))
        elif (part := _PARTS.get(kind)) is not None:
            self._read_part(payload, part, is_done=kind.endswith("done"))
        elif kind == "response.output_text.annotation.added":
            self._read_annotation(payload)
        elif kind in _ENDS:
            self._read_end(_ENDS[kind], payload)
        elif kind in _ERRORS:
            self._read_error(payload)
        elif isinstance(payload.get("response"), OBJECT):
            self._read_response(payload["response"], around=payload)
        elif kind.startswith("response.") or not self._fail_if_error(payload):
            self._read_other(payload, kind)

    def _read_untyped(self, payload: Payload) -> None:
        if payload.get("object") == "response":  # a response that was not streamed
            if text_or_none(payload.get("status")) in _UNFINISHED:
                self._read_response(payload)
                self._read_output(array_or_empty(payload.get("output")))
            else:
                self._read_end("completed", {"response": payload})
        elif not self._fail_if_error(payload):
            self._read_other(payload, "")

    # The response

    def _read_response(self, response: Payload, *, around: Payload | None = None) -> None:
        """Take in a response, but not its output; `around` is the event that has it."""
        self._identify(model=response.get("model"), response_id=response.get("id"), created=response.get("created_at"))
        self._read_usage(object_or_empty(response.get("usage") or (around or {}).get("usage")))
        self._details.merge(response, without=_RESPONSE_KEYS)
        self._details.merge(around or {}, without=_EVENT_KEYS)
        self._start()

    def _read_usage(self, usage: Payload) -> None:
        request = object_or_empty(usage.get("input_tokens_details") or usage.get("prompt_tokens_details"))
        answer = object_or_empty(usage.get("output_tokens_details") or usage.get("completion_tokens_details"))
        self._count(
            input=_first(usage, "input_tokens", "prompt_tokens"),
            output=_first(usage, "output_tokens", "completion_tokens"),
            total=usage.get("total_tokens"),
            cache_read=_first(request, "cached_tokens") or usage.get("cache_read_input_tokens"),
            cache_write=_first(request, "cache_write_tokens", "cache_creation_tokens")
            or usage.get("cache_creation_input_tokens"),
            reasoning=answer.get("reasoning_tokens"),
        )

    def _usage(self) -> Usage:
        """Return the usage. By the total it is seen whether a server counts reasoning or cached tokens separately."""
        counts = self._counts
        input, output, reasoning = counts["input"], counts["output"], counts["reasoning"]
        cached, total = counts["cache_read"] + counts["cache_write"], counts["total"]
        is_more = total > input + output
        return Usage(
            input_tokens=input if is_more and total == input + output + cached else max(0, input - cached),
            output_tokens=output + reasoning if is_more and total == input + output + reasoning else output,
            cache_read_tokens=counts["cache_read"],
            cache_write_tokens=counts["cache_write"],
            reasoning_tokens=reasoning,
        )

    # The end

    def _read_end(self, kind: str, payload: Payload) -> None:
        """Take in the final response; `kind` is the status that the event's type stands for."""
        response: Any = payload.get("response")
        if isinstance(response, OBJECT):
            self._read_response(response, around=payload)
        else:  # some servers have its members in the event itself
            response = payload
            self._read_response(payload)
        self._read_output(array_or_empty(response.get("output")))
        if not self._items.all and (text := text_or_none(response.get("output_text"))):
            self._read_output([{"type": "message", "content": text}])
        status = text_or_none(response.get("status"))
        if status in _UNFINISHED or status in (None, "completed"):
            status = kind
        word = text_or_none(object_or_empty(response.get("incomplete_details")).get("reason")) or status
        self._stop(word)
        error = response.get("error") or payload.get("error")
        error = error or object_or_empty(response.get("status_details")).get("error")  # where the Realtime API has it
        if stop_reason(word or "") not in (StopReason.ERROR, StopReason.ABORTED):
            self._details.merge({"error": error})
        elif error or text_or_none(payload.get("message")):
            self._errors.append(error or payload)
        elif word == "failed" and not self._errors:
            return  # an error event with the reason may follow
        self._finish()

    def _read_error(self, payload: Payload) -> None:
        """Take in an error event. Most often `response.failed` comes after or before it, with usage and details."""
        self._errors.append(payload)
        if self._stop_word is not None:
            self._finish()

    def _read_end_mark(self) -> None:
        """Take in `[DONE]`. OpenAI sends none; from other servers it ends the message if all items are done."""
        if self._is_complete():
            self._finish()
        elif not self._builder.state.open_blocks:
            super()._read_end_mark()

    def _is_complete(self) -> bool:
        return self._stop_word is not None or bool(self._errors)

    def _finish(self) -> None:
        if self._errors:
            words = error_words(self._errors if len(self._errors) > 1 else self._errors[0])
            self._fail(words, aborted=stop_reason(self._stop_word or "") is StopReason.ABORTED)
        else:
            super()._finish()


def _first(members: Mapping[str, Any], *keys: str) -> Any:
    """Return the first member that is not null."""
    return next((value for key in keys if (value := members.get(key)) is not None), None)
