"""
The settings, every one with its default.

C{etc/gossip.toml} explains them. L{gossip.config.loading} reads them, L{gossip.config.validation} judges them.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from gossip.cluster.settings import ClusterSettings
from gossip.network.settings import NetworkLimits, NetworkSettings
from gossip.registry.secret import IMC2
from gossip.transports.budget import Budget, Budgets
from gossip.transports.endpoints import EndpointError, parse, ports
from gossip.transports.imc2.limits import Imc2Limits, Imc2Settings
from gossip.transports.intermud3.limits import I3Limits, I3Settings
from gossip.transports.telnet.limits import TelnetLimits
from gossip.web.settings import WebSettings

_SCHEMES: Final = {"tcp": ("http", "80"), "tcp6": ("http", "80"), "ssl": ("https", "443"), "tls": ("https", "443")}

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

Table = dict[str, Any]
"""A table of the configuration file."""


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
    before, after = (dict(settings_of(cast("Table", msgspec.to_builtins(each)))) for each in (running, wanted))
    return [name for name in before if name in NEED_RESTART and before[name] != after[name]]


def settings_of(table: Table, place: str = "") -> Iterator[tuple[str, Any]]:
    """All settings in a table and in those below it, each with its whole name: C{limits.players}."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from settings_of(value, f"{place}{key}.")
        else:
            yield place + key, value
