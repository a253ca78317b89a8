"""Nodes whose PostgreSQL server stops, crashes, falls silent or is replaced by its standby."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial

import psycopg
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.checking import faults
from tests.support.daemon import Daemon, Frame, Game, eventually
from tests.support.engine import Engine, Proxy, engine, hosts
from tests.support.world import FLAGS

CONFIG = """
[cluster]
lease_seconds = 3.0
[limits.rates]
channels_send = { burst = 0 }
global = { burst = 0 }
"""


def said(text: str) -> Frame:
    """What a game says."""
    return {"channel": "gossip", "name": "Ana", "message": text}


class EngineTests(SynchronousTestCase):
    """Two nodes, with a game on each: Alpha on a, Beta on b."""

    def setUp(self) -> None:
        self.engine = engine(self.addCleanup)

    def begin(self, url: str | None = None, other: str | None = None) -> None:
        """
        Start the nodes, and let the games join.

        @param url: of the database.
        @param other: how node b reaches it.
        """
        url = url or self.engine.url()
        self.a = self.node("a", url)
        self.games = {name: self.a.register(name) for name in ("Alpha", "Beta", "Gamma")}
        self.first = self.join(self.a, "Alpha")
        # It reads what the other knows.
        self.b = self.node("b", other or url)
        self.other = self.join(self.b, "Beta")
        self.first.expect("games/connect")
        self.acknowledged: list[str] = []
        self.numbers: dict[int, str] = {}

    def node(self, name: str, url: str) -> Daemon:
        daemon = Daemon(CONFIG, ("--node", name, "--database", url))
        self.addCleanup(daemon.close)
        return daemon.start()

    def join(self, node: Daemon, name: str) -> Game:
        game = Game(node.url)
        self.addCleanup(game.close)
        game.authenticate(self.games[name], channels=["gossip"], supports=[*FLAGS, "history"])
        return game

    def say(self, game: Game, *texts: str) -> None:
        """Say something, and note what is acknowledged."""
        for text in texts:
            if game.outcome("channels/send", said(text)) == "success":
                self.acknowledged.append(text)

    def hears(self, game: Game, *texts: str) -> list[Frame]:
        """A game hears these next, and nothing else; no number comes twice."""
        frames = [game.read() for _ in texts]
        while {"event": "heartbeat"} in frames:
            frames = [frame for frame in frames if frame != {"event": "heartbeat"}]
            frames += [game.read() for _ in range(len(texts) - len(frames))]
        self.assertEqual([frame["event"] for frame in frames], ["channels/broadcast"] * len(texts))
        self.assertEqual([frame["payload"]["message"] for frame in frames], list(texts))
        for frame in frames:
            self.note(frame["payload"]["seq"], frame["payload"]["message"])
        return frames

    def note(self, number: int, text: str) -> None:
        """A number is given once."""
        self.assertEqual(self.numbers.setdefault(number, text), text)

    def stored(self) -> dict[str, int]:
        """What is stored, with the numbers."""
        return dict(self.engine.execute("SELECT message, seq FROM messages ORDER BY seq"))

    def deaf(self, *nodes: Daemon) -> None:
        """These nodes say that they hear nobody."""

        def is_deaf(node: Daemon) -> bool:
            with closing(http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)) as connection:
                connection.request("GET", "/health")
                answer = connection.getresponse()
                return (answer.status, json.loads(answer.read())["status"]) == (503, "deaf")

        for node in nodes:
            eventually(partial(is_deaf, node), "a deaf node")

    def well(self) -> None:
        """Both nodes hear each other, what was acknowledged is stored, and nobody was told that a game came or left."""
        for node in (self.a, self.b):
            node.wait_until_healthy()
        self.say(self.first, "from a")
        self.hears(self.other, "from a")
        self.say(self.other, "from b")
        self.hears(self.first, "from b")
        stored = self.stored()
        self.assertEqual([text for text in self.acknowledged if text not in stored], [])
        for number, text in self.numbers.items():
            if text in stored:
                self.assertEqual(stored[text], number)
        for game, name in ((self.first, "Beta"), (self.other, "Alpha")):
            (status,) = game.ask("players/status", {"game": name})
            self.assertEqual(status["payload"]["game"], name)
        rows = self.engine.execute("SELECT node FROM node_sessions ORDER BY node")
        self.assertEqual(rows, [("a",), ("b",)])
        for node in (self.a, self.b):
            self.assertNotIn("Traceback", node.log)

    def test_restarted(self) -> None:
        """The server ends properly and is started again: what is said meanwhile waits, and is heard then."""
        self.begin()
        self.say(self.first, "before")
        self.hears(self.other, "before")
        self.engine.stop()
        self.deaf(self.a, self.b)
        here, *others = self.a.gossipctl_text("node", "list").splitlines()[1:]
        self.assertEqual(here.split()[-2], "deaf")
        self.assertEqual({line.split()[-2] for line in others} - {"unknown"}, set())
        # What needs no database goes on.
        self.assertEqual(self.first.ask("players/status", {"game": "Alpha"})[-1]["payload"]["game"], "Alpha")
        self.first.write({"event": "channels/send", "ref": "w", "payload": said("meanwhile")})
        self.engine.start()
        self.assertEqual(self.first.expect("channels/send")["status"], "success")
        self.acknowledged.append("meanwhile")
        self.hears(self.other, "meanwhile")
        self.well()

    def test_moved(self) -> None:
        """A network moves from a daemon on SQLite to a node, with its games and messages, and back to one daemon."""
        daemon = Daemon(CONFIG)
        self.addCleanup(daemon.close)
        alpha = daemon.start().register("Alpha")

        def say(text: str) -> list[int]:
            """Join and say something; returns the numbers of all messages."""
            game = Game(daemon.url)
            self.addCleanup(game.close)
            game.authenticate(alpha, channels=["gossip"], supports=[*FLAGS, "history"])
            self.assertEqual(game.outcome("channels/send", said(text)), "success")
            history = game.ask("channels/history", {"channel": "gossip"})
            (messages,) = [frame["payload"]["messages"] for frame in history if frame["event"] == "channels/history"]
            self.assertEqual(messages[-1]["message"], text)
            return [message["seq"] for message in messages]

        numbers = say("on SQLite")
        daemon.stop()
        for copied in (True, False):
            result = daemon.gossipctl("copy-to", self.engine.url())
            self.assertEqual((result["copied"], result["rows"]["messages"]), (copied, 1))
        for arguments in (("--node", "a"), (), ("--node", "b")):
            daemon.arguments = ("--database", self.engine.url(), *arguments)
            daemon.start()
            found = say(f"as {arguments}")
            self.assertEqual(found[:-1], numbers)
            self.assertGreater(found[-1], numbers[-1])
            numbers = found
            daemon.stop()

    def talk(self, count: int = 100) -> None:
        """Alpha says many things at once, without waiting for the answers."""
        for number in range(count):
            self.first.write(
                {"event": "channels/send", "ref": f"message {number}", "payload": said(f"message {number}")}
            )

    def answers(self, count: int = 100) -> list[str]:
        """What became of each of them."""
        outcomes: dict[str, str] = {}
        while len(outcomes) < count:
            frame = self.first.read(60)
            if frame.get("ref", "").startswith("message "):
                outcomes[frame["ref"]] = frame["status"]
        self.acknowledged += [text for text, status in outcomes.items() if status == "success"]
        return list(outcomes.values())

    def crash(self, crash: Callable[[], object]) -> None:
        """The server crashes under talk."""
        self.begin()
        self.say(self.first, "before")
        self.hears(self.other, "before")
        self.talk()
        self.other.expect("channels/broadcast")
        crash()
        self.answers()
        for node in (self.a, self.b):
            node.wait_until_healthy()
        self.first.write({"event": "channels/send", "ref": "last", "payload": said("last")})
        while (frame := self.other.read())["event"] in ("heartbeat", "channels/broadcast"):
            if frame["event"] == "channels/broadcast":
                self.note(frame["payload"]["seq"], frame["payload"]["message"])
                if frame["payload"]["message"] == "last":
                    break
        self.assertEqual(self.first.expect("channels/send")["status"], "success")
        self.well()
        stored = self.stored()
        self.assertEqual(len(stored), len(set(stored.values())))

    def test_crashed(self) -> None:
        """The server crashes under talk: no number comes twice, and what was acknowledged is stored."""

        def crash() -> None:
            self.engine.stop("immediate")
            self.engine.start()

        self.crash(crash)

    def test_process_crashed(self) -> None:
        """A process of the server crashes, which throws all others out, and loses what was not flushed."""

        def crash() -> None:
            self.engine.kill_one()

        self.crash(crash)

    def test_numbers_after_a_crash(self) -> None:
        """Numbers that were heard and not flushed do not come again, though the database has forgotten them."""
        self.begin()
        self.say(self.first, "before")
        (frame,) = self.hears(self.other, "before")
        # As if the crash had undone it.
        with psycopg.connect(self.engine.url(), autocommit=True) as connection:
            connection.execute("DELETE FROM messages")
            connection.execute("SELECT setval('numbers', %s)", (frame["payload"]["seq"] - 1,))
        self.engine.execute("CHECKPOINT")
        self.acknowledged.clear()
        self.engine.kill_one()
        self.a.logged("hears the others", times=2)
        self.b.logged("hears the others", times=2)
        self.well()
        self.assertGreater(min(self.stored().values()), frame["payload"]["seq"])

    def test_cut_off(self) -> None:
        """
        One node hears and reaches the server no more, though nothing tells it so. The others take it for dead; when it
        is back it hears what it missed, and nobody was told that a game left.
        """
        proxy = Proxy(self.engine.port)
        self.addCleanup(proxy.close)
        self.begin(other=self.engine.url(proxy.port))
        proxy.fall_silent()
        self.a.logged("node b is silent")
        self.deaf(self.b)
        self.say(self.first, "one", "two")
        self.assertEqual(self.other.ask("players/status", {"game": "Beta"})[-1]["payload"]["game"], "Beta")
        self.other.write({"event": "channels/send", "ref": "w", "payload": said("from the silence")})
        proxy.speak()
        self.hears(self.other, "one", "two")
        self.assertEqual(self.other.read()["status"], "success")
        self.hears(self.first, "from the silence")
        self.well()

    def test_told_late(self) -> None:
        """
        What an admin did while a node heard nobody: its games are told of it when they would have been, games without
        extensions are told nothing more than that a channel is silent, and a game that was banned has to go.
        """
        proxy = Proxy(self.engine.port)
        self.addCleanup(proxy.close)
        self.begin(other=self.engine.url(proxy.port))
        modern = Game(self.b.url)
        self.addCleanup(modern.close)
        extensions = ["directory", "moderation"]
        modern.authenticate(self.games["Alpha"], channels=["gossip"], players=["Ana"], extensions=extensions)
        self.say(self.first, "spam")
        (heard,) = self.hears(self.other, "spam")
        banned = self.join(self.b, "Gamma")
        self.assertEqual(self.other.expect("games/connect")["payload"]["game"], "Gamma")
        proxy.fall_silent()
        self.deaf(self.b)
        self.a.admin("message/remove", id=heard["payload"]["id"], reason="slur")
        self.a.admin("mute/add", who="Ana@Alpha", reason="shouting")
        self.a.admin("channel/describe", channel="gossip", description="Talk")
        self.a.admin("ban/add", who="Gamma", reason="spam")
        proxy.speak()
        frames, code, _ = banned.ended()
        self.assertEqual((frames[-1]["error"], code), ("banned: spam", 4000))
        self.b.wait_until_healthy()
        told = {each["event"]: each["payload"] for each in modern.hear() if each["event"] != "games/connect"}
        self.assertEqual(set(told), {"channels/removed", "moderation/notice", "channels/changed"})
        removed = told["channels/removed"]
        self.assertEqual((removed["id"], removed["reason"]), (heard["payload"]["id"], "slur"))
        self.assertEqual(told["moderation/notice"]["reason"], "shouting")
        self.assertEqual(told["channels/changed"]["description"], "Talk")
        self.assertEqual(self.other.hear(), [])

    def test_frozen(self) -> None:
        """A node that freezes in the middle of large groups keeps the others waiting for seconds at most."""
        self.begin()
        game = Game(self.a.url)
        self.addCleanup(game.close)
        game.authenticate(self.games["Gamma"], channels=[])
        self.other.expect("games/connect")
        self.first.expect("games/connect")
        for number in range(100):
            self.first.write({"event": "channels/send", "payload": said(f"{number} " + "x" * 3000)})
        self.other.expect("channels/broadcast")
        self.a.send_signal(signal.SIGSTOP)
        self.other.write({"event": "channels/send", "ref": "w", "payload": said("though a is frozen")})
        while (frame := self.other.read(8)).get("ref") != "w":
            pass
        self.assertEqual(frame["status"], "success")
        self.a.send_signal(signal.SIGCONT)

    def standby(self) -> Engine:
        """A standby of the server."""
        standby = Engine(self.engine)
        self.addCleanup(standby.close)
        return standby.start()

    def test_fail_over(self) -> None:
        """With a synchronous standby nothing that was acknowledged is lost, and no number comes twice."""
        standby = self.standby()
        self.engine.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.engine.execute("SELECT pg_reload_conf()")
        eventually(
            lambda: self.engine.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"),
            "a synchronous standby",
        )
        self.begin(hosts(self.engine, standby))
        self.talk()
        self.other.expect("channels/broadcast")
        self.engine.stop("immediate")
        standby.promote()
        self.engine = standby
        self.answers()
        self.first.hear()
        self.other.hear()
        self.well()

    def test_fail_over_asynchronous(self) -> None:
        """
        With an asynchronous standby exactly that is lost which it had not received, acknowledged or not. The network
        goes on with the rest, and gives no number twice.
        """
        standby = self.standby()
        self.begin(hosts(self.engine, standby))
        self.say(self.first, "received")
        self.a.admin("channel/describe", channel="gossip", description="received")
        described = "SELECT 1 FROM channels WHERE description = 'received'"
        eventually(lambda: standby.execute(described), "a standby that has received everything")
        standby.stop()
        self.say(self.first, "lost", "lost as well")
        self.a.admin("channel/describe", channel="gossip", description="lost")
        self.hears(self.other, "received", "lost", "lost as well")
        self.assertEqual(self.acknowledged, ["received", "lost", "lost as well"])
        self.engine.stop("immediate")
        standby.start().promote()
        self.engine = standby
        for node in (self.a, self.b):
            node.wait_until_healthy()
            (channel,) = [each for each in node.admin("channel/list")["channels"] if each["name"] == "gossip"]
            self.assertEqual(channel["description"], "received")
        self.assertEqual(list(self.stored()), ["received"])
        self.acknowledged = ["received"]
        self.well()

    def test_connections_run_out(self) -> None:
        """A node that gets no connection does not start, and says why; before that, --check warns."""
        self.engine.execute("CREATE ROLE plain LOGIN SUPERUSER")
        url = self.engine.url().replace("gossip@", "plain@")
        daemon = Daemon("", ("--node", "a", "--database", url))
        self.addCleanup(daemon.close)
        daemon.start().stop()
        self.engine.execute("ALTER ROLE plain NOSUPERUSER")
        self.engine.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
        with ExitStack() as held:
            for _ in range(34):
                held.enter_context(psycopg.connect(url))
            self.assertIn("it has 3 connections left, and a node takes 7", [text for _, text in faults(url)])
            for _ in range(3):
                held.enter_context(psycopg.connect(url))
            daemon.launch()
            self.assertEqual(daemon.wait(), 1)
            self.assertIn("remaining connection slots are reserved", daemon.log)
            self.assertNotIn("Traceback", daemon.log)
