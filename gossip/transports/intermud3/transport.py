"""The transport of MUDs that have the network as their router of Intermud-3."""

from __future__ import annotations

from typing import Protocol

from zope.interface import implementer

from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.intermud3.connection import REASONS, I3Connection
from gossip.transports.intermud3.factory import I3Factory
from gossip.transports.intermud3.hub import TRANSPORT
from gossip.transports.intermud3.limits import I3Limits, I3Settings
from gossip.transports.intermud3.packets import TYPES
from gossip.transports.packet_port import PacketPort


class AllLimits(Protocol):
    """The limits that the Intermud-3 port follows; 0 is no limit."""

    @property
    def i3(self) -> I3Limits: ...


class Settings(Protocol):
    """The settings of the Intermud-3 port."""

    @property
    def i3(self) -> I3Settings: ...
    @property
    def limits(self) -> AllLimits: ...


@implementer(ITransport)
class I3Transport(PacketPort[I3Limits, I3Connection]):
    """MUDs that connect by Intermud-3."""

    name = TRANSPORT
    protocol = "Intermud-3"
    setting = "i3.listen"
    purpose = "games by Intermud-3"

    def __init__(self, limits: I3Limits | None = None) -> None:
        """@param limits: the limits until it is configured."""
        super().__init__(limits or I3Limits(), TYPES, REASONS)

    def configure(self, settings: Settings) -> None:
        self.follow(settings.limits.i3)

    def factory(self, parts: Parts) -> I3Factory:
        settings: Settings = parts.settings
        return I3Factory(self, parts, settings.i3)
