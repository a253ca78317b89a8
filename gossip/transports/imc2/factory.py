"""Accepts the connections of the IMC2 port, and writes what is the same for all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gossip.network.ratelimit import Bucket
from gossip.protocol.server_events import ChannelsBroadcast
from gossip.registry.addresses import Address, read
from gossip.registry.names import is_network
from gossip.service.bounded_log import Frequent
from gossip.transports.end_of_turn import EndOfTurn
from gossip.transports.imc2 import lettering
from gossip.transports.imc2.connection import Imc2Connection, Refused
from gossip.transports.imc2.hub import TRANSPORT, Imc2Hub
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.imc2.login import NUMBERS
from gossip.transports.imc2.packets import Packet, write
from gossip.transports.imc2.wire import broadcast
from gossip.transports.interfaces import Parts
from gossip.transports.telnet.lines import CHARSETS
from gossip.transports.written_once import WrittenOnce

if TYPE_CHECKING:
    from gossip.transports.imc2.transport import Imc2Transport

LOOK_SECONDS: Final = 60
"""How often the hub looks at the channels to offer and at the players of MUDs, in seconds."""

REPLACED: Final = 5
"""A game that replaces its connection more often than this within L{REPLACED_SECONDS} is refused."""

REPLACED_SECONDS: Final = 600
"""See L{REPLACED}; in seconds."""

_log = Logger()


class Imc2Factory(Factory):
    """
    Accepts the connections of the port.

    @ivar transport: the limits in force, and the counters.
    @ivar hub: what MUDs are told of each other and of the network.
    @ivar server: the name of the network on the wire.
    @ivar new_challenge: picks the number that one login by SHA-256 is proved with.
    @ivar end_of_turn: calls connections at the end of a turn.
    @ivar turns: shares the turns of the reactor with the other listeners.
    """

    noisy = False

    def __init__(self, transport: Imc2Transport, parts: Parts, settings: Imc2Settings) -> None:
        self.transport = transport
        self.clock = parts.clock
        self.gossip = parts.gossip
        self.network = parts.network
        self.room = parts.room
        self.turns = parts.turns
        self.end_of_turn = EndOfTurn(parts.clock)
        self.settings = settings
        self.server = settings.server
        self.new_challenge: Callable[[], int] = lambda: SystemRandom().randint(*NUMBERS)
        port = parts.ports
        self.hub: Imc2Hub = Imc2Hub(
            parts.network,
            settings,
            parts.gossip.now,
            self.text,
            lambda: port[transport.name].plain if transport.name in port else "",
            parts.gossip.pass_on,
        )
        parts.gossip.passed[TRANSPORT] = self.hub.passed
        parts.gossip.passed_back[TRANSPORT] = self.hub.passed_back
        self._codec = CHARSETS[settings.charset]
        # It grows from one run of the daemon to the next: MUDs drop what is older than what they know of an origin.
        self._sequence = int(parts.gossip.now().wall)
        self._broadcasts = WrittenOnce()
        self._replaced: dict[str, deque[float]] = {}
        self._looking = LoopingCall(self.look)
        self._looking.clock = parts.clock
        self.dropped = Frequent(lambda item: _log.info("dropped packets of IMC2: {item}", item=item))

    def logPrefix(self) -> str:
        """What Twisted logs when it listens, before "starting on"."""
        return "The port for games by IMC2"

    def buildProtocol(self, addr: IAddress | None) -> Any:
        address = read(getattr(addr, "host", None))
        if self.room.full or not self.transport.admission.admit(address):
            # None would be a FIN, on which old clients read forever.
            return Refused()
        self.room.enter()
        return Imc2Connection(self, address)

    def doStart(self) -> None:
        super().doStart()
        if not self._looking.running:
            self._looking.start(LOOK_SECONDS, now=False)

    def doStop(self) -> None:
        super().doStop()
        if not self.numPorts:
            if self._looking.running:
                self._looking.stop()
            for connection in list(self.transport.connections):
                connection.stop()

    def look(self) -> None:
        """Tell of channels and remote games that came or went, forget players that did nothing for long, and log."""
        self.dropped.tick()
        self.hub.one.forget()
        came, went = self.hub.look()
        games, gone = self.hub.games.look()
        for connection in list(self.transport.connections):
            try:
                connection.look(came, went)
                if connection.active is not None:
                    packets = self.hub.games.alive_now(games, connection.dialect.mud)
                    connection.send([*packets, *map(self.hub.games.gone, gone)])
            except Exception:
                _log.failure("cannot tell a MUD of channels and games")

    def may_replace(self, client_id: str) -> bool:
        """A game that is connected logs in again; returns whether it may."""
        now = self.gossip.now().steady
        times = self._replaced.setdefault(client_id, deque(maxlen=REPLACED))
        if len(times) == REPLACED and times[0] + REPLACED_SECONDS > now:
            return False
        times.append(now)
        return True

    # What leaves.

    def write(self, packet: Packet) -> bytes:
        """Write a packet; one without a sequence gets the next one."""
        if not packet.sequence:
            self._sequence += 1
            packet = replace(packet, sequence=self._sequence)
        self.transport.sent(packet.type)
        return write(packet, self._codec)

    def broadcast(self, event: ChannelsBroadcast) -> bytes:
        """Write a message on a channel: the same bytes for all MUDs."""
        return self._broadcasts.written(event, lambda: b"".join(map(self.write, broadcast(self, event))))

    def text(self, text: str) -> str:
        """A text of another game in the charset of the port."""
        return lettering.text(text, self.settings.charset)

    def spread(self, text: str, packets: int | None = None) -> Iterator[str]:
        """
        A text of another game in parts.

        @param packets: the maximum number of parts; C{None} for that of the limits.
        """
        limits = self.transport.limits
        return lettering.spread(
            self.text(text), self.settings.charset, min(limits.text_bytes or 700, 700), packets or limits.packets or 4
        )

    def wire_name(self, game: str) -> str:
        """The name of a game on the wire."""
        return self.server if is_network(game) else game

    def route(self, origin: str) -> str:
        """The way that packets of a game have taken."""
        return origin if origin == self.server else f"{origin}!{self.server}"

    def bucket(self) -> Bucket:
        """A new bucket for what a connection has passed on."""
        return Bucket(self.gossip.now())

    def admitted_peer(self, address: Address) -> None:
        """A connection has logged in."""
        self.transport.admission.authenticated(address)
