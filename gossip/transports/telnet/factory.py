"""
The telnet port: MUDs without websockets join by lines of text (protocol "GOSSIP 1").

The telnet codec turns bytes into lines, and a dialect turns lines into the same events that the websocket has: see
L{gossip.transports.telnet.connection}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from gossip.network.ratelimit import Rate
from gossip.protocol import frames
from gossip.registry.addresses import read
from gossip.service.interfaces import IGossip
from gossip.transports.admission import Room
from gossip.transports.end_of_turn import EndOfTurn
from gossip.transports.telnet.connection import TelnetConnection
from gossip.transports.telnet.json_dialect import JsonFormat
from gossip.transports.telnet.text_format import LineOptions, TextFormat
from gossip.transports.turns import Turns

if TYPE_CHECKING:
    from gossip.transports.telnet.transport import TelnetTransport

_FORMATS: Final = 256
"""How many sets of options have a shared wire format; for connections with others, each event is encoded one by one."""


class TelnetFactory(Factory):
    """
    Accepts the connections of the port.

    @ivar transport: the limits in force, and the open connections.
    @ivar end_of_turn: calls connections at the end of a turn.
    """

    noisy = False

    def __init__(
        self,
        transport: TelnetTransport,
        clock: IReactorTime,
        gossip: IGossip,
        mssp: Callable[[], Mapping[str, str]],
        line_rate: Callable[[], Rate],
        *,
        banner: str,
        web_hint: Callable[[], str],
        frame_out: int = frames.FRAME_OUT,
        ref_bytes: int = frames.REF_BYTES,
        room: Room | None = None,
        turns: Turns | None = None,
    ) -> None:
        """
        @param mssp: returns the variables of MSSP.
        @param line_rate: returns the rate limit for lines before the login.
        @param banner: product, version and a hint for people.
        @param web_hint: returns where the pages and the websocket are, for browsers at the wrong port.
        @param frame_out: the maximum size of an event as JSON, in bytes; 0 for no limit.
        @param ref_bytes: the maximum size of a ref, in bytes; 0 for no limit.
        @param room: counts the connections of all listeners.
        @param turns: shares the turns of the reactor among them.
        """
        self.transport = transport
        self.room = room or Room()
        self.turns = turns or Turns(clock)
        self.clock = clock
        self.gossip = gossip
        self.mssp = mssp
        self.line_rate = line_rate
        self.banner = banner
        self.web_hint: Callable[[], str] = web_hint
        self.ref_bytes: int = ref_bytes
        self.json_format: JsonFormat = JsonFormat(frame_out, transport.limits.json_line_bytes)
        self._text_formats: dict[LineOptions, TextFormat] = {}
        self.end_of_turn = EndOfTurn(clock)

    # A connection names its factory by a narrower type than Twisted does.
    def logPrefix(self) -> str:
        """What Twisted logs when it listens, before "starting on"."""
        return "The port for games by telnet"

    def buildProtocol(self, addr: IAddress | None) -> TelnetConnection | None:  # type: ignore[override]
        address = read(getattr(addr, "host", None))
        if self.room.full or not self.transport.admission.admit(address):
            return None
        self.room.enter()
        return TelnetConnection(self, address)

    def doStop(self) -> None:
        super().doStop()
        if not self.numPorts:
            for connection in list(self.transport.connections):
                connection.stop()

    def text_format(self, options: LineOptions) -> TextFormat:
        """The wire format for these options: connections with the same options share one."""
        shared = self._text_formats.get(options)
        if shared is None:
            shared = TextFormat(options)
            if len(self._text_formats) < _FORMATS:
                self._text_formats[options] = shared
        return shared
