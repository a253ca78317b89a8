"""L{gossip.store.copying}: a network moves from SQLite to PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import text
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import MessageSaid, MessagesExpired
from gossip.registry.search import read_search
from gossip.store import copying
from gossip.store.errors import StoreError
from gossip.store.store import Store
from gossip.store.word_index import BLOCK
from tests.support.databases import OnPostgreSQL

SCHEMAS = Path(__file__).parent / "schemas"


class CopyingTests(OnPostgreSQL, SynchronousTestCase):
    """A SQLite store with something in every table, and an empty PostgreSQL database."""

    def setUp(self) -> None:
        super().setUp()
        directory = Path(self.directory)
        directory.mkdir()
        with closing(sqlite3.connect(directory / "gossip.db")) as connection:
            connection.executescript(max(SCHEMAS.glob("*.sql")).read_text("utf-8"))
        self.source = Store.open(None, directory)
        self.addCleanup(self.source.close)

    def copy(self) -> tuple[dict[str, int], bool]:
        assert self.url is not None
        return copying.copy(self.source, self.url, Path(self.directory))

    def test_copied(self) -> None:
        """Everything is there, as it was, and new messages get a place behind the old ones."""
        counts, copied = self.copy()
        self.assertTrue(copied)
        self.assertEqual([name for name, count in counts.items() if not count], [])
        before = self.source.load()
        with closing(Store.open(self.url, self.directory)) as target:
            after = target.load()
            for kept in ("games", "channels", "achievements", "user_agents", "reports"):
                self.assertEqual(getattr(after, kept), getattr(before, kept))
            self.assertEqual(after.accounts.all, before.accounts.all)
            said = self.source.history("gossip", 100)
            self.assertNotEqual(said, [])
            self.assertEqual(target.history("gossip", 100), said)
            self.assertGreater(after.numbers.next_message("gossip"), said[-1].seq)

    def test_indexed(self) -> None:
        """What was said is found there at once, by the numbers that it has there."""
        said = [MessageSaid("gossip", 100 + n, None, "MyMUD", "Ana", f"word{n}", 1.7e9 + n) for n in range(2 * BLOCK)]
        for change in (said[:BLOCK], [MessagesExpired(1.7e9 - 1)], said[BLOCK:]):
            self.source.keep(change)
        self.copy()
        with closing(Store.open(self.url, self.directory)) as target:
            self.assertFalse(target.index())
            self.assertEqual([hit.said for hit in target.search(read_search("word7"), 5).hits], [said[7]])

    def test_again(self) -> None:
        """To repeat it changes nothing, unless something else is there."""
        first, _ = self.copy()
        self.assertEqual(self.copy(), (first, False))
        with self.database().begin() as connection:
            connection.execute(text("UPDATE channels SET description = 'changed'"))
        self.assertIn("is not empty", str(self.assertRaises(StoreError, self.copy)))

    def test_failed(self) -> None:
        """If the copy differs, nothing is copied."""
        Store.open(self.url, self.directory).close()
        with self.database().begin() as connection:
            connection.execute(
                text(
                    "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
                    " $$BEGIN NEW.message := 'spoilt'; RETURN NEW; END$$"
                )
            )
            connection.execute(
                text("CREATE TRIGGER spoil BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION spoil()")
            )
        self.assertIn("differs", str(self.assertRaises(StoreError, self.copy)))
        with self.database().connect() as connection:
            self.assertEqual(connection.scalar(text("SELECT count(*) FROM games")), 0)
