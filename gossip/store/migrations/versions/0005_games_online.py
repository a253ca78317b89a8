"""
Which games are online, so that a restart does not announce them again; and which channels go away when nobody uses
them. Of those from before, the ones that an admin changed stay.

Migrations are never changed once released, and import nothing from the tables of today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
kind = "expand"


def upgrade() -> None:
    op.add_column("games", sa.Column("online", sa.Text()))
    op.add_column("channels", sa.Column("kept", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("channels", sa.Column("unused_since", sa.Double()))
    channels = sa.table(
        "channels",
        sa.column("kept", sa.Boolean()),
        sa.column("hidden", sa.Boolean()),
        *(sa.column(name) for name in ("paused_until", "description", "speakers")),
    )
    columns = channels.c
    changed = (columns.paused_until, columns.description, columns.speakers)
    op.execute(
        channels.update()
        .where(sa.or_(sa.not_(columns.hidden), *(column.is_not(None) for column in changed)))
        .values(kept=True)
    )
