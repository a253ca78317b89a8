"""The overview, the live sessions, and the activity log."""

from __future__ import annotations

from typing import Any, Final

from gossip.operations.errands import RestartNotice, Say
from gossip.operations.executor import Executor
from gossip.operations.reports import ReportList
from gossip.operations.sessions import SessionList
from gossip.registry.entities import AuditEntry
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import parameter
from gossip.web.pages.admin.activity import log_lines
from gossip.web.pages.admin.page import AdminPage, rows_of, window
from gossip.web.views.checklist import Checklists
from gossip.web.views.formatting import span
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView

LATEST: Final = 10
"""How many entries of the activity log the overview shows."""


class OverviewPage(AdminPage):
    """The state of the network."""

    pattern = "/admin"
    template = "admin/overview.html"
    title = "Administration"
    does = (RestartNotice, Say)

    def __init__(
        self,
        layout: Layout,
        cookies: SessionCookies,
        executor: Executor,
        public: PublicView,
        checklists: Checklists,
        config_file: str = "",
    ) -> None:
        super().__init__(layout, cookies, executor)
        self._public = public
        self._checklists = checklists
        self._config_file = config_file

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        gossip = self._layout.gossip
        status = gossip.status()
        reports = await self.tell(ReportList(limit=5), actor)
        entries: list[AuditEntry] = await self._layout.read(self._layout.store.audit, LATEST)
        suggested = await self.suggested("channel")
        return {
            "status": status,
            "checklist": await self._checklists.now(),
            "config_file": self._config_file,
            # Whoever was here before the set-up has tried a game in a terminal.
            "is_set_up": parameter(request, "done") == "set-up",
            "uptime": span(status["uptime"]),
            "reports": reports["reports"],
            "entries": log_lines(self._layout, entries),
            "nodes": () if gossip.cluster is None else gossip.cluster.statuses(),
            "suggested": suggested,
            "all_channels": len(self._layout.gossip.network.registry.channels) == len(suggested["channel"]),
            "main_channel": self._public.main_channel() or "",
        }


class SessionsPage(AdminPage):
    """The live sessions."""

    pattern = "/admin/sessions"
    template = "admin/sessions.html"
    title = "Sessions"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        gossip = self._layout.gossip
        page = await gossip.in_slices(SessionList(**window(request)).work(gossip))
        return rows_of(request, page, "sessions", "game", "peer")
