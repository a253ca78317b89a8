"""L{gossip.cluster.catching_up}: who asks waits for what was known elsewhere, but not for long."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.catching_up import PATIENCE, CatchingUp
from gossip.store.errors import StoreError


class CatchingUpTests(SynchronousTestCase):
    """A node that has heard five changes."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.positions = {"": 5}
        self.reads: list[Deferred[int]] = []
        self.behind = CatchingUp(self.read, lambda: self.positions, self.clock)

    def read(self) -> Deferred[int]:
        self.reads.append(Deferred())
        return self.reads[-1]

    def hear(self, number: int) -> None:
        self.positions[""] = number
        self.behind.passed(self.positions)

    def test_known(self) -> None:
        """Nobody waits for what is known."""
        waiting = self.behind.wait()
        self.assertNoResult(waiting)
        self.reads[0].callback(5)
        self.successResultOf(waiting)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits(self) -> None:
        """What others committed is waited for."""
        waiting = self.behind.wait()
        self.reads[0].callback(7)
        self.hear(6)
        self.assertNoResult(waiting)
        self.hear(7)
        self.successResultOf(waiting)

    def test_one_read(self) -> None:
        """The database is read once at a time; whoever asks meanwhile waits for another read."""
        waiting = [self.behind.wait() for _ in range(3)]
        self.assertEqual(len(self.reads), 1)
        self.reads[0].callback(5)
        self.successResultOf(waiting[0])
        self.assertNoResult(waiting[1])
        self.assertEqual(len(self.reads), 2)
        self.reads[1].callback(5)
        for each in waiting[1:]:
            self.successResultOf(each)
        self.assertEqual(len(self.reads), 2)

    def test_not_for_long(self) -> None:
        """Nobody waits for long, or for a database that fails."""
        waiting, other = self.behind.wait(), self.behind.wait()
        self.reads[0].callback(9)
        self.clock.advance(PATIENCE)
        self.successResultOf(waiting)
        self.successResultOf(other)
        self.hear(9)
        last = self.behind.wait()
        for number in (1, 2):
            self.reads[number].errback(StoreError("it is away"))
        self.successResultOf(last)
