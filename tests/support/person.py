"""A person with a browser without scripts, at the pages of a real daemon: they follow links and fill in forms."""

from __future__ import annotations

import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin

from msgspec import Struct, field

from tests.support.daemon import WITHIN

Attributes = list[tuple[str, str | None]]


class Form(Struct):
    """
    A form.

    @ivar fields: the names of its fields, with their values.
    @ivar kinds: the types of its fields, by their names.
    @ivar buttons: the text of each button, with what it adds to the fields.
    """

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class Opened(HTMLParser):
    """
    A page that was opened.

    @ivar path: its address, after all redirects.
    @ivar text: what can be read, its white space made single blanks.
    @ivar links: the address of each link, by its text.
    @ivar steps: whether each step of the lists of steps is done.
    """

    def __init__(self, path: str, page: str) -> None:
        super().__init__()
        self.path = path
        self.text = ""
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.steps: list[bool] = []
        self._listed = False
        self._link: tuple[str, int] | None = None
        self._button: tuple[dict[str, str], int] | None = None
        self.feed(page)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._link = (known.get("href", ""), len(self.text))
        elif tag == "form":
            self.forms.append(Form(known.get("action", self.path), known.get("method", "get").upper()))
        elif tag == "input" and self.forms and "name" in known:
            self.forms[-1].fields[known["name"]] = known.get("value", "")
            self.forms[-1].kinds[known["name"]] = known.get("type", "text")
        elif tag == "button" and self.forms:
            self._button = ({known["name"]: known.get("value", "")} if "name" in known else {}, len(self.text))
        elif tag == "ol":
            self._listed = known.get("class") == "steps"
        elif tag == "li" and self._listed:
            self.steps.append(known.get("class") == "done")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            address, begin = self._link
            self.links[self.text[begin:].strip()] = address
        elif tag == "button" and self._button is not None:
            added, begin = self._button
            self.forms[-1].buttons[self.text[begin:].strip()] = added
        elif tag == "ol":
            self._listed = False

    def handle_data(self, data: str) -> None:
        self.text += data

    def form(self, button: str) -> Form:
        """The form with a button of this text."""
        return next(each for each in self.forms if button in each.buttons)


class Person:
    """
    A person with a browser.

    @ivar page: the page that they see.
    """

    page: Opened

    def __init__(self) -> None:
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
        )

    def open(self, address: str) -> Opened:
        """Open a page; an address without a host is one of the same site."""
        return self._ask(urllib.request.Request(self._whole(address), headers={"Accept": "text/html"}))

    def follow(self, link: str) -> Opened:
        """Follow the link with this text."""
        return self.open(self.page.links[link])

    def press(self, button: str, **typed: str) -> Opened:
        """Fill in the form with a button of this text, and press that."""
        form = self.page.form(button)
        assert form.method == "POST", form
        filled = {**form.fields, **typed, **form.buttons[button]}
        body = urlencode(filled).encode()
        return self._ask(urllib.request.Request(self._whole(form.action), body, {"Accept": "text/html"}))

    def _whole(self, address: str) -> str:
        return address if "://" in address else urljoin(self.page.path, address)

    def _ask(self, request: urllib.request.Request) -> Opened:
        with self._browser.open(request, timeout=WITHIN) as answer:
            found: Any = answer
            self.page = Opened(found.geturl(), found.read().decode())
        return self.page
