"""
Tokens for programs, sent as C{Authorization: Bearer TOKEN} (RFC 6750). People create them on their account page.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime
from twisted.web import http

from gossip.registry.addresses import Address
from gossip.registry.entities import Account, Ticket
from gossip.service.service import GossipService
from gossip.web.accounts.attempts import MINUTE, Attempts
from gossip.web.http.requests import PublicRequest, bearer
from gossip.web.http.router import Problem

GRANTS: Final = {"read": ("read",), "metrics": ("metrics",), "admin": ("read", "metrics", "admin")}
"""The scopes that a token of each scope includes."""

WRONG: Final = 20
"""The maximum number of wrong tokens that are checked per address in 15 minutes."""

_REALM: Final = b'Bearer realm="gossip"'


class ValidToken(Struct, frozen=True):
    """A token that was accepted, and its account."""

    account: Account
    ticket: Ticket

    def may(self, scope: str) -> bool:
        """Whether the token includes a scope. Only an admin's token includes more than read."""
        return scope in GRANTS.get(self.ticket.scope, ()) and (scope == "read" or self.account.admin)


class Tokens:
    """Checks the tokens of requests."""

    def __init__(self, gossip: GossipService, clock: IReactorTime) -> None:
        self._gossip = gossip
        self._wrong = Attempts(clock, "wrong tokens", WRONG, 15 * MINUTE).shared(gossip, "tokens")

    def required(self, request: PublicRequest, peer: Address, scope: str = "") -> ValidToken:
        """
        The token of a request.

        @param peer: the address that the request comes from.
        @param scope: the scope that it must include; empty for any.
        @raise Problem: there is no valid token, or it does not include the scope.
        """
        secret = bearer(request)
        if secret is None:
            raise _refused("This needs a token: Authorization: Bearer TOKEN. Create one on your account page.")
        subject = peer.place
        # Counted before it is checked: a right one among many guesses must not be found.
        self._wrong.spend(subject)
        accounts = self._gossip.network.registry.accounts
        ticket = accounts.shown(secret, "token", self._gossip.now().wall)
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
