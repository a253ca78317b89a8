"""What every page is made with: templates, the one layout, reads of the store, and who asks from where."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.server import Request

from gossip import __version__
from gossip.operations.interfaces import Gossip, InThread
from gossip.web.http.assets import Assets
from gossip.web.http.requests import REASONS, PublicRequest, answer, answer_text
from gossip.web.http.router import Problem
from gossip.web.views import formatting

THEMES: Final = ("auto", "light", "dark")
"""How the pages may look; auto is as the browser likes it."""

_HTML: Final = b"text/html; charset=utf-8"
_HOST: Final = re.compile(rb"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
# A path of this site and nothing else: no scheme, no host, no control characters.
_BACK: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")


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
        host=formatting.host,
        hue=formatting.hue,
        iso=formatting.iso,
        moment=formatting.moment,
        number=formatting.number,
        segment=partial(quote, safe=""),
        span=formatting.span,
        web=formatting.web_address,
    )
    environment.globals.update(version=__version__, asset=static_files().path)
    return environment


class Base:
    """
    What every page is made with.

    @ivar gossip: the service.
    @ivar store: the store; read it with L{read}.
    @ivar who: says who is signed in, for the layout; C{None} for nobody.
    @ivar form_token: makes the token that each form must bring back.
    """

    def __init__(self, gossip: Gossip, store: Any, clock: IReactorTime, in_thread: InThread, proxies: int = 0) -> None:
        """
        @param in_thread: C{deferToThread}, or what does the same.
        @param proxies: how many hops of X-Forwarded-For are believed.
        """
        self.gossip = gossip
        self.store = store
        self.clock = clock
        self.assets = static_files()
        self.who: Callable[[PublicRequest], Any] = lambda request: None
        self.form_token: Callable[[PublicRequest], str] = lambda request: ""
        self._in_thread = in_thread
        self._proxies = proxies
        self.templates = templates()

    def read(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Call a method of the store, in a thread."""
        return self._in_thread(function, *arguments)

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock.seconds()

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.gossip.network.rules.settings.name

    def page(self, request: PublicRequest, template: str, code: int = http.OK, **values: Any) -> bytes:
        """
        Answer with a page.

        @param values: what the template shows.
        """
        return answer(request, self.html(request, template, **values), _HTML, code)

    def html(self, request: PublicRequest, template: str, **values: Any) -> bytes:
        """A page as it is written, encoded."""
        chosen = request.getCookie(b"theme") or b""
        theme = chosen.decode("ascii", "replace")
        text = self.templates.get_template(template).render(
            network=self.name,
            path=request.path.decode("ascii", "replace"),
            here=request.uri.decode("ascii", "replace"),
            theme=theme if theme in THEMES else "auto",
            user=self.who(request),
            csrf=partial(self.form_token, request),
            now=self.now,
            **values,
        )
        return text.encode("utf-8", "replace")

    def tell(self, request: PublicRequest, problem: Problem) -> bytes:
        """Tell somebody of a problem: a page for people, plain words for machines."""
        if reads_pages(request):
            title = REASONS.get(problem.code, b"").decode()
            return self.page(request, "problem.html", problem.code, title=title, text=problem.text)
        return answer_text(request, problem.text, problem.code)

    def peer(self, request: PublicRequest) -> str:
        """The address of who asks, as far as the proxies in front are believed."""
        if self._proxies:
            hops = (request.getHeader(b"x-forwarded-for") or b"").split(b",")
            address = hops[-min(self._proxies, len(hops))].strip().decode("ascii", "replace")[:64]
        else:
            address = getattr(request.getClientAddress(), "host", "") or ""
        # A socket for both kinds of addresses, a proxy's too, shows one of IPv4 like this.
        return address.removeprefix("::ffff:")


def reads_pages(request: Request) -> bool:
    """Does who asks read pages? Programs get plain words, and scripts of ours ask for them."""
    return b"text/html" in (request.getHeader(b"accept") or b"")


def wants_text(request: Request) -> bool:
    """Does who asks read plain text? A browser says that it takes HTML; curl is for people at a terminal."""
    agent = request.getHeader(b"user-agent") or b""
    accept = request.getHeader(b"accept")
    return agent.lower().startswith(b"curl/") or (accept is not None and b"text/html" not in accept)


def way_back(path: str | None, otherwise: str = "/") -> str:
    """Where somebody came from, if that is a page of this site; a link of somebody else may lead anywhere."""
    return path if path is not None and _BACK.fullmatch(path) else otherwise


def site_address(request: Request) -> str | None:
    """Where this site is, by the name under which it was asked for: C{https://example.org}; C{None} if unclear."""
    host = request.getHeader(b"host") or b""
    if not _HOST.fullmatch(host):
        return None
    return f"{'https' if is_secure(request) else 'http'}://{host.decode('ascii')}"


def socket_address(request: Request) -> str | None:
    """Where games join, by the name under which this page was asked for."""
    address = site_address(request)
    return None if address is None else f"ws{address.removeprefix('http')}/socket"


def is_secure(request: Request) -> bool:
    """Is the way to the browser encrypted, as far as the proxy tells?"""
    return bool(request.isSecure()) or request.getHeader(b"x-forwarded-proto") == b"https"


def parameter(request: Request, name: str) -> str | None:
    """A parameter of the query, the first of that name."""
    values = (request.args or {}).get(name.encode())
    return values[0].decode("utf-8", "replace") if values else None


def number(request: Request, name: str, least: int = 0, most: int = 2**53) -> int | None:
    """
    A number in the query.

    @raise Problem: it is none, or out of its range.
    """
    text = parameter(request, name)
    if text is None or text == "":
        return None
    if not re.fullmatch("[0-9]{1,16}", text) or not least <= int(text) <= most:
        raise Problem(http.BAD_REQUEST, f"{name} must be a number from {least} to {most}.")
    return int(text)
