"""
The wire vocabulary: one frozen struct an event.

The protocol at a glance (version 2.3.0; every frame is one JSON object with ``event``, and where they apply ``ref``,
``payload``, ``status`` and ``error``)::

    from a game                  payload                                       answer, when it had a ref
    ---------------------------  --------------------------------------------  ---------------------------------
    authenticate                 client_id, client_secret, supports,           Authenticated, always, without ref
                                 channels?, players?, version?,
                                 user_agent?, debug?, resume?
    heartbeat                    players?                                      none, ever
    channels/subscribe           channel                                       Success
    channels/unsubscribe         channel                                       Success
    channels/send                channel, name, message                        Success, once it is on disk
    channels/history      (ref)  channel, limit?, before?, after?              ChannelsHistoryAnswer, in pages
    players/sign-in, sign-out    name                                          Success
    players/status        (ref)  game?                                         PlayersStatusAnswer, a frame a game
    games/status          (ref)  game?                                         GamesStatusAnswer, a frame a game
    tells/send            (ref)  from_name, to_game, to_name, message,         Success
                                 sent_at?
    achievements/sync     (ref)                                                AchievementsSynced, in pages
    achievements/create   (ref)  title, description?, points?, …               AchievementSaved or ~Refused
    achievements/update   (ref)  key, and what changes                         AchievementSaved or ~Refused
    achievements/delete   (ref)  key                                           AchievementDeleted or ~Refused

    from the network             payload                                       ref
    ---------------------------  --------------------------------------------  ---------------------------------
    heartbeat                                                                  none
    restart                      downtime                                      fresh
    channels/broadcast           channel, game, name, message, and with the    fresh
                                 flag history id, seq, sent_at
    players/sign-in, sign-out    game, name                                    fresh
    games/connect, disconnect    game                                          fresh
    tells/receive                from_game, from_name, to_name, sent_at,       fresh
                                 message

Whatever is wrong gets ``Failure``. How all this stands in JSON is L{gossip.protocol.frames}.
"""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import UNSET, Raw, Struct, UnsetType

from gossip.protocol.errors import MALFORMED, Error

VERSION: Final = "2.3.0"
"""The version of the protocol that the network speaks."""

UNECHOED: Final = Raw(b"")
"""Stands for a ref that was there but is too long to send back: it is answered, without it."""


class Event(Struct, frozen=True):
    """
    What both directions share.

    @cvar wire: the event's name on the wire.
    """

    wire: ClassVar[str]

    ref: Raw | None
    """The sender's JSON value as it came, C{None} where there is none."""


# From a game.


class Authenticate(Event, frozen=True):
    """A game says who it is; what has a wrong type counts as absent (an entry of supports: as C{None})."""

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


class Heartbeat(Event, frozen=True):
    """A game is alive, and these are its players."""

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


class ChannelsHistory(Event, frozen=True):
    """
    What was said on a channel?

    @ivar before: only messages with a lower number; the latest of them.
    @ivar after: only messages with a higher number; the oldest of them.
    """

    wire = "channels/history"

    channel: str
    limit: int | None = None
    before: int | None = None
    after: int | None = None


class PlayersSignIn(Event, frozen=True):
    """A player enters the sending game."""

    wire = "players/sign-in"

    name: str


class PlayersSignOut(Event, frozen=True):
    """A player leaves the sending game."""

    wire = "players/sign-out"

    name: str


class PlayersStatus(Event, frozen=True):
    """Who is online, in one game or in all others?"""

    wire = "players/status"

    game: str | None = None


class GamesStatus(Event, frozen=True):
    """What is known of one game, or of all others?"""

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


class AchievementsSync(Event, frozen=True):
    """Which achievements has the sending game?"""

    wire = "achievements/sync"


class AchievementsCreate(Event, frozen=True):
    """A new achievement; its attributes are judged one by one."""

    wire = "achievements/create"

    attributes: dict[str, Raw]


class AchievementsUpdate(Event, frozen=True):
    """Change an achievement: C{key}, and the attributes that change."""

    wire = "achievements/update"

    attributes: dict[str, Raw]


class AchievementsDelete(Event, frozen=True):
    """Remove an achievement, by its C{key}."""

    wire = "achievements/delete"

    attributes: dict[str, Raw]


# From a game, by the telnet bridge only.


class PlayersListed(Event, frozen=True):
    """The same as a heartbeat, but it is answered."""

    wire = "players"

    players: tuple[str, ...]


class HistoryAsked(ChannelsHistory, frozen=True):
    """The same as channels/history, but it needs no flag: who asks by lines is told no numbers otherwise."""

    wire = "history"


class Noop(Event, frozen=True):
    """Nothing; it counts as an event, and is answered in its turn. So the bridge answers what it knows by itself."""

    wire = "noop"


class Quit(Event, frozen=True):
    """The game leaves, when it has its answers."""

    wire = "quit"


# From a game, and wrong.


class Unreadable(Struct, frozen=True):
    """No JSON object in UTF-8."""

    wire: ClassVar[None] = None
    ref: ClassVar[None] = None


class Unknown(Struct, frozen=True):
    """No event that a game may send. C{wire} is what it wrote there, C{None} if nothing (or too much to send back)."""

    wire: str | Raw | None
    ref: Raw | None


class Malformed(Struct, frozen=True):
    """An event whose ref or payload is not what it must be."""

    wire: str
    ref: Raw | None
    error: Error = MALFORMED


ClientEvent = Event | Unreadable | Unknown | Malformed
"""Whatever a game may have sent."""


# From the network: answers.


class Success(Struct, frozen=True):
    """Done."""

    wire: str
    ref: Raw | None


class Failure(Struct, frozen=True):
    """Not done, and why."""

    wire: str | Raw | None
    ref: Raw | None
    error: Error


class Authenticated(Struct, frozen=True):
    """Welcome, C{game}. On the websocket it carries neither ref nor game."""

    ref: Raw | None
    game: str


class NotAuthenticated(Struct, frozen=True):
    """Not welcome, and why. On the websocket it carries no ref."""

    ref: Raw | None
    error: Error


class MessageOf(Struct, frozen=True):
    """
    What was said.

    @ivar id: its identity in the network.
    @ivar seq: its number in the channel; it only grows, gaps are allowed.
    """

    id: str
    seq: int
    sent_at: str
    game: str
    name: str
    message: str


class ChannelsHistoryAnswer(Struct, frozen=True):
    """
    What was said on a channel, the oldest first.

    @ivar more: whether there is more, further away from where the game reads on.
    """

    ref: Raw | None
    channel: str
    messages: tuple[MessageOf, ...]
    more: bool


class PlayersOf(Struct, frozen=True):
    """One game's players: a payload of players/status."""

    game: str
    players: tuple[str, ...]


class PlayersStatusAnswer(Struct, frozen=True):
    """The players of each game that was asked for."""

    ref: Raw | None
    games: tuple[PlayersOf, ...]


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


class StatusOf(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What is known of one game: a payload of games/status.

    Keys with a default are left out where there is nothing. The count of players and the address of the code base are
    written in both spellings: the documentation and the original differ, and games read either.
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


class GamesStatusAnswer(Struct, frozen=True):
    """What is known of each game that was asked for."""

    ref: Raw | None
    games: tuple[StatusOf, ...]


class AchievementOf(Struct, frozen=True, kw_only=True):
    """An achievement as games see it: all seven keys, always."""

    key: str
    title: str
    description: str | None = None
    points: int = 0
    display: bool = True
    partial_progress: bool = False
    total_progress: int | None = None


class AchievementsSynced(Struct, frozen=True):
    """All achievements of the game, ordered by title."""

    ref: Raw | None
    achievements: tuple[AchievementOf, ...]


class AchievementSaved(Struct, frozen=True):
    """An achievement was created or updated, and is now this."""

    wire: str
    ref: Raw | None
    achievement: AchievementOf


class AchievementDeleted(Struct, frozen=True):
    """An achievement is gone."""

    ref: Raw | None
    key: str


class AchievementRefused(Struct, frozen=True):
    """What is wrong with each attribute."""

    wire: str
    ref: Raw | None
    errors: dict[str, list[str]]


# From the network: what it says by itself.


class Beat(Struct, frozen=True):
    """Are you alive? C{number} counts the beats of a session; the first, 0, comes with the authentication."""

    number: int


class Restart(Struct, frozen=True):
    """The network goes away, and wants to be back in so many seconds."""

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
    """The same for who supports history."""

    id: str
    seq: int
    sent_at: str


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
    """A player of another game says something to one of yours."""

    ref: Raw
    from_game: str
    from_name: str
    to_name: str
    sent_at: str
    message: str


ServerEvent = (
    Success
    | Failure
    | Authenticated
    | NotAuthenticated
    | ChannelsHistoryAnswer
    | PlayersStatusAnswer
    | GamesStatusAnswer
    | AchievementsSynced
    | AchievementSaved
    | AchievementDeleted
    | AchievementRefused
    | Beat
    | Restart
    | ChannelsBroadcast
    | PlayersSignedIn
    | PlayersSignedOut
    | GamesConnect
    | GamesDisconnect
    | TellsReceive
)
"""Whatever the network sends."""
