"""A transport of your own: what a daemon makes of one that is registered."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from gossip.config.config import Config
from gossip.service.interfaces import Counts
from gossip.tap import Daemon, Options
from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.registered import TRANSPORTS
from gossip.web.api.metrics import DaemonCollector


class ToyConfig(Config, frozen=True):
    """The configuration with a setting for the toy."""

    toy: tuple[str, ...] = ()


@implementer(ITransport)
class Toy:
    """A transport that carries nothing."""

    name = setting = "toy"
    purpose = "toys"

    def __init__(self) -> None:
        self.configured: list[Any] = []
        self.parts: Parts | None = None
        self.made = Factory()

    def configure(self, settings: ToyConfig) -> None:
        self.configured.append(settings)

    def open_connections(self) -> int:
        return 3

    def counts(self) -> Sequence[Counts]:
        return [Counts("toy_packets", "Packets of toys.", {"in": 7})]

    def factory(self, parts: Parts) -> Factory:
        self.parts = parts
        return self.made


class RegisteredTests(SynchronousTestCase):
    """The registered transports."""

    def test_interfaces(self) -> None:
        """Each is a transport, has a name of its own, and a setting in the configuration."""
        transports = [make() for make in TRANSPORTS]
        for transport in transports:
            verifyObject(ITransport, transport)
            self.assertEqual(attrgetter(transport.setting)(Config())[1:], ())
        self.assertEqual(len({transport.name for transport in transports}), len(transports))


class NewTransportTests(TestCase):
    """A daemon in this process, with one more transport."""

    def start(self, **settings: Any) -> tuple[Toy, Daemon, list[str]]:
        """Start a daemon; returns its toy, itself, and the lines that it logged."""
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        options = Options()
        listen = ("tcp:0:interface=127.0.0.1",)
        options.config = ToyConfig(listen=listen, data=self.mktemp(), **settings)
        toy, lines = Toy(), list[str]()

        def log(event: dict[str, Any]) -> None:
            lines.append(event.get("line", ""))

        logged: Any = log
        globalLogPublisher.addObserver(logged)
        self.addCleanup(globalLogPublisher.removeObserver, logged)
        daemon = Daemon(reactor, options, (*TRANSPORTS, lambda: toy))
        daemon.startService()
        self.addCleanup(daemon.stopService)
        return toy, daemon, lines

    def test_open(self) -> None:
        """It is configured, listened on, and shown in the status, the metrics and the log."""
        toy, daemon, lines = self.start(toy=("tcp:0:interface=127.0.0.1", "tcp:0:interface=127.0.0.1"))
        self.assertEqual(toy.made.numPorts, 2)
        self.assertIn("  listening on tcp:0:interface=127.0.0.1: toys", lines)
        self.assertEqual(len(toy.configured), 1)
        assert toy.parts is not None
        self.assertIs(toy.parts.gossip, daemon.gossip)
        self.assertEqual(toy.parts.ports["toy"], ("0", ""))
        status: dict[str, Any] = {**daemon.gossip.status()}
        self.assertEqual((status["connections"], status["toy_packets"]), ({"websocket": 0, "toy": 3}, {"in": 7}))
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in DaemonCollector(daemon.gossip, None).collect()
            for sample in family.samples
        }
        self.assertEqual(samples["gossip_connections", "toy"], 3)
        self.assertEqual(samples["gossip_toy_packets_total", "in"], 7)
        daemon.reload()
        self.assertEqual(len(toy.configured), 2)

    def test_closed(self) -> None:
        """Without an endpoint it is neither opened nor shown."""
        toy, daemon, lines = self.start()
        self.assertIsNone(toy.parts)
        self.assertNotIn("toy", daemon.gossip.status()["connections"])
        self.assertFalse([line for line in lines if "toys" in line])
