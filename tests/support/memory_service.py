"""The real service on a clock that stands still: its writer, its store and its connections are in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import succeed
from zope.interface import implementer

from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.server_events import ServerEvent
from gossip.registry.addresses import read
from gossip.registry.changes import Change, ChannelSaved
from gossip.registry.entities import Channel
from gossip.service.counters import Counters
from gossip.service.interfaces import Counts, IConnection, ITransportStatus, IWireFormat
from gossip.service.service import GossipService
from gossip.service.writing import STUCK_SECONDS
from tests.support.clock import Clock
from tests.support.memory_store import MemoryStore
from tests.support.world import World, frame


class MemoryWriter:
    """
    A writer whose disk is as slow and as full as a test wants it to be.

    @ivar slow: changes wait for L{settle}; otherwise each is settled at once.
    @ivar full: nothing can be kept.
    @ivar probes: how many probes were asked for.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.slow = self.full = False
        self.waiting: list[tuple[Change, Callable[[bool], Any]]] = []
        self.kept: list[Change] = []
        self.groups = self.probes = 0
        self.trouble: str | None = None

    def probe(self) -> None:
        self.probes += 1
        if not self.slow:
            self.end_probe()

    def end_probe(self) -> None:
        """Settle a probe."""
        self.groups += 1
        self.trouble = "disk-full" if self.full else None

    @property
    def pending(self) -> int:
        return len(self.waiting)

    def commit(self, change: Change, settled: Callable[[bool], Any], wanted: bool) -> None:
        self.waiting.append((change, settled))
        if not self.slow:
            self.settle()

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
        kept = kept and not self.full
        self.trouble = "disk-full" if self.full else None
        if kept:
            self.kept.append(change)
            self._store.keep(change)
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

    direct_send: Any = None
    wire_format = Lines()

    def __init__(self, transport: str, peer: str) -> None:
        self.transport_name = transport
        self.peer_address = read(peer)
        self.written = b""
        self.unsent = 0
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


class MemoryService(GossipService):
    """
    The real service of a small network, on a clock that stands still, with a writer and a store in memory.

    @ivar clock: C{advance} it, and what was to happen until then happens.
    """

    def __init__(self, world: World | None = None, clock: Clock | None = None, **more: Any) -> None:
        """
        @param world: its network; by default one that is alone.
        @param clock: its clock; by default one of its own.
        @param more: further arguments of the service.
        """
        self.clock = clock or Clock()
        self.world = world or World()
        self.store = MemoryStore()
        self.store.registry = self.world.registry
        self.writer = MemoryWriter(self.store)
        more = {"find": lambda sought: succeed(self.store.find(sought)), **more}
        writer = more.pop("writer", self.writer)
        super().__init__(self.clock, self.world.network, writer, Counters(), **more)
        self._carriers: dict[Session, MemoryConnection] = {}
        self.startService()

    def connect(self, transport: str = "websocket", peer: str = "192.0.2.1") -> Session:
        """Somebody connects."""
        connection = MemoryConnection(transport, peer)
        session = self.opened(connection)
        self._carriers[session] = connection
        return session

    def join(self, name: str, peer: str = "192.0.2.1", **more: Any) -> Session:
        """
        A game joins.

        @param more: what else stands in the payload of its authenticate.
        """
        session = self.connect(peer=peer)
        self.write(session, frame("authenticate", self.world.credentials(name, **more)))
        assert session.online is not None, self.told(session)
        self.told(session)
        return session

    def write(self, session: Session, *sent: dict[str, Any]) -> None:
        """A game writes frames."""
        for one in sent:
            self.received(session, frames.decode(msgspec.json.encode(one)))

    def connection(self, session: Session) -> MemoryConnection:
        """What carries a session, or carried it."""
        return self._carriers[session]

    def told(self, session: Session) -> list[dict[str, Any]]:
        """The frames that a game got since the last look."""
        self.flush()
        connection = self._carriers[session]
        lines, connection.written = connection.written.splitlines(), b""
        return [msgspec.json.decode(line) for line in lines]

    def get_stuck(self) -> None:
        """A change waits for the writer, which does nothing for too long."""
        self.writer.slow = True
        self.writer.commit(ChannelSaved(Channel("waiting")), lambda kept: None, True)
        self.clock.pump([1.0] * int(STUCK_SECONDS + 3))
