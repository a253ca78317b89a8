"""The store: what the network remembers, in one database that one daemon has for itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from twisted.logger import Logger

from gossip.registry.changes import AuditEntry, Change, MessageSaid, Report
from gossip.registry.registry import Registry
from gossip.store import queries, schema, statistics
from gossip.store.database import Database, locate, reason
from gossip.store.errors import StoreError
from gossip.store.statements import Unstorable, execute, is_stored
from gossip.store.statistics import Figures


class Store:
    """
    What the network remembers. All methods block: from the reactor call them in a thread, and write with
    L{gossip.store.writer.Writer}.

    Open it after a daemon has forked: neither locks nor connections survive that.
    """

    _log = Logger()

    def __init__(self, database: Database) -> None:
        """@param database: open, with today's schema; L{Store.open} sees to it."""
        self._database = database
        self.name = database.name
        """What it is called when people are told of it."""

    @classmethod
    def open(cls, url: str | None, data_directory: str | Path) -> Store:
        """
        Open a store, make it if there is none, and bring it to today's schema; an SQLite file of an older one is copied
        to C{gossip.db.before-REVISION} first.

        @param url: C{sqlite:///path} (relative ones are in the data directory) or C{postgresql://…}; C{None} for SQLite
            in the data directory.
        @param data_directory: made if it is not there, for nobody else to look into.
        @raise StoreInUse: another daemon has it.
        @raise StoreError: it cannot be used; the text says why.
        """
        database = locate(url, Path(data_directory))
        with _plainly(database.name):
            try:
                database.open()
                schema.upgrade(database)
            except BaseException:
                database.close()
                raise
        return cls(database)

    def close(self) -> None:
        """Let go of everything. A writer must have been stopped before."""
        self._database.close()

    # Writing.

    def keep(self, changes: Sequence[Change]) -> list[Change]:
        """
        Keep changes, all or none, in one transaction. A database that is away is tried a second time with a new
        connection.

        @return: what is left to do, in a later transaction.
        @raise StoreError: the database cannot keep anything at the moment.
        @raise Exception: one of the changes cannot be kept.
        """
        try:
            with self._database.writing.begin() as connection:
                return execute(connection, changes)
        except OperationalError as error:
            self._log.warn("trying {store} again: {reason}", store=self.name, reason=reason(error))
        try:
            with self._database.writing.begin() as connection:
                # They may have been kept after all, with only the word of it lost.
                missing = [
                    change
                    for change in changes
                    if not (isinstance(change, MessageSaid) and is_stored(connection, change))
                ]
                return execute(connection, missing)
        except OperationalError as error:
            raise StoreError(f"{self.name}: {reason(error)}") from error

    def apply(self, change: Change) -> None:
        """
        Keep one change at once, without a writer.

        @raise StoreError: it cannot be kept; the text says why.
        """
        with _plainly(self.name):
            rest = self.keep([change])
            while rest:
                rest = self.keep(rest)

    # Reading.

    def load(self) -> Registry:
        """
        Everything that the network must know at its start.

        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return queries.registry(connection)

    def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None
    ) -> list[MessageSaid]:
        """
        What was said on a channel, the oldest first: the latest messages, or the ones next to a given one.

        @param limit: how many at the most.
        @param before: only messages with a lower C{seq}; the latest of them.
        @param after: only messages with a higher C{seq}; the oldest of them.
        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return queries.history(connection, channel, limit, before, after)

    def said_since(self, since: float, limit: int, channel: str | None = None) -> list[MessageSaid]:
        """
        What was said of late, on one channel or on all, the latest first.

        @param since: not before, in seconds since the epoch.
        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return queries.said_since(connection, since, limit, channel)

    def reports(self, limit: int, resolved: bool = False) -> list[Report]:
        """
        Complaints, the latest first.

        @param resolved: those too that somebody has seen to.
        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return queries.reports(connection, limit, resolved)

    def audit(self, limit: int, before: float | None = None) -> list[AuditEntry]:
        """
        What admins did, the latest first.

        @param before: in seconds since the epoch.
        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return queries.audit(connection, limit, before)

    def player_figures(self, client_ids: Collection[str], since: float, step: int) -> Figures:
        """
        How many players some games had together: the most at one time, by spans of time.

        @param since: in seconds since the epoch; not before.
        @param step: how many seconds a span has.
        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return statistics.players(connection, client_ids, since, step)

    def player_figures_each(self, client_ids: Collection[str], since: float, step: int) -> dict[str, Figures]:
        """
        How many players each of some games had, as L{player_figures}.

        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return statistics.players_each(connection, client_ids, since, step)

    def message_figures(self, channels: Collection[str], since: float, step: int) -> Figures:
        """
        How many messages were said on some channels, by spans of time.

        @param since: in seconds since the epoch; not before.
        @param step: how many seconds a span has.
        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return statistics.messages(connection, channels, since, step)

    def latest(self, channels: Collection[str], limit: int) -> list[MessageSaid]:
        """
        What was said last on some channels, the oldest first.

        @raise StoreError: it cannot be read.
        """
        with _plainly(self.name), self._database.reading.connect() as connection:
            return statistics.latest(connection, channels, limit)

    def backup(self, path: str | Path) -> None:
        """
        Copy an SQLite store into a new file that only its owner may read, while the daemon goes on.

        @raise StoreError: the file exists, cannot be written, or the store is on PostgreSQL.
        """
        self._database.backup(Path(path))


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    """Tell whatever may be wrong with a database as a L{StoreError}."""
    try:
        yield
    except (SQLAlchemyError, CommandError, msgspec.DecodeError, Unstorable) as error:
        raise StoreError(f"{name}: {reason(error)}") from error
