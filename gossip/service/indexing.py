"""Keeps the index for searches up with what is said: see L{gossip.store.word_index}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

LOOKS: Final = 10.0
"""After this many seconds, the next messages to index are looked for."""

SHARE: Final = 0.2
"""While there is much to index, after an upgrade for example, it takes at most this share of the time."""


class Indexing(Service):
    """Indexes messages while the daemon runs, some at a time, in a thread."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, in_thread: Callable[..., Deferred[bool]], index: Callable[[], bool]
    ) -> None:
        """
        @param in_thread: C{deferToThread}, or a substitute.
        @param index: L{gossip.store.store.Store.index}.
        """
        self._clock = clock
        self._in_thread = in_thread
        self._index = index
        self._next: IDelayedCall | None = None
        self._stopped: Deferred[None] | None = None
        self._works = False
        self._failed = False

    def startService(self) -> None:
        super().startService()
        self._next = self._clock.callLater(LOOKS, self._start)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if not self._works:
            return succeed(None)
        self._stopped = Deferred()
        return self._stopped

    def _start(self) -> None:
        self._next = None
        self._works = True
        started = self._clock.seconds()
        self._in_thread(self._index).addCallbacks(self._done, self._fail).addCallback(self._go_on, started)

    def _done(self, more: bool) -> bool:
        self._failed = False
        return more

    def _fail(self, failure: Failure) -> bool:
        # Whatever is wrong with the database, the writer tells; one line says what that means here.
        if not self._failed:
            self._log.warn("messages cannot be indexed for searches: {reason}", reason=failure.getErrorMessage())
        self._failed = True
        return False

    def _go_on(self, more: bool, started: float) -> None:
        self._works = False
        if self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)
        elif self.running:
            took = self._clock.seconds() - started
            self._next = self._clock.callLater(took * (1 / SHARE - 1) if more else LOOKS, self._start)
