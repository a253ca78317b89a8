"""The pages about games."""

from __future__ import annotations

from typing import Final

from gossip.operations.listing import in_order, paged
from gossip.protocol.server_events import SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import Router
from gossip.web.http.urls import parameter, site_address
from gossip.web.views.charts import badge, exact, hour_chart, line_chart, sparkline
from gossip.web.views.emblem import emblem
from gossip.web.views.formatting import count
from gossip.web.views.game_filter import SORTS, GameFilter, text_of
from gossip.web.views.layout import Layout
from gossip.web.views.play_links import written
from gossip.web.views.public import PublicGame, PublicView, base_of
from gossip.web.views.queries import PERIODS, CachedQueries, period_named

PAGE: Final = 100
"""The maximum number of games on a page of the list. The filter finds the others."""

PLACES: Final = 9
"""The digits of the place of a game in the list."""

_LONGEST: Final = 100


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
        router.add("/games/{name}/emblem.svg", get=self.emblem)

    async def games(self, request: PublicRequest) -> bytes:
        """The games that a visitor wants to see."""
        known, spoken = await self._queries.games(), await self._queries.spoken_by()
        wanted = GameFilter.of(request)
        ordered = known.games
        if wanted.sort != "players":
            work = in_order(known.games, lambda some: some, wanted.key(spoken))
            ordered = await self._layout.gossip.in_slices(work)
        # The script filters only if the page has all games.
        complete = len(ordered) <= PAGE
        after = (parameter(request, "after") or "")[:PLACES]
        page = await self._layout.gossip.in_slices(
            paged(enumerate(ordered), _place, lambda entry: wanted.fits(entry[1]), "" if complete else after, PAGE)
        )
        shown = [game for _, game in page.entries]
        games = ordered if complete else shown
        sparks = {
            name: sparkline(series.values, "Players over 48 hours")
            for name, series in (await self._queries.sparks(games)).items()
            # One point is no line.
            if sum(value is not None for value in series.values) > 1
        }
        return self._layout.page(
            request,
            "games.html",
            title="Games",
            description=f"{count(len(known.games), 'game')} on {self._layout.name}, {known.online:,} online.",
            games=games,
            complete=complete,
            known=known,
            more=page.left,
            following={**wanted.parameters, "after": page.next},
            shown={game.game for game in shown},
            wanted=wanted,
            sorts=SORTS,
            sparks=sparks,
            spoken=spoken,
            text_of=text_of,
            base_of=base_of,
            remote=self._public.remote_games(),
        )

    async def game(self, request: PublicRequest, name: str) -> bytes:
        """One game."""
        registered = self._public.registered_as(name)
        game = self._public.game(registered)
        period = period_named(parameter(request, "range"))
        over_time = hours = None
        if game.shows_players:
            one = (registered.client_id,)
            now = game.players_online_count if game.online else None
            series = await self._queries.players(period, one, now)
            over_time = line_chart(series, "players"), series
            averages = await self._queries.hours(one)
            hours = hour_chart(averages), averages
        return self._layout.page(
            request,
            "game.html",
            title=game.display_name,
            description=game.tagline or game.description or f"{game.display_name}, a game on {self._layout.name}.",
            game=game,
            browsers=[each.url for each in game.connections if isinstance(each, WebConnection)],
            clients=[_client(each) for each in game.connections if not isinstance(each, WebConnection)],
            over_time=over_time,
            hours=hours,
            period=period,
            periods=PERIODS,
            exact=exact,
            achievements=self._public.achievements(registered),
            channel_names=[name for name in game.channels if self._public.is_channel(name)],
            site=site_address(request) or "",
        )

    def emblem(self, request: PublicRequest, name: str) -> bytes:
        """The emblem of a game. It is made of the name alone: so that lines of games that are gone have theirs."""
        return answer_cached(request, emblem(name[:_LONGEST]), b"image/svg+xml", 86400)

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


def _client(connection: TelnetConnection | SecureTelnetConnection) -> tuple[str, str, str]:
    """A way to play by telnet: what it is, the host and port as people type them, and the link."""
    what = "Telnet over TLS" if isinstance(connection, SecureTelnetConnection) else "Telnet"
    return what, f"{connection.host} {connection.port}", written(connection)
