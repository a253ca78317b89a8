"""The flags that a session may support (protocol specification, authenticate)."""

from __future__ import annotations

from typing import Final

FLAGS: Final = ("achievements", "channels", "games", "players", "tells")
"""What a session may support, in the order in which others are told of it."""


HISTORY: Final = "history"
"""Sessions that support this are told the numbers of messages. Other games are not told of the flag."""

SUPPORTS: Final = (*FLAGS, HISTORY)
"""All that a session may support."""
