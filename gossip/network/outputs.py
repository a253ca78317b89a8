"""What the network wants done: values, carried out by the service."""

from __future__ import annotations

from msgspec import Struct

from gossip.network.audiences import Audience
from gossip.network.relays import Relayed
from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.events import Event, Ref
from gossip.protocol.server_events import ServerEvent
from gossip.registry.changes import Change, MessagesRemoved
from gossip.registry.entities import Channel
from gossip.registry.sought import Sought


class Send(Struct, frozen=True):
    """Send an event to one session."""

    session: Session
    event: ServerEvent


class Broadcast(Struct, frozen=True):
    """
    Send an event to an audience, which L{Network.hearing <gossip.network.network.Network.hearing>} knows the sessions
    of.
    """

    audience: Audience
    event: ServerEvent


class Close(Struct, frozen=True):
    """
    End a session.

    @ivar code: a websocket close code (protocol specification, Transport).
    @ivar why: what is wrong, for a transport that tells it; the websocket does not.
    """

    session: Session
    code: int
    why: Error


class Commit(Struct, frozen=True):
    """
    Keep a change, then tell L{Network.settled <gossip.network.network.Network.settled>} how it went.

    @ivar then: what leaves when the change is on disk.
    @ivar otherwise: what leaves when it could not be kept.
    @ivar learned: whether the network has learned the change already, and does not wait for the disk to do so.
    """

    change: Change
    then: tuple[Send, ...] = ()
    otherwise: tuple[Send, ...] = ()
    learned: bool = False


class Hold(Struct, frozen=True):
    """The answer to this request comes later: keep its place."""

    session: Session


class Release(Struct, frozen=True):
    """The outputs for the oldest place that is kept for this session."""

    session: Session
    outputs: tuple[Send | Commit, ...]


class Fetch(Struct, frozen=True):
    """
    Read what was said, keep the place of this request, and hand what is found to L{Network.fetched
    <gossip.network.network.Network.fetched>}. What is being kept when this is asked for must be found already.

    @ivar limit: how many messages are wanted; one more tells whether there are more.
    @ivar before: only messages with a lower number; the latest of them.
    @ivar after: only messages with a higher number; the oldest of them.
    @ivar share: how many of these share the bytes that an answer may have.
    """

    session: Session
    channel: str
    limit: int
    before: int | None
    after: int | None
    ref: Ref
    share: int = 1


class Find(Struct, frozen=True):
    """
    Look for one message, keep the place of this request, and hand what is found to L{Network.found
    <gossip.network.network.Network.found>}. What is being kept when this is asked for must be found already.

    @ivar request: the event that is about the message.
    """

    session: Session
    sought: Sought
    request: Event


class ListChannels(Struct, frozen=True):
    """
    Answer with a list of channels. It can be long, so L{Network.listed <gossip.network.network.Network.listed>} makes
    it in parts.

    @ivar parts: the channels of each part, at least one, as they were when the list was asked for.
    """

    session: Session
    ref: Ref
    parts: tuple[tuple[Channel, ...], ...]


class Unsure(Struct, frozen=True):
    """
    This node would refuse the request, but another one may know better by now: hand it to L{Network.receive_surely
    <gossip.network.network.Network.receive_surely>} when this node has caught up, and whatever the session sends after
    it later still. It is the only output then.
    """

    session: Session
    event: Event


class Forget(Struct, frozen=True):
    """
    Messages were removed: whoever remembers them, or shows them to people, forgets them.

    @ivar removed: these messages, and why.
    """

    removed: MessagesRemoved


class Wanted(Struct, frozen=True):
    """A game wants to know the players of a remote game, which only its own network knows."""

    client_id: str


class Relay(Struct, frozen=True):
    """
    Tell the other nodes.

    @ivar then: what leaves when they are told.
    @ivar otherwise: what leaves when they could not be.
    """

    told: Relayed
    then: tuple[Send, ...] = ()
    otherwise: tuple[Send, ...] = ()


Output = (
    Send | Broadcast | Close | Commit | Hold | Release | Fetch | Find | ListChannels | Forget | Relay | Unsure | Wanted
)
"""Whatever the network returns."""

Outputs = list[Output]
"""In the order in which they must be carried out."""
