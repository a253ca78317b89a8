"""
The outbox of a node: takes the place of the writer for the service, so that an answer leaves only when this node has
heard what it acknowledges, and nothing is written while it hears nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from gossip.cluster.judging import is_judged, scope_of
from gossip.cluster.pending import Pending
from gossip.cluster.wire import PROTOCOL
from gossip.network.relays import Relayed, SessionJoined
from gossip.registry.changes import Change, MessageSaid
from gossip.service.writing import Settled


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

    @ivar relays: how many relays were to be told.
    @ivar positions: how many judged changes of each scope this node has heard.
    @ivar protocol: what all nodes speak.
    @ivar ahead: how far the clock of the server is ahead of this machine's, in seconds, if that is worth a correction.
    """

    def __init__(self, writer: IGroups, most: int = 100_000) -> None:
        """
        @param most: the maximum number of entries that wait while this node is deaf. Further changes fail.
        """
        self._writer = writer
        self._open = False
        self._held: deque[tuple[Pending, Settled, bool]] = deque()
        self._heard = 0
        self._written: deque[tuple[int, Settled]] = deque()
        self._stale: list[tuple[Pending, Settled]] = []
        self._barriers: list[Callable[[], object]] = []
        self._most = most
        self.relays = 0
        self.positions: dict[str, int] = {}
        self.protocol = PROTOCOL
        self.ahead = 0.0

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
        if self.ahead and isinstance(change, MessageSaid):
            # All nodes show one time.
            change = replace(change, said_at=change.said_at + self.ahead)
        pending = Pending(change)
        if is_judged(change, self.protocol):
            pending.scope = scope_of(change)
            pending.seen = self.positions.get(pending.scope, 0)
        # Others wait to hear a message, whether or not its sender waits for an answer.
        self._send(pending, settled, wanted or isinstance(change, MessageSaid))

    def relay(self, relay: Relayed, sessions: tuple[SessionJoined, ...], settled: Settled) -> None:
        """
        Tell the other nodes.

        @param sessions: how the sessions of this node stand that it is about.
        """
        self.relays += 1
        self._send(Pending(relay, sessions), settled, True)

    def barrier(self, done: Callable[[], object]) -> None:
        """Call back when everything that was committed before is settled."""
        self._writer.barrier(partial(self._passed, done))

    def when_written(self, done: Callable[[], object]) -> None:
        """Call back when everything that was handed to the writer is settled, whether or not it was heard."""
        self._writer.barrier(done)

    def _passed(self, done: Callable[[], object]) -> None:
        if self._written:
            self._barriers.append(done)
        else:
            done()

    def _send(self, pending: Pending, settled: Settled, wanted: bool) -> None:
        if self._open:
            self._writer.commit(pending, partial(self._settle, pending, settled), wanted)
        elif len(self._held) < self._most or isinstance(pending.entry, Relayed):
            self._held.append((pending, settled, wanted))
        else:
            settled(False)

    def _settle(self, pending: Pending, settled: Settled, kept: bool) -> None:
        if not kept and pending.stale:
            # It is judged again by what was changed: that has to be heard first.
            if self._open and self.positions.get(pending.scope or "", 0) != pending.seen:
                settled(False, True)
            else:
                self._stale.append((pending, settled))
        elif not kept:
            settled(False)
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

    def judged(self, scope: str, number: int) -> None:
        """This node has heard judged changes of a scope, which is at this position now."""
        self.positions[scope] = number
        if not self._stale:
            return
        stale, self._stale = self._stale, []
        for pending, settled in stale:
            if pending.scope == scope:
                settled(False, True)
            else:
                self._stale.append((pending, settled))

    def deaf(self) -> None:
        """This node hears nobody: what it has to say waits."""
        self._open = False

    def refuse(self) -> None:
        """This node has been deaf for long: what waits fails. Its sessions must be told anew after this."""
        held, self._held = self._held, deque()
        for _, settled, _ in held:
            settled(False)

    def opened(self, positions: Mapping[str, int]) -> None:
        """
        This node has read everything anew, and hears the others.

        @param positions: how many judged changes of each scope were committed.
        """
        self.positions = dict(positions)
        self._open = True
        if self._writer.trouble is not None:
            # What it could not write last it might write now.
            self._writer.probe()
        # What was committed is known by now, whichever group it was in.
        if self._written:
            self.heard(self._written[-1][0])
        stale, self._stale = self._stale, []
        for _, settled in stale:
            settled(False, True)
        held, self._held = self._held, deque()
        for pending, settled, wanted in held:
            if pending.scope is None:
                self._send(pending, settled, wanted)
            else:
                # It was judged by what was known before.
                settled(False, True)
