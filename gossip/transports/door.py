"""
The one port: C{/socket} for games, everything else for people.

The first line of a request is read, then the connection is handed over for good: to Autobahn, or to a
C{twisted.web} Site. A resource under the Site could do the same, but keeps its request alive as long as the
connection lasts, and loses a frame that comes in one packet with the handshake.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

SOCKET_PATH = b"/socket"


class Door(Protocol):
    """Reads the first line of a request, bounded in bytes and time."""

    factory: Any

    def __init__(self, factory: DoorFactory, address: IAddress) -> None:
        self.factory = factory
        self._address = address
        self._head = b""
        self._deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        assert self.transport is not None
        if self.factory.seconds:
            self._deadline = self.factory.clock.callLater(self.factory.seconds, self._give_up)

    def _give_up(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self._head += data
        line, end, _ = self._head.partition(b"\n")
        if end:
            self._hand_over(line)
        elif self.factory.most and len(self._head) > self.factory.most:
            assert self.transport is not None
            self.transport.write(b"HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.transport.loseConnection()

    def _hand_over(self, line: bytes) -> None:
        words = line.split()
        path = words[1].partition(b"?")[0] if len(words) > 1 else b""
        factory = self.factory.games if path == SOCKET_PATH else self.factory.people
        protocol = factory.buildProtocol(self._address)
        transport: Any = self.transport
        assert protocol is not None
        self._stop_waiting()
        if isinstance(transport, TLSMemoryBIOProtocol):
            transport.wrappedProtocol = protocol
        else:
            transport.protocol = protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(self._head)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None


class DoorFactory(Factory):
    """
    Listens on the one port.

    @ivar games: gets the connections that ask for C{/socket}.
    @ivar people: gets all others.
    @ivar most: how many bytes the first line may have; 0 for any number.
    @ivar seconds: how long it may take; 0 for any time.
    """

    noisy = False

    def __init__(
        self, clock: IReactorTime, games: IProtocolFactory, people: IProtocolFactory, most: int, seconds: float
    ) -> None:
        self.clock = clock
        self.games = games
        self.people = people
        self.most = most
        self.seconds = seconds

    def doStart(self) -> None:
        super().doStart()
        self.games.doStart()
        self.people.doStart()

    def doStop(self) -> None:
        self.games.doStop()
        self.people.doStop()
        super().doStop()

    def buildProtocol(self, addr: IAddress | None) -> Door:
        assert addr is not None
        return Door(self, addr)
