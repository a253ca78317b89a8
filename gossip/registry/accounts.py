"""
Accounts on the pages, and the tickets that give access: cookies of browsers, links, and tokens of programs.

The network itself does not use them. They are here because they are stored and changed like everything else.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from gossip.registry.changes import AccountRemoved, AccountSaved, TastesSaved
from gossip.registry.entities import Account, Tastes, Ticket
from gossip.registry.errors import Refused
from gossip.registry.names import ECHO_PLAYER, NETWORK_PLAYER, Namesakes, resembles
from gossip.registry.secret import digest

ACCOUNT_NAME: Final = re.compile("[A-Za-z][A-Za-z0-9_-]{2,19}")
"""The names that accounts may have. On channels they appear as C{NAME@gossip}."""

ACCOUNTS: Final = 100_000
"""The maximum number of accounts."""

TICKETS: Final = 20
"""The maximum number of tickets of one kind for an account. One more replaces the oldest."""

IGNORED: Final = 200
"""The maximum number of players and games that an account can ignore."""

EMAIL: Final = re.compile(
    r"(?=[^@]{1,64}@[^@]{1,180}\Z)"
    r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
)
"""Email addresses that need no quoting in any header."""


class Accounts:
    """
    All accounts and tickets. Read them freely; only the registry changes them.

    @ivar all: the accounts, by name in lower case.
    @ivar tickets: the tickets, by digest.
    @ivar tastes: what people want to see of the talk, by the name of their account in lower case.
    """

    def __init__(self) -> None:
        self.all: dict[str, Account] = {}
        self.tickets: dict[bytes, Ticket] = {}
        self.tastes: dict[str, Tastes] = {}
        self._namesakes = Namesakes()

    def named(self, name: str) -> Account | None:
        """The account with this name; C{None} if there is none. Names compare without case."""
        return self.all.get(name.lower())

    def shown(self, secret: str, kind: str, now: float) -> Ticket | None:
        """
        The valid ticket with this secret.

        @param kind: the kind of ticket that is accepted.
        @param now: seconds since the epoch.
        @return: the ticket; C{None} if it is unknown, of another kind or expired, or its account is disabled.
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
        """The tickets of an account that are of these kinds, the oldest first."""
        found = [each for each in self.tickets.values() if each.account == name and each.kind in kinds]
        return sorted(found, key=lambda each: each.made_at)

    def tastes_of(self, name: str) -> Tastes:
        """What somebody wants to see of the talk."""
        return self.tastes.get(name.lower()) or Tastes(name)

    def admins(self) -> list[Account]:
        """The accounts of admins that can sign in."""
        return [account for account in self.all.values() if account.admin and not account.disabled]

    def check(
        self,
        change: AccountSaved | AccountRemoved | TastesSaved,
        blocked: tuple[str, ...],
        for_admins: tuple[str, ...] = (),
    ) -> None:
        """
        Check a change.

        @param blocked: names that no new account may have, nor one that looks like them.
        @param for_admins: names that only accounts of admins may have.
        @raise Refused: it is not allowed; nothing was changed.
        """
        if isinstance(change, AccountRemoved):
            if self.named(change.name) is None:
                raise Refused("not-found", "name", "no such account")
            return
        if isinstance(change, TastesSaved):
            if self.named(change.tastes.account) is None:
                raise Refused("not-found", None, "no such account")
            if len(change.tastes.ignored) > IGNORED:
                raise Refused("too-many", "who", f"you can ignore at most {IGNORED} players and games")
            return
        account = change.account
        known = self.named(account.name)
        if not ACCOUNT_NAME.fullmatch(account.name):
            raise Refused("invalid", "name", "a name has 3 to 20 letters, digits, - and _, and begins with a letter")
        # On channels its messages would look like those of the network itself. Operators cannot allow it.
        reserved = (NETWORK_PLAYER, ECHO_PLAYER, *blocked, *(() if account.admin else for_admins))
        if known is None and resembles(account.name, reserved):
            raise Refused("reserved", "name", f"the name {account.name} is reserved")
        if known is None and self._namesakes.others(account.name):
            raise Refused("taken", "name", f"the name {account.name} looks like one that is taken")
        if known is not None and (known.name, known.created_at) != (account.name, account.created_at):
            raise Refused("taken", "name", f"the name {account.name} is taken")
        if known is None and len(self.all) >= ACCOUNTS:
            raise Refused("too-many", None, "there are too many accounts")
        if account.email is not None and not EMAIL.fullmatch(account.email):
            raise Refused("invalid", "email", "this is not a valid email address")

    def save(self, account: Account) -> None:
        """Add an account, or replace the one with the same name."""
        if account.name.lower() not in self.all:
            self._namesakes.add(account.name, account.name.lower())
        self.all[account.name.lower()] = account

    def remove(self, name: str) -> None:
        """Remove an account, its tickets and its tastes."""
        self.tastes.pop(name.lower(), None)
        if self.all.pop(name.lower(), None) is not None:
            self._namesakes.remove(name, name.lower())
        for ticket in [each for each in self.tickets.values() if each.account == name]:
            del self.tickets[ticket.digest]

    def save_tastes(self, tastes: Tastes) -> None:
        """Keep what somebody wants to see of the talk."""
        self.tastes[tastes.account.lower()] = tastes

    def issue(self, ticket: Ticket) -> None:
        """Add a ticket."""
        self.tickets[ticket.digest] = ticket

    def revoke(self, digests: tuple[bytes, ...]) -> None:
        """Remove tickets by their digests."""
        for each in digests:
            self.tickets.pop(each, None)

    def expired(self, by: float) -> tuple[bytes, ...]:
        """The digests of tickets that have expired by a time, in seconds since the epoch."""
        return tuple(each.digest for each in self.tickets.values() if each.expires is not None and each.expires <= by)
