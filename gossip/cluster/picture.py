"""
The picture: all that a node reads in one snapshot when it joins, and where that meets the stream.

A node listens first and reads then. What it hears of transactions that the snapshot holds already is skipped, and all
else is applied, so that nothing is missing and nothing comes twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from gossip.network.relays import SessionJoined
from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.registry import Registry

_SNAPSHOT: Final = re.compile(r"([0-9]+):([0-9]+):((?:[0-9]+(?:,[0-9]+)*)?)")


class Snapshot(Struct, frozen=True):
    """
    Which transactions a snapshot of the database holds (PostgreSQL's documentation, table 9.83, pg_snapshot).

    @ivar first: all transactions below this one are over.
    @ivar end: none from this one on is over.
    @ivar running: those between the two that were not over.
    """

    first: int
    end: int
    running: frozenset[int]

    @classmethod
    def read(cls, text: str) -> Snapshot:
        """
        Read what C{pg_current_snapshot()} shows.

        @raise ValueError: that is something else.
        """
        found = _SNAPSHOT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:100]!r} is not a snapshot")
        return cls(int(found[1]), int(found[2]), frozenset(map(int, filter(None, found[3].split(",")))))

    def holds(self, transaction: int) -> bool:
        """Does the snapshot hold what this transaction did, if it was committed?"""
        return transaction < self.first or (transaction < self.end and transaction not in self.running)


class Picture(Struct, frozen=True):
    """
    All that a node needs to know.

    @ivar positions: how many changes of each scope were committed.
    @ivar epochs: the life that each node lives.
    @ivar sessions: the sessions of each other node.
    @ivar missed: the messages that this node has not heard, in the order of their numbers.
    @ivar protocols: what the nodes speak.
    @ivar removed: the latest removals, as they were made.
    """

    snapshot: Snapshot
    known: Registry
    positions: Mapping[str, int]
    epochs: Mapping[str, str]
    sessions: Mapping[str, Sequence[SessionJoined]]
    missed: Sequence[MessageSaid]
    protocols: Sequence[int] = ()
    removed: Sequence[MessagesRemoved] = ()
