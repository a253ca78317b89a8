"""The transport of MUDs that have the network as their router of Intermud-3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zope.interface import implementer

from gossip.service.interfaces import Counts
from gossip.transports.admission import Admission
from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.intermud3.connection import REASONS, I3Connection
from gossip.transports.intermud3.factory import I3Factory
from gossip.transports.intermud3.hub import TRANSPORT
from gossip.transports.intermud3.limits import I3Limits, I3Settings
from gossip.transports.intermud3.packets import TYPES


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
class I3Transport:
    """
    MUDs that connect by Intermud-3.

    @ivar limits: the limits in force.
    @ivar admission: counts the connections.
    @ivar connections: the open connections.
    """

    name = TRANSPORT
    setting = "i3.listen"
    purpose = "games by Intermud-3"

    def __init__(self, limits: I3Limits | None = None) -> None:
        """@param limits: the limits until it is configured."""
        self.limits = limits or I3Limits()
        self.admission = Admission()
        self.admission.allow(self.limits)
        self.connections: set[I3Connection] = set()
        self._received = dict.fromkeys((*TYPES, "other"), 0)
        self._sent = dict(self._received)
        self._dropped = dict.fromkeys(REASONS, 0)

    def configure(self, settings: Settings) -> None:
        self.limits = settings.limits.i3
        self.admission.allow(self.limits)

    def factory(self, parts: Parts) -> I3Factory:
        settings: Settings = parts.settings
        return I3Factory(self, parts, settings.i3)

    def connected(self, connection: I3Connection) -> None:
        """A connection begins."""
        self.connections.add(connection)

    def disconnected(self, connection: I3Connection, was_logged_in: bool) -> None:
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
            Counts("i3_packets_in", "Packets from games by Intermud-3, by type.", dict(self._received)),
            Counts("i3_packets_out", "Packets written for games by Intermud-3, by type.", dict(self._sent)),
            Counts("i3_dropped", "Packets from games by Intermud-3 that were dropped, by reason.", dict(self._dropped)),
        ]
