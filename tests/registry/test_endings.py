"""Endings of short names that are reserved for games of other networks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import GameSaved
from gossip.registry.entities import Game
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry


def game(short_name: str) -> Game:
    return Game(client_id=short_name, short_name=short_name, name=f"The {short_name}", secrets=())


class EndingsTests(SynchronousTestCase):
    """New games and the suffix of a gateway."""

    def test_reserved(self) -> None:
        """No new game has a short name that ends like those of remote games; an older one keeps its name."""
        registry = Registry()
        registry.enact(GameSaved(game("OldI3")))
        for allowed in ("I3", "I3Fan", "Plain", "OldI3"):
            registry.check(GameSaved(game(allowed)), ("*I3",))
        for name in ("NewI3", "newi3"):
            refused = self.assertRaises(Refused, registry.check, GameSaved(game(name)), ("*I3",))
            self.assertEqual((refused.code, refused.field), ("reserved", "short_name"))
        registry.check(GameSaved(game("NewI3")))
