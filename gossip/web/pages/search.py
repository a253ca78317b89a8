"""The page that searches what was said."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from twisted.web import http

from gossip.registry.errors import Refused
from gossip.registry.search import LONGEST
from gossip.store.searching import Found
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import NotFound, Router
from gossip.web.views.formatting import sentence
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView
from gossip.web.views.searches import Asked, Searches

SHOWN: Final = 20
"""The maximum number of messages on a page."""


class SearchPage:
    """The form, with what was found below it."""

    def __init__(self, layout: Layout, public: PublicView, searches: Searches) -> None:
        self._layout = layout
        self._public = public
        self._searches = searches

    def add(self, router: Router) -> None:
        """Add the page."""
        router.add("/search", get=self.search)

    async def search(self, request: PublicRequest) -> bytes:
        """Search, if the form is filled in."""
        asked, wrong, code, found = Asked.of(request), "", http.OK, Found(())
        search = None
        if not asked.is_empty:
            try:
                wanted = asked.search()
                found = await self._searches.find(request, wanted, SHOWN)
                search = wanted
            except Refused as refused:
                wrong, code = sentence(str(refused)), http.BAD_REQUEST
            except NotFound as nothing:
                wrong, code = nothing.text, nothing.code
        again = {name: value for name, value in asked.values.items() if value}
        return self._layout.page(
            request,
            "search.html",
            code,
            title="Search",
            description="Search what players of all games said on the public channels.",
            given=asked.values,
            longest=LONGEST,
            search=search,
            found=found,
            wrong=wrong,
            older="" if found.next is None else "?" + urlencode({**again, "before": found.next}),
            is_game=self._public.is_game,
        )
