"""The leaky bucket (protocol specification, Limits): it leaks continuously, so that a steady sender recovers."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gossip.protocol.errors import Overrun
from gossip.protocol.moment import Moment

STRIKES: Final = 10
"""This many overruns are an abuse."""

FORGIVEN: Final = 60.0
"""How long it takes until one overrun is forgiven, in seconds."""


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """
    How much is allowed.

    @ivar burst: how many events at once; 0 for no limit.
    @ivar per_second: how many a second in the long run.
    """

    burst: int
    per_second: float


_ROUNDING: Final = 1e-6
"""A game that sends exactly at the rate must pass in spite of floating point."""


class Bucket:
    """One session's use of one rate."""

    __slots__ = ("_at", "_level", "_strikes", "_struck")

    def __init__(self, now: Moment) -> None:
        self._level = 0.0
        self._at = now.steady
        self._strikes = 0.0
        self._struck = now.steady

    @classmethod
    def of(cls, level: float, strikes: float, now: Moment) -> Bucket:
        """A bucket that is as full as one elsewhere."""
        bucket = cls(now)
        bucket._level, bucket._strikes = level, strikes
        return bucket

    def take(self, rate: Rate, now: Moment, weight: float = 1) -> bool:
        """
        Let one event pass, or not.

        @param weight: what it counts for. An event passes if there is room for a weight of 1, however much it weighs:
            the bucket then overflows, and takes longer to have room again.
        @return: whether it is within the rate.
        """
        if not rate.burst:
            return True
        level = self.level(rate, now)
        self._at = now.steady
        passes = level + 1 <= rate.burst + _ROUNDING
        self._level = level + weight if passes else level
        return passes

    def strike(self, now: Moment) -> bool:
        """
        Count an overrun.

        @return: whether it was one too many.
        """
        self._strikes = self.strikes(now) + 1
        self._struck = now.steady
        return self._strikes > STRIKES - 1

    def level(self, rate: Rate, now: Moment) -> float:
        """The weight of the events in it; a part of one that leaks away counts as a part."""
        leaked = (now.steady - self._at) * rate.per_second
        return max(self._level - leaked, 0.0)

    def strikes(self, now: Moment) -> float:
        """How many overruns are not forgiven yet."""
        # In less than a minute less than one is forgiven: the tenth of a row is above nine.
        forgiven = (now.steady - self._struck) / FORGIVEN
        return max(self._strikes - forgiven, 0.0)


Buckets = dict[str, Bucket]
"""One sender's use of the rates that it has used, by their names in L{Rates <gossip.network.settings.Rates>}."""


def spend(buckets: Buckets, name: str, rate: Rate, now: Moment, weight: float = 1) -> None:
    """
    Let one event pass a rate limit.

    @param name: the name of the rate.
    @param weight: what the event counts for.
    @raise Overrun: the event does not pass.
    """
    bucket = _bucket(buckets, name, now)
    if not bucket.take(rate, now, weight):
        raise Overrun(bucket.strike(now))


def passes(buckets: Buckets, name: str, rate: Rate, now: Moment) -> bool:
    """
    Let one event pass a rate limit, or not. However often it does not, that is no abuse.

    @param name: the name of the rate.
    """
    return _bucket(buckets, name, now).take(rate, now)


def _bucket(buckets: Buckets, name: str, now: Moment) -> Bucket:
    bucket = buckets.get(name)
    if bucket is None:
        bucket = buckets[name] = Bucket(now)
    return bucket
