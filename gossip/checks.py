"""
What is wrong with a configuration although it can be read: addresses, certificates, limits, and who can read what.

Nothing is opened for good and nothing listens, so a daemon may run meanwhile. C{twistd gossip --check} and
C{gossipctl check} show the findings.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from operator import attrgetter
from typing import Final, Literal

from msgspec import Struct

from gossip.cluster.checking import faults
from gossip.config.config import Config
from gossip.protocol.text import timestamp
from gossip.transports.admission import RESERVED_FILES, room_for
from gossip.transports.certificates import WARN_DAYS
from gossip.transports.endpoints import EndpointError, parse
from gossip.transports.intermud3.gateway.settings import mapped
from gossip.transports.listening import try_out
from gossip.transports.registered import TRANSPORTS
from gossip.web.views import house_rules
from gossip.web.views.public import MAIN_CHANNEL

_DAY: Final = 86400
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


class Finding(Struct, frozen=True):
    """
    Something that is wrong.

    @ivar severity: C{error} if the daemon cannot run like this, otherwise C{warning}.
    @ivar about: the setting, or what else it is about.
    @ivar text: what is wrong, in one line.
    """

    severity: Literal["error", "warning"]
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.about}: {self.text}"


def findings(config: Config) -> Iterator[Finding]:
    """Look at a configuration, and at the files that it names."""
    yield from _listeners(config, time.time())
    yield from _open_files(config)
    yield from _data(config)
    yield from _proxies(config)
    yield from _rules(config)
    yield from _gateway(config)
    if config.node:
        for severity, text in faults(config.database):
            yield Finding(severity, "database", text)
    mail = config.web.mail
    if mail.server and not mail.encrypted and mail.server.rpartition(":")[0] not in _LOOPBACK:
        text = f"links that set passwords go to {mail.server} without encryption"
        yield Finding("warning", "web.mail.encrypted", text)


def _listeners(config: Config, now: float) -> Iterator[Finding]:
    taken: set[tuple[str, str]] = set()
    for transport in (make() for make in TRANSPORTS):
        for text in attrgetter(transport.setting)(config):
            try:
                certificates = try_out(text)
                wanted = parse(text)
            except EndpointError as error:
                yield Finding("error", transport.setting, f"{text}: {error}")
                continue
            if transport.name == "imc2" and (wanted.encrypted or wanted.proxied):
                yield Finding("error", transport.setting, f"{text}: IMC2 clients know neither TLS nor proxies")
            if transport.name == "i3" and wanted.encrypted:
                yield Finding("error", transport.setting, f"{text}: MUDs by Intermud-3 know no TLS")
            port = wanted.arguments.get("port", "0"), wanted.arguments.get("interface", "")
            if port in taken and port[0] != "0":
                yield Finding("error", transport.setting, f"{text}: the port {port[0]} is listed twice")
            taken.add(port)
            for one in certificates:
                days = int((one.ends - now) // _DAY)
                if days < WARN_DAYS:
                    verb = "ends" if one.ends > now else "ended"
                    names = ", ".join(one.names)
                    when = timestamp(one.ends, "seconds")
                    yield Finding("warning", transport.setting, f"the certificate for {names} {verb} at {when}")


def _open_files(config: Config) -> Iterator[Finding]:
    connections = config.limits.connections
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = room_for(connections, 0 if hard == resource.RLIM_INFINITY else hard)
    if connections and room < connections:
        needed = connections + RESERVED_FILES
        text = f"only {room} can be accepted: {hard} open files are allowed here (LimitNOFILE), and {needed} are needed"
        yield Finding("warning", "limits.connections", text)


def _data(config: Config) -> Iterator[Finding]:
    path = config.data_path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return  # the daemon makes it
    except OSError as error:
        yield Finding("error", "data", f"{path}: {error.strerror}")
        return
    if not path.is_dir():
        yield Finding("error", "data", f"{path} is not a directory")
    elif not os.access(path, os.W_OK | os.X_OK):
        yield Finding("error", "data", f"the user of this command cannot write to {path}")
    elif mode & 0o077:
        yield Finding("warning", "data", f"other users can look into {path}: chmod 700 {path}")


def _rules(config: Config) -> Iterator[Finding]:
    path = config.network.rules
    if not path or config.network.rules_elsewhere:
        return
    try:
        for mistake in house_rules.mistakes(house_rules.read(path)):
            yield Finding("warning", "network.rules", f"{path}: {mistake}")
    except house_rules.HouseRulesError as error:
        yield Finding("warning", "network.rules", f"{error}; /rules shows the default rules")
    except Exception as error:
        text = f"no page can be made of {path} ({type(error).__name__}); /rules shows the default rules"
        yield Finding("warning", "network.rules", text)


def _gateway(config: Config) -> Iterator[Finding]:
    """The gateway to Intermud-3."""
    gateway = config.i3.gateway
    if gateway.routers and any(each.here == MAIN_CHANNEL for each in mapped(gateway)):
        text = f"games on {MAIN_CHANNEL} did not choose to talk with another network: map a channel of its own"
        yield Finding("warning", "i3.gateway.channels", text)


def _proxies(config: Config) -> Iterator[Finding]:
    """A public address of the pages and listeners on the loopback only: there is a proxy in between."""
    website = config.network.website.partition("://")[2] or config.network.website
    if config.proxies or not website or website.startswith(_LOOPBACK):
        return
    hosts = [parse(text).arguments.get("interface", "") for text in config.listen if parse(text).kind == "tcp"]
    if len(hosts) == len(config.listen) and all(host in ("127.0.0.1", "localhost") for host in hosts):
        text = "set it to 1 if games come through a proxy: otherwise all of them share its address and its limits"
        yield Finding("warning", "proxies", text)
