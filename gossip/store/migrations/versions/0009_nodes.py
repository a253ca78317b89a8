"""
Several daemons can be nodes of one network. On SQLite, which one daemon uses alone, these tables stay empty.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence, Sequence

revision = "0009"
down_revision = "0008"
kind = "expand"


def upgrade() -> None:
    shared = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "nodes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_nodes"),
    )
    op.create_table(
        "positions",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_positions"),
    )
    # Empty when the server was not shut down properly: the numbers of messages may have been given before.
    op.create_table(
        "engine", sa.Column("started_at", sa.Text(), nullable=False), prefixes=["UNLOGGED"] if shared else []
    )
    op.create_table(
        "node_sessions",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", "number", name="pk_node_sessions"),
        # Each node writes its own anew when the server was not shut down properly: nothing depends on the disk.
        prefixes=["UNLOGGED"] if shared else [],
    )
    op.create_index("ix_node_sessions_client_id", "node_sessions", ["client_id"])
    if shared:
        op.execute(CreateSequence(Sequence("numbers")))
