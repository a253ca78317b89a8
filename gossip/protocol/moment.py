"""One moment, on two clocks."""

from __future__ import annotations

from msgspec import Struct


class Moment(Struct, frozen=True):
    """
    Now, as everything below the service is told it: nothing there has a clock.

    A function that is given a moment chooses the clock by what it does. What lasts (beats, graces, rate limits,
    time-outs) goes by C{steady}. What is a date (stamps, restrictions and pauses until some time, retention) goes by
    C{wall}, which somebody can set forward and back at any time.

    @ivar steady: seconds on a clock that only goes forward; they count from no particular time.
    @ivar wall: seconds since the epoch, by the clock of the machine.
    """

    steady: float
    wall: float
