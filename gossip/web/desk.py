"""Where the operations of an admin are carried out in the running daemon, whoever asks for them, and from where."""

from __future__ import annotations

import uuid

from msgspec import Struct
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime

from gossip.network.changes import Audited
from gossip.operation import Memory, Occasion, Operation, Result, carry_out, note
from gossip.web.service import Gossip, InThread


class Desk:
    """Carries out operations one at a time. The admin API and the pages share one."""

    def __init__(self, gossip: Gossip, memory: Memory, in_thread: InThread, clock: IReactorTime) -> None:
        """
        @param in_thread: C{deferToThread}, or what does the same.
        """
        self._gossip = gossip
        self._memory = memory
        self._in_thread = in_thread
        self._clock = clock
        self._lock = DeferredLock()

    async def carry_out(self, operation: Operation, actor: str) -> Result:
        """
        Carry out an operation.

        @param actor: C{unix:NAME} for a user of the machine, the name of an account otherwise.
        @raise Refused: it cannot be done; the text says why.
        @raise gossip.service.NotKept: the database is away.
        """
        found = None
        if operation.looks:
            found = await self._in_thread(operation.look, self._memory, self._clock.seconds())
        # One at a time, from looking at what is known to having changed it: two edits at once must not lose one.
        await self._lock.acquire()
        try:
            change, result = carry_out(operation, self._gossip.network.registry, self._occasion(actor, found))
            if change is not None:
                await self._gossip.change(change)
            return result
        finally:
            self._lock.release()

    async def note(self, wire: str, arguments: Struct, actor: str) -> None:
        """Note what an admin does that changes nothing else in the store."""
        await self._gossip.change(Audited(note(wire, arguments, self._occasion(actor)), None))

    def _occasion(self, actor: str, found: object = None) -> Occasion:
        return Occasion(self._clock.seconds(), lambda: str(uuid.uuid4()), actor, found)
