"""
What the telnet bridge tells crawlers of MUDs (MSSP, https://tintin.mudhalla.net/protocols/mssp/), and whoever speaks
HTTP to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gossip import __version__
from gossip.config import Config
from gossip.network.network import Network
from gossip.network.settings import Rules

_PLAIN: Final = re.compile(r"tcp6?:(?:port=)?(\d+)(?::|$)")
_ENCRYPTED: Final = re.compile(r"(?:ssl:(?:port=)?(\d+)(?::|$)|tls:.*:(\d+)$)")


def port(endpoints: Sequence[str], encrypted: bool = False) -> str:
    """The port of the first endpoint string that names one; empty if none does."""
    pattern = _ENCRYPTED if encrypted else _PLAIN
    found = next(filter(None, map(pattern.match, endpoints)), None)
    return "" if found is None else next(filter(None, found.groups()))


class Figures:
    """The live figures of a network."""

    def __init__(self, network: Network, config: Config, rules: Rules, started_at: float) -> None:
        """
        @param rules: the settings that may change while the daemon runs.
        @param started_at: seconds since the epoch.
        """
        self._network = network
        self._config = config
        self._rules = rules
        self._started_at = started_at

    def mssp(self) -> dict[str, str]:
        """The variables of MSSP that there is something to say for."""
        online = list(self._network.presence)
        settings = self._rules.settings
        variables = {
            "NAME": settings.name,
            "PLAYERS": str(sum(len(game.players) for game in online)),
            "UPTIME": str(int(self._started_at)),
            "GAMES": str(len(online)),
            "CODEBASE": f"gossip {__version__}",
            "INTERMUD": "GOSSIP",
            "PORT": port(self._config.telnet),
            "SSL": port(self._config.telnet, encrypted=True),
            "WEBSITE": settings.website,
            "CHARSET": "UTF-8",
            "UTF-8": "1",
            "ANSI": "0",
            "MCCP": "1",
            "MXP": "0",
            "MSDP": "0",
            "GMCP": "0",
        }
        return {name: value for name, value in variables.items() if value}

    def web_hint(self) -> str:
        """Where pages and websockets are."""
        if website := self._rules.settings.website:
            return f"see {website}"
        listen = self._config.listen
        if number := port(listen, encrypted=True):
            return f"pages are at https port {number}, websockets at /socket there"
        if number := port(listen):
            return f"pages are at http port {number}, websockets at /socket there"
        return "pages and websockets are on another port"
