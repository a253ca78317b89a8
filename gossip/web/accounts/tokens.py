"""
Tokens: what programs show, C{Authorization: Bearer TOKEN} (RFC 6750). Their owners make them on the page of
their account.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime
from twisted.web import http

from gossip.registry.addresses import place_of
from gossip.registry.changes import Account, Ticket
from gossip.service.service import GossipService
from gossip.web.accounts.attempts import MINUTE, Attempts
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Problem

GRANTS: Final = {"read": ("read",), "metrics": ("metrics",), "admin": ("read", "metrics", "admin")}
"""What a token of each scope is good for."""

WRONG: Final = 20
"""So many wrong tokens of one address are looked at in a quarter of an hour."""

_REALM: Final = b'Bearer realm="gossip"'


class ValidToken(Struct, frozen=True):
    """A token that is good, and whose it is."""

    account: Account
    ticket: Ticket

    def may(self, scope: str) -> bool:
        """Is it good for this? Only an admin's token is good for more than reading."""
        return scope in GRANTS.get(self.ticket.scope, ()) and (scope == "read" or self.account.admin)


class Tokens:
    """Knows programs by what they show."""

    def __init__(self, gossip: GossipService, clock: IReactorTime) -> None:
        self._gossip = gossip
        self._wrong = Attempts(clock, "wrong tokens", WRONG, 15 * MINUTE)

    def required(self, request: PublicRequest, peer: str, scope: str = "") -> ValidToken:
        """
        The token that comes with a request.

        @param peer: the address that it comes from.
        @param scope: what it must be good for; empty if any will do.
        @raise Problem: it is none, or not good for this.
        """
        kind, _, secret = (request.getHeader(b"authorization") or b"").strip().partition(b" ")
        if kind.lower() != b"bearer":
            raise _refused("This needs a token: Authorization: Bearer TOKEN. Create one on your account page.")
        subject = place_of(peer)
        # Counted before it is judged: a right one among many wrong ones must not be found.
        self._wrong.spend(subject)
        accounts = self._gossip.network.registry.accounts
        ticket = accounts.shown(secret.strip().decode("ascii", "replace"), "token", self._gossip.now().wall)
        account = None if ticket is None else accounts.named(ticket.account)
        if ticket is None or account is None:
            raise _refused("This token is invalid or has been revoked.", b'error="invalid_token"')
        self._wrong.take_back(subject)
        shown = ValidToken(account, ticket)
        if scope and not shown.may(scope):
            why = b'error="insufficient_scope", scope="%b"' % scope.encode()
            raise _refused(f"This needs a token with the scope {scope}.", why, http.FORBIDDEN)
        return shown


def _refused(text: str, why: bytes = b"", code: int = http.UNAUTHORIZED) -> Problem:
    return Problem(code, text, {b"WWW-Authenticate": b", ".join(filter(None, (_REALM, why)))})
