"""L{gossip.cli.check}: what is wrong with a daemon, as its status tells."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gossip.cli.check import about_daemon
from gossip.config.config import Config, Limits
from tests.support.memory_service import CountingTransport, MemoryService


class AboutDaemonTests(SynchronousTestCase):
    """The status of a real service, with one thing wrong."""

    def setUp(self) -> None:
        self.service = MemoryService(transports=[CountingTransport()])
        self.config = Config(limits=Limits(connections=10))

    def found(self, **more: Any) -> list[str]:
        return [str(finding) for finding in about_daemon(self.config, {**self.service.status(), **more})]

    def test_fine(self) -> None:
        """Nothing is wrong with a daemon that is well."""
        self.assertEqual(self.found(), [])

    def test_none(self) -> None:
        """That no daemon runs is an error, which says where one was looked for."""
        (only,) = about_daemon(self.config, None)
        self.assertEqual(str(only), "error: daemon: no daemon runs at gossip-data/admin.sock")

    def test_health(self) -> None:
        """Bad health is an error, of whichever kind it is."""
        self.service.get_stuck()
        self.assertEqual(self.found(), ["error: health: stuck: the database has not saved anything for a while"])
        self.assertEqual(self.found(health="gone"), ["error: health: gone: changes cannot be saved: see the log"])

    def test_restart(self) -> None:
        """Settings and a version that wait for a restart are named."""
        self.service.waits_for_restart = ["listen", "proxies"]
        self.assertEqual(self.found(), ["warning: restart: a restart is needed for listen, proxies"])
        self.service.waits_for_restart = ()
        self.assertIn("warning: restart: version 0.1 runs, and ", self.found(version="0.1")[0])

    def test_load(self) -> None:
        """Limits that are almost reached, and a database that lags."""
        self.assertEqual(
            self.found(connections={"websocket": 9, "telnet": 899, "pigeon": 10**6}),
            ["warning: connections: 9 of 10 by websocket are in use"],
        )
        self.assertEqual(self.found(queue=1000), ["warning: database: 1000 changes wait for it"])
