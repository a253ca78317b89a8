"""
The public site: pages for people, JSON for programs, and what machines ask for.

Everything on a page that came from outside is escaped; hidden games and channels are on none, nor is any secret.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.server import Request

from gossip.network.changes import MessageSaid
from gossip.web.api import Api
from gossip.web.base import Base
from gossip.web.desk import Desk
from gossip.web.live import Live, Readers
from gossip.web.metrics import Metrics
from gossip.web.pages.chat import ChatPages
from gossip.web.pages.front import FrontPages
from gossip.web.pages.games import GamePages
from gossip.web.pages.network import NetworkPages
from gossip.web.public import Public
from gossip.web.readings import Readings
from gossip.web.requests import BoundedSite, PublicRequest, answer_json
from gossip.web.router import NotHere, Router
from gossip.web.service import Gossip, InThread, PublicStore
from gossip.web.settings import WebRules
from gossip.web.visits import Visits

_FORWARDED: Final = (b"forwarded", b"via", b"x-real-ip")


class PublicSite(BoundedSite):
    """
    The site for everybody.

    @ivar live: who follows the talk.
    """

    def __init__(self, router: Router, clock: IReactorTime, gossip: Gossip, live: Live) -> None:
        super().__init__(router, clock, PublicRequest)
        self.live = live
        self._gossip = gossip
        gossip.heard.add(live.heard)

    def stopFactory(self) -> None:
        # Pages that follow the talk would hold up nothing, but end without a word.
        self.live.stop()
        super().stopFactory()

    def startFactory(self) -> None:
        self.live.start()
        super().startFactory()


def public_site(
    gossip: Gossip,
    store: PublicStore,
    clock: IReactorTime,
    in_thread: InThread,
    readers: Readers | None = None,
    proxies: int = 0,
    desk: Desk | None = None,
    rules: WebRules | None = None,
) -> PublicSite:
    """
    The site for everybody.

    @param in_thread: C{deferToThread}, or what does the same.
    @param readers: how many may follow the talk.
    @param proxies: how many hops of X-Forwarded-For are believed.
    @param desk: the one that the admin API uses too, if there is one.
    @param rules: what the pages let people do.
    """
    base = Base(gossip, store, clock, in_thread, proxies)
    public = Public(gossip.network)
    readings = Readings(base, public)
    rules = rules or WebRules()
    desk = desk or Desk(gossip, store, in_thread, clock)
    visits = Visits(gossip, clock, rules)
    base.who, base.form_token = visits.who, visits.token
    line: Any = vars(base.templates.get_template("lines.html").module)["line"]

    def encode(said: MessageSaid) -> bytes:
        text: str = line(said, public.is_game(said.game))
        return text.strip().encode("utf-8", "replace")

    live = Live(clock, gossip.network.registry.channels, encode, readers or Readers())
    router = Router(base.tell)
    router.add("/static/{name}", get=base.assets)
    for part in (
        Machines(gossip),
        FrontPages(base, public, readings),
        GamePages(base, public, readings),
        ChatPages(base, public, readings, live),
        NetworkPages(base, public, readings),
        Api(base, public, readings),
    ):
        part.add(router)
    return PublicSite(router, clock, gossip, live)


class Machines:
    """Health for everybody, figures for this machine."""

    def __init__(self, gossip: Gossip) -> None:
        self._gossip = gossip
        self._metrics = Metrics(gossip)

    def add(self, router: Router) -> None:
        """Add the paths."""
        router.add("/health", get=self.health)
        router.add("/metrics", get=self.metrics)

    def health(self, request: PublicRequest) -> bytes:
        """Can the daemon do its work?"""
        health = self._gossip.status()["health"]
        return answer_json(request, {"status": health}, http.OK if health == "ok" else http.SERVICE_UNAVAILABLE)

    def metrics(self, request: PublicRequest) -> bytes:
        """Figures for Prometheus."""
        if not _is_local(request):
            raise NotHere
        return self._metrics.render(request)


def _is_local(request: Request) -> bool:
    """Does somebody on this machine ask for himself, and not a proxy for somebody else?"""
    for name, _ in request.requestHeaders.getAllRawHeaders():
        if name.lower() in _FORWARDED or name.lower().startswith(b"x-forwarded-"):
            return False
    try:
        address = ipaddress.ip_address(getattr(request.getClientAddress(), "host", ""))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
