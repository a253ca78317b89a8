"""The names that games have on Intermud-3."""

from __future__ import annotations

from collections.abc import Iterator

from gossip.registry.entities import I3Identity
from gossip.registry.names import Namesakes


class I3Identities:
    """The identities of games that may join by Intermud-3. Read them freely; only the registry changes them."""

    def __init__(self) -> None:
        self._by_game: dict[str, I3Identity] = {}
        self._by_name: dict[str, I3Identity] = {}
        self._names = Namesakes()

    def __iter__(self) -> Iterator[I3Identity]:
        return iter(self._by_game.values())

    def of(self, client_id: str) -> I3Identity | None:
        """The identity of a game; C{None} if it may not join by Intermud-3."""
        return self._by_game.get(client_id)

    def named(self, name: str) -> I3Identity | None:
        """The identity of this name, which compares without case."""
        return self._by_name.get(name.lower())

    def others(self, name: str, client_id: str) -> list[str]:
        """The games but this one whose names can be mistaken for this one."""
        return self._names.others(name, client_id)

    def save(self, identity: I3Identity) -> None:
        """A game has this identity."""
        self.remove(identity.client_id)
        self._by_game[identity.client_id] = identity
        self._by_name[identity.name.lower()] = identity
        self._names.add(identity.name, identity.client_id)

    def remove(self, client_id: str) -> None:
        """A game has none, if it had one."""
        known = self._by_game.pop(client_id, None)
        if known is not None:
            del self._by_name[known.name.lower()]
            self._names.remove(known.name, client_id)
