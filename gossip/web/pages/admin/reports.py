"""Reports of messages, of which each is handled on its card."""

from __future__ import annotations

from typing import Any

from gossip.operations.command import Command, Result
from gossip.operations.executor import Executor
from gossip.operations.messages import MessageRemove
from gossip.operations.reports import ReportList, ReportResolve
from gossip.operations.restrictions import MuteAdd
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.forms import Form
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import parameter
from gossip.web.pages.admin.page import AdminPage
from gossip.web.pages.report_cards import SHOWN, ReportCards
from gossip.web.views.layout import Layout


class ReportsPage(AdminPage):
    """Reports of messages."""

    pattern = "/admin/reports"
    template = "admin/reports.html"
    title = "Reports"
    does = (ReportResolve, MessageRemove, MuteAdd)

    def __init__(self, layout: Layout, cookies: SessionCookies, executor: Executor) -> None:
        super().__init__(layout, cookies, executor)
        self._cards = ReportCards(layout)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        everything = parameter(request, "all") is not None
        reports = (await self.tell(ReportList(all=everything, limit=SHOWN), actor))["reports"]
        return {**await self._cards.values(reports), "everything": everything}

    async def carry_out(self, action: Command, form: Form, actor: str) -> Result:
        if isinstance(action, ReportResolve):
            return await super().carry_out(action, form, actor)
        return await self._cards.act(action, form, lambda each: self._executor.carry_out(each, actor))

    def done(self, action: Command) -> str:
        return action.wire if isinstance(action, ReportResolve) else f"{action.wire}-and-resolve"
