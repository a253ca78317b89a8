"""The gate that everything sent over a connection passes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, Final

from twisted.internet import tcp
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper

from gossip.registry.addresses import Address
from gossip.service.fanout import Routes

SEND_BUFFER: Final = 256 * 1024
"""The size of the system's send buffer for a connection, in bytes."""


class Outlet:
    """
    The one gate for everything sent over a connection: it copes with short writes and slow readers at the least cost.

    C{transport.write} costs two system calls of the reactor's poller for each write. On plain TCP, while nothing is
    waiting, the gate tries the socket first (the direct route) and gives only the rest to the transport. Under TLS the
    socket is never touched.

    A protocol inherits it. It defines no method of C{IConnection} but L{spill}: what C{write} means is for each
    connection to say.
    """

    transport: Any
    peer_address: Address

    _direct: Callable[[bytes], int] | None = None
    _shut = False
    _backlog = 0

    @property
    def unsent(self) -> int:
        """How many bytes the reader has not taken yet, not counting those in the system's buffer."""
        return _waiting(self.transport)

    def open_outlet(self, backlog: int) -> None:
        """
        Begin. Call it when the transport is there.

        @param backlog: how many bytes may wait for the reader; 0 for no limit.
        """
        self._backlog = backlog
        tcp_transport = _innermost(self.transport)
        if isinstance(tcp_transport, tcp.Connection):
            # By default the system buffers some megabytes for a reader that does not read, before our limit counts.
            tcp_transport.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)

    def shut(self) -> None:
        """Send nothing more: the last bytes have been sent."""
        self._shut = True
        self._lose_direct_route()

    def send_bytes(self, data: bytes) -> None:
        """Send bytes; nothing once the gate is shut. A reader that is too slow is cut off."""
        send = self._direct or self._find_direct_route()
        sent = 0
        if send is not None:
            with suppress(OSError):
                sent = send(data)
        if sent != len(data):
            self.spill(data[sent:])

    def spill(self, rest: bytes) -> None:
        """Send what the direct route did not take. Everything queues behind it until the transport has sent it."""
        self._lose_direct_route()
        if not self._shut:
            self.transport.write(rest)
            if self._backlog and _waiting(self.transport) > self._backlog:
                self.cut_off()

    def cut_off(self) -> None:
        """The reader is too slow: end the connection."""
        _log.info("cut off a slow reader: {peer}", peer=self.peer_address)
        self.shut()
        self.transport.abortConnection()

    def _find_direct_route(self) -> Callable[[bytes], int] | None:
        transport = self.transport
        # Exactly this class: a subclass, such as that for Unix sockets, may send in another way.
        if type(transport) is tcp.Server and not self._shut and not transport.TLS and not _waiting(transport):
            self._direct = transport.socket.send
            Routes.generation += 1
        return self._direct

    def _lose_direct_route(self) -> None:
        if self._direct is not None:
            self._direct = None
            Routes.generation += 1


_log = Logger()


def _innermost(transport: Any) -> Any:
    """The transport of the socket, below TLS and the PROXY protocol."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def _waiting(transport: Any) -> int:
    """How many bytes the reader has not taken yet, not counting those in the system's buffer."""
    tcp_transport = _innermost(transport)
    if not isinstance(tcp_transport, tcp.Connection):
        return 0
    return len(tcp_transport.dataBuffer) - tcp_transport.offset + tcp_transport._tempDataLen
