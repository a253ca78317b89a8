"""The flags that a session may support (protocol specification, authenticate)."""

from __future__ import annotations

from typing import Final

FLAGS: Final = ("achievements", "channels", "games", "players", "tells")
"""The flags that other games see, in the order in which they see them."""


HISTORY: Final = "history"
"""Sessions that support this receive the numbers of messages. Other games do not see this flag."""

SUPPORTS: Final = (*FLAGS, HISTORY)
"""All flags that a session may support."""
