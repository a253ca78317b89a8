"""The names that games and channels may have, and those of the network itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gossip.protocol.skeleton import skeleton, skeletons

NETWORK_GAME: Final = "gossip"
"""The short name of the network itself. Games can ask for its status and players like those of any other game."""


NETWORK_ALIAS: Final = "grapevine"
"""A second name of the network, which games of the original network use."""


NETWORK_PLAYER: Final = "system"
"""The player of the network itself that others are shown."""


ECHO_PLAYER: Final = "echo"
"""A player of the network itself that answers a game with what it said. It is in no list of players."""


ECHO_CHANNEL: Final = "testing"
"""The channel that L{ECHO_PLAYER} answers on."""


def is_network(name: str) -> bool:
    """Is this the name of the network itself?"""
    return name.lower() in (NETWORK_GAME, NETWORK_ALIAS)


def is_of_network(player: str) -> bool:
    """Would a player's name be mistaken for C{NAME@gossip}: the network itself, or a person on its pages?"""
    if "@" not in player and (player.isascii() or not _AT.search(player)):
        return False
    return any(each.rpartition("@")[2].strip() in _OWN for each in skeletons(player))


_OWN: Final = {skeleton(NETWORK_GAME), skeleton(NETWORK_ALIAS)}

# With its full-width and small forms. No other character looks like it.
_AT: Final = re.compile("[@\uff20\ufe6b]")


def resembles(name: str, names: Iterable[str]) -> bool:
    """Can a name be mistaken for one of these?"""
    protected = {each for one in names for each in skeletons(one)}
    return not protected.isdisjoint(skeletons(name))


class Namesakes:
    """The names of games or accounts, by what they look like. Earlier releases stored names that look alike."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, ...]] = {}

    def add(self, name: str, owner: str) -> None:
        """
        Somebody has a name.

        @param owner: identifies the game or the account.
        """
        for each in skeletons(name):
            self._owners[each] = (*self._owners.get(each, ()), owner)

    def remove(self, name: str, owner: str) -> None:
        """Somebody, who was added, no longer has a name."""
        for each in skeletons(name):
            left = tuple(one for one in self._owners.pop(each) if one != owner)
            if left:
                self._owners[each] = left

    def others(self, name: str, owner: str = "") -> list[str]:
        """All but this owner that have a name that can be mistaken for this one."""
        return [one for each in skeletons(name) for one in self._owners.get(each, ()) if one != owner]


SHORT_NAME: Final = re.compile("[A-Za-z0-9]{1,15}")


CHANNEL_NAME: Final = re.compile("[A-Za-z_-]{3,15}")


_I3_NAME: Final = re.compile(r"(?! )[ -~]{1,40}(?<! )")
_NOT_IN_I3_NAMES: Final = frozenset('"\\@:,%*')


def is_i3_name(name: str) -> bool:
    """Can a MUD have this name on Intermud-3?"""
    return _I3_NAME.fullmatch(name) is not None and _NOT_IN_I3_NAMES.isdisjoint(name)
