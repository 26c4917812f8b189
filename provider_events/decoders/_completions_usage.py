# SPDX-License-Identifier: MIT
"""Usage as chat completions report it: OpenAI's names, and those of its imitators."""

from __future__ import annotations

from collections.abc import Mapping

from ..messages import Usage
from ._payload import Payload, count_or_none, object_or_empty

__all__ = ["token_counts", "usage_of"]

# The paths that each count may have in a report, best first.
_PATHS: dict[str, tuple[tuple[str, ...], ...]] = {
    "prompt": (("prompt_tokens",), ("input_tokens",)),
    "output": (("completion_tokens",), ("output_tokens",)),
    "total": (("total_tokens",),),
    "cache_read": (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("prompt_cache_hit_tokens",),  # DeepSeek
        ("cached_tokens",),  # Moonshot
        ("cache_read_input_tokens",),  # Claude behind a gateway
        ("num_cached_tokens",),  # Mistral
    ),
    "cache_write": (
        ("prompt_tokens_details", "cache_write_tokens"),  # OpenRouter
        ("input_tokens_details", "cache_write_tokens"),
        ("prompt_tokens_details", "cache_creation_tokens"),  # LiteLLM
        ("prompt_tokens_details", "cache_creation_input_tokens"),  # DashScope
        ("cache_creation_input_tokens",),
    ),
    "reasoning": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("reasoning_tokens",),
    ),
}


def token_counts(usage: Payload) -> dict[str, int]:
    """Return the counts of one report that are not 0."""
    counts: dict[str, int] = {}
    for name, paths in _PATHS.items():
        for path in paths:
            holder = usage if len(path) == 1 else object_or_empty(usage.get(path[0]))
            if count := count_or_none(holder.get(path[-1])):
                counts[name] = count
                break
    return counts


def usage_of(counts: Mapping[str, int]) -> Usage:
    """Return the usage that follows from the counts.

    By the documentation the prompt includes cached tokens, and the output includes reasoning. Some servers count
    them apart; it shows in a total beyond prompt and output, or in a part that is larger than its whole.
    """
    prompt, output, total = counts.get("prompt", 0), counts.get("output", 0), counts.get("total", 0)
    read, write, reasoning = counts.get("cache_read", 0), counts.get("cache_write", 0), counts.get("reasoning", 0)
    cached = read + write
    beyond = total - prompt - output
    if reasoning and (beyond in (reasoning, reasoning + cached) or (not total and reasoning > output)):
        output += reasoning
        beyond -= reasoning
    if cached and beyond != cached and cached <= prompt:
        prompt -= cached
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        reasoning_tokens=min(reasoning, output),
    )
