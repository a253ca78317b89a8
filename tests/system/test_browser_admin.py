"""The pages of the admins in a real browser, at a real daemon, with real games."""

from __future__ import annotations

import json
import signal

try:
    from selenium.webdriver import ActionChains
except ImportError:
    ActionChains = None  # type: ignore[assignment, misc]

from gossip.web.pages.admin.page import SECTIONS
from tests.support.browsing import BrowserTestCase
from tests.support.daemon import Game, eventually
from tests.support.site_browser import HOSTILE

MUTE, BAN = "button[value='mute/add']", "button[value='ban/add']"
HOSTILE_URL = "https://x.example/'\"><script>alert(1)</script>" + "y" * 90

SHORT = "0.1"
"""How long a mute lasts, in minutes: long enough to run into it, and not much longer."""


class AdminTestCase(BrowserTestCase):
    """Root, who is an admin, has signed in."""

    def setUp(self) -> None:
        super().setUp()
        self.sign_in("Root", admin=True)

    def outcome(self, game: Game, text: str = "Hi", name: str = "Ana") -> str:
        """What comes of a message that a game sends: success, or why not."""
        return game.outcome("channels/send", {"channel": "gossip", "name": name, "message": text})

    def tick(self, name: str) -> None:
        """Tick a box of the page, or untick it."""
        self.tab.driver.find_element("css selector", f"main [name='{name}'][type='checkbox']").click()

    def note(self) -> str:
        """What the page says of what was done."""
        return str(self.tab.driver.find_element("css selector", "main .note").text)

    def wrong(self) -> str:
        """What the page says of what was not done."""
        return str(self.tab.driver.find_element("css selector", "main .wrong").text)


class ModerationTests(AdminTestCase):
    """Mutes, bans and filters."""

    def test_mute(self) -> None:
        """
        A mute that is set on the page counts on the very next event of a game, survives a restart of the daemon, is
        lifted on the page, and stands in the audit log.
        """
        game = self.join()
        self.assertEqual(self.outcome(game), "success")
        self.open("/admin/moderation")
        self.fill(who="Ana@Alpha", reason="shouting", minutes="600")
        self.send(MUTE)
        self.assertEqual(self.note(), "The mute is in effect.")
        self.assertRegex(self.outcome(game), r"^muted until [0-9T:-]+Z: shouting$")
        self.assertEqual(self.outcome(game, name="Bo"), "success")
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        self.daemon.launch()
        self.daemon.wait_until_healthy()
        game = self.join()
        self.assertRegex(self.outcome(game), r"^muted until [0-9T:-]+Z: shouting$")
        self.open("/admin/moderation")
        self.assertIn("ana@Alpha", self.tab.text)
        self.send(".list form button")
        self.assertEqual(self.note(), "The mute was lifted.")
        self.assertEqual(self.outcome(game), "success")
        self.open("/admin/audit")
        rows = [row.text for row in self.tab.driver.find_elements("css selector", "tbody tr")][:2]
        self.assertIn("Root lifted the mute of ana@Alpha", " ".join(rows[0].split()))
        self.assertIn("Root muted Ana@Alpha for 10 hours: shouting", " ".join(rows[1].split()))
        self.assertEqual(self.tab.complaints(), [])

    def test_ends_by_itself(self) -> None:
        """A mute for a while ends by itself, for the game as on the page."""
        game = self.join()
        self.open("/admin/moderation")
        self.fill(who="Alpha", reason="a rest", minutes=SHORT, channel="gossip")
        self.send(MUTE)
        self.assertRegex(self.outcome(game), r"^muted until [0-9T:-]+Z: a rest$")
        eventually(lambda: not self.daemon.admin("mute/list")["mutes"], "the end of the mute", within=60)
        self.assertEqual(self.outcome(game), "success")
        self.open("/admin/moderation")
        self.assertIn("No mutes.", self.tab.text)

    def test_ban(self) -> None:
        """A ban everywhere wants a box ticked; then the game is gone, and gets in no more."""
        game = self.join()
        self.open("/admin/moderation?who=Alpha&reason=spam")
        self.send(BAN)
        self.assertEqual(self.wrong(), "Not done: tick the box to confirm this action.")
        self.assertEqual(self.tab.run("return document.activeElement.id"), "wrong")
        self.assertEqual(self.outcome(game), "success")
        self.tick("always")
        self.tick("sure")
        self.send(BAN)
        frames, code, _ = game.ended()
        self.assertEqual((frames[-1]["error"], code), ("banned: spam", 4000))
        refused = Game(self.daemon.url)
        self.addCleanup(refused.close)
        refused.write({"event": "authenticate", "payload": {**self.games["Alpha"], "supports": ["channels"]}})
        self.assertEqual(refused.read()["error"], "invalid credentials")

    def test_filter(self) -> None:
        """A filter is tried before it is added: the page says what it would have hit; then it hits the next message."""
        game = self.join()
        for text in ("Oh darn!", "Darning socks", "DARN it", "Hello"):
            self.say(game, text)
        self.open("/admin/filters")
        self.fill(text="darn", reason="language")
        self.send("button[value='filter/try']")
        shown = self.tab.driver.find_element("css selector", ".once").text
        self.assertIn("It would have matched 2 of 4 messages", shown)
        self.assertIn("Oh darn!", shown)
        self.assertNotIn("socks", shown)
        self.assertEqual(self.outcome(game, "Oh darn!"), "success")
        self.send("button[value='filter/add']")
        self.assertEqual(self.note(), "The filter is in effect.")
        self.assertEqual(self.outcome(game, "Oh darn!"), "message refused: language")
        self.assertEqual(self.outcome(game, "Darning"), "success")

    def test_report(self) -> None:
        """From a report to a mute and its end it takes one button on the card, or two if a length is chosen."""
        game = self.join()
        self.say(game, "Good evening")
        self.say(game, "Rude words")
        seq = json.loads(self.daemon.get("/api/v1/channels/gossip/messages").read())["messages"][-1]["seq"]
        self.daemon.admin("report/add", channel="gossip", seq=seq, reason="Rude")
        self.open("/admin")
        self.assertIn("Rude words", self.tab.text)
        self.open("/admin/reports")
        self.assertIn("What was said around it", self.tab.text)
        self.tab.driver.find_element("css selector", "input[name='length'][value='always']").click()
        self.send(".complaint form:has([value='mute/add']) button.main")
        self.assertEqual(self.note(), "The mute is in effect, and the report is resolved.")
        self.assertRegex(self.outcome(game), "^muted: Rude$")
        self.assertIn("No open reports.", self.tab.text)


class PauseTests(AdminTestCase):
    """Pausing a channel."""

    def test_countdown(self) -> None:
        """With JavaScript the rest of a pause ticks, and at its end the page says so; games notice both ends."""
        game = self.join()
        self.open("/admin/channels/gossip")
        self.fill(minutes=SHORT)
        self.send("form:has([value='channel/pause']) button")
        self.assertEqual(self.outcome(game), "channel is paused")
        left = "return document.querySelector('.countdown')?.textContent"
        first = self.tab.run(left)
        self.assertRegex(first, "^0:[0-9]{2}$")
        eventually(lambda: self.tab.run(left) != first, "a tick")
        eventually(lambda: "the pause has ended" in self.tab.text, "the end of the pause", within=60)
        eventually(lambda: self.outcome(game) == "success", "that one may speak again")
        self.assertEqual(self.tab.complaints(), [])

    def test_without_scripts(self) -> None:
        """Without JavaScript the page says it in words, and everything works."""
        game = self.join()
        self.tab.scripts(allowed=False)
        self.open("/admin/channels")
        self.send("form:has([value='channel/pause']) button")
        shown = self.tab.driver.find_element("css selector", ".pause").text
        self.assertRegex(shown, r"^for (29|30) minutes more, until [0-9]+ [A-Z][a-z]{2} [0-9]{4}, [0-9:]{5} UTC$")
        self.assertEqual(self.outcome(game), "channel is paused")
        self.send("form:has([value='channel/resume']) button")
        self.assertEqual(self.note(), "The pause was ended.")
        self.assertEqual(self.outcome(game), "success")


class EveryPageTests(AdminTestCase):
    """What holds on all pages of the admins."""

    def setUp(self) -> None:
        super().setUp()
        self.daemon.admin("account/add", name="Ana-with_a-long_name", email="ana@" + "long." * 20 + "example.org")
        self.daemon.admin("game/edit", game="Alpha", owner="Ana-with_a-long_name", description="word " * 300)
        self.daemon.admin("game/edit", game="Alpha", name="W" * 70, tagline="x" * 70)
        self.daemon.admin("game/edit", game="Alpha", homepage_url=HOSTILE_URL)
        self.daemon.admin("game/edit", game="Beta", hidden=True, hide_players=True)
        self.daemon.admin("channel/create", channel="c" * 60, description="d" * 500)
        self.daemon.admin("channel/pause", channel="c" * 60, minutes=90)
        self.daemon.admin("channel/speakers", channel="c" * 60, games=["Alpha", "Beta"])
        for kind in ("mute", "ban"):
            self.daemon.admin(f"{kind}/add", who="W" * 60 + "@Alpha", reason="R" * 200, channel="c" * 60)
        self.daemon.admin("filter/add", text="f" * 64, reason="R" * 200, channel="c" * 60)
        game = self.join(players=[HOSTILE, "P" * 60], user_agent=HOSTILE)
        for text in ("W" * 300, HOSTILE):
            self.say(game, text, "A 'b' \"c\"")
        messages = json.loads(self.daemon.get("/api/v1/channels/gossip/messages").read())["messages"]
        for said in messages:
            made = self.daemon.admin("report/add", channel="gossip", seq=said["seq"], reason="r" * 200)
        self.daemon.admin("report/resolve", number=made["number"], resolution="s" * 200)

    PATHS = (
        *(where for where, _ in SECTIONS),
        "/admin/intermud3",
        "/admin/games/Alpha",
        "/admin/accounts/Ana-with_a-long_name",
        "/admin/channels/" + "c" * 60,
        "/admin/reports?all=1",
        "/admin/moderation?done=mute/add",
    )

    def test_good(self) -> None:
        """In both colours and at both widths nothing scrolls sideways, nothing is forbidden, and axe is content."""
        self.assertGood(self.PATHS)

    def test_tables(self) -> None:
        """On a phone the rows of tables stack, and long words of a log wrap: nothing hides beside the window."""
        self.daemon.admin("game/edit", game="Alpha", description="W" * 300)
        hides = "return [...document.querySelectorAll('.scroll')].some((it) => it.scrollWidth > it.clientWidth)"
        for width, paths in ((360, (*self.PATHS, "/moderation")), (1280, ("/admin", "/admin/audit"))):
            self.tab.look(width)
            for path in paths:
                self.open(path)
                self.assertFalse(self.tab.run(hides), (path, width))

    def test_answers(self) -> None:
        """So it is with what comes of a form: a secret that is shown once, and a reason why not."""
        for width, scheme in ((360, "dark"), (1280, "light")):
            self.tab.look(width, scheme)
            self.open("/admin/games/Alpha")
            self.tab.driver.find_element("css selector", "[popovertarget='new-secret']").click()
            self.assertAccessible("the question")
            self.send("form:has([value='game/rotate']) button.main")
            self.assertIn("client_secret", self.tab.text)
            self.assertFits(width, scheme, "a secret")
            self.assertAccessible("a secret")
            self.open("/admin/games")
            self.fill(name="N" * 70, short_name="Alpha")
            self.send("form:has([value='game/add']) button")
            self.assertEqual(self.wrong(), "Not done: the short name Alpha is taken.")
            self.assertFits(width, scheme, "a refusal", ("422",))
            self.assertAccessible("a refusal")

    def test_hostile(self) -> None:
        """What others wrote is shown as they wrote it, and runs nothing."""
        for path in self.PATHS:
            self.open(path)
            found = self.tab.run("return [...document.querySelectorAll('script')].map(e => e.getAttribute('src'))")
            self.assertTrue(all(src and src.startswith("/static/") for src in found), path)
            self.assertEqual(self.tab.run("return document.querySelectorAll('main [onmouseover]').length"), 0)
        self.open("/admin/games/Alpha")
        field = self.tab.driver.find_element("css selector", "[name='homepage_url']")
        self.assertEqual(field.get_attribute("value"), HOSTILE_URL)

    def test_without_scripts(self) -> None:
        """Without JavaScript a game is registered, changed and removed, with a box that must be ticked."""
        self.tab.scripts(allowed=False)
        self.open("/admin/games")
        self.fill(name="New MUD", short_name="New", owner="root")
        self.send("form:has([value='game/add']) button")
        self.assertIn("client_secret", self.tab.source)
        self.open("/admin/games/New")
        self.fill(tagline="A tag")
        self.tick("hidden")
        self.send("form:has([value='game/edit']) button")
        shown = self.daemon.admin("game/show", game="New")
        self.assertEqual((shown["tagline"], shown["hidden"], shown["owner"]), ("A tag", True, "Root"))
        self.tick("hidden")
        self.send("form:has([value='game/edit']) button")
        self.assertFalse(self.daemon.admin("game/show", game="New")["hidden"])
        self.tab.driver.find_element("css selector", "form:has([value='game/remove']) [name='sure']").click()
        self.send("form:has([value='game/remove']) button")
        self.assertTrue(self.path.startswith("/admin/games?"))
        self.assertEqual(self.note(), "The game was removed.")
        self.assertNotIn("New MUD", self.tab.source)

    def test_rotate(self) -> None:
        """
        A new secret is asked for first, without JavaScript too. A double click makes one, and whoever goes back and
        forward makes none: the page asks again.
        """
        for scripts in (True, False):
            self.tab.scripts(scripts)
            self.open("/admin/games/Alpha")
            opens, makes = "[popovertarget='new-secret']", "form:has([value='game/rotate']) button.main"
            find = self.tab.driver.find_element
            self.assertFalse(find("css selector", makes).is_displayed())
            find("css selector", opens).click()
            before = find("css selector", "html")
            ActionChains(self.tab.driver).double_click(find("css selector", makes)).perform()
            self.wait_for_another(before)
            self.assertIn("client_secret", self.tab.text)
            self.tab.driver.back()
            self.assertFalse(find("css selector", makes).is_displayed())
            self.tab.driver.forward()
            self.assertIn("client_secret", self.tab.text)
        entries = self.daemon.gossipctl("audit")["entries"]
        self.assertEqual(sum(entry["operation"] == "game/rotate" for entry in entries), 2)

    def test_filtered(self) -> None:
        """With JavaScript tables are filtered as one types."""
        self.open("/admin/games")
        self.tab.driver.find_element("css selector", "#q").send_keys("beta")
        self.assertEqual(self.tab.run("return document.querySelectorAll('.list tbody tr:not([hidden])').length"), 1)
        self.assertEqual(self.tab.run("return document.querySelector('output').textContent"), "1 of 2")

    def test_user(self) -> None:
        """An account that is no admin sees no link to the admin pages, and cannot open them."""
        self.tab.forget()
        self.sign_in("Bea")
        self.open("/")
        self.assertNotIn("/admin", self.tab.source)
        self.open("/admin")
        self.assertIn("Only admins can do this.", self.tab.text)
