"""
The usual parts of websockets (RFC 6455), without Autobahn: the usual request, the usual frame in, and all frames out.

These are most of what a daemon does: a plain request, a whole text in one frame, and frames that are encoded once for
all connections with the same wire format.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from hashlib import sha1
from typing import Final

from zope.interface import implementer

from gossip.protocol import frames
from gossip.protocol.server_events import ServerEvent
from gossip.service.interfaces import IWireFormat

WHOLE_TEXT: Final = 0x81
"""The first byte of a frame that is a whole text."""

_COMPRESSED_TEXT: Final = 0xC1

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(b"[A-Za-z0-9+/]{22}==")
_SWITCHING: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)
_USUAL: Final = {
    b"host": None,
    b"upgrade": b"websocket",
    b"connection": b"upgrade",
    b"sec-websocket-version": b"13",
    b"sec-websocket-key": None,
}
"""The headers of the usual request, once each, with their values in lower case; C{None} for any value."""


def usual_key(head: bytes) -> bytes | None:
    """
    The key of a usual request for the upgrade (RFC 6455, section 4.2.1): without extensions, subprotocols and repeated
    headers. Most connects are of this kind, and Autobahn takes four times as long for it.

    @param head: the request without its empty line.
    @return: C{None} if Autobahn must judge the request.
    """
    first, *lines = head.split(b"\r\n")
    method, _, version = first.partition(b" ")
    if method != b"GET" or not version.endswith(b" HTTP/1.1") or b"#" in version or version.count(b" ") != 1:
        return None
    found: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name in found or (name.startswith(b"sec-websocket-") and name not in _USUAL):
            return None
        found[name] = value.strip()
    for name, wanted in _USUAL.items():
        if name not in found or (wanted is not None and found[name].lower() != wanted):
            return None
    key = found[b"sec-websocket-key"]
    return key if _KEY.fullmatch(key) and found[b"host"] else None


def switching_protocols(key: bytes) -> bytes:
    """The answer to a request for the upgrade (RFC 6455, section 4.2.2), in the form that every client understands."""
    return _SWITCHING % b64encode(sha1(key + _MAGIC, usedforsecurity=False).digest())


def unmask(mask: bytes, payload: bytes) -> bytes:
    """Unmask a whole payload at once (RFC 6455, section 5.3)."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


def is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@implementer(IWireFormat)
class PlainFormat:
    """JSON in unmasked, unfragmented text frames."""

    def __init__(self, frame_out: int) -> None:
        """
        @param frame_out: the maximum size of the JSON in a frame, in bytes; 0 for no limit.
        """
        self._frame_out = frame_out

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(map(text_frame, frames.encode(event, self._frame_out)))


@implementer(IWireFormat)
class DeflateFormat:
    """
    The same, compressed (RFC 7692).

    Each message is compressed on its own, so that it is encoded once for all connections, and none needs a window.
    """

    def __init__(self, frame_out: int, window_bits: int) -> None:
        """
        @param frame_out: the maximum size of the JSON in a frame, in bytes; 0 for no limit.
        @param window_bits: the peer has a window of 2 to this power bytes.
        """
        self._frame_out = frame_out
        self._window_bits = window_bits

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(
            [_frame(_COMPRESSED_TEXT, self._deflate(text)) for text in frames.encode(event, self._frame_out)]
        )

    def _deflate(self, text: bytes) -> bytes:
        stream = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -self._window_bits)
        return (stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def text_frame(text: bytes) -> bytes:
    """A whole text in an unmasked frame (RFC 6455, section 5.2)."""
    return _frame(WHOLE_TEXT, text)


def _frame(first: int, payload: bytes) -> bytes:
    """An unmasked frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload
