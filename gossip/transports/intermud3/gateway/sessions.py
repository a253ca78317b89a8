"""What carries the house sessions of a gateway: that of its own game, and one for each MUD of the other network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from zope.interface import implementer

from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.server_events import ServerEvent
from gossip.registry.addresses import UNKNOWN
from gossip.service.interfaces import IConnection, IWireFormat

TRANSPORT: Final = "i3-gateway"
"""The name of the transport, for people and metrics."""


@implementer(IWireFormat)
class Frames:
    """Events as frames for the router, for one session."""

    def __init__(self, write: Callable[[ServerEvent], Iterable[bytes]]) -> None:
        self._write = write

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(self._write(event))


@implementer(IConnection)
class HouseConnection:
    """
    A house session's connection, which is no more than a part of the link.

    @ivar session: the session, once it has joined.
    """

    transport_name = TRANSPORT
    peer_address = UNKNOWN
    direct_send = None
    unsent = 0
    session: Session

    def __init__(
        self,
        write: Callable[[ServerEvent], Iterable[bytes]],
        send: Callable[[bytes], None],
        closed: Callable[[HouseConnection], None],
    ) -> None:
        """
        @param write: writes an event for the session, as frames.
        @param send: takes each frame.
        @param closed: is told that the network ended the session.
        """
        self.wire_format = Frames(write)
        self._send = send
        self._closed = closed

    def write(self, data: bytes) -> None:
        while data:
            end = 4 + int.from_bytes(data[:4], "big")
            self._send(data[:end])
            data = data[end:]

    def spill(self, rest: bytes) -> None:
        """It has no direct route."""

    def close(self, code: int, why: Error) -> None:
        self._closed(self)

    def pause(self) -> None:
        """What comes is bounded by how much of each MUD is heard."""

    def resume(self) -> None:
        """The same."""
