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

from functools import cached_property
from typing import ClassVar, Final

from msgspec import UNSET, Raw, Struct, UnsetType

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

    @ivar use: what the key is for, as in L{Secret <gossip.registry.changes.Secret>}.
    @ivar lists_players: whether the protocol has lists of players. If not, tells to and from any name pass.
    """

    use: str = ""
    lists_players: bool = True


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


# From the network: answers.


class Success(Struct, frozen=True):
    """Done."""

    wire: str
    ref: Ref


class Failure(Struct, frozen=True):
    """Not done; the error says why."""

    wire: str | Raw | None
    ref: Ref
    error: Error


class Authenticated(Struct, frozen=True):
    """
    The game is authenticated. On the websocket this carries neither ref nor game.

    @ivar extensions: those that were granted; C{None} if the game did not ask, and then it sees nothing of them.
    """

    ref: Ref
    game: str
    extensions: tuple[str, ...] | None = None


class NotAuthenticated(Struct, frozen=True):
    """The game is not authenticated; the error says why. On the websocket this carries no ref."""

    ref: Ref
    error: Error


class MessageOf(Struct, frozen=True):
    """
    A message on a channel.

    @ivar id: its identity in the network.
    @ivar seq: its number in the channel. Numbers only grow; gaps are allowed.
    @ivar emote: true for an emote, and only told to sessions with any extension.
    """

    id: str
    seq: int
    sent_at: str
    game: str
    name: str
    message: str
    emote: bool | UnsetType = UNSET


class ChannelsHistoryAnswer(Struct, frozen=True):
    """
    Messages of a channel, the oldest first.

    @ivar more: whether there are more in the direction in which the game reads.
    """

    ref: Ref
    channel: str
    messages: tuple[MessageOf, ...]
    more: bool


class Told(Struct, frozen=True, dict=True):
    """
    What games are told of another one: the same object until that changes, so that it is written only once.
    """

    @property
    def weight(self) -> int:
        """What it costs to tell this."""
        return 1

    @cached_property
    def written(self) -> dict[int, bytes]:
        """Its JSON, by the bytes that it may have. The writers of frames fill this in."""
        return {}


class ChannelOf(Struct, frozen=True, kw_only=True):
    """
    A channel, as a session sees it.

    @ivar subscribed: whether the session hears it.
    @ivar games: how many games hear it.
    @ivar may_speak: whether the game may speak on it when it is not paused.
    @ivar paused_until: until when nobody can speak on it; C{None} if it is not paused.
    @ivar last_sent_at: when its last message was sent; C{None} if none is kept.
    """

    channel: str
    description: str | None
    subscribed: bool
    games: int
    may_speak: bool
    paused_until: str | None
    last_sent_at: str | None


class ChannelsTold(Struct, frozen=True, dict=True):
    """Some channels, as a session sees them; or as many do, so that they are written only once."""

    channels: tuple[ChannelOf, ...]

    @cached_property
    def written(self) -> dict[int, list[bytes]]:
        """Their JSON in pages, by the bytes that a page may have. The writers of frames fill this in."""
        return {}


class ChannelsListAnswer(Struct, frozen=True):
    """
    The channels of the network by name, or the next ones of a long answer.

    @ivar total: how many there are in all parts of the answer.
    @ivar more: whether another part follows.
    """

    ref: Ref
    total: int
    told: ChannelsTold
    more: bool = False


PLAYERS_A_WEIGHT: Final = 20
"""This many players in an answer weigh as much as a game."""


class PlayersOf(Told, frozen=True):
    """The players of one game: a payload of players/status."""

    game: str
    players: tuple[str, ...]

    @property
    def weight(self) -> int:
        return 1 + len(self.players) // PLAYERS_A_WEIGHT


class PlayersStatusAnswer(Struct, frozen=True):
    """
    The players of each requested game, or of the next ones of a long answer.

    @ivar before: how many games were in the parts of the answer before this one.
    @ivar more: whether another part follows.
    @ivar end_marked: whether the number of all games follows the last part, so that the session knows its end.
    """

    ref: Ref
    games: tuple[PlayersOf, ...]
    before: int = 0
    more: bool = False
    end_marked: bool = False


class EndOf(Struct, frozen=True):
    """The end of an answer about all games, for sessions with the extension directory: how many frames came before."""

    total: int


class WebConnection(Struct, frozen=True, tag="web"):
    """A game can be played in a browser."""

    url: str


class TelnetConnection(Struct, frozen=True, tag="telnet"):
    """A game can be played by telnet."""

    host: str
    port: int


class SecureTelnetConnection(Struct, frozen=True, tag="secure telnet"):
    """A game can be played by telnet over TLS."""

    host: str
    port: int


GameConnection = WebConnection | TelnetConnection | SecureTelnetConnection
"""A way to play a game."""


class StatusOf(Told, frozen=True, kw_only=True, omit_defaults=True):
    """
    The status of one game: a payload of games/status.

    Keys with a default are left out if they have no value. The number of players and the URL of the code base have two
    spellings each: the documentation and the original server differ, and games read either.
    """

    game: str
    display_name: str
    description: str | UnsetType = UNSET
    homepage_url: str | UnsetType = UNSET
    user_agent: str | UnsetType = UNSET
    user_agent_url: str | UnsetType = UNSET
    user_agent_repo_url: str | UnsetType = UNSET
    connections: tuple[GameConnection, ...] = ()
    supports: tuple[str, ...]
    channels: tuple[str, ...]
    players_online_count: int
    player_online_count: int


class PresenceOf(Told, frozen=True):
    """
    The status of one game, and when it was here: as a session with the extension directory is told.

    @ivar since: since when it has been online, in seconds since the epoch; C{None} if it is offline.
    @ivar last_seen_at: when its last session ended, in seconds since the epoch; C{None} if it has one now, or never
        had one.
    """

    status: StatusOf
    since: float | None
    last_seen_at: float | None


class GamesStatusAnswer(Struct, frozen=True):
    """
    The status of each requested game, in parts like those of a L{PlayersStatusAnswer}.

    @ivar asked_at: when it was asked for, in seconds since the epoch.
    """

    ref: Ref
    games: tuple[StatusOf | PresenceOf, ...]
    before: int = 0
    more: bool = False
    end_marked: bool = False
    asked_at: float = 0.0


class AchievementOf(Struct, frozen=True, kw_only=True):
    """An achievement as games see it: always all seven keys."""

    key: str
    title: str
    description: str | None = None
    points: int = 0
    display: bool = True
    partial_progress: bool = False
    total_progress: int | None = None


class ReportCreated(Struct, frozen=True):
    """A report was made, and has this number."""

    ref: Ref
    report: int


class AchievementsSynced(Struct, frozen=True):
    """All achievements of the game, ordered by title."""

    ref: Ref
    achievements: tuple[AchievementOf, ...]


class AchievementSaved(Struct, frozen=True):
    """An achievement was created or updated, and now has these attributes."""

    wire: str
    ref: Ref
    achievement: AchievementOf


class AchievementDeleted(Struct, frozen=True):
    """An achievement was deleted."""

    ref: Ref
    key: str


class AchievementRefused(Struct, frozen=True):
    """An achievement was refused, with the faults of each attribute."""

    wire: str
    ref: Ref
    errors: dict[str, list[str]]


# From the network, unasked.


class Beat(Struct, frozen=True):
    """
    The network asks for a heartbeat.

    @ivar number: counts the beats of a session. The first, 0, follows the authentication.
    """

    number: int


class Restart(Struct, frozen=True):
    """The network stops, and expects to be back after the downtime, which is in seconds."""

    ref: Raw
    downtime: int


class ChannelsBroadcast(Struct, frozen=True):
    """A player of another game said something on a channel."""

    ref: Raw
    channel: str
    game: str
    name: str
    message: str


class ChannelsBroadcastNumbered(ChannelsBroadcast, frozen=True):
    """The same, for sessions that support history."""

    id: str
    seq: int
    sent_at: str


class ChannelsEmote(ChannelsBroadcastNumbered, frozen=True):
    """A player of another game did something: an emote, as sessions with any extension are told of it."""

    emote: bool = True


class ChannelsChanged(Struct, frozen=True):
    """
    A channel changed.

    @ivar change: how: C{created}, C{published}, C{hidden}, C{described}, C{paused}, C{resumed}, C{speakers} or
        C{removed}.
    @ivar channel: the channel as it is now.
    """

    ref: Raw
    change: str
    channel: ChannelOf


class RemovedOf(Struct, frozen=True):
    """A message was removed, and should no longer be shown anywhere: a payload of channels/removed."""

    ref: Raw
    channel: str
    id: str
    seq: int
    game: str
    name: str
    reason: str


class ChannelsRemoved(Struct, frozen=True):
    """Messages of a channel were removed. Only sessions with the extension moderation are told."""

    messages: tuple[RemovedOf, ...]


class PlayersSignedIn(Struct, frozen=True):
    """A player entered another game."""

    ref: Raw
    game: str
    name: str


class PlayersSignedOut(Struct, frozen=True):
    """A player left another game."""

    ref: Raw
    game: str
    name: str


class GamesConnect(Struct, frozen=True):
    """Another game came online."""

    ref: Raw
    game: str


class GamesDisconnect(Struct, frozen=True):
    """Another game went offline."""

    ref: Raw
    game: str


class TellsReceive(Struct, frozen=True):
    """A player of another game says something to one player of the receiving game."""

    ref: Raw
    from_game: str
    from_name: str
    to_name: str
    sent_at: str
    message: str


class ModerationNotice(Struct, frozen=True):
    """
    A mute or a ban of the receiving game or one of its players begins, changes or ends.

    @ivar kind: C{mute}, C{ban} or C{lifted}.
    @ivar name: the player; C{None} for the whole game.
    @ivar channel: where it holds; C{None} for everywhere.
    @ivar until: when it ends by itself; C{None} for never, and when it has ended.
    """

    ref: Raw
    kind: str
    name: str | None
    channel: str | None
    reason: str
    until: str | None


ServerEvent = (
    Success
    | Failure
    | Authenticated
    | NotAuthenticated
    | ChannelsHistoryAnswer
    | PlayersStatusAnswer
    | GamesStatusAnswer
    | ReportCreated
    | AchievementsSynced
    | AchievementSaved
    | AchievementDeleted
    | AchievementRefused
    | Beat
    | Restart
    | ChannelsBroadcast
    | ChannelsListAnswer
    | ChannelsChanged
    | ChannelsRemoved
    | PlayersSignedIn
    | PlayersSignedOut
    | GamesConnect
    | GamesDisconnect
    | TellsReceive
    | ModerationNotice
)
"""Anything that the network sends."""
