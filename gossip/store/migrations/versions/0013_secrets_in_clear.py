"""
Secrets that are kept in clear, for protocols whose proofs need them. None of those from before is.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
kind = "expand"


def upgrade() -> None:
    op.add_column("secrets", sa.Column("clear", sa.Text()))
