"""The transport of games that join by IMC2."""

from __future__ import annotations

from typing import Protocol

from zope.interface import implementer

from gossip.transports.imc2.connection import Imc2Connection
from gossip.transports.imc2.dialect import REASONS, TYPES
from gossip.transports.imc2.factory import Imc2Factory
from gossip.transports.imc2.limits import Imc2Limits, Imc2Settings
from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.packet_port import PacketPort


class AllLimits(Protocol):
    """The limits that the IMC2 port follows; 0 is no limit."""

    @property
    def imc2(self) -> Imc2Limits: ...


class Settings(Protocol):
    """The settings of the IMC2 port."""

    @property
    def imc2(self) -> Imc2Settings: ...
    @property
    def limits(self) -> AllLimits: ...


@implementer(ITransport)
class Imc2Transport(PacketPort[Imc2Limits, Imc2Connection]):
    """Games that connect by IMC2."""

    name = "imc2"
    protocol = "IMC2"
    setting = "imc2.listen"
    purpose = "games by IMC2"

    def __init__(self, limits: Imc2Limits | None = None) -> None:
        """@param limits: the limits until it is configured."""
        super().__init__(limits or Imc2Limits(), TYPES, REASONS)

    def configure(self, settings: Settings) -> None:
        self.follow(settings.limits.imc2)

    def factory(self, parts: Parts) -> Imc2Factory:
        settings: Settings = parts.settings
        return Imc2Factory(self, parts, settings.imc2)
