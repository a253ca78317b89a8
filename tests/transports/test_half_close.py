"""L{gossip.transports.half_close}."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gossip.transports.certificates import Certificates, PemFiles
from gossip.transports.half_close import HalfCloseableTLSFactory
from tests.support.certificate import signed
from tests.support.clock import Clock


class Deaf(Protocol):
    """Knows of no half-closed connections."""

    lost: Failure | None = None

    def __init__(self) -> None:
        self.heard = b""

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason


@implementer(IHalfCloseableProtocol)
class Polite(Deaf):
    """Says something after its peer has ended its side."""

    times = 0
    patient = False

    def readConnectionLost(self) -> None:
        self.times += 1
        if not self.patient:
            self.answer()

    def answer(self) -> None:
        assert self.transport is not None
        self.transport.write(b"answer")
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        pass


class Lower(StringTransport):
    """A TCP connection that knows its protocol."""

    protocol: Any = None

    def connectionLost(self, reason: Failure) -> None:
        self.protocol.connectionLost(reason)


class TLSTests(SynchronousTestCase):
    """TLS, and a peer that ends its side."""

    def setUp(self) -> None:
        path = Path(self.mktemp())
        made = signed("localhost")
        path.write_bytes(made.key + made.pem)
        self.certificates = Certificates(PemFiles(str(path)))

    def open(self, protocol: type[Deaf] = Polite) -> Any:
        """A server's protocol, after the handshake."""
        self.clock = Clock()
        inner: Any = Factory.forProtocol(protocol)
        factory = HalfCloseableTLSFactory(self.certificates, False, inner, self.clock)
        self.tls: Any = factory.buildProtocol(None)
        self.lower = Lower()
        self.lower.protocol = self.tls
        self.tls.makeConnection(self.lower)
        self.client = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
        self.client.set_connect_state()
        for _ in range(3):
            with contextlib.suppress(SSL.WantReadError):
                self.client.do_handshake()
            self.exchange()
        return self.tls.wrappedProtocol

    def test_refused(self) -> None:
        """A connection that the factory inside refuses is refused, and not wrapped."""
        inner: Any = Factory()
        inner.buildProtocol = lambda _: None
        factory = HalfCloseableTLSFactory(self.certificates, False, inner, Clock())
        self.assertIsNone(factory.buildProtocol(None))

    def exchange(self) -> None:
        """Carry the bytes of both sides."""
        with contextlib.suppress(SSL.WantReadError):
            self.tls.dataReceived(self.client.bio_read(1 << 16))
        self.clock.advance(0)
        if self.lower.value():
            self.client.bio_write(self.lower.value())
            self.lower.clear()

    def heard(self) -> list[bytes | type]:
        """What the client gets: data, and the exception at its end."""
        self.exchange()
        heard: list[bytes | type] = []
        while True:
            try:
                heard.append(self.client.recv(1 << 16))
            except SSL.Error as error:
                return [*heard, type(error)]

    def test_close_notify(self) -> None:
        """After a close_notify, the answer is sent, then our close_notify, and the connection ends."""
        protocol = self.open()
        self.client.send(b"question")
        self.client.shutdown()
        self.assertEqual(self.heard(), [b"answer", SSL.ZeroReturnError])
        self.assertEqual((protocol.heard, protocol.times), (b"question", 1))
        self.assertTrue(self.lower.disconnecting)

    def test_later(self) -> None:
        """The same if the answer comes later; a FIN after the close_notify changes nothing."""
        for fin in (False, True):
            protocol = self.open()
            protocol.patient = True
            self.client.send(b"question")
            self.client.shutdown()
            self.assertEqual(self.heard(), [SSL.WantReadError])
            if fin:
                self.tls.readConnectionLost()
            self.assertFalse(self.lower.disconnecting)
            protocol.answer()
            self.assertEqual(self.heard(), [b"answer", SSL.ZeroReturnError])
            self.assertTrue(self.lower.disconnecting)

    def test_fin(self) -> None:
        """After a FIN without a close_notify the answer is sent, and nothing waits for a close_notify."""
        protocol = self.open()
        self.client.send(b"question")
        self.exchange()
        self.tls.readConnectionLost()
        self.assertEqual(protocol.heard, b"question")
        self.assertEqual(self.heard(), [b"answer", SSL.ZeroReturnError])
        self.assertTrue(self.lower.disconnecting)

    def test_fin_after_ours(self) -> None:
        """A FIN while our last bytes are being sent does not drop them."""
        protocol = self.open()
        protocol.answer()
        self.tls.readConnectionLost()
        self.assertTrue(self.lower.disconnecting)
        self.assertEqual((protocol.times, protocol.lost), (0, None))
        self.assertEqual(self.heard(), [b"answer", SSL.ZeroReturnError])

    def test_others(self) -> None:
        """A protocol that knows nothing of it ends as it does with Twisted's TLS."""
        protocol = self.open(Deaf)
        self.client.send(b"question")
        self.client.shutdown()
        self.assertEqual(self.heard(), [SSL.ZeroReturnError])
        self.assertEqual(protocol.heard, b"question")
        self.assertTrue(self.lower.disconnecting)
        protocol = self.open(Deaf)
        self.tls.readConnectionLost()
        self.assertIsInstance(protocol.lost.value, ConnectionLost)  # without a close_notify

    def test_no_handshake(self) -> None:
        """A FIN before the end of the handshake ends the connection."""
        factory = HalfCloseableTLSFactory(self.certificates, False, Factory.forProtocol(Polite), Clock())
        tls: Any = factory.buildProtocol(None)
        lower = Lower()
        lower.protocol = tls
        tls.makeConnection(lower)
        protocol = tls.wrappedProtocol
        tls.readConnectionLost()
        self.assertEqual(protocol.times, 0)
        self.assertIsInstance(protocol.lost.value, ConnectionLost)

    def test_lean(self) -> None:
        """A connection that is not half closed has no attribute for it."""
        self.open()
        self.assertNotIn("_no_more", vars(self.tls))
