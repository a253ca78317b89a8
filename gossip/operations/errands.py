"""
What only a running daemon can do for an admin, and what leaves no trace in the store but the note of it.

They are errands, and no operations: there is nothing to keep, and gossipctl cannot do them without a daemon.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from msgspec import Meta, Struct

from gossip.registry.errors import Refused

if TYPE_CHECKING:
    from gossip.operations.interfaces import Gossip, InThread, Store


class Errand(Struct, frozen=True, forbid_unknown_fields=True):
    """
    Something that the daemon does; its fields are the arguments, the first one says what it is about.

    @cvar wire: its name: the path in the admin API, without the first slash.
    """

    wire: ClassVar[str]

    async def run(self, gossip: Gossip, store: Store, in_thread: InThread) -> None:
        """
        Do it.

        @raise Refused: it cannot be done; the text says why.
        """
        raise NotImplementedError


class Say(Errand, frozen=True):
    """The network itself says something on a channel."""

    wire = "say"

    channel: str
    text: str

    async def run(self, gossip: Gossip, store: Store, in_thread: InThread) -> None:
        await gossip.announce(self.channel, self.text)


class RestartNotice(Errand, frozen=True):
    """All games are told that the network will be away."""

    wire = "restart-notice"

    seconds: Annotated[int, Meta(ge=0, le=24 * 3600)]

    async def run(self, gossip: Gossip, store: Store, in_thread: InThread) -> None:
        gossip.notice(self.seconds)


class Backup(Errand, frozen=True):
    """The database is copied to a new file."""

    wire = "backup"

    path: str

    async def run(self, gossip: Gossip, store: Store, in_thread: InThread) -> None:
        path = Path(self.path)
        if not path.is_absolute():
            raise Refused("the path of a backup must begin with /")
        await in_thread(store.backup, path)


ERRANDS: Final[dict[str, type[Errand]]] = {errand.wire: errand for errand in (Say, RestartNotice, Backup)}
"""All errands by their names."""
