"""The settings and their defaults."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.config.config import Config, Limits, waiting
from gossip.network.settings import NetworkSettings
from gossip.web.settings import MailSettings, WebSettings
from tests.support.configuration import URL, ConfigCase


class Defaults(SynchronousTestCase):
    """Without any settings."""

    def test_loopback(self) -> None:
        """By default only the same machine is served."""
        self.assertEqual(Config().listen, ("tcp:4110:interface=127.0.0.1",))

    def test_in_data(self) -> None:
        """The admin's socket lies in the data directory."""
        self.assertEqual(Config(data="/srv/gossip").admin_path, Path("/srv/gossip/admin.sock"))

    def test_named(self) -> None:
        """Unless it is named."""
        self.assertEqual(Config(admin_socket="/run/gossip/admin").admin_path, Path("/run/gossip/admin"))

    def test_representation(self) -> None:
        """A configuration that comes into a log by accident does not show the passwords."""
        web = WebSettings(mail=MailSettings(user="gossip", password="hush"))
        self.assertNotIn("hush", repr(Config(database=URL, web=web)))


class Addresses(ConfigCase):
    """Where people find the pages."""

    def test_website(self) -> None:
        """What the operator says, as one types it."""
        for website, address in {
            "https://gossip.example.org/": "https://gossip.example.org",
            "http://gossip.example.org:8080": "http://gossip.example.org:8080",
            "gossip.example.org": "https://gossip.example.org",
            "https://example.org/gossip/": "https://example.org/gossip",
        }.items():
            self.assertEqual(Config(network=NetworkSettings(website=website)).address, address)

    def test_endpoints(self) -> None:
        """Otherwise what this machine calls the first place that a browser can open."""
        for listen, address in {
            ("tcp:4110:interface=127.0.0.1",): "http://127.0.0.1:4110",
            ("tcp:4110",): "http://localhost:4110",
            ("tcp:port=4110:interface=0.0.0.0",): "http://localhost:4110",
            ("tcp:80",): "http://localhost",
            ("tcp6:4110:interface=\\:\\:1",): "http://[::1]:4110",
            ("tcp6:4110",): "http://localhost:4110",
            ("tls:/etc/gossip/tls:443",): "https://localhost",
            ("ssl:8443:privateKey=k.pem:certKey=c.pem",): "https://localhost:8443",
            ("unix:/run/gossip.sock", "systemd:domain=INET:index=0", "tcp:1"): "http://localhost:1",
            ("unix:/run/gossip.sock",): "",
            ("tcp:0",): "",
            ("tcp:http",): "",
            ("tcp",): "",
            ("haproxy:tcp:4110",): "",
        }.items():
            self.assertEqual(Config(listen=listen).address, address, listen)

    def test_socket(self) -> None:
        """A game on this machine joins without TLS, if it can, whatever the address of the pages is."""
        network = NetworkSettings(website="https://gossip.example.org/")
        tls, plain = "tls:/etc/gossip/tls:443", "tcp:4110:interface=127.0.0.1"
        for config, socket in (
            (Config(), "ws://127.0.0.1:4110/socket"),
            (Config(listen=(tls, plain), network=network), "ws://127.0.0.1:4110/socket"),
            (Config(listen=(tls,), network=network), "wss://gossip.example.org/socket"),
            (Config(listen=(tls,)), "wss://localhost/socket"),
            (Config(listen=("unix:/run/gossip.sock",)), ""),
        ):
            self.assertEqual(config.socket, socket)

    def test_rules(self) -> None:
        """The rules are on the pages, or elsewhere by https; their address is unknown if that of the pages is."""
        site = "gossip.example.org/"
        for website, rules, address in (
            ("", "", ""),
            ("", "rules.rst", ""),
            (site, "rules.rst", "https://gossip.example.org/rules"),
            (site, "", "https://gossip.example.org/rules"),
            (site, "https://example.org/rules?x=1", "https://example.org/rules?x=1"),
            ("", "https://example.org/rules", "https://example.org/rules"),
        ):
            config = self.loaded(f"network.website = '{website}'\nnetwork.rules = '{rules}'")
            self.assertEqual(config.network.rules_address, address)

    @given(st.lists(st.text()))
    def test_any_endpoint(self, listen: list[str]) -> None:
        """Whatever stands there is an address or none."""
        self.assertRegex(Config(listen=tuple(listen)).address, r"\A(https?://.+)?\Z")


class Waiting(SynchronousTestCase):
    """What a reload leaves to a restart."""

    def test_waiting(self) -> None:
        """Settings that need a restart and differ are named; all others follow a reload."""
        before = Config()
        after = Config(proxies=1, downtime=9, limits=Limits(sessions=1, ref_bytes=5), listen=("tcp:1",))
        self.assertEqual(waiting(before, after), ["listen", "proxies", "limits.ref_bytes"])
        self.assertEqual(waiting(after, after), [])
