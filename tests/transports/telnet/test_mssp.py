"""L{gossip.transports.telnet.mssp}: what crawlers are told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip import __version__
from gossip.network.settings import NetworkSettings
from gossip.transports.endpoints import Ports
from gossip.transports.telnet.mssp import variables
from tests.support.world import NOW, World

PORTS = {"websocket": Ports("80", ""), "telnet": Ports("4111", "4112")}


class VariablesTests(SynchronousTestCase):
    """The variables."""

    def test_live(self) -> None:
        """The values are those of the moment; a variable without a value is left out."""
        world = World()
        world.network.rules.settings = NetworkSettings(name="Test")
        world.join("Alpha", players=["Ana", "Bo"])
        told = variables(world.network, PORTS, NOW + 0.5)
        expected = {"NAME": "Test", "PLAYERS": "2", "GAMES": "1", "UPTIME": "1699999200", "INTERMUD": "GOSSIP"}
        expected |= {"PORT": "4111", "SSL": "4112", "CODEBASE": f"gossip {__version__}"}
        self.assertEqual({name: told[name] for name in expected}, expected)
        self.assertNotIn("WEBSITE", told)
        self.assertNotIn("CONTACT", told)
        world.join("Beta", players=["Cy"])
        world.network.rules.settings = NetworkSettings(website="x", contact="a@b.example")
        told = variables(world.network, {}, NOW)
        self.assertEqual((told["PLAYERS"], told["GAMES"], told["WEBSITE"]), ("3", "2", "x"))
        self.assertEqual(told["CONTACT"], "a@b.example")
        self.assertNotIn("PORT", told)
