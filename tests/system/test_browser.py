"""The pages in a real browser, at a real daemon."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Final
from urllib.parse import quote

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.browsing import AXE, BrowserTestCase, need_browser, shared_tab
from tests.support.certificate import certificate
from tests.support.daemon import WITHIN, Daemon, eventually, free_port
from tests.support.site_browser import HOSTILE

PLAYER: Final = "Ana 'The <b>' \"Bold\""
PATHS: Final = (
    "/",
    "/games",
    "/games/Alpha",
    "/games/Beta",
    "/channels",
    "/chat/gossip",
    "/chat/gossip/1001",
    "/connect",
    "/connect/coffeemud",
    "/connect/diku",
    "/stats",
    "/status",
    "/rules",
    "/moderation",
    "/search",
    "/search?q=hello",
    "/docs",
    "/docs/protocol",
    "/docs/telnet",
    "/docs/operator",
    "/nothing",
)
"""Every kind of page."""


class LiveTests(BrowserTestCase):
    """Talk that comes in live."""

    def test_within_a_second(self) -> None:
        """What a player of a game says is on the pages within a second."""
        game = self.join()
        for path in ("/chat/gossip", "/"):
            self.open(path)
            eventually(self.is_live, "a live page")
            text = f"Hello {path}, I <3 <you> & 'me'"
            self.say(game, text)
            eventually(lambda text=text: text.replace("<you>", "") in self.tab.text, "the message on the page")  # type: ignore[misc]
        self.assertEqual(self.tab.complaints(), [])

    def test_restart(self) -> None:
        """After a restart of the daemon the page goes on by itself, and misses nothing."""
        game = self.join()
        self.say(game, "Before")
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        eventually(lambda: not self.is_live(), "a page that says that it is not live")
        self.daemon.launch()
        self.daemon.wait_until_healthy()
        game = self.join()
        self.say(game, "Meanwhile")
        eventually(lambda: "Meanwhile" in self.tab.text, "what was said")
        eventually(self.is_live, "a live page")
        self.say(game, "After")
        eventually(lambda: "After" in self.tab.text, "what was said later")
        self.assertEqual(self.line_count(), 3)
        # That nobody was there is all that there is to complain of.
        refused = (
            "ERR_CONNECTION_REFUSED",
            "ERR_INCOMPLETE_CHUNKED_ENCODING",
            "ERR_EMPTY_RESPONSE",
            "ERR_CONNECTION_RESET",
        )
        self.assertEqual([each for each in self.tab.complaints() if not any(why in each for why in refused)], [])

    def test_stops_with_readers(self) -> None:
        """A page that is open does not keep the daemon from stopping."""
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        self.assertNotIn("Traceback", self.daemon.log)

    def test_unseen(self) -> None:
        """A page that was opened where nobody sees it follows nothing until somebody does, and then misses nothing."""
        game = self.join()
        script = (
            "let hidden = true; Object.defineProperty(document, 'hidden', { get: () => hidden });"
            "window.seen = () => { hidden = false; document.dispatchEvent(new Event('visibilitychange')); };"
            "window.streams = 0; window.EventSource = class extends EventSource"
            " { constructor(...all) { super(...all); window.streams += 1; } };"
        )
        added = self.tab.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        self.addCleanup(self.tab.driver.execute_cdp_cmd, "Page.removeScriptToEvaluateOnNewDocument", added)
        self.open("/chat/gossip")
        self.assertEqual(self.tab.run("return window.streams"), 0)
        self.say(game, "Meanwhile")
        self.tab.run("window.seen()")
        eventually(lambda: "Meanwhile" in self.tab.text, "what was said")
        self.assertEqual(self.tab.run("return window.streams"), 1)

    def test_history(self) -> None:
        """What was said earlier comes when one scrolls up to it."""
        self.daemon.configure(
            "[limits.rates]\nchannels_send = { burst = 0, per_second = 0 }\nglobal = { burst = 0, per_second = 0 }\n"
        )
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.logged("read the configuration again")
        game = self.join()
        sent = [
            {"event": "channels/send", "payload": {"channel": "gossip", "name": "Ana", "message": f"Line {n}."}}
            for n in range(250)
        ]
        game.hear(*sent)
        self.open("/chat/gossip")
        eventually(self.is_live, "a live page")
        for _ in range(10):
            self.tab.run("document.querySelector('.log').scrollTop = -1e6")
            if eventually(self.line_count, "lines") == 250:
                break
            before = self.line_count()
            eventually(lambda before=before: self.line_count() != before or self.line_count() == 250, "more lines")  # type: ignore[misc]
        self.assertEqual(self.line_count(), 250)
        numbers = self.tab.run("return [...document.querySelectorAll('.lines li[id]')].map(e => e.id.split('-')[1])")
        self.assertEqual(numbers, sorted(numbers, key=int))
        self.assertEqual(self.tab.complaints(), [])


class EveryPageTests(BrowserTestCase):
    """What holds on every page."""

    def setUp(self) -> None:
        super().setUp()
        for name, text in (("Alpha", "x" * 70), ("Beta", "A game <b>")):
            self.daemon.admin("game/edit", game=name, tagline=text.replace("<b>", ""), description="word " * 300)
        self.daemon.admin("mute/add", who="Cy@Beta", reason="word " * 30 + "x" * 40, channel="gossip", minutes=5)
        ways = [{"type": "telnet", "host": "a" * 60 + ".example", "port": 4000}]
        self.daemon.admin(
            "game/edit", game="Alpha", homepage_url="https://x.example/'\"><script>alert(1)</script>" + "y" * 90
        )
        self.daemon.admin("game/edit", game="Alpha", connections=ways)
        game = self.join(players=[HOSTILE, "P" * 60], user_agent=HOSTILE)
        for text in ("W" * 300, HOSTILE + " javascript:alert(1)", "1 < 2\n> 3", "💬 ünïcödé " * 20):
            self.say(game, text, PLAYER)
        achievement = {"title": "T" * 190, "description": HOSTILE, "points": 5}
        self.assertEqual(game.ask("achievements/create", achievement)[0]["status"], "success")
        self.first = json.loads(self.daemon.get("/api/v1/channels/gossip/messages").read())["messages"][0]["seq"]

    def paths(self) -> list[str]:
        """Every page."""
        return [path.replace("1001", str(self.first)) for path in PATHS]

    def test_no_complaint(self) -> None:
        """In both colours and at both widths nothing scrolls sideways, nothing is forbidden, nothing fails."""
        for path in self.paths():
            self.open(path)
            self.assertFitsEverywhere(path, ["404"] if path == "/nothing" else [])

    def test_hostile(self) -> None:
        """What others wrote is shown as they wrote it, and runs nothing."""
        for path in self.paths():
            self.open(path)
            found = self.tab.run("return [...document.querySelectorAll('script')].map(e => e.getAttribute('src'))")
            self.assertTrue(all(src and src.startswith("/static/") for src in found), path)
            self.assertEqual(self.tab.run("return document.querySelectorAll('main b[onmouseover]').length"), 0)
        self.open("/chat/gossip")
        # Tags were taken out on their way into the network.
        self.assertIn("alert('1')\"'& javascript:alert(1)", self.tab.text)
        self.open("/games/Alpha")
        self.assertIn(HOSTILE, self.tab.text)

    def test_accessible(self) -> None:
        """axe finds nothing serious on any page, in either colours."""
        if not Path(AXE).is_file():
            raise SkipTest("needs axe-core: set GOSSIP_TEST_AXE")
        for scheme in ("light", "dark"):
            self.tab.look(1280 if scheme == "light" else 360, scheme)
            for path in self.paths():
                self.open(path)
                self.assertAccessible(f"{path} {scheme}")

    def test_without_scripts(self) -> None:
        """Without JavaScript every page shows the same, and its links and forms work."""
        self.tab.scripts(allowed=False)
        for path in self.paths():
            self.open(path)
            self.assertIn("<h1", self.tab.driver.page_source, path)
        driver = self.tab.driver
        self.open("/games?q=beta")
        shown = [row.text for row in driver.find_elements("css selector", ".game-cards > li") if row.is_displayed()]
        self.assertEqual(len(shown), 1)
        self.assertIn("The Beta", shown[0])
        driver.find_element("css selector", ".theme button[value=dark]").click()
        eventually(lambda: 'data-theme="dark"' in driver.page_source, "a dark page")
        self.assertTrue(driver.current_url.endswith("/games?q=beta"))
        driver.delete_all_cookies()

    def test_filter_and_theme(self) -> None:
        """With JavaScript games are filtered as one types, and the colours change without a reload."""
        self.open("/games")
        driver = self.tab.driver
        self.assertFalse(driver.find_element("css selector", ".filter button").is_displayed(), "it has nothing to do")
        driver.find_element("css selector", "#q").send_keys("beta")
        self.assertEqual(self.tab.run("return document.querySelectorAll('.game-cards > li:not([hidden])').length"), 1)
        self.tab.run("window.same = true")
        driver.find_element("css selector", ".theme button[value=dark]").click()
        self.assertEqual(self.tab.run("return [window.same, document.documentElement.dataset.theme]"), [True, "dark"])
        self.open("/status")
        self.assertEqual(self.tab.run("return document.documentElement.dataset.theme"), "dark")
        driver.delete_all_cookies()
        self.assertEqual(self.tab.complaints(), [])

    def test_search_on_a_phone(self) -> None:
        """The button of the search stands beside its field on a phone, too."""
        self.tab.look(360)
        self.open("/search?q=hello")
        tops = "return ['#q', '.search button'].map((it) => document.querySelector(it).getBoundingClientRect().bottom)"
        field, button = self.tab.run(tops)
        self.assertLess(abs(field - button), 6)

    def test_under_the_pointer(self) -> None:
        """A chart says the value under the pointer, in the reader's time, and the period can be chosen."""
        for path, what in (("/stats", "messages"), ("/stats?range=week", "messages")):
            self.open(path)
            said = self.tab.run(
                "const chart = document.querySelector(`svg[data-what=${arguments[0]}]`);"
                "const box = chart.getBoundingClientRect();"
                "const at = { clientX: box.right - 9, clientY: box.top + 9 };"
                "chart.dispatchEvent(new PointerEvent('pointermove', at));"
                "return chart.closest('figure').querySelector('.under-pointer').textContent",
                what,
            )
            self.assertRegex(said, r"^\w.*: [0-9]+ messages$", path)
        self.assertEqual(self.tab.complaints(), [])

    def test_zone(self) -> None:
        """Without JavaScript the axes of charts are in UTC and say so; with it they are in the reader's time."""
        for scripts in (False, True):
            self.tab.scripts(scripts)
            for path in ("/stats", "/stats?range=year", "/games/Alpha?range=week"):
                self.open(path)
                axes = self.tab.driver.find_elements("css selector", "svg[data-values]")
                self.assertTrue(axes, path)
                for axis in axes:
                    found = [text.text for text in axis.find_elements("css selector", ".zone")]
                    self.assertEqual(found, [] if scripts else ["UTC"], path)
        self.assertEqual(self.tab.complaints(), [])

    def test_copy(self) -> None:
        """What the manual shows is copied as a game sends it: a frame on one line, and nothing of what came back."""
        self.assertEqual(json.loads(self.copied("/docs/protocol"))["event"], "authenticate")
        lines = self.copied("/docs/telnet").splitlines()
        self.assertEqual((lines[0], lines[-1]), ("send gossip Conan hi", "quit"))

    def copied(self, path: str) -> str:
        """What the first button on a page copies."""
        self.open(path)
        self.tab.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        self.tab.driver.find_element("css selector", ".copy-button").click()
        copied: str = self.tab.run("return window.copied")
        return copied

    def test_keyboard(self) -> None:
        """The first key of a keyboard leads past the navigation, and what has the focus shows it."""
        self.open("/games")
        self.tab.driver.switch_to.active_element.send_keys("\ue004")
        focus = "const it = document.activeElement; return [it.className, getComputedStyle(it).outlineStyle]"
        self.assertEqual(self.tab.run(focus), ["skip", "solid"])
        self.tab.driver.switch_to.active_element.send_keys("\ue007")
        self.assertEqual(self.tab.run("return document.activeElement.id"), "main")


class OddNameTests(BrowserTestCase):
    """Names that need care in addresses."""

    def test_channel(self) -> None:
        """A channel with an odd name has its pages, too."""
        name = "a b/c?d#e%41\"'&"
        self.daemon.admin("channel/create", channel=name)
        self.daemon.admin("channel/publish", channel=name)
        self.daemon.admin("say", channel=name, text="Here")
        self.open(f"/chat/{quote(name, safe='')}")
        eventually(self.is_live, "a live page")
        self.assertIn("Here", self.tab.text)
        link = self.tab.driver.find_element("css selector", ".lines .permalink").get_attribute("href")
        self.tab.driver.get(link)
        eventually(
            lambda: self.tab.run("return document.querySelector('.found')?.innerText"), "the page of the message"
        )
        self.assertEqual(self.tab.complaints(), [])


class TLSTests(SynchronousTestCase):
    """A browser at the daemon's own TLS. It offers HTTP/2 and HTTP/1.1."""

    def test_pages_and_socket(self) -> None:
        """Pages come by https with HTTP/1.1, also those that follow messages, and wss connects to the socket."""
        need_browser()
        daemon = Daemon()
        self.addCleanup(daemon.close)
        certificate(daemon.directory)
        ports = free_port(), free_port()
        files = f"privateKey={daemon.directory}/key.pem:certKey={daemon.directory}/cert.pem"
        daemon.arguments = (
            *("--listen", f"ssl:{ports[0]}:interface=127.0.0.1:{files}"),
            *("--listen", f"tls:{daemon.directory}:{ports[1]}"),
        )
        daemon.start()
        tab = shared_tab()
        tab.scripts(allowed=True)
        self.addCleanup(tab.driver.get, "about:blank")
        tab.driver.set_script_timeout(WITHIN)
        for port in ports:
            tab.complaints()
            tab.driver.get(f"https://127.0.0.1:{port}/")
            self.assertIn("Sign in", tab.text)
            self.assertEqual(
                tab.run("return performance.getEntriesByType('navigation')[0].nextHopProtocol"), "http/1.1"
            )
            heard = tab.driver.execute_async_script(
                """
                const done = arguments[arguments.length - 1];
                const socket = new WebSocket(`wss://${location.host}/socket`);
                socket.onmessage = message => done(message.data);
                socket.onclose = () => done("closed");
                socket.onopen = () => socket.send('{"event": "authenticate", "payload": {}}');
                """
            )
            self.assertIn('"status":"failure"', heard)
            self.assertEqual(tab.complaints(), [])
