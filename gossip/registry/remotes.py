"""
Remote games: nobody registered them; they are on another network, and speak here through a registered game.

The client_id of one is that of the game that it speaks through, a slash, and its own name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

from gossip.registry.entities import Game

NAMELESS: Final = "Mud"
"""The beginning of the short name of a remote game whose name has no plain letters."""

_MOST: Final = 15
_NOT_PLAIN: Final = re.compile("[^A-Za-z0-9]")


def remote_id(through: str, name: str) -> str:
    """
    The client_id of a remote game.

    @param through: the client_id of the game that it speaks through.
    @param name: its name on its own network.
    """
    return f"{through}/{quote(name, safe='')}"


def gateway_of(client_id: str) -> str:
    """The client_id of the game that a remote game speaks through; that of any other game is its own."""
    return client_id.partition("/")[0]


def short_name(name: str, suffix: str, is_taken: Callable[[str], bool]) -> str:
    """
    A short name for a remote game: its letters and digits, then the suffix. If that is taken, it gets a number.

    @param suffix: what the short names of all remote games of a network end in.
    @param is_taken: whether another game has a short name.
    """
    room = _MOST - len(suffix)
    stem = _NOT_PLAIN.sub("", unicodedata.normalize("NFKD", name))[:room] or NAMELESS
    found, number = f"{stem}{suffix}", 1
    while is_taken(found):
        number += 1
        found = f"{stem[: room - len(str(number))]}{number}{suffix}"
    return found


class Remotes:
    """The remote games that are here, on any node."""

    def __init__(self) -> None:
        self._games: dict[str, Game] = {}
        self._names: dict[str, str] = {}

    def __iter__(self) -> Iterator[Game]:
        return iter(self._games.values())

    def __len__(self) -> int:
        return len(self._games)

    def get(self, client_id: str) -> Game | None:
        """The remote game of this client_id."""
        return self._games.get(client_id)

    def named(self, short_name: str) -> Game | None:
        """The remote game of this short name, which compares without case."""
        return self._games.get(self._names.get(short_name.lower(), ""))

    def came(self, game: Game) -> None:
        """A remote game is here."""
        self.went(game.client_id)
        self._games[game.client_id] = game
        self._names[game.short_name.lower()] = game.client_id

    def went(self, client_id: str) -> None:
        """A remote game is gone."""
        game = self._games.pop(client_id, None)
        if game is not None and self._names.get(game.short_name.lower()) == client_id:
            del self._names[game.short_name.lower()]
