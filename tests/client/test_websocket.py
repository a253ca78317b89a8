"""L{gossip.client.websocket}: where a URL leads, and a websocket in memory."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from gossip.client.websocket import ClientFactory, endpoint

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the answer to a handshake hashes the key with (RFC 6455, section 1.3)."""


def unmasked(frame: bytes) -> tuple[int, bytes]:
    """Read the first byte and the payload of a short frame of a client."""
    mask, payload = frame[2:6], frame[6 : 6 + frame[1] - 0x80]
    return frame[0], bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


class Transport(StringTransportWithDisconnection):
    """A transport in memory, as tolerant as the real ones: Autobahn unregisters a producer that was never there."""

    def unregisterProducer(self) -> None:
        self.producer = None


class ConnectionTests(SynchronousTestCase):
    """One websocket; the test plays the network."""

    def setUp(self) -> None:
        self.patch(import_module("txaio").config, "loop", Clock())  # Autobahn's timers know no other way
        self.told: list[Any] = []
        self.send: Callable[[bytes], None] | None = None
        self.factory = ClientFactory(
            "ws://mud.example:4110/socket", self.opened, self.told.append, lambda *end: self.told.append(end)
        )
        address = IPv4Address("TCP", "192.0.2.1", 4110)
        connection: Any = self.factory.buildProtocol(address)
        self.connection = connection
        self.transport: Any = Transport(peerAddress=address)
        self.transport.protocol = self.connection
        self.connection.makeConnection(self.transport)

    def opened(self, send: Callable[[bytes], None]) -> None:
        self.told.append("opened")
        self.send = send

    def sent(self) -> bytes:
        value: bytes = self.transport.value()
        self.transport.clear()
        return value

    def open(self) -> None:
        """The network accepts the handshake."""
        request = self.sent()
        self.assertTrue(request.startswith(b"GET /socket HTTP/1.1\r\n"), request)
        key = re.findall(rb"Sec-WebSocket-Key: (\S+)", request)[0]
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.connection.dataReceived(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def test_texts(self) -> None:
        """Texts go both ways once the websocket is open; what is binary is ignored."""
        self.assertEqual(self.told, [])
        self.open()
        self.connection.dataReceived(b"\x82\x01x\x81\x05hello")
        self.assertEqual(self.told, ["opened", b"hello"])
        assert self.send is not None
        self.send(b"{}")
        self.assertEqual(unmasked(self.sent()), (0x81, b"{}"))

    def test_close(self) -> None:
        """A close goes out after what was sent; nothing is sent after it, and the end is told once."""
        self.open()
        assert self.send is not None
        self.send(b"{}")
        self.factory.close()
        self.send(b"late")
        frames = self.sent()
        self.assertEqual([unmasked(frames[:8]), unmasked(frames[8:])], [(0x81, b"{}"), (0x88, b"\x03\xe8")])
        self.connection.dataReceived(b"\x88\x02\x03\xe8")
        self.transport.loseConnection()
        self.assertEqual(self.told, ["opened", (1000, "")])

    def test_closed_by_the_network(self) -> None:
        """The code and the reason of the network are told."""
        self.open()
        self.connection.dataReceived(b"\x88\x09\x03\xf4goodbye")
        self.transport.loseConnection()
        self.assertEqual(self.told, ["opened", (1012, "goodbye")])

    def test_refused(self) -> None:
        """A handshake that fails is told as an end without an opening."""
        self.connection.dataReceived(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        self.transport.loseConnection()
        [(_, reason)] = self.told
        self.assertIn("503", reason)


class AddressTests(SynchronousTestCase):
    """Where a URL leads."""

    def test_bad_addresses(self) -> None:
        """What is not the URL of a websocket is refused."""
        for url in ("", "mud.example", "http://mud.example/socket", "ws:///socket", "ws://mud.example:99999/"):
            with self.assertRaises(ValueError):
                endpoint(Clock(), url)
