"""
Which of the other nodes are alive, by the beats that each writes into the database.

No clocks are compared. A node is gone when its beats have stood still for a whole lease, in which this one heard the
database all the time: after an outage each has a fresh lease.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gossip.cluster.wire import PROTOCOL

BEAT: Final = 2.0
"""How often a node writes that it is alive, in seconds."""


class Member(Struct, frozen=True):
    """
    A node, as the database shows it.

    @ivar epoch: its life, a UUID.
    @ivar beats: grows while it lives.
    @ivar protocol: the latest that it speaks; see L{gossip.cluster.wire.PROTOCOL}.
    @ivar version: of gossip.
    @ivar address: where it listens, for people.
    @ivar settings: a digest of the settings that must be the same everywhere.
    @ivar started_at: when its process started, in seconds since the epoch.
    @ivar ahead: how far the clock of the server is ahead of its own, in seconds.
    @ivar behind: how late it hears what all nodes write, in seconds.
    @ivar draining: whether it takes no new games.
    """

    name: str
    epoch: str
    beats: int
    protocol: int = PROTOCOL
    version: str = ""
    address: str = ""
    settings: str = ""
    started_at: float = 0.0
    ahead: float = 0.0
    behind: float = 0.0
    draining: bool = False


class Beat(Struct, frozen=True):
    """
    What a node writes of itself every few seconds. See L{Member}.
    """

    settings: str = ""
    ahead: float = 0.0
    behind: float = 0.0
    draining: bool = False


class Look(Struct, frozen=True):
    """
    What a node sees when it beats.

    @ivar alive: whether this life of it is known still.
    @ivar members: all nodes.
    @ivar now: the time of the server, in seconds since the epoch.
    @ivar queue: how full the queue of notifications is: 1 is full.
    """

    alive: bool
    members: list[Member]
    now: float
    queue: float


class Members:
    """Judges which nodes are gone."""

    def __init__(self, name: str, lease: float) -> None:
        """
        @param name: of this node, which is not judged.
        @param lease: how many seconds a silent node counts as alive.
        """
        self._name = name
        self._lease = lease
        self._seen: dict[tuple[str, str], tuple[int, float]] = {}

    def deaf(self) -> None:
        """This node hears the database no longer, so that it cannot tell who else is silent."""
        self._seen.clear()

    def beat(self, members: Iterable[Member], now: float) -> list[Member]:
        """
        The database shows these nodes.

        @param now: in seconds on the steady clock.
        @return: those that are gone.
        """
        seen = {}
        gone = []
        for member in members:
            if member.name == self._name:
                continue
            life = member.name, member.epoch
            beats, since = self._seen.get(life, (member.beats, now))
            if beats != member.beats:
                since = now
            seen[life] = member.beats, since
            if now - since >= self._lease:
                gone.append(member)
        self._seen = seen
        return gone
