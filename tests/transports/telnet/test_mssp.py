"""L{gossip.transports.telnet.mssp}: what crawlers and web browsers are told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip import __version__
from gossip.network.settings import NetworkSettings
from gossip.transports.endpoints import Ports
from gossip.transports.telnet.mssp import variables, web_hint
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
        world.join("Beta", players=["Cy"])
        world.network.rules.settings = NetworkSettings(website="x")
        told = variables(world.network, {}, NOW)
        self.assertEqual((told["PLAYERS"], told["GAMES"], told["WEBSITE"]), ("3", "2", "x"))
        self.assertNotIn("PORT", told)


class HintTests(SynchronousTestCase):
    """Where a browser finds the pages."""

    def test_hint(self) -> None:
        """A browser is told the address of the pages if it is known, otherwise their port."""
        for website, ports, hint in (
            ("https://mud.example/", PORTS, "see https://mud.example/"),
            ("", PORTS, "http port 80"),
            ("", {"websocket": Ports("80", "443")}, "https port 443"),
            ("", {"websocket": Ports()}, "another port"),
            ("", {}, "another port"),
        ):
            self.assertIn(hint, web_hint(website, ports))
