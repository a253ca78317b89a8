"""Talking from the pages, in a real browser, at a real daemon, with real games."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from gossip.registry.changes import MessageSaid
from gossip.store.store import Store
from gossip.web.views.queries import DAY, HOUR
from tests.support.browsing import PASSWORD, BrowserTestCase
from tests.support.daemon import Game, eventually
from tests.support.site_browser import HOSTILE

ENTER = "\ue007"

MEANWHILE = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
"""What a browser has to complain of while nobody is there."""


class TalkTestCase(BrowserTestCase):
    """Somebody who is signed in, and what is on the page."""

    def typed(self) -> str:
        """What stands in the field."""
        return str(self.tab.run("return document.querySelector('#message').value"))

    def wrong(self) -> str:
        """What is wrong, as far as it is shown."""
        shown = "const it = document.querySelector('#wrong'); return it.hidden ? '' : it.innerText"
        return str(self.tab.run(shown))

    def focus(self) -> str:
        """What has the focus."""
        return str(self.tab.run("return document.activeElement.id"))

    def type(self, text: str) -> None:
        """Type where the focus is."""
        self.tab.driver.switch_to.active_element.send_keys(text)

    def follow(self) -> None:
        """Open the page of the channel, live, with the focus in the field."""
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        self.tab.run("document.querySelector('#message').focus()")

    def hears(self, game: Game, text: str) -> None:
        """The next message that a game hears."""
        told = game.expect("channels/broadcast")["payload"]
        self.assertEqual((told["game"], told["name"], told["message"]), ("gossip", "Ana", text))


class TalkTests(TalkTestCase):
    """Talking."""

    def test_to_games_and_back(self) -> None:
        """A line reaches the games, an answer comes to the page, and the page is never loaded again."""
        game = self.join()
        self.sign_in("Ana")
        self.follow()
        self.tab.run("window.same = true")
        for text, line in (("Hello, games", "Ana@gossip: Hello, games"), ("/me waves", "* Ana@gossip waves")):
            self.type(text + ENTER)
            self.hears(game, text)
            eventually(lambda line=line: line in self.tab.text, "one's own line")  # type: ignore[misc]
            eventually(lambda: self.typed() == "", "an empty field")
            self.assertEqual((self.focus(), self.wrong()), ("message", ""))
        self.say(game, "Hello, Ana", "Bo")
        eventually(lambda: "Bo@Alpha: Hello, Ana" in self.tab.text, "the answer")
        self.assertEqual(self.line_count(), 3)
        self.assertTrue(self.tab.run("return window.same"))
        self.assertEqual(self.tab.complaints(), [])

    def test_by_button(self) -> None:
        """The button does the same, and cannot be pressed twice for one line."""
        game = self.join()
        self.sign_in("Ana")
        self.follow()
        # What is on its way is held up, so that it can be looked at.
        self.tab.run(
            "const real = window.fetch;"
            "window.fetch = async (...all) => { await new Promise((go) => { window.go = go; }); return real(...all); }"
        )
        self.type("Once")
        button = self.tab.driver.find_element("css selector", ".say button")
        button.click()
        self.assertFalse(button.is_enabled())
        self.assertEqual(self.focus(), "message")
        self.type(" only" + ENTER)
        self.tab.run("window.go()")
        eventually(button.is_enabled, "a button to press")
        self.hears(game, "Once")
        # What was typed in the meantime is still there.
        self.assertEqual((self.typed(), self.line_count()), ("Once only", 1))

    def test_refused(self) -> None:
        """What cannot be said is told at once, with the reason, and stays in the field."""
        self.sign_in("Ana")
        self.follow()
        alert = "const it = document.querySelector('#wrong'); return [it.role, it.id]"
        self.assertEqual(self.tab.run(alert), ["alert", "wrong"])
        until = self.daemon.admin("mute/add", who="Ana@gossip", reason="shouting", minutes=60)["until"]
        self.type("Hi" + ENTER)
        # The time is the reader's own.
        local = self.tab.run("return writtenTime(new Date(arguments[0]), 'minute')", until)
        eventually(lambda: self.wrong() == f"Not sent: muted until {local}: shouting.", "the mute")
        self.assertEqual((self.typed(), self.focus()), ("Hi", "message"))
        described = "const it = document.activeElement; return [it.ariaInvalid, it.getAttribute('aria-describedby')]"
        self.assertEqual(self.tab.run(described), ["true", "wrong"])
        self.daemon.admin("mute/remove", who="Ana@gossip")
        self.daemon.admin("channel/pause", channel="gossip")
        self.type(ENTER)
        eventually(lambda: self.wrong() == "Not sent: channel is paused.", "the pause")
        self.daemon.admin("channel/resume", channel="gossip")
        self.daemon.admin("filter/add", text="hi", reason="say hello")
        self.type(ENTER)
        eventually(lambda: self.wrong() == "Not sent: message refused: say hello.", "the filter")
        self.daemon.admin("filter/remove", text="hi")
        self.type(ENTER)
        eventually(lambda: "Ana@gossip: Hi" in self.tab.text, "the line")
        # The line may be there before the speaker's answer.
        eventually(lambda: not self.wrong(), "nothing wrong")
        self.assertEqual(self.tab.run("return document.activeElement.ariaInvalid"), "false")
        # Of a refusal the browser notes its code, and nothing else is wrong.
        self.assertEqual([each for each in self.tab.complaints() if "422" not in each], [])

    def test_too_fast(self) -> None:
        """A person who is too fast is told so, and may go on a moment later."""
        self.sign_in("Ana")
        self.follow()
        said = 0
        while not self.wrong():
            self.assertLess(said, 100)
            self.type(f"Line {said}" + ENTER)
            eventually(lambda: self.typed() == "" or self.wrong(), "an answer")
            said += 1
        self.assertEqual(self.wrong(), "Not sent: rate limit exceeded. Wait a moment.")
        eventually(lambda: self.type(ENTER) or self.typed() == "", "a line that is said")  # type: ignore[func-returns-value]

    def test_restart(self) -> None:
        """A visit survives a restart of the daemon, and the open page can go on talking."""
        self.sign_in("Ana")
        self.follow()
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        eventually(lambda: not self.is_live(), "a page that says that it is not live")
        self.type("Still here" + ENTER)
        eventually(lambda: self.wrong().startswith("No response."), "an honest word")
        self.assertEqual(self.typed(), "Still here")
        self.daemon.launch()
        self.daemon.wait_until_healthy()
        game = self.join()
        eventually(self.is_live, "a live page")
        self.type(ENTER)
        self.hears(game, "Still here")
        eventually(lambda: "Ana@gossip: Still here" in self.tab.text, "the line")
        eventually(lambda: (self.typed(), self.wrong()) == ("", ""), "the answer")
        self.assertEqual([each for each in self.tab.complaints() if not any(why in each for why in MEANWHILE)], [])

    def test_signed_out_meanwhile(self) -> None:
        """When a visit ends while the page is open, the typed text stays, and the page says why it was not sent."""
        self.sign_in("Ana")
        self.follow()
        self.tab.forget()
        self.type("Hello?" + ENTER)
        eventually(lambda: self.wrong().startswith("You are no longer signed in"), "the reason")
        self.assertEqual((self.typed(), self.line_count()), ("Hello?", 0))

    def test_hostile(self) -> None:
        """Hostile text stays text, in what is said, in what is refused, and in what others say."""
        game = self.join()
        self.sign_in("Ana")
        self.follow()
        self.type(HOSTILE + ENTER)
        # What would be a tag got a blank on its way into the network, and is not lost.
        eventually(lambda: HOSTILE.replace("<", "< ") in self.tab.text, "the line")
        game.expect("channels/broadcast")
        self.say(game, "1 < 2 <3 &lt;b&gt; \"'", "Bo <3 &amp;")
        eventually(lambda: "Bo <3 &amp;@Alpha: 1 < 2 <3 &lt;b&gt; \"'" in self.tab.text, "the answer")
        self.daemon.admin("mute/add", who="Ana@gossip", reason="<3 \"'&lt;i&gt; <5")
        self.type(HOSTILE + ENTER)
        eventually(lambda: self.wrong() == "Not sent: muted: <3 \"'&lt;i&gt; <5.", "the reason")
        self.assertEqual(self.typed(), HOSTILE)
        self.assertEqual(self.tab.run("return document.querySelectorAll('main :is(b, i) :is(b, i)').length"), 0)
        self.assertEqual(self.tab.run("return document.querySelectorAll('[onmouseover], main script').length"), 0)
        self.assertEqual([each for each in self.tab.complaints() if "422" not in each], [])

    def test_scrolled_up(self) -> None:
        """The page keeps its place among older messages when more comes, and goes to the end when its reader talks."""
        game = self.join()
        self.sign_in("Ana")
        for number in range(8):
            self.say(game, f"Line {number} " + "word " * 250)
        self.follow()
        self.tab.run("document.querySelector('.log').scrollTop = -300")
        top = "return document.querySelectorAll('.lines li[id]')[4].getBoundingClientRect().top"
        before = self.tab.run(top)
        self.say(game, "More")
        eventually(lambda: self.line_count() == 9, "one more line")
        self.assertLess(abs(self.tab.run(top) - before), 2)
        self.type("Me" + ENTER)
        eventually(lambda: self.line_count() == 10, "one's own line")
        seen = "const it = document.querySelector('.lines li:last-child').getBoundingClientRect(),"
        seen += " log = document.querySelector('.log').getBoundingClientRect();"
        seen += " return it.bottom <= log.bottom + 1 && it.top >= log.top"
        eventually(lambda: self.tab.run(seen), "one's own line in sight")


class ScrollTests(TalkTestCase):
    """Reading what was said before."""

    config = "[limits.rates]\n" + "".join(
        f"{name} = {{ burst = 0, per_second = 0 }}\n" for name in ("channels_send", "global")
    )

    def lines(self) -> list[str]:
        """What was said, as far as it is on the page."""
        texts = self.tab.run("return [...document.querySelectorAll('.lines .text')].map((it) => it.innerText)")
        return [text.partition(": ")[2] for text in texts]

    def days(self) -> list[int]:
        """Before which lines, in their order on the page, a day begins."""
        kinds = self.tab.run("return [...document.querySelectorAll('.lines li')].map((it) => it.className)")
        return [at - kinds[:at].count("day") for at, kind in enumerate(kinds) if kind == "day"]

    def test_stays(self) -> None:
        """The page keeps its place when earlier lines come in above."""
        game = self.join()
        payloads = [{"channel": "gossip", "name": "Bo", "message": f"Line {number}"} for number in range(129)]
        game.hear(*({"event": "channels/send", "payload": payload} for payload in payloads))
        self.say(game, "Line 129", "Bo")  # when this is kept, all are
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        self.assertEqual(self.line_count(), 100)
        where = "return [...document.querySelectorAll('.lines .text')].find((it) => it.innerText.endsWith('Line 40'))"
        where += ".getBoundingClientRect().top"
        before = self.tab.run(f"document.querySelector('.log').scrollTop = -1e6; {where}")
        eventually(lambda: self.line_count() == 130, "earlier lines")
        self.assertLess(abs(self.tab.run(where) - before), 2)
        self.assertTrue(self.tab.run("return document.querySelector('a[rel=prev]') === null"))
        self.assertEqual(self.tab.complaints(), [])

    def test_home(self) -> None:
        """One large scroll to the top loads the lines before those on the page, and not the whole history."""
        game = self.join()
        payloads = [{"channel": "gossip", "name": "Bo", "message": f"Line {number}"} for number in range(449)]
        game.hear(*({"event": "channels/send", "payload": payload} for payload in payloads))
        self.say(game, "Line 449", "Bo")
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        loaded = "return performance.getEntriesByType('resource').filter((it) => it.name.includes('before=')).length"
        for pages in (1, 2):
            self.tab.run("document.querySelector('.log').scrollTop = -1e6")
            eventually(lambda pages=pages: self.line_count() == 100 * (pages + 1), "earlier lines")  # type: ignore[misc]
            # The next ones would be asked for in the frame after this one.
            self.tab.driver.execute_async_script(
                "const done = arguments[0]; let left = 20;"
                "const frame = () => { left -= 1; left ? requestAnimationFrame(frame) : done(); }; frame()"
            )
            self.assertEqual(self.tab.run(loaded), pages)

    def test_many_lines(self) -> None:
        """A page keeps a bounded number of lines, and those being read; dropped ones come back when you scroll up."""
        game = self.join()
        for number in range(30):
            self.say(game, f"Line {number}", "Bo")
        self.tab.look(1280)
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        self.tab.run("document.querySelector('.log').dataset.most = 30")
        self.assertTrue(self.tab.run("return document.querySelector('a[rel=prev]') === null"))
        self.say(game, "Line 30", "Bo")
        self.say(game, "Line 31", "Bo")
        eventually(lambda: self.lines() == [f"Line {number}" for number in range(2, 32)], "the last lines")
        self.tab.run("document.querySelector('.log').scrollTop = -1e6")
        eventually(lambda: self.line_count() == 32, "what was let go")
        self.assertEqual(self.lines(), [f"Line {number}" for number in range(32)])
        self.say(game, "Line 32", "Bo")
        eventually(lambda: self.line_count() == 33, "one more line, and none less")
        self.tab.run("document.querySelector('.log').scrollTop = 0")
        self.say(game, "Line 33", "Bo")
        eventually(lambda: self.lines() == [f"Line {number}" for number in range(4, 34)], "as many lines as it keeps")
        self.assertEqual(self.tab.complaints(), [])

    def test_heard_once(self) -> None:
        """A screen reader announces each line, and the start of each day, once."""
        game = self.join()
        self.say(game, "Line 0", "Bo")
        for path, most in (("/chat/gossip", 1000), ("/", 2)):
            self.open(path)
            eventually(self.is_live, "a live page")
            self.tab.run(
                "const list = document.querySelector('.lines');"
                "document.querySelector('.log').dataset.most = arguments[0]; window.added = [];"
                "new MutationObserver((all) => all.forEach((change) => window.added.push(...change.addedNodes)))"
                ".observe(list, { childList: true })",
                most,
            )
            for number in range(1, 4):
                self.say(game, f"Line {number} {path}", "Bo")
            eventually(lambda path=path: f"Line 3 {path}" in self.tab.text, "the last line")  # type: ignore[misc]
            self.assertEqual(self.tab.run("return window.added.length"), 3, path)
            self.assertEqual(self.tab.run("return document.querySelectorAll('.lines .day').length"), 1)
            self.assertEqual(self.tab.run("return document.querySelector('.lines').children[0].className"), "day")

    def test_days(self) -> None:
        """Days are those of the reader, whichever lines are there, and in whatever order they came."""
        self.daemon.stop()
        midnight = int(time.time()) // DAY * DAY
        with closing(Store.open(None, self.daemon.data)) as store:
            for number in range(104):
                # 15:00 here is the next day in Tokyo.
                at = midnight - 3 * DAY + 14.5 * HOUR + (number // 2) * HOUR
                store.apply(MessageSaid("gossip", number + 1, None, "Alpha", "Ana", f"Line {number}", at))
        self.daemon.start()
        zone = self.tab.driver.execute_cdp_cmd
        zone("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
        self.addCleanup(zone, "Emulation.setTimezoneOverride", {"timezoneId": ""})
        self.open("/chat/gossip")
        eventually(lambda: self.days() == [0, 46, 94], "days of Tokyo")
        self.tab.run("document.querySelector('.log').scrollTop = -1e6")
        eventually(lambda: self.line_count() == 104, "earlier lines")
        self.assertEqual(self.days(), [0, 2, 50, 98])
        # What was said last week is found in two actions, and its day is one more.
        field = self.tab.driver.find_element("css selector", ".search-box input[type=search]")
        field.send_keys("line 3*", ENTER)
        eventually(lambda: "/search?q=line+3*" in self.tab.driver.current_url, "the search")
        self.assertEqual(len(self.tab.driver.find_elements("css selector", ".hit mark")), 22)
        self.tab.driver.find_element("css selector", ".hit a[href^='/chat/gossip/4#']").click()
        eventually(lambda: "/chat/gossip/4" in self.tab.driver.current_url, "the message")
        self.assertEqual(self.tab.driver.find_element("css selector", ".lines .found .text").text[-6:], "Line 3")
        day = self.tab.driver.find_elements("css selector", ".lines .day a")[1]
        # Midnight of Tokyo.
        self.assertIn(
            f"?on={datetime.fromtimestamp(midnight - 3 * DAY + 15 * HOUR, UTC):%Y-%m-%dT%H}:00:00Z",
            day.get_attribute("href"),
        )
        # So it is with the dates that one searches for; the form shows them again.
        begin = datetime.fromtimestamp(midnight - 2 * DAY, UTC)
        for address, found in (("/search", ".hit"), ("/admin/audit", "main")):
            if address != "/search":
                self.sign_in("Boss", admin=True)
            self.open(address)
            self.tab.run("for (const each of document.querySelectorAll('details')) each.open = true")
            for name in ("from", "to"):
                self.tab.run(f"document.querySelector('[name={name}]').value = arguments[0]", f"{begin:%Y-%m-%d}")
            self.send("main form[role=search] button")
            asked = parse_qs(urlsplit(self.tab.driver.current_url).query)
            ends = ((datetime.fromtimestamp(midnight + each * DAY - 9 * HOUR, UTC)) for each in (-2, -1))
            self.assertEqual((asked["from"], asked["to"]), tuple([f"{each:%Y-%m-%dT%H}:00:00Z"] for each in ends))
            for name in ("from", "to"):
                shown = self.tab.run(f"return document.querySelector('[name={name}]').value")
                self.assertEqual(shown, f"{begin:%Y-%m-%d}", (address, name))
            self.assertTrue(self.tab.driver.find_elements("css selector", found), address)
        self.assertEqual(self.tab.complaints(), [])


class WithoutScriptsTests(TalkTestCase):
    """Without JavaScript."""

    def test_say(self) -> None:
        """A line reaches the games, and stands on the page that comes back; the field is where the keyboard is."""
        game = self.join()
        self.sign_in("Ana")
        self.tab.scripts(allowed=False)
        self.open("/chat/gossip")
        self.fill(message="By hand")
        self.send(".say button")
        self.hears(game, "By hand")
        self.assertEqual(self.path, "/chat/gossip#message")
        self.assertIn("By hand", self.tab.driver.find_element("css selector", ".lines").text)
        self.assertEqual(self.tab.driver.switch_to.active_element.get_attribute("id"), "message")

    def test_refused(self) -> None:
        """The reason stands on the page, and what was typed in the field."""
        self.sign_in("Ana")
        self.tab.scripts(allowed=False)
        self.open("/chat/gossip")
        self.daemon.admin("channel/pause", channel="gossip")
        self.fill(message=HOSTILE)
        self.send(".say button")
        find = self.tab.driver.find_element
        self.assertEqual(find("css selector", "#wrong").text, "Not sent: channel is paused.")
        self.assertEqual(find("css selector", "#message").get_attribute("value"), HOSTILE)
        self.assertEqual(self.tab.driver.switch_to.active_element.get_attribute("id"), "message")

    def test_sign_in_first(self) -> None:
        """A reader who was signed out returns to the page after signing in, and can talk there."""
        self.sign_in("Ana")
        self.tab.forget()
        self.tab.scripts(allowed=False)
        self.open("/chat/gossip")
        self.send(".note a[href^='/sign-in']")
        self.fill(name="Ana", password=PASSWORD)
        self.send()
        self.assertEqual(self.path, "/chat/gossip")
        self.fill(message="Back")
        self.send(".say button")
        self.assertIn("Back", self.tab.driver.find_element("css selector", ".lines").text)


class ReportTests(TalkTestCase):
    """Complaining of a message."""

    def test_reported(self) -> None:
        """The link of a message leads to where it can be reported; the admins see the report."""
        game = self.join()
        self.say(game, "Nasty", "Bo")
        self.sign_in("Ana")
        self.tab.scripts(allowed=False)
        self.open("/chat/gossip")
        self.send(".lines .permalink")
        self.tab.driver.find_element("css selector", ".report summary").click()
        self.fill(reason="It is spam")
        self.send(".report button.main")
        self.assertIn("An admin will look at this message.", self.tab.text)
        (report,) = self.daemon.admin("report/list")["reports"]
        self.assertEqual((report["message"], report["reason"], report["made_by"]), ("Nasty", "It is spam", "Ana"))


class GoodTests(TalkTestCase):
    """How the pages look and work."""

    def test_good(self) -> None:
        """In all looks nothing is too wide, forbidden, wrong or hard to use."""
        game = self.join()
        for text in ("Hello", "W" * 300):
            self.say(game, text, "Bo")
        self.sign_in("Ana")
        self.open("/chat/gossip")
        first = (
            self.tab.driver.find_element("css selector", ".lines .permalink")
            .get_attribute("href")
            .partition("/chat")[2]
        )
        self.assertGood(("/chat/gossip", "/chat" + first.partition("#")[0]))

    def test_good_when_refused(self) -> None:
        """So is the page that tells what is wrong."""
        self.sign_in("Ana")
        for width, scheme in ((360, "light"), (360, "dark"), (1280, "light")):
            self.tab.look(width, scheme)
            self.follow()
            self.daemon.admin("mute/add", who="Ana@gossip", reason="x" * 150, minutes=HOUR)
            self.type("W" * 100 + ENTER)
            eventually(self.wrong, "the reason")
            self.daemon.admin("mute/remove", who="Ana@gossip")
            self.assertFits(width, scheme, "refused", ("422",))
            self.assertAccessible(f"refused {scheme}")
