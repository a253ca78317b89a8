"""
C{/api/v1} in JSON. Public data needs no token and can be read from any web page. Everything else needs a token and is
never cached.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final
from urllib.parse import quote

import msgspec
from twisted.web import http

from gossip import __version__
from gossip.network.session import Session
from gossip.operations.catalogue import OPERATIONS
from gossip.operations.command import Result
from gossip.operations.executor import Executor
from gossip.operations.operation import read
from gossip.registry.entities import Game
from gossip.registry.errors import Refused
from gossip.registry.secret import old_secret_until
from gossip.store.errors import StoreError
from gossip.web.accounts.tokens import Tokens, ValidToken
from gossip.web.api.openapi import MOST, MOST_FOUND, ROOT, openapi
from gossip.web.api.schemas import (
    GameDetails,
    LiveSession,
    MessagesResponse,
    OwnGame,
    OwnGamesResponse,
    SearchHit,
    SearchResponse,
    StatisticsResponse,
    TokenResponse,
)
from gossip.web.http.problem_details import answer_problem
from gossip.web.http.requests import PublicRequest, answer_cached, answer_json
from gossip.web.http.router import NotFound, Problem, Router, View
from gossip.web.http.urls import number_parameter
from gossip.web.views.formatting import iso, sentence
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView, public_message
from gossip.web.views.queries import SPARK, TODAY, CachedQueries, Encoded
from gossip.web.views.searches import Asked, Searches

_SECONDS: Final = 5


class Api:
    """C{/api/v1}."""

    def __init__(
        self,
        layout: Layout,
        public: PublicView,
        queries: CachedQueries,
        tokens: Tokens,
        executor: Executor,
        searches: Searches,
    ) -> None:
        self._layout = layout
        self._public = public
        self._queries = queries
        self._tokens = tokens
        self._executor = executor
        self._searches = searches

    def add(self, router: Router) -> None:
        """Add the paths."""
        router.add(ROOT, get=self._open(self.openapi))
        router.add(f"{ROOT}/", get=self._open(self.openapi))
        router.add(f"{ROOT}/openapi.json", get=self._open(self.openapi))
        router.add(f"{ROOT}/games", get=self._open(self.games))
        router.add(f"{ROOT}/games/{{name}}", get=self._open(self.game))
        router.add(f"{ROOT}/channels", get=self._open(self.channels))
        public, any_channel = self._open(self.messages), self._closed("read", self.messages_of_any)
        router.add(
            f"{ROOT}/channels/{{name}}/messages",
            get=lambda request, name: (any_channel if _shows_token(request) else public)(request, name),
        )
        router.add(f"{ROOT}/search", get=self._open(self.search))
        router.add(f"{ROOT}/statistics", get=self._open(self.statistics))
        router.add(f"{ROOT}/account", get=self._closed("", self.account))
        router.add(f"{ROOT}/account/games", get=self._closed("read", self.own_games))
        router.add(f"{ROOT}/admin/{{group}}/{{operation}}", post=self._closed("admin", self.operate))

    def _open(self, view: Any) -> View:
        """Make a view public, with problems as JSON."""

        async def answered(request: PublicRequest, *words: str) -> bytes:
            request.setHeader(b"Access-Control-Allow-Origin", b"*")
            try:
                result: Any = view(request, *words)
                if isinstance(result, Coroutine):
                    result = await result
            except Problem as problem:
                for name, value in problem.headers.items():
                    request.setHeader(name, value)
                return answer_problem(request, problem.code, problem.text)
            except StoreError:
                return _unread(request)
            if isinstance(result, Encoded):
                return answer_cached(request, result.body, b"application/json", _SECONDS, digest=result.digest)
            body = msgspec.json.encode(result) + b"\n"
            return answer_cached(request, body, b"application/json", _SECONDS)

        return answered

    def _closed(self, scope: str, view: Any) -> View:
        """
        Make a view, which takes the token after the request, one that needs a token.

        @param scope: the scope that the token must include; empty for any.
        """

        async def answered(request: PublicRequest, *words: str) -> bytes:
            try:
                shown = self._tokens.required(request, self._layout.peer(request), scope)
                result: Any = view(request, shown, *words)
                if isinstance(result, Coroutine):
                    result = await result
            except Problem as problem:
                for name, value in problem.headers.items():
                    request.setHeader(name, value)
                return answer_problem(request, problem.code, problem.text)
            except Refused as refused:
                return answer_problem(request, http.BAD_REQUEST, str(refused), refused.code, refused.field)
            except StoreError:
                return _unread(request)
            return answer_json(request, result)

        return answered

    # Public.

    async def games(self, request: PublicRequest) -> Encoded:
        return await self._queries.encoded("games", (await self._queries.games()).games)

    async def game(self, request: PublicRequest, name: str) -> GameDetails:
        registered = self._public.registered_as(name)
        game = self._public.game(registered)
        series = None
        if game.shows_players:
            series = await self._queries.players(
                SPARK, (registered.client_id,), game.players_online_count if game.online else None
            )
        achievements = tuple(self._public.achievements(registered))
        return GameDetails(**msgspec.structs.asdict(game), achievements=achievements, players_over_time=series)

    async def channels(self, request: PublicRequest) -> Encoded:
        return await self._queries.encoded("channels", (await self._queries.channels()).channels)

    async def messages(self, request: PublicRequest, name: str) -> MessagesResponse:
        self._public.channel(name)
        return await self._history(request, name)

    async def _history(self, request: PublicRequest, name: str) -> MessagesResponse:
        before, after = number_parameter(request, "before"), number_parameter(request, "after")
        limit = number_parameter(request, "limit", 1, MOST) or 50
        said = await self._queries.history(name, limit + 1, before if after is None else None, after)
        more = len(said) > limit
        kept = said[:limit] if after is not None else said[-limit:]
        return MessagesResponse(tuple(map(public_message, kept)), more)

    async def search(self, request: PublicRequest) -> SearchResponse:
        limit = number_parameter(request, "limit", 1, MOST_FOUND) or 20
        try:
            wanted = Asked.of(request).search()
        except Refused as refused:
            raise Problem(http.BAD_REQUEST, sentence(str(refused))) from None
        found = await self._searches.find(request, wanted, limit)
        hits = (
            SearchHit(
                public_message(hit.said),
                f"/chat/{quote(hit.said.channel, safe='')}/{hit.said.seq}",
                None if hit.before is None else public_message(hit.before),
                None if hit.after is None else public_message(hit.after),
            )
            for hit in found.hits
        )
        return SearchResponse(tuple(hits), found.next, found.complete)

    async def statistics(self, request: PublicRequest) -> StatisticsResponse:
        games = await self._queries.games()
        return StatisticsResponse(
            self._layout.name,
            __version__,
            len(games.games),
            games.online,
            games.players,
            await self._queries.messages(TODAY),
            await self._queries.players(SPARK, None, games.players),
        )

    def openapi(self, request: PublicRequest) -> dict[str, Any]:
        return openapi(self._layout.name)

    # With a token.

    async def messages_of_any(self, request: PublicRequest, shown: ValidToken, name: str) -> MessagesResponse:
        if not (shown.may("admin") and name in self._layout.gossip.network.registry.channels):
            self._public.channel(name)
        return await self._history(request, name)

    def account(self, request: PublicRequest, shown: ValidToken) -> TokenResponse:
        account, ticket = shown.account, shown.ticket
        expires = None if ticket.expires is None else iso(ticket.expires)
        return TokenResponse(account.name, account.admin, ticket.scope, ticket.label, expires)

    def own_games(self, request: PublicRequest, shown: ValidToken) -> OwnGamesResponse:
        games = self._layout.gossip.network.registry.games_of(shown.account.name)
        return OwnGamesResponse(tuple(map(self._own, games)))

    def _live(self, session: Session) -> LiveSession:
        return LiveSession(
            str(session.peer),
            self._layout.gossip.transport_of(session),
            iso(session.opened_at),
            tuple(sorted(session.supports)),
            tuple(session.channels),
            len(session.players),
        )

    def _own(self, game: Game) -> OwnGame:
        network = self._layout.gossip.network
        online, seen = network.presence.online(game.client_id), network.registry.seen.get(game.client_id)
        players = () if online is None else tuple(sorted(online.players, key=str.lower))
        until = old_secret_until(game, self._layout.now)
        public = msgspec.structs.asdict(self._public.game(game))
        own = {
            "players": players,
            "players_online_count": len(players),
            "channels": () if online is None else tuple(online.channels),
        }
        return OwnGame(
            **(public | own),
            client_id=game.client_id,
            hidden=game.hidden,
            disabled=game.disabled,
            created_at=iso(game.created_at),
            version=seen.version if seen else None,
            old_secret_until=None if until is None else iso(until),
            sessions=() if online is None else tuple(map(self._live, online.sessions)),
        )

    async def operate(self, request: PublicRequest, shown: ValidToken, group: str, operation: str) -> Result:
        kind = OPERATIONS.get(f"{group}/{operation}")
        if kind is None:
            raise NotFound("There is no such operation.")
        assert request.content is not None
        return await self._executor.carry_out(read(request.content.read(), kind), shown.account.name)


def _unread(request: PublicRequest) -> bytes:
    return answer_problem(request, http.SERVICE_UNAVAILABLE, "The database is not responding.")


def _shows_token(request: PublicRequest) -> bool:
    return request.getHeader(b"authorization") is not None
