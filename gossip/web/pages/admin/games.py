"""The list of games, and the page of each."""

from __future__ import annotations

from typing import Any

from gossip.operations.games import (
    GameAdd,
    GameDisable,
    GameEdit,
    GameEnable,
    GameList,
    GameRemove,
    GameRotate,
    GameShow,
)
from gossip.operations.intermud3 import GameI3
from gossip.operations.operation import find_game
from gossip.operations.sessions import sessions_of
from gossip.registry.errors import Refused
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import NotFound
from gossip.web.pages.admin.page import AdminPage
from gossip.web.views.play_links import written


class GamesPage(AdminPage):
    """All games."""

    pattern = "/admin/games"
    template = "admin/games.html"
    title = "Games"
    does = (GameAdd,)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        return {
            **await self.listed(request, GameList, actor, "short_name", "name", "owner"),
            "online": self._layout.gossip.network.presence.online,
            "suggested": await self.suggested("account"),
        }


class GamePage(AdminPage):
    """One game."""

    pattern = "/admin/games/{name}"
    template = "admin/game.html"
    does = (GameEdit, GameRotate, GameI3, GameDisable, GameEnable, GameRemove)
    gone = (GameRemove,)
    parent = "/admin/games"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        (name,) = words
        try:
            shown = await self.tell(GameShow(name), actor)
            game = find_game(self._layout.gossip.network.registry, name)
        except Refused:
            raise NotFound("There is no such game.") from None
        return {
            "title": game.name,
            "game": shown,
            "i3": self._layout.gossip.network.registry.i3.of(game.client_id),
            "ways": "\n".join(map(written, game.connections)),
            "sessions": sessions_of(self._layout.gossip, game.client_id),
            "suggested": await self.suggested("account"),
        }
