"""
What each secret of a game is for. Those from before are client secrets.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
kind = "expand"


def upgrade() -> None:
    op.add_column("secrets", sa.Column("use", sa.Text(), nullable=False, server_default=sa.text("''")))
