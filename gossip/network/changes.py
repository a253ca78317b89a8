"""
What the network asks the store to keep: one frozen struct a change.

The registry in memory and the tables on disk are two readers of the same changes.
"""

from __future__ import annotations

from msgspec import Struct

from gossip.network.events import AchievementOf, GameConnection


class Secret(Struct, frozen=True):
    """
    One secret that a game may show.

    @ivar digest: its SHA-256; a secret is a random UUID, which needs no slow hash.
    @ivar expires: when it ends, in seconds since the epoch; C{None} if never.
    """

    digest: bytes
    expires: float | None = None


class Game(Struct, frozen=True, kw_only=True):
    """
    A MUD, as its owner registered it.

    @ivar client_id: its identity, a UUID in lower case.
    @ivar short_name: how other games see it.
    @ivar name: how people see it.
    @ivar secrets: what it may authenticate with: the latest, and a rotated one for a while.
    @ivar hidden: it is not shown to other games.
    @ivar hides_players: its players are not shown to other games.
    @ivar disabled: it may not join.
    @ivar created_at: seconds since the epoch.
    """

    client_id: str
    short_name: str
    name: str
    secrets: tuple[Secret, ...]
    hidden: bool = False
    hides_players: bool = False
    disabled: bool = False
    tagline: str | None = None
    description: str | None = None
    homepage_url: str | None = None
    connections: tuple[GameConnection, ...] = ()
    created_at: float = 0.0


class Channel(Struct, frozen=True):
    """
    A channel.

    @ivar hidden: it is not listed to people, nor in games/status.
    @ivar paused_until: nobody may speak before, in seconds since the epoch.
    """

    name: str
    hidden: bool = True
    paused_until: float | None = None
    description: str | None = None


class UserAgent(Struct, frozen=True):
    """
    The code base of a game, as it names itself, and where its home is.

    @ivar url: its web page.
    @ivar repo_url: its source.
    """

    name: str
    url: str | None = None
    repo_url: str | None = None


class GameSaved(Struct, frozen=True):
    """A game was registered, or is now different."""

    game: Game


class GameRemoved(Struct, frozen=True):
    """A game is no longer registered; what it said stays."""

    client_id: str


class GameSeen(Struct, frozen=True):
    """A game joined with another code base or protocol version than before."""

    client_id: str
    user_agent: str | None
    version: str


class ChannelSaved(Struct, frozen=True):
    """A channel was created, or is now different."""

    channel: Channel


class UserAgentSaved(Struct, frozen=True):
    """A code base has become known, or has other addresses now."""

    user_agent: UserAgent


class MessageSaid(Struct, frozen=True):
    """
    Somebody said something on a channel.

    @ivar seq: its number in the channel; it only grows, gaps are allowed.
    @ivar client_id: who said it; C{None} for the network itself.
    @ivar said_at: seconds since the epoch.
    """

    channel: str
    seq: int
    client_id: str | None
    game: str
    name: str
    message: str
    said_at: float


class MessagesExpired(Struct, frozen=True):
    """Messages from before this time, in seconds since the epoch, are no longer kept."""

    before: float


class AchievementKept(Struct, frozen=True):
    """A game's achievement was created, or is now different."""

    client_id: str
    achievement: AchievementOf


class AchievementDropped(Struct, frozen=True):
    """A game's achievement is gone."""

    client_id: str
    key: str


class PlayersCounted(Struct, frozen=True):
    """
    How many players each online game had.

    @ivar counted_at: seconds since the epoch.
    @ivar counts: client_id and number of players.
    """

    counted_at: float
    counts: tuple[tuple[str, int], ...]


Change = (
    GameSaved
    | GameRemoved
    | GameSeen
    | ChannelSaved
    | UserAgentSaved
    | MessageSaid
    | MessagesExpired
    | AchievementKept
    | AchievementDropped
    | PlayersCounted
)
"""Whatever the store keeps."""
