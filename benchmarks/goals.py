"""The goals of the daemon, as ratios of figures from the same run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks import cluster
from benchmarks.nodes import Alone, Database, SlowDatabase, SlowDisk, TwoNodes
from benchmarks.points import Sizes
from benchmarks.run import Results
from benchmarks.servers import Autobahn, BatchLimit, Gossip, Limit

OURS: Final = Gossip.name


@dataclass(frozen=True)
class Goal:
    """
    A goal.

    @ivar reached: the measured figure; C{None} if it was not measured.
    @ivar bound: the figure to reach.
    @ivar most: whether the figure must be at most the bound, and not at least.
    """

    title: str
    reached: float | None
    bound: float
    most: bool
    unit: str = "×"

    @property
    def met(self) -> bool | None:
        """Whether it was reached; C{None} if it was not measured."""
        if self.reached is None:
            return None
        return self.reached <= self.bound if self.most else self.reached >= self.bound

    @property
    def verdict(self) -> str:
        """The same in a word."""
        return {None: "not measured", True: "reached", False: "missed"}[self.met]


def goals(results: Results, sizes: Sizes) -> Iterator[Goal]:
    """All goals, with the measured figures."""

    def median(scenario: str, point: str, server: str, key: str) -> float | None:
        return results.median(scenario, point, server, key)

    def memory(point: str) -> float | None:
        return median("memory", point, OURS, "kib")

    usual, crowd = f"{sizes.usual} subscribers", sizes.crowd
    w1, w8 = f"{usual}, W=1", f"{usual}, W=8"

    def beside(scenario: str, point: str, other: str, key: str) -> float | None:
        return _ratio(median(scenario, point, OURS, key), median(scenario, point, other, key))

    yield Goal(f"CPU a delivery, {w1}, beside the C limit", beside("fanout", w1, Limit.name, "cpu_us"), 1.25, True)
    yield Goal(
        f"deliveries a second, {w8}, beside the C limit", beside("fanout", w8, Limit.name, "deliveries_s"), 2.5, False
    )
    yield Goal("the same beside the C limit, joined", beside("fanout", w8, BatchLimit.name, "deliveries_s"), 0.8, False)
    yield Goal(
        f"p99 at a steady rate, {usual}, beside the C limit", beside("latency", usual, Limit.name, "p99"), 1.15, True
    )
    yield Goal("memory a plain connection", memory(f"{crowd} plain"), 4, True, " KiB")
    yield Goal("memory a connection with TLS", memory(f"{sizes.tls_crowd} with TLS"), 32, True, " KiB")
    yield Goal("memory a connection with deflate", memory(f"{crowd} with deflate"), 30, True, " KiB")
    joining = f"{sizes.joining} games, 64 at a time"
    yield Goal("joins a second, beside Autobahn", beside("joining", joining, Autobahn.name, "joins_s"), 2, False)
    slow = median("slow", "one in ten stalled", OURS, "p99")
    yield Goal(
        "p99 of the other readers, one reader in ten stalled",
        _ratio(slow, median("slow", "all read", OURS, "p99")),
        1.1,
        True,
    )
    idle = median("heartbeats", f"{crowd} idle games", OURS, "idle_cpu_percent")
    yield Goal(f"CPU of {crowd} idle games", idle, 10, True, " %")
    yield Goal("durable sends a second", median("durable", "512 in flight", OURS, "deliveries_s"), 5000, False, "/s")
    waited = median("durable", "at half that rate", OURS, "p99")
    yield Goal(
        "p99 of the acknowledgement at half that rate", None if waited is None else waited / 1000, 50, True, " ms"
    )
    yield from _of_nodes(results, sizes)


def _of_nodes(results: Results, sizes: Sizes) -> Iterator[Goal]:
    """Those of several nodes, beside one daemon that is alone on the same PostgreSQL."""
    steady, busy = cluster.steady(sizes), cluster.busy(sizes)
    median = results.median

    def beside(scenario: str, point: str, key: str) -> float | None:
        return _ratio(*(median(scenario, point, kind.name, key) for kind in (TwoNodes, Alone)))

    yield Goal(
        "CPU a delivery, two nodes beside one daemon alone", beside("cluster-talk", steady, "cpu_us"), 1.25, True
    )
    yield Goal("the same with PostgreSQL's CPU", beside("cluster-talk", steady, "all_cpu_us"), 1.25, True)
    yield Goal("CPU a delivery, W=8, as many games a node", beside("cluster-talk", busy, "cpu_us"), 1.25, True)
    for key, bound in (("p50", 3.0), ("p99", 10.0)):
        far, near = (
            median("cluster-talk", steady, TwoNodes.name, f"across_{key}"),
            median("cluster-talk", steady, Alone.name, key),
        )
        more = None if far is None or near is None else (far - near) / 1000
        yield Goal(f"{key} from node to node, above that of one daemon alone", more, bound, True, " ms")
    slow, fast = (median("cluster-disk", steady, kind.name, "across_p99") for kind in (SlowDisk, TwoNodes))
    yield Goal(
        "p99 from node to node with a slow disk, beside a fast one plus 1 ms",
        _ratio(slow, fast and fast + 1000),
        1,
        True,
    )
    ways = (median("cluster-writers", point, SlowDatabase.name, "groups_s") for point in cluster.WAYS)
    yield Goal(
        f"groups a second of {sizes.writers} nodes on a slow disk, beside the obvious way", _ratio(*ways), 5, False
    )
    lost = median("cluster-kills", cluster.KILLED, TwoNodes.name, "lost")
    yield Goal("messages lost when nodes are killed", lost, 0, True, "")
    joins = (median("cluster-storm", cluster.storm(sizes), kind.name, "joins_s") for kind in (Alone, TwoNodes))
    yield Goal("time in which the games of a killed node join, beside one daemon alone", _ratio(*joins), 1.5, True)
    remote = cluster.remote(sizes)
    kept = median("cluster-joining", remote, Database.name, "kept_bytes")
    yield Goal("memory a session elsewhere with 20 players", kept, 1024, True, " bytes")
    joined = median("cluster-joining", remote, Database.name, "joined_s")
    yield Goal(f"a node that joins knows {remote}", joined, 5, True, " s")
    snapshots = (median("cluster-snapshot", point, Database.name, "heard_us") for point in cluster.SNAPSHOTS)
    yield Goal(
        f"a group is heard, after {sizes.groups:,} beside an old snapshot, beside before", _ratio(*snapshots), 1.1, True
    )


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None
