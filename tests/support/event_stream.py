# SPDX-License-Identifier: MIT
"""Messages in the framing of AWS."""

from __future__ import annotations

import json
from struct import pack
from zlib import crc32


def event_stream_frame(kind: str, payload: object) -> bytes:
    """Return a message of `application/vnd.amazon.eventstream`."""
    message_type = "exception" if kind.endswith("Exception") else "event"
    fields = {":message-type": message_type, f":{message_type}-type": kind, ":content-type": "application/json"}
    headers = b"".join(
        pack("!B", len(name)) + name.encode() + pack("!BH", 7, len(value)) + value.encode()
        for name, value in fields.items()
    )
    body = json.dumps(payload).encode()
    prelude = pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + pack("!I", crc32(prelude)) + headers + body
    return message + pack("!I", crc32(message))
