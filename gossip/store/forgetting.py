"""
How a text that was removed leaves the files of an SQLite database.

It is in three places, and leaves them one after the other:

1. Its row. SQLite overwrites what is deleted (C{secure_delete}), within the transaction that removes it.
2. The write-ahead log, which has pages from before. It is emptied after the transaction.
3. Copies of the row. SQLite moves rows within a page and between pages as others shrink, grow and go, and
   C{secure_delete} does not clear where they were. Copies from before the removal may stay in unused parts of pages. No
   statement reaches them, so the file is rewritten as a whole (C{VACUUM}) at a quiet moment.

The file itself says whether the third is to be done, so a daemon that is killed does not forget it: C{user_version}.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from gossip.store.errors import StoreError
from gossip.store.statements import REMOVED

EMPTIED: Final = 30.0
"""The write-ahead log is emptied at most this often, in seconds: each time takes some 20 ms of a busy disk."""

REWRITTEN: Final = 3600.0
"""The file is rewritten, or that is tried, at most this often, in seconds: a million messages take some two seconds."""

STARTING: Final = 60.0
"""The file is not rewritten in the first seconds after a start, in which games join."""

LATEST: Final = 86400.0
"""This many seconds after a removal, the file is rewritten at the next moment, quiet or not."""

CLEAN: Final = -1
"""
The C{user_version} of a file in which nothing was removed since it was rewritten. Otherwise it is the time of the first
removal since, in minutes since the epoch; or 0, as SQLite leaves it: then nobody knows.
"""

_LOGGED: Final = "logged"
"""The key in C{Connection.info} that says that the write-ahead log may have something that was removed."""


def raw(connection: Connection) -> sqlite3.Connection:
    """The driver's connection."""
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


class Forgetting:
    """
    What is still to be done until all that was removed is gone. The thread that has the connection that writes calls
    all methods.
    """

    def __init__(self, path: Path, busy: int) -> None:
        """
        @param path: the file.
        @param busy: how long the connection waits for a lock of another program, in milliseconds.
        """
        self._path = path
        self._busy = busy
        self._emptied = -EMPTIED
        self._rewritten = time.monotonic() - REWRITTEN + STARTING
        self._version: int | None = None

    def note(self, connection: Connection) -> None:
        """
        Note in the file whether the transaction removed something.

        @param connection: at the end of the transaction.
        """
        if REMOVED not in connection.info:
            return
        connection.info[_LOGGED] = True
        if connection.exec_driver_sql("PRAGMA user_version").scalar() in (CLEAN, 0):
            self._version = _minute()
            connection.exec_driver_sql(f"PRAGMA user_version = {self._version}")

    def committed(self, connection: Connection) -> None:
        """
        Empty the write-ahead log, if a text was removed since it was emptied; or for the first time on this connection,
        since a daemon before may have been killed before it did so.

        If something reads the log at the moment, or it was emptied a moment ago, that is left for the next transaction.
        A daemon has one at least every L{QUIET_SECONDS <gossip.service.writing.QUIET_SECONDS>}.

        @param connection: after the transaction.
        """
        connection.info.pop(REMOVED, None)
        if self._version is None:
            # A file without a mark is rewritten within a day from now on.
            self._version = _version(raw(connection)) or _minute()
        if not connection.info.setdefault(_LOGGED, True):
            return
        now = time.monotonic()
        if now - self._emptied < EMPTIED:
            return
        driver = raw(connection)
        driver.execute("PRAGMA busy_timeout = 0")  # a reader must not hold up what is to be written
        # What was committed is kept whether this succeeds or not.
        with suppress(sqlite3.Error):
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                connection.info[_LOGGED] = False
        self._emptied = now
        driver.execute(f"PRAGMA busy_timeout = {self._busy}")

    def is_due(self, quiet: bool) -> bool:
        """
        Whether to L{rewrite} the file now.

        @param quiet: whether nothing is written at the moment.
        """
        # Before the first transaction, nothing is known of the file.
        if self._version is None or self._version == CLEAN or time.monotonic() - self._rewritten < REWRITTEN:
            return False
        return quiet or (_minute() - self._version) * 60 >= LATEST

    def rewrite(self, connection: Connection) -> float | None:
        """
        Rewrite the file without what is unused in it. It is one transaction for SQLite: whatever ends it, the file is
        as it was, and the mark says that this is still to be done. Readers go on meanwhile.

        @param connection: the one that writes, outside a transaction.
        @return: how long it took, in seconds; C{None} if nothing was known to be removed, as in a new file.
        @raise StoreError: it failed.
        """
        driver, started = raw(connection), time.monotonic()
        self._rewritten = started
        known = _version(driver) > 0
        try:
            # A copy in the directory for temporary files, which may be on the same disk, and all pages in the log.
            size = self._path.stat().st_size
            if shutil.disk_usage(self._path.parent).free < 2 * size:
                raise StoreError(f"twice the size of {self._path} must be free on its disk")
            driver.execute("VACUUM")
            driver.execute(f"PRAGMA user_version = {CLEAN}")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(str(error)) from error
        finally:
            # The log is as large as the file now, even if there was no room for all of it.
            connection.info[_LOGGED] = True
            self._emptied = -EMPTIED
            self.committed(connection)
        self._version = CLEAN
        return time.monotonic() - started if known else None


def _version(driver: sqlite3.Connection) -> int:
    """The C{user_version} of the file."""
    [version] = driver.execute("PRAGMA user_version").fetchone()
    return int(version)


def _minute() -> int:
    """The minute, since the epoch."""
    return int(time.time() // 60)
