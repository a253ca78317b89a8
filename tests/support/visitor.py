"""
Somebody with a browser at a site in memory: cookies are kept, forms bring back their token; the only page that
is followed is one that shows something once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

from twisted.internet.address import IPv4Address

from gossip.registry.changes import AccountSaved, TicketIssued
from gossip.registry.entities import Account, Ticket
from gossip.registry.secret import digest
from tests.support.memory_service import MemoryService
from tests.support.site_browser import PEOPLE, Browser, Page
from tests.support.world import NOW

FORM_TYPE = "application/x-www-form-urlencoded"

_TOKEN = re.compile('<input type="hidden" name="csrf" value="([^"]*)">')


class Answer(NamedTuple):
    """An answer: its code, its headers by lower-case name, and its body."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def location(self) -> str:
        """Where it leads to."""
        return self.headers.get("location", "")

    @property
    def page(self) -> Page:
        """The body, read as a page."""
        return Page(self.body)

    @property
    def text(self) -> str:
        """What can be read on the page, its white space made single blanks."""
        return " ".join(self.page.text.split())


class Visitor:
    """
    Somebody with a browser.

    @ivar cookies: what it keeps, by name.
    @ivar csrf: the token of the forms that it saw last; empty if it saw none since it signed in or out.
    @ivar said: the Set-Cookie headers of the last answer.
    """

    def __init__(self, site: Any, address: str = "192.0.2.1", secure: bool = False) -> None:
        """
        @param address: where it asks from.
        @param secure: it asks by HTTPS, as a proxy in front tells.
        """
        self.site = site
        self.address = address
        self.secure = secure
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self.said: list[str] = []
        self.sent = 0

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request with the cookies; C{_} in the name of a header is a hyphen."""
        sent = dict(PEOPLE)
        if self.secure:
            sent["X_Forwarded_Proto"] = "https"
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        browser = Browser(self.site, IPv4Address("TCP", self.address, 40000))
        answer = Answer(*browser.ask(method, path, body, **(sent | headers)))
        self.said = browser.cookies_set
        self._keep(self.said)
        if found := _TOKEN.search(answer.body.decode("utf-8", "replace")):
            self.csrf = unescape(found[1])
        return answer

    def _keep(self, said: Sequence[str]) -> None:
        for line in said:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
                if name.endswith("visit"):
                    # The forms of before were another visitor's.
                    self.csrf = ""

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page."""
        return self.ask("GET", path, b"", **headers)

    def post(
        self,
        path: str,
        fields: Mapping[str, str | Sequence[str]] = {},
        at: str | None = None,
        **headers: str,
    ) -> Answer:
        """
        Send a form, and read the page to which it leads, if that shows something once. The token comes along, unless
        the fields have one.

        @param fields: what is filled in: a list for boxes that share a name.
        @param at: the page on which the form stands; without it the page seen last, or the path of the form itself.
        """
        if at is not None or not self.csrf:
            self.get(at or path)
        if not self.csrf:
            # It led elsewhere; each page has a form for a visitor that is signed in.
            self.get("/")
        # The same form twice is carried out once: by default each is another one.
        self.sent += 1
        filled = {"csrf": self.csrf, "sent": str(self.sent), **fields}
        body = urlencode(filled, doseq=True).encode()
        answer = self.ask("POST", path, body, **({"Content_Type": FORM_TYPE} | headers))
        if any("shown=" in each for each in self.said):
            return self.get(answer.location, **headers)
        return answer

    def sign_in(self, service: MemoryService, name: str = "Ana", admin: bool = False, **more: Any) -> Account:
        """
        Be signed in, without a password, with an account that is made if there is none of the name.

        @param more: further attributes of a new account.
        """
        registry = service.network.registry
        if registry.accounts.named(name) is None:
            registry.enact(AccountSaved(Account(name=name, admin=admin, created_at=NOW, **more)))
        account = registry.accounts.named(name)
        assert account is not None
        secret = str(uuid4())
        now = service.clock.wall
        ticket = Ticket(
            digest=digest(secret),
            kind="visit",
            account=account.name,
            label=self.address,
            made_at=now,
            expires=now + 30 * 24 * 3600,
        )
        registry.enact(TicketIssued(ticket))
        self.cookies["__Host-visit" if self.secure else "visit"] = secret
        self.csrf = ""
        return account

    def is_signed_in(self) -> bool:
        """Does the site know this browser?"""
        return 'action="/sign-out"' in self.get("/").body.decode()
