"""Which schema a database has, and how it gets today's."""

from __future__ import annotations

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from gossip.store.database import Database
from gossip.store.errors import StoreError

VERSION_TABLE: Final = "gossip_revision"
"""Where alembic notes the revision; under its usual name it might be that of another program."""


def configuration() -> Config:
    """Where alembic finds the migrations: in the package, wherever that is installed."""
    config = Config()
    config.set_main_option("script_location", "gossip.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def revision(connection: Connection) -> str | None:
    """The revision of a database, C{None} if it has none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def upgrade(database: Database) -> None:
    """
    Bring a database to the newest revision: an empty one, or one of an older version, which is copied before.

    It is one transaction: a migration that fails leaves everything as it was.

    @raise StoreError: it belongs to something else, or to a newer version.
    """
    config = configuration()
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    assert newest is not None
    with database.writing.connect() as connection:
        found = revision(connection)
        others = inspect(connection).get_table_names()
    if found == newest:
        return
    if found is None and others:
        raise StoreError(f"{database.name} belongs to another program: give the network a database of its own")
    if found is not None:
        if found not in {known.revision for known in script.walk_revisions()}:
            raise StoreError(
                f"{database.name} was used by a newer version of gossip (its schema is {found}, this version knows"
                f" {newest}): install that version, or go back to a backup"
            )
        database.copy_before(newest)
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
