"""The end of a turn of the reactor: connections write what it brought in one piece, and go on."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

_log = Logger()


class Busy(Protocol):
    """A connection that has something to do at the end of a turn."""

    def turn_over(self) -> None:
        """The turn is over. The connection may have ended meanwhile."""


class EndOfTurn:
    """Calls the connections of a listener at the end of a turn, with one delayed call for all of them."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._busy: dict[Busy, None] = {}

    def call(self, connection: Busy) -> None:
        """Call C{turn_over} of a connection when this turn is over; once, however often this is asked."""
        if not self._busy:
            # It runs before the reactor looks at its sockets again.
            self._clock.callLater(0, self._turn_over)
        self._busy[connection] = None

    def _turn_over(self) -> None:
        busy, self._busy = self._busy, {}
        for connection in busy:
            try:
                connection.turn_over()
            except Exception:
                # A bug that shows on one connection must not affect the others.
                _log.failure("cannot write to a connection")
