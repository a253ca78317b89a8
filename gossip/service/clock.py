"""The two clocks of a daemon: one for what lasts, one for dates."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from gossip.protocol.moment import Moment


class IClock(IReactorTime):
    """Timers, and the time. C{seconds} and all timers go by the steady clock."""

    def now() -> Moment:
        """This moment, on both clocks."""


@implementer(IClock)
class DaemonClock:
    """
    The clock of a reactor.

    Twisted's timers go by the wall clock. When that is set back by an hour, a pending timer fires an hour late, and so
    does whatever waits for it. Hence the reactor itself is given a clock that only goes forward: its own timers and
    those of all protocols are steady, too.
    """

    def __init__(
        self,
        reactor: Any,
        steady: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """
        @param reactor: the reactor; no timer may be pending yet.
        @param steady: a clock that only goes forward, in seconds.
        @param wall: the clock of the machine, in seconds since the epoch.
        """
        reactor.seconds = steady
        self._reactor = reactor
        self._wall = wall
        self.seconds = steady

    def now(self) -> Moment:
        return Moment(self.seconds(), self._wall())

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 (its name in IReactorTime)
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        call: IDelayedCall = self._reactor.callLater(delay, callable, *args, **kwargs)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        calls: Sequence[IDelayedCall] = self._reactor.getDelayedCalls()
        return calls
