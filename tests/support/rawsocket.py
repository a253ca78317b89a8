"""A websocket peer made by hand (RFC 6455), to say on purpose what a library would never say."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\n"
    b"Host: localhost:4110\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"\r\n"
)


def handshake(*headers: bytes) -> bytes:
    """The request for the upgrade, with further headers."""
    return HANDSHAKE[:-2] + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def frame(payload: bytes | dict[str, Any], opcode: int = TEXT, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame, as a game sends it."""
    if isinstance(payload, dict):
        payload = json.dumps(payload).encode()
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The first byte and the payload of each whole frame that the server sent."""
    while data:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        yield data[0], data[start : start + size]
        data = data[start + size :]


def texts(data: bytes) -> list[dict[str, Any]]:
    """The JSON of each text frame that the server sent."""
    return [json.loads(payload) for first, payload in frames(data) if first == 0x80 | TEXT]
