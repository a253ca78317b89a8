"""
A game of the field: Evennia 5, unmodified but for its address.

C{GOSSIP_TEST_EVENNIA} names the Python of an environment in which C{evennia} is installed: it needs older releases of
Twisted and Autobahn than we do.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from twisted.trial.unittest import SkipTest

from tests.support.daemon import WITHIN, DaemonTestCase, Frame, environment, eventually
from tests.support.nginx import OnNginx

PROGRAM = Path(__file__).parents[1] / "support" / "evennia_game.py"
CONNECTED = "Connected and authenticated to Grapevine network."


class Evennia:
    """A running Evennia. L{close} must be called, whatever happens."""

    def __init__(self, python: str, url: str, settings: dict[str, Any]) -> None:
        variables = environment()
        # Its Twisted is not ours.
        del variables["PYTHONPATH"]
        self._process = subprocess.Popen(
            [python, str(PROGRAM), url, json.dumps(settings)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._reports: SimpleQueue[list[Any]] = SimpleQueue()
        assert self._process.stdout is not None
        self._thread = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._thread.start()

    def _read(self, output: IO[bytes]) -> None:
        for line in output:
            self._reports.put(json.loads(line))
        self._reports.put(["end"])

    def call(self, method: str, *arguments: str) -> None:
        """Call a method of Evennia's connection."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, *arguments]).encode() + b"\n")
        self._process.stdin.flush()

    def expect(self, what: str, detail: Any = None) -> Any:
        """Wait until something happened; C{None} is for any detail."""
        passed = []
        while (report := self._reports.get(timeout=WITHIN))[0] != "end":
            if report[0] == what and (detail is None or detail in report):
                return report[-1]
            passed.append(report)
        raise AssertionError(f"Evennia ended, after {passed}")

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(WITHIN)
        self._thread.join(WITHIN)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class EvenniaTestCase(DaemonTestCase):
    """Evennia joins the network."""

    game: Frame
    address: str
    """Where it joins."""

    def setUp(self) -> None:
        python = os.environ.get("GOSSIP_TEST_EVENNIA")
        if not python:
            raise SkipTest("GOSSIP_TEST_EVENNIA names no Python that has Evennia")
        self.python = python
        super().setUp()

    def evennia(self, **changed: Any) -> Evennia:
        """An Evennia that is about to join."""
        settings = {
            "GRAPEVINE_CLIENT_ID": self.game["client_id"],
            "GRAPEVINE_CLIENT_SECRET": self.game["client_secret"],
            "GRAPEVINE_CHANNELS": ["gossip", "testing"],
        }
        evennia = Evennia(self.python, self.address, {**settings, **changed})
        self.addCleanup(evennia.close)
        return evennia

    def heard(self, message: str) -> Frame:
        """What Evennia hands on to its bot."""
        about = {"event": "channels/broadcast", "grapevine_channel": "gossip", "sender": "Ana", "game": "Alpha"}
        return {"bot_data_in": [message, about]}


class EvenniaTests(EvenniaTestCase):
    """Evennia at one daemon."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.daemon().start()
        self.address = self.server.url
        self.game = self.server.register("EvenniaMUD")

    def test_talk(self) -> None:
        """Evennia authenticates, answers heartbeats, hears and speaks, subscribes and unsubscribes."""
        evennia = self.evennia()
        alpha = self.join(self.server, self.server.register("Alpha"), channels=["gossip", "later"])
        evennia.expect("log", CONNECTED)

        def players() -> list[str]:
            status = alpha.ask("players/status", {"game": "EvenniaMUD"})[-1]
            listed: list[str] = status["payload"]["players"]
            return listed

        # The answer to the first heartbeat.
        self.assertEqual(eventually(players, "the players of Evennia"), ["Eve"])
        (status,) = alpha.ask("games/status", {"game": "EvenniaMUD"})
        self.assertEqual(status["payload"]["supports"], ["channels"])
        self.assertRegex(status["payload"]["user_agent"], "^Evennia 5")

        self.assertEqual(alpha.outcome("channels/send", say("Hello, Evennia! ✔️")), "success")
        evennia.expect("data_in", self.heard("Hello, Evennia! ✔️"))
        evennia.call("send_channel", "Hello, Alpha! ✔️", "gossip", "Eve")
        self.assertEqual(
            alpha.expect("channels/broadcast")["payload"],
            {"channel": "gossip", "game": "EvenniaMUD", "name": "Eve", "message": "Hello, Alpha! ✔️"},
        )

        evennia.call("send_subscribe", "later")
        evennia.call("send_channel", "I am here.", "later", "Eve")
        self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "I am here.")
        evennia.call("send_unsubscribe", "later")
        evennia.call("send_channel", "I am not here.", "later", "Eve")
        evennia.call("send_channel", "I am there.", "gossip", "Eve")
        self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "I am there.")

    def test_two_connections(self) -> None:
        """Evennia opens a connection for each channel: each hears what others say once, and none its own game."""
        evennias = [self.evennia(), self.evennia()]
        for evennia in evennias:
            evennia.expect("log", CONNECTED)
        alpha = self.join(self.server, self.server.register("Alpha"), channels=["gossip"])
        evennias[0].call("send_channel", "Does my other half hear me?", "gossip", "Eve")
        self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "Does my other half hear me?")
        alpha.outcome("channels/send", say("No."))
        for evennia in evennias:
            self.assertEqual(evennia.expect("data_in"), self.heard("No."))

    def test_bad_channel(self) -> None:
        """A channel that may not be had is told, and Evennia stays."""
        evennia = self.evennia(GRAPEVINE_CHANNELS=["gossip", "all"])
        error = "Grapevine error: Could not subscribe to 'all'"
        evennia.expect("data_in", {"bot_data_in": [error, {"event": "channels/subscribe"}]})
        alpha = self.join(self.server, self.server.register("Alpha"), channels=["gossip"])
        evennia.call("send_channel", "Still here.", "gossip", "Eve")
        self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "Still here.")

    def test_wrong_secret(self) -> None:
        """Evennia understands that its credentials are wrong."""
        evennia = self.evennia(GRAPEVINE_CLIENT_SECRET=self.game["client_id"])
        evennia.expect("log", "Grapevine authentication failed.")
        evennia.expect("log", "Grapevine connection lost (Auth error)")

    def test_restart(self) -> None:
        """Evennia understands that the network goes away for a while."""
        evennia = self.evennia()
        evennia.expect("log", CONNECTED)
        self.assertEqual(self.server.stop(), 0)
        evennia.expect("log", "Grapevine connection lost (Server restart).")


class EvenniaOnNodesTests(EvenniaTestCase, OnNginx):
    """Evennia at a pair of nodes behind nginx."""

    def setUp(self) -> None:
        super().setUp()
        self.address = f"ws://127.0.0.1:{self.plain}/socket"
        self.game = self.nodes[0].register("EvenniaMUD")

    def test_two_connections(self) -> None:
        """
        Two connections of Evennia are on different nodes: each hears what others say once, and none its own game. When
        a node stops, Evennia understands that.
        """
        first = self.evennia()
        first.expect("log", CONNECTED)
        here, other = self.apart("joined: EvenniaMUD")
        here.admin("node/drain")
        second = self.evennia()
        second.expect("log", CONNECTED)
        other.logged("joined: EvenniaMUD")
        alpha = self.join(other, other.register("Alpha"), channels=["gossip"])
        for evennia in (first, second):
            evennia.call("send_channel", "Does my other half hear me?", "gossip", "Eve")
            self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "Does my other half hear me?")
        alpha.outcome("channels/send", say("No."))
        for evennia in (first, second):
            self.assertEqual(evennia.expect("data_in"), self.heard("No."))
        self.assertEqual(here.stop(), 0)
        first.expect("log", "Grapevine connection lost (Server restart).")
        second.call("send_channel", "My other half is gone.", "gossip", "Eve")
        self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "My other half is gone.")


def say(message: str) -> Frame:
    return {"channel": "gossip", "name": "Ana", "message": message}
