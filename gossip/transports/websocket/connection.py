"""
Games by websocket (RFC 6455): frames become events, events become frames.

How the frames are read and written, and what Autobahn does of it, is L{gossip.transports.websocket.server}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from gossip.network.session import Session, Situation
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import Unreadable
from gossip.service.interfaces import IConnection, IGossip, IWireFormat
from gossip.transports.admission import Admission
from gossip.transports.outlet import Outlet
from gossip.transports.websocket.rfc6455 import DeflateFormat, PlainFormat
from gossip.transports.websocket.server import OPEN_SECONDS, LeanServerFactory, LeanServerProtocol

GOODBYE: Final = b"goodbye"
"""The reason in each close frame: games are told the reason by an event before it."""

_OPEN: Final = (
    "connected",
    "data",
    "peer_address",
    "state",
    "transport",
    "wire_format",
    "_admitted",
    "_backlog",
    "_perMessageCompress",
    "_session",
    "_direct",
    "_waiting",
)
"""The attributes that a connection needs once it is open."""


@implementer(IConnection)
class WebSocketConnection(LeanServerProtocol):
    """The websocket of one session."""

    transport_name = "websocket"
    factory: GameFactory
    wire_format: IWireFormat

    _session: Session | None = None
    _deadline: IDelayedCall | None = None
    _admitted = False
    _waiting = False

    # The handshake.

    def connectionMade(self) -> None:
        self.open_outlet(self.factory.backlog)
        super().connectionMade()
        self._deadline = self.factory.clock.callLater(OPEN_SECONDS, self.dropConnection, True)

    def admit(self) -> bool:
        self._admitted = self._waiting = self.factory.admission.admit(self.peer_address)
        return self._admitted

    def onOpen(self) -> None:
        compression = self._perMessageCompress
        bits = None if compression is None else compression.server_max_window_bits
        self.wire_format = self.factory.wire_format(bits)
        self._session = self.factory.gossip.opened(self)
        self._stop_deadline()
        self.slim(*_OPEN)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()

    # What comes in.

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        session = self._session
        if session is None or self.state != self.STATE_OPEN:
            return  # messages after our close frame are ignored
        event = Unreadable() if isBinary else frames.decode(payload, self.factory.ref_bytes)
        self.factory.gossip.received(session, event)
        if self._waiting and session.situation is Situation.ACTIVE:
            self._waiting = False
            self.factory.admission.authenticated(self.peer_address)

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        # A game that sends its last requests and a close in one packet gets its answers before our close frame.
        self.factory.gossip.flush()
        return super().onCloseFrame(code, reasonRaw)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.shut()
        self._stop_deadline()
        if self._session is not None:
            self.factory.gossip.lost(self._session)
        if self._admitted:
            self._admitted = False
            self.factory.admission.left(self.peer_address, not self._waiting)

    def pause(self) -> None:
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()

    # What goes out.

    # Not a method of its own: that would be one more call for each delivery.
    write = Outlet.send_bytes

    @property
    def direct_send(self) -> Callable[[bytes], int] | None:
        return self._direct

    def close(self, code: int, why: Error) -> None:
        if self.state == self.STATE_OPEN:
            # Not sendClose: that refuses 1011 and 1012.
            self.sendCloseFrame(code, GOODBYE)
        elif self.state == self.STATE_CONNECTING:
            self.transport.loseConnection()


class GameFactory(LeanServerFactory):
    """Makes the connections of games."""

    def __init__(
        self,
        clock: IReactorTime,
        gossip: IGossip,
        admission: Admission,
        *,
        frame_in: int = 64 * 1024,
        frame_out: int = frames.FRAME_OUT,
        ref_bytes: int = frames.REF_BYTES,
        backlog: int = 1024 * 1024,
        proxies: int = 0,
    ) -> None:
        """
        @param frame_in: the maximum size of a message from a game, in bytes; 0 for no limit.
        @param frame_out: the maximum size of a frame to a game, in bytes; 0 for no limit.
        @param ref_bytes: the maximum size of a ref, in bytes; 0 for no limit.
        @param backlog: how many bytes may wait for a slow reader; 0 for no limit.
        @param proxies: how many proxies in front of the daemon are trusted to name the peer.
        """
        super().__init__(clock, WebSocketConnection, frame_in, proxies)
        self.clock = clock
        self.gossip = gossip
        self.admission = admission
        self.ref_bytes = ref_bytes
        self.backlog = backlog
        self._frame_out = frame_out
        self._plain = PlainFormat(frame_out)
        self._deflated: dict[int, DeflateFormat] = {}

    def wire_format(self, window_bits: int | None) -> IWireFormat:
        """
        How events are written for a connection.

        @param window_bits: the window of a connection that compresses; C{None} for one that does not.
        """
        if window_bits is None:
            return self._plain
        if window_bits not in self._deflated:
            self._deflated[window_bits] = DeflateFormat(self._frame_out, window_bits)
        return self._deflated[window_bits]
