"""L{gossip.transports.listening}."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactor
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.endpoints import EndpointError
from gossip.transports.listening import Listener, listen
from gossip.transports.proxied import ProxiedFactory
from tests.support.certificate import certificate, signed
from tests.support.clock import Clock


class ListenerTests(SynchronousTestCase):
    """What Twisted is asked for."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()
        certificate(self.directory)

    def test_backlog(self) -> None:
        """Each kind of listener has the same backlog, unless its string says otherwise."""
        made = signed("localhost")
        (self.directory / "x.pem").write_bytes(made.key + made.pem)
        files = f"privateKey={self.directory}/key.pem:certKey={self.directory}/cert.pem"
        for text, endpoint in (
            ("tcp:1", "tcp:port=1:backlog=1024"),
            ("tcp:1:127.0.0.1:99", "tcp:port=1:interface=127.0.0.1:backlog=99"),
            ("tcp:1:backlog=99", "tcp:port=1:backlog=99"),
            ("tcp6:1:interface=\\:\\:1", "tcp6:port=1:backlog=1024:interface=\\:\\:1"),
            ("unix:/x/y\\=z\\:\\\\:mode=600", "unix:address=/x/y\\=z\\:\\\\:mode=600:backlog=1024"),
            ("haproxy:tcp:1", "tcp:port=1:backlog=1024"),
            ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
            ("haproxy:systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
            (f"ssl:1:{files}", "tcp:port=1:backlog=1024"),
            (f"ssl:1:{files}:interface=127.0.0.1:backlog=99", "tcp:port=1:interface=127.0.0.1:backlog=99"),
            (f"tls:{self.directory}:1", "tcp6:port=1:backlog=1024"),
            (f"tls:{self.directory}", "tcp6:port=443:backlog=1024"),
            (f"tls:{self.directory}:1:99:0.0.0.0", "tcp6:port=1:backlog=99:interface=0.0.0.0"),
            (f"haproxy:tls:{self.directory}:1", "tcp6:port=1:backlog=1024"),
        ):
            with self.subTest(text):
                self.assertEqual(Listener(text).endpoint, endpoint)

    def test_backlog_of_sockets(self) -> None:
        """The backlog reaches the system."""
        reactor = MemoryReactor()
        for text in ("tcp:1", f"tls:{self.directory}:2", f"unix:{self.directory}/s"):
            service, _ = listen(text, Factory(), reactor, Clock())
            service.privilegedStartService()
        self.assertEqual([server[2] for server in reactor.tcpServers], [1024, 1024])
        self.assertEqual([server[2] for server in reactor.unixServers], [1024])

    def test_proxied(self) -> None:
        """Behind a proxy that speaks the PROXY protocol, its header comes before TLS."""
        reactor, inner = MemoryReactor(), Factory()
        for text in ("haproxy:tcp:1", f"haproxy:tls:{self.directory}:2", "tcp:3"):
            service, _ = listen(text, inner, reactor, Clock())
            service.privilegedStartService()
        factories: list[Any] = [server[1] for server in reactor.tcpServers]
        plain, encrypted, direct = factories
        self.assertIsInstance(plain, ProxiedFactory)
        self.assertIs(plain.wrappedFactory, inner)
        self.assertIsInstance(encrypted, ProxiedFactory)
        self.assertIsInstance(encrypted.wrappedFactory, TLSMemoryBIOFactory)
        self.assertIs(direct, inner)

    def test_wrong(self) -> None:
        """An endpoint string that is wrong says why."""
        for text, why in (
            ("tcp:1:prot=2", "tcp has no argument 'prot', only port, interface, backlog"),
            ("tcp:1:port=2", "tcp has port twice"),
            ("tcp:1:::::::", "tcp has no argument"),
            ("tls", "tls needs the directory of its certificates"),
            (f"tls:{self.directory}/none:1", "cannot read"),
            ("ssl:1", "cannot read server.pem"),
            (f"ssl:1:{self.directory}/key.pem:{self.directory}/cert.pem:sslmethod=x", "no such sslmethod: x"),
            ("systemd:domain=INET:index=0", "systemd passed no such socket"),
            ("systemd:domain=INET:name=gossip", "systemd passed no such socket"),
            ("tpc:1", "did you mean 'tcp'?"),
            ("", "there is no kind of address called ''"),
        ):
            with self.subTest(text):
                error = self.assertRaises(EndpointError, listen, text, Factory(), MemoryReactor(), Clock())
                self.assertIn(why, str(error))
