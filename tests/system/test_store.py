"""The store on PostgreSQL, and in a process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from twisted.trial.unittest import SynchronousTestCase

import gossip
from gossip.registry.changes import (
    GameSaved,
)
from gossip.store import tables
from gossip.store.errors import StoreError, StoreInUse
from gossip.store.store import Store
from tests.support.databases import OnDatabase, OnPostgreSQL, OnSQLite
from tests.support.store_contract import (
    ANA,
    GAME,
    FiguresTests,
    StoreTests,
    said,
)
from tests.support.writer_contract import WriterOnStoreTests


class PostgreSQLStoreTests(StoreTests, OnPostgreSQL, SynchronousTestCase):
    """The store on PostgreSQL."""

    def end_connections(self) -> None:
        """Do what a restart of the server does to the daemon that writes."""
        with self.database().connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE :daemon"
                ),
                {"daemon": f"gossip pid {os.getpid()} %"},
            )

    def test_reconnect(self) -> None:
        """After a lost connection the next change is kept, and the lock is ours again."""
        kept = self.open()
        self.end_connections()
        kept.keep([said(1)])
        self.assertEqual(kept.history("gossip", 10), [said(1)])
        self.assertRaises(StoreInUse, Store.open, self.url, self.directory)

    def test_lock_lost(self) -> None:
        """A daemon that lost the store to another one can no longer write."""
        first = self.open()
        self.end_connections()
        second = self.open()
        self.assertRaises(StoreInUse, first.keep, [said(1)])
        second.keep([said(1)])

    def test_broken_connection(self) -> None:
        """A connection that the server still believes in does not keep its own daemon out."""
        kept = self.open()
        stale = kept._database.writing.connect()
        self.addCleanup(stale.invalidate)
        stale.detach()
        kept.keep([said(1)])
        self.assertEqual(kept.history("gossip", 10), [said(1)])

    def test_backup(self) -> None:
        """A backup is the business of pg_dump."""
        kept = self.open()
        self.assertFalse(kept.copies)
        self.assertIn("pg_dump", str(self.assertRaises(StoreError, kept.snapshot)))

    def test_spellings(self) -> None:
        """All spellings of the URL lead to the same store."""
        assert self.url is not None
        self.kept(GameSaved(GAME)).close()
        for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            opened = Store.open(self.url.replace("postgresql", scheme, 1), self.directory)
            self.assertEqual(opened.load().games, {ANA: GAME})
            opened.close()


class PostgreSQLTroubleTests(OnPostgreSQL, SynchronousTestCase):
    """What a store on PostgreSQL says when it keeps nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.kept = self.open()
        self.kept.keep([said(1)])

    def execute(self, statement: str) -> None:
        """Have the connection that writes execute something."""
        with self.kept._database.writing.begin() as connection:
            connection.exec_driver_sql(statement)

    def trouble(self) -> str:
        """The word for which nothing is kept."""
        keeping = self.assertRaises(StoreError, self.kept.keep, [said(2)])
        probing = self.assertRaises(StoreError, self.kept.probe)
        self.assertEqual(keeping.trouble, probing.trouble)
        return str(keeping.trouble)

    def test_probe(self) -> None:
        """A probe leaves nothing behind."""
        self.kept.probe()
        with self.database().connect() as connection:
            self.assertEqual(connection.execute(select(tables.sequences)).all(), [])

    def test_read_only(self) -> None:
        """A server that has become a standby, or is read-only otherwise, is told; then it is over."""
        self.execute("SET default_transaction_read_only = on")
        self.assertEqual(self.trouble(), "read-only")
        self.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        self.kept.keep([said(2)])

    def test_gone(self) -> None:
        """Tables that were dropped are told."""
        self.execute("DROP TABLE messages, sequences")
        self.assertEqual(self.trouble(), "gone")

    def test_words(self) -> None:
        """The words for a full disk and a lost connection; errors of a change are no trouble of the database."""
        for kind, word in (
            (psycopg.errors.DiskFull, "disk-full"),
            (psycopg.errors.ConnectionFailure, "unreachable"),
            (psycopg.OperationalError, "unreachable"),
            (psycopg.errors.OutOfMemory, "failing"),
        ):
            self.assertEqual(self.kept._database.trouble(OperationalError("INSERT", {}, kind())), word)
        for change in (psycopg.errors.UniqueViolation(), psycopg.errors.NumericValueOutOfRange()):
            self.assertIsNone(self.kept._database.trouble(DBAPIError("INSERT", {}, change)))


class KillTests(OnDatabase):
    """The end of a process that nothing can hold up."""

    def test_kill(self) -> None:
        """SIGKILL at any moment loses no message that was told as kept."""
        root = str(Path(gossip.__file__).parents[1])
        talking = subprocess.Popen(
            [sys.executable, "-c", _TALKING, self.url or "", os.path.abspath(self.directory)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": root},
        )
        assert talking.stdout is not None
        with talking, talking.stdout:
            told = [talking.stdout.readline() for _ in range(1000)]
            talking.send_signal(signal.SIGKILL)
            told.extend(line for line in talking.stdout if line.endswith(b"\n"))
        seqs = {int(line) for line in told}
        self.assertGreaterEqual(len(seqs), 1000)
        kept = {message.seq for message in self.open().history("gossip", 10**6)}
        self.assertEqual(seqs - kept, set())


class SQLiteKillTests(KillTests, OnSQLite, SynchronousTestCase):
    """On SQLite."""


class PostgreSQLKillTests(KillTests, OnPostgreSQL, SynchronousTestCase):
    """On PostgreSQL."""


_TALKING = """
import os, queue, sys
from twisted.internet.task import Clock
from gossip.registry.changes import MessageSaid
from gossip.store.store import Store
from gossip.store.writer import Writer

calls = queue.SimpleQueue()
store = Store.open(sys.argv[1] or None, sys.argv[2])

class Turns(Clock):
    def callFromThread(self, *call):
        calls.put(call)

reactor = Turns()
writer = Writer(store, reactor)
seq = 0
while True:
    while writer.pending < 100:
        seq += 1
        said = MessageSaid("gossip", seq, None, "MyMUD", "Ana", "Hello!", 0.0)
        writer.commit(said, lambda kept, seq=seq: print(seq, flush=True) if kept else os._exit(1))
    reactor.advance(1)
    call, *arguments = calls.get()
    call(*arguments)
"""
"""A daemon that talks without end, and tells what is kept."""


class PostgreSQLFiguresTests(FiguresTests, OnPostgreSQL, SynchronousTestCase):
    """On PostgreSQL."""


class PostgreSQLWriterTests(WriterOnStoreTests, OnPostgreSQL, SynchronousTestCase):
    """The writer on PostgreSQL."""
