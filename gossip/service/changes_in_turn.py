"""Changes by people: one at a time, and nobody waits for ever when the disk stops answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from gossip.store.errors import StoreError

PATIENCE: Final = 10.0
"""How long somebody waits for a change to be kept, in seconds."""


class NotKept(StoreError):
    """A change could not be written to the database; nothing was changed."""


class NotSettled(StoreError):
    """Nobody knows yet whether a change will be kept."""


class ChangesInTurn:
    """
    Makes changes one at a time: from reading what is known to having changed it, so that of two edits neither is lost.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._lock = DeferredLock()

    def make(self, change: Callable[[], Deferred[None]]) -> Deferred[None]:
        """
        Make a change when its turn comes.

        @param change: makes it; the result fires when it is kept.
        @return: fires with that; fails with L{NotKept} if its turn did not come within L{PATIENCE}, and is not made
            then; fails with L{NotSettled} if it was not kept by then, but may be later. The next change waits for it.
        """
        begun = False

        def begin() -> Deferred[None]:
            nonlocal begun
            begun = True
            return change()

        return self.in_time(self._lock.run(begin), lambda: begun)

    def in_time(self, made: Deferred[None], has_begun: Callable[[], bool] = lambda: True) -> Deferred[None]:
        """
        Wait for something to be kept, as long as L{make} waits.

        @param has_begun: whether it can no longer be called off.
        """
        told: Deferred[None] = Deferred()
        seconds = f"The database has not answered for {PATIENCE:.0f} seconds."

        def give_up() -> None:
            if has_begun():
                told.errback(NotSettled(f"{seconds} What you asked for may still be done: look before you try again."))
            else:
                made.cancel()

        waiting = self._clock.callLater(PATIENCE, give_up)

        def settle(result: Failure | None) -> None:
            if waiting.active():
                waiting.cancel()
            if told.called:
                return
            if isinstance(result, Failure) and result.check(CancelledError):
                result = Failure(NotKept(f"{seconds} Nothing was changed."))
            told.callback(result)  # a Failure fails it

        made.addBoth(settle)
        return told
