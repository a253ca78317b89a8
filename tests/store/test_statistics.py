"""L{gossip.store.statistics}: what pages show of the past, on both databases."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import MessageSaid, PlayersCounted
from tests.support.databases import OnDatabase, OnPostgreSQL, OnSQLite
from tests.support.world import NOW, uuid

HOUR = 3600


class FiguresTests(OnDatabase):
    """Figures and last lines."""

    def test_players(self) -> None:
        """The players of some games are added up, and of each span the most at one time is told."""
        store = self.open()
        for minutes, counts in ((0, (3, 4)), (15, (5, 1)), (59, (2, 2)), (60, (1, 0))):
            both = tuple((uuid(number), count) for number, count in enumerate(counts, 1))
            store.apply(PlayersCounted(NOW + minutes * 60, (*both, (uuid(9), 100))))
        start = int(NOW)
        ours = [uuid(1), uuid(2)]
        self.assertEqual(store.player_figures(ours, NOW, HOUR), {start: 7, start + HOUR: 1})
        self.assertEqual(store.player_figures(ours, NOW + 1, HOUR), {start: 6, start + HOUR: 1})
        self.assertEqual(
            store.player_figures_each(ours, NOW, HOUR),
            {uuid(1): {start: 5, start + HOUR: 1}, uuid(2): {start: 4, start + HOUR: 0}},
        )
        self.assertEqual((store.player_figures([], NOW, HOUR), store.player_figures_each([], NOW, HOUR)), ({}, {}))

    def test_messages(self) -> None:
        """Messages are counted by spans, and the last ones told, of the channels that are asked for."""
        store = self.open()
        for seq, after in enumerate((0.0, 0.5, 3599.9, 3600.0, 9000.0), 1):
            for channel in ("gossip", "secret"):
                store.apply(MessageSaid(channel, seq, uuid(1), "Alpha", "Ana", f"{seq}", NOW + after))
        start = int(NOW)
        counted = store.message_figures(["gossip"], NOW, HOUR)
        self.assertEqual(counted, {start: 3, start + HOUR: 1, start + 2 * HOUR: 1})
        self.assertEqual([said.seq for said in store.latest(["gossip"], 2)], [4, 5])
        self.assertEqual(
            [said.channel for said in store.latest(["gossip", "secret"], 3)], ["secret", "gossip", "secret"]
        )
        self.assertEqual(store.latest([], 3), [])


class SQLiteFiguresTests(FiguresTests, OnSQLite, SynchronousTestCase):
    """On SQLite."""


class PostgreSQLFiguresTests(FiguresTests, OnPostgreSQL, SynchronousTestCase):
    """On PostgreSQL."""
