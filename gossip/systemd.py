"""
What systemd is told of the daemon (sd_notify(3)), and its watchdog: systemd restarts a daemon that is not healthy.

Without systemd, C{NOTIFY_SOCKET} is not set, and nothing is told.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

from twisted.application.service import Service
from twisted.internet.task import LoopingCall

from gossip.service.clock import IClock


def notify(state: str, environ: Mapping[str, str]) -> None:
    """
    Tell systemd something.

    @param state: such as C{READY=1}.
    @param environ: the environment.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # An @ stands for the NUL byte of an abstract socket (unix(7)).
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
        # The reactor does not wait for systemd.
        notifying.setblocking(False)
        notifying.connect("\0" + address[1:] if address.startswith("@") else address)
        notifying.send(state.encode())


class Watchdog(Service):
    """Tells systemd that the daemon is healthy, as often as it wants to hear it, and only while it is so."""

    def __init__(self, clock: IClock, health: Callable[[], str], environ: Mapping[str, str]) -> None:
        """
        @param health: C{ok}, or what is wrong.
        @param environ: the environment, with C{WATCHDOG_USEC} if systemd waits for signs of life.
        """
        self._health = health
        self._environ = environ
        self._feeding = LoopingCall(self._feed)
        self._feeding.clock = clock

    def startService(self) -> None:
        super().startService()
        microseconds = self._environ.get("WATCHDOG_USEC", "")
        # It may be meant for a process that started this one.
        ours = self._environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        if microseconds.isdecimal() and int(microseconds) and ours:
            self._feeding.start(int(microseconds) / 1e6 / 2)

    def stopService(self) -> None:
        if self._feeding.running:
            self._feeding.stop()
        super().stopService()

    def _feed(self) -> None:
        if self._health() == "ok":
            notify("WATCHDOG=1", self._environ)
