"""The schema of a database: which revision it has, and the upgrade to the newest one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from gossip.registry.changes import Change
from gossip.store.database import Database
from gossip.store.errors import StoreError
from gossip.store.statements import execute

VERSION_TABLE: Final = "gossip_revision"
"""The table in which Alembic stores the revision. Its default name could clash with that of another program."""


Kind = Literal["expand", "contract"]
"""
What a migration (C{kind} in its module) means for nodes of the release before. Beside one that expands they go on; one
that contracts takes away something that they need.
"""


def configuration() -> Config:
    """The configuration of Alembic: the migrations are in the package, wherever it is installed."""
    config = Config()
    config.set_main_option("script_location", "gossip.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def revision(connection: Connection) -> str | None:
    """The revision of a database; C{None} if it has none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def kind(migration: object) -> Kind:
    """Which kind a migration is. One that does not say so could be anything."""
    found: Kind = getattr(migration, "kind", "contract")
    return found


def upgrade(database: Database, first: Iterable[Change] = ()) -> None:
    """
    Bring an empty or older database to the newest revision. An older one is copied first.

    The upgrade is one transaction: if a migration fails, the database stays as it was.

    @param first: what an empty one gets in the same transaction.
    @raise StoreError: the database belongs to another program, or to a newer version of gossip.
    """
    config = configuration()
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    assert newest is not None
    with database.writing.connect() as connection:
        found = revision(connection)
        others = inspect(connection).get_table_names()
        known = {each.revision for each in script.walk_revisions()}
        way_out = database.way_out(connection) if found not in {None, *known} else ""
    if found == newest:
        return
    if found is None and others:
        raise StoreError(f"{database.name} belongs to another program: give gossip a database of its own")
    if found is not None:
        if way_out:
            raise StoreError(
                f"{database.name} was used by a newer version of gossip (its schema is {found}, this version knows"
                f" {newest}): {way_out}"
            )
        database.copy_before(newest)
    contracts = any(kind(each.module) == "contract" for each in script.iterate_revisions("head", found or "base"))
    with database.migrating(contracts) as connection:
        if revision(connection) == newest:
            # Another node was first.
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if found is None:
            execute(connection, first)
