"""
Who can sign in on the pages, and the tickets that let them in: cookies of browsers, links, tokens of programs.

The network itself asks for none of it. It is known here since it is kept and changed like all else that is known.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from gossip.registry.changes import Account, AccountRemoved, AccountSaved, Ticket
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_PLAYER
from gossip.registry.secret import digest

ACCOUNT_NAME: Final = re.compile("[A-Za-z][A-Za-z0-9_-]{2,19}")
"""The names of accounts. They are heard on channels as C{NAME@gossip}."""

ACCOUNTS: Final = 100_000
"""How many accounts there may be."""

TICKETS: Final = 20
"""How many tickets of a kind an account may have: of one more, the oldest goes."""

EMAIL: Final = re.compile(
    r"(?=[^@]{1,64}@[^@]{1,180}\Z)"
    r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
)
"""Addresses for mail: those that need no quoting in any header."""


class Accounts:
    """
    All accounts and tickets. Read them freely; only the registry changes them.

    @ivar all: the accounts, by their names in lower case.
    @ivar tickets: by their digests.
    """

    def __init__(self) -> None:
        self.all: dict[str, Account] = {}
        self.tickets: dict[bytes, Ticket] = {}

    def named(self, name: str) -> Account | None:
        """The account of this name; names compare without case."""
        return self.all.get(name.lower())

    def shown(self, secret: str, kind: str, now: float) -> Ticket | None:
        """
        The ticket that somebody shows, if it is good.

        @param now: seconds since the epoch.
        """
        ticket = self.tickets.get(digest(secret))
        if ticket is None or ticket.kind != kind or (ticket.expires is not None and ticket.expires <= now):
            return None
        if ticket.account:
            account = self.named(ticket.account)
            if account is None or account.disabled:
                return None
        return ticket if hmac.compare_digest(ticket.digest, digest(secret)) else None

    def of(self, name: str, *kinds: str) -> list[Ticket]:
        """The tickets of an account, the oldest first."""
        found = [each for each in self.tickets.values() if each.account == name and each.kind in kinds]
        return sorted(found, key=lambda each: each.made_at)

    def admins(self) -> list[Account]:
        """Who may do everything."""
        return [account for account in self.all.values() if account.admin and not account.disabled]

    def check(self, change: AccountSaved | AccountRemoved, blocked: tuple[str, ...]) -> None:
        """
        Can a change be?

        @param blocked: names that nobody may have.
        @raise Refused: it cannot.
        """
        if isinstance(change, AccountRemoved):
            if self.named(change.name) is None:
                raise Refused("not-found", "name", "no such account")
            return
        account = change.account
        known = self.named(account.name)
        if not ACCOUNT_NAME.fullmatch(account.name):
            raise Refused("invalid", "name", "a name has 3 to 20 letters, digits, - and _, and begins with a letter")
        # Heard on channels it would be the network itself, whatever an operator blocks.
        if known is None and account.name.lower() in {NETWORK_PLAYER, *(name.lower() for name in blocked)}:
            raise Refused("reserved", "name", f"the name {account.name} is not to be had")
        if known is not None and (known.name, known.created_at) != (account.name, account.created_at):
            raise Refused("taken", "name", f"the name {account.name} is taken")
        if known is None and len(self.all) >= ACCOUNTS:
            raise Refused("too-many", None, "there are too many accounts")
        if account.email is not None and not EMAIL.fullmatch(account.email):
            raise Refused("invalid", "email", "that is no address for mail")

    def save(self, account: Account) -> None:
        """An account is there, or different."""
        self.all[account.name.lower()] = account

    def remove(self, name: str) -> None:
        """An account is no more."""
        self.all.pop(name.lower(), None)
        for ticket in [each for each in self.tickets.values() if each.account == name]:
            del self.tickets[ticket.digest]

    def issue(self, ticket: Ticket) -> None:
        """A ticket lets somebody in."""
        self.tickets[ticket.digest] = ticket

    def revoke(self, digests: tuple[bytes, ...]) -> None:
        """Tickets let nobody in any more."""
        for each in digests:
            self.tickets.pop(each, None)

    def expired(self, by: float) -> tuple[bytes, ...]:
        """The tickets that ended by a time."""
        return tuple(each.digest for each in self.tickets.values() if each.expires is not None and each.expires <= by)
