"""What types do not express."""

from __future__ import annotations

import json

import tomli_w

from gossip.config.config import Config
from gossip.config.errors import ConfigError
from gossip.config.loading import load
from tests.support.configuration import ConfigCase

BAD_WEBSITES = ("javascript:alert(1)", "data:text/html,x", "ftp://x/", "https://", "https://x y/", "//x", '"x"')


class Judged(ConfigCase):
    """What is wrong is named with its key and its place, in one line."""

    def test_texts(self) -> None:
        """What cannot be meant is said in words that help."""
        for text, complaint in {
            "proxies = -1": "proxies: must be a number from 0 to 1000000000",
            "limits.authenticate_seconds = nan": "limits.authenticate_seconds: must be a number from 0 to 1000000000",
            "limits.authenticate_seconds = inf": "limits.authenticate_seconds: must be a number from 0 to 1000000000",
            "limits.players = 1000000001": "limits.players: must be a number from 0 to 1000000000",
            "limits.rates.global.per_second = -1.0": (
                "limits.rates.global.per_second: must be a number from 0 to 1000000000"
            ),
            "limits.rates.global.per_second = 0": (
                "limits.rates.global.per_second: must be above 0; for no limit set burst = 0"
            ),
            "limits.budgets.authenticated.per_second = 0": (
                "limits.budgets.authenticated.per_second: must be above 0; for no limit set burst = 0"
            ),
            "network.history_days = 100001": (
                "network.history_days: must be at most 100000; 0 keeps everything forever"
            ),
            "listen = []": "listen: needs at least one address, and no empty ones",
            "listen = ['']": "listen: needs at least one address, and no empty ones",
            "telnet = ['']": "telnet: must not contain an empty address",
            "[limits.telnet]\nlogins = -1": "limits.telnet.logins: must be a number from 0 to 1000000000",
            "imc2.listen = ['']": "imc2.listen: must not contain an empty address",
            "imc2.server = 'a b'": "imc2.server: must have 1 to 15 letters and digits, the first a letter",
            "imc2.network = 'a b'": "imc2.network: must have 1 to 30 ASCII characters without blanks and quotes",
            "imc2.channels = ['a b']": "imc2.channels: 'a b' is not the name of a channel",
            "limits.imc2.text_bytes = 701": ("limits.imc2.text_bytes: must be 1 to 700: clients have no room for more"),
            "limits.i3.text_bytes = 1501": "limits.i3.text_bytes: must be 1 to 1500: drivers have no room for more",
            "i3.listen = ['']": "i3.listen: must not contain an empty address",
            "i3.router = 'gossip'": (
                "i3.router: must have an asterisk, then 1 to 30 letters, digits, hyphens and underscores"
            ),
            "i3.address = 'example.org 4114'": "i3.address: must look like 203.0.113.9 4114",
            "i3.channels = ['gossip']": (
                "i3.channels: 'gossip' is not a channel and its name for Intermud-3, such as gossip=imud_gossip"
            ),
            "i3.channels = ['a=b', 'c=b']": "i3.channels: 'c=b' names a channel for the second time",
            "i3.gateway.routers = ['i4']": "i3.gateway.routers: 'i4' is not like '*name host port'",
            "i3.gateway.mud = 'Dead'": "i3.gateway.mud: routers refuse 'Dead': give the network a name of its own",
            "limits.i3.frame_bytes = 1": (
                "limits.i3.frame_bytes: must be at least limits.i3.frame_bytes_before_startup"
            ),
            "limits.imc2.packets = 0": "limits.imc2.packets: must be above 0",
            "data = ''": "data: must not be empty",
            **dict.fromkeys(
                (f"network.website = '{one}'" for one in BAD_WEBSITES),
                "network.website: must look like https://gossip.example.org/",
            ),
            **dict.fromkeys(
                (f"network.rules = '{one}'" for one in ("http://example.org/rules", "file:///etc/rules", "https://")),
                "network.rules: must be the path of a file, or look like https://example.org/rules",
            ),
            **dict.fromkeys(
                (f"network.contact = '{one}'" for one in ("Ana", "http://x.example", "javascript:x@y", "https://a b")),
                "network.contact: must be an address like admin@example.org or https://example.org/contact",
            ),
            "web.visit_days = 0": "web.visit_days: must be above 0",
            "[web.mail]\nserver = 'mail.example.org'": "web.mail.server: must look like mail.example.org:587",
            "[web.mail]\nserver = 'mail.example.org:0'": "web.mail.server: must look like mail.example.org:587",
            "[web.mail]\nserver = 'smtp://example.org:587'": "web.mail.server: must look like mail.example.org:587",
            "[web.mail]\nserver = 'm:587'": "web.mail.sender: must be an address like gossip@example.org",
            "[web.mail]\nserver = 'm:587'\nsender = 'Gossip <a@b>'": (
                "web.mail.sender: must be an address like gossip@example.org"
            ),
            "[web.mail]\nserver = 'm:587'\nsender = 'a@b'": (
                "web.mail.server: also needs network.website: links in mail point there"
            ),
            "web.mail.user = 'x'": "web.mail: set both user and password, or neither",
            "web.mail.password = 'hush'": "web.mail: set both user and password, or neither",
            "web.mail.password = '***'": "web.mail.password: replace *** with the password",
            'data = "a\\u0000"': "data: must be UTF-8 without control characters",
            'network.blocked_games = ["a\\n"]': ("network.blocked_games: must be UTF-8 without control characters"),
            "database = 'gossip.db'": "database: must be a URL like postgresql+psycopg://user:password@host/name",
            "database = 'postgresql://u:hush@h:port/d'": (
                "database: must be a URL like postgresql+psycopg://user:password@host/name"
            ),
            "database = 'mysql://u:hush@h/d'": (
                "database: its URL must start with one of sqlite, postgresql, postgres, postgresql+psycopg"
            ),
            "database = 'postgresql://u:***@h/d'": "database: replace *** with the password",
            "database = 'postgresql://u@h/d?password=hush'": (
                "database: put the password before the host; there it is hidden in logs"
            ),
        }.items():
            self.assertEqual(self.complaint(text), complaint, text[:80])

    def test_good_websites(self) -> None:
        """Host names, ports, addresses and paths, with and without the scheme, are good."""
        for website in ("localhost:4110", "https://[2001:db8::1]:8080/x", "http://münchen.example/~mud?a=b", "A.b"):
            self.assertEqual(self.loaded(f'network.website = "{website}"').network.website, website)

    def test_contacts(self) -> None:
        """People reach the operator by mail, or at a page."""
        for contact in ("", "admin@example.org", "https://example.org/contact#x"):
            self.assertEqual(self.loaded(f"network.contact = '{contact}'").network.contact, contact)

    def test_node(self) -> None:
        """A node has a name without surprises, and a database that several daemons can share."""
        for table, why in (
            ({"node": "a"}, "node: needs a database that several daemons can share"),
            ({"node": "A b", "database": "postgresql://a/b"}, "node: must have 1 to 20 small letters"),
        ):
            with self.assertRaises(ConfigError) as caught:
                load({"config": self.written(tomli_w.dumps(table))}, {})
            self.assertIn(why, str(caught.exception))


class Lists(ConfigCase):
    """A game can send the names of all its players at once."""

    def test_defaults(self) -> None:
        """The defaults have room for them."""
        limits = Config().limits
        frame = json.dumps({"event": "heartbeat", "payload": {"players": ["x" * limits.name_bytes] * limits.players}})
        line = "@tag PLAYERS" + (" " + "x" * limits.name_bytes) * limits.players
        self.assertLessEqual(len(frame), limits.frame_in_bytes)
        self.assertLessEqual(len(frame), limits.telnet.json_line_bytes)
        self.assertLessEqual(len(line), limits.telnet.json_line_bytes)
        self.assertLessEqual(limits.telnet.json_line_bytes, limits.telnet.unended_bytes)

    def test_too_small(self) -> None:
        """A limit that has no room for them is refused, with what it needs."""
        for place in ("limits.frame_in_bytes", "limits.telnet.json_line_bytes", "limits.telnet.unended_bytes"):
            error = self.assertRaises(ConfigError, self.loaded, f"{place} = 65536")
            self.assertIn(
                f"{place}: must be at least 137024 for limits.players = 2000 with limits.name_bytes = 64", str(error)
            )
            self.loaded(f"{place} = 65536\nlimits.players = 900")
            self.loaded(f"{place} = 0")
            self.loaded(f"{place} = 65536\nlimits.name_bytes = 0")
