"""
Games without an owner, for admins: C{gossipctl game add} registers such games, and removed accounts leave them behind.

An admin takes them at /manage and /connect, one at a time or all that are shown. Each is an entry in the activity log.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from twisted.web import http

from gossip.operations.executor import Executor
from gossip.operations.games import GameEdit
from gossip.operations.listing import Page, paged
from gossip.operations.operation import find_game
from gossip.registry.entities import Account, Game
from gossip.registry.errors import Refused
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Problem, Router, redirect
from gossip.web.http.urls import safe_return_path
from gossip.web.views.layout import Layout

SHOWN: Final = 20
"""The maximum number of games without an owner that are shown at once."""

SAID: Final = {"taken": "Done: the games that you took are yours now."}
"""The message after games were taken, by the query parameter C{done}."""


class OwnerlessGames:
    """Shows games without an owner to admins, and gives them to the admin who takes them."""

    def __init__(self, layout: Layout, cookies: SessionCookies, executor: Executor) -> None:
        self._layout = layout
        self._cookies = cookies
        self._executor = executor

    def add(self, router: Router) -> None:
        """Add the path of the form."""
        # Not below /manage: a game can have any name.
        router.add(
            "/ownerless", get=lambda request: redirect(request, "/manage"), post=self._cookies.require_admin(self.take)
        )

    async def found(self, account: Account | None) -> Page[Game] | None:
        """The first games without an owner, by short name; C{None} if there are none, or if this is not an admin."""
        if account is None or not account.admin:
            return None
        games = self._layout.gossip.network.registry.games.values()
        work = paged(games, lambda game: game.short_name.lower(), lambda game: game.owner is None, limit=SHOWN)
        page = await self._layout.gossip.in_slices(work)
        return page if page.entries else None

    async def take(self, request: PublicRequest, account: Account) -> bytes:
        """Give games to an admin: those that the form names, except those that have an owner by now."""
        form = self._cookies.read_form(request)
        named = form.all("game")[:SHOWN]
        taken = 0
        for client_id in named:
            try:
                taking = GameEdit(game=client_id, owner=account.name)
                await self._executor.carry_out(taking, account.name, partial(self._check, client_id))
                taken += 1
            except Refused:
                continue
        if not taken:
            raise Problem(http.CONFLICT, "These games have an owner by now, or are no longer registered.")
        return redirect(request, f"{safe_return_path(form.text('back'), '/manage')}?done=taken")

    def _check(self, client_id: str) -> None:
        if find_game(self._layout.gossip.network.registry, client_id).owner is not None:
            raise Refused("taken", "owner", "this game has an owner by now")
