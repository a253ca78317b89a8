"""Reading the settings, and writing them."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import msgspec
import tomli_w
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from gossip.config.config import Config, Limits
from gossip.config.errors import ConfigError
from gossip.config.loading import dump, load
from gossip.config.validation import SOCKET_PATH_BYTES
from gossip.network.ratelimit import Rate
from gossip.network.settings import NetworkLimits, NetworkSettings, Rates
from gossip.transports.budget import Budget, Budgets
from gossip.transports.imc2.limits import Imc2Limits
from gossip.transports.intermud3.limits import I3Limits
from gossip.transports.telnet.limits import TelnetLimits
from gossip.web.settings import MailSettings, WebSettings
from tests.support.configuration import URL, ConfigCase


class File(ConfigCase):
    """gossip.toml."""

    def test_nothing(self) -> None:
        """No file, no options and no environment are the defaults."""
        self.assertEqual(load({}, {}), Config())

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
        """What cannot be read is said in words that help."""
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
            "[limits.telnet]\nlogin = 1": "unknown key 'login' in [limits.telnet], did you mean 'logins'?",
            "imc2.charset = 'x'": "imc2.charset: must be one of ascii, latin1, utf-8, not 'x'",
            "web.sign_up = 'maybe'": "web.sign_up: must be one of open, invite, closed, not 'maybe'",
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
