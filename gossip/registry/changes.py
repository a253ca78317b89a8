"""
What the network asks the store to keep: one frozen struct a change.

The registry in memory and the tables on disk are two readers of the same changes.
"""

from __future__ import annotations

from msgspec import Struct

from gossip.protocol.events import AchievementOf, GameConnection


class Secret(Struct, frozen=True):
    """
    A secret that a game authenticates with.

    @ivar digest: its SHA-256. A secret is a random UUID, which needs no slow hash.
    @ivar expires: when it stops working, in seconds since the epoch; C{None} if never.
    @ivar use: what it is for: empty for the client secret; otherwise the name of another protocol. A secret of one use
        is never accepted for another.
    """

    digest: bytes
    expires: float | None = None
    use: str = ""


class Game(Struct, frozen=True, kw_only=True):
    """
    A MUD, as its owner registered it.

    @ivar client_id: its identity, a UUID in lower case.
    @ivar short_name: how other games see it.
    @ivar name: how people see it.
    @ivar secrets: what it may authenticate with. The latest of each use is the first of that use; the one before works
        until it expires.
    @ivar hidden: it is not shown to other games.
    @ivar hides_players: its players are not shown to other games.
    @ivar disabled: it may not join.
    @ivar created_at: seconds since the epoch.
    @ivar owner: the name of the account that it belongs to; C{None} if only admins see to it.
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
    owner: str | None = None


class Channel(Struct, frozen=True):
    """
    A channel.

    @ivar hidden: it is not listed to people, nor in games/status.
    @ivar paused_until: nobody may speak before, in seconds since the epoch.
    @ivar speakers: the client_ids of the games that may speak; C{None} for all.
    """

    name: str
    hidden: bool = True
    paused_until: float | None = None
    description: str | None = None
    speakers: frozenset[str] | None = None


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


class PlayerCountsExpired(Struct, frozen=True):
    """Counts of players from before this time, in seconds since the epoch, are no longer kept."""

    before: float


# What keeps order.


class Restriction(Struct, frozen=True, kw_only=True):
    """
    Somebody may not speak (a mute), or not be here (a ban).

    @ivar kind: C{mute} or C{ban}.
    @ivar subject: who, as L{gossip.network.moderation} writes it: a game, a player of a game, or an address.
    @ivar channel: where; empty for everywhere.
    @ivar until: when it ends, in seconds since the epoch; C{None} for never.
    @ivar reason: for who is restricted to read.
    @ivar set_by: who wanted it so.
    @ivar set_at: since when, in seconds since the epoch.
    """

    kind: str
    subject: str
    channel: str = ""
    until: float | None = None
    reason: str
    set_by: str
    set_at: float


class RestrictionSet(Struct, frozen=True):
    """Somebody is restricted; one of the same kind, subject and channel is replaced."""

    restriction: Restriction


class RestrictionLifted(Struct, frozen=True):
    """A restriction is over before its time."""

    kind: str
    subject: str
    channel: str


class RestrictionsExpired(Struct, frozen=True):
    """Restrictions that ended by this time, in seconds since the epoch, need not be remembered."""

    by: float


class Filter(Struct, frozen=True, kw_only=True):
    """
    What may not be said.

    @ivar text: a word or several, in lower case.
    @ivar channel: where; empty for everywhere.
    @ivar substring: whether it is looked for within words too.
    @ivar action: C{refuse} the message, or C{mask} the text in it.
    @ivar reason: for who said it to read.
    @ivar set_by: who wanted it so.
    @ivar set_at: since when, in seconds since the epoch.
    """

    text: str
    channel: str = ""
    substring: bool = False
    action: str = "refuse"
    reason: str
    set_by: str
    set_at: float


class FilterSaved(Struct, frozen=True):
    """Something may not be said; a filter of the same text and channel is replaced."""

    filter: Filter


class FilterRemoved(Struct, frozen=True):
    """Something may be said again."""

    text: str
    channel: str


class Report(Struct, frozen=True, kw_only=True):
    """
    Somebody complains of a message.

    @ivar number: how people name it. It only grows; gaps are allowed.
    @ivar seq: the number of the message in its channel.
    @ivar message: what was said, which is kept here when it is no longer in the history.
    @ivar reason: what the complaint is.
    @ivar made_by: who complains.
    @ivar made_at: when, in seconds since the epoch.
    @ivar resolved_at: when somebody saw to it; C{None} while it is open.
    @ivar resolution: what came of it.
    """

    number: int
    channel: str
    seq: int
    game: str
    name: str
    message: str
    reason: str
    made_by: str
    made_at: float
    resolved_by: str | None = None
    resolved_at: float | None = None
    resolution: str | None = None


class ReportMade(Struct, frozen=True):
    """Somebody complained."""

    report: Report


class ReportResolved(Struct, frozen=True):
    """Somebody saw to a complaint."""

    number: int
    resolved_by: str
    resolved_at: float
    resolution: str | None


# Who signs in on the pages.


class Account(Struct, frozen=True, kw_only=True):
    """
    Somebody who can sign in on the pages.

    @ivar name: who it is, for people and in the log of what admins did. It stays.
    @ivar password: a hash of the password by argon2; C{None} if there is none yet, and nobody can sign in.
    @ivar admin: may do everything.
    @ivar disabled: may not sign in.
    @ivar email: where a forgotten password is written about; C{None} for nowhere.
    @ivar created_at: seconds since the epoch.
    """

    name: str
    password: str | None = None
    admin: bool = False
    disabled: bool = False
    email: str | None = None
    created_at: float = 0.0


class Ticket(Struct, frozen=True, kw_only=True):
    """
    What somebody shows to be let in: a secret, of which only a digest is kept.

    @ivar digest: its SHA-256; it is a random UUID, which needs no slow hash.
    @ivar kind: C{visit} (the cookie of a browser that signed in), C{token} (of a program), or a link that is good for
        one use: C{setup} (for the first admin), C{invite} (to sign up), C{reset} (to set a password).
    @ivar account: whose it is; empty for C{setup} and C{invite}.
    @ivar scope: what a token is good for: C{read}, C{metrics} or C{admin}; empty for other kinds.
    @ivar label: what its owner calls it.
    @ivar made_by: who made it.
    @ivar made_at: when, in seconds since the epoch.
    @ivar expires: when it ends, in seconds since the epoch; C{None} if never.
    """

    digest: bytes
    kind: str
    account: str = ""
    scope: str = ""
    label: str = ""
    made_by: str = ""
    made_at: float = 0.0
    expires: float | None = None


class AccountSaved(Struct, frozen=True):
    """Somebody has an account, or a different one now."""

    account: Account


class AccountRemoved(Struct, frozen=True):
    """An account is no more, nor are its tickets."""

    name: str


class TicketIssued(Struct, frozen=True):
    """Somebody will be let in who shows this."""

    ticket: Ticket


class TicketsRevoked(Struct, frozen=True):
    """Who shows one of these is no longer let in."""

    digests: tuple[bytes, ...]


class TicketsExpired(Struct, frozen=True):
    """Tickets that ended by this time, in seconds since the epoch, need not be remembered."""

    by: float


class AuditEntry(Struct, frozen=True):
    """
    What an admin did.

    @ivar key: a UUID.
    @ivar at: when, in seconds since the epoch.
    @ivar actor: who: C{unix:NAME} for a user of the machine, the name of an account otherwise.
    @ivar operation: what, as L{gossip.operations.games} names it.
    @ivar subject: to whom or what.
    @ivar arguments: exactly how, in JSON.
    """

    key: str
    at: float
    actor: str
    operation: str
    subject: str
    arguments: str


class AuditExpired(Struct, frozen=True):
    """What admins did, and complaints that were resolved, before this time are no longer kept."""

    before: float


class Audited(Struct, frozen=True):
    """
    An admin did something: it is kept together with the note of it, or neither is.

    @ivar change: what changes by it; C{None} for what leaves no trace but this.
    """

    entry: AuditEntry
    change: Change | None


class Together(Struct, frozen=True):
    """Several changes of which all are kept, or none."""

    changes: tuple[Change, ...]


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
    | TicketIssued
    | TicketsRevoked
    | TicketsExpired
    | AuditExpired
    | Together
    | Audited
)
"""Whatever the store keeps."""
