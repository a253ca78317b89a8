"""L{gossip.web.pages.rules}: the rules, and what is kept for how long."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import maybeDeferred
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gossip.config.config import Config
from gossip.network.settings import NetworkSettings
from gossip.operations.accounts import link
from gossip.operations.operation import Occasion
from gossip.web.settings import WebRules, WebSettings
from gossip.web.site import public_site
from gossip.web.views.guides import GUIDES
from gossip.web.views.house_rules import HouseRules, default, mistakes
from tests.support.memory_service import MemoryService
from tests.support.properties import examples
from tests.support.site_browser import HOSTILE
from tests.support.sites import seen
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, uuid

EVIL = f"""
Our rules
=========

Be kind. {HOSTILE} `mail <mailto:a@b.example>`_ `x <javascript:alert(1)>`_ `y <javascript://alert(1)>`_

.. include:: /etc/passwd

.. raw:: html

   <script>alert(2)</script>

.. csv-table:: users
   :file: /etc/passwd

.. image:: /etc/hostname
   :loading: embed
   :alt: a picture
   :target: javascript:alert(3)

.. list-table::
   :widths: 10 90

   * - a
     - b
"""


class RulesTestCase(SynchronousTestCase):
    """A site whose operator changes the settings."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.rules, self.house_rules = WebRules(), HouseRules()
        self.reads: list[str] = []
        self.site = public_site(
            self.service,
            self.service.store,
            self.service.clock,
            self.in_thread,
            rules=self.rules,
            house_rules=self.house_rules,
        )
        self.visitor = Visitor(self.site)
        self.logged: list[Any] = []
        observer: Any = self.logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def in_thread(self, function: Any, *arguments: Any) -> Any:
        self.reads.append(function.__name__)
        return maybeDeferred(function, *arguments)

    def configure(self, web: WebSettings | None = None, **network: Any) -> None:
        """The operator reloads the configuration."""
        config = Config(network=NetworkSettings(**network), web=web or WebSettings())
        for holder in (self.service.network.rules, self.rules, self.house_rules):
            holder.configure(config)

    def read(self) -> Answer:
        """The page."""
        answer = self.visitor.get("/rules")
        self.assertEqual((answer.code, answer.headers["content-type"]), (200, "text/html; charset=utf-8"))
        return answer


class PageTests(RulesTestCase):
    """The page."""

    def test_default(self) -> None:
        """Without a file there are rules that an operator can take as they are."""
        text = seen(self.read())
        for said in ("Rules", "Be kind", "Keep it readable", "If a rule is broken", "Contact", "What is kept"):
            self.assertIn(said, text)
        self.assertEqual(mistakes(default()), [])

    def test_file(self) -> None:
        """The operator's file is shown in place of them, and a reload reads it again."""
        path = Path(self.mktemp())
        path.write_text("House rules\n===========\n\nBe *very* kind.\n\nMore\n----\n\nText.\n")
        self.configure(rules=str(path))
        answer = self.read()
        self.assertIn("<h1>House rules</h1>", answer.body.decode())
        self.assertIn("<em>very</em>", answer.body.decode())
        self.assertIn("<h2>More</h2>", answer.body.decode())
        self.assertNotIn("Keep it readable", seen(answer))
        path.write_text("Be quiet.")
        self.assertIn("House rules", seen(self.read()))
        self.configure(rules=str(path))
        self.assertIn("<h1>Rules</h1>", self.read().body.decode())
        self.assertIn("Be quiet.", seen(self.read()))
        # Each text is made once, in a thread.
        self.assertEqual(self.reads, ["document", "document"])

    def test_missing(self) -> None:
        """A file that is missing or broken leaves the default rules, and the log has the reason."""
        path = Path(self.mktemp())
        self.configure(rules=str(path))
        (logged,) = self.flushed()
        self.assertEqual(logged, f"/rules shows the default rules: cannot read {path}: No such file or directory")
        self.assertIn("Keep it readable", seen(self.read()))
        path.write_bytes(b"\xff")
        self.configure(rules=str(path))
        self.assertEqual(len(self.flushed()), 1)
        self.assertIn("Keep it readable", seen(self.read()))

    def flushed(self) -> list[str]:
        """What was logged of the file since the last look."""
        texts = [formatEvent(each) for each in self.logged if "error" in each]
        self.logged.clear()
        return texts

    def test_elsewhere(self) -> None:
        """Rules elsewhere are a link; what is kept is told here."""
        self.configure(rules="https://example.org/rules?a=1&b=2")
        answer = self.read()
        self.assertIn('<a href="https://example.org/rules?a=1&amp;b=2">', answer.body.decode())
        self.assertNotIn("Keep it readable", seen(answer))
        self.assertIn("What is kept", seen(answer))

    def test_evil(self) -> None:
        """The file can neither run scripts, include other files, nor load pictures."""
        path = Path(self.mktemp())
        path.write_text(EVIL)
        self.configure(rules=str(path))
        body = self.read().body.decode()
        self.assertIn(HOSTILE, unescape(body))
        self.assertIn("a picture", body)
        self.assertIn('href="mailto:a&#64;b.example"', body)
        for text in ("root:", "<script>", "alert(2)", "<img", "<b ", "javascript:", 'style="', "data:"):
            self.assertNotIn(text, body)
        logged = [each["mistake"] for each in self.logged if "mistake" in each]
        self.assertIn('line 7: "include" directive disabled.', logged)
        self.assertEqual(len(logged), 3)

    @given(st.text(alphabet=st.sampled_from(" \n\t.:*`|_-=<>&\"'\\[]()#a1é")))
    @examples(30)
    def test_any(self, text: str) -> None:
        """Whatever stands in the file is a page."""
        body = self.house_rules.document(text).body
        self.assertNotRegex(re.sub(r"</?[a-z0-9]+( [a-z-]+=\"[^\"<>]*\")*( /)?>", "", body), "[<>]")

    def test_too_much_for_docutils(self) -> None:
        """A text of which no page can be made leaves the default rules."""
        self.assertIn(
            "Be kind", self.house_rules.document("*a* " + "\n".join(" " * n + "* a\n" for n in range(600))).body
        )
        self.assertEqual(self.flushed(), ["/rules shows the default rules: the file nests lists or quotes too deeply"])
        self.assertEqual(self.flushLoggedErrors(), [])


class KeptTests(RulesTestCase):
    """What is kept, for how long, and by whom."""

    def test_times(self) -> None:
        """The times are those of the settings."""
        self.configure(
            web=WebSettings(visit_days=1), history_days=0.5, audit_days=0, player_count_days=730, name="Mud Net"
        )
        text = seen(self.read())
        for said in (
            "Messages on channels are kept for 12 hours,",
            "it is kept without an end,",
            "the counts are kept for 730 days.",
            "until it signs out, at most 1 day,",
            "when you sign in, for at most 1 day,",
            "that run Mud Net have not published an address",
        ):
            self.assertIn(said, text)

    def test_contact(self) -> None:
        """The contact is a link, to a page or for a mail."""
        for contact, address in (
            ("admin@example.org", "mailto:admin@example.org"),
            ("https://example.org/contact", "https://example.org/contact"),
        ):
            self.configure(contact=contact)
            self.assertIn(f'<a href="{address}">{contact}</a>', self.read().body.decode())

    def test_cookies(self) -> None:
        """The page names as many cookies as there are."""
        self.visitor.sign_in(self.service, "Ana")
        self.visitor.get("/theme?to=dark")
        stranger = Visitor(self.site)
        stranger.get("/sign-up")
        self.assertEqual({*self.visitor.cookies, *stranger.cookies}, {"visit", "theme", "form"})


class LinkTests(RulesTestCase):
    """Where the page is linked."""

    def test_links(self) -> None:
        """It is linked at the foot of each page, where one signs up, and in each guide."""
        for path in ("/", "/games", "/nothing"):
            self.assertIn('<a href="/rules">Rules</a>', self.visitor.get(path).body.decode(), path)
        self.assertIn('you agree to the <a href="/rules">', self.visitor.get("/sign-up").body.decode())
        self.visitor.sign_in(self.service, "Ana")
        self.service.world.change("Alpha", owner="Ana")
        for name in GUIDES:
            self.assertIn("the rules of Gossip", seen(self.visitor.get(f"/connect/Alpha/{name}")), name)

    def test_set_up(self) -> None:
        """The first admin agrees to no rules: there are none but theirs."""
        accounts = self.service.network.registry.accounts
        change, made = link(accounts, "setup", "", Occasion(NOW, lambda: uuid(1), "start"))
        self.service.network.registry.enact(change)
        answer = self.visitor.get(str(made["link"]))
        self.assertEqual(answer.code, 200)
        self.assertNotIn("agree", seen(answer))
