"""What the crawlers of search engines ask for: robots.txt and the site map."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from gossip.web.http.requests import PublicRequest, answer_cached, answer_text
from gossip.web.http.router import NotFound, Router
from gossip.web.http.urls import site_address
from gossip.web.views.guides import GUIDES
from gossip.web.views.queries import CachedQueries

MOST: Final = 2000
"""The maximum number of games, and of channels, in the site map. A site map can have 50,000 addresses."""

_GOOD: Final = 3600

_NOT_FOR_CRAWLERS: Final = (
    "/account",
    "/admin",
    "/api/",
    "/forgot",
    "/live",
    "/manage",
    "/moderate/",
    "/ownerless",
    "/reset/",
    "/search",
    "/setup/",
    "/sign-in",
    "/sign-up",
    "/theme",
    "/welcome",
    "/chat/*/live",
)

_PAGES: Final = ("/", "/games", "/channels", "/connect", "/stats", "/status", "/docs", "/rules")


class CrawlerPages:
    """The files for crawlers."""

    def __init__(self, queries: CachedQueries) -> None:
        self._queries = queries
        names = (file.name for file in files("gossip.web").joinpath("docs").iterdir())
        self._documents = sorted(name.removesuffix(".rst") for name in names if name.endswith(".rst"))

    def add(self, router: Router) -> None:
        """Add the files."""
        router.add("/robots.txt", get=self.robots)
        router.add("/sitemap.xml", get=self.site_map)

    def robots(self, request: PublicRequest) -> bytes:
        """Which paths are not for crawlers (RFC 9309), and where the site map is."""
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in _NOT_FOR_CRAWLERS)]
        if (site := site_address(request)) is not None:
            lines.append(f"Sitemap: {site}/sitemap.xml")
        return answer_text(request, "\n".join(lines), 200)

    async def site_map(self, request: PublicRequest) -> bytes:
        """The addresses of all public pages (https://www.sitemaps.org/protocol.html)."""
        site = site_address(request)
        if site is None:
            raise NotFound("The site map needs a Host header.")
        games = (await self._queries.games()).games
        channels = (await self._queries.channels()).channels

        def paths() -> Iterator[str]:
            yield from _PAGES
            yield from (f"/connect/{name}" for name in GUIDES)
            yield from (f"/docs/{name}" for name in self._documents)
            yield from (f"/games/{quote(game.game, safe='')}" for game in islice(games, MOST))
            yield from (f"/chat/{quote(channel.name, safe='')}" for channel in islice(channels, MOST))

        lines = (f"<url><loc>{escape(site + path)}</loc></url>" for path in paths())
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n' + "\n".join(lines) + "\n</urlset>\n"
        )
        return answer_cached(request, body.encode(), b"application/xml; charset=utf-8", _GOOD)
