"""
Games have a language.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
kind = "expand"


def upgrade() -> None:
    op.add_column("games", sa.Column("language", sa.Text()))
