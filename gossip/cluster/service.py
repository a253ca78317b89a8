"""
The node: connects the network with the stream of all nodes, and watches which of the others are alive.

A node is deaf until it has listened, begun a life, and read the picture; and again whenever it loses the connection
that listens. While it is deaf it goes on with its own sessions, but writes nothing and changes nothing about those of
others.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, cast

from msgspec.structs import replace
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from gossip.cluster.catching_up import CatchingUp
from gossip.cluster.ear import Ear, Reactor
from gossip.cluster.judging import counted
from gossip.cluster.members import BEAT, Beat, Look, Member, Members
from gossip.cluster.outbox import Outbox
from gossip.cluster.picture import Picture
from gossip.cluster.settings import ClusterSettings
from gossip.cluster.shared_store import Node, SharedStore
from gossip.cluster.statuses import differs, status
from gossip.cluster.wire import PROTOCOL, Group, Judged, Malformed, NodeGone, NodeJoined, Parts, Unknown
from gossip.network.relays import Relayed
from gossip.service.interfaces import ClusterFigures, NodeStatus
from gossip.service.service import GossipService
from gossip.store.errors import StoreError, Trouble

NODE_GATHERS: Final = 0.0
"""
How many seconds a change waits for others to be written with it: until the turn of the reactor ends, since all nodes
wait to hear it. Those that come while a group is being written form the next one.
"""

FAR: Final = 2.0
"""By more than how many seconds a clock is wrong that is worth a line in the log, and a correction of messages."""

ASKEW: Final = 60.0
"""By how much the clocks of nodes may differ without a removal being missed, in seconds."""

JOINS: Final = 60.0
"""How long a node waits for each answer of the database when it joins, in seconds: it may have to read a lot."""

HOLDS: Final = 10.0
"""How long what a deaf node has to say waits, in seconds. Then it fails: nobody wants to hear it minutes later."""

LEAVES: Final = 5.0
"""How long a node that ends waits for the database, in seconds."""

SOONEST, LATEST = 0.1, 5.0
"""How long a node waits before it tries to join again, in seconds: longer each time, with chance."""


class Silent(StoreError):
    """The database does not answer, though the connection to it stands."""


class InThread(Protocol):
    """C{deferToThread}, or what does the same."""

    def __call__(self, call: Callable[..., Any], /, *arguments: Any) -> Deferred[Any]: ...


@dataclass
class Counters:
    """
    What a node counts.

    @ivar heard: groups.
    @ivar resyncs: how often everything was read anew.
    @ivar unknown: entries that a later release wrote.
    """

    heard: int = 0
    resyncs: int = 0
    unknown: int = 0


class ClusterService(Service):
    """
    This node, beside the others.

    @ivar members: all nodes, as the database showed them last.
    @ivar ahead: how far the clock of the server is ahead of this machine's, in seconds.
    @ivar behind: how late this node hears what all nodes write, in seconds.
    @ivar counters: what happened, for the metrics.
    @ivar node_name: the name of this node.
    @ivar joined: whether it hears the others.
    @ivar began: whether it has heard them since it started.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Reactor,
        store: SharedStore,
        outbox: Outbox,
        gossip: GossipService,
        node: Node,
        in_thread: InThread,
        settings: ClusterSettings,
    ) -> None:
        """
        @param node: this node; it gets a new epoch with each life.
        """
        self.members: list[Member] = []
        self.ahead = 0.0
        self.behind = 0.0
        self.counters = Counters()
        self.node_name = node.name
        self._reactor = reactor
        self._store = store
        self._outbox = outbox
        self._gossip = gossip
        self._network = gossip.network
        self._node = node
        self._in_thread = in_thread
        self._late = settings.late_messages
        self._lease = settings.lease_seconds
        self._beat_at = self._echoed = 0.0
        self._judging = Members(node.name, settings.lease_seconds)
        self._ear: Ear | None = None
        self._parts = Parts()
        self._early: list[str] | None = None
        self._epochs: dict[str, str] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._reading: dict[str, list[Group]] = {}
        self._delay = SOONEST
        self._again: IDelayedCall | None = None
        self._attempt: object | None = None
        self._begun = False
        self._deaf_since = 0.0
        self._living = DeferredLock()
        self._beating = LoopingCall(self._beat)
        self._beating.clock = cast("IReactorTime", reactor)
        self._joined: list[Deferred[None]] = []
        self._catching_up = CatchingUp(
            lambda: in_thread(store.position), lambda: outbox.positions, cast("IReactorTime", reactor)
        )
        self._queue = 0.0
        self._differing: set[str] = set()
        self.joined = self.began = False

    def follow(self, settings: str) -> None:
        """
        The settings of this node are others than before.

        @param settings: a digest of those that must be the same everywhere.
        """
        self._node = replace(self._node, settings=settings)

    def beat(self) -> None:
        """Let the others know now how this node is, and not at the next beat."""
        self._beat()

    def caught_up(self) -> Deferred[None]:
        """Fires when this node knows what was known on any node when this was asked, or soon anyway."""
        return self._catching_up.wait()

    # What people want to know.

    def statuses(self) -> list[NodeStatus]:
        """All nodes, as the database showed them last."""
        return [self._status(each) for each in sorted(self.members, key=lambda member: member.name)]

    def _status(self, member: Member) -> NodeStatus:
        sessions = self._network.nodes.sessions_of("" if member.name == self.node_name else member.name)
        return status(member, self._node, sessions, self._gossip.draining, not self.joined)

    def figures(self) -> ClusterFigures:
        """What this node counts."""
        counted = self.counters
        deaf = 0.0 if self.joined else self._gossip.now().steady - self._deaf_since
        return ClusterFigures(
            self.behind, counted.heard, self._outbox.relays, counted.resyncs, counted.unknown, self._queue, deaf
        )

    def end(self, name: str) -> Deferred[bool]:
        """Declare another node dead, whether or not it is silent; if it is alive, it joins anew."""
        for member in self.members:
            if member.name == name:
                return self._in_thread(self._store.end, member, False)
        return succeed(False)

    def _compare_settings(self) -> None:
        """Log which nodes have other settings, once."""
        differing = {each.name for each in self.members if differs(each, self._node)}
        for name in sorted(differing - self._differing):
            self._log.warn("node {name} has other settings in [network], [limits] or [web]: they must agree", name=name)
        self._differing = differing

    # Joining.

    def startService(self) -> None:
        super().startService()
        self._deaf_since = self._gossip.now().steady
        self._join()
        self._beating.start(BEAT, now=False).addErrback(self._broken)

    def stopService(self) -> Deferred[None]:
        """Leave at once: the others need not wait for a lease."""
        super().stopService()
        self._deafen()
        if self._again is not None and self._again.active():
            self._again.cancel()
        if self._beating.running:
            self._beating.stop()
        # Not before a life that is just beginning has begun: it would outlive the daemon.
        left: Deferred[None] = self._living.run(self._in_time, LEAVES, self._store.leave)
        left.addTimeout(2 * LEAVES, cast("IReactorTime", self._reactor))
        left.addErrback(lambda failure: self._log.warn("this node could not leave: {why}", why=failure.value))
        return left

    def when_joined(self) -> Deferred[None]:
        """Fires when this node hears the others."""
        joined: Deferred[None] = Deferred()
        if self.joined:
            joined.callback(None)
        else:
            self._joined.append(joined)
        return joined

    def _broken(self, failure: Failure) -> None:
        self._log.failure("this node beats no more", failure)

    def _deafen(self) -> None:
        if self.joined:
            self._deaf_since = self._gossip.now().steady
        # Whatever an attempt to join waits for, it is not wanted any more.
        self._attempt = None
        self._begun = False
        self.joined = False
        self._outbox.deaf()
        self._judging.deaf()
        if self._ear is not None:
            self._ear.stop()
            self._ear = None

    def _join(self) -> None:
        """Listen, begin a life, and read everything: in this order, so that nothing is missed."""
        self._again = None
        self._attempt = attempt = object()
        Deferred.fromCoroutine(self._try_to_join(attempt)).addErrback(self._not_joined, attempt)

    async def _try_to_join(self, attempt: object) -> None:
        """@param attempt: is C{_attempt} as long as nothing has come between."""
        connection = await self._in_thread(self._store.listen)
        if self._attempt is not attempt:
            connection.close()
            return
        self._parts = Parts()
        self._early = []
        self._ear = Ear(self._reactor, connection, self._notified, self._lost)
        self._ear.start()
        # What the writer has still to write belongs to the life before: it must not come after this one has begun.
        handed_over: Deferred[None] = Deferred()
        self._outbox.when_written(lambda: handed_over.callback(None))
        await handed_over
        await self._living.run(self._begin, attempt)
        if self._attempt is not attempt:
            return
        picture = await self._in_time(JOINS, self._store.picture, self._audiences(), self._late, self._heard_until())
        if self._attempt is attempt:
            self._know(picture, attempt)

    def _begin(self, attempt: object) -> Deferred[None]:
        if self._attempt is not attempt:
            return succeed(None)
        self._node = replace(self._node, epoch=str(uuid.uuid4()))
        self._begun = True
        return self._in_time(JOINS, self._store.begin, self._node, self._network.nodes.own)

    def _in_time(self, seconds: float, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """
        Call in a thread something that waits for the database. If the database does not answer in time, this fails, and
        so does whatever else waits for it.
        """

        def silent(failure: Failure) -> Failure:
            if failure.check(DeferredTimeout):
                self._store.sever()
                raise Silent(f"{self._store.name} does not answer", Trouble.UNREACHABLE)
            return failure

        waiting = self._in_thread(call, *arguments)
        waiting.addTimeout(seconds, cast("IReactorTime", self._reactor))
        return waiting.addErrback(silent)

    def _audiences(self) -> dict[str, int]:
        """The channels that somebody here hears, with the highest number that was heard."""
        numbers = self._network.registry.numbers
        return {name: numbers.highest_message(name) for name in self._network.audiences.subscribed()}

    def _heard_until(self) -> float | None:
        """Until when this node surely heard the others, in seconds since the epoch; C{None} if it never did."""
        now = self._gossip.now()
        return now.wall - (now.steady - self._echoed) - ASKEW if self.counters.resyncs else None

    def _know(self, picture: Picture, attempt: object) -> None:
        self._echoed = self._gossip.now().steady
        self._epochs = dict(picture.epochs)
        self._last.clear()
        self._reading.clear()
        self.counters.resyncs += 1
        now = self._gossip.now()
        removed = picture.removed
        self._gossip.carry_out(self._network.resynced(picture.known, picture.sessions, picture.missed, removed, now))
        early, self._early = self._early or [], None
        self._outbox.positions = dict(picture.positions)
        self._speak(picture.protocols)
        for payload in early:
            self._read(payload, picture)
            if self._attempt is not attempt:
                # It told of something that only reading everything anew can show.
                return
        self._outbox.opened(self._outbox.positions)
        self._catching_up.passed(self._outbox.positions)
        self._delay = SOONEST
        self.joined = self.began = True
        self._log.info("node {name} hears the others", name=self._node.name)
        self._beat()
        joined, self._joined = self._joined, []
        for each in joined:
            each.callback(None)

    def _not_joined(self, failure: Failure, attempt: object) -> None:
        if self._attempt is attempt:
            self._log.warn("this node hears nobody: {why}", why=str(failure.value).partition("\n")[0])
            self._rejoin()

    def _lost(self, error: Exception) -> None:
        self._log.warn("this node hears nobody any more: {why}", why=str(error).partition("\n")[0])
        self._ear = None
        self._rejoin()

    def _rejoin(self) -> None:
        self._deafen()
        if self.running and self._again is None:
            self._again = self._reactor.callLater(self._delay * random.uniform(0.5, 1), self._join)
            self._delay = min(self._delay * 2, LATEST)

    # Hearing.

    def _notified(self, channel: str, payload: str) -> None:
        if channel == self._store.echo:
            self._echoed = self._gossip.now().steady
            self.behind = self._echoed - self._beat_at
        elif self._early is not None:
            self._early.append(payload)
        else:
            self._read(payload)

    def _read(self, payload: str, picture: Picture | None = None) -> None:
        """
        @param picture: what it holds already is skipped.
        """
        try:
            group = self._parts.read(payload)
        except Malformed as error:
            # Any role of the database can notify.
            self._log.warn("a notification makes no sense: {why}", why=str(error))
            return
        if group is None or (picture is not None and picture.snapshot.holds(group.transaction)):
            return
        life = group.node, group.epoch
        if self._epochs.get(group.node) == group.epoch:
            if group.number <= self._last.get(life, 0):
                return
            self._last[life] = group.number
        self.counters.heard += 1
        self._hear(group)
        if life == (self._node.name, self._node.epoch):
            self._outbox.heard(group.number)

    def _hear(self, group: Group) -> None:
        mine = group.node == self._node.name
        for entry in counted(group, self._outbox.positions):
            if isinstance(entry, Unknown):
                self.counters.unknown += 1
                if entry.change:
                    self._log.warn("a node of a later release changed something: everything is read anew")
                    self._rejoin()
                    return
            elif isinstance(entry, NodeJoined):
                self._node_joined(group)
            elif isinstance(entry, NodeGone):
                self._node_gone(entry)
            elif isinstance(entry, Relayed):
                if group.node in self._reading:
                    self._reading[group.node].append(replace(group, entries=(entry,)))
                elif mine or self._epochs.get(group.node) == group.epoch:
                    origin = "" if mine else group.node
                    self._gossip.relayed(origin, entry)
            elif isinstance(entry, Judged):
                self._outbox.judged(entry.scope, entry.number)
                self._catching_up.passed(self._outbox.positions)
            else:
                self._gossip.learn(entry)

    def _node_joined(self, group: Group) -> None:
        if group.node == self._node.name:
            return
        self._log.info("node {name} joined", name=group.node)
        self._speak((self._outbox.protocol, group.protocol))
        self._epochs[group.node] = group.epoch
        # What it tells from now on waits until its sessions are known.
        self._reading[group.node] = []
        reading = self._in_thread(self._store.sessions_of, group.node)
        reading.addCallback(partial(self._sessions_read, group.node, group.epoch))
        reading.addErrback(self._unread)
        self._beat()  # which shows who is there, and who leads

    def _speak(self, protocols: Iterable[int]) -> None:
        """
        Write what all nodes read.

        @param protocols: the latest that each of them speaks.
        """
        protocol = min([PROTOCOL, *protocols])
        if protocol != self._outbox.protocol:
            self._outbox.protocol = self._store.protocol = protocol
            self._log.info("nodes speak protocol {protocol} from now on", protocol=protocol)

    def _sessions_read(self, node: str, epoch: str, sessions: Any) -> None:
        if self._epochs.get(node) != epoch or node not in self._reading:
            return
        self._gossip.carry_out(self._network.nodes.replace(node, sessions, self._gossip.now()))
        for group in self._reading.pop(node):
            self._hear(group)

    def _unread(self, failure: Failure) -> None:
        self._log.warn("the sessions of a node cannot be read: {why}", why=str(failure.value))
        self._rejoin()

    def _node_gone(self, gone: NodeGone) -> None:
        if gone.node == self._node.name:
            if gone.epoch == self._node.epoch and self.running:
                self._log.warn("other nodes took this one for dead")
                self._rejoin()
            return
        if self._epochs.get(gone.node) == gone.epoch:
            self._log.info("node {name} is gone", name=gone.node)
            del self._epochs[gone.node]
            self._reading.pop(gone.node, None)
            self._gossip.carry_out(self._network.nodes.gone(gone.node, self._gossip.now()))
            self._beat()

    # Which nodes are alive.

    def _beat(self) -> Deferred[None] | None:
        now = self._gossip.now().steady
        if not self.joined:
            # What is told after a life has begun is not among the sessions that it begins with.
            if not self._begun and now - self._deaf_since > HOLDS:
                self._outbox.refuse()
            return None
        self._beat_at = now
        said = Beat(self._node.settings, self.ahead, self.behind, self._gossip.draining)
        beating = self._in_time(self._lease, self._store.beat, said)
        beating.addCallback(partial(self._beaten, self._node.epoch))
        beating.addErrback(self._not_beaten)
        return beating

    def _beaten(self, epoch: str, look: Look) -> Deferred[None] | None:
        self.members = look.members
        self._speak([member.protocol for member in look.members])
        self._queue = look.queue
        moment = self._gossip.now()
        ahead = look.now - moment.wall
        if abs(ahead) > FAR >= abs(self.ahead):
            self._log.warn("the clock of this machine is {seconds:+.1f} s off that of the database", seconds=-ahead)
        self.ahead = ahead
        self._outbox.ahead = ahead if abs(ahead) > FAR else 0.0
        self._compare_settings()
        if not self.joined or epoch != self._node.epoch:
            return None
        if not look.alive:
            self._log.warn("other nodes took this one for dead")
            self._rejoin()
            return None
        if moment.steady - self._echoed > self._lease:
            self._log.warn("this node does not hear what it writes")
            self._rejoin()
            return None
        gone = self._judging.beat(self.members, moment.steady)
        living = [each.name for each in self.members if each not in gone]
        self._network.leads = self._node.name == min(living)
        ending: Deferred[None] | None = None
        for member in gone:
            self._log.warn("node {name} is silent: it counts as dead", name=member.name)
            ending = self._in_thread(self._store.end, member).addCallback(lambda _: None)
        return ending

    def _not_beaten(self, failure: Failure) -> None:
        self._judging.deaf()
        if not failure.check(StoreError):
            # It goes on beating all the same.
            self._log.failure("this node could not beat", failure)
        if failure.check(Silent) and self.joined and self.running:
            self._log.warn("this node hears nobody any more: {why}", why=str(failure.value))
            self._rejoin()
