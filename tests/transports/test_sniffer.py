"""L{gossip.transports.sniffer}."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from gossip.config.config import Config
from gossip.transports.admission import Admission
from gossip.transports.budget import Budget
from gossip.transports.sniffer import PIECE_BYTES, RequestLineSnifferFactory
from tests.support.guests import Guests


class DoorTests(SynchronousTestCase):
    """Each connection reaches the right factory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.games, self.people = Guests(), Guests()
        self.admission = Admission(0, 2, 1)
        self.factory = RequestLineSnifferFactory(
            self.clock, self.games, self.people, self.admission, most=100, seconds=10
        )
        self.connect()

    def connect(self) -> None:
        self.transport = StringTransportWithDisconnection()
        protocol = self.factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        assert protocol is not None
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)

    def end_input(self) -> None:
        protocol: Any = self.transport.protocol
        protocol.readConnectionLost()

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.transport.protocol.dataReceived(piece)

    def test_game(self) -> None:
        """A request for the socket reaches the games' factory, with everything that was sent."""
        self.feed(b"GET /socket HTTP/1.1\r\nHost: x\r\n\r\nframe", b" and more")
        self.assertEqual(
            [guest.heard for guest in self.games.made], [b"GET /socket HTTP/1.1\r\nHost: x\r\n\r\nframe and more"]
        )
        self.assertEqual(self.people.made, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_query(self) -> None:
        """A query after the path makes no difference."""
        self.feed(b"GET /socket?vsn=1.0 HTTP/1.1\r\n")
        self.assertEqual(len(self.games.made), 1)

    def test_people(self) -> None:
        """Everything else reaches the pages, even junk."""
        for line in (b"GET / HTTP/1.1\r\n", b"GET /socket/x HTTP/1.1\r\n", b"GET /Socket HTTP/1.1\r\n", b"x\n"):
            self.setUp()
            self.feed(line)
            self.assertEqual([guest.heard for guest in self.people.made], [line])

    def test_half_closed(self) -> None:
        """A browser that sends nothing more is left to the site; a connection without a request ends."""
        self.feed(b"GET / HTTP/1.1\r\n")
        self.end_input()
        self.assertEqual((self.people.made[0].half_closed, self.transport.connected), (True, True))
        self.setUp()
        self.feed(b"GET /")
        self.end_input()
        self.assertFalse(self.transport.connected)

    def test_empty_lines(self) -> None:
        """Empty lines before a request are dropped, within the limit."""
        self.feed(b"\r\n", b"\r", b"\n\nGET /socket HTTP/1.1\r\n")
        self.assertEqual(self.games.made[0].heard, b"GET /socket HTTP/1.1\r\n")
        self.setUp()
        self.feed(*[b"\r\n"] * 50)
        self.assertTrue(self.transport.connected)
        self.feed(b"\n")
        self.assertTrue(self.transport.value().startswith(b"HTTP/1.1 414 "))

    def test_whole_url(self) -> None:
        """A request whose target is a whole URL reaches the socket, which gets the path, or the pages."""
        for url in (b"http://x/socket", b"https://x:1/socket?vsn=1", b"ws://x/socket", b"WSS://x/socket"):
            self.setUp()
            self.feed(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % url)
            path = url[url.index(b"/socket") :]
            self.assertEqual(self.games.made[0].heard, b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        for url in (b"http://x/socket/", b"http://socket/", b"http:///x", b"ftp://x/socket", b"http:/socket"):
            self.setUp()
            self.feed(b"GET %s HTTP/1.1\r\n" % url)
            self.assertEqual([guest.heard for guest in self.people.made], [b"GET %s HTTP/1.1\r\n" % url])

    def test_imc2(self) -> None:
        """An IMC2 client is cut off by an RST as soon as it is known, and told nothing."""
        for line in (b"PW OldMud pw version=2 autosetup pw2 SHA256\n\r", b"SHA256-AUTH-REQ OldMud\n\r", b"\n\rPW a"):
            for cut in (1, 2, len(line)):
                self.setUp()
                self.feed(line[:cut], line[cut:])
                self.assertFalse(self.transport.connected)
                self.assertTrue(self.transport.disconnected)  # aborted, and not closed
                self.assertEqual(self.transport.value(), b"")
                self.assertEqual(self.clock.getDelayedCalls(), [])
        self.setUp()
        self.feed(b"PWNED / HTTP/1.1\r\n")
        self.assertEqual(len(self.people.made), 1)

    def test_lost(self) -> None:
        """A protocol that was handed a connection is told of its end directly."""
        self.feed(b"GET /socket HTTP/1.1\r\n")
        self.transport.loseConnection()
        self.assertTrue(self.games.made[0].lost)

    def test_people_leave(self) -> None:
        """The site is told of the end of a browser's connection."""
        self.feed(b"GET / HTTP/1.1\r\n", b"more")
        self.assertEqual(self.people.made[0].heard, b"GET / HTTP/1.1\r\nmore")
        self.transport.loseConnection()
        self.assertTrue(self.people.made[0].lost)

    def test_people_do_not_wait(self) -> None:
        """The end of a browser's connection does not make room for two silent ones."""
        self.feed(b"GET / HTTP/1.1\r\n")
        self.transport.loseConnection()
        self.connect()
        self.assertTrue(self.transport.connected)
        self.connect()
        self.assertFalse(self.transport.connected)

    def test_too_many_waiting(self) -> None:
        """A silent connection takes the room of other silent ones until it ends."""
        first = self.transport
        self.connect()
        self.assertTrue(self.transport.value().startswith(b"HTTP/1.1 503 "))
        self.assertFalse(self.transport.connected)
        first.loseConnection()
        self.connect()
        self.assertTrue(self.transport.connected)

    def test_too_many_people(self) -> None:
        """Browsers of one address are limited; games are counted by their own factory."""
        self.feed(b"GET / HTTP/1.1\r\n")
        first = self.transport
        for line, connected in ((b"GET /socket HTTP/1.1\r\n", True), (b"GET / HTTP/1.1\r\n", True), (b"", False)):
            self.connect()
            if line:
                self.feed(line)
            self.assertEqual(self.transport.connected, connected)
        first.loseConnection()
        self.connect()
        self.assertTrue(self.transport.connected)

    def flood(self, sent: bytes) -> None:
        """Send the same as often as the connection is read from, for a minute."""
        for _ in range(60):
            while self.transport.connected and self.transport.producerState == "producing":
                self.feed(sent)
                self.clock.advance(0)
            self.clock.advance(1)

    def test_floods(self) -> None:
        """Lines without end, such as tiny chunks of a body, are passed on in small pieces, then slowly, then not."""
        budget = self.factory.budget = Budget(100_000, 1000)
        self.admission.waiting_per_address = self.admission.per_address = 0
        for line in (b"1\r\nx\r\n", b"a:b\r\n", b"\r\n", b"\n"):
            self.connect()
            self.feed(b"POST / HTTP/1.1\r\n")
            self.flood(line * (65_536 // len(line)))
            self.assertFalse(self.transport.connected)
            self.assertLess(len(self.people.made[-1].heard), budget.burst)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_turns(self) -> None:
        """A read of many lines is passed on in pieces, with turns for others between them."""
        self.feed(b"POST / HTTP/1.1\r\n")
        self.feed(b"\n" * 5000)
        self.assertEqual(self.people.made[0].heard.count(b"\n"), 1 + PIECE_BYTES)
        self.assertEqual(self.transport.producerState, "paused")
        self.end_input()
        self.assertFalse(self.people.made[0].half_closed)
        self.clock.advance(0)
        self.assertEqual(self.people.made[0].heard.count(b"\n"), 5001)
        self.assertTrue(self.people.made[0].half_closed)
        self.assertEqual(self.transport.producerState, "producing")

    def test_behaving(self) -> None:
        """A browser that asks thirty times a second, and one that sends the largest form, do not notice."""
        self.factory.budget = Config().limits.budgets.authenticated
        asked = b"GET /health HTTP/1.1\r\n" + b"Some-Header: with a value of forty characters or so\r\n" * 20 + b"\r\n"
        for _ in range(30):
            self.feed(*[asked] * 30)
            self.assertEqual(self.transport.producerState, "producing")
            self.clock.advance(1)
        self.feed(b"x" * 65_536)
        self.assertEqual(self.transport.producerState, "producing")
        self.assertEqual(len(self.people.made[0].heard), 30 * 30 * len(asked) + 65_536)

    def test_more_while_resting(self) -> None:
        """A connection that is read from although it rests is kept within bounds."""
        self.factory.budget = Budget(1000, 10)
        self.feed(b"POST / HTTP/1.1\r\n", b"x" * 5000)
        self.feed(b"x" * 65_536)
        self.assertTrue(self.transport.connected)
        self.feed(b"x" * 65_536)
        self.assertFalse(self.transport.connected)

    def test_slow(self) -> None:
        """A connection whose first line does not arrive is ended."""
        self.feed(b"GET /sock")
        self.clock.advance(9)
        self.assertTrue(self.transport.connected)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)

    def test_long(self) -> None:
        """A first line without an end is refused."""
        self.feed(b"x" * 100)
        self.assertTrue(self.transport.connected)
        self.feed(b"x")
        self.assertTrue(self.transport.value().startswith(b"HTTP/1.1 414 "))
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_leaves(self) -> None:
        """A connection that ends before its first line leaves no timer behind."""
        self.transport.loseConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @given(st.lists(st.integers(1, 40), max_size=8))
    def test_cut_anywhere(self, cuts: list[int]) -> None:
        """However the bytes are cut, all of them arrive."""
        self.setUp()
        request = b"GET /socket HTTP/1.1\r\nHost: localhost\r\n\r\n"
        rest = request
        for cut in cuts:
            self.feed(rest[:cut])
            rest = rest[cut:]
        self.feed(rest)
        self.assertEqual(self.games.made[0].heard, request)
