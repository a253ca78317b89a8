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
from gossip.web.accounts.cookies import SignInFirst
from gossip.web.accounts.sign_in import SignIn
from gossip.web.http.forms import Form
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import Router, View, redirect
from gossip.web.http.urls import parameter
from gossip.web.views.formatting import sentence

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


class AccountPages:
    """The page of an account for its owner, and what its forms do."""

    def __init__(self, sign_in: SignIn, new_uuid: Callable[[], str]) -> None:
        """
        @param new_uuid: makes tokens: version 4 UUIDs.
        """
        self._sign_in = sign_in
        self._layout = sign_in.layout
        self._cookies = sign_in.cookies
        self._new_uuid = new_uuid

    def add(self, router: Router) -> None:
        """Add the page, and what its forms are sent to."""
        router.add("/account", get=self._cookies.require_sign_in(self.show))
        for path, view in (
            ("password", self.password),
            ("email", self.email),
            ("end", self.end),
            ("tokens", self.token),
            ("remove", self.remove),
        ):
            self._add_form(router, f"/account/{path}", self._cookies.require_sign_in(view))

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
        errors: Mapping[str, str] = {},
        done: str = "",
        secret: str = "",
        filled: Mapping[str, str] = {},
    ) -> bytes:
        """
        @param errors: what is wrong with what was filled in, by form and field: C{password.again}.
        @param secret: a token that was just made; it is shown this once.
        @param filled: what was filled in, in the same way.
        """
        accounts = self._sign_in.accounts
        return self._layout.page(
            request,
            "account.html",
            UNPROCESSABLE if errors else http.OK,
            title="Your account",
            account=account,
            games=self._layout.gossip.network.registry.games_of(account.name),
            visits=accounts.of(account.name, "visit")[::-1],
            tokens=accounts.of(account.name, "token")[::-1],
            current=self._cookies.current_digest(request),
            scopes={scope: SCOPES[scope] for scope in self._scopes(account)},
            can_mail=self._sign_in.can_mail,
            errors=errors,
            done=done,
            secret=secret,
            filled=filled,
        )

    def _scopes(self, account: Account) -> tuple[str, ...]:
        return tuple(SCOPES) if account.admin else ("read",)

    async def password(self, request: PublicRequest, account: Account) -> bytes:
        """A new password: every other browser is signed out, and this one gets a new cookie."""
        sign_in = self._sign_in
        form = self._cookies.read_form(request)
        errors = {f"password.{field}": error for field, error in sign_in.password_errors(form, account.name).items()}
        proven = None if errors else await self._proven(request, account, form)
        if proven is None:
            return self._show(request, account, errors or {"password.current": _WRONG})
        kept = await sign_in.passwords.hash(form.text("password"), sign_in.place(request))
        await sign_in.change_account(
            account.name,
            lambda known: replace(known, password=kept) if known.password == proven.password else known,
            lambda: signed_out(sign_in.accounts, account.name, "visit", "reset"),
        )
        await self._cookies.sign_in(request, replace(proven, password=kept), self._layout.peer(request))
        return redirect(request, "/account?done=password")

    async def _proven(self, request: PublicRequest, account: Account, form: Form) -> Account | None:
        """
        Does somebody know his own password? A browser that was left alone must not be enough.

        @return: the account with the password that he knows; what he wants done is done while it has that one.
        """
        return await self._sign_in.check_password(request, account.name, form.text("current"))

    async def email(self, request: PublicRequest, account: Account) -> bytes:
        """Another address: who has it can set a new password, so it takes the present one."""
        form = self._cookies.read_form(request)
        email = form.text("email").strip()
        refused = self._sign_in.refusal_of(replace(account, email=email or None))
        proven = None if refused else await self._proven(request, account, form)
        if proven is None:
            errors = {"email.email": sentence(str(refused))} if refused else {"email.current": _WRONG}
            return self._show(request, account, errors, filled={"email.email": email})
        await self._sign_in.change_account(
            account.name,
            lambda known: replace(known, email=email or None) if known.password == proven.password else known,
            # One may have gone to the address that was.
            lambda: signed_out(self._sign_in.accounts, account.name, "reset"),
        )
        return redirect(request, "/account?done=email")

    async def end(self, request: PublicRequest, account: Account) -> bytes:
        """Some visits or tokens let nobody in any more: the ones named, or all visits but this."""
        form = self._cookies.read_form(request)
        accounts, current = self._sign_in.accounts, self._cookies.current_digest(request)
        named = set(form.all("ticket"))

        def make() -> Change | None:
            if form.checked("others"):
                return signed_out(accounts, account.name, "visit", but=current)
            held = accounts.of(account.name, "visit", "token")
            ended = tuple(each.digest for each in held if each.digest.hex() in named)
            return TicketsRevoked(ended) if ended else None

        await self._layout.gossip.change(make)
        return redirect(request, "/account?done=ended")

    async def token(self, request: PublicRequest, account: Account) -> bytes:
        """A new token for a program."""
        form = self._cookies.read_form(request)
        label, scope = " ".join(clean(form.text("label")).split()), form.text("scope")
        secret = self._new_uuid()
        accounts = self._sign_in.accounts
        ticket = Ticket(
            digest=digest(secret),
            kind="token",
            account=account.name,
            scope=scope,
            label=label,
            made_by=account.name,
            made_at=self._layout.now,
        )

        def make() -> Change:
            if not 1 <= len(label) <= LABEL:
                raise Refused("invalid", "label", f"use 1 to {LABEL} characters")
            # Who is signed out by now gets none, nor would it be for the next one of his name.
            if scope not in self._scopes(self._cookies.require_account(request)):
                raise Refused("forbidden", "scope", "this scope is for admins only")
            if len(accounts.of(account.name, "token")) >= TICKETS:
                # Otherwise the oldest would go, and a program of somebody would stop without a word.
                raise Refused("too-many", None, f"you have {TICKETS} tokens, the maximum: revoke one first")
            return issue(accounts, ticket)

        try:
            await self._layout.gossip.change(make)
        except Refused as refused:
            return self._show(
                request, account, {"token.label": sentence(str(refused))}, filled={"token.label": label[:LABEL]}
            )
        # No redirect: this is the only page that ever shows it.
        return self._show(request, account, secret=secret)

    async def remove(self, request: PublicRequest, account: Account) -> bytes:
        """The account is no more; its games stay."""
        form = self._cookies.read_form(request)
        proven = await self._proven(request, account, form)
        error = "" if proven else _WRONG

        def check() -> None:
            known = self._sign_in.accounts.named(account.name)
            if known is None or proven is None or known.password != proven.password:
                raise SignInFirst(request)

        if proven:
            try:
                await self._sign_in.executor.carry_out(AccountRemove(name=account.name), account.name, check)
            except Refused as refused:
                error = sentence(str(refused))
        return self._show(request, account, {"remove.current": error}) if error else redirect(request, "/")
