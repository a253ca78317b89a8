"""The open book: what admins did about broken rules, for everybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from twisted.web import http

from gossip.web.api.feeds import moderation_feed
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import NotFound, Problem, Router
from gossip.web.http.urls import parameter, site_address
from gossip.web.views.layout import Layout
from gossip.web.views.open_book import KINDS, Deed, Noted, OpenBook, noted
from gossip.web.views.queries import Cache

PAGE: Final = 50
"""The maximum number of entries on a page and in the feed."""

_PLACE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)_([0-9A-Za-z-]{1,64})")
"""The time and the key of an entry."""

_GOOD: Final = 5


class ModerationPages:
    """The book as a page and as a feed."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._kept = Cache(layout.clock)

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/moderation", get=self.show)
        router.add("/moderation/feed.atom", get=self.feed)

    async def show(self, request: PublicRequest) -> bytes:
        """The book, newest first."""
        book = self._book()
        text, before = parameter(request, "before"), None
        if text:
            place = _PLACE.fullmatch(text)
            if place is None:
                raise Problem(http.BAD_REQUEST, "before must be the place of an entry.")
            before = float(place[1]), place[2]
        entries = await self._entries(before)
        last = entries[PAGE - 1] if len(entries) > PAGE else None
        return self._layout.page(
            request,
            "moderation.html",
            title="Moderation",
            deeds=[book.deed(entry) for entry in entries[:PAGE]],
            earlier=last and f"{last.at!r}_{last.key}",
            before=before,
        )

    async def feed(self, request: PublicRequest) -> bytes:
        """The latest entries as an Atom feed."""
        book = self._book()
        deeds: Sequence[Deed] = [book.deed(entry) for entry in (await self._entries(None))[:PAGE]]
        body = moderation_feed(self._layout.name, deeds, site_address(request) or "http://localhost")
        request.setHeader(b"Access-Control-Allow-Origin", b"*")
        return answer_cached(request, body, b"application/atom+xml; charset=utf-8", 60)

    def _book(self) -> OpenBook:
        """
        The book.

        @raise NotFound: it is not open.
        """
        network = self._layout.gossip.network
        published = network.rules.settings.public_moderation
        if published == "off":
            raise NotFound
        return OpenBook(network.registry, published == "all")

    async def _entries(self, before: tuple[float, str] | None) -> Sequence[Noted]:
        """The entries of a page, and the one after them."""
        return await self._kept.get(before, _GOOD, lambda: self._layout.read(self._noted, before))  # type: ignore[no-any-return]

    def _noted(self, before: tuple[float, str] | None) -> Sequence[Noted]:
        return [noted(entry) for entry in self._layout.store.audit_of(tuple(KINDS), PAGE + 1, before)]
