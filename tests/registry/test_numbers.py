"""L{gossip.registry.numbers}: the numbers of messages and reports."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.numbers import JUMP, NumbersInMemory


class NumbersInMemoryTests(SynchronousTestCase):
    """Counting in memory."""

    def test_messages(self) -> None:
        """Message numbers start at 1 and grow, in each channel separately."""
        numbers = NumbersInMemory()
        self.assertEqual([numbers.next_message(name) for name in ("a", "a", "b")], [1, 2, 1])

    def test_resumed_messages(self) -> None:
        """Message numbers continue past what is stored, with a gap."""
        numbers = NumbersInMemory({"a": 7})
        self.assertEqual([numbers.next_message(name) for name in ("a", "a", "c")], [7 + JUMP + 1, 7 + JUMP + 2, 1])

    def test_reports(self) -> None:
        """Report numbers start at 1, or continue past what is stored, without a gap."""
        fresh, resumed = NumbersInMemory(), NumbersInMemory(reports=7)
        self.assertEqual([fresh.next_report(), fresh.next_report()], [1, 2])
        self.assertEqual([resumed.next_report(), resumed.next_report()], [8, 9])
