"""The pages about the network itself: stats, status, docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from gossip.web.api.asyncapi import asyncapi
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import NotFound, Router
from gossip.web.http.urls import parameter, site_address, socket_address
from gossip.web.views.charts import exact, hour_chart, line_chart
from gossip.web.views.formatting import span
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView
from gossip.web.views.queries import PERIODS, Cache, CachedQueries, period_named

if TYPE_CHECKING:
    from gossip.web.views.manual import Document

_GOOD: Final = 365 * 86400


class AboutPages:
    """Stats, status and docs."""

    def __init__(self, layout: Layout, public: PublicView, queries: CachedQueries) -> None:
        self._layout = layout
        self._public = public
        self._queries = queries
        self._kept = Cache(layout.clock)

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/stats", get=self.stats)
        router.add("/status", get=self.status)
        router.add("/docs", get=self.docs)
        router.add("/docs/{name}", get=self.document)
        router.add("/asyncapi.json", get=self.asyncapi)

    async def stats(self, request: PublicRequest) -> bytes:
        """Players and messages over time."""
        known = await self._queries.games()
        players = known.players
        period = period_named(parameter(request, "range"))
        present = await self._queries.players(period, None, players)
        # A year of messages takes a database too long to count.
        counted = period if period in PERIODS[:3] else PERIODS[2]
        talk = await self._queries.messages(counted)
        averages = await self._queries.hours(None)
        return self._layout.page(
            request,
            "stats.html",
            title="Stats",
            description=f"Players and messages on {self._layout.name} over time.",
            games=len(known.games),
            online=known.online,
            players=players,
            period=period,
            periods=PERIODS,
            present=(line_chart(present, "players"), present),
            counted=counted,
            talk=(line_chart(talk, "messages"), talk),
            lately=(await self._queries.messages(PERIODS[0])).total,
            hours=(hour_chart(averages), averages),
            exact=exact,
            bases=sorted(known.bases.items(), key=lambda item: (-item[1], item[0].lower())),
        )

    def status(self, request: PublicRequest) -> bytes:
        """The status of the daemon, for people."""
        status = self._layout.gossip.status()
        return self._layout.page(request, "status.html", title="Status", status=status, uptime=span(status["uptime"]))

    async def docs(self, request: PublicRequest) -> bytes:
        """The documents."""
        documents = await self._documents()
        return self._layout.page(
            request,
            "docs.html",
            title="Docs",
            description=f"The documents of {self._layout.name}: how to join with a game, and how to run a network.",
            documents=documents.values(),
            address=socket_address(request),
        )

    async def document(self, request: PublicRequest, name: str) -> bytes:
        """One document."""
        documents = await self._documents()
        if name not in documents:
            raise NotFound("There is no such document.")
        found = documents[name]
        return self._layout.page(request, "document.html", title=found.title, description=found.about, document=found)

    def _documents(self) -> Deferred[dict[str, Document]]:
        # On the first request, in a thread: it takes half a second and some memory.
        return self._kept.get("documents", _GOOD, lambda: self._layout.read(_make_documents))

    def asyncapi(self, request: PublicRequest) -> bytes:
        """The protocol, for programs."""
        body = asyncapi(self._layout.name, site_address(request))
        request.setHeader(b"Access-Control-Allow-Origin", b"*")
        return answer_cached(request, body, b"application/json", 3600)


def _make_documents() -> dict[str, Document]:
    from gossip.web.views.manual import documents

    return documents()
