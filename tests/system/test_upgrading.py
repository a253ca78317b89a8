"""Nodes that are upgraded one after the other, from the first commit that had nodes: the network goes on meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from sqlalchemy import text
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.daemon import ROOT, Daemon, Frame, Game, eventually
from tests.support.databases import OnPostgreSQL
from tests.support.world import FLAGS

FIRST: Final = "290ed5f852b3e12d3d89aa0b17c6f8968d531eec"
"""The first commit with nodes. It speaks protocol 1, and has the schema 0009."""

CONFIG: Final = """
[limits.rates]
channels_send = { burst = 0 }
global = { burst = 0 }
"""


def older(commit: str) -> Path:
    """The tree of an older commit, in a directory of its own."""
    repository = os.environ.get("GOSSIP_TEST_HISTORY", str(ROOT))
    archive = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", repository, "archive", commit], capture_output=True, check=False
    )
    if archive.returncode:
        raise SkipTest(f"GOSSIP_TEST_HISTORY names no repository with the commit {commit}")
    directory = Path(mkdtemp(prefix="gossip-older-"))
    subprocess.run(["tar", "-x", "-C", str(directory)], input=archive.stdout, check=True)
    return directory


class UpgradeTests(OnPostgreSQL, SynchronousTestCase):
    """
    Two nodes of an older version, a and b, with games on both.

    @ivar games: those that are there, each with its node.
    @ivar told: what each game was told, apart from answers.
    """

    def setUp(self) -> None:
        super().setUp()
        tree = older(FIRST)
        self.addCleanup(shutil.rmtree, tree)
        self.nodes = [self.node(name, tree) for name in "ab"]
        self.registered = {name: self.nodes[0].register(name) for name in ("Alpha", "Beta", "Gamma")}
        self.games: dict[str, tuple[Game, Daemon]] = {}
        self.told: dict[str, list[Frame]] = {name: [] for name in self.registered}
        self.acknowledged: list[str] = []

    def node(self, name: str, tree: Path) -> Daemon:
        """Start a node of another version."""
        assert self.url is not None
        daemon = Daemon(CONFIG, ("--node", name, "--database", self.url))
        self.addCleanup(daemon.close)
        daemon.environment["PYTHONPATH"] = str(tree)
        return daemon.start()

    def join(self, name: str, node: Daemon) -> None:
        """A game joins a node, with one player."""
        game = Game(node.url)
        self.addCleanup(game.close)
        more = {"channels": ["gossip"], "supports": [*FLAGS, "history"], "players": [f"{name}'s player"]}
        self.told[name] += game.authenticate(self.registered[name], **more)[1:]
        self.games[name] = game, node

    def ask(self, name: str, event: str, payload: Frame | None = None) -> list[Frame]:
        """A game asks something; returns the answers."""
        frames = self.games[name][0].ask(event, payload, "asked")
        self.told[name] += [frame for frame in frames if frame.get("ref") != "asked"]
        return [frame for frame in frames if frame.get("ref") == "asked"]

    def talk(self) -> None:
        """Each game says something, which is acknowledged."""
        for name in self.games:
            text = f"message {len(self.acknowledged)}"
            answers = self.ask(name, "channels/send", {"channel": "gossip", "name": "Ana", "message": text})
            self.assertEqual([each["status"] for each in answers], ["success"], answers)
            self.acknowledged.append(text)

    def upgrade(self, node: Daemon, other: Daemon) -> None:
        """Start a node anew with the version of today. Its games come back to the other one, and go on there."""
        self.assertEqual(node.stop(), 0)
        moved = [name for name, (_, where) in self.games.items() if where is node]
        for name in moved:
            frames, code, _ = self.games.pop(name)[0].ended()
            # What was said just before may come after it.
            self.assertIn("restart", [frame["event"] for frame in frames])
            self.assertEqual(code, 1012)
            self.told[name] += frames
            self.join(name, other)
        del node.environment["PYTHONPATH"]
        node.launch()
        while not node._is_healthy():
            self.talk()
        for name in moved:
            # As a balancer that prefers this node would have it.
            self.games.pop(name)[0].close()
            self.join(name, node)

    def everybody(self, name: str) -> bool:
        """A game sees each of the others once, and by now with its players."""
        found = [each["payload"] for each in self.ask(name, "players/status")]
        self.assertEqual(sorted(each["game"] for each in found), sorted({*self.registered} - {name}))
        return all(each["players"] == [f"{each['game']}'s player"] for each in found)

    def agreed(self) -> None:
        """Both nodes know the same, can change it, and list each game once, with its players."""
        for name in self.games:
            eventually(partial(self.everybody, name), f"{name} sees everybody")
        for node, other in (self.nodes, self.nodes[::-1]):
            for number in range(3):
                node.admin("channel/describe", channel="gossip", description=f"{number} from {node.port}")
                other.admin("channel/describe", channel="gossip", description=f"{number} from {other.port}")
        self.talk()

    def test_rolling(self) -> None:
        """
        Each node is replaced under talk. What was acknowledged is stored, each game hears the others in order and
        nothing twice, nobody is told that a game left, and nobody is in a list twice.
        """
        a, b = self.nodes
        for name, node in (("Alpha", a), ("Beta", b), ("Gamma", b)):
            self.join(name, node)
        self.talk()
        self.upgrade(a, b)
        self.agreed()
        a.logged("nodes speak protocol 1 from now on")
        self.upgrade(b, a)
        self.agreed()
        a.logged("nodes speak protocol 2 from now on")
        with self.database().connect() as connection:
            stored: dict[str, int] = dict(
                connection.execute(text("SELECT message, seq FROM messages ORDER BY seq")).tuples().all()
            )
        self.assertEqual(list(stored), self.acknowledged)
        for name, frames in self.told.items():
            self.assertNotIn("games/disconnect", [frame["event"] for frame in frames], name)
            heard = [frame["payload"] for frame in frames if frame["event"] == "channels/broadcast"]
            self.assertGreater(len(heard), 10)
            self.assertEqual([each["seq"] for each in heard], sorted({each["seq"] for each in heard}))
            self.assertEqual([stored[each["message"]] for each in heard], [each["seq"] for each in heard])
        for node in self.nodes:
            self.assertNotIn("Traceback", node.log)
