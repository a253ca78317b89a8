"""L{gossip.transports.proxied}."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gossip.registry.addresses import Address, read
from gossip.transports.admission import REFUSED_AT_ONCE, Admission
from gossip.transports.proxied import HEADER_SECONDS, ProxiedFactory
from gossip.transports.sniffer import RequestLineSnifferFactory

PROXY = IPv4Address("TCP", "192.0.2.1", 4000)
HEADER = b"PROXY TCP4 203.0.113.7 192.0.2.1 5555 4110\r\n"


class Guest(Protocol):
    """A protocol that remembers its input."""

    def __init__(self, address: Any) -> None:
        self.peer = read(address.host)
        self.heard = b""
        self.lost = False

    def keep_place(self, admission: Admission, address: Address) -> None:
        admission.left(address, False)

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True


class Guests(Factory):
    """Makes such protocols and remembers them; none if it is C{full}."""

    noisy = False
    full = False

    def __init__(self) -> None:
        self.made: list[Guest] = []

    def buildProtocol(self, addr: object) -> Guest | None:
        if self.full:
            return None
        self.made.append(Guest(addr))
        return self.made[-1]


@implementer(IHalfCloseableProtocol)
class Polite(Guest):
    """A protocol that remembers whether its peer sends nothing more."""

    half_closed = False

    def readConnectionLost(self) -> None:
        self.half_closed = True

    def writeConnectionLost(self) -> None:
        pass


class Polites(Factory):
    """Makes such protocols and remembers them."""

    noisy = False

    def __init__(self) -> None:
        self.made: list[Polite] = []

    def buildProtocol(self, addr: object) -> Polite:
        self.made.append(Polite(addr))
        return self.made[-1]


class ProxiedTests(SynchronousTestCase):
    """A connection begins when the proxy has said where it comes from."""

    def setUp(self) -> None:
        self.clock, self.guests = Clock(), Guests()
        self.factory = ProxiedFactory(self.guests, self.clock)

    def connect(self, *data: bytes) -> Any:
        transport: Any = StringTransportWithDisconnection(peerAddress=PROXY)
        transport.protocol = self.factory.buildProtocol(PROXY)
        transport.protocol.makeConnection(transport)
        for each in data:
            transport.protocol.dataReceived(each)
        return transport

    def test_address(self) -> None:
        """The protocol is made for the address in the header, once it is there, and gets what follows."""
        for pieces in (
            [HEADER, b"line"],
            [HEADER + b"line"],
            [HEADER[:20], HEADER[20:], b"li", b"ne"],
            [b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\xc0\x00\x02\x01\x00\x01\x00\x02", b"line"],
        ):
            self.setUp()
            transport = self.connect(*pieces)
            [guest] = self.guests.made
            self.assertEqual((str(guest.peer), guest.heard, transport.value()), ("203.0.113.7", b"line", b"hello"))
            self.assertEqual(self.clock.getDelayedCalls(), [])
            transport.loseConnection()
            self.assertTrue(guest.lost)

    def test_half_closed(self) -> None:
        """The protocol is told when its peer sends nothing more; without one that cares, the connection ends."""
        people = Polites()
        self.factory = ProxiedFactory(people, self.clock)
        transport = self.connect(HEADER)
        transport.protocol.readConnectionLost()
        self.assertEqual((people.made[0].half_closed, people.made[0].lost), (True, False))
        for data in (HEADER[:-1], HEADER):
            self.setUp()
            transport = self.connect(data)
            transport.protocol.readConnectionLost()
            self.assertFalse(transport.connected)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_before_the_header(self) -> None:
        """Before the header nothing is made and nothing is sent; without data after it, the greeting is sent."""
        transport = self.connect(HEADER[:-1])
        self.assertEqual((self.guests.made, transport.value()), ([], b""))
        transport.protocol.dataReceived(HEADER[-1:])
        self.assertEqual(transport.value(), b"hello")

    def test_of_the_proxy(self) -> None:
        """A connection of the proxy's own, such as a health check, has the proxy's address."""
        self.connect(b"PROXY UNKNOWN ::1 ::2 1 2\r\n")
        self.connect(b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
        self.assertEqual([str(guest.peer) for guest in self.guests.made], ["192.0.2.1"] * 2)

    def test_no_header(self) -> None:
        """Without a header the connection ends, at once or after some seconds."""
        self.assertFalse(self.connect(b"GET / HTTP/1.1\r\n").connected)
        self.assertFalse(self.connect(b"PROXY TCP4 nonsense\r\n").connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        transport = self.connect(HEADER[:-1])
        self.clock.advance(HEADER_SECONDS)
        self.assertFalse(transport.connected)
        self.assertEqual(self.guests.made, [])

    def test_room(self) -> None:
        """A connection has a place while its header is read; with far too few places no more are accepted."""
        room = self.factory.room
        room.most = 1
        for rest in (HEADER[-1:], b"x" * 200):  # a header, and none
            transport = self.connect(HEADER[:-1])
            self.assertEqual(room.taken, 1)
            transport.protocol.dataReceived(rest)
            self.assertEqual(room.taken, 0, "what takes the connection counts it from here on")
            transport.loseConnection()
            self.assertEqual(room.taken, 0)
        gone = self.connect(HEADER[:-1])
        gone.loseConnection()
        self.assertEqual(room.taken, 0)
        waiting = [self.connect(HEADER[:-1]) for _ in range(1 + REFUSED_AT_ONCE)]
        self.assertIsNone(self.factory.buildProtocol(PROXY))
        self.clock.advance(HEADER_SECONDS)
        self.assertEqual((room.taken, [each.connected for each in waiting]), (0, [False] * len(waiting)))

    def test_refused(self) -> None:
        """A connection that the factory does not take ends."""
        self.guests.full = True
        self.assertFalse(self.connect(HEADER).connected)

    def test_one_stranger(self) -> None:
        """Idle connections of one stranger take no room of others that come through the same proxy."""
        games, people = Guests(), Guests()
        sniffers = RequestLineSnifferFactory(self.clock, games, people, Admission(0, 2, 2), most=100, seconds=10)
        self.factory = ProxiedFactory(sniffers, self.clock)
        taken = [b"503" not in self.connect(HEADER).value() for _ in range(3)]
        self.assertEqual(taken, [True, True, False])
        self.connect(HEADER.replace(b"113.7", b"113.8") + b"GET / HTTP/1.1\r\n")
        self.assertEqual([str(guest.peer) for guest in people.made], ["203.0.113.8"])

    def test_handed_over(self) -> None:
        """A game's connection that is handed over to the websocket gets all that follows."""
        games, people = Guests(), Guests()
        sniffers = RequestLineSnifferFactory(self.clock, games, people, Admission(), most=100, seconds=10)
        self.factory = ProxiedFactory(sniffers, self.clock)
        self.connect(HEADER + b"GET /socket", b" HTTP/1.1\r\n\r\n", b"frame", b" and more")
        [guest] = games.made
        self.assertEqual((str(guest.peer), guest.heard[-14:]), ("203.0.113.7", b"frame and more"))
