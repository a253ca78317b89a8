"""
Errands: commands that change nothing that is known. Only the note of an errand is kept.

Most of them need a running daemon: there is nothing that gossipctl could do to the store instead.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from gossip.operations.command import Argument, Command
from gossip.registry.errors import Refused

if TYPE_CHECKING:
    from gossip.operations.interfaces import InThread, OperationsStore
    from gossip.service.service import GossipService


class Errand(Command, frozen=True):
    """A command that the daemon carries out at once, and that changes nothing that is known."""

    async def run(self, gossip: GossipService, store: OperationsStore, in_thread: InThread) -> None:
        """
        Do it in the running daemon.

        @raise Refused: it cannot be done; the text says why.
        """
        await in_thread(self.run_alone, store)

    def run_alone(self, store: OperationsStore) -> None:
        """
        Do it with the store alone. This blocks; it is not called if the errand C{needs_daemon}.

        @raise Refused: it cannot be done; the text says why.
        """
        raise NotImplementedError


class RestartNotice(Errand, frozen=True):
    """
    Tell all games that the network will be away.

    @ivar seconds: how long the network will be away, in seconds.
    """

    wire = "restart-notice"
    needs_daemon = True
    view = staticmethod(lambda result: (f"All games were told: back in {result['seconds']} seconds.",))

    seconds: Annotated[int, Meta(ge=0, le=24 * 3600)]

    async def run(self, gossip: GossipService, store: OperationsStore, in_thread: InThread) -> None:
        gossip.notice(self.seconds)


class Backup(Errand, frozen=True):
    """
    Copy the database to a new file.

    @ivar path: the new file.
    """

    wire = "backup"
    view = staticmethod(lambda result: (f"The database was copied to {result['path']}.",))

    # gossipctl makes the path whole: the daemon has a working directory of its own.
    path: Annotated[str, Argument("FILE", read=os.path.abspath)]

    def run_alone(self, store: OperationsStore) -> None:
        path = Path(self.path)
        if not path.is_absolute():
            raise Refused("invalid", "path", "the path of a backup must begin with /")
        store.backup(path)


class Say(Errand, frozen=True):
    """
    Say something on a channel, as the network itself.

    @ivar channel: the channel to speak on.
    @ivar text: the message.
    """

    wire = "say"
    needs_daemon = True
    view = staticmethod(lambda result: (f"Said on {result['channel']}.",))

    channel: str
    text: Annotated[str, Argument(words=True)]

    async def run(self, gossip: GossipService, store: OperationsStore, in_thread: InThread) -> None:
        await gossip.announce(self.channel, self.text)


ERRANDS: Final[dict[str, type[Errand]]] = {errand.wire: errand for errand in (RestartNotice, Backup, Say)}
"""All errands by their names."""
