"""The leaky bucket (protocol specification, Limits)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.ratelimit import Bucket, Rate
from gossip.protocol.moment import Moment
from tests.support.world import NOW, at


class BucketTests(SynchronousTestCase):
    """What the rate limit lets through, and how many overruns are abuse."""

    def test_burst(self) -> None:
        """The burst passes at once, and nothing beyond it."""
        bucket = Bucket(at(NOW))
        self.assertEqual([bucket.take(Rate(3, 1), at(NOW)) for _ in range(5)], [True] * 3 + [False] * 2)

    def test_leaks_continuously(self) -> None:
        """A full bucket has room for one as soon as one has leaked, not at the next whole second."""
        bucket, rate = Bucket(at(NOW)), Rate(10, 2)
        for _ in range(10):
            bucket.take(rate, at(NOW))
        self.assertFalse(bucket.take(rate, at(NOW + 0.4)))
        self.assertTrue(bucket.take(rate, at(NOW + 0.5)))
        self.assertFalse(bucket.take(rate, at(NOW + 0.5)))

    def test_steady(self) -> None:
        """Sending exactly at the rate is always allowed, after a burst too."""
        bucket, rate = Bucket(at(NOW)), Rate(5, 10)
        for _ in range(5):
            bucket.take(rate, at(NOW))
        self.assertEqual({bucket.take(rate, at(NOW + n / 10)) for n in range(1, 5000)}, {True})

    def test_refused_adds_nothing(self) -> None:
        """A refused request does not fill the bucket."""
        bucket, rate = Bucket(at(NOW)), Rate(1, 1)
        bucket.take(rate, at(NOW))
        for _ in range(100):
            self.assertFalse(bucket.take(rate, at(NOW)))
        self.assertTrue(bucket.take(rate, at(NOW + 1)))

    def test_empties(self) -> None:
        """A long silence allows one burst, not several."""
        bucket, rate = Bucket(at(NOW)), Rate(2, 1)
        bucket.take(rate, at(NOW))
        self.assertEqual([bucket.take(rate, at(NOW + 1000)) for _ in range(3)], [True, True, False])

    def test_no_limit(self) -> None:
        """A burst of 0 means no limit."""
        bucket = Bucket(at(NOW))
        self.assertEqual({bucket.take(Rate(0, 0), at(NOW)) for _ in range(1000)}, {True})

    def test_wall_clock_set(self) -> None:
        """A wall clock that is set neither fills nor empties the bucket."""
        bucket, rate = Bucket(Moment(0, NOW)), Rate(2, 1)
        self.assertEqual([bucket.take(rate, Moment(0, NOW + n)) for n in (0, -100, 4000)], [True, True, False])
        self.assertTrue(bucket.take(rate, Moment(1, NOW - 100)))

    def test_tenth_strike(self) -> None:
        """The tenth strike is one too many, and every one after it."""
        bucket = Bucket(at(NOW))
        self.assertEqual([bucket.strike(at(NOW)) for _ in range(11)], [False] * 9 + [True] * 2)

    def test_tenth_strike_within_a_minute(self) -> None:
        """Ten strikes in less than a minute are abuse, however they are spread."""
        bucket = Bucket(at(NOW))
        self.assertEqual([bucket.strike(at(NOW + n * 6.6)) for n in range(10)], [False] * 9 + [True])

    def test_forgiven(self) -> None:
        """One strike a minute is forgiven, for ever."""
        bucket = Bucket(at(NOW))
        self.assertEqual({bucket.strike(at(NOW + n * 60)) for n in range(100)}, {False})
        bucket = Bucket(at(NOW))
        for _ in range(9):
            bucket.strike(at(NOW))
        self.assertFalse(bucket.strike(at(NOW + 60)))
        self.assertTrue(bucket.strike(at(NOW + 60)))

    def test_strikes_and_the_wall_clock(self) -> None:
        """A wall clock that is set forgives nothing and adds nothing."""
        for step in (-100, 100):
            bucket = Bucket(Moment(0, NOW))
            strikes = [bucket.strike(Moment(0, NOW + step * n)) for n in range(10)]
            self.assertEqual(strikes, [False] * 9 + [True])

    def test_level(self) -> None:
        """How full it is can be read at any time, and changes nothing."""
        bucket, rate = Bucket(at(NOW)), Rate(5, 2)
        for _ in range(7):
            bucket.take(rate, at(NOW))
        self.assertEqual([bucket.level(rate, at(NOW + n)) for n in (0, 1, 2, 60, 0)], [5, 3, 1, 0, 5])
        self.assertFalse(bucket.take(rate, at(NOW)))

    def test_strikes(self) -> None:
        """How many overruns count can be read at any time, and changes nothing."""
        bucket = Bucket(at(NOW))
        for _ in range(3):
            bucket.strike(at(NOW))
        self.assertEqual([bucket.strikes(at(NOW + n)) for n in (0, 60, 90, 600, 0)], [3, 2, 1.5, 0, 3])

    def test_weight(self) -> None:
        """An event of any weight passes while there is room for one; then it takes its weight to leak away."""
        bucket, rate = Bucket(at(NOW)), Rate(10, 10)
        self.assertTrue(bucket.take(rate, at(NOW), 1000))
        self.assertEqual(
            [bucket.take(rate, at(NOW + n), 1000) for n in (1, 99, 99.1, 99.2)], [False, False, True, False]
        )

    def test_refused_weight(self) -> None:
        """What does not pass does not fill the bucket, whatever it weighs."""
        bucket, rate = Bucket(at(NOW)), Rate(2, 1)
        bucket.take(rate, at(NOW), 2)
        self.assertFalse(bucket.take(rate, at(NOW), 1000))
        self.assertTrue(bucket.take(rate, at(NOW + 1)))
