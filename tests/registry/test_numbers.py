"""L{gossip.registry.numbers}: the numbers of messages and reports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.numbers import EPOCH, JUMP, Mark, NumbersInMemory, reserved, start
from tests.support.properties import examples

DAY = 86400.0
NOW = EPOCH + 100 * DAY


class NumbersInMemoryTests(SynchronousTestCase):
    """Counting in memory."""

    def test_messages(self) -> None:
        """Message numbers start at 1 and grow, in each channel separately."""
        numbers = NumbersInMemory()
        self.assertEqual([numbers.next_message(name) for name in ("a", "a", "b")], [1, 2, 1])

    def test_start(self) -> None:
        """All channels start above the same number, those that are new as well, and so do reports."""
        numbers = NumbersInMemory(Mark(1000, 7))
        self.assertEqual([numbers.next_message(name) for name in ("a", "a", "b")], [1001, 1002, 1001])
        self.assertEqual([numbers.next_report(), numbers.next_report()], [8, 9])

    def test_highest(self) -> None:
        """The highest number is the last one given, or the one to start above."""
        numbers = NumbersInMemory(Mark(1000, 0))
        numbers.next_message("a")
        self.assertEqual([numbers.highest_message(name) for name in ("a", "b")], [1001, 1000])


class StartTests(SynchronousTestCase):
    """Above which numbers a daemon starts."""

    def test_old_network(self) -> None:
        """Numbers continue past what is stored, messages with a gap, if the clock says nothing."""
        self.assertEqual(start(Mark(7, 3), Mark(), 0.0), Mark(7 + JUMP, 3))
        self.assertEqual(start(Mark(10**15, 10**8), Mark(), NOW), Mark(10**15 + JUMP, 10**8))

    def test_time(self) -> None:
        """With nothing stored and nothing marked, the time is the start: microseconds, and minutes."""
        self.assertEqual(start(Mark(), Mark(), NOW), Mark(100 * 86400 * 10**6, 100 * 1440))

    def test_mark(self) -> None:
        """With a clock that was set back, the mark is the start."""
        first = start(Mark(), Mark(), NOW)
        again = start(Mark(), reserved(first), NOW - 30 * DAY)
        self.assertEqual(again, reserved(first))

    def test_wrong_clock(self) -> None:
        """A clock that is centuries ahead does not use the numbers up."""
        self.assertEqual(start(Mark(), Mark(5, 5), EPOCH + 10**11), Mark(JUMP, 5))

    def test_never_twice(self) -> None:
        """Whatever is restored, and to whichever time the clock is set: no number comes back if the mark is there."""

        @examples(100)
        @given(st.lists(st.tuples(st.booleans(), st.floats(0, 2 * NOW), st.integers(0, 50)), max_size=6))
        def holds(runs: list[tuple[bool, float, int]]) -> None:
            database = backup = mark = Mark()
            seen: set[int] = set()
            reports: set[int] = set()
            for restored, now, count in runs:
                first = start(backup if restored else database, mark, now)
                mark = reserved(first)
                numbers = NumbersInMemory(first)
                backup = database
                for _ in range(count):
                    database = Mark(numbers.next_message("gossip"), numbers.next_report())
                    self.assertNotIn(database.message, seen)
                    self.assertNotIn(database.report, reports)
                    seen.add(database.message)
                    reports.add(database.report)
            self.assertTrue(all(number < 2**53 for number in seen))
            self.assertTrue(all(number < 2**31 for number in reports))

        holds()

    def test_without_mark(self) -> None:
        """On a new machine there is no mark; the time alone is above what was given in the years before."""
        first = NumbersInMemory(start(Mark(), Mark(), NOW))
        given = [(first.next_message("gossip"), first.next_report()) for _ in range(1000)][-1]
        again = NumbersInMemory(start(Mark(), Mark(), NOW + DAY))
        self.assertGreater(again.next_message("gossip"), given[0])
        self.assertGreater(again.next_report(), given[1])
