"""Tests of the service, with a disk that is as slow as each of them wants it to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.session import Session
from gossip.registry.changes import MessageSaid
from gossip.registry.sought import Sought
from gossip.service.interfaces import ITransportStatus
from tests.support.memory_service import MemoryConnection, MemoryService
from tests.support.world import frame


def send(ref: str, channel: str = "gossip") -> dict[str, Any]:
    """A frame that says something."""
    return frame("channels/send", {"channel": channel, "name": "Ana", "message": "hello"}, ref)


class ServiceTestCase(SynchronousTestCase):
    """A service in memory whose changes wait for the test to settle them."""

    def setUp(self) -> None:
        self.service = self.make_service()
        self.clock = self.service.clock
        self.world = self.service.world
        self.writer = self.service.writer
        self.writer.slow = True

    def make_service(self) -> MemoryService:
        """The service to test."""
        return MemoryService(history=self.history, find=self.find, transports=self.transports())

    def history(self, *asked: Any) -> Deferred[list[MessageSaid]]:
        """What the service reads when a game asks what was said."""
        return succeed([])

    def find(self, sought: Sought) -> Deferred[list[MessageSaid]]:
        """What the service finds when a game means one message."""
        return succeed(self.service.store.find(sought))

    def transports(self) -> Sequence[ITransportStatus]:
        """The transports of the service."""
        return ()

    def connect(self) -> tuple[MemoryConnection, Session]:
        """Somebody connects."""
        session = self.service.connect("memory")
        return self.service.connection(session), session

    def join(self, name: str, **more: Any) -> tuple[MemoryConnection, Session]:
        """A game joins; what it was told by that is forgotten."""
        connection, session = self.connect()
        self.say(session, frame("authenticate", self.world.credentials(name, **more)))
        self.writer.settle()
        self.told(connection)
        return connection, session

    def say(self, session: Session, *sent: dict[str, Any]) -> None:
        """A game writes frames."""
        self.service.write(session, *sent)

    def told(self, connection: MemoryConnection) -> list[dict[str, Any]]:
        """What a connection got since the last look, at the end of this turn of the reactor."""
        self.clock.advance(0)
        lines, connection.written = connection.written.splitlines(), b""
        return [msgspec.json.decode(line) for line in lines]
