"""What somebody wants to see of the talk: whom they ignore, and whether they want to be left alone."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace
from twisted.web import http

from gossip.protocol.skeleton import is_visible
from gossip.protocol.text import is_line
from gossip.registry.changes import Change, TastesSaved
from gossip.registry.entities import Account, Tastes
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_GAME
from gossip.web.accounts.attempts import HOUR, Attempts
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import Router, redirect
from gossip.web.http.urls import parameter, safe_return_path
from gossip.web.pages.account import parts_of_account
from gossip.web.views.formatting import sentence
from gossip.web.views.layout import Layout

CHANGES: Final = 300
"""The maximum number of changes per hour and account."""

LONGEST: Final = 200
"""The maximum length of what is ignored, in characters."""

_DONE: Final = {"ignored": "You do not see these messages any more.", "saved": "Saved."}


class TastesPage:
    """The part of the page of an account about the talk."""

    def __init__(self, layout: Layout, cookies: SessionCookies) -> None:
        self._layout = layout
        self._cookies = cookies
        self._accounts = layout.gossip.network.registry.accounts
        self._changes = Attempts(layout.clock, "changes", CHANGES, HOUR)

    def add(self, router: Router) -> None:
        """Add the page."""
        signed_in = self._cookies.require_sign_in
        router.add("/account/talk", get=signed_in(self.show), post=signed_in(self.change))

    def show(self, request: PublicRequest, account: Account) -> bytes:
        """Whom the account ignores, and forms to change that."""
        return self._show(request, account, done=_DONE.get(parameter(request, "done") or "", ""))

    def _show(self, request: PublicRequest, account: Account, done: str = "", wrong: str = "", who: str = "") -> bytes:
        return self._layout.page(
            request,
            "account_talk.html",
            UNPROCESSABLE if wrong else http.OK,
            title="Your account",
            account=account,
            done=done,
            wrong=wrong,
            who=who,
            **parts_of_account("talk"),
        )

    async def change(self, request: PublicRequest, account: Account) -> bytes:
        """Ignore somebody, or no longer; or choose not to be disturbed."""
        form = self._cookies.read_form(request)
        self._changes.spend(account.name)
        deed, who = form.text("do"), form.text("who").strip()

        def make() -> Change | None:
            known = self._accounts.tastes_of(account.name)
            match deed:
                case "ignore":
                    changed = known if names(known.ignored, meant(who)) else _with(known, account, who)
                case "read":
                    left = tuple(each for each in known.ignored if not names((each,), who))
                    changed = replace(known, ignored=left)
                case "disturb":
                    changed = replace(known, undisturbed=form.checked("undisturbed"))
                case _:
                    raise Refused("invalid", None, "this page cannot do that")
            return None if changed == known else TastesSaved(changed)

        try:
            await self._layout.gossip.change(make)
        except Refused as refused:
            return self._show(request, account, wrong=sentence(str(refused)), who=who)
        back = safe_return_path(form.text("back"), "")
        return redirect(request, back or f"/account/talk?done={'ignored' if deed == 'ignore' else 'saved'}")


def names(ignored: tuple[str, ...], who: str) -> bool:
    """Whether a game or a player is among those that somebody ignores."""
    return who.lower() in (each.lower() for each in ignored)


def _with(known: Tastes, account: Account, who: str) -> Tastes:
    """
    The same with one more that is ignored.

    @raise Refused: they are the account itself.
    """
    if names((f"{account.name}@{NETWORK_GAME}",), who):
        raise Refused("invalid", "who", "you cannot ignore yourself")
    return replace(known, ignored=(*known.ignored, who))


def meant(who: str) -> str:
    """
    What somebody wants to ignore.

    @raise Refused: it is no game and no C{player@game}.
    """
    player, at, game = who.rpartition("@")
    if not who or len(who) > LONGEST or not is_line(who) or not game.isalnum() or (at and not is_visible(player)):
        raise Refused("invalid", "who", "name a game, or a player like Ana@MyMUD")
    return who
