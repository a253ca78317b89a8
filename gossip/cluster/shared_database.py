"""The PostgreSQL database of several nodes: what differs from the database of a daemon that is alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from sqlalchemy import URL, Connection, PoolProxiedConnection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import OperationalError as Failed

from gossip.cluster import scripts
from gossip.cluster.ear import DEAF, connect, hears
from gossip.cluster.wire import PROTOCOL
from gossip.registry.numbers import Mark, start
from gossip.store.database import PostgreSQL, reason
from gossip.store.errors import StoreError, StoreInUse, Trouble

if TYPE_CHECKING:
    import psycopg

OLDEST: Final = 130000
"""The oldest version of the server that has what nodes need (C{pg_current_xact_id})."""

READERS: Final = 5
"""How many connections of a node read. With the one that writes and the one that listens, 14 nodes fit into 100."""

HOLDS: Final = 3.0
"""How long a migration waits for a table, in seconds: whatever else wants that table waits behind it."""

_LIFE: Final = """
SELECT extract(epoch FROM pg_postmaster_start_time())::text, (SELECT started_at FROM engine),
    (SELECT last_value FROM numbers),
    (SELECT greatest((SELECT max(seq) FROM messages), (SELECT max(highest) FROM sequences), 0)),
    extract(epoch FROM clock_timestamp())::double precision
"""

_NODE: Final = int.from_bytes(b"node")
"""The first part of the lock of a node's name."""

_LIVING: Final = """
SELECT name, version, protocol, started_at FROM nodes WHERE EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(node)s
    AND objid::bigint = hashtext(coalesce(current_schema(), '') || ':' || name)::bigint & 4294967295
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
) ORDER BY name
"""
"""A node that was killed still has its row, but not its lock."""


class SharedPostgreSQL(PostgreSQL):
    """
    A schema that several nodes share. A daemon that is alone can use it at no time while a node does, nor the other way
    round, and no two nodes of one name can.

    @cvar freeze: how long a node may say nothing in the middle of a group, in milliseconds.
    """

    readers = READERS
    freeze = 2000

    def __init__(self, url: URL, node: str | None, marked: Mark = Mark()) -> None:
        """
        @param node: the name of this node; C{None} for what only changes something beside the nodes.
        @param marked: what a daemon that was alone has marked in the data directory: see L{gossip.registry.numbers}.
        """
        self._node = node
        self._marked = marked
        self.durable = "on"
        self._connections: WeakSet[Any] = WeakSet()
        super().__init__(url)
        for engine in (self.writing, self.reading):
            event.listen(engine, "connect", lambda connection, record: self._connections.add(connection))

    def open(self) -> None:
        self._check_hearing()
        super().open()
        with self.writing.connect() as connection:
            for name, version, protocol, _ in self._living(connection):
                if abs(protocol - PROTOCOL) > 1:
                    apart = "older" if protocol < PROTOCOL else "newer"
                    raise StoreError(
                        f"{self.name}: node {name} is too much {apart} to understand this version (gossip {version},"
                        f" protocol {protocol}; this is {PROTOCOL}): start a version in between, or stop that node"
                    )

    def _check_hearing(self) -> None:
        from psycopg import Error

        try:
            with connect(self._url) as connection, connect(self._url) as other:
                heard = hears(connection, other)
        except Error as error:
            raise StoreError(f"{self.name}: {reason(error)}", Trouble.UNREACHABLE) from error
        if not heard:
            raise StoreError(f"{self.name}: {DEAF}")

    @property
    def mark(self) -> str:
        """What the connection that writes calls itself: whoever declares this node dead ends it by that."""
        return self._mark

    @property
    def url(self) -> URL:
        """Where the database is."""
        return self._url

    def _prepare(self, connection: Any) -> None:
        if connection.info.server_version < OLDEST:
            raise StoreError(f"{self.name}: nodes need PostgreSQL {OLDEST // 10000} or later")
        # The driver would prepare statements of its own, and drop ours with them when something is rolled back.
        connection.prepare_threshold = None
        # A node that freezes in the middle of a group, with the lock that orders all of them, loses its connection.
        for setting, value in (("idle_in_transaction_session_timeout", f"{self.freeze}ms"), ("lock_timeout", "5s")):
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        # What is heard does not wait for the disk: a second transaction does, before anything is acknowledged.
        (configured,) = connection.execute("SHOW synchronous_commit").fetchone()
        self.durable = "on" if configured == "off" else configured
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    def sever(self) -> None:
        """End all connections, whatever waits for an answer on them: the server does not answer any more."""
        for connection in list(self._connections):
            if not connection.closed:
                with closing(socket.socket(fileno=os.dup(connection.fileno()))) as end, suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _take_lock(self, connection: Any) -> None:
        super()._take_lock(connection)
        self.notice_life(connection)
        connection.commit()

    def notice_life(self, connection: Any) -> None:
        """
        Let the numbers of messages jump if those that the database would give next may have been given already: after
        a crash of the server, since commits are not flushed, and after a daemon that was alone, which counts by itself.

        The table C{engine} is unlogged: it is empty when the server did not end properly, and on a standby.

        @param connection: of the driver.
        """
        if connection.execute("SELECT to_regclass('engine')").fetchone() == (None,):
            # The tables are made after this.
            return
        connection.execute("LOCK TABLE engine IN EXCLUSIVE MODE")
        life, known, given, stored, now = connection.execute(_LIFE).fetchone()
        if life == known and given >= max(stored, self._marked.message):
            return
        connection.execute("DELETE FROM engine")
        connection.execute("INSERT INTO engine VALUES (%s)", (life,))
        above = start(Mark(max(stored, given)), self._marked, now).message
        connection.execute("SELECT setval('numbers', %s)", (above,))

    def run(self, connection: PoolProxiedConnection, write: scripts.Write) -> None:
        """
        Run a script on a connection, in one round trip.

        @raise DBAPIError: a statement of it failed; none of the others of its transaction counts.
        """
        import psycopg

        raw = connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        try:
            prepared = connection.info.setdefault("prepared", set())
            # One by one: if a table is gone for a while, those before it must not be prepared twice.
            for name in scripts.STATEMENTS.keys() - prepared:
                _run(raw, [f"PREPARE {name} AS {scripts.STATEMENTS[name]}"])
                prepared.add(name)
            _run(raw, write(_quoting(raw)))
        except psycopg.Error as error:
            if raw.broken:
                connection.invalidate(error)
            raise _failed(error) from error

    def run_alone(self, write: scripts.Write) -> None:
        """
        Run a script that begins and ends its own transactions, on the connection that writes. It takes a quarter of the
        time of a transaction of SQLAlchemy.

        @raise DBAPIError: the same.
        """
        import psycopg

        try:
            connection = self.writing.raw_connection()
        except psycopg.Error as error:
            raise _failed(error) from error
        with closing(connection):
            self.run(connection, write)

    @contextmanager
    def migrating(self, contracts: bool) -> Iterator[Connection]:
        try:
            with super().migrating(contracts) as connection:
                others = self._living(connection) if contracts else []
                if others:
                    names = ", ".join(f"{name} (gossip {version})" for name, version, *_ in others)
                    raise StoreError(
                        f"{self.name}: this version changes tables that older nodes need: stop {names} first"
                    )
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{round(HOLDS * 1000)}ms'")
                yield connection
        except DBAPIError as error:
            if self.trouble(error) is not Trouble.LOCKED:
                raise
            text = "something else, such as a backup, uses tables that have to change: start again when it has ended"
            raise StoreError(f"{self.name}: {text}", Trouble.LOCKED) from error

    def way_out(self, connection: Connection) -> str:
        # Older nodes go on beside the one that upgraded the schema, but none of them starts after that.
        running = sorted(self._living(connection), key=lambda living: living[3])
        if not running:
            return "install that version, or stop all nodes and restore a backup"
        name, version, *_ = running[-1]
        return f"install the version here that node {name} runs (gossip {version})"

    def _living(self, connection: Connection) -> Sequence[tuple[str, str, int, float]]:
        """The other nodes that run: the name, the version and the protocol of each, and when it started."""
        if connection.exec_driver_sql("SELECT to_regclass('nodes')").scalar() is None:
            return []
        rows = connection.exec_driver_sql(_LIVING, {"node": _NODE})
        return [(name, version, protocol, started_at) for name, version, protocol, started_at in rows]

    def _locks(self, connection: Any) -> bool:
        key = {**self._KEY, "node": _NODE, "name": self._node}
        own = "%(node)s, hashtext(coalesce(current_schema(), '') || ':' || %(name)s)"
        return self._lock(connection, "pg_advisory_lock_shared", self._LOCK, key) and (
            self._node is None or self._lock(connection, "pg_advisory_lock", own, key)
        )

    def _in_use(self, connection: Any) -> StoreInUse:
        taken = connection.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(gossip)s"
            " AND mode = 'ExclusiveLock'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            self._KEY,
        ).fetchone()
        if taken:
            return StoreInUse(f"a daemon that is alone uses {self.name}: give it a node as well, or stop it")
        return StoreInUse(f"another daemon is the node {self._node} of {self.name}")


def _run(connection: psycopg.Connection[Any], script: Sequence[str]) -> None:
    from psycopg import OperationalError, errors
    from psycopg.pq import ConnStatus, ExecStatus

    result = connection.pgconn.exec_("; ".join(script).encode())
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        error = errors.error_from_result(result)
        # The driver takes an answer that never came for an error of the statement.
        raise OperationalError(str(error)) if connection.pgconn.status == ConnStatus.BAD else error


def _quoting(connection: psycopg.Connection[Any]) -> scripts.Quote:
    from psycopg import DataError
    from psycopg.pq import Escaping

    escape = Escaping(connection.pgconn).escape_literal

    def quote(text: str) -> str:
        if "\0" in text:
            # The database would take it for the end of the text.
            raise DataError("a text cannot contain NUL")
        return bytes(escape(text.encode())).decode()

    return quote


def _failed(error: psycopg.Error) -> DBAPIError:
    """The error that SQLAlchemy would make of one of the driver."""
    from psycopg import OperationalError

    return (Failed if isinstance(error, OperationalError) else DBAPIError)(None, None, error)
