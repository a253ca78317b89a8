"""The gate that everything sent over a connection passes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, Final

from twisted.internet import tcp
from twisted.logger import Logger

from gossip.service.fanout import Routes

SEND_BUFFER: Final = 256 * 1024
"""How many bytes the system keeps for a reader, for its own part."""


class Outlet:
    """
    The one gate for all that is sent over a connection: short writes, slow readers, and the least cost.

    C{transport.write} costs two system calls of the reactor's poller a frame. On plain TCP with nothing waiting the
    socket is tried first, and only what it does not take goes that way. Under TLS the socket is never touched.

    To be inherited by a protocol.
    """

    transport: Any
    peer_address: str

    _straight: Callable[[bytes], int] | None = None
    _shut = False
    _backlog = 0

    def open_outlet(self, backlog: int) -> None:
        """
        Begin, when there is a transport.

        @param backlog: how many bytes may wait for the reader; 0 for any number.
        """
        self._backlog = backlog
        tcp_transport = getattr(self.transport, "transport", self.transport)
        if isinstance(tcp_transport, tcp.Connection):
            # By itself the system keeps some megabytes for a reader that does not read, before our own limit begins.
            tcp_transport.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)

    def shut(self) -> None:
        """Take no more: the last word has been said."""
        self._shut = True
        self._lose_straight_way()

    def write(self, data: bytes) -> None:
        """Send something, unless the last word has been said."""
        straight = self._straight or self._find_straight_way()
        sent = 0
        if straight is not None:
            with suppress(OSError):
                sent = straight(data)
        if sent != len(data):
            self.spill(data[sent:])

    def spill(self, rest: bytes) -> None:
        """Send what the straight way did not take: from here on all waits in one place, until that is empty."""
        self._lose_straight_way()
        if not self._shut:
            self.transport.write(rest)
            if self._backlog and _waiting(self.transport) > self._backlog:
                self.cut_off()

    def cut_off(self) -> None:
        """The reader is too slow: end the connection."""
        _log.info("cut off a slow reader: {peer}", peer=self.peer_address)
        self.shut()
        self.transport.abortConnection()

    def _find_straight_way(self) -> Callable[[bytes], int] | None:
        transport = self.transport
        # Exactly this class: a subclass, a Unix socket say, may send in another way.
        if type(transport) is tcp.Server and not self._shut and not transport.TLS and not _waiting(transport):
            self._straight = transport.socket.send
            Routes.generation += 1
        return self._straight

    def _lose_straight_way(self) -> None:
        if self._straight is not None:
            self._straight = None
            Routes.generation += 1


_log = Logger()


def _waiting(transport: Any) -> int:
    """How many bytes the reader has not taken yet, without those that the operating system holds."""
    tcp_transport = getattr(transport, "transport", transport)
    if not isinstance(tcp_transport, tcp.Connection):
        return 0
    return len(tcp_transport.dataBuffer) - tcp_transport.offset + tcp_transport._tempDataLen
