"""
The ways in and out: signing in and out, making an account, the set-up of a network, and the links that set a password.

A link is used up by the form that it leads to, never by a look at it: mail programs and chats look at links by
themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http

from gossip.operations.accounts import HOUR, LINK_HOURS, link, signed_out
from gossip.operations.operation import Occasion
from gossip.registry.changes import Account, Change, Ticket
from gossip.registry.errors import Refused
from gossip.web.accounts.passwords import Busy
from gossip.web.accounts.sign_in import Entrance, Faults, Newcomer
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import NotHere, Problem, Router, redirect
from gossip.web.views.formatting import sentence, span
from gossip.web.views.layout import parameter, way_back

_NO_MATCH = "Wrong name or password."
_DISABLED = "This account is disabled. Ask an admin why."
_WELCOME = "/account?done=welcome"


class AccountPages:
    """All pages that let somebody in."""

    _log = Logger()

    def __init__(self, entrance: Entrance, new_uuid: Callable[[], str]) -> None:
        """
        @param new_uuid: makes the secrets of links: version 4 UUIDs.
        """
        self._entrance = entrance
        self._base = entrance.base
        self._visits = entrance.visits
        self._new_uuid = new_uuid

    def add(self, router: Router) -> None:
        """Add the pages."""
        router.add("/sign-in", get=self.sign_in, post=self.signed_in)
        router.add("/sign-out", get=lambda request: redirect(request, "/"), post=self.sign_out)
        router.add("/sign-up", get=self.sign_up, post=self.signed_up)
        router.add("/sign-up/{secret}", get=self.sign_up, post=self.signed_up)
        router.add("/setup/{secret}", get=self.set_up, post=self.was_set_up)
        router.add("/reset/{secret}", get=self.reset, post=self.was_reset)
        router.add("/forgot", get=self.forgot, post=self.forgotten)

    # In and out.

    def sign_in(self, request: PublicRequest) -> bytes:
        """The form to sign in."""
        back = way_back(parameter(request, "back"))
        return redirect(request, back) if self._visits.who(request) else self._sign_in(request, back)

    def _sign_in(self, request: PublicRequest, back: str, name: str = "", wrong: str = "") -> bytes:
        return self._base.page(
            request,
            "sign-in.html",
            UNPROCESSABLE if wrong else http.OK,
            title="Sign in",
            back=back,
            name=name,
            wrong=wrong,
            can_mail=self._entrance.can_mail,
            can_sign_up=self._entrance.rules.settings.sign_up == "open",
        )

    async def signed_in(self, request: PublicRequest) -> bytes:
        """Somebody filled it in."""
        form = self._visits.form(request)
        name, back = form.text("name").strip(), way_back(form.text("back"))
        account = await self._entrance.judge(request, name, form.text("password"))
        if account is None or account.disabled:
            # Who has the password may know how things are.
            return self._sign_in(request, back, name, _NO_MATCH if account is None else _DISABLED)
        await self._visits.begin(request, account, self._base.peer(request))
        return redirect(request, back)

    async def sign_out(self, request: PublicRequest) -> bytes:
        """Somebody goes."""
        self._visits.form(request)
        await self._visits.end(request)
        return redirect(request, "/")

    # New accounts.

    def sign_up(self, request: PublicRequest, secret: str = "") -> bytes:
        """The form to make an account, for everybody or by invitation."""
        self._may_sign_up(request, secret)
        back = way_back(parameter(request, "back"), _WELCOME)
        if self._visits.who(request) and not secret:
            return redirect(request, back)
        return self._newcomer(request, Newcomer("", "", "", {}), back=back)

    def _may_sign_up(self, request: PublicRequest, secret: str) -> Ticket | None:
        """
        May somebody make an account?

        @return: the invitation, if he has one.
        @raise Problem: he may not.
        """
        allowed = self._entrance.rules.settings.sign_up
        if allowed == "closed":
            raise Problem(http.FORBIDDEN, "Sign-up is closed. Ask an admin to create an account for you.")
        if secret:
            return self._entrance.opened(request, secret, "invite")
        if allowed == "invite":
            raise Problem(http.FORBIDDEN, "Sign-up is by invitation. Ask an admin for a link.")
        return None

    def _newcomer(self, request: PublicRequest, newcomer: Newcomer, admin: bool = False, back: str = "") -> bytes:
        return self._base.page(
            request,
            "sign-up.html",
            UNPROCESSABLE if newcomer.faults else http.OK,
            title=f"Set up {self._base.name}" if admin else "Create an account",
            newcomer=newcomer,
            admin=admin,
            back=back,
            can_mail=self._entrance.can_mail,
        )

    async def signed_up(self, request: PublicRequest, secret: str = "") -> bytes:
        """Somebody filled it in."""
        form = self._visits.form(request)
        ticket = self._may_sign_up(request, secret)
        back = way_back(form.text("back"), _WELCOME)
        newcomer = self._entrance.newcomer(form)
        if newcomer.faults or secret:
            return await self._admit(request, newcomer, ticket, back=back)
        place, sign_ups = self._entrance.place(request), self._entrance.limits.sign_ups
        sign_ups.spend(place)
        try:
            return await self._admit(request, newcomer, ticket, back=back)
        except Busy:
            sign_ups.take_back(place)
            raise

    async def _admit(
        self, request: PublicRequest, newcomer: Newcomer, ticket: Ticket | None, admin: bool = False, back: str = ""
    ) -> bytes:
        if not newcomer.faults:
            try:
                await self._entrance.admit(request, newcomer, admin, ticket)
                return redirect(request, back)
            except Refused as refused:
                newcomer = replace(newcomer, faults={refused.field or "name": sentence(str(refused))})
        return self._newcomer(request, newcomer, admin, back)

    def set_up(self, request: PublicRequest, secret: str) -> bytes:
        """The form to make the first admin."""
        self._may_set_up(request, secret)
        return self._newcomer(request, Newcomer("", "", "", {}), admin=True)

    def _may_set_up(self, request: PublicRequest, secret: str) -> Ticket:
        ticket = self._entrance.opened(request, secret, "setup")
        if self._entrance.accounts.admins():
            raise NotHere("This network already has an admin.")
        return ticket

    async def was_set_up(self, request: PublicRequest, secret: str) -> bytes:
        """Somebody filled it in."""
        form = self._visits.form(request)
        ticket = self._may_set_up(request, secret)
        return await self._admit(request, self._entrance.newcomer(form), ticket, admin=True, back="/admin")

    # Passwords that are forgotten, or were never set.

    def reset(self, request: PublicRequest, secret: str) -> bytes:
        """The form to set a password."""
        return self._reset(request, self._entrance.opened(request, secret, "reset"), {})

    def _reset(self, request: PublicRequest, ticket: Ticket, faults: Faults) -> bytes:
        account = self._entrance.accounts.named(ticket.account)
        assert account is not None
        return self._base.page(
            request,
            "reset.html",
            UNPROCESSABLE if faults else http.OK,
            title="Set a password",
            account=account,
            faults=faults,
        )

    async def was_reset(self, request: PublicRequest, secret: str) -> bytes:
        """Somebody filled it in: all that let anybody in with the account so far does so no more."""
        entrance = self._entrance
        form = self._visits.form(request)
        ticket = entrance.opened(request, secret, "reset")
        faults = entrance.faults_of(form, ticket.account)
        if faults:
            return self._reset(request, ticket, faults)
        kept = await entrance.passwords.kept(form.text("password"), entrance.place(request))
        await entrance.alter(
            ticket.account,
            lambda known: replace(known, password=kept),
            lambda: signed_out(entrance.accounts, ticket.account),
            if_open=ticket.digest,
        )
        account = entrance.accounts.named(ticket.account)
        if account is not None and not account.disabled:
            await self._visits.begin(request, account, self._base.peer(request))
        return redirect(request, "/account?done=password")

    def forgot(self, request: PublicRequest) -> bytes:
        """The form for who forgot a password."""
        self._check_mail()
        return self._forgot(request, was_sent=parameter(request, "done") is not None)

    def _check_mail(self) -> None:
        if not self._entrance.can_mail:
            raise NotHere("This network does not send mail. Ask an admin for a link to set a new password.")

    def _forgot(self, request: PublicRequest, was_sent: bool = False, wrong: str = "") -> bytes:
        return self._base.page(
            request,
            "forgot.html",
            UNPROCESSABLE if wrong else http.OK,
            title="Forgot your password?",
            was_sent=was_sent,
            wrong=wrong,
            lasts=span(LINK_HOURS["reset"] * HOUR),
        )

    def forgotten(self, request: PublicRequest) -> bytes:
        """Somebody filled it in. The answer is the same, and as quick, whether there is such an account or not."""
        form = self._visits.form(request)
        self._check_mail()
        name = form.text("name").strip()
        if not name:
            return self._forgot(request, wrong="Enter the name of your account.")
        self._entrance.limits.mails.spend(self._entrance.place(request))
        account = self._entrance.accounts.named(name)
        if account is not None and account.email and not account.disabled:
            self._write_to(account)
        return redirect(request, "/forgot?done=1")

    def _write_to(self, account: Account) -> None:
        """Send the owner of an account a link to set a new password; nobody waits for that."""
        limits, mail = self._entrance.limits.mails_to, self._entrance.mail
        if mail is None or not account.email or not limits.left(account.name):
            return
        limits.spend(account.name)
        to = account.email
        on = Occasion(self._base.now, self._new_uuid, account.name)
        made: dict[str, Any] = {}

        def make() -> Change | None:
            if self._entrance.accounts.named(account.name) != account:
                # It was changed, or is gone: a link is for the owner of now.
                return None
            change, result = link(self._entrance.accounts, "reset", account.name, on)
            made.update(result)
            return change

        def send(_: None) -> None:
            if made:
                mail.send(to, f"{self._base.name}: set a new password", self._letter(account.name, made["link"]))

        done = Deferred.fromCoroutine(self._entrance.executor.change(make))
        done.addCallback(send).addErrback(self._unwritten)

    def _unwritten(self, failure: Failure) -> None:
        self._log.failure("a link could not be made", failure)

    def _letter(self, name: str, path: str) -> str:
        return (
            f"Somebody, probably you, asked to set a new password for the account {name} on {self._base.name}.\n"
            f"To set one, open this link within {span(LINK_HOURS['reset'] * HOUR)}:\n\n"
            f"    {self._entrance.rules.address}{path}\n\n"
            "If it was not you, ignore this mail: your password stays the same.\n"
        )
