"""What a transport offers the service, and what the service offers a transport."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from gossip.network.relays import Passed
from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ServerEvent
from gossip.registry.addresses import Address
from gossip.registry.entities import Game


class IWireFormat(Interface):
    """How events are written for a kind of connection. Connections with the same one share what it wrote."""

    def encode(event: ServerEvent) -> bytes:
        """Write an event: all that goes over the wire for it, nothing if that kind of connection does not tell it."""


class IConnection(Interface):
    """What carries a session."""

    transport_name: str = Attribute("The kind of transport, for people and metrics.")
    peer_address: Address = Attribute("Where the other end is.")
    wire_format: IWireFormat = Attribute("The wire format; it may change as long as the connection lasts.")
    unsent: int = Attribute("How many bytes the other end has not taken yet, not counting the system's buffer.")
    direct_send: Callable[[bytes], int] | None = Attribute(
        "The direct route: it takes what the wire format wrote, and returns how many bytes it took or raises OSError; "
        "the rest goes to spill. None if the connection has no such route. A connection that gains or loses it counts "
        "up Routes.generation; while a connection has it, its wire format does not change."
    )

    def write(data: bytes) -> None:
        """Send what the wire format wrote. A reader that is too slow is cut off."""

    def spill(rest: bytes) -> None:
        """Send what the direct route did not take."""

    def close(code: int, why: Error) -> None:
        """
        End the session, after what was written, and with it the connection.

        The code is one of the websocket (RFC 6455, section 7.4); C{why} is for a transport that tells it.
        """

    def pause() -> None:
        """Read no further for now: the answers to what was read are not ready yet."""

    def resume() -> None:
        """Go on reading."""


class Counts(Struct, frozen=True):
    """
    Something that a transport counts since the start of the daemon.

    @ivar name: its key in the status, and after C{gossip_} the name of its metric: C{telnet_bytes}.
    @ivar about: what is counted, in one sentence, for the metrics.
    @ivar by_kind: the numbers. The set of kinds is fixed: a peer must not be able to add one.
    """

    name: str
    about: str
    by_kind: dict[str, int]


class CertificateStatus(Struct, frozen=True):
    """
    A certificate that listeners use.

    @ivar names: the names and addresses that it is for.
    @ivar ends: when it ends, in seconds since the epoch.
    """

    names: tuple[str, ...]
    ends: float


class ITransportStatus(Interface):
    """What a transport tells the status and the metrics."""

    name: str = Attribute("The transport's name, the C{transport_name} of its connections.")

    def open_connections() -> int:
        """How many connections are open, including those that have not authenticated."""

    def counts() -> Sequence[Counts]:
        """What the transport counts; empty if it counts nothing."""


class NodeStatus(Struct, frozen=True):
    """
    How a node is, as this one knows it.

    @ivar here: whether it is this one.
    @ivar address: where it listens.
    @ivar since: when it started, a time like C{2027-01-31T12:00:00Z}.
    @ivar behind: how late it hears what all nodes write, in seconds.
    @ivar clock: how far its clock is behind that of the database, in seconds.
    @ivar draining: whether it takes no new games: it is about to stop.
    @ivar differs: whether settings that must be the same everywhere differ from those of this node.
    @ivar deaf: for this one, whether it hears nobody: then all it says of others is old.
    """

    name: str
    here: bool
    version: str
    address: str
    since: str
    sessions: int
    players: int
    behind: float
    clock: float
    draining: bool
    differs: bool
    deaf: bool = False


class ClusterFigures(Struct, frozen=True):
    """
    What a node counts, for the metrics.

    @ivar behind: how late it hears what all nodes write, in seconds.
    @ivar heard: groups of changes that it heard.
    @ivar relays: what it told the other nodes of its sessions.
    @ivar resyncs: how often it read everything anew.
    @ivar unknown: entries that a later release wrote.
    @ivar queue: how full the queue of the notifications of the database is: 1 is full.
    @ivar deaf: how long it has heard nobody, in seconds; 0 if it hears.
    """

    behind: float
    heard: int
    relays: int
    resyncs: int
    unknown: int
    queue: float
    deaf: float


class ICluster(Protocol):
    """
    The nodes of a network that several daemons share.

    @ivar node_name: the name of this node.
    @ivar joined: whether this node hears the others.
    @ivar began: whether it has heard them since it started.
    """

    node_name: str
    joined: bool
    began: bool

    def statuses(self) -> Sequence[NodeStatus]:
        """All nodes, sorted by their names."""

    def figures(self) -> ClusterFigures:
        """What this node counts."""

    def beat(self) -> None:
        """Let the others know now how this node is, and not at the next beat."""

    def caught_up(self) -> Deferred[None]:
        """Fires when this node knows what was known on any node when this was asked, or soon anyway."""

    def end(self, name: str) -> Deferred[bool]:
        """Declare another node dead. Fires with whether it was there."""


class IntermudStatus(Struct, frozen=True):
    """
    How the gateway to Intermud-3 is.

    @ivar mud: what the network is called there.
    @ivar game: the short name of the game that speaks for the MUDs there.
    @ivar state: C{off}, C{dialling}, C{logging in} or C{up}.
    @ivar why: why it is not up, in words; empty if it is.
    @ivar router: the router that it is connected to, or that is tried next.
    @ivar since: for how long it has been up, in seconds; 0 if it is not.
    @ivar next_attempt: in how many seconds a router is dialled; 0 if none is waited for.
    @ivar accepted: whether the rules of that network were accepted.
    @ivar known: whether the router gave us a password.
    @ivar node: the node that has the link; empty if this daemon is alone.
    @ivar muds: how many MUDs there are.
    @ivar waiting: packets that wait for their turn.
    @ivar delivered: our messages on channels that came back.
    @ivar routers: what the router said that its network's routers are: the name and the address of each.
    """

    mud: str
    game: str
    state: str
    why: str
    router: str
    since: int
    next_attempt: int
    accepted: bool
    known: bool
    node: str
    muds: int
    waiting: int
    delivered: int
    routers: tuple[tuple[str, str], ...]


class IntermudChannel(Struct, frozen=True):
    """
    A channel of Intermud-3.

    @ivar there: its name there.
    @ivar host: the MUD or router that it belongs to; empty if it is not known there.
    @ivar here: the channel that it passes to and from; empty for none.
    @ivar way: C{both}, C{in} or C{out}; empty if it does not pass.
    """

    there: str
    host: str
    here: str = ""
    way: str = ""


class IIntermud(Protocol):
    """
    The gateway to Intermud-3.

    @ivar mud: what the network is called there.
    """

    mud: str

    def status(self) -> IntermudStatus:
        """How it is."""

    def channels(self) -> Sequence[IntermudChannel]:
        """The channels that it knows, in order."""

    def reconnect(self) -> None:
        """Forget all failures, and dial again."""


class IGossip(Interface):
    """Where transports bring what happens to their connections."""

    takes_games: bool = Attribute("Whether games can join here, or are to go to another node.")

    passed: dict[str, Callable[[Passed], None]] = Attribute(
        "What each transport makes of what it passed on at other nodes, by its name."
    )

    passed_back: dict[str, Callable[[Passed], None]] = Attribute(
        "What each transport makes of what it passed on here, when all nodes hear it."
    )

    def now() -> Moment:
        """This moment, on both clocks: for rate limits of connections that have no session."""

    def opened(connection: IConnection) -> Session:
        """Somebody connected; returns the connection's session."""

    def let_in(connection: IConnection, game: Game, supports: frozenset[str], channels: Iterable[str]) -> Session:
        """
        A part of the daemon itself joins, for a registered game or for a remote one; returns its session.

        @raise gossip.protocol.errors.Denied: it may not.
        """

    def received(session: Session, event: ClientEvent) -> None:
        """A session sent an event. Never raises."""

    def alive(session: Session) -> None:
        """A session gave a sign of life that is no heartbeat event."""

    def finished(session: Session) -> None:
        """The peer sends nothing more: close the session as soon as everything that it asked is answered."""

    def flush() -> None:
        """Write now what was to be written at the end of this turn: a connection is about to end."""

    def lost(session: Session) -> None:
        """A session's connection is gone."""

    def pass_on(passed: Passed) -> None:
        """Tell the same transport at all other nodes something; nothing happens if this daemon is alone."""
