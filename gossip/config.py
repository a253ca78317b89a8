"""
The configuration: gossip.toml, typed, every setting with its default.

An option of the command line goes before the environment, the environment before the file, the file before the default.
C{etc/gossip.toml} explains the settings.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast
from unicodedata import category

import msgspec
import tomli_w
from msgspec import Struct
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gossip.network.settings import NetworkLimits, NetworkSettings
from gossip.registry.accounts import EMAIL
from gossip.transports.telnet.limits import TelnetLimits
from gossip.web.settings import WebSettings

ENVIRONMENT: Final = "GOSSIP_"
"""What the variables of the environment begin with: C{listen} is C{GOSSIP_LISTEN}."""

HIDDEN: Final = "***"
"""Stands for a password wherever the configuration is shown."""

_DRIVERS: Final = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")

_SCHEMES: Final = {"tcp": ("http", "80"), "tcp6": ("http", "80"), "ssl": ("https", "443"), "tls": ("https", "443")}
_COLON: Final = re.compile(r"(?<!\\):")

SOCKET_PATH_BYTES: Final = 107
"""How long the path of a unix socket may be."""

_LARGEST: Final = 10**9
"""No number in the configuration is larger: what is computed from it (times, dates, sizes) stays in range."""

_LONGEST_HISTORY: Final = 100_000
"""In days: a date that lies further back than that has no name."""

_NO_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_SERVER: Final = re.compile(r"([0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9][0-9]{0,4}")

_Table = dict[str, Any]
"""A table of the file."""


class ConfigError(Exception):
    """The configuration is wrong; the text is one line for the admin, and says where and why."""

    def __init__(self, text: str) -> None:
        # It may quote the name of a file, which may hold anything.
        super().__init__(_NO_LINE.sub("?", text))


class Limits(NetworkLimits, frozen=True, forbid_unknown_fields=True):
    """
    What the daemon bears; 0 is no limit.

    @ivar frame_in_bytes: the longest frame from a game.
    @ivar frame_out_bytes: the longest frame to a game.
    @ivar ref_bytes: the longest ref that is echoed.
    @ivar connections: how many connections there may be.
    @ivar connections_per_address: how many of them from one address.
    @ivar unauthenticated_per_address: how many of those before they have authenticated.
    @ivar backlog_bytes: how much may wait for a slow reader before he is cut off.
    @ivar readers: how many browsers may follow the talk live.
    @ivar readers_per_address: how many of them from one address.
    @ivar request_line_bytes: the longest first line of a request.
    @ivar request_seconds: how long that first line may take.
    @ivar telnet: what the telnet bridge bears.
    """

    frame_in_bytes: int = 64 * 1024
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
    telnet: TelnetLimits = TelnetLimits()


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """
    All settings.

    @ivar listen: where the daemon listens, as endpoint strings of Twisted.
    @ivar telnet: where it listens for games that come by telnet; nothing for nowhere.
    @ivar data: the directory that it keeps everything in.
    @ivar database: the URL of its database; empty for SQLite in C{data}.
    @ivar admin_socket: where gossipctl finds it; empty for C{admin.sock} in C{data}.
    @ivar proxies: how many hops of X-Forwarded-For are believed; 0 for none.
    @ivar downtime: how many seconds of absence are announced at SIGTERM.
    @ivar network: how the network appears.
    @ivar web: what its pages let people do.
    @ivar limits: what it bears.
    """

    listen: tuple[str, ...] = ("tcp:4110:interface=127.0.0.1",)
    telnet: tuple[str, ...] = ()
    data: str = "./gossip-data"
    database: str = ""
    admin_socket: str = ""
    proxies: int = 0
    downtime: int = 30
    network: NetworkSettings = NetworkSettings()
    web: WebSettings = WebSettings()
    limits: Limits = Limits()

    @property
    def data_path(self) -> Path:
        """The directory that everything is kept in."""
        return Path(self.data)

    @property
    def admin_path(self) -> Path:
        """The admin's unix socket, named or not."""
        return Path(self.admin_socket) if self.admin_socket else self.data_path / "admin.sock"

    @property
    def address(self) -> str:
        """
        Where people find the pages, without a slash at the end: what C{network.website} says; without that, what this
        machine calls the first place where the daemon listens. Empty if that is nothing that a browser opens.
        """
        website = self.network.website.rstrip("/")
        if website:
            return website if "://" in website else f"https://{website}"
        return next(filter(None, map(_address, self.listen)), "")

    def __repr__(self) -> str:
        """Without the database and what else holds a password, which must not come into a log by accident."""
        return f"<Config listen={self.listen!r} data={self.data!r}>"


def _address(endpoint: str) -> str:
    """What to type into a browser on this machine for an endpoint string; empty if there is no such thing."""
    kind, *parts = (part.replace("\\:", ":") for part in _COLON.split(endpoint))
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    others = [part for part in parts if "=" not in part]
    if kind == "tls":
        del others[:1]  # the directory
    port = named.get("port", others[0] if others else "")
    if kind not in _SCHEMES or not port.isdecimal() or not int(port):
        return ""
    host = named.get("interface", "").strip("[]")
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 (nothing is bound here)
        host = "localhost"
    host = f"[{host}]" if ":" in host else host
    scheme, usual = _SCHEMES[kind]
    return f"{scheme}://{host}" if port == usual else f"{scheme}://{host}:{port}"


_DEFAULTS: Final = cast("_Table", msgspec.to_builtins(Config()))

_NAMES: Final = tuple(name for name, value in _DEFAULTS.items() if not isinstance(value, dict))
"""What the environment and the command line can set."""


def load(options: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """
    Find the settings. Pure but for reading the file.

    An option or a variable that is empty counts as not given. What is set is judged even where something else overrides
    it: a file that is wrong today would surprise somebody later.

    @param options: C{config}, the name of the file, and any setting by the name of its option (C{admin-socket}): text,
        or a list of it. Other keys are not looked at, so that C{twisted.python.usage.Options} can be given.
    @param environ: the environment.
    @raise ConfigError: there is something wrong with them.
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
    return config


def dump(config: Config) -> str:
    """
    Write a configuration as a file that C{load} reads.

    Passwords become C{***}, since this text goes to terminals, logs and bug reports; C{load} refuses those, so that
    nobody wonders about a login that fails.
    """
    table = cast("_Table", msgspec.to_builtins(config))
    if config.database:
        table["database"] = make_url(config.database).render_as_string(hide_password=True)
    if config.web.mail.password:
        table["web"]["mail"]["password"] = HIDDEN
    return tomli_w.dumps(table)


def _layers(options: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, _Table]]:
    """What was set, and where: what comes later goes before what came earlier."""
    if file := options.get("config") or environ.get(ENVIRONMENT + "CONFIG"):
        yield str(file), _read(Path(file))
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
        text = path.read_bytes().decode()
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8, at byte {error.start}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except ValueError as error:
        # Mostly a TOMLDecodeError, which names line and column; or the NUL that no path may hold.
        raise ConfigError(f"{path}: {error}") from None


def _value(name: str, given: object) -> object:
    """Make what came as text the kind of value that a setting takes, if it looks like one."""
    if isinstance(given, str):
        default = _DEFAULTS[name]
        if isinstance(default, list | tuple):
            return given.split()
        if isinstance(default, int) and re.fullmatch("-?[0-9]{1,18}", given):
            return int(given)
    return given


def _merged(table: _Table, settings: _Table, place: str = "") -> _Table:
    """Put settings over those of a table, down to single keys: half a rate keeps its other half."""
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
        what = what.replace("`", "").replace("object", "table").replace("array", "list")
        raise ConfigError(f"{where.rstrip('`').replace('[...]', '')}: {what[:1].lower()}{what[1:]}") from None


def _check(config: Config) -> None:
    """
    Judge what types do not tell.

    Endpoint strings are not parsed here: some read certificates or inherit sockets as they are parsed, and gossipctl
    loads the same configuration elsewhere.
    """
    for place, value in _leaves(cast("_Table", msgspec.to_builtins(config))):
        if isinstance(value, str):
            # A surrogate is a byte of the command line or the environment that was not UTF-8.
            if any(category(character) in ("Cc", "Cs") for character in value):
                raise ConfigError(f"{place}: no control characters, and nothing but UTF-8")
        elif not 0 <= value <= _LARGEST:
            raise ConfigError(f"{place}: must be a number from 0 to {_LARGEST}")
    for key in ("history_days", "player_count_days", "audit_days"):
        if getattr(config.network, key) > _LONGEST_HISTORY:
            raise ConfigError(f"network.{key}: must not be above {_LONGEST_HISTORY}; 0 keeps all for ever")
    for key, rate in cast("_Table", msgspec.to_builtins(config.limits.rates)).items():
        if rate["burst"] and not rate["per_second"]:
            raise ConfigError(f"limits.rates.{key}.per_second: must be above 0; burst = 0 is for no limit")
    if not config.listen or not all(config.listen):
        raise ConfigError("listen: at least one address, and no empty one")
    if not all(config.telnet):
        raise ConfigError("telnet: no empty address")
    if not config.data:
        raise ConfigError("data: must not be empty")
    if len(os.fsencode(config.admin_path)) > SOCKET_PATH_BYTES:
        raise ConfigError(f"admin_socket: {config.admin_path} has over {SOCKET_PATH_BYTES} bytes; name a shorter one")
    _check_database(config.database)
    _check_web(config)


def _check_web(config: Config) -> None:
    if not config.web.visit_days:
        raise ConfigError("web.visit_days: must be above 0")
    mail = config.web.mail
    if mail.password == HIDDEN:
        raise ConfigError(f"web.mail.password: put the password in place of {HIDDEN}")
    if bool(mail.user) != bool(mail.password):
        raise ConfigError("web.mail: user and password belong together")
    if not mail.server:
        return
    if not _SERVER.fullmatch(mail.server):
        raise ConfigError("web.mail.server: not like mail.example.org:587")
    if not EMAIL.fullmatch(mail.sender):
        raise ConfigError("web.mail.sender: not an address like gossip@example.org")
    if not config.network.website:
        raise ConfigError("web.mail.server: set network.website too, which links in mails lead to")


def _leaves(table: _Table, place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{place}{key}.")
        else:
            for leaf in value if isinstance(value, list | tuple) else (value,):
                yield place + key, leaf


def _check_database(database: str) -> None:
    """No complaint shows the URL: it may hold a password."""
    if not database:
        return
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise ConfigError("database: not a URL like postgresql+psycopg://user:password@host/name") from None
    if url.drivername not in _DRIVERS:
        raise ConfigError(f"database: its URL must begin with one of {', '.join(_DRIVERS)}")
    if any("password" in key.lower() for key in url.query):
        raise ConfigError("database: put the password before the host, where it is hidden from logs")
    if url.password == HIDDEN:
        raise ConfigError(f"database: put the password in place of {HIDDEN}")
