"""The front page, in HTML and for terminals, the theme, and the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from gossip.protocol.emotes import spoken
from gossip.protocol.text import clean
from gossip.registry.changes import MessageSaid
from gossip.registry.removals import stands_for
from gossip.web.http.accept import prefers_text
from gossip.web.http.requests import PublicRequest, answer_cached, answer_text
from gossip.web.http.router import Router, redirect
from gossip.web.http.urls import parameter, safe_return_path, socket_address
from gossip.web.live import milliseconds
from gossip.web.views.charts import sparkline
from gossip.web.views.formatting import clock, count
from gossip.web.views.layout import THEMES, Layout
from gossip.web.views.public import PublicGame, PublicView
from gossip.web.views.queries import TODAY, CachedQueries

LINES: Final = 12
"""How many of the latest messages the front page shows."""

NAMED: Final = 100
"""How many of the games online the front page for terminals shows."""

_ABOUT: Final = (
    "{} connects text games. Players talk across games on shared channels, send each other tells, and see who is "
    "online where."
)


class FrontPages:
    """The front page."""

    def __init__(self, layout: Layout, public: PublicView, queries: CachedQueries) -> None:
        self._layout = layout
        self._public = public
        self._queries = queries

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/", get=self.front)
        router.add("/theme", get=self.theme)
        router.add("/manifest.webmanifest", get=self.manifest)

    async def front(self, request: PublicRequest) -> bytes:
        """Games online, the latest messages, and how to join."""
        request.setHeader(b"Vary", b"Accept, User-Agent")
        known = await self._queries.games()
        games = known.games[: known.online]
        lines = await self._queries.latest(LINES)
        if prefers_text(request):
            return answer_text(request, self._text(request, games, lines), 200)
        messages = await self._queries.messages(TODAY)
        return self._layout.page(
            request,
            "front.html",
            title=self._layout.name,
            description=_ABOUT.format(self._layout.name),
            games=games,
            players=known.players,
            messages=messages,
            spark=sparkline(messages.values, "Messages per hour over 24 hours"),
            lines=lines,
            since=milliseconds(lines[-1]) if lines else int(self._layout.now * 1000),
            channels=(await self._queries.channels()).channels,
            main_channel=self._public.main_channel(),
            address=socket_address(request),
            is_game=self._public.is_game,
        )

    def _text(self, request: PublicRequest, games: Sequence[PublicGame], lines: Sequence[MessageSaid]) -> str:
        players = sum(game.players_online_count for game in games)
        shown = games[:NAMED]
        width = max((len(game.game) for game in shown), default=0)
        listed = [f"  {game.game:{width}}  {game.players_online_count:4}  {_line(game.display_name)}" for game in shown]
        if len(games) > NAMED:
            listed.append(f"  and {len(games) - NAMED:,} more: /games")
        parts = (
            [
                f"{self._layout.name}: a network that connects MUDs.",
                f"Online: {count(len(games), 'game')}, {count(players, 'player')}.",
            ],
            listed,
            [f"{clock(said.said_at)} [{said.channel}] {_spoken(said)}" for said in lines],
            [f"Join: {socket_address(request) or '/socket on this host'}. How: /connect. JSON: /api/v1/"],
        )
        return "\n\n".join("\n".join(part) for part in parts if part)

    def manifest(self, request: PublicRequest) -> bytes:
        """What a phone needs to put the site beside its apps (https://www.w3.org/TR/appmanifest/)."""
        told = {
            "name": self._layout.name,
            "start_url": "/",
            "display": "standalone",
            "background_color": "#0c110f",
            "theme_color": "#0c110f",
            "icons": [{"src": self._layout.assets.path("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
        }
        return answer_cached(request, msgspec.json.encode(told), b"application/manifest+json", 3600)

    def theme(self, request: PublicRequest) -> bytes:
        """Choose the colour theme without JavaScript."""
        chosen = parameter(request, "to")
        if chosen in THEMES:
            request.addCookie(
                b"theme", chosen.encode(), path=b"/", max_age=b"31536000", sameSite=b"lax", secure=request.encrypted
            )
        return redirect(request, safe_return_path(parameter(request, "back")))


def _line(text: str) -> str:
    """A text on one line, without control characters that could move the cursor of a terminal."""
    return " ".join(clean(text).split())


def _spoken(said: MessageSaid) -> str:
    # Each part alone: a name could start what looks like a tag, and a message could end it.
    if said.removed is not None:
        return f"@{_line(said.game)}: {stands_for(_line(said.removed.reason))}"
    return spoken(_line(said.name), _line(said.game), _line(said.message))
