"""
The admin pages.

Imports what the other pages import, and the rest of this package.
Begin with L{gossip.web.pages.admin.page}, the base class of them all.
"""

from __future__ import annotations

from typing import Final

from gossip.operations.executor import Executor
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Router, redirect
from gossip.web.pages.admin.accounts import AccountPage, AccountsPage
from gossip.web.pages.admin.activity import AuditPage
from gossip.web.pages.admin.channels import ChannelPage, ChannelsPage
from gossip.web.pages.admin.games import GamePage, GamesPage
from gossip.web.pages.admin.intermud3 import Intermud3Page
from gossip.web.pages.admin.moderation import FiltersPage, RestrictionsPage
from gossip.web.pages.admin.overview import OverviewPage, SessionsPage
from gossip.web.pages.admin.page import AdminPage
from gossip.web.pages.admin.reports import ReportsPage
from gossip.web.settings import WebRules
from gossip.web.views.checklist import Checklists
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView

_PAGES: Final[tuple[type[AdminPage], ...]] = (
    SessionsPage,
    GamesPage,
    AccountsPage,
    AccountPage,
    ChannelsPage,
    ChannelPage,
    RestrictionsPage,
    FiltersPage,
    ReportsPage,
    Intermud3Page,
    AuditPage,
)


class AdminPages:
    """All admin pages."""

    def __init__(
        self,
        layout: Layout,
        cookies: SessionCookies,
        executor: Executor,
        public: PublicView,
        checklists: Checklists,
        rules: WebRules,
        config_file: str = "",
    ) -> None:
        """
        @param config_file: the path of the configuration file; empty if there is none.
        """
        overview = OverviewPage(layout, cookies, executor, public, checklists, config_file)
        game = GamePage(layout, cookies, executor, rules)
        self._pages = [overview, game, *(page(layout, cookies, executor) for page in _PAGES)]

    def add(self, router: Router) -> None:
        """Add the pages."""
        for page in self._pages:
            page.add(router)
        router.add("/admin/order", get=_moderation)


def _moderation(request: PublicRequest) -> bytes:
    """The path of version 1 for mutes and bans: bookmarks have it, with the target in the query."""
    return redirect(request, request.uri.decode("ascii", "replace").replace("/admin/order", "/admin/moderation", 1))
