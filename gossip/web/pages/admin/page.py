"""
What the pages of the admins have in common: they show what operations tell, and their forms become operations.

A form says in its field C{do} what is to be done. If that is refused, its page comes again, with the reason and what
was typed; if it is done, the browser is sent on, so that a reload does nothing twice. Only what is shown once, a secret
or a link, is the answer itself: it may not stand in an address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from typing import Any, ClassVar, Final

from twisted.web import http

from gossip.operations.accounts import AccountAdd, AccountEdit, AccountInvite, AccountRemove, AccountReset
from gossip.operations.command import Command, Result
from gossip.operations.executor import Executor
from gossip.operations.games import GameAdd, GameDisable, GameRemove, GameRotate
from gossip.operations.moderation import BanAdd, FilterTry
from gossip.operations.operation import Operation
from gossip.registry.changes import Account
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
    ("/admin/order", "Mutes & bans"),
    ("/admin/filters", "Filters"),
    ("/admin/reports", "Reports"),
    ("/admin/audit", "Activity log"),
)
"""The pages that all others of the admins lead to."""

MOST_LISTED: Final = 500
"""So many rows stand in a table; who looks for others filters it."""

MOST_SUGGESTED: Final = 300
"""So many names are suggested for a field."""

_SHOWN: Final = (GameAdd, GameRotate, AccountAdd, AccountReset, AccountInvite, FilterTry)
"""What these tell is shown at once, and never again."""

_DONE: Final = {
    "game/disable": "The game can no longer join.",
    "game/enable": "The game can join again.",
    "game/remove": "The game was removed.",
    "game/edit": "The game was changed.",
    "channel/create": "The channel was created.",
    "channel/show": "The pages now show the channel.",
    "channel/hide": "The pages no longer show the channel.",
    "channel/pause": "The channel is paused.",
    "channel/resume": "The pause was ended.",
    "channel/describe": "The description was changed.",
    "channel/speakers": "The games that can speak were changed.",
    "mute/add": "The mute is in effect.",
    "mute/remove": "The mute was lifted.",
    "ban/add": "The ban is in effect.",
    "ban/remove": "The ban was lifted.",
    "filter/add": "The filter is in effect.",
    "filter/remove": "The filter was removed.",
    "report/resolve": "The report was resolved.",
    "account/edit": "The account was changed.",
    "account/remove": "The account was removed.",
    "say": "The message was sent.",
    "restart-notice": "All games were notified.",
}
"""What an admin reads when it is done. It comes by its name in the address, where nothing else can be put."""


class FailedForm:
    """What was typed into a form that failed."""

    def __init__(self, form: Form | None = None) -> None:
        self._form = form

    def of(self, *does: str, **fixed: object) -> Form | None:
        """
        The same for the form that can do this, if it is that one.

        @param fixed: fields that nobody types, by which forms that can do the same are told apart.
        """
        form = self._form
        if form is None or form.text("do") not in does:
            return None
        return form if all(form.text(name) == str(value) for name, value in fixed.items()) else None


def listed(request: PublicRequest, rows: Sequence[Result], *names: str) -> dict[str, Any]:
    """
    What a table shows, and the field by which it is filtered.

    @param names: the values of a row that are looked at.
    """
    wanted = (parameter(request, "q") or "").strip()[:100]
    texts = (" ".join(str(row[name]) for name in names if row[name]) for row in rows)
    fitting = [(row, text) for row, text in zip(rows, texts, strict=True) if wanted.lower() in text.lower()]
    shown = fitting[:MOST_LISTED]
    # A browser can filter by itself what is there.
    return {"wanted": wanted, "rows": shown, "total": len(rows), "more": len(fitting) - len(shown)}


class AdminPage:
    """
    A page of the admins.

    @cvar pattern: its path.
    @cvar template: what it is written with.
    @cvar title: what it is called.
    @cvar does: what its forms can have done.
    @cvar gone: what of that leaves nothing to come back to.
    @cvar parent: where the browser is sent then.
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
        What the template shows.

        @param words: what the pattern stands for.
        @raise NotFound: there is nothing of that name.
        """
        raise NotImplementedError

    async def tell(self, operation: Operation, actor: str) -> Result:
        """What an operation that changes nothing tells."""
        return await self._executor.carry_out(operation, actor)

    def suggested(self, *kinds: str) -> dict[str, list[str]]:
        """Names that fields may suggest: of channels, games or accounts."""
        registry = self._layout.gossip.network.registry
        names: dict[str, Callable[[], Iterable[str]]] = {
            "channel": lambda: registry.channels,
            "game": lambda: (game.short_name for game in registry.games.values()),
            "account": lambda: (account.name for account in registry.accounts.all.values()),
        }
        return {kind: nsmallest(MOST_SUGGESTED, names[kind](), key=str.lower) for kind in kinds}

    async def get(self, request: PublicRequest, account: Account, *words: str) -> bytes:
        """Answer with the page."""
        note = _DONE.get(parameter(request, "done") or "", "")
        return await self._page(request, account, *words, note=note)

    async def post(self, request: PublicRequest, account: Account, *words: str) -> bytes:
        """Have something done."""
        form = self._cookies.read_form(request)
        kind = self._kinds.get(form.text("do"))
        if kind is None:
            raise Problem(http.BAD_REQUEST, "This page cannot do that.")
        try:
            action = fill(kind, form)
            if needs_confirmation(action) and not form.checked("sure"):
                raise Refused("not-confirmed", "sure", "tick the box to confirm this action")
            result = await self._executor.carry_out(action, account.name)
        except Refused as refused:
            told = {"typed": FailedForm(form), "wrong": str(refused)}
            return await self._page(request, account, *words, code=UNPROCESSABLE, **told)
        if isinstance(action, _SHOWN):
            # What was typed stays for a filter that was only tried: next it may be added.
            typed = FailedForm(form) if isinstance(action, FilterTry) else FailedForm()
            return await self._page(request, account, *words, typed=typed, result=result, did=action.wire)
        path = self.parent if isinstance(action, self.gone) else request.path.decode("ascii", "replace")
        return redirect(request, f"{path}?done={action.wire}")

    async def _page(
        self, request: PublicRequest, account: Account, *words: str, code: int = http.OK, **told: Any
    ) -> bytes:
        values = await self.values(request, account.name, *words)
        shown = {"title": self.title, "typed": FailedForm(), "wrong": "", "note": "", "result": None, "did": "", **told}
        reports = len(self._layout.gossip.network.registry.reports)
        return self._layout.page(
            request, self.template, code, sections=SECTIONS, open_reports=reports, **{**shown, **values}
        )


def needs_confirmation(action: Command) -> bool:
    """Must who wants this say that he means it?"""
    match action:
        case GameRemove() | GameDisable() | AccountRemove() | AccountEdit(disabled=True) | BanAdd(channel=None):
            return True
    return False
