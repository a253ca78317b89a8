"""L{gossip.store.store} on SQLite: what every store does, and what only this one does."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import get_args

from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import (
    Change,
    GameSaved,
    MessagesRemoved,
)
from gossip.registry.secret import secrets_of
from gossip.store import forgetting, schema, tables
from gossip.store.errors import StoreError, Trouble
from gossip.store.store import Store
from tests.support.databases import OnSQLite
from tests.support.later_schema import one_revision_later
from tests.support.store_contract import (
    ACHIEVEMENT,
    ANA,
    BO,
    GAME,
    OTHER,
    REMOVAL,
    StoreTests,
    said,
)


class SQLiteStoreTests(StoreTests, OnSQLite, SynchronousTestCase):
    """The store on SQLite."""

    def test_private(self) -> None:
        """Nobody else may look into the directory and its files, not even into one that was put there."""
        self.create().close()
        (Path(self.directory) / "gossip.db").chmod(0o644)
        self.kept(said(2))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in Path(self.directory).iterdir()}
        modes["."] = stat.S_IMODE(Path(self.directory).stat().st_mode)
        files = dict.fromkeys(("gossip.db", "gossip.db-wal", "gossip.db-shm", "gossip.db.lock"), 0o600)
        self.assertEqual(modes, {".": 0o700, **files})

    def test_missing(self) -> None:
        """Where there was a network, no new and empty one begins when its database is missing."""
        self.kept(said(1)).close()
        path = Path(self.directory) / "gossip.db"
        kept = path.read_bytes()
        path.unlink()
        for _ in range(2):
            error = self.assertRaises(StoreError, Store.open, self.url, self.directory)
            self.assertEqual(
                str(error),
                f"{path} is missing, and there was a network in it: put it back, or remove {path}.lock to begin with an"
                " empty one",
            )
            self.assertFalse(path.exists())
        path.write_bytes(kept)
        self.assertEqual(len(self.create().history("gossip", 9)), 1)

    def test_begin_anew(self) -> None:
        """Whoever removes the lock as well begins with an empty network; a lock that nobody used means nothing."""
        self.kept(said(1)).close()
        for left in (False, True):
            for path in Path(self.directory).iterdir():
                path.unlink()
            if left:
                (Path(self.directory) / "gossip.db.lock").touch()
            new = self.create()
            self.assertEqual(new.history("gossip", 9), [])
            new.close()

    def test_durable(self) -> None:
        """Each commit is on disk, readers do not wait for it, foreign keys count, what is deleted is overwritten."""
        kept = self.kept()
        found = {}
        with kept._database.writing.connect() as connection:
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete"):
                found[pragma] = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
        full = 2
        expected = {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "busy_timeout": 5000}
        self.assertEqual(found, {**expected, "secure_delete": 1})

    def test_where(self) -> None:
        """A relative path in the URL starts in the data directory."""
        Store.open("sqlite:///elsewhere.db", self.directory).close()
        self.assertTrue((Path(self.directory) / "elsewhere.db").exists())

    def test_schema_exactly(self) -> None:
        """Of what alembic does not compare, nothing differs either (a rebuilt table loses its indexes on lower(…))."""
        self.open().close()
        fresh = create_engine("sqlite://")
        tables.metadata.create_all(fresh)
        with fresh.connect() as connection:
            wanted = _sqlite_schema(connection)
        with self.database().connect() as connection:
            self.assertEqual(_sqlite_schema(connection), wanted)
        fresh.dispose()

    def test_kinds(self) -> None:
        """Each migration says whether nodes of the release before can go on beside it."""
        for script in ScriptDirectory.from_config(schema.configuration()).walk_revisions():
            with self.subTest(script.revision):
                self.assertIn(getattr(script.module, "kind", None), get_args(schema.Kind))

    def test_older_schemas(self) -> None:
        """A store of each older version is brought to today's schema, with all that is in it."""
        revisions = [script.revision for script in ScriptDirectory.from_config(schema.configuration()).walk_revisions()]
        for revision in revisions:
            with self.subTest(revision):
                OnSQLite.setUp(self)
                Path(self.directory).mkdir()
                dump = (Path(__file__).parent / "schemas" / f"{revision}.sql").read_text("utf-8")
                with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
                    connection.executescript(dump)
                kept = self.open()
                known = kept.load()
                # Only later ones know whose a game is, and secrets that are no client secrets.
                games = {
                    client_id: replace(game, owner=None, secrets=secrets_of(game))
                    for client_id, game in known.games.items()
                }
                self.assertEqual((games, known.achievements), _KNOWN)
                self.assertEqual(kept.history("gossip", 10), [said(1)])
                self.assertEqual(self.differences(), [])

    def test_second_schema(self) -> None:
        """What keeps order is in a store of the second version."""
        Path(self.directory).mkdir()
        dump = (Path(__file__).parent / "schemas" / "0002.sql").read_text("utf-8")
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
            connection.executescript(dump)
        kept = self.open()
        known = kept.load()
        self.assertEqual(known.channels["testing"].speakers, frozenset([ANA]))
        self.assertEqual((list(known.mutes), list(known.bans)), ([(ANA, "gossip")], [("192.0.2.1", "")]))
        self.assertEqual((list(known.filters.kept), list(known.reports)), ([("darn", "")], [1]))
        self.assertEqual((len(kept.reports(10, resolved=True)), len(kept.audit(10))), (2, 7))

    def test_third_schema(self) -> None:
        """A store of the third version has accounts and owners of games, with all that an older one had."""
        Path(self.directory).mkdir()
        dump = (Path(__file__).parent / "schemas" / "0003.sql").read_text("utf-8")
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
            connection.executescript(dump)
        known = self.open().load()
        ana, bo = known.accounts.all["ana"], known.accounts.all["bo"]
        self.assertEqual(
            (ana.name, ana.admin, ana.email, ana.created_at), ("Ana", True, "ana@example.org", 1700000000.25)
        )
        self.assertEqual((bo.disabled, bo.admin, bo.password), (True, False, None))
        self.assertEqual([game.short_name for game in known.games_of("Ana")], ["Other"])
        self.assertEqual([each.kind for each in known.accounts.of("Ana", "visit", "token")], ["visit", "token"])
        invite = known.accounts.shown("secret 2", "invite", 1700000002.0)
        assert invite is not None
        self.assertEqual((invite.made_by, invite.expires), ("unix:ana", 1700604800.0))
        self.assertEqual((list(known.mutes), list(known.filters.kept)), ([(ANA, "gossip")], [("darn", "")]))

    def test_fourth_schema(self) -> None:
        """What a secret is for is in a store of the fourth version."""
        Path(self.directory).mkdir()
        dump = (Path(__file__).parent / "schemas" / "0004.sql").read_text("utf-8")
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
            connection.executescript(dump)
        known = self.open().load()
        self.assertEqual(known.authenticate(ANA, "secret 3", 1700000000.0, "imc2"), known.games[ANA])
        self.assertIsNone(known.authenticate(ANA, "secret 3", 1700000000.0))

    def test_fifth_schema(self) -> None:
        """Channels from before that an admin had changed stay; those that games made go away when nobody uses them."""
        Path(self.directory).mkdir()
        dump = (Path(__file__).parent / "schemas" / "0004.sql").read_text("utf-8")
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
            connection.executescript(dump)
            for values in ("'made', 1, NULL, NULL", "'told', 1, NULL, 'About'", "'paused', 1, 5.0, NULL"):
                connection.execute(f"INSERT INTO channels (name, hidden, paused_until, description) VALUES ({values})")
            connection.commit()
        known = self.open().load().channels
        self.assertEqual([name for name, channel in known.items() if not channel.kept], ["made"])
        self.assertEqual(len(known), 5)

    def test_sixth_schema(self) -> None:
        """When a game was last seen, and who described a channel, is in a store of the sixth version."""
        Path(self.directory).mkdir()
        dump = (Path(__file__).parent / "schemas" / "0006.sql").read_text("utf-8")
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
            connection.executescript(dump)
        known = self.open().load()
        channel = known.channels["testing"]
        self.assertEqual((channel.described_by, channel.described_at), ("unix:ana", 1700000003.5))
        self.assertEqual(known.last_seen, {BO: 1700000004.25})

    def test_eighth_schema(self) -> None:
        """The moderators of a channel are in a store of the eighth version."""
        Path(self.directory).mkdir()
        dump = (Path(__file__).parent / "schemas" / "0008.sql").read_text("utf-8")
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as connection:
            connection.executescript(dump)
        known = self.open().load()
        self.assertEqual(known.channels["testing"].moderators, frozenset(["Ana"]))
        self.assertEqual(known.moderated_by("Ana"), ["testing"])

    def test_removed_text(self) -> None:
        """A removed text is in no file of the store afterwards, long or short, nor in a copy; its neighbours are."""
        kept = self.open()
        texts = {seq: f"<{seq}> {'spam ' * size}" for seq in range(1, 100) for size in [seq**2 % 1500]}
        kept.keep([said(seq, message=text) for seq, text in texts.items()])
        gone = [seq for seq in texts if seq % 3]
        for seq in gone:
            kept.keep([MessagesRemoved((said(seq),), REMOVAL)])
        self.patch(forgetting, "EMPTIED", 0.0)
        kept.probe()
        with closing(kept.snapshot()) as copy:
            files = [path.read_bytes() for path in Path(self.directory).iterdir()] + [copy.read()]
        for seq in texts:
            found = [f"<{seq}> ".encode() in content for content in files]
            self.assertEqual(any(found), seq not in gone, seq)
        self.assertTrue(all(found.count(True) == 2 for found in [[b"<3> " in content for content in files]]))

    def test_removed_text_in_the_log(self) -> None:
        """A removal empties the write-ahead log before it is acknowledged; one right after it does not wait."""
        kept = self.open()
        log = Path(self.directory) / "gossip.db-wal"
        kept.keep([said(1), said(2)])
        kept.keep([said(3)])
        self.assertGreater(log.stat().st_size, 0)
        self.patch(forgetting, "EMPTIED", 0.0)
        kept.keep([MessagesRemoved((said(1),), REMOVAL)])
        self.assertEqual(log.stat().st_size, 0)
        self.patch(forgetting, "EMPTIED", 3600.0)
        kept.keep([MessagesRemoved((said(2),), REMOVAL)])
        self.assertGreater(log.stat().st_size, 0)

    def test_removed_text_is_read(self) -> None:
        """A reader that is in the way holds up nobody; the log is emptied when it is gone."""
        kept = self.open()
        self.patch(forgetting, "EMPTIED", 0.0)
        kept.keep([said(1)])
        log = Path(self.directory) / "gossip.db-wal"
        with closing(sqlite3.connect(f"{self.directory}/gossip.db")) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM messages").fetchall()
            kept.keep([MessagesRemoved((said(1),), REMOVAL)])
            self.assertGreater(log.stat().st_size, 0)
        kept.probe()
        self.assertEqual(log.stat().st_size, 0)

    def test_killed_before_the_log_was_emptied(self) -> None:
        """The first thing that a daemon writes empties the log that one before it left."""
        kept = self.create()
        self.patch(forgetting, "EMPTIED", 0.0)
        self.assertGreater((Path(self.directory) / "gossip.db-wal").stat().st_size, 0)
        kept.probe()
        self.assertEqual((Path(self.directory) / "gossip.db-wal").stat().st_size, 0)

    def test_copy_before_upgrade(self) -> None:
        """Before an upgrade the file is copied, and only then."""
        copy = Path(self.directory) / "gossip.db.before-9999"
        self.kept(GameSaved(GAME)).close()
        self.assertEqual(list(Path(self.directory).glob("*.before-*")), [])
        one_revision_later(self, "    op.drop_table('user_agents')\n")
        Store.open(self.url, self.directory).close()
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        with closing(sqlite3.connect(copy)) as connection:
            self.assertEqual(connection.execute("SELECT short_name FROM games").fetchall(), [("MyMUD",)])
            self.assertEqual(connection.execute("SELECT * FROM user_agents").fetchall(), [])

    def test_backup(self) -> None:
        """A backup is made while the store is in use, for its owner only, has no name, and is a store itself."""
        kept = self.kept(GameSaved(GAME))
        before = sorted(Path(self.directory).iterdir())
        # Left by processes that were killed.
        Path(self.directory, "gossip.db.snapshot").write_text("half a copy")
        self.assertTrue(kept.copies)
        with kept.snapshot() as first, kept.snapshot() as second:
            self.assertEqual(stat.S_IMODE(os.fstat(first.fileno()).st_mode), 0o600)
            self.assertEqual(sorted(Path(self.directory).iterdir()), before)
            whole = first.read()
            self.assertEqual(second.read(), whole)
        backup = Path(self.mktemp())
        backup.mkdir()
        (backup / "gossip.db").write_bytes(whole)
        copy = Store.open(None, backup)
        self.addCleanup(copy.close)
        self.assertEqual(copy.load().games, {ANA: GAME})

    def test_no_backup(self) -> None:
        """A backup that finds no place says where."""
        kept = self.open()
        in_the_way = Path(self.directory, "gossip.db.snapshot")
        in_the_way.mkdir()
        self.assertIn(str(in_the_way), str(self.assertRaises(StoreError, kept.snapshot)))

    def test_damaged(self) -> None:
        """A file that is no database is told, and left alone."""
        Path(self.directory).mkdir()
        path = Path(self.directory) / "gossip.db"
        path.write_bytes(b"no database" * 1000)
        error = self.assertRaises(StoreError, Store.open, self.url, self.directory)
        self.assertEqual(str(error), f"{path}: file is not a database")
        self.assertEqual(path.read_bytes(), b"no database" * 1000)

    def test_unusable_directory(self) -> None:
        """A directory that cannot be made is told."""
        Path(self.directory).write_text("")
        error = self.assertRaises(StoreError, Store.open, self.url, f"{self.directory}/data")
        self.assertIn("cannot be used: Not a directory", str(error))


class TroubleTests(OnSQLite, SynchronousTestCase):
    """What an SQLite store says when it keeps nothing, and that it recovers by itself."""

    def setUp(self) -> None:
        super().setUp()
        self.kept = self.open()
        self.kept.keep([said(1)])
        self.path = Path(self.directory) / "gossip.db"

    def pragma(self, pragma: str) -> int:
        """Have the connection that writes set something, or ask it; outside a transaction."""
        with self.kept._database.writing.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            row = raw.execute(f"PRAGMA {pragma}").fetchone()
            return int(row[0]) if row else 0

    def refuses(self, trouble: Trouble, changes: Sequence[Change] | None = None) -> str:
        """A change is not kept; returns the text of the error."""
        error = self.assertRaises(StoreError, self.kept.keep, [said(2)] if changes is None else changes)
        self.assertEqual(error.trouble, trouble)
        return str(error)

    def test_probe(self) -> None:
        """A probe leaves nothing behind, and is written to the disk all the same."""
        log = self.path.with_name("gossip.db-wal")
        for _ in range(2):
            size = log.stat().st_size
            self.kept.probe()
            self.assertGreater(log.stat().st_size, size)
        with self.database().connect() as connection:
            self.assertEqual(connection.execute(select(tables.sequences)).all(), [])

    def test_full(self) -> None:
        """A full disk is told, and is over when there is room again."""
        self.pragma(f"max_page_count = {self.pragma('page_count')}")
        many = [said(seq, message="x" * 4000) for seq in range(2, 9)]
        self.assertIn("full", self.refuses(Trouble.DISK_FULL, many))
        self.pragma("max_page_count = 1000000")
        self.kept.keep(many)
        self.assertEqual(len(self.kept.history("gossip", 10)), 8)

    def test_read_only(self) -> None:
        """A database that cannot be written is told; a probe finds it, too."""
        self.pragma("query_only = ON")
        self.refuses(Trouble.READ_ONLY)
        self.assertEqual(self.assertRaises(StoreError, self.kept.probe).trouble, Trouble.READ_ONLY)
        self.pragma("query_only = OFF")
        self.kept.probe()

    def test_locked(self) -> None:
        """A lock of another program is told."""
        self.pragma("busy_timeout = 1")
        with closing(sqlite3.connect(self.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.refuses(Trouble.LOCKED)
        self.kept.keep([said(2)])

    def test_lock_at_once(self) -> None:
        """A transaction that writes has the lock from its start: SQLite waits for it then, and not after a read."""
        with closing(sqlite3.connect(self.path, timeout=0)) as other:
            with self.kept._database.transaction():
                self.assertRaises(sqlite3.OperationalError, other.execute, "BEGIN IMMEDIATE")
            with self.kept._database.migrating(contracts=False):
                self.assertRaises(sqlite3.OperationalError, other.execute, "BEGIN IMMEDIATE")
            with self.kept._database.reading.connect() as connection:
                connection.execute(text("SELECT 1 FROM messages"))
                other.execute("BEGIN IMMEDIATE")

    def test_deleted(self) -> None:
        """Nothing is kept in a file that was deleted, and nothing makes an empty one in its place."""
        self.path.unlink()
        self.assertIn("was deleted or replaced", self.refuses(Trouble.GONE))
        self.assertEqual(self.assertRaises(StoreError, self.kept.probe).trouble, Trouble.GONE)
        self.kept._database.reading.dispose()
        self.assertRaises(StoreError, self.kept.load)
        self.assertIn("was deleted or replaced", str(self.assertRaises(StoreError, self.kept.snapshot)))
        self.assertEqual((self.path.exists(), list(self.path.parent.glob("*.snapshot"))), (False, []))

    def test_directory_deleted(self) -> None:
        """Nor if the whole directory is gone, with a new connection as with the old one."""
        shutil.rmtree(self.directory)
        self.refuses(Trouble.GONE)
        self.kept._database.writing.dispose()
        self.refuses(Trouble.GONE)

    def test_replaced(self) -> None:
        """A backup that is put in place of a file in use is not written to; the old file is, once it is back."""
        backup, aside = (self.path.with_name(name) for name in ("backup", "aside"))
        with self.kept.snapshot() as copy:
            backup.write_bytes(copy.read())
        self.path.rename(aside)
        backup.rename(self.path)
        self.refuses(Trouble.GONE)
        self.kept._database.writing.dispose()
        self.refuses(Trouble.GONE, [said(3)])
        aside.rename(self.path)
        self.kept._database.writing.dispose()
        self.kept.keep([said(4)])

    def test_log_deleted(self) -> None:
        """What was committed is in the write-ahead log at first: nothing is kept without it either."""
        self.path.with_name("gossip.db-wal").unlink()
        self.assertIn("gossip.db-wal was deleted or replaced", self.refuses(Trouble.GONE))

    def test_strange_path(self) -> None:
        """A path may hold what has a meaning in a URI."""
        directory = f"{self.directory}/a b?mode=ro&%41#ü"
        kept = Store.open(None, directory)
        self.addCleanup(kept.close)
        kept.keep([said(1)])
        self.assertTrue((Path(directory) / "gossip.db").stat().st_size)

    def test_words(self) -> None:
        """The word for each error of SQLite; errors of a change are no trouble of the database."""
        words: dict[int, Trouble | None] = {
            sqlite3.SQLITE_IOERR_WRITE: Trouble.DISK_ERROR,
            sqlite3.SQLITE_BUSY_SNAPSHOT: Trouble.LOCKED,
            sqlite3.SQLITE_CANTOPEN: Trouble.UNREACHABLE,
            sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
            sqlite3.SQLITE_CORRUPT_INDEX: Trouble.DAMAGED,
            sqlite3.SQLITE_NOMEM: None,
            sqlite3.SQLITE_CONSTRAINT_UNIQUE: None,
        }
        for code, word in words.items():
            error = sqlite3.DatabaseError()
            error.sqlite_errorcode = code
            self.assertEqual(self.kept._database.trouble(DBAPIError("INSERT", {}, error)), word)
        self.assertEqual(
            self.kept._database.trouble(OperationalError("INSERT", {}, sqlite3.OperationalError())), Trouble.FAILING
        )


class LocationTests(SynchronousTestCase):
    """Where a store can live."""

    def test_nowhere(self) -> None:
        """A URL that leads nowhere is told, without the password in it."""
        for url in ("mysql://ana:hush@localhost/gossip", "sqlite://", "sqlite:///:memory:", "nonsense:hush", ""):
            error = self.assertRaises(StoreError, Store.open, url, self.mktemp())
            self.assertIn("sqlite:/// or postgresql://", str(error))
            self.assertNotIn("hush", str(error))

    def test_unreachable(self) -> None:
        """A server that is not there is told, without the password."""
        url = "postgresql://ana:hush@127.0.0.1:1/gossip?connect_timeout=2"
        error = self.assertRaises(StoreError, Store.open, url, self.mktemp())
        self.assertIn("postgresql://ana:***@127.0.0.1:1/gossip: ", str(error))
        self.assertNotIn("hush", str(error))


def _sqlite_schema(connection: Connection) -> dict[str, str]:
    """The statements that made the tables and indexes, without regard to spaces."""
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != :version"),
        {"version": schema.VERSION_TABLE},
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


_KNOWN = ({ANA: replace(GAME, language=None), BO: OTHER}, {ANA: {ACHIEVEMENT.key: ACHIEVEMENT}})
"""What is in the dumps of the older schemas, which C{sqlite3 gossip.db .dump} wrote."""
