"""Signing in and signing up: check passwords, count attempts, create and change accounts, open links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gossip.operations.executor import Executor
from gossip.registry.accounts import Accounts
from gossip.registry.addresses import Address
from gossip.registry.changes import AccountSaved, Change, TicketsRevoked, Together
from gossip.registry.entities import Account, Ticket
from gossip.registry.errors import Refused
from gossip.web.accounts import passwords
from gossip.web.accounts.attempts import AttemptLimits, TooManyAttempts
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.accounts.mail import Mail
from gossip.web.accounts.passwords import Busy, Passwords
from gossip.web.http.forms import Form
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import NotFound
from gossip.web.settings import WebRules
from gossip.web.views.formatting import sentence
from gossip.web.views.layout import Layout

FieldErrors = dict[str, str]
"""The errors of a form by the names of its fields; empty if it has none."""

MISMATCH: Final = "The passwords do not match."


class LinkExpired(NotFound):
    """The link no longer works, or never did."""

    def __init__(self) -> None:
        super().__init__("This link no longer works: it was used, replaced or has expired. Ask for another one.")


class SignUpForm(Struct, frozen=True):
    """
    A form to create an account, as it was filled in.

    @ivar errors: the errors in it.
    """

    name: str
    email: str
    password: str
    errors: FieldErrors


class SignIn:
    """
    Signs people in and up.

    @ivar layout: makes the pages.
    @ivar cookies: know who is signed in.
    @ivar executor: what removes accounts.
    @ivar rules: what the pages let people do.
    @ivar passwords: makes and checks hashes.
    @ivar mail: sends mail; C{None} if there is none.
    @ivar limits: how often something can be tried.
    """

    def __init__(
        self,
        layout: Layout,
        cookies: SessionCookies,
        executor: Executor,
        rules: WebRules,
        passwords: Passwords,
        mail: Mail | None = None,
    ) -> None:
        self.layout = layout
        self.cookies = cookies
        self.executor = executor
        self.rules = rules
        self.passwords = passwords
        self.mail = mail
        self.limits = AttemptLimits(layout.clock).shared(layout.gossip)

    @property
    def accounts(self) -> Accounts:
        """All accounts and tickets."""
        return self.layout.gossip.network.registry.accounts

    @property
    def can_mail(self) -> bool:
        """Whether mail can be sent."""
        return self.mail is not None and self.mail.is_configured

    def place(self, request: PublicRequest) -> Address:
        """The place that attempts count against."""
        return self.layout.peer(request).place

    async def check_password(self, request: PublicRequest, name: str, password: str) -> Account | None:
        """
        Check a name and a password.

        @return: the account, which may be disabled; C{None} if the name or the password is wrong.
        @raise Problem: there were too many attempts, or too many checks are waiting.
        """
        place = self.place(request)
        pair = name.lower()[:64], place
        self._spend(pair, place)
        account = self.accounts.named(name)
        kept = account.password if account else None
        try:
            right, better = await self.passwords.verify(password, kept, place)
        except Busy:
            self.limits.passwords.take_back(pair)
            self.limits.passwords_from.take_back(place)
            raise
        if not right:
            return None
        self.limits.passwords.forget(pair)
        self.limits.passwords_from.take_back(place)
        if better is not None:
            await self.change_account(
                name, lambda known: replace(known, password=better) if known.password == kept else known
            )
            kept = better
        # The account may have changed while its password was checked.
        account = self.accounts.named(name)
        return account if account is not None and account.password == kept else None

    def _spend(self, pair: tuple[str, Address], place: Address) -> None:
        # The address first: a blocked address must not fill the memory with names.
        self.limits.passwords_from.spend(place)
        try:
            self.limits.passwords.spend(pair)
        except TooManyAttempts:
            self.limits.passwords_from.take_back(place)
            raise

    async def change_account(
        self, name: str, alter: Callable[[Account], Account], *besides: Callable[[], Change], if_open: bytes = b""
    ) -> None:
        """
        Change an account, together with other changes: all of them are kept, or none.

        @param alter: makes the new account from the current one.
        @param besides: each makes another change.
        @param if_open: the digest of the link that allows the change; empty if none is needed.
        @raise LinkExpired: the link was used meanwhile.
        @raise Refused: the account would break a rule.
        """

        def make() -> Change | None:
            known = self.accounts.named(name)
            if if_open and if_open not in self.accounts.tickets:
                raise LinkExpired
            altered = known and alter(known)
            if altered is None or altered == known:
                return None
            return Together((AccountSaved(altered), *(each() for each in besides)))

        await self.layout.gossip.change(make)

    # New accounts.

    def read_sign_up(self, form: Form, admin: bool = False) -> SignUpForm:
        """Read and check a form to create an account."""
        name, email, password = form.text("name").strip(), form.text("email").strip(), form.text("password")
        account = Account(name=name, admin=admin, email=email or None, created_at=self.layout.now)
        errors = self.password_errors(form, name)
        if self.accounts.named(name) is not None:
            errors["name"] = f"The name {name} is taken."
        elif refused := self.refusal_of(account):
            errors[refused.field or "name"] = sentence(str(refused))
        return SignUpForm(name, email, password, errors)

    def password_errors(self, form: Form, name: str) -> FieldErrors:
        """The errors of a new password, which a form has twice."""
        password = form.text("password")
        if error := passwords.password_error(password, name):
            return {"password": error}
        return {} if form.text("again") == password else {"again": MISMATCH}

    def refusal_of(self, account: Account) -> Refused | None:
        """Why an account cannot be so, if it cannot."""
        network = self.layout.gossip.network
        settings = network.rules.settings
        try:
            network.registry.check(AccountSaved(account), settings.blocked_games, settings.blocked_accounts)
        except Refused as refused:
            return refused
        return None

    async def create_account(
        self, request: PublicRequest, filled: SignUpForm, admin: bool = False, ticket: Ticket | None = None
    ) -> None:
        """
        Create an account, and sign its owner in.

        @param ticket: the ticket of the link that allows it, which is used up.
        @raise LinkExpired: the link was used meanwhile.
        @raise Refused: the name was taken meanwhile.
        """
        kept = await self.passwords.hash(filled.password, self.place(request))
        account = Account(
            name=filled.name,
            password=kept,
            admin=admin,
            email=filled.email or None,
            created_at=self.layout.now,
        )

        def make() -> Change:
            if self.accounts.named(account.name) is not None:
                raise Refused("taken", "name", f"the name {account.name} is taken")
            if ticket is None:
                return AccountSaved(account)
            if ticket.digest not in self.accounts.tickets or (ticket.kind == "setup" and self.accounts.admins()):
                raise LinkExpired
            return Together((TicketsRevoked((ticket.digest,)), AccountSaved(account)))

        await self.layout.gossip.change(make)
        await self.cookies.sign_in(request, account, self.layout.peer(request))

    # Links.

    def open_link(self, request: PublicRequest, secret: str, kind: str) -> Ticket:
        """
        The ticket of a link. Looking at it does not use it up.

        @raise Problem: the link is invalid, or too many invalid ones came from this place.
        """
        place = self.place(request)
        if not self.limits.links.left(place):
            self.limits.links.spend(place)
        ticket = self.accounts.shown(secret, kind, self.layout.now)
        if ticket is None:
            self.limits.links.spend(place)
            raise LinkExpired
        return ticket
