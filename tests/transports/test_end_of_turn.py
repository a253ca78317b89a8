"""L{gossip.transports.end_of_turn}."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.end_of_turn import EndOfTurn


class Connection:
    """A connection that does something when its turn is over."""

    def __init__(self, does: Callable[[], object]) -> None:
        self._does = does

    def turn_over(self) -> None:
        self._does()


class EndOfTurnTests(SynchronousTestCase):
    """Connections that have something to do."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.end_of_turn = EndOfTurn(self.clock)
        self.done: list[str] = []

    def test_once(self) -> None:
        """Each is called once a turn, in their order, with one delayed call for all."""
        a, b = (Connection(partial(self.done.append, name)) for name in "ab")
        for connection in (a, b, a):
            self.end_of_turn.call(connection)
        self.assertEqual((self.done, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(0)
        self.assertEqual((self.done, self.clock.getDelayedCalls()), (["a", "b"], []))
        self.end_of_turn.call(b)
        self.clock.advance(0)
        self.assertEqual(self.done, ["a", "b", "b"])

    def test_mistake(self) -> None:
        """A mistake on one connection keeps no other from its turn."""
        self.end_of_turn.call(Connection(lambda: 1 // 0))
        self.end_of_turn.call(Connection(lambda: self.done.append("b")))
        self.clock.advance(0)
        self.assertEqual((self.done, len(self.flushLoggedErrors(ZeroDivisionError))), (["b"], 1))
