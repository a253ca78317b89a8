"""Moderation and history at a real daemon: what holds over a restart, and from one process to another."""

from __future__ import annotations

import os
import pwd
import signal

from tests.support.daemon import DaemonTestCase, Game, eventually
from tests.support.world import frame

HISTORY = ["channels", "history"]
QUICK = """
[limits.rates]
channels_send = { burst = 0 }
"""


def say(game: Game, text: str = "Hi") -> str:
    """Say something; returns C{success}, or the error."""
    return game.outcome("channels/send", {"channel": "gossip", "name": "Ana", "message": text})


class ModerationTests(DaemonTestCase):
    """Order is kept."""

    def test_mute(self) -> None:
        """A mute counts on the very next event, survives a kill, ends by itself, and stands in the log."""
        daemon = self.daemon(QUICK).start()
        alpha = daemon.register("Alpha")
        game = self.join(daemon, alpha, channels=["gossip"])
        self.assertEqual(say(game), "success")
        daemon.gossipctl("mute", "add", "Ana@Alpha", "shouting")
        self.assertEqual(say(game), "muted: shouting")
        daemon.stop(signal.SIGKILL)
        daemon.start()
        game = self.join(daemon, alpha, channels=["gossip"])
        self.assertEqual(say(game), "muted: shouting")
        daemon.admin("mute/add", who="Ana@Alpha", reason="shouting", minutes=0.02)
        self.assertRegex(say(game), "^muted until 20.*Z: shouting$")
        eventually(lambda: say(game) == "success", "the end of the mute")
        [*_, first, _] = daemon.gossipctl("audit")["entries"]
        user = f"unix:{pwd.getpwuid(os.getuid()).pw_name}"
        self.assertEqual((first["actor"], first["operation"], first["subject"]), (user, "mute/add", "Ana@Alpha"))

    def test_ban(self) -> None:
        """A banned game is told why, is closed, and gets in no more."""
        daemon = self.daemon().start()
        alpha = daemon.register("Alpha")
        game = self.join(daemon, alpha)
        daemon.admin("ban/add", who="Alpha", reason="spam")
        frames, code, _ = game.ended()
        told = {"event": "authenticate", "status": "failure", "error": "banned: spam"}
        self.assertEqual((frames[-1], code), (told, 4000))
        again = self.connect(daemon)
        again.write(frame("authenticate", {**alpha, "supports": ["channels"]}))
        self.assertEqual(again.ended()[0][0]["error"], "invalid credentials")
        daemon.admin("ban/remove", who="Alpha")
        self.join(daemon, alpha)

    def test_filter(self) -> None:
        """A dry run says what a filter would have hit, and changes nothing; the filter itself then does."""
        daemon = self.daemon(QUICK).start()
        game = self.join(daemon, daemon.register("Alpha"), channels=["gossip"])
        for text in ("Darn!", "darning", "Hi"):
            self.assertEqual(say(game, text), "success")
        tried = daemon.gossipctl("filter", "try", "darn")
        self.assertEqual((tried["messages"], tried["hits"], tried["shown"][0]["message"]), (3, 1, "Darn!"))
        self.assertEqual(say(game, "Darn!"), "success")
        daemon.gossipctl("filter", "add", "darn", "mind your language")
        self.assertEqual(say(game, "Darn!"), "message refused: mind your language")
        self.assertEqual(say(game, "darning"), "success")

    def test_report(self) -> None:
        """A message that somebody complains of is kept with the complaint."""
        daemon = self.daemon().start()
        game = self.join(daemon, daemon.register("Alpha"), supports=HISTORY, channels=["gossip"])
        say(game, "Darn!")
        [answer] = game.ask("channels/history", {"channel": "gossip"})
        seq = answer["payload"]["messages"][0]["seq"]
        made = daemon.admin("report/add", channel="gossip", seq=seq, reason="rude")
        self.assertEqual(made["message"], "Darn!")
        daemon.stop()
        number = str(made["number"])
        self.assertLessEqual(len(number), 7)
        self.assertEqual(daemon.gossipctl("report", "resolve", number, "warned")["resolution"], "warned")
        self.assertEqual(daemon.gossipctl("report", "list")["reports"], [])
        self.assertEqual(len(daemon.gossipctl("report", "list", "--all")["reports"]), 1)


class HistoryTests(DaemonTestCase):
    """Games learn what was said while they were away."""

    def test_resume(self) -> None:
        """Over a restart nothing is lost: what was said is in the history, in order, and numbers go on."""
        daemon = self.daemon(QUICK).start()
        alpha, beta = daemon.register("Alpha"), daemon.register("Beta")
        speaker = self.join(daemon, alpha, supports=["channels"], channels=["gossip"])
        hearer = self.join(daemon, beta, supports=HISTORY, channels=["gossip"])
        say(speaker, "one")
        heard = hearer.expect("channels/broadcast")["payload"]
        hearer.close()
        for text in ("two", "three"):
            say(speaker, text)
        daemon.stop()
        daemon.start()
        speaker = self.join(daemon, alpha, supports=["channels"], channels=["gossip"])
        hearer = self.join(daemon, beta, supports=HISTORY, channels=["gossip"], resume={"gossip": heard["seq"]})
        missed = hearer.expect("channels/history")["payload"]
        seqs = [heard["seq"] + after for after in (1, 2)]
        self.assertEqual(
            [(each["message"], each["id"]) for each in missed["messages"]],
            [("two", f"gossip:{seqs[0]}"), ("three", f"gossip:{seqs[1]}")],
        )
        self.assertFalse(missed["more"])
        say(speaker, "four")
        live = hearer.expect("channels/broadcast")["payload"]
        self.assertGreater(live["seq"], seqs[1])
        [answer] = hearer.ask("channels/history", {"channel": "gossip", "limit": 2})
        self.assertEqual([each["message"] for each in answer["payload"]["messages"]], ["three", "four"])
        self.assertEqual(answer["payload"]["messages"][1]["sent_at"], live["sent_at"])
        self.assertTrue(answer["payload"]["more"])
