"""Sites in memory, each with the accounts and games that a kind of page is tested with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import replace
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.accounts import link
from gossip.operations.executor import Executor
from gossip.operations.operation import Occasion
from gossip.registry.changes import AccountSaved, Change, ChannelSaved, MessageSaid
from gossip.registry.entities import Account, Channel, Game
from gossip.registry.registry import Registry
from gossip.web.accounts.passwords import Passwords
from gossip.web.pages.admin.page import _DONE
from gossip.web.settings import WebRules, WebSettings
from gossip.web.site import public_site
from tests.support.memory_service import MemoryService
from tests.support.passwords import GOOD, QUICK
from tests.support.site_browser import PEOPLE, Browser, Page
from tests.support.visitor import FORM_TYPE, Answer, Visitor
from tests.support.world import NOW, uuid

SURE = {"sure": "1"}
_TAG = re.compile("<[^>]*>")


class PagesTestCase(SynchronousTestCase):
    """A public site."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.world = self.service.world
        self.reads: list[str] = []
        self.in_thread: Any = maybeDeferred
        self.rules = WebRules()
        self.site = public_site(self.service, self.service.store, self.service.clock, self._in_thread, rules=self.rules)

    def _in_thread(self, function: Any, *arguments: Any) -> Deferred[Any]:
        self.reads.append(function.__name__)
        done: Deferred[Any] = self.in_thread(function, *arguments)
        return done

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return Browser(self.site).ask("GET", path, b"", **(PEOPLE | headers))

    def page(self, path: str, **headers: str) -> Page:
        """A page that is there."""
        code, got, body = self.get(path, **headers)
        self.assertEqual((code, got["content-type"]), (200, "text/html; charset=utf-8"), path)
        return Page(body)

    def show(self, name: str, description: str | None = None) -> None:
        """A channel that is shown."""
        self.world.registry.enact(ChannelSaved(Channel(name, False, None, description)))

    def said(self, seq: int, message: str = "Hello", name: str = "Ana", game: str = "Alpha", **more: Any) -> None:
        """Something was said, and is kept."""
        channel, at = more.get("channel", "gossip"), more.get("at", NOW)
        known = self.world.registry.game_named(game)
        client_id = uuid(1) if known is None else known.client_id
        self.service.store.said.append(MessageSaid(channel, seq, client_id, game, name, message, at))


class OwnerTestCase(SynchronousTestCase):
    """A site with Ana, who owns Alpha, and Bo, who owns Beta; Ana is here."""

    settings = WebSettings()

    def setUp(self) -> None:
        self.service = MemoryService()
        self.world = self.service.world
        self.rules = WebRules(self.settings)
        self.executor = Executor(self.service, self.service.store, maybeDeferred)
        self.site = public_site(
            self.service,
            self.service.store,
            self.service.clock,
            maybeDeferred,
            executor=self.executor,
            rules=self.rules,
            ports=self.ports(),
        )
        self.logged: list[Any] = []
        observer: Any = self.logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.ana = self.visitor("Ana")
        self.bo = self.visitor("Bo")
        self.root = self.visitor("Root", admin=True)
        self.world.change("Alpha", owner="Ana")
        self.world.change("Beta", owner="Bo")

    def ports(self) -> dict[str, tuple[str, str]]:
        """The ports of each transport, without and with TLS."""
        return {}

    def visitor(self, name: str, **more: Any) -> Visitor:
        """Somebody who is signed in."""
        visitor = Visitor(self.site)
        account: Account = visitor.sign_in(self.service, name, **more)
        self.assertEqual(account.name, name)
        return visitor

    def games(self) -> dict[str, Game]:
        """All games as they are registered."""
        return dict(self.world.registry.games)

    def later(self, visitor: Visitor, path: str, fields: Mapping[str, str]) -> Browser:
        """Send a form, and read the answer later."""
        browser = Browser(self.site)
        body = urlencode({"csrf": visitor.csrf, **fields}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: mud.example\r\nAccept: text/html\r\nContent-Type: {FORM_TYPE}\r\n"
            f"Cookie: visit={visitor.cookies['visit']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        browser.send(head.encode() + body)
        return browser

    def secret_of(self, answer: Answer) -> str:
        """The secret that a page shows."""
        (secret,) = re.findall('<code class="copy" id="secret">([0-9a-f-]{36})</code>', answer.body.decode())
        return str(secret)


class AccountsTestCase(SynchronousTestCase):
    """A site whose settings can be changed, and a browser."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.registry = self.service.network.registry
        self.accounts = self.registry.accounts
        self.rules = WebRules(WebSettings())
        self.in_thread: Any = maybeDeferred
        self.made = 0
        self.executor = Executor(self.service, self.service.store, maybeDeferred)
        self.site = public_site(
            self.service,
            self.service.store,
            self.service.clock,
            maybeDeferred,
            executor=self.executor,
            rules=self.rules,
            passwords=Passwords(self._in_thread, QUICK),
        )
        self.visitor = Visitor(self.site)

    def _in_thread(self, function: Any, *arguments: Any) -> Deferred[Any]:
        done: Deferred[Any] = self.in_thread(function, *arguments)
        return done

    def add(self, name: str = "Ana", **more: Any) -> Account:
        """Somebody has an account."""
        account = Account(name=name, password=QUICK.hash(GOOD), created_at=NOW - 1, **more)
        self.registry.enact(AccountSaved(account))
        return account

    def account(self, name: str = "Ana") -> Account:
        """An account as it is now."""
        account = self.accounts.named(name)
        assert account is not None
        return account

    def link(self, kind: str, name: str = "", now: float = NOW) -> str:
        """Somebody makes a link; returns its path."""
        self.made += 1
        change, made = link(self.accounts, kind, name, Occasion(now, lambda: uuid(self.made), "unix:ana"))
        self.registry.enact(change)
        return str(made["link"])

    def change_slowly(self, change: Change) -> None:
        """Somebody changes something; that takes until L{settle}, as does what is wanted meanwhile."""
        self.service.writer.slow = True
        self.service.change(change)

    def settle(self) -> None:
        """All changes are kept."""
        self.service.writer.slow = False
        self.service.writer.settle()

    def settings(self, **changed: Any) -> None:
        """The operator changes the settings."""
        self.rules.settings = replace(self.rules.settings, **changed)

    def sign_in(self, visitor: Visitor | None = None, name: str = "Ana", password: str = GOOD) -> Answer:
        """Fill in the form to sign in."""
        return (visitor or self.visitor).post("/sign-in", {"name": name, "password": password}, at="/sign-in")

    def assertIn422(self, text: str, answer: Answer) -> None:
        self.assertEqual(answer.code, 422, answer.text)
        self.assertIn(text, answer.text)


def seen(answer: Answer) -> str:
    """What can be read on a page, a blank wherever something else begins."""
    return " ".join(unescape(_TAG.sub(" ", answer.body.decode())).split())


class AdminPagesTestCase(PagesTestCase):
    """A site, and Root, who is its admin."""

    def setUp(self) -> None:
        super().setUp()
        self.root = Visitor(self.site)
        self.root.sign_in(self.service, "Root", admin=True)
        self.show("gossip", "All talk")

    @property
    def registry(self) -> Registry:
        return self.world.registry

    def read(self, path: str) -> Answer:
        """A page that Root reads."""
        answer = self.root.get(path)
        self.assertEqual(answer.code, 200, (path, seen(answer)))
        return answer

    def do(self, path: str, wire: str, **fields: str | list[str]) -> Answer:
        """Root sends a form of a page."""
        return self.root.post(path, {"do": wire, **fields}, at=path)

    def done(self, path: str, wire: str, to: str = "", **fields: str | list[str]) -> None:
        """Root sends a form of a page; it is done, noted under the name Root, and the page after it says so."""
        before = len(self.service.store.entries)
        answer = self.do(path, wire, **fields)
        self.assertEqual((answer.code, answer.location), (303, f"{to or path}?done={wire}"), seen(answer))
        [entry] = self.service.store.entries[before:]
        self.assertEqual((entry.actor, entry.operation), ("Root", wire))
        self.assertIn(_DONE[wire], seen(self.read(answer.location)))

    def refused(self, path: str, wire: str, why: str, **fields: str | list[str]) -> Page:
        """Root sends a form, and is told why it is not done; nothing is noted. Returns the page that answers."""
        before = len(self.service.store.entries)
        answer = self.do(path, wire, **fields)
        self.assertEqual(answer.code, 422, seen(answer))
        self.assertIn(f"Not done: {why}.", seen(answer))
        self.assertEqual(len(self.service.store.entries), before)
        return answer.page

    def fields(self, page: Page, name: str) -> list[str | None]:
        """What stands in the fields of this name."""
        return [
            attributes.get("value")
            for tag, attributes in page.tags
            if tag == "input" and attributes.get("name") == name
        ]

    def game(self, name: str = "Alpha") -> Any:
        return self.registry.game_named(name)
