"""L{gossip.systemd}: what systemd hears, at a socket as it would make one."""

from __future__ import annotations

import os
import socket
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from gossip.systemd import Watchdog, notify
from tests.support.clock import Clock


class NotifyTests(SynchronousTestCase):
    """A socket that stands for systemd."""

    def setUp(self) -> None:
        self.path = os.path.join(tempfile.mkdtemp(prefix="gossip"), "notify")
        self.environ = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "60000000"}
        self.socket = self.listen(self.path)
        self.clock = Clock()
        self.health = "ok"

    def listen(self, address: str) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listening.close)
        listening.setblocking(False)
        listening.bind(address)
        return listening

    def heard(self) -> list[bytes]:
        heard = []
        while True:
            try:
                heard.append(self.socket.recv(100))
            except BlockingIOError:
                return heard

    def watchdog(self) -> Watchdog:
        watchdog = Watchdog(self.clock, lambda: self.health, self.environ)
        watchdog.startService()
        return watchdog

    def test_notify(self) -> None:
        """systemd hears it at a path and at an abstract name; without systemd, or with one that is gone, nobody."""
        notify("READY=1", self.environ)
        self.assertEqual(self.heard(), [b"READY=1"])
        self.socket = self.listen(f"\0{self.path}")
        notify("READY=1", {"NOTIFY_SOCKET": f"@{self.path}"})
        self.assertEqual(self.heard(), [b"READY=1"])
        notify("READY=1", {})
        notify("READY=1", {"NOTIFY_SOCKET": f"{self.path}.gone"})

    def test_never_waits(self) -> None:
        """A systemd that reads nothing does not stop the daemon."""
        for _ in range(1000):
            notify("x" * 1000, self.environ)

    def test_fed(self) -> None:
        """The watchdog is fed twice in its time, while the daemon is healthy and until it stops."""
        watchdog = self.watchdog()
        self.clock.pump([15.0] * 4)
        self.assertEqual(self.heard(), [b"WATCHDOG=1"] * 3)
        self.health = "stuck"
        self.clock.pump([15.0] * 4)
        self.assertEqual(self.heard(), [])
        self.health = "ok"
        self.clock.pump([15.0] * 2)
        self.assertEqual(self.heard(), [b"WATCHDOG=1"])
        watchdog.stopService()
        self.clock.pump([15.0] * 4)
        self.assertEqual(self.heard(), [])

    def test_not_wanted(self) -> None:
        """Nobody is fed if systemd asks for nothing, for nonsense, or another process."""
        for name, value in (("USEC", ""), ("USEC", "soon"), ("USEC", "0"), ("PID", "1")):
            self.environ = {**self.environ, "WATCHDOG_USEC": "60000000", f"WATCHDOG_{name}": value}
            watchdog = self.watchdog()
            self.clock.pump([30.0] * 3)
            self.assertEqual((self.heard(), self.clock.getDelayedCalls()), ([], []))
            watchdog.stopService()
