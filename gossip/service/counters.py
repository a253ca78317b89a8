"""Counts of what happened since the daemon started, and its status: plain numbers, the cheapest thing to keep."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final, NotRequired, TypedDict

from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent, Event, Malformed, Unknown

LATENCIES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""The upper bounds of the buckets of latencies, in seconds."""

_TOO_FAST: Final = frozenset(("rate-limited", "rate-limited-goodbye", "rate-limit-abuse"))
"""The codes of the errors for what came too fast."""

# A union in isinstance would be built anew for each event.
_NAMED: Final = (Event, Malformed)


class Counters:
    """
    What happened since the daemon started. Read and write them freely.

    @ivar events: what games sent, by kind: the wire's name, C{unknown} or C{unreadable}.
    @ivar failures: what games were refused, by kind of error.
    @ivar rate_limited: how many of those were for coming too fast.
    @ivar messages: what was said on channels.
    @ivar commit_seconds: how long the transactions of the writer took in all, in seconds.
    @ivar latencies: how many of them took at most each of L{LATENCIES}; the last number counts those that took longer.
    @ivar unkept: changes that could not be kept.
    @ivar stale: changes that were judged again, since another node was first.
    @ivar lags: how late the ticks of the service came, in the buckets of C{latencies}.
    @ivar lag_seconds: the sum of those delays, in seconds.
    """

    __slots__ = (
        "commit_seconds",
        "events",
        "failures",
        "lag_seconds",
        "lags",
        "latencies",
        "messages",
        "rate_limited",
        "stale",
        "unkept",
    )

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.rate_limited = 0
        self.messages = 0
        self.commit_seconds = 0.0
        self.latencies = [0] * (len(LATENCIES) + 1)
        self.unkept = 0
        self.stale = 0
        self.lags = [0] * (len(LATENCIES) + 1)
        self.lag_seconds = 0.0

    def received(self, event: ClientEvent) -> None:
        """A game sent something."""
        if isinstance(event, _NAMED):
            self.events[event.wire] += 1
        else:
            self.events["unknown" if isinstance(event, Unknown) else "unreadable"] += 1

    def failed(self, error: Error) -> None:
        """A game was refused something, for this reason."""
        # By kind and not by text: that may hold what a game wrote, which could make up labels without end.
        self.failures[error.kind.metric] += 1
        if error.code in _TOO_FAST:
            self.rate_limited += 1

    def committed(self, seconds: float) -> None:
        """The writer committed a group of changes, in this many seconds."""
        self.commit_seconds += seconds
        self.latencies[bisect_left(LATENCIES, seconds)] += 1

    def ticked(self, late: float) -> None:
        """A tick of the service came late, by this many seconds: the reactor was busy with something else."""
        self.lag_seconds += late
        self.lags[bisect_left(LATENCIES, late)] += 1


class Ending(TypedDict):
    """When a certificate ends: the names that it is for, and a time like C{2027-01-31T12:00:00Z}."""

    names: list[str]
    ends: str


class Status(TypedDict):
    """
    How the daemon is.

    C{uptime} is in seconds, C{connections} is their number by transport, C{sessions} have authenticated,
    C{sessions_by_transport} are the same ones, C{deliveries} is what was sent since the start, each receiver counted,
    C{queue} is how many changes wait for the writer, C{answers} how many answers wait for those, C{health} is C{ok}, or
    in a word what is wrong: C{stuck}, C{stopping}, or a L{Trouble<gossip.store.errors.Trouble>} of the database.
    C{listening} are the endpoint strings of its listeners, C{waits_for_restart} are the settings that were changed and
    that only a restart applies. C{certificates} are those of listeners with TLS, the one that ends first comes first.
    C{node} is the name of this node and C{nodes} are those of all, if several daemons share the network: then sessions,
    games and players are those of all of them.
    Transports add what they count, under keys of their own: C{telnet_bytes}.
    """

    version: str
    uptime: int
    connections: dict[str, int]
    sessions: int
    sessions_by_transport: dict[str, int]
    games: int
    players: int
    channels: int
    deliveries: int
    queue: int
    answers: int
    health: str
    listening: list[str]
    waits_for_restart: list[str]
    certificates: list[Ending]
    node: NotRequired[str]
    nodes: NotRequired[list[str]]
