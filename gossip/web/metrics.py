"""The figures of a running daemon, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

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

from gossip.counters import LATENCIES
from gossip.web.requests import answer
from gossip.web.service import Gossip


class Figures(Collector):
    """What the service counts."""

    def __init__(self, gossip: Gossip) -> None:
        self._gossip = gossip

    def collect(self) -> Iterator[Metric]:
        status, counters = self._gossip.status(), self._gossip.counters
        yield InfoMetricFamily("gossip", "The version that runs.", {"version": status["version"]})
        yield GaugeMetricFamily("gossip_uptime_seconds", "Time since the start.", status["uptime"])
        connections = GaugeMetricFamily("gossip_connections", "Open connections.", labels=["transport"])
        for transport, number in sorted(status["connections"].items()):
            connections.add_metric([transport], number)
        yield connections
        yield GaugeMetricFamily("gossip_sessions", "Sessions that have authenticated.", status["sessions"])
        sessions = GaugeMetricFamily("gossip_transport_sessions", "The same, by transport.", labels=["transport"])
        for transport, number in sorted(status["sessions_by_transport"].items()):
            sessions.add_metric([transport], number)
        yield sessions
        telnet = CounterMetricFamily(
            "gossip_telnet_bytes", "Bytes of the telnet bridge, on the wire and without compression.", labels=["kind"]
        )
        for kind, number in sorted(status["telnet_bytes"].items()):
            telnet.add_metric([kind], number)
        yield telnet
        yield GaugeMetricFamily("gossip_games", "Games online.", status["games"])
        yield GaugeMetricFamily("gossip_players", "Players online.", status["players"])
        yield GaugeMetricFamily("gossip_channels", "Channels.", status["channels"])
        events = CounterMetricFamily("gossip_events_received", "Events from games.", labels=["event"])
        for event, number in sorted(counters.events.items()):
            events.add_metric([event], number)
        yield events
        failures = CounterMetricFamily("gossip_failures", "Failures that games were sent.", labels=["error"])
        for error, number in sorted(counters.failures.items()):
            failures.add_metric([error], number)
        yield failures
        yield CounterMetricFamily("gossip_rate_limited", "Failures for coming too fast.", counters.rate_limited)
        yield CounterMetricFamily("gossip_messages", "Messages said on channels.", counters.messages)
        yield CounterMetricFamily("gossip_deliveries", "Events sent, each receiver counted.", status["deliveries"])
        yield GaugeMetricFamily("gossip_writer_queue", "Changes that wait for the writer.", status["queue"])
        bounds = [*map(str, LATENCIES), "+Inf"]
        buckets = list(zip(bounds, accumulate(counters.latencies), strict=True))
        yield HistogramMetricFamily(
            "gossip_commit_seconds", "How long commits took.", buckets, sum_value=counters.commit_seconds
        )


class Metrics:
    """A registry of our own: the global one holds whatever was imported."""

    def __init__(self, gossip: Gossip) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(Figures(gossip))
        ProcessCollector(registry=self._registry)

    def render(self, request: Request) -> bytes:
        return answer(request, generate_latest(self._registry), CONTENT_TYPE_LATEST.encode())
