"""Removing messages, in a real browser, at a real daemon."""

from __future__ import annotations

import json
import signal

from tests.support.browsing import BrowserTestCase
from tests.support.daemon import eventually
from tests.support.site_browser import HOSTILE

DEEDS = "return [...document.querySelectorAll(`[data-deed='${arguments[0]}']`)].map((deed) => deed.hidden)"
LINE = "return document.getElementById(arguments[0])?.querySelector('.text').innerText"


class RemovalTests(BrowserTestCase):
    """A channel with two messages."""

    def setUp(self) -> None:
        super().setUp()
        self.game = self.join()
        self.say(self.game, "Buy gold")
        self.say(self.game, "Hello", "Bo")
        answer = self.daemon.get("/api/v1/channels/gossip/messages").read()
        self.seqs = [said["seq"] for said in json.loads(answer)["messages"]]

    def remove(self, seq: int, reason: str = "advertising") -> None:
        """An admin removes a message in a terminal."""
        self.daemon.admin("message/remove", id=f"gossip:{seq}", reason=reason)

    def line(self, seq: int) -> str:
        """What the page shows of a message."""
        return str(self.tab.run(LINE, f"gossip-{seq}"))

    def test_in_place(self) -> None:
        """On open pages the line changes where it stands; nothing else moves, and no page is loaded again."""
        for path in ("/chat/gossip", "/"):
            seq = self.seqs.pop(0)
            self.open(path)
            eventually(self.is_live, "a live page")
            self.tab.run("window.same = true; window.line = document.getElementById(arguments[0])", f"gossip-{seq}")
            self.remove(seq, "1 < 2")
            eventually(lambda seq=seq: "removed" in self.line(seq), "the removal on the page")  # type: ignore[misc]
            self.assertIn("@Alpha: [removed: 1 < 2]", self.line(seq))
            self.assertNotIn("gold", self.tab.source)
            same = "return [window.same, document.contains(window.line), window.line.querySelector('time') !== null]"
            self.assertEqual(self.tab.run(same), [True, True, True])
            self.assertEqual(self.line_count(), 2)
        self.assertEqual(self.tab.complaints(), [])

    def test_everywhere(self) -> None:
        """
        Open pages that show messages and wait for no new ones: the message changes wherever it stands, hidden channels
        included, and what can be done about it goes. Nothing scrolls or is loaded again.
        """
        self.sign_in("Root", admin=True)
        first = max(self.seqs) + 1
        alone = f"/chat/gossip/{first}"
        paths = (alone, "/search?q=gold", "/channels", "/moderate/gossip", "/admin/reports", "/admin", "/admin/filters")
        for number, path in enumerate(paths):
            self.say(self.game, f"Buy gold {number}")
            seq = first + number
            made = self.daemon.admin("report/add", channel="gossip", seq=seq, reason="ads")
            if path == "/moderate/gossip":
                self.daemon.admin("channel/hide", channel="gossip")
            self.open(path)
            if path == "/admin/filters":
                self.fill(text="gold")
                self.send("button[value='filter/try']")
            self.assertIn(f"gold {number}", self.tab.text, path)
            self.assertEqual(self.tab.run("return scrollY"), 0, path)
            self.tab.run("window.same = true")
            self.remove(seq, f"{number} < 9")
            gone = f"[removed: {number} < 9]"
            eventually(lambda gone=gone: gone in self.tab.text, f"the removal on {path}")  # type: ignore[misc]
            self.assertNotIn(f"gold {number}", self.tab.text, path)
            self.assertTrue(self.tab.run("return window.same"), path)
            if path in (alone, "/moderate/gossip", "/admin/reports"):
                found = self.tab.run(DEEDS, f"gossip-{seq}")
                self.assertEqual(found, [True] * len(found), path)
                self.assertTrue(found, path)
            self.daemon.admin("report/resolve", number=made["number"])
        self.assertEqual(self.tab.complaints(), [])

    def test_reconnected(self) -> None:
        """A page that was not connected when a message was removed learns it when it is."""
        for path in ("/chat/gossip", "/"):
            seq = self.seqs.pop(0)
            self.open(path)
            eventually(self.is_live, "a live page")
            self.tab.run("window.same = true")
            self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
            eventually(lambda: not self.is_live(), "a page that says that it is not live")
            self.daemon.gossipctl("message", "remove", f"gossip:{seq}", "advertising", "--yes")
            self.daemon.launch()
            self.daemon.wait_until_healthy()
            eventually(lambda seq=seq: "[removed: advertising]" in self.line(seq), "the removal on the page")  # type: ignore[misc]
            self.assertTrue(self.tab.run("return window.same"))

    def test_by_form(self) -> None:
        """An admin removes a message and mutes its player, without JavaScript; the box must be ticked."""
        self.sign_in("Root", admin=True)
        self.tab.scripts(allowed=False)
        self.open(f"/chat/gossip/{self.seqs[0]}")
        self.tab.driver.find_element("css selector", 'form[action$="/remove"]').find_element("xpath", "..").click()
        form = self.tab.driver.find_element("css selector", 'form[action$="/remove"]')
        form.find_element("name", "reason").send_keys("advertising")
        form.find_element("name", "sure").click()
        self.send('form[action$="/remove"] button[name=mute]')
        self.assertIn("[removed: advertising]", self.tab.source)
        self.assertNotIn("Buy gold", self.tab.source)
        [mute] = self.daemon.admin("mute/list")["mutes"]
        self.assertEqual((mute["who"], mute["reason"], mute["set_by"]), ("ana@Alpha", "advertising", "Root"))
        payload = {"channel": "gossip", "name": "Ana", "message": "Again"}
        self.assertIn("advertising", self.game.outcome("channels/send", payload))

    def test_good(self) -> None:
        """The pages of messages, removed or not, and of reports suit everybody, with hostile texts, too."""
        self.say(self.game, HOSTILE + "W" * 300, "A" * 60)
        self.remove(self.seqs[0], "W" * 200)
        latest = json.loads(self.daemon.get("/api/v1/channels/gossip/messages?limit=1").read())["messages"][0]["seq"]
        for seq in (self.seqs[1], latest):
            self.daemon.admin("report/add", channel="gossip", seq=seq, reason="r" * 200)
        self.remove(self.seqs[1])
        self.sign_in("Root", admin=True)
        paths = [f"/chat/gossip/{seq}" for seq in (*self.seqs, latest)]
        self.assertGood([*paths, "/admin/reports", "/admin/audit", "/", "/channels"])
