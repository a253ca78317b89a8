"""
Errands: commands that change nothing that is known. Only the note of an errand is kept.

They need a running daemon: there is nothing that gossipctl could do to the store instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from gossip.operations.command import Argument, Command, Result
from gossip.protocol.text import kept

if TYPE_CHECKING:
    from gossip.service.service import GossipService

Outcome = Callable[[], Awaitable[Result]]
"""Waits for what comes of an errand, and returns it."""


class Errand(Command, frozen=True):
    """A command that the daemon carries out at once, and that changes nothing that is known."""

    needs_daemon = True
    noted: ClassVar[bool] = True
    """Whether a note of it is kept: not if it only looks."""

    async def run(self, gossip: GossipService) -> Outcome | None:
        """
        Do it in the running daemon.

        @return: what tells the result once the note is kept; C{None} if the result is the arguments.
        @raise Refused: it cannot be done; the text says why.
        """
        raise NotImplementedError


class RestartNotice(Errand, frozen=True):
    """
    Tell all games that the network will be away.

    @ivar seconds: how long the network will be away, in seconds.
    """

    wire = "restart-notice"
    view = staticmethod(lambda result: (f"All games were told: back in {result['seconds']} seconds.",))

    seconds: Annotated[int, Meta(ge=0, le=24 * 3600)]

    async def run(self, gossip: GossipService) -> None:
        gossip.notice(self.seconds)


class Say(Errand, frozen=True):
    """
    Say something on a channel, as the network itself.

    @ivar channel: the channel to speak on.
    @ivar text: the message.
    """

    wire = "say"
    view = staticmethod(lambda result: (f"Said on {result['channel']}.",))

    channel: str
    text: Annotated[str, Argument(words=True)]

    async def run(self, gossip: GossipService) -> None:
        await gossip.announce(self.channel, kept(self.text))


class Backup(Command, frozen=True):
    """Copy the database. The answer is the copy itself, not JSON."""

    wire = "backup"
    typed = None  # gossipctl writes the copy to a file
