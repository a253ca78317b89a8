"""
The telnet bridge: MUDs without websockets join by a plain line (bridge's protocol, "GOSSIP 1").

Bytes pass the telnet codec, lines the dialect that the first of them decides on, and what they mean takes the same way
into the same network as the events of the websocket: see L{gossip.transports.telnet.connection}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from gossip.network.ratelimit import Rate
from gossip.protocol import frames
from gossip.service.interfaces import IGossip
from gossip.transports.telnet.connection import TelnetConnection
from gossip.transports.telnet.json_dialect import JsonFormat
from gossip.transports.telnet.text_format import LineOptions, TextFormat

if TYPE_CHECKING:
    from gossip.transports.telnet.transport import TelnetTransport

_FORMATS: Final = 256
"""So many sets of options share what is written for them; who has others is written to alone."""

_log = Logger()


class TelnetFactory(Factory):
    """
    Listens for MUDs.

    @ivar transport: the limits in force, and the open connections.
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
    ) -> None:
        """
        @param mssp: gives the live figures for MSSP.
        @param line_rate: how fast who is not logged in may send lines.
        @param banner: product, version and a word for people.
        @param web_hint: where websockets and pages are, for who is at the wrong port.
        @param frame_out: how many bytes of JSON an event may have; 0 for any number.
        @param ref_bytes: how many bytes a ref may have; 0 for any number.
        """
        self.transport = transport
        self.clock = clock
        self.gossip = gossip
        self.mssp = mssp
        self.line_rate = line_rate
        self.banner = banner
        self.web_hint: Callable[[], str] = web_hint
        self.ref_bytes: int = ref_bytes
        self.json_format: JsonFormat = JsonFormat(frame_out, transport.limits.json_line_bytes)
        self._text_formats: dict[LineOptions, TextFormat] = {}
        self._busy: dict[TelnetConnection, None] = {}

    # A connection names its factory by a narrower type than Twisted does.
    def buildProtocol(self, addr: IAddress | None) -> TelnetConnection | None:  # type: ignore[override]
        address = getattr(addr, "host", "").removeprefix("::ffff:")
        return TelnetConnection(self, address) if self.transport.admission.admit(address) else None

    def doStop(self) -> None:
        super().doStop()
        if not self.numPorts:
            for connection in list(self.transport.connections):
                connection.stop()

    def text_format(self, options: LineOptions) -> TextFormat:
        """The wire format of a connection with these options; those with the same share one."""
        shared = self._text_formats.get(options)
        if shared is None:
            shared = TextFormat(options)
            if len(self._text_formats) < _FORMATS:
                self._text_formats[options] = shared
        return shared

    def at_end_of_turn(self, connection: TelnetConnection) -> None:
        """A connection has something to do when all that this turn of the reactor brings is there."""
        if not self._busy:
            # It runs before the reactor looks at its sockets again.
            self.clock.callLater(0, self._turn_over)
        self._busy[connection] = None

    def _turn_over(self) -> None:
        busy, self._busy = self._busy, {}
        for connection in busy:
            try:
                connection.turn_over()
            except Exception:
                # A mistake on one connection must not keep the others from theirs.
                _log.failure("cannot write to a connection")
