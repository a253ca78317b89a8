"""Tests for the players of a game whose protocol has no list of them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.seen_players import PLAYER_SECONDS, PLAYERS, SeenPlayers
from tests.support.world import NOW, at


class SeenPlayersTests(SynchronousTestCase):
    """Players count as online for a while after they do something."""

    def test_time(self) -> None:
        """A player counts for a quarter of an hour after they did something; what did not change is no news."""
        seen = SeenPlayers()
        seen.saw("Bo", at(NOW))
        seen.saw("Ana", at(NOW + 100))
        self.assertEqual(seen.news(at(NOW + 100)), ("Ana", "Bo"))
        self.assertIsNone(seen.news(at(NOW + PLAYER_SECONDS - 1)))
        self.assertEqual(seen.news(at(NOW + PLAYER_SECONDS)), ("Ana",))
        seen.saw("Ana", at(NOW + PLAYER_SECONDS))
        self.assertIsNone(seen.news(at(NOW + PLAYER_SECONDS + 200)))

    def test_many(self) -> None:
        """Names without end push out those that were seen first."""
        seen = SeenPlayers()
        for number in range(PLAYERS * 2):
            seen.saw(f"P{number}", at(NOW))
        listed = seen.news(at(NOW))
        assert listed is not None
        self.assertEqual((len(listed), "P0" in listed, f"P{PLAYERS * 2 - 1}" in listed), (PLAYERS, False, True))
