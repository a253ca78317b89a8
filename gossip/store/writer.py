"""
The writer: keeps changes in a thread of its own, many in one transaction, and tells the reactor how it went.

Changes are gathered on the reactor's side, and handed over when the reactor has nothing else to do: a thread that wakes
up while a message is sent to hundreds of games would hold up the last of them.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gossip.registry.changes import Change
from gossip.store.database import reason
from gossip.store.errors import StoreError

GROUP: Final = 1000
"""About so many changes go into one transaction at the most: the reactor settles them in one turn."""

ENOUGH: Final = 250
"""So many changes wait for no more company: what a kill may take is bounded by time and by number."""

Done = Callable[[bool], object]
"""Is told whether a change is on disk."""

_Waiting = tuple[Change, Done]


class Reactor(Protocol):
    """What the writer needs of the reactor."""

    def callLater(self, delay: float, call: Callable[..., object], /) -> IDelayedCall: ...
    def callFromThread(self, call: Callable[..., object], /, *arguments: object) -> object: ...


class Writer:
    """
    Keeps changes in the order in which they come. What comes while one group is on its way to the disk, and a few
    milliseconds more, is the next one.

    All methods, and all that is called back, belong to the reactor thread. The counters are for metrics.

    @ivar pending: how many changes wait, or are on their way to the disk.
    @ivar groups: how many groups were settled.
    """

    _log = Logger()

    def __init__(
        self,
        keep: Callable[[Sequence[Change]], list[Change]],
        reactor: Reactor,
        committed: Callable[[float], None] = lambda seconds: None,
        most: int = 100_000,
        gather: float = 0.003,
        idle: float = 0.15,
    ) -> None:
        """
        @param keep: L{Store.keep<gossip.store.store.Store.keep>}; only the writer's thread calls it.
        @param committed: is told how many seconds each group took, in the reactor thread.
        @param most: how many changes may wait. Further ones fail.
        @param gather: for how many seconds a change that somebody waits for waits for company.
        @param idle: the same for changes that nobody waits for.
        """
        self.pending = self.groups = 0
        self._keep = keep
        self._reactor = reactor
        self._committed = committed
        self._most = most
        self._gather = gather
        self._idle = idle
        self._gathered: list[_Waiting] = []
        self._handing_over: IDelayedCall | None = None
        self._wanted = False
        self._queue: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        self._refused: list[Done] = []
        # How many changes were accepted, and how many of these are settled. Each barrier waits for a number.
        self._accepted = self._settled = 0
        self._barriers: deque[tuple[int, Callable[[], object]]] = deque()
        self._stopping = False
        self._stopped: list[Deferred[None]] | None = []
        # A daemon thread: what ends the process without a stop shall end it. What was told as kept is on disk.
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def commit(self, change: Change, done: Done, wanted: bool = True) -> None:
        """
        Keep a change.

        @param wanted: whether somebody waits for it. A transaction costs as much for one change as for many, so that
            what nobody waits for had better come in company.
        @param done: called once, and never before this returns, in the order of the commits; but a change that is
            refused, because too many wait or the writer stops, does not wait for those before it.
        """
        if self._stopping or self.pending >= self._most:
            self._refused.append(done)
            if len(self._refused) == 1:
                self._reactor.callFromThread(self._refuse)
            return
        self.pending += 1
        self._accepted += 1
        self._gathered.append((change, done))
        if len(self._gathered) >= ENOUGH:
            self._hand_over()
        elif self._handing_over is None:
            self._wanted = wanted
            self._handing_over = self._reactor.callLater(self._gather if wanted else self._idle, self._hand_over)
        elif wanted:
            self._hurry()

    def barrier(self, done: Callable[[], object]) -> None:
        """
        Call back when every change committed before is settled: kept, or failed. Refused changes do not count.

        @param done: called once: before this returns if nothing waits.
        """
        if self._settled == self._accepted:
            done()
        else:
            self._barriers.append((self._accepted, done))
            self._hurry()

    def _hurry(self) -> None:
        """Somebody waits for what is gathered."""
        if self._handing_over is not None and not self._wanted:
            self._wanted = True
            self._handing_over.reset(self._gather)

    def _hand_over(self) -> None:
        """Give what was gathered to the thread."""
        if self._handing_over is not None and self._handing_over.active():
            self._handing_over.cancel()
        self._handing_over = None
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    def stop(self) -> Deferred[None]:
        """Keep what waits, and end the thread; fires when all is told and the thread is gone."""
        stopped: Deferred[None] = Deferred()
        if self._stopped is None:
            stopped.callback(None)
            return stopped
        self._stopped.append(stopped)
        if not self._stopping:
            self._stopping = True
            self._hand_over()
            self._queue.put(None)
        return stopped

    # In the reactor thread.

    def _refuse(self) -> None:
        refused, self._refused = self._refused, []
        self._log.error(
            "{count} changes were refused: {pending} wait already", count=len(refused), pending=self.pending
        )
        self._tell([(done, False) for done in refused])

    def _settle(self, told: list[tuple[Done, bool]], seconds: float) -> None:
        self.pending -= len(told)
        self.groups += 1
        self._committed(seconds)
        self._tell(told)
        self._settled += len(told)
        while self._barriers and self._barriers[0][0] <= self._settled:
            _, done = self._barriers.popleft()
            try:
                done()
            except Exception:
                self._log.failure("a barrier's callback failed")

    def _tell(self, told: list[tuple[Done, bool]]) -> None:
        for done, kept in told:
            try:
                done(kept)
            except Exception:
                self._log.failure("a change was kept or not, and nobody could be told")

    def _end(self) -> None:
        self._thread.join()
        stopped, self._stopped = self._stopped or [], None
        for each in stopped:
            each.callback(None)

    # In the thread of the writer.

    def _run(self) -> None:
        rest: list[Change] = []
        stopping = False
        while not stopping:
            group, stopping = self._collect(wait=not rest)
            started = time.monotonic()
            try:
                kept, rest = self._commit([*(change for change, _ in group), *rest])
            except BaseException:
                self._log.failure("the writer failed")
                kept, rest = [False] * len(group), []
            if group:
                told = [(done, on_disk) for (_, done), on_disk in zip(group, kept[: len(group)], strict=True)]
                self._reactor.callFromThread(self._settle, told, time.monotonic() - started)
        self._reactor.callFromThread(self._end)

    def _collect(self, wait: bool) -> tuple[list[_Waiting], bool]:
        """
        The next group, and whether it is the last one.

        @param wait: whether there is nothing else to do.
        """
        group: list[_Waiting] = []
        try:
            while len(group) < GROUP:
                waiting = self._queue.get(block=wait)
                if waiting is None:
                    return group, True
                group.extend(waiting)
                wait = False
        except Empty:
            pass
        return group, False

    def _commit(self, changes: list[Change]) -> tuple[list[bool], list[Change]]:
        """
        Keep changes: all at once, or, if one is bad, each half for itself, until the bad one is alone.

        @return: which were kept, and what is left to do later.
        """
        if not changes:
            return [], []
        try:
            return [True] * len(changes), self._keep(changes)
        except Exception as error:
            # With the database away, every single one would fail, and take its time.
            if len(changes) == 1 or isinstance(error, StoreError):
                self._log_failure(changes, error)
                return [False] * len(changes), []
        half = len(changes) // 2
        first_kept, first_rest = self._commit(changes[:half])
        second_kept, second_rest = self._commit(changes[half:])
        return [*first_kept, *second_kept], [*first_rest, *second_rest]

    def _log_failure(self, changes: list[Change], error: Exception) -> None:
        # Not the error whole: a database may quote the row in it, and what was said is nobody's business.
        self._log.error(
            "{count} changes ({kinds}) were not kept: {error}: {reason}\n{trace}",
            count=len(changes),
            kinds=", ".join(sorted({type(change).__name__ for change in changes})),
            error=type(error).__name__,
            reason=reason(error),
            trace="".join(traceback.format_tb(error.__traceback__)),
        )
