"""C{twistd gossip}: its options, and how the daemon is put together."""

from __future__ import annotations

import errno
import gc
import os
import random
import resource
import signal
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from shlex import quote
from types import FrameType
from typing import Any, ClassVar, Final, NoReturn, Protocol

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, globalLogPublisher
from twisted.python import usage

from gossip import __version__
from gossip.checks import findings
from gossip.cli import terminal
from gossip.cluster import node_file
from gossip.cluster.outbox import Outbox
from gossip.cluster.service import NODE_GATHERS, ClusterService
from gossip.cluster.shared_store import Groups, Node, SharedStore
from gossip.config import loading
from gossip.config.config import Config, digest, waiting
from gossip.config.errors import ConfigError
from gossip.network.network import Network
from gossip.network.settings import Rules
from gossip.operations.accounts import link
from gossip.operations.executor import Executor
from gossip.operations.operation import Occasion
from gossip.registry.built_in import BUILT_IN
from gossip.service.bounded_log import bound
from gossip.service.clock import DaemonClock
from gossip.service.counters import Counters
from gossip.service.indexing import Indexing
from gossip.service.service import GossipService
from gossip.service.writing import IWriter
from gossip.store.errors import StoreError
from gossip.store.store import Store
from gossip.store.writer import Writer
from gossip.systemd import Watchdog, notify
from gossip.transports.admission import RESERVED_FILES, Room, room_for
from gossip.transports.certificates import CertificateWatch
from gossip.transports.endpoints import EndpointError, ports
from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.intermud3.gateway.service import I3Gateway, connecting_by
from gossip.transports.intermud3.gateway.settings import I3GatewaySettings
from gossip.transports.listening import listen
from gossip.transports.registered import TRANSPORTS
from gossip.transports.turns import Turns
from gossip.web.accounts.mail import Mail
from gossip.web.api.admin_api import admin_site
from gossip.web.live import Readers
from gossip.web.settings import WebRules
from gossip.web.site import public_site
from gossip.web.views.house_rules import HouseRules

MISCONFIGURED: Final = os.EX_CONFIG
"""The exit status if the configuration is wrong (sysexits.h). The unit of systemd does not restart after it."""


class Options(usage.Options):
    """The command line of C{twistd gossip}."""

    synopsis = "[options]"
    longdesc = (
        "The network that MUDs join. Without options it listens on port 4110 of the loopback, and keeps its data in "
        "./gossip-data."
    )

    optFlags: ClassVar = [
        ["check", None, "Check the configuration, print where the daemon would listen, and exit."],
        ["dump-config", None, "Print all settings as a configuration file, and exit."],
    ]
    optParameters: ClassVar = [
        ["config", "c", None, "The configuration file: see etc/gossip.toml."],
        ["data", "d", None, "The directory for all data."],
        ["database", None, None, "The URL of a PostgreSQL database, instead of SQLite in the data directory."],
        ["node", None, None, "The name of this daemon among several that share a network and its database."],
        ["admin-socket", None, None, "The unix socket for gossipctl, instead of admin.sock in the data directory."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []
        self["telnet"] = []

    def opt_listen(self, endpoint: str) -> None:
        """Where to listen for websockets and browsers, as an endpoint string. Can be repeated."""
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def opt_telnet(self, endpoint: str) -> None:
        """Where to listen for MUDs that join by telnet, as an endpoint string. Can be repeated."""
        self["telnet"].append(endpoint)

    def postOptions(self) -> None:
        try:
            self.config = loading.load(self, os.environ)
        except ConfigError as error:
            # One line, and not the whole usage that comes with a UsageError.
            _misconfigured(error)
        if self["dump-config"]:
            _print(loading.dump(self.config))
            raise SystemExit(0)
        if self["check"]:
            self._check()
            raise SystemExit(0)
        if self.parent is not None:
            _check_files_of_twistd(self.parent)

    def _check(self) -> None:
        found = list(findings(self.config))
        errors = [finding for finding in found if finding.severity == "error"]
        if errors:
            _misconfigured(*(f"{error.about}: {error.text}" for error in errors))
        lines = ["The configuration is good.", *map(str, found)]
        for transport in (make() for make in TRANSPORTS):
            endpoints = _endpoints(transport, self.config)
            lines += [f"  would listen on {endpoint}: {transport.purpose}" for endpoint in endpoints]
        gateway = self.config.i3.gateway
        lines += [f"  would join Intermud-3 as {gateway.mud} at {router}" for router in gateway.routers]
        _print("".join(f"{line}\n" for line in lines))


def _misconfigured(*errors: object) -> NoReturn:
    """Say what is wrong with the configuration, and end in a way after which systemd does not try again."""
    if sys.stderr is not None:
        sys.stderr.writelines(f"gossip: {error}\n" for error in errors)
    raise SystemExit(MISCONFIGURED)


def _print(text: str) -> None:
    """
    Print to standard output.

    @raise SystemExit: that is not possible.
    """
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if sys.stdout is not None:
            terminal.discard()
        raise SystemExit(f"gossip: cannot write to standard output: {error.strerror}") from None


def _check_files_of_twistd(options: Mapping[str, Any]) -> None:
    """
    Check that twistd can write its own files, before it fails with a traceback.

    @param options: the options of twistd.
    @raise SystemExit: it cannot.
    """
    log = options.get("logfile") or ("" if options.get("nodaemon") or options.get("syslog") else "twistd.log")
    for name, option in ((options.get("pidfile"), "--pidfile"), (log, "--logfile")):
        if not name or name == "-":
            continue
        path = Path(name).absolute()
        place = path if path.exists() else path.parent
        if not os.access(place, os.W_OK):
            why = os.strerror(errno.EACCES if place.exists() else errno.ENOENT)
            raise SystemExit(
                f"gossip: twistd cannot write {path}: {why}; name another file with {option}, before the word gossip"
            )


class Configurable(Protocol):
    """A holder of settings that can change while the daemon runs."""

    def configure(self, settings: Config) -> None:
        """Follow these settings from now on."""


class Daemon(MultiService):
    """
    The whole daemon. It opens the store, then its listeners, and closes them in the opposite order.

    @ivar gossip: the service, once the daemon has started.
    """

    _log = Logger()

    gossip: GossipService

    def __init__(
        self, reactor: Any, options: Options, transports: Iterable[Callable[[], ITransport]] = TRANSPORTS
    ) -> None:
        """
        @param transports: each makes a transport, which is opened if the configuration lists an endpoint for it.
        """
        super().__init__()
        self._reactor = reactor
        self._clock = DaemonClock(reactor)
        self._options = options
        self._settings = options.config
        every = [make() for make in transports]
        self._transports = [transport for transport in every if _endpoints(transport, self._settings)]
        self._room = Room()
        self._files = 0
        self._node: ClusterService | None = None
        self._holders: tuple[Configurable, ...] = ()
        self._certificates = CertificateWatch(self._clock)
        self._certificates.setServiceParent(self)

    def startService(self) -> None:
        # Not earlier: twistd has forked by now, which neither locks nor database connections would survive.
        try:
            self._store = self._open_store()
            node_file.write(self._settings.data_path, self._settings.node)
            self._open()
            super().startService()
            if self._node is not None:
                self._node.startService()
        except EndpointError as error:
            _misconfigured(error)
        except (StoreError, CannotListenError) as error:
            raise SystemExit(f"gossip: {error}") from None
        if self._node is None:
            self._reactor.callWhenRunning(notify, "READY=1", os.environ)
        else:
            # Whoever restarts the nodes one after the other may stop the next one then.
            self._node.when_joined().addCallback(lambda _: notify("READY=1", os.environ))
        signal.signal(signal.SIGHUP, self._on_hangup)
        # Replaces the reactor's own, after which twistd would die of the signal: stopping as asked is a success.
        self._reactor.callWhenRunning(signal.signal, signal.SIGTERM, self._on_terminate)
        # What exists now stays: the garbage collector need not look at it again.
        gc.collect()
        gc.freeze()
        for line in _welcome(self._settings, self._transports):
            self._log.info("{line}", line=line)
        self._let_set_up()

    def _open_store(self) -> Store:
        settings = self._settings
        if settings.node:
            return SharedStore.open_as(settings.database, settings.data_path, settings.node, BUILT_IN)
        return Store.open(settings.database or None, settings.data_path, BUILT_IN)

    def _let_set_up(self) -> None:
        """While there is no admin, log a link that makes one. It replaces the previous link of this node."""
        accounts = self.gossip.network.registry.accounts
        if accounts.admins():
            return
        by = f"start of {self._settings.node}" if self._settings.node else "start"
        on = Occasion(self.gossip.now().wall, lambda: str(uuid.uuid4()), by)
        change, made = link(accounts, "setup", "", on)
        line = f"  no admin yet: make the first one at {self._settings.address}{made['link']} until {made['until']}"
        # The link works once it is on disk, and not before.
        self.gossip.change(change).addCallbacks(
            lambda _: self._log.info("{line}", line=line),
            lambda failure: self._log.failure("no link to set up the network could be made", failure),
        )

    def _open(self) -> None:
        settings, reactor, clock, store = self._settings, self._reactor, self._clock, self._store
        self._files = _allow_open_files()
        rules, web_rules, readers, house_rules = Rules(), WebRules(), Readers(), HouseRules()
        shared = isinstance(store, SharedStore)
        known = store.load(clock.now().wall, reserve=True)
        network = Network(known, lambda: str(uuid.uuid4()), random.random, rules, shared)
        counters = Counters()
        writer: IWriter
        outbox: Outbox | None = None
        if isinstance(store, SharedStore):
            groups = Writer(Groups(store), reactor, counters.committed, gather=NODE_GATHERS)
            self._stop_writer = groups.stop
            writer = outbox = Outbox(groups)
        else:
            changes = Writer(store, reactor, counters.committed)
            self._stop_writer = changes.stop
            writer = changes
        self.gossip = gossip = GossipService(
            clock,
            network,
            writer,
            counters,
            history=lambda channel, limit, before, after: deferToThread(
                store.history, channel, limit, before, after, removed=False
            ),
            find=lambda sought: deferToThread(store.find, sought),
            transports=self._transports,
            certificates=self._certificates.status,
            relays=outbox,
        )
        if isinstance(store, SharedStore) and outbox is not None:
            node = Node(settings.node, "", __version__, ", ".join(settings.listen), started_at=clock.now().wall)
            self._node = gossip.cluster = ClusterService(
                reactor, store, outbox, gossip, node, deferToThread, settings.cluster
            )
        gossip.setServiceParent(self)
        Watchdog(clock, gossip.health, os.environ).setServiceParent(self)
        Indexing(clock, deferToThread, store.index).setServiceParent(self)
        self._holders = (rules, web_rules, readers, house_rules, gossip, *self._transports)
        gossip.listening = [text for each in self._transports for text in _endpoints(each, settings)]
        self._configure(settings)
        if settings.i3.gateway.routers:
            self._open_gateway(settings.i3.gateway)
        executor = Executor(gossip, store, deferToThread, settings.in_clear)
        ports_of = {transport.name: ports(_endpoints(transport, settings)) for transport in self._transports}
        pages = public_site(
            gossip,
            store,
            clock,
            deferToThread,
            readers,
            settings.proxies,
            executor,
            web_rules,
            mail=Mail(reactor, web_rules, lambda: clock.now().wall),
            ports=ports_of,
            house_rules=house_rules,
            config_file=loading.file(self._options, os.environ),
        )
        parts = Parts(clock, gossip, network, settings, ports_of, pages, self._room, Turns(clock))
        for transport in self._transports:
            factory = transport.factory(parts)
            for endpoint in _endpoints(transport, settings):
                self._listen(endpoint, factory)
        admin = admin_site(gossip, store, clock, deferToThread, executor, pages.live, web_rules)
        # The store is locked by this daemon, so a socket that exists is a leftover.
        settings.admin_path.unlink(missing_ok=True)
        self._listen(f"unix:{quoteStringArgument(str(settings.admin_path))}:mode=600:lockfile=0", admin)

    def _open_gateway(self, settings: I3GatewaySettings) -> None:
        """Join a live network of Intermud-3, once its rules are accepted."""
        gateway = self.gossip.intermud = I3Gateway(self._clock, connecting_by(self._reactor), self.gossip, settings)
        self.gossip.transports = (*self.gossip.transports, gateway)
        gateway.setServiceParent(self)

    def _listen(self, endpoint: str, factory: IProtocolFactory) -> None:
        """
        Listen, once the daemon has started. If that fails, the daemon fails to start.

        @raise EndpointError: the endpoint string is wrong.
        """
        try:
            listener, certificates = listen(endpoint, factory, self._reactor, self._clock, self._room)
        except EndpointError as error:
            raise EndpointError(f"cannot listen on {endpoint}: {error}") from None
        listener.setServiceParent(self)
        if certificates is not None:
            self._certificates.add(certificates)

    def stopService(self) -> Deferred[None]:
        notify("STOPPING=1", os.environ)
        if self._node is not None:
            self.gossip.drain()
        # Listeners and sessions first, then the store that they write to.
        stopped: Deferred[Any] = super().stopService()
        if self._node is not None:
            node = self._node
            stopped.addCallback(lambda _: node.stopService())
        return stopped.addCallback(lambda _: self._stop_writer()).addCallback(lambda _: self._store.close())

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self.reload)

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._terminate)

    def _terminate(self) -> None:
        with suppress(ReactorNotRunning):  # asked twice
            self._reactor.stop()

    def _configure(self, settings: Config) -> None:
        for holder in self._holders:
            holder.configure(settings)
        if self._node is not None:
            self._node.follow(digest(settings))
        self._make_room(settings.limits.connections)

    def _make_room(self, connections: int) -> None:
        """
        Accept only as many connections as there are files to open for them. Some files are kept for the database, the
        log and gossipctl.
        """
        self._room.most = room = room_for(connections, self._files)
        if connections > room:
            self._log.warn(
                "limits.connections is {connections}, but this process may open only {files} files: at most {room} "
                "connections are accepted. Raise LimitNOFILE in gossip.service (or ulimit -n) to {needed}.",
                connections=connections,
                files=self._files,
                room=room,
                needed=connections + RESERVED_FILES,
            )

    def reload(self) -> None:
        """
        Read the certificates and the configuration again. The holders of settings follow it; every other setting waits
        for a restart.

        If the configuration is wrong, no setting changes.
        """
        self._certificates.read_again()
        try:
            settings = loading.load(self._options, os.environ)
        except ConfigError as error:
            self._log.error("the configuration stays as it was: {error}", error=str(error))
            return
        self._configure(settings)
        self.gossip.waits_for_restart = names = waiting(self._settings, settings)
        if names:
            self._log.warn("read the configuration again; a restart is needed for {names}", names=", ".join(names))
        else:
            self._log.info("read the configuration again")


def _allow_open_files() -> int:
    """
    Raise the limit of open files to the maximum: the default of 1024 is too low for a network.

    @return: the limit; 0 for none.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 0 if hard == resource.RLIM_INFINITY else hard


def _bound_log(reactor: Any) -> None:
    """Bound the log of this process. The last lines are written when everything has stopped."""
    log = bound(globalLogPublisher)
    ticking = LoopingCall(log.tick)
    ticking.clock = reactor
    ticking.start(1, now=False)
    reactor.addSystemEventTrigger("after", "shutdown", log.tick)


def _endpoints(transport: ITransport, settings: Config) -> Sequence[str]:
    """The endpoint strings that a transport listens on; empty if it is not to be opened."""
    endpoints: Sequence[str] = attrgetter(transport.setting)(settings)
    return endpoints


def _welcome(settings: Config, transports: Iterable[ITransport]) -> Iterator[str]:
    """The lines that the daemon logs for its admin at its start."""
    yield f"gossip {__version__} is ready."
    for transport in transports:
        for endpoint in _endpoints(transport, settings):
            yield f"  listening on {endpoint}: {transport.purpose}"
    yield f"  keeping everything in {settings.data_path.resolve()}"
    beside = Path(sys.argv[0]).with_name("gossipctl")
    command = quote(str(beside)) if beside.exists() else "gossipctl"
    yield f"  register a game with: {command} --data {quote(settings.data)} game add 'My MUD' --short MyMUD"


def makeService(options: Options) -> IService:
    """Make the daemon. This is the only place that knows the global reactor."""
    from twisted.internet import reactor

    daemon = Daemon(reactor, options)
    # When twistd has opened its log.
    reactor.callWhenRunning(_bound_log, reactor)
    return daemon
