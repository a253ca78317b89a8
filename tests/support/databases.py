"""The databases that tests of the store run on."""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, inspect, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from gossip.store import tables
from gossip.store.store import Store

if TYPE_CHECKING:
    Case = SynchronousTestCase
else:
    Case = object


class OnDatabase(Case):
    """
    A test of a store, on any database.

    @ivar url: the URL of the store, C{None} for SQLite in the data directory.
    @ivar directory: the data directory, which is not made yet.
    @ivar behind: the URL of the database behind the store.
    """

    url: str | None = None
    directory: str
    behind: URL

    def create(self) -> Store:
        """Open the store as a daemon does, which creates it; it is closed after the test."""
        store = Store.open(self.url, self.directory)
        self.addCleanup(store.close)
        return store

    def open(self) -> Store:
        """The same, for a test that does not ask how a store is created."""
        return self.create()

    def database(self) -> Engine:
        """The database behind the store, looked at from elsewhere."""
        engine = create_engine(self.behind)
        self.addCleanup(engine.dispose)
        return engine


class OnSQLite(OnDatabase):
    """An SQLite store in a new directory."""

    def setUp(self) -> None:
        self.directory = self.mktemp()
        self.behind = URL.create("sqlite", database=f"{self.directory}/gossip.db")
        super().setUp()

    def open(self) -> Store:
        directory = Path(self.directory)
        if not directory.exists():
            # To create it with all migrations takes far longer than most tests.
            directory.mkdir(mode=0o700)
            (directory / "gossip.db").write_bytes(_new_database())
        return self.create()


class OnPostgreSQL(OnDatabase):
    """A store in a new schema of the PostgreSQL database that C{GOSSIP_TEST_POSTGRESQL} names."""

    def setUp(self) -> None:
        self.behind = self.schema(given_database())
        self.directory = self.mktemp()
        self.url = self.behind.set(drivername="postgresql").render_as_string(hide_password=False)
        super().setUp()

    def schema(self, url: URL) -> URL:
        """Make the schema in this database; returns its URL."""
        return new_schema(url, self.addCleanup)


class OnOneSchema(OnPostgreSQL):
    """
    The same, for tests that do not ask how a store is created: in a schema that all such tests of this process share.
    Each finds it empty. To make the tables anew takes longer than most of these tests.
    """

    def schema(self, url: URL) -> URL:
        behind = _shared_schema(url)
        engine = create_engine(behind)
        if inspect(engine).has_table(tables.messages.name):
            _execute(engine, *(f"DELETE FROM {table.name}" for table in reversed(tables.metadata.sorted_tables)))
        engine.dispose()
        return behind


def given_database() -> URL:
    """
    The PostgreSQL database that C{GOSSIP_TEST_POSTGRESQL} names.

    @raise SkipTest: it names none.
    """
    given = os.environ.get("GOSSIP_TEST_POSTGRESQL")
    if not given:
        raise SkipTest("GOSSIP_TEST_POSTGRESQL names no database")
    return make_url(given).set(drivername="postgresql+psycopg")


def new_schema(url: URL, at_the_end: Callable[..., object]) -> URL:
    """
    Make a schema.

    @param url: the database.
    @param at_the_end: is given what is to be done when the schema is of no use any more.
    @return: the URL of the schema.
    """
    name = f"gossip_test_{secrets.token_hex(8)}"
    server = create_engine(url, poolclass=NullPool)
    _execute(server, f"CREATE SCHEMA {name}")
    at_the_end(_execute, server, f"DROP SCHEMA {name} CASCADE")
    return url.update_query_dict({"options": f"-csearch_path={name}"})


@cache
def _shared_schema(url: URL) -> URL:
    return new_schema(url, atexit.register)


@cache
def _new_database() -> bytes:
    """The file of a new SQLite store."""
    with TemporaryDirectory() as directory:
        Store.open(None, directory).close()
        return (Path(directory) / "gossip.db").read_bytes()


def _execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
