"""L{gossip.store.statistics}: what pages show of the past, on both databases."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.support.databases import OnSQLite
from tests.support.store_contract import FiguresTests


class SQLiteFiguresTests(FiguresTests, OnSQLite, SynchronousTestCase):
    """On SQLite."""
