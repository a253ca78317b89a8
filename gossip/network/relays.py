"""
Relays: what one daemon of a network tells the others of its own sessions.

A session belongs to the daemon (the node) that holds its connection. The others keep a copy, which these keep up to
date. A relay names a session by a number that its node gives; which node it comes from is said by whatever carries it.
"""

from __future__ import annotations

from msgspec import Struct


class RemoteGame(Struct, frozen=True, array_like=True):
    """A remote game, as far as its client_id does not tell it already."""

    short_name: str
    name: str
    hidden: bool


class SessionJoined(Struct, frozen=True, tag=True, array_like=True):
    """
    A session authenticated.

    @ivar number: names the session among those of its node.
    @ivar peer: the address that it comes from.
    @ivar transport: the name of the transport that carries it.
    @ivar opened_at: since when it is there, in seconds since the epoch.
    @ivar lists_players: whether it lists all players of its game.
    @ivar remote: its game, if that is a remote one, which no registry has.
    """

    number: int
    client_id: str
    peer: str
    transport: str
    opened_at: float
    supports: tuple[str, ...]
    channels: tuple[str, ...]
    players: tuple[str, ...]
    lists_players: bool = True
    remote: RemoteGame | None = None


class SessionLeft(Struct, frozen=True, tag=True, array_like=True):
    """A session ended."""

    number: int


class Subscribed(Struct, frozen=True, tag=True, array_like=True):
    """A session subscribed to a channel."""

    number: int
    channel: str


class Unsubscribed(Struct, frozen=True, tag=True, array_like=True):
    """A session unsubscribed from a channel."""

    number: int
    channel: str


class PlayersReplaced(Struct, frozen=True, tag=True, array_like=True):
    """A session lists other players than before; no other game is told."""

    number: int
    players: tuple[str, ...]


class SignedIn(Struct, frozen=True, tag=True, array_like=True):
    """A player entered a game: the session lists one more."""

    number: int
    name: str


class SignedOut(Struct, frozen=True, tag=True, array_like=True):
    """A player left a game: no session of it lists the player any more."""

    client_id: str
    name: str


class Told(Struct, frozen=True, tag=True, array_like=True):
    """
    A player told something to a player of a game that has sessions on other nodes.

    @ivar client_id: the game of the player who is told.
    """

    client_id: str
    from_game: str
    from_name: str
    to_name: str
    sent_at: str
    message: str


class WrongSecret(Struct, frozen=True, tag=True, array_like=True):
    """
    Somebody used a wrong secret of a game that is known.

    @ivar peer: the address that they came from.
    """

    client_id: str
    peer: str


class Spoke(Struct, frozen=True, tag=True, array_like=True):
    """A person on the pages spoke, which counts against the rate limit on every node."""

    account: str


class Counted(Struct, frozen=True, tag=True, array_like=True):
    """
    An attempt on the pages was counted, which counts on every node.

    @ivar what: of which kind.
    @ivar subject: of whom.
    @ivar change: 1 for one more, -1 for one less, 0 to forget all of them.
    """

    what: str
    subject: str
    change: int


class Noticed(Struct, frozen=True, tag=True, array_like=True):
    """All games are told that the network will be away for this many seconds."""

    seconds: int


class Passed(Struct, frozen=True, tag=True, array_like=True):
    """
    A transport passes something on to the same transport of the other nodes.

    @ivar transport: its name.
    @ivar what: what it is, as the transport calls it.
    @ivar to: whom it is for.
    """

    transport: str
    what: str
    to: str
    payload: str = ""


class Looked(Struct, frozen=True, tag=True, array_like=True):
    """
    Somebody looks at a game: nodes that have sessions of it tell what these send and get, as L{Seen}, for some minutes.

    @ivar peer: the address of the owner.
    """

    client_id: str
    peer: str


class Echoed(Struct, frozen=True, tag=True, array_like=True):
    """The player C{echo} says something on a channel to one game, which has sessions on other nodes."""

    client_id: str
    channel: str
    text: str


class Rehearse(Struct, frozen=True, tag=True, array_like=True):
    """
    An owner rehearses something with a game: all nodes that have sessions of it play the step, and tell with
    L{RehearsalEnded} what came of it.

    @ivar channel: the channel of a message; empty for other steps.
    @ivar player: the player that gets a tell; empty for other steps.
    """

    client_id: str
    step: str
    channel: str
    player: str


class RehearsalEnded(Struct, frozen=True, tag=True, array_like=True):
    """
    What a game did with a step at the node that tells this.

    @ivar done: whether it did what it should.
    @ivar outcome: what it did, in words.
    """

    client_id: str
    step: str
    done: bool
    outcome: str


class FrameSeen(Struct, frozen=True, array_like=True):
    """
    A frame of a session; see L{Frame <gossip.service.watch.Frame>}.

    @ivar number: names the session among those of its node.
    """

    at: float
    number: int
    peer: str
    way: str
    text: str
    note: str


class RefusalSeen(Struct, frozen=True, array_like=True):
    """A refusal; see L{Refusal <gossip.service.watch.Refusal>}."""

    at: float
    peer: str
    code: str
    error: str
    hint: str
    barred: str
    text: str


class SessionSeen(Struct, frozen=True, array_like=True):
    """
    How a session is.

    @ivar number: names the session among those of its node.
    @ivar unanswered: heartbeats since the last sign of life.
    @ivar buckets: for each rate how full its bucket is, and how many overruns count.
    """

    number: int
    unanswered: int
    buckets: dict[str, tuple[float, float]]


class Seen(Struct, frozen=True, tag=True, array_like=True):
    """
    What is new of a game that somebody looks at on another node.

    @ivar steps: when it came how far; see L{STEPS <gossip.service.watch.STEPS>}.
    """

    client_id: str
    frames: tuple[FrameSeen, ...]
    refusals: tuple[RefusalSeen, ...]
    steps: dict[str, float]
    sessions: tuple[SessionSeen, ...]


Relayed = (
    SessionJoined
    | SessionLeft
    | Subscribed
    | Unsubscribed
    | PlayersReplaced
    | SignedIn
    | SignedOut
    | Told
    | WrongSecret
    | Spoke
    | Counted
    | Noticed
    | Echoed
    | Rehearse
    | RehearsalEnded
    | Looked
    | Seen
    | Passed
)
"""Anything that a node tells the others."""
