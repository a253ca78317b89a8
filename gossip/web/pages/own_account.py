"""One's own account: its password and address, where one is signed in, and what programs of one's own may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace
from twisted.web import http

from gossip.operations.accounts import AccountRemove, issue, signed_out
from gossip.protocol.text import clean
from gossip.registry.accounts import TICKETS
from gossip.registry.changes import Account, Change, Ticket, TicketsRevoked
from gossip.registry.errors import Refused
from gossip.registry.secret import digest
from gossip.web.accounts.cookies import Form, SignInFirst
from gossip.web.accounts.sign_in import Entrance
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import Router, View, redirect
from gossip.web.views.formatting import sentence
from gossip.web.views.layout import parameter

LABEL: Final = 40
"""How many characters the label of a token may have."""

SCOPES: Final = {
    "read": "read your games",
    "metrics": "read the metrics at /metrics",
    "admin": "do everything that an admin can do",
}
"""What a token may be good for; all but the first only for admins."""

DONE: Final = {
    "welcome": "Welcome! Your account is ready, and you are signed in.",
    "password": "Your password is set. Every other browser is signed out.",
    "email": "Your email address is changed.",
    "ended": "Done: access is revoked.",
}
"""What somebody is told who comes back from a form."""

_WRONG: Final = "Wrong password."


class OwnAccountPages:
    """The page of an account for its owner, and what its forms do."""

    def __init__(self, entrance: Entrance, new_uuid: Callable[[], str]) -> None:
        """
        @param new_uuid: makes tokens: version 4 UUIDs.
        """
        self._entrance = entrance
        self._base = entrance.base
        self._visits = entrance.visits
        self._new_uuid = new_uuid

    def add(self, router: Router) -> None:
        """Add the page, and what its forms are sent to."""
        router.add("/account", get=self._visits.signed_in(self.show))
        for path, view in (
            ("password", self.password),
            ("email", self.email),
            ("end", self.end),
            ("tokens", self.token),
            ("remove", self.remove),
        ):
            self._add_form(router, f"/account/{path}", self._visits.signed_in(view))

    def _add_form(self, router: Router, path: str, view: View) -> None:
        # Who loads such a page again gets the one that the form stands on.
        router.add(path, get=lambda request: redirect(request, "/account"), post=view)

    def show(self, request: PublicRequest, account: Account) -> bytes:
        """The page."""
        return self._show(request, account, done=DONE.get(parameter(request, "done") or "", ""))

    def _show(
        self,
        request: PublicRequest,
        account: Account,
        faults: Mapping[str, str] = {},
        done: str = "",
        secret: str = "",
        filled: Mapping[str, str] = {},
    ) -> bytes:
        """
        @param faults: what is wrong with what was filled in, by form and field: C{password.again}.
        @param secret: a token that was just made; it is shown this once.
        @param filled: what was filled in, in the same way.
        """
        accounts = self._entrance.accounts
        return self._base.page(
            request,
            "account.html",
            UNPROCESSABLE if faults else http.OK,
            title="Your account",
            account=account,
            games=self._base.gossip.network.registry.games_of(account.name),
            visits=accounts.of(account.name, "visit")[::-1],
            tokens=accounts.of(account.name, "token")[::-1],
            current=self._visits.current(request),
            scopes={scope: SCOPES[scope] for scope in self._scopes(account)},
            can_mail=self._entrance.can_mail,
            faults=faults,
            done=done,
            secret=secret,
            filled=filled,
        )

    def _scopes(self, account: Account) -> tuple[str, ...]:
        return tuple(SCOPES) if account.admin else ("read",)

    async def password(self, request: PublicRequest, account: Account) -> bytes:
        """A new password: every other browser is signed out, and this one gets a new cookie."""
        entrance = self._entrance
        form = self._visits.form(request)
        faults = {f"password.{field}": fault for field, fault in entrance.faults_of(form, account.name).items()}
        proven = None if faults else await self._proven(request, account, form)
        if proven is None:
            return self._show(request, account, faults or {"password.current": _WRONG})
        kept = await entrance.passwords.kept(form.text("password"), entrance.place(request))
        await entrance.alter(
            account.name,
            lambda known: replace(known, password=kept) if known.password == proven.password else known,
            lambda: signed_out(entrance.accounts, account.name, "visit", "reset"),
        )
        await self._visits.begin(request, replace(proven, password=kept), self._base.peer(request))
        return redirect(request, "/account?done=password")

    async def _proven(self, request: PublicRequest, account: Account, form: Form) -> Account | None:
        """
        Does somebody know his own password? A browser that was left alone must not be enough.

        @return: the account with the password that he knows; what he wants done is done while it has that one.
        """
        return await self._entrance.judge(request, account.name, form.text("current"))

    async def email(self, request: PublicRequest, account: Account) -> bytes:
        """Another address: who has it can set a new password, so it takes the present one."""
        form = self._visits.form(request)
        email = form.text("email").strip()
        refused = self._entrance.refusal_of(replace(account, email=email or None))
        proven = None if refused else await self._proven(request, account, form)
        if proven is None:
            faults = {"email.email": sentence(str(refused))} if refused else {"email.current": _WRONG}
            return self._show(request, account, faults, filled={"email.email": email})
        await self._entrance.alter(
            account.name,
            lambda known: replace(known, email=email or None) if known.password == proven.password else known,
            # One may have gone to the address that was.
            lambda: signed_out(self._entrance.accounts, account.name, "reset"),
        )
        return redirect(request, "/account?done=email")

    async def end(self, request: PublicRequest, account: Account) -> bytes:
        """Some visits or tokens let nobody in any more: the ones named, or all visits but this."""
        form = self._visits.form(request)
        accounts, current = self._entrance.accounts, self._visits.current(request)
        named = set(form.all("ticket"))

        def make() -> Change | None:
            if form.checked("others"):
                return signed_out(accounts, account.name, "visit", but=current)
            held = accounts.of(account.name, "visit", "token")
            ended = tuple(each.digest for each in held if each.digest.hex() in named)
            return TicketsRevoked(ended) if ended else None

        await self._entrance.executor.change(make)
        return redirect(request, "/account?done=ended")

    async def token(self, request: PublicRequest, account: Account) -> bytes:
        """A new token for a program."""
        form = self._visits.form(request)
        label, scope = " ".join(clean(form.text("label")).split()), form.text("scope")
        secret = self._new_uuid()
        accounts = self._entrance.accounts
        ticket = Ticket(
            digest=digest(secret),
            kind="token",
            account=account.name,
            scope=scope,
            label=label,
            made_by=account.name,
            made_at=self._base.now,
        )

        def make() -> Change:
            if not 1 <= len(label) <= LABEL:
                raise Refused("invalid", "label", f"use 1 to {LABEL} characters")
            # Who is signed out by now gets none, nor would it be for the next one of his name.
            if scope not in self._scopes(self._visits.required(request)):
                raise Refused("forbidden", "scope", "this scope is for admins only")
            if len(accounts.of(account.name, "token")) >= TICKETS:
                # Otherwise the oldest would go, and a program of somebody would stop without a word.
                raise Refused("too-many", None, f"you have {TICKETS} tokens, the maximum: revoke one first")
            return issue(accounts, ticket)

        try:
            await self._entrance.executor.change(make)
        except Refused as refused:
            return self._show(
                request, account, {"token.label": sentence(str(refused))}, filled={"token.label": label[:LABEL]}
            )
        # No redirect: this is the only page that ever shows it.
        return self._show(request, account, secret=secret)

    async def remove(self, request: PublicRequest, account: Account) -> bytes:
        """The account is no more; its games stay."""
        form = self._visits.form(request)
        proven = await self._proven(request, account, form)
        fault = "" if proven else _WRONG

        def check() -> None:
            known = self._entrance.accounts.named(account.name)
            if known is None or proven is None or known.password != proven.password:
                raise SignInFirst(request)

        if proven:
            try:
                await self._entrance.executor.carry_out(AccountRemove(name=account.name), account.name, check)
            except Refused as refused:
                fault = sentence(str(refused))
        return self._show(request, account, {"remove.current": fault}) if fault else redirect(request, "/")
