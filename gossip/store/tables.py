"""
The tables, as the newest migration leaves them.

Times are in seconds since the epoch. Columns have the names of the fields in L{gossip.registry.entities}. Every change
here needs a migration; a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)

metadata: Final = MetaData(
    # Constraints need the same names in both databases: a migration that drops one must know its name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

games: Final = Table(
    "games",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("short_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("hides_players", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("tagline", Text),
    Column("description", Text),
    Column("homepage_url", Text),
    Column("connections", Text, nullable=False),  # JSON: a list of GameConnection
    Column("created_at", Double, nullable=False),
    # From its last join; no version if it never joined. Only GameSeen writes these two.
    Column("seen_user_agent", Text),
    Column("seen_version", Text),
    Column("owner", Text),
    # JSON: a list of flags, a list of channels and since when; NULL if it is offline. Only GameOnline and GameOffline
    # write these two.
    Column("online", Text),
    Column("last_seen_at", Double),
    Column("language", Text),
)
# The registry compares names without case in all of Unicode. The databases do so at least in ASCII.
Index("ix_games_short_name", func.lower(games.c.short_name), unique=True)
Index("ix_games_name", func.lower(games.c.name), unique=True)

secrets: Final = Table(
    "secrets",
    metadata,
    Column("client_id", Text, ForeignKey(games.c.client_id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("expires", Double),
    Column("use", Text, nullable=False, server_default=text("''")),
    Column("clear", Text),
)

i3_identities: Final = Table(
    "i3_identities",
    metadata,
    Column("client_id", Text, ForeignKey(games.c.client_id, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary),
    Column("address", Text),
    Column("open_until", Double),
    Column("record", Text, nullable=False),
)
# The names are ASCII and compare without case.
Index("ix_i3_identities_name", func.lower(i3_identities.c.name), unique=True)

# The password is the network's own, and is read back to log in with.
i3_links: Final = Table(
    "i3_links",
    metadata,
    Column("mud", Text, primary_key=True),
    Column("router", Text, nullable=False),
    Column("password", BigInteger, nullable=False),
    Column("accepted_at", Double),
)

channels: Final = Table(
    "channels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("hidden", Boolean, nullable=False),
    Column("paused_until", Double),
    Column("description", Text),
    Column("speakers", Text),  # JSON: a list of client_ids
    Column("kept", Boolean, nullable=False, server_default=false()),
    Column("unused_since", Double),
    Column("described_by", Text),
    Column("described_at", Double),
    Column("moderators", Text),  # JSON: a list of names of accounts; NULL for none
)

# No foreign keys: messages stay when their game is removed, and do not depend on the row of their channel.
messages: Final = Table(
    "messages",
    metadata,
    # SQLite numbers rows by itself only if the type is INTEGER, which has 64 bits there.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("client_id", Text),
    Column("game", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("said_at", Double, nullable=False),
    # The name and the message of a removed one are empty.
    Column("removed_at", Double),
    Column("removed_by", Text),
    Column("removed_reason", Text),
    UniqueConstraint("channel", "seq"),  # history is read by it
    Index(None, "said_at"),  # messages expire by it
    sqlite_autoincrement=True,
)

# Few are removed: the latest of them are found without a look at all messages.
_removed = messages.c.removed_at.is_not(None)
Index(None, messages.c.removed_at, sqlite_where=_removed, postgresql_where=_removed)

# Which messages are indexed for a search: see L{gossip.store.word_index}.

indexed_blocks: Final = Table(
    "indexed_blocks",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    # The earliest and the latest time of a message.
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    # The first of its rows below.
    Column("words", BigInteger, nullable=False),
)

indexed_words: Final = Table(
    "indexed_words",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("words", LargeBinary, nullable=False),
)

# The highest number among the expired messages of each channel: numbers continue from it if no message is left.
sequences: Final = Table(
    "sequences",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("highest", BigInteger, nullable=False),
)

achievements: Final = Table(
    "achievements",
    metadata,
    Column("key", Text, primary_key=True),
    Column("client_id", Text, ForeignKey(games.c.client_id, ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("points", Integer, nullable=False),
    Column("display", Boolean, nullable=False),
    Column("partial_progress", Boolean, nullable=False),
    Column("total_progress", Integer),
    Index(None, "client_id"),
)

user_agents: Final = Table(
    "user_agents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("url", Text),
    Column("repo_url", Text),
)

# No foreign key: the counts stay when a game is removed.
player_counts: Final = Table(
    "player_counts",
    metadata,
    Column("counted_at", Double, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Index(None, "client_id", "counted_at"),
)

# No foreign keys: what holds for a channel outlives it, and the removal of a game deletes its restrictions explicitly.
restrictions: Final = Table(
    "restrictions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("until", Double),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Double, nullable=False),
)

filters: Final = Table(
    "filters",
    metadata,
    Column("text", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("substring", Boolean, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Double, nullable=False),
)

reports: Final = Table(
    "reports",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("game", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("resolved_by", Text),
    Column("resolved_at", Double),
    Column("resolution", Text),
    Index(None, "resolved_at"),
)

# Rows are only added, until they expire.
audit: Final = Table(
    "audit",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Index(None, "at"),
)

# Names of accounts are ASCII and compare without case.
accounts: Final = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password", Text),
    Column("admin", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("email", Text),
    Column("created_at", Double, nullable=False),
)
Index("ix_accounts_name", func.lower(accounts.c.name), unique=True)

tickets: Final = Table(
    "tickets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("expires", Double),
    Index(None, "account"),
)

tastes: Final = Table(
    "tastes",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ignored", Text, nullable=False),  # JSON: a list of games and players
    Column("undisturbed", Boolean, nullable=False),
)

# Of several daemons that are one network: see L{gossip.cluster}.

nodes: Final = Table(
    "nodes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("epoch", Text, nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("mark", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("protocol", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("draining", Boolean, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ahead", Double, nullable=False, server_default="0"),
    Column("behind", Double, nullable=False, server_default="0"),
)

positions: Final = Table(
    "positions",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# One row: which life of the server was seen last.
engine: Final = Table("engine", metadata, Column("started_at", Text, nullable=False))

# JSON: the session as other nodes are told of it.
node_sessions: Final = Table(
    "node_sessions",
    metadata,
    Column("node", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("session", Text, nullable=False),
    Index(None, "client_id"),
)
