"""
Ways to play a game as URLs: C{telnet://mud.example:4000}, C{telnets://...}, C{https://...}.

People may leave out the C{telnet://}, and write a space before the port, as they type it for a telnet client.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from gossip.protocol.server_events import GameConnection, SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.registry.errors import Refused

_HOST_AND_PORT: Final = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(?::| +)([0-9]{1,5})")


def written(way: GameConnection) -> str:
    """A way to play as a URL."""
    if isinstance(way, WebConnection):
        return way.url
    host = f"[{way.host}]" if ":" in way.host else way.host
    scheme = "telnets" if isinstance(way, SecureTelnetConnection) else "telnet"
    return f"{scheme}://{host}:{way.port}"


def read(text: str) -> GameConnection:
    """
    Read a way to play. The registry checks its host and port.

    @raise Refused: the text is not such a URL.
    """
    kinds: dict[str, type[TelnetConnection] | type[SecureTelnetConnection]] = {
        "telnet": TelnetConnection,
        "telnets": SecureTelnetConnection,
    }
    if found := _HOST_AND_PORT.fullmatch(text):
        text = f"telnet://{found[1]}:{found[2]}"
    kind = kinds.get(text.partition("://")[0].lower())
    if kind is None:
        if text.lower().startswith(("http://", "https://")):
            return WebConnection(text)
    else:
        try:
            parts = urlsplit(text)
            if parts.hostname and parts.port and not (parts.path or parts.query or parts.fragment or parts.username):
                return kind(parts.hostname, parts.port)
        except ValueError:
            pass
    raise Refused(
        "invalid",
        "connections",
        "a way to play is like mud.example:4000, telnets://mud.example:4443 or https://mud.example/",
    )
