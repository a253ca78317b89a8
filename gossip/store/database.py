"""The two databases that a store can use, and everything that differs between them."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, ClassVar, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from gossip.store.errors import StoreError, StoreInUse, Trouble
from gossip.store.forgetting import Forgetting, raw

FILE: Final = "gossip.db"
"""The name of the SQLite database in the data directory."""

BUSY: Final = 5000
"""How long SQLite waits for a lock of another program, in milliseconds. L{Store.keep
<gossip.store.store.Store.keep>} tries twice."""

_SQLITE_TROUBLES: Final = {
    sqlite3.SQLITE_FULL: Trouble.DISK_FULL,
    sqlite3.SQLITE_IOERR: Trouble.DISK_ERROR,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_CANTOPEN: Trouble.UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
}

_POSTGRESQL_TROUBLES: Final = {
    "53100": Trouble.DISK_FULL,
    "58030": Trouble.DISK_ERROR,
    "25006": Trouble.READ_ONLY,  # a standby, or default_transaction_read_only
    "42501": Trouble.READ_ONLY,
    "55P03": Trouble.LOCKED,
    "3D000": Trouble.GONE,
    "3F000": Trouble.GONE,
    "42P01": Trouble.GONE,
    "XX001": Trouble.DAMAGED,
    "XX002": Trouble.DAMAGED,
    "25P03": Trouble.UNREACHABLE,  # stood still within a transaction, and was thrown out
    "57P01": Trouble.UNREACHABLE,
    "57P02": Trouble.UNREACHABLE,
    "57P03": Trouble.UNREACHABLE,
}
"""By the codes of PostgreSQL's errors (its documentation, appendix A)."""

_FileId = tuple[int, int]
"""The device and the number of a file."""


def reason(error: BaseException) -> str:
    """
    The message of a database error, in one line.

    Only the first line: in further lines PostgreSQL quotes the row, which may hold what a player said.
    """
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__


def _identify(path: Path) -> _FileId | None:
    """Which file is at a path; C{None} if there is none that can be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Database(ABC):
    """
    A database, locked against every other daemon from L{open} to L{close}.

    @ivar name: its name in messages to people, without a password.
    @cvar copies: whether C{snapshot} can copy it.
    @ivar writing: the engine for all writes. It has one connection.
    @ivar reading: the engine for reads, with connections of its own, so that readers do not wait for the writer.
        Threads may share it.
    """

    name: str
    copies: ClassVar[bool]
    writing: Engine
    reading: Engine

    @abstractmethod
    def open(self) -> None:
        """
        Take the lock, and connect.

        @raise StoreInUse: another daemon has the lock.
        @raise StoreError: the database cannot be reached.
        """

    def close(self) -> None:
        """Release all connections, then the lock."""
        self.reading.dispose()
        self.writing.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """
        A transaction that writes. When this ends without an error, its changes are on disk.

        @raise StoreError: the database is gone.
        """
        with self.writing.begin() as connection:
            yield connection

    @contextmanager
    def migrating(self, contracts: bool) -> Iterator[Connection]:
        """
        A transaction that may change tables.

        @param contracts: whether it changes something that older daemons need.
        """
        with self.writing.begin() as connection:
            yield connection

    @abstractmethod
    def trouble(self, error: DBAPIError) -> Trouble | None:
        """
        What is wrong with the database.

        @param error: what the driver raised.
        @return: C{None} if the database is well: it is the change that cannot be stored.
        """

    def forget(self, quiet: bool) -> float | None:
        """
        Let go of what is left in the database of texts that were removed, if it is time to.

        @param quiet: whether nothing is written at the moment.
        @return: how long that took, in seconds; C{None} if nothing was known to be left, or it is not time yet.
        @raise StoreError: it failed, and the database is as it was. It is tried again later.
        """
        return None

    def way_out(self, connection: Connection) -> str:
        """What an admin can do if a newer version has upgraded the schema."""
        return "install that version, or restore a backup"

    @abstractmethod
    def copy_before(self, revision: str) -> None:
        """Copy the database before an upgrade to this revision."""

    @abstractmethod
    def snapshot(self) -> BinaryIO:
        """See L{gossip.store.store.Store.snapshot}."""


def locate(url: str | None, data_directory: Path) -> Database:
    """
    The database with this URL.

    @param url: C{sqlite:///path} (relative to the data directory) or C{postgresql://…}; C{None} for SQLite in the data
        directory.
    @raise StoreError: the URL is malformed, or names another kind of database.
    """
    if url is None:
        return SQLite(data_directory / FILE)
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("the database URL is malformed: it must start with sqlite:/// or postgresql://") from None
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return SQLite(data_directory / str(parsed.database))
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return PostgreSQL(parsed.set(drivername="postgresql+psycopg"))
    raise StoreError(
        f"{parsed.render_as_string()} cannot be used: a database URL must start with sqlite:/// or postgresql://"
    )


class SQLite(Database):
    """A file, with a lock file beside it."""

    copies = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self._lock: int | None = None
        self._copying = Lock()
        self._uri = f"file://{quote(str(path.absolute()))}"
        self._file: _FileId | None = None
        # A transaction that writes takes the lock at its start. One that began as a reader would not wait for it.
        # What is removed is overwritten in its row: see L{gossip.store.forgetting}.
        pragmas = "foreign_keys = ON", "secure_delete = ON"
        self.writing = self._engine("BEGIN IMMEDIATE", *pragmas, pool_size=1, max_overflow=0)
        self.reading = self._engine("BEGIN", "query_only = ON", pool_size=10)
        self._forgetting = Forgetting(path, BUSY)

    def open(self) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._take_lock()
            if os.read(lock, 1) and not self.path.exists():
                raise StoreError(
                    f"{self.name} is missing, and there was a network in it: put it back, or remove {self.path}.lock to"
                    " begin with an empty one"
                )
            # SQLite gives the files that it creates beside this one the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            # Only now: a daemon that could not create the database has not used it.
            os.ftruncate(lock, 0)
            os.pwrite(lock, b"%d\n" % os.getpid(), 0)
            self.path.chmod(0o600)
            self._file = _identify(self.path)
        except OSError as error:
            raise StoreError(f"{self.name} cannot be used: {error.strerror}") from error

    def _engine(self, begin: str, *pragmas: str, **options: Any) -> Engine:
        # By default, SQLite makes an empty database where there is none.
        url = URL.create("sqlite", database=self._uri, query={"mode": "rw", "uri": "true"})
        engine = create_engine(url, hide_parameters=True, **options)

        @event.listens_for(engine, "connect")
        def connected(connection: sqlite3.Connection, record: object) -> None:
            for each in (f"busy_timeout = {BUSY}", "journal_mode = WAL", "synchronous = FULL", *pragmas):
                connection.execute(f"PRAGMA {each}")

        @event.listens_for(engine, "begin")
        def begins(connection: Connection) -> None:
            # By default, Python's sqlite3 begins no transaction before SELECT, CREATE TABLE and similar statements.
            connection.exec_driver_sql(begin)

        return engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.writing.connect() as connection:
            with connection.begin():
                yield connection
                self._forgetting.note(connection)
            # After the commit, since a file that was deleted goes on to take what is written.
            self._check(connection)
            self._forgetting.committed(connection)

    def forget(self, quiet: bool) -> float | None:
        if not self._forgetting.is_due(quiet):
            return None
        with self.writing.connect() as connection:
            return self._forgetting.rewrite(connection)

    def _check(self, connection: Connection | None = None) -> None:
        """
        Are the files that we have open still the database?

        @param connection: the connection that wrote: what it committed is in the write-ahead log, which it keeps open.
        @raise StoreError: they were deleted, moved or replaced.
        """
        if _identify(self.path) != self._file:
            raise StoreError(
                f"{self.name} was deleted or replaced while in use: put it back, then restart the daemon", Trouble.GONE
            )
        if connection is not None:
            log = Path(f"{self.path}-wal")
            found = _identify(log)
            if found != connection.info.setdefault("log", found):
                raise StoreError(
                    f"{log} was deleted or replaced while in use: put it back, then restart the daemon", Trouble.GONE
                )

    def trouble(self, error: DBAPIError) -> Trouble | None:
        if _identify(self.path) != self._file:
            return Trouble.GONE
        # The higher bits of an extended code say more than we need (https://sqlite.org/rescode.html).
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        if code in _SQLITE_TROUBLES:
            return _SQLITE_TROUBLES[code]
        return Trouble.FAILING if isinstance(error, OperationalError) else None

    def _take_lock(self) -> int:
        """
        Take the lock, or say who has it.

        @return: its file, which holds the process of the last daemon that used the database.
        """
        self._lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self._lock, 20).decode("ascii", "replace").strip() or "unknown"
            raise StoreInUse(f"another daemon (pid {pid}) uses {self.name}") from None
        return self._lock

    def close(self) -> None:
        super().close()
        # The lock file stays: another daemon may have just locked it.
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def migrating(self, contracts: bool) -> Iterator[Connection]:
        with self.writing.connect() as connection:
            # A migration of SQLite may replace a table and drop the old one. With foreign keys on, that would delete
            # the rows that refer to it. The setting can only be changed outside a transaction.
            driver = raw(connection)
            driver.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise StoreError(f"{self.name} has rows that refer to missing rows; it was not changed")
            finally:
                driver.execute("PRAGMA foreign_keys = ON")

    def copy_before(self, revision: str) -> None:
        self._copy(self.path.with_name(f"{self.path.name}.before-{revision}"))

    def snapshot(self) -> BinaryIO:
        self._check()
        path = self.path.with_name(f"{self.path.name}.snapshot")
        with self._copying:
            self._copy(path, clean=True)
            try:
                return path.open("rb")
            except OSError as error:
                raise StoreError(f"cannot read {path}: {error.strerror}") from error
            finally:
                # From here on the file has no name: it vanishes when it is closed, even if the process dies.
                path.unlink()

    def _copy(self, path: Path, clean: bool = False) -> None:
        """
        Copy the database to a file that only its owner can read. The database stays in use meanwhile.

        @param clean: copy the rows, not the pages as they are: see L{gossip.store.forgetting}.
        """
        try:
            # A copy may be left from an upgrade that failed or was undone, or from a process that was killed.
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise StoreError(f"cannot write a copy of the database to {path}: {error.strerror}") from error
        try:
            with closing(sqlite3.connect(f"{self._uri}?mode=rw", uri=True)) as source:
                if clean:
                    source.execute("VACUUM INTO ?", (str(path),))
                    return
                with closing(sqlite3.connect(path)) as target:
                    # A journal beside the copy would be no help: a copy that is not complete is thrown away.
                    target.execute("PRAGMA journal_mode = OFF")
                    source.backup(target)
        except sqlite3.Error as error:
            with suppress(OSError):
                path.unlink()
            raise StoreError(f"cannot copy the database to {path}: {reason(error)}") from error


class PostgreSQL(Database):
    """
    A schema in a PostgreSQL database: the first one in the role's search path.

    The connection that writes holds the lock. A daemon that loses this connection takes the lock again with a new one
    before its next write.

    @cvar readers: how many connections read.
    @cvar patience: how long it waits for a lock at the start, in milliseconds.
    """

    copies = False
    readers = 10
    patience = 2000

    _LOCK: Final = "%(gossip)s, hashtext(coalesce(current_schema(), ''))"
    _KEY: Final = {"gossip": int.from_bytes(b"goss")}

    def __init__(self, url: URL) -> None:
        self.name = url.set(drivername="postgresql", query={}).render_as_string()
        # Both ends notice within a minute that the other one has vanished.
        noticing = {
            "connect_timeout": "10",
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
        }
        self._url = url.set(query={**noticing, "tcp_user_timeout": "30000", **url.query})
        self._mark = f"gossip pid {os.getpid()} #{secrets.token_hex(4)}"
        try:
            self.writing = self._engine(self._mark, pool_size=1, max_overflow=0)
            self.reading = self._engine("gossip", pool_size=self.readers, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise StoreError("PostgreSQL needs psycopg: pip install 'gossip-mud[postgres]'") from error
        event.listen(self.writing, "connect", self._connected)

    def open(self) -> None:
        # The writing connection takes the lock.
        self.writing.connect().close()

    def _engine(self, application_name: str, **options: Any) -> Engine:
        url = self._url.update_query_dict({"application_name": application_name})
        return create_engine(url, hide_parameters=True, **options)

    def _connected(self, connection: Any, record: object) -> None:
        try:
            self._take_lock(connection)
        except BaseException:
            connection.close()
            raise

    def _take_lock(self, connection: Any) -> None:
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise StoreError(f"{self.name} must use the encoding UTF8")
        for setting, value in (("idle", "30"), ("interval", "10"), ("count", "3")):
            connection.execute("SELECT set_config(%s, %s, false)", (f"tcp_keepalives_{setting}", value))
        self._prepare(connection)
        if not self._locks(connection) and not (self._end_own(connection) and self._locks(connection)):
            raise self._in_use(connection)

    def _prepare(self, connection: Any) -> None:
        """Set up the connection that writes."""
        # Whatever is acknowledged must be on disk.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()

    def _in_use(self, connection: Any) -> StoreInUse:
        """Why the lock cannot be taken."""
        if self._holder(connection)[2] == "ShareLock":
            return StoreInUse(f"{self.name} is used by several daemons (nodes): stop them, or be one of them (node)")
        pid = self._holder(connection)[1].removeprefix("gossip pid ").partition(" ")[0] or "unknown"
        return StoreInUse(f"another daemon (pid {pid}) uses {self.name}")

    def _locks(self, connection: Any) -> bool:
        """Take the lock."""
        return self._lock(connection, "pg_advisory_lock", self._LOCK, self._KEY)

    def _lock(self, connection: Any, function: str, arguments: str, values: Mapping[str, object]) -> bool:
        """Take a lock, waiting a little: the server needs a moment to notice that the last daemon is gone."""
        from psycopg.errors import LockNotAvailable

        connection.execute(f"SET LOCAL lock_timeout = {self.patience}")
        try:
            connection.execute(f"SELECT {function}({arguments})", values)
        except LockNotAvailable:
            connection.rollback()
            return False
        connection.commit()
        return True

    def _holder(self, connection: Any) -> tuple[int, str, str]:
        """The process ID of the server process that holds the lock, its application name, and how it holds it."""
        found: tuple[int, str, str] | None = connection.execute(
            "SELECT pid, application_name, mode FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(gossip)s"
            " AND objid::bigint = hashtext(coalesce(current_schema(), ''))::bigint & 4294967295"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            self._KEY,
        ).fetchone()
        return found or (0, "", "")

    def _end_own(self, connection: Any) -> bool:
        """End a broken connection of our own that still holds the lock in the server's view. Was there one?"""
        # Nobody else has this mark, and one connection at a time writes.
        broken = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()", (self._mark,)
        ).fetchone()
        if broken is None:
            return False
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", broken)
        connection.commit()
        return True

    def trouble(self, error: DBAPIError) -> Trouble | None:
        state = getattr(error.orig, "sqlstate", None)
        if state in _POSTGRESQL_TROUBLES:
            return _POSTGRESQL_TROUBLES[state]
        if not isinstance(error, OperationalError):
            return None
        # An error without a code is the driver's own: there is no connection. The codes of class 08 say the same.
        return Trouble.UNREACHABLE if state is None or state.startswith("08") else Trouble.FAILING

    @contextmanager
    def migrating(self, contracts: bool) -> Iterator[Connection]:
        with super().migrating(contracts) as connection:
            # Several nodes may start at the same time: one of them makes the tables, and the others wait for it.
            connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
            connection.exec_driver_sql(
                f"SELECT pg_advisory_xact_lock({int.from_bytes(b'migr')}, hashtext(coalesce(current_schema(), '')))"
            )
            yield connection

    def copy_before(self, revision: str) -> None:
        """Do nothing: the operator backs up the PostgreSQL server."""

    def snapshot(self) -> BinaryIO:
        raise StoreError(f"use pg_dump to back up {self.name}")
