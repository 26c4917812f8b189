# SPDX-License-Identifier: MIT
from ._decoder import Decoder
class GoogleDecoder(Decoder):
    api = "google-generative-ai"
    default_provider = "x"
    @staticmethod
    def recognizes(payload): return False
