"""
Connections from a proxy that speaks the PROXY protocol: endpoints that begin with C{haproxy:}.

The proxy sends a header that says where a connection comes from. Twisted makes the protocol before it reads the header,
so everything that counts connections would see the address of the proxy only. Here the protocol is made afterwards.
Until then the connection has a place of its own in the room for connections.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper, HAProxyWrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.transports.admission import Room

HEADER_SECONDS: Final = 10
"""How long the header may take, in seconds: a proxy sends it at once."""


class _Kept(Protocol):
    """Keeps what follows the header until there is a protocol for it."""

    data = b""

    def dataReceived(self, data: bytes) -> None:
        self.data += data


@implementer(IHalfCloseableProtocol)
class ProxiedConnection(HAProxyProtocolWrapper):
    """The transport of a protocol that is made when the header is there."""

    factory: Any
    transport: Any
    wrappedProtocol: Any

    def __init__(self, factory: Any) -> None:
        super().__init__(factory, _Kept())
        self._in_room = True
        factory.room.enter()
        self._deadline: IDelayedCall = factory.clock.callLater(HEADER_SECONDS, self._give_up)

    def _leave_room(self) -> None:
        if self._in_room:
            self._in_room = False
            self.factory.room.leave()

    def _give_up(self) -> None:
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        kept = self.wrappedProtocol
        super().dataReceived(data)
        if self._proxyInfo is not None and isinstance(kept, _Kept):
            self._begin(kept.data)

    def _begin(self, data: bytes) -> None:
        self._deadline.cancel()
        self._leave_room()  # the protocol takes a place, if it is taken
        protocol = self.factory.wrappedFactory.buildProtocol(self.getPeer())
        if protocol is None:
            self.transport.abortConnection()
            return
        self.wrappedProtocol = protocol
        protocol.makeConnection(self)
        if data:
            # Not the protocol itself: it may have handed the connection over to another.
            self.wrappedProtocol.dataReceived(data)

    def readConnectionLost(self) -> None:
        protocol = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if protocol is None:
            self.transport.loseConnection()
        else:
            protocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._deadline.active():
            self._deadline.cancel()
        self._leave_room()
        super().connectionLost(reason)


class ProxiedFactory(HAProxyWrappingFactory):
    """Accepts connections of the proxy."""

    noisy = False

    def __init__(self, factory: Any, clock: IReactorTime, room: Room | None = None) -> None:
        """
        @param factory: accepts the connections that come through the proxy.
        @param clock: for the time that the header may take.
        @param room: counts the connections of all listeners.
        """
        super().__init__(factory)
        self.clock = clock
        self.room = room or Room()

    def buildProtocol(self, addr: object) -> ProxiedConnection | None:  # type: ignore[override]
        # The factory refuses a connection for which there is no room itself, and may say so.
        return None if self.room.crowded else ProxiedConnection(self)
