"""Makes every page: the templates, the layout that they share, and what they all show."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web import http

from gossip import __version__
from gossip.operations.interfaces import InThread
from gossip.protocol.emotes import emote
from gossip.registry.addresses import Address, forwarded
from gossip.registry.entities import Account
from gossip.service.service import GossipService
from gossip.web.http.accept import accepts_html
from gossip.web.http.assets import Assets
from gossip.web.http.problem_details import API, answer_problem
from gossip.web.http.requests import REASONS, PublicRequest, answer, answer_text, own_address
from gossip.web.http.router import Problem
from gossip.web.http.urls import site_address
from gossip.web.views import formatting
from gossip.web.views.talk import continues, is_ignored, linked, mentions
from gossip.web.views.times import time_tag

THEMES: Final = ("auto", "light", "dark")
"""The colour themes; auto follows the browser."""

_HTML: Final = b"text/html; charset=utf-8"


@cache
def static_files() -> Assets:
    """The static files, read once in a process."""
    return Assets()


@cache
def templates() -> Environment:
    """
    The templates, compiled once in a process. They escape every value, and a name that is not defined is an error.
    """
    environment = Environment(
        loader=PackageLoader("gossip.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        clock=formatting.clock,
        count=formatting.count,
        day=formatting.day,
        emote=emote,
        days=formatting.days,
        host=formatting.host,
        hue=formatting.hue,
        iso=formatting.iso,
        linked=linked,
        moment=formatting.moment,
        number=formatting.number,
        segment=partial(quote, safe=""),
        shortened=formatting.shortened,
        span=formatting.span,
        transport=formatting.transport,
        web=formatting.web_address,
    )
    environment.tests.update(continuing=continues, ignored_by=is_ignored, mentioning=mentions)
    environment.globals.update(version=__version__, asset=static_files().path, time=time_tag)
    return environment


class Layout:
    """
    Makes every page, and gives the pages the service and the store.

    @ivar gossip: the service.
    @ivar store: the store; read it with L{read}.
    """

    def __init__(
        self,
        gossip: GossipService,
        store: Any,
        clock: IReactorTime,
        in_thread: InThread,
        account: Callable[[PublicRequest], Account | None],
        form_token: Callable[[PublicRequest], str],
        can_sign_up: Callable[[], bool] = lambda: True,
        proxies: int = 0,
    ) -> None:
        """
        @param in_thread: C{deferToThread}, or a substitute.
        @param account: returns the account that is signed in, or C{None}.
        @param form_token: returns the token that each form must send back.
        @param can_sign_up: whether everybody can create an account.
        @param proxies: how many hops of X-Forwarded-For to trust.
        """
        self.gossip = gossip
        self.store = store
        self.clock = clock
        self.assets = static_files()
        self._account = account
        self._form_token = form_token
        self._can_sign_up = can_sign_up
        self._in_thread = in_thread
        self._proxies = proxies
        self.templates = templates()

    def read(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Call a method of the store, in a thread."""
        return self._in_thread(function, *arguments)

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.gossip.now().wall

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.gossip.network.rules.settings.name

    def page(self, request: PublicRequest, template: str, code: int = http.OK, **values: Any) -> bytes:
        """
        Answer with a page.

        @param values: the variables of the template. C{description} is that of a public page, for search engines and
            for programs that show what a link leads to.
        """
        return answer(request, self.html(request, template, **values), _HTML, code)

    def html(self, request: PublicRequest, template: str, **values: Any) -> bytes:
        """A page as bytes."""
        chosen = request.getCookie(b"theme") or b""
        theme = chosen.decode("ascii", "replace")
        user = self._account(request)
        text = self.templates.get_template(template).render(
            network=self.name,
            contact=self.gossip.network.rules.settings.contact,
            open_book=self.gossip.network.rules.settings.public_moderation != "off",
            path=request.path.decode("ascii", "replace"),
            here=request.uri.decode("ascii", "replace"),
            origin=site_address(request) or "",
            theme=theme if theme in THEMES else "auto",
            user=user,
            tastes=self.gossip.network.registry.accounts.tastes_of(user.name if user else ""),
            moderated=self.gossip.network.registry.moderated_by(user.name) if user else (),
            csrf=partial(self._form_token, request),
            can_sign_up=self._can_sign_up(),
            now=self.now,
            **{"description": "", **values},
        )
        return text.encode("utf-8", "replace")

    def account(self, request: PublicRequest) -> Account | None:
        """The account that is signed in; C{None} if there is none."""
        return self._account(request)

    def problem_page(self, request: PublicRequest, problem: Problem) -> bytes:
        """Answer with a problem: as a page for people, as plain text for programs, as JSON where the API is."""
        if request.path.startswith(API):
            return answer_problem(request, problem.code, problem.text)
        if accepts_html(request):
            title = REASONS.get(problem.code, b"").decode()
            return self.page(
                request,
                "problem.html",
                problem.code,
                title=title,
                text=problem.text,
                forbidden=problem.code == http.FORBIDDEN,
            )
        return answer_text(request, problem.text, problem.code)

    def peer(self, request: PublicRequest) -> Address:
        """The address that a request comes from, as far as the proxies are trusted."""
        hops = b",".join(request.requestHeaders.getRawHeaders(b"x-forwarded-for", ()))
        return forwarded(hops.decode("latin-1"), self._proxies, own_address(request))
