"""L{gossip.cluster.checking} at a real PostgreSQL."""

from __future__ import annotations

from sqlalchemy import text
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.checking import faults
from tests.support.databases import OnPostgreSQL


class FaultsTests(OnPostgreSQL, SynchronousTestCase):
    """The database of a node."""

    def test_public(self) -> None:
        """Nodes hear each other; that everybody can connect is worth a warning."""
        assert self.url is not None
        with self.database().connect() as connection:
            name = connection.scalar(text("SELECT current_database()"))
        found = list(faults(self.url))
        self.assertEqual([severity for severity, _ in found], ["warning"], name)
        self.assertIn("REVOKE CONNECT", found[0][1])

    def test_away(self) -> None:
        """A server that cannot be reached is an error."""
        [(severity, _)] = faults("postgresql://127.0.0.1:1/gossip")
        self.assertEqual(severity, "error")
