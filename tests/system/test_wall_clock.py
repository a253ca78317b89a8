"""A machine whose clock somebody sets, under a real daemon with timers pending."""

from __future__ import annotations

import signal
from pathlib import Path
from unittest import SkipTest

from tests.support.daemon import DaemonTestCase, Frame, Game, eventually

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
"""libfaketime (Debian: libfaketime) shows a process another time of day than the machine's."""

HOUR = 3600
DAY = 24 * HOUR


def said(text: str) -> Frame:
    return {"channel": "gossip", "name": "Ana", "message": text}


class SetClockTests(DaemonTestCase):
    """Two games talk while the wall clock is set back and forward."""

    def setUp(self) -> None:
        if not LIBRARIES:
            raise SkipTest("libfaketime is not installed")
        self.running = self.daemon()
        self.offset = self.running.directory / "offset"
        self.set_clock(0)
        self.running.environment = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        self.running.start()
        self.games = [self.running.register(name) for name in ("Alpha", "Beta")]
        self.alpha, self.beta = (self.enter(game, "channels") for game in self.games)

    def set_clock(self, seconds: int) -> None:
        """Set the wall clock of the daemon, by seconds from the machine's."""
        # In one step: the daemon may read it at any time.
        written = self.offset.with_suffix(".new")
        written.write_text(f"{seconds:+d}\n")
        written.rename(self.offset)

    def enter(self, game: Frame, *supports: str) -> Game:
        """A game joins, and subscribes to a channel."""
        return self.join(self.running, game, supports=list(supports), channels=["gossip"])

    def talk(self, *texts: str) -> None:
        """What Alpha says is acknowledged, and Beta hears it."""
        for text in texts:
            self.assertEqual(self.alpha.outcome("channels/send", said(text)), "success")
            self.assertEqual(self.beta.expect("channels/broadcast")["payload"]["message"], text)

    def history(self) -> list[str]:
        """All that is on disk."""
        reader = self.enter(self.games[1], "channels", "history")
        (answer,) = reader.ask("channels/history", {"channel": "gossip"})
        return [line["message"] for line in answer["payload"]["messages"]]

    def mutes(self) -> int:
        return len(self.running.admin("mute/list")["mutes"])

    def test_set_back(self) -> None:
        """A clock that is set back by hours stops nothing: messages are heard, kept and acknowledged, beats come."""
        self.talk("before")
        # Timers of the writer, the fan-out and the tick are pending all the time.
        texts = [f"message {number}" for number in range(5)]
        for number, text in enumerate(texts, 1):
            self.set_clock(-HOUR * number)
            self.talk(text)
        self.assertEqual(self.running.get("/health").status, 200)
        self.running.logged("the clock of this machine was set by -")
        self.alpha.expect("heartbeat", within=40)
        self.assertEqual(self.history(), ["before", *texts])
        self.assertLess(self.running.status()["uptime"], HOUR)

    def test_killed_after_it_was_set_back(self) -> None:
        """What others heard before a kill -9 was not waiting for a timer that is an hour late."""
        self.set_clock(-HOUR)
        self.running.logged("the clock of this machine was set by -3600 s")
        self.talk("kept")
        self.running.stop(signal.SIGKILL)
        self.running.start()
        self.assertEqual(self.history(), ["kept"])

    def test_ahead(self) -> None:
        """A clock that is 400 days ahead for some seconds deletes nothing."""
        self.talk("before")
        self.running.admin("mute/add", who="Alpha", reason="quiet", minutes=60 * 24)
        self.set_clock(400 * DAY)
        self.running.logged("the clock of this machine was set by +34560000 s")
        ticks = self.running.status()["uptime"]
        eventually(lambda: self.running.status()["uptime"] >= ticks + 4, "some seconds")
        self.set_clock(0)
        self.running.logged("the clock of this machine was set by -34560000 s")
        self.assertEqual(self.mutes(), 1)
        self.running.stop()
        self.running.start()
        self.assertEqual(self.mutes(), 1)
        self.assertEqual(self.history(), ["before"])
