"""The writer with a real store, and a reactor that runs what its thread asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import Change, ChannelSaved, MessageSaid, MessagesExpired
from gossip.registry.entities import Channel
from gossip.store.writer import Writer
from tests.support.databases import OnDatabase

SECONDS = 30
"""How long a test that fails waits, in seconds."""

GATHER, IDLE = 1.0, 100.0
"""How long the writers of these tests gather, in seconds."""


def said(seq: int, message: str = "Hello!") -> MessageSaid:
    """A message."""
    return MessageSaid("gossip", seq, None, "MyMUD", "Ana", message, 0.0)


def logged(test: SynchronousTestCase) -> list[LogEvent]:
    """What is logged from now on until the end of a test."""
    events: list[LogEvent] = []
    observer = cast(ILogObserver, events.append)
    globalLogPublisher.addObserver(observer)
    test.addCleanup(globalLogPublisher.removeObserver, observer)
    return events


class Turns(Clock):
    """A reactor that runs what other threads ask for, a turn at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]] = SimpleQueue()

    def callFromThread(self, call: Callable[..., object], *arguments: Any) -> None:
        self._calls.put((call, arguments))

    def turn(self) -> None:
        """Wait for the next call, and run it; what was gathered is handed over before."""
        self.advance(GATHER)
        call, arguments = self._calls.get(timeout=SECONDS)
        call(*arguments)

    def until(self, done: Deferred[None]) -> None:
        """Go on until something is done."""
        while not done.called:
            self.turn()


class WriterOnStoreTests(OnDatabase):
    """The writer, with a real store."""

    def setUp(self) -> None:
        super().setUp()
        self.store = self.open()
        self.reactor = Turns()
        self.told: list[tuple[int, bool]] = []
        self.writer = Writer(self.store, self.reactor)
        self.addCleanup(self.stop)

    def stop(self) -> None:
        """Stop the writer."""
        self.reactor.until(self.writer.stop())

    def commit(self, number: int, change: Change) -> None:
        """Commit a change, and note what is told of it."""
        self.writer.commit(change, partial(self._tell, number))

    def _tell(self, number: int, kept: bool) -> None:
        self.told.append((number, kept))

    def test_many(self) -> None:
        """Thousands of messages are kept, and told in their order."""
        for seq in range(1, 5001):
            self.commit(seq, said(seq))
        self.stop()
        self.assertEqual(self.told, [(seq, True) for seq in range(1, 5001)])
        self.assertEqual([message.seq for message in self.store.history("gossip", 9999)], list(range(1, 5001)))

    def test_bad_rows(self) -> None:
        """Bad rows fail alone: a number that was there, a NUL, half a character, no name."""
        nobody = MessageSaid("gossip", 7, None, "MyMUD", cast(str, None), "Hello!", 0.0)
        changes = [said(1), said(1), said(2, "\0"), said(3), said(4, "\ud800"), said(5), nobody, said(8)]
        for number, change in enumerate(changes):
            self.commit(number, change)
        self.stop()
        kept = [True, False, False, True, False, True, False, True]
        self.assertEqual(self.told, list(enumerate(kept)))
        self.assertEqual([message.seq for message in self.store.history("gossip", 10)], [1, 3, 5, 8])

    def test_discretion(self) -> None:
        """What was said does not stand in the log when it could not be kept."""
        events = logged(self)
        self.commit(1, said(1, "hush"))
        self.commit(2, said(1, "hush"))
        self.commit(3, MessageSaid("gossip", 2, None, "MyMUD", cast(str, None), "hush", 0.0))
        self.commit(4, ChannelSaved(Channel(cast(str, None), description="hush")))
        self.stop()
        self.assertEqual(self.told, [(1, True), (2, False), (3, False), (4, False)])
        self.assertEqual(len(events), 3)
        self.assertNotIn("hush", "".join(formatEvent(event) + repr(event) for event in events))

    def test_expiry(self) -> None:
        """Old messages go while others come."""
        for seq in range(1, 5001):
            self.commit(seq, said(seq))
        self.commit(0, MessagesExpired(1.0))
        while (0, True) not in self.told:
            self.reactor.turn()
        # The writer goes on by itself; messages that come do not wait for its end.
        self.commit(5001, MessageSaid("gossip", 5001, None, "MyMUD", "Ana", "Hello!", 2.0))
        while (5001, True) not in self.told:
            self.reactor.turn()
        self.stop()
        self.assertEqual(self.store.history("gossip", 1)[0].seq, 5001)
        self.assertLess(len(self.store.history("gossip", 9999)), 3002)
