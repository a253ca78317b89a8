"""The speaker of a message."""

from __future__ import annotations

from msgspec import Struct

from gossip.network.ratelimit import Buckets
from gossip.network.session import Session
from gossip.registry.addresses import UNKNOWN, Address
from gossip.registry.names import NETWORK_GAME, NETWORK_PLAYER


class Speaker(Struct, frozen=True):
    """
    Somebody who speaks: a player of a game, a person on the pages, or the network itself.

    @ivar client_id: the speaker's game; people on the pages belong to the network's own game; C{None} for the network
        itself, which no restriction, filter or rate limit holds for.
    @ivar game: the short name that others see.
    @ivar name: the name of the player, as it was sent.
    @ivar peer: the address that the speaker comes from.
    @ivar buckets: the use that a person on the pages makes of the rate limits; C{None} for no limit.
    @ivar session: the session of a game's player, which has limits of its own.
    """

    client_id: str | None
    game: str
    name: str
    peer: Address = UNKNOWN
    buckets: Buckets | None = None
    session: Session | None = None


NETWORK = Speaker(None, NETWORK_GAME, NETWORK_PLAYER)
"""The network itself."""
