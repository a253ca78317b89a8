"""What was acknowledged is there after a kill -9: messages and achievements, under load, again and again."""

from __future__ import annotations

import resource
import signal
from contextlib import closing
from functools import partial
from threading import Thread
from typing import Any, Final, cast

from websockets.exceptions import ConnectionClosed

from gossip.cli.daemon import Failed
from gossip.store.store import Store
from tests.support.daemon import WITHIN, DaemonTestCase, Frame, Game, eventually
from tests.support.world import frame

UNLIMITED: Final = """
[limits.rates]
global = { burst = 0 }
channels_send = { burst = 0 }
"""

WINDOW: Final = 20
"""How many requests of a game wait for their answers."""

ENOUGH: Final = 400
"""How many acknowledged messages every game has when the daemon is killed."""


class Speaker(Thread):
    """
    A game that says and creates things as fast as they are acknowledged, until the connection breaks.

    @ivar said: the messages that were acknowledged.
    @ivar created: the keys of the achievements that were acknowledged.
    @ivar failed: answers that are none of this.
    """

    def __init__(self, game: Game, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.said: list[str] = []
        self.created: list[str] = []
        self.failed: list[Frame] = []
        self._game = game
        self._number = 0

    def has_said(self, messages: int) -> bool:
        """Has every game this many acknowledged messages?"""
        return len(self.said) >= messages

    def run(self) -> None:
        try:
            for _ in range(WINDOW):
                self._ask()
            while True:
                self._hear(self._game.read())
        except (ConnectionClosed, TimeoutError):
            pass

    def _hear(self, heard: Frame) -> None:
        match heard:
            case {"event": "channels/send", "status": "success", "ref": str(ref)}:
                self.said.append(ref)
            case {"event": "achievements/create", "status": "success", "payload": {"key": str(key)}}:
                self.created.append(key)
            case {"status": "failure"}:
                self.failed.append(heard)
            case _:
                return
        self._ask()

    def _ask(self) -> None:
        self._number += 1
        ref = f"{self.name} {self._number}"
        payload: Any = {"channel": "gossip", "name": "Ana", "message": ref}
        if self._number % 10:
            self._game.write(frame("channels/send", payload, ref))
        else:
            self._game.write(frame("achievements/create", {"title": ref}, ref))


class HealthTests(DaemonTestCase):
    """What a real daemon says when it cannot keep what is said, to games, monitors and admins."""

    def setUp(self) -> None:
        self.running = self.daemon().start()
        self.game = self.join(self.running, self.running.register("Alpha"), channels=["gossip"])
        self.assertEqual(self.say(), "success")

    def say(self) -> str:
        """Say something; returns the outcome."""
        return self.game.outcome("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hello!"})

    def health(self) -> tuple[int, str]:
        """What a monitor is told."""
        response = self.running.get("/health")
        return response.status, str(self.running.status()["health"])

    def test_deleted(self) -> None:
        """With the file of the database deleted nothing is acknowledged, and no backup of nothing is made."""
        (self.running.data / "gossip.db").unlink()
        self.assertEqual(self.say(), "an error occurred, try again")
        self.assertEqual(self.health(), (503, "gone"))
        error = self.assertRaises(Failed, self.running.admin, "backup")
        self.assertIn("was deleted or replaced while in use", str(error))
        self.assertEqual(list(self.running.data.glob("*.snapshot")), [])
        self.assertNotIn("Traceback", self.running.log)

    def test_no_room(self) -> None:
        """A file that cannot grow is told with the first failure; with room again, all is well by itself."""
        pid = int((self.running.data / "gossip.db.lock").read_text())
        room = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, ((self.running.data / "gossip.db-wal").stat().st_size, room[1]))
        self.assertEqual([self.say() for _ in range(3)], ["an error occurred, try again"] * 3)
        self.assertEqual(self.health(), (503, "disk-error"))
        self.assertEqual(self.running.log.count("nothing can be written (disk-error)"), 1)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, room)
        self.assertEqual(self.say(), "success")
        self.assertEqual(self.health(), (200, "ok"))


class RestoreTests(DaemonTestCase):
    """An older backup is put in place of the database."""

    def say(self, game: Game, message: str) -> Frame:
        """Say something; returns it as it is in the history."""
        self.assertEqual(
            game.outcome("channels/send", {"channel": "gossip", "name": "Ana", "message": message}), "success"
        )
        [answer] = game.ask("channels/history", {"channel": "gossip", "limit": 1})
        [said] = answer["payload"]["messages"]
        self.assertEqual(said["message"], message)
        return cast(Frame, said)

    def test_numbers(self) -> None:
        """No number of a message or a report comes back, and a game that knows a lost one misses nothing."""
        daemon = self.daemon().start()
        alpha = daemon.register("Alpha")
        with_history: dict[str, Any] = {"supports": ["channels", "history"], "channels": ["gossip"]}
        game = self.join(daemon, alpha, **with_history)
        first = self.say(game, "first")
        backup = daemon.directory / "backup.db"
        daemon.gossipctl("backup", str(backup))
        lost = self.say(game, "lost")
        reports = [
            daemon.admin("report/add", channel="gossip", seq=said["seq"], reason="rude") for said in (first, lost)
        ]
        self.assertEqual(daemon.stop(), 0)
        backup.rename(daemon.data / "gossip.db")
        daemon.start()
        game = self.join(daemon, alpha, **with_history, resume={"gossip": lost["seq"]})
        missed = game.expect("channels/history")
        self.assertEqual((missed["status"], missed["payload"]["messages"]), ("success", []))
        again = self.say(game, "again")
        self.assertGreater(again["seq"], lost["seq"])
        [answer] = game.ask("channels/history", {"channel": "gossip", "after": lost["seq"]})
        self.assertEqual(answer["payload"]["messages"], [again])
        report = daemon.admin("report/add", channel="gossip", seq=again["seq"], reason="rude")
        self.assertGreater(report["number"], max(each["number"] for each in reports))
        self.assertLess(again["seq"], 2**53)

    def test_unknown_number(self) -> None:
        """A game that resumes from a number of another network learns it at once."""
        daemon = self.daemon().start()
        game = self.connect(daemon)
        game.authenticate(
            daemon.register("Alpha"), supports=["channels", "history"], channels=["gossip"], resume={"gossip": 2**53}
        )
        self.assertEqual(game.expect("channels/history")["error"], f'unknown number {2**53} on "gossip"')


class KillTests(DaemonTestCase):
    """kill -9 at any moment loses no acknowledged message or achievement."""

    def test_kill(self) -> None:
        """Three times on the same data; each time the daemon starts by itself on what it finds."""
        daemon = self.daemon(UNLIMITED).start()
        registered = {name: daemon.register(name) for name in ("Alpha", "Beta", "Gamma")}
        said: list[str] = []
        created: dict[str, list[str]] = {name: [] for name in registered}
        for turn in range(3):
            games = {name: self.join(daemon, one, channels=["gossip"]) for name, one in registered.items()}
            speakers = {name: Speaker(game, f"{turn} {name}") for name, game in games.items()}
            for speaker in speakers.values():
                speaker.start()
            for speaker in speakers.values():
                eventually(partial(speaker.has_said, ENOUGH), "acknowledged messages")
            self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
            for name, speaker in speakers.items():
                speaker.join(WITHIN)
                self.assertFalse(speaker.is_alive())
                self.assertEqual(speaker.failed, [])
                self.assertGreater(len(speaker.created), 0)
                said += speaker.said
                created[name] += speaker.created
            daemon.start()
        for name, keys in created.items():
            synced = self.join(daemon, registered[name]).ask("achievements/sync")
            kept = {one["key"] for page in synced for one in page["payload"]["achievements"]}
            self.assertEqual(set(keys) - kept, set())
        self.assertEqual(daemon.stop(), 0)
        with closing(Store.open(None, daemon.data)) as store:
            history = store.history("gossip", 1_000_000)
        messages = [one.message for one in history]
        self.assertEqual(set(said) - set(messages), set())
        self.assertEqual(len(messages), len(set(messages)))
        self.assertEqual(sorted({one.seq for one in history}), [one.seq for one in history])
        for name in registered:
            for turn in range(3):
                numbers = [int(one.split()[2]) for one in messages if one.startswith(f"{turn} {name} ")]
                self.assertEqual(numbers, sorted(numbers))
        self.assertNotIn("Traceback", daemon.log)
