"""
Every change to what the network keeps: one frozen struct for each.

The registry in memory and the tables on disk both apply the same changes. L{gossip.registry.entities} has what is kept.
"""

from __future__ import annotations

from msgspec import Struct

from gossip.protocol.server_events import AchievementOf
from gossip.registry.entities import (
    Account,
    AuditEntry,
    Channel,
    Filter,
    Game,
    I3Identity,
    I3Link,
    Removal,
    Report,
    Restriction,
    Tastes,
    Ticket,
    UserAgent,
)

# Games, channels and messages.


class GameSaved(Struct, frozen=True, tag=True):
    """A game was registered or changed."""

    game: Game


class GameRemoved(Struct, frozen=True, tag=True):
    """A game was removed. Its messages stay."""

    client_id: str


class GameSeen(Struct, frozen=True, tag=True):
    """A game joined with a code base or protocol version that differs from its last join."""

    client_id: str
    user_agent: str | None
    version: str


class GameOnline(Struct, frozen=True, tag=True):
    """
    A game came online. It counts as online, over restarts as well, until a L{GameOffline} says otherwise.

    @ivar supports: the flags that its session had when it came.
    @ivar channels: the channels that its session had then.
    @ivar since: when it came, in seconds since the epoch; 0 if that is not known.
    """

    client_id: str
    supports: tuple[str, ...]
    channels: tuple[str, ...]
    since: float = 0.0


class GameOffline(Struct, frozen=True, tag=True):
    """
    A game went offline: its grace is over.

    @ivar last_seen_at: when its last session ended, in seconds since the epoch.
    """

    client_id: str
    last_seen_at: float


class I3IdentitySaved(Struct, frozen=True, tag=True):
    """A game may join by Intermud-3, or its identity there changed."""

    identity: I3Identity


class I3IdentityRemoved(Struct, frozen=True, tag=True):
    """A game may no longer join by Intermud-3."""

    client_id: str


class I3LinkSaved(Struct, frozen=True, tag=True):
    """The network joined an Intermud-3 network, or may join it."""

    link: I3Link


class I3LinkRemoved(Struct, frozen=True, tag=True):
    """What the network is on an Intermud-3 network was forgotten."""

    mud: str


class ChannelSaved(Struct, frozen=True, tag=True):
    """A channel was created or changed."""

    channel: Channel


class ChannelOpened(Struct, frozen=True, tag=True):
    """A game subscribed to a channel that did not exist. Nothing happens if it exists by now."""

    name: str


class ChannelsUnused(Struct, frozen=True, tag=True):
    """
    Channels that nobody is subscribed to, or that somebody is subscribed to again.

    @ivar since: C{Channel.unused_since}.
    """

    names: tuple[str, ...]
    since: float | None


class ChannelsRemoved(Struct, frozen=True, tag=True):
    """
    Channels were removed. Their messages stay until they expire, and their numbers are never given again.

    @ivar unused: whether that is because nobody is subscribed to them.
    """

    names: tuple[str, ...]
    unused: bool = False


class UserAgentSaved(Struct, frozen=True, tag=True):
    """The URLs of a code base changed."""

    user_agent: UserAgent


class UserAgentMet(Struct, frozen=True, tag=True):
    """A game joined with a code base that was not known. Nothing happens if it is known by now."""

    name: str


class MessageSaid(Struct, frozen=True, tag=True):
    """
    A message on a channel.

    @ivar seq: its number in the channel. Numbers only grow; gaps are allowed.
    @ivar client_id: the game that sent it; C{None} for the network itself.
    @ivar game: the short name of that game.
    @ivar name: the player.
    @ivar said_at: seconds since the epoch.
    @ivar removed: its removal; C{None} if it was not removed. The name and the text of a removed one are empty.
    """

    channel: str
    seq: int
    client_id: str | None
    game: str
    name: str
    message: str
    said_at: float
    removed: Removal | None = None


class MessagesRemoved(Struct, frozen=True, tag=True):
    """
    Messages were removed. Their numbers stay; reports of them no longer quote them.

    @ivar messages: the messages, as they were said.
    """

    messages: tuple[MessageSaid, ...]
    removal: Removal


class MessagesExpired(Struct, frozen=True, tag=True):
    """Messages from before this time, in seconds since the epoch, are deleted."""

    before: float


class AchievementKept(Struct, frozen=True, tag=True):
    """An achievement of a game was created or changed."""

    client_id: str
    achievement: AchievementOf


class AchievementDropped(Struct, frozen=True, tag=True):
    """An achievement of a game was deleted."""

    client_id: str
    key: str


class PlayersCounted(Struct, frozen=True, tag=True):
    """
    The number of players of each game that was online.

    @ivar counted_at: seconds since the epoch.
    @ivar counts: pairs of a client_id and a number of players.
    """

    counted_at: float
    counts: tuple[tuple[str, int], ...]


class PlayerCountsExpired(Struct, frozen=True, tag=True):
    """Counts of players from before this time, in seconds since the epoch, are deleted."""

    before: float


# Moderation.


class RestrictionSet(Struct, frozen=True, tag=True):
    """A restriction was set. It replaces one of the same kind, subject and channel."""

    restriction: Restriction


class RestrictionLifted(Struct, frozen=True, tag=True):
    """A restriction was lifted before its end."""

    kind: str
    subject: str
    channel: str


class RestrictionsExpired(Struct, frozen=True, tag=True):
    """Restrictions that ended by this time, in seconds since the epoch, are deleted."""

    by: float


class FilterSaved(Struct, frozen=True, tag=True):
    """A filter was added. It replaces one with the same text and channel."""

    filter: Filter


class FilterRemoved(Struct, frozen=True, tag=True):
    """A filter was removed."""

    text: str
    channel: str


class ReportMade(Struct, frozen=True, tag=True):
    """A message or a player was reported."""

    report: Report


class ReportResolved(Struct, frozen=True, tag=True):
    """A report was resolved."""

    number: int
    resolved_by: str
    resolved_at: float
    resolution: str | None


# Accounts on the pages.


class AccountSaved(Struct, frozen=True, tag=True):
    """An account was created or changed."""

    account: Account


class AccountRemoved(Struct, frozen=True, tag=True):
    """An account and its tickets were removed."""

    name: str


class TastesSaved(Struct, frozen=True, tag=True):
    """Somebody chose what they want to see of the talk on the pages."""

    tastes: Tastes


class TicketIssued(Struct, frozen=True, tag=True):
    """A ticket was issued."""

    ticket: Ticket


class TicketsRevoked(Struct, frozen=True, tag=True):
    """Tickets were revoked."""

    digests: tuple[bytes, ...]


class TicketsExpired(Struct, frozen=True, tag=True):
    """Tickets that expired by this time, in seconds since the epoch, are deleted."""

    by: float


# The activity log, and changes that belong together.


class AuditExpired(Struct, frozen=True, tag=True):
    """Entries and resolved reports from before this time, in seconds since the epoch, are deleted."""

    before: float


class Audited(Struct, frozen=True, tag=True):
    """
    A change and its entry in the activity log. Both are stored, or neither.

    @ivar change: the change; C{None} if there is only the entry.
    """

    entry: AuditEntry
    change: Change | None


class Together(Struct, frozen=True, tag=True):
    """Several changes. All are stored, or none."""

    changes: tuple[Change, ...]


Change = (
    GameSaved
    | GameRemoved
    | GameSeen
    | GameOnline
    | GameOffline
    | I3IdentitySaved
    | I3IdentityRemoved
    | I3LinkSaved
    | I3LinkRemoved
    | ChannelSaved
    | ChannelOpened
    | ChannelsUnused
    | ChannelsRemoved
    | UserAgentSaved
    | UserAgentMet
    | MessageSaid
    | MessagesRemoved
    | MessagesExpired
    | AchievementKept
    | AchievementDropped
    | PlayersCounted
    | PlayerCountsExpired
    | RestrictionSet
    | RestrictionLifted
    | RestrictionsExpired
    | FilterSaved
    | FilterRemoved
    | ReportMade
    | ReportResolved
    | AccountSaved
    | AccountRemoved
    | TastesSaved
    | TicketIssued
    | TicketsRevoked
    | TicketsExpired
    | AuditExpired
    | Together
    | Audited
)
"""Any change that the store keeps."""
