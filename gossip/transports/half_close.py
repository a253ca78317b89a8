"""
Peers that send nothing more, but still read: C{nc -N}, and every client that shuts its side down.

What such a peer asked is answered, and then the connection ends. On plain TCP Twisted tells protocols of it, if they
provide C{IHalfCloseableProtocol}. This does the same for TLS.
"""

from __future__ import annotations

from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from zope.interface import implementer

HALF_CLOSED_SECONDS: Final = 10.0
"""How long a connection lasts at most after its peer has said that it sends nothing more, in seconds."""


@implementer(IHalfCloseableProtocol)
class HalfCloseableTLS(BufferingTLSTransport):
    """
    TLS over a connection whose peer may end its side: by a close_notify (RFC 8446, section 6.1), by the FIN of TCP, or
    by both. Frames, lines and requests tell their own length, so a FIN alone cannot shorten one.
    """

    _no_more = False

    def peer_is_done(self) -> bool:
        """
        The peer sends nothing more.

        @return: whether the protocol goes on; otherwise the connection ends as Twisted ends it.
        """
        protocol = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if protocol is None or not self._handshakeDone or self.disconnecting:
            return False
        protocol.readConnectionLost()
        return True

    def readConnectionLost(self) -> None:
        transport: Any = self.transport
        # Nothing can come any more, and so no answer to our close_notify.
        self._no_more = True
        if self.peer_is_done():
            return
        if self.disconnecting:
            transport.loseConnection()
        else:
            transport.connectionLost(connectionDone)

    def writeConnectionLost(self) -> None:
        pass

    def _shutdownTLS(self) -> None:
        super()._shutdownTLS()
        if self._no_more:
            transport: Any = self.transport
            transport.loseConnection()


class HalfCloseableConnection(SSL.Connection):
    """OpenSSL's side of it. Twisted ends a connection when it sees a close_notify, before anything can be answered."""

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        try:
            return super().recv(bufsiz, flags)
        except SSL.ZeroReturnError:
            protocol: Any = self.get_app_data()
            if not protocol.peer_is_done():
                raise
        # For Twisted, nothing more has come for now.
        raise SSL.WantReadError


class HalfCloseableTLSFactory(TLSMemoryBIOFactory):
    """Makes such connections."""

    protocol = HalfCloseableTLS

    def buildProtocol(self, addr: IAddress | None) -> Any:
        made: Any = super().buildProtocol(addr)
        # Twisted wraps even the refusal of a connection.
        return None if made.wrappedProtocol is None else made
