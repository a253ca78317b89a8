"""What is measured: each scenario with its servers, its points and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks import machine
from benchmarks.servers import (
    BRIDGE,
    Autobahn,
    BatchLimit,
    Gossip,
    Limit,
    Mosquitto,
    Nats,
    PythonLimit,
    Server,
    Websockets,
)

STEADY: Final = 10_000
"""The fixed rate, in deliveries a second."""

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

    @property
    def games(self) -> int:
        """How many games must be registered."""
        return max(*self.subscribers, *self.growth, self.usual, self.crowd, self.tls_crowd, self.joining, self.speakers)


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
    """

    name: str
    games: int
    arguments: tuple[str, ...] = ()
    door: str = "plain"
    rate: float = 0.0
    half_of: str = ""


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


def scenarios(sizes: Sizes) -> list[Scenario]:
    """All of them."""
    return [
        _fanout(sizes),
        _latency(sizes),
        _slow_readers(sizes),
        _durable(sizes),
        _joining(sizes),
        _memory(sizes),
        _heartbeats(sizes),
        _growth(sizes),
    ]


def _timed(sizes: Sizes) -> tuple[str, ...]:
    return ("-t", str(sizes.seconds), "-W", str(sizes.warm_up))


def _fanout(sizes: Sizes) -> Scenario:
    points = [
        Point(f"{audience} subscribers, W={window}", audience, ("-w", str(window), *_timed(sizes)))
        for audience in sizes.subscribers
        for window in (1, 8)
    ]
    # Those eight come from one game; in this one everybody speaks.
    speakers = ("-m", str(min(8, sizes.usual)))
    points.append(
        Point(f"{sizes.usual} subscribers, W=8 of 8 games", sizes.usual, ("-w", "8", *speakers, *_timed(sizes)))
    )
    return Scenario(
        "fanout",
        "Fan-out: one message to all subscribers, W messages in flight",
        (Gossip, Limit, BatchLimit, PythonLimit, Websockets, Autobahn, Nats, Mosquitto),
        tuple(points),
        (CPU, DELIVERIES),
        Limit.name,
    )


def _latency(sizes: Sizes) -> Scenario:
    return Scenario(
        "latency",
        f"Latency at a steady {STEADY:,} deliveries a second",
        (Gossip, Limit, PythonLimit, Websockets, Autobahn, Nats, Mosquitto),
        (Point(f"{sizes.usual} subscribers", sizes.usual, _timed(sizes), rate=STEADY),),
        (P50, P99, CPU),
        Limit.name,
    )


def _slow_readers(sizes: Sizes) -> Scenario:
    # Long messages: in full size the stalled ones fill what the kernel holds for them (some 4 MiB) within 20 seconds,
    # then their backlog, and are cut off.
    arguments = ("-b", "4000", "-t", str(sizes.slow_seconds), "-W", str(sizes.warm_up))
    stalled = ("-x", "10")
    return Scenario(
        "slow",
        f"Slow readers at a steady {STEADY:,} deliveries a second of 4000 bytes: latency of the other readers",
        (Gossip,),
        (
            Point("all read", sizes.usual, arguments, rate=STEADY),
            Point("one in ten stalled", sizes.usual, (*arguments, *stalled), rate=STEADY),
        ),
        (P50, P99, CPU),
        "all read",
    )


def _durable(sizes: Sizes) -> Scenario:
    games = ("-a", *_timed(sizes))
    return Scenario(
        "durable",
        "Durable: acknowledged sends, which are on disk",
        (Gossip,),
        (
            Point("64 in flight", sizes.speakers, ("-w", "64", *games)),
            Point("512 in flight", sizes.speakers, ("-w", "512", *games)),
            Point("at half that rate", sizes.speakers, games, half_of="512 in flight"),
        ),
        (ACKS, P50, P99, ACK_CPU),
        "512 in flight",
    )


def _joining(sizes: Sizes) -> Scenario:
    return Scenario(
        "joining",
        "Joining: connect, upgrade, authenticate, subscribe",
        (Gossip, Websockets, Autobahn),
        (Point(f"{sizes.joining} games, 64 at a time", sizes.joining),),
        (JOINS, JOIN_CPU),
        Autobahn.name,
    )


def _memory(sizes: Sizes) -> Scenario:
    idle = ("-i", "0.5")
    points = [
        Point(f"{sizes.crowd} plain", sizes.crowd, idle),
        Point(f"{sizes.crowd} with deflate", sizes.crowd, (*idle, "-z")),
    ]
    if machine.can_do_tls():
        points.append(Point(f"{sizes.tls_crowd} with TLS", sizes.tls_crowd, (*idle, "-T"), door="tls"))
    if BRIDGE:
        line = (*idle, "-P", "line")
        points.append(Point(f"{sizes.bridge_crowd} on the bridge", sizes.bridge_crowd, line, door="telnet"))
        points.append(Point(f"{sizes.bridge_crowd} with MCCP2", sizes.bridge_crowd, (*line, "-z"), door="telnet"))
    return Scenario(
        "memory",
        "Memory of an idle, authenticated connection",
        (Gossip, Websockets, Autobahn),
        tuple(points),
        (KIB,),
        Autobahn.name,
        fresh=True,
    )


def _heartbeats(sizes: Sizes) -> Scenario:
    return Scenario(
        "heartbeats",
        "Heartbeats: idle games",
        (Gossip,),
        (Point(f"{sizes.crowd} idle games", sizes.crowd, ("-i", str(sizes.idle))),),
        (IDLE,),
        Gossip.name,
    )


def _growth(sizes: Sizes) -> Scenario:
    return Scenario(
        "growth",
        "Growth: the cost of a delivery with few and with many connections, W=1",
        (Gossip, Limit, PythonLimit),
        tuple(Point(f"{games} subscribers", games, ("-w", "1", *_timed(sizes))) for games in sizes.growth),
        (CPU, P99),
        Limit.name,
    )
