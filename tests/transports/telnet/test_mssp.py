"""L{gossip.transports.telnet.mssp}: what crawlers, and whoever speaks HTTP to the bridge, are told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip import __version__
from gossip.config import Config
from gossip.network.settings import NetworkSettings, Rules
from gossip.transports.telnet.mssp import Figures, port
from tests.support.world import NOW, World


class PortTests(SynchronousTestCase):
    """Ports of endpoint strings."""

    def test_plain(self) -> None:
        """The first plain port that is named."""
        self.assertEqual(port(["unix:/x", "ssl:1", "tcp:4111:interface=127.0.0.1", "tcp:2"]), "4111")
        self.assertEqual(port(["tcp6:port=7"]), "7")
        self.assertEqual(port(["systemd:domain=INET:index=0"]), "")

    def test_encrypted(self) -> None:
        """The first encrypted one."""
        self.assertEqual(port(["tcp:1", "ssl:443:privateKey=/k"], encrypted=True), "443")
        self.assertEqual(port(["tls:/etc/gossip/tls:tcp:444"], encrypted=True), "444")
        self.assertEqual(port(["tcp:1"], encrypted=True), "")


class FiguresTests(SynchronousTestCase):
    """The figures."""

    def figures(self, config: Config, name: str = "Test", website: str = "") -> tuple[World, Figures]:
        world = World()
        settings = NetworkSettings(name=name, website=website)
        return world, Figures(world.network, config, Rules(settings), NOW + 0.5)

    def test_live(self) -> None:
        """They are those of the moment; what there is nothing to say for is left out."""
        world, figures = self.figures(Config(telnet=("tcp:4111", "ssl:4112")))
        world.join("Alpha", players=["Ana", "Bo"])
        told = figures.mssp()
        expected = {"NAME": "Test", "PLAYERS": "2", "GAMES": "1", "UPTIME": "1699999200", "INTERMUD": "GOSSIP"}
        expected |= {"PORT": "4111", "SSL": "4112", "CODEBASE": f"gossip {__version__}"}
        self.assertEqual({name: told[name] for name in expected}, expected)
        self.assertNotIn("WEBSITE", told)
        world.join("Beta", players=["Cy"])
        self.assertEqual((figures.mssp()["PLAYERS"], figures.mssp()["GAMES"]), ("3", "2"))

    def test_hint(self) -> None:
        """Who speaks HTTP is told the address of the pages if it is known, otherwise their port."""
        for config, website, hint in (
            (Config(), "https://mud.example/", "see https://mud.example/"),
            (Config(), "", "http port 4110"),
            (Config(listen=("ssl:443:x", "tcp:80")), "", "https port 443"),
            (Config(listen=("unix:/run/x",)), "", "another port"),
        ):
            self.assertIn(hint, self.figures(config, website=website)[1].web_hint())
        self.assertEqual(self.figures(Config(), website="x")[1].mssp()["WEBSITE"], "x")
