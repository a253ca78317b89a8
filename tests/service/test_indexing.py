"""L{gossip.service.indexing}: messages are indexed while the daemon runs."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gossip.service.indexing import LOOKS, SHARE, Indexing
from gossip.store.errors import StoreError


class IndexingTests(SynchronousTestCase):
    """Some blocks of messages to index, each of which takes a second."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.blocks = 0
        self.indexed: list[float] = []
        self.fails: StoreError | None = None

    def index(self) -> bool:
        if self.fails is not None:
            raise self.fails
        if not self.blocks:
            return False
        self.blocks -= 1
        self.clock.rightNow += 1.0
        self.indexed.append(self.clock.seconds())
        return True

    def start(self) -> Indexing:
        service = Indexing(self.clock, lambda function: succeed(None).addCallback(lambda _: function()), self.index)
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def test_share(self) -> None:
        """Where there is much to index, others have most of the time; then it looks from time to time."""
        self.blocks = 3
        self.start()
        self.clock.pump([0.5] * 200)
        pause = 1 / SHARE - 1
        self.assertEqual([round(at - self.indexed[0]) for at in self.indexed], [0, 1 + pause, 2 * (1 + pause)])
        self.blocks = 1
        self.clock.pump([0.5] * int(LOOKS * 2 + 1))
        self.assertEqual(len(self.indexed), 4)

    def test_trouble(self) -> None:
        """A database that is away is told once, and tried again."""
        self.fails = StoreError("away")
        logged: list[str] = []
        self.patch(
            Indexing, "_log", type("Log", (), {"warn": lambda _, *words, **more: logged.append(more["reason"])})()
        )
        self.start()
        self.clock.pump([LOOKS] * 3)
        self.assertEqual(logged, ["away"])
        self.fails, self.blocks = None, 1
        self.clock.advance(LOOKS)
        self.assertEqual(len(self.indexed), 1)

    def test_stop(self) -> None:
        """It ends when what is in the thread is done, and leaves nothing behind."""
        running: Deferred[bool] = Deferred()
        service = Indexing(self.clock, lambda function: running, self.index)
        service.startService()
        self.clock.advance(LOOKS)
        stopped = service.stopService()
        self.assertNoResult(stopped)
        running.callback(True)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(self.clock.getDelayedCalls(), [])
