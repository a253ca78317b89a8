"""
The beginning.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "games",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("hides_players", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("tagline", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("homepage_url", sa.Text()),
        sa.Column("connections", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_user_agent", sa.Text()),
        sa.Column("seen_version", sa.Text()),
        sa.PrimaryKeyConstraint("client_id", name="pk_games"),
    )
    op.create_index("ix_games_short_name", "games", [sa.text("lower(short_name)")], unique=True)
    op.create_index("ix_games_name", "games", [sa.text("lower(name)")], unique=True)
    op.create_table(
        "secrets",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.Double()),
        sa.PrimaryKeyConstraint("client_id", "position", name="pk_secrets"),
        sa.ForeignKeyConstraint(["client_id"], ["games.client_id"], name="fk_secrets_client_id", ondelete="CASCADE"),
    )
    op.create_table(
        "channels",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.Double()),
        sa.Column("description", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_channels"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text()),
        sa.Column("game", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("said_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("channel", "seq", name="uq_messages_channel_seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_said_at", "messages", ["said_at"])
    op.create_table(
        "sequences",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_sequences"),
    )
    op.create_table(
        "achievements",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("display", sa.Boolean(), nullable=False),
        sa.Column("partial_progress", sa.Boolean(), nullable=False),
        sa.Column("total_progress", sa.Integer()),
        sa.PrimaryKeyConstraint("key", name="pk_achievements"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["games.client_id"], name="fk_achievements_client_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_achievements_client_id", "achievements", ["client_id"])
    op.create_table(
        "user_agents",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("repo_url", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_user_agents"),
    )
    op.create_table(
        "player_counts",
        sa.Column("counted_at", sa.Double(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("counted_at", "client_id", name="pk_player_counts"),
    )
    op.create_index("ix_player_counts_client_id_counted_at", "player_counts", ["client_id", "counted_at"])
