"""L{gossip.client.websocket}: where a URL leads."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gossip.client.websocket import endpoint


class AddressTests(SynchronousTestCase):
    """Where a URL leads."""

    def test_bad_addresses(self) -> None:
        """What is no websocket URL is refused."""
        for url in ("", "mud.example", "http://mud.example/socket", "ws:///socket", "ws://mud.example:99999/"):
            with self.assertRaises(ValueError):
                endpoint(Clock(), url)
