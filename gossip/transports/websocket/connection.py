"""
Games by websocket (RFC 6455): frames become events, events become frames.

How the frames are read and written, and what Autobahn does of it, is L{gossip.transports.websocket.server}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.network.session import Session, Situation
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import Authenticate, ClientEvent, Unreadable
from gossip.protocol.sign_extended import mended
from gossip.registry.addresses import Address
from gossip.service.interfaces import IConnection, IGossip, IWireFormat
from gossip.transports.admission import Admission, Room
from gossip.transports.budget import Budget, Budgets
from gossip.transports.half_close import HALF_CLOSED_SECONDS
from gossip.transports.outlet import Outlet
from gossip.transports.turns import Turns
from gossip.transports.websocket.rfc6455 import DeflateFormat, PlainFormat
from gossip.transports.websocket.server import OPEN_SECONDS, Inflater, LeanServerFactory, LeanServerProtocol

GOODBYE: Final = b"goodbye"
"""The reason in each close frame: games are told the reason by an event before it."""

POLICY_VIOLATION: Final = 1008
"""The close code of a connection that sends too much (RFC 6455, section 7.4.1)."""

TRY_AGAIN_LATER: Final = 1013
"""The close code of a large frame for which there is no room (IANA, WebSocket Close Code Number Registry)."""

LARGE: Final = 512
LARGE_PER_ADDRESS: Final = 64
"""How many connections that have not authenticated can have a large frame unfinished, in all and from one address."""

COFFEEMUD: Final = "CoffeeMud "
"""How the user agent of CoffeeMud's client begins."""

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
    "_queued",
    "_session",
    "_direct",
    "_full",
    "_reading",
    "_waiting",
)
"""The attributes that a connection needs once it is open."""


_log = Logger()


def _decode_mended(payload: bytes, ref_bytes: int) -> ClientEvent:
    return frames.decode(mended(payload), ref_bytes)


@implementer(IConnection, IHalfCloseableProtocol)
class WebSocketConnection(LeanServerProtocol):
    """The websocket of one session."""

    transport_name = "websocket"
    factory: GameFactory
    wire_format: IWireFormat

    _session: Session | None = None
    _deadline: IDelayedCall | None = None
    _admitted = False
    _waiting = False
    _seated = False
    _half_closed = False
    _place: tuple[Admission, Address] | None = None
    _decode: Callable[[bytes, int], ClientEvent] = staticmethod(frames.decode)

    # The handshake.

    def connectionMade(self) -> None:
        self.factory.room.enter()  # the place that the connection had with the sniffer
        self.open_outlet(self.factory.backlog)
        super().connectionMade()
        self._deadline = self.factory.clock.callLater(OPEN_SECONDS, self.dropConnection, True)

    def keep_place(self, admission: Admission, address: Address) -> None:
        """
        Keep the place that the connection has among those whose request is being read, until the handshake ends.

        @param address: what it was admitted by: that of a proxy, if there is one.
        """
        self._place = admission, address

    def _leave_place(self) -> None:
        if self._place is not None:
            admission, address = self._place
            self._place = None
            admission.left(address, False)

    def admit(self) -> bool:
        if not self.factory.gossip.takes_games:
            return False
        self._admitted = self._waiting = self.factory.admission.admit(self.peer_address)
        return self._admitted

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        if not self.factory.gossip.takes_games:
            # A proxy would pass an answer on. If this node hangs up, it asks another one.
            self.dropConnection(abort=True)
        else:
            super().failHandshake(reason, code, responseHeaders)

    def onOpen(self) -> None:
        compression = self._perMessageCompress
        bits = None
        if compression is not None:
            bits = compression.server_max_window_bits
            self._perMessageCompress = Inflater(compression.client_max_window_bits)
        self.wire_format = self.factory.wire_format(bits)
        self._session = self.factory.gossip.opened(self)
        self._stop_deadline()
        self._leave_place()
        self.slim(*_OPEN)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()

    # What comes in.

    @property
    def budget(self) -> Budget:  # type: ignore[override]
        """What the connection can send: little before it has authenticated."""
        budgets = self.factory.budgets
        return budgets.unauthenticated if self._waiting or self._session is None else budgets.authenticated

    def flooded(self) -> None:
        _log.info("cut off a flood: {peer}", peer=self.peer_address)
        self._end(POLICY_VIOLATION)

    def _end(self, code: int) -> None:
        """End the connection for something that the network does not know of."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, GOODBYE)
        else:
            self.dropConnection(True)

    def take_unusual(self, data: bytes) -> None:
        super().take_unusual(data)
        if self._waiting or self._seated:
            self._bound_unfinished()

    def _bound_unfinished(self) -> None:
        """
        Let a stranger keep only a little here. A frame that is larger, such as an authenticate with two thousand
        players, takes one of a few seats until it is complete.
        """
        unfinished = len(self.data) + (self.message_data_total_length if self.inside_message else 0)
        needed = self._waiting and self.state == self.STATE_OPEN and 0 < self.factory.unfinished < unfinished
        if needed == self._seated:
            return
        if not needed:
            self._leave_seat()
        elif self.factory.seats.admit(self.peer_address):
            self._seated = True
            self._deadline = self.factory.clock.callLater(OPEN_SECONDS, self._end, POLICY_VIOLATION)
        else:
            self.data = b""
            self._end(TRY_AGAIN_LATER)

    def _leave_seat(self) -> None:
        if self._seated:
            self._seated = False
            self._stop_deadline()
            self.factory.seats.left(self.peer_address, False)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        session = self._session
        if session is None or self.state != self.STATE_OPEN:
            return  # messages after our close frame are ignored
        event = Unreadable() if isBinary else self._decode(payload, self.factory.ref_bytes)
        self.factory.gossip.received(session, event)
        if self._waiting:
            self._meet(session, event)

    def _meet(self, session: Session, event: ClientEvent) -> None:
        """A connection that had not authenticated sent something: what does that tell about it?"""
        if isinstance(event, Authenticate) and (event.user_agent or "").startswith(COFFEEMUD):
            # It would take the payload of a close frame for the beginning of the first frame of its next connection.
            self.bare_close = True
            self._decode = _decode_mended
        self._let_in(session)

    def _let_in(self, session: Session) -> None:
        if session.situation is Situation.ACTIVE:
            self._waiting = False
            self.begin_anew()
            self.factory.admission.authenticated(self.peer_address)

    def resume(self) -> None:
        if self._waiting and self._session is not None:
            self._let_in(self._session)  # its authenticate may have waited
        super().resume()

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        # A game that sends its last requests and a close in one packet gets its answers before our close frame.
        self.factory.gossip.flush()
        return super().onCloseFrame(code, reasonRaw)

    def readConnectionLost(self) -> None:
        if self._session is None or self.state != self.STATE_OPEN:
            self.shut()
            self.transport.loseConnection()
        elif not self._half_closed:
            self._half_closed = True
            self._deadline = self.factory.clock.callLater(HALF_CLOSED_SECONDS, self.dropConnection, True)
            self._finish()

    def writeConnectionLost(self) -> None:
        pass

    def _finish(self) -> None:
        # What came before, and is kept for later, is handled first.
        if self._session is not None and self._half_closed and not self.keeps:
            self.factory.gossip.finished(self._session)

    def read_on(self) -> None:
        super().read_on()
        self._finish()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.room.leave()
        super().connectionLost(reason)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.shut()
        self.shut_inlet()
        self._leave_seat()
        self._leave_place()
        self._stop_deadline()
        if self._session is not None:
            self.factory.gossip.lost(self._session)
        if self._admitted:
            self._admitted = False
            self.factory.admission.left(self.peer_address, not self._waiting)

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
            if self._half_closed:
                self.transport.loseConnection()  # it sends no close frame any more
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
        room: Room | None = None,
        turns: Turns | None = None,
    ) -> None:
        """
        @param frame_in: the maximum size of a message from a game, in bytes; 0 for no limit.
        @param frame_out: the maximum size of a frame to a game, in bytes; 0 for no limit.
        @param ref_bytes: the maximum size of a ref, in bytes; 0 for no limit.
        @param backlog: how many bytes may wait for a slow reader; 0 for no limit.
        @param proxies: how many proxies in front of the daemon are trusted to name the peer.
        @param room: counts the connections of all listeners.
        @param turns: shares the turns of the reactor among them.
        """
        super().__init__(clock, WebSocketConnection, frame_in, proxies, turns or Turns(clock))
        self.clock = clock
        self.gossip = gossip
        self.admission = admission
        self.room = room or Room()
        self.ref_bytes = ref_bytes
        self.backlog = backlog
        self.budgets = Budgets()
        self.unfinished = 0
        self.seats = Admission(LARGE, LARGE_PER_ADDRESS)
        self._frame_out = frame_out
        self._plain = PlainFormat(frame_out)
        self._deflated: dict[int, DeflateFormat] = {}

    def allow(self, budgets: Budgets, unfinished: int) -> None:
        """
        Follow these limits from now on. Connections that are open follow them too.

        @param budgets: what one connection can send.
        @param unfinished: how many bytes of an unfinished message any connection can leave here before it has
            authenticated; 0 for no limit.
        """
        self.budgets = budgets
        self.unfinished = unfinished

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
