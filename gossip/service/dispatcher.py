"""
The dispatcher: carries out what the network wants. Outputs go to connections, to the writer, to the other nodes and to
observers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from gossip.network.network import Network
from gossip.network.outputs import (
    Broadcast,
    Close,
    Commit,
    Fetch,
    Find,
    Forget,
    Hold,
    ListChannels,
    Output,
    Relay,
    Release,
    Send,
    Unsure,
    Wanted,
)
from gossip.network.session import Session
from gossip.protocol.events import Event
from gossip.protocol.server_events import Failure, NotAuthenticated
from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.service.answer_queue import Answer, AnswersInOrder, Place
from gossip.service.changes_in_turn import NotKept
from gossip.service.clock import IClock
from gossip.service.counters import Counters
from gossip.service.fanout import Fanout
from gossip.service.interfaces import IConnection
from gossip.service.long_answers import LongAnswers, pieces_of, pieces_of_list
from gossip.service.reads import Finding, Reading, Reads
from gossip.service.watch import Watch
from gossip.service.writing import IRelays, IWriter

_Told = TypeVar("_Told")

UNANSWERED: Final = 200
"""How many unanswered requests one connection may have before no more are read from it."""


class Stale(NotKept):
    """What a change was judged by is different now: another node was first. It is judged again."""


class Dispatcher:
    """
    Carries outputs out.

    @ivar fanout: writes events to connections.
    @ivar answers: keeps the answers of each session in the order of its requests.
    @ivar long_answers: writes those that are long.
    @ivar paused: the sessions from which nothing is read until some of their answers are ready.
    @ivar heard: the observers of messages, on all channels.
    @ivar removed: the observers of removals.
    @ivar wanted: the observers of wishes to know the players of remote games, by client_id.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IClock,
        network: Network,
        writer: IWriter,
        relays: IRelays | None,
        counters: Counters,
        watch: Watch,
        connections: Mapping[Session, IConnection],
        history: Reading,
        find: Finding,
        unsure: Callable[[Session, Event], None],
        read_on: Callable[[Session], None],
    ) -> None:
        """
        @param relays: where the other nodes of the network are told; C{None} if this daemon is alone.
        @param connections: the connection of each session.
        @param history: reads what was said.
        @param find: looks for one message.
        @param unsure: lets a request wait until this node has caught up with the others.
        @param read_on: called when a session is not L{paused} any more.
        """
        self.paused: set[Session] = set()
        self.heard: set[Callable[[MessageSaid], None]] = set()
        self.removed: set[Callable[[MessagesRemoved], None]] = set()
        self.wanted: set[Callable[[str], None]] = set()
        self._now = clock.now
        self._network = network
        self._writer = writer
        self._relays = relays
        self._counters = counters
        self._watch = watch
        self._watched = watch.watched
        self._connections = connections
        self._unsure = unsure
        self._read_on = read_on
        self.fanout = Fanout(clock, connections)
        self.answers = AnswersInOrder(self._deliver)
        self.long_answers = LongAnswers(clock, connections, self.answers, self._deliver, self._ready)
        self._reads = Reads(network, clock.now, history, find, writer.barrier, self._keep, self._fill)

    def carry_out(
        self,
        outputs: Iterable[Output],
        asking: Session | None = None,
        place: Place | None = None,
        done: Deferred[None] | None = None,
    ) -> None:
        """
        Carry out outputs, in their order.

        @param asking: the session whose request it was: what goes to it are answers.
        @param place: where its answers go, if a place was kept for them.
        @param done: fires when the one commit among the outputs is settled, or fails with L{NotKept}.
        """
        for output in outputs:
            match output:
                case Broadcast(audience, event):
                    sessions = self._network.hearing(audience)
                    if sessions:
                        self.fanout.send(sessions, event)
                        if self._watched:
                            self._watch.broadcast(sessions, event, self._now())
                case Send(session) | Close(session) if session is not asking:
                    self._deliver(output)
                case Send() | Close() if place is not None:
                    place.answers.append(output)
                case Send() if self.long_answers.takes(output):
                    assert asking is not None
                    self.long_answers.add(self._keep(asking), pieces_of(output))
                case Send() | Close():
                    self.answers.answer(output)
                case Commit():
                    self._commit(output, asking, place, done)
                case Hold(session):
                    self.answers.hold(session)
                    self._pause_if_behind(session)
                case Fetch() | Find():
                    self._reads.start(output)
                case ListChannels(session):
                    self.long_answers.add(self._keep(session), pieces_of_list(output, self._listed))
                case Release(session, released):
                    self._fill(self.answers.held(session), released)
                case Relay():
                    self._relay(output, asking)
                case Unsure(session, event):
                    self._unsure(session, event)
                case Wanted(client_id):
                    self._tell(self.wanted, client_id)
                case Forget(removed):
                    self._watch.removed(removed)
                    self._tell(self.removed, removed)

    def kept(self, outputs: Iterable[Output]) -> Deferred[None]:
        """Carry out outputs; fires when the one commit among them is kept."""
        done: Deferred[None] = Deferred()
        self.carry_out(outputs, done=done)
        return done

    def observe(self, said: MessageSaid) -> None:
        """Something was said: count it, and tell the observers."""
        self._counters.messages += 1
        self._tell(self.heard, said)

    def _deliver(self, output: Answer) -> None:
        if self._watched:
            self._watch.delivered(output, self._now())
        if isinstance(output, Close):
            self.fanout.close(output.session, output.code, output.why)
        else:
            if isinstance(output.event, (Failure, NotAuthenticated)):
                self._counters.failed(output.event.error)
            self.fanout.send((output.session,), output.event)

    def _keep(self, session: Session) -> Place:
        """Keep a place for the answers to a request."""
        place = self.answers.keep(session)
        self._pause_if_behind(session)
        return place

    def _listed(self, asked: ListChannels, number: int) -> Send:
        return self._network.listed(asked, number, self._now())

    def _fill(self, place: Place, outputs: Sequence[Output]) -> None:
        """Carry out what becomes of a request whose place was kept."""
        self._place(outputs, place.session, place)

    def _place(self, outputs: Sequence[Output], asking: Session | None, place: Place | None) -> None:
        """Carry out what becomes of a request; its place, if one was kept, is ready unless something is kept first."""
        self.carry_out(outputs, asking, place)
        if place is not None and not any(isinstance(output, Commit) for output in outputs):
            self._ready(place)

    def _commit(self, commit: Commit, asking: Session | None, place: Place | None, done: Deferred[None] | None) -> None:
        if place is None and asking is not None and (commit.then or commit.otherwise):
            place = self._keep(asking)
        if isinstance(commit.change, MessageSaid) and self._relays is None:
            self.observe(commit.change)
        wanted = place is not None or done is not None
        self._writer.commit(commit.change, partial(self._settled, commit, asking, place, done), wanted)

    def _settled(
        self,
        commit: Commit,
        asking: Session | None,
        place: Place | None,
        done: Deferred[None] | None,
        kept: bool,
        stale: bool = False,
    ) -> None:
        now = self._now()
        if stale and done is None:
            self._counters.stale += 1
            self._place(self._network.again(commit, now), asking, place)
            return
        if not kept:
            self._counters.unkept += not stale
            self._counters.stale += stale
        elif not commit.learned and self._relays is None:
            self.carry_out(self._network.learned(commit.change, now))
        self.carry_out(self._network.settled(commit, kept, now), asking, place)
        if place is not None:
            self._ready(place)
        if done is not None and kept:
            done.callback(None)
        elif done is not None and stale:
            done.errback(Stale("somebody else changed the same at the same time: try again"))
        elif done is not None:
            done.errback(NotKept("the change could not be written to the database: see the daemon's log"))

    def _relay(self, relay: Relay, asking: Session | None) -> None:
        assert self._relays is not None
        place = self._keep(asking) if asking is not None and relay.then else None
        told = partial(self._relayed, relay, asking, place)
        self._relays.relay(relay.told, self._network.nodes.changed_by(relay.told), told)

    def _relayed(
        self, relay: Relay, asking: Session | None, place: Place | None, kept: bool, stale: bool = False
    ) -> None:
        self.carry_out(relay.then if kept else relay.otherwise, asking, place)
        if place is not None:
            self._ready(place)

    def _ready(self, place: Place) -> None:
        self.answers.ready(place)
        session = place.session
        if session in self.paused and self.answers.waiting(session) < UNANSWERED // 2:
            self.paused.discard(session)
            self._read_on(session)

    def _pause_if_behind(self, session: Session) -> None:
        """Stop reading from a session that asks faster than the disk answers: its requests would queue without end."""
        if self.answers.waiting(session) > UNANSWERED and session in self._connections:
            self.paused.add(session)
            self._connections[session].pause()

    def _tell(self, observers: set[Callable[[_Told], None]], told: _Told) -> None:
        for observer in list(observers):
            try:
                observer(told)
            except Exception:
                observers.discard(observer)
                self._log.failure("an observer of messages failed, and hears no more")
