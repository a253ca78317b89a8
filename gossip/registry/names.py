"""What games and channels may be called, and the names of the network itself."""

from __future__ import annotations

import re
from typing import Final

NETWORK_GAME: Final = "gossip"
"""The short name of the network itself, which is a game like others when it is asked for."""


NETWORK_ALIAS: Final = "grapevine"


NETWORK_PLAYER: Final = "system"
"""The one player of the network itself."""


def is_network(name: str) -> bool:
    """Is this the network itself, asked for as a game?"""
    return name.lower() in (NETWORK_GAME, NETWORK_ALIAS)


SHORT_NAME: Final = re.compile("[A-Za-z0-9]{1,15}")


CHANNEL_NAME: Final = re.compile("[A-Za-z_-]{3,15}")
