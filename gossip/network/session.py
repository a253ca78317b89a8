"""One connection's state in the network."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from gossip.network.ratelimit import Buckets
from gossip.protocol.flags import HISTORY
from gossip.registry.addresses import UNKNOWN, Address

if TYPE_CHECKING:
    from gossip.network.presence import Online


class Situation(enum.Enum):
    """Where a session stands."""

    NEW = "not authenticated"
    ACTIVE = "active"
    GONE = "gone"


class Session:
    """
    What the network knows of one connection. The network alone changes it; there are many, so it is small.

    @ivar peer: the address it came from.
    @ivar transport: the name of the transport that carries it.
    @ivar node: the node that holds its connection; empty for this one. A session of another node is a copy: it is in no
        audience, and nothing is sent to it.
    @ivar number: names it among the sessions of its node.
    @ivar situation: not authenticated, active or gone.
    @ivar online: the game that it belongs to, once it is active.
    @ivar supports: the flags that it may use.
    @ivar extensions: the extensions of the protocol that it was granted. What the network sends by itself to a session
        without them is the same as ever, to the byte.
    @ivar channels: what it is subscribed to, in that order.
    @ivar players: the players that it lists, in that order.
    @ivar beats: how many heartbeats it was asked for.
    @ivar unanswered: heartbeats since the last sign of life.
    @ivar opened_at: since when it is there, in seconds since the epoch.
    @ivar debug_until: until when requests without a ref are answered too, on the steady clock.
    @ivar buckets: its use of each rate that it has used.
    """

    __slots__ = (
        "beats",
        "buckets",
        "channels",
        "debug_until",
        "extensions",
        "node",
        "number",
        "online",
        "opened_at",
        "peer",
        "players",
        "situation",
        "supports",
        "transport",
        "unanswered",
    )

    def __init__(self, peer: Address = UNKNOWN, transport: str = "", node: str = "") -> None:
        self.peer = peer
        self.transport = transport
        self.node = node
        self.number = 0
        self.situation = Situation.NEW
        self.online: Online | None = None
        self.supports: frozenset[str] = frozenset()
        self.extensions: frozenset[str] = frozenset()
        self.channels: dict[str, None] = {}
        self.players: dict[str, None] = {}
        self.beats = 0
        self.unanswered = 0
        self.opened_at = 0.0
        self.debug_until = 0.0
        self.buckets: Buckets = {}

    @property
    def client_id(self) -> str:
        """The game that it belongs to; empty before it is active."""
        return "" if self.online is None else self.online.game.client_id

    @property
    def numbered(self) -> bool:
        """Is it told the numbers of messages?"""
        return HISTORY in self.supports or bool(self.extensions)
