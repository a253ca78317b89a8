"""The transport of games that join by telnet (GOSSIP 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from zope.interface import implementer

from gossip import __version__
from gossip.service.interfaces import Counts
from gossip.transports.admission import Admission
from gossip.transports.interfaces import ITransport, Parts
from gossip.transports.telnet.codec import Telnet
from gossip.transports.telnet.connection import TelnetConnection
from gossip.transports.telnet.dialects import web_hint
from gossip.transports.telnet.factory import TelnetFactory
from gossip.transports.telnet.limits import TelnetLimits
from gossip.transports.telnet.mssp import variables

_BYTES: Final = ("wire_in", "plain_in", "wire_out", "plain_out")
"""The counters of a codec: bytes both ways, on the wire and before compression."""


class AllLimits(Protocol):
    """The limits that the telnet port follows; 0 is no limit."""

    @property
    def telnet(self) -> TelnetLimits: ...
    @property
    def frame_out_bytes(self) -> int: ...
    @property
    def ref_bytes(self) -> int: ...


class TelnetSettings(Protocol):
    """The settings of the telnet port."""

    @property
    def limits(self) -> AllLimits: ...


@implementer(ITransport)
class TelnetTransport:
    """
    Games that connect by telnet.

    @ivar limits: the limits in force.
    @ivar admission: counts the connections.
    @ivar connections: the open connections.
    """

    name = setting = "telnet"
    purpose = "games by telnet"

    def __init__(self, limits: TelnetLimits | None = None) -> None:
        """@param limits: the limits until it is configured."""
        self.limits = limits or TelnetLimits()
        self.admission = Admission()
        self.admission.allow(self.limits)
        self.connections: set[TelnetConnection] = set()
        self._gone: Counter[str] = Counter()

    def configure(self, settings: TelnetSettings) -> None:
        self.limits = settings.limits.telnet
        self.admission.allow(self.limits)

    def factory(self, parts: Parts) -> TelnetFactory:
        settings: TelnetSettings = parts.settings
        rules, started_at = parts.network.rules, parts.gossip.now().wall
        return TelnetFactory(
            self,
            parts.clock,
            parts.gossip,
            lambda: variables(parts.network, parts.ports, started_at),
            lambda: rules.limits.rates.global_,
            banner=f"gossip/{__version__} HELP for help",
            web_hint=lambda: web_hint(rules.settings.website, parts.ports),
            frame_out=settings.limits.frame_out_bytes,
            ref_bytes=settings.limits.ref_bytes,
            room=parts.room,
            turns=parts.turns,
        )

    def connected(self, connection: TelnetConnection) -> None:
        """A connection begins."""
        self.connections.add(connection)

    def disconnected(self, connection: TelnetConnection) -> None:
        """A connection has ended; its bytes still count."""
        self.connections.discard(connection)
        self._gone.update(_bytes(connection.codec))

    def open_connections(self) -> int:
        return len(self.connections)

    def counts(self) -> Sequence[Counts]:
        total = Counter(dict.fromkeys(_BYTES, 0))
        for counted in (self._gone, *(_bytes(connection.codec) for connection in self.connections)):
            total.update(counted)
        return [Counts("telnet_bytes", "Bytes of the telnet port, on the wire and without compression.", dict(total))]


def _bytes(codec: Telnet) -> dict[str, int]:
    return {name: getattr(codec, name) for name in _BYTES}
