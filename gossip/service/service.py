"""
GossipService: brings events into the network, and has its outputs carried out by the dispatcher.

It owns what the network must not know: the clock, the connections, the store's writer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, execute, maybeDeferred, succeed
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure as Failed
from zope.interface import implementer

from gossip import __version__
from gossip.network.expiry import JUMP
from gossip.network.network import Network
from gossip.network.outputs import Close, Output, Relay, Unsure
from gossip.network.rehearsal import SERVICE_RESTART
from gossip.network.relays import Counted, Passed, Relayed
from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import Authenticate, ClientEvent, Event
from gossip.protocol.moment import Moment
from gossip.protocol.text import timestamp
from gossip.registry.addresses import Address
from gossip.registry.changes import Change, MessageSaid
from gossip.registry.entities import Game
from gossip.service.bounded_log import Frequent
from gossip.service.changes_in_turn import ChangesInTurn
from gossip.service.clock import IClock
from gossip.service.counters import Counters, Status
from gossip.service.dispatcher import Dispatcher, Stale
from gossip.service.interfaces import CertificateStatus, ICluster, IConnection, IGossip, IIntermud, ITransportStatus
from gossip.service.other_nodes import OtherNodes
from gossip.service.reads import Finding, Reading, no_history, no_message
from gossip.service.rehearsals import PARTING_SECONDS, Rehearsals
from gossip.service.second_looks import SecondLooks
from gossip.service.watch import Watch
from gossip.service.writing import IRelays, IWriter, WriterHealth

_Result = TypeVar("_Result")

NORMAL_CLOSURE: Final = 1000
"""The close code after a peer has ended its side (RFC 6455, section 7.4.1)."""

INTERNAL_ERROR: Final = 1011
"""The close code after a mistake of ours (RFC 6455, section 7.4.1)."""

DRAIN_SECONDS: Final = 2.0
"""How long the daemon waits for its connections to end when it stops, in seconds."""


class ServiceSettings(Protocol):
    """The settings of the service."""

    @property
    def downtime(self) -> int: ...


@implementer(IGossip)
class GossipService(Service):
    """
    The running network.

    @ivar network: the network itself.
    @ivar counters: what happened, for the metrics.
    @ivar transports: the transports that are open.
    @ivar certificates: returns the certificates of their listeners.
    @ivar cluster: the nodes of the network; C{None} if this daemon is alone.
    @ivar draining: whether games are to go to another node: this one is about to stop.
    @ivar counting: the observers of attempts that other nodes count, by kind.
    @ivar passed: what each transport makes of what it passed on at other nodes, by its name.
    @ivar passed_back: what each makes of what it passed on here, when all nodes hear it.
    @ivar heard: the observers of messages, on all channels.
    @ivar removed: the observers of removals.
    @ivar wanted: the observers of wishes to know the players of remote games, by client_id.
    @ivar intermud: the gateway to Intermud-3; C{None} if there is none.
    @ivar watch: what owners see of the sessions of their games.
    @ivar rehearsals: what owners rehearse with their games.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IClock,
        network: Network,
        writer: IWriter,
        counters: Counters,
        history: Reading = no_history,
        find: Finding = no_message,
        transports: Sequence[ITransportStatus] = (),
        downtime: int = 30,
        certificates: Callable[[], Sequence[CertificateStatus]] = tuple,
        relays: IRelays | None = None,
    ) -> None:
        """
        @param history: reads what was said.
        @param find: looks for one message.
        @param transports: the transports that are open, for the status and the metrics.
        @param downtime: the absence that games are told at a stop, in seconds.
        @param certificates: returns those of the listeners.
        @param relays: where the other nodes of the network are told; C{None} if this daemon is alone.
        """
        self.network = network
        self.downtime = downtime
        self.counters = counters
        self.transports = transports
        self.certificates = certificates
        self.cluster: ICluster | None = None
        self.draining = False
        self.waits_for_restart: Sequence[str] = ()
        self.listening: Sequence[str] = ()
        self.intermud: IIntermud | None = None
        self._clock = clock
        self._writer = writer
        self._connections: dict[Session, IConnection] = {}
        look = partial(self.received, again=True)
        self._second_looks = SecondLooks(look, self._go_on, self._read_on)
        self._unsure = self._second_looks.waiting
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = clock
        self._changing = ChangesInTurn(clock)
        self._drained: Deferred[None] | None = None
        self.watch = Watch(network)
        self._watched = self.watch.watched
        self._dispatcher = dispatcher = Dispatcher(
            clock,
            network,
            writer,
            relays,
            counters,
            self.watch,
            self._connections,
            history,
            find,
            self._wait,
            self._read_on,
        )
        self._carry_out = dispatcher.carry_out
        self.heard, self.removed, self.wanted = dispatcher.heard, dispatcher.removed, dispatcher.wanted
        self.rehearsals = Rehearsals(network, self._carry_out)
        tell = self._tell_nodes if relays is not None else None
        self._others = others = OtherNodes(network, self.watch, self.rehearsals, tell)
        self.counting, self.passed, self.passed_back = others.counting, others.passed, others.passed_back
        self._started_at = clock.seconds()
        self._offset = clock.now().wall - clock.now().steady
        self._writer_health = WriterHealth(writer, clock.seconds())
        self._next_tick = 0.0
        self._carried: Counter[str] = Counter()
        self._joined = Frequent(lambda item: self._log.info("joined: {item}", item=item))
        self._left = Frequent(lambda item: self._log.info("left: {item}", item=item))

    def configure(self, settings: ServiceSettings) -> None:
        """Follow these settings from now on."""
        self.downtime = settings.downtime

    def now(self) -> Moment:
        """This moment, on both clocks."""
        return self._clock.now()

    def written(self) -> Deferred[None]:
        """Fires when everything that was said until now is on disk, or could not be kept."""
        done: Deferred[None] = Deferred()
        self._writer.barrier(lambda: done.callback(None))
        return done

    def after(self, seconds: float) -> Deferred[None]:
        """Fires after some time."""
        return deferLater(self._clock, seconds, lambda: None)

    def next_turn(self) -> Deferred[None]:
        """Fires in the next turn of the reactor: for work in slices."""
        return self.after(0)

    async def in_slices(self, work: Generator[None, None, _Result]) -> _Result:
        """Do work in slices: each step has a turn of the reactor, so that others have their turns while it is done."""
        while True:
            try:
                next(work)
            except StopIteration as done:
                result: _Result = done.value
                return result
            await self.next_turn()

    # The transports bring what happens to their connections.

    def opened(self, connection: IConnection) -> Session:
        session = Session(connection.peer_address, connection.transport_name)
        self._connections[session] = connection
        self._carry_out(self.network.opened(session, self.now()))
        return session

    def let_in(self, connection: IConnection, game: Game, supports: frozenset[str], channels: Iterable[str]) -> Session:
        session = Session(connection.peer_address, connection.transport_name)
        outputs = self.network.house.join(session, game, supports, channels, self.now())
        self._connections[session] = connection
        if session.through is None:
            self._came(session, connection)
        self._carry_out(outputs)
        return session

    def _came(self, session: Session, connection: IConnection) -> None:
        self._carried[connection.transport_name] += 1
        self._joined.add(lambda: f"{_short_name(session)} from {session.peer}")

    def received(self, session: Session, event: ClientEvent, again: bool = False) -> None:
        """
        A session sent an event. Never raises.

        @param again: whether this node was L{Unsure} of it, and has caught up with the others since.
        """
        if not again:
            if self._unsure and session in self._unsure:
                self._unsure[session].append(event)
                return
            self.counters.received(event)
        was_new = session.situation is Situation.NEW
        try:
            if was_new and not self.takes_games and isinstance(event, Authenticate):
                outputs = [Close(session, SERVICE_RESTART, Error.of("draining")), *self._lose(session)]
            else:
                outputs = (self.network.receive_surely if again else self.network.receive)(session, event, self.now())
        except Exception:
            # A mistake of ours hurts this session, and no other.
            self._log.failure("a session failed on {event}", event=type(event).__name__)
            outputs = [Close(session, INTERNAL_ERROR, Error.of("internal-error")), *self._lose(session)]
        if was_new and session.situation is Situation.ACTIVE:
            self._came(session, self._connections[session])
        if self._watched and not (outputs and isinstance(outputs[0], Unsure)):
            self.watch.received(session, event, outputs, self.now())
        self._carry_out(outputs, session)

    def _wait(self, session: Session, event: Event) -> None:
        """What a session sent waits until this node has caught up."""
        assert self.cluster is not None
        self._connections[session].pause()
        self._second_looks.wait(session, event, self.cluster.caught_up())

    def _go_on(self, session: Session, event: ClientEvent | None) -> None:
        if event is None:
            self.finished(session)
        else:
            self.received(session, event)

    def _read_on(self, session: Session) -> None:
        if session not in self._dispatcher.paused and session not in self._unsure and session in self._connections:
            self._connections[session].resume()

    def alive(self, session: Session) -> None:
        self.network.alive(session)

    def finished(self, session: Session) -> None:
        if session in self._unsure:
            self._unsure[session].append(None)
            return
        self._dispatcher.answers.answer(Close(session, NORMAL_CLOSURE, Error.of("goodbye")))

    def flush(self) -> None:
        self._dispatcher.fanout.flush()

    def lost(self, session: Session) -> None:
        connection = self._connections.pop(session, None)
        self._dispatcher.fanout.lost()
        self._dispatcher.paused.discard(session)
        self._second_looks.lost(session)
        if session.online is not None and session.through is None:
            if connection is not None:
                self._carried[connection.transport_name] -= 1
            self._left.add(partial(_short_name, session))
        if self._watched:
            self.watch.lost(session, self.now())
        self._carry_out(self._lose(session))
        self._dispatcher.long_answers.lost(session)
        if not self._connections and self._drained is not None:
            self._drained.callback(None)

    def _lose(self, session: Session) -> list[Output]:
        try:
            return self.network.lost(session, self.now())
        except Exception:
            self._log.failure("a session could not end")
            return []

    # The other nodes.

    def learn(self, change: Change) -> None:
        """All nodes hear of a change, this one included: it is in force from now on."""
        if isinstance(change, MessageSaid):
            self._dispatcher.observe(change)
        self._carry_out(self.network.learned(change, self.now()))

    def carry_out(self, outputs: Iterable[Output]) -> None:
        """Carry out what the network makes of something that other nodes told."""
        self._carry_out(outputs)

    def relayed(self, node: str, relay: Relayed) -> None:
        """
        A node of the network told the others something.

        @param node: its name; empty for this one.
        """
        now = self.now()
        if not self._others.relayed(node, relay, now):
            self._carry_out(self.network.relayed(node, relay, now))

    def pass_on(self, passed: Passed) -> None:
        self._others.tell(passed)

    def count(self, what: str, subject: str, change: int) -> None:
        """
        Tell the other nodes, if there are any, that an attempt was counted here: their C{counting} hears it.

        @param what: its kind.
        @param subject: of whom.
        @param change: 1 for one more, -1 for one less, 0 to forget all of them.
        """
        self._others.tell(Counted(what, subject, change))

    def _tell_nodes(self, relay: Relayed) -> None:
        self._carry_out([Relay(relay)])

    async def caught_up(self) -> None:
        """Wait until this node knows what was known on any node when this was asked, but not for long."""
        if self.cluster is not None:
            await self.cluster.caught_up()

    # The admin.

    def change(self, change: Change | Callable[[], Change | None]) -> Deferred[None]:
        """
        Change what is known. Changes are made one at a time.

        @param change: the change; or a function that makes it from what is known when its turn comes, and returns
            C{None} if there is nothing to change by then.
        @return: fires when it is kept and in force; fails with L{Refused <gossip.registry.errors.Refused>}, L{NotKept
            <gossip.service.changes_in_turn.NotKept>}, L{NotSettled <gossip.service.changes_in_turn.NotSettled>}, or
            whatever the function raises.
        """
        return self._changing.make(partial(self._change, change))

    def _change(self, change: Change | Callable[[], Change | None]) -> Deferred[None]:
        made = change() if callable(change) else change
        if made is None:
            return succeed(None)
        return self._dispatcher.kept([self.network.apply(made)]).addErrback(self._judge_again, change)

    def _judge_again(self, failure: Failed, change: Change | Callable[[], Change | None]) -> Deferred[None]:
        failure.trap(Stale)
        return self._change(change)

    def say(self, name: str, peer: Address, channel: str, message: str) -> Deferred[None]:
        """
        Somebody on the pages says something.

        @param name: the name of the account.
        @param peer: the address that it comes from.
        @return: fires when it is kept; fails with L{Denied <gossip.protocol.errors.Denied>}, L{Overrun
            <gossip.protocol.errors.Overrun>}, L{NotKept <gossip.service.changes_in_turn.NotKept>} or L{NotSettled
            <gossip.service.changes_in_turn.NotSettled>}.
        """
        return maybeDeferred(self._say, name, peer, channel, message)

    def _say(self, name: str, peer: Address, channel: str, message: str) -> Deferred[None]:
        said = self._dispatcher.kept(self.network.people.say(name, peer, channel, message, self.now()))
        return self._changing.in_time(said)

    def announce(self, channel: str, text: str) -> Deferred[None]:
        """
        The network itself says something.

        @return: fires when it is said; fails with L{Refused <gossip.registry.errors.Refused>}.
        """
        return execute(self._announce, channel, text)

    def _announce(self, channel: str, text: str) -> None:
        self._carry_out(self.network.channels.announce(channel, text, self.now()))

    def notice(self, seconds: int) -> None:
        """Tell all games that the network will be away for this many seconds, on whichever node."""
        self._carry_out(self.network.notice(seconds))

    def sessions(self) -> list[tuple[Session, str]]:
        """The sessions of registered games, on all nodes, each with the transport that carries it."""
        here = [
            (session, connection.transport_name)
            for session, connection in self._connections.items()
            if session.situation is Situation.ACTIVE and session.through is None
        ]
        copies = (session for session in self.network.nodes.copies if session.through is None)
        return [*here, *((session, session.transport) for session in copies)]

    def transport_of(self, session: Session) -> str:
        """The transport that carries a session; empty if none does any more."""
        if session.node:
            return session.transport
        connection = self._connections.get(session)
        return "" if connection is None else connection.transport_name

    def status(self) -> Status:
        """What goes on right now, for people and metrics."""
        presence = self.network.presence
        status: Status = {
            "version": __version__,
            "uptime": int(self._clock.seconds() - self._started_at),
            "connections": {transport.name: transport.open_connections() for transport in self.transports},
            "sessions": presence.sessions,
            "sessions_by_transport": dict(+self._carried),
            "games": len(presence),
            "players": presence.players,
            "channels": len(self.network.registry.channels),
            "deliveries": self._dispatcher.fanout.deliveries,
            "queue": self._writer.pending,
            "answers": len(self._dispatcher.answers),
            "health": self.readiness(),
            "listening": list(self.listening),
            "waits_for_restart": list(self.waits_for_restart),
            "certificates": [
                {"names": list(each.names), "ends": timestamp(each.ends, "seconds")} for each in self.certificates()
            ],
        }
        if self.cluster is not None:
            status["node"] = self.cluster.node_name
            status["nodes"] = [each.name for each in self.cluster.statuses()]
        counts = {counts.name: counts.by_kind for transport in self.transports for counts in transport.counts()}
        return cast("Status", {**status, **counts})

    def health(self) -> str:
        """Whether the daemon can do its work: C{ok}, or in a word what is wrong."""
        if not self.running:
            return "stopping"
        return self._writer_health.word(self._clock.seconds())

    def readiness(self) -> str:
        """Whether to send games here: C{ok}, or in a word why not."""
        health = self.health()
        return "draining" if health == "ok" and self.draining else health

    @property
    def takes_games(self) -> bool:
        """
        Whether games can join here. They cannot while this node is about to stop, nor before it hears the other nodes:
        a game would not be told what happens there meanwhile.
        """
        return not self.draining and (self.cluster is None or self.cluster.began)

    def drain(self, draining: bool = True) -> None:
        """Take no new games from now on, or take them again. Those that are here stay."""
        self.draining = draining
        if self.cluster is not None:
            self.cluster.beat()

    # Time.

    def startService(self) -> None:
        super().startService()
        self.network.started(self.now())
        self._next_tick = self._clock.seconds() + 1
        self._ticking.start(1, now=False).addErrback(lambda failure: self._log.failure("no more ticks", failure))

    def _tick(self) -> None:
        moment = self.now()
        now = moment.steady
        late = max(now - self._next_tick, 0.0)
        self.counters.ticked(late)
        self._next_tick = now + 1 - late % 1
        self._compare_clocks(moment)
        self._joined.tick()
        self._left.tick()
        try:
            self._carry_out(self.network.tick(moment))
            self.rehearsals.tick(moment)
        except Exception:
            # A LoopingCall that fails would stop for ever.
            self._log.failure("a tick failed")
        if self._watched:
            self.watch.rest(moment)
            self._others.tick(moment)
        self._writer_health.tick(now)

    def _compare_clocks(self, now: Moment) -> None:
        """Log it if somebody set the clock of the machine."""
        seconds = now.wall - now.steady - self._offset
        if abs(seconds) > JUMP:
            self._log.warn("the clock of this machine was set by {seconds:+.0f} s", seconds=seconds)
        self._offset += seconds

    def stopService(self) -> Deferred[None]:
        """Tell everybody, end all connections a moment later, and wait for them, but not for long."""
        super().stopService()
        if self._ticking.running:
            self._ticking.stop()
        told = self.network.restart(self.downtime)
        self._carry_out(told)
        self._dispatcher.fanout.flush()
        if not self._connections:
            return succeed(None)
        self._drained = Deferred()
        if told:
            parting = self._clock.callLater(PARTING_SECONDS, self._part)
            self._drained.addBoth(lambda _: parting.cancel() if parting.active() else None)
        else:
            self._part()
        return self._drained.addTimeout(DRAIN_SECONDS, self._clock, lambda _result, _seconds: None)

    def _part(self) -> None:
        """End all connections."""
        for session in self._connections:
            self._dispatcher.fanout.close(session, SERVICE_RESTART, Error.of("restarting"))
        self._dispatcher.fanout.flush()


def _short_name(session: Session) -> str:
    assert session.online is not None
    return session.online.game.short_name
