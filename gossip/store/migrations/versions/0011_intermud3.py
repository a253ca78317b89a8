"""
What games are on Intermud-3.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "i3_identities",
        sa.Column(
            "client_id",
            sa.Text(),
            sa.ForeignKey("games.client_id", name="fk_i3_identities_client_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("address", sa.Text()),
        sa.Column("open_until", sa.Double()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_i3_identities"),
    )
    op.create_index("ix_i3_identities_name", "i3_identities", [sa.text("lower(name)")], unique=True)
