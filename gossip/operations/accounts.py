"""
Operations on accounts, with which people sign in on the web pages, and on the links that let them in.

No operation sees a password. A person with a new account or a forgotten password gets a link, and sets a password
there. A link is shown once and cannot be shown again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gossip.operations.command import Block, Result, Table
from gossip.operations.listing import Listing, rest
from gossip.operations.operation import Done, Occasion, Operation
from gossip.protocol.text import timestamp
from gossip.registry.accounts import TICKETS, Accounts
from gossip.registry.changes import (
    AccountRemoved,
    AccountSaved,
    Change,
    ChannelSaved,
    GameSaved,
    TicketIssued,
    TicketsRevoked,
    Together,
)
from gossip.registry.entities import Account, Game, Ticket
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest

HOUR: Final = 3600.0

LINK_HOURS: Final = {"setup": 24, "invite": 7 * 24, "reset": 24}
"""How long each kind of link works, in hours."""

LINK_PATHS: Final = {"setup": "/setup/", "invite": "/sign-up/", "reset": "/reset/"}
"""The path of each kind of link; the secret follows."""


def find_account(registry: Registry, name: str, field: str = "name") -> Account:
    """
    Find an account by its name.

    @raise Refused: there is none.
    """
    account = registry.accounts.named(name)
    if account is None:
        raise Refused("not-found", field, "no such account")
    return account


def issue(accounts: Accounts, ticket: Ticket) -> Change:
    """
    Issue a ticket. Beyond a number of tickets of its kind the oldest ones of the account end. Of links to set a
    password only the latest works, and of links to set up the network the latest that each node logged.
    """
    most = {"reset": 1, "setup": 1, "invite": 10**9}.get(ticket.kind, TICKETS)
    held = accounts.of(ticket.account, ticket.kind)
    if ticket.kind == "setup":
        held = [each for each in held if each.made_by == ticket.made_by]
    gone = tuple(each.digest for each in held[: max(len(held) + 1 - most, 0)])
    issued = TicketIssued(ticket)
    return Together((TicketsRevoked(gone), issued)) if gone else issued


def link(accounts: Accounts, kind: str, account: str, on: Occasion) -> tuple[Change, Result]:
    """
    Make a link of a kind.

    @return: the change; and the path of the link with the time at which it expires, for people.
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

    @param kinds: the kinds of tickets; if none is named, all but invitations.
    @param but: the digest of a ticket that stays.
    """
    ended = accounts.of(name, *(kinds or ("visit", "token", "reset")))
    return TicketsRevoked(tuple(each.digest for each in ended if each.digest != but))


# What people see of results.


def _view_accounts(result: Result) -> Sequence[Block]:
    rows = [(each["name"], _state(each), each["email"] or "", ", ".join(each["games"])) for each in result["accounts"]]
    return (Table(("NAME", "STATE", "MAIL", "GAMES"), rows, "There is no account."), *rest(result))


def _view_account(result: Result) -> Sequence[Block]:
    shown = {
        "name": result["name"],
        "state": _state(result),
        "mail": result["email"],
        "games": ", ".join(result["games"]),
        "since": result["created_at"],
    }
    return (shown,)


def _view_link(result: Result) -> Sequence[Block]:
    # Where the pages are is not known here: the daemon or gossipctl adds the address.
    return result["address"], "", f"The link works once, until {result['until']}, and is not shown again."


def _state(account: Result) -> str:
    states = {
        "admin": account["admin"],
        "disabled": account["disabled"],
        "no password yet": not account["has_password"],
    }
    return ", ".join(name for name, is_so in states.items() if is_so) or "open"


class AccountAdd(Operation, frozen=True):
    """
    Create an account, and show the link with which its owner sets a password.

    @ivar name: the name of the account.
    @ivar admin: the account may do everything.
    @ivar email: where mail for the owner goes.
    """

    wire = "account/add"
    view = staticmethod(_view_link)
    may_be_first = True

    name: str
    admin: bool = False
    email: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if registry.accounts.named(self.name) is not None:
            raise Refused("taken", "name", f"the name {self.name} is taken")
        account = Account(name=self.name, admin=self.admin, email=self.email or None, created_at=on.now)
        issued, made = link(registry.accounts, "reset", self.name, on)
        return Together((AccountSaved(account), issued)), {**shown_account(registry, account), **made}


class AccountList(Listing, frozen=True):
    """List all accounts."""

    wire = "account/list"
    view = staticmethod(_view_accounts)
    entries = "accounts"

    def everything(self, registry: Registry) -> Collection[Account]:
        return registry.accounts.all.values()

    def key(self, entry: Account) -> str:
        return entry.name.lower()

    def text(self, entry: Account) -> str:
        return f"{entry.name} {entry.email or ''}"

    def shown(self, entries: Sequence[Account], registry: Registry, on: Occasion) -> list[Result]:
        return [_shown(account, registry.games_of(account.name)) for account in entries]


class AccountShow(Operation, frozen=True):
    """
    Show an account.

    @ivar name: the name of the account.
    """

    wire = "account/show"
    view = staticmethod(_view_account)

    name: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, shown_account(registry, find_account(registry, self.name))


class AccountEdit(Operation, frozen=True):
    """
    Change an account. What is not given stays. A disabled account is signed out everywhere, and moderates no channel
    any more.

    @ivar name: the name of the account.
    @ivar admin: the account may do everything.
    @ivar disabled: the account cannot sign in.
    @ivar email: where mail for the owner goes; an empty text removes the address.
    """

    wire = "account/edit"
    done = "Changed the account {name}."
    view = staticmethod(_view_account)

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
            # A link may have gone to the old address.
            kinds.add("reset")
        changes: list[Change] = [AccountSaved(account)]
        if kinds:
            changes.append(signed_out(registry.accounts, known.name, *kinds))
        if account.disabled:
            changes.extend(moderating_no_more(registry, known.name))
        return Together(tuple(changes)) if changes[1:] else changes[0], shown_account(registry, account)


class AccountReset(Operation, frozen=True):
    """
    Show a link with which the owner of an account sets a new password. The old password works until then.

    @ivar name: the name of the account.
    """

    wire = "account/reset"
    view = staticmethod(_view_link)

    name: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        account = find_account(registry, self.name)
        if account.disabled:
            raise Refused("conflict", "name", "the account is disabled")
        issued, made = link(registry.accounts, "reset", account.name, on)
        return issued, {"name": account.name, **made}


class AccountInvite(Operation, frozen=True):
    """Show a link with which one person can sign up, even if sign-up is closed to everybody else."""

    wire = "account/invite"
    view = staticmethod(_view_link)

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return link(registry.accounts, "invite", "", on)


class AccountRemove(Operation, frozen=True):
    """
    Remove an account. Its games stay, without an owner.

    @ivar name: the name of the account.
    """

    wire = "account/remove"
    question = "Remove the account {name}? Its games stay, without an owner."
    done = "Removed the account {name}."
    view = staticmethod(_view_account)

    name: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        account = find_account(registry, self.name)
        _keep_an_admin(registry, account)
        owned = tuple(GameSaved(replace(game, owner=None)) for game in registry.games_of(account.name))
        gone = (*owned, *moderating_no_more(registry, account.name), AccountRemoved(account.name))
        return Together(gone), shown_account(registry, account)


def moderating_no_more(registry: Registry, name: str) -> list[Change]:
    """An account no longer moderates any channel: whoever takes its name later must not."""
    channels = (registry.channels[channel] for channel in registry.moderated_by(name))
    return [ChannelSaved(replace(each, moderators=each.moderators - {name})) for each in channels]


def _keep_an_admin(registry: Registry, leaving: Account) -> None:
    if registry.accounts.admins() == [leaving]:
        raise Refused("conflict", "name", "the last admin must stay one")


def shown_account(registry: Registry, account: Account) -> Result:
    """An account as admins see it, without the hash of its password."""
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
"""All operations on accounts."""
