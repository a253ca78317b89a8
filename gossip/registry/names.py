"""The names that games and channels may have, and those of the network itself."""

from __future__ import annotations

import re
from typing import Final

from gossip.protocol.skeleton import skeleton, skeletons

NETWORK_GAME: Final = "gossip"
"""The short name of the network itself. Games can ask for its status and players like those of any other game."""


NETWORK_ALIAS: Final = "grapevine"
"""A second name of the network, which games of the original network use."""


NETWORK_PLAYER: Final = "system"
"""The only player of the network itself."""


def is_network(name: str) -> bool:
    """Is this the name of the network itself?"""
    return name.lower() in (NETWORK_GAME, NETWORK_ALIAS)


def is_of_network(player: str) -> bool:
    """Would a player's name be mistaken for C{NAME@gossip}: the network itself, or a person on its pages?"""
    if not _AT.search(player):
        return False
    return any(each.rpartition("@")[2].strip() in _OWN for each in skeletons(player))


_OWN: Final = {skeleton(NETWORK_GAME), skeleton(NETWORK_ALIAS)}

# With its full-width and small forms. No other character looks like it.
_AT: Final = re.compile("[@\uff20\ufe6b]")

SHORT_NAME: Final = re.compile("[A-Za-z0-9]{1,15}")


CHANNEL_NAME: Final = re.compile("[A-Za-z_-]{3,15}")
