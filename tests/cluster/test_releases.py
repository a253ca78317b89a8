"""Nodes of several releases on a real PostgreSQL: which start beside which, and which migrations run beside them."""

from __future__ import annotations

from sqlalchemy import text
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster import shared_database
from gossip.cluster.shared_store import Node, SharedStore
from gossip.cluster.wire import PROTOCOL
from gossip.store.database import PostgreSQL
from gossip.store.errors import StoreError, Trouble
from gossip.store.store import Store
from tests.support.databases import OnPostgreSQL
from tests.support.later_schema import one_revision_later
from tests.support.world import uuid

COLUMN = "    op.add_column('games', sa.Column('later', sa.Text()))\n"


class ReleasesTests(OnPostgreSQL, SynchronousTestCase):
    """The node a runs, and b starts with a version that has one more migration."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(PostgreSQL, "patience", 100)
        self.a = self.node("a")
        self.a.begin(Node("a", uuid(1), "1.0"), ())

    def node(self, name: str) -> SharedStore:
        """Open the store as a node."""
        assert self.url is not None
        store = SharedStore.open_as(self.url, self.directory, name)
        self.addCleanup(store.close)
        return store

    def refused(self) -> StoreError:
        """b does not start."""
        error: StoreError = self.assertRaises(StoreError, self.node, "b")
        return error

    def columns(self) -> list[str]:
        """Those of a table that the migration changes."""
        with self.database().connect() as connection:
            return list(connection.execute(text("SELECT * FROM games")).keys())

    def test_expand(self) -> None:
        """A migration that expands goes on beside a node that runs, which goes on as well."""
        one_revision_later(self, COLUMN)
        self.node("b")
        self.assertIn("later", self.columns())
        self.a.probe()
        self.assertEqual(self.a.load().games, {})

    def test_contract(self) -> None:
        """One that contracts waits until the older nodes are stopped, which it names."""
        one_revision_later(self, COLUMN, "contract")
        self.assertIn("changes tables that older nodes need: stop a (gossip 1.0) first", str(self.refused()))
        self.assertNotIn("later", self.columns())
        # As if it was killed: its row stays.
        self.a.close()
        self.node("b")
        self.assertIn("later", self.columns())

    def test_alone(self) -> None:
        """A daemon that is alone stops for nobody, not even for the row of a node that was killed."""
        self.a.close()
        one_revision_later(self, COLUMN, "contract")
        store = Store.open(self.url, self.directory)
        self.addCleanup(store.close)
        self.assertIn("later", self.columns())

    def test_table_in_use(self) -> None:
        """A table that something else holds is not waited for: all nodes would wait behind."""
        self.patch(shared_database, "HOLDS", 0.1)
        one_revision_later(self, COLUMN)
        with self.database().begin() as connection:
            connection.execute(text("SELECT * FROM games"))
            error = self.refused()
        self.assertEqual(error.trouble, Trouble.LOCKED)
        self.assertIn("such as a backup, uses tables that have to change", str(error))
        self.assertNotIn("later", self.columns())
        self.node("b")
        self.assertIn("later", self.columns())

    def test_protocols(self) -> None:
        """A node does not start beside one whose protocol is more than one away from its own, and names it."""
        for protocol, why in ((PROTOCOL - 2, "too much older"), (PROTOCOL + 2, "too much newer")):
            with self.database().begin() as connection:
                connection.execute(text("UPDATE nodes SET protocol = :protocol"), {"protocol": protocol})
            self.assertIn(f"node a is {why} to understand this version (gossip 1.0, protocol", str(self.refused()))
        for protocol in (PROTOCOL - 1, PROTOCOL + 1):
            with self.database().begin() as connection:
                connection.execute(text("UPDATE nodes SET protocol = :protocol"), {"protocol": protocol})
            self.node("b").close()
        with self.database().begin() as connection:
            connection.execute(text("UPDATE nodes SET protocol = 0"))
        self.a.close()
        self.node("b")
