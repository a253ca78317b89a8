"""The first page of a new account: what it can do here."""

from __future__ import annotations

from gossip.registry.entities import Account
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Router
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView


class WelcomePage:
    """The page after sign-up."""

    def __init__(self, layout: Layout, public: PublicView, cookies: SessionCookies) -> None:
        self._layout = layout
        self._public = public
        self._cookies = cookies

    def add(self, router: Router) -> None:
        """Add the page."""
        router.add("/welcome", get=self._cookies.require_sign_in(self.show))

    def show(self, request: PublicRequest, account: Account) -> bytes:
        """Two ways to go on: bring a game, or talk."""
        return self._layout.page(
            request,
            "welcome.html",
            title=f"Welcome, {account.name}!",
            channel=self._public.main_channel(),
        )
