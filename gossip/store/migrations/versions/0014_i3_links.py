"""
What the network is on the Intermud-3 networks that it joins.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "i3_links",
        sa.Column("mud", sa.Text(), nullable=False),
        sa.Column("router", sa.Text(), nullable=False),
        sa.Column("password", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.Double()),
        sa.PrimaryKeyConstraint("mud", name="pk_i3_links"),
    )
