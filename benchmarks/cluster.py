"""What is measured of several nodes: K1 to K12 of their design, where a load can show it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import partial
from typing import IO, Final

from benchmarks import machine
from benchmarks.machine import CannotMeasure
from benchmarks.nodes import Alone, Database, Nodes, OneNode, SlowDatabase, SlowDisk, TwoNodes
from benchmarks.points import (
    CPU,
    JOIN_CPU,
    JOINS,
    P50,
    P99,
    Figure,
    Point,
    Scenario,
    Sizes,
)
from benchmarks.run import LoadFailed, Measured, load, load_command
from benchmarks.servers import Server
from benchmarks.soak import Several, soak

ALL_CPU: Final = Figure("all_cpu_us", "the same with PostgreSQL", "µs")
ACROSS_P50: Final = Figure("across_p50", "median latency to other nodes", "µs")
ACROSS_P99: Final = Figure("across_p99", "p99 latency to other nodes", "µs")
GROUPS: Final = Figure("groups_s", "groups a second", "/s")
HEARD: Final = Figure("heard_us", "a group is heard after", "µs")
JOINED: Final = Figure("joined_s", "a node knows all sessions after", "s")
KEPT: Final = Figure("kept_bytes", "memory a session", "bytes")
ACKNOWLEDGED: Final = Figure("acknowledged", "messages acknowledged", "")
KILLS: Final = Figure("kills", "kills", "")
LOST: Final = Figure("lost", "messages lost, or heard and not stored, or out of order", "")

SNAPSHOTS: Final = ("an old snapshot", "no snapshot")
"""The points at which a group is heard."""

WAYS: Final = ("as nodes do it", "told by the transaction that is flushed")
"""The points at which groups are written: the obvious way is the second."""

KILLED: Final = "20 games"
"""The point at which nodes are killed."""

WITHIN: Final = 600.0


def scenarios(sizes: Sizes) -> list[Scenario]:
    """All of them."""
    return [
        _talk(sizes),
        _disk(sizes),
        _writers(sizes),
        _kills(sizes),
        _storm(sizes),
        _joining(sizes),
        _snapshot(sizes),
    ]


def steady(sizes: Sizes) -> str:
    """The point at which talk is measured."""
    return f"{sizes.usual} games, {sizes.said:.0f} messages a second"


def busy(sizes: Sizes) -> str:
    """The point at which as much as possible is said."""
    return f"{sizes.usual} games a node, W=8"


def storm(sizes: Sizes) -> str:
    """The point at which the games of a killed node join."""
    return f"{sizes.storm} games"


def remote(sizes: Sizes) -> str:
    """The point at which a node joins."""
    return f"{sizes.remote:,} sessions"


def _talk(sizes: Sizes) -> Scenario:
    # With refs, as most games send: one daemon alone then writes as often as nodes do.
    timed = ("-A", "-t", str(sizes.seconds), "-W", str(sizes.warm_up))
    return Scenario(
        "cluster-talk",
        "Nodes: talk between games on two nodes, all of it acknowledged",
        (Alone, OneNode, TwoNodes),
        (
            Point(steady(sizes), sizes.usual, timed, rate=sizes.said * (sizes.usual - 1)),
            Point(busy(sizes), sizes.usual, ("-w", "8", *timed), each=True),
        ),
        (CPU, ALL_CPU, P50, P99, ACROSS_P50, ACROSS_P99),
        Alone.name,
    )


def _disk(sizes: Sizes) -> Scenario:
    timed = ("-t", str(sizes.seconds), "-W", str(sizes.warm_up))
    point = Point(steady(sizes), sizes.usual, timed, rate=sizes.said * (sizes.usual - 1))
    return Scenario(
        "cluster-disk",
        "Nodes on a slow disk: each flush takes 5 ms longer",
        (TwoNodes, SlowDisk),
        (point,),
        (ACROSS_P50, ACROSS_P99),
        TwoNodes.name,
    )


def _writers(sizes: Sizes) -> Scenario:
    return Scenario(
        "cluster-writers",
        f"Nodes that write at once on a slow disk: {sizes.writers} of them",
        (SlowDatabase,),
        (
            Point(WAYS[0], 0, probe=partial(_write, "write", sizes)),
            Point(WAYS[1], 0, probe=partial(_write, "flush", sizes)),
        ),
        (GROUPS,),
        WAYS[1],
        fresh=True,
    )


def _kills(sizes: Sizes) -> Scenario:
    return Scenario(
        "cluster-kills",
        "Nodes that are killed under load",
        (TwoNodes,),
        (Point(KILLED, 0, probe=partial(_kill, sizes)),),
        (KILLS, ACKNOWLEDGED, LOST),
        TwoNodes.name,
        fresh=True,
    )


def _storm(sizes: Sizes) -> Scenario:
    return Scenario(
        "cluster-storm",
        "Nodes: the games of one that was killed join another one",
        (Alone, TwoNodes),
        (Point(storm(sizes), 0, probe=partial(_rejoin, sizes)),),
        (JOINS, JOIN_CPU),
        Alone.name,
        fresh=True,
    )


def _joining(sizes: Sizes) -> Scenario:
    return Scenario(
        "cluster-joining",
        "Nodes: one joins while others have many sessions, each with 20 players",
        (Database,),
        (Point(remote(sizes), 0, probe=partial(_join, sizes)),),
        (JOINED, KEPT),
        Database.name,
        fresh=True,
    )


def _snapshot(sizes: Sizes) -> Scenario:
    return Scenario(
        "cluster-snapshot",
        f"Nodes: how soon a group is heard, also after {sizes.groups:,} groups beside an old snapshot",
        (Database,),
        (
            Point(SNAPSHOTS[0], 0, probe=partial(_hear, sizes.groups)),
            Point(SNAPSHOTS[1], 0, probe=partial(_hear, 0)),
        ),
        (HEARD,),
        SNAPSHOTS[1],
        fresh=True,
    )


# Measuring.


def _stored(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stored", *map(str, arguments)],
        cwd=machine.ROOT,
        env=machine.clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=machine.on_core(machine.LOAD_CORE),  # noqa: PLW1509 (this process has no threads)
    )


def _told(process: subprocess.Popen[str]) -> Measured:
    """What it measured."""
    text, _ = process.communicate("\n", WITHIN)
    if process.returncode:
        raise CannotMeasure(f"{process.args!r} ended with {process.returncode}")
    measured: Measured = json.loads(text.splitlines()[-1])
    return measured


def _url(server: Server) -> str:
    assert isinstance(server, Database)
    return server.url


def _write(way: str, sizes: Sizes, server: Server) -> Measured:
    writing = [_stored(way, _url(server), f"n{number}", sizes.seconds) for number in range(sizes.writers)]
    for process in writing:
        _read_line(process.stdout)
    for process in writing:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return {"groups_s": sum(_told(process)["groups_s"] for process in writing)}


def _read_line(file: IO[str] | None) -> str:
    assert file is not None
    return file.readline()


def _hear(groups: int, server: Server) -> Measured:
    return _told(_stored("hear", _url(server), groups))


def _join(sizes: Sizes, server: Server) -> Measured:
    measured = _told(_stored("join", _url(server), sizes.remote))
    return {**measured, "kept_bytes": measured["kept"] / measured["sessions"]}


def _kill(sizes: Sizes, server: Server) -> Measured:
    """The soak has everything that this takes, and a server of its own."""
    troubles, it = soak(20, sizes.kill_seconds, 1, Several(2, kill_every=2.0, thought=0.5))
    for trouble in troubles:
        print(f"  {trouble}", file=sys.stderr)
    happened = it.ledger.happened
    return {"kills": happened["kills"], "acknowledged": happened["channels/send"], "lost": len(troubles)}


def _rejoin(sizes: Sizes, server: Server) -> Measured:
    """Let games join; for nodes, let them join one node when the other one, where they were, is killed."""
    assert isinstance(server, Nodes)
    *killed, port = server.ports("plain")
    if killed:
        command = load_command(server, sizes.storm, killed, ("-i", str(WITHIN)))
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=machine.on_core(machine.LOAD_CORE),  # noqa: PLW1509 (this process has no threads)
        ) as there:
            try:
                _wait_for_sessions(server, sizes.storm)
                server.kill(0)
                there.wait(WITHIN)
            finally:
                there.kill()
    return load(server, sizes.storm, [port], ())


def _wait_for_sessions(server: Nodes, count: int) -> None:
    """The other nodes know of so many."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        if server.known_sessions >= count:
            return
        time.sleep(0.1)
    raise LoadFailed("the games did not join")
