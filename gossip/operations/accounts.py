"""
What an admin can do with accounts: who signs in on the pages, and the links that let somebody do it.

No operation knows a password: who gets an account, or has forgotten a password, gets a link and sets one. Links are
shown here and never again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gossip.operations.operation import Done, Occasion, Operation, Result
from gossip.protocol.text import timestamp
from gossip.registry.accounts import TICKETS, Accounts
from gossip.registry.changes import (
    Account,
    AccountRemoved,
    AccountSaved,
    Change,
    Game,
    GameSaved,
    Ticket,
    TicketIssued,
    TicketsRevoked,
    Together,
)
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest

HOUR: Final = 3600.0

LINK_HOURS: Final = {"setup": 24, "invite": 7 * 24, "reset": 24}
"""For how many hours each kind of link is good."""

LINK_PATHS: Final = {"setup": "/setup/", "invite": "/sign-up/", "reset": "/reset/"}
"""Where each kind of link leads: the secret stands behind it."""


def find_account(registry: Registry, name: str) -> Account:
    """
    An account by its name.

    @raise Refused: there is none.
    """
    account = registry.accounts.named(name)
    if account is None:
        raise Refused("no such account")
    return account


def issue(accounts: Accounts, ticket: Ticket) -> Change:
    """
    Issue a ticket. An account has only so many of a kind, and only the latest link to set a password is good; the same
    is true of the link to set up the network.
    """
    most = {"reset": 1, "setup": 1, "invite": 10**9}.get(ticket.kind, TICKETS)
    held = accounts.of(ticket.account, ticket.kind)
    gone = tuple(each.digest for each in held[: max(len(held) + 1 - most, 0)])
    issued = TicketIssued(ticket)
    return Together((TicketsRevoked(gone), issued)) if gone else issued


def link(accounts: Accounts, kind: str, account: str, on: Occasion) -> tuple[Change, Result]:
    """
    Make a link of a kind.

    @return: the change, and for people the path of the link and until when it is good.
    """
    secret = on.new_uuid()
    expires = on.now + LINK_HOURS[kind] * HOUR
    ticket = Ticket(
        digest=digest(secret), kind=kind, account=account, made_by=on.actor, made_at=on.now, expires=expires
    )
    return issue(accounts, ticket), {"link": LINK_PATHS[kind] + secret, "until": timestamp(expires)}


def signed_out(accounts: Accounts, name: str, *kinds: str, but: bytes = b"") -> TicketsRevoked:
    """
    End tickets of an account.

    @param kinds: of which kinds; all but invitations if none is named.
    @param but: the digest of one that stays.
    """
    ended = accounts.of(name, *(kinds or ("visit", "token", "reset")))
    return TicketsRevoked(tuple(each.digest for each in ended if each.digest != but))


class AccountAdd(Operation, frozen=True):
    """Make an account; its owner sets a password by the link."""

    wire = "account/add"

    name: str
    admin: bool = False
    email: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if registry.accounts.named(self.name) is not None:
            raise Refused(f"the name {self.name} is taken")
        account = Account(name=self.name, admin=self.admin, email=self.email or None, created_at=on.now)
        issued, made = link(registry.accounts, "reset", self.name, on)
        return Together((AccountSaved(account), issued)), {**shown_account(registry, account), **made}


class AccountList(Operation, frozen=True):
    """All accounts."""

    wire = "account/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        accounts = [registry.accounts.all[name] for name in sorted(registry.accounts.all)]
        # All games are looked at once: there may be many of both.
        owned: dict[str | None, list[Game]] = {}
        for game in registry.games.values():
            owned.setdefault(game.owner, []).append(game)
        return None, {"accounts": [_shown(account, owned.get(account.name, ())) for account in accounts]}


class AccountShow(Operation, frozen=True):
    """One account."""

    wire = "account/show"

    name: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, shown_account(registry, find_account(registry, self.name))


class AccountEdit(Operation, frozen=True):
    """Change an account. What is not given stays; who is disabled is signed out everywhere."""

    wire = "account/edit"

    name: str
    admin: bool | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    email: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, on: Occasion) -> Done:
        known = find_account(registry, self.name)
        account = replace(
            known,
            admin=known.admin if isinstance(self.admin, UnsetType) else self.admin,
            disabled=known.disabled if isinstance(self.disabled, UnsetType) else self.disabled,
            email=known.email if isinstance(self.email, UnsetType) else self.email or None,
        )
        if account == known:
            return None, shown_account(registry, known)
        if account.disabled or not account.admin:
            _keep_an_admin(registry, known)
        kinds: set[str] = set()
        if account.disabled and not known.disabled:
            kinds |= {"visit", "token", "reset"}
        if known.admin and not account.admin:
            kinds.add("token")
        if known.email is not None and account.email != known.email:
            # A link may have gone to the address that was.
            kinds.add("reset")
        change: Change = AccountSaved(account)
        if kinds:
            change = Together((change, signed_out(registry.accounts, known.name, *kinds)))
        return change, shown_account(registry, account)


class AccountReset(Operation, frozen=True):
    """Make a link by which the owner of an account can set a new password; the old one works until then."""

    wire = "account/reset"

    name: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        account = find_account(registry, self.name)
        if account.disabled:
            raise Refused("the account is disabled")
        issued, made = link(registry.accounts, "reset", account.name, on)
        return issued, {"name": account.name, **made}


class AccountInvite(Operation, frozen=True):
    """Make a link by which one person can sign up, also where nobody else can."""

    wire = "account/invite"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return link(registry.accounts, "invite", "", on)


class AccountRemove(Operation, frozen=True):
    """Forget an account; its games stay, and belong to nobody."""

    wire = "account/remove"

    name: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        account = find_account(registry, self.name)
        _keep_an_admin(registry, account)
        owned = tuple(GameSaved(replace(game, owner=None)) for game in registry.games_of(account.name))
        return Together((*owned, AccountRemoved(account.name))), shown_account(registry, account)


def _keep_an_admin(registry: Registry, leaving: Account) -> None:
    if registry.accounts.admins() == [leaving]:
        raise Refused("the last admin must stay one")


def shown_account(registry: Registry, account: Account) -> Result:
    """An account, as the admin is told of it. The hash of its password is nobody's business."""
    return _shown(account, registry.games_of(account.name))


def _shown(account: Account, games: Iterable[Game]) -> Result:
    return {
        "name": account.name,
        "admin": account.admin,
        "disabled": account.disabled,
        "email": account.email,
        "has_password": account.password is not None,
        "created_at": timestamp(account.created_at),
        "games": sorted(game.short_name for game in games),
    }


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    AccountAdd,
    AccountList,
    AccountShow,
    AccountEdit,
    AccountReset,
    AccountInvite,
    AccountRemove,
)
"""All that is here."""
