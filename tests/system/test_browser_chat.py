"""The chat, in a real browser, at a real daemon that all tests here share."""

from __future__ import annotations

import atexit
import functools

from tests.support.browsing import PASSWORD, BrowserTestCase, need_browser, shared_tab
from tests.support.daemon import Daemon, Game, eventually

TAB, ENTER, ESCAPE, UP, HOME = "\ue004", "\ue007", "\ue00c", "\ue013", "\ue011"


HIDDEN = """
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
window.hide = (now) => { hidden = now; document.dispatchEvent(new Event("visibilitychange")); };
const later = setTimeout;
window.setTimeout = (act, wait, ...all) => later(act, wait === 30000 ? 0 : wait, ...all);
window.EventSource = class extends EventSource { constructor(...all) { super(...all); window.stream = this; } };
window.notes = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = window.answer); }
  constructor(title, options) { window.notes.push([title, options.body, options.tag]); }
};
"""
"""A page that is told whether anybody sees it, which gives up its stream at once, and what it notified of."""


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
        eventually(self.is_live, "a page that follows removals")
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
        self.click(".lines li:last-child .permalink")
        self.click("[data-do=mute]")
        told = self.tab.driver.find_element("id", "ask-mute").text
        self.assertIn(f"Mute on #{self.channel}", told)
        self.assertIn("shown to the person affected, and to everybody on the page Moderation", told)
        self.press(ESCAPE)
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
        for times in range(2):
            self.click(".lines li.emote .permalink")
            self.click("[data-do=report]")
            self.press("It is spam", ENTER)
            if not times:
                eventually(lambda: not self.tab.run("return document.querySelector(':popover-open')"), "a report")
        refusal = "return document.querySelector('#ask-report .wrong:not([hidden])')?.innerText ?? ''"
        self.assertIn("reported", eventually(lambda: str(self.tab.run(refusal)), "a refusal"))
        self.assertEqual([each for each in self.tab.complaints() if "422" not in each], [])
        reports = [each for each in self.daemon.admin("report/list")["reports"] if each["channel"] == self.channel]
        [report] = [each for each in reports if each["name"] == "Bo"]
        self.assertEqual((report["name"], report["reason"], report["made_by"]), ("Bo", "It is spam", "Root"))
        [mute] = [each for each in self.daemon.admin("mute/list")["mutes"] if each["channel"] == self.channel]
        self.assertEqual((mute["who"].lower(), mute["reason"]), ("bo@alpha", "shouting"))
        self.assertEqual(self.tab.complaints(), [])

    def test_ignore(self) -> None:
        """The menu of a line ignores its player, and the page says how to undo that. One's own lines lack it."""
        self.sign_in("Ivo")
        self.follow()
        self.press(TAB, ENTER, "Mine", ENTER)
        eventually(lambda: "Mine" in self.tab.text, "one's own line")
        self.click(".lines li:last-child .permalink")
        items = "return [...document.querySelectorAll('#line-menu [data-do]:not([hidden])')].map((it) => it.innerText)"
        self.assertEqual(self.tab.run(items), ["Copy link"])
        self.press(ESCAPE)
        before = self.tab.driver.find_element("css selector", "html")
        self.click(".lines li.emote .permalink")
        self.click("[data-do=ignore]")
        self.wait_for_another(before)
        self.toasted("You do not see Cy@Alpha any more. Your account, Talk, undoes it.")
        self.assertNotIn("waves", self.tab.text)
        self.assertIn("Third", self.tab.text)
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
        eventually(lambda: self.tab.run("return away"), "a page that knows that it is scrolled")
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

    def hideable(self) -> None:
        """Have a tab whose pages are told whether they are hidden."""
        added = self.tab.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HIDDEN})
        self.addCleanup(self.tab.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", added)

    def hide(self, hidden: bool = True) -> None:
        """Nobody sees the page any more, or somebody does."""
        self.tab.run("window.hide(arguments[0])", hidden)

    def heard(self, text: str, name: str = "Bo") -> None:
        """Somebody says something, and the page has it."""
        self.say(self.game, text, name)
        self.has(text)

    def heard_of_me(self, text: str) -> None:
        """The reader says something, as if on another page of theirs, and the page has it."""
        say = (
            "const form = new URLSearchParams(new FormData(document.querySelector('form.say')));"
            "form.set('message', arguments[0]); fetch(`${location.pathname}/say`, { method: 'POST', body: form });"
        )
        self.tab.run(say, text)
        self.game.expect("channels/broadcast")
        self.has(text)

    def has(self, text: str) -> None:
        """The page gets a text; what is on a hidden page is not always laid out."""
        eventually(lambda: text in self.tab.run("return document.body.textContent"), text)

    @property
    def title(self) -> str:
        """The title of the page."""
        return str(self.tab.driver.title)

    def test_counted(self) -> None:
        """
        The title counts what others say while the page is hidden, and stops when it is shown. It does not count the
        reader's own lines, or lines that were removed before they came. With "do not disturb" it counts nothing.
        """
        self.sign_in("Tia")
        self.hideable()
        self.follow()
        title = self.title
        self.heard("Seen")
        self.assertEqual(self.title, title)
        self.hide()
        self.heard("One")
        self.heard("Two", "Cy")
        self.assertEqual(self.title, f"(2) {title}")
        self.heard_of_me("My own")
        self.heard("Three")
        self.assertEqual(self.title, f"(3) {title}")
        seq = self.tab.run("return lastLine().id.split('-').pop()")
        self.daemon.admin("message/remove", id=f"{self.channel}:{seq}", reason="ads")
        self.has("[removed: ads]")
        self.tab.run("window.stream.close()")
        self.say(self.game, "Missed")
        self.daemon.admin("message/remove", id=f"{self.channel}:{int(seq) + 1}", reason="more ads")
        self.tab.run("wake()")
        self.has("[removed: more ads]")
        self.assertEqual(self.title, f"(3) {title}")
        self.hide(False)
        self.assertEqual(self.title, title)
        self.open("/account/talk")
        self.tab.driver.find_element("css selector", "input[type='checkbox'][name='undisturbed']").click()
        self.send("form:has([name='undisturbed']) button")
        self.follow()
        self.hide()
        self.heard("Four")
        self.assertEqual(self.title, title)
        self.assertEqual(self.tab.complaints(), [])

    def test_notified(self) -> None:
        """
        Readers that opt in, and allow it in the browser, are notified of mentions while the page is hidden. They are
        not notified of other lines, of their own, of players that they ignore, or after they opt out.
        """
        self.hideable()
        self.follow()
        self.assertFalse(self.tab.run("return document.querySelector('#notify').checkVisibility()"))
        self.sign_in("Nia")
        self.open("/account/talk")
        self.fill(who="Cy@Alpha")
        self.send()
        self.follow()
        notes = "return window.notes"
        pressed = "return document.querySelector('#notify').getAttribute('aria-pressed')"

        def hears(*texts: str) -> list[list[str]]:
            """What the hidden page notifies of."""
            self.hide()
            for text in texts:
                self.heard(text)
            self.hide(False)
            return list(self.tab.run(f"{notes}.splice(0)"))

        def press(answer: str) -> None:
            self.tab.run("window.answer = arguments[0]", answer)
            self.tab.run("document.querySelector('.bar details').open = true")
            self.click("#notify")

        self.assertEqual(hears("Nia, before"), [])
        press("denied")
        self.toasted("Your browser does not allow notifications of this site.")
        self.assertEqual((self.tab.run(pressed), hears("Nia, denied")), ("false", []))
        press("granted")
        eventually(lambda: self.tab.run(pressed) == "true", "the button that is pressed")
        self.heard("Nia, seen")
        self.say(self.game, "Nia, ignored", "Cy")
        self.hide()
        self.heard_of_me("I am Nia")
        [note] = hears("Niamh or somebody", "What says nia?")
        self.assertEqual(note[:2], [f"#{self.channel}", "Bo@Alpha: What says nia?"])
        self.assertEqual(note[2], self.tab.run("return lastLine().id"))
        press("granted")
        self.assertEqual((self.tab.run(pressed), hears("Nia, after")), ("false", []))
        self.assertEqual(self.tab.complaints(), [])

    def test_turns(self) -> None:
        """
        Of the pages that nobody sees, two keep their streams. The next one waits until one of those is seen or closed,
        and then counts what it missed. A page that somebody sees takes no such place.
        """
        driver = self.tab.driver
        self.hideable()
        tabs = [driver.current_window_handle]
        self.addCleanup(driver.switch_to.window, tabs[0])

        def close(tab: str) -> None:
            if tab in driver.window_handles:
                driver.switch_to.window(tab)
                driver.close()

        def another() -> str:
            """Open another tab, which ends with the test."""
            driver.switch_to.new_window("tab")
            tab: str = driver.current_window_handle
            self.addCleanup(close, tab)
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HIDDEN})
            return tab

        for number in range(4):
            if number:
                tabs.append(another())
            self.follow()
        title = self.title

        def hide(tab: str, hidden: bool = True) -> None:
            driver.switch_to.window(tab)
            self.hide(hidden)

        def is_open(tab: str) -> bool:
            driver.switch_to.window(tab)
            return bool(self.tab.run("return window.stream.readyState === EventSource.OPEN"))

        def titled(tab: str) -> str:
            driver.switch_to.window(tab)
            return self.title

        def opened(*expected: bool) -> None:
            eventually(lambda: [is_open(tab) for tab in tabs] == list(expected), f"the streams of {expected}")

        _, one, two, three = tabs
        for tab in (one, two):
            hide(tab)
        opened(True, True, True, True)
        hide(three)
        opened(True, True, True, False)
        self.say(self.game, "Something")
        eventually(lambda: [titled(tab) for tab in (one, two)] == [f"(1) {title}"] * 2, "what is new")
        self.assertEqual(titled(three), title)
        hide(one, False)
        opened(True, True, True, True)
        eventually(lambda: titled(three) == f"(1) {title}", "what was missed")
        hide(one)
        opened(True, False, True, True)
        close(two)
        tabs.remove(two)
        opened(True, True, True)
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
        self.tab.run("document.querySelector('#log').focus()")
        self.press(TAB)
        self.assertEqual(self.focus(), "message", "the log, which has older messages, is one stop")
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

    def test_from_first(self) -> None:
        """A day, and what is newer than an older page, is read from its first line on, with scripts and without."""
        for number in range(300):
            self.say(self.game, f"Line {number}. " + "word " * 20)
        self.open(f"/chat/{self.channel}")
        lines = "return [...document.querySelectorAll('.lines li[id]')].map((it) => it.id.split('-')[1])"
        oldest = int(self.tab.run(lines)[0])
        top = (
            "const top = document.querySelector('.log').getBoundingClientRect().top;"
            "return [...document.querySelectorAll('.lines li[id]')]"
            ".find((it) => it.getBoundingClientRect().bottom > top + 60).id.split('-')[1]"
        )
        for scripts, width in ((True, 1280), (True, 360), (False, 1280), (False, 360)):
            self.tab.look(width)
            self.tab.scripts(scripts)
            self.open(f"/chat/{self.channel}?after={oldest - 100}")
            if scripts:
                eventually(lambda: len(self.tab.run(lines)) > 100, "older lines above")
            self.tab.scripts(allowed=True)
            seen = int(self.tab.run(top))
            self.assertLess(abs(seen - (oldest - 99)), 3, (scripts, width))
            self.assertEqual(self.tab.driver.find_element("css selector", ".live a").text, "Latest")
            self.assertTrue(self.tab.driver.find_element("css selector", ".live a").is_displayed())
            self.assertNotIn("Live", self.tab.text)
            mark = "return getComputedStyle(document.querySelector('.live'), '::before').content"
            self.assertEqual(self.tab.run(mark), "none")
        self.assertEqual(self.tab.complaints(), [])

    def test_found_stays(self) -> None:
        """The line of a link stays in sight when a form about it opens; the drawer shows the channels at once."""
        for number in range(60):
            self.say(self.game, f"Line {number}. " + "word " * 10)
        self.sign_in("Fay")
        seq = self.tab.run(
            "return fetch(arguments[0]).then((it) => it.json()).then((it) => it.messages[30].seq)",
            f"/api/v1/channels/{self.channel}/messages",
        )
        inside = (
            "const [line, log] = ['.found', '.log'].map((it) => document.querySelector(it).getBoundingClientRect());"
            "return line.top >= log.top && line.bottom <= log.bottom"
        )
        for width in (360, 1280):
            self.tab.look(width)
            self.open(f"/chat/{self.channel}/{seq}")
            self.click("#report summary")
            eventually(lambda: self.tab.run(inside), "the line")
        self.tab.look(360)
        self.open(f"/chat/{self.channel}")
        self.click(".bar [popovertarget=channels]")
        top = "return document.querySelector('.channels').getBoundingClientRect().top"
        self.assertLess(self.tab.run(top), 400)
        self.assertEqual(self.tab.complaints(), [])

    def test_clock_beside_text(self) -> None:
        """Neither the time nor the menu of a line stands on its text, however long names and words are."""
        self.say(self.game, "Hello", "Fred the Very Long Named Wanderer of the North")
        for text in ("/me " + "dances " * 20, "x" * 300, "word " * 60, "word " * 60):
            self.say(self.game, text, "Cy")
        overlaps = """
            const meet = (a, b) => a.width && a.left < b.right - 1 && a.right > b.left + 1
              && a.top < b.bottom - 6 && a.bottom > b.top + 6;
            return [...document.querySelectorAll('.lines li[id]')].filter((line) => {
              const range = document.createRange();
              range.selectNodeContents(line.querySelector('.text'));
              const clock = line.querySelector('.permalink').getBoundingClientRect();
              return [...range.getClientRects()].some((part) => meet(part, clock));
            }).map((line) => line.innerText);
        """
        for width in (360, 1280):
            self.tab.look(width)
            self.open(f"/chat/{self.channel}")
            self.assertEqual(self.tab.run(overlaps), [], width)
            if width == 360:
                # What stands below the name has the whole width.
                tall = "return [...document.querySelectorAll('.talk .permalink')].map((it) => it.offsetHeight)"
                self.assertLess(max(self.tab.run(tall)), 24)

    def test_print(self) -> None:
        """On paper there are the lines of the page, all of them, and nothing beside them."""
        for number in range(40):
            self.say(self.game, f"Line {number}.")
        self.follow()
        media = self.tab.driver.execute_cdp_cmd
        media("Emulation.setEmulatedMedia", {"media": "print"})
        self.addCleanup(media, "Emulation.setEmulatedMedia", {"media": ""})
        whole = (
            "const log = document.querySelector('.log');"
            "return document.documentElement.scrollHeight >= log.scrollHeight && log.scrollHeight > innerHeight"
        )
        self.assertTrue(self.tab.run(whole))
        for part in ("#channels", "#online", ".under"):
            self.assertFalse(self.tab.driver.find_element("css selector", part).is_displayed(), part)

    def test_silent(self) -> None:
        """Where nobody can speak the page says why, and until when, instead of a field."""
        self.sign_in("Sue")
        self.daemon.admin("channel/pause", channel=self.channel, minutes=30)
        self.open(f"/chat/{self.channel}")
        self.assertEqual(self.tab.run("return document.querySelector('#message')"), None)
        self.assertIn("This channel is paused", self.tab.text)
