"""L{gossip.store.forgetting}: of a removed message, no byte stays in the files of an SQLite store."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.exc import IntegrityError
from twisted.logger import LogLevel, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import (
    Audited,
    AuditExpired,
    MessageSaid,
    MessagesExpired,
    MessagesRemoved,
    ReportMade,
    ReportResolved,
)
from gossip.registry.entities import AuditEntry, Removal, Report
from gossip.store import forgetting
from gossip.store.forgetting import CLEAN
from gossip.store.store import Store
from tests.support.databases import OnSQLite
from tests.support.store_contract import ANA, REMOVAL, said
from tests.support.writer_contract import logged

COUNT: Final = 3000
"""The number of messages: enough for one block of the index."""

CHANNELS: Final = "gossip", "newbie", "trade"


class MovedRowsTests(OnSQLite, SynchronousTestCase):
    """SQLite moves rows, of which some are removed later."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(forgetting, "EMPTIED", 0.0)
        self.patch(forgetting, "REWRITTEN", 0.0)
        self.patch(forgetting, "STARTING", 0.0)
        self.store = self.open()
        self.said: list[MessageSaid] = []
        self.gone: list[int] = []

    def fill(self, chance: random.Random) -> None:
        """Messages of many lengths, and reports of some."""
        for number in range(COUNT):
            channel = CHANNELS[number % len(CHANNELS)]
            text = f"<{number}> {'x' * chance.randrange(chance.choice([10, 900]))}"
            self.said.append(
                MessageSaid(channel, number // len(CHANNELS) + 1, ANA, "MyMUD", f"name{number}q", text, float(number))
            )
        self.store.keep(self.said)
        self.store.index()
        reported = chance.sample(self.said, COUNT // 10)
        self.store.keep([ReportMade(_report(1 + place, said)) for place, said in enumerate(reported)])

    def resolve(self, numbers: Iterable[int]) -> None:
        """Resolve reports, which makes their rows longer."""
        self.store.keep([ReportResolved(number, "unix:ana", float(COUNT), "done " * 40) for number in numbers])

    def remove(self, numbers: Sequence[int], reason: str) -> None:
        """Remove messages."""
        removal = Removal(float(COUNT), "unix:ana", reason)
        for start in range(0, len(numbers), 100):
            messages = tuple(self.said[number] for number in numbers[start : start + 100])
            self.store.keep([MessagesRemoved(messages, removal)])
        self.gone += numbers

    def left(self, content: bytes) -> set[int]:
        """The removed messages whose text, quote in a report, name or words in the index are there."""
        found = re.findall(rb"<(\d+)> |\{(\d+)\} |name(\d+)q", content)
        return {int(b"".join(number)) for number in found} & set(self.gone)

    def move_and_remove(self, seed: int) -> None:
        """Remove most messages in an order by chance, and have others expire meanwhile."""
        chance = random.Random(seed)
        self.fill(chance)
        order = chance.sample(range(400, COUNT), COUNT - 500)
        long = [number for number in order if len(self.said[number].message) > 100]
        short = [number for number in order if len(self.said[number].message) <= 100]
        third = len(long) // 3
        # Rows with room between them, then rows that grow or go beside them.
        self.remove(long[:third], "ad")
        self.resolve(range(1, COUNT // 10, 5))
        for before in (150, 300):
            self.store.keep([MessagesExpired(float(before))])
        self.remove(short[: len(short) // 3], "spam " * 30)
        self.store.keep([MessagesExpired(400.0)])
        self.store.index()
        self.remove(long[third:], "ad")
        self.store.probe()

    def test_nothing_left(self) -> None:
        """Once the file is rewritten, nothing of removed messages is in any file; a backup never has it."""
        for seed in (2, 4):
            with self.subTest(seed):
                self.setUp()
                self.move_and_remove(seed)
                with closing(self.store.snapshot()) as copy:
                    self.assertEqual(self.left(copy.read()), set())
                self.store.forget(quiet=True)
                for path in Path(self.directory).iterdir():
                    self.assertEqual(self.left(path.read_bytes()), set(), path)
                there = [said.message for channel in CHANNELS for said in self.store.history(channel, COUNT)]
                self.assertEqual(len([text for text in there if text]), COUNT - 400 - len(self.gone))
                self.store.close()


class ForgettingTests(OnSQLite, SynchronousTestCase):
    """When the file is rewritten."""

    def setUp(self) -> None:
        super().setUp()
        self.events = logged(self)
        self.path = Path(self.directory) / "gossip.db"
        self.store = self.open()
        self.store.keep([said(1), said(2), said(3)])
        # Games join.
        self.store.forget(quiet=True)
        self.assertEqual(self.mark(), 0)
        # Later. A new file is rewritten once, and the log does not speak of it.
        self.patch(forgetting, "REWRITTEN", 0.0)
        self.patch(forgetting, "STARTING", 0.0)
        self.store.forget(quiet=True)
        self.assertEqual(self.mark(), CLEAN)
        self.assertEqual(self.lines(LogLevel.info), [])

    def mark(self, path: Path | None = None, name: str = "user_version") -> int:
        """The mark in the file, or another number in its header, as any program reads it."""
        with closing(sqlite3.connect(path or self.path)) as connection:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

    def pragma(self, setting: str) -> None:
        """Set something in the file, as any program does."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(f"PRAGMA {setting}")

    def remove(self, seq: int) -> None:
        """Remove a message."""
        self.store.keep([MessagesRemoved((said(seq),), REMOVAL)])

    def lines(self, level: LogLevel) -> list[str]:
        """What was logged at a level since it was asked for last."""
        found = [formatEvent(event) for event in self.events if event["log_level"] is level]
        self.events.clear()
        return found

    def test_quiet(self) -> None:
        """After a removal, the file is rewritten at the next quiet moment, once; the log says so."""
        self.store.forget(quiet=True)
        self.assertEqual(self.lines(LogLevel.info), [])
        self.remove(1)
        self.assertGreater(self.mark(), 0)
        self.store.forget(quiet=False)
        self.assertGreater(self.mark(), 0)
        times = []
        for _ in range(2):
            self.store.forget(quiet=True)
            self.assertEqual(self.mark(), CLEAN)
            # Each VACUUM adds to it.
            times.append(self.mark(name="schema_version"))
        self.assertEqual(times[0], times[1])
        [line] = self.lines(LogLevel.info)
        self.assertRegex(line, r"gossip\.db was rewritten in \d+\.\d s: it has no copy of removed messages")
        self.assertEqual(self.path.with_name("gossip.db-wal").stat().st_size, 0)

    def test_never_quiet(self) -> None:
        """Where it is never quiet, it is rewritten all the same, some time after the first removal."""
        self.remove(1)
        self.store.forget(quiet=False)
        self.assertGreater(self.mark(), 0)
        self.patch(forgetting, "LATEST", 0.0)
        self.store.forget(quiet=False)
        self.assertEqual(self.mark(), CLEAN)

    def test_not_again_so_soon(self) -> None:
        """It is not rewritten for each of several removals; the first one counts."""
        self.remove(1)
        self.store.forget(quiet=True)
        self.patch(forgetting, "REWRITTEN", 3600.0)
        self.patch(forgetting, "_minute", iter(range(100, 200)).__next__)
        self.remove(2)
        self.remove(3)
        self.store.forget(quiet=True)
        self.assertEqual(self.mark(), 100)

    def test_killed(self) -> None:
        """A daemon that is killed after a removal leaves the work to the next one."""
        self.remove(1)
        after = Path(self.mktemp())
        after.mkdir()
        for name in ("gossip.db", "gossip.db-wal"):
            shutil.copy(self.path.with_name(name), after / name)
        store = Store.open(None, after)
        self.addCleanup(store.close)
        store.probe()
        self.assertGreater(self.mark(after / "gossip.db"), 0)
        store.forget(quiet=True)
        self.assertEqual(self.mark(after / "gossip.db"), CLEAN)
        self.assertEqual([each.seq for each in store.history("gossip", 9)], [1, 2, 3])

    def test_from_before(self) -> None:
        """A file of an earlier release, which has no mark, is rewritten once."""
        self.store.close()
        self.pragma("user_version = 0")
        self.store = self.create()
        self.store.probe()
        self.store.forget(quiet=False)
        self.assertEqual(self.mark(), 0)
        self.store.forget(quiet=True)
        self.assertEqual(self.mark(), CLEAN)

    def test_from_before_removed(self) -> None:
        """In such a file, the first removal sets the mark: the log tells when it is gone."""
        self.pragma("user_version = 0")
        self.remove(1)
        self.assertGreater(self.mark(), 0)

    def test_fails(self) -> None:
        """If the file cannot be rewritten, the log has a line, nothing else fails, and it is tried again."""
        self.remove(1)
        with self.store.writing() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(self.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.store.forget(quiet=True)
        [line] = self.lines(LogLevel.warn)
        self.assertRegex(line, r"gossip\.db may still have copies of removed messages, .*: database is locked")
        self.store.keep([said(4)])
        self.assertGreater(self.mark(), 0)
        self.store.forget(quiet=True)
        self.assertEqual(self.mark(), CLEAN)

    def test_no_room(self) -> None:
        """A disk that would become full is left as it is, and it is tried again only an hour later."""
        self.remove(1)
        free = 2 * self.path.stat().st_size - 1
        self.patch(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(free, 0, free))
        self.store.forget(quiet=True)
        self.patch(forgetting, "REWRITTEN", 3600.0)
        self.store.forget(quiet=True)
        [line] = self.lines(LogLevel.warn)
        self.assertRegex(line, r"twice the size of \S*gossip\.db must be free on its disk")
        self.assertGreater(self.mark(), 0)

    def test_rolled_back(self) -> None:
        """A removal that is not kept leaves no mark."""
        self.assertRaises(IntegrityError, self.store.keep, [MessagesRemoved((said(1),), REMOVAL), said(2)])
        self.assertEqual(self.mark(), CLEAN)

    def test_activity_log(self) -> None:
        """The file is rewritten as well after an entry with a removed text expired; not after others."""
        for key, operation in enumerate(["mute/add", "message/purge"]):
            entry = AuditEntry(f"key{key}", float(key), "unix:ana", operation, "Ana", "{}")
            self.store.keep([Audited(entry, None)])
        self.store.keep([AuditExpired(0.5)])
        self.assertEqual(self.mark(), CLEAN)
        self.store.keep([AuditExpired(1.5)])
        self.assertGreater(self.mark(), 0)


def _report(number: int, of: MessageSaid) -> Report:
    """A report, whose quote differs from the message."""
    return Report(
        number=number,
        channel=of.channel,
        seq=of.seq,
        game=of.game,
        name="Bo",
        message=of.message.replace("<", "{").replace(">", "}"),
        reason="spam",
        made_by="unix:bo",
        made_at=of.said_at,
    )
