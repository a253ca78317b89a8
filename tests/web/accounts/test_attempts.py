"""L{gossip.web.accounts.attempts}: limits on attempts."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gossip.web.accounts import attempts
from gossip.web.accounts.attempts import AttemptLimits, Attempts, TooManyAttempts


class Counting(SynchronousTestCase):
    """Three attempts per minute."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.attempts = Attempts(self.clock, "tries", 3, 60)

    def spend(self, subject: str = "a", times: int = 1) -> None:
        for _ in range(times):
            self.attempts.spend(subject)

    def assertRefused(self, seconds: int, subject: str = "a") -> TooManyAttempts:
        refused: TooManyAttempts = self.assertRaises(TooManyAttempts, self.attempts.spend, subject)
        self.assertEqual((refused.code, refused.headers[b"Retry-After"]), (429, b"%d" % seconds))
        return refused

    def test_too_many(self) -> None:
        """After the last attempt the error tells how long to wait for the end of the span; then the count restarts."""
        self.spend()
        self.clock.advance(20)
        self.spend(times=2)
        self.assertEqual(self.assertRefused(40).text, "Too many tries. Try again in 40 seconds.")
        self.clock.advance(39.5)
        self.assertRefused(1)
        self.clock.advance(0.5)
        self.spend(times=3)
        self.assertEqual(self.assertRefused(60).text, "Too many tries. Try again in 1 minute.")

    def test_refused_counts_not(self) -> None:
        """A refused attempt does not make the wait longer."""
        self.spend(times=3)
        for _ in range(5):
            self.clock.advance(10)
            self.assertRefused(60 - int(self.clock.seconds()))
        self.clock.advance(10)
        self.spend()

    def test_others(self) -> None:
        """Attempts of one subject do not count for others."""
        self.spend("a", 3)
        self.spend("b", 3)
        self.assertRefused(60)

    def test_taken_back(self) -> None:
        """A legitimate attempt is taken back; a subject without attempts is not remembered."""
        self.spend(times=3)
        self.attempts.take_back("a")
        self.assertEqual(self.attempts.left("a"), 1)
        self.spend()
        self.assertRefused(60)
        for _ in range(4):
            self.attempts.take_back("a")
        self.assertEqual((self.attempts.left("a"), len(self.attempts)), (3, 0))

    def test_forgotten(self) -> None:
        """A subject that is forgotten has all attempts again."""
        self.spend(times=3)
        self.attempts.forget("a")
        self.attempts.forget("b")
        self.spend(times=3)

    def test_clock_set_back(self) -> None:
        """A clock that is set back makes no wait longer than the span."""
        self.clock.advance(10_000)
        self.spend(times=3)
        self.clock.rightNow = 0.0
        self.assertRefused(60)

    def test_bounded(self) -> None:
        """Expired subjects are dropped first; of a bounded number of others the oldest go."""
        self.patch(attempts, "REMEMBERED", 5)
        for number in range(5):
            self.spend(str(number))
        self.clock.advance(60)
        self.spend("5", 3)
        self.assertEqual(len(self.attempts), 1)
        for number in range(100, 104):
            self.spend(str(number))
        self.assertRefused(60, "5")
        self.spend("104")
        self.assertEqual((len(self.attempts), self.attempts.left("5")), (5, 3))

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=60))
    @example([("a", 56.9), *[("a", 0.0)] * 3])  # 56.9 + 60 - 56.9 is more than 60
    def test_any_span(self, tries: list[tuple[str, float]]) -> None:
        """Whatever the times, at most three attempts of a subject pass in a span that starts with the first."""
        self.setUp()
        passed: dict[str, list[float]] = {"a": [], "b": []}
        for subject, wait in tries:
            self.clock.advance(wait)
            try:
                self.attempts.spend(subject)
            except TooManyAttempts as refused:
                self.assertLessEqual(int(refused.headers[b"Retry-After"]), 60)
                self.assertGreaterEqual(int(refused.headers[b"Retry-After"]), 1)
            else:
                passed[subject].append(self.clock.seconds())
        for times in passed.values():
            for first, seventh in zip(times, times[6:], strict=False):
                self.assertGreaterEqual(seventh - first, 60)


class Addresses(SynchronousTestCase):
    """Limits per address."""

    def test_per_account_first(self) -> None:
        """An address gets more wrong passwords for all accounts than for one, since people share addresses."""
        limits = AttemptLimits(Clock())
        self.assertGreater(limits.passwords_from.left("a"), limits.passwords.left("a"))
