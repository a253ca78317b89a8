"""
Each node writes how far behind it hears the others, and how far its clock is from that of the server.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
kind = "expand"


def upgrade() -> None:
    # With defaults: nodes of the release before write their rows without them.
    for name in ("ahead", "behind"):
        op.add_column("nodes", sa.Column(name, sa.Double(), nullable=False, server_default="0"))
