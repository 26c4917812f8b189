# SPDX-License-Identifier: MIT
"""What Google's two formats share: reading the usage, and undoing what Google's SDKs make of the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, cast

from .._json import ARRAY, MAX_NESTING, OBJECT, freeze
from ..messages import Usage
from ._bytes import plain_json
from ._payload import MalformedChunk, Payload, count_or_none

# The API's names in camel case, by those in snake case that the SDKs use.
_API_NAMES = {
    "".join("_" + letter.lower() if letter.isupper() else letter for letter in name): name
    for name in (
        # A response
        *("automaticFunctionCallingHistory", "createTime", "modelStatus", "modelVersion", "promptFeedback"),
        *("responseId",),
        *("sdkHttpResponse", "usageMetadata", "blockReason", "blockReasonMessage"),
        # Its usage
        *("cacheTokensDetails", "cachedContentTokenCount", "candidatesTokenCount", "candidatesTokensDetails"),
        *("promptTokenCount", "promptTokensDetails", "thoughtsTokenCount", "toolUsePromptTokenCount"),
        *("toolUsePromptTokensDetails", "totalTokenCount", "trafficType", "tokenCount"),
        # A candidate
        *("avgLogprobs", "citationMetadata", "finishMessage", "finishReason", "groundingMetadata", "logprobsResult"),
        *("safetyRatings", "urlContextMetadata", "continuationToken"),
        # A part
        *("codeExecutionResult", "displayName", "executableCode", "fileData", "functionCall", "functionResponse"),
        *("inlineData", "mimeType", "partMetadata", "thoughtSignature", "toolCall", "toolResponse", "toolType"),
        *("videoMetadata", "fileUri"),
        # A function call
        *("boolValue", "jsonPath", "nullValue", "numberValue", "partialArgs", "stringValue", "willContinue"),
    )
}

_REPLACED_ARRAYS = frozenset({"safetyRatings"})  # the latest one counts, other arrays are joined

# The values under these keys are the application's own JSON: names in them stay as they are.
_OPAQUE = frozenset({"args", "response", "partMetadata"})


def to_api_json(value: Any, nesting: int = MAX_NESTING) -> Any:
    """Return what the API has sent, from what `model_dump()` or `to_dict()` of a Python SDK has made of it.

    Names in snake case that the API has in camel case, bytes, dates and enums are as in the API, and members that
    are None are left out. What is like the API already stays as it is.
    """
    if nesting < 0:
        raise MalformedChunk(f"expected at most {MAX_NESTING} levels of nesting")
    if isinstance(value, OBJECT):
        members: dict[str, Any] = {}
        given: Mapping[str, Any] = value
        for name, member in given.items():
            name = _API_NAMES.get(name, name)
            if member is not None:
                members[name] = member if name in _OPAQUE else to_api_json(member, nesting - 1)
        return members
    if isinstance(value, ARRAY):
        return [to_api_json(element, nesting - 1) for element in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else plain_json(value)


def plain_object(value: Any) -> Any:
    """Return an object of google-genai's `interactions` as JSON. It takes a small part of the time of `model_dump`."""
    if isinstance(value, ARRAY):
        return [plain_object(element) for element in value]
    if isinstance(value, (str, int, *OBJECT)) or not hasattr(value, "__pydantic_extra__"):
        return value
    members: dict[str, Any] = {**value.__dict__, **(value.__pydantic_extra__ or {})}
    if members.get("is_unknown"):  # of a type that the SDK does not know
        return members.get("raw")
    return {name: plain_object(member) for name, member in members.items() if member is not None}


def merge_reports(into: dict[str, Any], members: Mapping[str, Any], *, without: Set[str] = frozenset()) -> None:
    """Merge members that some servers repeat in each chunk, complete so far, and others send only once.

    An array continues the one before, unless it begins with it or repeats its beginning.
    """
    for name, new in members.items():
        if new is None or name in without:
            continue
        old = into.get(name)
        if isinstance(new, OBJECT):
            into[name] = member = cast("dict[str, Any]", old if type(old) is dict else {})
            merge_reports(member, new)
        elif isinstance(new, ARRAY):
            before: list[Any] = into[name] if type(old) is list and name not in _REPLACED_ARRAYS else []
            into[name] = before
            new = list(new)
            if new[: len(before)] == before:
                before += new[len(before) :]
            elif before[: len(new)] != new:
                before += new
        else:
            into[name] = new


def standard_base64(data: Any) -> str | None:
    """Return base64 text in the API's alphabet; google-genai's objects have that for URLs, or bytes."""
    text = plain_json(data)
    return text.replace("-", "+").replace("_", "/") if text and isinstance(text, str) else None


def seconds_or_none(time: object) -> float | None:
    """Return a time such as `2026-05-15T18:51:57Z` in Unix seconds."""
    try:
        time = datetime.fromisoformat(time) if isinstance(time, str) else time
        return time.timestamp() if isinstance(time, datetime) else None
    except (ValueError, OverflowError, OSError):
        return None


class UsageNames(NamedTuple):
    """A format's names of the counts."""

    prompt: str
    tool_use: str
    cached: str
    output: str
    thoughts: str
    total: str


CONTENT_USAGE = UsageNames(
    "promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount",
    "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount",
)  # fmt: skip
INTERACTION_USAGE = UsageNames(
    "total_input_tokens", "total_tool_use_tokens", "total_cached_tokens",
    "total_output_tokens", "total_thought_tokens", "total_tokens",
)  # fmt: skip


class UsageReport:
    """The latest report of usage. One with a total is complete and replaces those before."""

    __slots__ = ("_names", "_total", "_latest", "_more")

    def __init__(self, names: UsageNames) -> None:
        """Begin without any report."""
        self._names = names
        self._total = names.total
        self._latest: Payload = {}
        self._more: dict[str, Any] = {}

    def add(self, report: Any) -> None:
        """Take in a report."""
        if not isinstance(report, OBJECT):
            return
        if report.get(self._total):
            self._latest = report
            if self._more:
                self._more = {}
        else:  # Vertex AI has reports of nothing but the kind of traffic
            self._more.update((name, value) for name, value in report.items() if value)

    def members(self) -> Mapping[str, Any]:
        """Return the report as it came; empty if it is no JSON, which is no reason to lose the answer."""
        try:
            frozen: Mapping[str, Any] = freeze({**self._latest, **self._more})
        except (TypeError, ValueError):
            return {}
        return {name: value for name, value in frozen.items() if value is not None}

    def usage(self) -> Usage:
        """Return the usage. Its total is the report's, unless that is less than the counts.

        Servers differ in whether the prompt includes the tokens of tools and cached ones, and the output those of
        thoughts: the way of adding up that gives the total is theirs. Tokens beyond all counts are output.
        """
        members = {**self._latest, **self._more}
        counts = (count_or_none(members.get(name)) or 0 for name in self._names)
        prompt, tool_use, cached, output, thoughts, total = counts
        usual = (tool_use, thoughts, 0)
        choices = (  # tokens of tools, thoughts and cached ones to add
            usual,
            (tool_use, 0, 0),
            (0, thoughts, 0),
            (0, 0, 0),
            (tool_use, thoughts, cached),
            (tool_use, 0, cached),
        )
        fitting = [choice for choice in choices if prompt + output + sum(choice) == total]
        added_tool_use, added_thoughts, added_cached = fitting[0] if fitting else usual
        prompt += added_tool_use + added_cached
        output = max(output + added_thoughts, total - prompt)
        cached = min(cached, prompt)
        return Usage(prompt - cached, output, cached, reasoning_tokens=min(thoughts, output))
