"""The pages that help to connect a game: a guide for its code base, with steps that are ticked as they succeed."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from gossip.registry.changes import Account
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest, answer_cached
from gossip.web.http.router import NotFound, Router, redirect
from gossip.web.http.urls import parameter, site_address, socket_address
from gossip.web.views.guides import GUIDES
from gossip.web.views.layout import Layout
from gossip.web.views.progress import own_game, progress

PLACEHOLDER: Final = "YOUR-CLIENT-SECRET"
"""Stands for the secret in the snippets: only the owner knows it."""

CHANNEL: Final = "gossip"
"""The channel in the snippets, unless the network has public channels, but not this one."""


_GOOD: Final = 300


class ConnectPages:
    """Guides, by game and code base."""

    def __init__(self, layout: Layout, cookies: SessionCookies, telnet: tuple[str, str] = ("", "")) -> None:
        """
        @param telnet: the ports of the telnet bridge, without and with TLS; empty for none.
        """
        self._layout = layout
        self._cookies = cookies
        self._telnet = telnet
        self._examples = {
            file.name: file.read_bytes()
            for file in files("gossip.web").joinpath("examples").iterdir()
            if not file.name.startswith("_")
        }

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/connect", get=self.choose)
        router.add("/connect/{game}", get=self._cookies.require_sign_in(self.game))
        router.add("/connect/{game}/{base}", get=self._cookies.require_sign_in(self.guide))
        router.add("/examples/{name}", get=self.example)

    def choose(self, request: PublicRequest) -> bytes:
        """Choose a game and its code base. Without an account, the page explains the steps."""
        account = self._cookies.account(request)
        registry = self._layout.gossip.network.registry
        name, base = parameter(request, "game"), parameter(request, "base")
        if account is not None and name and base in GUIDES:
            game = own_game(registry, account, name)
            return redirect(request, f"/connect/{game.short_name}/{base}")
        return self._layout.page(
            request,
            "connect.html",
            title="Connect your game",
            games=registry.games_of(account.name) if account is not None else [],
            guides=GUIDES.values(),
            address=socket_address(request),
        )

    def game(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Choose the code base of a game."""
        game = own_game(self._layout.gossip.network.registry, account, name)
        return self._layout.page(
            request, "connect_game.html", title=f"Connect {game.name}", game=game, guides=GUIDES.values()
        )

    def guide(self, request: PublicRequest, account: Account, name: str, code_base: str) -> bytes:
        """The guide for a code base, with the progress of the game."""
        layout = self._layout
        game = own_game(layout.gossip.network.registry, account, name)
        guide = GUIDES.get(code_base)
        if guide is None:
            raise NotFound("There is no guide for this code base.")
        plain, encrypted = self._telnet
        return layout.page(
            request,
            f"guides/{guide.name}.html",
            title=f"Connect {game.name}: {guide.title}",
            game=game,
            guide=guide,
            progress=progress(layout.gossip, game, layout.peer(request), layout.gossip.now()),
            secret=PLACEHOLDER,
            channel=self._channel(),
            telnet_port=plain,
            telnet_tls_port=encrypted,
            **_addresses(request),
        )

    def _channel(self) -> str:
        shown = [
            channel.name for channel in self._layout.gossip.network.registry.channels.values() if not channel.hidden
        ]
        return CHANNEL if CHANNEL in shown or not shown else min(shown)

    def example(self, request: PublicRequest, name: str) -> bytes:
        """An example file to copy into a game."""
        if name not in self._examples:
            raise NotFound("There is no such example.")
        return answer_cached(request, self._examples[name], b"text/plain; charset=utf-8", _GOOD)


def _addresses(request: PublicRequest) -> dict[str, Any]:
    """The addresses of this site and its socket, by the request's Host header."""
    site = site_address(request)
    return {
        "site": site or "",
        "address": socket_address(request) or "wss://THIS-HOST/socket",
        "host": (urlsplit(site).hostname if site else "") or "THIS-HOST",
    }
