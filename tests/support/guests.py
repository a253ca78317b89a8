"""Protocols that a listener hands connections to, which remember what they hear."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.registry.addresses import Address
from gossip.transports.admission import Admission


@implementer(IHalfCloseableProtocol)
class Guest(Protocol):
    """A protocol that remembers its input."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost = self.half_closed = False

    def keep_place(self, admission: Admission, address: Address) -> None:
        admission.left(address, False)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def readConnectionLost(self) -> None:
        self.half_closed = True

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True


class Guests(Factory):
    """Makes such protocols and remembers them."""

    noisy = False

    def __init__(self) -> None:
        self.made: list[Guest] = []

    def buildProtocol(self, addr: object) -> Guest:
        self.made.append(Guest())
        return self.made[-1]
