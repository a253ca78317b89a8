"""The flags that a session may support (protocol specification, authenticate)."""

from __future__ import annotations

from typing import Final

FLAGS: Final = ("achievements", "channels", "games", "players", "tells")
"""What a session may support, in the order in which others are told of it."""


SUPPORTS: Final = (*FLAGS, "history")
"""All that a session may support. C{history} is nobody else's business: other games are not told of it."""
