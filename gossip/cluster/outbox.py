"""
The outbox of a node: takes the place of the writer for the service, so that an answer leaves only when this node has
heard what it acknowledges, and nothing is written while it hears nobody.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from gossip.cluster.shared_store import Pending, scope_of
from gossip.network.relays import Relayed, SessionJoined
from gossip.registry.changes import (
    AuditExpired,
    Change,
    ChannelOpened,
    ChannelsRemoved,
    ChannelsUnused,
    GameOffline,
    GameOnline,
    GameSeen,
    MessageSaid,
    MessagesExpired,
    PlayerCountsExpired,
    PlayersCounted,
    RestrictionsExpired,
    TicketsExpired,
    TicketsRevoked,
    Together,
    UserAgentMet,
)
from gossip.service.writing import Settled

_UNJUDGED: Final = (
    MessageSaid,
    MessagesExpired,
    GameSeen,
    GameOnline,
    GameOffline,
    ChannelOpened,
    ChannelsUnused,
    UserAgentMet,
    PlayersCounted,
    PlayerCountsExpired,
    RestrictionsExpired,
    TicketsExpired,
    TicketsRevoked,
    AuditExpired,
)
"""Changes that hold whatever others did meanwhile."""


def is_judged(change: Change) -> bool:
    """Was a change checked against what is known, so that it holds only if that is still so?"""
    if isinstance(change, Together):
        return any(map(is_judged, change.changes))
    return not isinstance(change, _UNJUDGED) and not (isinstance(change, ChannelsRemoved) and change.unused)


class IGroups(Protocol):
    """The part of the writer that the outbox uses."""

    @property
    def pending(self) -> int: ...
    @property
    def groups(self) -> int: ...
    @property
    def trouble(self) -> str | None: ...
    def commit(self, change: Pending, done: Callable[[bool], object], wanted: bool) -> None: ...
    def probe(self) -> None: ...
    def barrier(self, done: Callable[[], object]) -> None: ...


class Outbox:
    """
    What this node writes.

    @ivar positions: how many judged changes of each scope this node has heard.
    """

    def __init__(self, writer: IGroups) -> None:
        self._writer = writer
        self._open = False
        self._held: deque[tuple[Pending, Settled, bool]] = deque()
        self._heard = 0
        self._written: deque[tuple[int, Settled]] = deque()
        self._barriers: list[Callable[[], object]] = []
        self.positions: defaultdict[str, int] = defaultdict(int)

    # What the service sees: a writer.

    @property
    def pending(self) -> int:
        """How many entries wait."""
        return self._writer.pending + len(self._held)

    @property
    def groups(self) -> int:
        """How many groups were settled so far."""
        return self._writer.groups

    @property
    def trouble(self) -> str | None:
        """Why nothing is kept at the moment; C{None} if all is well."""
        return self._writer.trouble if self._open else "deaf"

    def probe(self) -> None:
        """Find out whether changes would be kept."""
        self._writer.probe()

    def commit(self, change: Change, settled: Settled, wanted: bool) -> None:
        """Write a change, and say whether it is kept, once this node has heard it."""
        pending = Pending(change)
        if is_judged(change):
            pending.scope = scope_of(change)
            pending.seen = self.positions[pending.scope]
        # Others wait to hear a message, whether or not its sender waits for an answer.
        self._send(pending, settled, wanted or isinstance(change, MessageSaid))

    def relay(self, relay: Relayed, sessions: tuple[SessionJoined, ...], settled: Settled) -> None:
        """
        Tell the other nodes.

        @param sessions: how the sessions of this node stand that it is about.
        """
        self._send(Pending(relay, sessions), settled, True)

    def barrier(self, done: Callable[[], object]) -> None:
        """Call back when everything that was committed before is settled."""
        self._writer.barrier(partial(self._passed, done))

    def _passed(self, done: Callable[[], object]) -> None:
        if self._written:
            self._barriers.append(done)
        else:
            done()

    def _send(self, pending: Pending, settled: Settled, wanted: bool) -> None:
        if self._open:
            self._writer.commit(pending, partial(self._settle, pending, settled), wanted)
        else:
            self._held.append((pending, settled, wanted))

    def _settle(self, pending: Pending, settled: Settled, kept: bool) -> None:
        if not kept:
            settled(False, pending.stale)
        elif pending.group <= self._heard:
            settled(True)
        else:
            self._written.append((pending.group, settled))

    # What the stream brings.

    def heard(self, group: int) -> None:
        """This node has heard this group of its own, and all before it."""
        self._heard = max(group, self._heard)
        while self._written and self._written[0][0] <= self._heard:
            self._written.popleft()[1](True)
        if not self._written:
            barriers, self._barriers = self._barriers, []
            for done in barriers:
                done()

    def deaf(self) -> None:
        """This node hears nobody: what it has to say waits."""
        self._open = False

    def opened(self, positions: Mapping[str, int]) -> None:
        """
        This node has read everything anew, and hears the others.

        @param positions: how many judged changes of each scope were committed.
        """
        self.positions = defaultdict(int, positions)
        self._open = True
        # What was committed is known by now, whichever group it was in.
        if self._written:
            self.heard(self._written[-1][0])
        held, self._held = self._held, deque()
        for pending, settled, wanted in held:
            if isinstance(pending.entry, Relayed):
                # The sessions were told as they stand now.
                settled(False)
            else:
                if pending.scope is not None:
                    pending.seen = self.positions[pending.scope]
                self._send(pending, settled, wanted)
