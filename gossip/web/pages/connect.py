"""
The pages that help to connect a game: a guide for each code base, for everybody.

For the owner of a game the guide is filled in, and its steps are ticked as they succeed.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from gossip.registry.entities import Account, Game
from gossip.registry.names import ECHO_CHANNEL
from gossip.registry.secret import IMC2
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import NotFound, Router, redirect
from gossip.web.http.urls import parameter, site_address, socket_address
from gossip.web.pages.ownerless import SAID, OwnerlessGames
from gossip.web.settings import WebRules
from gossip.web.views.guides import GUIDES, Guide
from gossip.web.views.layout import Layout
from gossip.web.views.progress import own_game, progress
from gossip.web.views.public import MAIN_CHANNEL, PublicView

PLACEHOLDER: Final = "YOUR-CLIENT-SECRET"
"""Stands for the secret in the snippets: only the owner knows it."""

SAMPLE: Final = Game(client_id="YOUR-CLIENT-ID", short_name="MyMUD", name="My MUD", secrets=())
"""Stands for the game in a guide that is not filled in."""

_GOOD: Final = 300


class ConnectPages:
    """Guides, by code base, and by game and code base."""

    def __init__(
        self,
        layout: Layout,
        public: PublicView,
        cookies: SessionCookies,
        ownerless: OwnerlessGames,
        rules: WebRules,
        telnet: tuple[str, str] = ("", ""),
        imc2_port: str = "",
        i3: tuple[str, str] = ("", ""),
    ) -> None:
        """
        @param telnet: the ports of the telnet bridge, without and with TLS; empty for none.
        @param imc2_port: the port for games by IMC2; empty for none.
        @param i3: the port for games by Intermud-3, empty for none, and the name of the router.
        """
        self._i3_port, self._i3_router = i3
        self._layout = layout
        self._public = public
        self._cookies = cookies
        self._ownerless = ownerless
        self._rules = rules
        self._telnet = telnet
        self._imc2_port = imc2_port
        self._examples = {
            file.name: file.read_bytes()
            for file in files("gossip.web").joinpath("examples").iterdir()
            if not file.name.startswith("_")
        }

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/connect", get=self.choose)
        router.add("/connect/{guide}", get=self.guide)
        router.add("/connect/{game}/{guide}", get=self._cookies.require_sign_in(self.filled_in))
        router.add("/examples/{name}", get=self.example)

    async def choose(self, request: PublicRequest) -> bytes:
        """All guides. Those who own several games choose the one that the guides are filled in for."""
        account, name = self._cookies.account(request), parameter(request, "game")
        games = self._games(account)
        game = games[0] if len(games) == 1 else None
        if account is not None and name:
            game = own_game(self._layout.gossip.network.registry, account, name)
        return self._layout.page(
            request,
            "connect.html",
            title="Connect your game",
            description=f"How to connect a text game to {self._layout.name}: guides for each code base.",
            games=games,
            game=game,
            found=await self._ownerless.found(account),
            said=SAID.get(parameter(request, "done") or "", ""),
            guides=GUIDES.values(),
            address=socket_address(request),
        )

    def _games(self, account: Account | None) -> list[Game]:
        return [] if account is None else self._layout.gossip.network.registry.games_of(account.name)

    async def guide(self, request: PublicRequest, name: str) -> bytes:
        """A guide for everybody, or for the only game of an account. The name of a game leads to all its guides."""
        guide = GUIDES.get(name)
        if guide is None:
            registry = self._layout.gossip.network.registry
            game = own_game(registry, self._cookies.require_account(request), name)
            return redirect(request, f"/connect?game={game.short_name}")
        account = self._cookies.account(request)
        games = self._games(account)
        if len(games) == 1:
            return redirect(request, f"/connect/{games[0].short_name}/{guide.name}")
        return self._page(
            request,
            guide,
            SAMPLE,
            f"{guide.title}: connect your game",
            progress=None,
            games=games,
            found=await self._ownerless.found(account),
        )

    def filled_in(self, request: PublicRequest, account: Account, name: str, code_base: str) -> bytes:
        """A guide that is filled in for a game, with the progress of the game."""
        layout = self._layout
        game = own_game(layout.gossip.network.registry, account, name)
        guide = GUIDES.get(code_base)
        if guide is None:
            raise NotFound("There is no guide for this code base.")
        seen = progress(layout.gossip, game, layout.peer(request), layout.gossip.now())
        return self._page(
            request, guide, game, f"Connect {game.name}: {guide.title}", progress=seen, games=[game], found=None
        )

    def _page(self, request: PublicRequest, guide: Guide, game: Game, title: str, **values: Any) -> bytes:
        plain, encrypted = self._telnet
        registry = self._layout.gossip.network.registry
        identity = registry.i3.of(game.client_id)
        main = self._public.main_channel() or MAIN_CHANNEL
        return self._layout.page(
            request,
            f"guides/{guide.name}.html",
            title=title,
            description=f"How to connect a game to {self._layout.name}. {guide.title}: {guide.about}",
            game=game,
            guide=guide,
            secret=PLACEHOLDER,
            channel=main,
            greeted=ECHO_CHANNEL if ECHO_CHANNEL in registry.channels else main,
            echo=self._layout.gossip.network.rules.settings.echo,
            imc2_port=self._imc2_port,
            imc2_sha256=IMC2 in self._rules.in_clear,
            i3_port=self._i3_port,
            i3_router=self._i3_router or "*gossip",
            i3_name=game.short_name if identity is None else identity.name,
            telnet_port=plain,
            telnet_tls_port=encrypted,
            **_addresses(request),
            **values,
        )

    def example(self, request: PublicRequest, name: str) -> bytes:
        """An example file to copy into a game."""
        if name not in self._examples:
            raise NotFound("There is no such example.")
        return answer_cached(request, self._examples[name], b"text/plain; charset=utf-8", _GOOD)


def _addresses(request: PublicRequest) -> dict[str, Any]:
    """The addresses of this site and its socket, by the request's Host header."""
    site = site_address(request) or ""
    parts = urlsplit(site)
    return {
        "site": site,
        "address": socket_address(request) or "wss://THIS-HOST/socket",
        "host": parts.hostname or "THIS-HOST",
        "tls_port": (parts.scheme == "https" and parts.port) or 443,
    }
