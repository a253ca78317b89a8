"""L{benchmarks.ledger}: what the soak notices."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.ledger import Ear, Ledger, Stream


class Books(SynchronousTestCase):
    """The ledger of deliveries."""

    def setUp(self) -> None:
        """One game says three things, in a place that another one hears from the second on."""
        self.ledger = Ledger()
        self.stream: Stream = self.ledger.open("Alpha", 1, "gossip")
        self.ledger.say(self.stream)
        self.ear = Ear(self.ledger, "Beta", "gossip")
        self.ledger.say(self.stream)
        self.ledger.say(self.stream)

    def hear(self, *numbers: int) -> int:
        """Hear messages by their numbers; returns how much was wrong."""
        for number in numbers:
            self.ear.hear(self.stream.name, number)
        return self.ledger.wrong

    def test_all(self) -> None:
        """All that was said since it joined, in order, is right; so is what was on its way then."""
        self.assertEqual(self.hear(1, 2), 0)
        self.ear.due.clear()
        self.assertEqual(self.hear(0, 1, 2), 0)

    def test_missed(self) -> None:
        """A message left out in the middle is noticed."""
        self.assertEqual(self.hear(0, 2), 1)

    def test_missed_first(self) -> None:
        """A message left out at the beginning is noticed."""
        self.assertEqual(self.hear(2), 1)

    def test_twice(self) -> None:
        """A message that comes twice is noticed."""
        self.assertEqual(self.hear(1, 1), 1)

    def test_order(self) -> None:
        """Two messages that changed places are noticed."""
        self.assertGreater(self.hear(2, 1), 0)

    def test_made_up(self) -> None:
        """A message that nobody said is noticed."""
        self.ear.hear(("Alpha", 7, "gossip"), 0)
        self.assertEqual(self.ledger.wrong, 1)

    def test_own(self) -> None:
        """A game that hears itself is noticed."""
        Ear(self.ledger, "Alpha", "gossip").hear(self.stream.name, 0)
        self.assertEqual(self.ledger.wrong, 1)

    def test_acknowledged_and_not_heard(self) -> None:
        """What was acknowledged before a question must be heard before its answer."""
        for number in range(3):
            self.ledger.acknowledge(self.stream, number)
        promised = self.ledger.promised("gossip")
        self.hear(1)
        self.ear.check(promised)
        self.assertEqual(self.ledger.wrong, 1)
        self.hear(2)
        self.ear.check(promised)
        self.assertEqual(self.ledger.wrong, 1)

    def test_before_it_joined(self) -> None:
        """What was said before it joined need not be heard."""
        self.ledger.acknowledge(self.stream, 0)
        self.ear.check(self.ledger.promised("gossip"))
        self.assertEqual(self.ledger.wrong, 0)

    def test_answers_out_of_order(self) -> None:
        """An acknowledgement out of order is noticed."""
        self.ledger.acknowledge(self.stream, 1)
        self.assertEqual(self.ledger.wrong, 1)

    def test_forgotten(self) -> None:
        """What is over is dropped, on both sides, and asked for no more."""
        self.ledger.acknowledge(self.stream, 0)
        promised = self.ledger.promised("gossip")
        self.hear(1)
        self.stream.over = True
        self.ledger.forget([self.ear])
        self.assertIs(self.ledger.stream(self.stream.name), None)
        self.assertEqual(self.ear.due, {})
        self.ear.check(promised)
        self.assertEqual(self.ledger.wrong, 0)

    def test_bounded(self) -> None:
        """However much is wrong, only the first of it is kept in words."""
        for _ in range(1000):
            self.ledger.complain("again")
        self.assertEqual(self.ledger.wrong, 1000)
        self.assertLess(len(self.ledger.complaints), 1000)
