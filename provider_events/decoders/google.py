# SPDX-License-Identifier: MIT
"""Google's `streamGenerateContent`: the Gemini API and Vertex AI.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Literal

from ..messages import ImageContent, StopReason, UnknownContent, Usage
from .decoder import (
    Decoder,
    MalformedChunk,
    OpenBlock,
    Payload,
    as_array,
    as_details,
    as_json,
    as_object,
    as_text,
    as_word,
    first_of,
    words,
)

# Every other reason, known or to come, is a fault: SAFETY, RECITATION, MALFORMED_FUNCTION_CALL, …
_STOP_REASONS = {
    "STOP": StopReason.STOP,
    "MAX_TOKENS": StopReason.LENGTH,
    "CONTINUATION": StopReason.LENGTH,  # the limit of one request
}

_STEP = re.compile(r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]+)\]|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]""")


class _PartialArgs:
    """Turns `partialArgs`, values at JSON paths in the order of the text, into the text they mean."""

    def __init__(self) -> None:
        self._path: list[str | int] = []  # to the latest value; an int is a place in an array
        self._said: set[tuple[str | int, ...]] = set()  # the paths of all members so far
        self._in_string = False

    def piece(self, arg: Payload) -> str:
        """The text that is added by a value, or by the next piece of a string."""
        path = _steps(as_text(arg.get("jsonPath"), "partialArgs[].jsonPath"))
        match arg:
            case {"stringValue": value}:
                lead = "" if self._in_string and path == self._path else self._way_to(path) + '"'
                self._in_string = True
                return lead + as_json(as_text(value, "partialArgs[].stringValue"))[1:-1]
            case {"numberValue": float(value)} if value.is_integer():  # every number is a double there
                return self._way_to(path) + str(int(value))
            case {"numberValue": value} | {"boolValue": value}:
                return self._way_to(path) + as_json(value)
            case {"nullValue": _}:
                return self._way_to(path) + "null"
            case _:
                return ""

    def end(self) -> str:
        """The text that ends the arguments."""
        text = self._close_to(0)
        self._path = []
        return text

    def _close_to(self, depth: int) -> str:
        """Ends the string that goes on, and the containers deeper than `depth`."""
        text = '"' if self._in_string else ""
        self._in_string = False
        return text + "".join("]" if isinstance(step, int) else "}" for step in reversed(self._path[depth:]))

    def _way_to(self, path: list[str | int]) -> str:
        """The text between the latest value and the one at `path`."""
        latest = self._path
        shared = 0  # the steps in common; one more container is, but for the first value
        while shared < min(len(latest), len(path)) and latest[shared] == path[shared]:
            shared += 1
        text = self._close_to(shared + 1) + "," if latest else ""
        for depth in range(shared, len(path)):
            step = path[depth]
            inside = depth == shared and latest  # of a container that is open
            before = latest[depth] if inside and depth < len(latest) else -1
            if not inside:
                text += "[" if isinstance(step, int) else "{"
            if isinstance(step, int):
                in_order = isinstance(before, int) and step == before + 1
            else:
                in_order = isinstance(before, str) or not inside
                in_order = in_order and tuple(path[: depth + 1]) not in self._said
                self._said.add(tuple(path[: depth + 1]))
                text += as_json(step) + ":"
            if not in_order:
                raise MalformedChunk(f"partialArgs[].jsonPath: expected what follows {latest}, found {path}")
        self._path = path
        return text


def _steps(path: str) -> list[str | int]:
    """The steps of a JSON path such as `$.to[0].name` or `$['to']`."""
    steps: list[str | int] = []
    at = 1
    while found := _STEP.match(path, at):
        steps.append(int(found["index"]) if found["index"] else found["name"] or found["quoted"] or "")
        at = found.end()
    if not steps or path[0] != "$" or at < len(path):
        raise MalformedChunk(f"partialArgs[].jsonPath: expected a path such as $.name[0], found {path!r:.200}")
    return steps


class GoogleDecoder(Decoder):
    """Decodes `GenerateContentResponse` objects. Only the first candidate is read."""

    api = "google-generative-ai"
    default_provider = "google"

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._call: OpenBlock | None = None  # the call that goes on
        self._args = _PartialArgs()
        self._usage_noted: Payload = {}
        self._signed: OpenBlock | None = None  # the latest block of text or thinking with a signature
        self._finish_reason: str | None = None
        self._finish_message: str | None = None

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        named = ("candidates", "usageMetadata", "promptFeedback", "modelVersion")
        return any(name in payload for name in named) or "status" in as_details(payload.get("error"))

    def _read(self, payload: Payload) -> None:
        if not self._identified:
            created = _seconds(payload.get("createTime"))
            self._identify(
                model=payload.get("modelVersion"), response_id=payload.get("responseId"), created=created
            )
        if usage := payload.get("usageMetadata"):
            self._note_usage(as_details(usage))
        if error := payload.get("error"):
            return self._fail(words(error))
        if not self._started:
            self._start()
        if "promptFeedback" in payload:
            self._read_finish(as_details(payload["promptFeedback"]).get("blockReason"))
        if candidate := first_of(payload.get("candidates"), "candidates"):
            content = as_object(candidate.get("content"), "candidates[0].content")
            for part in as_array(content.get("parts"), "candidates[0].content.parts"):
                self._read_part(as_object(part, "candidates[0].content.parts[]"))
            if "finishReason" in candidate:
                self._read_finish(candidate["finishReason"], candidate.get("finishMessage"))

    def _read_finish(self, reason: object, message: object = None) -> None:
        if reason := as_word(reason):
            self._finish_reason = reason
            self._finish_message = as_word(message)
            self._builder.update(raw_stop_reason=reason)

    def _read_part(self, part: Payload) -> None:
        signature = _standard_base64(part.get("thoughtSignature"))
        if "functionCall" in part:
            self._read_call(as_object(part["functionCall"], "parts[].functionCall"), signature)
        elif "text" in part:
            kind: Literal["text", "thinking"] = "thinking" if part.get("thought") else "text"
            if signature and self._run is not None and self._run is self._signed:
                self._end_run()  # a block has one signature
            self._say(kind, as_text(part["text"], "parts[].text"))
            if signature:
                self._sign(self._running(kind), signature)
        else:
            self._place(_picture(part) or UnknownContent(_in_standard_base64(part)))

    def _sign(self, block: OpenBlock, signature: str) -> None:
        self._signed = block
        if block.kind == "text":
            self._builder.update_block(block.index, text_signature=signature)
        else:
            self._builder.update_block(block.index, thinking_signature=signature)

    def _read_call(self, said: Payload, signature: str | None) -> None:
        id, name = as_word(said.get("id")), as_word(said.get("name"))
        if name or id or self._call is None:
            if not (name or id or said.get("args") or said.get("partialArgs")):
                return  # says no more than that a call ends, and it has
            self._end_call()
            self._end_run()
            self._call = self._begin("tool_call", id, name)
            self._args = _PartialArgs()
        if signature:
            self._builder.update_block(self._call.index, thought_signature=signature)
        for arg in as_array(said.get("partialArgs"), "functionCall.partialArgs"):
            self._append(self._call, self._args.piece(as_object(arg, "functionCall.partialArgs[]")))
        if (args := said.get("args")) and not self._call.streamed:
            self._append(self._call, as_json(args))
        if not said.get("willContinue"):
            self._end_call()

    def _end_call(self) -> None:
        if self._call is not None:
            self._append(self._call, self._args.end())
            self._end(self._call)
            self._call = None

    def _note_usage(self, usage: Payload) -> None:
        """Every chunk reports usage, and counting it costs more than all else: one report waits."""
        if None in usage.values():
            usage = {name: value for name, value in usage.items() if value is not None}
        self._usage_noted = {**self._usage_noted, **usage}
        if not self._started:
            self._report_noted()

    def _report_noted(self) -> None:
        usage = self._usage_noted
        self._report(
            prompt=usage.get("promptTokenCount"),
            tool_use_prompt=usage.get("toolUsePromptTokenCount"),
            candidates=usage.get("candidatesTokenCount"),
            thoughts=usage.get("thoughtsTokenCount"),
            cache_read=usage.get("cachedContentTokenCount"),
            total=usage.get("totalTokenCount"),
        )

    def _give_up(self) -> None:
        self._report_noted()

    @staticmethod
    def _usage(counts: defaultdict[str, int]) -> Usage:
        prompt = counts["prompt"] + counts["tool_use_prompt"]
        output = counts["candidates"] + counts["thoughts"]
        return Usage(
            input_tokens=max(0, prompt - counts["cache_read"]),
            output_tokens=output,
            cache_read_tokens=counts["cache_read"],
            reasoning_tokens=counts["thoughts"],
        )

    def _read_end(self) -> None:
        if self._finish_reason is None:
            return
        self._report_noted()
        reason = _STOP_REASONS.get(self._finish_reason, StopReason.ERROR)
        if reason is not StopReason.ERROR:
            self._end_call()
        why = f"the model stopped: {self._finish_reason}"
        self._complete(self._or_tool_use(reason), f"{why}: {self._finish_message}" if self._finish_message else why)


def _standard_base64(text: object) -> str | None:
    """The SDK writes bytes in the URL-safe alphabet, the API in the standard one."""
    return text.replace("-", "+").replace("_", "/") if text and isinstance(text, str) else None


def _in_standard_base64(part: Payload) -> Payload:
    data = as_details(part.get("inlineData"))
    if text := _standard_base64(data.get("data")):
        part = {**part, "inlineData": {**data, "data": text}}
    if signature := _standard_base64(part.get("thoughtSignature")):
        part = {**part, "thoughtSignature": signature}
    return part


def _picture(part: Payload) -> ImageContent | None:
    data = as_details(part.get("inlineData"))
    pixels, mime_type = _standard_base64(data.get("data")), as_word(data.get("mimeType"))
    if pixels and mime_type and mime_type.startswith("image/"):
        return ImageContent(pixels, mime_type)
    return None


def _seconds(created: object) -> float | None:
    try:
        return datetime.fromisoformat(created).timestamp() if isinstance(created, str) else None
    except ValueError:
        return None
