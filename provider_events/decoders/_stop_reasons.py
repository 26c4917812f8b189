# SPDX-License-Identifier: MIT
"""The providers' stop reasons and what they mean: one table for all formats, in lower case."""

from __future__ import annotations

import re

from ..messages import StopReason

_STOP_REASONS: dict[str, StopReason] = {
    # A natural end, or a stop sequence
    "stop": StopReason.STOP,
    "end_turn": StopReason.STOP,
    "stop_sequence": StopReason.STOP,
    "pause_turn": StopReason.STOP,  # Anthropic: continue by sending the message back
    "complete": StopReason.STOP,  # Cohere
    "completed": StopReason.STOP,  # Responses, Interactions
    "eos": StopReason.STOP,  # Together
    "eos_token": StopReason.STOP,  # Hugging Face
    "finish_reason_unspecified": StopReason.STOP,
    # Tool calls; `TOOL_USE` follows from the calls in the message, not from the word
    "tool_use": StopReason.STOP,
    "tool_calls": StopReason.STOP,
    "tool_call": StopReason.STOP,
    "function_call": StopReason.STOP,
    "requires_action": StopReason.STOP,  # Interactions
    # A limit, of tokens or else
    "incomplete": StopReason.LENGTH,  # Responses
    "max_messages": StopReason.LENGTH,
    "max_tool_calls": StopReason.LENGTH,
    "continuation": StopReason.LENGTH,  # Google: the limit of one request
    "requires_continuation": StopReason.LENGTH,  # Interactions: likewise
    "budget_exceeded": StopReason.LENGTH,  # Interactions
    # A refusal or a filter that ends the message
    "recitation": StopReason.ERROR,  # Google
    "blocklist": StopReason.ERROR,
    "spii": StopReason.ERROR,
    "sensitive": StopReason.ERROR,  # Z.ai
    # A failure
    "insufficient_system_resource": StopReason.ERROR,  # DeepSeek
    "timeout": StopReason.ERROR,  # Cohere
}


# Parts of words that are not in the table, and what each means; the first that fits counts.
_PARTS: tuple[tuple[tuple[str, ...], StopReason], ...] = (
    (("error", "malformed", "fail"), StopReason.ERROR),
    (("cancel", "abort"), StopReason.ABORTED),
    (("max_token", "max_output", "length", "token_limit", "context_window"), StopReason.LENGTH),
    (("filter", "guardrail", "safety", "moderation", "prohibited", "blocked", "refus"), StopReason.ERROR),
)
_WORD_BREAK = re.compile("[- ]|(?<=[a-z])(?=[A-Z])")


def stop_reason(word: str, *, unknown: StopReason = StopReason.STOP) -> StopReason:
    """Return what a provider's stop reason means, in any spelling: `MAX_TOKENS`, `FinishReason.maxTokens`.

    `unknown` is for words that are in no table. Never `TOOL_USE`, which follows from the tool calls of the message.
    """
    word = _WORD_BREAK.sub("_", word).lower().rpartition(".")[2]
    if word in _STOP_REASONS:
        return _STOP_REASONS[word]
    return next((reason for parts, reason in _PARTS if any(part in word for part in parts)), unknown)
