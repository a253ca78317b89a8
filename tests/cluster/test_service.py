"""L{gossip.cluster.service}: how a node joins, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.members import BEAT, Look, Member
from gossip.cluster.outbox import Outbox
from gossip.cluster.pending import Pending
from gossip.cluster.picture import Picture, Snapshot
from gossip.cluster.service import HOLDS, ClusterService
from gossip.cluster.settings import ClusterSettings
from gossip.cluster.shared_store import Node
from gossip.cluster.wire import PROTOCOL, Entry, Judged, NodeGone, NodeJoined
from gossip.network.outputs import Broadcast
from gossip.network.relays import SessionLeft
from gossip.registry.changes import Audited, ChannelOpened, ChannelSaved, MessageSaid
from gossip.registry.entities import AuditEntry, Channel
from gossip.service.counters import Counters
from gossip.service.service import GossipService
from gossip.store.errors import StoreError
from tests.support.clock import Clock
from tests.support.world import NOW, World, flat, uuid

AUDIT = AuditEntry(uuid(1), NOW, "ana", "say", "gossip", "{}")
SAID = MessageSaid("gossip", 0, None, "gossip", "system", "Hello!", NOW)


class Connection:
    """A connection on which nothing is heard, until it is lost."""

    def __init__(self) -> None:
        self.pgconn = self
        self.closed = False

    def fileno(self) -> int:
        return 0

    def notifies(self) -> None:
        return None

    def close(self) -> None:
        self.closed = True


class Reactor(Clock):
    """A clock that has readers."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        if reader in self.readers:
            self.readers.remove(reader)


class Database:
    """A store whose methods wait for a test, in threads of their own."""

    name = "a database"
    echo = "echo"
    protocol = PROTOCOL

    def __init__(self) -> None:
        self.calls: list[tuple[str, Deferred[Any]]] = []

    def in_thread(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred()
        self.calls.append((call.__name__, waiting))
        return waiting

    def answer(self, name: str, result: Any = None) -> None:
        """The oldest call that waits comes back; it must be this one."""
        called, waiting = self.calls.pop(0)
        assert called == name, called
        if isinstance(result, Exception):
            waiting.errback(result)
        else:
            waiting.callback(result)

    def listen(self) -> None: ...
    def begin(self) -> None: ...
    def picture(self) -> None: ...
    def leave(self) -> None: ...
    def beat(self) -> None: ...
    def position(self) -> None: ...
    def sever(self) -> None: ...
    def sessions_of(self) -> None: ...


class Groups:
    """A writer that writes when a test says so."""

    trouble = None
    groups = 0

    def __init__(self) -> None:
        self.waiting: list[tuple[Pending, Callable[[bool], object], bool]] = []
        self.barriers: list[Callable[[], object]] = []

    @property
    def pending(self) -> int:
        return len(self.waiting)

    def commit(self, change: Pending, done: Callable[[bool], object], wanted: bool) -> None:
        self.waiting.append((change, done, wanted))

    def probe(self) -> None: ...

    def barrier(self, done: Callable[[], object]) -> None:
        if self.waiting:
            self.barriers.append(done)
        else:
            done()

    def fail(self) -> None:
        """Nothing of what waits can be written."""
        waiting, self.waiting = self.waiting, []
        for _, done, _ in waiting:
            done(False)
        barriers, self.barriers = self.barriers, []
        for barrier in barriers:
            barrier()


class JoiningTests(SynchronousTestCase):
    """A node that starts."""

    def setUp(self) -> None:
        self.reactor, self.database, self.groups = Reactor(), Database(), Groups()
        self.world = world = World(shared=True)
        self.outbox = Outbox(self.groups)
        gossip = GossipService(self.reactor, world.network, self.outbox, Counters(), relays=self.outbox)
        self.known = world.registry
        database: Any = self.database
        self.node = ClusterService(
            self.reactor, database, self.outbox, gossip, Node("a", "", "1"), database.in_thread, ClusterSettings()
        )
        self.told: list[tuple[str, Any]] = []
        self.node.startService()

    def settled(self, name: str) -> Any:
        return lambda kept, stale=False: self.told.append((name, kept))

    def picture(self) -> Picture:
        return Picture(Snapshot(5, 5, frozenset()), self.known, {}, {}, {}, ())

    def listens(self) -> Connection:
        connection = Connection()
        self.database.answer("listen", connection)
        return connection

    def joins(self) -> Connection:
        connection = self.listens()
        self.database.answer("begin")
        self.database.answer("picture", self.picture())
        self.assertTrue(self.node.joined)
        self.database.calls.clear()  # the first beat
        return connection

    def test_told_while_joining(self) -> None:
        """What becomes of sessions after a life has begun is told when the node hears the others."""
        self.listens()
        self.outbox.relay(SessionLeft(1), (), self.settled("left"))
        self.database.answer("begin")
        self.reactor.pump([1.0] * int(HOLDS + 2 * BEAT))
        self.database.answer("picture", self.picture())
        self.assertEqual([pending.entry for pending, *_ in self.groups.waiting], [SessionLeft(1)])
        self.assertEqual(self.told, [])

    def test_said_while_starting(self) -> None:
        """What is said between the start of a daemon and its first picture is heard by games that joined meanwhile."""
        outputs: list[Any] = []
        self.patch(self.node._gossip, "carry_out", outputs.extend)
        self.world.join("Alpha", channels=["gossip"])
        self.listens()
        self.database.answer("begin")
        picture = replace(self.picture(), missed=[replace(SAID, seq=7)])
        self.database.answer("picture", picture)
        told = [each.event for each in flat(outputs) if isinstance(each, Broadcast)]
        self.assertIn("Hello!", str(told), outputs)

    def test_takes_games(self) -> None:
        """Games can join once the node hears the others, and still can when it is deaf later."""
        gossip = self.node._gossip
        gossip.cluster = self.node
        self.listens()
        self.database.answer("begin")
        self.assertFalse(gossip.takes_games)
        self.database.answer("picture", self.picture())
        self.assertTrue(gossip.takes_games)
        gossip.drain()
        self.assertFalse(gossip.takes_games)
        gossip.drain(False)
        (ear,) = self.reactor.readers
        ear.stop()
        self.node._lost(StoreError("gone"))
        self.assertEqual((self.node.joined, gossip.takes_games), (False, True))

    def test_deaf_for_long(self) -> None:
        """What waits for long while there is no database fails."""
        self.outbox.commit(SAID, self.settled("said"), True)
        self.reactor.pump([1.0] * int(HOLDS))
        self.assertEqual(self.told, [])
        self.reactor.pump([1.0] * int(2 * BEAT))
        self.assertEqual(self.told, [("said", False)])

    def test_stopped_while_listening(self) -> None:
        """A daemon that stops while it connects begins no life any more."""
        left = self.node.stopService()
        connection = self.listens()
        self.assertTrue(connection.closed)
        self.assertEqual(self.reactor.readers, [])
        self.database.answer("leave")
        self.successResultOf(left)
        self.assertEqual((self.database.calls, self.reactor.getDelayedCalls()), ([], []))

    def test_stopped_while_beginning(self) -> None:
        """A daemon that stops while its life begins leaves after that."""
        self.listens()
        left = self.node.stopService()
        self.assertEqual([name for name, _ in self.database.calls], ["begin"])
        self.database.answer("begin")
        self.database.answer("leave")
        self.successResultOf(left)
        self.assertEqual(self.database.calls, [])

    def test_lost_while_reading(self) -> None:
        """A node that loses the stream while it reads everything throws that away, and joins anew."""
        self.listens()
        self.database.answer("begin")
        (ear,) = self.reactor.readers
        ear.stop()
        self.node._lost(StoreError("gone"))
        self.reactor.advance(0.2)
        self.database.answer("picture", self.picture())
        self.assertFalse(self.node.joined)
        self.joins()

    def test_superseded(self) -> None:
        """An attempt that fails after another one began does not disturb that one."""
        self.listens()
        (ear,) = self.reactor.readers
        ear.stop()
        self.node._lost(StoreError("gone"))
        self.reactor.advance(0.2)
        self.database.answer("begin", StoreError("gone"))
        connection = self.joins()
        self.assertFalse(connection.closed)

    def test_writer_first(self) -> None:
        """A life begins when the writer has no entries of the life before any more."""
        self.joins()
        self.outbox.commit(SAID, self.settled("said"), True)
        (ear,) = self.reactor.readers
        ear.stop()
        self.node._lost(StoreError("gone"))
        self.reactor.advance(0.2)
        self.listens()
        self.assertEqual(self.database.calls, [])
        self.groups.fail()
        self.assertEqual([name for name, _ in self.database.calls], ["begin"])

    def hears(self, protocol: int, *entries: Entry | dict[str, str] | list[Any]) -> None:
        """The node b writes a group."""
        self.number = getattr(self, "number", 0) + 1
        body = msgspec.json.encode(entries).decode()
        self.node._notified("channel", f"{protocol} b {uuid(2)} {self.number} 1/1 9 - {body}")

    def test_protocols(self) -> None:
        """A node speaks the lowest protocol of all nodes, as soon as it can know it."""
        self.listens()
        self.database.answer("begin")
        self.database.answer("picture", replace(self.picture(), protocols=[2, 1]))
        self.assertEqual((self.outbox.protocol, self.database.protocol), (1, 1))
        members = [Member("a", self.node._node.epoch, 1, 2), Member("c", uuid(3), 1, 3)]
        self.database.answer("beat", Look(True, members, NOW, 0.0))
        self.assertEqual((self.outbox.protocol, self.database.protocol), (2, 2))
        self.hears(1, NodeJoined())
        self.assertEqual((self.outbox.protocol, self.database.protocol), (1, 1))
        self.database.calls.clear()
        self.reactor.advance(BEAT)
        self.database.answer("beat", Look(True, [*members, Member("b", uuid(2), 1, 1)], NOW, 0.0))
        self.assertEqual((self.outbox.protocol, self.database.protocol), (1, 1))

    def test_older_node(self) -> None:
        """A node that speaks protocol 1 does not say where its scopes are, and is counted."""
        self.joins()
        saved = ChannelSaved(Channel("news"))
        self.hears(1, saved, ChannelOpened("other"), Audited(AUDIT, None))
        self.assertEqual(self.outbox.positions, {"": 2})
        self.hears(2, saved, Judged("", 3), Audited(AUDIT, None))
        self.assertEqual(self.outbox.positions, {"": 3})

    def test_newer_node(self) -> None:
        """A relay that only a later release knows is ignored and counted; after such a change all is read anew."""
        self.joins()
        self.hears(3, ["Waved", "Ana"], ChannelSaved(Channel("news")))
        self.assertEqual((self.node.counters.unknown, self.node.joined), (1, True))
        self.assertIn("news", self.known.channels)
        self.hears(3, {"type": "ChannelPainted", "name": "news", "colour": "red"})
        self.assertEqual((self.node.counters.unknown, self.node.joined), (2, False))
        self.reactor.advance(0.2)
        self.joins()
        self.assertEqual(self.node.counters.resyncs, 2)

    def test_settings_of_others(self) -> None:
        """Settings are compared among nodes of one version: another version may have other ones."""
        self.node.follow("mine")
        self.joins()
        members = [Member("a", "", 1, settings="mine", version="1"), Member("b", "", 1, settings="other", version="1")]
        self.node._beaten("", Look(True, [*members, Member("c", "", 1, settings="other", version="2")], NOW, 0.0))
        self.assertEqual([each.differs for each in self.node.statuses()], [False, True, False])

    def test_deaf(self) -> None:
        """The metrics show how long a node has heard nobody."""
        self.reactor.advance(7)
        self.assertEqual(self.node.figures().deaf, 7)
        self.joins()
        self.reactor.advance(1)
        self.assertEqual(self.node.figures().deaf, 0)
        (ear,) = self.reactor.readers
        ear.stop()
        self.node._lost(StoreError("gone"))
        self.reactor.advance(0.05)
        self.assertAlmostEqual(self.node.figures().deaf, 0.05)

    def beats(self, ahead: float = 0.0) -> None:
        """The database takes the beat that is due; its clock is ahead of this machine's, in seconds."""
        self.reactor.advance(BEAT)
        self.database.answer(
            "beat", Look(True, [Member("a", self.node._node.epoch, 1)], self.reactor.wall + ahead, 0.0)
        )

    def test_wrong_clock(self) -> None:
        """A clock that is far off is logged once, and what is said gets the time of the server."""
        self.joins()
        for ahead, seconds in ((1.5, 0.0), (5.0, 5.0), (6.0, 6.0), (-30.0, -30.0), (0.0, 0.0)):
            self.beats(ahead)
            self.outbox.commit(SAID, self.settled("said"), True)
            pending, *_ = self.groups.waiting[-1]
            assert isinstance(pending.entry, MessageSaid)
            self.assertAlmostEqual(pending.entry.said_at, SAID.said_at + seconds, 3)
            self.assertAlmostEqual(self.node.ahead, ahead, 3)

    def test_unheard(self) -> None:
        """A node that writes and does not hear it, for as long as a lease, joins anew."""
        self.listens()
        self.database.answer("begin")
        self.database.answer("picture", self.picture())
        self.database.answer("beat", Look(True, [Member("a", self.node._node.epoch, 1)], NOW, 0.0))
        for _ in range(int(ClusterSettings().lease_seconds // BEAT)):
            self.beats()
            self.assertTrue(self.node.joined)
        self.node._notified("echo", "")
        for _ in range(int(ClusterSettings().lease_seconds // BEAT)):
            self.beats()
            self.assertTrue(self.node.joined)
        self.beats()
        self.assertFalse(self.node.joined)

    def test_who_leads(self) -> None:
        """As soon as another node comes or goes, this one looks who is there: not at the next beat."""
        self.joins()
        network, here = self.world.network, Member("a", self.node._node.epoch, 1)
        other = replace(here, name="0", epoch=uuid(2))
        for entry, members, leads in (
            (NodeJoined(), [here, Member("b", uuid(2), 1)], True),
            (NodeGone("b", uuid(2)), [here, other], False),
        ):
            self.hears(PROTOCOL, entry)
            self.assertEqual([name for name, _ in self.database.calls if name == "beat"], ["beat"])
            while self.database.calls:
                name = self.database.calls[0][0]
                self.database.answer(name, Look(True, members, NOW, 0.0) if name == "beat" else ())
            self.assertEqual(network.leads, leads)
            self.assertEqual({each.name for each in self.node.statuses()}, {each.name for each in members})

    def test_delivered_twice(self) -> None:
        """A group that is heard twice counts once, and so does one that is heard late."""
        self.joins()
        self.hears(2, NodeJoined())
        self.database.calls.clear()
        for _ in range(2):
            self.number = 1
            self.hears(2, ChannelOpened("news"))
            self.assertEqual(self.node.counters.heard, 2)
        self.number = 0
        self.hears(2, ChannelOpened("late"))
        self.assertNotIn("late", self.known.channels)
