"""The writer, as the service sees it: where changes and relays go, and whether it does its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from gossip.network.relays import Relayed, SessionJoined
from gossip.registry.changes import Change

STUCK_SECONDS: Final = 10.0
"""The writer counts as stuck when it has had work for this many seconds and settled nothing."""

QUIET_SECONDS: Final = 30.0
"""
After this many seconds without a commit, the writer is asked to try one that changes nothing: the health of a network
where nobody speaks must be true as well. One small write to the disk in this time is next to nothing.
"""


class Settled(Protocol):
    """
    Is told how a change went.

    @param kept: whether it is on disk.
    @param stale: whether it was not kept since another node was first. This node has heard by now what that changed.
    """

    def __call__(self, kept: bool, stale: bool = False) -> None: ...


class IRelays(Protocol):
    """Takes relays to the other nodes of a network."""

    def relay(self, relay: Relayed, sessions: tuple[SessionJoined, ...], settled: Settled) -> None:
        """
        Tell the other nodes.

        @param sessions: how the sessions of this node stand that the relay is about.
        """


class IWriter(Protocol):
    """Where changes are kept: the store's writer."""

    @property
    def pending(self) -> int:
        """How many changes wait."""

    @property
    def groups(self) -> int:
        """How many groups of changes were settled so far; a probe is a group."""

    @property
    def trouble(self) -> str | None:
        """In a word, why the last group was not kept; C{None} if it was."""

    def probe(self) -> None:
        """Find out whether changes would be kept."""

    def commit(self, change: Change, settled: Settled, wanted: bool) -> None:
        """
        Keep a change, and say whether it is kept: later, and in the order of the calls.

        Where it is not wanted, nobody waits for that.
        """

    def barrier(self, done: Callable[[], None]) -> None:
        """Call back when every change committed before is settled; at once if none waits."""


class WriterHealth:
    """Does the writer do its work? If it has had nothing to do for a while, would it?"""

    def __init__(self, writer: IWriter, now: float) -> None:
        """
        @param now: in seconds on the steady clock.
        """
        self._writer = writer
        self._settled_groups = 0
        self._settled_at = now - QUIET_SECONDS
        self._probing = False
        self._stuck_since: float | None = None

    def tick(self, now: float) -> None:
        """Time went by. To be called each second."""
        writer = self._writer
        if writer.groups != self._settled_groups:
            self._settled_groups = writer.groups
            self._settled_at = now
            self._stuck_since = None
            self._probing = False
        elif writer.pending or self._probing:
            if self._stuck_since is None:
                self._stuck_since = now
        elif now - self._settled_at >= QUIET_SECONDS:
            self._probing = True
            writer.probe()

    def word(self, now: float) -> str:
        """C{ok}, or in a word what is wrong."""
        if self._writer.trouble is not None:
            return self._writer.trouble
        stuck = self._stuck_since is not None and now - self._stuck_since > STUCK_SECONDS
        return "stuck" if stuck else "ok"
