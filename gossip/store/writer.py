"""
The writer: writes changes to disk in a thread of its own, many in one transaction, and tells the reactor the result.

Changes are gathered on the reactor's side and handed over a few milliseconds later: a thread that wakes up while a
message is being sent to hundreds of games would delay the last of them.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from gossip.store.database import reason
from gossip.store.errors import Stale, StoreError, Trouble

GROUP: Final = 1000
"""About the maximum number of changes in one transaction. The reactor settles them in one turn."""

ENOUGH: Final = 250
"""Once this many changes are gathered they wait no longer. This bounds how many changes a kill can lose."""

GATHERS: Final = 0.003
"""How many seconds a wanted change waits for others to be written with it, by default."""

Done = Callable[[bool], object]
"""Called with whether a change is on disk."""

Entry = TypeVar("Entry")
"""What is written: a change, or what a node makes of one."""


class Reactor(Protocol):
    """The part of the reactor that the writer uses."""

    def callLater(self, delay: float, call: Callable[..., object], /) -> IDelayedCall: ...
    def callFromThread(self, call: Callable[..., object], /, *arguments: object) -> object: ...


class IStore(Protocol[Entry]):
    """The part of the store that the writer uses: see L{gossip.store.store.Store}."""

    def keep(self, changes: Sequence[Entry], /) -> list[Entry]: ...
    def probe(self) -> None: ...
    def forget(self, quiet: bool, /) -> None: ...


class Writer(Generic[Entry]):
    """
    Writes changes in the order in which they are committed. Those committed while one group is being written, and for
    a few milliseconds after, form the next group.

    All methods and all callbacks run in the reactor thread.

    @ivar pending: how many changes wait or are being written.
    @ivar groups: how many groups are settled; a probe is a group of its own.
    @ivar trouble: why the database kept nothing of the last group; C{None} if it did, or if there was no group yet.
    """

    _log = Logger()

    def __init__(
        self,
        store: IStore[Entry],
        reactor: Reactor,
        committed: Callable[[float], None] = lambda seconds: None,
        most: int = 100_000,
        gather: float = GATHERS,
        idle: float = 0.15,
    ) -> None:
        """
        @param store: where changes are kept. Only the writer's thread calls its methods.
        @param committed: called in the reactor thread with the seconds that each group took.
        @param most: the maximum number of changes that wait. Further ones fail.
        @param gather: how many seconds a wanted change waits for others to be written with it.
        @param idle: the same, for changes that nobody waits for.
        """
        self.pending = self.groups = 0
        self.trouble: Trouble | None = None
        self._store = store
        self._reactor = reactor
        self._committed = committed
        self._most = most
        self._gather = gather
        self._idle = idle
        self._gathered: list[tuple[Entry, Done]] = []
        self._handing_over: IDelayedCall | None = None
        self._wanted = False
        self._queue: SimpleQueue[list[tuple[Entry, Done]] | None] = SimpleQueue()
        self._refused: list[Done] = []
        # How many changes were accepted, and how many of these are settled. Each barrier waits for a number.
        self._accepted = self._settled = 0
        self._barriers: deque[tuple[int, Callable[[], object]]] = deque()
        self._unwritten = 0
        # In the writer's thread: how the database failed last; None once it has kept something since.
        self._failed: StoreError | None = None
        self._stopping = False
        self._stopped: list[Deferred[None]] | None = []
        # A daemon thread, so that it ends with the process even without a stop. Acknowledged changes are on disk.
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def commit(self, change: Entry, done: Done, wanted: bool = True) -> None:
        """
        Write a change.

        @param wanted: whether somebody waits for the result. A transaction costs as much for one change as for many, so
            changes that nobody waits for are gathered for longer.
        @param done: called once, after this method has returned, in the order of the commits. A change is refused if
            too many wait or the writer stops; its callback does not wait for those before it.
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

    def probe(self) -> None:
        """Find out whether changes would be kept, and set C{trouble}. It needs a transaction, so do this when idle."""
        self._queue.put([])

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
        """Somebody waits for the gathered changes: hand them over soon."""
        if self._handing_over is not None and not self._wanted:
            self._wanted = True
            self._handing_over.reset(self._gather)

    def _hand_over(self) -> None:
        """Hand the gathered changes to the thread."""
        if self._handing_over is not None and self._handing_over.active():
            self._handing_over.cancel()
        self._handing_over = None
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    def stop(self) -> Deferred[None]:
        """Write what waits, and end the thread. Fires when all callbacks have run and the thread has ended."""
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
            "{count} changes were refused: {pending} already wait", count=len(refused), pending=self.pending
        )
        self._tell([(done, False) for done in refused])

    def _settle(self, told: list[tuple[Done, bool]], seconds: float, failed: StoreError | None) -> None:
        self.pending -= len(told)
        self.groups += 1
        self._note(failed, sum(not kept for _, kept in told))
        self._committed(seconds)
        self._tell(told)
        self._settled += len(told)
        while self._barriers and self._barriers[0][0] <= self._settled:
            _, done = self._barriers.popleft()
            try:
                done()
            except Exception:
                self._log.failure("a barrier's callback failed")

    def _note(self, failed: StoreError | None, count: int) -> None:
        """Log when the database fails, and when it is well again: one line for each, however many changes fail."""
        trouble = None if failed is None else failed.trouble
        if failed is not None and trouble is not self.trouble:
            self._log.error("nothing can be written ({trouble}): {reason}", trouble=trouble, reason=str(failed))
        if failed is not None:
            self._unwritten += count
        elif self.trouble is not None:
            self._log.info("the database is written again; {count} changes were lost", count=self._unwritten)
            self._unwritten = 0
        self.trouble = trouble

    def _tell(self, told: list[tuple[Done, bool]]) -> None:
        for done, kept in told:
            try:
                done(kept)
            except Exception:
                self._log.failure("the callback of a change failed")

    def _end(self) -> None:
        self._thread.join()
        stopped, self._stopped = self._stopped or [], None
        for each in stopped:
            each.callback(None)

    # In the writer's thread.

    def _run(self) -> None:
        rest: list[Entry] = []
        stopping = False
        while not stopping:
            group, stopping = self._collect(wait=not rest)
            changes = [*(change for change, _ in group), *rest]
            if stopping and not changes:
                break
            started = time.monotonic()
            try:
                kept, rest = self._commit(changes)
            except BaseException:
                self._log.failure("the writer failed")
                kept, rest = [False] * len(group), []
            told = [(done, on_disk) for (_, done), on_disk in zip(group, kept[: len(group)], strict=True)]
            self._reactor.callFromThread(self._settle, told, time.monotonic() - started, self._failed)
            # Now nobody waits but for what comes. At a stop, that would be the whole process.
            if self._failed is None and not stopping:
                self._forget(quiet=not changes)
        self._reactor.callFromThread(self._end)

    def _forget(self, quiet: bool) -> None:
        try:
            self._store.forget(quiet)
        except Exception:
            self._log.failure("removed texts may still be in the database")

    def _collect(self, wait: bool) -> tuple[list[tuple[Entry, Done]], bool]:
        """
        The next group, and whether it is the last one. A group without changes asks for a probe.

        @param wait: whether to wait for a change.
        """
        group: list[tuple[Entry, Done]] = []
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

    def _commit(self, changes: list[Entry]) -> tuple[list[bool], list[Entry]]:
        """
        Write changes in one transaction. If one of them is bad, write each half separately, until the bad one is alone.
        Without changes, only find out whether any would be written.

        @return: for each change whether it was written; and changes that are left for later.
        """
        rest: list[Entry] = []
        try:
            if changes:
                rest = self._store.keep(changes)
            else:
                self._store.probe()
        except StoreError as error:
            # Every single change would fail, slowly.
            self._failed = error
            return [False] * len(changes), []
        except Stale:
            if len(changes) == 1:
                return [False], []
        except Exception as error:
            if len(changes) == 1:
                self._log_failure(changes[0], error)
                return [False], []
        else:
            self._failed = None
            return [True] * len(changes), rest
        half = len(changes) // 2
        first_kept, first_rest = self._commit(changes[:half])
        second_kept, second_rest = self._commit(changes[half:])
        return [*first_kept, *second_kept], [*first_rest, *second_rest]

    def _log_failure(self, change: Entry, error: Exception) -> None:
        # Not the whole error: it may quote the row, and what players say must not get into the log.
        self._log.error(
            "a change ({kind}) was not written: {error}: {reason}\n{trace}",
            kind=type(change).__name__,
            error=type(error).__name__,
            reason=reason(error),
            trace="".join(traceback.format_tb(error.__traceback__)),
        )
