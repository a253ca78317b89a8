"""
The gateway in the running daemon: the link on a socket, and the house sessions behind it.

It runs on one node of a network at a time: the one that does what is done once for all of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

from msgspec.structs import replace
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip import __version__
from gossip.network.relays import Passed
from gossip.protocol.errors import Denied
from gossip.protocol.server_events import ChannelsBroadcast, ServerEvent
from gossip.registry.changes import Change, I3LinkSaved
from gossip.registry.entities import I3Link
from gossip.service.interfaces import Counts, IntermudChannel, IntermudStatus, ITransportStatus
from gossip.service.service import GossipService
from gossip.transports.intermud3.gateway import link as links
from gossip.transports.intermud3.gateway import talk as talks
from gossip.transports.intermud3.gateway.games import Games
from gossip.transports.intermud3.gateway.link import Do, Introduction, Link, State, kind_of
from gossip.transports.intermud3.gateway.muds import Muds
from gossip.transports.intermud3.gateway.sessions import REJOIN_SECONDS, TRANSPORT, HouseSessions
from gossip.transports.intermud3.gateway.settings import I3GatewaySettings, Router, mapped, routers_of
from gossip.transports.intermud3.gateway.talk import REASONS, Talk

GONE_SECONDS: Final = 60.0
"""How long the MUDs of the other network stay here while the link is down, in seconds."""

DEAF_SECONDS: Final = 10.0
"""How long a node that hears no others keeps the link, in seconds: by then another one may take it."""

SETTLE_SECONDS: Final = 60.0
"""How long after the link came up its list of channels is looked at, in seconds."""

_WANTED, _RECONNECT = "wanted", "reconnect"


Connect = Callable[[Router, Factory], "Deferred[Any]"]
"""Connects to a router, by a factory of protocols."""


def connecting_by(reactor: Any) -> Connect:
    """Connect by TCP."""

    def connect(router: Router, factory: Factory) -> Deferred[Any]:
        endpoint = HostnameEndpoint(reactor, router.host, router.port, timeout=links.DIAL_SECONDS)
        return cast("Deferred[Any]", endpoint.connect(factory))

    return connect


class _RouterConnection(Protocol):
    """A connection to a router."""

    transport: Any

    def __init__(self, gateway: I3Gateway) -> None:
        self._gateway = gateway

    def connectionMade(self) -> None:
        self.transport.setTcpKeepAlive(True)
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        self._gateway.received(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._gateway.lost(self, reason.getErrorMessage())


class _Connections(Factory):
    """Makes the connection of an attempt."""

    noisy = False


@implementer(ITransportStatus)
class I3Gateway(Service):
    """
    The gateway.

    @ivar mud: what the network is called there.
    @ivar link: the link to the router.
    """

    name = TRANSPORT
    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        connect: Connect,
        gossip: GossipService,
        settings: I3GatewaySettings,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """
        @param connect: connects to a router.
        @param chance: makes numbers from 0 to 1.
        """
        self.mud = settings.mud
        self._clock = clock
        self._connect = connect
        self._gossip = gossip
        self._network = gossip.network
        self._settings = settings
        self._mapped = mapped(settings)
        registry = self._network.registry
        self._muds = Muds(
            settings.mud, settings.suffix, settings.skip, lambda name: registry.game_named(name) is not None
        )
        games = Games(self._network, settings.game)
        self._talk = Talk(settings.mud, self._mapped, self._muds, games, settings.charset)
        site = self._network.rules.settings.site
        introduction = Introduction(settings.mud, f"gossip {__version__}", settings.admin_email, site)
        self.link = Link(routers_of(settings), introduction, chance)
        self._dropped: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self._logged = sum(self._dropped.values())
        self._sessions = HouseSessions(
            gossip,
            self._talk,
            self._muds,
            self._mapped,
            settings.list_remote,
            self._broadcast,
            self._send,
            self._end_for_now,
        )
        self._attempt: object | None = None
        self._connection: _RouterConnection | None = None
        self._running = False
        self._not_before = 0.0
        self._down_since: float | None = None
        self._heard_others_at = 0.0
        self._why = ""
        self._turn: IDelayedCall | None = None
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = clock

    # The daemon.

    def startService(self) -> None:
        super().startService()
        self._gossip.wanted.add(self._wanted)
        self._gossip.passed[TRANSPORT] = self._passed
        self._heard_others_at = self._now
        self._ticking.start(1, now=False).addErrback(lambda failure: self._log.failure("no more ticks", failure))

    def stopService(self) -> None:
        super().stopService()
        self._gossip.wanted.discard(self._wanted)
        if self._ticking.running:
            self._ticking.stop()
        self._do(self.link.stop(self._now, self._gossip.downtime))
        self._running = False
        self._leave()
        if self._turn is not None and self._turn.active():
            self._turn.cancel()

    @property
    def _now(self) -> float:
        return self._gossip.now().steady

    def _tick(self) -> None:
        try:
            self._look()
        except Exception:
            # A LoopingCall that fails would stop for ever.
            self._log.failure("a tick of the gateway failed")

    def _look(self) -> None:
        now = self._now
        self._why = self._hindrance(now)
        if self._running and self._why:
            self._log.info("the gateway to Intermud-3 stops: {why}", why=self._why)
            self._do(self.link.stop(now))
            self._running = False
            self._leave()
        elif not self._running and not self._why:
            self._running = True
            self.link.password = self._kept.password
            self._do(self.link.start(now))
        elif self._running:
            self._do(self.link.tick(now))
        if self._down_since is not None and now - self._down_since >= GONE_SECONDS:
            self._leave()
        for mud in self._muds.outdated(now):
            self._sessions.part(mud)
        if self.link.state is State.UP:
            self._sessions.rejoin(now)
            if now - self.link.up_since >= SETTLE_SECONDS:
                for name in self._talk.missing():
                    self._log.warn("there is no channel {name} on Intermud-3", name=name)
        self._log_drops()

    def _hindrance(self, now: float) -> str:
        """Why the link must not be up here, in words; empty if it may."""
        game = self._network.registry.game_named(self._settings.game)
        cluster = self._gossip.cluster
        if cluster is None or cluster.joined:
            self._heard_others_at = now
        if not self._network.leads:
            return "another node has the link"
        if now - self._heard_others_at > DEAF_SECONDS:
            return "this node does not hear the others"
        if self._kept.accepted_at is None:
            return "nobody accepted the rules of that network: gossipctl i3 accept-rules"
        if game is None:
            return f"there is no game {self._settings.game}: register it"
        if game.disabled:
            return f"the game {game.short_name} is disabled"
        if now < self._not_before:
            return f"the session of {game.short_name} was ended"
        return ""

    @property
    def _kept(self) -> I3Link:
        return self._network.registry.i3_links.get(self.mud) or I3Link(mud=self.mud)

    # The link.

    def _do(self, outputs: Iterable[Do]) -> None:
        for output in outputs:
            match output:
                case links.Dial(router):
                    self._dial(router)
                case links.Write(data):
                    if self._connection is not None:
                        self._connection.transport.write(data)
                case links.HangUp():
                    self._hang_up()
                case links.Save(router, password):
                    self._save(router, password)
                case links.Heard(packet):
                    self._carry_out(self._talk.hear(packet, self.link.router.name, self._gossip.now()))
                case links.Up():
                    self._came_up()
                case links.Down():
                    self._down_since = self._now
                case links.Note(text, bad):
                    (self._log.warn if bad else self._log.info)("{text}", text=text)
        self._schedule()

    def _schedule(self) -> None:
        """Send what waits as soon as it may leave."""
        wait = self.link.outgoing.wait(self._now) if self.link.state is State.UP else None
        if wait is not None and (self._turn is None or not self._turn.active()):
            self._turn = self._clock.callLater(wait, self._flush)

    def _flush(self) -> None:
        self._do(self.link.flush(self._now))

    def _dial(self, router: Router) -> None:
        attempt = self._attempt = object()

        def connected(connection: _RouterConnection) -> None:
            if self._attempt is not attempt:
                connection.transport.abortConnection()
                return
            self._connection = connection
            self._do(self.link.connected(self._now))

        def failed(failure: Failure) -> None:
            if self._attempt is attempt:
                self._do(self.link.lost(failure.getErrorMessage(), self._now))

        connecting = self._connect(router, _Connections.forProtocol(lambda: _RouterConnection(self)))
        connecting.addCallbacks(connected, failed)
        connecting.addErrback(lambda failure: self._log.failure("the gateway failed", failure))

    def _hang_up(self) -> None:
        connection, self._connection, self._attempt = self._connection, None, None
        if connection is not None:
            connection.transport.loseConnection()

    def received(self, connection: _RouterConnection, data: bytes) -> None:
        """Bytes of a router."""
        if connection is self._connection:
            self._do(self.link.receive(data, self._now))

    def lost(self, connection: _RouterConnection, why: str) -> None:
        """A connection ended."""
        if connection is self._connection:
            self._connection = None
            self._do(self.link.lost(why, self._now))

    def _save(self, router: str, password: int) -> None:
        attempt = self._attempt

        def make() -> Change:
            return I3LinkSaved(replace(self._kept, router=router, password=password))

        def settled(kept: bool) -> None:
            if self._attempt is attempt:
                self._do(self.link.saved(kept, self._now))

        def failed(failure: Failure) -> None:
            self._log.failure("the password of Intermud-3 could not be kept", failure)
            settled(False)

        self._gossip.change(make).addCallbacks(lambda _: settled(True), failed)

    def _came_up(self) -> None:
        self._down_since = None
        if self._sessions.own is None:
            game = self._network.registry.game_named(self._settings.game)
            if game is None:  # it was removed since the last look
                self._end_for_now()
                return
            try:
                self._sessions.join_own(game)
            except Denied as denied:
                self._log.warn("{game} cannot join: {why}", game=game.short_name, why=denied.error.text)
                self._end_for_now()
                return
        for packet in self._talk.joined(self._gossip.now()):
            self._send(packet.frame)
        for mud in self._muds:
            self._sessions.join(mud)

    def _send(self, frame: bytes) -> None:
        """Send a packet in its turn. Tells and answers come before channels."""
        self._do(self.link.send(frame, not kind_of(frame).startswith("channel-"), self._now))

    # The sessions.

    def _carry_out(self, acts: Iterable[talks.Act]) -> None:
        for act in acts:
            match act:
                case talks.Ask(mud, event):
                    connection = self._sessions.join(mud)
                    if connection is None:
                        self._dropped["refused"] += 1
                    else:
                        self._gossip.received(connection.session, event)
                case talks.Reply(packet):
                    self._send(packet.frame)
                case talks.Came(muds):
                    for mud in muds:
                        self._sessions.came(mud)
                case talks.Went(muds):
                    for mud in muds:
                        self._sessions.part(mud)
                case talks.Drop(reason):
                    self._dropped[reason] += 1
                case talks.Tell(text):
                    self._log.warn("{text}", text=text)

    def _end_for_now(self) -> None:
        """Nobody speaks for the MUDs of the other network any more."""
        self._not_before = self._now + REJOIN_SECONDS
        self._do(self.link.stop(self._now))
        self._running = False
        self._leave()

    def _leave(self) -> None:
        """All MUDs of the other network are gone, and the game that speaks for them."""
        self._down_since = None
        self._muds.clear()
        self._sessions.leave()

    def _broadcast(self, event: ServerEvent) -> Iterable[bytes]:
        if not isinstance(event, ChannelsBroadcast) or self.link.state is not State.UP:
            return ()
        return self._talk.broadcast(event, self._gossip.now())

    # What the others want.

    def _wanted(self, client_id: str) -> None:
        """A game wants to know the players of a remote game."""
        if self._sessions.own is None:
            self._gossip.pass_on(Passed(TRANSPORT, _WANTED, client_id))
        else:
            self._ask_who(client_id)

    def _ask_who(self, client_id: str) -> None:
        game = self._network.registry.remotes.get(client_id)
        mud = None if game is None or self._sessions.own is None else self._muds.find(game.name)
        packet = None if mud is None else self._talk.who(mud, self._gossip.now())
        if packet is not None:
            self._send(packet.frame)

    def _passed(self, passed: Passed) -> None:
        if passed.what == _WANTED:
            self._ask_who(passed.to)
        elif passed.what == _RECONNECT and self._running:
            self._do(self.link.retry(self._now))

    # What people want to know.

    def status(self) -> IntermudStatus:
        now, kept = self._now, self._kept
        cluster = self._gossip.cluster
        here = self._network.leads
        node = "" if cluster is None else min((each.name for each in cluster.statuses()), default="")
        if cluster is not None and here:
            node = cluster.node_name
        up = self.link.state is State.UP
        why = self._why or ("" if up else self.link.last_error)
        waits = self._running and self.link.state is State.OFF
        return IntermudStatus(
            mud=self.mud,
            game=self._settings.game,
            state=self.link.state.value,
            why=why,
            router=str(self.link.router),
            since=int(now - self.link.up_since) if up else 0,
            next_attempt=int(self.link.next_attempt(now)) if waits else 0,
            accepted=kept.accepted_at is not None,
            known=kept.password != 0,
            node=node,
            muds=len(self._network.registry.remotes),
            waiting=len(self.link.outgoing),
            delivered=self._talk.delivered,
            routers=tuple(self.link.routers),
        )

    def channels(self) -> Sequence[IntermudChannel]:
        passing = {each.there: each for each in self._mapped}
        known = self._talk.channels
        shown = []
        for name in sorted({*passing, *known}):
            each = passing.get(name)
            way = "" if each is None else "both" if each.hears and each.says else "in" if each.hears else "out"
            shown.append(IntermudChannel(name, known.get(name, ""), each.here if each else "", way))
        return shown

    def reconnect(self) -> None:
        if self._running:
            self._do(self.link.retry(self._now))
        elif self._gossip.cluster is not None:
            self._gossip.pass_on(Passed(TRANSPORT, _RECONNECT, ""))

    def open_connections(self) -> int:
        return int(self._connection is not None)

    def counts(self) -> Sequence[Counts]:
        dropped = {**self._dropped, "malformed": self.link.malformed, "waited": self.link.outgoing.dropped}
        return [
            Counts("i3_link_packets_in", "Packets from the router of Intermud-3, by type.", dict(self.link.received)),
            Counts("i3_link_packets_out", "Packets to the router of Intermud-3, by type.", dict(self.link.sent)),
            Counts("i3_link_dropped", "Packets of the link to Intermud-3 that were dropped, by reason.", dropped),
        ]

    def _log_drops(self) -> None:
        """One line a second at most: strangers must not fill the log."""
        told = {reason: count for reason, count in self._dropped.items() if reason not in ("echo", "unmapped")}
        count = sum(told.values())
        if count > self._logged:
            self._log.info("dropped {count} packets of Intermud-3", count=count - self._logged)
        self._logged = count
