"""The page of your own account: password, email address, where you are signed in, and tokens for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from msgspec.structs import replace
from twisted.web import http

from gossip.operations.accounts import AccountRemove, issue, signed_out
from gossip.protocol.text import clean
from gossip.registry.accounts import TICKETS
from gossip.registry.changes import Change, TicketsRevoked
from gossip.registry.entities import Account, Ticket
from gossip.registry.errors import Refused
from gossip.registry.secret import digest
from gossip.web.accounts.cookies import SignInFirst
from gossip.web.accounts.sign_in import SignIn
from gossip.web.http.forms import Form
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import Router, redirect
from gossip.web.http.urls import parameter
from gossip.web.views.formatting import sentence

LABEL: Final = 40
"""The maximum length of a token's label, in characters."""

SCOPES: Final = {
    "read": "read your games",
    "metrics": "read the metrics at /metrics",
    "admin": "do everything that an admin can do",
}
"""The scopes of tokens. All but the first are for admins only."""

DONE: Final = {
    "password": "Your password is set. Every other browser is signed out.",
    "email": "Your email address is changed.",
    "ended": "Done: access is revoked.",
}
"""The messages after a form was sent, by the query parameter C{done}."""

_PARTS: Final = {
    "profile": "Account",
    "talk": "Talk",
    "visits": "Browsers",
    "tokens": "Programs",
    "danger": "Danger zone",
}
"""The parts of the page, and what people see."""

_WRONG: Final = "Wrong password."


class AccountPages:
    """The page of an account, and what its forms do."""

    def __init__(self, sign_in: SignIn, new_uuid: Callable[[], str]) -> None:
        """
        @param new_uuid: makes tokens: version 4 UUIDs.
        """
        self._sign_in = sign_in
        self._layout = sign_in.layout
        self._cookies = sign_in.cookies
        self._new_uuid = new_uuid

    def add(self, router: Router) -> None:
        """Add the page, and the paths of its forms."""
        signed_in = self._cookies.require_sign_in
        for part, form in (("profile", None), ("visits", None), ("tokens", self.token), ("danger", None)):
            router.add(
                _path(part),
                get=signed_in(partial(self.show, part=part)),
                post=None if form is None else signed_in(form),
            )
        for path, view, part in (
            ("password", self.password, "profile"),
            ("email", self.email, "profile"),
            ("end", self.end, "visits"),
            ("remove", self.remove, "danger"),
        ):
            # A reload of such a path leads back to the page of the form.
            back = partial(redirect, path=_path(part))
            router.add(f"/account/{path}", get=back, post=signed_in(view))

    def show(self, request: PublicRequest, account: Account, part: str) -> bytes:
        """A part of the page."""
        made = self._cookies.shown(request) if parameter(request, "shown") else None
        done = DONE.get(parameter(request, "done") or "", "")
        return self._show(request, account, part, done=done, secret=(made or {}).get("token", ""))

    def _show(
        self,
        request: PublicRequest,
        account: Account,
        part: str,
        errors: Mapping[str, str] = {},
        done: str = "",
        secret: str = "",
        filled: Mapping[str, str] = {},
    ) -> bytes:
        """
        @param part: which part of the page.
        @param errors: the errors by form and field, for example C{password.again}.
        @param secret: a token that was just created, which is shown only now.
        @param filled: the values that were filled in, by form and field.
        """
        accounts = self._sign_in.accounts
        return self._layout.page(
            request,
            f"account_{part}.html",
            UNPROCESSABLE if errors else http.OK,
            title="Your account",
            **parts_of_account(part),
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
        """Change the password: sign out every other browser, and give this one a new cookie."""
        sign_in = self._sign_in
        form = self._cookies.read_form(request)
        errors = {f"password.{field}": error for field, error in sign_in.password_errors(form, account.name).items()}
        proven = None if errors else await self._proven(request, account, form)
        if proven is None:
            return self._show(request, account, "profile", errors or {"password.current": _WRONG})
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
        Check the current password: a browser that was left open must not be enough.

        @return: the account with that password; C{None} if it is wrong. Apply the change only while the account has it.
        """
        return await self._sign_in.check_password(request, account.name, form.text("current"))

    async def email(self, request: PublicRequest, account: Account) -> bytes:
        """Change the email address. Since mail to it can set a new password, this needs the current password."""
        form = self._cookies.read_form(request)
        email = form.text("email").strip()
        refused = self._sign_in.refusal_of(replace(account, email=email or None))
        proven = None if refused else await self._proven(request, account, form)
        if proven is None:
            errors = {"email.email": sentence(str(refused))} if refused else {"email.current": _WRONG}
            return self._show(request, account, "profile", errors, filled={"email.email": email})
        await self._sign_in.change_account(
            account.name,
            lambda known: replace(known, email=email or None) if known.password == proven.password else known,
            # A link may have gone to the old address.
            lambda: signed_out(self._sign_in.accounts, account.name, "reset"),
        )
        return redirect(request, "/account?done=email")

    async def end(self, request: PublicRequest, account: Account) -> bytes:
        """Sign out browsers or revoke tokens: the ones named, or all browsers except this one."""
        form = self._cookies.read_form(request)
        accounts, current = self._sign_in.accounts, self._cookies.current_digest(request)
        named = set(form.all("ticket"))
        held = accounts.of(account.name, "token")
        part = "tokens" if any(each.digest.hex() in named for each in held) else "visits"

        def make() -> Change | None:
            if form.checked("others"):
                return signed_out(accounts, account.name, "visit", but=current)
            held = accounts.of(account.name, "visit", "token")
            ended = tuple(each.digest for each in held if each.digest.hex() in named)
            return TicketsRevoked(ended) if ended else None

        await self._layout.gossip.change(make)
        return redirect(request, f"{_path(part)}?done=ended")

    async def token(self, request: PublicRequest, account: Account) -> bytes:
        """Create a token."""
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
            # The owner may have been signed out meanwhile; the token must not go to the next account of that name.
            if scope not in self._scopes(self._cookies.require_account(request)):
                raise Refused("forbidden", "scope", "this scope is for admins only")
            if len(accounts.of(account.name, "token")) >= TICKETS:
                # Otherwise the oldest token would be dropped, and its program would stop working silently.
                raise Refused("too-many", None, f"you have {TICKETS} tokens, the maximum: revoke one first")
            return issue(accounts, ticket)

        try:
            await self._layout.gossip.change(make)
        except Refused as refused:
            return self._show(
                request,
                account,
                "tokens",
                {"token.label": sentence(str(refused))},
                filled={"token.label": label[:LABEL]},
            )
        return self._cookies.show_later(request, "/account/tokens?shown=1", {"token": secret})

    async def remove(self, request: PublicRequest, account: Account) -> bytes:
        """Remove the account; its games stay."""
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
        return self._show(request, account, "danger", {"remove.current": error}) if error else redirect(request, "/")


def parts_of_account(part: str) -> dict[str, Any]:
    """The tabs of the page of an account, for its templates."""
    return {"parts": [(_path(name), what) for name, what in _PARTS.items()], "part": _path(part)}


def _path(part: str) -> str:
    """The path of a part of the page."""
    return "/account" if part == "profile" else f"/account/{part}"
