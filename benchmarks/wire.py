"""A game's websocket for the soak: small, fast, and able to misbehave as no good library does."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

Frame = dict[str, Any]

OPENS_WITHIN: Final = 30.0

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Lost(Exception):
    """The connection is gone."""


class Wire(asyncio.Protocol):
    """
    One connection.

    @ivar opened: fires when the handshake is done.
    @ivar ended: fires with the close code when the connection is gone; C{None} without a close frame.
    """

    def __init__(self, received: Callable[[Frame], None]) -> None:
        """@param received: is given each frame."""
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int | None] = loop.create_future()
        self._received = received
        self._buffer = bytearray()
        self._upgraded = False
        self._code: int | None = None
        self._transport: Any = None

    @classmethod
    async def open(cls, port: int, address: str, received: Callable[[Frame], None]) -> Wire:
        """
        Connect, and upgrade.

        @param address: the loopback address to come from.
        @raise Lost: it cannot be done.
        """
        wire = await cls.connect(port, address, received)
        wire.send_bytes(
            b"GET /socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        try:
            async with asyncio.timeout(OPENS_WITHIN):
                await wire.opened
        except TimeoutError:
            wire.vanish()
            raise Lost("no answer to the handshake") from None
        return wire

    @classmethod
    async def connect(cls, port: int, address: str, received: Callable[[Frame], None]) -> Wire:
        """Connect, and send nothing."""
        loop = asyncio.get_running_loop()
        try:
            _, wire = await loop.create_connection(lambda: cls(received), "127.0.0.1", port, local_addr=(address, 0))
        except OSError as error:
            raise Lost(f"cannot connect: {error}") from None
        return wire

    # What comes in.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(b"HTTP/1.1 101"):
                self._fail_to_open(bytes(self._buffer[:40]).decode("latin1"))
                return
            del self._buffer[: end + 4]
            self._upgraded = True
            if not self.opened.done():
                self.opened.set_result(None)
        while self._take_frame():
            pass

    def _take_frame(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        opcode, size, head = buffer[0] & 15, buffer[1], 2
        if size == 126:
            if len(buffer) < 4:
                return False
            size, head = buffer[2] << 8 | buffer[3], 4
        if len(buffer) < head + size:
            return False
        payload = bytes(buffer[head : head + size])
        del buffer[: head + size]
        if opcode == _TEXT:
            self._received(json.loads(payload))
        elif opcode == _PING:
            self._send(_PONG, payload)
        elif opcode == _CLOSE:
            self._code = int.from_bytes(payload[:2], "big") if payload else 1005
            self._send(_CLOSE, payload)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._fail_to_open("closed")
        if not self.ended.done():
            self.ended.set_result(self._code)

    def _fail_to_open(self, why: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(Lost(why))
            # Nobody may be waiting for it.
            self.opened.exception()

    # What goes out.

    def send(self, frame: Frame) -> None:
        """Send a frame; nothing once the connection is gone."""
        self._send(_TEXT, json.dumps(frame).encode())

    def send_bytes(self, data: bytes) -> None:
        """Send something that need not be a frame."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def send_half(self, frame: Frame) -> None:
        """Send the first half of a frame."""
        whole = _framed(_TEXT, json.dumps(frame).encode())
        self.send_bytes(whole[: len(whole) // 2])

    def _send(self, opcode: int, payload: bytes) -> None:
        self.send_bytes(_framed(opcode, payload))

    # Ends.

    async def close(self) -> None:
        """End it as one should."""
        self._send(_CLOSE, struct.pack("!H", 1000))
        try:
            async with asyncio.timeout(OPENS_WITHIN):
                await asyncio.shield(self.ended)
        except TimeoutError:
            self.vanish()
            raise Lost("no answer to a close") from None

    def vanish(self) -> None:
        """End it with an RST, as a machine that crashed or a router that forgot."""
        connected = self._transport.get_extra_info("socket")
        if connected is not None and connected.fileno() >= 0:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def stall(self) -> None:
        """Read no more."""
        if not self._transport.is_closing():
            self._transport.pause_reading()


def _framed(opcode: int, payload: bytes) -> bytes:
    """A frame with a mask of zeros, which leaves the payload as it is."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + bytes(4) + payload
