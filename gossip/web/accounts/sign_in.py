"""What all ways in have in common: names and passwords are judged, tries are counted, links are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gossip.operations.executor import Executor
from gossip.registry.accounts import Accounts
from gossip.registry.addresses import place_of
from gossip.registry.changes import Account, AccountSaved, Change, Ticket, TicketsRevoked, Together
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
"""What is wrong with the fields of a form, by their names; nothing if all is well."""

MISMATCH: Final = "The passwords do not match."


class LinkExpired(NotFound):
    """A link that is good no more, or never was."""

    def __init__(self) -> None:
        super().__init__("This link no longer works: it was used, replaced or has expired. Ask for another one.")


class SignUpForm(Struct, frozen=True):
    """
    What somebody fills in who makes an account.

    @ivar errors: what is wrong with it.
    """

    name: str
    email: str
    password: str
    errors: FieldErrors


class SignIn:
    """
    Where people come in.

    @ivar layout: what pages are made with.
    @ivar cookies: know who is signed in.
    @ivar executor: what removes accounts.
    @ivar rules: what the pages let people do.
    @ivar passwords: makes and checks hashes.
    @ivar mail: writes to people, if the operator lets it.
    @ivar limits: how often something may be tried.
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
        self.limits = AttemptLimits(layout.clock)

    @property
    def accounts(self) -> Accounts:
        """All accounts and tickets."""
        return self.layout.gossip.network.registry.accounts

    @property
    def can_mail(self) -> bool:
        """Can people be written to?"""
        return self.mail is not None and self.mail.is_configured

    def place(self, request: PublicRequest) -> str:
        """What tries are counted of."""
        return place_of(self.layout.peer(request))

    async def check_password(self, request: PublicRequest, name: str, password: str) -> Account | None:
        """
        Whose are a name and a password?

        @return: the account, which may be disabled; C{None} if the two do not belong together.
        @raise Problem: it was tried too often, or too many others try.
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
        # It may have become another one while its password was judged.
        account = self.accounts.named(name)
        return account if account is not None and account.password == kept else None

    def _spend(self, pair: tuple[str, str], place: str) -> None:
        # In this order: who may try nothing more from his address cannot fill our memory with names.
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
        Change an account, and what belongs to that, together.

        @param alter: makes the new account of the one that is known by then.
        @param besides: each makes a change that is kept with it, or neither is.
        @param if_open: the digest of a link; nothing is changed if it is used by then.
        @raise LinkExpired: the link is used by then.
        @raise Refused: the account cannot be so.
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

    def read_sign_up(self, form: Form) -> SignUpForm:
        """Read what somebody filled in who makes an account, and judge it."""
        name, email, password = form.text("name").strip(), form.text("email").strip(), form.text("password")
        account = Account(name=name, email=email or None, created_at=self.layout.now)
        errors = self.password_errors(form, name)
        if self.accounts.named(name) is not None:
            errors["name"] = f"The name {name} is taken."
        elif refused := self.refusal_of(account):
            errors[refused.field or "name"] = sentence(str(refused))
        return SignUpForm(name, email, password, errors)

    def password_errors(self, form: Form, name: str) -> FieldErrors:
        """What is wrong with a new password, which is filled in twice."""
        password = form.text("password")
        if error := passwords.password_error(password, name):
            return {"password": error}
        return {} if form.text("again") == password else {"again": MISMATCH}

    def refusal_of(self, account: Account) -> Refused | None:
        """Why an account cannot be so, if it cannot."""
        registry = self.layout.gossip.network.registry
        try:
            registry.check(AccountSaved(account), self.layout.gossip.network.rules.settings.blocked_games)
        except Refused as refused:
            return refused
        return None

    async def create_account(
        self, request: PublicRequest, filled: SignUpForm, admin: bool = False, ticket: Ticket | None = None
    ) -> None:
        """
        Make an account, and sign its owner in.

        @param ticket: the link that lets him do it, which is used up by it.
        @raise LinkExpired: somebody else used the link.
        @raise Refused: somebody else has the name.
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
        The ticket that a link shows. To look at it does not use it up.

        @raise Problem: it is no good, or somebody tried too many that are not.
        """
        place = self.place(request)
        if not self.limits.links.left(place):
            self.limits.links.spend(place)
        ticket = self.accounts.shown(secret, kind, self.layout.now)
        if ticket is None:
            self.limits.links.spend(place)
            raise LinkExpired
        return ticket
