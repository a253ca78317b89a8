"""
A real browser at a real daemon.

Needs Chromium and its driver (Debian: chromium, chromium-driver) and selenium; GOSSIP_TEST_AXE names the file
axe.min.js of axe-core, which judges how the pages suit people who do not see them.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.daemon import Daemon, Game, eventually

try:
    from selenium import webdriver
except ImportError:
    webdriver = None  # type: ignore[assignment]

CHROMIUM: Final = shutil.which("chromium")
DRIVER: Final = shutil.which("chromedriver")
AXE: Final = os.environ.get("GOSSIP_TEST_AXE", "")

SWITCHES: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--ignore-certificate-errors",  # ours are signed by nobody
)

PASSWORD: Final = "correct horse battery"
"""What everybody's password is."""

LOOKS: Final = tuple((width, scheme) for scheme in ("light", "dark") for width in (360, 1280))
"""In which widths and colours pages are looked at."""

_JUDGED: Final = ((360, "light"), (1280, "dark"))
"""In which of them axe judges, which takes most of the time: each width and each colour once."""


class Tab:
    """The one page of a browser that is open."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="gossip-browser-")
        options = webdriver.ChromeOptions()
        for switch in SWITCHES:
            options.add_argument(switch)
        options.add_argument(f"--user-data-dir={self._profile}")
        options.binary_location = str(CHROMIUM)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver: Any = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
        self.driver.set_page_load_timeout(20)

    def close(self) -> None:
        """End the browser, and leave nothing behind."""
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def look(self, width: int = 1280, scheme: str = "light") -> None:
        """How wide the page is, and which colours its reader likes."""
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def scripts(self, allowed: bool) -> None:
        """With JavaScript, or without."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    @property
    def text(self) -> str:
        """All that can be read on the page."""
        return str(self.run("return document.body.innerText"))

    @property
    def source(self) -> str:
        """The page as it is, in HTML."""
        return str(self.driver.page_source)

    def forget(self) -> None:
        """Be a browser that was never here."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def complaints(self) -> list[str]:
        """What the browser had to say since the last look: errors, and what the policy forbade."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


def need_browser() -> None:
    """Skip the test if there is no browser."""
    if webdriver is None or CHROMIUM is None or DRIVER is None:
        raise SkipTest("needs chromium, chromedriver and selenium")


@functools.cache
def shared_tab() -> Tab:
    """A browser for all tests."""
    tab = Tab()
    atexit.register(tab.close)
    return tab


class BrowserTestCase(SynchronousTestCase):
    """
    A daemon with two games and a public channel, and a browser.

    @cvar config: the text of the daemon's configuration file.
    """

    config = ""

    def setUp(self) -> None:
        need_browser()
        self.daemon = Daemon(self.config)
        self.addCleanup(self.daemon.close)
        self.daemon.start()
        self.games = {name: self.daemon.register(name) for name in ("Alpha", "Beta")}
        self.daemon.admin("channel/describe", channel="gossip", description="All talk")
        self.tab = shared_tab()
        self.tab.scripts(allowed=True)
        self.tab.look()
        self.tab.forget()
        self.tab.complaints()  # those of the test before
        self.addCleanup(self.tab.driver.get, "about:blank")

    def join(self, name: str = "Alpha", **more: Any) -> Game:
        """A game joins."""
        game = Game(self.daemon.url)
        self.addCleanup(game.close)
        game.authenticate(self.games[name], channels=["gossip"], **more)
        return game

    def say(self, game: Game, text: str, name: str = "Ana") -> None:
        """Somebody says something, and it is kept."""
        payload = {"channel": "gossip", "name": name, "message": text}
        self.assertEqual(game.outcome("channels/send", payload), "success")

    def open(self, path: str) -> None:
        """Open a page."""
        self.tab.driver.get(f"http://127.0.0.1:{self.daemon.port}{path}")

    @property
    def path(self) -> str:
        """Which page is open, with its query."""
        return str(self.tab.driver.current_url).partition(f":{self.daemon.port}")[2]

    def sign_in(self, name: str = "Ana", admin: bool = False) -> None:
        """Make an account, and sign in with it: by the link that an admin gets for a new one."""
        made = self.daemon.admin("account/add", name=name, admin=admin)
        self.open(made["link"])
        self.fill(password=PASSWORD, again=PASSWORD)
        self.send()
        self.assertIn("Sign out", self.tab.source)

    def fill(self, **fields: str) -> None:
        """Type into the fields of the page that have these names, over what stands there."""
        for name, text in fields.items():
            field = self.tab.driver.find_element("css selector", f'main [name="{name}"]')
            if field.get_attribute("type") in ("checkbox", "radio") or field.tag_name == "select":
                raise AssertionError(f"{name} is nothing to type into")
            field.clear()
            field.send_keys(text)

    def send(self, button: str = "main form button.main") -> None:
        """Press a button that sends a form, and wait for the page that comes of it."""
        before = self.tab.driver.find_element("css selector", "html")
        self.tab.driver.find_element("css selector", button).click()
        self.wait_for_another(before)

    def wait_for_another(self, before: Any) -> None:
        """
        Wait for the next page.

        @param before: the html element of the one before.
        """
        # Not by a script: some tests forbid those.
        find = self.tab.driver.find_elements
        eventually(lambda: find("css selector", "footer") and find("css selector", "html") != [before], "the next page")

    def assertGood(self, paths: Sequence[str], expected: Collection[str] = ()) -> None:
        """
        In both colours and at both widths nothing scrolls sideways, nothing is forbidden, and nothing fails; axe
        finds nothing serious or moderate at either width, and in either colour.

        @param expected: parts of complaints that there may be.
        """
        for path in paths:
            self.open(path)
            self.assertFitsEverywhere(path, expected)
            for width, scheme in _JUDGED if Path(AXE).is_file() else ():
                self.tab.look(width, scheme)
                self.assertAccessible(f"{path} {scheme}")

    def assertFitsEverywhere(self, path: str, expected: Collection[str] = ()) -> None:
        """The page that is open fits in both colours and at both widths."""
        for width, scheme in LOOKS:
            self.tab.look(width, scheme)
            self.assertFits(width, scheme, path, expected)

    def assertFits(self, width: int, scheme: str, path: str, expected: Collection[str] = ()) -> None:
        """The page that is open does not scroll sideways, has its colours, and the browser complains of nothing."""
        self.assertLessEqual(self.tab.run("return document.documentElement.scrollWidth"), width, path)
        complaints = [each for each in self.tab.complaints() if not any(part in each for part in expected)]
        self.assertEqual(complaints, [], path)
        ground = self.tab.run("return getComputedStyle(document.body).backgroundColor")
        bright = sum(map(int, ground[4:-1].split(","))) > 3 * 128
        self.assertEqual(bright, scheme == "light", path)

    def assertAccessible(self, what: str) -> None:
        """axe, if it is there, finds nothing serious or moderate on the page that is open."""
        if not Path(AXE).is_file():
            return
        # What is below the summaries counts as well.
        self.tab.run("for (const each of document.querySelectorAll('details')) each.open = true")
        self.tab.run(_axe())
        found = self.tab.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        serious = [
            (each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"])
            for each in found["violations"]
            if each["impact"] in ("moderate", "serious", "critical")
        ]
        self.assertEqual(serious, [], what)

    def is_live(self) -> bool:
        """Is the page told what is said?"""
        return bool(self.tab.run("return document.querySelector('.live')?.dataset.state === 'on'"))

    def line_count(self) -> int:
        """How many lines of talk are on the page."""
        return int(self.tab.run("return document.querySelectorAll('.lines li[id]').length"))


@functools.cache
def _axe() -> str:
    return Path(AXE).read_text()
