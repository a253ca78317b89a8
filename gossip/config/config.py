"""
The configuration: gossip.toml, typed, every setting with its default.

Command-line options override the environment, which overrides the file, which overrides the defaults.
C{etc/gossip.toml} explains the settings.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast, get_args
from unicodedata import category

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gossip.cluster.settings import ClusterSettings
from gossip.cluster.wire import NODE
from gossip.network.settings import NetworkLimits, NetworkSettings
from gossip.registry.accounts import EMAIL
from gossip.registry.names import CHANNEL_NAME
from gossip.registry.secret import IMC2
from gossip.transports.budget import Budget, Budgets
from gossip.transports.endpoints import EndpointError, parse, ports
from gossip.transports.imc2.limits import NETWORK, SERVER, Imc2Limits, Imc2Settings
from gossip.transports.imc2.packets import TEXT_BYTES
from gossip.transports.intermud3.limits import I3Limits, I3Settings, complaint
from gossip.transports.telnet.limits import TelnetLimits
from gossip.web.settings import WebSettings

ENVIRONMENT: Final = "GOSSIP_"
"""The prefix of environment variables: C{listen} is C{GOSSIP_LISTEN}."""

HIDDEN: Final = "***"
"""Shown in place of a password."""

_DRIVERS: Final = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")

_SCHEMES: Final = {"tcp": ("http", "80"), "tcp6": ("http", "80"), "ssl": ("https", "443"), "tls": ("https", "443")}

SOCKET_PATH_BYTES: Final = 107
"""The maximum length of the path of a unix socket, in bytes."""

_LARGEST: Final = 10**9
"""The largest number in the configuration. Times, dates and sizes that are computed from it stay in range."""

_LONGEST_HISTORY: Final = 100_000
"""In days. An earlier date could not be written."""

_NO_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_SERVER: Final = re.compile(r"([0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9][0-9]{0,4}")

NEED_RESTART: Final = (
    "listen",
    "telnet",
    "data",
    "database",
    "node",
    "cluster",
    "admin_socket",
    "proxies",
    "imc2.listen",
    "imc2.server",
    "imc2.network",
    "imc2.channels",
    "imc2.charset",
    "imc2.remote",
    "imc2.sha256",
    "i3.listen",
    "i3.router",
    "i3.address",
    "i3.channels",
    "i3.remote",
    "i3.same_address",
    "i3.gateway.routers",
    "i3.gateway.mud",
    "i3.gateway.game",
    "i3.gateway.admin_email",
    "i3.gateway.channels",
    "i3.gateway.suffix",
    "i3.gateway.charset",
    "i3.gateway.list_remote",
    "i3.gateway.skip",
    "limits.frame_in_bytes",
    "limits.frame_out_bytes",
    "limits.ref_bytes",
    "limits.backlog_bytes",
    "limits.request_line_bytes",
    "limits.request_seconds",
)
"""The settings that a reload does not change."""

_WEBSITE: Final = re.compile(
    r"(?i)(https?://)?(\[[0-9a-f:.]{2,45}\]|\w([\w.-]{0,251}\w)?)(:[0-9]{1,5})?(/[^\s\"'<>\\`]*)?"
)

_Table = dict[str, Any]
"""A table of the configuration file."""


class ConfigError(Exception):
    """The configuration is wrong. The text is one line for the operator, and says where and why."""

    def __init__(self, text: str) -> None:
        # The text may quote a file name, which may contain any character.
        super().__init__(_NO_LINE.sub("?", text))


class Limits(NetworkLimits, frozen=True, forbid_unknown_fields=True):
    """
    The limits of the daemon; 0 is no limit.

    @ivar frame_in_bytes: the maximum size of a frame from a game.
    @ivar frame_out_bytes: the maximum size of a frame to a game.
    @ivar ref_bytes: the maximum length of a ref that is echoed.
    @ivar connections: the maximum number of connections.
    @ivar connections_per_address: the same, from one address.
    @ivar unauthenticated_per_address: the same, from one address and not authenticated yet.
    @ivar backlog_bytes: how much may wait to be sent to a slow connection before it is closed.
    @ivar readers: the maximum number of browsers that follow channels live.
    @ivar readers_per_address: the same, from one address.
    @ivar request_line_bytes: the maximum length of the first line of a request.
    @ivar request_seconds: the maximum time for that first line, in seconds.
    @ivar unfinished_bytes: how much of an unfinished message is kept for any connection that has not authenticated.
    @ivar budgets: how much one connection may send.
    @ivar telnet: the limits of the telnet bridge.
    @ivar imc2: the limits of the IMC2 port.
    @ivar i3: the limits of the Intermud-3 port.
    """

    frame_in_bytes: int = 144 * 1024
    frame_out_bytes: int = 16 * 1024
    ref_bytes: int = 256
    connections: int = 20_000
    connections_per_address: int = 2000
    unauthenticated_per_address: int = 500
    backlog_bytes: int = 1024 * 1024
    readers: int = 5000
    readers_per_address: int = 100
    request_line_bytes: int = 8 * 1024
    request_seconds: float = 10
    unfinished_bytes: int = 4096
    budgets: Budgets = Budgets(Budget(256 * 1024, 16 * 1024), Budget(2 * 1024 * 1024, 128 * 1024))
    telnet: TelnetLimits = TelnetLimits()
    imc2: Imc2Limits = Imc2Limits()
    i3: I3Limits = I3Limits()


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """
    All settings.

    @ivar listen: where the daemon listens, as endpoint strings of Twisted.
    @ivar telnet: where it listens for games that connect by telnet; empty for nowhere.
    @ivar data: the directory that it keeps everything in.
    @ivar database: the URL of its database; empty for SQLite in C{data}.
    @ivar node: the name of the daemon among several that share a network and its database; empty if it is alone.
    @ivar cluster: how it gets along with the others.
    @ivar admin_socket: the path of the unix socket for gossipctl; empty for C{admin.sock} in C{data}.
    @ivar proxies: how many hops of X-Forwarded-For are trusted; 0 for none.
    @ivar downtime: the downtime that is announced at SIGTERM, in seconds.
    @ivar network: the settings of the network itself.
    @ivar web: the settings of the pages.
    @ivar limits: the limits.
    @ivar imc2: the IMC2 port.
    @ivar i3: the Intermud-3 port.
    """

    listen: tuple[str, ...] = ("tcp:4110:interface=127.0.0.1",)
    telnet: tuple[str, ...] = ()
    data: str = "./gossip-data"
    database: str = ""
    node: str = ""
    admin_socket: str = ""
    proxies: int = 0
    downtime: int = 30
    network: NetworkSettings = NetworkSettings()
    web: WebSettings = WebSettings()
    limits: Limits = Limits()
    cluster: ClusterSettings = ClusterSettings()
    imc2: Imc2Settings = Imc2Settings()
    i3: I3Settings = I3Settings()

    @property
    def data_path(self) -> Path:
        """The directory that the daemon keeps everything in."""
        return Path(self.data)

    @property
    def admin_path(self) -> Path:
        """The path of the unix socket for gossipctl: as set, or the default."""
        return Path(self.admin_socket) if self.admin_socket else self.data_path / "admin.sock"

    @property
    def address(self) -> str:
        """
        The address of the pages, without a slash at the end. This is C{network.website}, if it is set. Otherwise it is
        the first of C{listen} that a browser on this machine can open; empty if there is none.
        """
        return self.network.site or next(filter(None, map(_address, self.listen)), "")

    @property
    def in_clear(self) -> frozenset[str]:
        """The uses of secrets that are kept in clear, too."""
        return frozenset((IMC2,) if self.imc2.sha256 else ())

    @property
    def imc2_port(self) -> str:
        """The first port for games by IMC2; empty if there is none."""
        try:
            return ports(self.imc2.listen).plain
        except EndpointError:
            return ""

    @property
    def i3_port(self) -> str:
        """The first port for games by Intermud-3; empty if there is none."""
        try:
            return ports(self.i3.listen).plain
        except EndpointError:
            return ""

    @property
    def i3_router(self) -> str:
        """The name of the router of Intermud-3."""
        return self.i3.router

    @property
    def socket(self) -> str:
        """
        The address at which a game on this machine joins; empty if there is none. A listener without TLS comes first: a
        certificate is for the name of the network, and not for this machine.
        """
        plain = (address for address in map(_address, self.listen) if address.startswith("http:"))
        site = next(plain, self.address)
        return f"ws{site.removeprefix('http')}/socket" if site else ""

    def __repr__(self) -> str:
        """Without the database and everything else that holds a password: it must not get into a log by accident."""
        return f"<Config listen={self.listen!r} data={self.data!r}>"


def _address(endpoint: str) -> str:
    """The URL of an endpoint for a browser on this machine; empty if there is none."""
    try:
        parsed = parse(endpoint)
    except EndpointError:
        return ""
    kind, port = parsed.kind, parsed.arguments.get("port", "")
    if kind not in _SCHEMES or parsed.proxied or not port.isdecimal() or not int(port):
        return ""
    host = parsed.arguments.get("interface", "").strip("[]")
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 (nothing is bound here)
        host = "localhost"
    host = f"[{host}]" if ":" in host else host
    scheme, usual = _SCHEMES[kind]
    return f"{scheme}://{host}" if port == usual else f"{scheme}://{host}:{port}"


_DEFAULTS: Final = cast("_Table", msgspec.to_builtins(Config()))

_NAMES: Final = tuple(name for name, value in _DEFAULTS.items() if not isinstance(value, dict))
"""The settings that the environment and the command line can set."""


def file(options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The name of the configuration file; empty if there is none. The arguments are those of L{load}."""
    return str(options.get("config") or environ.get(ENVIRONMENT + "CONFIG") or "")


def load(options: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """
    Read the settings from the file, the environment and the command line. Later ones override earlier ones.

    An empty option or variable counts as not given. A setting is checked even if another one overrides it: a wrong file
    would cause a surprise later.

    @param options: C{config}, the name of the file, and settings by the names of their options (C{admin-socket}), each
        a text or a list of texts. Other keys are ignored, so you can pass C{twisted.python.usage.Options}.
    @param environ: the environment.
    @raise ConfigError: a setting is wrong.
    """
    table = _DEFAULTS
    config = Config()
    for source, settings in _layers(options, environ):
        try:
            table = _merged(table, settings)
            config = _converted(table)
            _check(config)
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from None
    return _reserved(config)


def _reserved(config: Config) -> Config:
    """No game can have the name that the network has on an IMC2 port, or one like games of another network."""
    blocked, gateway = config.network.blocked_games, config.i3.gateway
    names = ((config.imc2.listen, config.imc2.server), (gateway.routers, f"*{gateway.suffix}"))
    more = tuple(name for used, name in names if used and name.lower() not in map(str.lower, blocked))
    return replace(config, network=replace(config.network, blocked_games=(*blocked, *more))) if more else config


def dump(config: Config) -> str:
    """
    Write a configuration in the format that C{load} reads.

    Passwords become C{***}, since this text goes to terminals, logs and bug reports. C{load} refuses C{***}, so that a
    copied password fails early and with a clear error.
    """
    # Imported where they are needed: gossipctl loads the configuration for every command.
    import tomli_w

    table = cast("_Table", msgspec.to_builtins(config))
    if config.database:
        from sqlalchemy import make_url

        table["database"] = make_url(config.database).render_as_string(hide_password=True)
    if config.web.mail.password:
        table["web"]["mail"]["password"] = HIDDEN
    return tomli_w.dumps(table)


def _layers(options: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, _Table]]:
    """Where settings come from, and the settings. Later ones override earlier ones."""
    if name := file(options, environ):
        yield name, _read(Path(name))
    for name in _NAMES:
        variable = ENVIRONMENT + name.upper()
        if text := environ.get(variable):
            yield variable, {name: _value(name, text)}
    for name in _NAMES:
        option = name.replace("_", "-")
        if given := options.get(option):
            yield f"--{option}", {name: _value(name, given)}


def _read(path: Path) -> _Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte-order mark
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8, at byte {error.start}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except ValueError as error:
        # A TOMLDecodeError, which names line and column; or the path contains a NUL.
        raise ConfigError(f"{path}: {error}") from None


def _value(name: str, given: object) -> object:
    """Convert a text to the type of a setting, if it looks like one."""
    if isinstance(given, str):
        default = _DEFAULTS[name]
        if isinstance(default, list | tuple):
            return given.split()
        if isinstance(default, int) and re.fullmatch("-?[0-9]{1,18}", given):
            return int(given)
    return given


def _merged(table: _Table, settings: _Table, place: str = "") -> _Table:
    """Override the settings of a table, down to single keys: a rate with one key given keeps its other key."""
    merged = dict(table)
    for key, value in settings.items():
        if key not in table:
            raise ConfigError(_unknown(key, table, place))
        below = table[key]
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value, f"{place}.{key}" if place else key)
        else:
            merged[key] = value
    return merged


def _unknown(key: str, table: _Table, place: str) -> str:
    complaint = f"unknown key {key!r}" + (f" in [{place}]" if place else "")
    alike = difflib.get_close_matches(key, table, n=1)
    return f"{complaint}, did you mean {alike[0]!r}?" if alike else complaint


def _converted(table: _Table) -> Config:
    try:
        return msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        # msgspec says: Expected `int`, got `str` - at `$.limits.players`
        what, _, where = str(error).partition(" - at `$.")
        where = where.rstrip("`").replace("[...]", "")
        if what.startswith("Invalid enum value"):
            what = f"must be one of {', '.join(_choices(where))}, not {what.removeprefix('Invalid enum value ')}"
        what = what.replace("`", "").replace("object", "table").replace("array", "list")
        raise ConfigError(f"{where}: {what[:1].lower()}{what[1:]}") from None


def _choices(where: str) -> tuple[str, ...]:
    """The values that a setting can have, by the names of its tables and its own: C{web.sign_up}."""
    kind: Any = Config
    for name in where.split("."):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == name)
    return get_args(kind)


def digest(config: Config) -> str:
    """A digest of the settings that must be the same on all nodes of a network."""
    agreed = msgspec.json.encode((config.network, config.limits, config.web), order="sorted")
    return sha256(agreed).hexdigest()[:16]


def waiting(running: Config, wanted: Config) -> list[str]:
    """
    The settings that a reload does not change, and that differ: they wait for a restart.

    @param running: the configuration that the daemon started with.
    @param wanted: the one that was read last.
    """
    before, after = (dict(_settings(cast("_Table", msgspec.to_builtins(each)))) for each in (running, wanted))
    return [name for name in before if name in NEED_RESTART and before[name] != after[name]]


def _settings(table: _Table, place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _settings(value, f"{place}{key}.")
        else:
            yield place + key, value


def _check(config: Config) -> None:
    """
    Check everything that types do not express.

    Endpoint strings are not parsed here: parsing some of them reads certificates or inherits sockets, and gossipctl
    loads the same configuration.
    """
    for place, value in _leaves(cast("_Table", msgspec.to_builtins(config))):
        if isinstance(value, str):
            # A surrogate is a byte of the command line or the environment that was not UTF-8.
            if any(category(character) in ("Cc", "Cs") for character in value):
                raise ConfigError(f"{place}: must be UTF-8 without control characters")
        elif not 0 <= value <= _LARGEST:
            raise ConfigError(f"{place}: must be a number from 0 to {_LARGEST}")
    for key in ("history_days", "channel_days", "player_count_days", "audit_days"):
        if getattr(config.network, key) > _LONGEST_HISTORY:
            raise ConfigError(f"network.{key}: must be at most {_LONGEST_HISTORY}; 0 keeps everything forever")
    for place, rate in _rates(cast("_Table", msgspec.to_builtins(config.limits)), "limits"):
        if rate["burst"] and not rate["per_second"]:
            raise ConfigError(f"{place}.per_second: must be above 0; for no limit set burst = 0")
    if not config.listen or not all(config.listen):
        raise ConfigError("listen: needs at least one address, and no empty ones")
    if not all(config.telnet):
        raise ConfigError("telnet: must not contain an empty address")
    if not config.data:
        raise ConfigError("data: must not be empty")
    if len(os.fsencode(config.admin_path)) > SOCKET_PATH_BYTES:
        raise ConfigError(
            f"admin_socket: {config.admin_path} has over {SOCKET_PATH_BYTES} bytes; choose a shorter path"
        )
    _check_database(config.database)
    _check_node(config)
    _check_lists(config.limits)
    _check_web(config)
    _check_imc2(config)
    if wrong := complaint(config.i3, config.limits.i3):
        raise ConfigError(wrong)


_AROUND: Final = 1024
"""The room for what surrounds the names of all players in one frame or line, in bytes."""


def _check_node(config: Config) -> None:
    if config.node and not NODE.fullmatch(config.node):
        raise ConfigError("node: must have 1 to 20 small letters, digits and hyphens")
    if config.node and not config.database.startswith("postgres"):
        raise ConfigError("node: needs a database that several daemons can share: set database to postgresql://…")


def _check_imc2(config: Config) -> None:
    settings, limits = config.imc2, config.limits.imc2
    if not all(settings.listen):
        raise ConfigError("imc2.listen: must not contain an empty address")
    if not SERVER.fullmatch(settings.server):
        raise ConfigError("imc2.server: must have 1 to 15 letters and digits, the first a letter")
    if not NETWORK.fullmatch(settings.network):
        raise ConfigError("imc2.network: must have 1 to 30 ASCII characters without blanks and quotes")
    for name in settings.channels:
        if not CHANNEL_NAME.fullmatch(name):
            raise ConfigError(f"imc2.channels: {name!r} is not the name of a channel")
    if not 1 <= limits.text_bytes <= TEXT_BYTES:
        raise ConfigError(f"limits.imc2.text_bytes: must be 1 to {TEXT_BYTES}: clients have no room for more")
    if not limits.packets:
        raise ConfigError("limits.imc2.packets: must be above 0")


def _check_lists(limits: Limits) -> None:
    """Check that a game can send the names of all players that it may list, in one frame or line."""
    # A name of JSON has two quotes, a comma and a blank around it.
    needed = limits.players * (limits.name_bytes + 4) + _AROUND
    for place, most in (
        ("limits.frame_in_bytes", limits.frame_in_bytes),
        ("limits.telnet.json_line_bytes", limits.telnet.json_line_bytes),
        ("limits.telnet.unended_bytes", limits.telnet.unended_bytes),
    ):
        if limits.players and limits.name_bytes and 0 < most < needed:
            raise ConfigError(
                f"{place}: must be at least {needed} for limits.players = {limits.players} with "
                f"limits.name_bytes = {limits.name_bytes}"
            )


def _check_web(config: Config) -> None:
    if config.network.website and not _WEBSITE.fullmatch(config.network.website):
        raise ConfigError("network.website: must look like https://gossip.example.org/")
    if config.network.rules_elsewhere and not _is_https(config.network.rules):
        raise ConfigError("network.rules: must be the path of a file, or look like https://example.org/rules")
    contact = config.network.contact
    if contact and not EMAIL.fullmatch(contact) and not _is_https(contact):
        raise ConfigError("network.contact: must be an address like admin@example.org or https://example.org/contact")
    if not config.web.visit_days:
        raise ConfigError("web.visit_days: must be above 0")
    mail = config.web.mail
    if mail.password == HIDDEN:
        raise ConfigError(f"web.mail.password: replace {HIDDEN} with the password")
    if bool(mail.user) != bool(mail.password):
        raise ConfigError("web.mail: set both user and password, or neither")
    if not mail.server:
        return
    if not _SERVER.fullmatch(mail.server):
        raise ConfigError("web.mail.server: must look like mail.example.org:587")
    if not EMAIL.fullmatch(mail.sender):
        raise ConfigError("web.mail.sender: must be an address like gossip@example.org")
    if not config.network.website:
        raise ConfigError("web.mail.server: also needs network.website: links in mail point there")


def _is_https(text: str) -> bool:
    return text.startswith("https://") and _WEBSITE.fullmatch(text) is not None


def _rates(table: _Table, place: str) -> Iterator[tuple[str, _Table]]:
    """All rates and budgets in a table, with their names."""
    if "burst" in table:
        yield place, table
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _rates(value, f"{place}.{key}")


def _leaves(table: _Table, place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in _settings(table, place):
        for leaf in value if isinstance(value, list | tuple) else (value,):
            yield key, leaf


def _check_database(database: str) -> None:
    """Check the URL of the database. No error shows it: it may contain a password."""
    if not database:
        return
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise ConfigError("database: must be a URL like postgresql+psycopg://user:password@host/name") from None
    if url.drivername not in _DRIVERS:
        raise ConfigError(f"database: its URL must start with one of {', '.join(_DRIVERS)}")
    if any("password" in key.lower() for key in url.query):
        raise ConfigError("database: put the password before the host; there it is hidden in logs")
    if url.password == HIDDEN:
        raise ConfigError(f"database: replace {HIDDEN} with the password")
