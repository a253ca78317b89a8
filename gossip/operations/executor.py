"""Carries out operations in the running daemon, wherever they come from: the admin API, the pages or the public API."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import msgspec
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime

from gossip.operations.command import Result
from gossip.operations.errands import Errand
from gossip.operations.interfaces import Gossip, InThread, Store
from gossip.operations.operation import Occasion, Operation, carry_out, note
from gossip.registry.changes import Audited, Change


class Executor:
    """Carries out operations, one at a time. The admin API and the pages share one executor."""

    def __init__(self, gossip: Gossip, store: Store, in_thread: InThread, clock: IReactorTime) -> None:
        """
        @param in_thread: C{deferToThread}, or what does the same.
        """
        self._gossip = gossip
        self._store = store
        self._in_thread = in_thread
        self._clock = clock
        self._lock = DeferredLock()

    async def carry_out(self, operation: Operation, actor: str, check: Callable[[], None] | None = None) -> Result:
        """
        Carry out an operation.

        @param actor: C{unix:NAME} for a user of the machine, the name of an account otherwise.
        @param check: is called when it is its turn, and refuses it by raising L{Refused}.
        @raise Refused: it cannot be done; the text says why.
        @raise gossip.service.service.NotKept: the database is away.
        """
        found = None
        if operation.looks:
            found = await self._in_thread(operation.look, self._store, self._clock.seconds())
        # One at a time, from looking at what is known to having changed it: two edits at once must not lose one.
        await self._lock.acquire()
        try:
            if check is not None:
                check()
            change, result = carry_out(operation, self._gossip.network.registry, self._occasion(actor, found))
            if change is not None:
                await self._gossip.change(change)
            return result
        finally:
            self._lock.release()

    async def change(self, make: Callable[[], Change | None]) -> None:
        """
        Change what somebody may change without being an admin: his own account, for example. One at a time, with
        operations; no note is kept of it.

        @param make: makes the change of what is known by then; C{None} if nothing is to be changed any more.
        @raise Refused: it cannot be; the text says why.
        @raise gossip.service.service.NotKept: the database is away.
        """
        await self._lock.acquire()
        try:
            change = make()
            if change is not None:
                await self._gossip.change(change)
        finally:
            self._lock.release()

    async def run(self, errand: Errand, actor: str) -> Result:
        """
        Run an errand, and note it.

        @raise Refused: it cannot be done; the text says why.
        @raise gossip.service.service.NotKept: it was done, but could not be noted: the database is away.
        """
        await errand.run(self._gossip, self._store, self._in_thread)
        await self._gossip.change(Audited(note(errand.wire, errand, self._occasion(actor)), None))
        return msgspec.to_builtins(errand)  # type: ignore[no-any-return]

    def _occasion(self, actor: str, found: object = None) -> Occasion:
        return Occasion(self._clock.seconds(), lambda: str(uuid.uuid4()), actor, found)
