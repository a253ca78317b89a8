"""What the telnet port tells crawlers of MUDs (MSSP, https://tintin.mudhalla.net/protocols/mssp/)."""

from __future__ import annotations

from collections.abc import Mapping

from gossip import __version__
from gossip.network.network import Network
from gossip.transports.endpoints import Ports


def variables(network: Network, ports: Mapping[str, Ports], started_at: float) -> dict[str, str]:
    """
    The variables of MSSP with their values of this moment; a variable without a value is left out.

    @param ports: the ports of each open transport, by its name.
    @param started_at: when the daemon started, in seconds since the epoch.
    """
    presence = network.presence
    settings = network.rules.settings
    plain, encrypted = ports.get("telnet", Ports())
    all_variables = {
        "NAME": settings.name,
        "PLAYERS": str(presence.players),
        "UPTIME": str(int(started_at)),
        "GAMES": str(len(presence)),
        "CODEBASE": f"gossip {__version__}",
        "INTERMUD": "GOSSIP",
        "PORT": plain,
        "SSL": encrypted,
        "WEBSITE": settings.website,
        "CONTACT": settings.contact,
        "CHARSET": "UTF-8",
        "UTF-8": "1",
        "ANSI": "0",
        "MCCP": "1",
        "MXP": "0",
        "MSDP": "0",
        "GMCP": "0",
    }
    return {name: value for name, value in all_variables.items() if value}
