"""What a node has to write."""

from __future__ import annotations

from msgspec import Struct

from gossip.cluster.wire import Entry
from gossip.network.relays import SessionJoined


class Pending(Struct, eq=False):
    """
    An entry that waits to be written.

    @ivar sessions: for a relay, how the sessions of this node stand that it changes.
    @ivar scope: for a change that was judged by what is known, which part of that
        (L{gossip.cluster.judging.scope_of}).
    @ivar seen: the position of the scope when it was judged. If somebody else was first, the change is stale.
    @ivar group: the number of the group that it was written in.
    @ivar stale: whether somebody else was first.
    """

    entry: Entry
    sessions: tuple[SessionJoined, ...] = ()
    scope: str | None = None
    seen: int = 0
    group: int = 0
    stale: bool = False
