"""The real service with a small network, on a clock that stands still: its writer and its connections are in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import ServerEvent
from gossip.registry.changes import Change, MessageSaid
from gossip.service.counters import Counters
from gossip.service.interfaces import Counts, IConnection, ITransportStatus, IWireFormat
from gossip.service.service import GossipService
from tests.support.world import NOW, World, frame


class MemoryWriter:
    """A writer whose disk is as slow as the test wants it to be."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Change, Callable[[bool], Any]]] = []
        self.kept: list[Change] = []
        self.groups = 0

    @property
    def pending(self) -> int:
        return len(self.waiting)

    def commit(self, change: Change, settled: Callable[[bool], Any], wanted: bool) -> None:
        self.waiting.append((change, settled))

    def barrier(self, done: Callable[[], None]) -> None:
        if not self.waiting:
            done()
        else:
            change, settled = self.waiting[-1]

            def both(kept: bool) -> None:
                settled(kept)
                done()

            self.waiting[-1] = change, both

    def settle(self, kept: bool = True) -> None:
        """Settle all that waits, and what comes of it."""
        while self.waiting:
            self.settle_one(kept)

    def settle_one(self, kept: bool = True) -> None:
        change, settled = self.waiting.pop(0)
        if kept:
            self.kept.append(change)
        self.groups += 1
        settled(kept)


@implementer(IWireFormat)
class Lines:
    """One JSON text a line."""

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(text + b"\n" for text in frames.encode(event))


@implementer(IConnection)
class MemoryConnection:
    """A connection that remembers what it carries."""

    transport_name = "memory"
    peer_address = "192.0.2.1"
    direct_send: Any = None
    wire_format = Lines()

    def __init__(self) -> None:
        self.written = b""
        self.closed: tuple[int, str] | None = None
        self.paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def spill(self, rest: bytes) -> None:
        self.write(rest)

    def close(self, code: int, why: Error) -> None:
        self.closed = code, why.text

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


@implementer(ITransportStatus)
class CountingTransport:
    """A transport that tells numbers which are easy to recognize."""

    name = "pigeon"

    def open_connections(self) -> int:
        return 3

    def counts(self) -> Sequence[Counts]:
        return [Counts("pigeon_letters", "Letters.", {"in": 10, "out": 30})]


class ServiceTestCase(SynchronousTestCase):
    """A service with a small network, and a writer and connections in memory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.world = World()
        self.writer = MemoryWriter()
        self.service = GossipService(
            self.clock,
            self.world.network,
            self.writer,
            Counters(),
            history=self.history,
            transports=self.transports(),
        )
        self.service.startService()

    def history(self, *asked: Any) -> Deferred[list[MessageSaid]]:
        """What the service reads when a game asks what was said."""
        return succeed([])

    def transports(self) -> Sequence[ITransportStatus]:
        """The transports of the service."""
        return ()

    def connect(self) -> tuple[MemoryConnection, Session]:
        connection = MemoryConnection()
        return connection, self.service.opened(connection)

    def join(self, name: str, **more: Any) -> tuple[MemoryConnection, Session]:
        """A game joins; what it was told by that is forgotten."""
        connection, session = self.connect()
        self.say(session, frame("authenticate", self.world.credentials(name, **more)))
        self.writer.settle()
        self.told(connection)
        return connection, session

    def say(self, session: Session, *sent: dict[str, Any]) -> None:
        for one in sent:
            self.service.received(session, frames.decode(msgspec.json.encode(one)))

    def told(self, connection: MemoryConnection) -> list[dict[str, Any]]:
        """What a connection got since the last look."""
        self.clock.advance(0)
        lines, connection.written = connection.written.splitlines(), b""
        return [msgspec.json.decode(line) for line in lines]
