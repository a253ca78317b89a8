"""The list of games, and the page of each."""

from __future__ import annotations

from typing import Any

from gossip.operations.command import Command, Result
from gossip.operations.executor import Executor
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
from gossip.operations.keys import GameKey, imc_config, located
from gossip.operations.operation import find_game
from gossip.operations.sessions import sessions_of
from gossip.registry.errors import Refused
from gossip.registry.secret import IMC2, secrets_of
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.forms import Form
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import NotFound
from gossip.web.http.urls import site_address
from gossip.web.pages.admin.page import AdminPage
from gossip.web.settings import WebRules
from gossip.web.views.layout import Layout
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
    does = (GameEdit, GameRotate, GameKey, GameI3, GameDisable, GameEnable, GameRemove)
    gone = (GameRemove,)
    parent = "/admin/games"

    def __init__(self, layout: Layout, cookies: SessionCookies, executor: Executor, rules: WebRules) -> None:
        super().__init__(layout, cookies, executor)
        self._rules = rules

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
            "key": secrets_of(game, IMC2),
            "by_imc2": bool(self._rules.imc2_port),
            "imc_config": lambda made: imc_config(located(made, self._site(request), self._rules.imc2_port)),
            "i3": self._layout.gossip.network.registry.i3.of(game.client_id),
            "ways": "\n".join(map(written, game.connections)),
            "sessions": sessions_of(self._layout.gossip, game.client_id),
            "suggested": await self.suggested("account"),
        }

    async def carry_out(self, action: Command, form: Form, actor: str) -> Result:
        if isinstance(action, GameI3) and not action.remove and not form.checked("sure"):
            registry = self._layout.gossip.network.registry
            if registry.i3.of(find_game(registry, action.game).client_id):
                raise Refused("not-confirmed", "sure", "tick the box to confirm this action")
        return await super().carry_out(action, form, actor)

    def _site(self, request: PublicRequest) -> str:
        return site_address(request) or self._rules.address
