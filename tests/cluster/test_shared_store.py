"""L{gossip.cluster.shared_store} on a real PostgreSQL: one order, the same numbers everywhere, and nothing twice."""

from __future__ import annotations

import secrets
import time
from threading import Event, Thread
from typing import Any

import msgspec
import psycopg
from sqlalchemy import Connection, func, literal, make_url, select, text
from sqlalchemy.exc import DBAPIError
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.judging import scope_of
from gossip.cluster.members import Beat, Member
from gossip.cluster.pending import Pending
from gossip.cluster.scripts import ORDER, talk
from gossip.cluster.shared_database import SharedPostgreSQL
from gossip.cluster.shared_store import Node, SharedStore
from gossip.cluster.wire import PROTOCOL, Entry, Group, Judged, NodeGone, NodeJoined, Parts
from gossip.network.relays import SessionJoined, SessionLeft, SignedOut, Spoke, Subscribed
from gossip.protocol.server_events import AchievementOf
from gossip.registry.changes import (
    AchievementKept,
    Audited,
    ChannelOpened,
    ChannelSaved,
    GameSaved,
    MessageSaid,
    MessagesRemoved,
)
from gossip.registry.entities import AuditEntry, Channel, Removal
from gossip.registry.removals import quoted
from gossip.registry.search import read_search
from gossip.store import schema, tables
from gossip.store.database import PostgreSQL
from gossip.store.errors import Stale, StoreError, StoreInUse, Trouble
from gossip.store.store import Store
from gossip.store.word_index import BLOCK
from tests.support.databases import OnOneSchema, new_schema
from tests.support.store_contract import ANA, GAME
from tests.support.world import NOW, uuid

EPOCHS = {"a": uuid(1), "b": uuid(2), "c": uuid(3)}


def said(number: int, channel: str = "gossip") -> MessageSaid:
    """A message without a number."""
    return MessageSaid(channel, 0, ANA, "Alpha", "Ana", f"message {number}", NOW + number)


def joined(number: int) -> SessionJoined:
    """A session."""
    return SessionJoined(number, ANA, "192.0.2.1", "websocket", NOW, ("channels",), ("gossip",), ("Ana",))


class SharedStoreTests(OnOneSchema, SynchronousTestCase):
    """Two nodes on one database."""

    def setUp(self) -> None:
        super().setUp()
        # Here nobody needs time to end.
        self.patch(PostgreSQL, "patience", 100)
        self.a, self.b = self.node("a"), self.node("b")

    def node(self, name: str) -> SharedStore:
        """Open the store as a node, which begins its life."""
        assert self.url is not None
        store = SharedStore.open_as(self.url, self.directory, name)
        self.addCleanup(store.close)
        store.begin(Node(name, EPOCHS[name], "1.0"), ())
        return store

    def listen(self, store: SharedStore) -> Any:
        """Hear what is notified from now on."""
        url = self.behind.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(url, autocommit=True)
        self.addCleanup(connection.close)
        connection.execute(f"LISTEN {store.channel}")
        return connection

    def heard(self, connection: Any, number: int) -> list[Group]:
        """The next groups, as many as these."""
        parts, groups = Parts(), []
        for notification in connection.notifies(timeout=20):
            group = parts.read(notification.payload)
            if group is not None:
                groups.append(group)
            if len(groups) == number:
                break
        self.assertEqual(len(groups), number)
        return groups

    def keep(self, store: SharedStore, *entries: Entry) -> None:
        self.assertEqual(store.keep_group([Pending(entry) for entry in entries]), [])

    def test_heard(self) -> None:
        """What one node writes is heard with the numbers that the database gave, and is found there with them."""
        ear = self.listen(self.a)
        self.keep(self.a, said(1), joined(1), said(2))
        self.keep(self.b, said(3), ChannelOpened("news"))
        first, second = self.heard(ear, 2)
        self.assertEqual((first.node, first.epoch, first.number), ("a", EPOCHS["a"], 2))
        self.assertEqual((second.node, second.number), ("b", 2))
        numbers = [entry.seq for group in (first, second) for entry in group.entries if isinstance(entry, MessageSaid)]
        self.assertEqual(numbers, sorted(set(numbers)))
        stored = self.a.history("gossip", 10)
        self.assertEqual([each.seq for each in stored], numbers)
        self.assertEqual([each.message for each in stored], ["message 1", "message 2", "message 3"])
        self.assertIn("news", self.b.load().channels)

    def test_order(self) -> None:
        """Two nodes that write at once are heard in one order, whose numbers only grow, and nothing is lost."""
        ear = self.listen(self.a)

        def write(store: SharedStore, start: int) -> None:
            for number in range(start, start + 60, 3):
                store.keep_group([Pending(said(each)) for each in range(number, number + 3)])

        writers = [Thread(target=write, args=each) for each in ((self.a, 1000), (self.b, 2000))]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        groups = self.heard(ear, 40)
        entries = [entry for group in groups for entry in group.entries if isinstance(entry, MessageSaid)]
        self.assertEqual([each.seq for each in entries], sorted({each.seq for each in entries}))
        self.assertEqual(len(entries), 120)
        self.assertEqual([each.seq for each in self.a.history("gossip", 1000)], [each.seq for each in entries])
        for name in ("a", "b"):
            numbers = [group.number for group in groups if group.node == name]
            self.assertEqual(numbers, sorted(numbers))

    def test_large(self) -> None:
        """A message that no notification can hold arrives in parts."""
        ear = self.listen(self.a)
        large = MessageSaid("gossip", 0, ANA, "Alpha", "Ana", "ü" * 20_000, NOW)
        self.keep(self.a, large, large)
        (group,) = self.heard(ear, 1)
        texts = [entry.message for entry in group.entries if isinstance(entry, MessageSaid)]
        self.assertEqual(texts, [large.message] * 2)

    def test_strange_texts(self) -> None:
        """Whatever players say is stored and heard as it is, and is never taken for SQL."""
        ear = self.listen(self.a)
        texts = [
            "'; DROP TABLE messages; --",
            r"\'\\ E'\\x",
            "100 %s %(said)s {said} :said $1 $$",
            'ü "\U0001f600"\t\r\n',
            "",
        ]
        messages = [MessageSaid("gossip", 0, ANA, "O'Neil\\", "Ana'", each, NOW) for each in texts]
        self.keep(self.a, *messages, Spoke("an'a\\"))
        (group,) = self.heard(ear, 1)
        self.assertEqual([each.message for each in group.entries if isinstance(each, MessageSaid)], texts)
        self.assertEqual(group.entries[-1], Spoke("an'a\\"))
        self.assertEqual([each.message for each in self.b.history("gossip", 9)], texts)
        self.assertEqual({each.game for each in self.b.history("gossip", 9)}, {"O'Neil\\"})

    def test_bad_message(self) -> None:
        """A message that cannot be stored is none of the others' business: nothing of its group is kept."""
        bad = MessageSaid("gossip", 0, ANA, "Alpha", "Ana", "a NUL: \0", NOW)
        with self.assertRaises(DBAPIError):
            self.a.keep_group([Pending(said(1)), Pending(bad)])
        self.assertEqual(self.a.history("gossip", 9), [])
        self.keep(self.a, said(1))
        self.assertEqual(len(self.a.history("gossip", 9)), 1)

    def test_acknowledged(self) -> None:
        """When a message is kept, it is on disk."""
        with self.database().connect() as connection:
            before = connection.scalar(text("SELECT pg_current_wal_insert_lsn()"))
            self.keep(self.a, MessageSaid("gossip", 0, ANA, "Alpha", "Ana", secrets.token_hex(5000), NOW))
            flushed = connection.scalar(
                text("SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), CAST(:before AS pg_lsn))"), {"before": before}
            )
            self.assertGreater(flushed, 5000)

    def test_durable(self) -> None:
        """What is acknowledged is as durable as the operator wants it, and on disk at least."""
        for configured, durable in (("remote_apply", "remote_apply"), ("on", "on"), ("off", "on")):
            assert self.url is not None
            database = make_url(self.url)
            options = f"{database.query['options']} -csynchronous_commit={configured}"
            url = database.update_query_dict({"options": options}).render_as_string(hide_password=False)
            store = SharedStore.open_as(url, self.directory, "c")
            self.addCleanup(store.close)
            shown: list[str | None] = []

            def flush(connection: Connection) -> list[Any]:
                shown.append(connection.scalar(text("SHOW synchronous_commit")))  # noqa: B023
                store._flush(connection)  # noqa: B023
                shown.append(connection.scalar(text("SHOW synchronous_commit")))  # noqa: B023
                return []

            store._write(flush)
            self.assertEqual(shown, ["off", durable])
            script = talk("c", [said(1)], [], [], store._database.durable, repr)
            self.assertEqual(script[-3:], ["BEGIN", f"EXECUTE gossip_flush('{durable}')", "COMMIT"])
            store.close()

    def test_stale(self) -> None:
        """Of two changes that were judged by the same, the second is stale; other scopes go on."""
        ear = self.listen(self.a)
        first = Pending(ChannelSaved(Channel("news")), scope="", seen=0)
        second = Pending(ChannelSaved(Channel("news", description="Other")), scope="", seen=0)
        other = Pending(AchievementKept(ANA, AchievementOf(key=uuid(9), title="T")), scope=ANA, seen=0)
        self.keep(self.a, GameSaved(GAME))
        self.assertEqual(self.a.keep_group([first]), [])
        with self.assertRaises(Stale):
            self.b.keep_group([second, Pending(said(1))])
        self.assertEqual((first.stale, second.stale), (False, True))
        self.assertEqual(self.b.history("gossip", 1), [])
        self.assertEqual(self.b.keep_group([other]), [])
        second = Pending(second.entry, scope="", seen=1)
        self.assertEqual(self.b.keep_group([second]), [])
        self.assertEqual(self.a.picture({}).positions, {"": 2, ANA: 1})
        told = [entry for group in self.heard(ear, 4) for entry in group.entries if isinstance(entry, Judged)]
        self.assertEqual(told, [Judged("", 1), Judged(ANA, 1), Judged("", 2)])
        self.assertEqual(self.a.load().channels["news"].description, "Other")

    def test_beside(self) -> None:
        """What a program changes beside the nodes is judged by what it loaded, and heard by them."""
        assert self.url is not None
        beside = SharedStore.open_beside(self.url, self.directory)
        self.addCleanup(beside.close)
        beside.load()
        ear = self.listen(self.a)
        self.assertEqual(self.a.keep_group([Pending(ChannelSaved(Channel("news")), scope="", seen=0)]), [])
        saved = ChannelSaved(Channel("news", description="Mine"))
        self.assertRaises(Stale, beside.apply, saved)
        beside.load()
        beside.apply(saved)
        beside.apply(ChannelSaved(Channel("other")))
        groups = self.heard(ear, 3)
        self.assertEqual([group.node for group in groups], ["a", "gossipctl", "gossipctl"])
        self.assertEqual([group.entries[-1] for group in groups], [Judged("", number) for number in (1, 2, 3)])
        self.assertEqual(groups[1].entries[0], saved)
        self.assertNotIn("gossipctl", self.b.picture({}).epochs)

    def test_gone_for_a_while(self) -> None:
        """A table that is gone when a connection prepares its statements, and comes back, is written again by it."""
        with self.database().begin() as connection:
            connection.execute(text("ALTER TABLE node_sessions RENAME TO elsewhere"))
        self.a._database.writing.dispose()
        with self.assertRaises(StoreError) as caught:
            self.a.keep_group([Pending(said(1))])
        self.assertEqual(caught.exception.trouble, Trouble.GONE)
        with self.database().begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO node_sessions"))
        self.keep(self.a, said(2))
        self.assertEqual([each.message for each in self.b.history("gossip", 9)], ["message 2"])

    def test_many_sessions(self) -> None:
        """A node with many sessions writes them in pieces, so that the database hears from it all the time."""
        pieces: list[int] = []
        run = self.a._database.run

        def noting(connection: Any, write: Any) -> None:
            pieces.append(sum("gossip_session(" in line for line in write(repr)))
            run(connection, write)

        self.patch(self.a._database, "run", noting)
        sessions = [joined(number) for number in range(2500)]
        self.a.begin(self.a.node, sessions)
        self.assertEqual([piece for piece in pieces if piece], [1000, 1000, 500])
        self.assertEqual(self.b.sessions_of(self.a.node.name), sessions)

    def test_scopes(self) -> None:
        """Achievements are judged by those of their game, all else by everything that is known."""
        self.assertEqual(scope_of(AchievementKept(ANA, AchievementOf(key=uuid(9), title="T"))), ANA)
        self.assertEqual(scope_of(Audited(AuditEntry(uuid(3), NOW, "ana", "say", "", "{}"), None)), "")

    def test_picture(self) -> None:
        """A picture has all that was committed before, and says so of each transaction."""
        ear = self.listen(self.a)
        session = joined(1)
        self.a.keep_group([Pending(said(1)), Pending(session, (session,))])
        moved = SessionJoined(1, ANA, "192.0.2.1", "websocket", NOW, ("channels",), ("gossip", "news"), ("Ana",))
        self.a.keep_group([Pending(Subscribed(1, "news"), (moved,))])
        picture = self.b.picture({"gossip": 0})
        self.keep(self.a, said(2))
        before, and_before, after = self.heard(ear, 3)
        self.assertEqual(
            [picture.snapshot.holds(each.transaction) for each in (before, and_before, after)], [True] * 2 + [False]
        )
        self.assertEqual(picture.sessions, {"a": [moved]})
        self.assertEqual([each.message for each in picture.missed], ["message 1"])
        number = picture.missed[0].seq
        self.assertEqual(picture.known.numbers.highest_message("gossip"), number)
        self.assertEqual(self.b.picture({"gossip": number}).missed, [*self.b.history("gossip", 1)])
        self.a.keep_group([Pending(SessionLeft(1))])
        self.assertEqual(self.b.picture({}).sessions, {})
        self.assertEqual(self.b.sessions_of("a"), [])

    def test_signed_out(self) -> None:
        """A player that one node signs out is listed by no session of the game, on whichever node."""
        self.a.keep_group([Pending(joined(1), (joined(1),))])
        self.b.keep_group([Pending(SignedOut(ANA, "Ana")), Pending(SignedOut(ANA, "Bo"))])
        (session,) = self.b.picture({}).sessions["a"]
        self.assertEqual(session.players, ())

    def test_late(self) -> None:
        """Of many missed messages the latest are heard."""
        self.keep(self.a, *map(said, range(9)))
        missed = self.b.picture({"gossip": 0}, late=4).missed
        self.assertEqual([each.message for each in missed], [f"message {number}" for number in range(5, 9)])

    def test_removed(self) -> None:
        """Removals are read as they were made: with what the messages said."""
        self.keep(self.a, said(1), said(2))
        messages = self.b.picture({"gossip": 0}).missed
        removals = [Removal(NOW + number, "ana", "slur") for number in (1, 2)]
        changes = [MessagesRemoved((message,), removal) for message, removal in zip(messages, removals, strict=True)]
        for number, change in enumerate(changes):
            noted = msgspec.json.encode(quoted(change.messages)).decode()
            entry = AuditEntry(uuid(number), change.removal.at, "ana", "message/remove", "", noted)
            self.keep(self.a, Audited(entry, change))
        self.assertEqual(self.b.picture({}, since=NOW + 1.5).removed, changes[1:])
        self.assertEqual(self.b.picture({}, since=NOW + 3).removed, [])
        self.assertEqual(self.b.picture({}).removed, [])

    def test_names(self) -> None:
        """No two nodes have one name, and no daemon that is alone runs beside nodes, nor the other way round."""
        assert self.url is not None
        for opening, why in (
            (lambda: SharedStore.open_as(str(self.url), self.directory, "a"), "another daemon is the node a of"),
            (lambda: Store.open(self.url, self.directory), "is used by several daemons (nodes)"),
        ):
            with self.assertRaises(StoreInUse) as caught:
                opening()
            self.assertIn(why, str(caught.exception))
        self.a.close()
        self.b.close()
        alone = Store.open(self.url, self.directory)
        with self.assertRaises(StoreInUse) as caught:
            SharedStore.open_as(self.url, self.directory, "a")
        self.assertIn("a daemon that is alone uses", str(caught.exception))
        alone.close()

    def test_started_together(self) -> None:
        """Nodes that start at the same time on an empty database make its tables once."""
        url = new_schema(self.behind, self.addCleanup).render_as_string(hide_password=False)
        opened: list[SharedStore] = []
        directories = [self.mktemp() for _ in range(3)]

        def open_as(number: int) -> None:
            opened.append(SharedStore.open_as(url, directories[number], f"node-{number}"))

        starting = [Thread(target=open_as, args=(number,)) for number in range(3)]
        for each in starting:
            each.start()
        for each in starting:
            each.join()
        for store in opened:
            store.close()
        self.assertEqual(len(opened), 3)

    def test_sqlite(self) -> None:
        """Nodes need a database that they can share."""
        with self.assertRaises(StoreError):
            SharedStore.open_as("sqlite:///gossip.db", self.directory, "a")

    def test_beat(self) -> None:
        """Beats grow while a node lives; one that was declared dead learns it, and its connection is ended."""
        self.assertTrue(self.a.beat().alive)
        look = self.a.beat(Beat("digest", 1.5, 0.25, True))
        self.assertTrue(look.alive)
        self.assertEqual({each.name: each.beats for each in look.members}, {"a": 2, "b": 0})
        (a,) = (each for each in look.members if each.name == "a")
        self.assertEqual((a.version, a.settings, a.ahead, a.behind), ("1.0", "digest", 1.5, 0.25))
        self.assertEqual({each.name: each.draining for each in look.members}, {"a": True, "b": False})
        self.assertLess(abs(look.now - time.time()), 60)
        self.assertLess(look.queue, 1)
        ear = self.listen(self.a)
        (b,) = (each for each in look.members if each.name == "b")
        self.assertFalse(self.a.end(Member("b", b.epoch, b.beats - 1)))
        self.assertTrue(self.a.end(b))
        (group,) = self.heard(ear, 1)
        self.assertEqual(group.entries, (NodeGone("b", EPOCHS["b"]),))
        # Its connection is broken; with a new one it learns that the database does not know it any more.
        with self.assertRaises(StoreError):
            self.b.beat()
        self.assertFalse(self.b.beat().alive)

    def test_end(self) -> None:
        """An admin can declare a node dead that still beats, once."""
        (b,) = (each for each in self.a.beat().members if each.name == "b")
        self.b.beat()
        self.assertFalse(self.a.end(b))
        self.assertTrue(self.a.end(b, silent=False))
        self.assertFalse(self.a.end(b, silent=False))
        self.assertEqual([each.name for each in self.a.beat().members], ["a"])

    def test_begin(self) -> None:
        """A new life tells all its sessions, instead of those that it had."""
        self.a.keep_group([Pending(joined(1), (joined(1),))])
        ear = self.listen(self.a)
        self.a.begin(Node("a", uuid(7), "1.0"), [joined(2)])
        (group,) = self.heard(ear, 1)
        self.assertEqual((group.epoch, group.entries), (uuid(7), (NodeJoined(),)))
        self.assertEqual(self.b.sessions_of("a"), [joined(2)])

    def test_leave(self) -> None:
        """A node that ends takes its sessions along at once."""
        self.a.keep_group([Pending(joined(1), (joined(1),))])
        ear = self.listen(self.b)
        self.a.leave()
        (group,) = self.heard(ear, 1)
        self.assertEqual(group.entries, (NodeGone("a", EPOCHS["a"]),))
        self.assertEqual(self.b.picture({}).sessions, {})

    def test_server_started_again(self) -> None:
        """Numbers jump once when the server was started again: after a crash they would come twice."""
        self.keep(self.a, said(1))
        (before,) = self.a.history("gossip", 1)
        with self.database().begin() as connection:
            # A crash empties it, since it is unlogged.
            connection.execute(text("DELETE FROM engine"))
            # What was not flushed is gone, with the numbers that were given.
            connection.execute(text("DELETE FROM messages"))
            connection.execute(text("SELECT setval('numbers', :number)"), {"number": before.seq - 1})
        for store in (self.a, self.b):
            store.begin(store.node, ())
        self.keep(self.a, said(2))
        (after,) = self.a.history("gossip", 1)
        self.assertGreaterEqual(after.seq, before.seq + 1000)
        for store in (self.a, self.b):
            store.begin(store.node, ())
        self.keep(self.a, said(3))
        # Once.
        self.assertEqual(self.a.history("gossip", 1)[0].seq, after.seq + 1)
        with self.database().connect() as connection:
            self.assertEqual(len(connection.execute(select(tables.engine)).all()), 1)

    def test_alone_and_back(self) -> None:
        """A daemon that is alone counts above what nodes gave, and nodes above what it gave, stored or not."""
        self.keep(self.a, said(1))
        (first,) = self.a.history("gossip", 1)
        self.a.close()
        self.b.close()
        for stored in (True, False, True):
            alone = Store.open(self.url, self.directory)
            # A clock that was set back is no help.
            numbers = alone.load(now=0, reserve=True).numbers
            second = numbers.next_message("gossip")
            self.assertGreater(second, first.seq)
            if stored:
                alone.apply(MessageSaid("gossip", second, ANA, "Alpha", "Ana", "alone", NOW))
            alone.close()
            shared = self.node("a")
            self.keep(shared, said(3))
            (third,) = shared.history("gossip", 1)
            self.assertEqual(third.message, "message 3")
            self.assertGreater(third.seq, second)
            first = third
            shared.close()

    def test_frozen(self) -> None:
        """A node that freezes with the lock that orders all groups loses it soon, and with it the group."""
        self.patch(SharedPostgreSQL, "freeze", 500)
        node = self.node("c")
        frozen, over = Event(), Event()

        def freeze(connection: Any) -> list[Any]:
            connection.execute(select(func.pg_advisory_xact_lock(ORDER, func.hashtext(node.channel))))
            frozen.set()
            over.wait(20)
            connection.execute(text("SELECT 1"))
            return []

        freezing = Thread(target=lambda: self.assertRaises(StoreError, node._write_or_fail, freeze))
        freezing.start()
        frozen.wait(20)
        self.keep(self.b, said(1))
        over.set()
        freezing.join()
        self.keep(node, said(2))
        self.assertEqual([each.message for each in self.b.history("gossip", 2)], ["message 1", "message 2"])

    def test_severed(self) -> None:
        """Whatever waits for the database fails when the connections are severed, and new ones are made after that."""
        waiting = Event()

        def wait(connection: Any) -> list[Any]:
            waiting.set()
            connection.execute(text("SELECT pg_sleep(20)"))
            return []

        failed: list[StoreError] = []

        def write() -> None:
            try:
                self.a._write_or_fail(wait)
            except StoreError as error:
                failed.append(error)

        writing = Thread(target=write)
        writing.start()
        waiting.wait(20)
        self.a.sever()
        writing.join()
        self.assertEqual([error.trouble for error in failed], ["unreachable"])
        self.keep(self.a, said(1))
        self.assertEqual(len(self.a.history("gossip", 2)), 1)

    def test_tried_again(self) -> None:
        """A group whose confirmation is lost is not written twice; one that was not written is."""
        message = said(1)
        self.keep(self.a, message)
        with self.database().begin() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :mark"),
                {"mark": self.a._database.mark},
            )
        self.keep(self.a, message)
        self.keep(self.a, said(2))
        self.assertEqual([each.message for each in self.a.history("gossip", 9)], ["message 1", "message 2"])

    def test_strangers(self) -> None:
        """Another schema of the same database is another network."""
        url = new_schema(self.behind, self.addCleanup).render_as_string(hide_password=False)
        store = SharedStore.open_as(url, self.mktemp(), "a")
        self.addCleanup(store.close)
        self.assertNotEqual(store.channel, self.a.channel)
        self.assertRegex(store.channel, "^gossip_[0-9a-f]{16}$")

    def upgrade(self, revision: str) -> None:
        """A newer version upgrades the schema."""
        with self.database().begin() as connection:
            connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '{revision}'"))

    def test_newer_schema(self) -> None:
        """A node that does not know the schema names the version to install: that of the node that started last."""
        self.a.begin(Node("a", EPOCHS["a"], "1.0", started_at=1.0), ())
        self.b.begin(Node("b", EPOCHS["b"], "1.1", started_at=2.0), ())
        with self.database().begin() as connection:
            found = schema.revision(connection)
        assert found is not None
        self.addCleanup(self.upgrade, found)
        self.upgrade("9999")
        for closes, way_out in (
            ((), "install the version here that node b runs (gossip 1.1)"),
            ((self.b, self.a), "install that version, or stop all nodes and restore a backup"),
        ):
            for store in closes:
                store.close()
            error = self.assertRaises(StoreError, SharedStore.open_as, str(self.url), self.directory, "c")
            self.assertIn("was used by a newer version of gossip (its schema is 9999, this", str(error))
            self.assertTrue(str(error).endswith(f": {way_out}"), str(error))

    def test_rolled_back(self) -> None:
        """What is rolled back takes no prepared statement along."""
        self.a.keep_group([Pending(said(1))])
        with self.assertRaises(ZeroDivisionError), self.a.writing() as connection:
            for _ in range(10):
                connection.execute(select(literal(1)))
            raise ZeroDivisionError
        with self.a.writing() as connection:
            connection.execute(select(literal(1)))
        self.a.keep_group([Pending(said(2))])
        self.assertEqual([each.message for each in self.b.history("gossip", 5)], ["message 1", "message 2"])

    def test_index(self) -> None:
        """Each node indexes for all; none does while a node of the release before is there."""
        self.a.keep_group([Pending(said(number)) for number in range(BLOCK)])
        self.a.protocol = PROTOCOL - 1
        self.assertFalse(self.a.index())
        self.a.protocol = PROTOCOL
        self.assertEqual([self.a.index(), self.b.index(), self.a.index()], [True, False, False])
        found = [store.search(read_search("3"), 5).hits for store in (self.a, self.b)]
        self.assertEqual(found[0], found[1])
        self.assertEqual([hit.said.message for hit in found[0]], ["message 3"])
