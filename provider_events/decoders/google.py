# SPDX-License-Identifier: MIT
"""Google's `streamGenerateContent`: the Gemini API, Vertex AI and Code Assist.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, cast

from .._grammar import BlockKind
from .._json import OBJECT
from ..messages import StopReason, TextContent, ThinkingContent, ToolCall
from ._blocks import OpenBlock
from ._decoder import Decoder
from ._google_json import CONTENT_USAGE, UsageReport, merge_reports, seconds_or_none, standard_base64, to_api_json
from ._partial_args import PartialArgs
from ._payload import (
    Payload,
    arguments_text,
    expect_array,
    expect_object,
    expect_text,
    index_or_none,
    object_or_empty,
    text_or_none,
)
from ._stop_reasons import stop_reason

__all__ = ["GoogleDecoder"]

# Any of these makes a payload a response of this format.
_RESPONSE_MEMBERS = (
    *("candidates", "usageMetadata", "promptFeedback", "modelVersion"),
    *("usage_metadata", "prompt_feedback", "model_version"),
)

# The names of enum members by number: `to_dict()` of the older SDK gives numbers.
_FINISH_REASONS = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
_BLOCK_REASONS = ("BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT")

# What does not go into `provider_details`: it has a field, or it carries nothing (`index`, `role`, the SDK's headers).
_CHUNK_KEYS = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "createTime", "sdkHttpResponse"})
_CANDIDATE_KEYS = frozenset({"content", "finishReason", "index"})
_CONTENT_KEYS = frozenset({"parts", "role"})
_TEXT_KEYS = frozenset({"text", "thought", "thoughtSignature"})
_PART_KEYS = _TEXT_KEYS | {"functionCall", "inlineData"}
_CALL_KEYS = frozenset({"id", "name", "args", "partialArgs", "willContinue"})
_IMAGE_KEYS = frozenset({"data", "mimeType"})
# What google-genai adds to a response: the request's echo and a copy of the content.
_SDK_KEYS = frozenset({"automaticFunctionCallingHistory", "parsed"})


class GoogleDecoder(Decoder):
    """Decodes `GenerateContentResponse` objects: those of a stream, or a whole one. One candidate is read."""

    api = "google-generative-ai"
    default_provider = "google"
    unknown_stop_reason = StopReason.ERROR  # as nearly all reasons: a new one is most likely a failure too

    def __init__(self, *, provider: str | None = None, model: str | None = None) -> None:
        super().__init__(provider=provider, model=model)
        self._candidate_index: object = None  # the index of the one that is read
        self._current: OpenBlock | None = None  # the block of text or thinking that is open
        self._call: OpenBlock | None = None  # the call that is open
        self._args = PartialArgs()  # its arguments
        self._report = UsageReport(CONTENT_USAGE)
        self._metadata: dict[str, Any] = {}
        self._stopped = False  # whether a finish reason has come, and no content since

    @staticmethod
    def recognizes(payload: Payload) -> bool:
        response = object_or_empty(payload.get("response")) or payload
        return any(name in response for name in _RESPONSE_MEMBERS) or "status" in object_or_empty(payload.get("error"))

    def _read(self, payload: Payload) -> None:
        is_plain = _CHUNK_KEYS.issuperset(payload)
        if not is_plain:
            payload = self._unwrap(payload)
        if self._stopped and self._is_of_next_message(payload):
            self._finish()
            return
        if not self._identified:
            self._identify(
                model=payload.get("modelVersion"),
                response_id=payload.get("responseId"),
                created=seconds_or_none(payload.get("createTime")),
            )
        usage = payload.get("usageMetadata")
        if usage is not None:
            self._report.add(usage)
        if not is_plain and self._read_other_members(payload):
            return
        if not self._started:
            self._start()
        # This runs once per delta: here and below, no call for the common types.
        candidates: Any = payload.get("candidates")
        for candidate in candidates if candidates.__class__ is list else _elements(candidates, "candidates"):
            if candidate.__class__ is not dict:
                candidate = expect_object(candidate, "candidates[]")
            index = candidate.get("index") or 0
            if index.__class__ is not int:
                index = index_or_none(index) or 0
            if self._candidate_index is None:
                self._candidate_index = index
            if index == self._candidate_index:
                self._read_candidate(candidate)
                break

    # The message

    def _unwrap(self, payload: Payload) -> Payload:
        """Return the response in a payload of another shape, such as Code Assist's `{"response": …}`."""
        if response := object_or_empty(payload.get("response")):
            self._keep(payload, frozenset({"response"}))
            payload = response
        return cast(Payload, to_api_json(payload))

    def _is_of_next_message(self, payload: Payload) -> bool:
        """Return whether a payload is of another response: google-genai streams the one after a call it has run."""
        id, known = payload.get("responseId"), self._identity.get("response_id")
        return id is not None and known is not None and id != known

    def _read_other_members(self, payload: Payload) -> bool:
        """Take in the members of a payload that few have; return whether it is an error."""
        if (payload.get("error") or not payload.get("candidates")) and self._fail_if_error(payload):
            return True
        self._keep(payload, _CHUNK_KEYS | _SDK_KEYS)
        feedback = object_or_empty(payload.get("promptFeedback"))
        self._read_stop(feedback.get("blockReason"), feedback.get("blockReasonMessage"), _BLOCK_REASONS)
        return False

    def _keep(self, members: Payload, known: Set[str]) -> None:
        """Keep the members that have no field, for the details of the message."""
        more = self._frozen({name: value for name, value in members.items() if name not in known})
        self._details.append({"logprobsResult": more.get("logprobsResult")})  # each chunk has its own tokens
        merge_reports(self._metadata, more, without={"logprobsResult"})

    def _update_message(self) -> None:
        details = {**self._details.value(), **self._metadata}
        if report := self._report.members():
            details["usageMetadata"] = report
        self._builder.update(usage=self._report.usage(), provider_details=self._frozen(details))

    def _read_candidate(self, candidate: Payload) -> None:
        if not _CANDIDATE_KEYS.issuperset(candidate):
            candidate = to_api_json(candidate)
            self._keep(candidate, _CANDIDATE_KEYS)
        content: Any = candidate.get("content")
        if content.__class__ is not dict:
            content = {"parts": content} if isinstance(content, str) else expect_object(content, "candidates[].content")
        if not _CONTENT_KEYS.issuperset(content):
            self._keep(content, _CONTENT_KEYS)
        parts: Any = content.get("parts")
        for part in parts if parts.__class__ is list else _elements(parts, "candidates[].content.parts"):
            if part.__class__ is not dict:
                part = {"text": part} if isinstance(part, str) else expect_object(part, "candidates[].content.parts[]")
            if _TEXT_KEYS.issuperset(part):
                self._read_text(part)
            else:
                self._read_part(part)
        if reason := candidate.get("finishReason"):
            self._read_stop(reason, candidate.get("finishMessage"), _FINISH_REASONS)

    def _read_stop(self, reason: object, message: object, names: tuple[str, ...]) -> None:
        """Set the stop reason. An unspecified one, as protobuf defaults are, counts as missing."""
        if type(reason) is int:
            reason = names[reason] if 0 <= reason < len(names) else str(reason)
        word = text_or_none(reason)
        if word is None or word.upper().endswith("_UNSPECIFIED"):
            return
        self._stopped = True
        if word != self._stop_word or message:
            self._stop(word, message)

    def _is_complete(self) -> bool:
        return self._stopped

    def _is_complete_at_failure(self) -> bool:
        return False  # some servers send STOP in every chunk

    # Parts

    def _read_part(self, part: Payload) -> None:
        if not _PART_KEYS.issuperset(part):
            part = to_api_json(part)
        rest = {name: value for name, value in part.items() if value is not None and name not in _TEXT_KEYS}
        call, blob = rest.pop("functionCall", None), rest.get("inlineData")
        if call is None and blob is None and (part.get("text") or not rest):
            self._read_text(part, rest)
            return
        self._read_text({**part, "thoughtSignature": None})  # the signature is of what is beside the text
        if call is not None:
            signature = standard_base64(part.get("thoughtSignature"))
            self._read_call(expect_object(call, "parts[].functionCall"), signature, rest)
        else:
            self._end_current()
            self._stopped = False
            beside = {"text"} if part.get("text") else ()
            rest = {name: value for name, value in part.items() if name not in beside}
            self._read_other_part(rest, object_or_empty(blob))

    def _read_text(self, part: Payload, details: Payload | None = None) -> None:
        text, signature, block = part.get("text"), part.get("thoughtSignature"), self._current
        kind: BlockKind = ThinkingContent if part.get("thought") else TextContent
        if text is None and type(part.get("thought")) is str:
            text = part["thought"]
        if text is None and block is not None and signature:
            kind = block.kind
        if block is None or block.kind is not kind:
            if not (text or signature or details):
                return
            self._end_current()
            block = self._current = self._start_block(kind)
        if text:
            self._stopped = False
            self._append(block, text if type(text) is str else expect_text(text, "parts[].text"))
        if details:
            block.details.merge(details)
        if signature and (signature := standard_base64(signature)):
            block.signature.append(signature)
            self._end_current()  # parts with a signature go back as they came

    def _end_current(self) -> None:
        if self._current is not None:
            self._end_block(self._current)

    def _read_other_part(self, part: Payload, blob: Payload) -> None:
        signature, data = standard_base64(part.get("thoughtSignature")), standard_base64(blob.get("data"))
        mime_type = text_or_none(blob.get("mimeType")) or ""
        signed = {"thoughtSignature": signature} if signature else {}
        if data and mime_type.lower().startswith("image/") and not part.get("thought"):
            more = {name: value for name, value in part.items() if name not in _PART_KEYS and value is not None}
            about = {name: value for name, value in blob.items() if name not in _IMAGE_KEYS and value is not None}
            self._add_image(data, mime_type, {**more, **about, **signed})
        else:
            inline = {"inlineData": {**blob, "data": data}} if data else {}
            self._add_unknown({**part, **inline, **signed})

    # Function calls

    def _read_call(self, call: Payload, signature: str | None, details: Payload) -> None:
        if not _CALL_KEYS.issuperset(call):
            call = to_api_json(call)
        block = self._block_for_call(call)
        if block is None:
            return
        if signature and signature not in block.signature:
            block.signature.append(signature)
        for arg in expect_array(call.get("partialArgs"), "functionCall.partialArgs"):
            self._append(block, self._args.add(expect_object(arg, "functionCall.partialArgs[]")))
        if (args := call.get("args")) and not block.held and not self._builder.streamed(block.index):
            self._append(block, arguments_text(args))
        block.details.merge({**details, **call}, without=_CALL_KEYS)
        if not call.get("willContinue"):
            self._end_block(block)

    def _block_for_call(self, call: Payload) -> OpenBlock | None:
        """Return the open call that a part continues, or a new one; None for a part that has nothing of a call."""
        id, name, block = text_or_none(call.get("id")), text_or_none(call.get("name")), self._call
        if block is not None:
            if id == block.tool_call_id if id and block.tool_call_id else not name:
                return block
            self._end_block(block)
        if not (id or name or call.get("args") or call.get("partialArgs")):
            return None
        self._end_current()
        self._stopped = False
        self._args = PartialArgs()
        self._call = self._start_block(ToolCall, tool_call_id=id, tool_name=name)
        return self._call

    def _end_block(self, block: OpenBlock) -> None:
        if block is self._call:
            self._call = None
            if stop_reason(self._stop_word or "") is not StopReason.LENGTH:  # else the arguments are cut off
                self._append(block, self._args.end())
        elif block is self._current:
            self._current = None
        super()._end_block(block)


def _elements(value: Any, path: str) -> Sequence[Any]:
    """Return an array. Some gateways leave it out around a single element, or have a text for a part."""
    return [value] if isinstance(value, (str, *OBJECT)) else expect_array(value, path)
