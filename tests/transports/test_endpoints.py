"""L{gossip.transports.endpoints}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.endpoints import ports


class PortsTests(SynchronousTestCase):
    """The ports of endpoint strings."""

    def test_plain(self) -> None:
        """The first plain port that is named."""
        self.assertEqual(ports(["unix:/x", "ssl:1", "tcp:4111:interface=127.0.0.1", "tcp:2"]).plain, "4111")
        self.assertEqual(ports(["tcp6:port=7"]).plain, "7")
        self.assertEqual(ports(["systemd:domain=INET:index=0"]), ("", ""))

    def test_encrypted(self) -> None:
        """The first encrypted one."""
        self.assertEqual(ports(["tcp:1", "ssl:443:privateKey=/k"]).encrypted, "443")
        self.assertEqual(ports(["tls:/etc/gossip/tls:444"]).encrypted, "444")
        self.assertEqual(ports(["tls:/etc/gossip/tls:444:interface=\\:\\:"]).encrypted, "444")
        self.assertEqual(ports(["tls:/etc/gossip/tls:port=444"]).encrypted, "444")
        self.assertEqual(ports(["haproxy:ssl:444", "haproxy:tcp:1"]), ("", ""))
        self.assertEqual(ports(["tcp:1"]).encrypted, "")
