"""A search finds on every node what was said on any, and in a restored backup what was said before, indexed or not."""

from __future__ import annotations

import json
import re
import signal
from typing import Final

from sqlalchemy import create_engine, func, select
from twisted.trial.unittest import SynchronousTestCase

from gossip.store import tables
from gossip.store.word_index import BLOCK
from tests.support.daemon import Daemon, DaemonTestCase, Game, eventually
from tests.support.databases import OnPostgreSQL

UNLIMITED: Final = """
[limits.rates]
global = { burst = 0 }
channels_send = { burst = 0 }
"""

CLUSTER: Final = """
[cluster]
lease_seconds = 5.0
"""

WINDOW: Final = 64
"""How many messages of a game wait for their answers."""

INDEXED: Final = 60.0
"""The maximum time until a full block is indexed, in seconds."""


def say(game: Game, *texts: str) -> None:
    """A game says something on the channel; each message is acknowledged."""
    for start in range(0, len(texts), WINDOW):
        some = texts[start : start + WINDOW]
        for text in some:
            said = {"channel": "gossip", "name": "Ana", "message": text}
            game.write({"event": "channels/send", "ref": text[:20], "payload": said})
        for text in some:
            answer = game.expect("channels/send")
            assert (answer["ref"], answer["status"]) == (text[:20], "success"), answer


def found(daemon: Daemon, word: str) -> list[str]:
    """The messages that a word is found in, by all three ways of searching, the latest first: C{gossip:1042}."""
    hits = json.loads(daemon.get(f"/api/v1/search?q={word}").read())["hits"]
    by_api = [f"{hit['message']['channel']}:{hit['message']['seq']}" for hit in hits]
    page = daemon.get(f"/search?q={word}").read().decode()
    by_page = [f"gossip:{number}" for number in re.findall('href="/chat/gossip/([0-9]+)[#"]', page)]
    by_command = [each["id"] for each in daemon.gossipctl("search", word)["messages"]]
    assert by_api == list(dict.fromkeys(by_page)) == by_command, (by_api, by_page, by_command)
    return by_api


class NodesTests(OnPostgreSQL, SynchronousTestCase):
    """Two nodes."""

    def node(self, name: str) -> Daemon:
        """Start a node."""
        assert self.url is not None
        daemon = Daemon(UNLIMITED + CLUSTER, ("--node", name, "--database", self.url))
        self.addCleanup(daemon.close)
        return daemon.start()

    def game(self, node: Daemon, name: str) -> Game:
        """A game joins a node."""
        game = Game(node.url)
        self.addCleanup(game.close)
        game.authenticate(node.register(name), channels=["gossip"])
        return game

    def blocks(self) -> int:
        """How many blocks of messages are indexed."""
        engine = create_engine(self.behind)
        with engine.connect() as connection:
            count = connection.scalar(select(func.count()).select_from(tables.indexed_blocks))
        engine.dispose()
        return count or 0

    def test_search(self) -> None:
        """
        What is said at one node is found at the other, before and after it is indexed; what is removed at one is not
        found at the other any more. When the first node, which leads, is killed, the other goes on indexing.
        """
        a, b = self.node("a"), self.node("b")
        game, other = self.game(a, "Alpha"), self.game(b, "Beta")
        say(game, "a dragon", "a dragonfly and a dragon")
        latest, first = found(b, "dragon")
        self.assertEqual(found(a, "dragon"), [latest, first])
        say(game, *(f"line {number} is one of many" for number in range(BLOCK)))
        eventually(lambda: self.blocks() == 1, "an indexed block", INDEXED)
        self.assertEqual((found(b, "dragon"), found(b, "dragonfly")), ([latest, first], [latest]))
        a.admin("message/remove", id=latest, reason="spam")
        self.assertEqual((found(b, "dragon"), found(b, "dragonfly")), ([first], []))
        self.assertEqual(a.stop(signal.SIGKILL), -signal.SIGKILL)
        say(other, "a unicorn", *(f"line {number} is one of many more" for number in range(BLOCK)))
        b.logged("node a is gone")
        eventually(lambda: self.blocks() == 2, "one more indexed block", INDEXED)
        (unicorn,) = found(b, "unicorn")
        self.assertEqual(found(b, "dragon"), [first])
        again = self.node("a")
        self.assertEqual((found(again, "unicorn"), found(again, "dragon")), ([unicorn], [first]))
        self.assertNotIn("Traceback", b.log)


class BackupTests(DaemonTestCase):
    """A daemon on SQLite."""

    def test_restored(self) -> None:
        """A new daemon on a backup finds what was said before, indexed or not, and what is said from then on."""
        daemon = self.daemon(UNLIMITED).start()
        alpha = daemon.register("Alpha")
        game = self.join(daemon, alpha, channels=["gossip"])
        say(game, "a dragon", *(f"line {number} is one of many" for number in range(BLOCK)), "a unicorn")
        saved = daemon.directory / "saved"

        def has_index() -> bool:
            """Make a backup; has it an indexed block?"""
            saved.unlink(missing_ok=True)
            daemon.gossipctl("backup", str(saved))
            with create_engine(f"sqlite:///{saved}").connect() as connection:
                return connection.scalar(select(func.count()).select_from(tables.indexed_blocks)) == 1

        eventually(has_index, "an indexed block in a backup", INDEXED)
        words = "dragon", "unicorn", "2047"
        before = [found(daemon, word) for word in words]
        self.assertEqual([len(ids) for ids in before], [1, 1, 1])
        say(game, "a dragon that nobody saved")
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        restored = self.daemon(UNLIMITED)
        restored.data.mkdir(mode=0o700)
        saved.rename(restored.data / "gossip.db")
        restored.start()
        self.assertEqual([found(restored, word) for word in words], before)
        say(self.join(restored, alpha, channels=["gossip"]), "another dragon")
        latest, *earlier = found(restored, "dragon")
        self.assertEqual(earlier, before[0])
        self.assertGreater(int(latest.partition(":")[2]), int(earlier[0].partition(":")[2]))
