"""C{twistd gossip}: its options, and how the parts of the daemon are put together."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, Final

from twisted.application import strports
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python import usage

from gossip import __version__, config
from gossip.config import Config, ConfigError
from gossip.network.network import Network
from gossip.network.settings import Rules
from gossip.operations.accounts import link
from gossip.operations.executor import Executor
from gossip.operations.operation import Occasion
from gossip.service.counters import Counters
from gossip.service.service import GossipService
from gossip.store.errors import StoreError
from gossip.store.store import Store
from gossip.store.writer import Writer
from gossip.transports.admission import Admission
from gossip.transports.sniffer import DoorFactory
from gossip.transports.telnet.factory import BridgeFactory
from gossip.transports.telnet.mssp import Figures, port
from gossip.transports.websocket.connection import GameFactory
from gossip.web.accounts.mail import Mail
from gossip.web.api.admin_api import admin_site
from gossip.web.live import Readers
from gossip.web.settings import WebRules
from gossip.web.site import public_site


class Options(usage.Options):
    """The command line of C{twistd gossip}."""

    synopsis = "[options]"
    longdesc = (
        "The network that MUDs join. Without options it listens on the loopback, port 4110, and keeps what it knows in "
        "./gossip-data."
    )

    optFlags: ClassVar = [
        ["check", None, "Say whether the configuration is good, and exit."],
        ["dump-config", None, "Print all settings as a configuration file, and exit."],
    ]
    optParameters: ClassVar = [
        ["config", "c", None, "The configuration file: see etc/gossip.toml."],
        ["data", "d", None, "The directory to keep everything in."],
        ["database", None, None, "The URL of a PostgreSQL database, instead of SQLite in the data directory."],
        ["admin-socket", None, None, "The unix socket for gossipctl, instead of admin.sock in the data directory."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []
        self["telnet"] = []

    def opt_listen(self, endpoint: str) -> None:
        """Where to listen, as an endpoint string; may be given more than once."""
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def opt_telnet(self, endpoint: str) -> None:
        """Where to listen for MUDs that come by telnet, as an endpoint string; may be given more than once."""
        self["telnet"].append(endpoint)

    def postOptions(self) -> None:
        try:
            self.config = config.load(self, os.environ)
        except ConfigError as error:
            # One line, and not the whole usage that comes with a UsageError.
            raise SystemExit(f"gossip: {error}") from None
        if self["dump-config"]:
            sys.stdout.write(config.dump(self.config))
            raise SystemExit(0)
        if self["check"]:
            sys.stdout.write("The configuration is good.\n")
            raise SystemExit(0)


BACKLOG: Final = 1024
"""How many connections may wait to be accepted, where an endpoint string does not say."""


class ListenError(Exception):
    """An endpoint string is wrong; the text is for the person who runs the daemon."""


class Daemon(MultiService):
    """All of it: opens the store, then the doors; closes them in the other order."""

    _log = Logger()

    def __init__(self, reactor: Any, options: Options) -> None:
        super().__init__()
        self._reactor = reactor
        self._options = options
        self._settings = options.config

    def startService(self) -> None:
        # Not before: a daemon has forked by now, which neither locks nor connections of a database survive.
        try:
            self._store = Store.open(self._settings.database or None, self._settings.data_path)
            self._open()
            super().startService()
        except (StoreError, ListenError, CannotListenError) as error:
            raise SystemExit(f"gossip: {error}") from None
        signal.signal(signal.SIGHUP, self._on_hangup)
        # In place of the reactor's own, which twistd follows by dying of the signal: to stop as asked is a success.
        self._reactor.callWhenRunning(signal.signal, signal.SIGTERM, self._on_terminate)
        # What is there now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        for line in _welcome(self._settings):
            self._log.info("{line}", line=line)
        self._let_set_up()

    def _let_set_up(self) -> None:
        """While nobody is an admin, who reads this log may become one: by a link that takes the place of the last."""
        accounts = self._gossip.network.registry.accounts
        if accounts.admins():
            return
        on = Occasion(self._reactor.seconds(), lambda: str(uuid.uuid4()), "start")
        change, made = link(accounts, "setup", "", on)
        line = f"  no admin yet: make the first one at {self._settings.address}{made['link']} until {made['until']}"
        # It is good when it is kept, and not before.
        self._gossip.change(change).addCallbacks(
            lambda _: self._log.info("{line}", line=line),
            lambda failure: self._log.failure("no link to set up the network could be made", failure),
        )

    def _open(self) -> None:
        settings, reactor, store = self._settings, self._reactor, self._store
        limits = settings.limits
        _allow_open_files(limits.connections)
        self._rules = Rules(settings.network, limits)
        network = Network(store.load(), lambda: str(uuid.uuid4()), random.random, self._rules)
        counters = Counters()
        self._writer = Writer(store.keep, reactor, counters.committed)
        self._gossip = gossip = GossipService(reactor, network, self._writer, counters, settings.downtime)
        gossip.history = lambda *asked: deferToThread(store.history, *asked)
        gossip.setServiceParent(self)
        self._admission, self._admission_of_people = Admission(), Admission()
        self._admit(settings)
        games = GameFactory(
            reactor,
            gossip,
            self._admission,
            frame_in=limits.frame_in_bytes,
            frame_out=limits.frame_out_bytes,
            ref_bytes=limits.ref_bytes,
            backlog=limits.backlog_bytes,
            proxies=settings.proxies,
        )
        self._readers = Readers(limits.readers, limits.readers_per_address)
        executor = Executor(gossip, store, deferToThread, reactor)
        self._web_rules = WebRules(settings.web, settings.address)
        people = public_site(
            gossip,
            store,
            reactor,
            deferToThread,
            self._readers,
            settings.proxies,
            executor,
            self._web_rules,
            mail=Mail(reactor, self._web_rules),
            telnet=(port(settings.telnet), port(settings.telnet, encrypted=True)),
        )
        door = DoorFactory(
            reactor, games, people, self._admission_of_people, limits.request_line_bytes, limits.request_seconds
        )
        for endpoint in settings.listen:
            self._listen(endpoint, door)
        figures = Figures(network, settings, self._rules, reactor.seconds())
        self._bridge = bridge = BridgeFactory(
            reactor,
            gossip,
            figures.mssp,
            lambda: self._rules.limits.rates.global_,
            banner=f"gossip/{__version__} HELP for help",
            web_hint=figures.web_hint,
            limits=limits.telnet,
            frame_out=limits.frame_out_bytes,
            ref_bytes=limits.ref_bytes,
        )
        if settings.telnet:
            gossip.bridge = bridge
        for endpoint in settings.telnet:
            self._listen(endpoint, bridge)
        admin = admin_site(gossip, store, reactor, deferToThread, executor, people.live, self._web_rules)
        # Nobody else has the store, so a socket that is left there belongs to nobody.
        settings.admin_path.unlink(missing_ok=True)
        self._listen(f"unix:{quoteStringArgument(str(settings.admin_path))}:mode=600:lockfile=0", admin)

    def _listen(self, endpoint: str, factory: IProtocolFactory) -> None:
        """
        Listen as soon as all is there. Unlike other services this one fails at once if it cannot.

        @raise ListenError: there is no such endpoint.
        """
        if endpoint.startswith(("tcp:", "tcp6:", "ssl:")) and ":backlog=" not in endpoint:
            # After a restart all games are at the door at once, and Twisted lets 50 of them wait.
            endpoint += f":backlog={BACKLOG}"
        try:
            strports.service(endpoint, factory, self._reactor).setServiceParent(self)
        except Exception as error:
            # Each kind of endpoint has complaints of its own: a missing certificate, a port that is no number.
            raise ListenError(f"cannot listen on {endpoint}: {str(error) or type(error).__name__}") from None

    def stopService(self) -> Deferred[None]:
        # Listeners and sessions first, then what they wrote to.
        stopped: Deferred[Any] = super().stopService()
        return stopped.addCallback(lambda _: self._writer.stop()).addCallback(lambda _: self._store.close())

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self.reload)

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._terminate)

    def _terminate(self) -> None:
        with suppress(ReactorNotRunning):  # asked twice
            self._reactor.stop()

    def _admit(self, settings: Config) -> None:
        self._admission.allow(settings.limits)
        self._admission_of_people.allow(settings.limits)
        if settings.proxies:
            # At the door all of them come from the proxy.
            self._admission_of_people.per_address = self._admission_of_people.waiting_per_address = 0

    def reload(self) -> None:
        """Read the configuration again: what can change in a running daemon does, the rest waits for a restart."""
        try:
            settings = config.load(self._options, os.environ)
        except ConfigError as error:
            self._log.error("the configuration stays as it was: {error}", error=str(error))
            return
        limits = settings.limits
        self._rules.settings, self._rules.limits = settings.network, limits
        self._gossip.downtime = settings.downtime
        self._web_rules.settings, self._web_rules.address = settings.web, settings.address
        self._admit(settings)
        self._bridge.limit(limits.telnet)
        self._readers.total, self._readers.per_address = limits.readers, limits.readers_per_address
        self._log.info("read the configuration again")


def _allow_open_files(connections: int) -> None:
    """A process may open 1024 files by default: too few for a network, and each may raise that for itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < connections:
        Daemon._log.warn(
            "only {hard} files may be open, which is less than {connections} connections",
            hard=hard,
            connections=connections,
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _welcome(settings: Config) -> Iterator[str]:
    """What an admin who starts a daemon wants to know."""
    yield f"gossip {__version__} is ready."
    for endpoint in settings.listen:
        yield f"  listening on {endpoint}: games at /socket, people at /"
    for endpoint in settings.telnet:
        yield f"  listening on {endpoint}: games by telnet"
    yield f"  keeping everything in {settings.data_path.resolve()}"
    beside = Path(sys.argv[0]).with_name("gossipctl")
    command = beside if beside.exists() else "gossipctl"
    yield f"  register a game with: {command} --data {settings.data} game add 'My MUD' --short MyMUD"


def makeService(options: Options) -> IService:
    """Make the daemon. This is the only place that knows the global reactor."""
    from twisted.internet import reactor

    return Daemon(reactor, options)
