"""The gate that everything received over a connection passes."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

from gossip.transports.budget import Budget

REST_SECONDS: Final = 1.0
"""How long a connection that has exceeded its budget is not read from, in seconds."""

RESTS: Final = 10
"""After this many rests in a row, a connection that exceeds its budget again is cut off."""


class Inlet:
    """
    The one gate for everything received over a connection: it counts the work, and decides when to read.

    Whatever a peer sends costs some of the budget of its connection, also what no rate limit of the network sees:
    control frames, fragments, telnet commands, empty lines. A connection that exceeds its budget is not read from for a
    second; one that goes on in the same way is cut off. When many send much at once, they take turns.

    A protocol inherits it, counts with L{charge}, and asks L{has_turn} before each part of its work. What it may not
    handle by then it keeps, and handles it in L{read_on}. It says what L{budget} and L{flooded} are, and may have more
    reasons in L{may_read}.
    """

    transport: Any
    factory: Any
    budget: Budget
    """The budget in force; it may change as long as the connection lasts."""

    _empty_at = 0.0
    _rests = 0
    _rest: IDelayedCall | None = None
    _queued = _full = False
    _held = False
    _reading = True

    def charge(self, cost: int) -> bool:
        """
        Count work.

        @param cost: in bytes; see L{ITEM <gossip.transports.budget.ITEM>}.
        @return: whether to go on. If not, keep what is not handled yet: the connection rests, or is cut off.
        """
        if self._rest is not None:
            return False
        now = self.factory.clock.seconds()
        budget = self.budget
        if self._rests and self._empty_at <= now:
            self._rests = 0
        self._empty_at = empty_at = budget.spend(self._empty_at, cost, now)
        if not budget.exceeded(empty_at, now):
            return True
        self._rests += 1
        if self._rests > RESTS:
            self.flooded()
        else:
            self.rest(REST_SECONDS)
        return False

    def has_turn(self, large: bool = False) -> bool:
        """
        Whether to go on in this turn of the reactor. If not, keep what is not handled yet.

        @param large: whether much is to be handled: those that keep a little go first.
        """
        if self._queued:
            self._full = True
        elif self.factory.turns.open():
            return True
        else:
            self._queued, self._full = True, large
            self.factory.turns.wait(self, large)
        if self._full:  # a little more can be kept, and to stop reading is work as well
            self.choose_reading()
        return False

    def have_turn(self) -> None:
        """The connection has waited for its turn, and this is it."""
        self._queued = self._full = False
        if self._rest is None:
            self.read_on()
        self.choose_reading()

    @property
    def keeps(self) -> bool:
        """Whether what comes in is kept for later: the connection rests, or waits for its turn."""
        return self._queued or self._rest is not None

    def rest(self, seconds: float) -> None:
        """Stop reading for a while; 0 gives the other connections their turn."""
        if self._rest is None:
            self._rest = self.factory.clock.callLater(seconds, self._rested)
            self.choose_reading()

    def _rested(self) -> None:
        self._rest = None
        if not self._queued:
            self.read_on()
        self.choose_reading()

    def read_on(self) -> None:
        """Handle what was kept. It may not be counted yet."""
        raise NotImplementedError

    def flooded(self) -> None:
        """The peer does not stop: cut off the connection."""
        raise NotImplementedError

    def begin_anew(self) -> None:
        """The budget is another one from now on: what was used of the last one does not count."""
        self._empty_at = 0.0
        self._rests = 0

    def shut_inlet(self) -> None:
        """Read nothing more: the connection is gone, or about to end."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._queued:
            self._queued = self._full = False
            self.factory.turns.leave(self)

    # The service, too, stops reading: from a session that asks faster than it can be answered.

    def pause(self) -> None:
        self._held = True
        self.choose_reading()

    def resume(self) -> None:
        self._held = False
        self.choose_reading()

    def may_read(self) -> bool:
        """Whether nothing speaks against reading."""
        return not self._held and not self._full and self._rest is None

    def choose_reading(self) -> None:
        """Read, or do not, as it is right now."""
        if self.may_read() != self._reading:
            self._reading = not self._reading
            if self._reading:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()
