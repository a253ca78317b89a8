"""Several real services that are nodes of one network. The stream that they hear is a list in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from gossip.network.relays import Relayed, SessionJoined
from gossip.registry.changes import Change, MessageSaid
from gossip.service.interfaces import ClusterFigures, NodeStatus
from gossip.service.writing import Settled
from tests.support.clock import Clock
from tests.support.memory_service import MemoryService
from tests.support.world import World


class Stream:
    """
    What the nodes write, in one order.

    @ivar slow: nobody hears anything until L{hear}; if C{asking}, until somebody asks whether a node has caught up.
    @ivar told: what the nodes told each other of their sessions.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """
        @param clock: what is written is heard in its next turn; C{None} for at once.
        """
        self._clock = clock
        self.nodes: list[MemoryNode] = []
        self.slow = self.asking = False
        self.told: list[Relayed] = []
        self._entries: list[tuple[MemoryNode, Change | Relayed, Settled]] = []
        self._number = 0
        self._hearing = False

    def write(self, node: MemoryNode, entry: Change | Relayed, settled: Settled) -> None:
        """A node writes something."""
        if isinstance(entry, MessageSaid):
            self._number += 1
            entry = replace(entry, seq=self._number)
        elif isinstance(entry, Relayed):
            self.told.append(entry)
        self._entries.append((node, entry, settled))
        if self.slow:
            return
        if self._clock is None:
            self.hear()
        else:
            self._clock.callLater(0, self.hear)

    @property
    def late(self) -> bool:
        """Whether something was written that nobody has heard yet."""
        return self.slow or bool(self._entries)

    def hear(self) -> None:
        """All nodes hear what was written, and whoever waited for that goes on."""
        if self._hearing:
            return
        self._hearing = True
        while self._entries:
            writer, entry, settled = self._entries.pop(0)
            for node in self.nodes:
                if isinstance(entry, Relayed):
                    node.relayed("" if node is writer else writer.node_name, entry)
                else:
                    node.learn(entry)
            settled(True)
        self._hearing = False
        for node in self.nodes:
            node.waits, waits = [], node.waits
            for each in waits:
                each.callback(None)


class _Writer:
    """What a node writes with."""

    pending = groups = 0
    trouble: str | None = None

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.node: Any = None

    def probe(self) -> None: ...

    def commit(self, change: Change, settled: Settled, wanted: bool) -> None:
        self._stream.write(self.node, change, settled)

    def relay(self, relay: Relayed, sessions: tuple[SessionJoined, ...], settled: Settled) -> None:
        self._stream.write(self.node, relay, settled)

    def barrier(self, done: Callable[[], object]) -> None:
        done()


class MemoryNode(MemoryService):
    """
    A node.

    @ivar waits: those that wait until it has caught up.
    @ivar asked: how often somebody asked whether it has.
    """

    def __init__(self, stream: Stream, name: str, **more: Any) -> None:
        writer = _Writer(stream)
        self.node_name = name
        self.waits: list[Deferred[None]] = []
        self.asked = 0
        super().__init__(World(shared=True), writer=writer, relays=writer, **more)
        writer.node = self
        self._stream = stream
        self.cluster = _Cluster(self)
        stream.nodes.append(self)

    def wait(self) -> Deferred[None]:
        """Fires when it has caught up."""
        self.asked += 1
        if self._stream.asking:
            self._stream.slow = False
            self._stream.hear()
            return succeed(None)
        if not self._stream.late:
            return succeed(None)
        self.waits.append(Deferred())
        return self.waits[-1]


class _Cluster:
    """What a node knows of the others."""

    def __init__(self, node: MemoryNode) -> None:
        self.node_name = node.node_name
        self.joined = self.began = True
        self._node = node

    def statuses(self) -> Sequence[NodeStatus]:
        return ()

    def figures(self) -> ClusterFigures:
        return ClusterFigures(0.0, 0, 0, 0, 0, 0.0, 0.0)

    def beat(self) -> None: ...

    def caught_up(self) -> Deferred[None]:
        return self._node.wait()

    def end(self, name: str) -> Deferred[bool]:
        return succeed(False)


def nodes(*names: str) -> tuple[MemoryNode, ...]:
    """The nodes of a new network."""
    stream = Stream()
    return tuple(MemoryNode(stream, name) for name in names)
