"""Logins of Intermud-3: a MUD proves itself by a number that the router gave it at its first login."""

from __future__ import annotations

import hmac
from typing import Final

from msgspec.structs import replace

from gossip.network.outputs import Commit, Outputs, Send
from gossip.network.session import Session
from gossip.protocol.errors import NOT_KEPT
from gossip.protocol.events import Authenticate, AuthenticateAsMud
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Authenticated, NotAuthenticated
from gossip.registry.addresses import Address
from gossip.registry.changes import I3IdentitySaved
from gossip.registry.entities import Game, I3Identity
from gossip.registry.registry import Registry
from gossip.registry.secret import digest

_NOTHING: Final = bytes(32)


class MudLogins:
    """
    Judges the numbers of MUDs.

    A MUD without the right one is let in, and gets a new one, in two cases: as long as its owner lets the first login
    have one, and from the address of its last login, as on other routers. The protocol is in clear text, and a number
    has 31 bits: it is worth no more than that.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def identify(self, event: AuthenticateAsMud, place: Address, now: Moment) -> Game | None:
        """
        Find the game that may log in by this.

        @param place: where it comes from.
        """
        identity = self._registry.i3.of(event.client_id or "")
        if identity is None:
            return None
        admitted = _is_right(identity, event) or _is_renewed(identity, event, place, now)
        return self._registry.games.get(identity.client_id) if admitted else None

    def welcome(self, session: Session, event: Authenticate, told: Authenticated) -> Outputs:
        """
        A session may join.

        @param told: the answer. It leaves at once, unless the login changes what is kept of a MUD.
        """
        identity = self._registry.i3.of(session.client_id)
        if identity is None or not isinstance(event, AuthenticateAsMud):
            return [Send(session, told)]
        new = replace(identity, address=str(session.peer.place), record=event.record)
        if not _is_right(identity, event):
            new = replace(new, digest=digest(event.new_secret), open_until=None)
            told = replace(told, new_secret=event.new_secret)
        if new == identity:
            return [Send(session, told)]
        failed = NotAuthenticated(event.ref, NOT_KEPT)
        return [Commit(I3IdentitySaved(new), (Send(session, told),), (Send(session, failed),))]


def _is_right(identity: I3Identity, event: AuthenticateAsMud) -> bool:
    return hmac.compare_digest(identity.digest or _NOTHING, digest(event.client_secret or ""))


def _is_renewed(identity: I3Identity, event: AuthenticateAsMud, place: Address, now: Moment) -> bool:
    is_open = identity.open_until is not None and identity.open_until > now.wall
    return is_open or (event.same_address and identity.address == str(place))
