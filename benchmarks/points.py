"""What a scenario is made of: its sizes, its points, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.servers import Server

HEARTBEAT: Final = 15
"""Seconds between two heartbeats of a game: a measurement of them covers whole turns."""


@dataclass(frozen=True)
class Sizes:
    """
    How much of everything.

    @ivar seconds: how long each point is measured in each round.
    @ivar warm_up: how long it runs before.
    @ivar subscribers: the sizes of the audience.
    @ivar usual: the audience of what is measured for one size only.
    @ivar growth: the numbers of connections over which the growth of cost is shown.
    @ivar crowd: how many idle games.
    @ivar tls_crowd: how many of them under TLS, which cost the most.
    @ivar bridge_crowd: how many on the telnet bridge.
    @ivar joining: how many join when that is measured.
    @ivar idle: for how many seconds the idle ones are watched.
    @ivar speakers: how many games wait for acknowledgements.
    @ivar slow_seconds: how long slow readers are borne.
    @ivar said: messages a second that nodes are told.
    @ivar writers: how many nodes write at once.
    @ivar groups: how many groups are written beside an old snapshot.
    @ivar remote: how many sessions other nodes have when one joins.
    @ivar storm: how many games a killed node had.
    @ivar kill_seconds: how long nodes are killed.
    """

    seconds: float = 3.0
    warm_up: float = 1.0
    subscribers: tuple[int, ...] = (10, 200, 1000)
    usual: int = 200
    growth: tuple[int, ...] = (100, 1000, 10_000)
    crowd: int = 10_000
    tls_crowd: int = 5000
    bridge_crowd: int = 900
    joining: int = 2000
    idle: float = 2 * HEARTBEAT
    speakers: int = 16
    slow_seconds: float = 30.0
    said: float = 100.0
    writers: int = 10
    groups: int = 10_000
    remote: int = 100_000
    storm: int = 5000
    kill_seconds: float = 20.0

    @property
    def games(self) -> int:
        """How many games must be registered."""
        return max(
            *self.subscribers,
            *self.growth,
            2 * self.usual,
            self.crowd,
            self.tls_crowd,
            self.joining,
            self.speakers,
            self.storm,
        )


FULL: Final = Sizes()
QUICK: Final = Sizes(
    seconds=1.0,
    warm_up=0.3,
    growth=(100, 1000),
    crowd=1000,
    tls_crowd=300,
    bridge_crowd=300,
    joining=500,
    idle=HEARTBEAT,
    slow_seconds=4.0,
    groups=2000,
    remote=10_000,
    storm=500,
)
TINY: Final = Sizes(
    seconds=0.1,
    warm_up=0.05,
    subscribers=(10,),
    usual=10,
    growth=(2, 5),
    crowd=8,
    tls_crowd=4,
    bridge_crowd=4,
    joining=8,
    idle=0.1,
    speakers=3,
    slow_seconds=0.3,
    writers=2,
    groups=10,
    remote=20,
    storm=8,
    kill_seconds=16.0,
)


@dataclass(frozen=True)
class Figure:
    """
    Something that is measured.

    @ivar key: what the load calls it.
    """

    key: str
    title: str
    unit: str


CPU: Final = Figure("cpu_us", "server CPU a delivery", "µs")
DELIVERIES: Final = Figure("deliveries_s", "deliveries a second", "/s")
P50: Final = Figure("p50", "median latency", "µs")
P99: Final = Figure("p99", "p99 latency", "µs")
KIB: Final = Figure("kib", "memory a connection", "KiB")
JOINS: Final = Figure("joins_s", "joins a second", "/s")
JOIN_CPU: Final = Figure("join_cpu_us", "server CPU a join", "µs")
ACKS: Final = Figure("deliveries_s", "acknowledged a second", "/s")
ACK_CPU: Final = Figure("cpu_us", "server CPU an acknowledgement", "µs")
IDLE: Final = Figure("idle_cpu_percent", "server CPU", "% of a core")


@dataclass(frozen=True)
class Point:
    """
    One load.

    @ivar games: how many games join.
    @ivar arguments: what else the load is told.
    @ivar door: where they come in.
    @ivar rate: deliveries a second; 0 for none in particular.
    @ivar half_of: the rate is half of what was reached in this other point, in the same round.
    @ivar each: so many games join at each of several daemons.
    @ivar probe: measures a server, in place of the load.
    """

    name: str
    games: int
    arguments: tuple[str, ...] = ()
    door: str = "plain"
    rate: float = 0.0
    half_of: str = ""
    each: bool = False
    probe: Callable[[Server], dict[str, float]] | None = None


@dataclass(frozen=True)
class Scenario:
    """
    Loads and servers that are compared.

    @ivar baseline: the server, or the point, that the others are told as multiples of.
    @ivar fresh: each measurement has a server of its own, since memory once used is not given back.
    """

    name: str
    title: str
    servers: tuple[type[Server], ...]
    points: tuple[Point, ...]
    figures: tuple[Figure, ...]
    baseline: str
    fresh: bool = False
