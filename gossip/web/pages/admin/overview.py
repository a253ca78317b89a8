"""The overview, the live sessions, and the activity log."""

from __future__ import annotations

from typing import Any, Final

from gossip.operations.errands import RestartNotice, Say
from gossip.operations.executor import Executor
from gossip.operations.reports import ReportList
from gossip.operations.sessions import SessionList
from gossip.registry.changes import AuditEntry
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import number_parameter
from gossip.web.pages.admin.page import AdminPage, rows_of, window
from gossip.web.views.checklist import Checklists
from gossip.web.views.formatting import span
from gossip.web.views.layout import Layout

LATEST: Final = 10
"""How many entries of the activity log the overview shows."""

PAGE: Final = 50
"""How many entries a page of the activity log shows."""


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
        checklists: Checklists,
        config_file: str = "",
    ) -> None:
        super().__init__(layout, cookies, executor)
        self._checklists = checklists
        self._config_file = config_file

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        status = self._layout.gossip.status()
        reports = await self.tell(ReportList(limit=5), actor)
        entries: list[AuditEntry] = await self._layout.read(self._layout.store.audit, LATEST)
        return {
            "status": status,
            "checklist": await self._checklists.now(),
            "config_file": self._config_file,
            "uptime": span(status["uptime"]),
            "reports": reports["reports"],
            "entries": entries,
            "suggested": await self.suggested("channel"),
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


class AuditPage(AdminPage):
    """The activity log, newest first."""

    pattern = "/admin/audit"
    template = "admin/audit.html"
    title = "Activity log"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        # In microseconds: an integer names a page exactly.
        before = number_parameter(request, "before")
        entries: list[AuditEntry] = await self._layout.read(
            self._layout.store.audit, PAGE + 1, None if before is None else before / 1e6
        )
        earlier = int(entries[PAGE - 1].at * 1e6) if len(entries) > PAGE else None
        return {"entries": entries[:PAGE], "earlier": earlier, "before": before}
