# SPDX-License-Identifier: MIT
from ._decoder import Decoder
class BedrockDecoder(Decoder):
    api = "bedrock-converse-stream"
    default_provider = "x"
    @staticmethod
    def recognizes(payload): return False
