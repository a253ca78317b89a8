"""
One connection for each game, on whichever node: protocols whose clients have one name each need that.

A hub tells those of other nodes that a game is with it now. Two may tell it at the same moment; all nodes hear that in
the same order, and the last one counts.
"""

from __future__ import annotations

from collections import Counter


class OneConnection:
    """What a hub told, and has not heard back yet."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def told(self, game: str) -> None:
        """The hub told the others that a game is with it now."""
        self._told[game] += 1

    def heard_back(self, game: str) -> None:
        """All nodes heard it now, this one as well."""
        self._told[game] -= 1
        if self._told[game] <= 0:
            del self._told[game]

    def goes(self, game: str) -> bool:
        """Another hub told that a game is there: does it go from here? Not if it came here later."""
        return game not in self._told

    def forget(self) -> None:
        """What was not heard back for long was lost."""
        self._told.clear()
