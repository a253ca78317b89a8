"""
When each game was last seen, and who described each channel, and when.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
kind = "expand"


def upgrade() -> None:
    op.add_column("games", sa.Column("last_seen_at", sa.Double()))
    op.add_column("channels", sa.Column("described_by", sa.Text()))
    op.add_column("channels", sa.Column("described_at", sa.Double()))
