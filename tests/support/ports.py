"""Games at the ports of a service, in memory: the real service and the real network, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IProtocolFactory

from gossip.network.ratelimit import Rate
from gossip.network.settings import Rates
from tests.support.memory_service import MemoryConnection
from tests.support.running_service import ServiceTestCase

ANY_RATE = Rate(0, 1)
"""No limit."""


class Peer:
    """
    A game at the other end of a connection.

    @ivar wire: the transport of the connection.
    @ivar connection: the protocol of the port.
    """

    connection: Any

    def __init__(self, wire: Any, factory: IProtocolFactory, turn: Callable[[], None]) -> None:
        """@param turn: lets the reactor turn until nothing is left to do now."""
        self._turn = turn
        self.wire = wire
        connection: Any = factory.buildProtocol(wire.getPeer())
        self.connection = connection
        wire.protocol = connection
        connection.makeConnection(wire)

    def raw(self) -> bytes:
        """The bytes that came since the last look."""
        self._turn()
        data: bytes = self.wire.value()
        self.wire.clear()
        return data

    def send(self, data: bytes) -> None:
        """Send bytes, as one read; nothing once the connection is closed."""
        if self.wire.connected:
            self.connection.dataReceived(data)

    @property
    def closed(self) -> bool:
        """Whether the server ended the connection."""
        return not self.wire.connected


class PortTestCase(ServiceTestCase):
    """A service with ports."""

    def setUp(self) -> None:
        super().setUp()
        self.rates(global_=ANY_RATE)

    def rates(self, **rates: Rate) -> None:
        """Set the rate limits; those that are not named are the defaults."""
        rules = self.world.network.rules
        rules.limits = type(rules.limits)(rates=Rates(**rates))

    def turn(self) -> None:
        """The reactor turns until nothing is left to do now, and the disk keeps all there is to keep."""
        while True:
            self.clock.advance(0)
            if self.writer.waiting:
                self.writer.settle()
            elif all(call.getTime() > self.clock.seconds() for call in self.clock.getDelayedCalls()):
                break

    def websocket(self, name: str, **more: Any) -> tuple[MemoryConnection, Any]:
        """A game joins by another transport, and forgets what it was told."""
        connection, session = self.join(name, **more)
        self.heard(connection)
        return connection, session

    def heard(self, connection: MemoryConnection) -> list[dict[str, Any]]:
        """What a game on another transport was told since the last look."""
        self.turn()
        return self.told(connection)
