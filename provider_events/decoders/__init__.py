# SPDX-License-Identifier: MIT
"""Decoders: from the providers' own stream formats to provider events.

`decode` and `adecode` take the chunks of a stream as they come and yield its events; `iter_sse` and `aiter_sse`
take the chunks out of an HTTP body. Each format also has a class with `feed`, `close` and `fail`, for callers who
drive it by hand.
"""

from ._decoder import Decoder
from ._driver import APIS, adecode, decode
from ._payload import Chunk, SupportsModelDump
from .anthropic import AnthropicDecoder
from .bedrock import BedrockDecoder
from .cohere import CohereDecoder
from .google import GoogleDecoder
from .google_interactions import InteractionsDecoder
from .ollama import OllamaDecoder
from .openai_completions import OpenAICompletionsDecoder
from .openai_responses import OpenAIResponsesDecoder
from .sse import aiter_sse, iter_sse

__all__ = [
    "APIS",
    "AnthropicDecoder",
    "BedrockDecoder",
    "Chunk",
    "CohereDecoder",
    "Decoder",
    "GoogleDecoder",
    "InteractionsDecoder",
    "OllamaDecoder",
    "OpenAICompletionsDecoder",
    "OpenAIResponsesDecoder",
    "SupportsModelDump",
    "adecode",
    "aiter_sse",
    "decode",
    "iter_sse",
]
