"""A game at the websocket server, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gossip.network.relays import Passed
from gossip.network.session import Session
from gossip.protocol.events import ClientEvent
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Beat
from gossip.registry.entities import Game
from gossip.service.interfaces import IConnection, IGossip
from gossip.transports.admission import Admission
from gossip.transports.websocket.connection import GameFactory
from tests.support.rawsocket import CLOSE, frames, handshake

HEARTBEAT = b'{"event":"heartbeat"}'


@implementer(IGossip)
class Listener:
    """Takes the place of the service, and remembers events and connections."""

    takes_games = True

    def __init__(self) -> None:
        self.connections: list[IConnection] = []
        self.events: list[ClientEvent] = []
        self.ended: list[Session] = []
        self.done: list[Session] = []
        self.passed: dict[str, Any] = {}
        self.passed_back: dict[str, Any] = {}

    def now(self) -> Moment:
        return Moment(0.0, 0.0)

    def opened(self, connection: IConnection) -> Session:
        self.connections.append(connection)
        return Session(connection.peer_address)

    def let_in(self, connection: IConnection, game: Game, supports: frozenset[str], channels: Iterable[str]) -> Session:
        return self.opened(connection)

    def received(self, session: Session, event: ClientEvent) -> None:
        self.events.append(event)

    def alive(self, session: Session) -> None:
        pass

    def finished(self, session: Session) -> None:
        self.done.append(session)

    def flush(self) -> None:
        for connection in self.connections:
            connection.write(connection.wire_format.encode(Beat(0)))

    def lost(self, session: Session) -> None:
        self.ended.append(session)

    def pass_on(self, passed: Passed) -> None:
        pass


class WebSocketTestCase(SynchronousTestCase):
    """One websocket connection in memory."""

    options: dict[str, Any] = {}

    def setUp(self) -> None:
        self.clock = Clock()
        self.patch(import_module("txaio").config, "loop", self.clock)  # Autobahn's timers know no other way
        self.listener = Listener()
        self.admission = Admission(0, 2, 0)
        self.factory = GameFactory(self.clock, self.listener, self.admission, **self.options)
        self.connect()

    def connect(self) -> None:
        address = IPv4Address("TCP", "192.0.2.1", 4000)
        self.connection = self.made(address)
        self.transport: Any = StringTransportWithDisconnection(peerAddress=address)
        self.transport.protocol = self.connection
        self.connection.makeConnection(self.transport)

    def made(self, address: IPv4Address) -> Any:
        return self.factory.buildProtocol(address)

    def open(self, *headers: bytes) -> bytes:
        """Do the handshake; returns what the server answered."""
        self.connection.dataReceived(handshake(*headers))
        return self.sent()

    def sent(self) -> bytes:
        value: bytes = self.transport.value()
        self.transport.clear()
        return value

    def close_code(self) -> int | None:
        """The code of the close frame that was sent, C{None} if there was none."""
        for first, payload in frames(self.sent()):
            if first == 0x80 | CLOSE:
                return int.from_bytes(payload[:2], "big")
        return None
