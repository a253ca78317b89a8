"""Carries out operations in the running daemon, wherever they come from: the admin API, the pages or the public API."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import BinaryIO, Final

import msgspec

from gossip.operations import moderators
from gossip.operations.command import Command, Result
from gossip.operations.errands import Backup, Errand
from gossip.operations.interfaces import InThread, OperationsStore
from gossip.operations.listing import Listing
from gossip.operations.operation import Occasion, Operation, carry_out, note
from gossip.registry.changes import Audited, Change
from gossip.service.service import GossipService

PAUSE: Final = 0.25
"""
The seconds between two parts of an operation. A part takes some milliseconds, as a message does: whoever speaks
meanwhile does not notice it, and games are told of it no faster than they read.
"""


class Executor:
    """
    Carries out operations and errands. The admin API and the pages share one executor.

    @ivar in_clear: as in L{Occasion}.
    """

    def __init__(
        self,
        gossip: GossipService,
        store: OperationsStore,
        in_thread: InThread,
        in_clear: frozenset[str] = frozenset(),
    ) -> None:
        """
        @param in_thread: C{deferToThread}, or what does the same.
        """
        self._gossip = gossip
        self._store = store
        self._in_thread = in_thread
        self.in_clear = in_clear

    async def carry_out(self, command: Command, actor: str, check: Callable[[], None] | None = None) -> Result:
        """
        Carry out a command, and keep the note of it.

        @param actor: the admin: C{unix:NAME} for a user of the machine, otherwise the name of an account.
        @param check: is called when the turn of an operation comes, and refuses it by raising something.
        @raise Refused: it cannot be done; the text says why.
        @raise gossip.service.changes_in_turn.NotKept: the database is away. An errand was done all the same, but not
            noted.
        """
        # What somebody did on another node just before is to be found here.
        await self._gossip.caught_up()
        if isinstance(command, Errand):
            return await self._run(command, actor, check)
        assert isinstance(command, Operation)
        if isinstance(command, Listing):
            if check is not None:
                check()
            return await self._list(command, actor)
        found = None
        if command.looks:
            if command.finds_latest:
                await self._gossip.written()
            found = await self._in_thread(command.look, self._store, self._gossip.now().wall)
        results: list[Result] = []
        for part in command.parts(found):
            if results:
                await self._gossip.after(PAUSE)
            results.append(await self._perform(command, actor, part, check))
        return command.joined(found, results)

    async def _perform(
        self, operation: Operation, actor: str, found: object, check: Callable[[], None] | None
    ) -> Result:
        result: Result = {}

        def make() -> Change | None:
            nonlocal result
            if check is not None:
                check()
            change, result = carry_out(operation, self._gossip.network.registry, self._occasion(actor, found))
            return change

        await self._gossip.change(make)
        return result

    async def moderate(self, operation: Operation, channel: str, actor: str) -> Result:
        """
        Carry out an operation for an account that moderates a channel, as far as moderators may.

        @raise Refused: it cannot be done, or is not for moderators; the text says why.
        """
        gossip = self._gossip
        await gossip.caught_up()

        def check() -> None:
            moderators.check(gossip.network.registry, actor, channel, operation, gossip.now().wall)

        check()  # now, before anything is read; and again when the turn of the operation comes
        return await self.carry_out(operation, actor, check)

    async def _list(self, listing: Listing, actor: str) -> Result:
        """A list changes nothing, so it waits for no change; others get their turns while it is made."""
        return await self._gossip.in_slices(listing.work(self._gossip.network.registry, self._occasion(actor)))

    async def _run(self, errand: Errand, actor: str, check: Callable[[], None] | None) -> Result:
        if check is not None:
            check()
        outcome = await errand.run(self._gossip)
        if errand.noted:
            await self._gossip.change(Audited(note(errand.wire, errand, self._occasion(actor)), None))
        return msgspec.to_builtins(errand) if outcome is None else await outcome()

    async def snapshot(self, actor: str) -> BinaryIO:
        """
        Copy the database, and keep the note of it.

        @param actor: the admin, as in L{carry_out}.
        @return: the copy. Whoever asked for it closes it.
        @raise StoreError: it cannot be copied; the text says why.
        """
        copy: BinaryIO = await self._in_thread(self._store.snapshot)
        try:
            await self._gossip.change(Audited(note(Backup.wire, Backup(), self._occasion(actor)), None))
        except BaseException:
            copy.close()
            raise
        return copy

    def _occasion(self, actor: str, found: object = None) -> Occasion:
        return Occasion(self._gossip.now().wall, lambda: str(uuid.uuid4()), actor, found, self.in_clear)
