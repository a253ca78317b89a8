"""The flags and the extensions of a session (protocol specification, authenticate)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FLAGS: Final = ("achievements", "channels", "games", "players", "tells")
"""The flags that other games see, in the order in which they see them."""


HISTORY: Final = "history"
"""Sessions that support this receive the numbers of messages. Other games do not see this flag."""

SUPPORTS: Final = (*FLAGS, HISTORY)
"""All flags that a session may support."""

DIRECTORY: Final = "directory"
"""This extension tells a session about the channels and games of the network: more than an old client knows."""

MODERATION: Final = "moderation"
"""This extension tells a session of removed messages, and of mutes and bans of its own game and players."""

EXTENSIONS: Final = (DIRECTORY, MODERATION, HISTORY)
"""All extensions that a session may be granted. The flag history counts as one, too."""


def granted(asked: Iterable[str]) -> tuple[str, ...]:
    """The extensions that a session gets of those that it asks for, in its order. Unknown ones are left out."""
    return tuple(dict.fromkeys(name for name in asked if name in EXTENSIONS))
