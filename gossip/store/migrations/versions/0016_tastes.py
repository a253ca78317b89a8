"""
What people want to see of the talk on the pages.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "tastes",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("ignored", sa.Text(), nullable=False),
        sa.Column("undisturbed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_tastes"),
    )
