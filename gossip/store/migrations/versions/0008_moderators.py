"""
Accounts can moderate single channels.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
kind = "expand"


def upgrade() -> None:
    op.add_column("channels", sa.Column("moderators", sa.Text()))
