"""
What the network sends to games: answers, and events that nobody asked for. One frozen struct for each.

L{gossip.protocol.events} has what games send, and the whole protocol as a table.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from msgspec import UNSET, Raw, Struct, UnsetType

from gossip.protocol.errors import Error
from gossip.protocol.events import Ref


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
    @ivar new_secret: what it authenticates with from now on, if that changed; only told by Intermud-3.
    """

    ref: Ref
    game: str
    extensions: tuple[str, ...] | None = None
    new_secret: str | None = None


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
