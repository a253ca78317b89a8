"""
Connections take turns: one turn of the reactor handles only so much of what they sent.

What one read brings can be a lot of work, such as a heartbeat with two thousand new names, and the reads of many
connections can come in one turn of the reactor. All others would wait for all of it.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

TURN_SECONDS: Final = 0.008
"""
How long one turn handles what is read, in seconds, and as long again what was kept for it. What it makes of that is
written together, so a much shorter turn would cost more for each message.
"""

_log = Logger()


class Waiting(Protocol):
    """A connection that keeps what it may not handle yet."""

    def have_turn(self) -> None:
        """It may go on. If the turn is over before all is handled, it waits again."""


class Turns:
    """
    Shares the turns of the reactor among the connections of all listeners.

    A connection that reads when the time of a turn is over waits, and is not read from meanwhile. Those that keep only
    a little go first, so that they do not wait for those that sent much, of which at least one goes on in each turn;
    otherwise the first that waits is the first that goes on.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._ends: float | None = None
        self._small: deque[Waiting] = deque()
        self._large: deque[Waiting] = deque()

    def open(self) -> bool:
        """Whether this turn of the reactor has time left. If not, the connection has to L{wait}."""
        if self._ends is None:
            self._ends = self._clock.seconds() + TURN_SECONDS
            # It runs in the next turn, before the reactor looks at its sockets again.
            self._clock.callLater(0, self._turn)
            return True
        return self._clock.seconds() < self._ends

    def wait(self, connection: Waiting, large: bool) -> None:
        """
        Let a connection go on in a later turn.

        @param large: whether it keeps much.
        """
        (self._large if large else self._small).append(connection)

    def leave(self, connection: Waiting) -> None:
        """A connection waits no longer: it has ended."""
        for waiting in (self._small, self._large):
            if connection in waiting:
                waiting.remove(connection)

    def _turn(self) -> None:
        self._ends = None
        self._serve(self._small)
        self._serve(self._large, at_least=1)
        if self._ends is not None:
            self._ends = self._clock.seconds() + TURN_SECONDS

    def _serve(self, waiting: deque[Waiting], at_least: int = 0) -> None:
        # Those that begin to wait meanwhile come in the turn after this one.
        for served in range(len(waiting)):
            if not self.open() and served >= at_least:
                break
            try:
                waiting.popleft().have_turn()
            except Exception:
                # A bug that shows on one connection must not affect the others.
                _log.failure("a connection could not go on")
