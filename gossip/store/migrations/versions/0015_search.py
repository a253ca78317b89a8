"""
The index for a search. It is empty: the daemon fills it while it runs, a block of messages at a time.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "indexed_blocks",
        sa.Column("block", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("words", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_indexed_blocks"),
    )
    op.create_table(
        "indexed_words",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_indexed_words"),
    )
