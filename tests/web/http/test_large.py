"""L{gossip.web.http.large}: a large answer takes no memory for a slow reader, which has its time."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gossip.web.http.large import CHUNK, LARGE, SLOWEST, SPARE_SECONDS
from gossip.web.http.requests import IDLE_SECONDS, BoundedSite, PublicRequest
from gossip.web.http.router import Router

WHOLE = bytes(range(256)) * (4 * LARGE // 256 + 1)
ADDRESS = IPv4Address("TCP", "192.0.2.1", 40000)


class SlowTransport(StringTransport):
    """A transport that asks for a pause as soon as something is written, and remembers how it ended."""

    aborted = False

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.producer is not None:
            self.producer.pauseProducing()

    def abortConnection(self) -> None:
        self.aborted = True


class LargeBodyTests(SynchronousTestCase):
    """A site with a large and a small body."""

    def setUp(self) -> None:
        self.clock: Any = Clock()
        router = Router(lambda request, problem: problem.text.encode())
        router.add("/large", get=lambda request: WHOLE)
        router.add("/small", get=lambda request: b"small")
        self.site: Any = BoundedSite(router, self.clock, PublicRequest)

    def ask(self, path: str, transport: Any, method: str = "GET") -> Any:
        """Ask for a body over a transport."""
        channel = self.site.buildProtocol(ADDRESS)
        channel.callLater = self.clock.callLater
        channel.makeConnection(transport)
        channel.dataReceived(f"{method} {path} HTTP/1.1\r\nHost: mud.example\r\n\r\n".encode())
        return channel

    def body(self, transport: Any) -> bytes:
        whole: bytes = transport.value()
        return whole.partition(b"\r\n\r\n")[2]

    def test_whole(self) -> None:
        """A reader that takes all gets all, with its length first; a HEAD gets the length alone."""
        for method, body in (("GET", WHOLE), ("HEAD", b"")):
            transport = StringTransport(peerAddress=ADDRESS)
            channel = self.ask("/large", transport, method)
            self.assertIn(b"Content-Length: %d\r\n" % len(WHOLE), transport.value())
            self.assertEqual(self.body(transport), body)
            self.assertTrue(transport.disconnecting)
            channel.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_paused(self) -> None:
        """A reader that takes nothing is sent no more than a chunk, and each time it reads, one more."""
        transport = SlowTransport(peerAddress=ADDRESS)
        channel = self.ask("/large", transport)
        self.assertEqual(len(self.body(transport)), CHUNK)
        while not transport.disconnecting:
            before = len(self.body(transport))
            channel.resumeProducing()
            self.assertLessEqual(len(self.body(transport)) - before, CHUNK)
        self.assertEqual(self.body(transport), WHOLE)
        channel.connectionLost(Failure(ConnectionDone()))

    def test_too_slow(self) -> None:
        """A reader that takes too long for the whole is cut off."""
        transport = SlowTransport(peerAddress=ADDRESS)
        channel = self.ask("/large", transport)
        self.clock.advance(SPARE_SECONDS + len(WHOLE) // SLOWEST - 1)
        channel.resumeProducing()
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)
        self.clock.advance(channel.abortTimeout)
        self.assertTrue(transport.aborted)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_rest(self) -> None:
        """A reader that does not take the rest of an answer, however small, is cut off."""
        transport = SlowTransport(peerAddress=ADDRESS)
        channel = self.ask("/small", transport)
        self.assertTrue(transport.disconnecting)
        self.clock.advance(IDLE_SECONDS - 1)
        self.assertFalse(transport.aborted)
        self.clock.advance(1)
        self.assertTrue(transport.aborted)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
