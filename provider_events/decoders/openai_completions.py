# SPDX-License-Identifier: MIT
"""OpenAI's chat completions and all that imitate them: Azure, Groq, Mistral, OpenRouter, vLLM, Ollama, ...

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from typing import Any

from .._json import ARRAY, OBJECT
from ..events import MessageEvent
from ..messages import TextContent, Usage
from ._completions_calls import read_fragment
from ._completions_delta import CompletionsDeltas
from ._completions_parts import REASONING_LIST_KEYS, REASONING_TEXT_KEYS, elements, reasoning_parts
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
# in `obfuscation`). The lists for deltas, parts and tool calls are beside the code that reads these.
_PAYLOAD_KEYS = frozenset({"id", "object", "created", "model", "choices", "usage", "obfuscation"})
_CHOICE_KEYS = frozenset({"index", "delta", "message", "text", "finish_reason", "logprobs", "token_ids", "usage"})

_OBJECT_TYPES = frozenset({"chat.completion.chunk", "chat.completion", "text_completion", "error"})
_MISSING_REASONS = frozenset({"null", "none"})  # texts in place of null
_TOOL_CALL_REASONS = frozenset({"tool_calls", "tool_call", "tool_use", "function_call"})


class OpenAICompletionsDecoder(CompletionsDeltas):
    """Decodes the chunks of a chat completion or of an old completion, or a whole response.

    Of several choices it reads the first to come.

    The decoder is a chain of three classes. This one reads chunks and choices, and decides when the message is
    complete. It calls its base `CompletionsDeltas`, which reads the fields of a delta or of a whole message; and that
    one calls its base `CompletionsBlocks`, which begins blocks, appends to them and ends them. Calls run only in this
    direction, but for the methods of `Decoder` that the three override.
    """

    api = "openai-completions"
    default_provider = "openai"
    repetitions = frozenset(  # of the openai SDK's helper `stream`
        f"{source}.{step}"
        for source in ("content", "refusal", "tool_calls.function.arguments", "logprobs.content", "logprobs.refusal")
        for step in ("delta", "done")
    )

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._choice_index: int | None = None  # of the choice that is read
        self._other_choices: list[Payload] = []  # held back until the end
        self._choices_alternate = False  # whether the choice that is read went on after chunks of others
        self._final_message: Payload = {}  # the latest whole message that came beside a delta; held back too
        self._has_deltas = False
        self._has_late_content = False  # whether content has come after the finish reason
        self._error: str | None = None  # the words of an error that came beside choices, which are read first
        self._shape: ChunkShape | None = None  # of the latest chunk, if the next one may be read by it
        # The details of the latest chunk and choice: most repeat them, and only a change is merged.
        self._payload_details: dict[Any, Any] = {}
        self._choice_details: dict[Any, Any] = {}

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        if "choices" in payload or text_or_empty(payload.get("object")) in _OBJECT_TYPES:
            return True
        error = payload.get("error")
        return bool(error) and payload.keys().isdisjoint(("object", "type")) and "status" not in object_or_empty(error)

    # Chunks

    def feed(self, chunk: Chunk) -> list[MessageEvent]:
        # Most chunks differ from the one before in their new text only. That is appended, and no more is read.
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
        """Take in a payload: what it has of the message, then its choices, then an error beside them."""
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
        """Return the shape of a chunk that has been read, if one more like it could only append text."""
        choices: Any = payload.get("choices")
        if not isinstance(choices, ARRAY) or len(choices) != 1 or self._stop_word is not None:
            return None
        choice = object_or_empty(choices[0])
        delta: Any = choice.get("delta")
        if (
            not isinstance(delta, OBJECT)
            or choice.get("index") not in (None, self._choice_index)
            or any(choice.get(key) for key in ("logprobs", "token_ids", "message"))
            or ("id" in payload and "response_id" not in self._identity)
            or ("model" in payload and "model" not in self._identity)
        ):
            return None
        return self._delta_shape(payload, delta)

    # Choices

    def _read_choice(self, choice: Payload) -> None:
        """Take in a choice, or hold it back if it is not the one that is read."""
        index = index_or_none(choice.get("index"))
        if index is not None and index != self._choice_index:
            if self._choice_index is not None:
                self._other_choices.append(choice)
                return
            self._choice_index = index
        elif self._other_choices:
            self._choices_alternate = True
        self._start()
        events_before = len(self._events)
        self._read_content(choice)
        if self._stop_word is not None and len(self._events) > events_before:
            self._has_late_content = True
        if not choice.keys() <= _CHOICE_KEYS:
            self._read_choice_details(choice)
        for key in ("logprobs", "token_ids"):
            if found := choice.get(key):
                self._latest_details().append({key: found})
        if usage := choice.get("usage"):
            self._read_usage(usage)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str) and reason.lower() not in _MISSING_REASONS:
            self._stop(reason, _filtered_categories(choice.get("content_filter_results")))
            self._has_late_content = False

    def _read_content(self, choice: Payload) -> None:
        if delta := choice.get("delta"):
            self._has_deltas = True
            self._read_delta(expect_object(delta, "delta"))
            if "message" in choice and choice["message"] != delta:
                self._final_message = object_or_empty(choice["message"])
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
        """Take in a whole message: all of it, or what it adds if there is content already."""
        if not self._builder.state.next_index:
            self._read_delta(message)
            return
        partial = self.partial
        rest = dict(message)
        for key, before in (("content", partial.text), *((key, partial.thinking) for key in REASONING_TEXT_KEYS)):
            whole = message.get(key)
            if before and isinstance(whole, str) and whole.startswith(before):
                rest[key] = whole[len(before) :]
            elif before and self._has_deltas:
                rest[key] = None  # the deltas stand
        if text_or_empty(message.get("refusal")) in partial.text:
            rest["refusal"] = None
        if partial.thinking:
            self._has_reasoning_field = True  # so that only signatures are read from the parts
            for key in REASONING_LIST_KEYS:
                rest[key] = [part for part in reasoning_parts(message, key) if self._has_new_signature(part)]
        calls = enumerate(elements(message.get("tool_calls")))
        rest["tool_calls"] = [entry for position, entry in calls if not self._read_repeated_call(position, entry)]
        if partial.tool_calls:
            rest["function_call"] = None
        for key in self._read_once:
            rest[key] = None
        self._read_delta({key: value for key, value in rest.items() if value})

    def _read_repeated_call(self, position: int, entry: Any) -> bool:
        """Take in what a call of a whole message adds to the call that it repeats; return whether it repeats one."""
        if not isinstance(entry, OBJECT):
            return False
        fragment = read_fragment(entry)
        call = self._calls.repeated(position, fragment, from_deltas=self._has_deltas)
        if call is None:
            return False
        self._update_call(call, fragment)
        self._add_call_details(call, fragment)
        self._append(call.block, call.rest_of(fragment))
        return True

    # The end

    def _read_held_back(self) -> None:
        """Take in what was held back: the whole message, and other choices if they continue the one that is read.

        They do if that one has no finish reason, or one for tool calls but no call: some servers count up the
        choice's index with every token, or put the tool calls into a choice of their own.
        """
        choices, self._other_choices = self._other_choices, []
        message, self._final_message = self._final_message, {}
        has_late_content = self._has_late_content
        is_unfinished = self._stop_word is None and not self._choices_alternate
        lacks_calls = (self._stop_word or "").lower() in _TOOL_CALL_REASONS and self._calls.latest is None
        try:
            if message:
                self._read_message(message)
            if is_unfinished or lacks_calls:
                choices.reverse()
            while choices and (is_unfinished or lacks_calls):
                self._choice_index = index_or_none(choices[-1].get("index"))
                self._read_choice(choices.pop())
        except MalformedChunk:
            pass  # a message does not fail by what could only add to it
        if choices:
            self._details.append({"choices": choices})
        self._has_late_content = has_late_content  # what was held back is not late

    def _read_end_mark(self) -> None:
        self._read_held_back()
        super()._read_end_mark()

    def _is_complete(self) -> bool:
        self._read_held_back()  # it may have the finish reason
        return self._stop_word is not None and not self._has_late_content and self._error is None

    def _flush_pending(self) -> None:
        self._shape = None
        self._read_held_back()
        super()._flush_pending()

    # Usage

    def _read_usage(self, usage: Any) -> None:
        self._details.merge({"usage": usage})
        self._count(**token_counts(object_or_empty(usage)))

    def _usage(self) -> Usage:
        return usage_of(self._counts)


def _filtered_categories(results: object) -> str | None:
    """Return the categories for which a content filter has filtered the message (Azure)."""
    items = object_or_empty(results).items()
    found = [str(category) for category, result in items if object_or_empty(result).get("filtered") is True]
    return ", ".join(found) or None
