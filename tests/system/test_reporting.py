"""Reports from games, and notices of mutes and bans, at a real daemon: by websocket and by telnet."""

from __future__ import annotations

import re
import signal
from typing import Any

from tests.support.daemon import Daemon, DaemonTestCase, Game, eventually, free_port
from tests.support.telnet_line import Line
from tests.support.world import frame

UNLIMITED = """
[limits.rates]
reports_create = { burst = 0 }
"""


class ReportingTestCase(DaemonTestCase):
    """A daemon with a telnet port."""

    def start(self, config: str = "") -> Daemon:
        """A daemon with a telnet port."""
        self.port = free_port()
        return self.daemon(config, arguments=("--telnet", f"tcp:{self.port}:interface=127.0.0.1")).start()

    def line(self, registered: dict[str, Any], *before: str) -> Line:
        """A MUD that has logged in."""
        mud = Line(self.port)
        self.addCleanup(mud.close)
        mud.say(*before, f"LOGIN {registered['client_id']} {registered['client_secret']}", "SUBSCRIBE gossip")
        mud.until("OK SUBSCRIBE")
        return mud


class ReportTests(ReportingTestCase):
    """Reports from games."""

    def report(self, from_: Game, **payload: str) -> dict[str, Any]:
        """A game reports something; the payload of the answer, or its error."""
        [answer] = from_.ask("reports/create", {"from": "Ana", "reason": "slur", **payload}, "r1")
        self.assertEqual((answer["event"], answer["ref"]), ("reports/create", "r1"))
        return answer.get("payload") or {"error": answer["error"]}

    def test_websocket(self) -> None:
        """
        A message that was said a moment ago is reported, in one write with it; the report survives a kill right after
        its answer, and an admin sees it.
        """
        daemon = self.start(UNLIMITED)
        alpha, beta = daemon.register("Alpha"), daemon.register("Beta")
        game = self.join(daemon, alpha, supports=["channels", "history"], channels=["gossip"])
        other = self.join(daemon, beta, channels=["gossip"])
        said = frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Darn!"}, "s")
        payload = {"channel": "gossip", "game": "beta", "name": "bo", "from": "Cy", "reason": "language"}
        success, made = other.hear(said, frame("reports/create", payload, "r"))
        self.assertEqual((success["status"], made["status"], made["ref"]), ("success", "success", "r"))
        heard = game.expect("channels/broadcast")["payload"]
        first = self.report(game, id=heard["id"])
        self.assertEqual(list(first), ["report"])
        self.assertEqual(self.report(game, id=heard["id"]), {"error": "reported already"})
        self.assertEqual(self.report(game, id="gossip:1"), {"error": "no such message"})
        quoted = self.report(game, game="Beta", name="Bo", quote="I will <b>find</b> you")
        daemon.stop(signal.SIGKILL)
        daemon.start()
        reports = daemon.gossipctl("report", "list")["reports"]
        keys = ("number", "channel", "message", "quote", "verified", "made_by")
        self.assertEqual(
            [tuple(each[key] for key in keys) for each in reports],
            [
                (made["payload"]["report"], "gossip", "Darn!", None, True, "Cy@Beta"),
                (first["report"], "gossip", "Darn!", None, True, "Ana@Alpha"),
                (quoted["report"], None, None, "I will find you", False, "Ana@Alpha"),
            ],
        )

    def test_rate(self) -> None:
        """Three reports pass at once, and many more do not end the connection."""
        daemon = self.start()
        game = self.join(daemon, daemon.register("Alpha"))
        daemon.register("Beta")
        told = [self.report(game, game="Beta", name="Bo", quote=str(number)) for number in range(30)]
        self.assertEqual([list(each) for each in told[:3]], [["report"]] * 3)
        self.assertEqual(told[3:], [{"error": "rate limit exceeded"}] * 27)

    def test_hidden(self) -> None:
        """What is said on a hidden channel does not exist for a game that does not hear it."""
        daemon = self.start(UNLIMITED)
        daemon.admin("channel/create", channel="staff", hidden=True)
        speaker = self.join(daemon, daemon.register("Alpha"), supports=["channels", "history"], channels=["staff"])
        speaker.ask("channels/send", {"channel": "staff", "name": "Bo", "message": "Psst"})
        [answer] = speaker.ask("channels/history", {"channel": "staff"})
        identity = answer["payload"]["messages"][0]["id"]
        stranger = self.join(daemon, daemon.register("Beta"))
        for payload in ({"id": identity}, {"channel": "staff", "game": "Alpha", "name": "Bo"}):
            self.assertEqual(self.report(stranger, **payload), {"error": "no such message"})
            self.assertEqual(list(self.report(speaker, **payload, **{"from": str(len(payload))})), ["report"])

    def test_telnet(self) -> None:
        """The same in lines."""
        daemon = self.start()
        alpha, beta = daemon.register("Alpha"), daemon.register("Beta")
        game = self.join(daemon, alpha, channels=["gossip"])
        mud = self.line(beta)
        game.ask("channels/send", {"channel": "gossip", "name": "Bo Two", "message": "Darn!"})
        self.assertEqual(mud.until("MSG")[-1], "MSG gossip Bo%20Two@Alpha Darn!")
        mud.say("REPORT Ana Bo%20Two@Alpha gossip bad language")
        number = re.fullmatch("OK REPORT ([0-9]+)", mud.until("OK REPORT")[-1])
        assert number is not None
        mud.say("@2 REPORT Ana Bo%20Two@Alpha gossip bad language")
        self.assertEqual(mud.until("@2")[-1], "@2 ERR REPORT 409 reported already")
        mud.say("REPORT Ana Nobody@Alpha gossip so")
        self.assertEqual(mud.until("ERR")[-1], "ERR REPORT 404 no such message")
        [report] = daemon.gossipctl("report", "list")["reports"]
        self.assertEqual(
            (report["number"], report["made_by"], report["reason"], report["name"]),
            (int(number[1]), "Ana@Beta", "bad language", "Bo Two"),
        )


class NoticeTests(ReportingTestCase):
    """Notices of mutes and bans."""

    def test_notices(self) -> None:
        """A game that asked is told of a mute, its end by itself, and a ban; one that did not ask hears nothing."""
        daemon = self.start()
        alpha, beta = daemon.register("Alpha"), daemon.register("Beta")
        game = self.join(daemon, alpha, extensions=["moderation"], players=["Ana"])
        old = self.join(daemon, alpha)
        other = self.join(daemon, beta, extensions=["moderation"])
        mud = self.line(alpha, "OPTION extensions=moderation")
        muted = daemon.admin("mute/add", who="ana@Alpha", reason="shouting", minutes=0.03)
        notice = game.expect("moderation/notice")
        self.assertRegex(str(notice["ref"]), "^[0-9a-f-]{36}$")
        until = muted["until"][:19] + "Z"
        payload = {"kind": "mute", "name": "Ana", "channel": None, "reason": "shouting", "until": until}
        self.assertEqual(notice["payload"], payload)
        self.assertEqual(mud.until("NOTICE")[-1], f"NOTICE mute Ana - {until} shouting")
        payload |= {"kind": "lifted", "until": None}
        self.assertEqual(game.expect("moderation/notice")["payload"], payload)
        self.assertEqual(mud.until("NOTICE")[-1], "NOTICE lifted Ana - - shouting")
        heard = [each["event"] for each in (*old.hear(), *other.hear())]
        self.assertEqual(heard, ["games/connect"])
        daemon.admin("ban/add", who="Alpha", reason="spam")
        self.assertEqual(mud.until("NOTICE")[-1], "NOTICE ban - - - spam")
        frames, code, _ = game.ended()
        told = [each["payload"]["kind"] for each in frames if each["event"] == "moderation/notice"]
        self.assertEqual((told, frames[-1]["error"], code), (["ban"], "banned: spam", 4000))

    def test_restart(self) -> None:
        """A mute that goes on over a restart ends with a notice all the same."""
        daemon = self.start()
        alpha = daemon.register("Alpha")
        daemon.admin("mute/add", who="Bo@Alpha", reason="so", minutes=0.1)
        daemon.stop(signal.SIGKILL)
        daemon.start()
        game = self.join(daemon, alpha, extensions=["moderation"])
        self.assertEqual(game.expect("moderation/notice", within=60)["payload"]["kind"], "lifted")
        eventually(lambda: not daemon.admin("mute/list")["mutes"], "no mute in the list")
