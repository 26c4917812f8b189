# SPDX-License-Identifier: MIT
"""OpenAI's chat completions and all that imitate them: Azure, Groq, Mistral, OpenRouter, vLLM, Ollama, ...

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._json import ARRAY, OBJECT
from ..events import MessageEvent
from ..messages import TextContent, Usage
from ._completions_calls import read_fragment
from ._completions_delta import CompletionsDeltas
from ._completions_parts import PIECES_KEYS, REASONING_KEYS, elements, pieces_of
from ._completions_shape import ChunkShape
from ._completions_usage import token_counts, usage_of
from ._errors import payload_error
from ._payload import (
    Chunk,
    MalformedChunk,
    Payload,
    expect_object,
    expect_text,
    index_or_none,
    object_or_empty,
    text_or_empty,
)

__all__ = ["OpenAICompletionsDecoder"]

# What does not go into `provider_details`: it has a field, or it carries nothing (`object`, `index`, the padding
# in `obfuscation`). The other lists are in `_completions_delta`.
_PAYLOAD_KEYS = frozenset({"id", "object", "created", "model", "choices", "usage", "obfuscation"})
_CHOICE_KEYS = frozenset({"index", "delta", "message", "text", "finish_reason", "logprobs", "token_ids", "usage"})

_OBJECTS = frozenset({"chat.completion.chunk", "chat.completion", "text_completion", "error"})
_NO_REASONS = frozenset({"null", "none"})  # texts in place of null
_CALLS_REASONS = frozenset({"tool_calls", "tool_call", "tool_use", "function_call"})


class OpenAICompletionsDecoder(CompletionsDeltas):
    """Decodes the chunks of a chat completion or of an old completion, or a whole response.

    Of several choices it reads the first to come.
    """

    api = "openai-completions"
    default_provider = "openai"
    repetitions = frozenset(
        f"{source}.{step}"
        for source in ("content", "refusal", "tool_calls.function.arguments", "logprobs.content", "logprobs.refusal")
        for step in ("delta", "done")
    )

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._choice: object = None  # the index of the choice that is read
        self._other_choices: list[Payload] = []
        self._has_parallel_choices = False
        self._message: Payload = {}  # the latest whole message that came beside a delta
        self._shape: ChunkShape | None = None  # that of the latest chunk
        self._error: str | None = None  # the words of an error beside a choice, which is read first
        self._has_deltas = False
        self._resumed = False  # whether content has come after the finish reason
        # What is in every chunk and mostly the same: the details in the latest one.
        self._payload_details: dict[Any, Any] = {}
        self._choice_details: dict[Any, Any] = {}

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        if "choices" in payload or text_or_empty(payload.get("object")) in _OBJECTS:
            return True
        error = payload.get("error")
        return bool(error) and payload.keys().isdisjoint(("object", "type")) and "status" not in object_or_empty(error)

    # Chunks

    def feed(self, chunk: Chunk) -> list[MessageEvent]:
        shape = self._shape
        if shape is not None and (text := shape.text_of(chunk)) is not None:
            self._append(shape.block, text)
            return self._take_events()
        self._shape = None
        events = super().feed(chunk)
        if self._shape is not None and type(chunk) is not str and type(chunk) is not dict:
            self._shape = self._shape.of_object(chunk)
        return events

    def _read(self, payload: Payload) -> None:
        self._read_chunk(payload)
        if not self.ended:
            self._shape = self._shape_of(payload)

    def _read_chunk(self, payload: Payload) -> None:
        if not self._identified:
            self._identify(model=payload.get("model"), response_id=payload.get("id"), created=payload.get("created"))
        details = {key: payload[key] for key in payload if key not in _PAYLOAD_KEYS and payload[key] is not None}
        if details != self._payload_details:
            self._payload_details = details
            self._details.merge(details)
            groq = object_or_empty(details.get("x_groq"))
            self._error = payload_error(payload) or payload_error({"error": groq.get("error")})
            self._read_usage(groq.get("usage"))
        if usage := payload.get("usage"):
            self._read_usage(usage)
        if choices := payload.get("choices"):
            for choice in elements(choices):
                self._read_choice(expect_object(choice, "choices[]"))
        if self._error is not None:
            self._fail(self._error)

    def _shape_of(self, payload: Payload) -> ChunkShape | None:
        """Return the shape of a chunk that has been read, if the same once more would only append its text."""
        choices: Any = payload.get("choices")
        if not isinstance(choices, ARRAY) or len(choices) != 1 or self._stop_word is not None:
            return None
        choice = object_or_empty(choices[0])
        delta: Any = choice.get("delta")
        if (
            not isinstance(delta, OBJECT)
            or choice.get("index") not in (None, self._choice)
            or any(choice.get(key) for key in ("logprobs", "token_ids", "message"))
            or ("id" in payload and "response_id" not in self._identity)
            or ("model" in payload and "model" not in self._identity)
        ):
            return None
        return self._delta_shape(payload, delta)

    def _read_choice(self, choice: Payload) -> None:
        index = index_or_none(choice.get("index"))
        if index != self._choice and index is not None:
            if self._choice is not None:
                self._other_choices.append(choice)
                return
            self._choice = index
        elif self._other_choices:
            self._has_parallel_choices = True
        if not self._started:
            self._start()
        if self._stop_word is None:
            self._read_content(choice)
        else:
            before = len(self._events)
            self._read_content(choice)
            self._resumed = self._resumed or len(self._events) > before
        if not choice.keys() <= _CHOICE_KEYS:
            self._read_choice_details(choice)
        for key in ("logprobs", "token_ids"):
            if found := choice.get(key):
                self._latest_details().append({key: found})
        if usage := choice.get("usage"):
            self._read_usage(usage)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str) and reason.lower() not in _NO_REASONS:
            self._stop(reason, _filtered(choice.get("content_filter_results")))
            self._resumed = False

    def _read_content(self, choice: Payload) -> None:
        if delta := choice.get("delta"):
            self._has_deltas = True
            self._read_delta(expect_object(delta, "delta"))
            if "message" in choice and choice["message"] != delta:
                self._message = object_or_empty(choice["message"])
        elif message := choice.get("message"):
            self._read_message(expect_object(message, "message"))
        elif text := choice.get("text"):
            self._write(TextContent, "content", expect_text(text, "text"))

    def _read_choice_details(self, choice: Payload) -> None:
        details = {key: choice[key] for key in choice if key not in _CHOICE_KEYS and choice[key] is not None}
        if details != self._choice_details:
            self._choice_details = details
            self._details.merge(details)
            self._error = self._error or payload_error({"error": details.get("error")})

    def _read_message(self, message: Payload) -> None:
        """Read a whole message: what it adds to the deltas before it."""
        if not self._builder.state.next_index:
            self._read_delta(message)
            return
        partial = self.partial
        rest = dict(message)
        for key, before in (("content", partial.text), *((key, partial.thinking) for key in REASONING_KEYS)):
            whole = message.get(key)
            if before and isinstance(whole, str) and (self._has_deltas or whole.startswith(before)):
                rest[key] = whole[len(before) :] if whole.startswith(before) else None
            elif before and self._has_deltas:
                rest[key] = None
        if text_or_empty(message.get("refusal")) in partial.text:
            rest["refusal"] = None
        if partial.thinking:
            self._has_reasoning_field = True
            for key in PIECES_KEYS:
                rest[key] = [each for each in pieces_of(message, key) if self._has_known_signature(each) is False]
        entries = enumerate(elements(message.get("tool_calls")))
        rest["tool_calls"] = [entry for at, entry in entries if not self._read_call_again(at, entry)]
        if partial.tool_calls:
            rest["function_call"] = None
        for key in self._once:
            rest[key] = None
        self._read_delta({key: value for key, value in rest.items() if value})

    def _read_call_again(self, at: int, entry: Any) -> bool:
        """Read what an entry of a whole message adds to the call that it repeats; return whether it repeats one."""
        if not isinstance(entry, OBJECT):
            return False
        fragment = read_fragment(entry)
        call = self._calls.repeated(at, fragment, in_part=self._has_deltas)
        if call is None:
            return False
        self._update_call(call, fragment)
        self._add_call_details(call, fragment)
        self._append(call.block, call.rest_of(fragment))
        return True

    # The end

    def _read_rest(self) -> None:
        """Read what waits for the end: a whole message, and the other choices where they belong to the first.

        Some servers count the tokens in the choice's index, or have the tool calls in a choice of their own.
        """
        choices, self._other_choices = self._other_choices, []
        message, self._message = self._message, {}
        resumed = self._resumed
        is_unfinished = self._stop_word is None and not self._has_parallel_choices
        lacks_calls = (self._stop_word or "").lower() in _CALLS_REASONS and self._calls.latest is None
        try:
            if message:
                self._read_message(message)
            if is_unfinished or lacks_calls:
                choices.reverse()
            while choices and (is_unfinished or lacks_calls):
                self._choice = index_or_none(choices[-1].get("index"))
                self._read_choice(choices.pop())
        except MalformedChunk:
            pass  # the message is no worse without it
        if choices:
            self._details.append({"choices": choices})
        self._resumed = resumed

    def _read_end_mark(self) -> None:
        self._read_rest()
        super()._read_end_mark()

    def _is_complete(self) -> bool:
        self._read_rest()
        return self._stop_word is not None and not self._resumed and self._error is None

    def _flush_pending(self) -> None:
        self._shape = None
        self._read_rest()
        super()._flush_pending()

    # Usage

    def _read_usage(self, usage: Any) -> None:
        self._details.merge({"usage": usage})
        self._count(**token_counts(object_or_empty(usage)))

    def _usage(self) -> Usage:
        return usage_of(self._counts)


def _filtered(results: object) -> str | None:
    """Return what a content filter found: the categories for which it filtered the message."""
    found = [
        str(category)
        for category, result in object_or_empty(results).items()
        if isinstance(result, Mapping) and result.get("filtered") is True  # pyright: ignore[reportUnknownMemberType]
    ]
    return ", ".join(found) or None
