# SPDX-License-Identifier: MIT
from ._decoder import Decoder
class OpenAIResponsesDecoder(Decoder):
    api = "openai-responses"
    default_provider = "x"
    @staticmethod
    def recognizes(payload): return False
