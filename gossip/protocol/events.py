"""
The vocabulary of the wire: one frozen struct for each event.

The protocol at a glance (version 2.3.0). Every frame is one JSON object with ``event`` and, where they apply, ``ref``,
``payload``, ``status`` and ``error``::

    from a game                  payload                                       answer, if it has a ref
    ---------------------------  --------------------------------------------  ---------------------------------
    authenticate                 client_id, client_secret, supports,           Authenticated, always, without ref
                                 channels?, players?, version?,
                                 user_agent?, debug?, resume?, extensions?
    heartbeat                    players?                                      none, ever
    channels/subscribe           channel                                       Success
    channels/unsubscribe         channel                                       Success
    channels/send                channel, name, message                        Success, once on disk
    channels/list         (ref)                                                ChannelsListAnswer, in pages
    channels/history      (ref)  channel, limit?, before?, after?              ChannelsHistoryAnswer, in pages
    channels/remove              id, reason                                    Success, once on disk
    players/sign-in, sign-out    name                                          Success
    players/status        (ref)  game?                                         PlayersStatusAnswer, a frame a game
    games/status          (ref)  game?                                         GamesStatusAnswer, a frame a game;
                                                                               extension directory: and the end
    tells/send            (ref)  from_name, to_game, to_name, message,         Success
                                 sent_at?
    reports/create               from, reason, and id, or game, name and       ReportCreated, once on disk
                                 channel? or quote?
    achievements/sync     (ref)                                                AchievementsSynced, in pages
    achievements/create   (ref)  title, description?, points?, …               AchievementSaved or ~Refused
    achievements/update   (ref)  key, and the changes                          AchievementSaved or ~Refused
    achievements/delete   (ref)  key                                           AchievementDeleted or ~Refused

    from the network             payload                                       ref
    ---------------------------  --------------------------------------------  ---------------------------------
    heartbeat                                                                  none
    restart                      downtime                                      fresh
    channels/broadcast           channel, game, name, message; with history    fresh
                                 id, seq, sent_at; with extensions emote?
    channels/removed             channel, id, seq, game, name, reason          fresh
    players/sign-in, sign-out    game, name                                    fresh
    channels/changed             change, and the keys of a channel in          fresh
                                 channels/list; with extension directory
    games/connect, disconnect    game                                          fresh
    tells/receive                from_game, from_name, to_name, sent_at,       fresh
                                 message
    moderation/notice            kind, name, channel, reason, until (only      fresh
                                 with the extension moderation)

Anything wrong is answered with ``Failure``. L{gossip.protocol.frames} reads and writes all this as JSON.
"""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Raw, Struct

from gossip.protocol.errors import MALFORMED, Error

VERSION: Final = "2.3.0"
"""The version of the protocol that the network speaks."""

Ref = object
"""
What a transport sends along with a request to know its answer by; C{None} if the request wants no answer.

It comes back untouched: nothing but the transport that made it looks into it. On the websocket it is the JSON value of
the game as it came (C{Raw}).
"""

UNECHOED: Final = Raw(b"")
"""Stands for a ref that is too long to send back. The event is answered, without a ref."""


class Event(Struct, frozen=True):
    """
    An event from a game.

    @cvar wire: the event's name on the wire.
    @ivar ref: comes back in the answer.
    """

    wire: ClassVar[str]

    ref: Ref


# From a game.


class Authenticate(Event, frozen=True):
    """
    A game authenticates.

    A field of a wrong type counts as absent. An entry of C{supports} that is no string is C{None}.

    @ivar extensions: the extensions of the protocol that the game understands; C{None} if it knows of none.
    """

    wire = "authenticate"

    client_id: str | None = None
    client_secret: str | None = None
    supports: tuple[str | None, ...] | None = None
    channels: tuple[str, ...] | None = None
    players: tuple[str, ...] | None = None
    version: str | None = None
    user_agent: str | None = None
    debug: bool | None = None
    resume: dict[str, int] | None = None
    extensions: tuple[str, ...] | None = None


class AuthenticateByKey(Authenticate, frozen=True):
    """
    A game authenticates with a key of another protocol. No frame is read as this: the transport of that protocol makes
    it.

    @ivar name: the short name of the game, which counts if there is no client_id.
    @ivar use: what the key is for, as in L{Secret <gossip.registry.changes.Secret>}.
    @ivar lists_players: whether the protocol has lists of players. If not, tells to and from any name pass.
    """

    name: str = ""
    use: str = ""
    lists_players: bool = True


class AuthenticateAsMud(AuthenticateByKey, frozen=True):
    """
    A MUD logs in by Intermud-3.

    @ivar new_secret: what it gets if it has none, or if it lost its own.
    @ivar same_address: whether the address of its last login is enough.
    @ivar record: what it says of itself.
    """

    new_secret: str = ""
    same_address: bool = False
    record: str = ""


class Heartbeat(Event, frozen=True):
    """A game is alive, and has these players."""

    wire = "heartbeat"

    players: tuple[str, ...] | None = None


class ChannelsSubscribe(Event, frozen=True):
    """A game wants to hear a channel."""

    wire = "channels/subscribe"

    channel: str


class ChannelsUnsubscribe(Event, frozen=True):
    """A game no longer wants to hear a channel."""

    wire = "channels/unsubscribe"

    channel: str


class ChannelsSend(Event, frozen=True):
    """A player says something on a channel."""

    wire = "channels/send"

    channel: str
    name: str
    message: str


class ChannelsList(Event, frozen=True):
    """A game asks which channels there are."""

    wire = "channels/list"


class ChannelsHistory(Event, frozen=True):
    """
    A game asks for messages of a channel.

    @ivar limit: the maximum number of messages.
    @ivar before: return the latest messages with a number below this.
    @ivar after: return the oldest messages with a number above this.
    """

    wire = "channels/history"

    channel: str
    limit: int | None = None
    before: int | None = None
    after: int | None = None


class ChannelsRemove(Event, frozen=True):
    """
    A game takes back a message that it sent.

    @ivar id: the identity of the message.
    @ivar reason: shown in the place of the message.
    """

    wire = "channels/remove"

    id: str
    reason: str


class PlayersSignIn(Event, frozen=True):
    """A player enters the sending game."""

    wire = "players/sign-in"

    name: str


class PlayersSignOut(Event, frozen=True):
    """A player leaves the sending game."""

    wire = "players/sign-out"

    name: str


class PlayersStatus(Event, frozen=True):
    """A game asks which players are online, in one game or in all others."""

    wire = "players/status"

    game: str | None = None


class GamesStatus(Event, frozen=True):
    """A game asks for the status of one game, or of all others."""

    wire = "games/status"

    game: str | None = None


class TellsSend(Event, frozen=True):
    """A player says something to one player of another game."""

    wire = "tells/send"

    from_name: str
    to_game: str
    to_name: str
    message: str
    sent_at: str | None = None


class ReportsCreate(Event, frozen=True, rename={"from_name": "from"}):
    """
    A player reports a message to the admins, or another player.

    @ivar from_name: the player that reports.
    @ivar id: the identity of the message.
    @ivar channel: the channel of the message, if the latest one of the player there is meant.
    @ivar quote: what the player said, if it was said elsewhere. Only the game says so.
    """

    wire = "reports/create"

    from_name: str
    reason: str
    id: str | None = None
    channel: str | None = None
    game: str | None = None
    name: str | None = None
    quote: str | None = None


class AchievementsSync(Event, frozen=True):
    """A game asks for its achievements."""

    wire = "achievements/sync"


class AchievementsCreate(Event, frozen=True):
    """A new achievement. The network judges its attributes one by one."""

    wire = "achievements/create"

    attributes: dict[str, Raw]


class AchievementsUpdate(Event, frozen=True):
    """Change an achievement: its key, and the attributes that change."""

    wire = "achievements/update"

    attributes: dict[str, Raw]


class AchievementsDelete(Event, frozen=True):
    """Delete an achievement, by its key."""

    wire = "achievements/delete"

    attributes: dict[str, Raw]


# From a game, only by the text dialect of the telnet port.


class PlayersListed(Event, frozen=True):
    """Like a heartbeat, but it is answered."""

    wire = "players"

    players: tuple[str, ...]


class HistoryAsked(ChannelsHistory, frozen=True):
    """Like channels/history, but it needs no flag: the text dialect shows numbers of messages only here."""

    wire = "history"


class Noop(Event, frozen=True):
    """
    Does nothing, but is counted and answered in its turn. So a transport gives answers of its own in order and within
    the rate limit.
    """

    wire = "noop"


class Quit(Event, frozen=True):
    """The game leaves, once it has its answers."""

    wire = "quit"


# From a game, but invalid.


class Unreadable(Struct, frozen=True):
    """Not a JSON object in UTF-8."""

    wire: ClassVar[None] = None
    ref: ClassVar[None] = None


class Unknown(Struct, frozen=True):
    """Not an event that games send. C{wire} is its name; C{None} if it has none, or one too long to send back."""

    wire: str | Raw | None
    ref: Ref


class Malformed(Struct, frozen=True):
    """An event whose ref or payload is invalid."""

    wire: str
    ref: Ref
    error: Error = MALFORMED


ClientEvent = Event | Unreadable | Unknown | Malformed
"""Anything that a game may send."""
