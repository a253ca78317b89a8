"""
Messages can be removed: when, by whom and why.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
kind = "expand"


def upgrade() -> None:
    op.add_column("messages", sa.Column("removed_at", sa.Double()))
    op.add_column("messages", sa.Column("removed_by", sa.Text()))
    op.add_column("messages", sa.Column("removed_reason", sa.Text()))
    removed = sa.column("removed_at").is_not(None)
    op.create_index(
        "ix_messages_removed_at", "messages", ["removed_at"], sqlite_where=removed, postgresql_where=removed
    )
