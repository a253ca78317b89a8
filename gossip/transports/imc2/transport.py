"""The transport of games that join by IMC2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zope.interface import implementer

from gossip.service.interfaces import Counts
from gossip.transports.admission import Admission
from gossip.transports.imc2.connection import Imc2Connection
from gossip.transports.imc2.dialect import REASONS, TYPES
from gossip.transports.imc2.factory import Imc2Factory
from gossip.transports.imc2.limits import Imc2Limits, Imc2Settings
from gossip.transports.interfaces import ITransport, Parts


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
class Imc2Transport:
    """
    Games that connect by IMC2.

    @ivar limits: the limits in force.
    @ivar admission: counts the connections.
    @ivar connections: the open connections.
    """

    name = "imc2"
    setting = "imc2.listen"
    purpose = "games by IMC2"

    def __init__(self, limits: Imc2Limits | None = None) -> None:
        """@param limits: the limits until it is configured."""
        self.limits = limits or Imc2Limits()
        self.admission = Admission()
        self.admission.allow(self.limits)
        self.connections: set[Imc2Connection] = set()
        self._received = dict.fromkeys((*TYPES, "other"), 0)
        self._sent = dict(self._received)
        self._dropped = dict.fromkeys(REASONS, 0)

    def configure(self, settings: Settings) -> None:
        self.limits = settings.limits.imc2
        self.admission.allow(self.limits)

    def factory(self, parts: Parts) -> Imc2Factory:
        settings: Settings = parts.settings
        return Imc2Factory(self, parts, settings.imc2)

    def connected(self, connection: Imc2Connection) -> None:
        """A connection begins."""
        self.connections.add(connection)

    def disconnected(self, connection: Imc2Connection, was_logged_in: bool) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        self.admission.left(connection.peer_address, was_logged_in)

    def received(self, kind: str) -> None:
        """Count a packet of a MUD."""
        self._received[kind if kind in self._received else "other"] += 1

    def sent(self, kind: str) -> None:
        """Count a packet that was written; one for many MUDs counts once."""
        self._sent[kind if kind in self._sent else "other"] += 1

    def dropped(self, why: str) -> None:
        """Count a packet that was dropped: why, is one of L{REASONS}."""
        self._dropped[why] += 1

    def open_connections(self) -> int:
        return len(self.connections)

    def counts(self) -> Sequence[Counts]:
        return [
            Counts("imc2_packets_in", "Packets from games by IMC2, by type.", dict(self._received)),
            Counts("imc2_packets_out", "Packets written for games by IMC2, by type.", dict(self._sent)),
            Counts("imc2_dropped", "Packets from games by IMC2 that were dropped, by reason.", dict(self._dropped)),
        ]
