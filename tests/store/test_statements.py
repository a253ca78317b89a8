"""L{gossip.store.statements}: how many statements changes cost."""

from __future__ import annotations

from typing import Any

from sqlalchemy import StaticPool, create_engine, event, select
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import Change, GameOffline, GameOnline, GameSaved, GameSeen
from gossip.registry.entities import Game
from gossip.store import tables
from gossip.store.statements import execute
from tests.support.world import uuid


class RunTests(SynchronousTestCase):
    """Changes of one kind are written together."""

    def setUp(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        self.addCleanup(self.engine.dispose)
        tables.metadata.create_all(self.engine)
        self.statements: list[str] = []
        saved = [GameSaved(Game(client_id=uuid(n), short_name=f"G{n}", name=f"Game {n}", secrets=())) for n in range(9)]
        self.execute(*saved)
        event.listen(self.engine, "before_cursor_execute", self._executing)

    def _executing(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        self.statements.append(statement)

    def execute(self, *changes: Change) -> None:
        with self.engine.begin() as connection:
            execute(connection, changes)

    def test_joins(self) -> None:
        """When many games join at once, it costs two statements, not two for each game."""
        joins = [(GameSeen(uuid(n), "MUD", "2.3.0"), GameOnline(uuid(n), ("channels",), ("gossip",))) for n in range(9)]
        self.execute(*(change for pair in joins for change in pair))
        self.assertEqual(len(self.statements), 2)

    def test_order(self) -> None:
        """What writes the same keeps its order."""
        online = GameOnline(uuid(1), ("channels",), ())
        self.execute(online, GameOffline(uuid(1), 1.5), GameSeen(uuid(1), "old", "1"), GameSeen(uuid(1), "new", "2"))
        games = tables.games.c
        with self.engine.connect() as connection:
            query = select(games.online, games.seen_user_agent).where(games.client_id == uuid(1))
            self.assertEqual(tuple(connection.execute(query).one()), (None, "new"))
