"""
What this node said of the players of its sessions, and has not heard back yet.

A player enters here at once, and elsewhere when the stream tells it. When it tells this node as well, that is old news,
and what came after it here must stand. Only if another node said something of the same game meanwhile does the order of
the stream decide, and what was said here is done again where it stands in that.
"""

from __future__ import annotations

from collections import deque

from gossip.network.relays import PlayersReplaced, SignedIn, SignedOut

Listed = PlayersReplaced | SignedIn | SignedOut


class Listing:
    """The relays about players that are on their way, in their order."""

    def __init__(self) -> None:
        self._unheard: deque[tuple[str, Listed]] = deque()
        self._disputed: set[str] = set()

    def tell(self, client_id: str, relay: Listed) -> None:
        """This node says something of the players of a game."""
        self._unheard.append((client_id, relay))

    def interfere(self, client_id: str) -> None:
        """Another node says something of the players of a game."""
        if self._is_unheard(client_id):
            self._disputed.add(client_id)

    def stands(self, relay: Listed) -> bool:
        """
        This node hears what it said.

        @return: whether that is done already, and nobody else interfered.
        """
        if all(told != relay for _, told in self._unheard):
            return False
        # What stands before it was lost with the stream.
        while (said := self._unheard.popleft())[1] != relay:
            self._settle(said[0])
        disputed = said[0] in self._disputed
        self._settle(said[0])
        return not disputed

    def _settle(self, client_id: str) -> None:
        if client_id in self._disputed and not self._is_unheard(client_id):
            self._disputed.remove(client_id)

    def _is_unheard(self, client_id: str) -> bool:
        return any(each == client_id for each, _ in self._unheard)
