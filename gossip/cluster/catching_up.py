"""
Catching up: waits until this node has heard what was committed before somebody asked.

A browser may sign in on one node and ask another one a moment later, which has not heard of it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

PATIENCE: Final = 1.0
"""How long somebody waits at most, in seconds."""


class CatchingUp:
    """Those that wait. However many there are, the database is asked once at a time."""

    _log = Logger()

    def __init__(
        self, read: Callable[[], Deferred[int]], positions: Callable[[], Mapping[str, int]], clock: IReactorTime
    ) -> None:
        """
        @param read: reads how many changes of what is known were committed.
        @param positions: how many of each scope this node has heard.
        """
        self._read = read
        self._positions = positions
        self._clock = clock
        self._reading = False
        self._unread: list[Deferred[None]] = []
        self._waiting: list[tuple[int, Deferred[None]]] = []

    def wait(self) -> Deferred[None]:
        """Fires when what was committed by now is known here; after L{PATIENCE} anyway."""
        waiting: Deferred[None] = Deferred()
        waiting.addTimeout(PATIENCE, self._clock, lambda _result, _seconds: None)
        self._unread.append(waiting)
        self._ask()
        return waiting

    def passed(self, positions: Mapping[str, int]) -> None:
        """This node has heard more."""
        if not self._waiting:
            return
        position = positions.get("", 0)
        ready = [waiting for wanted, waiting in self._waiting if wanted <= position]
        self._waiting = [each for each in self._waiting if each[0] > position and not each[1].called]
        _fire(ready)

    def _ask(self) -> None:
        if self._reading or not self._unread:
            return
        self._reading = True
        # Those that ask from now on may mean something that this does not see yet.
        asked, self._unread = self._unread, []
        self._read().addCallbacks(self._found, self._failed, callbackArgs=(asked,), errbackArgs=(asked,)).addErrback(
            lambda failure: self._log.failure("whoever waits to know more failed", failure)
        )

    def _found(self, position: int, asked: list[Deferred[None]]) -> None:
        self._reading = False
        self._waiting.extend((position, each) for each in asked)
        self.passed(self._positions())
        self._ask()

    def _failed(self, failure: Failure, asked: list[Deferred[None]]) -> None:
        self._reading = False
        self._log.warn("it cannot be read how far the others are: {why}", why=str(failure.value))
        _fire(asked)
        self._ask()


def _fire(waiting: list[Deferred[None]]) -> None:
    for each in waiting:
        if not each.called:
            each.callback(None)
