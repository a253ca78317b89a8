"""What was removed is nowhere but in the activity log, and comes back nowhere after a kill -9, on both databases."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, text
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed

from gossip.store import forgetting
from gossip.store.store import Store
from tests.support.daemon import WITHIN, Daemon, Frame, Game, eventually
from tests.support.databases import OnDatabase, OnPostgreSQL, OnSQLite
from tests.support.world import frame

UNLIMITED: Final = """
[limits.rates]
global = { burst = 0 }
channels_send = { burst = 0 }
channels_history = { burst = 0 }
channels_remove = { burst = 0 }
"""

WINDOW: Final = 10
"""How many requests of a game wait for their answers."""


class Player(Thread):
    """A connection that does something until it breaks."""

    def __init__(self, game: Game, play: Callable[[Game], None]) -> None:
        super().__init__(daemon=True)
        self._game = game
        self._play = play

    def run(self) -> None:
        try:
            while True:
                self._play(self._game)
        except (ConnectionClosed, TimeoutError):
            pass


class Removed:
    """
    A game that removes most of what it says, while it says more.

    @ivar said: the texts that were acknowledged.
    @ivar gone: the texts whose removal was acknowledged.
    @ivar told: the identities of which another game was told that they are gone.
    @ivar failed: answers that are none of this.
    """

    def __init__(self, name: str) -> None:
        self.said: list[str] = []
        self.gone: list[str] = []
        self.told: set[str] = set()
        self.failed: list[Frame] = []
        self._name = name
        self._number = 0
        self._heard: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._texts: dict[str, str] = {}

    def has_removed(self, messages: int) -> bool:
        """Were this many removals acknowledged?"""
        return len(self.gone) >= messages

    def speak(self, game: Game) -> None:
        """Say something of any length, a window at a time."""
        for _ in range(WINDOW):
            self._number += 1
            message = f"[{self._name} {self._number}] {'spam ' * (self._number**2 % 500)}".strip()
            game.write(frame("channels/send", {"channel": "gossip", "name": "Ana", "message": message}, self._number))
        for _ in range(WINDOW):
            answer = game.expect("channels/send")
            if answer["status"] == "success":
                self.said.append(f"[{self._name} {answer['ref']}]")
            else:
                self.failed.append(answer)

    def hear(self, game: Game) -> None:
        """Another game hears what is said: often before it is on disk."""
        heard = game.read()
        if heard["event"] == "channels/broadcast":
            payload = heard["payload"]
            self._heard.put((payload["id"], payload["message"].partition("]")[0] + "]"))
        elif heard["event"] == "channels/removed":
            self.told.add(heard["payload"]["id"])

    def remove(self, game: Game) -> None:
        """Remove four in five, a window at a time."""
        asked = 0
        for _ in range(WINDOW):
            try:
                identity, said = self._heard.get(timeout=0.05)
            except Empty:
                break
            if int(said.split()[-1].rstrip("]")) % 5:
                self._texts[identity] = said
                game.write(frame("channels/remove", {"id": identity, "reason": "typo"}, identity))
                asked += 1
        for _ in range(asked):
            answer = game.expect("channels/remove")
            if answer["status"] == "success":
                self.gone.append(self._texts[answer["ref"]])
            else:
                self.failed.append(answer)
        if not asked:
            game.write(frame("heartbeat"))


class RemovalTests(OnDatabase):
    """
    A daemon on a database.

    @cvar kills: how often it is killed.
    @cvar enough: how many removals are acknowledged before.
    """

    kills = 2
    enough = 150

    def start(self) -> Daemon:
        """A daemon."""
        arguments = () if self.url is None else ("--database", self.url)
        self.running = Daemon(UNLIMITED, arguments)
        self.addCleanup(self.running.close)
        self.directory = str(self.running.data)
        return self.running.start()

    def join(self, registered: Frame, **more: Any) -> Game:
        """A game."""
        game = Game(self.running.url)
        self.addCleanup(game.close)
        game.authenticate(registered, channels=["gossip"], **more)
        return game

    def public(self) -> str:
        """All that the public is told of the channel, by all ways."""
        daemon, found, before = self.running, [], ""
        for _ in range(10_000):
            answer = json.loads(daemon.get(f"/api/v1/channels/gossip/messages?limit=100{before}").read())
            found += answer["messages"]
            if not answer["more"]:
                break
            before = f"&before={answer['messages'][0]['seq']}"
        paths = ("/", "/channels", "/chat/gossip", "/chat/gossip/feed.atom")
        return json.dumps(found) + "".join(daemon.get(path).read().decode() for path in paths)

    def history(self, game: Game, resumed: Game) -> list[str]:
        """The texts of the whole history of a game, and what it is told when it resumes."""
        found = [said["message"] for said in resumed.expect("channels/history")["payload"]["messages"]]
        after = 0
        while True:
            pages = [page["payload"] for page in game.ask("channels/history", self._page(after))]
            messages = [said for page in pages for said in page["messages"]]
            found += [said["message"] for said in messages]
            if not pages[-1]["more"]:
                return found
            after = messages[-1]["seq"]

    def _page(self, after: int) -> dict[str, Any]:
        return {"channel": "gossip", "limit": 100, "after": after}

    def test_kill(self) -> None:
        """What was acknowledged as removed comes back nowhere; what was not removed is there."""
        daemon = self.start()
        daemon.admin("channel/publish", channel="gossip")
        alpha, beta = daemon.register("Alpha"), daemon.register("Beta")
        said: set[str] = set()
        gone: set[str] = set()
        for turn in range(self.kills):
            work = Removed(f"turn {turn} number")
            players = [
                Player(self.join(beta, extensions=["moderation"]), work.hear),
                Player(self.join(alpha), work.remove),
                Player(self.join(alpha), work.speak),
            ]
            for player in players:
                player.start()
            eventually(partial(work.has_removed, self.enough), "acknowledged removals")
            self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
            for player in players:
                player.join(WITHIN)
                self.assertFalse(player.is_alive())
            self.assertEqual(work.failed, [])
            self.assertGreater(len(work.told), 0)
            said |= {*work.said}
            gone |= {*work.gone}
            daemon.start()
        flags = {"supports": ["channels", "history"]}
        shown = [self.public(), *self.history(self.join(beta, **flags), self.join(beta, **flags, resume={"gossip": 0}))]
        everything = "".join(shown)
        self.assertEqual([each for each in gone if each in everything], [])
        # What was not acknowledged may be removed all the same, if it was not answered before the kill.
        kept = [each for each in said - gone if each in everything]
        self.assertGreater(len(kept), self.enough // 20)
        backup = Path(daemon.directory) / "backup.db"
        if self.url is None:
            daemon.gossipctl("backup", str(backup))
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("Traceback", daemon.log)
        files = self.without_audit(backup)
        for where, content in files.items():
            self.assertEqual([each for each in gone if each.encode() in content], [], where)
        self.assertTrue(any(kept[0].encode() in content for content in files.values()))

    def without_audit(self, backup: Path) -> dict[str, bytes]:
        """All that is in the database and in a backup, without the activity log."""
        raise NotImplementedError


class SQLiteRemovalTests(RemovalTests, OnSQLite, SynchronousTestCase):
    """On SQLite."""

    def without_audit(self, backup: Path) -> dict[str, bytes]:
        # As a daemon does later, at a quiet moment.
        self.patch(forgetting, "STARTING", 0.0)
        with closing(Store.open(None, self.directory)) as store:
            store.probe()
            store.forget(quiet=True)
        found = {}
        for path in (Path(self.directory) / "gossip.db", backup):
            uri = f"file:{quote(str(path))}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                [[entries]] = connection.execute("SELECT count(*) FROM audit WHERE arguments LIKE '%messages%[%'")
                self.assertGreater(entries, self.enough)
                # What the file has besides rows must not be lost: nothing but these rows is written over.
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("DELETE FROM audit")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            found[str(path)] = path.read_bytes()
        found |= {str(path): path.read_bytes() for path in Path(self.directory).iterdir() if path.is_file()}
        return found


class PostgreSQLRemovalTests(RemovalTests, OnPostgreSQL, SynchronousTestCase):
    """On PostgreSQL: what a dump would have. Its files are the server's."""

    def without_audit(self, backup: Path) -> dict[str, bytes]:
        engine = create_engine(self.behind)
        with closing(engine.connect()) as connection:
            tables = [name for name in inspect(connection).get_table_names() if name != "audit"]
            self.assertIn("messages", tables)
            rows = {name: connection.execute(text(f"SELECT t::text FROM {name} t")).scalars().all() for name in tables}
        engine.dispose()
        return {name: "\n".join(all_).encode() for name, all_ in rows.items()}
