"""The page of the moderators of a channel in a real browser, at a real daemon, with a real game."""

from __future__ import annotations

from tests.support.browsing import BrowserTestCase
from tests.support.site_browser import HOSTILE

PAGE = "/moderate/gossip"


class ModerateTests(BrowserTestCase):
    """Ana has signed in, and moderates the channel gossip."""

    def setUp(self) -> None:
        super().setUp()
        self.daemon.admin("channel/publish", channel="gossip")
        self.sign_in("Ana")
        self.daemon.admin("channel/moderators", channel="gossip", accounts=["Ana"])
        self.game = self.join()

    def report(self, **payload: str) -> str:
        """A player of the game reports something; the number of the report."""
        [answer] = self.game.ask("reports/create", {"from": "Cy", "reason": "slur", **payload})
        self.assertEqual(answer["status"], "success", answer)
        return str(answer["payload"]["report"])

    def note(self) -> str:
        """What the page says of what was done."""
        return str(self.tab.driver.find_element("css selector", "main .note").text)

    def test_moderate(self) -> None:
        """
        From the channel a moderator comes to the page, mutes the player that a game reported, removes the message and
        resolves the report. The next message of the player is refused, and the log names the moderator.
        """
        self.say(self.game, "Darn it", "Bo")
        number = self.report(channel="gossip", game="Alpha", name="bo")
        self.open("/chat/gossip")
        before = self.tab.driver.find_element("css selector", "html")
        self.tab.driver.find_element("css selector", ".bar summary").click()
        self.tab.driver.find_element("css selector", f".bar a[href='{PAGE}']").click()
        self.wait_for_another(before)
        self.assertEqual(self.path, PAGE)
        shown = self.tab.driver.find_element("id", f"report-{number}").text
        self.assertIn("Bo@Alpha on gossip: Darn it", shown)
        self.assertIn("Cy@Alpha: slur", shown)
        self.send(f"#report-{number} a[href*='who=']")
        self.fill(minutes="30")
        self.tab.driver.find_element("css selector", "form:has([name='minutes']) [name='reason']").send_keys("language")
        self.send("form:has([name='minutes']) button")
        self.assertEqual(self.note(), "The mute is in effect.")
        told = self.game.outcome("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"})
        self.assertRegex(told, r"^muted until [0-9T:-]+Z: language$")
        self.tab.driver.find_element("css selector", ".list summary").click()
        self.tab.driver.find_element("css selector", ".list [name='reason']").send_keys("slur")
        self.send(".list form:has([value='message/remove']) button")
        self.assertEqual(self.note(), "The message was removed.")
        self.assertIn("[removed: slur]", self.tab.text)
        self.assertNotIn("Darn it", self.tab.source)
        self.send(f"#report-{number} form:has([value='report/resolve']) button")
        self.assertEqual(self.note(), "The report was resolved.")
        self.assertIn("No open reports.", self.tab.text)
        self.send(".list form:has([value='mute/remove']) button")
        self.assertEqual(self.note(), "The mute was lifted.")
        entries = self.daemon.gossipctl("audit")["entries"]
        deeds = [(entry["actor"], entry["operation"]) for entry in entries[:4]]
        expected = ("mute/remove", "report/resolve", "message/remove", "mute/add")
        self.assertEqual(deeds, [("Ana", wire) for wire in expected])
        self.assertEqual(self.tab.complaints(), [])

    def test_card(self) -> None:
        """From a report to a mute or a removal, and to its end, it takes one form on the card, without JavaScript."""
        self.say(self.game, "Darn it", "Bo")
        self.report(channel="gossip", game="Alpha", name="bo")
        for scripts in (True, False):
            self.tab.scripts(scripts)
            number = self.report(channel="gossip", game="Alpha", name="bo", **{"from": f"Dee{scripts}"})
            self.open(PAGE)
            if scripts:
                self.send(f"#report-{number} form:has([value='mute/add']) button")
                self.assertEqual(self.note(), "The mute is in effect, and the report is resolved.")
            else:
                card = self.tab.driver.find_element("id", f"report-{number}")
                [summary] = card.find_elements("xpath", ".//summary[.='Remove this message']")
                summary.click()
                card.find_element("name", "sure").click()
                self.send(f"#report-{number} form:has([value='message/remove']) button.grave")
                self.assertEqual(self.note(), "The message was removed, and the report is resolved.")
            self.assertEqual(self.tab.driver.find_elements("id", f"report-{number}"), [])
        told = self.game.outcome("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"})
        self.assertRegex(told, r"^muted until [0-9T:-]+Z: slur$")
        self.assertEqual(self.tab.complaints(), [])

    def test_others(self) -> None:
        """There is no page for another channel, and none for an account that moderates no longer."""
        for path in ("/moderate/testing", "/moderate/nowhere"):
            self.open(path)
            self.assertIn("There is nothing here.", self.tab.text)
        self.daemon.admin("channel/moderators", channel="gossip", accounts=[])
        self.open(PAGE)
        self.assertIn("There is nothing here.", self.tab.text)
        self.open("/chat/gossip")
        self.assertEqual(self.tab.driver.find_elements("css selector", "a[href^='/moderate']"), [])

    def test_good(self) -> None:
        """In both colours and at both widths nothing scrolls sideways, nothing is forbidden, and axe is content."""
        for text, name in ((HOSTILE, "x" * 60), ("y" * 4000, "Bo"), ("/me waves", "Bo")):
            self.say(self.game, text, name)
        self.report(channel="gossip", game="Alpha", name="Bo", reason="r" * 200)
        self.daemon.admin("mute/add", who="Bo@Alpha", reason="s" * 200, channel="gossip")
        self.daemon.admin("mute/add", who="Alpha", reason="So", channel="gossip", minutes=5)
        self.assertGood((PAGE, f"{PAGE}?done=mute/add", f"{PAGE}?who=Bo@Alpha", "/moderate"))
        self.tab.look(360, "dark")
        self.open(PAGE)
        self.tab.driver.find_element("css selector", "form:has([name='minutes']) [name='who']").send_keys("192.0.2.1")
        self.tab.driver.find_element("css selector", "form:has([name='minutes']) [name='reason']").send_keys("So")
        self.send("form:has([name='minutes']) button")
        wrong = self.tab.driver.find_element("css selector", "main .wrong").text
        self.assertEqual(wrong, "Not done: only an admin can mute an address.")
        self.assertFits(360, "dark", "a refusal", ("422",))
        self.assertAccessible("a refusal")
