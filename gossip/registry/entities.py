"""
Everything that the network keeps: games, channels, accounts and what keeps order, one frozen struct for each.

L{gossip.registry.changes} has what happens to them.
"""

from __future__ import annotations

from msgspec import Struct

from gossip.protocol.server_events import GameConnection


class Secret(Struct, frozen=True):
    """
    A secret that a game authenticates with.

    @ivar digest: its SHA-256. A secret is a random UUID, which needs no slow hash.
    @ivar expires: when it stops working, in seconds since the epoch; C{None} if never.
    @ivar use: what it is for: empty for the client secret; otherwise the name of another protocol. A secret of one use
        is never accepted for another.
    @ivar clear: the secret itself, for a protocol whose proofs need it; C{None} if only the digest is kept.
    """

    digest: bytes
    expires: float | None = None
    use: str = ""
    clear: str | None = None

    def __repr__(self) -> str:
        """Without the secret: this goes to logs."""
        return f"Secret(expires={self.expires!r}, use={self.use!r})"


class Game(Struct, frozen=True, kw_only=True):
    """
    A MUD, as its owner registered it.

    @ivar client_id: its identity, a UUID in lower case; that of a remote game is in L{gossip.registry.remotes}.
    @ivar short_name: its name for other games.
    @ivar name: its name for people.
    @ivar secrets: what it may authenticate with. The latest of each use is the first of that use; those before work
        until they expire.
    @ivar hidden: whether it is hidden from other games.
    @ivar hides_players: whether its players are hidden from other games.
    @ivar disabled: whether it is kept from joining.
    @ivar language: the language that its players speak, as its owner writes it: C{English}.
    @ivar created_at: seconds since the epoch.
    @ivar owner: the name of the account that owns it; C{None} if only admins manage it.
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
    language: str | None = None
    connections: tuple[GameConnection, ...] = ()
    created_at: float = 0.0
    owner: str | None = None

    @property
    def through(self) -> str | None:
        """The client_id of the game that a remote game speaks through; C{None} for a registered game."""
        gateway, remote, _ = self.client_id.partition("/")
        return gateway if remote else None


class I3Identity(Struct, frozen=True, kw_only=True):
    """
    What a game is on Intermud-3: a name, and a number that it logs in with.

    @ivar client_id: the game.
    @ivar name: its name there.
    @ivar digest: the digest of the number in decimal. It hides the number from a glance: there are only 2**31. C{None}
        if it has none yet.
    @ivar address: where it logged in from last; C{None} if it never did.
    @ivar open_until: until when a login without the right number gets one, in seconds since the epoch; C{None} if none
        does.
    @ivar record: what it said of itself at its last login, as the router wrote it down; empty if it never did.
    """

    client_id: str
    name: str
    digest: bytes | None = None
    address: str | None = None
    open_until: float | None = None
    record: str = ""


class I3Link(Struct, frozen=True, kw_only=True):
    """
    What the network is on an Intermud-3 network that it joins as a MUD.

    @ivar mud: its name there.
    @ivar router: the router that it logged in at last; empty if it never did.
    @ivar password: the number that the router gave it, which it logs in with; 0 if it has none yet.
    @ivar accepted_at: when its rules were accepted, in seconds since the epoch; C{None} if they were not.
    """

    mud: str
    router: str = ""
    password: int = 0
    accepted_at: float | None = None


class Channel(Struct, frozen=True):
    """
    A channel.

    @ivar hidden: whether it is left out of the lists on the pages and in games/status.
    @ivar paused_until: nobody may speak before this time, in seconds since the epoch; C{None} if it is not paused.
    @ivar speakers: the client_ids of the games that may speak; C{None} for all games.
    @ivar kept: whether an admin made or changed it; any other goes away when nobody uses it.
    @ivar unused_since: since when no session has been subscribed to it, in seconds since the epoch; C{None} while one
        is, and for one that is C{kept}.
    @ivar described_by: the admin who wrote the description, as in L{AuditEntry.actor}; C{None} if it has none, or one
        from before this was noted.
    @ivar described_at: when it was written, in seconds since the epoch; C{None} in the same cases.
    @ivar moderators: the names of the accounts that moderate it.
    """

    name: str
    hidden: bool = True
    paused_until: float | None = None
    description: str | None = None
    speakers: frozenset[str] | None = None
    kept: bool = False
    unused_since: float | None = None
    described_by: str | None = None
    described_at: float | None = None
    moderators: frozenset[str] = frozenset()


class UserAgent(Struct, frozen=True):
    """
    A code base, by the name that games give for it.

    @ivar url: the URL of its web page.
    @ivar repo_url: the URL of its source.
    """

    name: str
    url: str | None = None
    repo_url: str | None = None


class Removal(Struct, frozen=True):
    """
    The removal of a message.

    @ivar at: when it was removed, in seconds since the epoch.
    @ivar by: who removed it, as in L{AuditEntry.actor}.
    @ivar reason: shown in the place of the message.
    """

    at: float
    by: str
    reason: str


class Restriction(Struct, frozen=True, kw_only=True):
    """
    A mute or a ban.

    @ivar kind: C{mute}, which keeps its subject from speaking, or C{ban}, which keeps it out.
    @ivar subject: a game, a player of a game or an address, in the form of L{gossip.registry.restrictions}.
    @ivar channel: the channel that it is for; empty for all.
    @ivar until: when it ends, in seconds since the epoch; C{None} for never.
    @ivar reason: shown to the person affected.
    @ivar set_by: the admin, as in L{AuditEntry.actor}.
    @ivar set_at: when it was set, in seconds since the epoch.
    """

    kind: str
    subject: str
    channel: str = ""
    until: float | None = None
    reason: str
    set_by: str
    set_at: float


class Filter(Struct, frozen=True, kw_only=True):
    """
    A word filter.

    @ivar text: one word or several, in lower case.
    @ivar channel: the channel that it is for; empty for all.
    @ivar substring: whether it also matches within words.
    @ivar action: C{refuse} the message, or C{mask} the text in it.
    @ivar reason: shown to the player whose message is refused.
    @ivar set_by: the admin, as in L{AuditEntry.actor}.
    @ivar set_at: when it was set, in seconds since the epoch.
    """

    text: str
    channel: str = ""
    substring: bool = False
    action: str = "refuse"
    reason: str
    set_by: str
    set_at: float


class Report(Struct, frozen=True, kw_only=True):
    """
    A report of a message, or of a player.

    @ivar number: identifies the report for people. Numbers only grow; gaps are allowed.
    @ivar channel: the channel of the message; empty if the report is about no message that the network has.
    @ivar seq: the number of the message in its channel; 0 if there is none.
    @ivar message: the text of the message, which stays here when the message itself has expired, but not when it was
        removed. Without a channel, what the reporter says that the player said; empty for nothing.
    @ivar reason: what is wrong with the message, or the player.
    @ivar made_by: the reporter, as in L{AuditEntry.actor}; or C{NAME@GAME}, if a game made the report for a player.
    @ivar made_at: when it was made, in seconds since the epoch.
    @ivar resolved_by: the admin who resolved it; C{None} while it is open.
    @ivar resolved_at: when it was resolved, in seconds since the epoch; C{None} while it is open.
    @ivar resolution: a note of the admin.
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


class Account(Struct, frozen=True, kw_only=True):
    """
    An account on the pages.

    @ivar name: its name, which never changes.
    @ivar password: the argon2 hash of the password; C{None} if none is set, and nobody can sign in.
    @ivar admin: whether it may do everything.
    @ivar disabled: whether it is kept from signing in.
    @ivar email: the address for links that reset the password; C{None} if there is none.
    @ivar created_at: seconds since the epoch.
    """

    name: str
    password: str | None = None
    admin: bool = False
    disabled: bool = False
    email: str | None = None
    created_at: float = 0.0


class Tastes(Struct, frozen=True):
    """
    What somebody wants to see of the talk on the pages.

    @ivar account: the name of the account.
    @ivar ignored: whom they do not read: a game by its short name, or C{player@game}; as
        they were written, and compared without case.
    @ivar undisturbed: whether the pages neither notify them nor count new messages in the title.
    """

    account: str
    ignored: tuple[str, ...] = ()
    undisturbed: bool = False


class Ticket(Struct, frozen=True, kw_only=True):
    """
    A secret that gives access. Only its digest is stored.

    @ivar digest: the SHA-256 of the secret. A secret is a random UUID, which needs no slow hash.
    @ivar kind: C{visit} (the cookie of a browser that signed in), C{token} (of a program), or a link that works once:
        C{setup} (for the first admin), C{invite} (to sign up), C{reset} (to set a password).
    @ivar account: the account that it belongs to; empty for C{setup} and C{invite}.
    @ivar scope: what a token allows: C{read}, C{metrics} or C{admin}; empty for other kinds.
    @ivar label: its name for its owner.
    @ivar made_by: who made it, as in L{AuditEntry.actor}.
    @ivar made_at: when it was made, in seconds since the epoch.
    @ivar expires: when it stops working, in seconds since the epoch; C{None} if never.
    """

    digest: bytes
    kind: str
    account: str = ""
    scope: str = ""
    label: str = ""
    made_by: str = ""
    made_at: float = 0.0
    expires: float | None = None


class AuditEntry(Struct, frozen=True):
    """
    An entry of the activity log.

    @ivar key: a UUID.
    @ivar at: when it was done, in seconds since the epoch.
    @ivar actor: who did it: C{unix:NAME} for a user of the machine, C{game:NAME} for a game, otherwise the name of an
        account.
    @ivar operation: the name of the operation, for example C{game/add}.
    @ivar subject: the game, channel or other thing that it was about.
    @ivar arguments: all arguments, in JSON; for a removal, what was removed as well.
    """

    key: str
    at: float
    actor: str
    operation: str
    subject: str
    arguments: str
