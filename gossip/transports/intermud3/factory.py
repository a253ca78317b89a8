"""Accepts the connections of the Intermud-3 port, and writes what is the same for all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gossip.network.ratelimit import Bucket
from gossip.protocol.server_events import ChannelsBroadcast
from gossip.registry.addresses import Address, read
from gossip.service.bounded_log import Frequent
from gossip.transports.end_of_turn import EndOfTurn
from gossip.transports.interfaces import Parts
from gossip.transports.intermud3.connection import I3Connection
from gossip.transports.intermud3.conversation import broadcast
from gossip.transports.intermud3.hub import TRANSPORT, I3Hub
from gossip.transports.intermud3.limits import I3Settings
from gossip.transports.written_once import WrittenOnce

if TYPE_CHECKING:
    from gossip.transports.intermud3.transport import I3Transport

BEAT_SECONDS: Final = 10
"""How often each connection looks whether its MUD is silent, in seconds."""

LOOK_BEATS: Final = 6
"""How often the hub looks at all games and channels, in beats."""

_KIND_AT: Final = len(b'....({"')

_log = Logger()


class I3Factory(Factory):
    """
    Accepts the connections of the port.

    @ivar transport: the limits in force, and the counters.
    @ivar hub: all that MUDs ask the router.
    """

    noisy = False

    def __init__(self, transport: I3Transport, parts: Parts, settings: I3Settings) -> None:
        self.transport = transport
        self.clock = parts.clock
        self.gossip = parts.gossip
        self.network = parts.network
        self.room = parts.room
        self.turns = parts.turns
        self.end_of_turn: EndOfTurn = EndOfTurn(parts.clock)
        self.settings = settings
        self.hub: I3Hub = I3Hub(parts.network, settings, parts.gossip.now, parts.gossip.pass_on)
        parts.gossip.passed[TRANSPORT] = self.hub.passed
        parts.gossip.passed_back[TRANSPORT] = self.hub.passed_back
        self.dropped = Frequent(lambda item: _log.info("dropped packets of Intermud-3: {item}", item=item))
        self._broadcasts = WrittenOnce()
        self._beats = 0
        self._beating = LoopingCall(self.beat)
        self._beating.clock = parts.clock

    def logPrefix(self) -> str:
        """What Twisted logs when it listens, before "starting on"."""
        return "The port for games by Intermud-3"

    def buildProtocol(self, addr: IAddress | None) -> Any:
        address = read(getattr(addr, "host", None))
        if self.room.full or not self.transport.admission.admit(address):
            return None
        self.room.enter()
        return I3Connection(self, address)

    def doStart(self) -> None:
        super().doStart()
        if not self._beating.running:
            self._beating.start(BEAT_SECONDS, now=False)

    def doStop(self) -> None:
        super().doStop()
        if not self.numPorts:
            if self._beating.running:
                self._beating.stop()
            for connection in list(self.transport.connections):
                connection.stop()

    def beat(self) -> None:
        """Time went by: look for silent MUDs, and from time to time at all games and channels."""
        self._beats += 1
        self.dropped.tick()
        for connection in list(self.transport.connections):
            try:
                connection.beat()
            except Exception:
                # A bug that shows on one connection must not affect the others.
                _log.failure("cannot look after a MUD")
        if not self._beats % LOOK_BEATS:
            try:
                self.hub.one.forget()
                self.hub.look()
            except Exception:
                # A LoopingCall that fails would stop for ever.
                _log.failure("cannot tell MUDs of each other")

    # What leaves.

    def broadcast(self, event: ChannelsBroadcast) -> bytes:
        """Write a message on a channel: the same bytes for all MUDs."""
        return self._broadcasts.written(event, partial(self._write_broadcast, event))

    def _write_broadcast(self, event: ChannelsBroadcast) -> bytes:
        there = self.hub.channel_name(event.channel)
        if there is None:
            return b""
        mud = self.hub.name_of(event.game)
        return b"".join(
            map(self.counted, broadcast(mud, there, event.name, event.message, self.transport.limits.parts))
        )

    def counted(self, frame: bytes) -> bytes:
        """Count a frame that leaves, by its type."""
        self.transport.sent(frame[_KIND_AT : frame.index(b'"', _KIND_AT)].decode())
        return frame

    def bucket(self) -> Bucket:
        """A new bucket for what a connection has passed on."""
        return Bucket(self.gossip.now())

    def admitted_peer(self, address: Address) -> None:
        """A connection has logged in."""
        self.transport.admission.authenticated(address)
