"""The configuration."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.config.config import SOCKET_PATH_BYTES, Config, ConfigError, Limits, dump, load, waiting
from gossip.network.ratelimit import Rate
from gossip.network.settings import NetworkLimits, NetworkSettings, Rates
from gossip.transports.budget import Budget, Budgets
from gossip.transports.imc2.limits import Imc2Limits
from gossip.transports.intermud3.limits import I3Limits
from gossip.transports.telnet.limits import TelnetLimits
from gossip.web.settings import MailSettings, WebSettings

BAD_WEBSITES = ("javascript:alert(1)", "data:text/html,x", "ftp://x/", "https://", "https://x y/", "//x", '"x"')
URL = "postgresql+psycopg://gossip:hush@db.example.org/gossip"


class ConfigCase(SynchronousTestCase):
    """A file to load from."""

    def written(self, text: str | bytes) -> str:
        """Write a file and say where."""
        path = Path(self.mktemp())
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def loaded(self, text: str | bytes) -> Config:
        """Load a configuration of nothing but a file."""
        return load({"config": self.written(text)}, {})

    def complaint(self, text: str | bytes) -> str:
        """What is said about a file, without its name."""
        path = self.written(text)
        error = self.assertRaises(ConfigError, load, {"config": path}, {})
        return str(error).removeprefix(f"{path}: ")


class Defaults(SynchronousTestCase):
    """Without any settings."""

    def test_nothing(self) -> None:
        """No file, no options and no environment are the defaults."""
        self.assertEqual(load({}, {}), Config())

    def test_loopback(self) -> None:
        """By default only the same machine is served."""
        self.assertEqual(Config().listen, ("tcp:4110:interface=127.0.0.1",))

    def test_in_data(self) -> None:
        """The admin's socket lies in the data directory."""
        self.assertEqual(Config(data="/srv/gossip").admin_path, Path("/srv/gossip/admin.sock"))

    def test_named(self) -> None:
        """Unless it is named."""
        self.assertEqual(Config(admin_socket="/run/gossip/admin").admin_path, Path("/run/gossip/admin"))


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

    def test_good_websites(self) -> None:
        """Host names, ports, addresses and paths, with and without the scheme, are good."""
        for website in ("localhost:4110", "https://[2001:db8::1]:8080/x", "http://münchen.example/~mud?a=b", "A.b"):
            self.assertEqual(self.loaded(f'network.website = "{website}"').network.website, website)

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

    def test_contacts(self) -> None:
        """People reach the operator by mail, or at a page."""
        for contact in ("", "admin@example.org", "https://example.org/contact#x"):
            self.assertEqual(self.loaded(f"network.contact = '{contact}'").network.contact, contact)

    @given(st.lists(st.text()))
    def test_any_endpoint(self, listen: list[str]) -> None:
        """Whatever stands there is an address or none."""
        self.assertRegex(Config(listen=tuple(listen)).address, r"\A(https?://.+)?\Z")


class File(ConfigCase):
    """gossip.toml."""

    def test_every_kind(self) -> None:
        """Settings of the top, of a table and of a table within a table are found."""
        config = self.loaded(
            """
            listen = ["tcp:1", "tcp:2"]
            downtime = 5
            [network]
            name = "Ünsere Welt"
            blocked_channels = []
            history_days = 0.5
            [limits]
            sessions = 0
            frame_in_bytes = 140000
            [limits.rates]
            global = { burst = 7, per_second = 0.25 }
            """
        )
        expected = Config(
            listen=("tcp:1", "tcp:2"),
            downtime=5,
            network=NetworkSettings(name="Ünsere Welt", blocked_channels=(), history_days=0.5),
            limits=Limits(sessions=0, frame_in_bytes=140000, rates=Rates(global_=Rate(7, 0.25))),
        )
        self.assertEqual(config, expected)

    def test_half_a_rate(self) -> None:
        """A rate that gives one key keeps the default of the other."""
        rates = self.loaded("limits.rates.channels_send.burst = 3\nlimits.rates.global.per_second = 1").limits.rates
        self.assertEqual(rates, Rates(channels_send=Rate(3, 2), global_=Rate(100, 1)))

    def test_no_limit(self) -> None:
        """A burst of 0 is no limit, whatever is left of the rate."""
        rates = self.loaded("limits.rates.global = { burst = 0, per_second = 0 }").limits.rates
        self.assertEqual(rates.global_, Rate(0, 0))

    def test_name_on_imc2(self) -> None:
        """No game can have the name that the network has on an open IMC2 port."""
        blocked = NetworkSettings().blocked_games
        for text, names in (
            ("imc2.server = 'Hub'", blocked),
            ("i3.gateway = {routers = ['*a b 1'], game = 'I3', admin_email = 'a@b.org'}", (*blocked, "*I3")),
            ("imc2.server = 'Hub'\nimc2.listen = ['tcp:1']", (*blocked, "Hub")),
            ("imc2.listen = ['tcp:1']", blocked),
        ):
            self.assertEqual(self.loaded(text).network.blocked_games, names)

    def test_limits_of_the_network(self) -> None:
        """The network can be given the limits of the daemon as they are."""
        limits: NetworkLimits = self.loaded("limits.players = 3").limits
        self.assertEqual(limits.players, 3)


class Complaints(ConfigCase):
    """Each names the key and its place, in one line."""

    def test_texts(self) -> None:
        """Whatever is wrong is said in words that help."""
        for text, complaint in {
            "lisent = []": "unknown key 'lisent', did you mean 'listen'?",
            "[limits]\nplayer = 3": "unknown key 'player' in [limits], did you mean 'players'?",
            "[limits]\nxyzzy = 3": "unknown key 'xyzzy' in [limits]",
            "limits.rates.global.burts = 3": "unknown key 'burts' in [limits.rates.global], did you mean 'burst'?",
            "[limits.rates]\nglobal_ = {}": "unknown key 'global_' in [limits.rates], did you mean 'global'?",
            '"a\\nb" = 1': "unknown key 'a\\nb'",
            "limits.rates.channels_send.burst = 'x'": "limits.rates.channels_send.burst: expected int, got str",
            "limits.rates.channels_send.burst = 1.5": "limits.rates.channels_send.burst: expected int, got float",
            "limits = 3": "limits: expected table, got int",
            "listen = 'tcp:1'": "listen: expected list, got str",
            "proxies = true": "proxies: expected int, got bool",
            "network.public_moderation = 'yes'": (
                "network.public_moderation: must be one of off, games, all, not 'yes'"
            ),
            "network.name = 2026-01-01": "network.name: expected str, got date",
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
            "[limits.telnet]\nlogin = 1": "unknown key 'login' in [limits.telnet], did you mean 'logins'?",
            "imc2.listen = ['']": "imc2.listen: must not contain an empty address",
            "imc2.server = 'a b'": "imc2.server: must have 1 to 15 letters and digits, the first a letter",
            "imc2.network = 'a b'": "imc2.network: must have 1 to 30 ASCII characters without blanks and quotes",
            "imc2.channels = ['a b']": "imc2.channels: 'a b' is not the name of a channel",
            "imc2.charset = 'x'": "imc2.charset: must be one of ascii, latin1, utf-8, not 'x'",
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
            "web.sign_up = 'maybe'": "web.sign_up: must be one of open, invite, closed, not 'maybe'",
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
            "data = 'a'\nlisten = [": "Invalid value (at end of document)",
            "\ndata = x": "Invalid value (at line 2, column 8)",
            "a = " + "[" * 100_000: "nested too deeply",
        }.items():
            self.assertEqual(self.complaint(text), complaint, text[:80])

    def test_byte_order_mark(self) -> None:
        """Some editors put one at the start of a file."""
        self.assertEqual(self.loaded(b"\xef\xbb\xbfdowntime = 7").downtime, 7)

    def test_not_utf8(self) -> None:
        """A file in another encoding is told so."""
        self.assertEqual(self.complaint(b"data = '\xe4'"), "not UTF-8, at byte 8")

    def test_huge_number(self) -> None:
        """A number with more digits than Python reads is an error like others."""
        self.assertIn("digits", self.complaint("proxies = 1" + "0" * 5000))

    def test_missing_file(self) -> None:
        """A file that was named must be there."""
        error = self.assertRaises(ConfigError, load, {"config": "nowhere.toml"}, {})
        self.assertEqual(str(error), "cannot read nowhere.toml: No such file or directory")

    def test_directory(self) -> None:
        """A directory is no file."""
        error = self.assertRaises(ConfigError, load, {}, {"GOSSIP_CONFIG": "."})
        self.assertEqual(str(error), "cannot read .: Is a directory")

    def test_overridden(self) -> None:
        """What is wrong in the file is told although an option goes before it."""
        path = self.written("data = 3")
        error = self.assertRaises(ConfigError, load, {"config": path, "data": "there"}, {})
        self.assertEqual(str(error), f"{path}: data: expected str, got int")

    def test_variable(self) -> None:
        """A complaint about the environment names the variable."""
        error = self.assertRaises(ConfigError, load, {}, {"GOSSIP_PROXIES": "two"})
        self.assertEqual(str(error), "GOSSIP_PROXIES: proxies: expected int, got str")

    def test_strange_name(self) -> None:
        """The name of a file cannot forge a line of a log."""
        error = self.assertRaises(ConfigError, load, {"config": "a\nb\u2028c"}, {})
        self.assertEqual(str(error), "cannot read a?b?c: No such file or directory")

    def test_option(self) -> None:
        """A complaint about the command line names the option."""
        error = self.assertRaises(ConfigError, load, {"database": "mysql://u:hush@h/d"}, {})
        self.assertTrue(str(error).startswith("--database: database: "), str(error))

    def test_bytes_of_another_encoding(self) -> None:
        """A variable that is not UTF-8 comes as surrogates, and is refused."""
        error = self.assertRaises(ConfigError, load, {}, {"GOSSIP_DATA": "/srv/\udce4"})
        self.assertEqual(str(error), "GOSSIP_DATA: data: must be UTF-8 without control characters")


class Precedence(ConfigCase):
    """Option, environment, file, default."""

    SETTINGS: tuple[tuple[str, Any, str, Any], ...] = (
        ("listen", ["tcp:1"], "tcp:2 tcp:3", ("tcp:2", "tcp:3")),
        ("telnet", ["tcp:7"], "tcp:8", ("tcp:8",)),
        ("data", "file", "environment", "environment"),
        ("database", "sqlite:///file", "sqlite:///environment", "sqlite:///environment"),
        ("node", "a", "b", "b"),
        ("admin_socket", "file", "environment", "environment"),
        ("proxies", 1, "2", 2),
        ("downtime", 1, "0", 0),
    )

    def test_every_setting(self) -> None:
        """Every setting of the top can be given in each of the ways, and the nearest counts."""
        top = [name for name, value in msgspec.to_builtins(Config()).items() if not isinstance(value, dict)]
        self.assertEqual([name for name, *_ in self.SETTINGS], top)
        for name, in_file, in_environment, expected in self.SETTINGS:
            # A node needs a database that it can share.
            more = {"database": "postgresql://a/b"} if name == "node" else {}
            options = {"config": self.written(tomli_w.dumps({name: in_file, **more}))}
            environ = {"GOSSIP_" + name.upper(): in_environment}
            of_file = getattr(load(options, {}), name)
            self.assertEqual(of_file, tuple(in_file) if isinstance(in_file, list) else in_file)
            self.assertEqual(getattr(load(options, environ), name), expected)
            environ["GOSSIP_" + name.upper()] = str(in_file[0] if isinstance(in_file, list) else in_file)
            options[name.replace("_", "-")] = in_environment
            self.assertEqual(getattr(load(options, environ), name), expected)

    def test_node(self) -> None:
        """A node has a name without surprises, and a database that several daemons can share."""
        for table, why in (
            ({"node": "a"}, "node: needs a database that several daemons can share"),
            ({"node": "A b", "database": "postgresql://a/b"}, "node: must have 1 to 20 small letters"),
        ):
            with self.assertRaises(ConfigError) as caught:
                load({"config": self.written(tomli_w.dumps(table))}, {})
            self.assertIn(why, str(caught.exception))

    def test_repeated_option(self) -> None:
        """An option that may be repeated comes as a list."""
        config = load({"listen": ["tcp:1", "unix:/a b"]}, {"GOSSIP_LISTEN": "tcp:3"})
        self.assertEqual(config.listen, ("tcp:1", "unix:/a b"))

    def test_empty(self) -> None:
        """What is empty counts as not given: usage.Options and compose files have such."""
        options: dict[str, object] = {"config": None, "listen": [], "data": None, "database": "", "check": 0}
        environ = {"GOSSIP_CONFIG": "", "GOSSIP_DATABASE": "", "GOSSIP_PROXIES": ""}
        self.assertEqual(load(options, environ), Config())

    def test_file_of_option(self) -> None:
        """The file that an option names goes before the one of the environment."""
        mine, other = self.written("proxies = 1"), self.written("downtime = 1")
        self.assertEqual(load({"config": mine}, {"GOSSIP_CONFIG": other}), Config(proxies=1))
        self.assertEqual(load({}, {"GOSSIP_CONFIG": other}), Config(downtime=1))


class Dump(ConfigCase):
    """--dump-config."""

    def test_all(self) -> None:
        """Every setting is shown, with the names of the file."""
        shown = tomllib.loads(dump(Config()))
        self.assertEqual(shown["limits"]["rates"]["global"], {"burst": 100, "per_second": 20})
        self.assertEqual(shown.keys(), msgspec.to_builtins(Config()).keys())

    def test_password(self) -> None:
        """The password of the database is not shown, and loading without it is refused."""
        shown = dump(Config(database=URL))
        self.assertNotIn("hush", shown)
        self.assertIn("postgresql+psycopg://gossip:***@db.example.org/gossip", shown)
        self.assertEqual(self.complaint(shown), "database: replace *** with the password")
        self.assertEqual(self.loaded(shown.replace("***", "hush")), Config(database=URL))

    def test_mail_password(self) -> None:
        """Nor is that of the mail server."""
        config = Config(web=WebSettings(mail=MailSettings(user="gossip", password="hush")))
        shown = dump(config)
        self.assertNotIn("hush", shown)
        self.assertEqual(tomllib.loads(shown)["web"]["mail"]["password"], "***")
        self.assertEqual(self.complaint(shown), "web.mail.password: replace *** with the password")
        self.assertEqual(self.loaded(shown.replace("***", "hush")), config)

    def test_representation(self) -> None:
        """A configuration that comes into a log by accident does not show the passwords."""
        web = WebSettings(mail=MailSettings(user="gossip", password="hush"))
        self.assertNotIn("hush", repr(Config(database=URL, web=web)))


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
NUMBERS = st.integers(0, 10**9)
SECONDS = st.floats(0, 10**9)
RATES = st.builds(Rate, NUMBERS, st.floats(0, 10**9, exclude_min=True))
KINDS = {"int": NUMBERS, "float": SECONDS, "Rates": st.builds(Rates, RATES, RATES, RATES, RATES)}
KINDS["Budgets"] = st.builds(Budgets, *[st.builds(Budget, NUMBERS, st.integers(1, 10**9))] * 2)
KINDS["TelnetLimits"] = st.builds(TelnetLimits, **{k: KINDS[v] for k, v in TelnetLimits.__annotations__.items()})
_IMC2 = {**Imc2Limits.__annotations__, "text_bytes": "text_bytes", "packets": "packets"}
KINDS |= {"text_bytes": st.integers(1, 700), "packets": st.integers(1, 100)}
KINDS["Imc2Limits"] = st.builds(Imc2Limits, **{name: KINDS[kind] for name, kind in _IMC2.items()})
_I3 = {
    **I3Limits.__annotations__,
    "text_bytes": "text_bytes",
    "packets": "packets",
    "frame_bytes": "frame_bytes",
    "frame_bytes_before_startup": "before_startup",
}
KINDS |= {"frame_bytes": st.integers(1000, 10**9), "before_startup": st.integers(0, 1000)}
KINDS["I3Limits"] = st.builds(I3Limits, **{name: KINDS[kind] for name, kind in _I3.items()})
NAMES = st.lists(TEXT).map(tuple)
WEBSITES = st.sampled_from(["", "https://gossip.example.org/", "localhost:4110"])
CONFIGS = st.builds(
    Config,
    listen=st.lists(TEXT.filter(bool), min_size=1).map(tuple),
    telnet=st.lists(TEXT.filter(bool)).map(tuple),
    data=TEXT.filter(bool),
    database=st.sampled_from(["", "sqlite:////srv/gossip.db", "postgresql://u@h/d"]),
    admin_socket=TEXT,
    proxies=NUMBERS,
    downtime=NUMBERS,
    network=st.builds(
        NetworkSettings,
        name=TEXT,
        help=TEXT,
        website=WEBSITES,
        rules=TEXT.filter(lambda text: "://" not in text),
        contact=st.sampled_from(["", "admin@example.org", "https://example.org/"]),
        blocked_channels=NAMES,
        blocked_games=NAMES,
        blocked_accounts=NAMES,
        history_days=st.floats(0, 100_000),
        echo=st.booleans(),
    ),
    limits=st.builds(
        Limits,
        **{name: KINDS[kind] for name, kind in {**NetworkLimits.__annotations__, **Limits.__annotations__}.items()},
    ),
)

KEYS = st.one_of(
    st.sampled_from([*Config.__struct_encode_fields__, *NetworkSettings.__struct_encode_fields__]),
    st.sampled_from([*Limits.__struct_encode_fields__, *Rates.__struct_encode_fields__, "burst", "per_second"]),
    st.text(max_size=8),
)
SCALARS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.text(), st.dates(), st.times(), st.datetimes(), st.sampled_from([URL])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=30)
LIMITS = st.fixed_dictionaries({"limits": st.dictionaries(KEYS, VALUES)})
DOCUMENTS = st.dictionaries(KEYS, VALUES) | LIMITS | LIMITS.map(lambda table: {"limits": {"rates": table["limits"]}})


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


class Anything(ConfigCase):
    """Whatever the file holds."""

    def judge(self, text: str | bytes) -> None:
        """Load a file, and see that nothing but a Config or one line of complaint comes of it."""
        try:
            config = self.loaded(text)
        except ConfigError as error:
            self.assertEqual(len(str(error).splitlines()), 1, repr(str(error)))
        else:
            self.assertEqual(self.loaded(dump(config).replace("***", "hush")), config)

    @given(DOCUMENTS)
    def test_toml(self, document: dict[str, Any]) -> None:
        """Values of any kind under any key are a Config or a ConfigError."""
        try:
            text = tomli_w.dumps(document)
        except UnicodeEncodeError:
            return
        self.judge(text.encode("utf-8", "surrogatepass"))

    @given(st.binary() | st.text(st.sampled_from("[]{}=.,'\"\\#\n 1aeut-+:")).map(str.encode))
    def test_bytes(self, junk: bytes) -> None:
        """So are bytes of any kind."""
        self.judge(junk)

    @given(CONFIGS)
    def test_round_trip(self, config: Config) -> None:
        """What is dumped loads as what it was."""
        assume(len(os.fsencode(config.admin_path)) <= SOCKET_PATH_BYTES)
        # Without a bound of players, all other limits go together.
        config = replace(config, limits=replace(config.limits, players=0))
        self.assertEqual(self.loaded(dump(config)), config)

    @given(st.dictionaries(st.sampled_from(["LISTEN", "PROXIES", "DATA", "DATABASE", "CONFIG", "DOWNTIME"]), st.text()))
    def test_environment(self, variables: dict[str, str]) -> None:
        """Variables of any content are a Config or a ConfigError."""
        try:
            load({}, {"GOSSIP_" + name: value for name, value in variables.items()})
        except ConfigError as error:
            self.assertEqual(len(str(error).splitlines()), 1, repr(str(error)))


class Waiting(SynchronousTestCase):
    """What a reload leaves to a restart."""

    def test_waiting(self) -> None:
        """Settings that need a restart and differ are named; all others follow a reload."""
        before = Config()
        after = Config(proxies=1, downtime=9, limits=Limits(sessions=1, ref_bytes=5), listen=("tcp:1",))
        self.assertEqual(waiting(before, after), ["listen", "proxies", "limits.ref_bytes"])
        self.assertEqual(waiting(after, after), [])
