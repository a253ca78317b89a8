"""L{gossip.store.statistics}: what pages show of the past, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from twisted.trial.unittest import SynchronousTestCase

from gossip.store import statistics
from tests.support.databases import OnSQLite
from tests.support.store_contract import FiguresTests


class SQLiteFiguresTests(FiguresTests, OnSQLite, SynchronousTestCase):
    """On SQLite."""

    def test_players_of_all_by_time(self) -> None:
        """The counts of all games are found by their time: there are many games, and each has many older counts."""
        self.open()
        engine = self.database()
        asked: list[Any] = []
        with engine.connect() as connection:
            event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2:4]))
            statistics.players(connection, None, 0, 900)
            [(statement, values)] = asked
            raw: Any = connection.connection.driver_connection
            plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        self.assertIn("(counted_at>?)", str(plan))
        self.assertNotIn("(client_id=?", str(plan))
