"""Alembic imports this module to run migrations, in the transaction of L{gossip.store.schema.upgrade}."""

from __future__ import annotations

from alembic import context

from gossip.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite has it, though Alembic assumes that it does not
)
context.run_migrations()
