"""
Sign in, sign out, sign up, set up a network, and set a password by a link.

Sending the form of a link uses the link up; opening the link does not, since mail programs and chats open links by
themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http

from gossip.operations.accounts import HOUR, LINK_HOURS, link, signed_out
from gossip.operations.operation import Occasion
from gossip.registry.changes import Change
from gossip.registry.entities import Account, Ticket
from gossip.registry.errors import Refused
from gossip.web.accounts.passwords import Busy
from gossip.web.accounts.sign_in import FieldErrors, SignIn, SignUpForm
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import NotFound, Problem, Router, redirect
from gossip.web.http.urls import parameter, safe_return_path
from gossip.web.views.formatting import sentence, span

_NO_MATCH = "Wrong name or password."
_DISABLED = "This account is disabled. Ask an admin why."
_WELCOME = "/welcome"


class SignInPages:
    """The pages to sign in and sign up."""

    _log = Logger()

    def __init__(self, sign_in: SignIn, new_uuid: Callable[[], str]) -> None:
        """
        @param new_uuid: makes the secrets of links: version 4 UUIDs.
        """
        self._sign_in = sign_in
        self._layout = sign_in.layout
        self._cookies = sign_in.cookies
        self._new_uuid = new_uuid

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/sign-in", get=self.show_sign_in, post=self.sign_in)
        router.add("/sign-out", get=lambda request: redirect(request, "/"), post=self.sign_out)
        router.add("/sign-up", get=self.show_sign_up, post=self.sign_up)
        router.add("/sign-up/{secret}", get=self.show_sign_up, post=self.sign_up)
        router.add("/setup/{secret}", get=self.show_set_up, post=self.set_up)
        router.add("/reset/{secret}", get=self.show_reset, post=self.reset)
        router.add("/forgot", get=self.show_forgot, post=self.forgot)

    # Signing in and out.

    def show_sign_in(self, request: PublicRequest) -> bytes:
        """The form to sign in."""
        back = safe_return_path(parameter(request, "back"))
        return redirect(request, back) if self._cookies.account(request) else self._sign_in_page(request, back)

    def _sign_in_page(self, request: PublicRequest, back: str, name: str = "", wrong: str = "") -> bytes:
        return self._layout.page(
            request,
            "sign-in.html",
            UNPROCESSABLE if wrong else http.OK,
            title="Sign in",
            back=back,
            name=name,
            wrong=wrong,
            can_mail=self._sign_in.can_mail,
        )

    async def sign_in(self, request: PublicRequest) -> bytes:
        """Sign in."""
        form = self._cookies.read_form(request)
        name, back = form.text("name").strip(), safe_return_path(form.text("back"))
        account = await self._sign_in.check_password(request, name, form.text("password"))
        if account is None or account.disabled:
            # Only with the right password: the state of an account is nobody else's business.
            return self._sign_in_page(request, back, name, _NO_MATCH if account is None else _DISABLED)
        await self._cookies.sign_in(request, account, self._layout.peer(request))
        return redirect(request, back)

    async def sign_out(self, request: PublicRequest) -> bytes:
        """Sign out."""
        self._cookies.read_form(request)
        await self._cookies.sign_out(request)
        return redirect(request, "/")

    # New accounts.

    def show_sign_up(self, request: PublicRequest, secret: str = "") -> bytes:
        """The form to create an account, with or without an invitation."""
        self._check_sign_up(request, secret)
        back = safe_return_path(parameter(request, "back"), _WELCOME)
        if self._cookies.account(request) and not secret:
            return redirect(request, back)
        return self._sign_up_page(request, SignUpForm("", "", "", {}), back=back)

    def _check_sign_up(self, request: PublicRequest, secret: str) -> Ticket | None:
        """
        Check that sign-up is allowed.

        @return: the ticket of the invitation, if there is one.
        @raise Problem: sign-up is not allowed.
        """
        allowed = self._sign_in.rules.settings.sign_up
        if allowed == "closed":
            raise Problem(http.FORBIDDEN, "Sign-up is closed. Ask an admin to create an account for you.")
        if secret:
            return self._sign_in.open_link(request, secret, "invite")
        if allowed == "invite":
            raise Problem(http.FORBIDDEN, "Sign-up is by invitation. Ask an admin for a link.")
        return None

    def _sign_up_page(self, request: PublicRequest, filled: SignUpForm, admin: bool = False, back: str = "") -> bytes:
        return self._layout.page(
            request,
            "sign-up.html",
            UNPROCESSABLE if filled.errors else http.OK,
            title=f"Set up {self._layout.name}" if admin else "Create an account",
            form=filled,
            admin=admin,
            back=back,
            can_mail=self._sign_in.can_mail,
        )

    async def sign_up(self, request: PublicRequest, secret: str = "") -> bytes:
        """Create an account."""
        form = self._cookies.read_form(request)
        ticket = self._check_sign_up(request, secret)
        back = safe_return_path(form.text("back"), _WELCOME)
        filled = self._sign_in.read_sign_up(form)
        if filled.errors or secret:
            return await self._create_account(request, filled, ticket, back=back)
        place, sign_ups = self._sign_in.place(request), self._sign_in.limits.sign_ups
        sign_ups.spend(place)
        try:
            return await self._create_account(request, filled, ticket, back=back)
        except Busy:
            sign_ups.take_back(place)
            raise

    async def _create_account(
        self, request: PublicRequest, filled: SignUpForm, ticket: Ticket | None, admin: bool = False, back: str = ""
    ) -> bytes:
        if not filled.errors:
            try:
                await self._sign_in.create_account(request, filled, admin, ticket)
                return redirect(request, back)
            except Refused as refused:
                filled = replace(filled, errors={refused.field or "name": sentence(str(refused))})
        return self._sign_up_page(request, filled, admin, back)

    def show_set_up(self, request: PublicRequest, secret: str) -> bytes:
        """The form to create the first admin."""
        self._check_set_up(request, secret)
        return self._sign_up_page(request, SignUpForm("", "", "", {}), admin=True)

    def _check_set_up(self, request: PublicRequest, secret: str) -> Ticket:
        ticket = self._sign_in.open_link(request, secret, "setup")
        if self._sign_in.accounts.admins():
            raise NotFound("This network already has an admin.")
        return ticket

    async def set_up(self, request: PublicRequest, secret: str) -> bytes:
        """Create the first admin."""
        form = self._cookies.read_form(request)
        ticket = self._check_set_up(request, secret)
        return await self._create_account(
            request, self._sign_in.read_sign_up(form, admin=True), ticket, admin=True, back="/admin?done=set-up"
        )

    # Setting a password by a link.

    def show_reset(self, request: PublicRequest, secret: str) -> bytes:
        """The form to set a password."""
        return self._reset_page(request, self._sign_in.open_link(request, secret, "reset"), {})

    def _reset_page(self, request: PublicRequest, ticket: Ticket, errors: FieldErrors) -> bytes:
        account = self._sign_in.accounts.named(ticket.account)
        assert account is not None
        return self._layout.page(
            request,
            "reset.html",
            UNPROCESSABLE if errors else http.OK,
            title="Set a password",
            account=account,
            errors=errors,
        )

    async def reset(self, request: PublicRequest, secret: str) -> bytes:
        """Set the password, sign out all browsers and revoke all tokens of the account."""
        sign_in = self._sign_in
        form = self._cookies.read_form(request)
        ticket = sign_in.open_link(request, secret, "reset")
        errors = sign_in.password_errors(form, ticket.account)
        if errors:
            return self._reset_page(request, ticket, errors)
        known = sign_in.accounts.named(ticket.account)
        is_new = known is not None and known.password is None
        kept = await sign_in.passwords.hash(form.text("password"), sign_in.place(request))
        await sign_in.change_account(
            ticket.account,
            lambda known: replace(known, password=kept),
            lambda: signed_out(sign_in.accounts, ticket.account),
            if_open=ticket.digest,
        )
        account = sign_in.accounts.named(ticket.account)
        if account is not None and not account.disabled:
            await self._cookies.sign_in(request, account, self._layout.peer(request))
        return redirect(request, _WELCOME if is_new else "/account?done=password")

    def show_forgot(self, request: PublicRequest) -> bytes:
        """The form to ask for a link by mail."""
        self._check_mail()
        return self._forgot_page(request, was_sent=parameter(request, "done") is not None)

    def _check_mail(self) -> None:
        if not self._sign_in.can_mail:
            raise NotFound("This network does not send mail. Ask an admin for a link to set a new password.")

    def _forgot_page(self, request: PublicRequest, was_sent: bool = False, wrong: str = "") -> bytes:
        return self._layout.page(
            request,
            "forgot.html",
            UNPROCESSABLE if wrong else http.OK,
            title="Forgot your password?",
            was_sent=was_sent,
            wrong=wrong,
            lasts=span(LINK_HOURS["reset"] * HOUR),
        )

    def forgot(self, request: PublicRequest) -> bytes:
        """Send a link by mail. The answer is the same, and as quick, if there is no such account."""
        form = self._cookies.read_form(request)
        self._check_mail()
        name = form.text("name").strip()
        if not name:
            return self._forgot_page(request, wrong="Enter the name of your account.")
        self._sign_in.limits.mails.spend(self._sign_in.place(request))
        account = self._sign_in.accounts.named(name)
        if account is not None and account.email and not account.disabled:
            self._mail_link(account)
        return redirect(request, "/forgot?done=1")

    def _mail_link(self, account: Account) -> None:
        """Send a link to the owner of an account, in the background."""
        limits, mail = self._sign_in.limits.mails_to, self._sign_in.mail
        if mail is None or not account.email or not limits.left(account.name):
            return
        limits.spend(account.name)
        to = account.email
        on = Occasion(self._layout.now, self._new_uuid, account.name)
        made: dict[str, Any] = {}

        def make() -> Change | None:
            if self._sign_in.accounts.named(account.name) != account:
                # The account was changed or removed: the link must go to its current owner only.
                return None
            change, result = link(self._sign_in.accounts, "reset", account.name, on)
            made.update(result)
            return change

        def send(_: None) -> None:
            if made:
                mail.send(to, f"{self._layout.name}: set a new password", self._mail_text(account.name, made["link"]))

        done = self._layout.gossip.change(make)
        done.addCallback(send).addErrback(self._link_failed)

    def _link_failed(self, failure: Failure) -> None:
        self._log.failure("a link could not be made", failure)

    def _mail_text(self, name: str, path: str) -> str:
        return (
            f"Somebody, probably you, asked to set a new password for the account {name} on {self._layout.name}.\n"
            f"To set one, open this link within {span(LINK_HOURS['reset'] * HOUR)}:\n\n"
            f"    {self._sign_in.rules.address}{path}\n\n"
            "If it was not you, ignore this mail: your password stays the same.\n"
        )
