"""L{gossip.service.clock}: a reactor whose timers the wall clock does not touch."""

from __future__ import annotations

from twisted.internet.base import ReactorBase
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gossip.protocol.moment import Moment
from gossip.service.clock import DaemonClock, IClock
from tests.support.clock import Clock


class QuietReactor(ReactorBase):
    """Twisted's own timers, without sockets."""

    def installWaker(self) -> None:
        """Nobody wakes it."""


class DaemonClockTests(SynchronousTestCase):
    """Twisted's reactor on two clocks that are set by hand."""

    def setUp(self) -> None:
        self.steady, self.wall = 10.0, 1_000_000.0
        self.reactor = QuietReactor()
        self.clock = DaemonClock(self.reactor, lambda: self.steady, lambda: self.wall)
        self.fired: list[str] = []

    def pass_time(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds
        self.reactor.runUntilCurrent()

    def test_interface(self) -> None:
        """Both clocks are the same to those that use them."""
        verifyObject(IClock, self.clock)
        verifyObject(IClock, Clock())

    def test_now(self) -> None:
        """A moment has both times."""
        self.assertEqual(self.clock.now(), Moment(10.0, 1_000_000.0))
        self.assertEqual(self.clock.seconds(), 10.0)

    def test_set_back(self) -> None:
        """Timers that are pending fire in time when the wall clock is set back or forward: ours, and the reactor's."""
        for set_by in (-3600, 400 * 24 * 3600):
            self.fired.clear()
            self.clock.callLater(5, self.fired.append, "ours")
            self.reactor.callLater(5, self.fired.append, "a protocol's")
            self.pass_time(1)
            self.wall += set_by
            self.pass_time(3.9)
            self.assertEqual(self.fired, [])
            self.pass_time(0.2)
            self.assertEqual(self.fired, ["ours", "a protocol's"])

    def test_delayed(self) -> None:
        """A timer that is reset goes by the steady clock, too."""
        call = self.clock.callLater(5, self.fired.append, "ours")
        self.wall -= 3600
        call.reset(2)
        self.assertEqual(list(self.clock.getDelayedCalls()), [call])
        self.pass_time(2.1)
        self.assertEqual(self.fired, ["ours"])
