"""The chat, in a real browser, at a real daemon that all tests here share."""

from __future__ import annotations

import atexit
import functools

from tests.support.browsing import PASSWORD, BrowserTestCase, need_browser, shared_tab
from tests.support.daemon import Daemon, Game, eventually

TAB, ENTER, ESCAPE, UP, HOME = "\ue004", "\ue007", "\ue00c", "\ue013", "\ue011"


@functools.cache
def shared_daemon() -> tuple[Daemon, dict[str, dict[str, str]]]:
    """A daemon for all tests here, with its games."""
    daemon = Daemon(
        "[limits.rates]\nchannels_send = { burst = 0, per_second = 0 }\nglobal = { burst = 0, per_second = 0 }\n"
    )
    atexit.register(daemon.close)
    daemon.start()
    games = {name: daemon.register(name) for name in ("Alpha", "Beta")}
    daemon.admin("account/add", name="Root", admin=True)
    return daemon, games


class ChatTests(BrowserTestCase):
    """A channel of its own for each test, with some lines of Bo and Cy."""

    def setUp(self) -> None:
        need_browser()
        self.daemon, self.games = shared_daemon()
        self.channel = self.id().rpartition(".")[2].removeprefix("test_")
        self.daemon.admin("channel/create", channel=self.channel)
        self.daemon.admin("channel/publish", channel=self.channel)
        self.tab = shared_tab()
        self.tab.scripts(allowed=True)
        self.tab.look()
        self.tab.forget()
        self.tab.complaints()
        self.addCleanup(self.tab.driver.get, "about:blank")
        self.game = Game(self.daemon.url)
        self.addCleanup(self.game.close)
        self.game.authenticate(self.games["Alpha"], channels=[self.channel], players=["Bo", "Cy"])
        for name, text in (("Bo", "First"), ("Bo", "Second"), ("Cy", "/me waves"), ("Bo", "Third")):
            self.say(self.game, text, name)

    def say(self, game: Game, text: str, name: str = "Bo") -> None:
        payload = {"channel": self.channel, "name": name, "message": text}
        self.assertEqual(game.outcome("channels/send", payload), "success")

    def follow(self) -> None:
        """Open the page of the channel, live."""
        self.open(f"/chat/{self.channel}")
        eventually(self.is_live, "a live page")

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.tab.driver.switch_to.active_element.send_keys(key)

    def focus(self) -> str:
        """What has the focus: its id, or its text."""
        return str(self.tab.run("const it = document.activeElement; return it.id || it.innerText"))

    def click(self, what: str) -> None:
        """Click on the first of what a selector finds."""
        self.tab.driver.find_element("css selector", what).click()

    def toasted(self, text: str) -> None:
        """Something is said to be done."""
        shown = "return document.querySelector('.toasts')?.innerText ?? ''"
        eventually(lambda: text in str(self.tab.run(shown)), text)

    def wait_for_another_second(self) -> None:
        """Wait until what is said is later than all that was seen: the times of lines are in seconds."""
        later = "return Date.now() / 1000 > Math.max(...Object.values(JSON.parse(localStorage.seen))) + 1"
        eventually(lambda: self.tab.run(later), "another second")

    def test_keys(self) -> None:
        """The first key leads to the field; the log is one stop, where arrows go from line to line; / goes back."""
        self.sign_in("Kim")
        self.follow()
        self.press(TAB)
        self.assertEqual(self.focus(), "Skip to the message field")
        self.press(ENTER)
        self.assertEqual(self.focus(), "message")
        self.press("Hi/", ESCAPE)
        self.assertEqual(self.focus(), "log")
        self.press(UP)
        last = self.focus()
        self.press(UP, UP, HOME)
        lines = self.tab.run("return [...document.querySelectorAll('.lines li[id]')].map((it) => it.id)")
        self.assertEqual((self.focus(), last), (lines[0], lines[-1]))
        self.press(TAB)
        self.assertNotIn(self.tab.run("return document.activeElement.closest('.log')?.id"), ["log"])
        self.tab.run("document.querySelector('.lines li[id]').focus()")
        self.press("/")
        self.assertEqual(self.focus(), "message")
        self.assertEqual(self.tab.run("return document.querySelector('#message').value"), "Hi/")
        self.assertEqual(self.tab.complaints(), [])

    def test_groups(self) -> None:
        """Lines of one player stand together, live ones too; an emote and a removal stand alone, in their place."""
        self.follow()
        self.say(self.game, "Fourth")
        eventually(lambda: self.line_count() == 5, "one more line")
        more = "return [...document.querySelectorAll('.lines li[id]')].map((it) => it.classList.contains('more'))"
        self.assertEqual(self.tab.run(more), [False, True, False, False, True])
        first = self.tab.run("return document.querySelector('.lines li[id]').id")
        self.daemon.admin("message/remove", id=first.replace("-", ":"), reason="advertising")
        eventually(lambda: "[removed: advertising]" in self.tab.text, "the removal")
        self.assertEqual(self.tab.run(more), [False, False, False, False, True])
        self.assertEqual(self.tab.run("return document.querySelector('.lines li[id]').id"), first)
        # An older page changes in place as well.
        second = self.tab.run("return document.querySelectorAll('.lines li[id]')[1].id")
        self.open(f"/chat/{self.channel}/{second.partition('-')[2]}")
        eventually(lambda: "Live" in self.tab.text, "a page that follows removals")
        self.daemon.admin("message/remove", id=second.replace("-", ":"), reason="spam")
        eventually(lambda: "[removed: spam]" in self.tab.text, "the removal")
        self.assertEqual(self.tab.complaints(), [])

    def test_menu(self) -> None:
        """From the menu of a line one replies, reports, and as an admin mutes and removes, without leaving the page."""
        link = self.daemon.admin("account/reset", name="Root")["link"]
        self.open(link)
        self.fill(password=PASSWORD, again=PASSWORD)
        self.send()
        self.follow()
        self.tab.run("window.same = true")
        self.click(".lines li:last-child .permalink")
        self.click("[data-do=reply]")
        self.assertEqual(self.tab.run("return document.querySelector('#message').value.trim()"), "@Bo")
        for what, reason, done in (
            ("report", "It is spam", "Thank you."),
            ("mute", "shouting", "The mute is in effect."),
            ("remove", "advertising", "The message was removed."),
        ):
            self.click(".lines li:last-child .permalink")
            self.click(f"[data-do={what}]")
            self.assertAccessible(what)
            self.press(reason, ENTER)
            self.toasted(done)
        eventually(lambda: "[removed: advertising]" in self.tab.text, "the removal")
        self.assertTrue(self.tab.run("return window.same"))
        [report] = [each for each in self.daemon.admin("report/list")["reports"] if each["channel"] == self.channel]
        self.assertEqual((report["name"], report["reason"], report["made_by"]), ("Bo", "It is spam", "Root"))
        [mute] = [each for each in self.daemon.admin("mute/list")["mutes"] if each["channel"] == self.channel]
        self.assertEqual((mute["who"].lower(), mute["reason"]), ("bo@alpha", "shouting"))
        self.assertEqual(self.tab.complaints(), [])

    def test_news(self) -> None:
        """What came since the last visit stands below a rule; a pill counts what came below, a pause holds it back."""
        self.sign_in("Ned")
        self.follow()
        self.open("/status")
        self.wait_for_another_second()
        self.say(self.game, "Hello, ned!", "Cy")
        for number in range(40):
            self.say(self.game, f"Line {number} " + "word " * 30)
        self.follow()
        rule = "return document.querySelector('.since')?.nextElementSibling.innerText ?? ''"
        eventually(lambda: "Hello, ned!" in self.tab.run(rule), "the rule")
        self.assertEqual(self.tab.run("return document.querySelectorAll('.mention').length"), 1)
        self.tab.run("document.querySelector('.log').scrollTop = -300")
        pill = "const it = document.querySelector('.pill'); return it.hidden ? '' : it.innerText"
        self.say(self.game, "One more")
        eventually(lambda: self.tab.run(pill) == "1 new", "the pill")
        self.click(".pill")
        eventually(lambda: self.tab.run(pill) == "", "no pill at the end")
        self.click(".live button")
        self.say(self.game, "Held back")
        eventually(lambda: "Paused, 1 new" in self.tab.text, "what is held back")
        self.assertNotIn("Held back", self.tab.text)
        self.click(".live button")
        eventually(lambda: "Held back" in self.tab.text, "what was held back")
        self.assertEqual(self.tab.complaints(), [])

    def test_unread(self) -> None:
        """A channel that was visited is marked where it has something new."""
        self.sign_in("Una")
        self.follow()
        self.open("/chat/gossip")
        unread = "return [...document.querySelectorAll('.channels .unread')].map((it) => it.innerText)"
        self.assertNotIn(f"#{self.channel}", self.tab.run(unread))
        self.wait_for_another_second()
        self.say(self.game, "News")
        self.open("/chat/gossip")
        self.assertIn(f"#{self.channel}", self.tab.run(unread))
        self.follow()
        self.open("/chat/gossip")
        self.assertNotIn(f"#{self.channel}", self.tab.run(unread))

    def test_walk(self) -> None:
        """Six actions: search for an old line, open it, answer it, and report another from the menu of that line."""
        self.say(self.game, "The dragon sleeps", "Cy")
        for number in range(101):
            self.say(self.game, f"Line {number}")
        self.sign_in("Wim")
        self.follow()
        find = self.tab.driver.find_element
        before = find("css selector", "html")
        find("css selector", "#channels input[type=search]").send_keys("dragon" + ENTER)  # 1
        self.wait_for_another(before)
        before = find("css selector", "html")
        self.click(".hit a[href*='/chat/']")  # 2
        self.wait_for_another(before)
        eventually(lambda: self.tab.run("return document.querySelector('.found') !== null"), "the line")
        find("id", "message").send_keys("Let it sleep" + ENTER)  # 3
        eventually(lambda: "Let it sleep" in self.tab.text and self.is_live(), "the answer")
        # A line that goes on with the one before shows its menu to the pointer; the keyboard opens it, too.
        self.tab.run(
            "const it = document.querySelector('.lines li[id]:nth-last-child(3)'); it.tabIndex = -1; it.focus()"
        )
        self.press(ENTER)  # 4
        self.click("[data-do=report]")  # 5
        self.press("It is spam", ENTER)  # 6
        self.toasted("Thank you.")

    def test_good(self) -> None:
        """At both widths and in both colours nothing is too wide, forbidden or hard to use; drawers open and close."""
        self.say(self.game, "See https://mud.example/" + "x" * 200)
        self.assertGood([f"/chat/{self.channel}"])
        self.tab.look(360)
        self.open(f"/chat/{self.channel}")
        for name in ("channels", "online"):
            self.click(f".bar [popovertarget={name}]")
            self.assertAccessible(name)
            self.assertLessEqual(self.tab.run("return document.documentElement.scrollWidth"), 360)
            self.press(ESCAPE)
            self.assertFalse(self.tab.run(f"return document.querySelector('#{name}').matches(':popover-open')"))
        self.assertEqual(self.tab.run("return document.querySelector('.bar').offsetHeight"), 48)
        self.tab.scripts(allowed=False)
        self.open(f"/chat/{self.channel}")
        self.click(".bar [popovertarget=channels]")
        self.assertIn("#" + self.channel, self.tab.driver.find_element("css selector", "#channels").text)

    def test_silent(self) -> None:
        """Where nobody can speak the page says why, and until when, instead of a field."""
        self.sign_in("Sue")
        self.daemon.admin("channel/pause", channel=self.channel, minutes=30)
        self.open(f"/chat/{self.channel}")
        self.assertEqual(self.tab.run("return document.querySelector('#message')"), None)
        self.assertIn("This channel is paused", self.tab.text)
