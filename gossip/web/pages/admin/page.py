"""
The base class of the admin pages: they show the results of operations, and their forms become operations.

The field C{do} of a form names the operation. If the operation is refused, the page is shown again with the reason and
the values of the form. If it succeeds, the browser is redirected, so that a reload does not repeat it. A secret or a
link goes to the next page in a cookie: it must not be in a URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from twisted.web import http

from gossip.operations.accounts import AccountAdd, AccountEdit, AccountInvite, AccountRemove, AccountReset
from gossip.operations.channels import ChannelRemove
from gossip.operations.command import Command, Result
from gossip.operations.executor import Executor
from gossip.operations.filters import FilterTry
from gossip.operations.games import GameAdd, GameDisable, GameRemove, GameRotate
from gossip.operations.i3_gateway import I3Forget
from gossip.operations.intermud3 import GameI3
from gossip.operations.keys import GameKey
from gossip.operations.listing import Listing, paged
from gossip.operations.messages import MessageRemove
from gossip.operations.operation import Operation
from gossip.operations.restrictions import BanAdd
from gossip.registry.entities import Account
from gossip.registry.errors import Refused
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.forms import Form
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import Problem, Router, redirect
from gossip.web.http.urls import parameter
from gossip.web.pages.operation_forms import fill
from gossip.web.views.layout import Layout

SECTIONS: Final = (
    ("/admin", "Overview"),
    ("/admin/sessions", "Sessions"),
    ("/admin/games", "Games"),
    ("/admin/accounts", "Accounts"),
    ("/admin/channels", "Channels"),
    ("/admin/moderation", "Mutes & bans"),
    ("/admin/filters", "Filters"),
    ("/admin/reports", "Reports"),
    ("/admin/audit", "Activity log"),
)
"""The pages in the navigation of the admin pages."""

GATEWAY: Final = ("/admin/intermud3", "Intermud-3")
"""One more, if the network has a gateway to Intermud-3."""

MOST_LISTED: Final = 100
"""The maximum number of rows in a table. The filter finds the others, and lists have a next page."""

MOST_SUGGESTED: Final = 100
"""The maximum number of names that are suggested for a field."""

_SHOWN: Final = (GameAdd, GameRotate, GameKey, GameI3, AccountAdd, AccountReset, AccountInvite)
"""Operations whose result is shown once, by the next page."""

_DONE: Final = {
    "set-up": "Welcome! This account is the first admin of the network.",
    "game/disable": "The game can no longer join.",
    "game/enable": "The game can join again.",
    "game/remove": "The game was removed.",
    "game/edit": "The game was changed.",
    "channel/create": "The channel was created.",
    "channel/publish": "The pages now show the channel.",
    "channel/hide": "The pages no longer show the channel.",
    "channel/pause": "The channel is paused.",
    "channel/resume": "The pause was ended.",
    "channel/describe": "The description was changed.",
    "channel/speakers": "The games that can speak were changed.",
    "channel/moderators": "The moderators were changed.",
    "channel/remove": "The channel was removed.",
    "mute/add": "The mute is in effect.",
    "mute/remove": "The mute was lifted.",
    "ban/add": "The ban is in effect.",
    "ban/remove": "The ban was lifted.",
    "filter/add": "The filter is in effect.",
    "filter/remove": "The filter was removed.",
    "report/resolve": "The report was resolved.",
    "message/remove": "The message was removed.",
    "message/remove-and-resolve": "The message was removed, and the report is resolved.",
    "mute/add-and-resolve": "The mute is in effect, and the report is resolved.",
    "account/edit": "The account was changed.",
    "account/remove": "The account was removed.",
    "i3/accept-rules": "The rules are accepted: the gateway connects now.",
    "i3/reconnect": "The first router is dialled again.",
    "i3/forget": "The password was forgotten.",
    "say": "The message was sent.",
    "restart-notice": "All games were notified.",
}
"""The messages after an operation, by its name in the query: a forged link can show no other text."""


class FailedForm:
    """The values of a form that failed."""

    def __init__(self, form: Form | None = None) -> None:
        self._form = form

    def of(self, *does: str, **fixed: object) -> Form | None:
        """
        The values for a form with these operations; C{None} if another form failed.

        @param fixed: hidden fields that distinguish forms with the same operation.
        """
        form = self._form
        if form is None or form.text("do") not in does:
            return None
        return form if all(form.text(name) == str(value) for name, value in fixed.items()) else None


def window(request: PublicRequest) -> dict[str, Any]:
    """The arguments of a list by the filter of the request and the page that it asks for."""
    return {"match": _wanted(request), "after": (parameter(request, "after") or "")[:300], "limit": MOST_LISTED}


def rows_of(request: PublicRequest, page: Result, entries: str, *names: str) -> dict[str, Any]:
    """
    What a template needs of a page of a list.

    @param entries: the name of the list in the page.
    @param names: the values of a row that the filter searches.
    """
    # The script filters the rows that are there.
    rows = [(row, " ".join(str(row[name]) for name in names if row[name])) for row in page[entries]]
    shown = {"total": page["total"], "more": page["left"], "next": page["next"]}
    return {"wanted": _wanted(request), "rows": rows, **shown}


def _wanted(request: PublicRequest) -> str:
    return (parameter(request, "q") or "").strip()[:100]


class AdminPage:
    """
    An admin page.

    @cvar pattern: the pattern of its path.
    @cvar template: the name of its template.
    @cvar title: its title.
    @cvar does: the operations of its forms.
    @cvar gone: the operations that remove what the page shows.
    @cvar parent: the path to go to after one of those.
    """

    pattern: ClassVar[str]
    template: ClassVar[str]
    title: ClassVar[str] = ""
    does: ClassVar[tuple[type[Command], ...]] = ()
    gone: ClassVar[tuple[type[Command], ...]] = ()
    parent: ClassVar[str] = ""

    def __init__(self, layout: Layout, cookies: SessionCookies, executor: Executor) -> None:
        self._layout = layout
        self._cookies = cookies
        self._executor = executor
        self._kinds = {kind.wire: kind for kind in self.does}

    def add(self, router: Router) -> None:
        """Add the page."""
        router.add(
            self.pattern,
            get=self._cookies.require_admin(self.get),
            post=self._cookies.require_admin(self.post) if self.does else None,
        )

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        """
        The variables of the template.

        @param words: the values of the pattern's braces.
        @raise NotFound: nothing has this name.
        """
        raise NotImplementedError

    async def tell(self, operation: Operation, actor: str) -> Result:
        """The result of an operation that changes nothing."""
        return await self._executor.carry_out(operation, actor)

    async def listed(self, request: PublicRequest, listing: type[Listing], actor: str, *names: str) -> dict[str, Any]:
        """
        A page of a list, after the filter of the request.

        @param names: the values of a row that the filter searches.
        """
        page = await self.tell(listing(**window(request)), actor)
        return rows_of(request, page, listing.entries, *names)

    async def suggested(self, *kinds: str) -> dict[str, list[str]]:
        """Names that a field can suggest, the first ones of all: of channels, games or accounts."""
        registry = self._layout.gossip.network.registry
        names: dict[str, Callable[[], Iterable[str]]] = {
            "channel": lambda: registry.channels,
            "game": lambda: (game.short_name for game in registry.games.values()),
            "account": lambda: (account.name for account in registry.accounts.all.values()),
        }
        first = {kind: paged(names[kind](), _sorted_by, limit=MOST_SUGGESTED) for kind in kinds}
        return {kind: (await self._layout.gossip.in_slices(work)).entries for kind, work in first.items()}

    async def get(self, request: PublicRequest, account: Account, *words: str) -> bytes:
        """Answer with the page."""
        note = _DONE.get(parameter(request, "done") or "", "")
        told: dict[str, Any] = {}
        if parameter(request, "shown"):
            told = self._cookies.shown(request) or {}
        return await self._page(request, account, *words, note=note, **told)

    async def post(self, request: PublicRequest, account: Account, *words: str) -> bytes:
        """Carry out the operation of a form."""
        form = self._cookies.read_form(request)
        kind = self._kinds.get(form.text("do"))
        if kind is None:
            raise Problem(http.BAD_REQUEST, "This page cannot do that.")
        try:
            action = fill(kind, form)
            if needs_confirmation(action) and not form.checked("sure"):
                raise Refused("not-confirmed", "sure", "tick the box to confirm this action")
            result = await self.carry_out(action, form, account.name)
        except Refused as refused:
            told = {"typed": FailedForm(form), "wrong": str(refused)}
            return await self._page(request, account, *words, code=UNPROCESSABLE, **told)
        if isinstance(action, FilterTry):
            # It changed nothing. Keep the values: the next step is to add the filter.
            return await self._page(request, account, *words, typed=FailedForm(form), result=result, did=action.wire)
        path = self.parent if isinstance(action, self.gone) else request.path.decode("ascii", "replace")
        if isinstance(action, _SHOWN):
            return self._cookies.show_later(request, f"{path}?shown=1", {"result": result, "did": action.wire})
        return redirect(request, f"{path}?done={self.done(action)}")

    def done(self, action: Command) -> str:
        """What the page says after an action, by its name in L{_DONE}."""
        return action.wire

    async def carry_out(self, action: Command, form: Form, actor: str) -> Result:
        """
        Carry out what a form asks for.

        @raise Refused: it cannot be done; the text says why.
        """
        return await self._executor.carry_out(action, actor)

    async def _page(
        self, request: PublicRequest, account: Account, *words: str, code: int = http.OK, **told: Any
    ) -> bytes:
        values = await self.values(request, account.name, *words)
        shown = {"title": self.title, "typed": FailedForm(), "wrong": "", "note": "", "result": None, "did": "", **told}
        reports = len(self._layout.gossip.network.registry.reports)
        sections = SECTIONS if self._layout.gossip.intermud is None else (*SECTIONS, GATEWAY)
        return self._layout.page(
            request, self.template, code, sections=sections, open_reports=reports, **{**shown, **values}
        )


def _sorted_by(name: str) -> str:
    # Names of channels that differ only in case are different channels.
    return f"{name.lower()} {name}"


def needs_confirmation(action: Command) -> bool:
    """Whether a command must be confirmed."""
    match action:
        case (
            ChannelRemove()
            | GameRemove()
            | GameDisable()
            | AccountRemove()
            | AccountEdit(disabled=True)
            | MessageRemove()
            | BanAdd(channel=None)
            | I3Forget()
        ):
            return True
    return False
