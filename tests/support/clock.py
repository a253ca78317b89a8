"""The clocks of tests: they stand still until they are told otherwise, and the wall clock can be set."""

from __future__ import annotations

from twisted.internet import task
from zope.interface import implementer

from gossip.protocol.moment import Moment
from gossip.service.clock import IClock
from tests.support.world import NOW, STEADY


@implementer(IClock)
class Clock(task.Clock):
    """
    A steady clock that begins at C{STEADY}, beside a wall clock that begins at C{NOW}.

    @ivar ahead: by how many seconds the wall clock was set forward.
    """

    rightNow = STEADY

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    @property
    def wall(self) -> float:
        """What the wall clock shows, in seconds since the epoch."""
        return NOW + self.rightNow - STEADY + self.ahead

    def now(self) -> Moment:
        return Moment(self.rightNow, self.wall)
