"""The overview, the live sessions, and the activity log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from gossip.operations.activity import activity
from gossip.operations.errands import RestartNotice, Say
from gossip.operations.executor import Executor
from gossip.operations.reports import ReportList
from gossip.operations.sessions import SessionList
from gossip.registry.entities import AuditEntry
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import number_parameter, parameter
from gossip.web.pages.admin.page import AdminPage, rows_of, window
from gossip.web.views.checklist import Checklists
from gossip.web.views.formatting import span
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView

LATEST: Final = 10
"""How many entries of the activity log the overview shows."""

_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

PAGE: Final = 50
"""How many entries a page of the activity log shows."""


class LogLine(Struct, frozen=True):
    """
    An entry of the activity log as people read it.

    @ivar at: seconds since the epoch.
    @ivar said: what was done, without the actor.
    """

    at: float
    actor: str
    said: str


class _LogPage(AdminPage):
    """A page that shows entries of the activity log."""

    def _lines(self, entries: Sequence[AuditEntry]) -> list[LogLine]:
        games = self._layout.gossip.network.registry.games

        def name(found: re.Match[str]) -> str:
            # The forms of these pages name games by their client_id.
            return games[found[0]].short_name if found[0] in games else found[0]

        return [
            LogLine(entry.at, entry.actor, _UUID.sub(name, activity(entry.operation, entry.subject, entry.arguments)))
            for entry in entries
        ]


class OverviewPage(_LogPage):
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
            "entries": self._lines(entries),
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


class AuditPage(_LogPage):
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
        return {"entries": self._lines(entries[:PAGE]), "earlier": earlier, "before": before}
