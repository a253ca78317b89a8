"""Accounts in a real browser, at a real daemon."""

from __future__ import annotations

import re
import signal
from typing import Any

from tests.support.browsing import LOOKS, PASSWORD, BrowserTestCase
from tests.support.site_browser import HOSTILE

BETTER = "a better horse battery"


class AccountsBrowserTestCase(BrowserTestCase):
    """What all tests here need."""

    def sign_up(self, name: str = "Ana") -> None:
        """Make an account, by the form."""
        self.open("/sign-up")
        self.fill(name=name, password=PASSWORD, again=PASSWORD)
        self.send()

    def sign_in_by_form(self, name: str = "Ana", password: str = PASSWORD) -> None:
        """Sign in, by the form."""
        self.open("/sign-in?back=/games%3Fq%3DA")
        self.fill(name=name, password=password)
        self.send()

    def is_signed_in(self) -> bool:
        """Whether the open page shows its reader as signed in."""
        return "Sign out" in self.tab.source

    def way(self) -> None:
        """From having no account to having changed its password, and out again."""
        self.open("/")
        self.assertFalse(self.is_signed_in())
        self.sign_up()
        self.assertEqual(self.path, "/welcome")
        self.assertTrue(self.is_signed_in())
        self.send(".own button")
        self.assertEqual((self.path, self.is_signed_in()), ("/", False))
        self.sign_in_by_form(password="wrong password")
        self.assertIn("Wrong name or password", self.tab.source)
        self.fill(password=PASSWORD)
        self.send()
        self.assertEqual((self.path, self.is_signed_in()), ("/games?q=A", True))
        self.open("/account")
        self.fill(current=PASSWORD, password=BETTER, again=BETTER)
        self.send()
        self.assertEqual((self.path, self.is_signed_in()), ("/account?done=password", True))
        self.send(".own button")
        self.sign_in_by_form()
        self.assertFalse(self.is_signed_in())
        self.sign_in_by_form(password=BETTER)
        self.assertTrue(self.is_signed_in())


class WayTests(AccountsBrowserTestCase):
    """Ways through the pages."""

    def test_with_scripts(self) -> None:
        """One signs up, out and in, and changes the password; the browser complains of nothing but the mistakes."""
        self.way()
        complaints = [each for each in self.tab.complaints() if "422" not in each]
        self.assertEqual(complaints, [])

    def test_without_scripts(self) -> None:
        """All of it goes without JavaScript."""
        self.tab.scripts(allowed=False)
        self.way()

    def test_keyboard(self) -> None:
        """One signs in by the keyboard alone: the field to fill in has the focus."""
        self.sign_up()
        self.send(".own button")
        self.open("/sign-in")
        self.tab.driver.switch_to.active_element.send_keys("Ana\t")
        before = self.tab.driver.find_element("css selector", "html")
        self.tab.driver.switch_to.active_element.send_keys(PASSWORD + "\n")
        self.wait_for_another(before)
        self.assertTrue(self.is_signed_in())

    def test_mistake_has_the_focus(self) -> None:
        """After a mistake its field has the focus, and a screen reader finds what is wrong with it."""
        self.open("/sign-up")
        self.fill(name="Ana", password=PASSWORD, again="something else")
        self.send()
        script = "const it = document.activeElement; return [it.name, it.getAttribute('aria-describedby')]"
        name, described = self.tab.run(script)
        self.assertEqual(name, "again")
        text_of = "return document.getElementById(arguments[0]).innerText"
        texts = [self.tab.run(text_of, each) for each in described.split()]
        self.assertIn("The passwords do not match.", texts)

    def test_restart(self) -> None:
        """A visit and an open form survive a restart of the daemon."""
        self.sign_up()
        self.open("/account")
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        self.daemon.launch()
        self.daemon.wait_until_healthy()
        self.fill(email="ana@example.org")
        self.tab.driver.find_element("css selector", "#email-current").send_keys(PASSWORD)
        self.send("[action='/account/email'] button")
        self.assertEqual(self.path, "/account?done=email")
        self.open("/games")
        self.assertTrue(self.is_signed_in())

    def test_killed(self) -> None:
        """An account that was made a moment before the daemon was killed is there afterwards."""
        self.sign_up()
        self.daemon.stop(signal.SIGKILL)
        self.daemon.launch()
        self.daemon.wait_until_healthy()
        self.open("/account")
        self.assertTrue(self.is_signed_in())

    def test_set_up(self) -> None:
        """The link of the log makes the first admin, and is used up; at the next start there is none."""
        self.daemon.logged("no admin yet")
        (link,) = re.findall(r"http://127\.0\.0\.1:\d+(/setup/\S+)", self.daemon.log)
        self.open(link)
        self.fill(name="Root", password=PASSWORD, again=PASSWORD)
        self.send()
        self.assertEqual(self.path, "/admin?done=set-up")
        self.assertIn("1 of 7 done", self.tab.text)
        for scheme, width in (("light", 360), ("dark", 1280)):
            self.tab.look(width, scheme)
            self.assertFits(width, scheme, "the checklist")
            self.assertAccessible(f"the checklist {scheme}")
        self.assertTrue(self.is_signed_in())
        self.assertTrue(self.daemon.admin("account/show", name="Root")["admin"])
        self.open(link)
        self.assertIn("This link no longer works", self.tab.text)
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        self.daemon.launch()
        self.daemon.wait_until_healthy()
        self.assertEqual(self.daemon.log.count("no admin yet"), 1)

    def test_token(self) -> None:
        """A token is shown once, can be copied, and is good for programs."""
        self.sign_in("Root", admin=True)
        self.open("/account/tokens")
        self.fill(label="my bot")
        self.tab.driver.find_element("css selector", "[name=scope][value=metrics]").click()
        self.send("[action='/account/tokens'] button")
        shown = self.tab.run("return document.querySelector('.once code').innerText")
        self.assertRegex(shown, r"^Authorization: Bearer [0-9a-f-]{36}$")
        self.tab.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        self.tab.driver.find_element("css selector", ".once .copy-button").click()
        self.assertEqual(self.tab.run("return window.copied"), shown)
        self.open("/account/tokens")
        self.assertNotIn(shown, self.tab.source)
        self.assertIn("my bot", self.tab.text)

    def test_revoke(self) -> None:
        """Revoking a token asks first, at both widths and without JavaScript; whoever cancels keeps it."""
        self.sign_in("Root", admin=True)
        for label in ("first", "second"):
            self.open("/account/tokens")
            self.fill(label=label)
            self.send("[action='/account/tokens'] button")
        find = self.tab.driver.find_element
        for width, label in ((360, "first"), (1280, "second")):
            self.tab.look(width)
            self.tab.scripts(True)
            self.open("/account/tokens")
            opens = f"//td/button[contains(normalize-space(), 'Revoke… the token {label}')]"
            find("xpath", opens).click()
            self.assertIn(f"Programs that use the token {label} are refused from now on.", self.tab.text)
            self.assertFits(width, "light", "the question")
            self.assertAccessible("the question")
            find("css selector", ".dialog:popover-open [popovertargetaction='hide']").click()
            self.assertNotIn("Programs that use", self.tab.text)
            self.tab.scripts(False)
            self.open("/account/tokens")
            find("xpath", opens).click()
            self.send(".dialog:popover-open button.grave")
            self.assertNotIn(label, find("css selector", "main").text)


class EveryAccountPageTests(AccountsBrowserTestCase):
    """What holds on every page of accounts."""

    config = """
        [network]
        website = "https://gossip.example.org"
        [web.mail]
        server = "127.0.0.1:9"
        sender = "gossip@example.org"
    """

    def test_nobody(self) -> None:
        """The pages for visitors who are not signed in fit the screen and are accessible."""
        link = self.daemon.admin("account/add", name="W" * 20)["link"]
        invitation = self.daemon.admin("account/invite")["link"]
        self.daemon.logged("no admin yet")
        (setup,) = re.findall(r"https://gossip\.example\.org(/setup/\S+)", self.daemon.log)
        self.assertGood(["/sign-in", "/sign-up", "/forgot", "/forgot?done=1", link, invitation, setup])
        self.assertGood(["/reset/x"], expected=["404"])

    def test_somebody(self) -> None:
        """So are the pages for the signed in, with the longest name and all that an admin has."""
        self.sign_in("W" * 20, admin=True)
        self.open("/account/tokens")
        self.fill(label="x" * 40)
        self.send("[action='/account/tokens'] button")
        self.assertFits(1280, "light", "a new token")
        self.assertAccessible("a new token")
        self.daemon.admin("game/edit", game="Alpha", owner="W" * 20)
        self.assertGood(
            ["/welcome", "/account", "/account/visits", "/account/tokens", "/account/danger", "/", "/games"]
        )

    def test_mistakes(self) -> None:
        """So are those with mistakes on them; what was typed stays text."""
        for path, fields in (
            ("/sign-in", {"name": HOSTILE, "password": "x"}),
            ("/sign-up", {"name": HOSTILE[:20], "password": "x", "again": "y", "email": "x@y"}),
            ("/forgot", {"name": " "}),
        ):
            self.open(path)
            self.fill(**fields)
            self.tab.complaints()
            self.send()
            for width, scheme in LOOKS:
                self.tab.look(width, scheme)
                self.assertFits(width, scheme, path, expected=["422"])
                self.assertAccessible(f"mistakes of {path}")
            value: Any = self.tab.run("return document.querySelector('[name=name]').value")
            self.assertEqual(value.strip(), fields["name"][: len(value)].strip())
            self.assertEqual(self.tab.run("return document.querySelectorAll('main script, main b').length"), 0)
