"""What goes on: the overview, the live sessions, and what admins did."""

from __future__ import annotations

from typing import Any, Final

from gossip.operations.errands import RestartNotice, Say
from gossip.operations.moderation import ReportList
from gossip.operations.sessions import sessions
from gossip.registry.changes import AuditEntry
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import number_parameter
from gossip.web.pages.admin.page import AdminPage, listed
from gossip.web.views.formatting import span

LATEST: Final = 10
"""So much of what admins did stands on the overview."""

PAGE: Final = 50
"""So much of it stands on a page of its own."""


class OverviewPage(AdminPage):
    """How the network is."""

    pattern = "/admin"
    template = "admin/overview.html"
    title = "Administration"
    does = (RestartNotice, Say)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        status = self._layout.gossip.status()
        reports = await self.tell(ReportList(limit=5), actor)
        entries: list[AuditEntry] = await self._layout.read(self._layout.store.audit, LATEST)
        return {
            "status": status,
            "uptime": span(status["uptime"]),
            "reports": reports["reports"],
            "entries": entries,
            "suggested": self.suggested("channel"),
        }


class SessionsPage(AdminPage):
    """Who is connected."""

    pattern = "/admin/sessions"
    template = "admin/sessions.html"
    title = "Sessions"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        return listed(request, sessions(self._layout.gossip)["sessions"], "game", "peer")


class AuditPage(AdminPage):
    """What admins did, the latest first."""

    pattern = "/admin/audit"
    template = "admin/audit.html"
    title = "Activity log"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        # In microseconds: more than a float holds is no way to name a page.
        before = number_parameter(request, "before")
        entries: list[AuditEntry] = await self._layout.read(
            self._layout.store.audit, PAGE + 1, None if before is None else before / 1e6
        )
        earlier = int(entries[PAGE - 1].at * 1e6) if len(entries) > PAGE else None
        return {"entries": entries[:PAGE], "earlier": earlier, "before": before}
