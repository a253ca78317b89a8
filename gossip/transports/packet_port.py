"""What the ports for MUDs that speak in packets have in common: limits, connections, and counted packets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from gossip.registry.addresses import Address
from gossip.service.interfaces import Counts
from gossip.transports.admission import Admission, ConnectionLimits


class Peer(Protocol):
    """A connection of such a port."""

    peer_address: Address


Limits = TypeVar("Limits", bound=ConnectionLimits)
Connection = TypeVar("Connection", bound=Peer)


class PacketPort(Generic[Limits, Connection]):
    """
    A port for games that speak in packets.

    @cvar name: the transport's name, which the names of its metrics begin with.
    @cvar protocol: the protocol, for people.
    @ivar limits: the limits in force.
    @ivar admission: counts the connections.
    @ivar connections: the open connections.
    """

    name: str
    protocol: str

    def __init__(self, limits: Limits, types: Sequence[str], reasons: Sequence[str]) -> None:
        """
        @param types: the types of packets that are counted by name.
        @param reasons: why packets are dropped.
        """
        self.admission = Admission()
        self.connections: set[Connection] = set()
        self._received = dict.fromkeys((*types, "other"), 0)
        self._sent = dict(self._received)
        self._dropped = dict.fromkeys(reasons, 0)
        self.follow(limits)

    def follow(self, limits: Limits) -> None:
        """Follow these limits from now on."""
        self.limits = limits
        self.admission.allow(limits)

    def connected(self, connection: Connection) -> None:
        """A connection begins."""
        self.connections.add(connection)

    def disconnected(self, connection: Connection, was_logged_in: bool) -> None:
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
        """Count a packet that was dropped: why, is one of the reasons."""
        self._dropped[why] += 1

    def open_connections(self) -> int:
        return len(self.connections)

    def counts(self) -> Sequence[Counts]:
        name, games = self.name, f"games by {self.protocol}"
        return [
            Counts(f"{name}_packets_in", f"Packets from {games}, by type.", dict(self._received)),
            Counts(f"{name}_packets_out", f"Packets written for {games}, by type.", dict(self._sent)),
            Counts(f"{name}_dropped", f"Packets from {games} that were dropped, by reason.", dict(self._dropped)),
        ]
