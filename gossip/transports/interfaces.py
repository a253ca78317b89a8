"""What a transport is: where it listens, what it accepts connections with, and what it tells about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from zope.interface import Attribute

from gossip.network.network import Network
from gossip.service.interfaces import IGossip, ITransportStatus
from gossip.transports.admission import Room
from gossip.transports.endpoints import Ports
from gossip.transports.turns import Turns


class Parts(Struct, frozen=True):
    """
    The parts of a daemon that a transport makes its factory from.

    @ivar clock: the reactor.
    @ivar gossip: where events go.
    @ivar network: the network, for what is told about it: its name and who is online.
    @ivar settings: the configuration; a transport names what it reads of it in a C{Protocol} of its own.
    @ivar ports: the ports of each open transport, by its name.
    @ivar pages: the site with the web pages.
    @ivar room: counts the connections of all transports together. A transport asks it before it accepts one.
    @ivar turns: shares the turns of the reactor among them.
    """

    clock: IReactorTime
    gossip: IGossip
    network: Network
    settings: Any
    ports: Mapping[str, Ports]
    pages: IProtocolFactory
    room: Room
    turns: Turns


class ITransport(ITransportStatus):
    """
    A way for games to connect.

    A daemon makes one object of each registered class. It exists before the service does, so that the service can ask
    it for its status, and it keeps what the status needs.
    """

    setting: str = Attribute(
        "The key of the configuration that lists its endpoint strings (C{imc2.listen}); it is open if there is one."
    )
    purpose: str = Attribute("What is found at its endpoints, for the lines that a daemon logs at its start.")

    def configure(settings: Any) -> None:
        """Follow this configuration from now on. Called before the factory is made, and at each reload."""

    def factory(parts: Parts) -> IProtocolFactory:
        """Make the factory that accepts the connections of all its endpoints. Called once."""
