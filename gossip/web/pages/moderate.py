"""The pages of moderators: the channels that an account moderates, and what it can do on each."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final
from urllib.parse import quote

from twisted.web import http

from gossip.operations.command import Result
from gossip.operations.executor import Executor
from gossip.operations.messages import MessageRemove, shown_message
from gossip.operations.moderators import MUTE_MINUTES, is_of_moderators, moderates, mutes_of
from gossip.operations.operation import Operation
from gossip.operations.reports import ReportResolve, open_reports, shown_report
from gossip.operations.restrictions import MuteAdd, MuteRemove, shown_restriction
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import Account
from gossip.registry.errors import Refused
from gossip.web.accounts.attempts import HOUR, Attempts
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.forms import Form
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import NotFound, Problem, Router, redirect
from gossip.web.http.urls import parameter
from gossip.web.pages.admin.page import FailedForm
from gossip.web.pages.operation_forms import fill
from gossip.web.pages.report_cards import SHOWN, ReportCards
from gossip.web.views.layout import Layout

ACTS: Final = 300
"""The maximum number of acts of a moderator per hour."""

LINES: Final = 50
"""How many of the latest messages the page shows."""

MOST: Final = 100
"""The maximum number of mutes that the page shows."""

MINUTES: Final = 60
"""How long a mute lasts that the form suggests, in minutes."""

_DONE: Final = {
    "message/remove": "The message was removed.",
    "mute/add": "The mute is in effect.",
    "mute/remove": "The mute was lifted.",
    "report/resolve": "The report was resolved.",
    "mute/add-and-resolve": "The mute is in effect, and the report is resolved.",
    "message/remove-and-resolve": "The message was removed, and the report is resolved.",
}
"""The messages after an act, by its name in the query."""


class ModeratePages:
    """The pages of moderators. Whoever moderates no such channel finds nothing here."""

    def __init__(self, layout: Layout, cookies: SessionCookies, executor: Executor) -> None:
        self._layout = layout
        self._cookies = cookies
        self._executor = executor
        self._cards = ReportCards(layout)
        self._registry = layout.gossip.network.registry
        self._acts = Attempts(layout.clock, "acts of moderation", ACTS, HOUR).shared(layout.gossip, "acts")

    def add(self, router: Router) -> None:
        """Add the pages."""
        signed_in = self._cookies.require_sign_in
        router.add("/moderate", get=signed_in(self.channels))
        router.add("/moderate/{name}", get=signed_in(self.channel), post=signed_in(self.act))

    def channels(self, request: PublicRequest, account: Account) -> bytes:
        """The channels that an account moderates, with the number of their open reports."""
        names = self._registry.moderated_by(account.name)
        if not names:
            raise NotFound
        reports = [report.channel for report in self._registry.reports.values()]
        channels = [(self._registry.channels[name], reports.count(name)) for name in names]
        return self._layout.page(request, "moderate.html", title="Moderate", channels=channels)

    async def channel(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """A channel: its open reports, its mutes and its latest messages."""
        return await self._page(request, account, name, note=_DONE.get(parameter(request, "done") or "", ""))

    async def act(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Do what a form asks for."""
        self._check(account, name)
        form = self._cookies.read_form(request)
        self._acts.spend(account.name)
        try:
            operation = _operation(form, name)
            done = await self._carry_out(operation, form, account, name)
        except Refused as refused:
            self._acts.take_back(account.name)
            told = {"typed": FailedForm(form), "wrong": str(refused)}
            return await self._page(request, account, name, UNPROCESSABLE, **told)
        return redirect(request, f"/moderate/{quote(name, safe='')}?done={done}")

    async def _carry_out(self, operation: Operation, form: Form, account: Account, name: str) -> str:
        """
        Carry out what a form means, and resolve the report on whose card it stands.

        @return: the name of what was done, for L{_DONE}.
        """

        def moderate(each: Operation) -> Awaitable[Result]:
            return self._executor.moderate(each, name, account.name)

        if isinstance(operation, ReportResolve) or not form.text("number"):
            await moderate(operation)
            return operation.wire
        await self._cards.act(operation, form, moderate, name)
        return f"{operation.wire}-and-resolve"

    def _check(self, account: Account, name: str) -> None:
        if not moderates(self._registry, account.name, name):
            raise NotFound

    async def _page(
        self, request: PublicRequest, account: Account, name: str, code: int = http.OK, **told: Any
    ) -> bytes:
        self._check(account, name)
        reports = [shown_report(each) for each in open_reports(self._registry) if each.channel == name]
        cards = await self._cards.values(reports[:SHOWN], name)
        # Not from the cache: what was removed a moment ago must not be here.
        read: list[MessageSaid] = await self._layout.read(self._layout.store.history, name, LINES)
        self._check(account, name)
        registry, now = self._registry, self._layout.now
        mutes = [(shown_restriction(registry, each), is_of_moderators(each)) for each in mutes_of(registry, name, now)]
        shown = {"note": "", "wrong": "", "typed": FailedForm(), **told}
        return self._layout.page(
            request,
            "moderate_channel.html",
            code,
            title=f"Moderate #{name}",
            channel=registry.channels[name],
            **cards,
            more_reports=max(len(reports) - SHOWN, 0),
            mutes=mutes[:MOST],
            more_mutes=max(len(mutes) - MOST, 0),
            lines=[shown_message(said) for said in reversed(registry.removals.applied(read))],
            minutes=MINUTES,
            most_minutes=MUTE_MINUTES,
            # A link can name the player: it only fills in the form.
            given=parameter(request, "who") or "",
            **shown,
        )


def _operation(form: Form, channel: str) -> Operation:
    """
    The operation that a form means.

    @raise Refused: a field is missing or invalid.
    """
    match form.text("do"):
        case "message/remove":
            return fill(MessageRemove, form)
        case "mute/add":
            return fill(MuteAdd, form, channel=channel)
        case "mute/remove":
            return fill(MuteRemove, form, channel=channel)
        case "report/resolve":
            return fill(ReportResolve, form)
    raise Problem(http.BAD_REQUEST, "This page cannot do that.")
