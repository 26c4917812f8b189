"""To be removed once no test imports it: see `support/recordings.py`."""

from support.recordings import NAMES, api, body, expected, payloads

__all__ = ["NAMES", "api", "body", "expected", "payloads"]
