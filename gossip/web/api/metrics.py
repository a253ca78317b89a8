"""The metrics of a running daemon, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from twisted.web.server import Request

from gossip.service.counters import LATENCIES, Status
from gossip.service.interfaces import ICluster, IIntermud
from gossip.service.service import GossipService
from gossip.web.http.requests import answer
from gossip.web.live import Live

_WELL: Final = ("ok", "draining")
"""A node that takes no new games does its work for those that it has."""


class DaemonCollector(Collector):
    """Collects what the service counts."""

    def __init__(self, gossip: GossipService, live: Live | None) -> None:
        self._gossip = gossip
        self._live = live

    def collect(self) -> Iterator[Metric]:
        status, counters = self._gossip.status(), self._gossip.counters
        yield InfoMetricFamily("gossip", "The running version.", {"version": status["version"]})
        yield GaugeMetricFamily("gossip_uptime_seconds", "Time since the start.", status["uptime"])
        yield GaugeMetricFamily("gossip_healthy", "1 while the daemon can do its work.", status["health"] in _WELL)
        yield from self._who_is_here(status)
        ends = GaugeMetricFamily(
            "gossip_certificate_end_seconds",
            "When a certificate of a listener ends, since the epoch.",
            labels=["names"],
        )
        for certificate in self._gossip.certificates():
            ends.add_metric([" ".join(certificate.names)], certificate.ends)
        yield ends
        events = CounterMetricFamily("gossip_events_received", "Events from games.", labels=["event"])
        for event, number in sorted(counters.events.items()):
            events.add_metric([event], number)
        yield events
        failures = CounterMetricFamily(
            "gossip_failures", "Failures sent to games and to people on the pages.", labels=["error"]
        )
        for error, number in sorted(counters.failures.items()):
            failures.add_metric([error], number)
        yield failures
        yield CounterMetricFamily("gossip_rate_limited", "Failures because of a rate limit.", counters.rate_limited)
        yield CounterMetricFamily("gossip_messages", "Messages on channels.", counters.messages)
        yield CounterMetricFamily("gossip_deliveries", "Events sent, each receiver counted.", status["deliveries"])
        yield GaugeMetricFamily("gossip_writer_queue", "Changes that wait for the writer.", status["queue"])
        yield GaugeMetricFamily("gossip_answers_waiting", "Answers that wait for a commit.", status["answers"])
        yield CounterMetricFamily("gossip_unkept", "Changes that could not be saved.", counters.unkept)
        yield _histogram("gossip_commit_seconds", "How long commits took.", counters.latencies, counters.commit_seconds)
        yield _histogram(
            "gossip_reactor_lag_seconds",
            "How late the tick of each second came, because the reactor was busy.",
            counters.lags,
            counters.lag_seconds,
        )
        if self._live is not None:
            yield from self._readers(self._live)
        if self._gossip.intermud is not None:
            yield from self._intermud(self._gossip.intermud)
        if self._gossip.cluster is not None:
            yield from self._nodes(self._gossip.cluster)

    def _who_is_here(self, status: Status) -> Iterator[Metric]:
        registry = self._gossip.network.registry
        connections = GaugeMetricFamily("gossip_connections", "Open connections.", labels=["transport"])
        for transport, number in sorted(status["connections"].items()):
            connections.add_metric([transport], number)
        yield connections
        yield GaugeMetricFamily("gossip_sessions", "Sessions that have authenticated.", status["sessions"])
        sessions = GaugeMetricFamily("gossip_transport_sessions", "The same, by transport.", labels=["transport"])
        for transport, number in sorted(status["sessions_by_transport"].items()):
            sessions.add_metric([transport], number)
        yield sessions
        for counts in (counts for transport in self._gossip.transports for counts in transport.counts()):
            family = CounterMetricFamily(f"gossip_{counts.name}", counts.about, labels=["kind"])
            for kind, number in sorted(counts.by_kind.items()):
                family.add_metric([kind], number)
            yield family
        yield GaugeMetricFamily("gossip_games", "Games online.", status["games"])
        yield GaugeMetricFamily("gossip_players", "Players online.", status["players"])
        yield GaugeMetricFamily("gossip_channels", "Channels.", status["channels"])
        yield GaugeMetricFamily("gossip_registered_games", "Games that are registered.", len(registry.games))
        yield GaugeMetricFamily("gossip_accounts", "Accounts.", len(registry.accounts.all))
        yield GaugeMetricFamily("gossip_open_reports", "Reports that wait for an admin.", len(registry.reports))

    def _intermud(self, gateway: IIntermud) -> Iterator[Metric]:
        status = gateway.status()
        yield GaugeMetricFamily(
            "gossip_i3_link_up", "1 while this daemon is connected to a router of Intermud-3.", status.state == "up"
        )
        yield GaugeMetricFamily("gossip_i3_remote_games", "MUDs of Intermud-3 that are here.", status.muds)

    def _nodes(self, cluster: ICluster) -> Iterator[Metric]:
        statuses, figures = cluster.statuses(), cluster.figures()
        differ = sum(each.differs for each in statuses)
        yield GaugeMetricFamily("gossip_nodes", "Nodes of the network, this one included.", len(statuses))
        yield GaugeMetricFamily("gossip_nodes_differing", "Nodes with other settings than this one.", differ)
        yield GaugeMetricFamily(
            "gossip_cluster_behind_seconds", "How late this node hears what all nodes write.", figures.behind
        )
        yield GaugeMetricFamily(
            "gossip_cluster_deaf_seconds", "How long this node has heard nobody; 0 if it hears.", figures.deaf
        )
        yield CounterMetricFamily("gossip_cluster_heard", "Groups of changes that this node heard.", figures.heard)
        yield CounterMetricFamily("gossip_cluster_relays", "What this node told of its sessions.", figures.relays)
        yield CounterMetricFamily("gossip_cluster_resyncs", "Times that everything was read anew.", figures.resyncs)
        yield CounterMetricFamily(
            "gossip_cluster_stale",
            "Changes that were judged again, since another node was first.",
            self._gossip.counters.stale,
        )
        yield CounterMetricFamily(
            "gossip_cluster_unknown", "What this node could not read, written by a later release.", figures.unknown
        )
        yield GaugeMetricFamily(
            "gossip_cluster_queue_usage", "How full the database's queue of notifications is; 1 is full.", figures.queue
        )

    def _readers(self, live: Live) -> Iterator[Metric]:
        yield GaugeMetricFamily("gossip_readers", "Pages that follow messages live.", len(live))
        yield GaugeMetricFamily(
            "gossip_readers_behind", "Readers that have not been handed the last messages yet.", live.behind
        )
        yield CounterMetricFamily(
            "gossip_readers_dropped", "Readers that were cut off because they were too slow.", live.dropped
        )


def _histogram(name: str, about: str, counts: Sequence[int], seconds: float) -> HistogramMetricFamily:
    bounds = [*map(str, LATENCIES), "+Inf"]
    return HistogramMetricFamily(name, about, list(zip(bounds, accumulate(counts), strict=True)), sum_value=seconds)


class Metrics:
    """Our own registry of metrics: the global one contains whatever imported modules add."""

    def __init__(self, gossip: GossipService, live: Live | None = None) -> None:
        """@param live: the readers of live messages; C{None} if there are no pages."""
        self._registry = CollectorRegistry()
        self._registry.register(DaemonCollector(gossip, live))
        ProcessCollector(registry=self._registry)

    def render(self, request: Request) -> bytes:
        return answer(request, generate_latest(self._registry), CONTENT_TYPE_LATEST.encode())
