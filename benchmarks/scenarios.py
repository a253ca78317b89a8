"""What is measured: each scenario with its servers, its points and its figures."""

from __future__ import annotations

from typing import Final

from benchmarks import cluster, machine
from benchmarks.muds import GossipBesideMuds
from benchmarks.points import (
    ACK_CPU,
    ACKS,
    CPU,
    DELIVERIES,
    IDLE,
    JOIN_CPU,
    JOINS,
    KIB,
    P50,
    P99,
    Point,
    Scenario,
    Sizes,
)
from benchmarks.servers import (
    BRIDGE,
    Autobahn,
    BatchLimit,
    Gossip,
    Limit,
    Mosquitto,
    Nats,
    PythonLimit,
    Websockets,
)

STEADY: Final = 10_000
"""The fixed rate, in deliveries a second."""


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
        _muds(sizes),
        *cluster.scenarios(sizes),
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


def _muds(sizes: Sizes) -> Scenario:
    points = [
        Point(f"{sizes.usual} subscribers, W={window}", sizes.usual, ("-w", str(window), *_timed(sizes)))
        for window in (1, 8)
    ]
    return Scenario(
        "imc2",
        "Fan-out to the other games, with and without MUDs by IMC2 on the channel",
        (Gossip, GossipBesideMuds),
        tuple(points),
        (CPU, DELIVERIES),
        Gossip.name,
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
