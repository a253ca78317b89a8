"""The pages about games."""

from __future__ import annotations

from typing import Final

from gossip.operations.listing import paged
from gossip.protocol.server_events import SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import Router
from gossip.web.http.urls import parameter, site_address
from gossip.web.views.charts import badge, exact, hour_chart, line_chart, sparkline
from gossip.web.views.formatting import count
from gossip.web.views.layout import Layout
from gossip.web.views.play_links import written
from gossip.web.views.public import PublicGame, PublicView
from gossip.web.views.queries import PERIODS, CachedQueries

PAGE: Final = 100
"""The maximum number of games on a page of the list. The filter finds the others."""

PLACES: Final = 9
"""The digits of the place of a game in the list."""


class GamePages:
    """The list of games, and a page for each."""

    def __init__(self, layout: Layout, public: PublicView, queries: CachedQueries) -> None:
        self._layout = layout
        self._public = public
        self._queries = queries

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/games", get=self.games)
        router.add("/games/{name}", get=self.game)
        router.add("/games/{name}/badge.svg", get=self.badge)

    async def games(self, request: PublicRequest) -> bytes:
        """All games, those online first."""
        known = await self._queries.games()
        wanted = (parameter(request, "q") or "").strip().lower()[:100]
        only_online = parameter(request, "online") is not None

        def fits(entry: tuple[int, PublicGame]) -> bool:
            _, game = entry
            return wanted in text_of(game).lower() and (game.online or not only_online)

        # The script filters only if the page has all rows.
        complete = len(known.games) <= PAGE
        after = (parameter(request, "after") or "")[:PLACES]
        work = paged(enumerate(known.games), _place, fits, "" if complete else after, PAGE)
        page = await self._layout.gossip.in_slices(work)
        shown = [game for _, game in page.entries]
        games = known.games if complete else shown
        sparks = {
            name: sparkline(series.values, "Players over 48 hours")
            for name, series in (await self._queries.sparks(games)).items()
        }
        return self._layout.page(
            request,
            "games.html",
            title="Games",
            description=f"{count(len(known.games), 'game')} on {self._layout.name}, {known.online:,} online.",
            games=games,
            complete=complete,
            total=len(known.games),
            online=known.online,
            more=page.left,
            next=page.next,
            shown={game.game for game in shown},
            wanted=parameter(request, "q") or "",
            only_online=only_online,
            sparks=sparks,
            text_of=text_of,
        )

    async def game(self, request: PublicRequest, name: str) -> bytes:
        """One game."""
        registered = self._public.registered_as(name)
        game = self._public.game(registered)
        charts, hours = [], None
        if game.shows_players:
            one = (registered.client_id,)
            for period in PERIODS:
                series = await self._queries.players(period, one, game.players_online_count)
                charts.append((period, series, line_chart(series)))
            averages = await self._queries.hours(one)
            hours = (averages, hour_chart(averages))
            if not any(any(series.values) for _, series, _ in charts):
                charts = []
        return self._layout.page(
            request,
            "game.html",
            title=game.display_name,
            description=game.tagline or game.description or f"{game.display_name}, a game on {self._layout.name}.",
            game=game,
            ways=[_way(connection) for connection in game.connections],
            charts=charts,
            hours=hours,
            exact=exact,
            achievements=self._public.achievements(registered),
            channel_names=[name for name in game.channels if self._public.is_channel(name)],
            site=site_address(request) or "",
        )

    def badge(self, request: PublicRequest, name: str) -> bytes:
        """A badge for the game's own site."""
        game = self._public.game(self._public.registered_as(name))
        value = "offline"
        if game.online:
            value = f"{count(game.players_online_count, 'player')} online" if game.shows_players else "online"
        request.setHeader(b"Cross-Origin-Resource-Policy", b"cross-origin")
        return answer_cached(request, badge(game.game, value, game.online), b"image/svg+xml", 60)


def _place(entry: tuple[int, PublicGame]) -> str:
    number, _ = entry
    return f"{number:0{PLACES}}"


def text_of(game: PublicGame) -> str:
    """The text that the filter searches."""
    return " ".join(filter(None, (game.game, game.display_name, game.tagline, game.user_agent)))


def _way(connection: WebConnection | TelnetConnection | SecureTelnetConnection) -> tuple[str, str, str]:
    """A way to play: its kind, its address for people, and the link."""
    if isinstance(connection, WebConnection):
        return "In the browser", connection.url, connection.url
    what = "Telnet over TLS" if isinstance(connection, SecureTelnetConnection) else "Telnet"
    return what, f"{connection.host} {connection.port}", written(connection)
