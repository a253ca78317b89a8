"""What is public, in JSON: C{/api/v1}. Anybody may read it, from any page of the web."""

from __future__ import annotations

import functools
from collections.abc import Coroutine
from typing import Any, Final

import msgspec
from msgspec import Struct

from gossip import __version__
from gossip.web.base import Base, number
from gossip.web.public import AchievementShown, ChannelShown, GameShown, MessageShown, Public, message_shown
from gossip.web.readings import SPARK, TODAY, Readings, Series
from gossip.web.requests import PublicRequest, answer_cached, answer_json
from gossip.web.router import Problem, Router, View

MOST: Final = 100
"""How many messages are told at once."""

_ROOT: Final = "/api/v1"
_SECONDS: Final = 5


class GameInFull(GameShown, frozen=True, kw_only=True):
    """A game, and what is told of one game only: its displayed achievements, and its players over 48 hours."""

    achievements: tuple[AchievementShown, ...]
    players_over_time: Series | None


class Games(Struct, frozen=True):
    """All games: who is online first."""

    games: tuple[GameShown, ...]


class Channels(Struct, frozen=True):
    """All channels."""

    channels: tuple[ChannelShown, ...]


class Messages(Struct, frozen=True):
    """
    What was said on a channel, the oldest first.

    @ivar more: there is more in the direction that was asked for.
    """

    messages: tuple[MessageShown, ...]
    more: bool


class Statistics(Struct, frozen=True):
    """The network in numbers; times are seconds since the epoch."""

    name: str
    version: str
    games: int
    games_online: int
    players_online: int
    messages_over_time: Series
    players_over_time: Series


class Error(Struct, frozen=True):
    """Why not."""

    error: str


class Api:
    """C{/api/v1}."""

    def __init__(self, base: Base, public: Public, readings: Readings) -> None:
        self._base = base
        self._public = public
        self._readings = readings

    def add(self, router: Router) -> None:
        """Add the paths."""
        router.add(f"{_ROOT}/", get=self._open(self.openapi))
        router.add(f"{_ROOT}/openapi.json", get=self._open(self.openapi))
        router.add(f"{_ROOT}/games", get=self._open(self.games))
        router.add(f"{_ROOT}/games/{{name}}", get=self._open(self.game))
        router.add(f"{_ROOT}/channels", get=self._open(self.channels))
        router.add(f"{_ROOT}/channels/{{name}}/messages", get=self._open(self.messages))
        router.add(f"{_ROOT}/statistics", get=self._open(self.statistics))

    def _open(self, view: Any) -> View:
        """To everybody, and with problems told in JSON."""

        async def answered(request: PublicRequest, *words: str) -> bytes:
            request.setHeader(b"Access-Control-Allow-Origin", b"*")
            try:
                result: Any = view(request, *words)
                if isinstance(result, Coroutine):
                    result = await result
            except Problem as problem:
                return answer_json(request, Error(problem.text), problem.code)
            body = msgspec.json.encode(result) + b"\n"
            return answer_cached(request, body, b"application/json", _SECONDS)

        return answered

    def games(self, request: PublicRequest) -> Games:
        return Games(tuple(self._public.games()))

    async def game(self, request: PublicRequest, name: str) -> GameInFull:
        registered = self._public.registered_as(name)
        game = self._public.game(registered)
        series = None
        if game.shows_players:
            series = await self._readings.players(SPARK, (registered.client_id,), game.players_online_count)
        achievements = tuple(self._public.achievements(registered))
        return GameInFull(**msgspec.structs.asdict(game), achievements=achievements, players_over_time=series)

    def channels(self, request: PublicRequest) -> Channels:
        return Channels(tuple(self._public.channels()))

    async def messages(self, request: PublicRequest, name: str) -> Messages:
        self._public.channel(name)
        before, after = number(request, "before"), number(request, "after")
        limit = number(request, "limit", 1, MOST) or 50
        said = await self._readings.history(name, limit + 1, before if after is None else None, after)
        more = len(said) > limit
        kept = said[:limit] if after is not None else said[-limit:]
        return Messages(tuple(map(message_shown, kept)), more)

    async def statistics(self, request: PublicRequest) -> Statistics:
        games = self._public.games()
        players = sum(game.players_online_count for game in games)
        counted = tuple(sorted(self._public.counted()))
        return Statistics(
            self._base.name,
            __version__,
            len(games),
            sum(game.online for game in games),
            players,
            await self._readings.messages(TODAY),
            await self._readings.players(SPARK, counted, players),
        )

    def openapi(self, request: PublicRequest) -> dict[str, Any]:
        return openapi(self._base.name)


@functools.lru_cache(4)
def openapi(network: str) -> dict[str, Any]:
    """The OpenAPI document (3.1)."""
    kinds = (Games, GameInFull, Channels, Messages, Statistics, Error)
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    window = [
        _query("before", "Only messages with a lower seq; the latest of them.", 0),
        _query("after", "Only messages with a higher seq; the oldest of them. It goes before the other.", 0),
        _query("limit", "How many at the most.", 1, MOST),
    ]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": network,
            "version": "1",
            "description": "What is public of this network of MUDs. Read only, no key needed.",
        },
        "paths": {
            f"{_ROOT}/games": _path("All games", Games),
            f"{_ROOT}/games/{{name}}": _path("One game, by its short name", GameInFull, name),
            f"{_ROOT}/channels": _path("All channels", Channels),
            f"{_ROOT}/channels/{{name}}/messages": _path("What was said on a channel", Messages, name, *window),
            f"{_ROOT}/statistics": _path("The network in numbers", Statistics),
        },
        "components": {"schemas": schemas},
    }


def _query(name: str, about: str, least: int, most: int | None = None) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, **({} if most is None else {"maximum": most})}
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _path(summary: str, kind: type[Struct], *parameters: dict[str, Any]) -> dict[str, Any]:
    def answer(about: str, kind: type[Struct]) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
        return {"description": about, "content": {"application/json": {"schema": schema}}}

    responses = {"200": answer("Here it is.", kind)}
    if parameters:
        responses |= {"400": answer("A number is none.", Error), "404": answer("There is none.", Error)}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": responses}}
