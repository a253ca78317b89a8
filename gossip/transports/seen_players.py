"""The players of a game whose protocol has no list of them: those that did something lately count as online."""

from __future__ import annotations

from typing import Final

from gossip.protocol.moment import Moment

PLAYER_SECONDS: Final = 15 * 60
"""How long a player is taken as online after they did something, in seconds."""

PLAYERS: Final = 500
"""At most this many players of a game are taken as online."""


class SeenPlayers:
    """The players that were seen lately."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._listed: tuple[str, ...] = ()

    def saw(self, name: str, now: Moment) -> None:
        """A player did something."""
        self._seen.pop(name, None)
        self._seen[name] = now.steady

    def news(self, now: Moment) -> tuple[str, ...] | None:
        """The players that are taken as online; C{None} if they are the same as at the last call."""
        for name, seen in list(self._seen.items()):
            if seen + PLAYER_SECONDS > now.steady and len(self._seen) <= PLAYERS:
                break
            del self._seen[name]
        listed = tuple(sorted(self._seen))
        if listed == self._listed:
            return None
        self._listed = listed
        return listed
