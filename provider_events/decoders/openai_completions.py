# SPDX-License-Identifier: MIT
"""OpenAI's chat completions, and all that speak it: Azure, Groq, Mistral, OpenRouter, vLLM, Ollama, …

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from .._json import parse_object
from ..messages import StopReason, UnknownContent, Usage
from .decoder import (
    Decoder,
    OpenBlock,
    Payload,
    as_array,
    as_details,
    as_index,
    as_json,
    as_object,
    as_text,
    as_word,
    first_of,
    words,
)

_STOP_REASONS = {
    "stop": StopReason.STOP,
    "length": StopReason.LENGTH,
    "model_length": StopReason.LENGTH,  # Mistral: the context window
    "tool_calls": StopReason.TOOL_USE,
    "function_call": StopReason.TOOL_USE,  # before tools
    "content_filter": StopReason.ERROR,
    "error": StopReason.ERROR,  # Mistral, OpenRouter
    "insufficient_system_resource": StopReason.ERROR,  # DeepSeek
    "sensitive": StopReason.ERROR,  # Z.ai
    "network_error": StopReason.ERROR,  # Z.ai
    "abort": StopReason.ABORTED,  # vLLM, SGLang
    "cancelled": StopReason.ABORTED,
}


class _Call:
    """A tool call that goes on: its block, and what the provider has said of it."""

    __slots__ = ("block", "id", "name", "given_whole")

    def __init__(self, block: OpenBlock, id: str | None, name: str | None) -> None:
        self.block = block
        self.id = id
        self.name = name
        self.given_whole = False


class OpenAICompletionsDecoder(Decoder):
    """Decodes `chat.completion.chunk` objects. Only the first choice is read."""

    api = "openai-completions"
    default_provider = "openai"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._calls: dict[int | str | None, _Call] = {}  # by index, or else by id; the latest under None
        self._finish_reason: str | None = None

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        if "choices" in payload or payload.get("object") in ("chat.completion.chunk", "error"):
            return True
        return "error" in payload and "type" not in payload and "status" not in as_details(payload["error"])

    def _read(self, payload: Payload) -> None:
        if not self._identified:
            self._identify(
                model=payload.get("model"), response_id=payload.get("id"), created=payload.get("created")
            )
        choice = first_of(payload.get("choices"), "choices")
        groq: Payload = as_details(payload["x_groq"]) if "x_groq" in payload else {}
        if usage := payload.get("usage") or choice.get("usage") or groq.get("usage"):
            self._read_usage(as_details(usage))
        error = payload.get("error") or choice.get("error") or groq.get("error")
        if not choice and payload.get("object") == "error":
            error = payload
        if not self._started and (choice or not error):
            self._start()
        if delta := choice.get("delta"):
            self._read_delta(as_object(delta, "delta"))
        finish_reason = choice.get("finish_reason")
        if finish_reason and isinstance(finish_reason, str):
            self._finish_reason = finish_reason
            self._builder.update(raw_stop_reason=finish_reason)
        if error:
            self._fail(words(error))

    def _read_delta(self, delta: Payload) -> None:
        thinking = delta.get("reasoning_content") or delta.get("reasoning") or delta.get("reasoning_text")
        if thinking and isinstance(thinking, str):
            self._say("thinking", thinking)
        if content := delta.get("content"):
            if isinstance(content, str):
                self._say("text", content)
            else:
                self._read_parts(as_array(content, "delta.content"))
        if annotations := delta.get("annotations"):
            for annotation in as_array(annotations, "delta.annotations"):
                self._cite(self._running("text"), annotation)
        if refusal := delta.get("refusal"):
            self._say("text", as_text(refusal, "delta.refusal"))
        if calls := delta.get("tool_calls"):
            for call in as_array(calls, "delta.tool_calls"):
                self._read_call(as_object(call, "delta.tool_calls[]"))
        if function := delta.get("function_call"):  # what tool calls were before there could be several
            self._read_call({"index": 0, "function": function})

    def _read_parts(self, parts: Sequence[Any]) -> None:
        """Content as Mistral sends it: a list of typed parts."""
        for part in parts:
            match as_object(part, "delta.content[]"):
                case {"type": "text", "text": text}:
                    self._say("text", as_text(text, "delta.content[].text"))
                case {"type": "thinking", "thinking": pieces}:
                    for piece in as_array(pieces, "delta.content[].thinking"):
                        piece = as_object(piece, "delta.content[].thinking[]")
                        self._say("thinking", as_text(piece.get("text"), "delta.content[].thinking[].text"))
                case unknown:
                    self._place(UnknownContent(unknown))

    def _read_call(self, said: Payload) -> None:
        function = as_object(said.get("function"), "delta.tool_calls[].function")
        index = as_index(said.get("index"), "delta.tool_calls[].index")
        id, name = as_word(said.get("id")), as_word(function.get("name"))
        arguments = function.get("arguments")
        call = self._calls.get(index)
        if index is None and id:
            call = next((each for each in self._calls.values() if each.id == id), call)
        if call is None or self._begins_another(call, index, id, name, arguments):
            self._end_run()
            call = _Call(self._begin("tool_call", id, name), id, name)
            self._calls[id if index is None else index] = self._calls[None] = call
        elif (id and not call.id) or (name and not call.name):
            call.id, call.name = call.id or id, call.name or name
            self._builder.update_block(call.block.index, id=call.id or "", name=call.name or "")
        google = as_details(as_details(said.get("extra_content")).get("google"))
        if signature := as_word(google.get("thought_signature")):
            self._builder.update_block(call.block.index, thought_signature=signature)
        self._read_arguments(call, arguments)

    @staticmethod
    def _begins_another(call: _Call, index: int | None, id: str | None, name: str | None, arguments: Any) -> bool:
        """Whether what is said of a call at a place already used is about a new call."""
        if id and call.id:
            return id != call.id
        if not (name and call.name):
            return False
        if index is None and not id:  # nothing but a name tells one call from the next
            return True
        whole = isinstance(arguments, str) and parse_object(arguments) is not None
        return name != call.name or bool(whole and call.block.streamed)

    def _read_arguments(self, call: _Call, arguments: Any) -> None:
        if call.given_whole or not arguments:
            return  # an empty repetition does not undo them
        if not isinstance(arguments, str):
            call.given_whole = True
            arguments = as_json(arguments)
        self._append(call.block, arguments)

    def _read_usage(self, usage: Payload) -> None:
        prompt = as_details(usage.get("prompt_tokens_details"))
        completion = as_details(usage.get("completion_tokens_details"))
        self._report(
            prompt=usage.get("prompt_tokens"),
            output=usage.get("completion_tokens"),
            total=usage.get("total_tokens"),
            cache_hit=usage.get("prompt_cache_hit_tokens") or usage.get("cached_tokens"),  # DeepSeek, Moonshot
            cache_read=prompt.get("cached_tokens"),
            cache_write=prompt.get("cache_write_tokens"),  # OpenRouter
            reasoning=completion.get("reasoning_tokens"),
        )

    @staticmethod
    def _usage(counts: defaultdict[str, int]) -> Usage:
        prompt, output, reasoning = counts["prompt"], counts["output"], counts["reasoning"]
        cache_read = counts["cache_read"] or counts["cache_hit"]
        if reasoning and counts["total"] == prompt + output + reasoning:
            output += reasoning  # xAI counts it apart
        return Usage(
            input_tokens=max(0, prompt - cache_read - counts["cache_write"]),
            output_tokens=output,
            cache_read_tokens=cache_read,
            cache_write_tokens=counts["cache_write"],
            reasoning_tokens=reasoning,
        )

    def _read_end_mark(self) -> None:
        if self._finish_reason or self._builder.partial.content:
            self._finish()

    def _read_end(self) -> None:
        if self._finish_reason:
            self._finish()

    def _finish(self) -> None:
        reason = _STOP_REASONS.get(self._finish_reason or "stop", StopReason.STOP)
        self._complete(self._or_tool_use(reason), f"the model stopped: {self._finish_reason}")
