"""Notes for a daemon after this one: changes that nobody waits for, many in one commit."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gossip.network.outputs import Commit, Outputs
from gossip.network.presence import Online
from gossip.network.session import Session
from gossip.registry.changes import Change, GameOnline, Together
from gossip.registry.registry import Registry

GATHERED: Final = 250
"""At most this many changes are gathered before they are committed."""


def coming_online(session: Session, online: Online) -> GameOnline:
    """What a daemon after this one has to know of a game that is online, as its session has it."""
    return GameOnline(online.game.client_id, _in_order(session.supports), tuple(session.channels), online.since)


# Thousands of games have the same few flags.
@lru_cache
def _in_order(flags: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(flags))


class Notes:
    """
    Gathers changes: when thousands of games join at once, what is noted of them costs a few commits.

    Call L{keep} once a second, and before the daemon ends.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._gathered: list[Change] = []

    def note(self, change: Change) -> Outputs:
        """A change is in force from now on, and is committed with others soon."""
        self._registry.enact(change)
        self._gathered.append(change)
        return self.keep() if len(self._gathered) >= GATHERED else []

    def keep(self) -> Outputs:
        """Commit what was noted."""
        gathered, self._gathered = self._gathered, []
        return [Commit(Together(tuple(gathered)), learned=True)] if gathered else []
