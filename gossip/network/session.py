"""One connection's state in the network."""

from __future__ import annotations

import enum
from collections.abc import Iterable
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
    @ivar players: the players that it lists, in that order. They are changed by methods only.
    @ivar lists_players: whether it lists all of them. If not, its game may have others, and knows them itself.
    @ivar beats: how many heartbeats it was asked for.
    @ivar unanswered: heartbeats since the last sign of life.
    @ivar opened_at: since when it is there, in seconds since the epoch.
    @ivar debug_until: until when requests without a ref are answered too, on the steady clock.
    @ivar buckets: its use of each rate that it has used.
    """

    __slots__ = (
        "_lowered",
        "beats",
        "buckets",
        "channels",
        "debug_until",
        "extensions",
        "lists_players",
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
        self._lowered: frozenset[str] | None = None
        self.lists_players = True
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
    def through(self) -> str | None:
        """The client_id of the game that it speaks through, if it is one of a remote game."""
        return None if self.online is None else self.online.game.through

    def list_players(self, names: Iterable[str]) -> None:
        """It lists these players, and no others."""
        self.players = dict.fromkeys(names)
        self._lowered = None

    def list_player(self, name: str) -> None:
        """It lists one player more."""
        self.players[name] = None
        self._lowered = None

    def unlist_player(self, name: str) -> None:
        """It lists a player no longer, if it did."""
        self.players.pop(name, None)
        self._lowered = None

    def plays(self, lowered: str) -> bool:
        """
        Does it list a player? Names compare without case.

        @param lowered: the name in lower case.
        """
        if self._lowered is None:
            # Once until the list changes: a game can ask a hundred times a second for a name among thousands.
            self._lowered = frozenset(map(str.lower, self.players))
        return lowered in self._lowered

    @property
    def numbered(self) -> bool:
        """Is it told the numbers of messages?"""
        return HISTORY in self.supports or bool(self.extensions)
