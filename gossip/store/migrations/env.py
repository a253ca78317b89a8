"""Called by alembic to run migrations, on the connection and in the transaction of L{gossip.store.schema.upgrade}."""

from __future__ import annotations

from alembic import context

from gossip.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite can, though alembic does not count on it
)
context.run_migrations()
