# SPDX-License-Identifier: MIT
from ._decoder import Decoder
class OpenAICompletionsDecoder(Decoder):
    api = "openai-completions"
    default_provider = "x"
    @staticmethod
    def recognizes(payload): return False
