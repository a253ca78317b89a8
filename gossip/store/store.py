"""The store: everything that the network keeps, in a database that one daemon uses at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from twisted.logger import Logger

from gossip.registry.changes import Change, MessageSaid
from gossip.registry.entities import AuditEntry, Report
from gossip.registry.numbers import NumbersInMemory, reserved, start
from gossip.registry.registry import Registry
from gossip.registry.search import Search
from gossip.registry.sought import Entries, Sought
from gossip.store import mark, queries, schema, searching, statistics, word_index
from gossip.store.database import Database, locate, reason
from gossip.store.errors import StoreError, Trouble
from gossip.store.searching import Found
from gossip.store.statements import Unstorable, execute, is_stored, probe
from gossip.store.statistics import Figures


class Store:
    """
    Everything that the network keeps. All methods block. From the reactor, call them in a thread, and write with
    L{gossip.store.writer.Writer}.

    Open a store after the daemon has forked: neither locks nor connections survive a fork.
    """

    _log = Logger()

    def __init__(self, database: Database, directory: Path) -> None:
        """
        @param database: open, with the newest schema. L{Store.open} takes care of both.
        @param directory: the data directory.
        """
        self._database = database
        self._directory = directory
        self.name = database.name
        """Its name in messages to people."""

    @classmethod
    def open(cls, url: str | None, data_directory: str | Path, first: Iterable[Change] = ()) -> Self:
        """
        Open a store. It is created if there is none, and upgraded to the newest schema. An SQLite file with an older
        schema is first copied to C{gossip.db.before-REVISION}.

        @param url: C{sqlite:///path} (relative to the data directory) or C{postgresql://…}; C{None} for SQLite in the
            data directory.
        @param data_directory: created if it does not exist; only its owner can read it.
        @param first: what a store that is created has from the beginning.
        @raise StoreInUse: another daemon uses the store.
        @raise StoreError: the store cannot be used; the text says why.
        """
        directory = Path(data_directory)
        return cls._opened(locate(url, directory), directory, first)

    @classmethod
    def _opened(cls, database: Database, directory: Path, first: Iterable[Change]) -> Self:
        try:
            # On PostgreSQL, too: the admin socket is in it.
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{directory} cannot be used: {error.strerror}") from error
        with plainly(database.name):
            try:
                database.open()
                schema.upgrade(database, first)
            except BaseException:
                database.close()
                raise
        return cls(database, directory)

    def close(self) -> None:
        """Release the lock and all connections. Stop the writer first."""
        self._database.close()

    # Writing.

    def keep(self, changes: Sequence[Change]) -> list[Change]:
        """
        Write changes in one transaction: all of them, or none. If the database cannot take them, this tries once more;
        with a new connection if the old one is broken.

        @return: changes that are left for a later transaction.
        @raise StoreError: the database cannot write anything at the moment.
        @raise Exception: one of the changes cannot be written.
        """
        try:
            return self._write(lambda connection: execute(connection, changes))
        except Failing as failing:
            first = reason(failing.error)

        def write_missing(connection: Connection) -> list[Change]:
            # The first attempt may have succeeded, with only its confirmation lost.
            missing = [
                change for change in changes if not (isinstance(change, MessageSaid) and is_stored(connection, change))
            ]
            return execute(connection, missing)

        rest = self._write_or_fail(write_missing)
        # Only now: a database that goes on failing would fill the log.
        self._log.warn("{store} was tried again: {reason}", store=self.name, reason=first)
        return rest

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads."""
        with self._database.reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes."""
        with self._database.transaction() as connection:
            yield connection

    def probe(self) -> None:
        """
        Write a row and remove it, in one transaction: would a change be kept now?

        @raise StoreError: the database cannot write anything at the moment.
        """
        self._write_or_fail(probe)

    def forget(self, quiet: bool) -> None:
        """
        Let go of what is left in the files of texts that were removed, if it is time to; the log tells. What is written
        meanwhile waits.

        @param quiet: whether nothing is written at the moment.
        """
        try:
            with plainly(self.name):
                seconds = self._database.forget(quiet)
        except StoreError as error:
            self._log.warn(
                "{store} may still have copies of removed messages, and is rewritten an hour later: {reason}",
                store=self.name,
                reason=str(error),
            )
            return
        if seconds is not None:
            self._log.info(
                "{store} was rewritten in {seconds:.1f} s: it has no copy of removed messages",
                store=self.name,
                seconds=seconds,
            )

    def _write_or_fail(self, write: Callable[[Connection], list[Change]]) -> list[Change]:
        try:
            return self._write(write)
        except Failing as failing:
            raise StoreError(f"{self.name}: {reason(failing.error)}", failing.trouble) from failing.error

    def _write(self, write: Callable[[Connection], list[Change]]) -> list[Change]:
        """
        Write something in one transaction.

        @raise Failing: the database failed.
        """
        with self._noticing(), self._database.transaction() as connection:
            return write(connection)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """@raise Failing: the database failed."""
        try:
            yield
        except DBAPIError as error:
            trouble = self._database.trouble(error)
            if trouble is None:
                raise
            raise Failing(error, trouble) from error

    def apply(self, change: Change) -> None:
        """
        Write one change now, without a writer.

        @raise StoreError: it cannot be written; the text says why.
        """
        with plainly(self.name):
            rest = self.keep([change])
            while rest:
                rest = self.keep(rest)

    @property
    def may_index(self) -> bool:
        """Whether all that remove messages remove them from the index as well."""
        return True

    def index(self) -> bool:
        """
        Index some messages for L{search} that are not indexed yet. This takes some tens of milliseconds, and can take
        much longer if they are long; others can write meanwhile.

        @return: whether there were any; if not, there are none at the moment.
        @raise StoreError: the database cannot be read or written.
        """
        with plainly(self.name):
            with self._database.reading.connect() as connection:
                found = word_index.unindexed(connection) if self.may_index else None
            if found is None:
                return False
            buckets = word_index.buckets_of(found)
            if not self.may_index:
                return False
            with self._database.transaction() as connection:
                word_index.add(connection, found, buckets)
            return True

    # Reading.

    def load(self, now: float = 0.0, reserve: bool = False) -> Registry:
        """
        Read everything that the network needs to know at its start.

        @param now: the time, in seconds since 1970; needed to give new numbers. See L{gossip.registry.numbers}.
        @param reserve: mark the numbers that a daemon may give until it ends.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            first = start(queries.highest(connection), mark.read(self._directory), now)
            known = queries.registry(connection, NumbersInMemory(first))
        if reserve:
            mark.write(self._directory, reserved(first))
        return known

    def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None, removed: bool = True
    ) -> list[MessageSaid]:
        """
        Messages of a channel, the oldest first: the latest ones, or those next to a given number.

        @param limit: the maximum number of messages.
        @param before: return the latest messages with a C{seq} below this.
        @param after: return the oldest messages with a C{seq} above this.
        @param removed: include what is left of removed messages.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.history(connection, channel, limit, before, after, removed)

    def said_by(
        self,
        game: str,
        since: float,
        limit: int,
        channel: str | None = None,
        named: Callable[[str], bool] = lambda name: True,
    ) -> list[MessageSaid]:
        """
        Recent messages of a game, the latest first, without removed ones.

        @param game: the short name that it had then, whatever the case.
        @param since: the earliest time, in seconds since the epoch.
        @param limit: the maximum number of messages.
        @param channel: only messages on this channel.
        @param named: whether messages of the player with this name are wanted.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.said_by(connection, game, since, channel, named, limit)

    def find(self, sought: Sought) -> list[MessageSaid]:
        """
        Look for one message.

        @return: the message; nothing if there is none, or if it was removed.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.find(connection, sought)

    def search(
        self,
        wanted: Search,
        limit: int,
        before: int | None = None,
        around: bool = False,
        allowed: Callable[[MessageSaid], bool] = lambda said: True,
    ) -> Found:
        """
        Search for messages, the latest first, without removed ones. It takes a second at most.

        @param limit: the maximum number of messages.
        @param before: C{next} of what was found before, to go on from there.
        @param around: whether the messages before and after each are wanted.
        @param allowed: whether a message may be found at all.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return searching.search(connection, wanted, limit, before, around, allowed)

    def first_since(self, channel: str, since: float) -> int | None:
        """
        The number of the first message on a channel since a time; C{None} if there is none.

        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.first_since(connection, channel, since)

    def said_since(self, since: float, limit: int, channel: str | None = None) -> list[MessageSaid]:
        """
        Recent messages of one channel or of all, the latest first, without removed ones.

        @param since: the earliest time, in seconds since the epoch.
        @param limit: the maximum number of messages.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.said_since(connection, since, limit, channel)

    def reports(self, limit: int, resolved: bool = False) -> list[Report]:
        """
        Reports, the latest first.

        @param limit: the maximum number of reports.
        @param resolved: include resolved reports.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.reports(connection, limit, resolved)

    def audit(self, limit: int, sought: Entries = Entries()) -> list[AuditEntry]:
        """
        Entries of the activity log, the latest first.

        @param limit: the maximum number of entries.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.audit(connection, limit, sought)

    def audit_of(
        self, operations: Collection[str], limit: int, before: tuple[float, str] | None = None
    ) -> list[AuditEntry]:
        """
        Entries of the activity log about some operations, the latest first.

        @param limit: the maximum number of entries.
        @param before: the time and the key of an entry: only entries that come after it in this list.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return queries.audit_of(connection, operations, limit, before)

    def player_figures(self, client_ids: Collection[str] | None, since: float, step: int) -> Figures:
        """
        The highest number of players that some games had together, for each span of time.

        @param client_ids: the games; C{None} for all that show their players to everybody.
        @param since: the earliest time, in seconds since the epoch.
        @param step: the length of a span, in seconds.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return statistics.players(connection, client_ids, since, step)

    def player_figures_each(self, client_ids: Collection[str], since: float, step: int) -> dict[str, Figures]:
        """
        The same as L{player_figures}, for each game separately.

        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return statistics.players_each(connection, client_ids, since, step)

    def message_figures(self, channels: Collection[str] | None, since: float, step: int) -> Figures:
        """
        The number of messages on some channels, for each span of time.

        @param channels: their names; C{None} for all that are not hidden.
        @param since: the earliest time, in seconds since the epoch.
        @param step: the length of a span, in seconds.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return statistics.messages(connection, channels, since, step)

    def messages_by_game(self, since: float) -> dict[str, int]:
        """
        The number of messages of each game on all channels that are not hidden, by client_id. Removed ones do not
        count.

        @param since: the earliest time, in seconds since the epoch.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return statistics.messages_by_game(connection, since)

    def latest(self, channels: Collection[str] | None, limit: int) -> list[MessageSaid]:
        """
        The latest messages of some channels, the oldest first.

        @param channels: their names; C{None} for all that are not hidden.
        @raise StoreError: it cannot be read.
        """
        with plainly(self.name), self._database.reading.connect() as connection:
            return statistics.latest(connection, channels, limit)

    @property
    def copies(self) -> bool:
        """Whether L{snapshot} can copy the store."""
        return self._database.copies

    def snapshot(self) -> BinaryIO:
        """
        Copy an SQLite store, which stays in use meanwhile. The copy has nothing of removed messages but their entries
        of the activity log.

        @return: the copy, as a file without a name beside the store. It takes up the disk until it is closed.
        @raise StoreError: there is no room for the copy, or the store is on PostgreSQL.
        """
        return self._database.snapshot()


class Failing(Exception):
    """The database failed, whatever the changes."""

    def __init__(self, error: DBAPIError, trouble: Trouble) -> None:
        super().__init__()
        self.error = error
        self.trouble = trouble


@contextmanager
def plainly(name: str) -> Iterator[None]:
    """Raise a L{StoreError} for any error of the database."""
    try:
        yield
    except (SQLAlchemyError, CommandError, msgspec.DecodeError, Unstorable) as error:
        raise StoreError(f"{name}: {reason(error)}") from error
