"""The leaky bucket (protocol specification, Limits)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.ratelimit import Bucket, Rate
from tests.support.world import NOW


class BucketTests(SynchronousTestCase):
    """How much passes, and how many overruns are an abuse."""

    def test_burst(self) -> None:
        """The burst passes at once, and no more."""
        bucket = Bucket(NOW)
        self.assertEqual([bucket.take(Rate(3, 1), NOW) for _ in range(5)], [True] * 3 + [False] * 2)

    def test_leaks_continuously(self) -> None:
        """A full bucket has room for one as soon as one has leaked, not at the next whole second."""
        bucket, rate = Bucket(NOW), Rate(10, 2)
        for _ in range(10):
            bucket.take(rate, NOW)
        self.assertFalse(bucket.take(rate, NOW + 0.4))
        self.assertTrue(bucket.take(rate, NOW + 0.5))
        self.assertFalse(bucket.take(rate, NOW + 0.5))

    def test_steady(self) -> None:
        """Who sends exactly at the rate passes for ever, after a burst too."""
        bucket, rate = Bucket(NOW), Rate(5, 10)
        for _ in range(5):
            bucket.take(rate, NOW)
        self.assertEqual({bucket.take(rate, NOW + n / 10) for n in range(1, 5000)}, {True})

    def test_refused_adds_nothing(self) -> None:
        """What does not pass does not fill the bucket."""
        bucket, rate = Bucket(NOW), Rate(1, 1)
        bucket.take(rate, NOW)
        for _ in range(100):
            self.assertFalse(bucket.take(rate, NOW))
        self.assertTrue(bucket.take(rate, NOW + 1))

    def test_empties(self) -> None:
        """A long silence allows one burst, not several."""
        bucket, rate = Bucket(NOW), Rate(2, 1)
        bucket.take(rate, NOW)
        self.assertEqual([bucket.take(rate, NOW + 1000) for _ in range(3)], [True, True, False])

    def test_no_limit(self) -> None:
        """A burst of 0 is no limit."""
        bucket = Bucket(NOW)
        self.assertEqual({bucket.take(Rate(0, 0), NOW) for _ in range(1000)}, {True})

    def test_clock_set_back(self) -> None:
        """A clock that is set back neither fills nor empties the bucket, and it goes on from there."""
        bucket, rate = Bucket(NOW), Rate(2, 1)
        self.assertEqual([bucket.take(rate, now) for now in (NOW, NOW - 100, NOW - 100)], [True, True, False])
        self.assertTrue(bucket.take(rate, NOW - 99))

    def test_tenth_strike(self) -> None:
        """The tenth strike is one too many, and every one after it."""
        bucket = Bucket(NOW)
        self.assertEqual([bucket.strike(NOW) for _ in range(11)], [False] * 9 + [True] * 2)

    def test_tenth_strike_within_a_minute(self) -> None:
        """Ten strikes in less than a minute are an abuse, however they lie in it."""
        bucket = Bucket(NOW)
        self.assertEqual([bucket.strike(NOW + n * 6.6) for n in range(10)], [False] * 9 + [True])

    def test_forgiven(self) -> None:
        """One strike a minute is forgiven: who strikes once a minute stays."""
        bucket = Bucket(NOW)
        self.assertEqual({bucket.strike(NOW + n * 60) for n in range(100)}, {False})
        bucket = Bucket(NOW)
        for _ in range(9):
            bucket.strike(NOW)
        self.assertFalse(bucket.strike(NOW + 60))
        self.assertTrue(bucket.strike(NOW + 60))

    def test_strikes_and_the_clock(self) -> None:
        """A clock that is set back forgives nothing and adds nothing."""
        bucket = Bucket(NOW)
        self.assertEqual([bucket.strike(NOW - n) for n in range(10)], [False] * 9 + [True])

    def test_level(self) -> None:
        """How full it is can be read at any time, and changes nothing."""
        bucket, rate = Bucket(NOW), Rate(5, 2)
        for _ in range(7):
            bucket.take(rate, NOW)
        self.assertEqual([bucket.level(rate, NOW + n) for n in (0, 1, 2, 60, 0, -10)], [5, 3, 1, 0, 5, 5])
        self.assertFalse(bucket.take(rate, NOW))

    def test_strikes(self) -> None:
        """How many overruns count can be read at any time, and changes nothing."""
        bucket = Bucket(NOW)
        for _ in range(3):
            bucket.strike(NOW)
        self.assertEqual([bucket.strikes(NOW + n) for n in (0, 60, 90, 600, 0)], [3, 2, 1.5, 0, 3])
