"""L{gossip.transports.admission}: the connections of all listeners together."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.testing import StringTransport, StringTransportWithDisconnection
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.admission import REFUSED_AT_ONCE, RESERVED_FILES, Admission, Room, room_for
from gossip.transports.sniffer import RequestLineSnifferFactory
from gossip.transports.telnet.transport import TelnetTransport
from gossip.transports.websocket.connection import GameFactory
from gossip.transports.websocket.server import OPEN_SECONDS
from tests.support.guests import Guests
from tests.support.rawsocket import handshake
from tests.support.telnet_games import TelnetTestCase


class FilesTests(SynchronousTestCase):
    """How many connections are accepted."""

    def test_enough(self) -> None:
        """With files enough, as many as is set."""
        self.assertEqual(room_for(20_000, 20_000 + RESERVED_FILES), 20_000)
        self.assertEqual(room_for(20_000, 0), 20_000)
        self.assertEqual(room_for(0, 0), 0)

    def test_too_few(self) -> None:
        """With fewer, as many as leave some files for the rest; also when no limit is set."""
        self.assertEqual(room_for(20_000, 20_000), 20_000 - RESERVED_FILES)
        self.assertEqual(room_for(20_000, 4096), 4096 - RESERVED_FILES)
        self.assertEqual(room_for(0, 4096), 4096 - RESERVED_FILES)

    def test_very_few(self) -> None:
        """With next to none, most of them are for connections."""
        self.assertEqual(room_for(20_000, 256), 192)


class RoomTests(TelnetTestCase):
    """Three connections, wherever they come from and whatever they do."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(import_module("txaio").config, "loop", self.clock)  # Autobahn's timers know no other way
        self.room = Room(3)
        games = GameFactory(self.clock, self.service, Admission(), room=self.room)
        self.sniffers = RequestLineSnifferFactory(self.clock, games, Guests(), Admission(), 100, 10, self.room)
        self.telnets = self.telnet_factory(TelnetTransport())
        self.telnets.room = self.room

    def arrive(self, factory: IProtocolFactory, sent: bytes = b"") -> Any:
        """A new connection; C{None} if it is refused at once."""
        address = IPv4Address("TCP", "192.0.2.7", 4000)
        protocol: Any = factory.buildProtocol(address)
        if protocol is None:
            return None
        transport: Any = StringTransportWithDisconnection(peerAddress=address)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        if sent and transport.connected:
            transport.protocol.dataReceived(sent)
        return transport

    def test_shared(self) -> None:
        """A game, a browser and a MUD share the room; one that ends makes room for any other."""
        for start in range(5):
            self.setUp()
            kinds = (
                (self.sniffers, handshake()),
                (self.sniffers, b"GET / HTTP/1.1\r\n"),
                (self.telnets, b""),
                (self.sniffers, handshake()[:30]),
                (self.sniffers, b"GET /"),
            )
            here = [self.arrive(*kinds[(start + number) % len(kinds)]) for number in range(3)]
            self.assertEqual(self.room.taken, 3)
            self.assertIsNone(self.arrive(self.telnets))
            refused = self.arrive(self.sniffers)
            self.assertTrue(refused.value().startswith(b"HTTP/1.1 503 "))
            self.assertFalse(refused.connected)
            for transport in here:
                transport.loseConnection()
                self.assertTrue(self.arrive(self.sniffers, handshake()).connected)

    def test_every_end(self) -> None:
        """Whatever ends a connection, it is counted once."""
        for sent in (b"\n" * 60, b"x" * 200, b"GET /socket HTTP/1.1\r\n\r\n", handshake() + b"\x81\x05hello"):
            transport = self.arrive(self.sniffers, sent)
            self.clock.advance(20)
            self.assertFalse(transport.connected, sent[:30])
            self.assertEqual(self.room.taken, 0, sent[:30])
        for sent in (b"", b"GET / HTTP/1.1\r\n", b"\x16\x03", b"QUIT\n"):
            self.arrive(self.telnets, sent)
            self.clock.advance(60)
            self.assertEqual(self.room.taken, 0, sent[:30])

    def test_unfinished_handshakes(self) -> None:
        """A request for the socket that is not complete counts for its address, until the handshake is done or over."""
        self.room.most = 0
        admission = self.sniffers.admission
        admission.waiting_per_address = 2
        first, second = (self.arrive(self.sniffers, b"GET /socket HTTP/1.1\r\n") for _ in range(2))
        third = self.arrive(self.sniffers)
        self.assertTrue(third.value().startswith(b"HTTP/1.1 503 "))
        third.loseConnection()
        first.protocol.dataReceived(handshake().partition(b"\n")[2])
        self.assertIn(b" 101 ", first.value())
        self.assertEqual(len(admission), 1)
        self.clock.advance(OPEN_SECONDS)
        self.assertEqual((second.connected, len(admission)), (False, 0))
        self.assertTrue(first.connected)
        first.loseConnection()
        self.assertEqual(len(admission), 0)

    def test_refused_telnet(self) -> None:
        """A MUD that the telnet port has no place for takes none of the room."""
        self.telnets.transport.admission.total = 1
        self.arrive(self.telnets)
        self.assertIsNone(self.arrive(self.telnets))
        self.assertEqual(self.room.taken, 1)

    def test_crowd(self) -> None:
        """A few are told that there is no room. When many come at once, the others are closed without a word."""
        self.room.most = 1
        kept: list[Any] = [
            self.sniffers.buildProtocol(IPv4Address("TCP", "192.0.2.7", 4000)) for _ in range(REFUSED_AT_ONCE + 1)
        ]
        for protocol in kept:
            assert protocol is not None
            protocol.makeConnection(_Slow())
        self.assertIsNone(self.arrive(self.sniffers))
        self.assertIsNone(self.arrive(self.telnets))
        kept[1].connectionLost()
        self.assertIsNotNone(self.arrive(self.sniffers))

    def test_tls(self) -> None:
        """Under TLS an answer would wait for the peer, so the connection is aborted."""
        self.room.most = 1
        self.arrive(self.sniffers)
        encrypted = WrappingFactory(self.sniffers)
        encrypted.protocol = _Encrypted
        self.assertTrue(self.arrive(encrypted).disconnected)


class _Slow(StringTransport):
    """A transport that takes its time to close."""


class _Encrypted(ProtocolWrapper):
    """Takes the place of TLS."""

    def abortConnection(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()
