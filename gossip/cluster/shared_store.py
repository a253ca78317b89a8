"""
The store of a node: what several daemons keep together.

A group is written in one transaction, which also tells all nodes of it. One lock orders the groups of all nodes, and it
is held for some tenths of a millisecond: that transaction does not wait for the disk. A second one behind it does, and
everything before it is then on disk as well. So nobody waits for a disk to hear something, and nothing is acknowledged
before it is on disk.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, func, literal, make_url, select, text
from sqlalchemy.dialects.postgresql import insert

from gossip import __version__
from gossip.cluster import missed as missing
from gossip.cluster import scripts, session_rows
from gossip.cluster.ear import listen
from gossip.cluster.judging import is_judged, scope_of
from gossip.cluster.members import Beat, Look, Member
from gossip.cluster.pending import Pending
from gossip.cluster.picture import Picture, Snapshot
from gossip.cluster.shared_database import SharedPostgreSQL
from gossip.cluster.wire import PROTOCOL, Entry, Judged, NodeGone, NodeJoined, written
from gossip.network.relays import Relayed, SessionJoined
from gossip.registry.changes import Change, MessageSaid
from gossip.registry.numbers import NumbersHeard
from gossip.registry.registry import Registry
from gossip.store import mark, queries, tables
from gossip.store.database import reason
from gossip.store.errors import Stale, StoreError
from gossip.store.statements import execute
from gossip.store.store import Failing, Store, plainly

if TYPE_CHECKING:
    import psycopg

PIECE: Final = 1000
"""
How many sessions of a node that begins its life are written at once. The database ends a transaction that says nothing
for two seconds, and to encode all sessions of a large node may take longer.
"""

_LOOK: Final = text("SELECT extract(epoch FROM clock_timestamp()), pg_notification_queue_usage()")


class Node(Struct, frozen=True):
    """
    What a node says of itself to the others.

    @ivar address: where it listens, for people.
    @ivar settings: a digest of the settings that must be the same everywhere.
    """

    name: str
    epoch: str
    version: str
    address: str = ""
    settings: str = ""
    started_at: float = 0.0


class SharedStore(Store):
    """
    The store of one of several nodes; or of a program that changes something as a node does, while these run or not.

    @ivar node: this node.
    @ivar protocol: what it speaks, so that all nodes understand it.
    """

    _database: SharedPostgreSQL

    def __init__(self, database: SharedPostgreSQL, directory: Path) -> None:
        super().__init__(database, directory)
        self.node = Node("", "", "")
        self.protocol = PROTOCOL
        self._positions: dict[str, int] = {}
        self._group = 0
        with plainly(self.name), database.reading.connect() as connection:
            place = connection.scalar(text("SELECT current_database() || '/' || coalesce(current_schema(), '')"))
        self.channel = f"gossip_{sha256(str(place).encode()).hexdigest()[:16]}"
        """The channel of the notifications of this network. Channels know no schemas."""
        self.echo = f"{self.channel} {secrets.token_hex(8)}"
        """The channel of the notifications that only this node hears."""

    @classmethod
    def open_as(cls, url: str, data_directory: str | Path, node: str, first: Iterable[Change] = ()) -> SharedStore:
        """
        Open the store as a node; see L{Store.open}.

        @param node: the name of the node.
        @raise StoreInUse: another daemon is this node, or uses the store alone.
        @raise StoreError: the store cannot be used; the text says why.
        """
        return cls._open_for(url, data_directory, node, first)

    @classmethod
    def open_beside(cls, url: str, data_directory: str | Path, first: Iterable[Change] = ()) -> SharedStore:
        """
        Open the store to change something as a node does: those that run hear it. See L{Store.open}.

        @raise StoreInUse: a daemon uses the store alone.
        @raise StoreError: the store cannot be used; the text says why.
        """
        store = cls._open_for(url, data_directory, None, first)
        store.node = Node("gossipctl", str(uuid.uuid4()), __version__)
        return store

    @classmethod
    def _open_for(cls, url: str, data_directory: str | Path, node: str | None, first: Iterable[Change]) -> SharedStore:
        parsed = make_url(url)
        if not parsed.drivername.startswith("postgres"):
            raise StoreError("a node needs a database that it can share: postgresql://…")
        directory = Path(data_directory)
        database = SharedPostgreSQL(parsed.set(drivername="postgresql+psycopg"), node, mark.read(directory))
        return cls._opened(database, directory, first)

    def listen(self) -> psycopg.Connection[tuple[object, ...]]:
        """
        Connect to hear what all nodes write, and the echo of the beats of this one. This blocks.

        @raise psycopg.Error: the server cannot be reached.
        """
        return listen(self._database.url, f"{self._database.mark} ear", (self.channel, self.echo))

    def sever(self) -> None:
        """End all connections: the database does not answer, and whatever waits for it must fail."""
        self._database.sever()

    # Writing.

    def keep(self, changes: Sequence[Change]) -> list[Change]:
        """
        Write changes that were judged by what was loaded last, and tell all nodes of them; see L{Store.keep}.

        @raise Stale: a node was first. Load again, and judge again.
        """
        pending = []
        for change in changes:
            each = Pending(change)
            if is_judged(change, self.protocol):
                each.scope = scope_of(change)
                each.seen = self._positions.get(each.scope, 0)
                self._positions[each.scope] = each.seen + 1
            pending.append(each)
        return self.keep_group(pending)

    def keep_group(self, pending: Sequence[Pending]) -> list[Change]:
        """
        Write a group and tell all nodes of it; see L{Store.keep}.

        @return: changes that are left for a later group.
        @raise Stale: one of the changes was judged by what is not known any more.
        """
        said = [each.entry for each in pending if isinstance(each.entry, MessageSaid)]
        talk = all(scripts.is_talk(each.entry) for each in pending)
        flushed = False
        try:
            if talk:
                rest = self._write_talk(pending, said)
                flushed = True
            else:
                rest = self._write_group(pending, said)
        except Failing as failing:
            self._log.warn("{store} is tried again: {reason}", store=self.name, reason=reason(failing.error))
            try:
                # The first attempt may have succeeded, with only its confirmation lost.
                rest = [] if said and self._is_stored(said[0]) else self._write_group(pending, said)
            except Failing as again:
                raise StoreError(f"{self.name}: {reason(again.error)}", again.trouble) from again.error
        if not flushed and not all(isinstance(each.entry, Relayed | NodeJoined | NodeGone) for each in pending):
            self._write_or_fail(self._flush)
        return rest

    def _write_talk(self, pending: Sequence[Pending], said: Sequence[MessageSaid]) -> list[Change]:
        """The same as L{_write_group} and L{_flush}, for entries that are talk, in one piece."""

        def write(quote: scripts.Quote) -> list[str]:
            # No other thread writes while this one has the connection.
            self._count_group()
            for each in pending:
                each.group = self._group
            parts = self._parts([each.entry for each in pending])
            sessions = session_rows.save(self.node.name, session_rows.standing(pending), quote)
            return scripts.talk(self.channel, said, sessions, parts, self._database.durable, quote)

        with self._noticing():
            self._database.run_alone(write)
        return []

    def _write_group(self, pending: Sequence[Pending], said: Sequence[MessageSaid]) -> list[Change]:
        return self._write(lambda connection: self._execute_group(connection, pending, said))

    def _execute_group(
        self, connection: Connection, pending: Sequence[Pending], said: Sequence[MessageSaid]
    ) -> list[Change]:
        self._take_turn(connection)
        for each in pending:
            each.group = self._group
        judged = self._judge(connection, pending)
        changes = [
            each.entry
            for each in pending
            if not isinstance(each.entry, MessageSaid | Relayed | NodeJoined | NodeGone | Judged)
        ]
        rest = execute(connection, changes)
        if said:
            self._database.run(connection.connection, lambda quote: scripts.say(said, quote))
        self._save_sessions(connection, session_rows.standing(pending))
        session_rows.sign_out(connection, self.node.name, [each.entry for each in pending])
        self._tell(connection, [*(each.entry for each in pending), *judged], bool(said))
        return rest

    def _take_turn(self, connection: Connection) -> None:
        """Begin the transaction of a group."""
        self._database.run(connection.connection, lambda quote: scripts.order(self.channel, quote))
        self._count_group()

    def _save_sessions(self, connection: Connection, sessions: Mapping[int, SessionJoined | None]) -> None:
        if sessions:
            name = self.node.name
            self._database.run(connection.connection, lambda quote: session_rows.save(name, sessions, quote))

    def _count_group(self) -> None:
        """
        Give the group the next number. Numbers of groups only grow, also over lives, and whoever hears one skips those
        below it: so this is done under the lock, by whichever thread writes.
        """
        self._group += 1

    def _judge(self, connection: Connection, pending: Sequence[Pending]) -> list[Judged]:
        """
        Count the judged changes.

        @return: where the scopes are from now on.
        @raise Stale: a scope is not where it was when a change was judged.
        """
        numbers: dict[str, int] = {}
        for each in pending:
            if each.scope is None:
                continue
            statement = insert(tables.positions).values(scope=each.scope, number=each.seen + 1)
            counted = statement.on_conflict_do_update(
                index_elements=["scope"],
                set_={"number": tables.positions.c.number + 1},
                where=tables.positions.c.number == each.seen,
            ).returning(tables.positions.c.number)
            if connection.scalar(counted) != each.seen + 1:
                each.stale = True
                raise Stale
            numbers[each.scope] = each.seen + 1
        return [Judged(*each) for each in numbers.items()]

    def _tell(self, connection: Connection, entries: Sequence[Entry], numbered: bool) -> None:
        parts = self._parts(entries)
        self._database.run(connection.connection, lambda quote: scripts.tell(self.channel, parts, numbered, quote))

    def _parts(self, entries: Sequence[Entry]) -> list[tuple[str, str]]:
        return written(self.protocol, self.node.name, self.node.epoch, self._group, entries)

    def _flush(self, connection: Connection) -> list[Change]:
        """Wait until everything that was committed before is on disk, here and on a synchronous standby."""
        self._database.run(connection.connection, lambda quote: scripts.flush(self._database.durable, quote))
        return []

    def _is_stored(self, said: MessageSaid) -> bool:
        columns = tables.messages.c
        values = asdict(said)
        same = [
            columns[name].is_not_distinct_from(values[name])
            for name in ("channel", "client_id", "game", "name", "message", "said_at")
        ]
        found: list[bool] = []

        def look(connection: Connection) -> list[Change]:
            found.append(connection.scalar(select(literal(1)).where(*same)) is not None)
            return []

        self._write(look)
        return found[0]

    @property
    def may_index(self) -> bool:
        # A node of the release before does not know of the index, and would not remove from it.
        return self.protocol == PROTOCOL

    def probe(self) -> None:
        super().probe()
        self._write_or_fail(self._flush)

    # The life of this node. All of these block.

    def begin(self, node: Node, sessions: Sequence[SessionJoined]) -> None:
        """
        Begin a new life as a node, which has these sessions.

        @raise StoreError: the database cannot write anything at the moment.
        """

        def write(connection: Connection) -> list[Change]:
            self.node = node
            self._take_turn(connection)
            self._database.notice_life(connection.connection.driver_connection)
            row = {**asdict(node), "mark": self._database.mark, "protocol": PROTOCOL, "beats": 0, "draining": False}
            statement = insert(tables.nodes).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))
            session_rows.end(connection, node.name)
            for start in range(0, len(sessions), PIECE):
                piece = sessions[start : start + PIECE]
                self._save_sessions(connection, {each.number: each for each in piece})
            self._tell(connection, [NodeJoined()], numbered=False)
            return []

        self._write_or_fail(write)

    def beat(self, said: Beat = Beat()) -> Look:
        """
        Write that this node is alive, and read which others are there.

        @param said: what else it writes of itself.
        @raise StoreError: the database cannot write anything at the moment.
        """
        found: list[Look] = []

        def write(connection: Connection) -> list[Change]:
            columns = tables.nodes.c
            alive = connection.scalar(
                tables.nodes.update()
                .where(columns.name == self.node.name, columns.epoch == self.node.epoch)
                .values(beats=columns.beats + 1, **asdict(said))
                .returning(columns.beats)
            )
            rows = connection.execute(select(*(columns[name] for name in Member.__struct_fields__))).all()
            now, queue = connection.execute(_LOOK).one()
            found.append(Look(alive is not None, [Member(*row) for row in rows], float(now), float(queue)))
            connection.execute(select(func.pg_notify(self.echo, "")))
            return []

        self._write_or_fail(write)
        return found[0]

    def end(self, member: Member, silent: bool = True) -> bool:
        """
        Declare a node dead: end its connections, and tell all nodes.

        @param silent: only if it has not beaten since.
        @return: whether that life of it was known still, and it was silent.
        @raise StoreError: the database cannot write anything at the moment.
        """
        ended: list[str] = []

        def write(connection: Connection) -> list[Change]:
            columns = tables.nodes.c
            ending = delete(tables.nodes).where(columns.name == member.name, columns.epoch == member.epoch)
            if silent:
                ending = ending.where(columns.beats == member.beats)
            marked = connection.scalar(ending.returning(columns.mark))
            if marked is not None:
                ended.append(marked)
                session_rows.end(connection, member.name)
                self._count_group()
                self._tell(connection, [NodeGone(member.name, member.epoch)], numbered=False)
            return []

        self._write_or_fail(write)
        if ended and member.name != self.node.name:
            with plainly(self.name), self._database.reading.connect() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name IN (:mark, :mark || ' ear')"
                    ),
                    {"mark": ended[0]},
                )
        return bool(ended)

    def leave(self) -> None:
        """
        This node ends: its sessions are gone at once, without a lease.

        @raise StoreError: the database cannot write anything at the moment.
        """
        self.end(Member(self.node.name, self.node.epoch, 0), silent=False)

    # Reading.

    def load(self, now: float = 0.0, reserve: bool = False) -> Registry:
        """Read everything that the network needs to know; the database gives the numbers."""
        picture = self.picture({})
        self._positions = dict(picture.positions)
        self.protocol = min([PROTOCOL, *picture.protocols])
        return picture.known

    def picture(self, heard: Mapping[str, int], late: int = 1000, since: float | None = None) -> Picture:
        """
        Read everything that a node needs to know, in one snapshot.

        @param heard: the channels that have an audience here, with the highest number that was heard on each.
        @param late: how many missed messages of a channel are wanted.
        @param since: from when on removals are wanted, in seconds since the epoch; C{None} for none.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                snapshot = Snapshot.read(str(connection.scalar(text("SELECT pg_current_snapshot()::text"))))
                numbers = NumbersHeard()
                columns = tables.messages.c
                for channel, highest in connection.execute(
                    select(columns.channel, func.max(columns.seq)).group_by(columns.channel)
                ):
                    numbers.message_given(channel, highest)
                numbers.report_given(queries.highest(connection).report)
                known = queries.registry(connection, numbers)
                counted = select(tables.positions.c.scope, tables.positions.c.number)
                positions: dict[str, int] = dict(connection.execute(counted).tuples().all())
                living = connection.execute(
                    select(tables.nodes.c.name, tables.nodes.c.epoch, tables.nodes.c.protocol)
                ).all()
                missed = [
                    said
                    for channel, number in heard.items()
                    for said in missing.said(connection, channel, number, late)
                ]
                removed = [] if since is None else missing.removed(connection, since)
                sessions = session_rows.others(connection, self.node.name)
        missed.sort(key=lambda said: said.seq)
        epochs = {name: epoch for name, epoch, _ in living}
        protocols = [protocol for *_, protocol in living]
        return Picture(snapshot, known, positions, epochs, sessions, missed, protocols, removed)

    def position(self) -> int:
        """
        How many judged changes of what is known were committed.

        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            columns = tables.positions.c
            return connection.scalar(select(columns.number).where(columns.scope == "")) or 0

    def sessions_of(self, node: str) -> list[SessionJoined]:
        """
        The sessions of another node.

        @raise StoreError: they cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return session_rows.of(connection, node)


class Groups:
    """The store of a node, as its writer uses it."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store

    def keep(self, pending: Sequence[Pending]) -> list[Pending]:
        """See L{SharedStore.keep_group}."""
        return [Pending(change) for change in self._store.keep_group(pending)]

    def probe(self) -> None:
        """See L{Store.probe}."""
        self._store.probe()

    def forget(self, quiet: bool) -> None:
        """See L{Store.forget}."""
        self._store.forget(quiet)
